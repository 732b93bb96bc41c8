package api

import (
	"context"
	"time"

	"ringback/callback"
)

// each calls do with every attempt of one callback, or for "" of all.
func (f *fake) each(ref string, do func(c *fakeCall, a *callback.Attempt)) error {
	var of callback.Num
	if ref != "" {
		cb, err := f.find(ref)
		if err != nil {
			return err
		}
		of = cb.cb.Num
	}
	for _, c := range f.calls {
		for i := range c.attempts {
			if of == 0 || c.entry.Num == of {
				do(c, &c.attempts[i])
			}
		}
	}
	return nil
}

func (f *fake) Series(_ context.Context, q callback.SeriesQuery) (s callback.Series, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.each(q.Ref, func(*fakeCall, *callback.Attempt) {}); err != nil {
		return s, err
	}
	if err := q.Validate(); err != nil {
		return s, err
	}
	s.From, s.To = q.Bounds(time.Now())
	s.Cells = make([]callback.SeriesCell, q.Cells)
	return s, f.each(q.Ref, func(c *fakeCall, a *callback.Attempt) {
		at := a.Started.Add(a.Duration)
		if at.Before(s.From) || !at.Before(s.To) {
			return
		}
		cell := &s.Cells[int(at.Sub(s.From))/(int(q.Window)/q.Cells)]
		if a.OK {
			cell.OK++
		} else {
			cell.Failed++
		}
		if a.Number == 1 {
			cell.Accepted++
		}
		if a.Code != 0 {
			cell.P50, cell.P95 = max(cell.P50, a.Duration), max(cell.P95, a.Duration)
		}
	})
}

func (f *fake) Causes(_ context.Context, ref string, window time.Duration) (out callback.Failures, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.each(ref, func(*fakeCall, *callback.Attempt) {}); err != nil {
		return out, err
	}
	if err := callback.ValidateWindow(window); err != nil {
		return out, err
	}
	out.To = time.Now().UTC()
	out.From = out.To.Add(-window).Truncate(time.Hour)
	err = f.each(ref, func(_ *fakeCall, a *callback.Attempt) {
		if at := a.Started.Add(a.Duration).UTC(); !a.OK && !at.Before(out.From) {
			out.Causes = callback.CountFailure(out.Causes, a, at)
		}
	})
	out.Causes = callback.SumFailures(out.Causes)
	return out, err
}
