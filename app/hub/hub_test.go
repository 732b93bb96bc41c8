package hub

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchConflates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h Hub
		ctx, cancel := context.WithCancel(t.Context())
		c := h.Watch(ctx)
		if got := <-c; got != 0 {
			t.Fatalf("first revision %d, want 0", got)
		}
		start := time.Now()
		for range 1000 { // nobody reads: the publisher does not wait
			h.Publish()
		}
		if got := <-c; got != 1000 {
			t.Fatalf("revision %d, want the latest, 1000", got)
		}
		if d := time.Since(start); d != Interval {
			t.Fatalf("two revisions %v apart, want %v", d, Interval)
		}
		cancel()
		if _, open := <-c; open {
			t.Fatal("channel open after its context ended")
		}
		synctest.Wait()
		if len(h.subs) != 0 {
			t.Fatalf("%d watchers left", len(h.subs))
		}
	})
}
