package tui

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// String returns the frame for the renderer: its rows, each exactly as many
// cells as the canvas is wide, joined by line feeds, in the palette's colours.
// Every row begins and ends unstyled. What did not change is the same string as
// before, which the renderer need not compare.
func (c *Canvas) String() string {
	out := c.out[:0]
	for y := range c.h {
		if y > 0 {
			out = append(out, '\n')
		}
		out = c.row(out, y, true)
	}
	if c.out = out; string(out) != c.last {
		c.last = string(out)
	}
	return c.last
}

// Text returns the frame without colours and without blanks at the ends of
// rows, for golden files and for --plain.
func (c *Canvas) Text() string {
	out := c.out[:0]
	for y := range c.h {
		if y > 0 {
			out = append(out, '\n')
		}
		out = c.row(out, y, false)
		for len(out) > 0 && out[len(out)-1] == ' ' {
			out = out[:len(out)-1]
		}
	}
	c.out = out
	return string(out)
}

// row appends one row to out.
func (c *Canvas) row(out []byte, y int, styled bool) []byte {
	var style uint8  // in force; 0 is plain
	var from, to int // where in out the cluster before is, if it is one that may join
	row := c.cells[y*c.w : (y+1)*c.w]
	p := c.palette
	for x, cl := range row {
		if cl.r == follows {
			continue
		}
		if s := p.style(cl.role, cl.flag); s != style && styled {
			out = append(out, p.sgr[s]...)
			style = s
		}
		at := len(out)
		if cl.r >= 0 && cl.r < utf8.RuneSelf && to == from {
			out = append(out, byte(cl.r))
			continue
		}
		out = c.cluster(out, cl.r)
		loner := cl.r >= 0 && (cl.r < utf8.RuneSelf || narrow(cl.r) || ideograph(cl.r))
		if to > from && c.joins(out[from:to], out[at:]) || !loner && c.grabs(out[at:]) {
			out = append(out[:at], '?')
			for i := x + 1; i < c.w && row[i].r == follows; i++ {
				out = append(out, '?')
			}
			loner = true
		}
		from, to = at, len(out)
		if loner {
			from = to
		}
	}
	if style != 0 {
		out = append(out, p.sgr[0]...)
	}
	return out
}

// cluster appends what a cell holds.
func (c *Canvas) cluster(out []byte, r rune) []byte {
	if r >= 0 {
		return utf8.AppendRune(out, r)
	}
	return append(out, c.long[firstLong-r]...)
}

// joins tells whether a terminal that knows grapheme clusters would draw the
// clusters a and b, put side by side by two calls, as one: two halves of a
// flag, or a letter and a vowel sign. The row would come out too short.
func (c *Canvas) joins(a, b []byte) bool {
	c.joint = append(append(c.joint[:0], a...), b...)
	g, _ := ansi.FirstGraphemeCluster(c.joint, c.method)
	return len(g) != len(a)
}

// grabs tells whether the cluster b would join with any letter before or
// after it: a vowel sign or a prefixed sign without its base.
func (c *Canvas) grabs(b []byte) bool { return c.joins(letter, b) || c.joins(b, letter) }

var letter = []byte{'a'}
