package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// discardBox asks before changes that are not saved are lost.
type discardBox struct{ p *editPage }

// Key implements box.
func (b *discardBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onConfirm) {
	case actConfirm:
		b.p.d.shut = b.p
		return nil, true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *discardBox) Draw(c *Canvas) {
	drawBox(c, "Not saved", []boxLine{
		{role: RoleTitle, keep: true, text: "Leave without saving? This would be lost:"},
		{},
		{text: b.p.form.changed(), keep: true},
	}, []boxKey{{"Enter", "leave, lose them"}, {"Esc", "go on editing"}})
}

// conflictBox shows what somebody else stored meanwhile, and asks what is to
// count.
type conflictBox struct {
	p      *editPage
	theirs callback.Health
}

// Key implements box.
func (b *conflictBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	p := b.p
	switch lookup(k, onConflict) {
	case actOverwrite:
		p.form.rebase(b.theirs)
		p.newer = false
		return p.save(), true
	case actTake:
		p.form.load(b.theirs)
		p.newer = false
		p.d.say(RoleDim, "this is what is stored now; your changes are dropped")
		return nil, true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *conflictBox) Draw(c *Canvas) {
	d := b.p.d
	lines := []boxLine{
		{role: RoleTitle, keep: true, text: b.theirs.Name + " was changed by somebody else " + d.clock.When(b.theirs.UpdatedAt, d.now()) + ". Nothing of yours is saved yet."},
		{},
	}
	diff := b.p.form.differences(&b.theirs.Callback)
	for _, at := range diff {
		lines = append(lines, boxLine{role: at.role, text: at.text, indent: 2, keep: at.both})
	}
	lines = append(lines, boxLine{}, boxLine{text: "Yours over theirs changes only what you changed: what else they changed stays."})
	drawBox(c, "Changed meanwhile", lines, []boxKey{{"o", "save yours over theirs"}, {"t", "take theirs, drop yours"}, {"Esc", "go on editing"}})
}

// difference is a field that is not as it was when editing began.
type difference struct {
	text string
	role Role
	both bool // it was changed here, too
}

// differences tells the fields that somebody else changed, and those changed
// here.
func (f *form) differences(theirs *callback.Callback) (out []difference) {
	for _, at := range f.fields {
		now, was := at.stored(theirs), at.stored(&f.base.Callback)
		mine, moved := at.changed(), now != was
		yours := at.told(at.value())
		if at.kind == fieldSecret {
			yours = "another key"
			if at.drop {
				yours = "none"
			}
		}
		switch {
		case mine && moved:
			out = append(out, difference{at.label + ": " + at.told(was) + " -> " + at.told(now) + ", yours " + yours, RoleFailing, true})
		case moved:
			out = append(out, difference{at.label + ": " + at.told(was) + " -> " + at.told(now), RoleText, false})
		case mine:
			out = append(out, difference{at.label + ": yours " + yours, RoleDim, false})
		}
	}
	return out
}

// agrees reports whether all that was changed here is stored already.
func (f *form) agrees(stored *callback.Callback) bool {
	for _, at := range f.changes() {
		if at.kind == fieldSecret || at.stored(stored) != at.value() {
			return false
		}
	}
	return true
}

// deleteBox asks before a callback is deleted: its name is typed.
type deleteBox struct {
	d    *desk
	h    callback.HealthView
	from page // is left with it
	in   input
}

// name is what is to be typed.
func (b *deleteBox) name() string { return callback.Sanitize(b.h.Name, maxText) }

// Key implements box.
func (b *deleteBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onDelete) {
	case actCancel:
		return nil, true
	case actClear:
		b.in = input{}
	case actConfirm:
		if b.in.value() != b.name() {
			return nil, false
		}
		if b.d.refuseTo("Del", callback.RoleAdmin) {
			return nil, true
		}
		b.d.shut = b.from
		return b.d.ask.remove(&b.h), true
	default:
		b.in.edit(k)
	}
	return nil, false
}

// Paste takes text that was pasted.
func (b *deleteBox) Paste(text string) { b.in.insert(strings.TrimSpace(text)) }

// Draw implements box.
func (b *deleteBox) Draw(c *Canvas) {
	h := &b.h
	if now := b.d.health(h.ID); now != nil {
		h = now
	}
	n := h.Live.Counts.Waiting()
	lost, role := "No call waits.", RoleText
	if n > 0 {
		lost, role = plural(n, "waiting call")+" would be lost: not sent any more, and read as cancelled.", RoleDown
	}
	field := b.in.value()
	if free := c.Width(b.name()) - c.Width(field); free > 0 {
		field += strings.Repeat("_", free)
	}
	drawBox(c, "Delete", []boxLine{
		{role: RoleTitle, keep: true, text: "Delete " + b.name() + " for good. There is no undo."},
		{},
		{role: role, keep: true, text: lost},
		{text: "Responses for it are answered 404 from then on. Its calls stay readable to an administrator until retention removes them."},
		{},
		{role: RoleKey, keep: true, text: "Type its name to go on: " + field},
	}, []boxKey{{"Enter", "delete"}, {"Esc", "do nothing"}})
}
