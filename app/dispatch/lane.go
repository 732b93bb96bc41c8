package dispatch

import (
	"container/heap"
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
