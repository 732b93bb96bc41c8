package tui

import (
	"slices"
	"strconv"

	"github.com/charmbracelet/x/ansi"
)

// picture is what a terminal shows, or is to show.
type picture struct {
	Canvas
	manner
}

// manner is how a terminal is to behave while it shows a picture.
type manner struct {
	cursor place
	typing bool // the cursor is where text goes
	mouse  bool // clicks and the wheel are told
	sync   bool // it can hold a picture back until that is whole (mode 2026)
	redraw int  // another number: what it shows is not known
}

// take makes p a copy of a canvas, whose cells are settled.
func (p *picture) take(c *Canvas, m manner) {
	p.w, p.h, p.palette, p.method = c.w, c.h, c.palette, c.method
	p.cells = append(p.cells[:0], c.cells...)
	p.long = append(p.long[:0], c.long...)
	p.manner = m
}

// is reports whether p is that picture already.
func (p *picture) is(c *Canvas, m manner) bool {
	return p.manner == m && p.w == c.w && p.h == c.h && p.palette == c.palette && p.method == c.method &&
		slices.Equal(p.cells, c.cells) && slices.Equal(p.long, c.long)
}

// over appends what makes a terminal that shows from show p, nothing where that
// looks the same.
func (p *picture) over(out []byte, from *picture) []byte {
	out = p.modes(out, from)
	begin := len(out)
	switch {
	case p.sync:
		out = append(out, ansi.SetModeSynchronizedOutput...)
	case from.cursor.on:
		out = append(out, ansi.ResetModeTextCursorEnable...) // so that it does not fly about
	}
	drawn := len(out)
	if out = p.changes(out, from); len(out) == drawn && p.cursor == from.cursor && p.typing == from.typing {
		return out[:begin]
	}
	out = p.placeCursor(out, from)
	if p.sync {
		out = append(out, ansi.ResetModeSynchronizedOutput...)
	}
	return out
}

// modes appends what has to be switched on or off.
func (p *picture) modes(out []byte, from *picture) []byte {
	if p.mouse != from.mouse {
		out = append(out, mouseOff...)
		if p.mouse {
			out = append(out, ansi.SetModeMouseButtonEvent+ansi.SetModeMouseExtSgr...)
		}
	}
	if p.method == ansi.GraphemeWidth && from.method != p.method {
		out = append(out, ansi.SetModeUnicodeCore...)
	}
	return out
}

func (p *picture) placeCursor(out []byte, from *picture) []byte {
	if !p.cursor.on {
		if p.sync && from.cursor.on {
			out = append(out, ansi.ResetModeTextCursorEnable...)
		}
		return out
	}
	if !from.cursor.on || p.typing != from.typing {
		shape := 4 // a steady underline (DECSCUSR)
		if p.typing {
			shape = 2 // a steady block
		}
		out = append(out, ansi.SetCursorStyle(shape)...)
	}
	out = moveTo(out, p.cursor.x, p.cursor.y)
	if !p.sync || !from.cursor.on {
		out = append(out, ansi.SetModeTextCursorEnable...)
	}
	return out
}

// nearby is how many cells that did not change are written again rather than
// leapt over: to leap takes as many bytes.
const nearby = 6

// changes appends the cells that are others than those of from.
func (p *picture) changes(out []byte, from *picture) []byte {
	whole := p.w != from.w || p.h != from.h || p.palette != from.palette || p.method != from.method || p.redraw != from.redraw
	if whole && len(p.cells) > 0 {
		out = append(out, ansi.ResetStyle...) // whatever is in force
		if p.palette == from.palette {
			out = append(out, ansi.EraseEntireScreen...)
		}
	}
	var pen uint8
	changed := func(at int) bool { return whole || !p.like(from, at) }
	for y := range p.h {
		row := p.cells[y*p.w : (y+1)*p.w]
		for x := 0; x < p.w; x++ {
			if !changed(y*p.w + x) {
				continue
			}
			end := x + 1
			for next := end; next < min(p.w, end+nearby); next++ {
				if changed(y*p.w + next) {
					end = next + 1
				}
			}
			for row[x].r == follows {
				x--
			}
			for end < p.w && (row[end].r == follows || !whole && (p.overhangs(y, end) || from.overhangs(y, end))) {
				end++
			}
			out, pen = p.stroke(out, pen, y, x, end)
			x = end
		}
	}
	if pen != 0 {
		out = append(out, p.palette.sgr[0]...)
	}
	return out
}

// overhangs reports whether the cluster before column x of row y may reach into that, in
// a terminal that measures it in another way.
func (p *picture) overhangs(y, x int) bool {
	row := p.cells[y*p.w : (y+1)*p.w]
	for x--; x > 0 && row[x].r == follows; {
		x--
	}
	return !sure(row[x].r)
}

// like reports whether a cell looks as it does in from, which is as large.
func (p *picture) like(from *picture, at int) bool {
	a, b := p.cells[at], from.cells[at]
	if a.r <= firstLong && b.r <= firstLong {
		return a.role == b.role && a.flag == b.flag && p.long[firstLong-a.r] == from.long[firstLong-b.r]
	}
	return a == b
}

// stroke appends the cells of row y from column x to before end.
func (p *picture) stroke(out []byte, pen uint8, y, x, end int) ([]byte, uint8) {
	out = moveTo(out, x, y)
	row := p.cells[y*p.w : (y+1)*p.w]
	rest := end
	for end == p.w && rest > x && row[rest-1].r == ' ' && p.palette.style(row[rest-1].role, row[rest-1].flag) == 0 {
		rest--
	}
	if rest < end-len(ansi.EraseLineRight) {
		if out, pen = p.run(out, pen, y, x, rest); pen != 0 {
			out, pen = append(out, p.palette.sgr[0]...), 0
		}
		return append(out, ansi.EraseLineRight...), pen
	}
	if end == p.w && y == p.h-1 { // the last cell of all must not scroll
		out = append(out, ansi.ResetModeAutoWrap...)
		out, pen = p.run(out, pen, y, x, end)
		return append(out, ansi.SetModeAutoWrap...), pen
	}
	return p.run(out, pen, y, x, end)
}

// moveTo appends what moves the cursor (CUP).
func moveTo(out []byte, x, y int) []byte {
	out = strconv.AppendInt(append(out, "\x1b["...), int64(y)+1, 10)
	out = strconv.AppendInt(append(out, ';'), int64(x)+1, 10)
	return append(out, 'H')
}
