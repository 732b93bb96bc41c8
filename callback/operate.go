package callback

import "time"

// Resolve marks e as a success by hand: nothing starts for it any more. It
// reports whether anything changed; a delivered call stays as it is.
func (s *Step) Resolve(e *Entry, by string) bool {
	if e.Status == Success {
		return false
	}
	*s.Live.Counts.of(e)--
	s.finish(e, Success, Resolved)
	e.ResolvedBy = by
	*s.Live.Counts.of(e)++
	s.shown()
	return true
}

// Undo takes a resolve back: e becomes what it was before, with its old window
// and due time. It is a CodeConflict when e changed since it was resolved.
func (s *Step) Undo(e *Entry, before Entry) error {
	if e.Status != Success || e.Reason != Resolved || e.Running || e.Attempts != before.Attempts {
		return Errorf(CodeConflict, "call %s changed since it was resolved", e.ID)
	}
	if s.Live.Deleted {
		return Errorf(CodeConflict, "the callback of call %s is deleted", e.ID)
	}
	*s.Live.Counts.of(e)--
	before.Running, before.Manual, before.Extend = false, false, false
	again := before.Requeued
	before.Requeued = false
	before.LastAt, before.LastCode, before.LastClass = e.LastAt, e.LastCode, e.LastClass
	*e = before
	if again { // its resolve was what became of it
		s.requeued(e)
	}
	s.Live.Waits(e)
	*s.Live.Counts.of(e)++
	s.shown()
	return nil
}

// Reopen makes a resolved call count as failed again, and lets it be retried
// where its window still runs. It reports whether anything changed: waiting and
// failed calls stay as they are. A delivered call, or one whose callback is
// deleted, is a CodeConflict.
func (s *Step) Reopen(e *Entry) (bool, error) {
	switch {
	case e.Status != Success:
		return false, nil
	case e.Reason == Delivered:
		return false, Errorf(CodeConflict, "call %s was delivered", e.ID)
	case s.Live.Deleted:
		return false, Errorf(CodeConflict, "the callback of call %s is deleted", e.ID)
	}
	*s.Live.Counts.of(e)--
	e.ResolvedBy = ""
	if !e.tried() || s.Policy.Retries && !s.windowOver(e) {
		e.Status, e.Reason, e.Finished = Ready, NoReason, time.Time{}
		s.Live.Waits(e)
	} else {
		s.finish(e, Failed, Reopened)
	}
	*s.Live.Counts.of(e)++
	s.shown()
	return true, nil
}

// Requeue lets a call that failed be sent again, now, through the gate: the
// retry by filter. One that waits keeps its window and is only due earlier, or
// stays in line where it is due; one that was given up is owed one attempt (see
// Entry.Was), and extend lets a new window begin if that fails. first: nothing was
// let go by this retry yet; Live.Requeued begins anew with it, where the one before
// has come to its end. It reports whether anything changed, be it that Live.Requeued
// counts the call from now on: not for a call that runs, was never tried, was asked
// for before or is a success, nor where its response is damaged. While the callback is suspended the call is held.
func (s *Step) Requeue(e *Entry, extend, first bool) bool {
	failed := e.Status == Failed && e.Reason != Deleted && e.Reason != Damaged
	waits := e.Status == Ready && e.Was == NoReason && (e.Due.After(s.Now) || !e.Requeued)
	if s.Live.Deleted || e.Running || !e.tried() || e.Attempts >= MaxAttempts || !failed && !waits {
		return false
	}
	if first && s.Live.Requeued.Waiting() == 0 {
		s.Live.Requeued = Requeued{}
	}
	*s.Live.Counts.of(e)--
	if failed {
		e.Status, e.Was, e.Renew = Ready, e.Reason, extend
		e.Reason, e.Finished = NoReason, time.Time{}
	}
	if failed || e.Due.After(s.Now) {
		e.Due = s.Now
	}
	s.requeued(e)
	*s.Live.Counts.of(e)++
	s.shown()
	return true
}

// Probe begins a retry of many: an endpoint that is down is probed at once, for a
// person has reason to think that it is back.
func (s *Step) Probe() {
	s.Live.Gate.probeNow(s.Now)
	s.shown()
}

// Suspend stops all attempts; calls are accepted and held, windows stand still.
// It reports whether anything changed.
func (s *Step) Suspend(by string) bool {
	l := s.Live
	if l.Suspended || l.Deleted {
		return false
	}
	l.SuspendedAt, l.SuspendedBy, l.Suspended = s.Now, by, true
	s.shown()
	return true
}

// Resume ends a suspension; the endpoint is probed at once.
func (s *Step) Resume() bool {
	l := s.Live
	if !l.Suspended {
		return false
	}
	l.SuspendedTotal += max(s.Now.Sub(l.SuspendedAt), 0)
	l.Suspended, l.SuspendedBy, l.SuspendedAt, l.ResumedAt = false, "", time.Time{}, s.Now
	// With nothing to probe with and no outage there is nothing to be wary of.
	if l.Counts.Waiting() > 0 || l.Outage.Phase != NoOutage {
		l.Gate.reopen(s.Now)
	}
	s.shown()
	return true
}

// Acknowledge notes who knows of outage n; the last to say so stays. It reports
// whether anything changed. An outage that is over is a CodeConflict.
func (s *Step) Acknowledge(n uint32, by string) (bool, error) {
	o := &s.Live.Outage
	switch {
	case n == 0 || n > o.N:
		return false, Errorf(CodeNotFound, "the callback has no outage number %d", n)
	case n < o.N || o.Phase == NoOutage:
		return false, Errorf(CodeConflict, "outage %d is over", n)
	case by == "":
		return false, &Error{Code: CodeInvalid, Message: "nobody is named", Fields: []FieldError{{Field: "by", Message: "is required: who knows of the outage"}}}
	case o.Acked == by:
		return false, nil
	}
	o.Acked, s.Changed = by, true
	return true, nil
}

// Edited takes note that the callback was changed: an endpoint that is down is
// probed at once. Step.Policy is the new one.
func (s *Step) Edited() {
	s.Live.Gate.probeNow(s.Now)
	if g := &s.Live.Gate; g.State == Ramp && g.Limit >= s.Policy.MaxInFlight {
		g.close()
	}
	s.shown()
}

// Delete marks the callback deleted. Its waiting calls are still to be given
// up, one GiveUp each; what runs finishes and is recorded.
func (s *Step) Delete() {
	l := s.Live
	l.Deleted, l.Suspended = true, false
	l.Gate.close() // or whoever drains a ramp would ask for it for ever
	if l.Outage.Phase != NoOutage {
		s.closeOutage()
	}
	l.Pacing = Pacing{LastDigest: l.Pacing.LastDigest}
	s.shown()
}
