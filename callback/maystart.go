package callback

import "time"

// Verdict says what may happen to a waiting call now.
type Verdict uint8

// The verdicts.
const (
	Wait   Verdict = iota // not now
	Go                    // an attempt may start
	GiveUp                // its time is over: call Step.GiveUp
)

// MayStart says whether an automatic attempt of e may start now.
func (s *Step) MayStart(e *Entry) Verdict {
	l, g := s.Live, &s.Live.Gate
	switch {
	case e.Status != Ready || e.Running:
		return Wait
	case l.Deleted:
		return GiveUp
	case l.Suspended:
		return Wait
	case !s.Policy.Retries && e.tried() && !e.Second && e.Was == NoReason:
		return GiveUp
	case g.State == Open && e.tried() && e.Was == NoReason && s.windowOver(e):
		return GiveUp
	case e.Due.After(s.Now) && !(g.Asked && e.tried()) || l.Running >= g.limit(s.Policy):
		return Wait
	case g.State == Open && s.Now.Before(s.probeAt(e)):
		return Wait
	}
	return Go
}

// Room returns how many more automatic attempts may run now.
func (s *Step) Room() int {
	if s.Live.Suspended {
		return 0
	}
	return max(s.Live.Gate.limit(s.Policy)-s.Live.Running, 0)
}

// InLine reports whether waiting calls start one after the other as room comes
// free: nothing holds them, and none blocks those behind it, as one that failed
// does in an ordered callback.
func (s *Step) InLine() bool {
	l := s.Live
	return l.Gate.State == Closed && !l.Suspended && !l.Deleted && !s.blocked()
}

// Behind reports whether e, which MayStart lets begin, stands behind a call of its
// ordered callback that failed. An engine asks in the commit that would begin it:
// who named e may have looked before that call failed.
func (s *Step) Behind(e *Entry) bool { return !e.tried() && s.blocked() }

func (s *Step) blocked() bool { return s.Policy.Ordered && s.Live.Counts.Retrying > 0 }

// StartAt returns when MayStart may first say Go for a waiting e if nothing
// else happens, or false when only an event can bring that about. Where e does
// not start by then, it is asked again.
func (s *Step) StartAt(e *Entry) (time.Time, bool) {
	l := s.Live
	if l.Suspended || l.Deleted {
		return time.Time{}, false
	}
	if l.Gate.State != Open {
		return e.Due, true
	}
	at, probe := e.Due, l.Gate.Probe
	if l.Gate.Asked && e.tried() {
		at = time.Time{}
	}
	if !e.tried() {
		early := later(s.untriedEnd(e), l.Gate.Last.Add(Spacing))
		if early.Before(probe) {
			probe = early
		}
	}
	return later(at, probe), true
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// probeAt returns when e may be tried while the gate is open: with the next
// probe, or, where its window ended untried, a Spacing after the last attempt.
func (s *Step) probeAt(e *Entry) time.Time {
	g := &s.Live.Gate
	if !e.tried() && !s.Now.Before(s.untriedEnd(e)) {
		if early := g.Last.Add(Spacing); early.Before(g.Probe) {
			return early
		}
	}
	return g.Probe
}

// windowOver reports whether the retry window of e has ended.
func (s *Step) windowOver(e *Entry) bool {
	return !e.Window.IsZero() && s.Live.active(s.Now).Sub(e.Window) >= s.Policy.Window
}

// untriedEnd is when the window of a call never tried ends. One without a
// window that waited already when the gate opened counts from then, so that
// those behind it, which have windows, are not held up by it; a later one counts
// from when it was due. A resume begins the count anew.
func (s *Step) untriedEnd(e *Entry) time.Time {
	if !e.Window.IsZero() {
		return s.Now.Add(s.Policy.Window - s.Live.active(s.Now).Sub(e.Window))
	}
	return later(later(s.Live.Gate.OpenedAt, e.Due), s.Live.ResumedAt).Add(s.Policy.Window)
}

// LastTry reports whether the next attempt of e, which waits, is its last where it
// fails.
func (s *Step) LastTry(e *Entry) bool {
	return !s.Policy.Retries || e.once() || e.Was == NoReason && s.windowOver(e)
}
