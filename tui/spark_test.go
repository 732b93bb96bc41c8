package tui

import (
	"math"
	"testing"
)

func drawn(ascii bool, w, h int, draw func(*Canvas)) string {
	c := NewCanvas(w, h, NewPalette(ThemeNone, ascii))
	draw(c)
	return c.Text()
}

func TestFailedShare(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		t            Tally
		block, ascii rune
		role         Role
	}{
		{Tally{}, '·', ' ', RoleDim},
		{Tally{OK: 1}, '▁', '_', RoleOK},
		{Tally{OK: 1 << 60, Failed: 1}, '▂', '.', RoleFailing}, // one in a million shows
		{Tally{OK: 8, Failed: 2}, '▃', ':', RoleFailing},
		{Tally{OK: 6, Failed: 4}, '▄', '-', RoleFailing},
		{Tally{OK: 1, Failed: 1}, '▅', '=', RoleDown},
		{Tally{OK: 3, Failed: 7}, '▆', '*', RoleDown},
		{Tally{OK: 1, Failed: 1 << 60}, '▇', '#', RoleDown}, // one success shows
		{Tally{Failed: 1}, '█', '#', RoleDown},
	} {
		r, role := unicodeGlyphs.failedShare(tt.t)
		a, _ := asciiGlyphs.failedShare(tt.t)
		if r != tt.block || a != tt.ascii || role != tt.role {
			t.Errorf("%v: got %c %c role %d, want %c %c role %d", tt.t, r, a, role, tt.block, tt.ascii, tt.role)
		}
	}
	got := drawn(false, 9, 1, func(c *Canvas) {
		x := c.FailedShare(1, 0, []Tally{{}, {OK: 3}, {Failed: 2}})
		c.Put(x, 0, RoleText, "|")
	})
	if want := " ·▁█|"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBars(t *testing.T) {
	t.Parallel()
	none := math.NaN()
	for _, tt := range []struct {
		name  string
		ascii bool
		draw  func(*Canvas)
		want  string
	}{
		{"bars", false, func(c *Canvas) { c.Bars(0, 0, RoleOK, []float64{0, 1, 2, 4, 8, none, 9}, 8) }, "▁▁▂▄█·█"},
		{"ASCII", true, func(c *Canvas) { c.Bars(0, 0, RoleOK, []float64{0, 1, 2, 4, 8, none, 8}, 8) }, "__.-# #"},
		{"top of its own", false, func(c *Canvas) { c.Bars(0, 0, RoleOK, []float64{1, none, 2}, 0) }, "▄·█"},
		{"all nought", false, func(c *Canvas) { c.Bars(0, 0, RoleOK, []float64{0, 0}, 0) }, "▁▁"},
		{"chart", false, func(c *Canvas) { c.Chart(0, 0, 2, RoleOK, []float64{0, 4, 8, 16, none}, 16) }, "   █\n▁▄██·"},
		{"share", false, func(c *Canvas) { c.Share(0, 0, 4, RoleDim, 0.4) }, "█▌"},
		{"a tiny share", false, func(c *Canvas) { c.Share(0, 0, 4, RoleDim, 1e-9) }, "▏"},
		{"no share", false, func(c *Canvas) { c.Share(0, 0, 4, RoleDim, none) }, ""},
		{"too much", false, func(c *Canvas) { c.Share(0, 0, 4, RoleDim, math.Inf(1)) }, "████"},
		{"meter", false, func(c *Canvas) { c.Meter(0, 0, 5, RoleOK, 0.4) }, "██░░░"},
		{"meter, ASCII", true, func(c *Canvas) { c.Meter(0, 0, 5, RoleOK, 0.4) }, "##..."},
		{"scroll bar at the top", false, func(c *Canvas) { c.ScrollBar(0, 0, 4, 0, 0) }, "█\n│\n│\n│"},
		{"scroll bar at the end", false, func(c *Canvas) { c.ScrollBar(0, 0, 4, 1, 1) }, "│\n│\n│\n█"},
		{"scroll bar", false, func(c *Canvas) { c.ScrollBar(0, 0, 4, 0.25, 0.75) }, "│\n█\n█\n│"},
		{"scroll bar of nothing", true, func(c *Canvas) { c.ScrollBar(0, 0, 2, none, none) }, "#\n|"},
	} {
		h := 1
		for _, r := range tt.want {
			if r == '\n' {
				h++
			}
		}
		if got := drawn(tt.ascii, 8, h, tt.draw); got != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}
