package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// This file keeps what is shown up to date: a tick, the revisions that the
// service tells of, and the tries to reach a service that is gone.

type (
	tickMsg struct{ gen int }
	// retryMsg says that it is time to try again.
	retryMsg struct {
		gen   int
		watch bool
	}
)

// Times between two looks at the service, when the terminal has the focus and
// when not.
const (
	tickFocused = time.Second
	tickBlurred = 5 * time.Second
)

// after sends msg when t has passed.
func (d *desk) after(t time.Duration, msg tea.Msg) tea.Cmd {
	done := d.ask.ctx.Done()
	return func() tea.Msg {
		timer := time.NewTimer(t)
		defer timer.Stop()
		select {
		case <-timer.C:
			return msg
		case <-done:
			return nil
		}
	}
}

// tick sends the next tick, on the second of the clock.
func (m *model) tick() tea.Cmd {
	every := tickFocused
	if !m.focused {
		every = tickBlurred
	}
	m.ticks++
	now := m.desk.opt.Now()
	return m.desk.after(now.Truncate(every).Add(every).Sub(now), tickMsg{m.ticks})
}

func (m *model) ticked(msg tickMsg) tea.Cmd {
	if msg.gen != m.ticks {
		return nil
	}
	d := &m.desk
	if d.opt.Now().After(d.note.until) {
		d.note = note{}
	}
	cmds := []tea.Cmd{m.tick()}
	if !d.link.down && d.paused.IsZero() {
		cmds = append(cmds, m.poll(), d.askOperations(), d.askLost(), d.askFollowed())
		if !d.known {
			cmds = append(cmds, d.ask.server())
		}
		if late, ok := m.top().(interface{ overdue() bool }); m.stale || d.link.revs == nil || ok && late.overdue() {
			m.stale = false
			cmds = append(cmds, m.top().Refresh())
		}
	}
	return tea.Batch(cmds...)
}

func (m *model) focus(on bool) tea.Cmd {
	m.focused, m.desk.blurred = on, !on
	if !on {
		return m.tick()
	}
	return tea.Batch(m.tick(), m.refresh())
}

// poll asks for the overview, which also tells whether the service is there.
func (m *model) poll() tea.Cmd { return m.polling.ask(m.desk.ask.overview()) }

// refresh asks for everything that is shown.
func (m *model) refresh() tea.Cmd {
	m.stale = false
	if !m.desk.paused.IsZero() || m.desk.link.down {
		return nil
	}
	return tea.Batch(m.poll(), m.top().Refresh())
}

func (m *model) polled(msg overviewMsg) tea.Cmd {
	d := &m.desk
	now := d.opt.Now()
	if msg.err != nil {
		m.polling = once{} // what was asked meanwhile waits for the next try, too
		d.link.lost(now, d.updated, msg.err)
		wait := jitter(d.link.delay)
		d.link.next = now.Add(wait)
		return d.after(wait, retryMsg{gen: d.link.gen})
	}
	again := m.polling.answered(d.ask.overview())
	if !d.paused.IsZero() && d.loaded && !d.link.down {
		return again // asked for before the pause
	}
	var back tea.Cmd
	if d.link.down {
		back = m.back(now)
	}
	first := !d.loaded
	d.took(msg.overview)
	cmd := m.roots[0].Data(msg)
	if first {
		m.draw() // so that the page knows its room before it asks
		cmd = tea.Batch(cmd, m.top().Refresh())
	}
	return tea.Batch(again, back, cmd)
}

// back takes note that the service answers again.
func (m *model) back(now time.Time) tea.Cmd {
	l := &m.desk.link
	l.back = "back after " + Duration(now.Sub(l.since))
	m.desk.say(RoleOK, l.back)
	cmds := []tea.Cmd{m.desk.ask.server()}
	if l.denied && l.revs == nil {
		cmds = append(cmds, m.desk.ask.watch()) // no try was made meanwhile
	}
	m.desk.ops.asking = once{} // what was asked meanwhile is lost
	cmds = append(cmds, m.desk.askOperations(), m.desk.askLost())
	l.down, l.denied, l.err, l.delay, l.tries = false, false, "", 0, 0
	l.gen++
	l.watch = 0 // the next try to watch, if one is due, is not far
	for _, p := range append(m.roots[:], m.stack...) {
		if r, ok := p.(interface{ reconnect() }); ok {
			r.reconnect()
		}
	}
	return tea.Batch(append(cmds, m.top().Refresh())...)
}

// met takes in who the service is.
func (m *model) met(msg serverMsg) tea.Cmd {
	d := &m.desk
	if msg.err != nil {
		return nil // asked again with a tick
	}
	was, s := d.server, msg.server
	known := d.known
	d.server, d.known = s, true
	switch {
	case !known && s.Demo:
		d.window = time.Hour // there is nothing older to see
	case !known:
	case was.ID != s.ID:
		// Nothing that was chosen or marked means anything there.
		d.say(RoleError, "this is another server: data folder "+s.ID+", was "+was.ID)
		m.drop(0)
		m.roots = newRoots(d)
		m.tab, m.box, d.typing = 0, nil, nil
		d.ops, d.followed = operations{}, nil
		m.draw()
		return m.top().Refresh()
	case !was.Started.Equal(s.Started):
		says := "server restarted (" + s.Version + ")"
		if d.link.back != "" {
			says = d.link.back + ", " + says
		}
		d.say(RoleOK, says)
	}
	return nil
}

// retry tries again what failed.
func (m *model) retry(msg retryMsg) tea.Cmd {
	l := &m.desk.link
	switch {
	case msg.watch && l.denied: // it would be one more wrong key
	case msg.watch && l.revs == nil:
		return m.desk.ask.watch()
	case !msg.watch && l.down && msg.gen == l.gen:
		return m.poll()
	}
	return nil
}

// watching takes note of a try to watch. While it fails, the tick alone tells
// of changes.
func (m *model) watching(msg watchMsg) tea.Cmd {
	l := &m.desk.link
	if msg.err != nil {
		l.watch = longer(l.watch)
		return m.desk.after(jitter(l.watch), retryMsg{watch: true})
	}
	if l.revs != nil { // a try that was thought lost
		msg.stop()
		return nil
	}
	l.revs, l.stop = msg.revs, msg.stop
	return m.desk.ask.next(msg.revs)
}

// changed takes a revision, or the end of them: then it is asked at once
// whether the service is still there.
func (m *model) changed(msg revMsg) tea.Cmd {
	l := &m.desk.link
	if msg.revs != l.revs {
		return nil
	}
	if !msg.ok {
		l.stop()
		l.revs, l.stop = nil, nil
		l.watch = longer(l.watch)
		return tea.Batch(m.poll(), m.desk.after(jitter(l.watch), retryMsg{watch: true}))
	}
	l.watch = 0
	next := m.desk.ask.next(msg.revs)
	if !m.focused || !m.desk.paused.IsZero() {
		m.stale = true
		return next
	}
	return tea.Batch(next, m.top().Refresh()) // the overview goes with the tick: it may be large
}
