package series

import (
	"time"

	"ringback/callback"
)

// Subject is what a series is of.
type Subject struct {
	Num callback.Num // 0: all callbacks together
	ID  callback.CallbackID
}

// Cells returns how attempts went from one time to another, on full minutes, in
// n cells: the last hour, for the rings have no more.
func (s *Series) Cells(now time.Time, of Subject, from, to time.Time, n int) []callback.SeriesCell {
	first, end := minuteOf(from), minuteOf(to)
	sums := make([]sum, n)
	cell := func(min uint32) *sum { return &sums[int(min-first)*n/int(end-first)] }
	live := minuteOf(now) + 1 - minutes // the first minute of the rings
	s.mu.Lock()
	r := s.byNum[of.Num]
	if of.Num == 0 {
		r = &s.all
	}
	if r != nil {
		r.each(max(first, live), end, func(min uint32, m *minute) { cell(min).add(m) })
	}
	s.mu.Unlock()
	cells := make([]callback.SeriesCell, n)
	for i := range sums {
		cells[i] = sums[i].cell()
	}
	return cells
}
