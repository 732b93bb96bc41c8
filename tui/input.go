package tui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// input is a line of text that is typed, with its cursor. The zero value is an
// empty one.
type input struct {
	text []rune
	at   int // of the cursor
}

// maxInput is how many characters a line may have: more than any field of a
// callback, so that it is the check of the field that says what is too long.
const maxInput = 4096

func newInput(s string) input {
	in := input{text: []rune(s)}
	in.at = len(in.text)
	return in
}

func (in *input) value() string { return string(in.text) }

// edit takes a key, and reports whether it was one for a line.
func (in *input) edit(k tea.KeyPressMsg) bool {
	switch k.String() {
	case "left":
		in.at = max(in.at-1, 0)
	case "right":
		in.at = min(in.at+1, len(in.text))
	case "home", "ctrl+a":
		in.at = 0
	case "end", "ctrl+e":
		in.at = len(in.text)
	case "backspace":
		if in.at > 0 {
			in.at--
			in.text = slices.Delete(in.text, in.at, in.at+1)
		}
	case "delete":
		if in.at < len(in.text) {
			in.text = slices.Delete(in.text, in.at, in.at+1)
		}
	default:
		return k.Text != "" && in.insert(k.Text)
	}
	return true
}

// insert puts text where the cursor is, as one line that cannot steer a
// terminal; false where it has no room, and nothing is changed.
func (in *input) insert(text string) bool {
	add := []rune(callback.Sanitize(text, len(text)))
	if len(in.text)+len(add) > maxInput {
		return false
	}
	in.text = slices.Insert(in.text, in.at, add...)
	in.at += len(add)
	return true
}

// window returns the part of the line that is shown in w cells: that with the
// cursor, from its from-th character on.
func (in *input) window(c *Canvas, w int, shown []rune) (from, to int) {
	from = max(in.at-4*w, 0)
	for from < in.at && c.Width(string(shown[from:in.at])) >= w {
		from++
	}
	for to = in.at; to < min(len(shown), from+4*w) && c.Width(string(shown[from:to+1])) <= w; to++ {
	}
	return from, to
}

// draw shows the line in w cells, the part with the cursor, and returns the
// column of that. hide is how many characters at the end are shown as stars.
func (in *input) draw(c *Canvas, x, y, w, hide int) int {
	shown := in.masked(hide)
	from, to := in.window(c, w, shown)
	c.PutIn(x, y, w, RoleInput, string(shown[from:to]), Left)
	return x + min(c.Width(string(shown[from:in.at])), w-1)
}

// masked returns the line with its last characters as stars.
func (in *input) masked(hide int) []rune {
	if hide <= 0 {
		return in.text
	}
	plain := len(in.text) - min(hide, len(in.text))
	return append(slices.Clone(in.text[:plain]), []rune(strings.Repeat("*", len(in.text)-plain))...)
}
