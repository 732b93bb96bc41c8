package bench

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// crowd has workers call one over and over until the time is over or one of
// them fails, and returns how often that was done.
func crowd(ctx context.Context, workers int, d time.Duration, one func(ctx context.Context, worker int) error) (int, error) {
	end := time.Now().Add(d)
	var done atomic.Int64
	err := each(ctx, workers, func(ctx context.Context, w int) error {
		for ctx.Err() == nil && time.Now().Before(end) {
			if err := one(ctx, w); err != nil {
				return err
			}
			done.Add(1)
		}
		return ctx.Err()
	})
	return int(done.Load()), err
}

// each has workers call one at the same time, and returns the first error.
func each(ctx context.Context, workers int, one func(ctx context.Context, worker int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	for w := range workers {
		g.Go(func() error { return one(ctx, w) })
	}
	return g.Wait()
}

// paced calls one so often a second, without waiting for it, and returns how
// long each took. What is late because this process did not get its turn is
// called at once, and its time begins then.
func paced(ctx context.Context, rate int, d time.Duration, one func(i int) error) ([]time.Duration, error) {
	g, working := errgroup.WithContext(ctx)
	took := make([]time.Duration, paces(rate, d))
	gap := time.Second / time.Duration(rate)
	start := time.Now()
	for i := range took {
		if wait := time.Until(start.Add(time.Duration(i) * gap)); wait > 0 {
			time.Sleep(wait)
		}
		if working.Err() != nil {
			break
		}
		began := time.Now()
		g.Go(func() error {
			err := one(i)
			took[i] = time.Since(began)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return took, ctx.Err()
}

// paces is how often paced calls.
func paces(rate int, d time.Duration) int { return max(int(float64(rate)*d.Seconds()), 1) }

// turns measures the ceiling and the subject in turns: once each to warm up, and
// then Pairs times.
func turns(top, mine func(warm bool) error) error {
	for i := range Pairs + 1 {
		if err := top(i == 0); err != nil {
			return err
		}
		if err := mine(i == 0); err != nil {
			return err
		}
	}
	return nil
}
