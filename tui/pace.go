package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"
)

// pace keeps one question under way, and questions apart.
type pace struct {
	busy  bool
	asked time.Time
}

// ask puts a question, unless the last one is not answered or was put less
// than every ago; a fifth of that a tick may come early.
func (p *pace) ask(now time.Time, every time.Duration, cmd tea.Cmd) tea.Cmd {
	if p.busy || now.Sub(p.asked) < every*4/5 {
		return nil
	}
	p.busy, p.asked = true, now
	return cmd
}

// take reports whether an answer counts: while paused what is shown stays.
func (p *pace) take(d *desk, loaded bool) bool {
	p.busy = false
	return d.paused.IsZero() || !loaded
}
