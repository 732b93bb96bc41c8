package app_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue/memq"
)

// endpoint is a Poster whose endpoint works, or does not.
type endpoint struct {
	up    atomic.Bool
	mu    sync.Mutex
	times []time.Time // of its successes
}

func (e *endpoint) Post(_ context.Context, _ *callback.Callback, _ *callback.Claim, number int) []callback.Attempt {
	now := time.Now()
	if !e.up.Load() {
		return []callback.Attempt{{Number: number, Started: now, Code: 503, Class: callback.ClassStatus}}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.times = append(e.times, now)
	return []callback.Attempt{{Number: number, Started: now, Code: 200, OK: true}}
}

func (e *endpoint) delivered() []time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.times
}

// A retry with a rate waits for an endpoint that is down behind its first call,
// lets the others go at its rate once that is back, and can be stopped meanwhile.
func TestOperationKeepsItsRate(t *testing.T) {
	t.Parallel()
	const calls = 100
	url := "http://a.example.com/"
	for _, tc := range []struct {
		name    string
		rate    int
		retries bool // of the callback: else the operation has to send the probes itself
		stop    bool
	}{
		{"at 20 a second", 20, true, false},
		{"at 5 a second", 5, true, false},
		{"retries are off", 20, false, false},
		{"stopped", 20, true, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, e := memq.New(policy()), &endpoint{}
				idle(t, s, calls)
				if h, err := s.Find("a"); err != nil || h.Live.Gate.State == callback.Closed {
					t.Fatalf("the gate is %v, %v", h.Live.Gate.State, err)
				}
				a := app.New(app.Options{Store: s, Poster: e, Policy: policy()})
				if _, err := a.Update(t.Context(), "a", callback.Draft{URL: &url, Retries: &tc.retries}, 0); err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				var wg sync.WaitGroup
				wg.Go(func() {
					if err := a.Run(ctx); err != nil {
						t.Errorf("Run: %v", err)
					}
				})
				defer wg.Wait()
				defer cancel()
				began := time.Now()
				if _, _, err := a.StartOperation(ctx, callback.NewOperation{ID: "op", Ref: "a", Kind: callback.OperationRetry, Rate: tc.rate}); err != nil {
					t.Fatal(err)
				}
				paced(t, a, e, tc.rate, began, tc.stop)
			})
		})
	}
}

// paced watches an operation of 100 calls whose endpoint comes back meanwhile.
func paced(t *testing.T, a *app.App, e *endpoint, rate int, began time.Time, stop bool) {
	t.Helper()
	time.Sleep(2 * time.Minute)
	o, err := a.Operation(t.Context(), "op")
	if err != nil || o.State != callback.OperationRunning || o.Matched == 0 || o.Matched > 2 || len(e.delivered()) > 0 {
		t.Fatalf("while the endpoint is down: %+v, %d delivered, %v", o, len(e.delivered()), err)
	}
	if stop {
		if o, err = a.StopOperation(t.Context(), "op"); err != nil || o.State != callback.OperationStopped {
			t.Fatalf("stopped: %+v, %v", o, err)
		}
	}
	e.up.Store(true)
	time.Sleep(20 * time.Minute)
	o, err = a.Operation(t.Context(), "op")
	times := e.delivered()
	if stop {
		if err != nil || o.State != callback.OperationStopped || len(times) != int(o.Changed)-1 {
			t.Fatalf("after the stop: %+v, %d delivered, %v", o, len(times), err)
		}
		return
	}
	// The first were given up before, and got their one attempt while nobody answered.
	if err != nil || o.State != callback.OperationDone || len(times) < 98 || len(times) > 99 {
		t.Fatalf("done: %+v, %d delivered, %v", o, len(times), err)
	}
	most := 0
	for i := range times {
		n := 0
		for _, u := range times[i:] {
			if u.Sub(times[i]) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	if most > rate+2 || most < rate/2 {
		t.Fatalf("up to %d calls in a second, at a rate of %d: %v", most, rate, times[len(times)-1].Sub(began))
	}
}
