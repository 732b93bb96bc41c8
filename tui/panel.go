package tui

import (
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// recentOutage is how long a callback that does well tells of its last outage.
const recentOutage = 24 * time.Hour

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
		return d.whySuspended(l)
	case standIdle:
		if l.Counts.Accepted == 0 {
			return "No response has come for it yet."
		}
		return "No calls in the last hour."
	}
	if l.Outage.Phase == callback.Recovering {
		return "Recovering: it has answered since " + d.clock.When(l.Outage.Healthy, now) + "."
	}
	if l.LastSuccess.IsZero() {
		return "Nothing failed."
	}
	s := "Answers well; last success " + d.clock.When(l.LastSuccess, now) + "."
	if o := &l.Outage; o.N > 0 && now.Sub(o.Closed) < recentOutage {
		s += " Outage #" + strconv.Itoa(int(o.N)) + ", " + d.clock.When(o.Started, now) + ", is over: " + plural(o.Calls, "call") + " failed, " +
			Count(o.Delivered) + " delivered"
		if o.GivenUp > 0 { // some of these may be among those delivered
			s += ", " + Count(o.GivenUp) + " had been given up"
		}
		s += "."
	}
	return s
}

// whySuspended says why a callback is, and what was before.
func (d *desk) whySuspended(l *callback.Live) string {
	s := "Suspended."
	switch l.SuspendedBy {
	case "limit":
		s = "Suspended by itself: the outage lasted longer than suspend_after allows."
	case "":
	default:
		s = "Suspended by " + l.SuspendedBy + "."
	}
	if l.Outage.Phase == callback.OutageOpen {
		s += " It had been failing since " + d.clock.When(l.Outage.Started, d.now()) + ": " + strings.TrimRight(l.LastError, ".") + "."
	}
	return s
}

// mail says whether somebody was told of a callback's outage.
func (d *desk) mail(h *callback.HealthView, g *Glyphs) (mood, string) {
	a := h.Alert
	switch {
	case a != nil:
		rest := d.mailRest(a)
		if by := h.Live.Outage.Acked; by != "" && h.Live.Outage.Phase != callback.NoOutage {
			rest += "; " + by + " knows of it"
		}
		if l := h.Latest; l != nil {
			rest += "; then a " + string(l.Kind) + ": " + mailMood(l, g).word + " " + d.clock.When(later(l.Sent, l.Created), d.now())
		}
		return mailMood(a, g), rest
	case h.Alerts == callback.ModeOff:
		return mood{g.None, "off", RoleDim}, "for this callback"
	case h.Live.Outage.Phase == callback.NoOutage:
		to := h.Email
		if to == "" {
			to = "the administrator"
		}
		if d.server.MailServer == "" {
			return mood{g.None, "none due", RoleDim}, "; of an outage nobody would be told: no mail server is configured"
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
	if at := h.Live.ShownSince(); !at.IsZero() && s != standIdle {
		since = strings.ToLower(s.word()) + " since " + d.clock.When(at, now) + ", " + Age(at, now)
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
	why := d.reason(h)
	if o := &h.Live.Outage; o.Phase == callback.OutageOpen && o.Failures > 0 {
		why = strings.TrimRight(why, ".") + ". " + plural(o.Calls, "call") + " failed so far, in " + plural(o.Failures, "attempt") + "."
	}
	c.PutIn(label, y, w-label-1, role, why, Left)
	c.Put(1, y+1, RoleDim, "Waiting")
	c.PutIn(label, y+1, w-label-1, RoleText, d.waits(h), Left)
	c.Put(1, y+2, RoleDim, "E-mail")
	m, more := d.mail(h, c.Glyphs())
	x := c.Put(label, y+2, m.role, m.String())
	if !strings.HasPrefix(more, ";") {
		x++
	}
	c.PutIn(x, y+2, w-x-1, RoleText, more, Left)
	if says := d.retried(h); says != "" {
		f := d.fared(h)
		c.Put(1, y+3, RoleDim, "Sent again")
		c.PutIn(label, y+3, w-label-1, f.role(), plural(f.Calls, "call")+" "+d.clock.When(f.Began, d.now())+": "+says, Left)
		y++
	}
	d.drawToDo(c, label, y+3, h)
	return y + 5
}

// drawToDo draws what one can do about a callback.
func (d *desk) drawToDo(c *Canvas, x, y int, h *callback.HealthView) {
	c.Put(1, y, RoleDim, "Do")
	retry, suspend := "send what failed again", "suspend it"
	resolve, failed := "resolve them", h.Live.Counts.Retrying+h.Live.Counts.Failed
	n, sure := resent(h)
	switch {
	case !sure:
		retry = "send what failed in this outage again"
	case n == 1:
		retry = "send the one that failed again"
	case n > 1:
		retry = "send its " + Count(n) + " that failed again"
	}
	if failed == 1 {
		resolve = "resolve it"
	}
	if h.Live.Suspended {
		suspend = "resume it"
	}
	for _, k := range []struct {
		act   action
		words string
	}{{actOpen, "its calls and outages"}, {actTest, "send a test"}, {actRetryAll, retry}, {actResolveAll, resolve}, {actSuspend, suspend}} {
		b, ok := keyOf(k.act, onOverview)
		idle := k.act == actRetryAll && sure && n == 0 || k.act == actResolveAll && failed == 0
		if !ok || idle || !d.may(k.act) {
			continue
		}
		x = c.Put(x, y, RoleKey, b.Help().Key) + 1
		x = c.Put(x, y, RoleText, k.words) + 3
	}
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
		text := e.Text
		if h := d.find(e.Callback); h != nil && h.Alert != nil && e.At.Equal(h.Live.Outage.Started) {
			text = strings.TrimRight(text, ".") + ". E-mail " + mailMood(h.Alert, c.Glyphs()).String() + " " + d.mailRest(h.Alert)
		}
		t.put(c, y, 2, RoleText, text)
	}
}
