package dispatch

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
)

const mib = 1 << 20

var longest = sync.OnceValue(func() string { return strings.Repeat("x", 40*mib) })

// long enqueues n responses of so many bytes.
func (w *world) long(num callback.Num, n, size int) (ids []callback.CallID) {
	w.Helper()
	content := longest()[:size]
	calls := make([]callback.NewCall, n)
	for i := range calls {
		calls[i] = callback.NewCall{Num: num, Response: callback.Response{Message: callback.Message{Content: content}}}
	}
	out, err := w.s.Enqueue(w.ctx, now(), calls)
	if err != nil {
		w.Fatal(err)
	}
	for _, o := range out {
		ids = append(ids, o.ID)
	}
	return ids
}

// bytesAtMost returns how many bytes of responses were in flight at most.
func (w *world) bytesAtMost() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.size[1]
}

// atMost returns how many requests of a callback there were at once at most.
func (w *world) atMost(num callback.Num) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.max[num]
}

// waits reports whether the next call of a callback waits for what others have.
func (w *world) waits(num callback.Num) bool {
	_, ok := w.d.Waits(num)
	return ok
}

// empty fails unless nothing runs and nothing is held.
func (w *world) empty() {
	w.Helper()
	w.d.mu.Lock()
	defer w.d.mu.Unlock()
	if m := &w.d.memory; m.held != 0 || len(m.line) != 0 || w.d.running != 0 {
		w.Errorf("nothing is left, but %d run, %d bytes are held and %d lanes stand in line", w.d.running, m.held, len(m.line))
	}
	for num, l := range w.d.lanes {
		if l.held != 0 || l.short {
			w.Errorf("callback %d holds %d bytes, short: %v", num, l.held, l.short)
		}
	}
}

// However many endpoints are slow, and by whatever way their calls come to be
// sent, the responses in flight take no more than there is for them; and all are
// sent.
func TestMemoryIsBounded(t *testing.T) {
	for _, c := range []struct {
		name  string
		size  int
		first bool // one at a time, so that the claim rides in the commit of the enqueue
	}{
		{"long ones that waited", mib, false},
		{"long ones as they come", mib, true},
		{"longer than a slot has, short enough to be read ahead", 100 << 10, false},
		{"as long as a slot has", 64 << 10, false},
		{"half of what there is", 16 * mib, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, 512, func(w *world) {
				const each = 2
				nums := w.many("slow", 60, up, 50*time.Second, nil)
				if c.size > mib {
					nums = nums[:3]
				}
				for _, num := range nums {
					if !c.first {
						if err := w.s.Suspend(w.ctx, now(), num, "ana"); err != nil {
							w.Fatal(err)
						}
					}
					w.long(num, each, c.size)
				}
				for _, num := range nums {
					if err := w.s.Resume(w.ctx, now(), num); err != nil {
						w.Fatal(err)
					}
				}
				w.pass(3 * time.Hour)
				for _, num := range nums {
					if got := w.counts(num); got.Delivered != each {
						w.Errorf("callback %d: %+v", num, got)
					}
				}
				most := w.bytes / 2
				if c.size > 64<<10 {
					most = w.bytes / 4 // for the request is as long once more
				}
				if w.bytesAtMost() > most || w.bytesAtMost() < w.bytes/5 && c.size >= mib {
					w.Errorf("%d KiB were in flight at most", w.bytesAtMost()>>10)
				}
				w.empty()
			})
		})
	}
}

// A lane whose responses are long and whose endpoint hangs takes half of the
// memory for long ones: another has the other half, and short ones wait for
// neither.
func TestLongOnesDelayNobody(t *testing.T) {
	run(t, 512, func(w *world) {
		hung, long, short := w.create("hung", hangs, nil), w.create("long", up, nil), w.create("short", up, nil)
		w.slow(hung, time.Minute)
		w.slow(long, time.Second)
		w.long(hung, 100, mib)
		w.pass(time.Second)
		if n := w.atMost(hung); n != 8 {
			w.Errorf("%d of the hanging ones at once, want 8", n)
		}
		w.long(long, 16, mib)
		w.add(short, 100)
		w.long(short, 100, 60<<10)
		w.pass(0)
		if c := w.counts(short); c.Delivered != 200 {
			w.Errorf("short ones waited: %+v", c)
		}
		w.pass(3 * time.Second)
		if c := w.counts(long); c.Delivered != 16 {
			w.Errorf("long ones of another waited: %+v", c)
		}
	})
}

// A response that takes all the memory there is gets it although shorter ones
// come all the time: who waits first, goes first.
func TestLongestIsNotStarved(t *testing.T) {
	for _, c := range []struct {
		name   string
		size   int
		change func(*callback.Callback)
	}{
		{"all that there is", 16 * mib, nil},
		{"more than there is", 40 * mib, nil},
		{"of an ordered callback", 16 * mib, func(cb *callback.Callback) { cb.Ordered = true }},
		{"with a rate", 16 * mib, func(cb *callback.Callback) { cb.RatePerSecond = 0.2 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			run(t, 512, func(w *world) {
				others := w.many("other", 8, up, 10*time.Second, nil)
				longest := w.create("longest", up, c.change)
				w.slow(longest, time.Second)
				for i := range 55 {
					for _, num := range others {
						w.long(num, 1, 3*mib)
					}
					if i == 10 {
						w.long(longest, 2, c.size)
					}
					w.pass(2 * time.Second)
				}
				sent := w.sent(longest)
				if len(sent) != 2 {
					w.Fatalf("%d of the longest were sent within 90 s", len(sent))
				}
				if c.size > 16*mib && w.bytesAtMost() != c.size {
					w.Errorf("%d MiB at once, for it goes alone", w.bytesAtMost()/mib)
				}
				w.pass(20 * time.Minute)
				for _, num := range others {
					if got := w.counts(num); got.Delivered != 55 {
						w.Errorf("callback %d: %+v", num, got)
					}
				}
				w.empty()
			})
		})
	}
}

// Lanes that wait for memory get it in turns.
func TestLongOnesTakeTurns(t *testing.T) {
	run(t, 512, func(w *world) {
		all, nums := w.create("all", up, nil), w.many("a", 4, up, time.Minute, nil)
		w.slow(all, time.Second)
		w.pass(time.Second)
		w.long(all, 1, 16*mib)
		for _, num := range nums {
			w.long(num, 20, 3*mib)
		}
		w.pass(2 * time.Second) // there is room for five of them
		for _, num := range nums {
			if n := len(w.sent(num)); n < 1 || n > 2 {
				w.Errorf("callback %d sent %d", num, n)
			}
		}
		if w.atMost(everyone) != 5 {
			w.Errorf("%d at once, want 5", w.atMost(everyone))
		}
	})
}

// A lane that goes on from one attempt to the next takes its turn as well.
func TestNextWaitsForItsTurn(t *testing.T) {
	run(t, 512, func(w *world) {
		for _, num := range w.many("a", 100, up, 10*time.Second, func(cb *callback.Callback) { cb.MaxInFlight = 1 }) {
			w.long(num, 20, 100<<10)
		}
		w.pass(time.Second)
		longest := w.create("longest", up, nil)
		w.long(longest, 1, 16*mib)
		w.pass(90 * time.Second)
		if n := len(w.sent(longest)); n != 1 {
			w.Errorf("%d requests for the longest", n)
		}
		if w.bytesAtMost() != 16*mib {
			w.Errorf("%d KiB at most", w.bytesAtMost()>>10)
		}
	})
}

// What waits for memory and is wanted no more gives its place up.
func TestPlaceInLineIsGivenUp(t *testing.T) {
	run(t, 512, func(w *world) {
		slow, gone, next := w.create("slow", up, nil), w.create("gone", up, nil), w.create("next", up, nil)
		w.slow(slow, 10*time.Minute)
		w.long(slow, 1, 14*mib)
		w.pass(time.Second)
		ids := w.long(gone, 1, 10*mib)
		w.pass(time.Second)
		w.long(next, 1, mib) // fits, and waits for its turn
		w.pass(time.Second)
		if n := len(w.sent(next)); n != 0 {
			w.Fatalf("it overtook the one that came first")
		}
		if !w.waits(gone) || !w.waits(next) || w.waits(slow) {
			w.Errorf("they do not say that they wait for memory")
		}
		before := w.looks.Load()
		w.pass(5 * time.Minute)
		if n := w.looks.Load() - before; n > 2 {
			w.Errorf("%d looks while there is nothing to be done", n)
		}
		if _, err := w.s.Resolve(w.ctx, now(), gone, ids, "ana"); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		if n := len(w.sent(next)); n != 1 {
			w.Errorf("%d requests although nobody waits before it", n)
		}
	})
}

// Who stands first in line and has no slot, for its endpoint is slow and others
// have all beyond its share, keeps nobody from memory that is free.
func TestFirstInLineHasNoSlot(t *testing.T) {
	run(t, 8, func(w *world) {
		first, next, holder, busy := w.create("first", up, nil), w.create("next", up, nil), w.create("holder", up, nil), w.create("busy", up, nil)
		for num, takes := range map[callback.Num]time.Duration{first: time.Minute, next: time.Second, holder: 10 * time.Second, busy: time.Minute} {
			w.slow(num, takes)
		}
		w.long(holder, 1, 16*mib) // all there is
		w.add(first, 1)           // takes its share
		w.pass(time.Second)
		w.long(first, 1, 5*mib)
		w.pass(time.Second)
		w.long(next, 1, 5*mib)
		w.add(busy, 10)
		w.pass(time.Second)
		if a, b := w.waits(first), w.waits(next); w.atMost(busy) != 5 || !a || !b {
			w.Fatalf("%d at once of the busy one, want 5; waiting: %v and %v", w.atMost(busy), a, b)
		}
		w.pass(10 * time.Second)
		if n := len(w.sent(next)); n != 1 {
			w.Errorf("%d requests although there are memory and a slot", n)
		}
		if n := len(w.sent(first)); n != 1 {
			w.Errorf("%d requests of the first, want 1, for it has no slot", n)
		}
		if since, ok := w.d.Waits(first); !ok || now().Sub(since) > 5*time.Second {
			w.Errorf("it waits for a slot: %v, since %v", ok, since)
		}
		before := w.looks.Load()
		w.pass(30 * time.Second)
		if n := w.looks.Load() - before; n > 2 {
			w.Errorf("%d looks while there is nothing to be done", n)
		}
		w.pass(20 * time.Second)
		if n := len(w.sent(first)); n != 2 {
			w.Errorf("%d requests of the first, want 2", n)
		}
		w.pass(10 * time.Minute)
		w.empty()
	})
}

// Who stands first in line keeps its place while it is looked at, and where there
// is no slot for anybody.
func TestFirstInLineStaysFirst(t *testing.T) {
	for _, c := range []struct {
		name  string
		slots int
	}{{"its slot is reserved", 8}, {"nobody has a slot", 4}} {
		t.Run(c.name, func(t *testing.T) {
			run(t, c.slots, func(w *world) {
				first, next, holder, busy := w.create("first", up, nil), w.create("next", up, nil), w.create("holder", up, nil), w.create("busy", up, nil)
				for num, takes := range map[callback.Num]time.Duration{first: time.Minute, next: time.Second, holder: 10 * time.Second, busy: time.Minute} {
					w.slow(num, takes)
				}
				w.long(holder, 1, 16*mib)
				w.pass(time.Second)
				w.long(first, 1, 16*mib)
				w.pass(time.Second)
				w.long(next, 1, 16*mib)
				w.add(busy, 10)
				w.pass(time.Second)
				w.reads.Store(int64(time.Second)) // so that a look is long enough for another
				w.pass(7500 * time.Millisecond)
				w.d.Wake(busy, 0)
				w.pass(10 * time.Second)
				if a, b := len(w.sent(first)), len(w.sent(next)); a != 1 || b != 0 {
					w.Errorf("%d requests of the first and %d of the next, want 1 and 0", a, b)
				}
				w.pass(10 * time.Minute)
				if n := len(w.sent(next)); n != 1 {
					w.Errorf("%d requests of the next", n)
				}
				w.empty()
			})
		})
	}
}

// A wait for what others have says since when nothing moves.
func TestWaitsSince(t *testing.T) {
	run(t, 512, func(w *world) {
		check := func(num callback.Num, want time.Time) {
			w.Helper()
			if got, ok := w.d.Waits(num); !ok || !got.Equal(want) {
				w.Errorf("callback %d waits: %v, since %v, want %v", num, ok, got, want)
			}
		}
		slow, first, next, own := w.create("slow", up, nil), w.create("first", up, nil), w.create("next", up, nil), w.create("own", up, nil)
		w.slow(slow, 10*time.Minute)
		w.slow(own, time.Minute)
		w.long(own, 3, 5*mib)
		began := now()
		w.pass(time.Second)
		check(own, began) // for attempts of its own
		w.long(slow, 1, 10*mib)
		w.pass(time.Second)
		ids := w.long(first, 1, 8*mib)
		stood := now()
		w.pass(time.Second)
		w.long(next, 1, 8*mib)
		behind := now()
		w.pass(10 * time.Second)
		check(first, stood)
		check(next, behind)
		w.pass(time.Minute)
		check(own, began.Add(time.Minute))
		check(first, stood) // there is no room yet
		if _, err := w.s.Resolve(w.ctx, now(), first, ids, "ana"); err != nil {
			w.Fatal(err)
		}
		turned := now()
		w.pass(time.Second)
		check(next, turned)
		w.pass(time.Hour)
		for _, num := range []callback.Num{slow, first, next, own} {
			if w.waits(num) {
				w.Errorf("callback %d waits for nothing", num)
			}
		}
		w.empty()
		w.reads.Store(int64(time.Second))
		w.d.Wake(next, 0)
		w.pass(time.Millisecond)
		if !w.waits(next) {
			w.Error("it does not wait while it is looked at")
		}
	})
	t.Run("slots", func(t *testing.T) {
		run(t, 2, func(w *world) {
			busy := w.create("busy", up, nil)
			w.slow(busy, time.Minute)
			w.add(busy, 3)
			began := now()
			w.pass(30 * time.Second)
			if since, ok := w.d.Waits(busy); !ok || !since.Equal(began) {
				w.Errorf("it waits: %v, since %v, want %v", ok, since, began)
			}
			w.pass(time.Minute)
			if w.waits(busy) {
				w.Error("it waits although a slot is free")
			}
		})
	})
}

// Attempts by hand hold memory like others, and are refused where there is none.
func TestManualAttemptsHoldMemory(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 1 })
		w.slow(a, time.Minute)
		ids := w.long(a, 3, 10*mib)
		w.pass(time.Second)
		if err := w.d.Manual(w.ctx, a, ids[1], false); err != nil {
			w.Fatal(err)
		}
		if err := w.d.Manual(w.ctx, a, ids[2], false); callback.ErrorCode(err) != callback.CodeUnavailable {
			w.Errorf("a third one of 10 MiB: %v", err)
		}
		w.pass(5 * time.Minute)
		w.empty()
	})
}

// What was taken for calls that are not sent after all is given back.
func TestMemoryOfCallsThatDoNotStart(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 1 })
		w.slow(a, time.Minute)
		ids := w.long(a, 6, 100<<10) // of which the next two are read ahead
		w.pass(time.Second)
		if c := w.d.Next(a); c == nil {
			w.Error("nothing is read ahead")
		} else {
			w.d.Missed(c)
		}
		if _, err := w.s.Resolve(w.ctx, now(), a, ids[1:3], "ana"); err != nil {
			w.Fatal(err)
		}
		w.set(a, func(int) callback.Attempt { return bad })
		w.pass(130 * time.Second)
		h, err := w.s.Callback(a)
		if err != nil {
			w.Fatal(err)
		}
		h.Retries = false // so that what failed is given up when its turn comes
		if _, err := w.s.Update(w.ctx, now(), h.Callback, 0); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Hour)
		if c := w.counts(a); c.Waiting() != 0 || c.Resolved != 2 || c.Failed == 0 {
			w.Errorf("%+v", c)
		}
		w.empty()
	})
}

// Memory that was asked for, and that no attempt came to hold, is offered to
// whoever waits for it.
func TestMemoryThatIsNotUsedIsOffered(t *testing.T) {
	run(t, 512, func(w *world) {
		w.end()
		w.commits = time.Second
		w.start(512)
		short, longest := w.create("short", up, nil), w.create("longest", up, nil)
		nums := []callback.Num{short, longest}
		for i, size := range []int{64 << 10, 16 * mib} {
			if err := w.s.Suspend(w.ctx, now(), nums[i], "ana"); err != nil {
				w.Fatal(err)
			}
			w.long(nums[i], 1, size)
		}
		w.pass(time.Minute)
		for _, num := range nums {
			if err := w.s.Resume(w.ctx, now(), num); err != nil {
				w.Fatal(err)
			}
			w.pass(time.Millisecond)
		}
		w.pass(10 * time.Minute)
		for _, num := range nums {
			if c := w.counts(num); c.Delivered != 1 {
				w.Errorf("callback %d: %+v, waits: %v", num, c, w.waits(num))
			}
		}
		w.empty()
	})
}

// A lane all of whose claims were given up goes on with what found no memory
// beside them.
func TestGivingUpLeavesNobodyWaiting(t *testing.T) {
	run(t, 512, func(w *world) {
		w.end()
		w.p.Jitter = 0 // so that all are due at once
		w.s = memq.New(w.p)
		w.start(512)
		a := w.create("a", func(n int) callback.Attempt {
			if n%2 == 1 {
				return bad
			}
			return good // so that the gate stays closed
		}, nil)
		for range 12 {
			w.long(a, 1, 3*mib)
			w.pass(0)
			w.add(a, 1)
			w.pass(0)
		}
		if c := w.counts(a); c.Retrying != 12 || c.Delivered != 12 {
			w.Fatalf("%+v", c)
		}
		h, err := w.s.Callback(a)
		if err != nil {
			w.Fatal(err)
		}
		h.Retries = false
		if _, err := w.s.Update(w.ctx, now(), h.Callback, 0); err != nil {
			w.Fatal(err)
		}
		w.pass(3 * time.Hour)
		if c := w.counts(a); c.Waiting() != 0 {
			w.Errorf("%+v", c)
		}
		w.empty()
	})
}
