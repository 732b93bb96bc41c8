package dispatch

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ringback/callback"
)

// load enqueues a burst of calls for each of some callbacks once a second, for as
// long as told, and returns how long each call waited for its first request, in
// order of length.
func (w *world) load(nums []callback.Num, burst int, d time.Duration) (waits []time.Duration) {
	w.Helper()
	came := map[callback.CallID]time.Time{}
	for end := now().Add(d); now().Before(end); w.pass(time.Second) {
		for _, num := range nums {
			for _, id := range w.add(num, burst) {
				came[id] = now()
			}
		}
	}
	for _, num := range nums {
		for _, r := range w.sent(num) {
			if at, ok := came[r.call]; ok && r.number == 1 {
				waits = append(waits, r.at.Sub(at))
				delete(came, r.call)
			}
		}
	}
	if len(came) > 0 {
		w.Errorf("%d calls were not sent", len(came))
	}
	slices.Sort(waits)
	return waits
}

// many makes n callbacks of one kind.
func (w *world) many(kind string, n int, f func(int) callback.Attempt, takes time.Duration, change func(*callback.Callback)) (nums []callback.Num) {
	w.Helper()
	for i := range n {
		num := w.create(fmt.Sprint(kind, i), f, change)
		w.slow(num, takes)
		nums = append(nums, num)
	}
	return nums
}

func hangs(int) callback.Attempt { return callback.Attempt{Class: callback.ClassAnswerTimeout} }

// However others behave, what a callback's calls wait for is its own endpoint:
// to the millisecond as without them.
func TestOthersDelayNobody(t *testing.T) {
	for _, c := range []struct {
		name          string
		good, burst   int
		others, queue int
		behave        func(int) callback.Attempt
		takes         time.Duration
		change        func(*callback.Callback)
	}{
		{name: "one of ten hangs", good: 9, burst: 20, others: 1, queue: 500, behave: hangs, takes: time.Minute},
		{name: "one of a hundred hangs", good: 99, burst: 3, others: 1, queue: 500, behave: hangs, takes: time.Minute},
		{name: "64 hang", good: 4, burst: 3, others: 64, queue: 100, behave: hangs, takes: time.Minute},
		{name: "64 are slow", good: 4, burst: 3, others: 64, queue: 100, behave: up, takes: 50 * time.Second},
		{name: "200 are slow", good: 4, burst: 1, others: 200, queue: 20, behave: up, takes: 50 * time.Second},
		{name: "20 refuse", good: 9, burst: 20, others: 20, queue: 100, behave: down},
		{name: "20 ask to be left alone", good: 9, burst: 20, others: 20, queue: 100, behave: func(int) callback.Attempt {
			return callback.Attempt{Code: 429, Class: callback.ClassStatus, RetryAfter: time.Hour}
		}},
		{
			name: "20 heads are poisoned", good: 9, burst: 20, others: 20, queue: 100, behave: func(int) callback.Attempt { return bad },
			change: func(cb *callback.Callback) { cb.Ordered = true },
		},
		{
			name: "20 have a rate", good: 9, burst: 20, others: 20, queue: 200, behave: up,
			change: func(cb *callback.Callback) { cb.RatePerSecond = 2 },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, 512, func(w *world) {
				good := w.many("good", c.good, up, 10*time.Millisecond, nil)
				others := w.many("other", c.others, c.behave, c.takes, c.change)
				alone := w.load(good, c.burst, 20*time.Second)
				for _, num := range others {
					w.add(num, c.queue)
				}
				w.pass(45 * time.Second) // attempts of the others end while the load is on
				if beside := w.load(good, c.burst, 20*time.Second); !slices.Equal(alone, beside) {
					w.Errorf("calls waited %v at most and %v in all; beside the others %v and %v",
						alone[len(alone)-1], sum(alone), beside[len(beside)-1], sum(beside))
				}
			})
		})
	}
}

func sum(list []time.Duration) (all time.Duration) {
	for _, d := range list {
		all += d
	}
	return all
}

// One busy callback has all slots while it is alone. Beside others it leaves them
// their shares, until they are deleted.
func TestShares(t *testing.T) {
	run(t, 16, func(w *world) {
		busy := w.create("busy", up, nil)
		w.slow(busy, time.Second)
		atOnce := func() int {
			w.mu.Lock()
			w.max[busy] = 0
			w.mu.Unlock()
			w.add(busy, 48)
			w.pass(20 * time.Second)
			return w.max[busy]
		}
		if n := atOnce(); n != 16 {
			w.Errorf("alone it had %d of 16 slots", n)
		}
		idle := w.many("idle", 3, up, 0, nil)
		w.pass(time.Second)
		if n := atOnce(); n != 10 {
			w.Errorf("beside three that have a share of 2 it had %d slots, want 10", n)
		}
		for _, num := range idle {
			if err := w.s.Delete(w.ctx, now(), num); err != nil {
				w.Fatal(err)
			}
		}
		w.pass(time.Second)
		if n := atOnce(); n != 16 {
			w.Errorf("alone again it had %d of 16 slots", n)
		}
	})
}

// A clock that jumps ahead, or a process that was stopped, finds much due at once:
// an endpoint that is down sees one request all the same, and one that answers no
// more than its callback allows.
func TestNoHerdAfterAJump(t *testing.T) {
	run(t, 512, func(w *world) {
		gone := w.create("gone", down, nil)
		w.add(gone, 1000)
		later := w.create("later", up, nil)
		w.slow(later, time.Second)
		for i := range 100 {
			call := callback.NewCall{Num: later, Response: callback.Response{DeliverAt: now().Add(time.Duration(i+3) * 20 * time.Second)}}
			if _, err := w.s.Enqueue(w.ctx, now(), []callback.NewCall{call}); err != nil {
				w.Fatal(err)
			}
		}
		w.pass(time.Second)
		before := len(w.sent(gone))
		w.mu.Lock()
		w.max[later] = 0
		w.mu.Unlock()
		w.skew.Store(int64(50 * time.Minute))
		w.d.Wake(gone, 0)
		w.d.Wake(later, 0)
		w.pass(3 * time.Minute)
		if n := len(w.sent(gone)) - before; n != 1 {
			w.Errorf("%d requests to the endpoint that is down, want 1", n)
		}
		if n := w.max[later]; n != 16 {
			w.Errorf("%d requests at once to the other, want 16", n)
		}
	})
}

// A deleted callback leaves nothing behind, neither its share nor what was read of
// its calls.
func TestDeletedLeavesNothing(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.slow(a, time.Second)
		w.add(a, 500)
		w.pass(3 * time.Second)
		if err := w.s.Delete(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Minute)
		w.d.mu.Lock()
		defer w.d.mu.Unlock()
		if len(w.d.lanes) != 0 || w.d.readOn != 0 || w.d.running != 0 || w.d.beyond != 0 {
			w.Errorf("%d lanes, %d bytes read, %d slots, %d of them beyond a share", len(w.d.lanes), w.d.readOn, w.d.running, w.d.beyond)
		}
	})
}
