package queue

import "ringback/callback"

// running is what is known of an attempt in memory only. The zero value is of none.
// It is asked for before what is on disk is read: so an attempt runs until its
// result is to be seen there, and not a moment less.
type running struct {
	num            callback.Num
	attempts       int // recorded when it began: of an entry that has more it is over
	manual, extend bool
}

// show adds to an entry that it runs.
func (r running) show(e *callback.Entry) {
	if r.num == e.Num && r.attempts == e.Attempts {
		e.Running, e.Manual, e.Extend = true, r.manual, r.extend
	}
}

func (r *run) running() running {
	return running{num: r.entry.Num, attempts: r.entry.Attempts, manual: r.entry.Manual, extend: r.entry.Extend}
}

// attempt returns the attempt of a call that runs, or whose result is on its way.
func (e *Engine) attempt(id callback.CallID) running {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, runs := range [...]map[callback.CallID]*run{e.runs, e.ending[0], e.ending[1]} {
		if r := runs[id]; r != nil {
			return r.running()
		}
	}
	return running{}
}

// moment is what a list of calls needs of memory. It is taken at once, and before
// the transaction begins: what it does not tell of is on disk by then.
type moment struct {
	running map[callback.CallID]running
	first   callback.Num // whose bound stands first in fresh
	fresh   []uint64     // of each callback the id before which no call waits that was never tried and is not late
}

// moment returns that of the callbacks that a question is about.
func (e *Engine) moment(num callback.Num) moment {
	e.mu.RLock()
	defer e.mu.RUnlock()
	of := e.of(num)
	m := moment{
		running: make(map[callback.CallID]running, len(e.runs)+len(e.ending[0])+len(e.ending[1])),
		first:   max(num, 1),
		fresh:   make([]uint64, len(of)),
	}
	for i, h := range of {
		if h != nil {
			m.fresh[i] = h.marks.heads[callback.Fresh].from()
		}
	}
	for _, runs := range [...]map[callback.CallID]*run{e.ending[1], e.ending[0], e.runs} {
		for id, r := range runs {
			m.running[id] = r.running()
			if i := int(r.entry.Num) - int(m.first); i >= 0 && i < len(of) {
				m.fresh[i] = min(m.fresh[i], uint64(id)) // it stands in the schedule, too
			}
		}
	}
	return m
}

// from returns the bound of a callback.
func (m *moment) from(num callback.Num) uint64 {
	if i := int(num) - int(m.first); i >= 0 && i < len(m.fresh) {
		return m.fresh[i]
	}
	return 0 // it was made since
}
