package app

import (
	"context"
	"time"

	"ringback/callback"
)

// retainEvery is how often retention looks for calls to remove.
const retainEvery = 10 * time.Minute

// retain removes finished calls whose time is over, a bounded number at a time.
func (a *App) retain(ctx context.Context) error {
	tick := time.NewTicker(a.opt.RetainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		a.series.Forget(a.clock.Now())
		err := a.purge(ctx)
		if s, ok := a.opt.Store.(interface{ Err() error }); ok && s.Err() != nil {
			return s.Err()
		}
		if err != nil && ctx.Err() == nil { // a record that cannot be read must not end the deliveries
			a.opt.Log.Error("retention", "err", err)
		}
	}
}

func (a *App) purge(ctx context.Context) error {
	if a.clock.Doubtful() {
		return nil // a clock that jumped must not cost anybody their history
	}
	now := a.clock.Now()
	before := func(keep time.Duration) time.Time {
		if keep <= 0 {
			return time.Time{}
		}
		return now.Add(-keep)
	}
	for ctx.Err() == nil {
		n, err := a.opt.Store.Purge(ctx, now, before(a.opt.Delivered), before(a.opt.Failed), 5000)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		a.opt.Log.Info("retention removed finished calls", "n", n)
	}
	for ctx.Err() == nil {
		n, err := a.opt.Store.PurgeOutages(ctx, now, before(a.opt.Failed), 5000)
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
		a.opt.Log.Info("retention removed outages, alerts and deleted callbacks", "n", n)
	}
	for ctx.Err() == nil {
		if n, err := a.opt.Store.PurgeOperations(ctx, now, callback.MaxOperationPage); err != nil || n == 0 {
			if err != nil {
				return err
			}
			break
		}
	}
	if s, ok := a.opt.Store.(interface{ CollectGarbage() error }); ok && ctx.Err() == nil {
		return s.CollectGarbage()
	}
	return nil
}
