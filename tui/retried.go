package tui

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file tells how calls fared that were sent again. Those that a filter
// selected are counted by the service (callback.Requeued); those that this
// screen named one by one are asked after until their attempt has ended.

// retriedFor is how long it is told after the last of them was decided.
const retriedFor = 10 * time.Minute

// Bounds of what is asked after: how many calls, how many of them with one tick,
// and for how long.
const (
	maxFollowed  = 100
	followAtOnce = 10
	followFor    = 5 * time.Minute
)

// followed are the calls of the last job that sent some again.
type followed struct {
	calls    []followedCall // not decided yet
	asking   int
	name     string // of their callback; "": of several
	outcome  callback.Requeued
	lastSays string
}

// followedCall is a call as it was before it was sent again.
type followedCall struct {
	ref      string
	id       callback.CallID
	attempts int
}

// followedMsg tells of one of them.
type followedMsg struct {
	call followedCall
	view callback.CallView
	err  error
}

func (a *asker) followed(c followedCall) tea.Cmd {
	return func() tea.Msg {
		v, err := ask(a.ctx, a, func(ctx context.Context) (callback.CallView, error) {
			return a.svc.Call(ctx, c.ref, c.id)
		})
		return followedMsg{c, v, err}
	}
}

// follow begins to ask after calls that were sent again, one with each step.
func (d *desk) follow(steps []step) {
	d.followed = nil
	if len(steps) == 0 || len(steps) > maxFollowed {
		return
	}
	f := &followed{name: steps[0].name}
	f.outcome.Began, f.outcome.Last, f.outcome.Calls = d.running(), d.running(), uint64(len(steps))
	for _, s := range steps {
		if s.name != f.name {
			f.name = ""
		}
		f.calls = append(f.calls, followedCall{s.ref, s.ids[0], s.attempts})
	}
	d.followed = f
}

// askFollowed asks after some of them.
func (d *desk) askFollowed() tea.Cmd {
	f := d.followed
	if f == nil || f.asking > 0 || d.job != nil {
		return nil
	}
	if d.running().Sub(f.outcome.Began) > followFor {
		f.calls = nil
	}
	var cmds []tea.Cmd
	for _, c := range f.calls[:min(len(f.calls), followAtOnce)] {
		cmds = append(cmds, d.ask.followed(c))
	}
	f.asking = len(cmds)
	return tea.Batch(cmds...)
}

// tookFollowed takes an answer in. The call goes to the end of the line, or out
// of it once its attempt has ended.
func (d *desk) tookFollowed(msg followedMsg) {
	f := d.followed
	at := -1
	if f != nil {
		at = slices.Index(f.calls, msg.call)
	}
	if at < 0 {
		return
	}
	f.asking--
	f.calls = slices.Delete(f.calls, at, at+1)
	v, n := &msg.view, &f.outcome.Failed
	switch {
	case msg.err != nil && !refused(msg.err), v.State == callback.StateDelivering, msg.err == nil && v.Entry.Attempts <= msg.call.attempts && v.Status != callback.Success:
		f.calls = append(f.calls, msg.call)
		return
	case msg.err != nil:
		f.outcome.Calls-- // it is not there any more
		return
	case v.State == callback.StateDelivered:
		n = &f.outcome.Delivered
	case v.State == callback.StateResolved:
		n = &f.outcome.Resolved
	}
	*n, f.outcome.Last = *n+1, d.running()
	if f.outcome.Calls == 1 {
		f.lastSays = d.story(v)
	}
	if len(f.calls) == 0 {
		d.say(roleOfRetry(&f.outcome), f.says(d))
	}
}

// says tells how they fared.
func (f *followed) says(d *desk) string {
	s := d.retryOf(&f.outcome, f.name) + d.retry(&f.outcome, "")
	if f.lastSays != "" {
		s += "; " + f.lastSays
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

// retry tells what became of calls that were sent again; waits says what those
// wait for that still do.
func (d *desk) retry(r *callback.Requeued, waits string) string {
	waiting := "waiting"
	if waits != "" {
		waiting += ", " + waits
	}
	var parts []string
	for _, part := range []struct {
		n    uint64
		word string
	}{{r.Delivered, "delivered"}, {r.Failed, "failed"}, {r.Resolved, "resolved"}, {r.Waiting(), waiting}} {
		switch {
		case part.n == 0:
		case part.n < r.Calls:
			parts = append(parts, Count(part.n)+" "+part.word)
		case part.n == 1:
			return part.word
		default:
			return "all " + Count(part.n) + " " + part.word
		}
	}
	return strings.Join(parts, ", ")
}

// retryOf begins a sentence on a retry of calls of a callback, or of several.
func (d *desk) retryOf(r *callback.Requeued, name string) string {
	s := "Retry"
	if name != "" {
		s += " of " + name
	}
	return s + ", " + d.clock.WhenShort(r.Began, d.now()) + ": "
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
	s := d.retry(r, d.waitFor(h))
	if d.retrying(h.ID) { // there are more to come
		s = "so far " + strings.TrimPrefix(s, "all ")
	}
	return s
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
		at = last.Add(d.server.Interval)
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
			return "held until its callback is healthy or resumed"
		}
		return "held"
	case h.Live.Suspended:
		if long {
			return "held until its callback is resumed"
		}
		return "suspended"
	case !long:
		return strings.Replace(d.probe(h), "probe in ", "probe ", 1)
	case h.Live.Running > 0 || h.NextTry.IsZero():
		return "it goes after the " + d.probe(h)
	}
	return "it goes after the " + d.probe(h) + " (" + d.clock.When(h.NextTry, d.now()) + ")"
}

// retriesEnded tells of retries that have come to their end since the overview before.
func (d *desk) retriesEnded(was *callback.Overview) {
	for i := range was.Callbacks {
		before := &was.Callbacks[i].Live.Requeued
		if before.Waiting() == 0 {
			continue
		}
		h := d.health(was.Callbacks[i].ID)
		if h != nil && h.Live.Requeued.Began.Equal(before.Began) && h.Live.Requeued.Waiting() == 0 && !d.retrying(h.ID) {
			d.say(roleOfRetry(&h.Live.Requeued), d.retryOf(&h.Live.Requeued, h.Name)+d.retried(h))
		}
	}
}
