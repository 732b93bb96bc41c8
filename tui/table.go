package tui

// column is one column of a table. It is there in frames at least from cells
// wide; of the room that is left it gets up to most, columns further to the
// left first, but for the one that takes all the rest.
type column struct {
	title string
	w     int
	align Align
	from  int
	most  int

	sign rune // stands behind the title; 0: none
	x    int  // where it is; -1: not shown
}

// rest is the most of a column that takes what is left.
const rest = 1 << 20

// table is where the columns of a list are in a frame of some width.
type table struct{ cols []column }

// lay puts columns, which are the table's from then on, into w cells from column x
// on, one blank between two.
func lay(x, w int, cols []column) table {
	t := table{cols}
	free := w - x + 1
	for i := range t.cols {
		if t.cols[i].from <= w {
			free -= t.cols[i].w + 1
		}
	}
	for i := range t.cols {
		c := &t.cols[i]
		if c.x = -1; c.from > w {
			continue
		}
		if c.most > c.w && free > 0 {
			more := min(c.most-c.w, free)
			c.w, free = c.w+more, free-more
		}
		c.x = x
		x += c.w + 1
	}
	return t
}

// spare takes n cells off the last column that is shown.
func (t *table) spare(n int) {
	for i := len(t.cols) - 1; i >= 0; i-- {
		if t.cols[i].x >= 0 {
			t.cols[i].w = max(t.cols[i].w-n, 1)
			return
		}
	}
}

// head draws the titles.
func (t *table) head(c *Canvas, y int) {
	for i := range t.cols {
		switch col := &t.cols[i]; {
		case col.sign == 0 || col.x < 0:
			t.put(c, y, i, RoleHeader, col.title)
		case c.Width(col.title)+2 <= col.w:
			t.put(c, y, i, RoleHeader, col.title+" "+string(col.sign))
		default: // into the blank between two columns
			t.put(c, y, i, RoleHeader, col.title)
			c.Set(col.x+col.w, y, RoleHeader, col.sign)
		}
	}
}

// put draws a text into column i of row y.
func (t *table) put(c *Canvas, y, i int, role Role, text string) {
	if col := &t.cols[i]; col.x >= 0 {
		c.PutIn(col.x, y, col.w, role, text, col.align)
	}
}

// at returns where column i is, and how wide; false where it is not shown.
func (t *table) at(i int) (x, w int, ok bool) {
	return t.cols[i].x, t.cols[i].w, t.cols[i].x >= 0
}
