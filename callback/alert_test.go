package callback

import (
	"testing"
	"time"
)

// exhaust gives one call up: its window ends while its endpoint is down.
func (l *lab) exhaust() {
	l.t.Helper()
	if l.live.Gate.State != Open {
		l.shut()
	}
	e := l.enqueue()
	e.Attempts, e.Window = 1, l.live.active(l.now).Add(-l.p.Window)
	l.live.Counts.Pending--
	l.live.Counts.Retrying++
	same(l.t, "verdict", l.may(e), GiveUp)
	l.giveUp(e)
}

// TestAlerts proves which mails a callback causes in which mode.
func TestAlerts(t *testing.T) {
	prove(t, []row{
		{"given-up calls collect into one digest an hour after the first, then at most that often", func(t *testing.T) {
			l := newLab(t)
			l.exhaust()
			first := l.now
			l.after(30 * time.Minute)
			l.exhaust()
			sameTime(t, "next tick", l.nextTick(), first.Add(time.Hour))
			l.tick(false)
			same(t, "alerts before", l.kinds(), "outage")
			l.now = first.Add(time.Hour)
			l.tick(false)
			l.tick(false)
			same(t, "alerts", l.kinds(), "outage digest")
			same(t, "given up", l.alerts[1].GivenUp, 2)
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.after(time.Minute)
			l.exhaust()
			sameTime(t, "next tick", l.nextTick(), l.now.Add(time.Hour))
			sent := l.now
			l.after(time.Hour)
			l.tick(false)
			same(t, "alerts", l.kinds(), "outage digest digest")
			same(t, "given up", l.alerts[2].GivenUp, 1)
			sameTime(t, "since", l.alerts[2].Since, first.Add(time.Hour))
			sameTime(t, "until", l.alerts[2].Until, sent.Add(time.Hour))
		}},
		{"recovery = false: no recovered mail", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.Recovery = false })
			l.bad(l.enqueue())
			l.pass()
			l.after(time.Hour)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			same(t, "alerts", l.kinds(), "outage")
		}},
		{"every-call: one at a call's first failure ever; no outage, recovered or digest mail", func(t *testing.T) {
			l := newLab(t, everyCall)
			e := l.enqueue()
			l.bad(e)
			same(t, "alert", l.alerts[0], Alert{
				Key: "call/A1B2C3D4E5F60718/" + e.ID.String(), Kind: AlertCall, Num: 7, Callback: labID, Outage: 1,
				Call: e.ID, Attempt: 1, Created: l.now, Since: l.now, Next: l.now,
			})
			l.now = e.Due
			l.bad(e)
			l.exhaust() // the gate was shut by one more new call
			l.pass()
			l.after(48 * time.Hour)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			same(t, "alerts", l.kinds(), "call call")
		}},
		{"every-call: retries off, the failure that is final has its mail", func(t *testing.T) {
			l := newLab(t, everyCall, retriesOff)
			l.bad(l.enqueue())
			same(t, "alerts", l.kinds(), "call")
		}},
		{"every-call: at most max_per_hour, the rest in one summary", func(t *testing.T) {
			l := newLab(t, everyCall, func(p *Policy) { p.RecoveryAfter = 1000 * time.Hour })
			for range 5 {
				e := l.enqueue()
				l.bad(e)
				l.ok(l.enqueue()) // the gate stays closed
				l.after(time.Minute)
			}
			same(t, "alerts", l.kinds(), "call call")
			hour := noon.Truncate(time.Hour)
			sameTime(t, "next tick", l.nextTick(), hour.Add(time.Hour))
			l.tick(false)
			same(t, "alerts within the hour", l.kinds(), "call call")
			l.now = hour.Add(time.Hour)
			l.tick(false)
			l.tick(false)
			same(t, "alerts", l.kinds(), "call call summary")
			same(t, "summed up", l.alerts[2].Failures, 3)
			sameTime(t, "since", l.alerts[2].Since, hour)
			sameTime(t, "until", l.alerts[2].Until, hour.Add(time.Hour))
			l.bad(l.enqueue())
			same(t, "alerts of the next hour", l.kinds(), "call call summary call")
		}},
		{"every-call: a failure in a new hour sends the summary of the old one first", func(t *testing.T) {
			l := newLab(t, everyCall)
			for range 3 {
				l.bad(l.enqueue())
				l.ok(l.enqueue())
			}
			l.after(2 * time.Hour)
			l.bad(l.enqueue())
			same(t, "alerts", l.kinds(), "call call summary call")
			same(t, "summed up", l.alerts[2].Failures, 1)
		}},
		{"off: outages are kept, no mail", func(t *testing.T) {
			l := newLab(t, alertsOff, func(p *Policy) { p.SuspendAfter = time.Hour })
			l.exhaust()
			same(t, "number", l.live.Outage.N, 1)
			l.after(time.Hour)
			l.tick(false)
			same(t, "suspended", l.live.Suspended, true)
			l.resume()
			l.pass()
			l.after(48 * time.Hour)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			same(t, "alerts", l.kinds(), "")
		}},
		{"turned on in an outage that nobody was told of: no mail that it is over", func(t *testing.T) {
			l := newLab(t, alertsOff)
			l.bad(l.enqueue())
			l.p.Mode = ModeOutage
			l.ok(l.enqueue())
			l.after(time.Hour)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			same(t, "alerts", l.kinds(), "")
		}},
		{"turned off: what was collected for a digest or a summary is not sent", func(t *testing.T) {
			l := newLab(t)
			l.exhaust()
			l.p.Mode = ModeOff
			l.after(time.Hour)
			l.tick(false)
			same(t, "alerts", l.kinds(), "outage")
			l = newLab(t, everyCall)
			for range 3 {
				l.bad(l.enqueue())
				l.ok(l.enqueue())
			}
			l.p.Mode = ModeOff
			l.after(2 * time.Hour)
			l.tick(false)
			same(t, "alerts", l.kinds(), "call call")
			sameTime(t, "next tick", l.nextTick(), time.Time{})
		}},
	})
}
