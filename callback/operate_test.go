package callback

import (
	"strings"
	"testing"
	"time"
)

// TestOperate proves the rows of the table of events that a person begins.
func TestOperate(t *testing.T) {
	prove(t, []row{
		{"resolve, INFLIGHT: SUCCESS(resolved) at once; nothing starts after", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			same(t, "changed", l.resolve(e), true)
			l.is(e, Success, Resolved)
			same(t, "shown", e.State(&l.live), StateResolved)
			l.conflict(l.manual(e, false))
			l.finish(e, status500)
			same(t, "verdict", l.may(e), Wait)
			l.conflict(l.manual(e, false))
		}},
		{"resolve, READY and FAILED: SUCCESS(resolved, by whom, when)", func(t *testing.T) {
			l := newLab(t)
			waits, failed := l.enqueue(), l.enqueue()
			l.p.Retries = false
			l.bad(failed)
			l.after(time.Minute)
			for _, e := range []*Entry{waits, failed} {
				same(t, "changed", l.resolve(e), true)
				l.is(e, Success, Resolved)
				same(t, "by", e.ResolvedBy, "ann")
				sameTime(t, "when", e.Finished, l.now)
				same(t, "verdict", l.may(e), Wait)
			}
			same(t, "counts", l.live.Counts, Counts{Accepted: 2, Resolved: 2})
		}},
		{"resolve, SUCCESS: no-op", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.ok(e)
			before := *e
			l.after(time.Minute)
			same(t, "changed", l.resolve(e), false)
			same(t, "call", *e, before)
		}},
		{"acknowledge: an outage that lasts, by whoever said so last; over or unknown: refused", func(t *testing.T) {
			l := newLab(t)
			ack := func(n uint32, by string) (changed bool, err error) {
				l.do(func(s *Step) { changed, err = s.Acknowledge(n, by) })
				same(t, "written", l.wrote, changed)
				return changed, err
			}
			refused := func(n uint32, by string, want Code) {
				t.Helper()
				_, err := ack(n, by)
				same(t, "code", ErrorCode(err), want)
			}
			refused(1, "ann", CodeNotFound)
			l.bad(l.enqueue())
			refused(2, "ann", CodeNotFound)
			refused(0, "ann", CodeNotFound)
			refused(1, "", CodeInvalid)
			for i, want := range []bool{true, false} {
				changed, err := ack(1, "ann")
				if err != nil || changed != want {
					t.Fatalf("time %d: changed %v, %v", i, changed, err)
				}
			}
			l.ok(l.enqueue())
			same(t, "phase", l.live.Outage.Phase, Recovering)
			if changed, err := ack(1, "bob"); err != nil || !changed {
				t.Fatalf("by another, while it recovers: changed %v, %v", changed, err)
			}
			l.after(15 * time.Minute)
			l.do(func(s *Step) { s.Tick(true) })
			same(t, "phase", l.live.Outage.Phase, NoOutage)
			refused(1, "ann", CodeConflict)
			same(t, "who knew", l.live.Record().Acked, "bob")
			l.bad(l.enqueue())
			same(t, "who knows of the next", l.live.Outage.Acked, "")
			refused(1, "ann", CodeConflict)
		}},
		{"undo, not changed since: back to what it was, with its old window and due time", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			before, counts := *e, l.live.Counts
			l.after(time.Hour)
			l.resolve(e)
			l.after(time.Hour)
			if err := l.undo(e, before); err != nil {
				t.Fatal(err)
			}
			same(t, "call", *e, before)
			same(t, "counts", l.live.Counts, counts)
			l.start(e)
		}},
		{"undo, of a call that ran when it was resolved: not as running", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			before := *e
			l.resolve(e)
			l.conflict(l.undo(e, before)) // it runs still
			l.finish(e, status500)
			l.conflict(l.undo(e, before)) // it has an attempt more
			l.is(e, Success, Resolved)
		}},
		{"undo, delivered, reopened or deleted since: 409", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			before := *e
			l.resolve(e)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.conflict(l.undo(e, before))
			l.resolve(e)
			l.delete()
			l.conflict(l.undo(e, before))
			l.is(e, Success, Resolved)
		}},
		{"undo keeps the sweep of windows going", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			before := *e
			l.resolve(e)
			l.live.Oldest = time.Time{} // as a sweep leaves it
			if err := l.undo(e, before); err != nil {
				t.Fatal(err)
			}
			sameTime(t, "expires", l.expireAt(), l.now.Add(l.p.Window))
		}},
		{"reopen, resolved, window not over and retries on: READY, due at its time", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			due, window := e.Due, e.Window
			l.resolve(e)
			l.after(time.Second)
			changed, err := l.reopen(e)
			if err != nil || !changed {
				t.Fatalf("reopen: %v, %v", changed, err)
			}
			l.is(e, Ready, NoReason)
			same(t, "by", e.ResolvedBy, "")
			sameTime(t, "due", e.Due, due)
			sameTime(t, "window", e.Window, window)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Retrying: 1})
		}},
		{"reopen, due time past: at once", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.resolve(e)
			l.after(time.Hour)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.start(e)
		}},
		{"reopen, its attempt failed after the resolve: an interval after that", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.start(e)
			l.resolve(e)
			l.after(time.Second)
			l.finish(e, status500)
			failed := l.now
			l.after(time.Second)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.is(e, Ready, NoReason)
			sameTime(t, "due", e.Due, failed.Add(l.p.Interval))
		}},
		{"reopen, resolved, window over: FAILED(reopened)", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.resolve(e)
			l.now = e.Window.Add(l.p.Window)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.is(e, Failed, Reopened)
			sameTime(t, "finished", e.Finished, l.now)
			same(t, "state", e.State(&l.live), StateGaveUp)
		}},
		{"reopen, resolved, retries off: FAILED(reopened)", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.bad(e)
			l.resolve(e)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.is(e, Failed, Reopened)
		}},
		{"reopen, resolved, never tried: READY, also after the window and with retries off", func(t *testing.T) {
			l := newLab(t, retriesOff)
			l.shut()
			e := l.enqueue()
			l.resolve(e)
			l.after(2 * l.p.Window)
			if _, err := l.reopen(e); err != nil {
				t.Fatal(err)
			}
			l.is(e, Ready, NoReason)
			l.start(e)
		}},
		{"reopen, FAILED or READY: no-op; delivered or deleted: 409", func(t *testing.T) {
			l := newLab(t)
			waits, done, resolved := l.enqueue(), l.enqueue(), l.enqueue()
			l.ok(done)
			l.resolve(resolved)
			before := *waits
			changed, err := l.reopen(waits)
			if changed || err != nil || *waits != before {
				t.Fatalf("reopen of READY: %v, %v, %+v", changed, err, *waits)
			}
			_, err = l.reopen(done)
			l.conflict(err)
			l.delete()
			_, err = l.reopen(resolved)
			l.conflict(err)
			l.giveUp(waits)
			if changed, err = l.reopen(waits); changed || err != nil {
				t.Fatalf("reopen of FAILED: %v, %v", changed, err)
			}
			l.is(waits, Failed, Deleted)
		}},
		{"retry by hand, INFLIGHT, SUCCESS, suspended, deleted: 409", func(t *testing.T) {
			l := newLab(t)
			runs, done, waits := l.enqueue(), l.enqueue(), l.enqueue()
			l.start(runs)
			l.ok(done)
			l.conflict(l.manual(runs, false))
			l.conflict(l.manual(done, false))
			l.suspend()
			l.conflict(l.manual(waits, false))
			l.resume()
			if err := l.manual(waits, false); err != nil {
				t.Fatal(err)
			}
			l.conflict(l.manual(waits, false))
			l.finish(waits, status500)
			l.delete()
			l.conflict(l.manual(waits, false))
		}},
		{"retry by hand: now, outside the gate's limit and the spacing rule", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 1 })
			failed, other := l.enqueue(), l.enqueue()
			l.bad(failed)
			l.start(other)
			same(t, "verdict", l.may(failed), Wait)
			if err := l.manual(failed, false); err != nil {
				t.Fatal(err)
			}
			same(t, "running, manual", [2]int{l.live.Running, l.live.Manual}, [2]int{1, 1})
			l.finish(failed, Result{OK: true})
			same(t, "running, manual", [2]int{l.live.Running, l.live.Manual}, [2]int{1, 0})
			l.is(failed, Success, Delivered)
		}},
		{"retry by hand: its 200 feeds the gate", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			if err := l.manual(e, false); err != nil {
				t.Fatal(err)
			}
			l.enqueue() // something waits
			l.finish(e, Result{OK: true})
			same(t, "gate", l.live.Gate.State, Ramp)
			same(t, "outage", l.live.Outage.Phase, Recovering)
		}},
		{"retry by hand: its failure changes nothing while OPEN", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			gate, outage := l.live.Gate, l.live.Outage
			l.after(time.Minute)
			if err := l.manual(e, false); err != nil {
				t.Fatal(err)
			}
			l.finish(e, refused)
			same(t, "gate", l.live.Gate, gate)
			same(t, "outage", l.live.Outage, outage)
			l.is(e, Ready, NoReason)
			sameTime(t, "due", e.Due, l.now.Add(l.p.Interval))
		}},
		{"retry by hand: its failure counts while CLOSED", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			if err := l.manual(e, false); err != nil {
				t.Fatal(err)
			}
			l.finish(e, refused)
			same(t, "gate", l.live.Gate.State, Open)
			same(t, "outage", l.live.Outage.Phase, OutageOpen)
		}},
		{"retry by hand, FAILED, fails again: keeps its reason, uncounted", func(t *testing.T) {
			for _, deleted := range []bool{false, true} {
				l := newLab(t)
				e := l.enqueue()
				l.bad(e)
				l.now = e.Window.Add(l.p.Window)
				l.bad(e)
				given, finished := l.live.Pacing.GivenUp, e.Finished
				l.after(time.Hour)
				if err := l.manual(e, false); err != nil {
					t.Fatal(err)
				}
				if deleted {
					l.delete()
					given = 0
				}
				l.finish(e, status500)
				l.is(e, Failed, Exhausted)
				same(t, "attempts", e.Attempts, 3)
				same(t, "digest pending", l.live.Pacing.GivenUp, given)
				sameTime(t, "finished", e.Finished, finished)
			}
		}},
		{"retry by hand, FAILED, with extend: a new window if it fails again", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.now = e.Window.Add(l.p.Window)
			l.bad(e)
			l.after(time.Hour)
			if err := l.manual(e, true); err != nil {
				t.Fatal(err)
			}
			l.after(time.Second)
			l.finish(e, status500)
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
			sameTime(t, "due", e.Due, l.now.Add(l.p.Interval))
			same(t, "extend", e.Extend, false)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Retrying: 1})
		}},
		{"retry by hand, READY, without extend: keeps its window", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			window := e.Window
			l.after(time.Hour)
			if err := l.manual(e, false); err != nil {
				t.Fatal(err)
			}
			l.finish(e, status500)
			sameTime(t, "window", e.Window, window)
		}},
		{"retry by hand, FAILED(retries off), with extend, retries still off: stays FAILED", func(t *testing.T) {
			l := newLab(t, retriesOff)
			e := l.enqueue()
			l.bad(e)
			if err := l.manual(e, true); err != nil {
				t.Fatal(err)
			}
			l.finish(e, status500)
			l.is(e, Failed, RetriesOff)
		}},
		{"suspend: no attempts; what runs finishes", func(t *testing.T) {
			l := newLab(t)
			runs, waits := l.enqueue(), l.enqueue()
			l.start(runs)
			l.suspend()
			same(t, "by", l.live.SuspendedBy, "ann")
			same(t, "verdict", l.may(waits), Wait)
			same(t, "state", waits.State(&l.live), StateHeld)
			l.after(time.Minute)
			l.finish(runs, status500)
			l.is(runs, Ready, NoReason)
			sameTime(t, "window", runs.Window, l.live.SuspendedAt)
		}},
		{"suspend and resume, nothing to change: no-op", func(t *testing.T) {
			l := newLab(t)
			l.do(func(s *Step) { same(t, "resumed", s.Resume(), false) })
			l.suspend()
			at := l.live.SuspendedAt
			l.after(time.Hour)
			l.do(func(s *Step) { same(t, "suspended", s.Suspend("bob"), false) })
			same(t, "by", l.live.SuspendedBy, "ann")
			sameTime(t, "since", l.live.SuspendedAt, at)
			l.delete()
			l.do(func(s *Step) { same(t, "suspended", s.Suspend("bob"), false) })
		}},
		{"suspend: windows stand still, however often", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.after(10 * time.Hour)
			for range 3 {
				l.suspend()
				l.after(20 * time.Hour)
				same(t, "verdict", l.may(e), Wait)
				sameTime(t, "gives up", e.GivesUp(l.p, &l.live, l.now), l.now.Add(14*time.Hour))
				l.resume()
				sameTime(t, "expires", l.expireAt(), l.now.Add(14*time.Hour))
			}
			l.after(14*time.Hour - time.Millisecond)
			same(t, "verdict before the end", l.may(e), Go)
			l.after(time.Millisecond)
			same(t, "verdict at the end", l.may(e), GiveUp)
		}},
		{"resume: gate OPEN, probe now, also for a call that is not due", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e) // due in 5 minutes
			other := l.enqueue()
			l.suspend()
			l.after(time.Second)
			l.resume()
			same(t, "gate", l.live.Gate.State, Open)
			same(t, "verdict", l.may(e), Go)
			l.start(e)
			same(t, "verdict of the next", l.may(other), Wait)
			l.finish(e, status500)
			same(t, "verdict of the next", l.may(other), Wait)
			sameTime(t, "probe", l.live.Gate.Probe, l.now.Add(l.p.Interval))
		}},
		{"resume, nothing waits and no outage: the gate stays CLOSED", func(t *testing.T) {
			l := newLab(t)
			l.suspend()
			l.after(time.Hour)
			l.resume()
			same(t, "gate", l.live.Gate.State, Closed)
			same(t, "state", l.live.State, Healthy)
		}},
		{"edit: gate OPEN: probe now, also for a call that is not due", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.after(time.Minute)
			later := l.enqueueAt(l.now.Add(time.Hour))
			l.edit()
			same(t, "verdict of a delayed one", l.may(later), Wait)
			l.gone(e)
			same(t, "verdict after the probe", l.may(e), Wait)
			l.after(l.p.Interval - time.Millisecond)
			same(t, "verdict", l.may(e), Wait)
			l.after(time.Millisecond)
			same(t, "verdict", l.may(e), Go)
		}},
		{"edit while the probe runs: the next probe goes when it ended", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			other := l.enqueue()
			l.now = l.live.Gate.Probe
			l.start(e)
			l.edit()
			same(t, "verdict beside the probe", l.may(other), Wait)
			l.finish(e, refused)
			l.gone(other)
			same(t, "verdict after that", l.may(e), Wait)
		}},
		{"edit: gate CLOSED: no attempt before its time", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			l.edit()
			same(t, "verdict", l.may(e), Wait)
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"edit: a smaller limit that a ramp reached closes the gate", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass()
			l.enqueue()
			l.p.MaxInFlight = 1
			l.edit()
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"edit, retries turned off: tried READY calls become FAILED(retries off) without a request, and stay", func(t *testing.T) {
			l := newLab(t)
			tried, fresh := l.enqueue(), l.enqueue()
			l.bad(tried)
			l.p.Retries = false
			l.edit()
			l.now = tried.Due
			same(t, "verdict", l.may(tried), GiveUp)
			l.giveUp(tried)
			l.is(tried, Failed, RetriesOff)
			same(t, "attempts", tried.Attempts, 1)
			same(t, "digest pending", l.live.Pacing.GivenUp, 0)
			same(t, "verdict of one never tried", l.may(fresh), Go)
			l.p.Retries = true
			l.edit()
			same(t, "verdict", l.may(tried), Wait)
			l.is(tried, Failed, RetriesOff)
		}},
		{"restart: gate OPEN: probe now, also for a call that is not due", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.crash(time.Minute)
			same(t, "verdict", l.may(e), Go)
			l.gone(e)
			same(t, "verdict after it", l.may(e), Wait)
		}},
		{"delete: READY → FAILED(deleted); INFLIGHT finishes; FAILED and SUCCESS stay; nothing starts", func(t *testing.T) {
			l := newLab(t)
			waits, runs, done, failed, manual := l.enqueue(), l.enqueue(), l.enqueue(), l.enqueue(), l.enqueue()
			l.start(runs)
			l.ok(done)
			l.p.Retries = false
			l.bad(failed)
			l.p.Retries = true
			if err := l.manual(manual, false); err != nil {
				t.Fatal(err)
			}
			l.delete()
			same(t, "verdict", l.may(waits), GiveUp)
			for _, e := range []*Entry{waits, runs, done, failed, manual} {
				l.giveUp(e)
			}
			l.is(waits, Failed, Deleted)
			l.is(runs, Ready, NoReason)
			l.is(done, Success, Delivered)
			l.is(failed, Failed, RetriesOff)
			l.finish(runs, status500)
			l.finish(manual, status500)
			l.is(runs, Failed, Deleted)
			l.is(manual, Failed, Deleted)
			same(t, "counts", l.live.Counts, Counts{Accepted: 5, Delivered: 1, Failed: 4})
		}},
		{"delete: outage and pending digest close silently", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.now = e.Window.Add(l.p.Window)
			l.giveUp(e)
			same(t, "digest pending", l.live.Pacing.DigestAt.IsZero(), false)
			l.after(time.Minute)
			l.delete()
			same(t, "written", l.wrote, true)
			same(t, "outage", l.live.Outage.Phase, NoOutage)
			sameTime(t, "ended", l.live.Record().Ended, l.now)
			sameTime(t, "next tick", l.nextTick(), time.Time{})
			l.after(48 * time.Hour)
			l.tick(true)
			same(t, "alerts", l.kinds(), "outage")
		}},
		{"delete while the gate ramps: nothing is left to drain", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.pass()
			l.ok(l.enqueue())
			same(t, "before", l.live.Gate.State, Ramp)
			l.delete()
			same(t, "gate", l.live.Gate.State, Closed)
			l.giveUp(e)
			l.is(e, Failed, Deleted)
		}},
		{"delete while suspended: given up all the same", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.suspend()
			l.delete()
			same(t, "verdict", l.may(e), GiveUp)
			same(t, "suspended", l.live.Suspended, false)
		}},
	})
}

func TestMayOperate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		active, known int
		want          string // in the refusal; "": none
	}{
		{0, 1, ""},
		{MaxRunning - 1, MaxOperations, ""},
		{MaxRunning, MaxRunning + 1, "at most 64 operations run"},
		{0, MaxOperations + 1, "at most 10000 operations are remembered"},
	} {
		err := MayOperate(c.active, c.known)
		if c.want == "" && err != nil || c.want != "" && (ErrorCode(err) != CodeUnavailable || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%d active, %d remembered: %v, want %q", c.active, c.known, err, c.want)
		}
	}
}
