package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file tries out what a form has before it is saved.

// look asks the service to look at a field that was left, where it can, and what
// is in it is new and right in its form.
func (p *editPage) look(at *field) tea.Cmd {
	f, v := p.form, at.value()
	switch {
	case at.name != "url" && at.name != "email", !at.changed(), at.fault != "", v == "":
		return nil
	case v == at.looked && at.finding.Result != callback.FoundUnknown:
		return nil
	case p.d.link.down, p.d.lacks(callback.RoleAdmin) != "":
		return nil
	}
	at.looked, at.finding = v, callback.Finding{}
	var d callback.Draft
	_ = at.put(&d, v) // it is right in its form
	if ca := f.field("ca"); at.name == "url" && ca.changed() && ca.fault == "" {
		_ = ca.put(&d, ca.value()) // so is this
	}
	return p.d.ask.look(p, at.name, v, d)
}

// looked takes the answer. One about what is not there any more counts no more,
// and that nothing could be found out is no fault of what was typed.
func (f *form) looked(msg lookedMsg) {
	at := f.field(msg.field)
	if at.looked != msg.value {
		return
	}
	i := slices.IndexFunc(msg.found, func(got callback.Finding) bool { return got.Field == msg.field })
	switch {
	case i >= 0:
		at.finding = msg.found[i]
	case msg.err != nil:
		at.finding = callback.Finding{Result: callback.FoundUnknown, Short: "not looked at", Message: "it could not be looked at"}
	default:
		at.looked = ""
	}
}

// trial returns the box that sends a sample to what the form has.
func (f *form) trial() *trialBox {
	draft, _ := f.draft()
	b := &trialBox{d: f.d, key: "Ctrl+T", id: f.base.ID, name: f.field("name").value(), cb: f.would(), draft: &draft}
	if b.name == "" {
		b.name = "the new callback"
	}
	return b
}

// would returns the callback that would be stored, to be shown: nothing of it
// tells a secret.
func (f *form) would() callback.Callback {
	cb := f.base.Callback
	draft, _ := f.draft()
	typed := func(clear string) callback.Secret {
		if clear == "" {
			return callback.Secret{}
		}
		return callback.MaskedSecret(callback.MaskPrefix + "typed")
	}
	_ = draft.Apply(&cb, typed) // what is wrong is told at its field
	cb.Headers = callback.ShownHeaders(cb.Headers)
	return cb
}
