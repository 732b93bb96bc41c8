package series

import (
	"context"
	"time"

	"ringback/callback"
)

// Subject is what a series is of.
type Subject struct {
	Num callback.Num // 0: all callbacks together
	ID  callback.CallbackID
}

// Cells returns how attempts went from one time to another, on full minutes, in
// n cells: the last hour as the rings have it, what lies before as the archive
// has it.
func (s *Series) Cells(ctx context.Context, now time.Time, of Subject, from, to time.Time, n int) ([]callback.SeriesCell, error) {
	first, end := minuteOf(from), minuteOf(to)
	sums := make([]sum, n)
	cell := func(min uint32) *sum { return &sums[int(min-first)*n/int(end-first)] }
	live := minuteOf(now) + 1 - minutes // the first minute of the rings
	s.mu.Lock()
	a := s.archive
	r := s.byNum[of.Num]
	if of.Num == 0 {
		r = &s.all
	}
	if r != nil {
		r.each(max(first, live), end, func(min uint32, m *minute) { cell(min).add(m) })
	}
	s.mu.Unlock()
	if a != nil && first < live {
		err := a.read(ctx, of.ID, first, min(end, live), func(min uint32, m *minute) { cell(min).add(m) })
		if err != nil {
			return nil, err
		}
	}
	cells := make([]callback.SeriesCell, n)
	for i := range sums {
		cells[i] = sums[i].cell()
	}
	return cells, nil
}
