package alert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ringback/callback"
)

// run is the state of one Run. Only its loop touches it, which also means that
// an alert is no longer busy only after its outcome was stored and before the
// outbox is read again: none is sent from a stale reading.
type run struct {
	*Engine
	sending context.Context // what running sends live by; it outlasts Run's own context by grace
	done    chan outcome
	busy    map[callback.Num]string // key of the alert being sent, one a callback
	holds   map[callback.Num]hold
}

// hold keeps the later alerts of a callback behind one that was put off, so
// that "works again" does not arrive before "is down".
type hold struct {
	key     string
	created time.Time
	until   time.Time
}

// outcome is what came of one send.
type outcome struct {
	alert callback.Alert // as it was stored
	hold  time.Time      // until when later alerts wait for it; zero: they need not
	err   error          // of the store; Run ends with it
}

func (r *run) loop(ctx context.Context) error {
	if err := r.recall(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		next, err := r.sweep(ctx)
		if err != nil {
			return err
		}
		if err := r.wait(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// wait returns when there may be something to do: at next (zero: at no time of
// its own), when woken, or when a send is over.
func (r *run) wait(ctx context.Context, next time.Time) error {
	var timer <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(min(next.Sub(r.o.Now()), maxNap))
		defer t.Stop()
		timer = t.C
	}
	select {
	case <-ctx.Done():
	case <-r.wake:
	case <-timer:
	case o := <-r.done:
		r.finished(o)
		return o.err
	}
	return nil
}

// recall finds out which alerts an earlier process put off.
func (r *run) recall(ctx context.Context) error {
	alerts, err := r.o.Store.Alerts(ctx, callback.Newest[callback.Alert]{})
	if err != nil {
		return fmt.Errorf("read alerts: %w", err)
	}
	now := r.o.Now()
	for _, a := range alerts.Rows { // newest first: the oldest of a callback stays
		until := earlier(a.Next, a.Created.Add(patience))
		if a.Status == callback.AlertWaiting && a.Tries > 0 && until.After(now) {
			r.holds[a.Num] = hold{key: a.Key, created: a.Created, until: until}
		}
	}
	return nil
}

// sweep starts what is due and may start, closes what is too old, and returns
// when to look again if nothing happens before.
func (r *run) sweep(ctx context.Context) (time.Time, error) {
	now := r.o.Now()
	for limit := batch; ; {
		due, next, err := r.o.Store.DueAlerts(ctx, now, limit)
		if err != nil {
			return time.Time{}, fmt.Errorf("read due alerts: %w", err)
		}
		slices.SortStableFunc(due, func(a, b callback.Alert) int { return a.Created.Compare(b.Created) })
		expired, look, err := r.take(ctx, now, due)
		if err != nil {
			return time.Time{}, err
		}
		if expired {
			continue // there may be more like them behind
		}
		// One callback's alerts must not hide another's: look further.
		if len(due) == limit && r.o.Mailer != nil && len(r.busy) < workers && limit < maxBatch {
			limit *= 2
			continue
		}
		if next.After(now) {
			look = earlier(look, next)
		}
		return look, nil
	}
}

// take goes through due alerts, oldest first. look is when the first of those
// left over is to be looked at again.
func (r *run) take(ctx context.Context, now time.Time, due []callback.Alert) (expired bool, look time.Time, err error) {
	for _, a := range due {
		switch {
		case r.busy[a.Num] == a.Key:
		case r.tooOld(now, &a):
			if err := r.expire(ctx, now, a); err != nil {
				return false, time.Time{}, err
			}
			r.release(a)
			expired = true
		case r.mayStart(now, &a):
			r.busy[a.Num] = a.Key
			go func() { r.done <- r.send(r.sending, a) }()
		default:
			if end := a.Created.Add(callback.AlertLife); end.After(now) {
				look = earlier(look, end)
			}
			if h, ok := r.holds[a.Num]; ok && h.until.After(now) {
				look = earlier(look, h.until)
			}
		}
	}
	return expired, look, nil
}

// tooOld reports whether the time of a is over. A try that is due later than
// that was asked for by a person; it is made, and is then the last.
func (r *run) tooOld(now time.Time, a *callback.Alert) bool {
	end := a.Created.Add(callback.AlertLife)
	byHand := a.Next.After(end) && r.o.Mailer != nil
	return !now.Before(end) && !byHand
}

func (r *run) mayStart(now time.Time, a *callback.Alert) bool {
	if r.o.Mailer == nil || len(r.busy) == workers {
		return false
	}
	if _, busy := r.busy[a.Num]; busy {
		return false
	}
	h, held := r.holds[a.Num]
	return !held || h.key == a.Key || a.Created.Before(h.created) || !now.Before(h.until)
}

// finished takes note of a send that is over.
func (r *run) finished(o outcome) {
	delete(r.busy, o.alert.Num)
	r.release(o.alert)
	if !o.hold.IsZero() {
		r.holds[o.alert.Num] = hold{key: o.alert.Key, created: o.alert.Created, until: o.hold}
	}
}

func (r *run) release(a callback.Alert) {
	if r.holds[a.Num].key == a.Key {
		delete(r.holds, a.Num)
	}
}

// earlier returns the earlier of two times, of which a zero one does not count.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
