package app

import (
	"context"
	"time"

	"ringback/app/series"
	"ringback/callback"
)

// Series implements callback.Reader.
func (a *App) Series(ctx context.Context, q callback.SeriesQuery) (callback.Series, error) {
	var of series.Subject
	waiting := uint64(0)
	if q.Ref == "" {
		for h := range a.opt.Store.All() {
			waiting += h.Live.Counts.Waiting()
		}
	} else {
		h, err := a.opt.Store.Find(q.Ref)
		if err != nil {
			return callback.Series{}, err
		}
		of.Num, of.ID, waiting = h.Num, h.ID, h.Live.Counts.Waiting()
	}
	if err := q.Validate(); err != nil {
		return callback.Series{}, err
	}
	now := a.clock.Now()
	var s callback.Series
	s.From, s.To = q.Bounds(now)
	var err error
	if s.Cells, err = a.series.Cells(ctx, now, of, s.From, s.To, q.Cells); err != nil {
		return s, err
	}
	if last := &s.Cells[q.Cells-1]; !s.From.After(now) && s.To.After(now) {
		last.Waiting = max(last.Waiting, waiting) // the present minute is not over
	}
	return s, nil
}

// Causes implements callback.Reader.
func (a *App) Causes(ctx context.Context, ref string, window time.Duration) (callback.Failures, error) {
	var of []callback.Health
	if ref == "" {
		of = a.opt.Store.Callbacks()
	} else {
		h, err := a.opt.Store.Find(ref)
		if err != nil {
			return callback.Failures{}, err
		}
		of = append(of, h)
	}
	if err := callback.ValidateWindow(window); err != nil {
		return callback.Failures{}, err
	}
	now := a.clock.Now()
	f := callback.Failures{From: now.Add(-window).Truncate(time.Hour).UTC(), To: now.UTC()}
	for _, h := range of {
		causes, err := a.opt.Store.Causes(ctx, h.Num, f.From, f.To)
		if err != nil && callback.ErrorCode(err) != callback.CodeNotFound { // removed meanwhile
			return callback.Failures{}, err
		}
		f.Causes = callback.SumFailures(f.Causes, causes)
	}
	return f, nil
}

// keep journals and archives what is counted, until ctx is done and nothing
// counts any more. Without it everything else goes on.
func (a *App) keep(ctx context.Context) {
	a.series.Run(ctx, series.Options{Store: a.opt.Store, Dir: a.opt.SeriesDir, Now: a.clock.Now, Doubtful: a.clock.Doubtful, Log: a.opt.Log, Loaded: a.hub.Publish})
}
