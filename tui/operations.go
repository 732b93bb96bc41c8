package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file follows every operation, whoever started it.

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
	then func() // is to be done if it did begin
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
		says = d.retryTold(&f)
		if o.State == callback.OperationStopped && (f.going || !f.stopped) {
			says = "Stopped. " + says // which does not say so
		}
		d.say(f.role(), says)
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
