package tui

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"
)

// box is what lies over the page and takes all keys.
type box interface {
	// Key takes a key; done closes the box.
	Key(k tea.KeyPressMsg) (cmd tea.Cmd, done bool)
	Draw(c *Canvas)
}

// press routes a key: to the box, the line that is typed, or the page.
func (m *model) press(k tea.KeyPressMsg) tea.Cmd {
	d := &m.desk
	d.lastKey = d.opt.Now()
	d.note = note{}
	switch {
	case k.String() == "ctrl+c":
		return m.interrupt()
	case k.String() == "ctrl+z": // what stops here is delivery, where the screen is the server's
		d.say(RoleDim, "Ctrl+Z does not put the screen aside; q leaves it")
		return nil
	case m.box != nil:
		cmd, done := m.box.Key(k)
		if done {
			m.box = nil
		}
		return cmd
	case d.typing != nil:
		cmd, done := d.typing.Key(k)
		if done {
			d.typing = nil
		}
		return cmd
	}
	a := lookup(k, m.place())
	if m.w < fullW || m.h < fullH {
		return m.pressSmall(a)
	}
	if w := m.writer(); w != nil && !(d.link.down && k.String() == "enter") {
		return w.Write(k)
	}
	return m.do(a, k.String())
}

// do does what an action is on this page; k is the key that stands for it.
func (m *model) do(a action, k string) tea.Cmd {
	if why := m.desk.lacks(a.needs()); a.leads() && why != "" {
		b, _ := keyOf(a, m.place())
		m.desk.say(RoleError, b.Help().Key+": "+why)
		return nil
	}
	if cmd, ok := m.common(a, k); ok {
		return cmd
	}
	cmd, _ := m.top().Key(a)
	return cmd
}

// writer is a page that takes keys as they are pressed, most of them as text,
// and what is pasted.
type writer interface {
	Write(k tea.KeyPressMsg) tea.Cmd
	Paste(text string)
}

// writer returns the page on top where it is one, and is shown.
func (m *model) writer() writer {
	if m.w < fullW || m.h < fullH {
		return nil
	}
	w, _ := m.top().(writer)
	return w
}

// whole reports whether the page on top is shown, and not less.
func (m *model) whole() bool {
	_, form := m.top().(writer)
	return m.w >= fullW && m.h >= fullH && !(form && m.desk.link.down)
}

// place returns whose keys are valid.
func (m *model) place() scope {
	if m.w < fullW || m.h < fullH || m.desk.link.down {
		if _, ok := m.top().(writer); ok {
			return onOverview // which is what is shown, or offline all that can be done
		}
	}
	return m.top().scope()
}

// pressSmall does what makes sense while whole screens have no room.
func (m *model) pressSmall(a action) tea.Cmd {
	switch a {
	case actQuit, actHelp, actPause, actClock, actRedraw, actRefresh:
		cmd, _ := m.common(a, "")
		return cmd
	case actUp, actDown, actTop, actBottom:
		cmd, _ := m.roots[0].Key(a)
		return cmd
	case actNone:
		return nil
	}
	m.desk.say(RoleDim, "for that the window must be 60x15")
	return nil
}

// common does what a key does on every page; ok is false where it is the
// page's own.
func (m *model) common(a action, k string) (cmd tea.Cmd, ok bool) {
	d := &m.desk
	switch a {
	case actTab:
		return m.show(int(k[0] - '1')), true
	case actOpen:
		if !d.link.down {
			return nil, false
		}
		d.link.gen++
		d.link.next = d.opt.Now()
		return m.poll(), true
	case actEsc:
		return m.escape(), true
	case actPause:
		return m.pause(), true
	case actClock:
		d.clock.Mode = d.clock.Mode.Next()
		d.say(RoleDim, "times: "+d.clock.Mode.String())
	case actWindow:
		return m.turnWindow(1), true
	case actWindowBack:
		return m.turnWindow(-1), true
	case actRefresh:
		return m.refreshNow(), true
	case actRedraw:
		m.manner.redraw++
	case actMouse:
		m.mouse = !m.mouse
		d.say(RoleDim, "mouse off")
		if m.mouse {
			d.say(RoleDim, "mouse on: the wheel scrolls; hold Shift to select text")
		}
	case actUndo:
		return d.undo(), true
	case actPalette:
		m.box = m.newCommandBox()
	case actHelp:
		m.box = &helpBox{d: d, on: m.top().scope()}
	case actQuit:
		return m.quit(), true
	default:
		return nil, false
	}
	return nil, true
}

// show brings one of the roots up.
func (m *model) show(tab int) tea.Cmd {
	if why := m.desk.lacksLog(); tab == logTab && why != "" {
		m.desk.say(RoleError, strconv.Itoa(tab+1)+": "+why)
		return nil
	}
	m.drop(0)
	m.tab = tab
	m.draw()
	return m.top().Refresh()
}

// goTo shows the calls there were at a time.
func (m *model) goTo(at time.Time) tea.Cmd {
	if p, ok := m.top().(*callbackPage); ok {
		return p.calls.goTo(at)
	}
	cmd := m.show(1)
	return tea.Batch(cmd, m.roots[1].(*callsPage).calls.goTo(at))
}

// escape undoes the last thing that narrows the page, or leaves it.
func (m *model) escape() tea.Cmd {
	if cmd, ok := m.top().Key(actEsc); ok {
		return cmd
	}
	if n := len(m.stack); n > 0 {
		m.drop(n - 1)
		m.draw()
		return m.top().Refresh()
	}
	return nil
}

// drop takes the pages from the n-th above the root on away.
func (m *model) drop(n int) {
	for _, p := range m.stack[n:] {
		if e, ok := p.(interface{ end() }); ok {
			e.end()
		}
	}
	clear(m.stack[n:])
	m.stack = m.stack[:n]
}

func (m *model) pause() tea.Cmd {
	d := &m.desk
	if d.paused.IsZero() {
		d.paused = d.running()
		d.say(RoleDim, "paused: nothing moves; p goes on")
		return nil
	}
	d.paused = time.Time{}
	return m.refresh()
}

func (m *model) refreshNow() tea.Cmd {
	d := &m.desk
	switch {
	case !d.paused.IsZero():
		d.say(RoleDim, "Ctrl+R: paused; p goes on")
		return nil
	case d.link.down:
		d.link.gen++
		return m.poll()
	}
	return tea.Batch(d.ask.server(), m.refresh())
}

// twiceTime is within what a second Ctrl+C leaves whatever is open.
const twiceTime = time.Second

// interrupt does what Ctrl+C does: one step towards leaving, and all of them
// when it is pressed twice, unless the server runs here.
func (m *model) interrupt() tea.Cmd {
	d := &m.desk
	now := d.opt.Now()
	twice := now.Sub(d.interrupted) < twiceTime
	d.interrupted = now
	esc := tea.KeyPressMsg{Code: tea.KeyEscape}
	switch w := m.writer(); {
	case d.opt.Embedded:
		return m.quit()
	case twice:
		return tea.Quit
	case m.box == nil && d.typing == nil && (w == nil || d.link.down):
		return m.quit()
	}
	defer d.say(RoleDim, "Ctrl+C again leaves")
	return m.press(esc)
}

// quit leaves, from a page above the six screens only to what is below it;
// where the server runs here, it asks what is to become of it.
func (m *model) quit() tea.Cmd {
	if n := len(m.stack); n > 0 && !m.desk.opt.Embedded && m.whole() {
		m.desk.say(RoleDim, "q leaves from the six screens")
		m.drop(n - 1)
		m.draw()
		return m.top().Refresh()
	}
	if !m.desk.opt.Embedded {
		return tea.Quit
	}
	m.desk.typing = nil
	m.box = &leaveBox{d: &m.desk, leave: func(l Leave) tea.Cmd {
		m.leave = l
		return tea.Quit
	}}
	return nil
}

// paste puts text into the line that is typed; elsewhere it is no keys.
func (m *model) paste(text string) tea.Cmd {
	m.desk.note = note{}
	switch to, ok := m.box.(interface{ Paste(string) }); {
	case ok:
		to.Paste(text)
	case m.box != nil:
	case m.desk.typing != nil:
		m.desk.typing.Paste(text)
	default:
		if w := m.writer(); w != nil {
			w.Paste(text)
		}
	}
	return nil
}

// wheelStep is how many rows a notch of the wheel moves.
const wheelStep = 3

func (m *model) wheel(msg tea.MouseWheelMsg) tea.Cmd {
	a := actDown
	switch msg.Button {
	case tea.MouseWheelUp:
		a = actUp
	case tea.MouseWheelDown:
	default:
		return nil
	}
	if m.box != nil || m.desk.typing != nil || m.w < fullW || m.h < fullH {
		return nil
	}
	var cmds []tea.Cmd
	for range wheelStep {
		cmd, _ := m.top().Key(a)
		cmds = append(cmds, cmd)
	}
	return tea.Batch(cmds...)
}
