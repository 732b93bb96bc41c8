package callback

import (
	"fmt"
	"time"
)

// What follows holds the state machine to the house's own account, event by
// event.

func (l *lane) watch(was Live, s *Step) {
	o, t := l.live.Outage, l.h.t
	switch {
	case o.N == was.Outage.N:
	case o.N != was.Outage.N+1 || was.Outage.Phase != NoOutage || o.Phase != OutageOpen:
		t.Fatalf("outage %d phase %d follows outage %d phase %d", o.N, o.Phase, was.Outage.N, was.Outage.Phase)
	default:
		l.modes[o.N] = l.p.Mode
	}
	if o.Phase == OutageOpen && was.Outage.Phase == NoOutage && o.N == was.Outage.N {
		t.Fatalf("outage %d opened a second time", o.N)
	}
	if o.Phase != was.Outage.Phase && !s.Changed {
		t.Fatalf("outage went from phase %d to %d without being written", was.Outage.Phase, o.Phase)
	}
	if o.Phase == NoOutage && was.Outage.Phase == OutageOpen && !l.live.Deleted {
		t.Fatalf("outage %d ended without a success", o.N)
	}
	if l.live.Deleted && len(s.Alerts) > 0 {
		t.Fatalf("a deleted callback has an alert: %v", s.Alerts)
	}
}

func (l *lane) mail(a Alert) {
	t := l.h.t
	if l.h.keys[a.Key] {
		t.Fatalf("alert key %s came twice", a.Key)
	}
	l.h.keys[a.Key] = true
	l.mails[a.Kind]++
	want := ModeOutage
	switch a.Kind {
	case AlertCall, AlertSummary:
		want = ModeEveryCall
	case AlertSuspended:
		want = l.p.Mode
	}
	if l.p.Mode != want || l.p.Mode == ModeOff || a.Num != l.live.Num || a.Callback != l.id || !a.Created.Equal(l.h.now) {
		t.Fatalf("alert %+v in mode %q", a, l.p.Mode)
	}
	switch a.Kind {
	case AlertOutage, AlertRecovered:
		if key := fmt.Sprintf("%s/%016X/%d", a.Kind, uint64(l.id), l.live.Outage.N); a.Key != key {
			t.Fatalf("alert key %s, want %s", a.Key, key)
		}
	case AlertDigest:
		if !l.lastDigest.IsZero() && a.Created.Sub(l.lastDigest) < l.p.DigestEvery {
			t.Fatalf("digests at %v and %v", l.lastDigest, a.Created)
		}
		l.lastDigest = a.Created
		l.digested += a.GivenUp
	case AlertCall:
		hour := l.h.now.Truncate(time.Hour)
		if l.hourly[hour]++; l.hourly[hour] > l.p.MaxPerHour {
			t.Fatalf("%d call alerts in one hour", l.hourly[hour])
		}
	case AlertSummary:
		l.summed += a.Failures
	}
}

func (l *lane) mayStart(c *call) {
	t, now, g := l.h.t, l.h.now, l.live.Gate
	limit := map[GateState]int{Closed: l.p.MaxInFlight, Open: 1, Ramp: g.Limit}[g.State]
	switch {
	case c.Status != Ready || l.live.Deleted || l.frozen:
		t.Fatalf("call %s started with status %d, deleted %v, suspended %v", c.ID, c.Status, l.live.Deleted, l.frozen)
	case limit < 1 || l.running() >= limit || l.running() >= l.p.MaxInFlight:
		t.Fatalf("call %s started beside %d with limit %d of %d", c.ID, l.running(), limit, l.p.MaxInFlight)
	case c.made > 0 && !l.p.Retries && !c.owed && !c.again:
		t.Fatalf("call %s got another attempt with retries off", c.ID)
	}
	least := l.p.Interval * 9 / 10
	if !c.autoEnd.IsZero() && now.Sub(c.autoEnd) < least && !c.cut && l.asked.Before(c.autoStart) && c.requeued.Before(c.autoStart) {
		t.Fatalf("call %s was tried again after %v", c.ID, now.Sub(c.autoEnd))
	}
	over := !c.window.IsZero() && l.active().Sub(c.window) > l.p.Window
	if over && c.made > 0 && !c.again {
		if c.late++; c.late > 1+c.lost || g.State == Open {
			t.Fatalf("call %s had %d attempts after its window, gate %v", c.ID, c.late, g.State)
		}
	}
	if g.State == Open && !l.lastEnd.IsZero() && l.asked.Before(l.lastStart) {
		if !l.p.Retries || c.made == 0 && l.heldFor(c) >= l.p.Window {
			least = time.Second
		}
		if gap := now.Sub(l.lastEnd); gap < least {
			t.Fatalf("call %s was the probe %v after the last attempt", c.ID, gap)
		}
	}
}

func (l *lane) heldFor(c *call) time.Duration {
	if !c.window.IsZero() {
		return l.active().Sub(c.window)
	}
	return l.h.now.Sub(c.Due)
}

func (l *lane) finish(c *call) {
	t, now := l.h.t, l.h.now
	r, was, gate, outage := l.answer(c), c.Entry, l.live.Gate, l.live.Outage
	c.run, c.owed = nil, false
	l.do(func(s *Step) { s.Finish(&c.Entry, r) })
	c.made += r.Records
	if !was.Manual {
		c.autoEnd, l.lastEnd, c.cut = now, now, false
	}
	if r.OK {
		c.again = false
		if c.Status != Success || c.Reason != Delivered {
			t.Fatalf("call %s was delivered and is %d %q", c.ID, c.Status, c.Reason)
		}
		return
	}
	if was.FirstFailed.IsZero() && was.Status != Success && !l.live.Deleted && l.p.Mode == ModeEveryCall {
		l.firstFails++
	}
	if was.Manual && gate.State == Open && (l.live.Gate != gate || l.live.Outage.Failures != outage.Failures) {
		t.Fatalf("a manual failure changed an open gate or its outage")
	}
	if r.Unreachable && !l.live.Deleted && !(was.Manual && gate.State == Open) && (l.live.Gate.State != Open || l.live.Outage.Phase != OutageOpen) {
		t.Fatalf("unreachable, but the gate is %v and the outage in phase %d", l.live.Gate.State, l.live.Outage.Phase)
	}
	l.failed(c, was)
}

func (l *lane) failed(c *call, was Entry) {
	again := c.again
	extends := (was.Extend || again && c.renew) && was.Status != Success && l.p.Retries && !l.live.Deleted
	c.again = false
	if extends || was.Status == Ready && !again && l.p.Retries && !l.live.Deleted && c.window.IsZero() {
		c.window = l.active()
		if extends {
			c.late = 0
		}
	}
	over := l.active().Sub(c.window) >= l.p.Window
	status, why := Ready, NoReason
	switch {
	case was.Status == Success, was.Status == Failed && !extends:
		status, why = was.Status, was.Reason
	case l.live.Deleted:
		status, why = Failed, Deleted
	case again && !extends:
		status, why = Failed, was.Was
	case !l.p.Retries:
		status, why = Failed, RetriesOff
	case over && !extends:
		status, why = Failed, Exhausted
		if l.p.Mode == ModeOutage {
			l.exhausted++
		}
	}
	if c.Status != status || c.Reason != why {
		l.h.t.Fatalf("call %s failed and is %d %q, want %d %q", c.ID, c.Status, c.Reason, status, why)
	}
	if status == Ready {
		end := l.h.now.Add(l.p.Window - l.active().Sub(c.window))
		if c.Due.After(end) || c.Due.After(l.h.now.Add(time.Hour)) {
			l.h.t.Fatalf("call %s is due at %v, its window ends at %v", c.ID, c.Due, end)
		}
		c.cut = c.Due.Equal(end)
	}
}
