package callback

import (
	"cmp"
	"time"
)

// Step is one transition of one callback: the pure state machine. Its maker
// fills Policy, ID, Now and Live; each method changes Live and the Entry it is
// given, and adds to Alerts and Changed what an engine has to store with them
// in the same commit. Now never goes back from one Step of a callback to the
// next. A Step is used for any number of events at the same instant.
type Step struct {
	Policy Policy // already Policy.For the callback
	ID     CallbackID
	Now    time.Time
	Live   *Live

	Alerts  []Alert // to be inserted; keys are unique
	Changed bool    // the record of outage Live.Outage.N is to be written
}

// Result is what came of the attempt of a claimed call.
type Result struct {
	OK          bool
	Unreachable bool      // no other call could have got through either
	Started     time.Time // when the first attempt began
	At          time.Time // when the last one did
	Records     int       // attempts recorded: 2 when a stale connection made a fresh one necessary
	RetryAfter  time.Duration
	Class       Class
	Code        int
	Error       string // sentence of the failure
}

// ResultOf sums up the attempts that were made for one claim, oldest first; at
// least one.
func ResultOf(attempts []Attempt) Result {
	last := &attempts[len(attempts)-1]
	return Result{
		OK: last.OK,
		// A connection that broke after it was reused says nothing of a fresh one.
		Unreachable: !last.OK && last.Class.Unreachable() && !(last.Class == ClassReset && last.Reused),
		Started:     attempts[0].Started,
		At:          last.Started,
		Records:     len(attempts),
		RetryAfter:  last.RetryAfter,
		Class:       last.Class,
		Code:        last.Code,
		Error:       last.Error,
	}
}

// Enqueue takes a new call in. e has its ID, Num and Enqueued, and Due where
// its first attempt is delayed.
func (s *Step) Enqueue(e *Entry) {
	e.Status, e.Reason = Ready, NoReason
	if e.Due.Before(e.Enqueued) {
		e.Due = e.Enqueued
	}
	// While its endpoint is down a call waits behind one probe for all, so its
	// window cannot wait for a failure of its own.
	if s.Live.Gate.State == Open && !s.Live.Suspended && !e.Due.After(s.Now) {
		e.Window = s.Live.active(s.Now)
	}
	s.Live.Counts.Accepted++
	s.Live.Counts.Pending++
	s.shown()
}

// Start lets an attempt of e begin that MayStart allowed.
func (s *Step) Start(e *Entry) {
	e.Running, e.Manual, e.Extend = true, false, false
	s.Live.Running++
	s.Live.Gate.Last, s.Live.Gate.Asked = s.Now, false
}

// StartManual lets an attempt begin that a person asked for, outside the
// gate's limit and the spacing rule. extend: should it fail, a new window
// begins. It is a CodeConflict while the call runs, is a success, or its
// callback is suspended or deleted.
func (s *Step) StartManual(e *Entry, extend bool) error {
	switch {
	case e.Running:
		return Errorf(CodeConflict, "call %s is being sent right now", e.ID)
	case e.Status == Success:
		return Errorf(CodeConflict, "call %s is already a success", e.ID)
	case e.Attempts >= MaxAttempts:
		return Errorf(CodeConflict, "call %s was tried %d times; that must do", e.ID, e.Attempts)
	case s.Live.Suspended:
		return Errorf(CodeConflict, "the callback of call %s is suspended; resume it first", e.ID)
	case s.Live.Deleted:
		return Errorf(CodeConflict, "the callback of call %s is deleted", e.ID)
	}
	e.Running, e.Manual, e.Extend = true, true, extend
	s.Live.Manual++
	return nil
}

// Finish records what came of the running attempt of e.
func (s *Step) Finish(e *Entry, r Result) {
	first := !e.tried()
	fresh := !r.OK && e.FirstFailed.IsZero()
	lingering := !e.FirstFailed.IsZero() && e.FirstFailed.Before(s.Live.Outage.Closed)
	waited := e.Status == Ready && e.Was == NoReason
	manual := s.stop(e)
	*s.Live.Counts.of(e)--
	e.Attempts += r.Records
	e.LastAt, e.LastCode, e.LastClass = r.At, r.Code, r.Class
	s.Live.Attempts += uint64(r.Records)
	s.Live.Good += e.Good()
	if r.OK {
		s.succeeded(e)
	} else {
		s.failed(e, r)
	}
	*s.Live.Counts.of(e)++
	if r.OK {
		s.healthy()
	} else if !s.Live.Deleted && !(manual && s.Live.Gate.State == Open) {
		s.ailing(e, r, first, lingering)
		if fresh {
			s.Live.Outage.Calls++
		}
		if waited && e.Reason == RetriesOff { // its one attempt was the last
			s.Live.Outage.GivenUp++
		}
	}
	if fresh && e.Status != Success {
		s.callAlert(e)
	}
	s.shown()
}

// stop ends the running attempt of e and reports whether it was a manual one.
func (s *Step) stop(e *Entry) (manual bool) {
	manual = e.Manual
	if manual {
		s.Live.Manual--
	} else {
		s.Live.Running--
		s.Live.Gate.Last = s.Now
	}
	e.Running, e.Manual = false, false
	return manual
}

func (s *Step) succeeded(e *Entry) {
	if s.Live.Outage.Phase != NoOutage {
		s.Live.Outage.Delivered++
	}
	s.finish(e, Success, Delivered)
	e.Extend = false
	s.Live.LastSuccess = s.Now
}

// failed decides what becomes of a call whose attempt failed.
func (s *Step) failed(e *Entry, r Result) {
	extend, was := e.Extend || e.Renew, e.Was
	e.Extend, e.Second = false, false
	s.settle(e)
	s.Live.LastFailure, s.Live.LastClass, s.Live.LastCode, s.Live.LastError = s.Now, r.Class, r.Code, r.Error
	if e.FirstFailed.IsZero() {
		e.FirstFailed = s.Now
	}
	switch {
	case e.Status == Success: // resolved meanwhile; should it be reopened, it is not sent at once
		e.Due = s.next(e, r)
	case s.Live.Deleted:
		if e.Status == Ready {
			s.finish(e, Failed, Deleted)
		}
	case !s.Policy.Retries:
		if e.Status == Ready {
			s.finish(e, Failed, cmp.Or(was, RetriesOff))
		}
	case extend:
		e.Window = s.Live.active(s.Now)
		s.again(e, r)
	case e.Status == Failed: // asked for by hand, and failed again: as it was
	case was != NoReason: // asked for by filter
		s.finish(e, Failed, was)
	default:
		if e.Window.IsZero() {
			e.Window = s.Live.active(s.Now)
		}
		if s.windowOver(e) {
			s.exhausted(e)
			break
		}
		s.again(e, r)
	}
}

// again plans the next attempt of e.
func (s *Step) again(e *Entry, r Result) {
	s.decided(e, &s.Live.Requeued.Failed)
	e.Status, e.Reason, e.Finished = Ready, NoReason, time.Time{}
	e.Due = s.next(e, r)
	s.Live.Waits(e)
}

// next returns when e is due after a failure: an interval later, or what the
// endpoint asked for, but not after its window.
func (s *Step) next(e *Entry, r Result) time.Time {
	wait := max(s.interval(e), min(r.RetryAfter, MaxRetryAfter))
	if !e.Window.IsZero() {
		wait = min(wait, s.Policy.Window-s.Live.active(s.Now).Sub(e.Window))
	}
	return s.Now.Add(wait)
}

// interval is the retry interval of e's next attempt, jittered by a hash: the
// same for the same call and attempt, so that replaying a commit changes nothing.
func (s *Step) interval(e *Entry) time.Duration {
	h := (uint64(e.ID) ^ uint64(e.Attempts)<<56) + 0x9e3779b97f4a7c15 // splitmix64
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	h ^= h >> 31
	unit := float64(h>>11)/(1<<52) - 1 // -1 to 1
	// Times are kept to the millisecond.
	return (s.Policy.Interval + time.Duration(unit*s.Policy.Jitter*float64(s.Policy.Interval))).Truncate(time.Millisecond)
}

func (s *Step) finish(e *Entry, status Status, why Reason) {
	e.Status, e.Reason, e.Finished, e.Second = status, why, s.Now, false
	s.settle(e)
	switch r := &s.Live.Requeued; why {
	case Delivered:
		s.decided(e, &r.Delivered)
	case Resolved:
		s.decided(e, &r.Resolved)
	default:
		s.decided(e, &r.Failed)
	}
}

func (s *Step) exhausted(e *Entry) {
	s.finish(e, Failed, Exhausted)
	l := s.Live
	l.Outage.GivenUp++
	if s.Policy.Mode != ModeOutage {
		return
	}
	l.Pacing.GivenUp++
	if l.Pacing.DigestAt.IsZero() {
		l.Pacing.DigestAt = s.Now.Add(s.Policy.DigestEvery)
	}
}

// GiveUp ends a waiting call without a request: MayStart said so, or its
// callback is deleted.
func (s *Step) GiveUp(e *Entry) {
	if e.Status != Ready || e.Running {
		return
	}
	*s.Live.Counts.of(e)--
	switch {
	case s.Live.Deleted:
		s.finish(e, Failed, Deleted)
	case !s.Policy.Retries:
		s.finish(e, Failed, RetriesOff)
	default:
		s.exhausted(e)
	}
	*s.Live.Counts.of(e)++
	s.shown()
}

// Damage ends a call whose stored response cannot be read: it must never be
// sent, and never be lost silently.
func (s *Step) Damage(e *Entry) {
	if e.Running || e.Status != Ready {
		return
	}
	*s.Live.Counts.of(e)--
	s.finish(e, Failed, Damaged)
	*s.Live.Counts.of(e)++
	s.shown()
}

// Interrupted records that the process ended while an attempt of e ran: claimed
// before, without a result. It is neither a failure nor a success of the
// endpoint. Live must be as Restarted made it, e as it was claimed; manual says
// how.
func (s *Step) Interrupted(e *Entry, manual bool) {
	*s.Live.Counts.of(e)--
	e.Running, e.Manual, e.Extend = false, false, false
	e.Attempts++
	e.LastAt, e.LastCode, e.LastClass = later(s.Now, e.Enqueued), 0, ClassInterrupted
	s.Live.Attempts++
	switch {
	case e.Status != Ready:
	case s.Live.Deleted:
		s.finish(e, Failed, Deleted)
	case !s.Policy.Retries && !manual && e.Second:
		s.finish(e, Failed, cmp.Or(e.Was, RetriesOff))
	default:
		e.Due, e.Second = s.Now, true
		s.Live.Waits(e)
	}
	*s.Live.Counts.of(e)++
	s.shown()
}
