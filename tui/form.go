package tui

import (
	"errors"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// form is a callback as it is filled in. It does no I/O: the page that it
// belongs to loads and saves.
type form struct {
	d      *desk
	base   callback.Health // as it is stored; its ID is 0 where it is to be made
	fields []*field
	at     int // the field with the cursor
	top    int // the first row of the fields that is shown
}

func newForm(d *desk) *form {
	f := &form{d: d}
	for i := range fieldSpecs {
		f.fields = append(f.fields, &field{fieldSpec: &fieldSpecs[i]})
	}
	f.load(callback.Health{})
	return f
}

// load fills everything in as it is stored.
func (f *form) load(h callback.Health) {
	f.base = h
	for _, at := range f.fields {
		at.load(&h.Callback)
	}
}

// rebase takes in what somebody else stored meanwhile: what was not changed
// here becomes that.
func (f *form) rebase(h callback.Health) {
	f.base = h
	for _, at := range f.fields {
		if !at.changed() {
			at.load(&h.Callback)
			continue
		}
		at.was = at.stored(&h.Callback)
	}
	f.check()
}

func (f *form) new() bool { return f.base.ID == 0 }

// field returns the field of a name.
func (f *form) field(name string) *field {
	i := slices.IndexFunc(f.fields, func(at *field) bool { return at.name == name })
	return f.fields[i]
}

// changes returns the fields that saving would change.
func (f *form) changes() []*field {
	var out []*field
	for _, at := range f.fields {
		if at.changed() {
			out = append(out, at)
		}
	}
	return out
}

// draft returns what was changed, and what of it cannot be read.
func (f *form) draft() (d callback.Draft, bad []callback.FieldError) {
	for _, at := range f.changes() {
		if err := at.put(&d, at.value()); err != nil {
			bad = append(bad, callback.FieldError{Field: at.name, Message: err.Error()})
		}
	}
	return d, bad
}

// check asks the rules of the domain what is wrong, without the service.
func (f *form) check() {
	d, bad := f.draft()
	cb := f.base.Callback
	for _, s := range []struct {
		name   string
		stored *callback.Secret
	}{{"signingSecret", &cb.SigningSecret}, {"previousSigningSecret", &cb.PreviousSecret}} {
		if !f.field(s.name).changed() {
			*s.stored = callback.Secret{} // of which we may know the mask only, which no rule takes
		}
	}
	if !f.field("ca").changed() {
		cb.CA = "" // what is stored was checked
	}
	var faults []callback.FieldError
	err := callback.Invalid("", bad, d.Apply(&cb, func(v string) callback.Secret { return callback.NewSecret(v, nil) }))
	if e, ok := errors.AsType[*callback.Error](err); ok {
		faults = e.Fields
	}
	for _, at := range f.fields {
		at.fault = at.refused
		for _, fault := range faults {
			if blames(fault.Field, at.name) {
				at.fault = toldOf(fault, at.name)
				break
			}
		}
	}
}

// blames reports whether a fault is one of a field: headers.X-Area is of headers.
func blames(fault, name string) bool { return fault == name || strings.HasPrefix(fault, name+".") }

func toldOf(fault callback.FieldError, name string) string {
	if part, ok := strings.CutPrefix(fault.Field, name+"."); ok {
		return part + " " + fault.Message
	}
	return fault.Message
}

// refuse takes in what the service said of fields. What is of none of them is
// returned.
func (f *form) refuse(faults []callback.FieldError) (rest []string) {
	for _, fault := range faults {
		i := slices.IndexFunc(f.fields, func(at *field) bool { return blames(fault.Field, at.name) })
		if i < 0 {
			rest = append(rest, fault.Field+": "+fault.Message)
			continue
		}
		f.fields[i].refused = callback.Sanitize(toldOf(fault, f.fields[i].name), maxText)
	}
	f.check()
	return rest
}

// forgive drops what the service said of fields: it may say otherwise when it is
// asked again, after a change of another field or by somebody else.
func (f *form) forgive() {
	for _, at := range f.fields {
		at.refused = ""
	}
}

// wrong shows all that is wrong, goes to the first such field, and returns how
// many there are; a name that is not there yet does not count where it is not
// needed.
func (f *form) wrong(named bool) int {
	n := 0
	for i, at := range f.fields {
		if at.name == "name" && !named && at.value() == "" {
			continue
		}
		at.left = true
		if at.fault == "" {
			continue
		}
		if n++; n == 1 {
			f.at = i
		}
	}
	return n
}

// shown returns what is told of a field that is wrong: nothing while it is
// filled in for the first time.
func (f *form) shown(at *field) string {
	if at.left || at.refused != "" {
		return at.fault
	}
	return ""
}

// warns reports whether a look at what is in the field showed that it will
// hardly work so.
func (f *field) warns() bool {
	return f.looked == f.value() && f.finding.Result == callback.FoundWarning
}

// warnings counts what is told.
func (f *form) warnings() (n uint64) {
	for _, at := range f.fields {
		if f.shown(at) != "" || at.warns() {
			n++
		}
	}
	return n
}

// move goes n fields on.
func (f *form) move(n int) {
	f.fields[f.at].left = true
	f.at = max(min(f.at+n, len(f.fields)-1), 0)
}

// step goes to the next line, or the one before, of a field that has several,
// and then to the neighbour.
func (f *form) step(n int) {
	at := f.fields[f.at]
	if row := at.row + n; at.kind == fieldLines && row >= 0 && row < len(at.rows) {
		at.row = row
		return
	}
	f.move(n)
}

// edit takes a key into the field with the cursor.
func (f *form) edit(k tea.KeyPressMsg) bool {
	at := f.fields[f.at]
	ok := at.edit(k)
	f.touched(at)
	return ok
}

func (f *form) clear() {
	at := f.fields[f.at]
	at.clear()
	f.touched(at)
}

func (f *form) paste(text string) (says string, err error) {
	at := f.fields[f.at]
	says, err = at.paste(text)
	f.touched(at)
	return says, err
}

// touched checks again what was changed: what the service said of it is old.
func (f *form) touched(at *field) {
	at.refused = ""
	f.check()
}
