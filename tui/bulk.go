package tui

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file does to all calls that a filter selects what the service can do
// with one operation, and follows every operation, whoever started it.

// operations is what is known of the service's operations.
type operations struct {
	list   []callback.OperationView // the latest first
	loaded bool
	asking once
	counts map[string]uint64 // calls that the previews of our own counted
	lost   []lostStart
}

// lostStart is an operation that was sent and not answered, or not for sure.
type lostStart struct {
	want callback.NewOperation
	why  string
}

// shortID is what an operation is called on the screen.
func shortID(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// newOperationID makes an id up. It is made here, so that a start that was not
// answered can be asked after.
func newOperationID() string { return fmt.Sprintf("%016X", rand.Uint64()) }

// verbs of an operation, for a box and for the log of what it did.
func verbOf(k callback.OperationKind) string { return string(k) }

// askMany asks the service what would be done to all calls that f selects, and
// opens the box when it answers. on is where the key was pressed, which has
// different names.
func (d *desk) askMany(a action, on scope, f *filter) tea.Cmd {
	key, _ := keyOf(a, on)
	b := &bulkBox{d: d, rate: defaultRate, key: key.Help().Key}
	b.want.Kind = callback.OperationRetry
	if a == actResolveAll {
		b.want.Kind = callback.OperationResolve
	}
	if d.refuse(b.key) {
		return nil
	}
	why := b.choose(f)
	if why != "" {
		d.say(RoleError, b.key+": "+why)
		return nil
	}
	b.want.By = d.opt.User
	b.parts = []part{{want: b.want}}
	return d.preview(b)
}

// preview asks what a box would do.
func (d *desk) preview(b *bulkBox) tea.Cmd {
	d.say(RoleDim, "counting what "+verbOf(b.want.Kind)+" would change ...")
	return d.ask.preview(b)
}

// choose makes of a list's filter what the operation is for, or says why that
// cannot be.
func (b *bulkBox) choose(f *filter) string {
	d := b.d
	h := d.find(f.query.Ref)
	switch {
	case h == nil:
		return "it is for the calls of one callback: add cb:NAME to the filter, or open it"
	case f.refuse() != "":
		return f.refuse()
	}
	b.callback, b.id = h.Name, h.ID
	b.want.Ref, b.want.Filter = h.ID.String(), f.query.Filter
	asked := b.want.Filter.Status
	switch {
	case asked == allCalls || asked == 0:
		b.want.Filter.Status = callback.ListFailed
	case b.want.Kind == callback.OperationRetry && asked != callback.ListFailed:
		return "only failed calls can be sent again; others were delivered or not tried"
	case asked&callback.ListSuccess != 0:
		return "these calls count as success already"
	}
	if o := &h.Live.Outage; o.Phase != callback.NoOutage && f.query.Plain() && f.words == nil {
		// The attempt that an outage began with was under way for a while.
		slack := max(h.ConnectTimeout, d.server.Connect) + max(h.ResponseTimeout, d.server.Response) + time.Second
		b.outage, b.since = o.N, o.Started
		b.want.Filter.From = o.Started.Add(-slack)
	}
	b.words = f.words
	return ""
}

// find returns a callback by its name or id, or nil.
func (d *desk) find(ref string) *callback.HealthView {
	for i := range d.overview.Callbacks {
		if h := &d.overview.Callbacks[i]; ref != "" && (h.Name == ref || h.ID.String() == ref) {
			return h
		}
	}
	return nil
}

// previewed opens the box, where there is something to do.
func (d *desk) previewed(msg previewMsg) {
	b := msg.box
	for i := range msg.previews {
		b.parts[i].preview, b.parts[i].want.Upto = msg.previews[i], msg.previews[i].Upto
	}
	sum := b.sum()
	switch {
	case errors.Is(msg.err, context.DeadlineExceeded):
		d.say(RoleError, b.key+": the server is still counting; press it again, or narrow the filter")
	case msg.err != nil:
		d.say(RoleError, b.key+": "+inWords(msg.err))
	case sum.Matched == 0 && b.named != nil:
		d.say(RoleDim, b.key+": "+plural(sum.Missing, "call")+" of "+b.callback+" not there any more")
	case sum.Matched == 0:
		d.say(RoleDim, b.key+": no call of "+b.callback+" is selected"+b.bound())
	case sum.Changed == 0:
		d.say(RoleDim, b.key+": of "+plural(sum.Matched, "call")+" of "+b.callback+" none can be changed now")
	case d.typing != nil || d.refuse(b.key):
		d.say(RoleDim, b.key+": not now; press it again")
	default:
		d.note = note{}
		b.preview, b.at = sum, d.now()
		d.box = b
	}
}

// begin starts what a box holds: an operation for each part that changes
// something, with ids that tell that they belong together.
func (d *desk) begin(b *bulkBox) tea.Cmd {
	if d.ops.counts == nil {
		d.ops.counts = map[string]uint64{}
	}
	var cmds []tea.Cmd
	id := newOperationID()
	for i := range b.parts {
		p := b.parts[i]
		if p.preview.Changed == 0 {
			continue
		}
		p.want.Remark, p.want.Rate, p.want.Extend, p.want.ID = b.want.Remark, b.want.Rate, b.want.Extend, id
		if len(b.parts) > 1 {
			p.want.ID += familySep + strconv.Itoa(i+1)
		}
		d.ops.counts[p.want.ID] = p.preview.Matched
		cmds = append(cmds, d.ask.begin(p.want, b.handed(p.want.IDs)))
	}
	return tea.Batch(cmds...)
}

// handed returns what is to be done once the service has calls that are named.
func (b *bulkBox) handed(ids []callback.CallID) func() {
	if b.named == nil || b.named.unmark == nil {
		return func() {}
	}
	return func() { b.named.unmark(ids) }
}

// begun takes the answer to a start. One that did not come leaves open whether
// the operation runs: that is asked for until it is known.
func (d *desk) begun(msg begunMsg) tea.Cmd {
	name := verbOf(msg.want.Kind)
	switch {
	case msg.err == nil:
		d.ops.put(msg.op)
		msg.then()
		return d.askOperations()
	case refused(msg.err):
		d.say(RoleError, name+": "+inWords(msg.err))
		return nil
	}
	d.ops.lost = append(d.ops.lost, lostStart{msg.want, inWords(msg.err)})
	return d.askLost()
}

// askLost asks after what was sent and not answered.
func (d *desk) askLost() tea.Cmd {
	var cmds []tea.Cmd
	for _, l := range d.ops.lost {
		cmds = append(cmds, d.ask.operation(l.want))
	}
	return tea.Batch(cmds...)
}

// found takes the answer to that.
func (d *desk) found(msg foundMsg) {
	if msg.err != nil && !refused(msg.err) {
		return // asked again with a tick
	}
	at := slices.IndexFunc(d.ops.lost, func(l lostStart) bool { return l.want.ID == msg.want.ID })
	if at < 0 {
		return // answered before
	}
	why := d.ops.lost[at].why
	d.ops.lost = slices.Delete(d.ops.lost, at, at+1)
	switch {
	case msg.err != nil:
		d.say(RoleError, "op "+shortID(msg.want.ID)+" did not begin, nothing was changed: "+why)
	case !msg.op.Active():
		d.ops.put(msg.op)
		d.ended(&msg.op)
	default:
		d.ops.put(msg.op)
		d.say(RoleOK, "op "+shortID(msg.want.ID)+" did begin")
	}
}

func (d *desk) askOperations() tea.Cmd { return d.ops.asking.ask(d.ask.operations()) }

// tookOperations takes the list in, and tells of those that ended since.
func (d *desk) tookOperations(msg operationsMsg) tea.Cmd {
	o := &d.ops
	again := o.asking.answered(d.ask.operations())
	if msg.err != nil {
		return again
	}
	was := o.list
	o.list = msg.list
	for i := range was {
		// An undo may have begun and ended in between.
		if after := o.find(was[i].ID); after != nil && !after.Active() && after.State != was[i].State {
			if all, ended := whole(o.relatives(after.ID)); ended {
				d.ended(&all)
			}
		}
	}
	o.loaded = true
	return again
}

func (o *operations) find(id string) *callback.OperationView {
	for i := range o.list {
		if o.list[i].ID == id {
			return &o.list[i]
		}
	}
	return nil
}

// put puts in an operation that the list may not have yet.
func (o *operations) put(op callback.OperationView) {
	if at := o.find(op.ID); at != nil {
		*at = op
		return
	}
	o.list = append([]callback.OperationView{op}, o.list...)
}

// active returns the operation that the status line shows, and how many run:
// our own before those of others, and of these the one begun last.
func (o *operations) active() (op *callback.OperationView, n int) {
	for i := range o.list {
		at := &o.list[i]
		if !at.Active() {
			continue
		}
		n++
		if op == nil || o.counts[op.ID] == 0 && o.counts[at.ID] > 0 {
			op = at
		}
	}
	return op, n
}

// ended says what an operation did.
func (d *desk) ended(o *callback.OperationView) {
	calls := func(n uint64) string { return plural(n, "call") + " of " + o.Callback }
	role, says := RoleOK, ""
	switch {
	case o.State == callback.OperationUndone:
		says = "took back " + calls(o.Undone)
		if o.Missed > 0 {
			says += "; " + Count(o.Missed) + " changed since and stay"
		}
	case o.Kind == callback.OperationResolve:
		says = "resolved " + calls(o.Changed)
	default:
		says = "let " + calls(o.Changed) + " go again"
		if n := d.overtaken(o); n > 0 {
			says += "; " + Count(n) + " had succeeded before"
		}
	}
	if n := o.Skipped(); n > 0 && o.State != callback.OperationUndone {
		says += "; " + Count(n) + " unchanged"
	}
	switch o.State {
	case callback.OperationStopped:
		says = "stopped: " + says
	case callback.OperationFailed:
		role, says = RoleError, "failed: "+says
	}
	if o.Note != "" {
		says += "; " + o.Note
	}
	if !o.UndoUntil.IsZero() && d.may(actUndo) {
		says += "; u takes it back"
	}
	if d.ops.counts[o.ID] == 0 && o.By != "" {
		says += " (by " + o.By + ")"
	}
	if f, ok := d.accounts(o); ok && o.State != callback.OperationFailed { // more than that they were let go
		d.say(f.role(), d.retryTold(&f))
		return
	}
	d.say(role, "op "+shortID(o.ID)+" "+says)
}

// accounts returns what became of the calls that a retry let go, and those begun
// together with it; false where the overview does not tell yet.
func (d *desk) accounts(o *callback.OperationView) (f fared, ok bool) {
	if o.Kind != callback.OperationRetry {
		return f, false
	}
	for _, o := range d.ops.relatives(o.ID) {
		if h := d.health(o.CallbackID); h != nil && d.retryThat(h) == o {
			return d.together(h), true
		}
	}
	return f, false
}

// undo stops what runs, or takes back the last resolve.
func (d *desk) undo() tea.Cmd {
	if !d.may(actUndo) || d.link.down {
		d.refuse("u")
		return nil
	}
	if o, _ := d.ops.active(); o != nil {
		if d.ops.counts[o.ID] > 0 {
			return d.stop(o)
		}
		d.box = d.stopBox(o)
		return nil
	}
	at := slices.IndexFunc(d.ops.list, func(o callback.OperationView) bool { return !o.UndoUntil.IsZero() })
	if at < 0 {
		d.say(RoleDim, "u: nothing runs, and there is no resolve to take back")
		return nil
	}
	d.box = d.undoBox(d.ops.relatives(d.ops.list[at].ID))
	return nil
}

// stop stops what runs, and what was begun together with it.
func (d *desk) stop(o *callback.OperationView) tea.Cmd {
	var cmds []tea.Cmd
	for _, o := range d.ops.relatives(o.ID) {
		if o.Active() {
			cmds = append(cmds, d.ask.stopOperation(o))
		}
	}
	return tea.Batch(cmds...)
}

// did takes the answer to a change made at once.
func (d *desk) did(msg doneMsg) tea.Cmd {
	switch {
	case msg.err == nil && msg.did != "":
		d.say(RoleOK, msg.did)
	case msg.err != nil && refused(msg.err):
		d.say(RoleError, msg.does+": "+inWords(msg.err))
	case msg.err != nil:
		d.say(RoleError, msg.does+": "+inWords(msg.err)+"; look before you repeat it")
	}
	return d.askOperations()
}

// drawOperation draws how far the operation that runs is, into the status line.
func (d *desk) drawOperation(c *Canvas, y int, o *callback.OperationView, n int) {
	w, _ := c.Size()
	total := max(d.ops.counts[o.ID], o.Matched)
	if d.ops.counts[o.ID] == 0 {
		total = max(o.Total, o.Matched)
	}
	done, verb := o.Matched, verbOf(o.Kind)
	if o.State == callback.OperationUndoing {
		verb, done, total = "undo", o.Undone+o.Missed, o.Changed
	}
	x := 1
	if w >= 100 {
		x = c.Put(x, y, RoleText, "op "+shortID(o.ID)) + 2
	}
	x = c.Put(x, y, RoleText, verb) + 1
	x = c.PutIn(x, y, min(c.Width(o.Callback), w/5), RoleText, o.Callback, Left) + 2
	if w >= 76 {
		x = c.Meter(x, y, 8+w/100*4, RoleOK, float64(done)/float64(max(total, 1))) + 1
	}
	parts := []string{Count(done) + " of " + Count(total) + d.pace(o, total)}
	if d.ops.counts[o.ID] == 0 && o.By != "" {
		parts = append(parts, "by "+o.By)
	}
	if h := d.health(o.CallbackID); h != nil && o.Kind == callback.OperationRetry && h.Live.Requeued.Delivered+h.Live.Requeued.Failed > 0 {
		r := &h.Live.Requeued
		parts = append(parts, Count(r.Delivered)+" ok "+Count(r.Failed)+" failed")
	}
	if n > 1 {
		parts = append(parts, fmt.Sprintf("+%d more", n-1))
	}
	stop := ""
	if d.may(actUndo) {
		stop = "u stops"
	}
	end := w - 1 - c.Width(stop)
	x += 2 + c.PutIn(x, y, max(end-x-2, 0), RoleText, strings.Join(parts, "  "), Left) - x
	c.Put(min(x, end), y, RoleKey, stop[:min(1, len(stop))])
	c.Put(min(x, end)+1, y, RoleText, stop[min(1, len(stop)):])
}

// pace says how fast an operation goes, and how long it takes.
func (d *desk) pace(o *callback.OperationView, total uint64) string {
	if o.Rate == 0 || o.State != callback.OperationRunning {
		return ""
	}
	h := d.health(o.CallbackID)
	if h != nil && h.Live.Gate.State == callback.Open && o.Matched > 0 {
		return "  " + d.probe(h)
	}
	left := time.Duration(total-min(o.Matched, total)) * time.Second / time.Duration(o.Rate)
	return fmt.Sprintf("  %d/s  %s", o.Rate, Duration(left))
}
