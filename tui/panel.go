package tui

import (
	"math"
	"strings"
	"time"

	"ringback/callback"
)

// reason says why a callback stands as it does.
func (d *desk) reason(h *callback.HealthView) string {
	l, now := &h.Live, d.now()
	switch standingOf(h) {
	case standDown, standFailing:
		if l.LastError != "" {
			return l.LastError
		}
		return l.Outage.FirstText
	case standSuspended:
		if l.SuspendedBy == "limit" {
			return "Suspended by itself: the outage lasted longer than suspend_after allows."
		}
		if l.SuspendedBy == "" {
			return "Suspended."
		}
		return "Suspended by " + l.SuspendedBy + "."
	case standIdle:
		if l.Counts.Accepted == 0 {
			return "No response came for it yet."
		}
		return "No calls in the last hour."
	}
	if l.Outage.Phase == callback.Recovering {
		return "Recovering: it answers again since " + d.clock.When(l.Outage.Healthy, now) + "."
	}
	if l.LastSuccess.IsZero() {
		return "Nothing failed."
	}
	return "Answers well; last success " + d.clock.When(l.LastSuccess, now) + "."
}

// waits says what becomes of the calls that are not delivered yet.
func (d *desk) waits(h *callback.HealthView) string {
	l, now := &h.Live, d.now()
	n := l.Counts.Waiting()
	switch {
	case n == 0:
		return "No call waits."
	case l.Suspended:
		return plural(n, "call") + " held, oldest " + Age(h.Oldest, now) + "; their time limits stand still until z resumes it."
	}
	s := plural(n, "call") + " waiting, oldest " + Age(h.Oldest, now)
	if next, late := Countdown(h.NextTry, now); next != absent {
		if late {
			next = "is " + next
		}
		s += "; next try " + next
	}
	switch {
	case !h.Retries:
		return s + ". Retries are off: each is tried once."
	case d.known && d.server.Interval > 0:
		s += ", then every " + every(d.server.Interval) + " for " + every(d.server.Window) + " each"
	}
	if !h.ExpireAt.IsZero() && h.ExpireAt.After(now) {
		s += "; first gives up " + d.clock.WhenShort(h.ExpireAt, now)
	}
	return s + "."
}

// mail says whether somebody was told of a callback's outage.
func (d *desk) mail(h *callback.HealthView, g *Glyphs) (mood, string) {
	a := h.Alert
	switch {
	case a != nil:
		return mailMood(a, g), d.mailRest(a)
	case h.Alerts == callback.ModeOff:
		return mood{g.None, "off", RoleDim}, "for this callback"
	case h.Live.Outage.Phase == callback.NoOutage:
		to := h.Email
		if to == "" {
			to = "the administrator"
		}
		return mood{g.None, "none due", RoleDim}, "; an outage would go to " + to
	}
	return mood{g.None, "none", RoleDim}, "was due for this outage"
}

// drawPanel draws what there is to tell of the chosen callback into the rows
// from y to before end, and returns the row after it.
func (p *overviewPage) drawPanel(c *Canvas, y, end int) int {
	d, h := p.d, p.selected()
	if h == nil {
		return y
	}
	now, s := d.now(), standingOf(h)
	since := ""
	if !h.Live.Since.IsZero() && s != standIdle {
		since = strings.ToLower(s.word()) + " since " + d.clock.When(h.Live.Since, now) + ", " + Age(h.Live.Since, now)
	}
	c.Rule(y, h.Name, since)
	y++
	w, _ := c.Size()
	switch {
	case d.link.down:
		d.drawGone(c, y)
		return end
	case w >= 110:
		return p.drawLabelled(c, y, h)
	}
	role := RoleText
	if s <= standFailing {
		role = s.role()
	}
	for _, line := range c.Wrap(d.reason(h), w-2, min(2, end-y)) {
		c.Put(1, y, role, line)
		y++
	}
	m, more := d.mail(h, c.Glyphs())
	text := d.waits(h) + " E-mail " + m.String() + " " + more
	for _, line := range c.Wrap(strings.ReplaceAll(text, " ;", ";"), w-2, end-y) {
		c.Put(1, y, RoleText, line)
		y++
	}
	return end
}

// drawLabelled draws the panel where a line has room for each part.
func (p *overviewPage) drawLabelled(c *Canvas, y int, h *callback.HealthView) int {
	const label = 14
	d, s := p.d, standingOf(h)
	w, _ := c.Size()
	role := RoleText
	if s <= standFailing {
		role = s.role()
	}
	c.Put(1, y, RoleDim, "Why")
	c.PutIn(label, y, w-label-1, role, d.reason(h), Left)
	c.Put(1, y+1, RoleDim, "Waiting")
	c.PutIn(label, y+1, w-label-1, RoleText, d.waits(h), Left)
	c.Put(1, y+2, RoleDim, "E-mail")
	m, more := d.mail(h, c.Glyphs())
	x := c.Put(label, y+2, m.role, m.String())
	if !strings.HasPrefix(more, ";") {
		x++
	}
	c.PutIn(x, y+2, w-x-1, RoleText, more, Left)
	c.Put(1, y+3, RoleDim, "Do")
	x = label
	verb := "suspend"
	if h.Live.Suspended {
		verb = "resume"
	}
	for _, k := range [][2]string{{"Enter", "its calls and outages"}, {"z", verb}, {"y", "copy its id"}} {
		x = c.Put(x, y+3, RoleKey, k[0]) + 1
		x = c.Put(x, y+3, RoleText, k[1]) + 3
	}
	return y + 5
}

// drawRate draws how many attempts all callbacks got in each part of the last
// hour, and returns the row after it.
func (d *desk) drawRate(c *Canvas, y int) int {
	const high, left = 4, 9
	w, _ := c.Size()
	var sum []float64
	for i := range d.overview.Callbacks {
		for j, cell := range d.overview.Callbacks[i].Cells {
			if j == len(sum) {
				sum = append(sum, 0)
			}
			sum[j] += float64(cell.OK) + float64(cell.Bad)
		}
	}
	if len(sum) == 0 {
		return y
	}
	wide := max((w-left-2)/len(sum), 1)
	var values []float64
	for _, v := range sum {
		if v == 0 {
			v = math.NaN()
		}
		for range wide {
			values = append(values, v)
		}
	}
	values = values[max(len(values)-(w-left-2), 0):]
	top := Peak(values)
	per := "a minute"
	if len(sum) != 60 {
		per = "in " + Duration(time.Hour/time.Duration(len(sum)))
	}
	c.Rule(y, "all callbacks: attempts "+per+", last hour", "peak "+Count(uint64(top)))
	c.PutIn(1, y+1, left-3, RoleDim, CountShort(uint64(top)), Right)
	c.PutIn(1, y+high, left-3, RoleDim, "0", Right)
	c.Fill(left-1, y+1, 1, high, RoleDim, c.Glyphs().Side)
	c.Chart(left, y+1, high, RoleOK, values, top)
	now := d.now()
	for i := range 4 {
		at := now.Add(-time.Hour + time.Duration(i)*15*time.Minute)
		c.Put(left+i*len(values)/4, y+high+1, RoleDim, d.clock.in(at).Format("15:04"))
	}
	c.PutIn(left+len(values)-3, y+high+1, 3, RoleDim, "now", Right)
	return y + high + 3
}

// drawEvents draws what happened last.
func (d *desk) drawEvents(c *Canvas, y, end int) {
	if len(d.overview.Events) == 0 {
		return
	}
	w, _ := c.Size()
	c.Rule(y, "latest events", "3 to see all outages")
	t := lay(1, w-1, []column{{w: 14}, {w: 18}, {w: 20, most: rest}})
	for _, e := range d.overview.Events[:min(len(d.overview.Events), max(end-y-1, 0))] {
		y++
		s := stateOf(e.State)
		t.put(c, y, 0, RoleText, d.clock.When(e.At, d.now()))
		t.put(c, y, 1, s.role(), string(s.sign(c.Glyphs()))+" "+e.Callback)
		t.put(c, y, 2, RoleText, e.Text)
	}
}
