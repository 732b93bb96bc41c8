package tui

import (
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// Canvas is the cells of one frame. Columns and rows count from 0 at the top
// left. Whatever falls outside is clipped, so no caller needs to look at the
// size before drawing. Every text is sanitised on the way in.
//
// A Canvas is reused from frame to frame by Reset; it is not safe for use by
// several goroutines at once.
type Canvas struct {
	w, h    int
	palette *Palette
	method  ansi.Method
	cells   []cell
	long    []string // clusters of more than one rune, by index
	out     []byte   // kept for its room
	joint   []byte   // room to look for the end of a cluster
}

// cell is one column of one row. r is a rune; or follows, where the cluster to
// the left goes on; or firstLong-i, for the i-th of Canvas.long.
type cell struct {
	r    rune
	role Role
	flag flag
}

const (
	follows   rune = -1
	firstLong rune = -2
)

// flag changes how a role looks, for a whole row or the whole screen.
type flag uint8

const (
	selected flag = 1 << iota
	dimmed
	flags = 4
)

var blank = cell{r: ' '}

// Align says where a text shorter than its field goes.
type Align uint8

// The three places.
const (
	Left Align = iota
	Right
	Centre
)

// NewCanvas returns a blank canvas of w columns and h rows, drawn with p.
func NewCanvas(w, h int, p *Palette) *Canvas {
	c := &Canvas{palette: p}
	c.Reset(w, h)
	return c
}

// Reset makes the canvas blank and w by h cells large.
func (c *Canvas) Reset(w, h int) {
	c.w, c.h = max(w, 0), max(h, 0)
	if n := c.w * c.h; n > cap(c.cells) {
		c.cells = make([]cell, n)
	} else {
		c.cells = c.cells[:n]
	}
	for i := range c.cells {
		c.cells[i] = blank
	}
	clear(c.long)
	c.long = c.long[:0]
}

// SetPalette changes the look of what is drawn, also of what was drawn before.
func (c *Canvas) SetPalette(p *Palette) { c.palette = p }

// SetGraphemes says how the terminal measures a cluster of several runes: as
// one unit (it reported mode 2027, Unicode core), or rune by rune, which is
// how a new canvas measures. It has to agree with the terminal: the painter sets
// that mode with the first picture whose canvas measures so.
func (c *Canvas) SetGraphemes(on bool) {
	c.method = ansi.WcWidth
	if on {
		c.method = ansi.GraphemeWidth
	}
}

// Size returns the columns and rows.
func (c *Canvas) Size() (w, h int) { return c.w, c.h }

// Glyphs returns the signs of the palette in use.
func (c *Canvas) Glyphs() *Glyphs { return &c.palette.Glyphs }

// Width returns how many cells s takes once it is sanitised.
func (c *Canvas) Width(s string) int {
	return c.width(sanitize(s))
}

// width is Width of clean text.
func (c *Canvas) width(s string) int {
	if printable(s) {
		return len(s)
	}
	n := 0
	for s != "" {
		g, w := c.first(s)
		n, s = n+w, s[len(g):]
	}
	return n
}

// Put draws text at column x of row y up to the right edge of the canvas, and
// returns the column after it.
func (c *Canvas) Put(x, y int, role Role, text string) int {
	x, _ = c.put(x, y, c.w, role, sanitize(text))
	return x
}

// PutIn draws text into a field of w cells at column x of row y and returns
// the column after the field. A longer text ends in ~ in the last cell; what a
// shorter one leaves of the field becomes blank.
func (c *Canvas) PutIn(x, y, w int, role Role, text string, align Align) int {
	if w <= 0 {
		return x
	}
	end := x + w
	w = min(w, c.w-x) // so that the ~ is seen where the canvas ends first
	if w <= 0 {
		return end
	}
	text = sanitize(text)
	n := c.width(text)
	if n > w {
		_, _ = c.put(x, y, x+w-1, role, text)
		c.set(x+w-1, y, 1, cell{r: '~', role: role})
		return end
	}
	left := 0
	switch align {
	case Right:
		left = w - n
	case Centre:
		left = (w - n) / 2
	}
	c.Fill(x, y, left, 1, role, ' ')
	_, _ = c.put(x+left, y, x+w, role, text)
	c.Fill(x+left+n, y, w-left-n, 1, role, ' ')
	return end
}

// Set draws one sign of one cell; what is not such a sign becomes ?.
func (c *Canvas) Set(x, y int, role Role, r rune) {
	c.set(x, y, 1, cell{r: c.sign(r), role: role})
}

// Fill draws the same sign into every cell of an area.
func (c *Canvas) Fill(x, y, w, h int, role Role, r rune) {
	r = c.sign(r)
	for row := max(y, 0); row < min(y+h, c.h); row++ {
		cells := c.span(x, row, x+w)
		for i := range cells {
			cells[i] = cell{r: r, role: role}
		}
	}
}

// sign lets runes of one cell pass.
func (c *Canvas) sign(r rune) rune {
	if r >= ' ' && r <= '~' || narrow(r) {
		return r
	}
	s := string(r)
	if sanitize(s) != s || c.method.StringWidth(s) != 1 {
		return '?'
	}
	return r
}

// put draws clean text into the columns from x to before end. It returns the
// column after the last one drawn and whether all of the text had room.
func (c *Canvas) put(x, y, end int, role Role, text string) (int, bool) {
	end = min(end, c.w)
	if y < 0 || y >= c.h {
		return x, false
	}
	for i := 0; i < len(text); {
		if x >= end {
			return x, false
		}
		if n := min(loners(text[i:]), end-x); n > 0 {
			seen := text[i+min(max(-x, 0), n) : i+n]
			cells := c.span(x, y, x+n)
			for j := range cells {
				cells[j] = cell{r: rune(seen[j]), role: role}
			}
			x, i = x+n, i+n
			continue
		}
		g, w := c.first(text[i:])
		i += len(g)
		if w == 0 {
			continue // an orphan mark, or a format character without a base
		}
		if x+w > end {
			c.Fill(x, y, end-x, 1, role, ' ')
			return end, false
		}
		c.set(x, y, w, c.pack(g, role))
		x += w
	}
	return x, true
}

// loners returns how many bytes s begins with that are a cell each: ASCII, but
// for the last before something else, which may join with it.
func loners(s string) int {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return max(i-1, 0)
		}
	}
	return len(s)
}

// first returns the first grapheme cluster of s and its cells.
func (c *Canvas) first(s string) (string, int) {
	r, n := utf8.DecodeRuneInString(s)
	if narrow(r) || ideograph(r) {
		if next, _ := utf8.DecodeRuneInString(s[n:]); n == len(s) || next < utf8.RuneSelf || narrow(next) || ideograph(next) {
			if ideograph(r) {
				return s[:n], 2
			}
			return s[:n], 1
		}
	}
	c.joint = append(c.joint[:0], s...) // so that text may live on the caller's stack
	g, w := ansi.FirstGraphemeCluster(c.joint, c.method)
	if s = s[:len(g)]; len(s) > maxCluster {
		w = c.method.StringWidth(strings.Clone(short(s)))
	}
	return s, w
}

// short cuts a cluster to maxCluster bytes.
func short(g string) string {
	if len(g) <= maxCluster {
		return g
	}
	n := maxCluster
	for !utf8.RuneStart(g[n]) {
		n--
	}
	return g[:n]
}

// pack makes a cell of a cluster.
func (c *Canvas) pack(g string, role Role) cell {
	if r, n := utf8.DecodeRuneInString(g); n == len(g) {
		return cell{r: r, role: role}
	}
	c.long = append(c.long, strings.Clone(short(g))) // so that text may live on the caller's stack
	return cell{r: firstLong - rune(len(c.long)-1), role: role}
}

// set writes a cluster of w cells. One that would hang over an edge becomes
// blank there.
func (c *Canvas) set(x, y, w int, to cell) {
	if x < 0 || x+w > c.w {
		c.Fill(x, y, w, 1, to.role, ' ')
		return
	}
	cells := c.span(x, y, x+w)
	for i := range cells {
		cells[i] = cell{r: follows, role: to.role, flag: to.flag}
	}
	if len(cells) > 0 {
		cells[0] = to
	}
}

// span returns the cells of row y from column x to before end that are on the
// canvas, for their owner to write all of them. Of a wide cluster that they cut in
// two the rest becomes blank.
func (c *Canvas) span(x, y, end int) []cell {
	x, end = max(x, 0), min(end, c.w)
	if y < 0 || y >= c.h || x >= end {
		return nil
	}
	row := c.cells[y*c.w : (y+1)*c.w]
	for i, cut := x-1, row[x].r == follows; cut && i >= 0; i-- {
		cut = row[i].r == follows
		row[i].r = ' '
	}
	for i := end; i < c.w && row[i].r == follows; i++ {
		row[i].r = ' '
	}
	return row[x:end]
}

// narrow tells the runes beyond ASCII that take one cell and never join with
// a neighbour: Latin letters, box drawing, blocks and our own signs.
func narrow(r rune) bool {
	return !wideSigns && (r >= 0xae && r <= 0x2ff || r >= 0x2500 && r <= 0x259f || r == '✓' || r == '✗' || r >= 0xa1 && r <= 0xac)
}

// ideograph tells the CJK characters, two cells each.
func ideograph(r rune) bool { return r >= 0x4e00 && r <= 0x9fff }

// wideSigns holds where RUNEWIDTH_EASTASIAN says that the terminal counts East
// Asian ambiguous runes, box drawing among them, as two cells.
var wideSigns = ansi.WcWidth.StringWidth("─") != 1
