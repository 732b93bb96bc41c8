package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// fieldKind says how a field is filled in.
type fieldKind uint8

const (
	fieldText   fieldKind = iota
	fieldSecret           // typed, never shown; empty keeps what is stored
	fieldChoice           // one of some words
	fieldFlag             // on or off
	fieldLines            // a line for each entry
	fieldPaste            // text of many lines, taken as a whole
)

// fieldSpec is what there is to know of a field of a callback. The value of
// every field is a text, whatever the Draft has.
type fieldSpec struct {
	name   string // as the contract spells it
	label  string
	kind   fieldKind
	words  []string // the choices
	shown  []string // as they are drawn
	beside bool     // stands in the row of the field before it
	rule   string   // the section that it begins
	hint   func(f *form) string
	help   string
	flag   string // of ringback callbacks set
	zero   string // what that takes where the field is empty
	get    func(cb *callback.Callback) string
	put    func(d *callback.Draft, v string) error
}

// field is a field as it is filled in.
type field struct {
	*fieldSpec
	was string // what is stored; of a secret its mask

	input         // text, secret
	rows  []input // lines, of which there is one more than entries
	row   int
	pick  int // choice, flag
	whole string
	drop  bool // a secret that is to be removed

	left    bool   // the cursor was there and left: what is wrong is told
	fault   string // what is wrong with it
	refused string // what the service said of it

	looked  string           // the value that the service looked at, or looks at
	finding callback.Finding // what that showed; none: it looks
}

// The values of a flag.
const (
	flagOff = "off"
	flagOn  = "on"
)

// load puts the stored value in.
func (f *field) load(cb *callback.Callback) {
	*f = field{fieldSpec: f.fieldSpec, was: f.stored(cb)}
	switch f.kind {
	case fieldText:
		f.input = newInput(f.was)
	case fieldChoice, fieldFlag:
		f.pick = max(slices.Index(f.choices(), f.was), 0)
	case fieldLines:
		for line := range strings.Lines(f.was) {
			f.rows = append(f.rows, newInput(strings.TrimSuffix(line, "\n")))
		}
		f.rows = append(f.rows, input{})
	case fieldPaste:
		f.whole = f.was
	}
}

// stored returns the value of a callback, as it can be typed.
func (f *field) stored(cb *callback.Callback) string {
	v := f.get(cb)
	if f.kind == fieldText {
		v = callback.Sanitize(v, len(v))
	}
	return v
}

func (f *field) choices() []string {
	if f.kind == fieldFlag {
		return []string{flagOff, flagOn}
	}
	return f.words
}

// value returns what is filled in.
func (f *field) value() string {
	switch f.kind {
	case fieldChoice, fieldFlag:
		return f.choices()[f.pick]
	case fieldLines:
		var lines []string
		for i := range f.rows {
			if s := strings.TrimSpace(f.rows[i].value()); s != "" {
				lines = append(lines, s)
			}
		}
		return strings.Join(lines, "\n")
	case fieldPaste:
		return f.whole
	}
	return f.input.value()
}

// changed reports whether saving would change what is stored.
func (f *field) changed() bool {
	if f.kind == fieldSecret {
		return len(f.text) > 0 || f.drop && f.was != ""
	}
	return f.value() != f.was
}

// told returns the value as people may see it.
func (f *field) told(v string) string {
	switch {
	case f.kind == fieldChoice:
		return f.shown[max(slices.Index(f.words, v), 0)]
	case v == "":
		return "nothing"
	case f.kind == fieldPaste:
		return certificates(v)
	case f.kind == fieldLines:
		return plural(uint64(strings.Count(v, "\n")+1), "header")
	}
	return v
}

// line returns the line that is typed into, or nil.
func (f *field) line() *input {
	switch f.kind {
	case fieldText, fieldSecret:
		return &f.input
	case fieldLines:
		return &f.rows[f.row]
	}
	return nil
}

// edit takes a key, and reports whether the field knows it.
func (f *field) edit(k tea.KeyPressMsg) bool {
	if in := f.line(); in != nil {
		ok := in.edit(k)
		if ok && len(in.text) > 0 {
			f.drop = false
		}
		f.grow()
		return ok
	}
	if n := len(f.choices()); n > 0 {
		switch k.String() {
		case "left":
			f.pick = max(f.pick-1, 0)
		case "right":
			f.pick = min(f.pick+1, n-1)
		case "space":
			f.pick = (f.pick + 1) % n
		default:
			return false
		}
		return true
	}
	return false
}

// grow keeps one empty line at the end.
func (f *field) grow() {
	if n := len(f.rows); n > 0 && len(f.rows[n-1].text) > 0 && n <= callback.MaxHeaders {
		f.rows = append(f.rows, input{})
	}
}

// clear empties the field; of a secret that is empty the stored one is to be
// removed, or to be kept again.
func (f *field) clear() {
	switch in := f.line(); {
	case f.kind == fieldSecret && len(f.text) == 0:
		f.drop = !f.drop && f.was != ""
	case in != nil:
		*in = input{}
	case f.kind == fieldPaste:
		f.whole = ""
	}
}

// hidden is how many characters at the end of a line are not shown: of a
// secret all, of a header that holds one what follows its name.
func (f *field) hidden(in *input) int {
	switch f.kind {
	case fieldSecret:
		return len(in.text)
	case fieldLines:
		name, value, ok := strings.Cut(in.value(), ":")
		if v := strings.TrimSpace(value); ok && v != callback.MaskedHeader && callback.SecretHeader(strings.TrimSpace(name)) {
			return len([]rune(strings.TrimLeft(value, " ")))
		}
	}
	return 0
}
