package callback

import (
	"cmp"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// A house is a small ringback: callbacks with their calls in maps, a dispatcher
// that does what the real one does, and endpoints that behave as told. It keeps
// its own account of what was done, independent of Live and Entry, and holds
// the state machine to it at each event.
type house struct {
	t     *rapid.T
	now   time.Time
	lanes []*lane
	last  CallID
	keys  map[string]bool // of all alerts
}

// lane is one callback and its endpoint.
type lane struct {
	h    *house
	id   CallbackID
	p    Policy
	live Live

	calls []*call // in order of id
	end   endpoint
	book
}

// book is the lane's own account.
type book struct {
	total, frozenAt time.Duration // suspended in all; begun at, since the house's beginning
	frozen          bool
	asked           time.Time // last resume, edit or restart
	lastStart       time.Time // of an automatic attempt
	lastEnd         time.Time
	modes           map[uint32]AlertMode
	mails           map[AlertKind]int
	steady          bool // the alert mode never changed and the callback lives
	exhausted       uint64
	digested        uint64
	lastDigest      time.Time
	firstFails      uint64 // of calls that were not resolved
	summed          uint64
	hourly          map[time.Time]int
}

// call is one call with the account of its attempts.
type call struct {
	Entry
	poisoned  bool
	run       *run
	before    *Entry // when it was resolved last
	made      int
	window    time.Time // on the house's own active clock
	autoStart time.Time // of its last automatic attempt
	autoEnd   time.Time
	cut       bool // its next attempt was planned at its window's end
	late      int  // automatic attempts after its window, its first apart
	lost      int  // attempts cut by a crash
	again     bool // it had been given up, and was asked for by filter
	renew     bool // and a new window with it
	requeued  time.Time
	owed      bool // the last one was
}

// run is an attempt that runs.
type run struct {
	started, ends time.Time
	records       int
}

// endpoint is how an endpoint behaves now.
type endpoint struct {
	mode       string // up, refused, status, flapping
	latency    time.Duration
	retryAfter time.Duration
	served     int
}

var houseBegin = time.Date(2026, 5, 4, 23, 50, 0, 0, time.UTC)

func newHouse(t *rapid.T) *house {
	h := &house{t: t, now: houseBegin, keys: map[string]bool{}}
	for i := range rapid.IntRange(1, 3).Draw(t, "callbacks") {
		l := &lane{h: h, id: CallbackID(i + 1), p: drawPolicy(t), end: endpoint{mode: "up"}}
		l.live.Num = Num(i + 1)
		l.modes, l.mails, l.hourly, l.steady = map[uint32]AlertMode{}, map[AlertKind]int{}, map[time.Time]int{}, true
		h.lanes = append(h.lanes, l)
	}
	return h
}

func drawPolicy(t *rapid.T) Policy {
	cb := Callback{
		Retries:     rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "retries"),
		Ordered:     rapid.SampledFrom([]bool{false, false, false, true}).Draw(t, "ordered"),
		MaxInFlight: rapid.SampledFrom([]int{4, 1, 2, 16}).Draw(t, "max"),
	}
	return Policy{
		Interval:      5 * time.Minute,
		Window:        rapid.SampledFrom([]time.Duration{17 * time.Minute, time.Hour, 5 * time.Hour}).Draw(t, "window"),
		Jitter:        rapid.SampledFrom([]float64{0, .1}).Draw(t, "jitter"),
		Mode:          rapid.SampledFrom([]AlertMode{ModeOutage, ModeOutage, ModeEveryCall, ModeOff}).Draw(t, "mode"),
		MaxPerHour:    2,
		Recovery:      true,
		RecoveryAfter: 15 * time.Minute,
		DigestEvery:   time.Hour,
		SuspendAfter:  rapid.SampledFrom([]time.Duration{0, 0, 3 * time.Hour}).Draw(t, "suspend after"),
	}.For(&cb)
}

// active is now on the lane's own clock, kept apart from Live's.
func (l *lane) active() time.Time {
	if l.frozen {
		return houseBegin.Add(l.frozenAt - l.total)
	}
	return l.h.now.Add(-l.total)
}

// do makes one step and looks at what it changed.
func (l *lane) do(event func(*Step)) {
	was := l.live
	s := &Step{Policy: l.p, ID: l.id, Now: l.h.now, Live: &l.live}
	event(s)
	l.watch(was, s)
	for _, a := range s.Alerts {
		l.mail(a)
	}
	if l.live.Suspended != l.frozen {
		if l.frozen {
			l.total += l.h.now.Sub(houseBegin) - l.frozenAt
		}
		l.frozen, l.frozenAt = l.live.Suspended, l.h.now.Sub(houseBegin)
	}
}

// watch holds one step to the rules of outages.
// mail takes an alert in and holds it to the rules of its mode.
// wait returns the calls that wait, in the order in which a lane takes them.
func (l *lane) wait() []*call {
	var due []*call
	for _, c := range l.calls {
		if c.Status == Ready && c.run == nil {
			due = append(due, c)
		}
	}
	slices.SortFunc(due, func(a, b *call) int {
		if l.p.Ordered {
			return cmp.Compare(a.ID, b.ID)
		}
		return cmp.Or(cmp.Compare(a.DueClass(), b.DueClass()), a.Due.Compare(b.Due), cmp.Compare(a.ID, b.ID))
	})
	return due
}

// blocked reports whether an ordered lane has to wait for a call that runs.
func (l *lane) blocked() bool {
	return l.p.Ordered && slices.ContainsFunc(l.calls, func(c *call) bool { return c.run != nil && c.Status == Ready })
}

// dispatch starts and gives up what may be now, and ticks.
func (l *lane) dispatch() {
	h := l.h
	for again := true; again; {
		again = false
		l.do(func(s *Step) {
			if at := s.ExpireAt(); l.live.Deleted || !at.IsZero() && !h.now.Before(at) {
				l.sweep(s)
			}
		})
		for i, c := range l.wait() {
			if l.p.Ordered && (i > 0 || l.blocked()) {
				break
			}
			asked := l.live.Gate.Asked
			if c.Due.After(h.now) && !(asked && c.Attempts > 0) && !l.live.Deleted {
				continue
			}
			var v Verdict
			l.do(func(s *Step) { v = s.MayStart(&c.Entry) })
			switch v {
			case Go:
				l.do(func(s *Step) {
					if at, ok := s.StartAt(&c.Entry); !ok || at.After(h.now) || s.Room() < 1 {
						h.t.Fatalf("call %s starts at %v, said to at %v, %v, room %d", c.ID, h.now, at, ok, s.Room())
					}
				})
				l.start(c)
			case GiveUp:
				l.do(func(s *Step) { l.giveUp(s, c) })
				again = true
			}
		}
		drained := l.live.Gate.State == Ramp && !l.live.Deleted && l.running() == 0 && !slices.ContainsFunc(l.wait(), func(c *call) bool { return !c.Due.After(h.now) })
		l.do(func(s *Step) {
			if at := s.NextTick(); drained || !at.IsZero() && !h.now.Before(at) {
				s.Tick(drained)
				again = true
				if at := s.NextTick(); !at.IsZero() && !at.After(h.now) {
					h.t.Fatalf("after a tick at %v the next is at %v", h.now, at)
				}
			}
		})
	}
}

// sweep does what an engine does at ExpireAt.
func (l *lane) sweep(s *Step) {
	l.live.Oldest = time.Time{}
	for _, c := range l.calls {
		if c.run != nil {
			continue // its result says what becomes of it
		}
		if c.Status == Ready && s.MayStart(&c.Entry) == GiveUp {
			l.giveUp(s, c)
		}
		l.live.Waits(&c.Entry)
	}
	if at := s.ExpireAt(); !at.IsZero() && !at.After(l.h.now) {
		l.h.t.Fatalf("after a sweep at %v the next is at %v", l.h.now, at)
	}
}

func (l *lane) giveUp(s *Step, c *call) {
	t := l.h.t
	s.GiveUp(&c.Entry)
	c.again = c.again && !l.live.Deleted
	switch {
	case c.Status != Failed:
		t.Fatalf("call %s was given up and is %d", c.ID, c.Status)
	case l.live.Deleted:
	case c.made == 0:
		t.Fatalf("call %s was given up without an attempt", c.ID)
	case c.again:
		t.Fatalf("call %s was given up without the attempt that was asked for", c.ID)
	case c.Reason == Exhausted:
		if l.p.Mode == ModeOutage {
			l.exhausted++
		}
		if l.live.Gate.State != Open || l.active().Sub(c.window) < l.p.Window {
			t.Fatalf("call %s was given up with its window at %v of %v", c.ID, l.active().Sub(c.window), l.p.Window)
		}
	case c.Reason != RetriesOff || l.p.Retries:
		t.Fatalf("call %s was given up for %q", c.ID, c.Reason)
	}
}

// running counts the automatic attempts that run.
func (l *lane) running() (n int) {
	for _, c := range l.calls {
		if c.run != nil && !c.Manual {
			n++
		}
	}
	return n
}

// start begins an automatic attempt, and checks that it may.
func (l *lane) start(c *call) {
	l.mayStart(c)
	l.do(func(s *Step) { s.Start(&c.Entry) })
	l.began(c)
	c.autoStart, l.lastStart = l.h.now, l.h.now
}

func (l *lane) began(c *call) {
	records := 1
	if l.end.served%7 == 3 {
		records = 2
	}
	c.run = &run{started: l.h.now, ends: l.h.now.Add(l.end.latency), records: records}
}

// mayStart checks an automatic attempt against the house's own account.
// heldFor is how long a call that was never tried has been held.
// answer says what the endpoint answers to an attempt of c.
func (l *lane) answer(c *call) Result {
	e := &l.end
	e.served++
	r := Result{Started: c.run.started, Records: c.run.records}
	switch {
	case e.mode == "refused":
		r.Unreachable, r.Class = true, ClassRefused
	case c.poisoned, e.mode == "status", e.mode == "flapping" && e.served%3 != 0:
		r.Class, r.Code, r.RetryAfter = ClassStatus, 500, e.retryAfter
	case e.mode == "flapping" && e.served%5 == 0:
		r.Unreachable, r.Class = true, ClassReset
	default:
		r.OK, r.Code = true, 200
	}
	return r
}

// finish ends the attempt that runs, and checks what became of the call.
// failed checks a failed attempt's call against the table of events.
// until lets the lane run on to the time end, event by event.
func (l *lane) until(end time.Time) {
	h := l.h
	for range 100_000 {
		for again := true; again; {
			again = false
			l.dispatch()
			for _, c := range l.calls {
				if c.run != nil && !c.run.ends.After(h.now) {
					l.finish(c)
					again = true
				}
			}
		}
		next := l.next()
		if next.IsZero() || next.After(end) {
			h.now = end
			return
		}
		h.now = next
	}
	h.t.Fatalf("lane %d does not come to rest", l.id)
}

// next returns when something happens next; zero: never.
func (l *lane) next() (next time.Time) {
	sooner := func(t time.Time) {
		if t.After(l.h.now) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, c := range l.calls {
		if c.run != nil {
			sooner(c.run.ends)
		}
	}
	l.do(func(s *Step) {
		sooner(s.NextTick())
		sooner(s.ExpireAt())
		for i, c := range l.wait() {
			at, ok := s.StartAt(&c.Entry)
			if !ok || l.p.Ordered && (i > 0 || l.blocked()) {
				continue
			}
			sooner(at)
			if !at.After(l.h.now) && s.Room() > 0 {
				l.h.t.Fatalf("call %s was to start at %v, has room and did not at %v", c.ID, at, l.h.now)
			}
		}
	})
	return next
}

// run lets all lanes run for d.
func (h *house) run(d time.Duration) {
	begin := h.now
	for _, l := range h.lanes {
		h.now = begin
		l.until(begin.Add(d))
	}
	h.now = begin.Add(d)
}
