package tui

import (
	"math"
	"slices"
	"time"

	"ringback/callback"
)

// drawChoices draws what can be chosen into the right end of a rule, the one
// that is chosen in brackets, and returns the column before the first.
func drawChoices(c *Canvas, y int, choices []string, chosen int) int {
	x, _ := c.Size()
	x -= 3
	for i, text := range slices.Backward(choices) {
		role := RoleDim
		if text = " " + text + " "; i == chosen {
			text, role = "["+choices[i]+"]", RoleTitle
		}
		x -= c.Width(text)
		c.Put(x, y, role, text)
	}
	return x
}

// drawWindows draws the rule of a section that shows the window of the desk.
func (d *desk) drawWindows(c *Canvas, y int, title string) {
	c.Rule(y, title, "")
	words, chosen := make([]string, 0, 8), -1
	for i, w := range callback.SeriesWindows {
		words = append(words, w.Word)
		if w.Span == d.window {
			chosen = i
		}
	}
	x := drawChoices(c, y, words, chosen)
	c.Put(x-2, y, RoleDim, " w")
}

// drawAxis writes when the parts of a series were below its w cells.
func (d *desk) drawAxis(c *Canvas, x, y, w int, s *callback.Series) {
	const label = 8
	form, span := "15:04", s.To.Sub(s.From)
	switch {
	case span > 7*24*time.Hour:
		form = "Jan 02"
	case span > 24*time.Hour:
		form = "Mon 02"
	}
	parts := max(min(6, w/label), 1)
	for i := range parts {
		at := s.From.Add(span * time.Duration(i) / time.Duration(parts))
		var room figure
		c.Put(x+i*w/parts, y, RoleDim, string(d.clock.in(at).AppendFormat(room[:0], form)))
	}
	if w >= label {
		c.PutIn(x+w-4, y, 4, RoleDim, "now", Right)
	}
}

// stretch repeats values, each as often as the next but for one time, so that
// they fill w cells.
func stretch[T any](values []T, w int) []T {
	out := make([]T, max(w, 0))
	for i := range out {
		out[i] = values[i*len(values)/w]
	}
	return out
}

// each returns a figure of each cell; NaN is none.
func each(cells []callback.SeriesCell, of func(*callback.SeriesCell) float64) []float64 {
	out := make([]float64, len(cells))
	for i := range cells {
		if out[i] = of(&cells[i]); out[i] == 0 {
			out[i] = math.NaN()
		}
	}
	return out
}

// rateUnits are what a rate is counted by: the first in which there is at least
// one.
var rateUnits = []struct {
	name string
	span time.Duration
}{{"second", time.Second}, {"minute", time.Minute}, {"hour", time.Hour}}

// busiest tells of the highest part of a chart: how long it is, for its figure is
// the average over it, and when it was.
func (d *desk) busiest(from time.Time, step time.Duration, figure string) string {
	word := every(step)
	if step == time.Minute {
		word = "minute"
	}
	to, now := from.Add(step), d.now()
	end := d.clock.in(to).Format("15:04")
	if days(d.clock.in(from), d.clock.in(to)) != 0 {
		end = d.clock.WhenShort(to, now)
	}
	return word + " " + figure + " on average, " + d.clock.WhenShort(from, now) + " - " + end
}

// drawRate draws how many calls all callbacks were given, high rows of it, and
// returns the row after the section.
func (p *overviewPage) drawRate(c *Canvas, y, high int) int {
	const left = 9
	d := p.d
	w, _ := c.Size()
	room := w - left - 2
	p.trend.room = room
	end := y + high + 3
	cells, ok := p.trend.cells()
	if !ok {
		d.drawWindows(c, y, "all callbacks: calls, "+lastWords(d.window))
		c.Put(left, y+1, RoleDim, p.trend.says())
		return end
	}
	s := &p.trend.got.series
	step := s.To.Sub(s.From) / time.Duration(len(cells))
	values := each(cells, func(cell *callback.SeriesCell) float64 { return float64(cell.Accepted) / step.Seconds() })
	// The last cell is not over yet.
	begun := min(max(d.now().Sub(s.To.Add(-step)), 5*time.Second), step)
	values[len(values)-1] *= step.Seconds() / begun.Seconds()
	peak := Peak(values)
	unit := rateUnits[0]
	for _, unit = range rateUnits {
		if peak*unit.span.Seconds() >= 1 {
			break
		}
	}
	title := "all callbacks: calls per " + unit.name + ", " + lastWords(d.window)
	if peak > 0 {
		at := s.From.Add(time.Duration(slices.Index(values, peak)) * step)
		title += "; busiest " + d.busiest(at, step, Rate(peak*unit.span.Seconds()))
	}
	d.drawWindows(c, y, title)
	drawn := stretch(values, room)
	scale := func(row int, share float64) {
		c.PutIn(1, y+row, left-3, RoleDim, Rate(peak*share*unit.span.Seconds()), Right)
	}
	scale(1, 1)
	scale(1+high/2, 0.5)
	scale(high, 0)
	c.Fill(left-1, y+1, 1, high, RoleDim, c.Glyphs().Side)
	c.Set(left-1, y+high+1, RoleDim, c.Glyphs().BottomLeft)
	c.Chart(left, y+1, high, RoleOK, drawn, peak)
	d.drawAxis(c, left, y+high+1, len(drawn), s)
	return end
}
