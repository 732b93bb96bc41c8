package tui

import (
	"slices"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// typing is a line that is typed, in place of the status line.
type typing struct {
	sign  string // stands before it
	text  []rune
	at    int // of the cursor
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
	t := &typing{sign: "/", text: []rune(text), check: check, apply: apply}
	t.at = len(t.text)
	t.fault = check(text)
	return t
}

// newFilterLine returns a line that a filter is typed into.
func newFilterLine(d *desk, g *language, text string, check func(string) *filterError, apply func(string) tea.Cmd) *typing {
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
		if t.language != nil {
			t.d.keepLine(t.language, string(t.text))
		}
		return t.apply(string(t.text)), true
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
		t.text, t.at = nil, 0
	default:
		t.edit(k)
	}
	t.fault = t.check(string(t.text))
	return nil, false
}

func (t *typing) edit(k tea.KeyPressMsg) {
	switch k.String() {
	case "left":
		t.at = max(t.at-1, 0)
	case "right":
		t.at = min(t.at+1, len(t.text))
	case "home", "ctrl+a":
		t.at = 0
	case "end", "ctrl+e":
		t.at = len(t.text)
	case "backspace":
		if t.at > 0 {
			t.at--
			t.text = slices.Delete(t.text, t.at, t.at+1)
		}
	case "delete":
		if t.at < len(t.text) {
			t.text = slices.Delete(t.text, t.at, t.at+1)
		}
	default:
		t.insert(k.Text)
	}
}

// insert puts text where the cursor is, without what no line has.
func (t *typing) insert(text string) {
	add := []rune(callback.Sanitize(text, maxText))
	add = add[:min(len(add), maxTyped-len(t.text))]
	t.text = slices.Insert(t.text, t.at, add...)
	t.at += len(add)
	t.fault = t.check(string(t.text))
}

// Draw shows the line in row y, and what is wrong with it after it.
func (t *typing) Draw(c *Canvas, d *desk, y int) {
	w, _ := c.Size()
	x := c.Put(1, y, RoleKey, t.sign) + 1
	room := w - x - 1
	says, tone := t.hint, RoleDim
	if t.fault != nil && says == "" {
		says, tone = t.fault.says, RoleError
	}
	if says != "" {
		room = max(room-c.Width(says)-2, room/2)
	}
	from := 0
	for from < t.at && c.Width(string(t.text[from:t.at])) >= room {
		from++
	}
	to := len(t.text)
	for to > from && c.Width(string(t.text[from:to])) > room {
		to--
	}
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
