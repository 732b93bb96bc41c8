package tui

import (
	"context"
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
	d.say(roleOfRetry(r), f.says(d))
}

// says tells how it fared.
func (f *followed) says(d *desk) string {
	s := d.retryOf(&f.outcome, f.name) + became(&f.outcome, 0, "")
	if f.story != "" {
		s += "; " + f.story
	}
	return s
}

// roleOfRetry is how what became of a retry is shown.
func roleOfRetry(r *callback.Requeued) Role {
	switch {
	case r.Failed > 0:
		return RoleFailing
	case r.Waiting() == 0:
		return RoleOK
	}
	return RoleText
}

// became tells what became of calls that were sent again, beside which before had
// succeeded when their turn came; waits says what those wait for that still do.
func became(r *callback.Requeued, before uint64, waits string) string {
	waiting := "waiting"
	if waits != "" {
		waiting += ", " + waits
	}
	var parts []string
	all := r.Calls + before
	for _, part := range []struct {
		n    uint64
		word string
	}{{r.Delivered, "delivered"}, {r.Failed, "failed"}, {r.Resolved, "resolved"}, {r.Waiting(), waiting}, {before, "had succeeded before"}} {
		switch {
		case part.n == 0:
		case part.n < all:
			parts = append(parts, Count(part.n)+" "+part.word)
		case part.n == 1:
			return part.word
		default:
			return "all " + Count(part.n) + " " + part.word
		}
	}
	return strings.Join(parts, ", ")
}

// retryOf begins a sentence on a retry of calls of a callback.
func (d *desk) retryOf(r *callback.Requeued, name string) string {
	return "Retry of " + name + ", " + d.clock.WhenShort(r.Began, d.now()) + ": "
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
	r := &h.Live.Requeued
	if !d.recent(r) {
		return ""
	}
	if d.retrying(h.ID) { // there are more to come
		return "so far " + strings.TrimPrefix(became(r, 0, d.waitFor(h)), "all ")
	}
	return became(r, d.succeededBefore(h.ID, r), d.waitFor(h))
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

// succeededBefore is overtaken of the retry that r tells of.
func (d *desk) succeededBefore(id callback.CallbackID, r *callback.Requeued) uint64 {
	for i := range d.ops.list { // the latest first
		o := &d.ops.list[i]
		switch {
		case o.CallbackID != id || o.Kind != callback.OperationRetry:
		case o.Created.After(r.Last):
			return 0
		default:
			return d.overtaken(o)
		}
	}
	return 0
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
			return f.says(d), roleOfRetry(&f.outcome)
		}
	}
	if last == nil {
		return "", RoleText
	}
	return d.retryOf(&last.Live.Requeued, last.Name) + d.retried(last), roleOfRetry(&last.Live.Requeued)
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
	next, _ := Countdown(at, d.now())
	switch {
	case h.Live.Running > 0:
		return "probe under way"
	case next == absent:
		return "next probe"
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
	for i := range was.Callbacks {
		before := &was.Callbacks[i].Live.Requeued
		if before.Waiting() == 0 {
			continue
		}
		h := d.health(was.Callbacks[i].ID)
		if h != nil && h.Live.Requeued.Waiting() == 0 && !d.retrying(h.ID) {
			d.say(roleOfRetry(&h.Live.Requeued), d.retryOf(&h.Live.Requeued, h.Name)+d.retried(h))
		}
	}
}
