package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// confirmBox asks before one call is sent again, now. It holds its own copy: what
// it names is what is done, whatever the page shows meanwhile.
type confirmBox struct {
	d      *desk
	call   callback.CallView
	extend bool
}

func (b *confirmBox) gaveUp() bool { return b.call.State == callback.StateGaveUp }

// Key implements box.
func (b *confirmBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	d := b.d
	switch lookup(k, onConfirm) {
	case actCancel:
		return nil, true
	case actExtend:
		if b.gaveUp() {
			b.extend = !b.extend
		}
	case actConfirm:
		if d.refuse("r") {
			return nil, true
		}
		return d.ask.retry(&b.call, b.extend), true
	}
	return nil, false
}

// Draw implements box.
func (b *confirmBox) Draw(c *Canvas) {
	lines := []boxLine{
		{role: RoleTitle, text: "1 call to be sent again now:", keep: true},
		{},
		callLine(c, b.d, &b.call, false, result(&b.call, true)),
		{},
	}
	if h := b.d.health(b.call.CallbackID); h != nil && h.Shown == callback.Down {
		lines = append(lines, boxLine{role: RoleDown, text: h.Name + " is still down: it last failed " + Age(h.Live.LastFailure, b.d.now()) + " ago.", keep: true})
	}
	lines = append(lines, boxLine{text: "It is sent once now, and counts as an attempt. Its time limit stays as it is."})
	keys := []boxKey{{"Enter", "retry 1 call"}}
	if b.gaveUp() {
		says := "It was given up before: no more tries after this one."
		if b.extend {
			says = "It was given up before: retried for a new window if this fails."
		}
		lines = append(lines, boxLine{text: says, keep: true})
		keys = append(keys, windowKey(b.extend))
	}
	drawBox(c, "Retry", lines, append(keys, boxKey{"Esc", "do nothing"}))
}

// sentAgain takes the answer to that. Where none came it is not known whether the
// call is sent.
func (d *desk) sentAgain(msg sentAgainMsg) {
	switch {
	case msg.err == nil:
		d.say(RoleOK, "1 call is being sent again")
		d.follow(&msg.call)
	case refused(msg.err):
		d.say(RoleError, "retry: "+inWords(msg.err))
	default:
		d.say(RoleError, "retry: "+inWords(msg.err)+"; look before you repeat it")
	}
}

// callLine names a call in a box, and says something of it: with when it came where
// all are of one callback, which the box names then, else with whose it is.
func callLine(c *Canvas, d *desk, v *callback.CallView, one bool, says string) boxLine {
	more := fit(c, v.Callback, 15)
	if one {
		more = fit(c, d.stamp(v, 12), 12)
	}
	return boxLine{text: v.ID.String() + "  " + more + "  " + fit(c, callMood(v, c.Glyphs()).String(), 11) + "  " + says, indent: 2, cut: true}
}

// fit makes s take w cells: it is cut, or blanks follow it.
func fit(c *Canvas, s string, w int) string {
	lines := c.Wrap(s, w, 1)
	if len(lines) == 0 {
		lines = []string{""}
	}
	return lines[0] + strings.Repeat(" ", max(w-c.Width(lines[0]), 0))
}
