package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ringback/callback"
)

// chores is what is done of the chores, and what came of each last.
type chores struct {
	asked chan callback.Chore // one of each kind at most

	mu      sync.Mutex
	runs    []callback.ChoreRun // the last of each kind
	cleanup callback.Cleanup
}

// begin takes note that a chore begins; false: it runs already.
func (c *chores) begin(what callback.Chore, by string, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.runs, func(r callback.ChoreRun) bool { return r.Chore == what })
	if i >= 0 && c.runs[i].Runs() {
		return false
	}
	if i >= 0 {
		c.runs = slices.Delete(c.runs, i, i+1)
	}
	c.runs = append(c.runs, callback.ChoreRun{Chore: what, By: by, Started: now})
	return true
}

// end takes note of what came of a chore, and returns that.
func (c *chores) end(what callback.Chore, now time.Time, said string, bytes int64, err error) (done callback.ChoreRun) {
	if err != nil {
		said = err.Error()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.runs {
		if r := &c.runs[i]; r.Chore == what {
			r.Ended, r.OK, r.Said, r.Bytes = now, err == nil, callback.Sanitize(said, callback.MaxChoreReply), bytes
			done = *r
		}
	}
	return done
}

func (c *chores) last() []callback.ChoreRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.runs)
}

// removed takes note that a run of retention that began at a time removed n more
// calls.
func (c *chores) removed(began time.Time, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n == 0 {
		return
	}
	if !c.cleanup.At.Equal(began) {
		c.cleanup = callback.Cleanup{At: began}
	}
	c.cleanup.Removed += uint64(n)
	c.cleanup.Took = time.Since(began)
}

// Do implements callback.Caretaker.
func (a *App) Do(_ context.Context, c callback.Chore, by string) error {
	if err := a.canDo(c); err != nil {
		return err
	}
	if !a.chores.begin(c, callback.Sanitize(by, 60), a.clock.Now()) {
		return callback.Errorf(callback.CodeConflict, "that runs already")
	}
	a.chores.asked <- c // there is room: none of its kind is in it
	return nil
}

// canDo says why a chore cannot be done here.
func (a *App) canDo(c callback.Chore) error {
	a.running.Lock()
	ready := a.ready
	a.running.Unlock()
	_, collects := a.opt.Store.(files)
	switch {
	case !slices.Contains(callback.Chores, c):
		return callback.NoChore(c)
	case c == callback.ChoreMail && a.opt.Mailer == nil:
		return callback.Errorf(callback.CodeConflict, "no mail server is configured")
	case c == callback.ChoreMail && a.opt.Alerts.Admin == "":
		return callback.Errorf(callback.CodeConflict, "no administrator is configured to send it to (admin_email)")
	case c == callback.ChoreBackup && a.opt.Backup == nil, c == callback.ChoreGarbage && !collects:
		return callback.Errorf(callback.CodeConflict, "that cannot be done here")
	case !ready:
		return callback.Errorf(callback.CodeUnavailable, "nothing runs that could do it")
	}
	return nil
}

// doChores does chores that are asked for until ctx is done.
func (a *App) doChores(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-a.chores.asked:
			wg.Go(func() { a.do(ctx, c) })
		}
	}
}

// do does one chore that has begun.
func (a *App) do(ctx context.Context, c callback.Chore) {
	said, bytes, err := "", int64(0), error(nil)
	switch c {
	case callback.ChoreGarbage:
		said, bytes, err = a.collect(ctx, true)
	case callback.ChoreBackup:
		said, bytes, err = a.opt.Backup(ctx)
	case callback.ChoreMail:
		said, err = a.alert.Test(ctx)
	}
	r := a.chores.end(c, a.clock.Now(), said, bytes, err)
	log := a.opt.Log.With("part", "upkeep", "chore", string(c), "by", r.By, "took", r.Ended.Sub(r.Started).String())
	if err != nil {
		log.Warn("it was not done", "err", r.Said)
	} else {
		log.Info("done", "said", r.Said)
	}
	a.hub.Publish()
}

// collect gives the space back of what was removed; thorough: of all.
func (a *App) collect(ctx context.Context, thorough bool) (said string, freed int64, err error) {
	f, ok := a.opt.Store.(files)
	if !ok {
		return "", 0, errors.New("the store has nothing to collect")
	}
	used := func() int64 { return 0 }
	if s, ok := a.opt.Store.(interface{ Storage() callback.Storage }); ok {
		used = func() int64 { return int64(s.Storage().Used) }
	}
	before := used()
	err = f.CollectGarbage(ctx, a.clock.Now(), thorough)
	if freed = before - used(); freed <= 0 { // more was written meanwhile
		return "nothing to give back", 0, err
	}
	return fmt.Sprintf("%d MiB given back", freed>>20), freed, err
}

// collectNow does the same where it is time for it, unless it goes on already.
func (a *App) collectNow(ctx context.Context, thorough bool) error {
	if _, ok := a.opt.Store.(files); !ok || !a.chores.begin(callback.ChoreGarbage, "", a.clock.Now()) {
		return nil
	}
	said, freed, err := a.collect(ctx, thorough)
	a.chores.end(callback.ChoreGarbage, a.clock.Now(), said, freed, err)
	return err
}
