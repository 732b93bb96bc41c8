package tui

import (
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// The columns of calls.
const (
	clTime = iota
	clStatus
	clCallback
	clID
	clTries
	clResult
	clTook
	clFrom
	clNext
	clGivesUp
)

// callTable lays out the columns of calls. one says that all are of one
// callback, which then has no column; of more there is room for.
func callTable(w int, clock ClockMode, one bool) table {
	stamp := 12
	if clock != ClockToday {
		stamp = 14
	}
	name, from, givesUp := column{title: "CALLBACK", w: 12}, column{from: rest}, 150
	result, next := column{title: "RESULT", w: 13, from: 72}, column{title: "NEXT / WHO", w: 9, most: rest}
	switch {
	case w >= 110:
		name.w = 16
		result = column{title: "RESULT OF LAST TRY", w: 20, most: 40}
		from = column{title: "FROM", w: 15, most: 24}
		next = column{title: "NEXT TRY", w: 14}
	case w >= 80:
		name.w = 15
	}
	if one {
		name = column{from: rest}
		from = column{title: "FROM", w: 10, most: rest}
		next = column{title: "NEXT TRY", w: 12}
		givesUp = 130
	}
	return lay(2, w, []column{
		clTime:     {title: "RECEIVED", w: stamp},
		clStatus:   {title: "STATUS", w: 11},
		clCallback: name,
		clID:       {title: "CALL", w: 16, from: 110},
		clTries:    {title: "TRY", w: 3, align: Right},
		clResult:   result,
		clTook:     {title: "TOOK", w: 5, align: Right, from: 80},
		clFrom:     from,
		clNext:     next,
		clGivesUp:  {title: "GIVES UP", w: 9, from: givesUp},
	})
}

// Draw draws the list into the rows from y to before end, titles first.
func (l *callList) Draw(c *Canvas, y, end int, one bool) {
	w, _ := c.Size()
	d := l.d
	t := callTable(w, d.clock.Mode, one)
	l.list.Resize(end - y - 1)
	if from, to, ok := l.place(); ok && !one {
		gap := 2
		if w < 110 {
			gap = 1
		}
		t.spare(gap)
		c.ScrollBar(w-1, y+1, end-y-1, from, to)
	}
	t.head(c, y)
	y++
	if len(l.list.rows) == 0 {
		c.Put(2, y, RoleDim, l.nothing())
		return
	}
	for i, line := range l.list.Lines() {
		if !line.Loaded {
			c.Put(2, y+i, RoleDim, "loading ...")
			continue
		}
		l.drawRow(c, &t, y+i, &line.Row)
		if line.Marked {
			c.Set(1, y+i, RoleKey, '*')
		}
		if line.Gone {
			c.Dim(0, y+i, w, 1)
		}
		if line.Cursor {
			d.selectRow(c, y+i)
		}
	}
}

// place returns which part of all calls is on the screen, 0 to 1; false where
// that cannot be told, or all are. Between rows that are far from either end it
// goes by the time, as if the calls were everywhere as close to each other as
// those that are held.
func (l *callList) place() (from, to float64, ok bool) {
	rows, high, total := l.list.rows, float64(l.list.height), float64(l.total)
	if n := len(rows); !l.exact || n == 0 || total <= high {
		return 0, 0, false
	}
	above := float64(l.list.first())
	switch {
	case l.list.atTop:
	case l.list.atEnd:
		above += total - float64(len(rows))
	default:
		newest, oldest := rows[0].ID.Time(), rows[len(rows)-1].ID.Time()
		held := max(newest.Sub(oldest), time.Millisecond)
		above += float64(len(rows)) * float64(l.d.now().Sub(newest)) / float64(held)
	}
	above = max(min(above, total-high), 0)
	return above / total, (above + high) / total, true
}

// nothing says why there are no rows.
func (l *callList) nothing() string {
	switch {
	case l.loaded != nil:
		return "none of the " + plural(uint64(len(l.loaded)), "call") + " that are loaded matches the filter"
	case l.search.back != 0 && l.search.rests:
		return "nothing found so far"
	case l.search.back != 0:
		return "searching ..."
	case !l.list.Empty() && l.d.link.down:
		return "not loaded: " + strings.ToLower(l.d.link.word())
	case !l.list.Empty():
		return "loading ..."
	case len(l.filter.words) > 0:
		return "no call matches the filter"
	}
	return "no calls"
}

func (l *callList) drawRow(c *Canvas, t *table, y int, v *callback.CallView) {
	d := l.d
	w, _ := c.Size()
	m := callMood(v, c.Glyphs())
	t.put(c, y, clTime, RoleText, d.stamp(v, t.cols[clTime].w))
	t.put(c, y, clStatus, m.role, m.String())
	t.put(c, y, clCallback, RoleText, v.Callback)
	t.put(c, y, clID, RoleDim, v.ID.String())
	tries := v.Entry.Attempts
	if v.State == callback.StateDelivering {
		tries++ // the one under way
	}
	t.put(c, y, clTries, RoleText, strconv.Itoa(tries))
	t.put(c, y, clResult, RoleText, result(v, w >= 110))
	t.put(c, y, clTook, RoleText, took(v))
	t.put(c, y, clFrom, RoleText, sender(&v.Response))
	next, late := d.next(v)
	role := RoleText
	if late {
		role = RoleFailing
	}
	if _, _, ok := t.at(clFrom); !ok && next == absent {
		next = sender(&v.Response)
	}
	t.put(c, y, clNext, role, next)
	if !v.GivesUp.IsZero() {
		t.put(c, y, clGivesUp, RoleText, d.clock.WhenShort(v.GivesUp, d.now()))
	}
}

// stamp returns when a call came, as exactly as w cells allow.
func (d *desk) stamp(v *callback.CallView, w int) string {
	at, now := v.Enqueued, d.now()
	if at.IsZero() {
		at = v.ID.Time()
	}
	if s := d.clock.WhenMillis(at, now); len(s) <= w {
		return s
	}
	return d.when(at, w)
}

// when returns an instant, as exactly as w cells allow.
func (d *desk) when(t time.Time, w int) string {
	if s := d.clock.When(t, d.now()); len(s) <= w {
		return s
	}
	return d.clock.WhenShort(t, d.now())
}

// drawPane draws what there is to tell of the chosen call without opening it.
func (l *callList) drawPane(c *Canvas, y int) {
	v, ok := l.cursor()
	if !ok {
		c.Rule(y, "no call chosen", "")
		return
	}
	d := l.d
	w, _ := c.Size()
	c.Rule(y, "call "+v.ID.String()+"  "+v.Callback, "Enter opens it, d hides it")
	m := callMood(&v, c.Glyphs())
	x := c.Put(1, y+1, m.role, m.String()) + 2
	c.PutIn(x, y+1, w-x-1, RoleText, d.story(&v), Left)
	if a := last(&v); a != nil {
		c.PutIn(1, y+2, w-2, RoleText, stages(a), Left)
		c.PutIn(1, y+3, w-2, RoleText, answer(a), Left)
	}
	c.PutIn(1, y+4, w-2, RoleText, about(&v), Left)
	c.PutIn(1, y+5, w-2, RoleDim, belongs(&v.Response), Left)
}
