package app

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"ringback/callback"
)

// Counting the calls that wait reads their entries from disk, so it is done when
// somebody asks, in short steps with pauses in which others get the processor,
// and the longer it took the longer it is not done again: somebody who looks all
// the time costs a few hundredths of a core, however much waits.
const (
	censusPage  = 500
	censusPause = 3                      // times as long as a step took
	censusTime  = time.Second            // for all steps; what is not seen by then is not counted
	censusRest  = 20                     // times as long as the whole took
	censusLeast = 500 * time.Millisecond // and at least so long
)

// census counts the calls that wait. Its zero value is ready.
type census struct {
	mu   sync.Mutex
	last headcount
	took time.Duration
}

// headcount is what was counted. Its rows are never changed.
type headcount struct {
	at      time.Time
	due     [callback.DueBuckets]uint64
	rows    map[callback.Num]counted
	partial bool
}

// counted is what a census knows of one callback.
type counted struct {
	ages    [callback.AgeBuckets]uint64
	givesUp time.Time
	partial bool
}

// take returns how the calls stand that wait, as counted just now or not long ago.
func (c *census) take(ctx context.Context, a *App, all []callback.Health, now time.Time) (headcount, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last.rows == nil || now.Sub(c.last.at) >= max(censusLeast, censusRest*c.took) {
		began := time.Now()
		n := counter{headcount: headcount{at: now, rows: map[callback.Num]counted{}}, app: a, left: callback.MaxQueueScan}
		if err := n.all(ctx, all); err != nil {
			return headcount{}, err
		}
		c.last, c.took = n.headcount, time.Since(began)
	}
	return c.last, nil
}

// counter is a census at work.
type counter struct {
	headcount
	app   *App
	until time.Time
	left  int // calls that may still be looked at
}

// all counts the calls of all callbacks, those first of which few wait: so most
// are complete.
func (n *counter) all(ctx context.Context, all []callback.Health) error {
	n.until = time.Now().Add(censusTime)
	all = slices.Clone(all)
	slices.SortFunc(all, func(x, y callback.Health) int {
		return cmp.Compare(x.Live.Counts.Waiting(), y.Live.Counts.Waiting())
	})
	for i := range all {
		if err := n.one(ctx, &all[i]); err != nil {
			return err
		}
	}
	return nil
}

func (n *counter) one(ctx context.Context, h *callback.Health) error {
	if h.Live.Deleted || h.Live.Counts.Waiting() == 0 {
		return nil
	}
	var row counted
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		for from, more := (callback.DueKey{}), true; more; from.ID++ {
			if n.left <= 0 || time.Now().After(n.until) {
				row.partial, n.partial = true, true
				break
			}
			began := time.Now()
			page, err := n.app.opt.Store.Due(ctx, h.Num, class, from, min(censusPage, n.left))
			switch {
			case callback.ErrorCode(err) == callback.CodeNotFound:
				return nil // removed meanwhile
			case err != nil:
				return err
			}
			n.left -= len(page)
			for i := range page {
				n.count(&row, h, &page[i])
				from = page[i].DueKey()
			}
			if more = len(page) == censusPage; more {
				if err := pause(ctx, censusPause*time.Since(began)); err != nil {
					return err
				}
			}
		}
	}
	n.rows[h.Num] = row
	return nil
}

// count counts one call that waits and does not run.
func (n *counter) count(row *counted, h *callback.Health, e *callback.Entry) {
	since := e.FirstFailed
	if since.IsZero() {
		since = e.Enqueued
	}
	row.ages[callback.AgeBucket(n.at.Sub(since))]++
	if !h.Live.Holds() {
		n.due[callback.DueBucket(n.at, e.Due)]++
	}
	if !h.Live.Suspended { // else windows stand still
		row.givesUp = earlier(row.givesUp, e.GivesUp(n.app.opt.Policy.For(&h.Callback), &h.Live, n.at))
	}
}

// pause waits for a time.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// QueueShape implements callback.Inspector.
func (a *App) QueueShape(ctx context.Context) (callback.QueueShape, error) {
	all, now := a.opt.Store.Callbacks(), a.clock.Now()
	c, err := a.census.take(ctx, a, all, now)
	if err != nil {
		return callback.QueueShape{}, err
	}
	s := callback.QueueShape{
		Now: now, Counted: c.at, Due: c.due, Partial: c.partial, Running: a.dispatch.Running(), MaxInFlight: a.opt.MaxInFlight,
	}
	for i := range all {
		h := &all[i]
		waiting := h.Live.Counts.Waiting()
		if h.Live.Deleted || waiting == 0 {
			continue
		}
		n := c.rows[h.Num]
		row := callback.QueueRow{
			CallbackID: h.ID, Callback: h.Name, State: h.Live.State, Held: h.Live.Holds(), Waiting: waiting,
			Ages: n.ages, Partial: n.partial, GivesUp: n.givesUp,
		}
		s.Waiting += waiting
		if row.Held {
			s.Held += waiting - min(uint64(h.Live.Running+h.Live.Manual), waiting)
		}
		s.Callbacks = append(s.Callbacks, row)
	}
	slices.SortStableFunc(s.Callbacks, func(x, y callback.QueueRow) int {
		return cmp.Or(cmp.Compare(y.Waiting, x.Waiting), cmp.Compare(x.Callback, y.Callback))
	})
	if s.More = len(s.Callbacks) - callback.MaxQueueRows; s.More > 0 {
		s.Callbacks = s.Callbacks[:callback.MaxQueueRows]
	} else {
		s.More = 0
	}
	s.InFlight = a.inFlight()
	slices.SortStableFunc(s.InFlight, func(x, y callback.InFlight) int { return x.Since.Compare(y.Since) })
	s.InFlight = s.InFlight[:min(len(s.InFlight), callback.MaxInFlight)]
	s.FullSeconds, s.Flow = a.pulse.read(a, now, s.Waiting)
	return s, nil
}

// inFlight returns the attempts that run, as far as the poster tells of them.
func (a *App) inFlight() []callback.InFlight {
	if p, ok := a.opt.Poster.(interface{ InFlight() []callback.InFlight }); ok {
		return p.InFlight()
	}
	return nil
}
