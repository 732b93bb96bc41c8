package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// typing is a line that is typed, in place of the status line.
type typing struct {
	sign string // stands before it
	form string // what may be typed, told while nothing is
	input
	check func(string) *filterError
	apply func(string) tea.Cmd
	fault *filterError

	// A filter has more: Tab completes it, and earlier ones come again.
	d        *desk
	language *language
	hint     string // what Tab could put in
	back     int    // how many lines back the one shown is; 0: it is typed
	draft    []rune // what was typed before going back
}

// maxTyped is how many characters a line may have.
const maxTyped = 200

// newTyping returns a line that begins as text. check says what is wrong with
// it, as it is typed; apply gets it once nothing is.
func newTyping(text string, check func(string) *filterError, apply func(string) tea.Cmd) *typing {
	return &typing{sign: "/", input: newInput(text), check: check, apply: apply, fault: check(text)}
}

// newFilterLine returns a line that a filter is typed into.
func newFilterLine(d *desk, g *language, text string, check func(string) *filterError, apply func(string) tea.Cmd) *typing {
	if text != "" {
		text += " " // what is typed next is a word of its own
	}
	t := newTyping(text, check, apply)
	t.d, t.language = d, g
	return t
}

// Key takes a key; done ends the line.
func (t *typing) Key(k tea.KeyPressMsg) (cmd tea.Cmd, done bool) {
	t.hint = ""
	switch a := lookup(k, onFilter); a {
	case actApply:
		if t.fault != nil {
			t.at = min(t.fault.at+t.fault.n, len(t.text)) // where there is something to mend
			return nil, false
		}
		text := strings.TrimSpace(string(t.text))
		if t.language != nil {
			t.d.keepLine(t.language, text)
		}
		return t.apply(text), true
	case actComplete:
		if t.language != nil {
			t.text, t.at, t.hint = t.language.complete(t.d, t.text, t.at)
		}
	case actEarlier, actLater:
		if t.language != nil {
			t.recall(a)
		}
	case actCancel:
		return nil, true
	case actClear:
		t.input = input{}
	default:
		if k.Text == "" || len(t.text) < maxTyped {
			t.edit(k)
		}
	}
	t.fault = t.check(string(t.text))
	return nil, false
}

// Paste takes text that was pasted.
func (t *typing) Paste(text string) {
	add := []rune(callback.Sanitize(text, maxText))
	t.insert(string(add[:min(len(add), max(maxTyped-len(t.text), 0))]))
	t.fault = t.check(string(t.text))
}

// Draw shows the line in row y, and what is wrong with it after it.
func (t *typing) Draw(c *Canvas, d *desk, y int) {
	w, _ := c.Size()
	x := c.Put(1, y, RoleKey, t.sign) + 1
	room := w - x - 1
	says, tone := t.hint, RoleDim
	if len(t.text) == 0 && says == "" {
		says = t.form
	}
	if t.fault != nil && says == "" {
		says, tone = t.fault.says, RoleError
	}
	if says != "" {
		room = max(room-c.Width(says)-2, room/2)
	}
	from, to := t.window(c, room, t.text)
	d.cursor = place{x + c.Width(string(t.text[from:t.at])), y, true}
	for i := from; i < to; i++ {
		role := RoleInput
		if t.fault != nil && i >= t.fault.at && i < t.fault.at+t.fault.n {
			role = RoleAlarm
		}
		x = c.Put(x, y, role, string(t.text[i]))
	}
	if says != "" {
		c.PutIn(x+2, y, w-x-3, tone, says, Left)
	}
}
