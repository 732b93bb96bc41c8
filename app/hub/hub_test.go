package hub

import (
	"context"
	"sync"
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

// Whoever begins to watch while others publish is not held up.
func TestWatchWhilePublishing(t *testing.T) {
	t.Parallel()
	var h Hub
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				h.Publish()
			}
		}
	})
	for range 3000 {
		ctx, cancel := context.WithCancel(t.Context())
		<-h.Watch(ctx)
		cancel()
	}
	close(stop)
	wg.Wait()
}
