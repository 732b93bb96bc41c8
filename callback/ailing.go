package callback

import "time"

// healthy feeds a success to gate and outage.
func (s *Step) healthy() {
	l := s.Live
	idle := l.Counts.Waiting() == 0
	l.Gate.succeeded(s.Policy, idle)
	if o := &l.Outage; o.Phase == OutageOpen {
		o.Phase, o.Healthy = Recovering, s.Now
		s.Changed = true
	}
}

// ailing feeds a failure of call e to gate and outage. first: it was e's first
// attempt; lingering: e had failed before the last outage closed.
func (s *Step) ailing(e *Entry, r Result, first, lingering bool) {
	l, o := s.Live, &s.Live.Outage
	tripped := l.Gate.failed(s.Now, e.ID, r.Unreachable, s.probeWait(e))
	switch o.Phase {
	case NoOutage:
		if lingering && !tripped {
			return
		}
		s.openOutage(e, r)
	case OutageOpen:
		o.Failures++
	case Recovering:
		o.Failures++
		if tripped || first && !r.Started.Before(o.Healthy) {
			o.Phase, o.Healthy = OutageOpen, time.Time{}
		}
	}
	s.Changed = true
}

// probeWait is how long a callback that is down is left alone after e failed.
func (s *Step) probeWait(e *Entry) time.Duration {
	if !s.Policy.Retries {
		return Spacing // each call gets its one attempt, and none is sent twice
	}
	return s.interval(e)
}

func (s *Step) openOutage(e *Entry, r Result) {
	l := s.Live
	l.Outage = OutageState{
		Phase: OutageOpen, N: l.Outage.N + 1, Started: s.Now, Closed: l.Outage.Closed,
		Failures: 1, First: r.Class, FirstCode: r.Code, FirstText: r.Error,
	}
	if s.Policy.Mode == ModeOutage {
		l.Outage.Told = true
		s.alert(Alert{
			Key: alertKey(AlertOutage, s.ID, l.Outage.N), Kind: AlertOutage,
			Call: e.ID, Attempt: e.Attempts, Since: s.Now,
		})
	}
}

func (s *Step) closeOutage() {
	s.Live.Outage.Phase, s.Live.Outage.Closed = NoOutage, s.Now
	s.Changed = true
}

// Record returns the record of the present or last outage.
func (l *Live) Record() Outage {
	o := Outage{Num: l.Num, OutageState: l.Outage}
	if o.Phase == NoOutage {
		if o.Ended = o.Healthy; o.Ended.IsZero() {
			o.Ended = o.Closed
		}
	}
	return o
}

// callAlert is the alert of a call's first failure, in every-call mode.
func (s *Step) callAlert(e *Entry) {
	if s.Policy.Mode != ModeEveryCall || s.Live.Deleted {
		return
	}
	p := &s.Live.Pacing
	if hour := s.Now.Truncate(time.Hour); !p.Hour.Equal(hour) {
		s.summary()
		p.Hour, p.Sent = hour, 0
	}
	if p.Sent >= s.Policy.MaxPerHour {
		p.Suppressed++
		return
	}
	p.Sent++
	s.alert(Alert{
		Key: alertKey(AlertCall, s.ID, e.ID), Kind: AlertCall,
		Call: e.ID, Attempt: e.Attempts, Since: s.Now,
	})
}

// summary tells of the hour's failures beyond the ceiling, if there were any.
func (s *Step) summary() {
	p := &s.Live.Pacing
	if p.Suppressed > 0 && s.Policy.Mode == ModeEveryCall {
		s.alert(Alert{
			Key: alertKey(AlertSummary, s.ID, p.Hour.Unix()), Kind: AlertSummary,
			Since: p.Hour, Until: p.Hour.Add(time.Hour), Failures: p.Suppressed,
		})
	}
	p.Suppressed = 0
}

func (s *Step) alert(a Alert) {
	a.Num, a.Callback, a.Outage, a.Created, a.Next = s.Live.Num, s.ID, s.Live.Outage.N, s.Now, s.Now
	s.Alerts = append(s.Alerts, a)
}

// Tick does what time alone brings about: a recovery that lasted, a digest or
// summary that is due, a suspension after a long outage. drained says that the
// callback has nothing due and nothing running, which closes a gate that was
// ramping up. Ticking early or twice is harmless.
func (s *Step) Tick(drained bool) {
	l := s.Live
	if l.Deleted {
		return
	}
	if drained && l.Gate.State == Ramp && l.Running == 0 {
		l.Gate.close()
	}
	if at, ok := s.recoveredAt(); ok && !s.Now.Before(at) {
		s.recovered()
	}
	if p := &l.Pacing; !p.DigestAt.IsZero() && !s.Now.Before(p.DigestAt) {
		s.digest()
	}
	if p := &l.Pacing; p.Suppressed > 0 && !s.Now.Before(p.Hour.Add(time.Hour)) {
		s.summary()
	}
	if at, ok := s.suspendAt(); ok && !s.Now.Before(at) {
		s.Suspend("limit")
		if s.Policy.Mode != ModeOff {
			s.alert(Alert{
				Key: alertKey(AlertSuspended, s.ID, s.Now.UnixMilli()), Kind: AlertSuspended,
				Since: l.Outage.Started, Failures: l.Outage.Failures, StillFailed: l.Counts.Waiting(),
			})
		}
	}
	s.shown()
}

// NextTick returns when Tick has something to do if nothing else happens, or
// zero.
func (s *Step) NextTick() (next time.Time) {
	sooner := func(t time.Time, ok bool) {
		if ok && !t.IsZero() && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	if s.Live.Deleted {
		return next
	}
	p := &s.Live.Pacing
	sooner(s.recoveredAt())
	sooner(p.DigestAt, true)
	sooner(p.Hour.Add(time.Hour), p.Suppressed > 0)
	sooner(s.suspendAt())
	return next
}

// recoveredAt returns when the outage is over, if the callback stays healthy.
func (s *Step) recoveredAt() (time.Time, bool) {
	o := &s.Live.Outage
	if o.Phase != Recovering || s.Live.Gate.State != Closed || s.Live.Suspended {
		return time.Time{}, false
	}
	return o.Healthy.Add(s.Policy.RecoveryAfter), true
}

func (s *Step) recovered() {
	l := s.Live
	s.closeOutage()
	if s.Policy.Mode == ModeOutage && s.Policy.Recovery && l.Outage.Told {
		s.alert(Alert{
			Key: alertKey(AlertRecovered, s.ID, l.Outage.N), Kind: AlertRecovered,
			Since: l.Outage.Started, Until: l.Outage.Healthy, Failures: l.Outage.Failures,
			Delivered: l.Outage.Delivered, StillFailed: l.Counts.Retrying, GivenUp: l.Outage.GivenUp,
		})
	}
}

func (s *Step) digest() {
	p := &s.Live.Pacing
	if s.Policy.Mode == ModeOutage && p.GivenUp > 0 {
		s.alert(Alert{
			Key: alertKey(AlertDigest, s.ID, s.Now.UnixMilli()), Kind: AlertDigest,
			Since: p.LastDigest, Until: s.Now, GivenUp: p.GivenUp,
		})
	}
	p.GivenUp, p.DigestAt, p.LastDigest = 0, time.Time{}, s.Now
}

// ExpireAt returns when the first window of a tried call that is held may end,
// or zero when none can: an engine then gives up what Step.MayStart says, and
// sets Live.Oldest to the oldest window that is left.
func (s *Step) ExpireAt() time.Time {
	l := s.Live
	if l.Gate.State != Open || l.Suspended || !s.Policy.Retries || l.Oldest.IsZero() || l.Counts.Retrying == 0 {
		return time.Time{}
	}
	return l.Oldest.Add(s.Policy.Window + l.SuspendedTotal)
}

// suspendAt returns when an endless outage suspends the callback.
func (s *Step) suspendAt() (time.Time, bool) {
	l := s.Live
	if s.Policy.SuspendAfter <= 0 || l.Suspended || l.Outage.Phase != OutageOpen {
		return time.Time{}, false
	}
	from := l.Outage.Started
	for _, t := range []time.Time{l.ResumedAt, l.LastSuccess} {
		if t.After(from) {
			from = t
		}
	}
	return from.Add(s.Policy.SuspendAfter), true
}

// shown notes when the state that is shown changes.
func (s *Step) shown() {
	if l := s.Live; l.Since.IsZero() || l.shown() != l.State {
		l.State, l.Since = l.shown(), s.Now
	}
}
