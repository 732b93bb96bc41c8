package queue

import (
	"time"

	"ringback/callback"
)

// marks are what the engine notes of a callback in memory, and writes with its
// live state: sums by which damage is noticed, and bounds by which a list knows
// which callbacks it need not look at.
type marks struct {
	xor   uint64          // of the ids of waiting calls, by which a lost index entry is noticed
	skew  callback.CallID // the greatest id that is ahead of when its call was accepted or finished: the clock had stepped back
	spans [numSpans]span
	heads [2]head // by callback.DueClass
}

// What there are spans of.
const (
	spanFresh    = iota // ids of calls never tried
	spanFailed          // ids of rows
	spanSuccess         // the same
	spanCode            // ids in the index of codes
	spanAttempts        // times of attempts, in Unix milliseconds
	numSpans
)

// span bounds what was ever put into an index: nothing lies outside. Its zero
// value is that of an empty one.
type span struct{ low, top uint64 }

func (s *span) add(n uint64) {
	if s.top == 0 || n < s.low {
		s.low = n
	}
	s.top = max(s.top, n)
}

// join widens s by all of o.
func (s *span) join(o span) {
	if o.top != 0 {
		s.add(o.low)
		s.add(o.top)
	}
}

// note widens the spans by where a call stands now.
func (m *marks) note(e *callback.Entry) {
	id := uint64(e.ID)
	switch e.Listed() {
	case callback.ListSuccess:
		m.spans[spanSuccess].add(id)
	case callback.ListFailed:
		m.spans[spanFailed].add(id)
	default:
		m.spans[spanFresh].add(id)
	}
	if coded(e) {
		m.spans[spanCode].add(id)
	}
	if at := ms(e.ID.Time()); ms(e.Enqueued) != at || !e.Finished.IsZero() && ms(e.Finished) < at {
		m.skew = max(m.skew, e.ID)
	}
}

// until returns an id behind which nothing of the callback was accepted, tried or
// finished before t. A walk from it finds what the time in an id would hide, where
// the clock had stepped back.
func (m *marks) until(t time.Time) callback.CallID { return max(callback.FirstCallID(t), m.skew) }
