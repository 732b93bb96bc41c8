package callback

import "time"

// Requeued tells what became of the calls that people last let be sent again by
// filter (Step.Requeue). Each retry of many begins it anew with the first call that
// it lets go, unless calls of the one before wait still: then it goes on with both.
type Requeued struct {
	Began time.Time // when the first of them was let go
	Last  time.Time // when one of them was let go, or was decided, last
	Calls uint64    // how many were let go

	// Of these: those that were delivered, that failed again or were given up
	// untried, and that a person resolved before their turn came.
	Delivered, Failed, Resolved uint64

	// Once counts those of them that wait and had been given up: they get one
	// attempt, and go back to that where it fails. A retry with extend has none.
	Once uint64
}

// Waiting returns how many of them were not tried yet, or are being tried.
func (r *Requeued) Waiting() uint64 { return r.Calls - r.Delivered - r.Failed - r.Resolved }

// requeued counts e among them.
func (s *Step) requeued(e *Entry) {
	r := &s.Live.Requeued
	if e.Requeued {
		return
	}
	if r.Calls == 0 {
		r.Began = s.Now
	}
	e.Requeued = true
	r.Calls, r.Last = r.Calls+1, s.Now
	if e.once() {
		r.Once++
	}
}

// once reports whether e, which waits, had been given up and gets one attempt.
func (e *Entry) once() bool { return e.Was != NoReason && !e.Renew }

// settle takes from e what it was owed: it was tried, or is over.
func (s *Step) settle(e *Entry) {
	// An older ringback let calls go that it did not count so.
	if r := &s.Live.Requeued; e.once() && r.Once > 0 {
		r.Once--
	}
	e.Was, e.Renew = NoReason, false
}

// decided counts what became of e, where it is among them; n is one of their
// counters.
func (s *Step) decided(e *Entry, n *uint64) {
	if e.Requeued {
		e.Requeued = false
		*n++
		s.Live.Requeued.Last = s.Now
	}
}
