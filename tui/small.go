package tui

import (
	"fmt"
	"strconv"
)

// drawLine draws what fits where nothing else does: one line.
func (m *model) drawLine(c *Canvas) {
	d := &m.desk
	x := 0
	if d.link.down {
		x = c.Put(x, 0, RoleAlarm, d.link.word()) + 1
	}
	m.drawCounts(c, x, 0)
}

// drawCounts draws the counts without words, and how many wait.
func (m *model) drawCounts(c *Canvas, x, y int) {
	d := &m.desk
	switch {
	case !d.loaded && d.link.down:
		c.Put(x, y, RoleError, d.link.err)
		return
	case !d.loaded:
		c.Put(x, y, RoleDim, "connecting ...")
		return
	}
	for s, n := range d.counts() {
		s := standing(s)
		if n == 0 {
			continue
		}
		text := string(s.sign(c.Glyphs())) + " " + Count(n)
		if s == standDown && m.w >= 30 {
			text += " " + s.word()
		}
		x = c.Put(x, y, s.role(), text) + 1
	}
	if q := "q " + CountShort(d.overview.Waiting); x+1+c.Width(q) <= m.w {
		c.Put(x+1, y, RoleText, q)
	}
}

// drawSmall draws the callbacks where whole screens have no room.
func (m *model) drawSmall(c *Canvas) {
	d := &m.desk
	c.Fill(0, 0, m.w, 1, RoleBar, ' ')
	name := "ringback"
	if d.known && d.server.Name != "" {
		name = d.server.Name
	}
	x := c.PutIn(1, 0, min(c.Width(name), m.w-11, 20), RoleBar, name, Left) + 2
	switch {
	case d.link.down:
		c.Put(x, 0, RoleAlarm, " "+d.link.word()+" "+Duration(d.opt.Now().Sub(d.link.since))+" ")
	case !d.paused.IsZero():
		c.Put(x, 0, RoleAlarm, " PAUSED ")
	default:
		c.Put(x, 0, RoleBar, d.clock.in(d.running()).Format("15:04:05"))
	}
	m.drawCounts(c, 1, 1)
	if d.firstRun() {
		c.PutIn(1, 3, m.w-2, RoleTitle, "No callbacks yet.", Left)
	}
	rows := m.h - 5
	page, _ := m.roots[0].(*overviewPage)
	if page != nil && d.loaded {
		more := page.drawSmall(c, 2, rows)
		if more > 0 {
			c.PutIn(1, m.h-3, m.w-1, RoleDim, fmt.Sprintf("%d more; larger than %dx%d shows all", more, fullW, fullH), Left)
		}
	}
	if d.link.down {
		c.Dim(0, 2, m.w, m.h-4)
	}
	if d.note.text != "" {
		c.PutIn(1, m.h-2, m.w-2, d.note.role, d.note.text, Left)
	}
	m.drawKeys(c, m.h-1, m.place(), nil, []action{actHelp, actQuit})
}

// drawOffline draws, in place of the strip, that what is shown is old.
func (m *model) drawOffline(c *Canvas, y int) {
	d := &m.desk
	if d.link.denied {
		c.PutIn(1, y, m.w-2, RoleError, "This key is no longer accepted, or one is needed: q, then tui --key-file FILE", Left)
		return
	}
	now := d.opt.Now()
	who := "Server"
	if d.opt.Embedded {
		who = "Engine"
	}
	s := who + " not answering since " + d.clock.When(d.link.since.Add(d.skew), d.running()) +
		" (" + Duration(now.Sub(d.link.since)) + ")"
	if d.loaded {
		s += "; what you see is old"
	}
	if left := d.link.next.Sub(now); left > 0 {
		s += "; next try in " + Duration(left)
	} else {
		s += "; trying now"
	}
	c.PutIn(1, y, m.w-2, RoleError, s, Left)
}

// drawGone draws what went wrong and where to look, from row y on.
func (d *desk) drawGone(c *Canvas, y int) int {
	w, _ := c.Size()
	for _, line := range c.Wrap(d.link.err, w-2, 3) {
		c.Put(1, y, RoleError, line)
		y++
	}
	y++
	if d.link.denied {
		c.PutIn(1, y, w-2, RoleText, "End the screen and start it with another key:  ringback tui --key-file FILE", Left)
		c.PutIn(1, y+1, w-2, RoleText, "On the server:  ringback keys list    ringback keys add NAME --role read", Left)
		return y + 2
	}
	if !d.opt.Embedded {
		c.PutIn(1, y, w-2, RoleText, "On the server:  systemctl status ringback    journalctl -u ringback -n 50", Left)
		c.PutIn(1, y+1, w-2, RoleText, "Deliveries go on only if the process runs; calls already accepted are on disk.", Left)
		return y + 2
	}
	return y
}

// drawGone draws that where there is nothing else to show.
func (m *model) drawGone(c *Canvas) {
	if m.desk.loaded {
		return
	}
	first, _ := body(c)
	y := m.desk.drawGone(c, first+1)
	c.Put(1, y+1, RoleDim, "attempt "+strconv.Itoa(m.desk.link.tries)+"; it goes on until the server answers")
}
