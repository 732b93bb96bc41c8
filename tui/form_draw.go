package tui

import (
	"fmt"
	"slices"

	"ringback/callback"
)

// Columns of a form.
const (
	formLabel = 3
	formValue = 17
)

// formRow is a row of the fields: a field, with its line where it has several;
// or the head of a section.
type formRow struct {
	i, line int
	rule    string
}

// rows returns the rows of the form, and that of the cursor.
func (f *form) rows() (rows []formRow, cursor int) {
	for i, at := range f.fields {
		if at.rule != "" {
			rows = append(rows, formRow{i: i, rule: at.rule})
		}
		if at.beside {
			if i == f.at {
				cursor = len(rows) - 1
			}
			continue
		}
		if i == f.at {
			cursor = len(rows) + at.row
		}
		for line := range max(len(at.rows), 1) {
			rows = append(rows, formRow{i: i, line: line})
		}
	}
	return rows, cursor
}

// hintAt returns the column of the hints, or that after the frame where they
// have no room.
func hintAt(w int) int {
	switch {
	case w >= 110:
		return 78
	case w >= 76:
		return w - 18
	}
	return w
}

// draw draws the fields into the rows from y to before end.
func (f *form) draw(c *Canvas, y, end int) {
	rows, cursor := f.rows()
	f.top = shift(f.top, cursor, len(rows), end-y)
	if f.top == cursor && cursor > 0 && rows[cursor-1].rule != "" && end-y > 1 {
		f.top-- // with its head
	}
	shown := rows[f.top:min(f.top+end-y, len(rows))]
	for i, r := range shown {
		if r.rule != "" {
			c.Rule(y+i, r.rule, "")
			continue
		}
		f.drawRow(c, y+i, r)
	}
	w, _ := c.Size()
	if n := len(rows) - f.top - len(shown); n > 0 {
		more := " " + Count(uint64(n)) + " more below "
		c.Put(w-1-c.Width(more), end, RoleDim, more)
	}
}

// drawRow draws a field, and those beside it.
func (f *form) drawRow(c *Canvas, y int, r formRow) {
	w, _ := c.Size()
	at := f.fields[r.i]
	if r.line == 0 {
		c.PutIn(formLabel, y, formValue-formLabel-1, RoleText, at.label, Left)
	}
	x := f.drawValue(c, formValue, y, r.i, r.line)
	told := f.shown(at)
	for i := r.i + 1; i < len(f.fields) && f.fields[i].beside; i++ {
		next := f.fields[i]
		x = c.Put(x+3, y, RoleText, next.label) + 1
		x = f.drawValue(c, x, y, i, 0)
		if told == "" {
			told = f.shown(next)
		}
	}
	hint := hintAt(w)
	switch {
	case r.line > 0:
	case told != "" && hint >= w:
		c.Set(w-2, y, RoleError, c.Glyphs().Down)
	case told != "":
		hint = max(hint, x+1)
		c.PutIn(hint, y, w-1-hint, RoleError, string(c.Glyphs().Down)+" "+told, Left)
	case at.looked != "" && at.looked == at.value():
		f.drawFinding(c, y, hint, x, at)
	case at.hint != nil && x < hint:
		c.PutIn(hint, y, w-hint-1, RoleDim, at.hint(f), Left)
	}
}

// drawFinding draws what a look at a field showed: the sentence where it has
// room, else the few words, else that it warns.
func (f *form) drawFinding(c *Canvas, y, hint, x int, at *field) {
	w, _ := c.Size()
	role, sign := at.lookRole(c.Glyphs())
	found := &at.finding
	if hint >= w {
		if at.warns() {
			c.Set(w-2, y, role, c.Glyphs().Failing)
		}
		return
	}
	hint = max(hint, x+1)
	says := sign + found.Message
	if found.Result == "" {
		says = "looking ..."
	} else if c.Width(says) > w-1-hint {
		says = sign + found.Short
	}
	c.PutIn(hint, y, w-1-hint, role, says, Left)
}

// warned returns the field whose warning is told whole: that with the cursor, or
// the first; nil where there is none.
func (f *form) warned() *field {
	if at := f.fields[f.at]; at.warns() {
		return at
	}
	if i := slices.IndexFunc(f.fields, (*field).warns); i >= 0 {
		return f.fields[i]
	}
	return nil
}

// lookRole returns how a finding is drawn, and the sign before it.
func (f *field) lookRole(g *Glyphs) (Role, string) {
	switch f.finding.Result {
	case callback.FoundGood:
		return RoleOK, string(g.OK) + " "
	case callback.FoundWarning:
		return RoleFailing, string(g.Failing) + " "
	}
	return RoleDim, ""
}

// drawValue draws what is filled in, and returns the column after it.
func (f *form) drawValue(c *Canvas, x, y, i, line int) int {
	w, _ := c.Size()
	at := f.fields[i]
	here := i == f.at && line == at.row
	if here {
		c.Put(1, y, RoleKey, ">")
	}
	room := min(hintAt(w), w-2) - x - 1
	switch at.kind {
	case fieldChoice:
		return f.drawChoice(c, x, y, i)
	case fieldFlag:
		return f.drawFlag(c, x, y, i)
	case fieldPaste:
		if here {
			f.d.cursor = place{x, y, true}
		}
		role, says := RoleText, at.told(at.whole)
		if at.whole == "" {
			role, says = RoleDim, "the system's"
		}
		c.PutIn(x, y, room, role, says, Left)
		return x + room
	}
	in := &at.input
	if at.kind == fieldLines {
		in = &at.rows[line]
	}
	hide := at.hidden(in)
	switch {
	case here:
		f.d.cursor = place{in.draw(c, x, y, room, hide), y, true}
	default:
		c.PutIn(x, y, room, RoleText, string(in.masked(hide)), Left)
	}
	if len(in.text) == 0 && at.kind == fieldSecret && !at.drop {
		c.PutIn(x+1, y, room-1, RoleDim, at.was, Left)
	}
	return x + room
}

// drawChoice draws the words, with a sign before the chosen one; that alone
// where there is no room for all.
func (f *form) drawChoice(c *Canvas, x, y, i int) int {
	w, _ := c.Size()
	at := f.fields[i]
	long := x
	for _, word := range at.shown {
		long += len("( ) ") + c.Width(word) + 1
	}
	if long > w {
		if i == f.at {
			f.d.cursor = place{x + 1, y, true}
		}
		x = c.Put(x, y, RoleTitle, "(o) "+at.shown[at.pick])
		return c.Put(x+1, y, RoleDim, fmt.Sprintf("%d of %d", at.pick+1, len(at.shown)))
	}
	for n, word := range at.shown {
		sign, role := "( ) ", RoleText
		if n == at.pick {
			sign = "(o) "
			if i == f.at {
				role = RoleTitle
				f.d.cursor = place{x + 1, y, true}
			}
		}
		x = c.Put(x, y, role, sign+word) + 1
	}
	return x - 1
}

func (f *form) drawFlag(c *Canvas, x, y, i int) int {
	at := f.fields[i]
	sign, role := "[ ]", RoleText
	if at.pick == 1 {
		sign = "[x]"
	}
	if i == f.at {
		role = RoleTitle
		f.d.cursor = place{x + 1, y, true}
	}
	return c.Put(x, y, role, sign)
}
