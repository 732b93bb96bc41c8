package app

import (
	"time"

	"ringback/callback"
)

// idleWait is how long operations rest when none is active: they are woken.
const idleWait = time.Hour

// heldWait is how often it is looked whether an endpoint is back for which an
// operation waits.
const heldWait = time.Second

// paces keeps operations to their rates: the instant at which each may go on.
type paces map[string]time.Time

// wait returns how long o must not go on. One with a rate, whose callback waits
// for its endpoint (held), waits once its first call is let go: that call is the
// probe, and the others are to follow a success, at the rate.
func (p paces) wait(o *callback.Operation, now time.Time, held func() bool) time.Duration {
	switch {
	case o.Rate == 0 || o.State != callback.OperationRunning:
		return 0
	case o.Matched > 0 && held():
		return heldWait
	}
	return max(p[o.ID].Sub(now), 0)
}

// took notes that n calls of o were let go at now.
func (p paces) took(o *callback.Operation, now time.Time, n uint64) {
	switch {
	case !o.Active():
		delete(p, o.ID)
	case o.Rate > 0:
		p[o.ID] = now.Add(time.Duration(n) * time.Second / time.Duration(o.Rate))
	}
}

// pageAt returns how many calls an operation of that rate changes in one commit:
// those of a tenth of a second, so that they go out evenly.
func pageAt(rate int) int {
	if rate == 0 {
		return operationPage
	}
	return min(max(rate/10, 1), operationPage)
}

// held reports whether the callback of o waits for its endpoint: until a probe
// succeeded, where a call waits that can be it. Without one the next call of o
// has to be it, an interval after the last; with retries off it is used up so.
func (a *App) held(o *callback.Operation, now time.Time) bool {
	h, err := a.opt.Store.Callback(o.Num)
	if err != nil || h.Live.Gate.State != callback.Open {
		return false
	}
	if h.Live.Running > 0 {
		return true
	}
	st := callback.Step{Policy: a.opt.Policy.For(&h.Callback), ID: h.ID, Now: now, Live: &h.Live}
	if at, ok := a.startsAt(&st, &h); ok && at.Before(now.Add(2*st.Policy.Interval)) {
		return true
	}
	return now.Before(h.Live.Gate.Last.Add(st.Policy.Interval))
}
