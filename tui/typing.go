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

// Key takes a key; done ends the line.
func (t *typing) Key(k tea.KeyPressMsg) (cmd tea.Cmd, done bool) {
	switch lookup(k, onFilter) {
	case actApply:
		if t.fault != nil {
			return nil, false
		}
		return t.apply(string(t.text)), true
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
	says := ""
	if t.fault != nil {
		says = t.fault.says
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
			role = RoleError
		}
		x = c.Put(x, y, role, string(t.text[i]))
	}
	if says != "" {
		c.PutIn(x+2, y, w-x-3, RoleError, says, Left)
	}
}
