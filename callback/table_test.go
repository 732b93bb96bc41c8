package callback

import (
	"testing"
	"time"
)

// row is one row of the table of events: what it says, and its proof.
type row struct {
	says  string
	prove func(*testing.T)
}

func prove(t *testing.T, rows []row) {
	t.Parallel()
	for _, r := range rows {
		t.Run(r.says, func(t *testing.T) { t.Parallel(); r.prove(t) })
	}
}

// TestTable proves the table of events, one subtest a row; TestOperate has the
// rows that a person begins.
func TestTable(t *testing.T) {
	prove(t, []row{
		{"enqueue, gate CLOSED: READY, window not begun", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.is(e, Ready, NoReason)
			sameTime(t, "due", e.Due, l.now)
			same(t, "window begun", !e.Window.IsZero(), false)
			same(t, "verdict", l.may(e), Go)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Pending: 1})
		}},
		{"enqueue, gate RAMP: READY, window not begun", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass()
			same(t, "gate", l.live.Gate.State, Ramp)
			same(t, "window begun", !l.enqueue().Window.IsZero(), false)
		}},
		{"enqueue, gate OPEN: READY, held; its window starts now", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.after(time.Minute)
			e := l.enqueue()
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
			same(t, "verdict", l.may(e), Wait)
			same(t, "state", e.State(&l.live), StateHeld)
		}},
		{"enqueue, gate OPEN after a suspension: its window starts now on the active clock", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.suspend()
			l.after(3 * time.Hour)
			l.resume()
			e := l.enqueue()
			sameTime(t, "window", e.Window, l.now.Add(-3*time.Hour))
			sameTime(t, "gives up", e.GivesUp(l.p, &l.live, l.now), l.now.Add(l.p.Window))
		}},
		{"enqueue, suspended: READY; its window starts at the first failure", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.suspend()
			e := l.enqueue()
			l.is(e, Ready, NoReason)
			same(t, "window begun", !e.Window.IsZero(), false)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"enqueue, deliverAt ahead: READY, not before then; its window starts at the first failure", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			at := l.now.Add(time.Hour)
			e := l.enqueueAt(at)
			sameTime(t, "due", e.Due, at)
			same(t, "window begun", !e.Window.IsZero(), false)
			l.now = at.Add(-time.Millisecond)
			same(t, "verdict before", l.may(e), Wait)
			l.now = at
			l.bad(e)
			sameTime(t, "window", e.Window, at)
		}},
		{"enqueue, deliverAt in the past: due at once", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueueAt(l.now.Add(-time.Hour))
			sameTime(t, "due", e.Due, l.now)
		}},
		{"start: a free slot and due, else wait; INFLIGHT until the result is recorded", func(t *testing.T) {
			l := newLab(t)
			var calls []*Entry
			for range 5 {
				calls = append(calls, l.enqueue())
			}
			for _, e := range calls[:4] {
				l.start(e)
				same(t, "state", e.State(&l.live), StateDelivering)
				same(t, "verdict while running", l.may(e), Wait)
			}
			same(t, "running", l.live.Running, 4)
			same(t, "verdict beyond the limit", l.may(calls[4]), Wait)
			l.finish(calls[0], Result{OK: true})
			same(t, "verdict with a free slot", l.may(calls[4]), Go)
			same(t, "running", l.live.Running, 3)
		}},
		{"200: SUCCESS(delivered)", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.ok(e)
			l.is(e, Success, Delivered)
			same(t, "attempts", e.Attempts, 1)
			sameTime(t, "last success", l.live.LastSuccess, l.now)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Delivered: 1})
			same(t, "verdict", l.may(e), Wait)
			same(t, "state", e.State(&l.live), StateDelivered)
		}},
		{"200, resolved meanwhile: SUCCESS(delivered)", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			l.resolve(e)
			l.finish(e, Result{OK: true})
			l.is(e, Success, Delivered)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Delivered: 1})
		}},
		{"not 200, resolved meanwhile: stays SUCCESS(resolved); the attempt is kept as failed", func(t *testing.T) {
			l := newLab(t, everyCall)
			e := l.enqueue()
			l.start(e)
			l.resolve(e)
			l.finish(e, status500)
			l.is(e, Success, Resolved)
			same(t, "attempts", e.Attempts, 1)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Resolved: 1})
			same(t, "alerts", l.kinds(), "")
			l.after(time.Hour)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"not 200, deleted: FAILED(deleted), without outage or alert", func(t *testing.T) {
			for _, mode := range []AlertMode{ModeOutage, ModeEveryCall} {
				l := newLab(t, func(p *Policy) { p.Mode = mode })
				e := l.enqueue()
				l.start(e)
				l.delete()
				l.finish(e, refused)
				l.is(e, Failed, Deleted)
				same(t, "state", e.State(&l.live), StateCancelled)
				same(t, "outage", l.live.Outage.Phase, NoOutage)
				same(t, "alerts", l.kinds(), "")
			}
		}},
		{"200, deleted: SUCCESS(delivered) all the same", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			l.delete()
			l.finish(e, Result{OK: true})
			l.is(e, Success, Delivered)
		}},
		{"not 200, retries off: FAILED(retries off) after one attempt", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.bad(e)
			l.is(e, Failed, RetriesOff)
			same(t, "digest pending", l.live.Pacing.GivenUp, 0)
			same(t, "state", e.State(&l.live), StateGaveUp)
			l.after(time.Hour)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"not 200, window over: FAILED(exhausted), counted for the digest", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.now = e.Window.Add(l.p.Window)
			l.bad(e)
			l.is(e, Failed, Exhausted)
			same(t, "digest pending", l.live.Pacing.GivenUp, 1)
			same(t, "given up", l.live.Outage.GivenUp, 1)
		}},
		{"not 200, a moment before the window is over: READY", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.now = e.Window.Add(l.p.Window - time.Millisecond)
			l.bad(e)
			l.is(e, Ready, NoReason)
			sameTime(t, "due", e.Due, e.Window.Add(l.p.Window))
		}},
		{"not 200, else: READY; window starts if it had not; due after the interval", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.after(time.Hour)
			l.start(e)
			l.after(time.Minute)
			l.finish(e, status500)
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
			sameTime(t, "first failed", e.FirstFailed, l.now)
			sameTime(t, "due", e.Due, l.now.Add(l.p.Interval))
			same(t, "state", e.State(&l.live), StateRetrying)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Retrying: 1})
			same(t, "last code", l.live.LastCode, 500)
			first := e.Window
			l.now = e.Due
			l.bad(e)
			sameTime(t, "window after the second failure", e.Window, first)
		}},
		{"not 200, else: the interval ± jitter", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.Jitter, p.Window = .1, 10000*time.Hour })
			low, high := l.p.Interval, l.p.Interval
			for range 200 {
				e := l.enqueue()
				l.bad(e)
				low, high = min(low, e.Due.Sub(l.now)), max(high, e.Due.Sub(l.now))
				l.pass() // keeps the gate closed
				l.after(time.Second)
			}
			if low < 270*time.Second || high > 330*time.Second {
				t.Fatalf("intervals from %v to %v, want within 4m30s to 5m30s", low, high)
			}
			if low > 275*time.Second || high < 325*time.Second {
				t.Fatalf("intervals from %v to %v do not fill 4m30s to 5m30s", low, high)
			}
		}},
		{"not 200, else: Retry-After when longer, at most 1 h", func(t *testing.T) {
			for _, c := range []struct{ asked, want time.Duration }{
				{0, 5 * time.Minute},
				{time.Minute, 5 * time.Minute},
				{20 * time.Minute, 20 * time.Minute},
				{time.Hour, time.Hour},
				{30 * 24 * time.Hour, time.Hour},
			} {
				l := newLab(t)
				e := l.enqueue()
				l.start(e)
				r := status500
				r.RetryAfter = c.asked
				l.finish(e, r)
				sameTime(t, "due", e.Due, l.now.Add(c.want))
			}
		}},
		{"not 200, else: not past the window's end, also by Retry-After: the last attempt is made there", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			end := e.Window.Add(l.p.Window)
			for e.Due.Before(end) {
				l.now = e.Due
				l.start(e)
				r := status500
				r.RetryAfter = 50 * time.Minute
				l.finish(e, r)
			}
			sameTime(t, "last attempt", e.Due, end)
			l.now = end
			same(t, "gate", l.live.Gate.State, Closed)
			l.bad(e)
			l.is(e, Failed, Exhausted)
		}},
		{"not 200, twice recorded: a fresh connection's attempt counts", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			r := status500
			r.Records = 2
			l.finish(e, r)
			same(t, "attempts", e.Attempts, 2)
			same(t, "failures", l.live.Outage.Failures, 1)
		}},
		{"window over while held, tried before: FAILED(exhausted), counted for the digest", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			sameTime(t, "expires", l.expireAt(), l.now.Add(l.p.Window))
			l.now = e.Window.Add(l.p.Window - time.Millisecond)
			same(t, "verdict before", l.may(e), Go)
			l.now = e.Window.Add(l.p.Window)
			same(t, "verdict", l.may(e), GiveUp)
			l.giveUp(e)
			l.is(e, Failed, Exhausted)
			same(t, "digest pending", l.live.Pacing.GivenUp, 1)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Failed: 1})
			sameTime(t, "expires", l.expireAt(), time.Time{})
		}},
		{"window over while held, never tried: its one attempt first, at most 1/s, even after the window", func(t *testing.T) {
			l := newLab(t)
			tried := l.shut()
			l.after(time.Second)
			var held []*Entry
			for range 3 {
				held = append(held, l.enqueue())
			}
			l.now = tried.Due
			l.gone(tried) // the probe
			l.now = held[0].Window.Add(l.p.Window).Add(-time.Millisecond)
			l.live.Gate.Probe, l.live.Gate.Last = l.now.Add(time.Minute), l.now.Add(-time.Minute)
			same(t, "verdict before", l.may(held[0]), Wait)
			l.after(time.Millisecond)
			same(t, "verdict of a tried one", l.may(tried), GiveUp)
			for _, e := range held {
				l.gone(e)
				l.is(e, Failed, Exhausted)
				same(t, "attempts", e.Attempts, 1)
				l.after(Spacing - time.Millisecond)
				for _, e := range held {
					same(t, "verdict within the second", l.may(e), Wait)
				}
				l.after(time.Millisecond)
			}
			same(t, "digest pending", l.live.Pacing.GivenUp, 3)
		}},
		{"window over while held, never tried, there before the gate opened: counts from then", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.after(time.Hour)
			l.shut()
			opened := l.now
			l.now = opened.Add(l.p.Window).Add(-time.Millisecond)
			l.live.Gate.Probe = l.now.Add(time.Hour)
			same(t, "verdict before", l.may(e), Wait)
			l.after(time.Millisecond)
			l.gone(e)
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
		}},
		{"window over while held, never tried, come after the gate opened: counts from its coming", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.after(25 * time.Hour)
			l.pass()
			same(t, "gate", l.live.Gate.State, Ramp)
			e := l.enqueue() // without a window
			l.shutAgain()
			l.after(time.Minute)
			same(t, "gate left CLOSED long ago", l.now.Sub(l.live.Gate.OpenedAt) > l.p.Window, true)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"window over while held, never tried: a suspension does not count", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.suspend()
			l.after(time.Hour)
			e := l.enqueue()
			l.after(30 * time.Hour)
			l.resume()
			probe := l.enqueue()
			l.gone(probe)
			l.after(time.Minute)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"restart, claim without result: attempt recorded; READY, due now; no failure, no outage", func(t *testing.T) {
			l := newLab(t, everyCall)
			e := l.enqueue()
			l.start(e)
			l.crash(time.Hour, e)
			l.is(e, Ready, NoReason)
			same(t, "attempts", e.Attempts, 1)
			sameTime(t, "due", e.Due, l.now)
			same(t, "window begun", !e.Window.IsZero(), false)
			same(t, "outage", l.live.Outage, OutageState{})
			same(t, "gate", l.live.Gate.State, Closed)
			same(t, "alerts", l.kinds(), "")
			same(t, "running", l.live.Running, 0)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Retrying: 1})
			l.ok(e)
		}},
		{"restart, retries off: the one allowed second try, and no third", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.start(e)
			l.crash(0, e)
			l.is(e, Ready, NoReason)
			l.start(e)
			l.crash(0, e)
			l.is(e, Failed, RetriesOff)
			same(t, "attempts", e.Attempts, 2)
		}},
		{"restart, retries off: the second try's failure is final", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.start(e)
			l.crash(0, e)
			l.bad(e)
			l.is(e, Failed, RetriesOff)
			same(t, "second owed", e.Second, false)
		}},
		{"restart, resolved or deleted meanwhile: as those say", func(t *testing.T) {
			l := newLab(t)
			resolved, deleted := l.enqueue(), l.enqueue()
			l.start(resolved)
			l.start(deleted)
			l.resolve(resolved)
			l.delete()
			l.crash(0, resolved, deleted)
			l.is(resolved, Success, Resolved)
			l.is(deleted, Failed, Deleted)
			same(t, "counts", l.live.Counts, Counts{Accepted: 2, Resolved: 1, Failed: 1})
		}},
		{"restart, a manual attempt of a FAILED call: stays FAILED", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.bad(e)
			if err := l.manual(e, true); err != nil {
				t.Fatal(err)
			}
			l.crash(0, e)
			l.is(e, Failed, RetriesOff)
			same(t, "attempts", e.Attempts, 2)
		}},
		{"restart, retries off, a manual attempt of a call never tried: its own attempt is still owed", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			if err := l.manual(e, false); err != nil {
				t.Fatal(err)
			}
			l.crash(0, e)
			l.is(e, Ready, NoReason)
			l.start(e)
		}},
		{"restart, a window that runs still runs, and is swept when it is over", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			window := e.Window
			l.now = l.live.Gate.Probe
			l.start(e)
			l.crash(time.Hour, e)
			sameTime(t, "window", e.Window, window)
			if at := l.expireAt(); at.IsZero() || at.After(window.Add(l.p.Window)) {
				t.Fatalf("expires at %v, want something not after %v", at, window.Add(l.p.Window))
			}
		}},
		{"damaged: FAILED(damaged), never sent; not while it runs, nor when it is done", func(t *testing.T) {
			l := newLab(t)
			waits, runs, done := l.enqueue(), l.enqueue(), l.enqueue()
			l.start(runs)
			l.ok(done)
			for _, e := range []*Entry{waits, runs, done} {
				l.do(func(s *Step) { s.Damage(e) })
			}
			l.is(waits, Failed, Damaged)
			same(t, "state", waits.State(&l.live), StateDamaged)
			l.is(runs, Ready, NoReason)
			l.is(done, Success, Delivered)
			same(t, "counts", l.live.Counts, Counts{Accepted: 3, Pending: 1, Delivered: 1, Failed: 1})
		}},
	})
}

// shutAgain opens a gate that is in RAMP with the failure of a new call.
func (l *lab) shutAgain() {
	l.t.Helper()
	l.gone(l.enqueue())
	same(l.t, "gate", l.live.Gate.State, Open)
}
