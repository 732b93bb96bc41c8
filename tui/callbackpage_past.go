package tui

import (
	"net/http"
	"time"

	"ringback/callback"
)

// drawTrend draws how the callback did in the window of the desk, a row of
// cells for each figure, and returns the row after them. tall has room for the
// quantiles and for the times.
func (p *callbackPage) drawTrend(c *Canvas, y int, h *callback.HealthView, tall bool) int {
	const left, right = 12, 9
	d := p.d
	w, _ := c.Size()
	room := w - left - right - 1
	p.trend.room = room
	d.drawWindows(c, y, lastWords(d.window))
	cells, ok := p.trend.cells()
	c.Put(1, y+1, RoleDim, "failed")
	c.Put(1, y+2, RoleDim, "tries")
	end := y + 4
	if tall {
		end = y + 6
	}
	p.drawLatency(c, y+3, left, h)
	if !ok {
		c.PutIn(left, y+1, room, RoleDim, p.trend.says(), Left)
		return end
	}
	var all Tally
	tallies := make([]Tally, len(cells))
	for i := range cells {
		tallies[i] = Tally{cells[i].OK, cells[i].Failed}
		all.OK, all.Failed = all.OK+cells[i].OK, all.Failed+cells[i].Failed
	}
	c.FailedShare(left, y+1, stretch(tallies, room))
	c.PutIn(w-right, y+1, right-1, RoleText, failedShare(all.OK, all.Failed), Right)
	c.PutIn(1, y+2, left-1, RoleDim, "tries/"+stepWord(d.window, len(cells)), Left)
	tries := stretch(each(cells, func(s *callback.SeriesCell) float64 { return float64(s.OK + s.Failed) }), room)
	c.Bars(left, y+2, RoleOK, tries, 2*Peak(tries)) // half as high, or an even hour is a slab
	c.PutIn(w-right, y+2, right-1, RoleText, CountShort(all.OK+all.Failed), Right)
	if tall {
		c.Put(1, y+4, RoleDim, "p95, most")
		slow := stretch(each(cells, func(s *callback.SeriesCell) float64 { return float64(s.P95) }), room)
		c.Bars(left, y+4, RoleText, slow, Peak(slow))
		c.PutIn(w-right, y+4, right-1, RoleText, Latency(answered(time.Duration(Peak(slow)))), Right)
		d.drawAxis(c, left, y+5, len(tries), &p.trend.got.series)
	}
	return end
}

// drawLatency tells how fast the endpoint answers, and how long it may take.
func (p *callbackPage) drawLatency(c *Canvas, y, left int, h *callback.HealthView) {
	w, _ := c.Size()
	says, hour, limits := "no answer in the last hour", "", ""
	if h.P50 != 0 || h.P95 != 0 {
		says, hour = "p50 "+Latency(answered(h.P50))+"   p95 "+Latency(answered(h.P95)), " in the last hour"
	}
	if connect, answer := p.d.limits(h); connect > 0 && answer > 0 {
		limits = "   limits: connect " + every(connect) + ", answer " + every(answer)
	}
	if c.Width(says+hour+limits) <= w-left-1 {
		says += hour
	}
	says += limits
	c.Put(1, y, RoleDim, "latency")
	c.PutIn(left, y, w-left-1, RoleText, says, Left)
}

// limits returns how long an attempt for a callback may take to connect, and to
// be answered; 0 where that is not known.
func (d *desk) limits(h *callback.HealthView) (connect, answer time.Duration) {
	connect, answer = h.ConnectTimeout, h.ResponseTimeout
	if connect == 0 {
		connect = d.server.Connect
	}
	if answer == 0 {
		answer = d.server.Response
	}
	return connect, answer
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

// drawCauses draws why attempts failed, at most so many causes, and returns the
// row after them.
func (p *callbackPage) drawCauses(c *Canvas, y, most int) int {
	d := p.d
	causes := p.trend.got.causes
	if _, ok := p.trend.cells(); !ok || len(causes) == 0 {
		return y
	}
	w, _ := c.Size()
	var all uint64
	for i := range causes {
		all += causes[i].Count
	}
	c.Rule(y, "failures by cause, "+lastWords(d.window), Count(all))
	y++
	t := lay(1, w-1, []column{
		{w: 8, align: Right}, {w: 26}, {w: 20, most: rest, from: 100}, {w: 12}, {w: 2}, {w: 12}, {w: 16, from: 110},
	})
	for i := range causes[:min(len(causes), most)] {
		f := &causes[i]
		if i == most-1 && len(causes) > most {
			t.put(c, y, 0, RoleText, CountShort(all))
			t.put(c, y, 1, RoleText, plural(uint64(len(causes)-i), "other cause"))
			return y + 1
		}
		all -= f.Count
		t.put(c, y, 0, RoleText, CountShort(f.Count))
		t.put(c, y, 1, RoleText, failureWords(f.Class, f.Code))
		t.put(c, y, 2, RoleDim, (&callback.Attempt{Class: f.Class, Code: f.Code}).Advice())
		t.put(c, y, 3, RoleText, d.when(f.First, 12))
		t.put(c, y, 4, RoleDim, "to")
		t.put(c, y, 5, RoleText, d.when(f.Last, 12))
		if x, n, ok := t.at(6); ok {
			c.Share(x, y, n, RoleDown, float64(f.Count)/float64(causes[0].Count))
		}
		y++
	}
	return y
}

// failureWords names a way to fail in at most 26 cells, most codes in less.
func failureWords(class callback.Class, code int) string {
	if code != 0 {
		a := callback.Attempt{Class: class, Code: code, Reason: http.StatusText(code)}
		return outcome(&a)
	}
	switch class {
	case callback.ClassDNS:
		return "host name not found"
	case callback.ClassRefused:
		return "connection refused"
	case callback.ClassUnreachable:
		return "no way to the host"
	case callback.ClassConnectTimeout:
		return "no connection in time"
	case callback.ClassReset:
		return "connection closed"
	case callback.ClassTLS:
		return "TLS handshake failed"
	case callback.ClassAnswerTimeout:
		return "no answer in time"
	case callback.ClassProtocol:
		return "not an HTTP answer"
	case callback.ClassStatus:
		return "other statuses"
	case callback.ClassRedirect:
		return "other redirects"
	case callback.ClassDenied:
		return "forbidden address"
	case callback.ClassInterrupted:
		return "interrupted"
	case callback.ClassInternal:
		return "request could not be sent"
	}
	return class.String()
}
