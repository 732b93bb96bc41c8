package callback

import "time"

// Live is how a callback does: what its engine keeps of it in memory and writes
// with each commit that touches it.
type Live struct {
	Num    Num
	Gate   Gate
	Outage OutageState
	Counts Counts
	Pacing Pacing

	Requeued Requeued

	// Attempts counts the attempts recorded of the calls that are stored, Good
	// those of them that succeeded.
	Attempts, Good uint64

	// Suspended: no attempts are made. SuspendedAt is when that began,
	// SuspendedTotal the sum of the times before, for which windows stood still.
	Suspended      bool
	SuspendedBy    string
	SuspendedAt    time.Time
	SuspendedTotal time.Duration
	ResumedAt      time.Time

	Deleted bool
	// Since is when the shown State was entered; State is kept to notice. What
	// people are told is ShownSince.
	State State
	Since time.Time

	LastSuccess time.Time
	LastFailure time.Time
	LastError   string // sentence of the last failed attempt
	LastClass   Class
	LastCode    int

	// OutagesPurged is how many outages retention removed: the first ones.
	OutagesPurged uint32

	// Oldest bounds from below the windows of tried calls that wait, in active
	// time: nothing needs to be given up before Oldest + window. It is not stored.
	Oldest time.Time

	// Running counts the attempts that run by themselves, Manual those that
	// people asked for. They are never stored: after a restart nothing runs.
	Running, Manual int
}

// Counts counts a callback's calls. Each accepted call is in exactly one of the
// five in the middle until retention purges it.
type Counts struct {
	Accepted                                       uint64
	Pending, Retrying, Delivered, Resolved, Failed uint64 // Pending: never tried; Retrying: tried, waiting or running
	Purged, Skipped                                uint64 // Skipped ones were never stored
}

// Waiting returns how many calls are still to be delivered.
func (c Counts) Waiting() uint64 { return c.Pending + c.Retrying }

// InClass returns how many calls are in one class, those that run included.
func (c Counts) InClass(class DueClass) uint64 {
	return [...]uint64{Fresh: c.Pending, Tried: c.Retrying}[class]
}

// of returns the counter that a call in e's state is in.
func (c *Counts) of(e *Entry) *uint64 {
	switch {
	case e.Status == Ready && e.Attempts == 0:
		return &c.Pending
	case e.Status == Ready:
		return &c.Retrying
	case e.Status == Failed:
		return &c.Failed
	case e.Reason == Resolved:
		return &c.Resolved
	}
	return &c.Delivered
}

// State is what is shown of a callback.
type State uint8

// The states, best first.
const (
	Healthy State = iota
	Failing
	Down
	Suspended
)

// String returns the contract's word.
func (s State) String() string { return [...]string{"healthy", "failing", "down", "suspended"}[s] }

// ParseState returns the state of the contract's word.
func ParseState(word string) (State, bool) {
	for s := Healthy; s <= Suspended; s++ {
		if s.String() == word {
			return s, true
		}
	}
	return 0, false
}

// shown returns the state to show: the worst that is true.
func (l *Live) shown() State {
	switch {
	case l.Suspended:
		return Suspended
	case l.Gate.State == Open:
		return Down
	case l.Gate.State == Ramp || l.Outage.Phase == OutageOpen:
		return Failing
	}
	return Healthy
}

// ShownSince returns since when the callback does as is shown, as its owner asks:
// one that fails or is down has done so since its outage began, whatever a
// suspension or a probe that succeeded made of its State meanwhile.
func (l *Live) ShownSince() time.Time {
	o := &l.Outage
	switch {
	case l.State != Failing && l.State != Down:
	case o.Phase == OutageOpen, o.Phase == Recovering && l.State == Failing:
		return o.Started
	}
	return l.Since
}

// Purgeable returns up to which number outages may be removed once they are
// old: all of a deleted callback, else all but the last, which goes on here.
func (l *Live) Purgeable() uint32 {
	if l.Deleted || l.Outage.N == 0 {
		return l.Outage.N
	}
	return l.Outage.N - 1
}

// Empty reports whether the callback is deleted and retention has removed its
// last call and outage: once it has no alert and no operation either, it goes.
func (l *Live) Empty() bool {
	return l.Deleted && l.Counts.Sum() == 0 && l.OutagesPurged == l.Outage.N
}

// Holds reports whether calls wait for something other than their time.
func (l *Live) Holds() bool { return l.Suspended || l.Gate.State == Open }

// active returns t on the callback's own clock, which stands still while it is
// suspended. Windows are kept on that clock.
func (l *Live) active(t time.Time) time.Time {
	if l.Suspended {
		t = l.SuspendedAt
	}
	return t.Add(-l.SuspendedTotal)
}

// Restarted returns l as it is after the process ended and began again: nothing
// runs, and a gate that is not closed probes at once.
func (l Live) Restarted(now time.Time) Live {
	l.Running, l.Manual, l.Oldest = 0, 0, time.Time{}
	l.Gate.probeNow(now)
	l.Oldest = time.Time{} // not stored
	if l.Counts.Retrying > 0 {
		l.Oldest = callEpochTime // the next sweep finds it
	}
	return l
}

// Policy is what the configuration and a callback's own settings say together.
type Policy struct {
	Retries     bool
	Ordered     bool
	MaxInFlight int
	Interval    time.Duration
	Window      time.Duration
	Jitter      float64 // share of Interval, 0 to 0.5

	Mode          AlertMode // never ModeUnset
	MaxPerHour    int
	Recovery      bool
	RecoveryAfter time.Duration
	DigestEvery   time.Duration
	SuspendAfter  time.Duration // 0: never
}

// For returns p as it is for cb, whose settings win.
func (p Policy) For(cb *Callback) Policy {
	p.Retries, p.Ordered = cb.Retries, cb.Ordered
	if cb.MaxInFlight > 0 {
		p.MaxInFlight = cb.MaxInFlight
	}
	if cb.Ordered {
		p.MaxInFlight = 1
	}
	if cb.Alerts != ModeUnset {
		p.Mode = cb.Alerts
	}
	return p
}

// Fixed bounds of the state machine.
const (
	MaxRetryAfter = time.Hour   // a longer Retry-After is cut to this
	Spacing       = time.Second // between attempts of a callback that is down, where the interval does not hold
	MaxAttempts   = 100_000     // of one call; a person's retries end there
	TripAfter     = 3           // failures in a row of different calls that open the gate
)
