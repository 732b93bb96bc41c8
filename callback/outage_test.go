package callback

import (
	"testing"
	"time"
)

// TestOutage proves the paragraph on outages and the states that are shown.
func TestOutage(t *testing.T) {
	prove(t, []row{
		{"a call with retries off that fails is given up, and counted so", func(t *testing.T) {
			l := newLab(t, retriesOff)
			l.bad(l.enqueue())
			l.bad(l.enqueue())
			same(t, "given up", l.live.Outage.GivenUp, 2)
			e := l.enqueue()
			l.resolve(e)
			same(t, "given up", l.live.Outage.GivenUp, 2)
		}},
		{"a failure opens outage n+1, and its alert is in the same step", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			same(t, "written", l.wrote, true)
			same(t, "outage", l.live.Outage, OutageState{
				Phase: OutageOpen, N: 1, Started: l.now, Failures: 1, Calls: 1, First: ClassStatus, FirstCode: 500, FirstText: status500.Error, Told: true,
			})
			same(t, "shown", l.live.State, Failing)
			same(t, "alerts", len(l.alerts), 1)
			same(t, "alert", l.alerts[0], Alert{
				Key: "outage/A1B2C3D4E5F60718/1", Kind: AlertOutage, Num: 7, Callback: labID, Outage: 1,
				Call: e.ID, Attempt: 1, Created: l.now, Since: l.now, Next: l.now,
			})
		}},
		{"two failures at once send one mail", func(t *testing.T) {
			l := newLab(t)
			a, b := l.enqueue(), l.enqueue()
			l.start(a)
			l.start(b)
			s := &Step{Policy: l.p, ID: labID, Now: l.now, Live: &l.live}
			s.Finish(a, Result{Records: 1, Started: l.now})
			s.Finish(b, Result{Records: 1, Started: l.now})
			same(t, "alerts", len(s.Alerts), 1)
			same(t, "failures, calls", [2]uint64{l.live.Outage.Failures, l.live.Outage.Calls}, [2]uint64{2, 2})
		}},
		{"a call that failed after an interruption counts as one that failed for the first time", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			l.crash(0, e)
			l.bad(e)
			same(t, "calls", l.live.Outage.Calls, 1)
		}},
		{"200 → RECOVERING, shown as healthy", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.after(time.Minute)
			l.pass()
			same(t, "written", l.wrote, true)
			same(t, "phase", l.live.Outage.Phase, Recovering)
			sameTime(t, "healthy", l.live.Outage.Healthy, l.now)
			same(t, "shown", l.live.State, Healthy)
			same(t, "delivered", l.live.Outage.Delivered, 1)
			healthy := l.now
			l.after(time.Minute)
			l.pass()
			sameTime(t, "healthy after another 200", l.live.Outage.Healthy, healthy)
			same(t, "delivered", l.live.Outage.Delivered, 2)
		}},
		{"RECOVERING: the failure of a call tried before does not reopen it", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.pass()
			l.now = e.Due
			l.bad(e)
			same(t, "phase", l.live.Outage.Phase, Recovering)
			same(t, "failures", l.live.Outage.Failures, 2)
		}},
		{"RECOVERING: nor of a call whose first attempt began before the 200", func(t *testing.T) {
			l := newLab(t)
			l.bad(l.enqueue())
			slow := l.enqueue()
			l.start(slow)
			began := l.now
			l.after(time.Minute)
			l.pass()
			r := status500
			r.Started = began
			l.finish(slow, r)
			same(t, "phase", l.live.Outage.Phase, Recovering)
		}},
		{"RECOVERING: the failure of a call first tried after that 200 reopens it, without a mail", func(t *testing.T) {
			l := newLab(t)
			l.bad(l.enqueue())
			l.pass()
			l.after(time.Minute)
			l.bad(l.enqueue())
			same(t, "phase", l.live.Outage.Phase, OutageOpen)
			same(t, "number", l.live.Outage.N, 1)
			sameTime(t, "healthy", l.live.Outage.Healthy, time.Time{})
			same(t, "alerts", l.kinds(), "outage")
			l.after(time.Minute)
			l.pass()
			sameTime(t, "healthy after the next 200", l.live.Outage.Healthy, l.now)
		}},
		{"RECOVERING: a trip of the gate reopens it", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.pass()
			l.now = e.Due
			l.gone(e)
			same(t, "phase", l.live.Outage.Phase, OutageOpen)
			same(t, "alerts", l.kinds(), "outage")
		}},
		{"15 minutes so with the gate CLOSED → NONE, ended at the 200; silence counts as health", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			started := l.now
			l.after(time.Hour)
			l.bad(e)
			l.pass()
			healthy := l.now
			sameTime(t, "next tick", l.nextTick(), healthy.Add(15*time.Minute))
			l.now = healthy.Add(15*time.Minute - time.Millisecond)
			l.tick(true)
			same(t, "phase before", l.live.Outage.Phase, Recovering)
			l.after(time.Millisecond)
			l.tick(true)
			same(t, "written", l.wrote, true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			sameTime(t, "closed", l.live.Outage.Closed, l.now)
			sameTime(t, "ended", l.live.Record().Ended, healthy)
			same(t, "alerts", l.kinds(), "outage recovered")
			same(t, "alert", l.alerts[1], Alert{
				Key: "recovered/A1B2C3D4E5F60718/1", Kind: AlertRecovered, Num: 7, Callback: labID, Outage: 1, Created: l.now, Next: l.now,
				Since: started, Until: healthy, Delivered: 1, StillFailed: 1, Failures: 2,
			})
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.tick(true)
			same(t, "alerts", l.kinds(), "outage recovered")
		}},
		{"15 minutes count from the 200, not from when the gate closed", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass()
			healthy := l.now
			l.after(10 * time.Minute)
			l.tick(true)
			same(t, "gate", l.live.Gate.State, Closed)
			sameTime(t, "shown as healthy since", l.live.Since, l.now)
			sameTime(t, "next tick", l.nextTick(), healthy.Add(15*time.Minute))
			l.now = healthy.Add(15 * time.Minute)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			sameTime(t, "ended", l.live.Record().Ended, healthy)
		}},
		{"a gate that closes later than that ends it there, dated to the 200", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass()
			healthy := l.now
			l.after(time.Hour)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			sameTime(t, "ended", l.live.Record().Ended, healthy)
			sameTime(t, "until", l.alerts[1].Until, healthy)
		}},
		{"15 minutes count from the last return to health", func(t *testing.T) {
			l := newLab(t)
			l.bad(l.enqueue())
			l.pass()
			l.after(14 * time.Minute)
			l.bad(l.enqueue())
			l.after(14 * time.Minute)
			l.pass()
			l.after(14 * time.Minute)
			l.tick(true)
			same(t, "phase", l.live.Outage.Phase, Recovering)
		}},
		{"not over while the gate ramps, nor while suspended", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass()
			l.after(time.Hour)
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.tick(false)
			same(t, "phase in RAMP", l.live.Outage.Phase, Recovering)
			l.suspend()
			l.tick(true)
			same(t, "phase while suspended", l.live.Outage.Phase, Recovering)
		}},
		{"outages are numbered one by one", func(t *testing.T) {
			l := newLab(t)
			for n := uint32(1); n <= 3; n++ {
				l.bad(l.enqueue())
				same(t, "number", l.live.Outage.N, n)
				same(t, "failures", l.live.Outage.Failures, 1)
				same(t, "delivered", l.live.Outage.Delivered, 0)
				l.pass()
				l.after(15 * time.Minute)
				l.tick(true)
			}
			same(t, "alerts", l.kinds(), "outage recovered outage recovered outage recovered")
		}},
		{"a lingering call does not open a new one", func(t *testing.T) {
			l := newLab(t)
			poison := l.enqueue()
			l.bad(poison)
			l.pass()
			l.after(15 * time.Minute)
			l.tick(true)
			l.bad(poison)
			same(t, "written", l.wrote, false)
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			same(t, "shown", l.live.State, Healthy)
			same(t, "alerts", l.kinds(), "outage recovered")
		}},
		{"a lingering call opens a new one when the gate trips", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.pass()
			l.after(15 * time.Minute)
			l.tick(true)
			l.gone(e)
			same(t, "number", l.live.Outage.N, 2)
			same(t, "alerts", l.kinds(), "outage recovered outage")
		}},
		{"a lingering call that finds a resumed callback unreachable opens a new one", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.pass()
			l.after(15 * time.Minute)
			l.tick(true)
			l.suspend()
			l.resume()
			l.bad(e) // one poisoned call
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			l.now = e.Due
			l.gone(e)
			same(t, "number", l.live.Outage.N, 2)
			same(t, "phase", l.live.Outage.Phase, OutageOpen)
		}},
		{"any other call opens a new one", func(t *testing.T) {
			l := newLab(t)
			l.bad(l.enqueue())
			l.pass()
			l.after(15 * time.Minute)
			l.tick(true)
			l.bad(l.enqueue())
			same(t, "number", l.live.Outage.N, 2)
		}},
		{"no success for suspend_after since it began → suspended, alert; nothing is lost", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.SuspendAfter = 6 * time.Hour })
			e := l.shut()
			started := l.now
			sameTime(t, "next tick", l.nextTick(), started.Add(6*time.Hour))
			l.now = started.Add(6*time.Hour - time.Millisecond)
			l.tick(false)
			same(t, "suspended before", l.live.Suspended, false)
			l.after(time.Millisecond)
			l.tick(false)
			same(t, "suspended", l.live.Suspended, true)
			same(t, "by", l.live.SuspendedBy, "limit")
			same(t, "shown", l.live.State, Suspended)
			same(t, "alerts", l.kinds(), "outage suspended")
			same(t, "still failed", l.alerts[1].StillFailed, 1)
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.after(1000 * time.Hour)
			l.tick(false)
			l.is(e, Ready, NoReason)
			same(t, "verdict", l.may(e), Wait)
			same(t, "alerts", l.kinds(), "outage suspended")
		}},
		{"suspend_after counts again from the last resume, and from the last success", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.SuspendAfter = 6 * time.Hour })
			l.shut()
			l.after(5 * time.Hour)
			l.suspend()
			l.after(5 * time.Hour)
			l.resume()
			sameTime(t, "next tick", l.nextTick(), l.now.Add(6*time.Hour))
			l.after(5 * time.Hour)
			l.pass()
			l.after(time.Minute)
			success := l.live.LastSuccess
			l.gone(l.enqueue())
			same(t, "phase", l.live.Outage.Phase, OutageOpen)
			sameTime(t, "next tick", l.nextTick(), success.Add(6*time.Hour))
			l.now = success.Add(6 * time.Hour)
			l.tick(false)
			same(t, "suspended", l.live.Suspended, true)
		}},
		{"suspend_after 0: never", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.after(10000 * time.Hour)
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.tick(false)
			same(t, "suspended", l.live.Suspended, false)
		}},
	})
}

// TestShown proves which state is shown: suspended > down > failing > healthy,
// and that Since says when it was entered.
func TestShown(t *testing.T) {
	t.Parallel()
	for _, suspended := range []bool{false, true} {
		for _, gate := range []GateState{Closed, Open, Ramp} {
			for _, phase := range []OutagePhase{NoOutage, OutageOpen, Recovering} {
				want := Healthy
				switch {
				case suspended:
					want = Suspended
				case gate == Open:
					want = Down
				case gate == Ramp, phase == OutageOpen:
					want = Failing
				}
				l := Live{Suspended: suspended, Gate: Gate{State: gate}, Outage: OutageState{Phase: phase}}
				if got := l.shown(); got != want {
					t.Errorf("suspended %v, gate %v, phase %d: %v, want %v", suspended, gate, phase, got, want)
				}
			}
		}
	}
	l := newLab(t)
	l.enqueue()
	sameTime(t, "since", l.live.Since, noon)
	l.after(time.Minute)
	e := l.enqueue()
	sameTime(t, "since, unchanged", l.live.Since, noon)
	l.bad(e)
	sameTime(t, "since, failing", l.live.Since, l.now)
	for s := Healthy; s <= Suspended; s++ {
		if got, ok := ParseState(s.String()); !ok || got != s {
			t.Errorf("ParseState(%q) = %v, %v", s, got, ok)
		}
	}
	if _, ok := ParseState("well"); ok {
		t.Error("ParseState took a word that is none")
	}
}

// TestPolicyFor proves that a callback's own settings win over the
// configuration's.
func TestPolicyFor(t *testing.T) {
	t.Parallel()
	base := labPolicy()
	with := func(change func(*Policy)) Policy { p := base; change(&p); return p }
	for _, c := range []struct {
		what string
		cb   Callback
		want Policy
	}{
		{"nothing set", Callback{Retries: true}, base},
		{"retries off", Callback{}, with(retriesOff)},
		{"a smaller limit", Callback{Retries: true, MaxInFlight: 2}, with(func(p *Policy) { p.MaxInFlight = 2 })},
		{"a larger limit", Callback{Retries: true, MaxInFlight: 99}, with(func(p *Policy) { p.MaxInFlight = 99 })},
		{"ordered", Callback{Retries: true, Ordered: true, MaxInFlight: 9}, with(func(p *Policy) { p.Ordered, p.MaxInFlight = true, 1 })},
		{"alerts off", Callback{Retries: true, Alerts: ModeOff}, with(alertsOff)},
		{"every call", Callback{Retries: true, Alerts: ModeEveryCall}, with(everyCall)},
	} {
		if got := base.For(&c.cb); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.what, got, c.want)
		}
	}
}

// TestShownSince proves that one that fails or is down is told to do so since its
// outage began, through suspensions and probes that succeed.
func TestShownSince(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	began := func(what string, want State, since time.Time) {
		t.Helper()
		same(t, what, l.live.State, want)
		sameTime(t, what+" since", l.live.ShownSince(), since)
	}
	l.enqueue()
	began("healthy", Healthy, noon)
	l.after(time.Minute)
	e := l.enqueue()
	l.bad(e)
	start := l.now
	began("failing", Failing, start)
	l.after(time.Second)
	l.shut()
	began("down", Down, start)
	l.after(time.Hour)
	l.suspend()
	suspended := l.now
	began("suspended", Suspended, suspended)
	l.after(time.Hour)
	l.resume()
	began("down again", Down, start)
	l.enqueue()
	l.pass()
	began("answers again, carefully", Failing, start)
	l.do(func(s *Step) { s.Tick(true) })
	healthy := l.now
	began("well", Healthy, healthy)
	l.after(time.Minute)
	l.suspend()
	l.resume()
	began("nobody knows", Down, l.now) // the outage is not over, and had ended
}
