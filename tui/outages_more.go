package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// callsOf selects the failed calls of an outage: of one that lasts all since
// it began, which askMany finds by itself.
func (d *desk) callsOf(o *callback.OutageView) *filter {
	f := failedOf(o.CallbackID)
	h := d.health(o.CallbackID)
	if h != nil && h.Live.Outage.N == o.N && h.Live.Outage.Phase != callback.NoOutage {
		return f
	}
	connect, answer := d.server.Connect, d.server.Response
	if h != nil {
		connect, answer = d.limits(h)
	}
	// An outage begins when an attempt has failed, which began before.
	f.query.From, f.query.To = o.OutageState.Started.Add(-connect-answer), endOf(o).Add(time.Second)
	f.words = []string{"last tried during", "outage #" + strconv.Itoa(int(o.N))}
	return f
}

// shownDays is how far back the section of all outages goes, and dayRows how
// many callbacks it shows.
const (
	shownDays = 7 * 24 * time.Hour
	dayRows   = 4
)

// failed are the callbacks that had an outage in those days, the latest first.
func (p *outagesPage) failed() []callback.CallbackID {
	var ids []callback.CallbackID
	from := p.d.now().Add(-shownDays)
	seen := map[callback.CallbackID]bool{}
	for i := range p.rows {
		o := &p.rows[i]
		if end := endOf(o); (o.Phase != callback.NoOutage || end.After(from)) && !seen[o.CallbackID] && len(ids) < dayRows {
			seen[o.CallbackID] = true
			ids = append(ids, o.CallbackID)
		}
	}
	return ids
}

// drawDays draws when callbacks had outages, a row for each, and returns the
// row after the section.
func (p *outagesPage) drawDays(c *Canvas, y int, ids []callback.CallbackID) int {
	const name, says = 17, 22
	w, _ := c.Size()
	cells := fitCells(shownDays, w-name-says-2)
	step := shownDays / time.Duration(cells)
	to := p.d.now()
	from := to.Add(-shownDays)
	c.Rule(y, lastWords(shownDays)+", a cell is "+stepWord(shownDays, cells), "")
	for _, id := range ids {
		y++
		n, down := 0, time.Duration(0)
		g := c.Glyphs()
		c.Fill(name, y, cells, 1, RoleOK, g.Bars[0])
		title := ""
		for i := range p.rows {
			o := &p.rows[i]
			end := endOf(o)
			if o.Phase == callback.OutageOpen {
				end = to
			}
			if o.CallbackID != id || !end.After(from) {
				continue
			}
			title, n = o.Callback, n+1
			begin := o.OutageState.Started
			if begin.Before(from) {
				begin = from
			}
			down += end.Sub(begin)
			first := min(int(begin.Sub(from)/step), cells-1)
			last := min(int(end.Sub(from)/step), cells-1)
			c.Fill(name+first, y, last-first+1, 1, RoleDown, g.Bars[7])
		}
		if h := p.d.health(id); h != nil && h.Live.Suspended {
			first := max(min(int(h.Live.SuspendedAt.Sub(from)/step), cells-1), 0)
			c.Fill(name+first, y, cells-first, 1, RoleSuspended, g.Suspended)
		}
		c.PutIn(1, y, name-2, RoleText, title, Left)
		c.PutIn(name+cells+1, y, says, RoleText, plural(uint64(n), "outage")+" "+Duration(down), Left)
	}
	return y + 2
}

// maxMailLines is how many rows one e-mail of an outage takes at most.
const maxMailLines = 3

// drawMails draws what there is to tell of the chosen outage, and its e-mails,
// and returns the row after them.
func (p *outagesPage) drawMails(c *Canvas, y, end int, o *callback.OutageView) int {
	d := p.d
	w, _ := c.Size()
	mails := "its e-mails"
	if d.may(actMailAgain) {
		mails += ": E sends the last one again"
	}
	c.Rule(y, fmt.Sprintf("outage #%d of %s", o.N, o.Callback), mails)
	put := func(role Role, text string) {
		if y++; y < end {
			c.PutIn(1, y, w-2, role, text, Left)
		}
	}
	put(RoleText, "Began with: "+o.FirstText)
	s := fmt.Sprintf("%s failed in %s; %s delivered since it began", plural(o.Calls, "call"), plural(o.Failures, "attempt"), plural(o.Delivered, "call"))
	if o.GivenUp > 0 { // those that were delivered later, by hand, are among these
		s += ", " + Count(o.GivenUp) + " had been given up"
	}
	s += "."
	if o.Phase == callback.Recovering {
		s += " Recovering since " + d.clock.When(o.Healthy, d.now()) + "."
	}
	put(RoleText, s)
	says, role := d.told(o)
	if o.Acked != "" {
		says = strings.TrimSpace(says + " " + o.Acked + " knows of it.")
	}
	for _, line := range c.Wrap(says, w-2, max(end-y-2-len(o.Alerts), 1)) {
		put(role, line)
	}
	y++
	t := lay(1, w-1, []column{
		{title: "WHEN", w: 12},
		{title: "KIND", w: 9},
		{title: "TRIES", w: 5, align: Right, from: 100},
		{title: "RESULT", w: 12},
		{title: "TO, AND WHAT THE MAIL SERVER SAID", w: 20, most: rest},
	})
	if len(o.Alerts) > 0 && y+1 < end {
		t.head(c, y)
		y++
	}
	for i := range o.Alerts {
		if y >= end {
			break
		}
		a := &o.Alerts[i]
		m := mailMood(a, c.Glyphs())
		t.put(c, y, 0, RoleDim, d.when(a.Created, 12))
		t.put(c, y, 1, RoleText, string(a.Kind))
		t.put(c, y, 2, RoleText, strconv.Itoa(a.Tries))
		t.put(c, y, 3, m.role, m.String())
		_, room, _ := t.at(4)
		lines := c.Wrap(d.mailRest(a), room, max(min(end-y-(len(o.Alerts)-1-i), maxMailLines), 1))
		for _, line := range lines { // the end is what says why an e-mail failed
			t.put(c, y, 4, RoleText, line)
			y++
		}
		y += max(1-len(lines), 0)
	}
	return min(y, end)
}

// told says whether somebody was told of an outage, where that is not plain
// from its e-mails.
func (d *desk) told(o *callback.OutageView) (says string, role Role) {
	sent, lost := 0, 0
	for i := range o.Alerts {
		switch o.Alerts[i].Status {
		case callback.AlertSent:
			sent++
		case callback.AlertRefused, callback.AlertExpired:
			lost++
		}
	}
	switch {
	case len(o.Alerts) == 0 && d.overview.MailOK:
		return "No e-mail was due for it.", RoleDim
	case len(o.Alerts) == 0:
		return "No e-mail was due for it.", RoleFailing
	case sent > 0:
		return "", RoleText
	case lost > 0:
		says = "Nobody at " + o.Callback + " was told of this outage."
		if d.may(actEdit) {
			says += " e mends the address, E sends it again, a acknowledges."
		} else if d.may(actMailAgain) {
			says += " E sends it again, a acknowledges."
		}
		return says, RoleDown
	}
	return "Nobody was told of it yet.", RoleFailing
}

// drawOwed draws the e-mails that no mail server took yet.
func (p *outagesPage) drawOwed(c *Canvas, y, end int) {
	d := p.d
	w, _ := c.Size()
	says := "by " + d.server.MailServer
	if d.server.MailServer == "" {
		says = "no mail server is configured"
	}
	c.Rule(y, plural(uint64(len(p.owed)), "e-mail")+" to be sent", says)
	t := lay(1, w-1, []column{{w: 16}, {w: 9}, {w: 12}, {w: 24}, {w: 20, most: rest}})
	for i := range p.owed {
		if y++; y >= end {
			return
		}
		a := &p.owed[i]
		name := a.Callback.String()
		to := a.To
		if h := d.health(a.Callback); h != nil {
			if name = h.Name; to == "" {
				to = h.Email
			}
		}
		m := mailMood(a, c.Glyphs())
		t.put(c, y, 0, RoleText, name)
		t.put(c, y, 1, RoleText, string(a.Kind))
		t.put(c, y, 2, m.role, m.String())
		t.put(c, y, 3, RoleText, to)
		t.put(c, y, 4, RoleText, d.mailRest(a))
	}
}
