package tui

import (
	"strings"
	"unicode/utf8"

	"ringback/callback"
)

// Select shows row y as the one the cursor is on: > in its first cell and
// the selection's background. Draw the row first.
func (c *Canvas) Select(y int) { c.SelectIn(0, y, c.w) }

// SelectIn is Select for the w cells from column x on.
func (c *Canvas) SelectIn(x, y, w int) {
	c.Set(x, y, RoleText, '>')
	c.flag(x, y, w, 1, selected)
}

// Dim greys what an area shows, keeping the selection.
func (c *Canvas) Dim(x, y, w, h int) { c.flag(x, y, w, h, dimmed) }

// DimAll greys the whole frame: old data, or what lies behind a box.
func (c *Canvas) DimAll() { c.Dim(0, 0, c.w, c.h) }

func (c *Canvas) flag(x, y, w, h int, f flag) {
	for row := max(y, 0); row < min(y+h, c.h); row++ {
		for col := max(x, 0); col < min(x+w, c.w); col++ {
			c.cells[row*c.w+col].flag |= f
		}
	}
}

// Rule draws a section's rule over the whole of row y: ── title ──── right ──.
// Either text may be empty. Where both do not fit, right gives way first.
func (c *Canvas) Rule(y int, title, right string) { c.RuleIn(0, y, c.w, title, right) }

// RuleIn is Rule for the w cells from column x on.
func (c *Canvas) RuleIn(x, y, w int, title, right string) {
	c.Fill(x, y, w, 1, RoleDim, c.palette.Glyphs.Rule)
	const ends = 6 // "── " and " ──"
	n, r := c.Width(title), c.Width(right)
	if r > 0 && r+ends <= w && (n == 0 || n+4+r+4 <= w) {
		c.label(x+w-r-4, y, r, RoleDim, right)
	}
	if n > 0 && w > ends {
		c.label(x+2, y, min(n, w-ends), RoleTitle, title)
	}
}

// label writes a text into a rule or a border, a blank on either side.
func (c *Canvas) label(x, y, w int, role Role, text string) {
	c.Set(x, y, RoleText, ' ')
	c.PutIn(x+1, y, w, role, text, Left)
	c.Set(x+1+w, y, RoleText, ' ')
}

// Box draws an empty box with a title in its upper border, over whatever is
// there. Inside are the columns x+1 to x+w-2 and the rows y+1 to y+h-2.
func (c *Canvas) Box(x, y, w, h int, title string) {
	if w < 2 || h < 2 {
		return
	}
	g := &c.palette.Glyphs
	c.Fill(x, y, w, h, RoleText, ' ')
	c.Fill(x+1, y, w-2, 1, RoleText, g.Rule)
	c.Fill(x+1, y+h-1, w-2, 1, RoleText, g.Rule)
	c.Fill(x, y+1, 1, h-2, RoleText, g.Side)
	c.Fill(x+w-1, y+1, 1, h-2, RoleText, g.Side)
	c.Set(x, y, RoleText, g.TopLeft)
	c.Set(x+w-1, y, RoleText, g.TopRight)
	c.Set(x, y+h-1, RoleText, g.BottomLeft)
	c.Set(x+w-1, y+h-1, RoleText, g.BottomRight)
	if n := min(c.Width(title), w-6); n > 0 {
		c.label(x+2, y, n, RoleTitle, title)
	}
}

// Wrap breaks s at blanks into lines of at most w cells, at most lines of
// them; a word longer than a line is broken where the line ends, and where
// lines run out the last one ends in ~. The lines are sanitised.
func (c *Canvas) Wrap(s string, w, lines int) []string {
	if w < 2 || lines < 1 {
		return nil
	}
	var out []string
	room := min(lines*w*utf8.UTFMax, 64<<10)
	for rest := strings.TrimSpace(callback.Sanitize(s, room)); rest != ""; {
		n := c.fit(rest, w)
		if n == len(rest) {
			return append(out, rest)
		}
		if len(out) == lines-1 {
			return append(out, rest[:c.fit(rest, w-1)]+"~")
		}
		if i := strings.LastIndexByte(rest[:n+1], ' '); i > 0 {
			n = i
		}
		out = append(out, strings.TrimRight(rest[:n], " "))
		rest = strings.TrimLeft(rest[n:], " ")
	}
	return out
}

// fit returns how many bytes of clean s have room in w cells, but no fewer
// than its first cluster.
func (c *Canvas) fit(s string, w int) int {
	n := 0
	for n < len(s) {
		g, gw := c.first(s[n:])
		if gw > w && n > 0 {
			break
		}
		w -= gw
		n += len(g)
	}
	return n
}
