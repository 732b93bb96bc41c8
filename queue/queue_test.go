package queue

import (
	"context"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
	"ringback/queue/queuetest"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(tb testing.TB) queuetest.Open {
		dir := tb.TempDir()
		return func(tb testing.TB, now time.Time) callback.Store {
			e, err := Open(Options{Dir: dir, Now: now, Policy: queuetest.Policy(), Free: plenty, headStep: 1})
			if err != nil {
				tb.Fatalf("Open: %v", err)
			}
			return e
		}
	})
}

// plenty is a disk that never fills.
func plenty() (uint64, error) { return 1 << 50, nil }

// kept is a memq.Store that outlives its Close, as a folder does.
type kept struct{ *memq.Store }

func TestOracleConforms(t *testing.T) {
	t.Parallel()
	queuetest.Run(t, func(testing.TB) queuetest.Open {
		var s *memq.Store
		return func(_ testing.TB, now time.Time) callback.Store {
			if s == nil {
				s = memq.New(queuetest.Policy())
			} else {
				s.Restart(now)
			}
			return kept{s}
		}
	})
}

func TestContextEndsWaitForWriter(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	block, held := make(chan struct{}), make(chan struct{})
	go e.submit(context.Background(), queuetest.Start, 1, 0, func(*group) error { close(held); <-block; return nil }) // it only holds the writer
	<-held
	for range cap(e.ops) {
		e.ops <- &op{now: queuetest.Start, apply: func(*group) error { return nil }, done: make(chan struct{}, 1)}
	}
	err := e.submit(ctx, queuetest.Start, 1, 0, func(*group) error { t.Error("ran"); return nil })
	if callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	close(block)
}

func openTemp(tb testing.TB) *Engine {
	tb.Helper()
	e, err := Open(Options{Dir: tb.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty})
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return e
}
