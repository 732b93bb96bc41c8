package callback

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestModel drives a small house with random events and checks every invariant
// of the state machine after each of them.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := newHouse(t)
		// The digits put what keeps a house busy where rapid draws more often.
		t.Repeat(map[string]func(*rapid.T){
			"":            func(*rapid.T) { h.check() },
			"00 enqueue":  h.enqueue,
			"01 minutes":  func(t *rapid.T) { h.run(time.Duration(rapid.IntRange(1, 90).Draw(t, "min")) * time.Minute) },
			"02 endpoint": h.endpoint,
			"03 seconds":  func(t *rapid.T) { h.run(time.Duration(rapid.IntRange(1, 90).Draw(t, "s")) * time.Second) },
			"04 hours":    func(t *rapid.T) { h.run(time.Duration(rapid.IntRange(1, 40).Draw(t, "h")) * time.Hour) },
			"05 enqueue":  h.enqueue,
			"06 poison":   h.poison,
			"07 freeze":   func(t *rapid.T) { h.now = h.now.Add(drawGap(t)); h.run(0) },
			"08 crash":    h.crash,
			"09 retry":    h.retry,
			"10 resolve":  h.resolve,
			"11 undo":     h.undo,
			"12 reopen":   h.reopen,
			"13 edit":     h.edit,
			"14 suspend":  func(t *rapid.T) { h.lane(t).do(func(s *Step) { s.Suspend("ann") }); h.run(0) },
			"15 resume":   h.resume,
			"16 delete":   h.delete,
			"17 damage":   h.damage,
			"18 requeue":  h.requeue,
		})
		h.settle()
	})
}

func drawGap(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, time.Second, 10 * time.Minute, 3 * time.Hour, 60 * time.Hour}).Draw(t, "gap")
}

func (h *house) lane(t *rapid.T) *lane {
	return h.lanes[rapid.IntRange(0, len(h.lanes)-1).Draw(t, "callback")]
}

// pick returns a lane and one of its calls for which ok holds, a young one, or
// nil. (No action skips: rapid ends a run that skips much.)
func (h *house) pick(t *rapid.T, ok func(*call) bool) (*lane, *call) {
	l := h.lane(t)
	var some []*call
	for _, c := range l.calls {
		if ok(c) {
			some = append(some, c)
		}
	}
	back := rapid.IntRange(0, 7).Draw(t, "back")
	if len(some) == 0 {
		return l, nil
	}
	return l, some[len(some)-1-back%len(some)]
}

func (h *house) poison(t *rapid.T) {
	if _, c := h.pick(t, func(c *call) bool { return c.Status != Success }); c != nil {
		c.poisoned = !c.poisoned
	}
}

func (h *house) enqueue(t *rapid.T) {
	l := h.lane(t)
	if l.live.Deleted || l.live.Counts.Waiting() > 40 {
		return
	}
	delay := rapid.SampledFrom([]time.Duration{0, 0, 0, time.Minute, 2 * time.Hour}).Draw(t, "deliverAt")
	for range rapid.IntRange(1, 8).Draw(t, "burst") {
		l.enqueue(delay)
	}
	h.run(0)
}

func (l *lane) enqueue(delay time.Duration) {
	h := l.h
	h.last = NextCallID(h.last, h.now)
	c := &call{Entry: Entry{ID: h.last, Num: l.live.Num, Enqueued: h.now}}
	if delay > 0 {
		c.Due = h.now.Add(delay)
	}
	if l.live.Gate.State == Open && !l.frozen && delay == 0 {
		c.window = l.active()
	}
	l.do(func(s *Step) { s.Enqueue(&c.Entry) })
	l.calls = append(l.calls, c)
}

func (h *house) endpoint(t *rapid.T) {
	l := h.lane(t)
	l.end.mode = rapid.SampledFrom([]string{"up", "up", "refused", "status", "flapping"}).Draw(t, "mode")
	l.end.latency = rapid.SampledFrom([]time.Duration{0, 0, time.Second, time.Minute}).Draw(t, "latency")
	l.end.retryAfter = rapid.SampledFrom([]time.Duration{0, 0, 90 * time.Second, 30 * time.Minute, 48 * time.Hour}).Draw(t, "retryAfter")
}

// crash ends the process and starts it again after a while.
func (h *house) crash(t *rapid.T) {
	h.now = h.now.Add(drawGap(t))
	for _, l := range h.lanes {
		l.live = l.live.Restarted(h.now)
		l.asked = h.now
		for _, c := range l.calls {
			manual := c.Manual
			c.Running, c.Manual, c.Extend = false, false, false
			if c.run == nil {
				continue
			}
			was, outage := c.Entry, l.live.Outage
			c.run = nil
			l.do(func(s *Step) { s.Interrupted(&c.Entry, manual) })
			c.made++
			c.lost++
			c.owed = true
			c.again = c.again && c.Status == Ready
			if was.Status != Ready && (c.Status != was.Status || c.Reason != was.Reason) {
				t.Fatalf("call %s was interrupted: %d %q, was %d %q", c.ID, c.Status, c.Reason, was.Status, was.Reason)
			}
			if l.live.Outage != outage || l.live.Gate.State != Open && l.live.Gate.RowN < 0 {
				t.Fatalf("an interruption changed the outage")
			}
		}
	}
	h.run(0)
}

func (h *house) retry(t *rapid.T) {
	l, c := h.pick(t, func(*call) bool { return true })
	if c == nil {
		return
	}
	may := c.run == nil && c.Status != Success && !l.frozen && !l.live.Deleted
	var err error
	extend := rapid.Bool().Draw(t, "extend")
	l.do(func(s *Step) { err = s.StartManual(&c.Entry, extend) })
	if may != (err == nil) || err != nil && ErrorCode(err) != CodeConflict {
		t.Fatalf("retry of %s: %v, want it allowed: %v", c.ID, err, may)
	}
	if err == nil {
		l.began(c)
	}
	h.run(0)
}

// requeue asks for some calls of a callback again, as a retry by filter does,
// the oldest first.
func (h *house) requeue(t *rapid.T) {
	l := h.lane(t)
	extend, skip := rapid.Bool().Draw(t, "extend"), rapid.IntRange(1, 4).Draw(t, "skip")
	if l.live.Gate.State == Open {
		l.asked = h.now
	}
	l.do(func(s *Step) { s.Probe() })
	first := true
	for i, c := range l.calls {
		if i%skip > 0 {
			continue
		}
		failed := c.Status == Failed && c.Reason != Deleted && c.Reason != Damaged
		may := !l.live.Deleted && c.run == nil && c.made > 0 && (failed || c.Status == Ready && !c.again && (c.Due.After(h.now) || !c.Requeued))
		var changed bool
		l.do(func(s *Step) { changed = s.Requeue(&c.Entry, extend, first) })
		if changed != may || changed && (c.Status != Ready || c.Due.After(h.now)) {
			t.Fatalf("call %s was asked for again: %v, want %v: %+v", c.ID, changed, may, c.Entry)
		}
		if changed {
			c.requeued, first = h.now, false
		}
		if changed && failed {
			c.again, c.renew = true, extend
		}
	}
	h.run(0)
}

func (h *house) resolve(t *rapid.T) {
	l, c := h.pick(t, func(c *call) bool { return c.Status != Success })
	if c == nil {
		return
	}
	before := c.Entry
	l.do(func(s *Step) { s.Resolve(&c.Entry, "ann") })
	c.before, c.again = &before, false
	if c.Status != Success || c.Reason != Resolved {
		t.Fatalf("call %s was resolved and is %d %q", c.ID, c.Status, c.Reason)
	}
}

func (h *house) undo(t *rapid.T) {
	l, c := h.pick(t, func(c *call) bool { return c.before != nil })
	if c == nil {
		return
	}
	may := c.Status == Success && c.Reason == Resolved && c.run == nil && c.made == c.before.Attempts && !l.live.Deleted
	want := *c.before
	want.Running, want.Manual, want.Extend = false, false, false
	var err error
	l.do(func(s *Step) { err = s.Undo(&c.Entry, *c.before) })
	if may != (err == nil) || may && c.Entry != want {
		t.Fatalf("undo of %s: %v, want it allowed: %v; %+v, want %+v", c.ID, err, may, c.Entry, want)
	}
	if may {
		c.again, c.renew = c.before.Was != NoReason, c.before.Renew
	}
	h.run(0)
}

func (h *house) reopen(t *rapid.T) {
	l, c := h.pick(t, func(c *call) bool { return c.Status == Success })
	if c == nil {
		return
	}
	may := c.Reason == Resolved && !l.live.Deleted
	again := c.made == 0 || l.p.Retries && (c.window.IsZero() || l.active().Sub(c.window) < l.p.Window)
	var err error
	l.do(func(s *Step) { _, err = s.Reopen(&c.Entry) })
	if may != (err == nil) {
		t.Fatalf("reopen of %s: %v, want it allowed: %v", c.ID, err, may)
	}
	if may && again && c.Status != Ready || may && !again && (c.Status != Failed || c.Reason != Reopened) {
		t.Fatalf("call %s was reopened and is %d %q, want to be sent again: %v", c.ID, c.Status, c.Reason, again)
	}
	h.run(0)
}

func (h *house) edit(t *rapid.T) {
	l := h.lane(t)
	if l.live.Deleted {
		return
	}
	mode := l.p.Mode
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0:
		l.p.Retries = !l.p.Retries
	case 1:
		if !l.p.Ordered {
			l.p.MaxInFlight = rapid.SampledFrom([]int{1, 2, 4, 16}).Draw(t, "max")
		}
	case 2:
		l.p.Mode = rapid.SampledFrom([]AlertMode{ModeOutage, ModeEveryCall, ModeOff}).Draw(t, "mode")
	}
	l.steady = l.steady && l.p.Mode == mode
	l.asked = h.now
	l.do(func(s *Step) { s.Edited() })
	h.run(0)
}

func (h *house) resume(t *rapid.T) {
	l := h.lane(t)
	frozen := l.frozen
	if frozen {
		l.asked = h.now
	}
	l.do(func(s *Step) { s.Resume() })
	if frozen && l.live.Counts.Waiting() > 0 && l.live.Gate.State != Open {
		t.Fatalf("resumed, and the gate is %v", l.live.Gate.State)
	}
	h.run(0)
}

func (h *house) delete(t *rapid.T) {
	l := h.lane(t)
	if l.live.Deleted || rapid.IntRange(0, 5).Draw(t, "really") > 0 {
		return
	}
	l.steady = false
	l.do(func(s *Step) { s.Delete() })
	h.run(0)
	for _, c := range l.wait() {
		t.Fatalf("call %s waits for a deleted callback", c.ID)
	}
}

func (h *house) damage(t *rapid.T) {
	l, c := h.pick(t, func(c *call) bool { return c.Status == Ready })
	if c == nil {
		return
	}
	if rapid.IntRange(0, 5).Draw(t, "really") > 0 {
		return
	}
	l.do(func(s *Step) { s.Damage(&c.Entry) })
	c.again = c.again && c.run != nil
	if (c.run == nil) != (c.Reason == Damaged) {
		t.Fatalf("call %s was damaged and is %d %q", c.ID, c.Status, c.Reason)
	}
}

// check holds every lane to the invariants.
func (h *house) check() {
	for _, l := range h.lanes {
		l.check()
		l.checkMails()
	}
}

func (l *lane) check() {
	t, live := l.h.t, &l.live
	var n Counts
	running, manual := 0, 0
	var attempts, good, asked, once uint64
	for _, c := range l.calls {
		attempts += uint64(c.Attempts)
		if c.Reason == Delivered {
			good++
		}
		*n.of(&c.Entry)++
		n.Accepted++
		if c.Requeued {
			asked++
		}
		if c.again && !c.renew {
			once++
		}
		if c.run != nil && c.Manual {
			manual++
		} else if c.run != nil {
			running++
		}
		l.checkCall(c)
	}
	if n != live.Counts || live.Counts.Sum() != live.Counts.Accepted {
		t.Fatalf("counts are %+v, a recount gives %+v", live.Counts, n)
	}
	if attempts != live.Attempts || good != live.Good {
		t.Fatalf("%d attempts, %d of them good, are counted as %d and %d", attempts, good, live.Attempts, live.Good)
	}
	if asked != live.Requeued.Waiting() {
		t.Fatalf("%d calls were let go again and wait, of %+v", asked, live.Requeued)
	}
	if once != live.Requeued.Once {
		t.Fatalf("%d calls get one attempt, of %+v", once, live.Requeued)
	}
	if running != live.Running || manual != live.Manual {
		t.Fatalf("%d and %d run, %d and %d counted", running, manual, live.Running, live.Manual)
	}
	g := &live.Gate
	bad := false
	switch g.State {
	case Closed:
		bad = !g.OpenedAt.IsZero() || !g.Probe.IsZero() || g.Limit != 0
	case Open:
		bad = g.OpenedAt.IsZero() || g.Probe.IsZero() || g.RowN != 0
	case Ramp:
		bad = g.Limit < 1 || g.Limit >= l.p.MaxInFlight || g.Good >= g.Limit || g.OpenedAt.IsZero()
	}
	if bad || g.RowN >= TripAfter {
		t.Fatalf("gate %+v with at most %d in flight", *g, l.p.MaxInFlight)
	}
	if live.State != live.shown() || live.Since.After(l.h.now) {
		t.Fatalf("state %v is kept, %v shown", live.State, live.shown())
	}
	if o := live.Outage; o.Phase == Recovering && o.Healthy.IsZero() || o.Phase == OutageOpen && !o.Healthy.IsZero() || o.Calls > o.Failures {
		t.Fatalf("outage %+v", o)
	}
}

func (l *lane) checkCall(c *call) {
	t := l.h.t
	switch {
	case c.Attempts != c.made:
		t.Fatalf("call %s counts %d attempts, %d were made", c.ID, c.Attempts, c.made)
	case c.Running != (c.run != nil):
		t.Fatalf("call %s is marked as running: %v", c.ID, c.Running)
	case c.Status == Ready && (c.Reason != NoReason || c.Due.IsZero() || !c.Finished.IsZero()):
		t.Fatalf("call %s waits with %+v", c.ID, c.Entry)
	case c.Status != Ready && (c.Reason == NoReason || c.Finished.IsZero()):
		t.Fatalf("call %s is done with %+v", c.ID, c.Entry)
	case (c.Reason == Exhausted || c.Reason == RetriesOff || c.Reason == Reopened) && c.made == 0:
		t.Fatalf("call %s is %q without an attempt", c.ID, c.Reason)
	case (c.Was != NoReason) != c.again || c.Renew != (c.again && c.renew):
		t.Fatalf("call %s is owed an attempt: %v, want %v; a window: %v", c.ID, c.Was, c.again, c.Renew)
	case !c.Window.Equal(c.window):
		t.Fatalf("call %s has its window from %v, want %v", c.ID, c.Window, c.window)
	}
	over := c.made > 0 && !c.window.IsZero() && l.active().Sub(c.window) >= l.p.Window
	if over && !c.again && c.Status == Ready && c.run == nil && l.live.Gate.State == Open && !l.frozen && l.p.Retries {
		t.Fatalf("call %s is held after its window: over since %v, sweep at %v", c.ID, l.active().Sub(c.window)-l.p.Window, l.live.Oldest)
	}
}

// checkMails holds the numbers of alerts to what happened.
func (l *lane) checkMails() {
	t := l.h.t
	outages := 0
	for n := uint32(1); n <= l.live.Outage.N; n++ {
		mode, ok := l.modes[n]
		if !ok {
			t.Fatalf("outage %d of %d was never seen", n, l.live.Outage.N)
		}
		has := l.h.keys[fmt.Sprintf("outage/%016X/%d", uint64(l.id), n)]
		if has != (mode == ModeOutage) {
			t.Fatalf("outage %d in mode %q has an alert: %v", n, mode, has)
		}
		if has {
			outages++
		}
	}
	if outages != l.mails[AlertOutage] || l.mails[AlertRecovered] > int(l.live.Outage.N) {
		t.Fatalf("%d outage alerts for %d outages", l.mails[AlertOutage], outages)
	}
	if !l.steady {
		return
	}
	if got := l.digested + l.live.Pacing.GivenUp; got != l.exhausted {
		t.Fatalf("%d calls were given up, digests tell of %d", l.exhausted, got)
	}
	if got := uint64(l.mails[AlertCall]) + l.summed + l.live.Pacing.Suppressed; got != l.firstFails {
		t.Fatalf("%d calls failed for the first time, mails tell of %d", l.firstFails, got)
	}
}

// settle heals everything, waits, and checks that everything came to an end.
func (h *house) settle() {
	h.run(time.Minute) // what runs with the old latency ends
	var longest time.Duration
	for _, l := range h.lanes {
		l.end, l.p.SuspendAfter = endpoint{mode: "up"}, 0
		l.asked = h.now
		l.do(func(s *Step) { s.Resume(); s.Edited() })
		if !l.live.Deleted {
			l.enqueue(0) // without a success no outage ends
		}
		for _, c := range l.calls {
			c.poisoned = false
			if c.Status == Ready {
				longest = max(longest, c.Due.Sub(h.now))
			}
		}
	}
	h.run(longest + 12*time.Minute)
	h.check()
	for _, l := range h.lanes {
		for _, c := range l.calls {
			if c.Status == Ready {
				h.t.Fatalf("all is well, and call %s waits: %+v, gate %+v", c.ID, c.Entry, l.live.Gate)
			}
		}
	}
	h.run(20 * time.Minute)
	h.check()
	for _, l := range h.lanes {
		if !l.live.Deleted && (l.live.Outage.Phase != NoOutage || l.live.State != Healthy) {
			h.t.Fatalf("all is well, the outage in phase %d and the state %v", l.live.Outage.Phase, l.live.State)
		}
	}
}
