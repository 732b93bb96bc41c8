package tui

import (
	"context"
	"slices"
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
