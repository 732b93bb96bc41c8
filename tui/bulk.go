package tui

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file begins what the service can do to all calls that a filter selects with
// one operation.

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
	d.ops.lost = append(d.ops.lost, lostStart{msg.want, inWords(msg.err), msg.then})
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
	lost := d.ops.lost[at]
	d.ops.lost = slices.Delete(d.ops.lost, at, at+1)
	if msg.err != nil {
		d.say(RoleError, "op "+shortID(msg.want.ID)+" did not begin, nothing was changed: "+lost.why)
		return
	}
	d.ops.put(msg.op)
	lost.then()
	if msg.op.Active() {
		d.say(RoleOK, "op "+shortID(msg.want.ID)+" did begin")
	} else {
		d.ended(&msg.op)
	}
}
