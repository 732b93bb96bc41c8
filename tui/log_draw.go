package tui

import "ringback/callback"

// maxWrapped is how many rows a wrapped line takes, at most.
const maxWrapped = 12

// Draw implements page.
func (p *logPage) Draw(c *Canvas) {
	first, end := body(c)
	p.drawFilter(c, first)
	first++
	if h := max(end-first, 1); h != p.height {
		p.height = h
		p.fill()
	}
	switch {
	case !p.loaded && p.err != "":
		c.Put(2, first+1, RoleError, p.err)
	case !p.loaded:
		c.Put(2, first+1, RoleDim, "loading ...")
	case len(p.lines) == 0:
		c.Put(2, first+1, RoleText, "No line was written yet.")
	case len(p.shown) == 0:
		c.Put(2, first+1, RoleText, "No line is like that; Esc shows all.")
	default:
		p.drawLines(c, first, end)
	}
}

// drawFilter says which lines are shown.
func (p *logPage) drawFilter(c *Canvas, y int) {
	x := c.Put(1, y, RoleDim, "Level: ")
	x = c.Put(x, y, RoleTitle, string(logLevels[p.level])) + 3
	part := "all"
	if p.part != "" {
		part = p.part
	}
	x = c.Put(c.Put(x, y, RoleDim, "From: "), y, RoleTitle, part) + 3
	x = c.Put(x, y, RoleKey, "/") + 1
	if p.typed == "" {
		c.Put(x, y, RoleDim, "to search")
		return
	}
	w, _ := c.Size()
	c.PutIn(x, y, w-x-1, RoleTitle, p.typed, Left)
}

// columns returns where what a line says begins, and the cells of its time.
func (p *logPage) columns(c *Canvas) (text, clock int) {
	w, _ := c.Size()
	clock = 12
	if p.d.clock.Mode != ClockToday {
		clock = 18
	}
	if w < 80 { // no milliseconds, no part
		return clock, clock - 4
	}
	return clock + 14, clock
}

// rows returns what a line says, broken into rows of the screen.
func (p *logPage) rows(c *Canvas, l *callback.LogLine) []string {
	w, _ := c.Size()
	from, _ := p.columns(c)
	text := says(l, w >= 110)
	if w < 80 && l.Part != "" {
		text = l.Part + " " + text
	}
	if !p.wrap {
		return []string{text}
	}
	rows := c.Wrap(text, w-from-1, maxWrapped)
	if len(rows) == 0 {
		return []string{""}
	}
	return rows
}

// at returns the n-th line from the top of all that are shown.
func (p *logPage) at(n int) *callback.LogLine { return p.line(p.shown[len(p.shown)-1-n]) }

// scroll returns the line on top of the screen, so that the cursor is on it,
// and as little as can be moves.
func (p *logPage) scroll(c *Canvas) int {
	cursor := p.row(p.cursor)
	top := min(p.row(p.top), cursor)
	room, lowest := p.height, cursor
	for n := cursor; n >= top && n >= 0; n-- {
		if room -= len(p.rows(c, p.at(n))); room < 0 && n < cursor {
			break
		}
		lowest = n
	}
	top = max(top, lowest)
	p.top = p.shown[len(p.shown)-1-top]
	return top
}

// drawLines draws the lines into the rows from y to before end.
func (p *logPage) drawLines(c *Canvas, y, end int) {
	w, _ := c.Size()
	text, clock := p.columns(c)
	top, cursor := p.scroll(c), p.row(p.cursor)
	p.listed = 0
	for n := top; n < len(p.shown) && y < end; n++ {
		l := p.at(n)
		when := p.d.clock.WhenMillis(l.At, p.d.now())
		if w < 80 {
			when = p.d.clock.When(l.At, p.d.now())
		}
		c.PutIn(1, y, clock, RoleDim, when, Left)
		sign, role := levelSign(l.Level)
		c.Put(clock+2, y, role, sign)
		if w >= 80 {
			c.PutIn(clock+4, y, 9, RoleText, l.Part, Left)
		}
		from := y
		for _, row := range p.rows(c, l) {
			if y < end {
				c.PutIn(text, y, w-text-1, RoleText, row, Left)
				y++
			}
		}
		if n == cursor {
			c.flag(0, from, w, y-from, selected)
			p.d.selectRow(c, from)
		}
		p.listed++
	}
}

// levelSign returns the letter of a level.
func levelSign(l callback.LogLevel) (string, Role) {
	switch l {
	case callback.LevelError:
		return "E", RoleDown
	case callback.LevelWarn:
		return "W", RoleFailing
	case callback.LevelInfo:
		return "I", RoleText
	}
	return "D", RoleDim
}
