package queue

import (
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Enqueues reach the writer in another order than they took their times in. One
// that took its own before another that was stored in an earlier commit may
// still be sent at once: its claim rides in its own commit.
func TestEnqueuesOutOfOrderStartAtOnce(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	starts := make(chan callback.Claim, 3)
	e.SetDispatcher(direct{starts})
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []time.Duration{2, 1, 2} {
		_, err := e.Enqueue(t.Context(), queuetest.Start.Add(at*time.Millisecond), []callback.NewCall{{Num: cb.Num}})
		if err != nil {
			t.Fatal(err)
		}
		select {
		case c := <-starts:
			if want := queuetest.Start.Add(2 * time.Millisecond); !c.Entry.Enqueued.Equal(want) {
				t.Errorf("call %d was enqueued at %v, want %v", i, c.Entry.Enqueued, want)
			}
		default:
			t.Fatalf("call %d was not started", i)
		}
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
