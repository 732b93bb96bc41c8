package tui

import (
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Text returns the frame without colours and without blanks at the ends of
// rows, for golden files and for --plain.
func (c *Canvas) Text() string {
	c.settle()
	out := c.out[:0]
	for y := range c.h {
		if y > 0 {
			out = append(out, '\n')
		}
		for _, cl := range c.cells[y*c.w : (y+1)*c.w] {
			if cl.r != follows {
				out = c.cluster(out, cl.r)
			}
		}
		for len(out) > 0 && out[len(out)-1] == ' ' {
			out = out[:len(out)-1]
		}
	}
	c.out = out
	return string(out)
}

// settle makes every cell mean the same whatever stands beside it: clusters that
// a terminal would draw as one with a neighbour become question marks. From then
// on any part of a row may be written by itself.
func (c *Canvas) settle() {
	for y := range c.h {
		c.settleRow(c.cells[y*c.w : (y+1)*c.w])
	}
}

func (c *Canvas) settleRow(row []cell) {
	before := c.out[:0] // the cluster before, if it is one that may join
	for x := range row {
		r := row[x].r
		if r == follows || r >= 0 && r < utf8.RuneSelf && len(before) == 0 {
			continue
		}
		n := len(before)
		here := c.cluster(before, r)[n:]
		loner := r >= 0 && (r < utf8.RuneSelf || narrow(r) || ideograph(r))
		if n > 0 && c.joins(before, here) || !loner && c.grabs(here) {
			row[x].r = '?'
			for i := x + 1; i < len(row) && row[i].r == follows; i++ {
				row[i].r = '?'
			}
			loner = true
		}
		c.out = before[:0]
		if before = before[:0]; !loner {
			before = append(before, here...)
		}
	}
}

// run appends the cells of row y from column x to before end, whole clusters,
// in the palette's colours; pen is the style in force before and after.
func (c *Canvas) run(out []byte, pen uint8, y, x, end int) ([]byte, uint8) {
	row, p := c.cells[y*c.w:(y+1)*c.w], c.palette
	for ; x < end; x++ {
		cl := row[x]
		if cl.r == follows {
			continue
		}
		if s := p.style(cl.role, cl.flag); s != pen {
			out = append(out, p.sgr[s]...)
			pen = s
		}
		if x+2 < end && row[x+1].r == follows && row[x+2].r == follows {
			// A sum of several: where a terminal takes them for one, nothing of what
			// stood here before is to be left.
			for at := x; at < end && (at == x || row[at].r == follows); at++ {
				out = append(out, ' ')
			}
			out = moveTo(out, x, y)
		}
		out = c.cluster(out, cl.r)
		if x+1 < end && !sure(cl.r) {
			for x+1 < end && row[x+1].r == follows {
				x++
			}
			out = moveTo(out, x+1, y) // a terminal may measure it in another way
		}
	}
	return out, pen
}

// sure tells the clusters that every terminal measures alike.
func sure(r rune) bool {
	return r >= 0 && (r < utf8.RuneSelf || narrow(r) || ideograph(r)) || r == follows
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
