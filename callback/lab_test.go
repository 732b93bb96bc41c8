package callback

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

// TestMain gives the model more checks and steps than rapid's own defaults, and
// no files: the seed that a failure prints is enough. The command line still
// wins.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.checks": "1000", "rapid.steps": "60", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	flag.Parse()
	os.Exit(m.Run())
}

// noon is where the clock of a lab begins; half past, so that whole hours and
// whole windows do not coincide.
var noon = time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)

const labID CallbackID = 0xA1B2C3D4E5F60718

// lab holds one callback and drives it by hand: each helper is one event at the
// lab's present time.
type lab struct {
	t      *testing.T
	p      Policy
	live   Live
	now    time.Time
	last   CallID
	alerts []Alert
	wrote  bool // the last step wanted the outage's record written
	anew   bool // the next call that is let go is the first of a retry
}

func labPolicy() Policy {
	return Policy{
		Retries: true, MaxInFlight: 4, Interval: 5 * time.Minute, Window: 24 * time.Hour,
		Mode: ModeOutage, MaxPerHour: 2, Recovery: true, RecoveryAfter: 15 * time.Minute, DigestEvery: time.Hour,
	}
}

func newLab(t *testing.T, change ...func(*Policy)) *lab {
	t.Helper()
	l := &lab{t: t, p: labPolicy(), live: Live{Num: 7}, now: noon}
	for _, f := range change {
		f(&l.p)
	}
	return l
}

func retriesOff(p *Policy) { p.Retries = false }
func everyCall(p *Policy)  { p.Mode = ModeEveryCall }
func alertsOff(p *Policy)  { p.Mode = ModeOff }

func (l *lab) do(event func(*Step)) {
	l.t.Helper()
	s := &Step{Policy: l.p, ID: labID, Now: l.now, Live: &l.live}
	event(s)
	l.wrote = s.Changed
	for _, a := range s.Alerts {
		for _, old := range l.alerts {
			if old.Key == a.Key {
				l.t.Fatalf("alert key %q came twice", a.Key)
			}
		}
		l.alerts = append(l.alerts, a)
	}
}

func (l *lab) after(d time.Duration) { l.now = l.now.Add(d) }

// enqueue takes one call in that is due at once.
func (l *lab) enqueue() *Entry { l.t.Helper(); return l.enqueueAt(time.Time{}) }

func (l *lab) enqueueAt(due time.Time) *Entry {
	l.t.Helper()
	l.last = NextCallID(l.last, l.now)
	e := &Entry{ID: l.last, Num: l.live.Num, Enqueued: l.now, Due: due}
	l.do(func(s *Step) { s.Enqueue(e) })
	return e
}

func (l *lab) may(e *Entry) (v Verdict) {
	l.t.Helper()
	l.do(func(s *Step) { v = s.MayStart(e) })
	return v
}

// start begins an automatic attempt, which must be allowed.
func (l *lab) start(e *Entry) {
	l.t.Helper()
	if v := l.may(e); v != Go {
		l.t.Fatalf("call %s may not start: verdict %d", e.ID, v)
	}
	l.do(func(s *Step) { s.Start(e) })
}

// manual begins an attempt by hand and returns the refusal, if any.
func (l *lab) manual(e *Entry, extend bool) (err error) {
	l.t.Helper()
	l.do(func(s *Step) { err = s.StartManual(e, extend) })
	return err
}

func (l *lab) finish(e *Entry, r Result) {
	l.t.Helper()
	if r.Records == 0 {
		r.Records = 1
	}
	if r.Started.IsZero() {
		r.Started = l.now
	}
	l.do(func(s *Step) { s.Finish(e, r) })
}

var (
	status500 = Result{Class: ClassStatus, Code: 500, Error: "It answered 500."}
	refused   = Result{Class: ClassRefused, Unreachable: true, Error: "It refused the connection."}
)

// ok, bad and gone make one whole automatic attempt: a 200, a 500, and one that
// did not reach the endpoint.
func (l *lab) ok(e *Entry)   { l.t.Helper(); l.start(e); l.finish(e, Result{OK: true, Code: 200}) }
func (l *lab) bad(e *Entry)  { l.t.Helper(); l.start(e); l.finish(e, status500) }
func (l *lab) gone(e *Entry) { l.t.Helper(); l.start(e); l.finish(e, refused) }

// shut opens the gate with the failure of a new call, which it returns.
func (l *lab) shut() *Entry {
	l.t.Helper()
	e := l.enqueue()
	l.gone(e)
	same(l.t, "gate", l.live.Gate.State, Open)
	return e
}

// pass lets a new call through at the next probe.
func (l *lab) pass() {
	l.t.Helper()
	if l.live.Gate.State == Open && l.now.Before(l.live.Gate.Probe) {
		l.now = l.live.Gate.Probe
	}
	l.ok(l.enqueue())
}

func (l *lab) tick(drained bool) { l.t.Helper(); l.do(func(s *Step) { s.Tick(drained) }) }

func (l *lab) nextTick() (at time.Time) {
	l.t.Helper()
	l.do(func(s *Step) { at = s.NextTick() })
	return at
}

func (l *lab) expireAt() (at time.Time) {
	l.t.Helper()
	l.do(func(s *Step) { at = s.ExpireAt() })
	return at
}

func (l *lab) giveUp(e *Entry) { l.t.Helper(); l.do(func(s *Step) { s.GiveUp(e) }) }
func (l *lab) resolve(e *Entry) (changed bool) {
	l.t.Helper()
	l.do(func(s *Step) { changed = s.Resolve(e, "ann") })
	return changed
}

func (l *lab) reopen(e *Entry) (changed bool, err error) {
	l.t.Helper()
	l.do(func(s *Step) { changed, err = s.Reopen(e) })
	return changed, err
}

func (l *lab) undo(e *Entry, before Entry) (err error) {
	l.t.Helper()
	l.do(func(s *Step) { err = s.Undo(e, before) })
	return err
}

func (l *lab) requeue(e *Entry, extend bool) (changed bool) {
	l.t.Helper()
	l.do(func(s *Step) { changed = s.Requeue(e, extend, l.anew) })
	l.anew = l.anew && !changed
	return changed
}

// retry begins a retry of many.
func (l *lab) retry() { l.t.Helper(); l.do(func(s *Step) { s.Probe() }); l.anew = true }

// givenUp lets a new call fail, and be given up at the end of its window.
func (l *lab) givenUp() *Entry {
	l.t.Helper()
	e := l.enqueue()
	l.bad(e)
	l.now = e.Window.Add(l.p.Window)
	l.bad(e)
	l.is(e, Failed, Exhausted)
	return e
}

func (l *lab) suspend() { l.t.Helper(); l.do(func(s *Step) { s.Suspend("ann") }) }
func (l *lab) resume()  { l.t.Helper(); l.do(func(s *Step) { s.Resume() }) }
func (l *lab) edit()    { l.t.Helper(); l.do(func(s *Step) { s.Edited() }) }
func (l *lab) delete()  { l.t.Helper(); l.do(func(s *Step) { s.Delete() }) }

// crash ends the process for d: what ran is lost.
func (l *lab) crash(d time.Duration, calls ...*Entry) {
	l.t.Helper()
	l.after(d)
	l.live = l.live.Restarted(l.now)
	for _, e := range calls {
		manual := e.Manual
		e.Running, e.Manual, e.Extend = false, false, false
		l.do(func(s *Step) { s.Interrupted(e, manual) })
	}
}

// keys returns the kinds of all alerts so far, oldest first.
func (l *lab) kinds() string {
	var b []byte
	for i, a := range l.alerts {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fmt.Appendf(b, "%s", a.Kind)
	}
	return string(b)
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

func sameTime(t *testing.T, what string, got, want time.Time) {
	t.Helper()
	if !got.Equal(want) {
		t.Fatalf("%s = %v, want %v", what, got, want)
	}
}

func (l *lab) is(e *Entry, status Status, why Reason) {
	l.t.Helper()
	if e.Status != status || e.Reason != why {
		l.t.Fatalf("call is %d %q, want %d %q", e.Status, e.Reason, status, why)
	}
	if status == Ready != e.Finished.IsZero() {
		l.t.Fatalf("call with status %d has finish time %v", status, e.Finished)
	}
}

func (l *lab) conflict(err error) {
	l.t.Helper()
	same(l.t, "error code", ErrorCode(err), CodeConflict)
}
