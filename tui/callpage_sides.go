package tui

import (
	"bytes"
	"cmp"
	"encoding/json"
	"strconv"
	"strings"

	"ringback/callback"
)

// drawSides draws the request on the left, the answer and what happened on
// the right.
func (p *callPage) drawSides(c *Canvas, y, end int) {
	w, _ := c.Size()
	mid := w / 2
	c.Rule(y, "", "")
	p.drawRequest(c, y, end, mid)
	c.Fill(mid, y+1, 1, end-y-1, RoleDim, c.Glyphs().Side)
	x, room := mid+2, w-mid-3
	c.RuleIn(mid, y, w-mid, "answer", "")
	y++
	for _, line := range p.answerLines(c, room, (end-y)/3) {
		c.PutIn(x, y, room, RoleText, line, Left)
		y++
	}
	y++
	c.PutIn(x, y, room, RoleTitle, "what happened to this call", Left)
	y++
	events := history(&p.view)
	if !p.whole {
		return
	}
	if n := end - y; len(events) > n && n > 2 {
		head := events[:1]
		events = append(head[:1:1], events[len(events)-n+1:]...)
	}
	for _, e := range events {
		if y >= end {
			return
		}
		c.PutIn(x, y, 14, RoleDim, p.d.clock.When(e.at, p.d.now()), Left)
		c.PutIn(x+15, y, room-15, e.role, e.what, Left)
		y++
	}
	for _, line := range c.Wrap(p.d.announced(&p.view), room, 2) {
		if y++; y < end {
			c.Put(x, y, RoleDim, line)
		}
	}
}

// announced says why nobody got an e-mail about a call that failed.
func (d *desk) announced(v *callback.CallView) string {
	h := d.health(v.CallbackID)
	if h == nil || h.Live.Outage.Phase == callback.NoOutage || h.Alert == nil || v.FirstFailed.IsZero() || v.Entry.Status == callback.Success {
		return ""
	}
	a, o := h.Alert, &h.Live.Outage
	if a.Kind != callback.AlertOutage || a.Status != callback.AlertSent || v.FirstFailed.Before(o.Started) {
		return ""
	}
	return "No e-mail of its own: outage #" + strconv.Itoa(int(o.N)) + " was told to " + a.To + " " + d.clock.When(a.Sent, d.now()) + "."
}

// answerLines returns what the chosen attempt was answered.
func (p *callPage) answerLines(c *Canvas, w, n int) []string {
	at := p.attempt()
	switch {
	case at < 0 && p.view.State == callback.StateDelivering:
		return []string{"none yet: the first attempt is under way"}
	case at < 0:
		return []string{"none: it was not tried yet"}
	}
	a := &p.view.Attempts[len(p.view.Attempts)-1-at]
	if a.Code == 0 {
		return []string{"none: " + noAnswer(a)}
	}
	return append([]string{strings.TrimSpace(a.Short() + " " + a.Reason)}, c.Wrap(a.Excerpt, w, max(n, 1))...)
}

func noAnswer(a *callback.Attempt) string {
	switch a.Class {
	case callback.ClassDNS, callback.ClassRefused, callback.ClassUnreachable, callback.ClassConnectTimeout, callback.ClassTLS:
		return "the connection was never made"
	case callback.ClassDenied, callback.ClassInternal:
		return "nothing was sent"
	case callback.ClassInterrupted:
		return "the server stopped meanwhile"
	}
	return "it did not come"
}

// sides are what there is to see of a call below its attempts. Where there is no
// room for all of it, Tab goes from one to the next.
var sides = [...]string{"request", "answer", "what happened to this call"}

// drawSide draws the chosen side and, below the request, the beginning of the
// answer.
func (p *callPage) drawSide(c *Canvas, y, end int) {
	w, _ := c.Size()
	var lines, answered []string
	switch p.side {
	case 0:
		lines = p.request(c, w-2, false)
		if end-y-1 >= 6 {
			answered = p.answerLines(c, w-2, 1)
		}
	case 1:
		lines = p.answerLines(c, w-2, maxLines)
	default:
		for _, e := range history(&p.view) {
			lines = append(lines, fit(c, p.d.clock.When(e.at, p.d.now()), 14)+" "+e.what)
		}
		if says := p.d.announced(&p.view); says != "" {
			lines = append(lines, c.Wrap(says, w-2, 2)...)
		}
	}
	rest := end
	if answered != nil {
		rest -= 1 + len(answered)
	}
	p.drawLines(c, y, rest, w, lines, "Tab: "+sides[(p.side+1)%len(sides)])
	if answered == nil {
		return
	}
	y = rest
	c.Rule(y, "answer", "")
	for _, line := range answered {
		y++
		c.PutIn(1, y, w-2, RoleText, line, Left)
	}
}

// drawRequest draws what is POSTed into the columns before right.
func (p *callPage) drawRequest(c *Canvas, y, end, right int) {
	p.drawLines(c, y, end, right, p.request(c, right-2, true), "")
}

// drawLines draws lines below a rule, from where they are scrolled to.
func (p *callPage) drawLines(c *Canvas, y, end, right int, lines []string, more string) {
	room := max(end-y-1, 0)
	p.scroll = max(min(p.scroll, len(lines)-room), 0)
	p.below = max(len(lines)-p.scroll-room, 0)
	says := more
	switch {
	case p.below > 0:
		says = strings.TrimSpace(plural(uint64(p.below), "line") + " below, PgDn   " + more)
	case p.scroll > 0:
		says = strings.TrimSpace("PgUp   " + more)
	}
	title := sides[0]
	if more != "" {
		title = sides[p.side]
	}
	c.RuleIn(0, y, right, title, says)
	for _, line := range lines[p.scroll:min(p.scroll+room, len(lines))] {
		y++
		c.PutIn(1, y, right-2, RoleText, line, Left)
	}
}

// request returns the lines of what is POSTed, none wider than w; its key is
// masked. spread has each part of it on a line of its own.
func (p *callPage) request(c *Canvas, w int, spread bool) []string {
	v := &p.view
	r := sent{url: v.URL, id: v.ID.String()}
	if at := p.attempt(); at >= 0 {
		r.attempt = v.Attempts[len(v.Attempts)-1-at].Number
	}
	if h := p.d.health(v.CallbackID); h != nil {
		r.cb = &h.Callback
	}
	text := p.d.heads(&r, spread)
	if !spread {
		text = append(text[:1], packed(c, text[1:], w)...)
	}
	switch {
	case !p.whole:
		text = append(text, "loading ...")
	case v.RequestBody == "":
		text = append(text, "the stored response cannot be read")
	default:
		if spread {
			text = append(text, "")
		}
		text = append(text, strings.Split(spreadJSON(v.RequestBody, spread), "\n")...)
	}
	return broken(c, text, w)
}

// broken breaks lines to w cells, and keeps how far they are indented.
func broken(c *Canvas, text []string, w int) (lines []string) {
	for _, line := range text {
		rest := strings.TrimLeft(line, " ")
		indent := max(min(len(line)-len(rest), w/2), 0)
		parts := c.Wrap(rest, w-indent, maxLines)
		if len(parts) == 0 {
			parts = []string{""}
		}
		for _, part := range parts {
			lines = append(lines, strings.Repeat(" ", indent)+part)
		}
	}
	return lines
}

// keyHead returns the header that a key is sent in, masked; "" where there is
// none.
func (d *desk) keyHead(a *callback.Auth) string {
	key := a.Key.String()
	if key == "" {
		return ""
	}
	switch a.Type {
	case callback.AuthHeader:
		return cmp.Or(d.server.KeyHeader, "key") + ": " + key
	case callback.AuthBasic:
		return "Authorization: Basic " + key
	case callback.AuthBearer:
		return "Authorization: Bearer " + key
	}
	return ""
}

// sent is what a request is known by.
type sent struct {
	cb      *callback.Callback // it goes to; nil: not known
	url, id string             // id: its webhook-id
	attempt int                // 0: not known
}

// heads returns the request line and the headers of what is POSTed; spread has
// all of them.
func (d *desk) heads(r *sent, spread bool) []string {
	var heads []string
	if h := r.cb; h != nil {
		if key := d.keyHead(&h.Auth); key != "" {
			heads = append(heads, key)
		}
		heads = append(heads, "Content-Type: application/"+h.ContentType.String())
		if spread {
			for _, own := range h.Headers {
				heads = append(heads, own.Key+": "+own.Value)
			}
		}
		if !h.SigningSecret.IsZero() {
			heads = append(heads, "webhook-signature: v1,...")
		}
	}
	heads = append(heads, "webhook-id: "+r.id)
	if !spread {
		return append([]string{"POST " + r.url}, heads...)
	}
	if r.attempt > 0 {
		heads = append(heads, "X-Ringback-Attempt: "+strconv.Itoa(r.attempt))
	}
	line, host := r.url, ""
	if _, rest, ok := strings.Cut(r.url, "://"); ok { // the mask of a key is no part of a URL
		if n := strings.IndexAny(rest, "/?"); n >= 0 {
			line, host = rest[n:], rest[:n]
		} else {
			line, host = "/", rest
		}
	}
	if strings.HasPrefix(line, "?") {
		line = "/" + line
	}
	return append([]string{"POST " + line + " HTTP/1.1", "Host: " + host, "User-Agent: ringback/" + d.server.Version}, heads...)
}

// maxLines is how many lines one line of a request may be broken into.
const maxLines = 200

// packed puts texts side by side, as many as w cells have room for.
func packed(c *Canvas, texts []string, w int) (lines []string) {
	for _, s := range texts {
		if n := len(lines) - 1; n >= 0 && c.Width(lines[n])+3+c.Width(s) <= w {
			lines[n] += "   " + s
			continue
		}
		lines = append(lines, s)
	}
	return lines
}

// spreadJSON puts the parts of a JSON text on lines of their own, which
// changes nothing but blanks. Other text stays as it is.
func spreadJSON(body string, spread bool) string {
	var b bytes.Buffer
	if !spread || json.Indent(&b, []byte(body), "", "  ") != nil {
		return body
	}
	return b.String()
}
