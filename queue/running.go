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

// attempts is attempt for all calls.
func (e *Engine) attempts() map[callback.CallID]running {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := make(map[callback.CallID]running, len(e.runs)+len(e.ending[0])+len(e.ending[1]))
	for _, runs := range [...]map[callback.CallID]*run{e.ending[1], e.ending[0], e.runs} {
		for id, r := range runs {
			all[id] = r.running()
		}
	}
	return all
}
