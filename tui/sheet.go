package tui

// sheet lays facts out over the lines of a page, as many as they take. What
// falls outside the page's rows is covered by the frame.
type sheet struct {
	c      *Canvas
	w, y   int
	indent int  // of facts behind a label
	wide   bool // there is room for more than the figures that matter most
	airy   bool // there is room for blank lines
}

// fact is a text that is not broken over lines, with a meter before it where
// cells is not 0.
type fact struct {
	role  Role
	text  string
	cells int
	share float64
}

// more is a fact that is left out where room is short.
func (s *sheet) more(text string) fact {
	if !s.wide {
		return fact{}
	}
	return fact{text: text}
}

// rule begins a section.
func (s *sheet) rule(title, right string) {
	s.c.Rule(s.y, title, right)
	s.y++
}

// gap ends a section.
func (s *sheet) gap() {
	if s.airy {
		s.y++
	}
}

// facts writes facts side by side, those without a text left out, and goes on
// in the next line where they have no room.
func (s *sheet) facts(label string, facts ...fact) {
	from := 1
	if label != "" {
		from += s.indent
		s.c.PutIn(1, s.y, s.indent, RoleDim, label, Left)
	}
	gap := 2
	if s.wide {
		gap = 3
	}
	x := from
	for i := range facts {
		f := &facts[i]
		if f.text == "" {
			continue
		}
		n := s.c.Width(f.text)
		if f.cells > 0 {
			n += f.cells + 1
		}
		if x > from && x+n >= s.w {
			x, s.y = from, s.y+1
		}
		if f.cells > 0 {
			x = s.c.Meter(x, s.y, f.cells, f.role, f.share) + 1
			n -= f.cells + 1
		}
		x = s.c.PutIn(x, s.y, min(n, s.w-1-x), f.role, f.text, Left) + gap
	}
	s.y++
}
