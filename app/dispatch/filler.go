package dispatch

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

// filler is one turn of a lane.
type filler struct {
	*Engine
	lane  *lane
	now   time.Time
	slots int // reserved and not used
	limit int // attempts of the callback at once, at most

	started int // calls
	asked   int // bytes taken for those that are being claimed

	again bool      // there is more to do at once
	more  bool      // more is due than the lane may start now
	held  bool      // calls wait behind a probe
	gone  bool      // the callback is deleted, and nothing of it is left to be done
	short bool      // there is no memory for the next call
	next  time.Time // when the lane is due again
}

func (f *filler) run(ctx context.Context) error {
	h, err := f.upkeep(ctx)
	if err != nil {
		return err
	}
	st := f.step(&h)
	f.limit = st.Policy.MaxInFlight
	f.gone = h.Live.Deleted && h.Live.Counts.Waiting() == 0 && h.Live.Running+h.Live.Manual == 0
	room, extra := st.Room(), 0
	if st.InLine() && h.RatePerSecond == 0 {
		if calls, from, low, ok := f.lined(min(room, f.slots)); ok {
			f.sooner(h.NextTick)
			f.sooner(h.ExpireAt)
			return f.goOn(ctx, calls, from, low)
		}
		extra = f.mayReadOn()
	} else {
		f.forget()
	}
	calls, err := f.heads(ctx, st, room+1+extra)
	if err != nil {
		return err
	}
	n := f.pace(h.RatePerSecond, min(room, f.slots, len(calls)))
	if f.more = len(calls) > n; f.more && extra > 0 {
		if err := f.lineUp(ctx, calls[n:], len(calls) > room+extra); err != nil {
			return err
		}
	}
	if n > 0 {
		if err := f.start(ctx, calls[:n]); err != nil {
			return err
		}
		f.paid(h.RatePerSecond)
	}
	// Behind a probe, and behind the head of an ordered callback, all have to
	// wait, also where nothing is due.
	f.held = (st.Policy.Ordered || h.Live.Gate.State != callback.Closed) && h.Live.Counts.Waiting() > uint64(h.Live.Running)
	if n == 0 && h.Live.Gate.State == callback.Ramp && h.Live.Running == 0 && len(calls) == 0 {
		defer f.opt.Ticked()
		return f.opt.Store.Tick(ctx, f.now, f.lane.num, true)
	}
	f.sooner(h.NextTick)
	f.sooner(h.ExpireAt)
	return nil
}

// pace cuts n to what the callback's own rate allows now, in portions of a
// tenth of a second.
func (f *filler) pace(rate float64, n int) int {
	if rate <= 0 || n == 0 {
		return n
	}
	if f.lane.paced.After(f.now) {
		f.sooner(f.lane.paced)
		return 0
	}
	return min(n, max(int(rate/10), 1))
}

// paid holds the lane back for what was started at its callback's own rate.
func (f *filler) paid(rate float64) {
	if rate > 0 && f.started > 0 {
		f.lane.paced = f.now.Add(time.Duration(float64(f.started) / rate * float64(time.Second)))
	}
}

func (f *filler) step(h *callback.Health) *callback.Step {
	return &callback.Step{Policy: f.opt.Policy.For(&h.Callback), ID: h.ID, Now: f.now, Live: &h.Live}
}

// upkeep does what time brought about, and returns how the callback does then.
func (f *filler) upkeep(ctx context.Context) (callback.Health, error) {
	num := f.lane.num
	h, err := f.opt.Store.Callback(num)
	if err != nil {
		return h, err
	}
	ticked := !h.NextTick.IsZero() && !h.NextTick.After(f.now)
	swept := !h.ExpireAt.IsZero() && !h.ExpireAt.After(f.now)
	if h.Live.Deleted && h.Live.Counts.Waiting() > 0 {
		if swept, err = f.anyWaits(ctx); err != nil {
			return h, err
		}
	}
	if !ticked && !swept {
		return h, nil
	}
	defer f.opt.Ticked()
	if ticked {
		if err := f.opt.Store.Tick(ctx, f.now, num, false); err != nil {
			return h, err
		}
	}
	if swept {
		if err := f.opt.Store.Sweep(ctx, f.now, num); err != nil {
			return h, err
		}
	}
	return f.opt.Store.Callback(num)
}

// anyWaits reports whether a call waits that does not run.
func (f *filler) anyWaits(ctx context.Context) (bool, error) {
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		page, err := f.opt.Store.Due(ctx, f.lane.num, class, callback.DueKey{}, 1)
		if err != nil || len(page) > 0 {
			return true, err
		}
	}
	return false, nil
}

// start claims calls and starts those it got.
func (f *filler) start(ctx context.Context, calls []callback.Entry) error {
	claims, err := f.opt.Store.Claim(ctx, f.now, f.lane.num, calls, f.room)
	f.settle(claims)
	if err != nil {
		return err
	}
	f.slots -= len(claims)
	f.started += len(claims)
	// What was claimed, or given up, left its place: look again at what is next.
	// Where neither happened something is in the way that the state machine does
	// not know, such as a full disk.
	switch {
	case len(claims) > 0:
		f.lane.stuck, f.again = 0, true
	case f.short && f.awaits(): // it is looked at when there is memory
	case f.lane.stuck == calls[0].ID:
		f.sooner(f.now.Add(time.Second))
	default:
		f.lane.stuck, f.again = calls[0].ID, true
	}
	for _, c := range claims {
		f.wg.Add(1)
		f.Start(c)
	}
	if len(claims) < len(calls) {
		f.forget() // what was read ahead stands behind those that were not claimed
	}
	return nil
}

// room takes memory for the next call that is claimed.
func (f *filler) room(size int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.ask(f.lane, size) {
		f.short, f.more = true, true
		return false
	}
	f.asked += f.memory.weight(size)
	return true
}

// settle leaves, of the memory that was taken, what the claims hold.
func (f *filler) settle(claims []callback.Claim) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := -f.asked
	for i := range claims {
		n += f.memory.of(&claims[i])
	}
	f.memory.hold(f.lane, n)
	f.asked = 0
	if n < 0 {
		f.offer() // no attempt will give that back
	}
}

// awaits reports whether a lane that found no memory is looked at when there is
// some: because attempts of its own hold it, or it stands in line.
func (f *filler) awaits() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lane.held > 0 || slices.Contains(f.memory.line, f.lane)
}

// forget drops what was read ahead.
func (f *filler) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(f.lane)
}

func (f *filler) sooner(at time.Time) {
	if !at.IsZero() && (f.next.IsZero() || at.Before(f.next)) {
		f.next = at
	}
}
