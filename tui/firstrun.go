package tui

import (
	"net/netip"
	"strings"
)

// firstRun reports that there is nothing to show yet but how to begin.
func (d *desk) firstRun() bool { return d.loaded && len(d.overview.Callbacks) == 0 }

// firstCall returns the command that registers a callback, in parts that may
// each stand on a line.
func (d *desk) firstCall() []string {
	host, key := d.server.Listen, ""
	if host == "" {
		host = "127.0.0.1:8480"
	}
	at, err := netip.ParseAddrPort(host)
	switch {
	case strings.HasPrefix(host, ":"):
		host, key = "localhost"+host, " -H 'X-Api-Key: KEY'"
	case err == nil && at.Addr().IsUnspecified():
		host, key = netip.AddrPortFrom(netip.IPv6Loopback(), at.Port()).String(), " -H 'X-Api-Key: KEY'"
	case err == nil && !at.Addr().IsLoopback():
		key = " -H 'X-Api-Key: KEY'"
	}
	return []string{
		"curl -X POST http://" + host + "/callbacks" + key,
		`-H 'Content-Type: application/json'`,
		`-d '{"name":"crm","url":"https://crm.example.com/in","retriesEnabled":true}'`,
	}
}

// drawFirstRun tells what to do while there is no callback.
func (d *desk) drawFirstRun(c *Canvas) {
	w, h := c.Size()
	y, end := body(c)
	if h >= 30 {
		y += 4
	}
	put := func(x int, role Role, text string) {
		if y < end {
			c.PutIn(x, y, w-x, role, text, Left)
		}
		y++
	}
	y++
	for _, line := range c.Wrap("No callbacks yet. A callback is a URL that gets every reply to your messages.", w-3, 2) {
		put(3, RoleTitle, line)
	}
	y++
	switch {
	case y >= end:
	case d.may(actNew):
		c.Put(c.Put(3, y, RoleKey, "n")+2, y, RoleText, "registers the first one here; or from a shell:")
	default:
		c.Put(3, y, RoleText, "An administrator registers the first one, here or from a shell:")
	}
	y++
	y++
	parts := d.firstCall()
	for i, part := range parts {
		if i < len(parts)-1 {
			part += ` \`
		}
		for j, line := range c.Wrap(part, w-4, 3) {
			put(3+min(j, 1), RoleText, line)
		}
	}
	y++
	if y < end {
		c.Put(c.Put(3, y, RoleKey, "y")+2, y, RoleText, "copies that line")
	}
	y += 2
	d.drawReady(put, c.Glyphs())
}

// drawReady tells what is ready and what is not.
func (d *desk) drawReady(put func(x int, role Role, text string), g *Glyphs) {
	if !d.known {
		return
	}
	s := &d.server
	ok := string(g.OK) + " "
	clock := "   " + ok + "clock"
	if s.ClockDoubtful {
		clock = ""
	}
	put(3, RoleText, "Ready: "+ok+"store "+s.DataDir+"   "+ok+"API on "+s.Listen+clock)
	if s.ClockDoubtful {
		put(10, RoleFailing, string(g.Failing)+" the clock jumped, and is not followed")
	}
	if s.MailServer == "" {
		put(10, RoleFailing, string(g.Failing)+" no mail server is set: no alert can go out. See [smtp]")
		put(12, RoleFailing, "in the configuration.")
	} else {
		put(10, RoleText, ok+"mail server "+s.MailServer)
	}
	put(3, RoleText, "")
	put(3, RoleText, "'ringback demo' shows how it looks with responses flowing; ? shows the keys.")
}
