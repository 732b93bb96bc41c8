package tui

import (
	"fmt"
	"strconv"
	"time"

	"ringback/callback"
)

// endOf returns when an outage ended, or began to.
func endOf(o *callback.OutageView) time.Time {
	for _, t := range []time.Time{o.Ended, o.Healthy, o.Closed} {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

// lasted returns how long an outage lasted, or lasts.
func (d *desk) lasted(o *callback.OutageView) string {
	end := endOf(o)
	if o.Phase == callback.OutageOpen || end.IsZero() {
		end = d.now()
	}
	return Duration(end.Sub(o.OutageState.Started))
}

// cause returns how an outage began, in at most 14 cells.
func cause(o *callback.OutageView) string {
	a := callback.Attempt{Code: o.FirstCode, Class: o.First}
	return a.Short()
}

// mailsMood returns where the e-mails of an outage stand, the worst of them;
// false where there is none.
func mailsMood(o *callback.OutageView, g *Glyphs) (mood, bool) {
	var worst *callback.Alert
	sent := 0
	bad := func(a *callback.Alert) int {
		return [...]int{callback.AlertWaiting: 1, callback.AlertSent: 0, callback.AlertRefused: 3, callback.AlertExpired: 2}[a.Status]
	}
	for i := range o.Alerts {
		a := &o.Alerts[i]
		if a.Status == callback.AlertSent {
			sent++
		}
		if worst == nil || bad(a) > bad(worst) {
			worst = a
		}
	}
	if worst == nil {
		return mood{}, false
	}
	m := mailMood(worst, g)
	if worst.Status == callback.AlertSent && sent > 1 {
		m.word += " x" + strconv.Itoa(sent)
	}
	return m, true
}

// outageLine tells of an outage in one line.
func (d *desk) outageLine(o *callback.OutageView, g *Glyphs) string {
	now := d.now()
	end := "now"
	if o.Phase != callback.OutageOpen {
		end = d.clock.When(endOf(o), now)
	}
	s := fmt.Sprintf("#%d  %s - %s  %s  %s, %s", o.N, d.clock.When(o.OutageState.Started, now), end, d.lasted(o), plural(o.Calls, "call"), cause(o))
	if o.Phase == callback.Recovering {
		s += ", recovering"
	}
	if len(o.Alerts) == 0 {
		return s + "  no e-mail"
	}
	for i := range o.Alerts {
		a := &o.Alerts[len(o.Alerts)-1-i] // the newest comes first
		s += fmt.Sprintf("  %s %s %s", a.Kind, mailMood(a, g), d.mailRest(a))
	}
	return s
}
