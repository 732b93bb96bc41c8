package dispatch

import (
	"testing"
	"time"
)

// Attempts are made by goroutines that made others before, of which a bounded
// number waits; Run leaves none behind, or the bubble would not end.
func TestHandsGoOn(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.slow(a, time.Second)
		for range 5 {
			w.add(a, 12)
			w.pass(500 * time.Millisecond)
			if n := w.d.hands.idle.Load(); n != 0 {
				w.Errorf("%d goroutines wait while 12 attempts run", n)
			}
			w.pass(time.Second)
			if n := w.d.hands.idle.Load(); n != 12 {
				w.Errorf("%d goroutines wait after 12 attempts at once, want 12", n)
			}
		}
		if got := len(w.sent(a)); got != 60 {
			w.Errorf("%d requests for 60 calls", got)
		}
	})
}

func TestHandsAreBounded(t *testing.T) {
	run(t, 512, func(w *world) {
		for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
			num := w.create(name, up, nil)
			w.slow(num, time.Second)
			w.add(num, 16)
		}
		w.pass(3 * time.Second)
		if n := w.d.hands.idle.Load(); n != maxIdle || w.max[everyone] != 128 {
			w.Errorf("%d goroutines wait after %d attempts at once, want %d after 128", n, w.max[everyone], maxIdle)
		}
	})
}

// Where a commit failed a slot is never used, so that Run ends without what it waited
// for. Nobody waits for an attempt then all the same.
func TestHandsEndWithRun(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.add(a, 12)
		w.pass(time.Second)
		if n := w.d.hands.idle.Load(); n == 0 {
			t.Error("nobody waits for another attempt")
		}
		w.d.wg.Add(1)
		w.end()
		if n := w.d.hands.idle.Load(); n != 0 {
			t.Errorf("%d goroutines wait after Run", n)
		}
		w.d.wg.Done()
		w.end = func() {}
	})
}
