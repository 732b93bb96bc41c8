package tui

import (
	"slices"
	"time"

	"ringback/callback"
)

// The columns of the overview.
const (
	ovName = iota
	ovState
	ovOK
	ovCalls
	ovCells
	ovWaiting
	ovGaveUp
	ovOldest
	ovNext
	ovP50
	ovP95
	ovOutage
)

// overviewTable lays the columns out for a width.
func overviewTable(w, longest int) table {
	name, ok, cells := 15, "OK 1h", column{title: "FAILED, 1h", w: 10, from: 77}
	if w >= 110 {
		name, ok = 16, "OK 1h %"
		cells = column{title: "FAILED, LAST HOUR", w: 17, most: 30}
	}
	if w >= 150 {
		cells.most = hourCells
	}
	if w < 80 {
		name = 12
	}
	return lay(2, w, []column{
		ovName:    {title: "CALLBACK", w: name, most: min(longest, 30)},
		ovState:   {title: "STATE", w: 11},
		ovOK:      {title: ok, w: max(len(ok), 6), align: Right},
		ovCalls:   {title: "CALLS 1h", w: 8, align: Right, from: 110},
		ovCells:   cells,
		ovWaiting: {title: "WAITING", w: 7, align: Right},
		ovGaveUp:  {title: "GAVE UP", w: 7, align: Right, from: 66},
		ovOldest:  {title: "OLDEST", w: 6, align: Right},
		ovNext:    {title: "NEXT TRY", w: 9},
		ovP50:     {title: "P50", w: 5, align: Right, from: 110},
		ovP95:     {title: "P95", w: 5, align: Right, from: 86},
		ovOutage:  {title: "OUTAGE", w: 15, from: 130},
	})
}

// Draw implements page.
func (p *overviewPage) Draw(c *Canvas) {
	d := p.d
	p.trend.room = 0
	if d.firstRun() {
		d.drawFirstRun(c)
		return
	}
	w, _ := c.Size()
	first, end := body(c)
	rows := p.visible()
	longest := 0
	for i := range d.overview.Callbacks {
		longest = max(longest, c.Width(d.overview.Callbacks[i].Name))
	}
	t := overviewTable(w, longest)
	p.markSort(c, &t)
	t.head(c, first)

	panel := 7
	if end-first < 14 {
		panel = 4
	}
	p.height = max(min(len(rows), end-first-1-panel), 1)
	p.top = shift(p.top, max(slices.Index(rows, p.cursor), 0), len(rows), p.height)
	y := first + 1
	for _, id := range rows[p.top:min(p.top+p.height, len(rows))] {
		if h := d.health(id); h != nil {
			p.drawRow(c, &t, y, h)
			if id == p.cursor {
				d.selectRow(c, y)
			}
		}
		y++
	}
	if len(rows) == 0 {
		c.Put(2, y, RoleDim, "no callback has that in its name")
		return
	}
	if panel == 7 {
		y++
	}
	y = p.drawPanel(c, y, min(y+panel-1, end))
	if end-y >= 8 && w >= 110 && !d.link.down {
		y = p.drawRate(c, y, min(5, end-y-4))
	}
	if end-y >= 3 {
		d.drawEvents(c, y, end)
	}
}

// markSort puts a sign behind the title of the column that rows are sorted by.
func (p *overviewPage) markSort(c *Canvas, t *table) {
	col := &t.cols[overviewSorts[p.by].column]
	col.sign = c.Glyphs().Descending
	if p.reverse {
		col.sign = c.Glyphs().Ascending
	}
}

func (p *overviewPage) drawRow(c *Canvas, t *table, y int, h *callback.HealthView) {
	d, s := p.d, standingOf(h)
	now := d.now()
	t.put(c, y, ovName, RoleText, h.Name)
	t.put(c, y, ovState, s.role(), string(s.sign(c.Glyphs()))+" "+s.word())
	t.put(c, y, ovOK, RoleText, Success(h.OK, h.Bad))
	t.put(c, y, ovCalls, RoleText, CountShort(h.OK+h.Bad))
	if x, w, ok := t.at(ovCells); ok {
		var room [hourCells]Tally
		c.FailedShare(x, y, squeeze(room[:0], h.Cells, w))
	}
	t.put(c, y, ovWaiting, RoleText, CountShort(h.Live.Counts.Waiting()))
	lost, lostRole := h.Live.Counts.Failed, RoleText
	if lost > 0 {
		lostRole = RoleFailing
	}
	t.put(c, y, ovGaveUp, lostRole, CountShort(lost))
	t.put(c, y, ovOldest, RoleText, Age(h.Oldest, now))
	next, role := "held", RoleText
	if s != standSuspended {
		var late bool
		switch next, late = Countdown(h.NextTry, now); {
		case late && h.Live.Running > 0: // its answer is waited for
			next = "trying"
		case late:
			role = RoleFailing
		}
	}
	t.put(c, y, ovNext, role, next)
	t.put(c, y, ovP50, RoleText, Latency(answered(h.P50)))
	t.put(c, y, ovP95, RoleText, Latency(answered(h.P95)))
	t.put(c, y, ovOutage, s.role(), d.outage(h))
}

// answered is a time of answers for Latency, of which there are none where it is 0.
func answered(t time.Duration) time.Duration {
	if t == 0 {
		return -1
	}
	return t
}

// outage returns since when a callback fails, or is suspended.
func (d *desk) outage(h *callback.HealthView) string {
	var room figure
	return string(d.appendOutage(room[:0], h))
}

func (d *desk) appendOutage(b []byte, h *callback.HealthView) []byte {
	l, now := &h.Live, d.now()
	switch {
	case l.Outage.Phase == callback.OutageOpen:
		b = append(d.clock.appendWhen(b, l.Outage.Started, now, "15:04"), ' ')
		return appendAge(b, l.Outage.Started, now)
	case l.Suspended:
		return d.clock.appendWhen(b, l.SuspendedAt, now, "15:04")
	}
	return append(b, absent...)
}

// squeeze puts cells together into at most n, which it appends to out.
func squeeze(out []Tally, cells []callback.Cell, n int) []Tally {
	n = max(min(n, len(cells)), 0)
	for i := range n {
		var t Tally
		for _, cell := range cells[i*len(cells)/n : (i+1)*len(cells)/n] {
			t.OK += uint64(cell.OK)
			t.Failed += uint64(cell.Bad)
		}
		out = append(out, t)
	}
	return out
}

// drawSmall draws as many rows as there is room for, and returns how many
// there is none for.
func (p *overviewPage) drawSmall(c *Canvas, y, rows int) (more int) {
	d := p.d
	w, _ := c.Size()
	ids := p.visible()
	p.height = max(rows, 1)
	p.top = shift(p.top, max(slices.Index(ids, p.cursor), 0), len(ids), p.height)
	t := lay(3, w-1, []column{
		{w: 8, most: 30},
		{w: 5, align: Right, from: 28},
		{w: 6, align: Right, from: 35},
		{w: 6, align: Right, from: 22},
	})
	end := min(p.top+max(rows, 0), len(ids))
	for _, id := range ids[p.top:end] {
		h := d.health(id)
		if h == nil {
			continue
		}
		s := standingOf(h)
		c.Set(1, y, s.role(), s.sign(c.Glyphs()))
		t.put(c, y, 0, RoleText, h.Name)
		t.put(c, y, 1, RoleText, Success(h.OK, h.Bad))
		t.put(c, y, 2, RoleText, CountShort(h.Live.Counts.Waiting()))
		t.put(c, y, 3, RoleText, Age(h.Oldest, d.now()))
		if id == p.cursor {
			d.selectRow(c, y)
		}
		y++
	}
	return len(ids) - (end - p.top)
}
