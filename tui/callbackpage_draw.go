package tui

import (
	"slices"
	"strings"

	"ringback/callback"
)

// Draw implements page.
func (p *callbackPage) Draw(c *Canvas) {
	d := p.d
	w, screen := c.Size()
	y, end := body(c)
	h := d.health(p.id)
	p.trend.room = 0
	if h == nil {
		c.Put(1, y, RoleTitle, p.name)
		c.Put(1, y+1, RoleText, "is not there any more: it was deleted.")
		return
	}
	p.name = h.Name
	y = p.drawHead(c, y, h, w >= 110)
	if screen >= 20 {
		y = p.drawTrend(c, y, h, screen >= 30 && w >= 80)
	}
	if screen >= 30 {
		y = p.drawCauses(c, y, screen/12)
	}
	outages := 0
	if screen >= 20 {
		outages = 1 + max(min(len(p.outages), shownOutages, (end-y)/4), 1)
	}
	p.drawCallsRule(c, y, &h.Live.Counts)
	p.calls.Draw(c, y+1, end-outages, true)
	if outages > 0 {
		p.drawOutages(c, end-outages, end)
	}
}

// drawHead draws who the callback is and how it stands.
func (p *callbackPage) drawHead(c *Canvas, y int, h *callback.HealthView, wide bool) int {
	d, s := p.d, standingOf(h)
	w, _ := c.Size()
	now := d.now()
	x := c.PutIn(1, y, min(c.Width(h.Name), w/3), RoleTitle, h.Name, Left) + 2
	x = c.Put(x, y, s.role(), string(s.sign(c.Glyphs()))+" "+s.word())
	if at := h.Live.ShownSince(); !at.IsZero() {
		x = c.Put(x, y, RoleText, " since "+d.clock.When(at, now)+" ("+Age(at, now)+")")
	}
	id := "id " + h.ID.String()
	if !h.CreatedAt.IsZero() {
		id += "   made " + d.clock.When(h.CreatedAt, now)
	}
	c.PutIn(x+3, y, w-x-4, RoleDim, id, Left)
	auth := "no auth"
	if h.Auth.Type != callback.AuthNone {
		auth = h.Auth.Type.String() + " " + h.Auth.Key.String()
	}
	kind := h.ContentType.String() + ", " + auth
	if wide && strings.HasPrefix(h.URL, "https:") {
		kind += ", TLS verified"
	}
	x = c.PutIn(1, y+1, min(c.Width("POST "+h.MaskedURL()), max(w-c.Width(kind)-5, w/2)), RoleText, "POST "+h.MaskedURL(), Left) + 3
	c.PutIn(x, y+1, w-x-1, RoleText, kind, Left)
	lines := 1
	if _, rows := c.Size(); rows >= 20 {
		lines = 2
	}
	y += 2
	for _, line := range c.Wrap(d.setup(h), w-2, lines) {
		c.Put(1, y, RoleText, line)
		y++
	}
	if end := y + 1; wide || s <= standSuspended {
		role := RoleText
		if s <= standFailing {
			role = s.role()
		}
		c.PutIn(1, y, w-2, role, d.reason(h), Left)
		if wide {
			c.PutIn(1, y+1, w-2, RoleText, d.waits(h), Left)
			end++
		}
		y = end
	}
	return y
}

// setup says how a callback is set up.
func (d *desk) setup(h *callback.HealthView) string {
	onOff := func(off bool) string {
		if off {
			return "off"
		}
		return "on"
	}
	s := "reply " + onOff(h.NoReplies) + ", undeliverable " + onOff(h.NoUndelivers) + ", retries " + onOff(!h.Retries)
	if h.Retries && d.known && d.server.Interval > 0 {
		s += " (" + every(d.server.Interval) + ", " + every(d.server.Window) + ")"
	}
	mail := h.Email
	if mail == "" {
		mail = "the administrator"
	}
	if h.Alerts == callback.ModeOff {
		mail = "nobody"
	}
	s += ", mail to " + mail
	switch h.Alerts {
	case callback.ModeEveryCall:
		s += " for every call"
	case callback.ModeOutage:
		s += " for each outage"
	}
	for _, more := range []struct {
		on    bool
		words string
	}{
		{h.Ordered, "in strict order"},
		{h.MaxInFlight > 0, "at most " + Count(uint64(max(h.MaxInFlight, 0))) + " at once"},
		{h.RatePerSecond > 0, Rate(h.RatePerSecond) + "/s"},
		{h.RemoveHTML, "HTML removed"},
		{!h.SigningSecret.IsZero(), "signed"},
		{h.CA != "", "CA of its own"},
		{len(h.Headers) > 0, plural(uint64(len(h.Headers)), "header") + " of its own"},
	} {
		if more.on {
			s += ", " + more.words
		}
	}
	return s
}

// drawCallsRule draws which calls are shown, how many there are of each kind,
// and the filter.
func (p *callbackPage) drawCallsRule(c *Canvas, y int, n *callback.Counts) {
	c.Rule(y, "calls", "")
	acts := []action{actFailed, actAll, actUnfinished}
	x := drawChoices(c, y, []string{
		"f failed " + CountShort(n.Failed+n.Retrying), "a all " + CountShort(n.Sum()), "o open " + CountShort(n.Waiting()),
	}, slices.Index(acts, p.show))
	if p.typed != "" {
		at := 10
		for i, text := range []string{" " + p.typed + " ", p.calls.filter.times()} {
			role := [...]Role{RoleTitle, RoleDim}[i]
			at = c.PutIn(at, y, min(c.Width(text), x-2-at), role, text, Left)
		}
	}
}

// drawOutages draws the latest outages.
func (p *callbackPage) drawOutages(c *Canvas, y, end int) {
	c.Rule(y, "outages", "3 to see all")
	w, _ := c.Size()
	y++
	switch {
	case p.err != "":
		c.PutIn(1, y, w-2, RoleError, p.err, Left)
	case len(p.outages) == 0:
		c.Put(1, y, RoleDim, "none")
	}
	for i := range p.outages[:min(len(p.outages), end-y)] {
		c.PutIn(1, y, w-2, RoleText, p.d.outageLine(&p.outages[i], c.Glyphs()), Left)
		y++
	}
}
