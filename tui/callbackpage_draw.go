package tui

import (
	"math"
	"slices"

	"ringback/callback"
)

// Draw implements page.
func (p *callbackPage) Draw(c *Canvas) {
	d := p.d
	w, screen := c.Size()
	y, end := body(c)
	h := d.health(p.id)
	if h == nil {
		c.Put(1, y, RoleTitle, p.name)
		c.Put(1, y+1, RoleText, "is not there any more: it was deleted.")
		return
	}
	p.name = h.Name
	y = p.drawHead(c, y, h, w >= 110)
	if screen >= 20 {
		y = p.drawHour(c, y, h)
	}
	outages := 0
	if screen >= 20 {
		outages = 1 + max(min(len(p.outages), shownOutages, (end-y)/4), 1)
	}
	p.drawCallsRule(c, y)
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
	if !h.Live.Since.IsZero() {
		x = c.Put(x, y, RoleText, " since "+d.clock.When(h.Live.Since, now)+" ("+Age(h.Live.Since, now)+")")
	}
	c.PutIn(x+3, y, w-x-4, RoleDim, "id "+h.ID.String(), Left)
	auth := "no auth"
	if h.Auth.Type != callback.AuthNone {
		auth = h.Auth.Type.String() + " " + h.Auth.Key.String()
	}
	kind := h.ContentType.String() + ", " + auth
	x = c.PutIn(1, y+1, min(c.Width("POST "+h.MaskedURL()), max(w-c.Width(kind)-5, w/2)), RoleText, "POST "+h.MaskedURL(), Left) + 3
	c.PutIn(x, y+1, w-x-1, RoleText, kind, Left)
	c.PutIn(1, y+2, w-2, RoleText, d.setup(h), Left)
	y += 3
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
	if h.Ordered {
		s += ", in strict order"
	}
	return s
}

// drawHour draws the last hour in a row of cells each.
func (p *callbackPage) drawHour(c *Canvas, y int, h *callback.HealthView) int {
	const left, right = 10, 9
	w, _ := c.Size()
	c.Rule(y, "last hour", "")
	cells := stretch(squeeze(h.Cells, w-left-right-1), w-left-right-1)
	calls := make([]float64, len(cells))
	for i, t := range cells {
		calls[i] = float64(t.OK + t.Failed)
		if calls[i] == 0 {
			calls[i] = math.NaN()
		}
	}
	c.Put(1, y+1, RoleDim, "failed")
	c.FailedShare(left, y+1, cells)
	c.PutIn(w-right, y+1, right-1, RoleText, failedShare(h.OK, h.Bad), Right)
	c.Put(1, y+2, RoleDim, "calls")
	c.Bars(left, y+2, RoleOK, calls, 2*Peak(calls)) // half as high, or an even hour is a slab
	c.PutIn(w-right, y+2, right-1, RoleText, CountShort(h.OK+h.Bad), Right)
	lag := "no answer in this hour"
	if h.P50 != 0 || h.P95 != 0 {
		lag = "p50 " + latency(h.P50) + "   p95 " + latency(h.P95)
	}
	connect, answer := h.ConnectTimeout, h.ResponseTimeout
	if connect == 0 {
		connect = p.d.server.Connect
	}
	if answer == 0 {
		answer = p.d.server.Response
	}
	if connect > 0 && answer > 0 {
		lag += "      limits: connect " + every(connect) + ", answer " + every(answer)
	}
	c.Put(1, y+3, RoleDim, "latency")
	c.PutIn(left, y+3, w-left-1, RoleText, lag, Left)
	return y + 4
}

// failedShare returns the share of failures in percent: what Success leaves.
func failedShare(ok, bad uint64) string {
	if ok == 0 && bad == 0 {
		return absent
	}
	if bad == 0 {
		return "0 %"
	}
	if ok == 0 {
		return "100 %"
	}
	share := Success(bad, ok)
	if share == "0.0" { // it rounds down
		share = "<0.1"
	}
	return share + " %"
}

func (p *callbackPage) drawCallsRule(c *Canvas, y int) {
	c.Rule(y, "calls", "")
	w, _ := c.Size()
	type choice struct {
		act  action
		text string
	}
	choices := []choice{{actFailed, "f failed"}, {actAll, "a all"}, {actUnfinished, "o open"}}
	x := w - 3
	for _, ch := range slices.Backward(choices) {
		text := " " + ch.text + " "
		role := RoleDim
		if p.show == ch.act {
			text, role = "["+ch.text+"]", RoleTitle
		}
		x -= c.Width(text)
		c.Put(x, y, role, text)
	}
	if p.typed != "" {
		c.PutIn(10, y, max(x-12, 0), RoleTitle, " "+p.typed+" ", Left)
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
