package tui

import (
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// enterMax is how many calls Enter alone confirms; for more, their number is
// typed.
const enterMax = 20

// confirmBox asks before calls are retried or resolved. It holds its own copy
// of them: what it names is what is done, whatever the page shows meanwhile.
type confirmBox struct {
	d       *desk
	resolve bool
	marked  bool
	calls   []callback.CallView // what is to be done
	skipped []skip
	extend  bool
	gaveUp  int // among calls
	typed   string
	after   func()
}

// skip is a call that nothing is done with, and why.
type skip struct {
	call callback.CallView
	why  string
}

// askCalls opens the box for calls, or says why nothing can be done. none says
// why there are no calls; after runs once all is done.
func (d *desk) askCalls(a action, calls []callback.CallView, none string, after func()) {
	b := &confirmBox{d: d, resolve: a == actResolve, marked: len(calls) > 1, after: after}
	key := "r"
	if b.resolve {
		key = "x"
	}
	switch {
	case len(calls) == 0:
		d.say(RoleDim, key+": "+none)
		return
	case d.refuse(key):
		return
	}
	for i := range calls {
		v := &calls[i]
		if why := d.unfit(v, b.resolve); why != "" {
			b.skipped = append(b.skipped, skip{*v, why})
			continue
		}
		b.calls = append(b.calls, *v)
		if v.State == callback.StateGaveUp {
			b.gaveUp++
		}
	}
	if len(b.calls) > 0 {
		d.box = b
		return
	}
	says := b.skipped[0].why
	if n := len(b.skipped); n > 1 {
		says = "none of the " + Count(uint64(n)) + " marked: " + strings.Join(b.reasons(), ", ")
	}
	d.say(RoleError, key+": "+says)
}

// unfit says why a call cannot be retried, or resolved; "" where it can.
func (d *desk) unfit(v *callback.CallView, resolve bool) string {
	switch v.State {
	case callback.StateDelivered, callback.StateResolved:
		return "already success"
	case callback.StateDelivering:
		return "being sent now"
	case callback.StateCancelled:
		return "callback deleted"
	case callback.StateDamaged:
		if !resolve {
			return "record damaged"
		}
	}
	if h := d.health(v.CallbackID); !resolve && h != nil && h.Live.Suspended {
		return "callback suspended"
	}
	return ""
}

// reasons counts what is skipped by why.
func (b *confirmBox) reasons() []string {
	var order []string
	n := map[string]uint64{}
	for i := range b.skipped {
		why := b.skipped[i].why
		if n[why] == 0 {
			order = append(order, why)
		}
		n[why]++
	}
	for i, why := range order {
		order[i] = Count(n[why]) + " " + why
	}
	return order
}

func (b *confirmBox) large() bool { return len(b.calls) > enterMax }

// Key implements box.
func (b *confirmBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	d := b.d
	switch lookup(k, onConfirm) {
	case actCancel:
		return nil, true
	case actExtend:
		if b.gaveUp > 0 && !b.resolve {
			b.extend = !b.extend
		}
	case actDigit:
		if b.large() && len(b.typed) < 5 {
			b.typed += k.String()
		}
	case actErase:
		b.typed = b.typed[:max(len(b.typed)-1, 0)]
	case actConfirm:
		key := "r"
		if b.resolve {
			key = "x"
		}
		switch {
		case b.large() && b.typed != strconv.Itoa(len(b.calls)):
			d.say(RoleError, "the number of calls is typed to go on: "+strconv.Itoa(len(b.calls)))
			return nil, false
		case d.refuse(key):
			return nil, true
		}
		kind := jobRetry
		if b.resolve {
			kind = jobResolve
		}
		return d.start(newJob(kind, b.extend, b.calls, b.after)), true
	}
	return nil, false
}

// Draw implements box.
func (b *confirmBox) Draw(c *Canvas) {
	d := b.d
	n := uint64(len(b.calls))
	var lines []boxLine
	add := func(role Role, indent int, keep bool, text string) {
		lines = append(lines, boxLine{role: role, text: text, indent: indent, keep: keep, cut: indent > 0})
	}
	what := plural(n+uint64(len(b.skipped)), "call")
	if b.marked {
		what = Count(n+uint64(len(b.skipped))) + " marked calls"
	}
	if b.resolve {
		add(RoleTitle, 0, true, what+" to count as SUCCESS and not be sent again:")
	} else {
		add(RoleTitle, 0, true, what+" to be sent again now:")
	}
	add(RoleText, 0, false, "")
	b.list(c, add)
	add(RoleText, 0, false, "")
	if len(b.skipped) > 0 {
		add(RoleFailing, 0, true, "Skipped: "+strings.Join(b.reasons(), ", ")+".")
	}
	if b.resolve {
		add(RoleText, 0, false, "So "+plural(n, "call")+" will change; the API shows SUCCESS, resolved by "+orNobody(d.opt.User)+". u takes it back.")
	} else {
		b.warn(add)
	}
	verb := "retry"
	if b.resolve {
		verb = "resolve"
	}
	keys := []boxKey{{"Enter", verb + " " + plural(n, "call")}}
	if b.gaveUp > 0 && !b.resolve {
		keys = append(keys, boxKey{"Tab", "new window"})
	}
	keys = append(keys, boxKey{"Esc", "do nothing"})
	if !b.large() {
		drawBox(c, title(verb), lines, keys)
		return
	}
	ask := "Type the number of calls to go on: "
	field := b.typed + strings.Repeat("_", max(5-len(b.typed), 0))
	add(RoleText, 0, false, "")
	add(RoleKey, 0, true, ask+field+"  ("+strconv.Itoa(len(b.calls))+")")
	drawBox(c, title(verb), lines, keys)
}

func title(verb string) string { return strings.ToUpper(verb[:1]) + verb[1:] }

// listMax is how many calls a box names one by one.
const listMax = 6

// list names the calls, or counts them by callback where they are many.
func (b *confirmBox) list(c *Canvas, add func(Role, int, bool, string)) {
	if len(b.calls)+len(b.skipped) <= listMax {
		for i := range b.calls {
			v := &b.calls[i]
			add(RoleText, 2, false, b.name(c, v)+result(v, true))
		}
		for i := range b.skipped {
			add(RoleDim, 2, false, b.name(c, &b.skipped[i].call)+b.skipped[i].why)
		}
		return
	}
	var order []string
	n := map[string]uint64{}
	for i := range b.calls {
		name := b.calls[i].Callback
		if n[name] == 0 {
			order = append(order, name)
		}
		n[name]++
	}
	for i, name := range order {
		if i == listMax {
			add(RoleText, 2, false, "and of "+plural(uint64(len(order)-i), "further callback"))
			return
		}
		add(RoleText, 2, false, Count(n[name])+" of "+name)
	}
}

// name tells which call it is.
func (b *confirmBox) name(c *Canvas, v *callback.CallView) string {
	return fit(c, b.d.stamp(v, 12), 12) + "  " + fit(c, v.Callback, 15) + "  " + fit(c, callMood(v, c.Glyphs()).String(), 11) + "  "
}

// fit makes s take w cells: it is cut, or blanks follow it.
func fit(c *Canvas, s string, w int) string {
	lines := c.Wrap(s, w, 1)
	if len(lines) == 0 {
		lines = []string{""}
	}
	return lines[0] + strings.Repeat(" ", max(w-c.Width(lines[0]), 0))
}

// warn says what retrying means.
func (b *confirmBox) warn(add func(Role, int, bool, string)) {
	d := b.d
	seen := map[callback.CallbackID]bool{}
	for i := range b.calls {
		id := b.calls[i].CallbackID
		if h := d.health(id); h != nil && h.Shown == callback.Down && !seen[id] && len(seen) < 3 {
			seen[id] = true
			add(RoleDown, 0, true, h.Name+" is still down: it failed last "+Age(h.Live.LastFailure, d.now())+" ago.")
		}
	}
	add(RoleText, 0, false, "Each is sent once now, and counts as an attempt. The time limit of those still retried stays as it is.")
	if b.gaveUp == 0 {
		return
	}
	says := plural(uint64(b.gaveUp), "call") + " given up before: no more tries after this one."
	if b.extend {
		says = plural(uint64(b.gaveUp), "call") + " given up before: retried for a new window if this fails."
	}
	add(RoleText, 0, true, says)
}
