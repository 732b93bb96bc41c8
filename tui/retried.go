package tui

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file tells how calls fared that were sent again. Those of an operation are
// counted by the service (callback.Requeued); one that was sent by itself is asked
// after until its attempt has ended.

// retriedFor is how long it is told after the last of them was decided.
const retriedFor = 10 * time.Minute

// followFor is how long a call is asked after.
const followFor = 5 * time.Minute

// followed is the call that was sent again by itself last.
type followed struct {
	ref      string
	id       callback.CallID
	name     string // of its callback
	attempts int    // it had before
	outcome  callback.Requeued
	story    string // of what came of it
}

// followedMsg tells of it.
type followedMsg struct {
	of   *followed
	view callback.CallView
	err  error
}

func (a *asker) followed(f *followed) tea.Cmd {
	ref, id := f.ref, f.id
	return func() tea.Msg {
		v, err := ask(a.ctx, a, func(ctx context.Context) (callback.CallView, error) {
			return a.svc.Call(ctx, ref, id)
		})
		return followedMsg{f, v, err}
	}
}

// follow begins to ask after a call that is sent again.
func (d *desk) follow(v *callback.CallView) {
	now := d.running()
	d.followed = &followed{
		ref: v.CallbackID.String(), id: v.ID, name: v.Callback, attempts: v.Entry.Attempts,
		outcome: callback.Requeued{Began: now, Last: now, Calls: 1},
	}
}

// askFollowed asks after it, with each tick: an answer that comes late says the
// same as the next.
func (d *desk) askFollowed() tea.Cmd {
	f := d.followed
	switch {
	case f == nil || f.outcome.Waiting() == 0:
		return nil
	case d.running().Sub(f.outcome.Began) > followFor:
		d.followed = nil
		return nil
	}
	return d.ask.followed(f)
}

// tookFollowed takes an answer in.
func (d *desk) tookFollowed(msg followedMsg) {
	f, v := msg.of, &msg.view
	if f != d.followed || f.outcome.Waiting() == 0 {
		return
	}
	r := &f.outcome
	switch {
	case msg.err != nil && refused(msg.err): // it is not there any more
		d.followed = nil
		return
	case msg.err != nil, v.State == callback.StateDelivering:
		return // asked again
	case v.State == callback.StateDelivered:
		r.Delivered = 1
	case v.State == callback.StateResolved:
		r.Resolved = 1
	case v.Entry.Attempts > f.attempts:
		r.Failed = 1
	default:
		return
	}
	r.Last, f.story = d.running(), d.story(v)
	d.say(f.fared().role(), f.says(d))
}

// fared tells how it fared, as of many.
func (f *followed) fared() *fared { return &fared{Requeued: f.outcome, name: f.name} }

// says is that as a sentence.
func (f *followed) says(d *desk) string {
	s := d.retryTold(f.fared())
	if f.story != "" {
		s += "; " + f.story
	}
	return s
}

// fared is what became of calls that were sent again, of one callback or of several
// whose retries were begun together.
type fared struct {
	callback.Requeued
	name    string
	failed  []string // callbacks of which some failed, where there are several
	before  uint64   // calls that had succeeded when their turn came
	going   bool     // there are more to come
	stopped bool     // there would have been
	unsent  uint64   // how many; 0: that is not known
	waits   string   // what those wait for that still do
}

// role is how it is shown.
func (f *fared) role() Role {
	switch {
	case f.Failed > 0:
		return RoleFailing
	case f.Waiting() == 0 && !f.stopped:
		return RoleOK
	}
	return RoleText
}

// String tells what became of them.
func (f *fared) String() string {
	waiting, failed := "waiting", "failed"
	if f.waits != "" {
		waiting += ", " + f.waits
	}
	if n := len(f.failed); n > 0 && n <= 2 {
		failed += " (" + strings.Join(f.failed, ", ") + ")"
	}
	var parts []string
	all := f.Calls + f.before
	for _, part := range []struct {
		n    uint64
		word string
	}{{f.Delivered, "delivered"}, {f.Failed, failed}, {f.Resolved, "resolved"}, {f.Waiting(), waiting}, {f.before, "had succeeded before"}} {
		switch {
		case part.n == 0:
		case part.n < all || f.going || f.stopped:
			parts = append(parts, Count(part.n)+" "+part.word)
		case part.n == 1:
			parts = append(parts, part.word)
		default:
			parts = append(parts, "all "+Count(part.n)+" "+part.word)
		}
	}
	s := strings.Join(parts, ", ")
	switch {
	case f.going:
		return "so far " + s
	case f.stopped && f.unsent > 0:
		return s + ", " + Count(f.unsent) + " not sent: stopped"
	case f.stopped:
		return s + "; stopped before the rest"
	}
	return s
}

// add puts what became of others to it.
func (f *fared) add(o *fared) {
	if f.Began.IsZero() || o.Began.Before(f.Began) {
		f.Began = o.Began
	}
	f.Last = later(f.Last, o.Last)
	f.Calls, f.Delivered, f.Failed, f.Resolved = f.Calls+o.Calls, f.Delivered+o.Delivered, f.Failed+o.Failed, f.Resolved+o.Resolved
	f.before, f.unsent = f.before+o.before, f.unsent+o.unsent
	f.going, f.stopped = f.going || o.going, f.stopped || o.stopped
	if o.Failed > 0 {
		f.failed = append(f.failed, o.name)
	}
}

// retryTold is a sentence on it.
func (d *desk) retryTold(f *fared) string {
	return "Retry of " + f.name + ", " + d.clock.WhenShort(f.Began, d.now()) + ": " + f.String()
}

// fared tells how the calls of a callback fared that a filter let go again last.
func (d *desk) fared(h *callback.HealthView) fared {
	f := fared{Requeued: h.Live.Requeued, name: h.Name, going: d.retrying(h.ID), waits: d.waitFor(h)}
	if o := d.retryThat(h); o != nil && !f.going {
		f.before = d.overtaken(o)
		f.stopped = o.State == callback.OperationStopped || o.State == callback.OperationFailed
		if n := d.ops.counts[o.ID]; f.stopped && n > o.Matched {
			f.unsent = n - o.Matched
		}
	}
	return f
}

// retryThat returns the retry that a callback's account is of, or nil where it is
// not among the latest operations.
func (d *desk) retryThat(h *callback.HealthView) *callback.OperationView {
	for i := range d.ops.list { // the latest first
		o := &d.ops.list[i]
		switch {
		case o.CallbackID != h.ID || o.Kind != callback.OperationRetry || o.Changed == 0:
		case o.Created.After(h.Live.Requeued.Last):
			return nil
		default:
			return o
		}
	}
	return nil
}

// together is fared of all callbacks whose retries were begun together with that
// of h.
func (d *desk) together(h *callback.HealthView) fared {
	one := d.fared(h)
	o := d.retryThat(h)
	if o == nil {
		return one
	}
	all, n := fared{}, 0
	for _, o := range d.ops.relatives(o.ID) {
		if of := d.health(o.CallbackID); of != nil && d.retryThat(of) == o {
			n++
			f := d.fared(of)
			all.add(&f)
		}
	}
	if n < 2 {
		return one
	}
	all.name = strconv.Itoa(n) + " callbacks"
	return all
}

// retrying reports whether an operation lets calls of a callback go again now.
func (d *desk) retrying(id callback.CallbackID) bool {
	for i := range d.ops.list {
		if o := &d.ops.list[i]; o.CallbackID == id && o.Kind == callback.OperationRetry && o.Active() {
			return true
		}
	}
	return false
}

// retried tells how the calls of a callback fared that a filter let go again
// last; "" where that is long ago, or never was.
func (d *desk) retried(h *callback.HealthView) string {
	if !d.recent(&h.Live.Requeued) {
		return ""
	}
	f := d.fared(h)
	return f.String()
}

// overtaken returns how many calls a retry of our own would have let go, had they
// not been delivered by themselves, or resolved, before their turn.
func (d *desk) overtaken(o *callback.OperationView) uint64 {
	n := d.ops.counts[o.ID]
	if o.State != callback.OperationDone || n <= o.Matched {
		return 0
	}
	return n - o.Matched
}

// recent reports whether there is something to tell of a retry.
func (d *desk) recent(r *callback.Requeued) bool {
	return r.Calls > 0 && (r.Waiting() > 0 || d.now().Sub(r.Last) < retriedFor)
}

// lastRetry tells how the last retry fared, whoever asked for it: of a callback,
// or with 0 of all.
func (d *desk) lastRetry(id callback.CallbackID) (says string, role Role) {
	var last *callback.HealthView
	for i := range d.overview.Callbacks {
		h := &d.overview.Callbacks[i]
		if r := &h.Live.Requeued; r.Calls > 0 && (id == 0 || h.ID == id) && d.recent(r) && (last == nil || r.Began.After(last.Live.Requeued.Began)) {
			last = h
		}
	}
	if f := d.followed; f != nil && d.recent(&f.outcome) && (last == nil || f.outcome.Began.After(last.Live.Requeued.Began)) {
		if h := d.health(id); id == 0 || h != nil && h.Name == f.name {
			return f.says(d), f.fared().role()
		}
	}
	if last == nil {
		return "", RoleText
	}
	f := d.fared(last)
	if id == 0 {
		f = d.together(last)
	}
	return d.retryTold(&f), f.role()
}

// waitFor says what calls of a callback wait for that are due: that it is resumed,
// or the next probe of an endpoint that is down; "" for nothing but their turn.
func (d *desk) waitFor(h *callback.HealthView) string {
	switch {
	case h.Live.Suspended:
		return "suspended"
	case h.Live.Gate.State == callback.Open:
		return d.probe(h)
	}
	return ""
}

// probe says when the next probe of an endpoint that is down is made.
func (d *desk) probe(h *callback.HealthView) string {
	at, last := h.NextTry, h.Live.Gate.Last
	if at.IsZero() && !last.IsZero() && d.server.Interval > 0 { // it is made with the next call that is let go
		at = later(last.Add(d.server.Interval), d.now()) // long ago: then it is made now
	}
	next, late := Countdown(at, d.now())
	switch {
	case h.Live.Running > 0:
		return "probe under way"
	case late:
		return "probe due"
	case next == absent:
		return "probe"
	}
	return "probe " + next
}

// behind says what a held call waits for: in a few words for a column, or in more.
func (d *desk) behind(v *callback.CallView, long bool) string {
	h := d.health(v.CallbackID)
	switch {
	case h == nil || !h.Live.Holds():
		if long {
			return "until its callback is healthy or resumed"
		}
		return "held"
	case h.Live.Suspended:
		if long {
			return "until its callback is resumed"
		}
		return "suspended"
	case !long:
		return strings.Replace(d.probe(h), "probe in ", "probe ", 1)
	case h.Live.Running > 0 || h.NextTry.IsZero():
		return "behind the " + d.probe(h)
	}
	return "behind the " + d.probe(h) + " (" + d.clock.When(h.NextTry, d.now()) + ")"
}

// retriesEnded tells of retries that have come to their end since the overview before.
func (d *desk) retriesEnded(was *callback.Overview) {
	var says []string
	role := RoleOK
	for i := range was.Callbacks {
		before := &was.Callbacks[i].Live.Requeued
		if before.Waiting() == 0 {
			continue
		}
		h := d.health(was.Callbacks[i].ID)
		if h == nil || h.Live.Requeued.Waiting() > 0 || d.retrying(h.ID) {
			continue
		}
		f := d.together(h)
		if s := d.retryTold(&f); !slices.Contains(says, s) {
			says = append(says, s)
		}
		if f.role() != RoleOK {
			role = f.role()
		}
	}
	if len(says) > 0 {
		d.say(role, strings.Join(says, "; "))
	}
}
