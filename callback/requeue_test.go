package callback

import (
	"testing"
	"time"
)

// TestRequeue proves the rows of the table of events for a retry by filter.
func TestRequeue(t *testing.T) {
	prove(t, []row{
		{"given up: READY, due now, one attempt whatever its window says; 200: SUCCESS", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.after(48 * time.Hour)
			same(t, "changed", l.requeue(e, false), true)
			l.is(e, Ready, NoReason)
			sameTime(t, "due", e.Due, l.now)
			same(t, "state", e.State(&l.live), StateRetrying)
			sameTime(t, "gives up", e.GivesUp(l.p, &l.live, l.now), time.Time{})
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Retrying: 1})
			l.ok(e)
			l.is(e, Success, Delivered)
			same(t, "was", e.Was, NoReason)
			same(t, "counts", l.live.Counts, Counts{Accepted: 1, Delivered: 1})
		}},
		{"given up, fails again: back to its reason, uncounted", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			digest, outage := l.live.Pacing.GivenUp, l.live.Outage.GivenUp
			l.after(time.Hour)
			l.requeue(e, false)
			l.bad(e)
			l.is(e, Failed, Exhausted)
			sameTime(t, "finished", e.Finished, l.now)
			same(t, "digest pending", l.live.Pacing.GivenUp, digest)
			same(t, "given up in the outage", l.live.Outage.GivenUp, outage)
			same(t, "verdict", l.may(e), Wait)
		}},
		{"given up, with extend, fails again: a new window", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.after(time.Hour)
			l.requeue(e, true)
			l.after(time.Second)
			l.bad(e)
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
			sameTime(t, "due", e.Due, l.now.Add(l.p.Interval))
			same(t, "renew", e.Renew, false)
			same(t, "was", e.Was, NoReason)
		}},
		{"retries off: one attempt; fails again: FAILED(retries off), also with extend, uncounted", func(t *testing.T) {
			for _, extend := range []bool{false, true} {
				l := newLab(t, retriesOff)
				e := l.enqueue()
				l.bad(e)
				given := l.live.Outage.GivenUp
				same(t, "changed", l.requeue(e, extend), true)
				l.bad(e)
				l.is(e, Failed, RetriesOff)
				same(t, "given up in the outage", l.live.Outage.GivenUp, given)
				same(t, "verdict", l.may(e), Wait)
			}
		}},
		{"READY, tried: due now; fails again: its window and its schedule go on, extend or not", func(t *testing.T) {
			for _, extend := range []bool{false, true} {
				l := newLab(t)
				e := l.enqueue()
				l.bad(e)
				window := e.Window
				l.after(time.Second)
				same(t, "verdict", l.may(e), Wait)
				same(t, "changed", l.requeue(e, extend), true)
				l.bad(e)
				l.is(e, Ready, NoReason)
				sameTime(t, "window", e.Window, window)
				sameTime(t, "due", e.Due, l.now.Add(l.p.Interval))
			}
		}},
		{"never tried, INFLIGHT, SUCCESS, damaged, asked for before: skipped", func(t *testing.T) {
			l := newLab(t)
			later := l.enqueueAt(noon.Add(time.Hour))
			fresh, due, runs, done, damaged := l.enqueue(), l.enqueue(), l.enqueue(), l.enqueue(), l.enqueue()
			l.ok(done)
			l.bad(due)
			l.requeue(due, false)
			l.start(runs)
			l.do(func(s *Step) { s.Damage(damaged) })
			l.now = due.Due
			again := l.givenUp()
			l.now = later.Due.Add(-time.Second)
			l.now = again.Finished
			l.requeue(again, false)
			for _, e := range []*Entry{later, fresh, due, runs, done, damaged, again} {
				before, live := *e, l.live
				same(t, "changed", l.requeue(e, true), false)
				same(t, "call", *e, before)
				same(t, "live", l.live, live)
			}
		}},
		{"READY, tried, due already: stays in line, and is counted", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			due := e.Due
			l.now = due.Add(time.Hour)
			same(t, "changed", l.requeue(e, false), true)
			sameTime(t, "due", e.Due, due)
			same(t, "waiting", l.live.Requeued.Waiting(), 1)
			l.ok(e)
			same(t, "delivered", l.live.Requeued.Delivered, 1)
		}},
		{"tried too often: skipped", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			e.Attempts = MaxAttempts
			same(t, "changed", l.requeue(e, false), false)
		}},
		{"deleted: skipped; asked for before: FAILED(deleted)", func(t *testing.T) {
			l := newLab(t)
			e, asked := l.givenUp(), l.givenUp()
			l.requeue(asked, false)
			l.delete()
			same(t, "changed", l.requeue(e, false), false)
			same(t, "verdict", l.may(asked), GiveUp)
			l.giveUp(asked)
			l.is(asked, Failed, Deleted)
		}},
		{"suspended: held until resumed", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.suspend()
			same(t, "changed", l.requeue(e, false), true)
			same(t, "verdict", l.may(e), Wait)
			same(t, "state", e.State(&l.live), StateHeld)
			l.after(time.Hour)
			l.resume()
			l.ok(e)
		}},
		{"gate OPEN: one first, at once where asked; the rest when that succeeds", func(t *testing.T) {
			l := newLab(t)
			a, b := l.givenUp(), l.givenUp()
			l.shut()
			l.after(time.Second)
			for _, e := range []*Entry{a, b} {
				l.requeue(e, false)
				same(t, "verdict before the probe", l.may(e), Wait)
			}
			l.retry()
			l.start(a)
			same(t, "verdict beside the probe", l.may(b), Wait)
			l.finish(a, Result{OK: true, Code: 200})
			l.ok(b)
		}},
		{"gate OPEN: the probe fails: the others wait on, are not given up and cost no sweeps", func(t *testing.T) {
			l := newLab(t)
			a, b := l.givenUp(), l.givenUp()
			blocker := l.shut()
			l.resolve(blocker)
			l.live.Oldest = time.Time{}
			l.requeue(a, false)
			l.requeue(b, false)
			l.retry()
			l.gone(a)
			l.is(a, Failed, Exhausted)
			l.after(48 * time.Hour)
			same(t, "verdict", l.may(b), Go)
			l.live.Waits(b)
			sameTime(t, "expires", l.expireAt(), time.Time{})
		}},
		{"a probe asked for while CLOSED changes nothing", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.bad(e)
			live := l.live
			l.retry()
			same(t, "live", l.live, live)
		}},
		{"retry by hand meanwhile: that was its attempt; with extend: a new window", func(t *testing.T) {
			for _, extend := range []bool{false, true} {
				l := newLab(t)
				e := l.givenUp()
				l.requeue(e, false)
				if err := l.manual(e, extend); err != nil {
					t.Fatal(err)
				}
				l.finish(e, status500)
				if extend {
					l.is(e, Ready, NoReason)
					sameTime(t, "window", e.Window, l.now)
				} else {
					l.is(e, Failed, Exhausted)
				}
			}
		}},
		{"resolved meanwhile, and undone: owed its attempt again", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.requeue(e, true)
			before := *e
			l.resolve(e)
			same(t, "was", e.Was, NoReason)
			if err := l.undo(e, before); err != nil {
				t.Fatal(err)
			}
			same(t, "call", *e, before)
			l.ok(e)
		}},
		{"restart: still owed, also with extend; the attempt that ran does not count", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.requeue(e, true)
			l.start(e)
			l.crash(time.Minute, e)
			l.is(e, Ready, NoReason)
			same(t, "was", e.Was, Exhausted)
			l.bad(e)
			l.is(e, Ready, NoReason)
			sameTime(t, "window", e.Window, l.now)
		}},
		{"restart, retries off: the one allowed second try, then its old reason", func(t *testing.T) {
			l := newLab(t)
			e := l.givenUp()
			l.p.Retries = false
			l.requeue(e, false)
			for range 2 {
				l.is(e, Ready, NoReason)
				l.start(e)
				l.crash(time.Minute, e)
			}
			l.is(e, Failed, Exhausted)
			same(t, "was", e.Was, NoReason)
		}},
	})
}
