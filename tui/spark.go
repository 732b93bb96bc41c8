package tui

import "math"

// Tally counts the calls of one cell of a series.
type Tally struct{ OK, Failed uint64 }

// FailedShare draws one cell for each tally, a row high: a thin line where all
// went well, a bar as high as the failed share where not, a dot without calls.
// Drawn this way round, the callback in trouble is the one with ink. A single
// failure shows, and only a cell in which everything failed is full. It
// returns the column after the last cell.
func (c *Canvas) FailedShare(x, y int, cells []Tally) int {
	for _, t := range cells {
		r, role := c.palette.Glyphs.failedShare(t)
		c.Set(x, y, role, r)
		x++
	}
	return x
}

func (g *Glyphs) failedShare(t Tally) (rune, Role) {
	switch {
	case t.OK == 0 && t.Failed == 0:
		return g.NoCalls, RoleDim
	case t.Failed == 0:
		return g.Bars[0], RoleOK
	case t.OK == 0:
		return g.Bars[7], RoleDown
	}
	share := float64(t.Failed) / (float64(t.Failed) + float64(t.OK))
	role := RoleFailing
	if share >= 0.5 {
		role = RoleDown
	}
	return g.Bars[1+min(int(share*6), 5)], role
}

// Bars draws one cell for each value, a row high, full at top; top 0 is the
// largest value. NaN is a cell without data. It returns the column after the
// last cell.
func (c *Canvas) Bars(x, y int, role Role, values []float64, top float64) int {
	c.Chart(x, y, 1, role, values, top)
	return x + len(values)
}

// Chart draws values as bars h rows high, the lowest at row y+h-1, full at
// top; top 0 is the largest value. Every value leaves at least a thin line, so
// that it is told from a cell without data (NaN), which is a dot.
func (c *Canvas) Chart(x, y, h int, role Role, values []float64, top float64) {
	if top <= 0 {
		top = Peak(values)
	}
	g := &c.palette.Glyphs
	for i, v := range values {
		if math.IsNaN(v) {
			c.Fill(x+i, y, 1, h-1, role, ' ')
			c.Set(x+i, y+h-1, RoleDim, g.NoCalls)
			continue
		}
		eighths := 1
		if v > 0 && top > 0 {
			eighths = max(int(math.Ceil(min(v/top, 1)*float64(h*8))), 1)
		}
		for row := range h {
			r := ' '
			if n := eighths - 8*row; n > 0 {
				r = g.Bars[min(n, 8)-1]
			}
			c.Set(x+i, y+h-1-row, role, r)
		}
	}
}

// Peak returns the largest of values, 0 without any.
func Peak(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		if v > top { // false for NaN
			top = v
		}
	}
	return top
}

// Share draws a bar along the row, share of w cells long in steps of an
// eighth; anything above nothing shows. The rest becomes blank.
func (c *Canvas) Share(x, y, w int, role Role, share float64) int {
	return c.along(x, y, w, role, share, ' ')
}

// Meter is Share with the free part shaded.
func (c *Canvas) Meter(x, y, w int, role Role, share float64) int {
	return c.along(x, y, w, role, share, c.palette.Glyphs.Shade)
}

func (c *Canvas) along(x, y, w int, role Role, share float64, rest rune) int {
	eighths := 0
	if share > 0 { // false for NaN
		eighths = max(int(min(share, 1)*float64(w*8)), 1)
	}
	for i := range w {
		if n := eighths - 8*i; n > 0 {
			c.Set(x+i, y, role, c.palette.Glyphs.Parts[min(n, 8)-1])
		} else {
			c.Set(x+i, y, RoleDim, rest)
		}
	}
	return x + max(w, 0)
}

// ScrollBar draws a bar of h rows down column x. from and to say which part
// of the whole is on the screen, 0 to 1; at least one cell stands for it.
func (c *Canvas) ScrollBar(x, y, h int, from, to float64) {
	if h <= 0 {
		return
	}
	part := func(f float64) float64 {
		if !(f > 0) { // also NaN
			return 0
		}
		return min(f, 1) * float64(h)
	}
	first := min(int(part(from)), h-1)
	last := max(int(math.Ceil(part(to))), first+1)
	for i := range h {
		if i >= first && i < last {
			c.Set(x, y+i, RoleText, c.palette.Glyphs.Thumb)
		} else {
			c.Set(x, y+i, RoleDim, c.palette.Glyphs.Side)
		}
	}
}
