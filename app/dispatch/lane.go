package dispatch

import (
	"container/heap"
	"context"
	"slices"
	"time"

	"ringback/callback"
)

// lane is one callback that has something to do. Engine.mu guards it.
type lane struct {
	num     callback.Num
	limit   int       // attempts at once, as far as is known: no more slots are reserved for it
	running int       // of Engine.running, those of this lane
	held    int       // of memory.held, what attempts of this lane hold
	short   bool      // its next call found no memory when it was last looked at
	since   time.Time // while short: when that began, it last got some, or came to stand in line
	backlog bool      // calls may wait that are due: new ones must not overtake them
	refused int       // new calls that got no slot and whose commit is not known of yet
	queued  bool      // stands in Engine.ready
	filling bool
	dirty   bool      // something happened while it was being filled
	paced   time.Time // before this the callback's rate allows no attempt
	at      time.Time // while in Engine.timers: when it is due
	index   int       // its place there, -1: none

	// head is where the call waits that blocks an ordered lane, as far as is known.
	head callback.DueKey

	// stuck is the first of the calls of which none could be claimed last time.
	stuck callback.CallID

	ahead ahead
}

func (d *Engine) lane(num callback.Num) *lane {
	l := d.lanes[num]
	if l == nil {
		l = &lane{num: num, index: -1, limit: d.opt.Policy.MaxInFlight}
		d.lanes[num] = l
		d.divide()
	}
	return l
}

// covers reports whether the lane will be looked at by the time at.
func (l *lane) covers(at time.Time) bool {
	return at.IsZero() || l.queued || l.index >= 0 && !l.at.After(at)
}

// due puts a lane in the queue for its turn.
func (d *Engine) due(l *lane) {
	switch {
	case l.filling:
		l.dirty = true
	case !l.queued:
		l.queued = true
		d.ready = append(d.ready, l)
		if l.index >= 0 {
			heap.Remove(&d.timers, l.index)
		}
	}
}

// turn lets lanes that are due be filled, as long as there is room, and returns
// when the next one is due.
func (d *Engine) turn() (next time.Time, ok bool) {
	now := d.opt.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(d.timers) > 0 && !d.timers[0].at.After(now) {
		d.due(d.timers[0])
	}
	d.pass()
	waiting, stay := d.ready, 0 // some stay, because they have their share
	for len(d.ready) > 0 && d.filling < fillers && d.running < d.opt.MaxInFlight {
		// What is free is shared among those that wait, so that the first
		// cannot take it all.
		l := d.ready[0]
		slots := min(d.free(l), max(min((d.opt.MaxInFlight-d.running)/len(d.ready), l.limit), 1))
		d.ready = d.ready[1:]
		if slots == 0 {
			waiting[stay] = l
			stay++
			continue
		}
		l.queued, l.filling, l.dirty = false, true, false
		if l.ahead.old {
			l.ahead.old = false
			d.drop(l)
		}
		d.reserve(l, slots)
		d.filling++
		d.wg.Go(func() { d.fill(l, slots) })
	}
	taken := len(waiting) - len(d.ready) // of which some stay, before the others
	copy(waiting[taken-stay:taken], waiting[:stay])
	d.ready = waiting[taken-stay:]
	if len(d.timers) == 0 {
		return next, false
	}
	return d.timers[0].at, true
}

// fill claims and starts what a lane has due, at most slots attempts, which
// are reserved, and finds out when it is due again.
func (d *Engine) fill(l *lane, slots int) {
	f := filler{Engine: d, lane: l, now: d.opt.Now(), slots: slots, limit: l.limit}
	err := f.run(d.attempts)
	switch {
	case callback.ErrorCode(err) == callback.CodeNotFound:
		f.gone = true // retention removed the callback
	case err != nil && d.attempts.Err() == nil:
		d.fail(err)
	}
	d.mu.Lock()
	d.reserve(l, -f.slots) // what was not used
	d.filling--
	l.filling = false
	l.limit = f.limit
	if f.short && (!l.short || f.started > 0) {
		l.since = f.now
	}
	if l.short = f.short; !f.short {
		d.leave(l) // what it stood in line for waits no more
	}
	if f.gone && !l.dirty && l.refused == 0 && l.running == 0 && l.held == 0 {
		delete(d.lanes, l.num)
		d.divide()
		d.mu.Unlock()
		d.wakeRun() // others may wait for what it held
		return
	}
	// What happened meanwhile the filler may not have seen.
	l.backlog = f.more || f.held || l.dirty || l.refused > 0
	switch {
	case l.dirty || f.again:
		d.due(l)
	case !f.next.IsZero():
		l.at = f.next
		heap.Push(&d.timers, l) // it was taken out when it became ready
	} // else it waits for a slot, or for something to happen: either wakes it
	d.mu.Unlock()
	d.wakeRun()
}

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

// heads returns at most limit calls that may start now, in the order in which
// they should: those never tried first. It notes when the first one behind them
// may start.
func (f *filler) heads(ctx context.Context, st *callback.Step, limit int) ([]callback.Entry, error) {
	var out []callback.Entry
	for _, class := range f.classes(st) {
		page, err := f.opt.Store.Due(ctx, f.lane.num, class, callback.DueKey{}, limit-len(out)+1)
		if err == nil && st.Policy.Ordered && class == callback.Tried {
			page, err = f.oldest(ctx, page)
		}
		if err != nil {
			return nil, err
		}
		for i := range page {
			at, ok := st.StartAt(&page[i])
			if ok && at.After(f.now) {
				f.sooner(at)
				break
			}
			if !ok || len(out) == limit {
				break
			}
			out = append(out, page[i])
		}
		if st.Policy.Ordered && len(page) > 0 {
			break // the head blocks all behind it
		}
	}
	return out, nil
}

// latest bounds how many tried calls of an ordered lane are looked at that are
// not due yet: its head, and what somebody reopened.
const latest = 64

// oldest returns the call that stands first in an ordered lane: that with the
// lowest id of those that were tried. A retry by filter makes calls due that
// stand behind a head which failed and waits; they must not overtake it. page
// begins with what is due first.
func (f *filler) oldest(ctx context.Context, page []callback.Entry) ([]callback.Entry, error) {
	if len(page) == 0 {
		return page, nil
	}
	first := page[0]
	look := func(from callback.DueKey, limit int) (n int, last callback.DueKey, err error) {
		page, err := f.opt.Store.Due(ctx, f.lane.num, callback.Tried, from, limit)
		for _, e := range page {
			if last = e.DueKey(); e.ID < first.ID {
				first = e
			}
		}
		return len(page), last, err
	}
	var err error
	if f.lane.head == (callback.DueKey{}) {
		// Nothing is known after a start: the time of the head may have come
		// meanwhile, and then it stands anywhere among the others.
		for n, from := callback.MaxPage, (callback.DueKey{}); n == callback.MaxPage && err == nil; from.ID++ {
			n, from, err = look(from, callback.MaxPage)
		}
	} else if _, _, err = look(callback.DueKey{Due: f.now}, latest); err == nil {
		_, _, err = look(f.lane.head, 1)
	}
	if err != nil {
		return nil, err
	}
	f.lane.head = first.DueKey()
	return []callback.Entry{first}, nil
}

// classes returns the order in which a lane takes its classes. In an ordered
// lane what failed stands before all that came later, also while a person has it
// tried, so that Due does not tell of it.
func (f *filler) classes(st *callback.Step) []callback.DueClass {
	switch {
	case st.Policy.Ordered && st.Live.Counts.Retrying > 0:
		return []callback.DueClass{callback.Tried}
	case st.Policy.Ordered:
		return []callback.DueClass{callback.Fresh}
	}
	return []callback.DueClass{callback.Fresh, callback.Tried}
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
		f.wg.Go(func() { f.attempt(&c) })
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

// timers is a heap of lanes by the time they are due at.
type timers []*lane

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i]; t[i].index, t[j].index = i, j }

func (t *timers) Push(x any) {
	l := x.(*lane)
	l.index = len(*t)
	*t = append(*t, l)
}

func (t *timers) Pop() any {
	old := *t
	l := old[len(old)-1]
	*t, l.index = old[:len(old)-1], -1
	return l
}
