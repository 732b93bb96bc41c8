package callback

import (
	"testing"
	"time"
)

// TestGate proves the paragraph on the gate.
func TestGate(t *testing.T) {
	prove(t, []row{
		{"an endpoint that cannot be reached opens it", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			sameTime(t, "opened", l.live.Gate.OpenedAt, l.now)
			sameTime(t, "probe", l.live.Gate.Probe, l.now.Add(l.p.Interval))
			same(t, "shown", l.live.State, Down)
		}},
		{"3 failures in a row of different calls open it", func(t *testing.T) {
			l := newLab(t)
			l.bad(l.enqueue())
			l.bad(l.enqueue())
			same(t, "gate after 2", l.live.Gate.State, Closed)
			l.bad(l.enqueue())
			same(t, "gate after 3", l.live.Gate.State, Open)
		}},
		{"failures of the same call do not open it", func(t *testing.T) {
			l := newLab(t)
			a, b := l.enqueue(), l.enqueue()
			for range 20 {
				for _, e := range []*Entry{a, b} {
					l.now = e.Due
					l.bad(e)
				}
			}
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"a success breaks the row", func(t *testing.T) {
			l := newLab(t)
			for range 5 {
				l.bad(l.enqueue())
				l.bad(l.enqueue())
				l.ok(l.enqueue())
			}
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"OPEN: all wait behind ONE probe every interval", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			a, b := l.enqueue(), l.enqueue()
			for range 3 {
				same(t, "verdict", l.may(a), Wait)
				l.now = l.live.Gate.Probe.Add(-time.Millisecond)
				same(t, "verdict before the probe", l.may(a), Wait)
				l.after(time.Millisecond)
				l.start(a)
				same(t, "verdict beside the probe", l.may(b), Wait)
				l.after(time.Second)
				l.finish(a, refused)
				sameTime(t, "next probe", l.live.Gate.Probe, l.now.Add(l.p.Interval))
				same(t, "verdict after the probe", l.may(b), Wait)
				a, b = b, a
			}
		}},
		{"OPEN: what still ran puts the probe off", func(t *testing.T) {
			l := newLab(t)
			a, b := l.enqueue(), l.enqueue()
			l.start(a)
			l.start(b)
			l.finish(a, refused)
			l.after(time.Minute)
			l.finish(b, refused)
			sameTime(t, "probe", l.live.Gate.Probe, l.now.Add(l.p.Interval))
		}},
		{"a 200 → RAMP(1); each limit successes double it; limit = max: CLOSED", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 8 })
			l.shut()
			for range 20 {
				l.enqueue()
			}
			l.pass()
			limits := []int{1, 2, 2, 4, 4, 4, 4}
			for _, want := range limits {
				same(t, "gate", l.live.Gate.State, Ramp)
				same(t, "limit", l.live.Gate.Limit, want)
				same(t, "shown", l.live.State, Failing)
				l.ok(l.enqueue())
			}
			same(t, "gate", l.live.Gate.State, Closed)
			sameTime(t, "opened", l.live.Gate.OpenedAt, time.Time{})
		}},
		{"RAMP: no more than its limit run at once", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 8 })
			l.shut()
			l.pass()
			l.enqueue()
			l.ok(l.enqueue())
			same(t, "limit", l.live.Gate.Limit, 2)
			l.start(l.enqueue())
			l.start(l.enqueue())
			same(t, "verdict of the third", l.may(l.enqueue()), Wait)
		}},
		{"RAMP: failures in a row halve it from the second on, and its count begins again; at limit 1: OPEN", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 16 })
			l.shut()
			for range 20 {
				l.enqueue()
			}
			l.pass()
			for range 3 {
				l.ok(l.enqueue()) // 2, then half way to 4 ...
			}
			same(t, "limit", l.live.Gate.Limit, 4)
			l.ok(l.enqueue())
			l.bad(l.enqueue())
			same(t, "limit", l.live.Gate.Limit, 4)
			l.bad(l.enqueue())
			same(t, "limit", l.live.Gate.Limit, 2)
			l.ok(l.enqueue())
			same(t, "limit", l.live.Gate.Limit, 2)
			l.bad(l.enqueue())
			l.bad(l.enqueue())
			same(t, "limit", l.live.Gate.Limit, 1)
			l.bad(l.enqueue())
			same(t, "gate", l.live.Gate.State, Open)
			sameTime(t, "probe", l.live.Gate.Probe, l.now.Add(l.p.Interval))
		}},
		{"RAMP: an endpoint that refuses every tenth call gets back to CLOSED", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 256 })
			l.shut()
			l.enqueue()
			l.pass()
			for i := 1; l.live.Gate.State == Ramp && i < 1000; i++ {
				if i%10 == 0 {
					l.bad(l.enqueue())
				} else {
					l.ok(l.enqueue())
				}
			}
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"RAMP: unreachable: OPEN at any limit", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 16 })
			opened := l.now
			l.shut()
			l.enqueue()
			l.pass()
			for range 3 {
				l.ok(l.enqueue())
			}
			l.gone(l.enqueue())
			same(t, "gate", l.live.Gate.State, Open)
			sameTime(t, "opened", l.live.Gate.OpenedAt, opened)
		}},
		{"RAMP: nothing left: CLOSED", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.now = e.Due
			l.ok(e)
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"RAMP: nothing due and nothing running: CLOSED by the tick, else not", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			l.pass() // the first one still waits for its due time
			l.tick(false)
			same(t, "gate", l.live.Gate.State, Ramp)
			e := l.enqueue()
			l.start(e)
			l.tick(true)
			same(t, "gate with one running", l.live.Gate.State, Ramp)
			l.finish(e, status500)
			same(t, "gate", l.live.Gate.State, Open)
			l.tick(true)
			same(t, "gate", l.live.Gate.State, Open)
			l.pass()
			l.tick(true)
			same(t, "gate", l.live.Gate.State, Closed)
			same(t, "shown", l.live.State, Healthy)
		}},
		{"limit 1 has no ramp", func(t *testing.T) {
			l := newLab(t, func(p *Policy) { p.MaxInFlight = 1 })
			l.shut()
			l.enqueue()
			l.pass()
			same(t, "gate", l.live.Gate.State, Closed)
		}},
		{"OPEN with nothing waiting: the next enqueue is the probe once an interval has passed", func(t *testing.T) {
			l := newLab(t)
			l.resolve(l.shut())
			l.after(time.Minute)
			e := l.enqueue()
			same(t, "verdict", l.may(e), Wait)
			l.now = l.live.Gate.Probe
			same(t, "verdict", l.may(e), Go)
			l.resolve(e)
			l.after(time.Hour)
			l.start(l.enqueue())
		}},
		{"retries off: OPEN: each call its one attempt, one at a time, 1 s apart", func(t *testing.T) {
			l := newLab(t, retriesOff)
			l.shut()
			a, b := l.enqueue(), l.enqueue()
			l.after(Spacing - time.Millisecond)
			same(t, "verdict within the second", l.may(a), Wait)
			l.after(time.Millisecond)
			l.start(a)
			l.after(time.Minute)
			same(t, "verdict beside it", l.may(b), Wait)
			l.finish(a, refused)
			l.is(a, Failed, RetriesOff)
			same(t, "verdict at once after it", l.may(b), Wait)
			l.after(Spacing)
			l.gone(b)
			l.is(b, Failed, RetriesOff)
		}},
		{"a result is unreachable only on a fresh connection", func(t *testing.T) {
			for _, c := range []struct {
				class  Class
				reused bool
				want   bool
			}{
				{ClassReset, false, true},
				{ClassReset, true, false},
				{ClassDNS, false, true},
				{ClassRefused, false, true},
				{ClassTLS, false, true},
				{ClassAnswerTimeout, true, true},
				{ClassConnectTimeout, false, true},
				{ClassUnreachable, false, true},
				{ClassStatus, false, false},
				{ClassRedirect, false, false},
				{ClassDenied, false, false},
				{ClassProtocol, false, false},
				{ClassInternal, false, false},
				{ClassInterrupted, false, false},
			} {
				first := Attempt{Number: 1, Started: noon, Class: ClassReset, Reused: true}
				last := Attempt{Number: 2, Started: noon.Add(1), Class: c.class, Reused: c.reused, Code: 9, Error: "x", RetryAfter: 7}
				got := ResultOf([]Attempt{first, last})
				want := Result{Unreachable: c.want, Started: noon, At: noon.Add(1), Records: 2, RetryAfter: 7, Class: c.class, Code: 9, Error: "x"}
				same(t, "result of "+c.class.String(), got, want)
			}
			ok := ResultOf([]Attempt{{OK: true, Code: 200}})
			same(t, "result of a success", ok, Result{OK: true, Records: 1, Code: 200})
		}},
	})
}

// TestStartAt proves that a lane can be told when to look at a call again: not
// later than it may start, and with room for it then.
func TestStartAt(t *testing.T) {
	prove(t, []row{
		{"CLOSED: at its due time", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueueAt(l.now.Add(time.Hour))
			l.startsAt(e, e.Due, 4)
			l.start(l.enqueue())
			l.startsAt(e, e.Due, 3)
		}},
		{"OPEN: with the probe, or at its due time when that is later", func(t *testing.T) {
			l := newLab(t)
			e := l.shut()
			l.startsAt(e, e.Due, 1)
			probe := l.live.Gate.Probe
			l.after(time.Minute)
			l.startsAt(l.enqueue(), probe, 1)
			later := l.enqueueAt(l.now.Add(time.Hour))
			l.startsAt(later, later.Due, 1)
			l.edit()
			l.startsAt(e, l.now, 1)
			l.startsAt(later, later.Due, 1)
			l.start(e)
			l.startsAt(later, later.Due, 0)
		}},
		{"OPEN, never tried: with the probe or after its window, whichever is first, a pause after the last attempt", func(t *testing.T) {
			l := newLab(t)
			l.shut()
			e := l.enqueue()
			end := e.Window.Add(l.p.Window)
			l.live.Gate.Probe = end.Add(-time.Hour)
			l.startsAt(e, l.live.Gate.Probe, 1)
			l.live.Gate.Probe = end.Add(time.Hour)
			l.startsAt(e, end, 1)
			l.live.Gate.Last = end
			l.startsAt(e, end.Add(Spacing), 1)
		}},
		{"suspended or deleted: not before something happens", func(t *testing.T) {
			l := newLab(t)
			e := l.enqueue()
			l.suspend()
			l.startsAt(e, time.Time{}, 0)
			l.resume()
			l.startsAt(e, l.now, 1)
			l.delete()
			l.do(func(s *Step) {
				if at, ok := s.StartAt(e); ok {
					t.Fatalf("starts at %v", at)
				}
			})
		}},
	})
}

// startsAt checks StartAt (the zero time: never by itself) and Room.
func (l *lab) startsAt(e *Entry, want time.Time, room int) {
	l.t.Helper()
	l.do(func(s *Step) {
		at, ok := s.StartAt(e)
		if ok != !want.IsZero() || !at.Equal(want) {
			l.t.Fatalf("starts at %v, %v, want %v", at, ok, want)
		}
		same(l.t, "room", s.Room(), room)
	})
}

func TestGateWords(t *testing.T) {
	t.Parallel()
	same(t, "words", Closed.String()+Open.String()+Ramp.String(), "closedopenramp")
}
