package app

import (
	"context"
	"fmt"
	"time"

	"ringback/callback"
)

// retainEvery is how often retention looks for calls to remove.
const retainEvery = 10 * time.Minute

// files is a store that has files to look after.
type files interface {
	// CollectGarbage gives back the space of what was removed; thorough: of all.
	CollectGarbage(ctx context.Context, now time.Time, thorough bool) error
	// PurgeStray removes what belongs to no call any more.
	PurgeStray(ctx context.Context, now, horizon time.Time) (int, error)
	// Verify reads all tables, and tells of one that is damaged.
	Verify() error
}

// duty is something that is done again and again.
type duty struct {
	name string
	do   func(context.Context) error
	next func(now time.Time) time.Time
	at   time.Time
}

// upkeep tidies up, one duty after another, so that no two of them take from the
// deliveries at once.
func (a *App) upkeep(ctx context.Context) error {
	duties := []*duty{{name: "retention", do: a.retain, next: func(now time.Time) time.Time { return now.Add(a.opt.RetainEvery) }}}
	if f, ok := a.opt.Store.(files); ok {
		duties = append(duties,
			&duty{name: "compaction", do: func(ctx context.Context) error { return a.collectNow(ctx, true) }, next: night},
			&duty{name: "stray responses", do: func(ctx context.Context) error { return a.purgeStray(ctx, f) }, next: night},
			&duty{name: "verification", do: func(context.Context) error { return f.Verify() }, next: night})
	}
	for _, d := range duties {
		d.at = d.next(time.Now())
	}
	for {
		first := duties[0]
		for _, d := range duties[1:] {
			if d.at.Before(first.at) {
				first = d
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Until(first.at)):
		}
		err := first.do(ctx)
		if s, ok := a.opt.Store.(interface{ Err() error }); ok && s.Err() != nil {
			return s.Err()
		}
		if err != nil && ctx.Err() == nil { // a record that cannot be read must not end the deliveries
			a.opt.Log.Error(first.name, "err", err)
		}
		first.at = first.next(time.Now())
	}
}

// night returns the next time at which it is three in the morning: what takes
// long and can wait is done when little else is.
func night(now time.Time) time.Time {
	at := time.Date(now.Year(), now.Month(), now.Day(), 3, 0, 0, 0, now.Location())
	if !at.After(now) {
		at = time.Date(now.Year(), now.Month(), now.Day()+1, 3, 0, 0, 0, now.Location())
	}
	return at
}

// purgeSlice is how many calls retention removes before it gives their space back.
const purgeSlice = 50_000

// retain removes what is finished and whose time is over.
func (a *App) retain(ctx context.Context) error {
	now := a.clock.Now()
	a.series.Forget(now)
	if a.clock.Doubtful() {
		return nil // a clock that jumped must not cost anybody their history
	}
	delivered, failed := horizon(now, a.opt.Delivered), horizon(now, a.opt.Failed)
	for _, p := range []struct {
		what  string
		purge func() (int, error)
	}{
		{"finished calls", func() (int, error) {
			n, err := a.opt.Store.Purge(ctx, now, delivered, failed, purgeSlice)
			a.chores.removed(now, n)
			if err == nil {
				err = a.collectNow(ctx, false)
			}
			return n, err
		}},
		{"outages, alerts and deleted callbacks", func() (int, error) { return a.opt.Store.PurgeOutages(ctx, now, failed, purgeSlice) }},
		{"operations", func() (int, error) { return a.opt.Store.PurgeOperations(ctx, now, callback.MaxOperationPage) }},
	} {
		all := 0
		for more := true; more && ctx.Err() == nil; {
			n, err := p.purge()
			if all += n; err != nil {
				return fmt.Errorf("remove %s: %w", p.what, err)
			}
			more = n > 0
		}
		if all > 0 {
			a.opt.Log.Info("retention removed "+p.what, "part", "store", "n", all)
		}
	}
	return nil
}

// horizon returns before when something must have ended that is kept for so long
// and no longer: never, where it is kept for ever.
func horizon(now time.Time, keep time.Duration) time.Time {
	if keep <= 0 {
		return time.Time{}
	}
	return now.Add(-keep)
}

func (a *App) purgeStray(ctx context.Context, f files) error {
	if a.clock.Doubtful() {
		return nil
	}
	now := a.clock.Now()
	before := horizon(now, max(a.opt.Delivered, a.opt.Failed))
	if a.opt.Delivered <= 0 || a.opt.Failed <= 0 {
		before = time.Time{} // of responses none; but what retention passed over is looked at again
	}
	n, err := f.PurgeStray(ctx, now, before)
	if n > 0 {
		a.opt.Log.Info("responses without a call were removed", "part", "store", "n", n)
	}
	return err
}
