package dispatch

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// A backlog is worked off in order, with every slot in use: the end of one
// attempt begins the next, without a commit for its claim.
func TestGoesOnWithTheNext(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 4 })
		w.slow(a, time.Second)
		const n = 3 * aheadCalls
		ids := w.add(a, n)
		before := w.claims.Load()
		w.pass(n / 4 * time.Second)
		if c := w.counts(a); c.Delivered != n {
			w.Fatalf("after the time that this takes: %+v", c)
		}
		for i, r := range w.sent(a) { // four start at once, in any order
			if at := slices.Index(ids, r.call); at/4 != i/4 {
				w.Fatalf("request %d was for call %d", i, at)
			}
		}
		if got := w.claims.Load() - before; got > 1 {
			w.Errorf("%d commits for claims", got)
		}
		w.d.mu.Lock()
		defer w.d.mu.Unlock()
		if l := w.d.lanes[a]; w.d.running != 0 || w.d.readOn != 0 || l.ahead.given != 0 || l.ahead.bytes != 0 || l.backlog {
			w.Errorf("nothing is left, but %d run, %d bytes are read ahead: %+v", w.d.running, w.d.readOn, *l)
		}
	})
}

// What happens to calls that were read ahead counts: none is sent that was
// resolved, nor any of a callback that was suspended; one that failed waits for
// its time, and none behind it is forgotten.
func TestReadAheadIsNotBinding(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 2 })
		w.slow(a, time.Second)
		ids := w.add(a, 100)
		w.mu.Lock()
		w.refuse = map[callback.CallID]bool{ids[30]: true}
		w.mu.Unlock()
		w.pass(5 * time.Second)
		if _, err := w.s.Resolve(w.ctx, now(), a, ids[20:24], "ana"); err != nil {
			w.Fatal(err)
		}
		w.pass(5 * time.Second)
		if err := w.s.Suspend(w.ctx, now(), a, "ana"); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		sent := len(w.sent(a))
		w.pass(time.Hour)
		if n := len(w.sent(a)); n != sent {
			w.Fatalf("%d requests while it was suspended", n-sent)
		}
		if err := w.s.Resume(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		w.pass(2 * time.Minute)
		if c := w.counts(a); c.Delivered != 95 || c.Resolved != 4 || c.Retrying != 1 {
			w.Fatalf("all but the one that fails: %+v", c)
		}
		for _, r := range w.sent(a) {
			if slices.Contains(ids[20:24], r.call) {
				w.Errorf("call %v was sent although it was resolved", r.call)
			}
		}
	})
}

// New calls that come while a lane works off what it read ahead stand behind
// it, and a lane goes on when others wait for slots.
func TestReadAheadOfSeveral(t *testing.T) {
	run(t, 4, func(w *world) {
		nums := []callback.Num{w.create("a", up, nil), w.create("b", up, nil), w.create("c", up, nil)}
		for _, num := range nums {
			w.slow(num, 100*time.Millisecond)
			w.add(num, 100)
		}
		w.pass(time.Second)
		for _, num := range nums {
			w.add(num, 100)
		}
		w.pass(5 * time.Second)
		low, high := 1000, 0
		for _, num := range nums {
			n := len(w.sent(num))
			low, high = min(low, n), max(high, n)
		}
		if high > low*3/2 || low < 50 {
			w.Errorf("lanes did not get alike: %d to %d requests", low, high)
		}
		w.pass(time.Minute)
		for _, num := range nums {
			if c := w.counts(num); c.Delivered != 200 {
				w.Errorf("callback %d: %+v", num, c)
			}
		}
		if w.max[everyone] > 4 {
			w.Errorf("%d requests at once", w.max[everyone])
		}
	})
}

// What is read ahead is bounded by bytes, and responses beyond that bound are sent
// all the same.
func TestReadAheadIsBounded(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 1 })
		w.slow(a, time.Second)
		for _, size := range []int{aheadBytes / 3, 2 * aheadBytes} {
			calls := make([]callback.NewCall, 20)
			for i := range calls {
				calls[i] = callback.NewCall{Num: a, Response: callback.Response{Message: callback.Message{Content: strings.Repeat("x", size)}}}
			}
			if _, err := w.s.Enqueue(w.ctx, now(), calls); err != nil {
				w.Fatal(err)
			}
			for range 25 {
				w.pass(time.Second)
				w.d.mu.Lock()
				if n := w.d.readOn; n > aheadBytes {
					w.Errorf("%d bytes are read ahead", n)
				}
				w.d.mu.Unlock()
			}
		}
		if c := w.counts(a); c.Delivered != 40 {
			w.Fatalf("%+v", c)
		}
	})
}

// An ordered callback goes on in the same way, one call after the other, and is
// held by one that fails until that succeeds.
func TestOrderedGoesOnWithTheNext(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.Ordered = true })
		w.slow(a, time.Second)
		const n, fails = 3 * aheadCalls, 300
		ids := w.add(a, n)
		w.mu.Lock()
		w.refuse = map[callback.CallID]bool{ids[fails]: true}
		w.mu.Unlock()
		before := w.claims.Load()
		w.pass(fails*time.Second + 2*time.Minute)
		if c := w.counts(a); c.Delivered != fails || c.Retrying != 1 || len(w.sent(a)) != fails+1 {
			w.Fatalf("behind one that failed: %+v, %d requests", c, len(w.sent(a)))
		}
		w.mu.Lock()
		w.refuse = nil
		w.mu.Unlock()
		w.pass(6*time.Minute + (n-fails)*time.Second)
		want := slices.Insert(slices.Clone(ids), fails, ids[fails])
		for i, r := range w.sent(a) {
			if r.call != want[i] {
				w.Fatalf("request %d was for call %d", i, slices.Index(ids, r.call))
			}
		}
		if c := w.counts(a); c.Delivered != n || w.atMost(a) != 1 {
			w.Errorf("%+v, %d at once", c, w.atMost(a))
		}
		if got := w.claims.Load() - before; got > 4 {
			w.Errorf("%d commits for claims", got)
		}
	})
}

// The head of an ordered callback blocks those behind it also while a person has
// it tried.
func TestOrderedWaitsForAnAttemptByHand(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, func(cb *callback.Callback) { cb.Ordered = true })
		w.set(a, func(n int) callback.Attempt {
			if n == 1 {
				return bad
			}
			return good
		})
		ids := w.add(a, 2)
		w.pass(time.Second)
		w.slow(a, 30*time.Second)
		if err := w.d.Manual(w.ctx, a, ids[0], false); err != nil {
			w.Fatal(err)
		}
		w.d.Wake(a, 0)
		w.pass(20 * time.Second)
		if n := len(w.sent(a)); n != 2 {
			w.Errorf("%d requests while the head is tried by hand, want 2", n)
		}
		w.pass(2 * time.Minute)
		if c := w.counts(a); c.Delivered != 2 {
			w.Errorf("%+v", c)
		}
	})
}
