package tui

import (
	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// boxLine is a line of a box. Without a text it is a blank one.
type boxLine struct {
	role   Role
	text   string
	key    string // stands before an indented text
	indent int
	keep   bool // stays where there is no room for all
	cut    bool // is cut where it is too long, and not broken
}

// boxKey is a key that a box takes, as it says.
type boxKey struct{ key, does string }

// Widths of boxes, borders included.
const (
	boxW    = 72
	minBoxW = 20
)

// drawBox draws a box in the middle of the frame: its lines, broken where they
// are too long, and its keys. Where there is no room for all, lines that need
// not stay give way.
func drawBox(c *Canvas, title string, lines []boxLine, keys []boxKey) {
	w, h := c.Size()
	bw := min(boxW, w)
	inner := bw - 4
	if inner < minBoxW-4 {
		inner = max(bw-2, 1)
	}
	var rows []boxLine
	for _, l := range lines {
		wrapped := []string{l.text}
		if !l.cut {
			wrapped = c.Wrap(l.text, inner-l.indent, 4)
		}
		if len(wrapped) == 0 {
			wrapped = []string{""}
		}
		for i, text := range wrapped {
			part := boxLine{role: l.role, text: text, indent: l.indent, keep: l.keep}
			if i == 0 {
				part.key = l.key
			}
			rows = append(rows, part)
		}
	}
	feet := footLines(c, keys, inner)
	room := h - 2 - len(feet)
	airy := len(rows)+3 <= room
	gap := 3
	if len(feet) == 0 {
		gap = 2
	}
	for pass := range 3 { // blank lines first, then those that need not stay, then any
		for i := len(rows) - 1; i >= 0 && len(rows) > room; i-- {
			if pass == 0 && rows[i].text == "" || pass == 1 && !rows[i].keep || pass == 2 {
				rows = append(rows[:i], rows[i+1:]...)
			}
		}
	}
	bh := len(rows) + len(feet) + 2
	if airy {
		bh += gap
	}
	x, y := (w-bw)/2, max((h-bh)/2, 0)
	c.Box(x, y, bw, bh, title)
	left, row := x+(bw-inner)/2, y+1
	if airy {
		row++
	}
	for _, l := range rows {
		c.Put(left, row, RoleKey, l.key)
		c.PutIn(left+l.indent, row, inner-l.indent, l.role, l.text, Left)
		row++
	}
	if airy {
		row++
	}
	for _, foot := range feet {
		at := left
		for _, k := range foot {
			at = c.Put(at, row, RoleKey, k.key) + 1
			at = c.Put(at, row, RoleText, k.does) + 3
		}
		row++
	}
}

// footLines breaks the keys of a box into lines.
func footLines(c *Canvas, keys []boxKey, w int) [][]boxKey {
	var out [][]boxKey
	used := w + 1
	for _, k := range keys {
		n := c.Width(k.key) + 1 + c.Width(k.does)
		if used+3+n > w {
			out, used = append(out, nil), -3
		}
		out[len(out)-1] = append(out[len(out)-1], k)
		used += 3 + n
	}
	return out
}

// leaveBox asks what is to become of the server that runs in this process.
type leaveBox struct {
	d     *desk
	leave func(Leave) tea.Cmd
}

// Key implements box.
func (b *leaveBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onLeave) {
	case actHide:
		return b.leave(Hide), true
	case actStop:
		return b.leave(Stop), true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *leaveBox) Draw(c *Canvas) {
	d := b.d
	lines := []boxLine{{role: RoleText, keep: true, text: "This terminal runs the server. " +
		plural(uint64(max(d.overview.Running, 0)), "call") + isAre(d.overview.Running) + " in flight, " + Count(d.overview.Waiting) + " wait on disk."}, {}}
	stop := "stop: finish what is in flight (up to 65 s), then exit; what waits is kept"
	if d.opt.Demo || d.server.Demo {
		stop = "stop: the demo ends, and its folder is removed"
	}
	lines = append(lines,
		boxLine{key: "h", text: "hide the screen, keep delivering; 'ringback tui' in another terminal shows it again", indent: 5, keep: true},
		boxLine{key: "s", text: stop, indent: 5, keep: true},
		boxLine{key: "Esc", text: "stay", indent: 5, keep: true})
	drawBox(c, "Leave", lines, nil)
}

// isAre returns the verb of so many.
func isAre(n int) string {
	if n == 1 {
		return " is"
	}
	return " are"
}

// suspendBox asks before a callback is suspended or resumed.
type suspendBox struct {
	d *desk
	h callback.HealthView
}

// askSuspend opens the box for a callback.
func (d *desk) askSuspend(h *callback.HealthView) {
	if h == nil {
		d.say(RoleError, "z: there is no callback")
		return
	}
	if !d.refuse("z") {
		d.box = &suspendBox{d, *h}
	}
}

// Key implements box.
func (b *suspendBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onConfirm) {
	case actConfirm:
		if b.d.refuse("z") {
			return nil, true
		}
		return b.d.ask.suspend(b.h.ID.String(), b.h.Name, b.d.opt.User, b.h.Live.Suspended), true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *suspendBox) Draw(c *Canvas) {
	n := b.h.Live.Counts.Waiting()
	if b.h.Live.Suspended {
		drawBox(c, "Resume", []boxLine{
			{role: RoleTitle, text: "Deliver to " + b.h.Name + " again.", keep: true},
			{},
			{text: plural(n, "call") + " held. One is sent at once; when it succeeds the others follow, slowly at first. The time limits of the calls run on from where they stood still."},
		}, []boxKey{{"Enter", "resume"}, {"Esc", "do nothing"}})
		return
	}
	drawBox(c, "Suspend", []boxLine{
		{role: RoleTitle, text: "Make no further attempts for " + b.h.Name + ".", keep: true},
		{},
		{text: plural(n, "call") + " waiting now, and those to come, are accepted and held until it is resumed. Their time limits stand still. What is in flight is finished."},
	}, []boxKey{{"Enter", "suspend"}, {"Esc", "do nothing"}})
}

// suspended takes the answer to suspending or resuming.
func (d *desk) suspended(msg suspendMsg) {
	verb, done := "suspend", "suspended "
	if msg.resume {
		verb, done = "resume", "resumed "
	}
	switch {
	case msg.err == nil:
		d.say(RoleOK, done+msg.name)
	case refused(msg.err):
		d.say(RoleError, verb+" "+msg.name+": "+inWords(msg.err))
	default:
		d.say(RoleError, verb+" "+msg.name+": "+inWords(msg.err)+"; look before you repeat it")
	}
}
