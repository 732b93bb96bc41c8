package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

// Below these a frame shows less than whole screens.
const (
	fullW, fullH   = 60, 15
	smallW, smallH = 20, 5
)

var tabs = [...]string{"Overview", "Calls", "Outages", "Queue", "System", "Log"}

// logTab is the tab of the log, which not every role may read.
const logTab = 5

// shortTabs are the tabs where the bar has no room for their names.
var shortTabs = [len(tabs)]string{"Over", "Calls", "Outs", "Queue", "Sys", "Log"}

// body returns the rows that belong to the page: from first to before end.
func body(c *Canvas) (first, end int) {
	_, h := c.Size()
	return 2, h - 2
}

// draw makes the frame.
func (m *model) draw() {
	c, d := m.canvas, &m.desk
	c.Reset(m.w, m.h)
	d.cursor = place{}
	switch {
	case m.w < smallW || m.h < smallH:
		m.drawLine(c)
	case m.w < fullW || m.h < fullH:
		m.drawSmall(c)
	default:
		m.drawFull(c)
	}
	if m.box != nil {
		first, end := body(c)
		c.Dim(0, first, m.w, end-first)
		d.cursor = place{}
		m.box.Draw(c)
	}
	if p := &d.cursor; p.x >= m.w || p.y >= m.h {
		p.on = false
	}
	m.manner.cursor, m.manner.typing, m.manner.mouse = d.cursor, d.typing != nil, m.mouse
}

func (m *model) drawFull(c *Canvas) {
	d := &m.desk
	first, end := body(c)
	switch {
	case d.loaded:
		m.top().Draw(c)
	case !d.link.down:
		c.Put(3, first+1, RoleDim, "connecting ...")
	}
	if d.link.down {
		c.Dim(0, first, m.w, end-first)
		m.drawGone(c)
	}
	c.Fill(0, 0, m.w, first, RoleText, ' ') // a page may draw beyond its rows
	c.Fill(0, end, m.w, m.h-end, RoleText, ' ')
	m.drawBar(c)
	m.drawStrip(c, 1)
	m.drawStatus(c)
	m.drawFeet(c)
}

// signal is a word at the right end of the bar.
type signal struct {
	role Role
	text string
}

// signals appends what the bar has to say besides the tabs, what must not be
// missed first, to out, which is empty.
func (m *model) signals(out []signal) []signal {
	d := &m.desk
	if d.link.down {
		out = append(out, signal{RoleAlarm, " " + d.link.word() + " " + Duration(d.opt.Now().Sub(d.link.since)) + " "})
	} else if !d.paused.IsZero() {
		out = append(out, signal{RoleAlarm, " PAUSED " + d.clock.Head(d.paused) + " "})
	}
	if m.w >= 100 || len(out) == 0 {
		out = slices.Insert(out, 0, signal{RoleBar, d.clock.Head(d.running())})
	}
	switch role := d.role(); {
	case role == callback.RoleRead:
		out = append(out, signal{RoleBar, "read-only"})
	case role != callback.RoleAdmin && m.w >= 100:
		out = append(out, signal{RoleBar, string(role)})
	}
	if m.w >= 100 && (d.opt.Demo || d.server.Demo) {
		out = append(out, signal{RoleBar, "demo"})
	}
	return out
}

// shows reports whether the bar has a tab: it leaves out what our key may not see.
func (m *model) shows(tab int) bool {
	return tab != logTab || tab == m.tab || m.desk.lacksLog() == ""
}

// tabTexts returns what the tabs say in so many cells: their names, shorter
// ones, or of all but the open one the number alone.
func (m *model) tabTexts(room int) [len(tabs)]string {
	for _, texts := range tabStyles[:2] {
		n := 0
		for i, text := range texts {
			if m.shows(i) {
				n += len(text)
			}
		}
		if n <= room {
			return texts
		}
	}
	texts := tabStyles[2]
	texts[m.tab] = tabStyles[0][m.tab]
	return texts
}

// tabStyles are the tabs with their names, shorter ones, and none.
var tabStyles = func() (styles [3][len(tabs)]string) {
	for i := range tabs {
		number := " " + strconv.Itoa(i+1) + " "
		styles[0][i], styles[1][i], styles[2][i] = number+tabs[i]+" ", number+shortTabs[i]+" ", number
	}
	return styles
}()

func (m *model) drawBar(c *Canvas) {
	d := &m.desk
	c.Fill(0, 0, m.w, 1, RoleBar, ' ')
	name := "ringback"
	if d.known && d.server.Name != "" {
		name = d.server.Name
	}
	x := c.PutIn(1, 0, min(c.Width(name), 12), RoleBar, name, Left) + 1
	var most [4]signal
	signals := m.signals(most[:0])
	room := m.w - 1 - x
	for _, s := range signals {
		room -= c.Width(s.text) + 1
	}
	for i, text := range m.tabTexts(room) {
		if !m.shows(i) {
			continue
		}
		role := RoleBar
		if i == m.tab {
			role = RoleTab
		}
		x = c.Put(x, 0, role, text)
	}
	end := m.w - 1
	for _, s := range signals {
		if w := c.Width(s.text); end-w > x {
			c.Put(end-w, 0, s.role, s.text)
			end -= w + 2
		}
	}
}

// counts returns how many callbacks stand how.
func (d *desk) counts() (n [standings]uint64) {
	for i := range d.overview.Callbacks {
		n[standingOf(&d.overview.Callbacks[i])]++
	}
	return n
}

// givenUp returns how many calls of all callbacks nothing more is done about.
func (d *desk) givenUp() (n uint64) {
	for i := range d.overview.Callbacks {
		n += d.overview.Callbacks[i].Live.Counts.Failed
	}
	return n
}

// drawStrip draws how everything does, on every screen.
func (m *model) drawStrip(c *Canvas, y int) {
	d := &m.desk
	if d.link.down {
		m.drawOffline(c, y)
		return
	}
	o := &d.overview
	if !d.loaded || len(o.Callbacks) == 0 {
		return
	}
	x, wide, counts := 1, m.w >= 110, d.counts()
	right, mail, room := d.figures(wide), "mail ok", m.w-2
	role := RoleText
	switch {
	case !o.MailOK:
		mail, role = "mail "+string(c.Glyphs().Failing), RoleFailing
	case !wide:
		mail = ""
	}
	if mail != "" {
		room -= c.Width(mail) + 1
	}
	if wide {
		x = c.Put(x, y, RoleText, plural(uint64(len(o.Callbacks)), "callback")) + 2
	}
	for s, n := range counts {
		s := standing(s)
		word := s.word()
		if s == standIdle && !wide {
			word = "idle"
		}
		if n == 0 && s != standHealthy || s == standIdle && x+6+len(word)+len(right) > room {
			continue
		}
		x = c.Put(x, y, s.role(), string(s.sign(c.Glyphs()))+" "+Count(n)+" "+word) + 2
	}
	if _, less, ok := strings.Cut(right, "/s "); ok && x+len(right) > room+1 {
		right = less // that calls come matters less than that they wait
	}
	if at := room + 1 - c.Width(right); at > x-1 {
		c.Put(at, y, RoleText, right)
	}
	c.Put(m.w-1-c.Width(mail), y, role, mail)
}

// figures says how many calls come, wait and were given up.
func (d *desk) figures(wide bool) string {
	o, lost := &d.overview, ""
	if n := d.givenUp(); n > 0 {
		lost = " gave up " + Count(n)
	}
	if !wide {
		return Rate(o.Accepted) + "/s q " + Count(o.Waiting) + lost
	}
	var ok, bad uint64
	for i := range o.Callbacks {
		ok, bad = ok+o.Callbacks[i].OK, bad+o.Callbacks[i].Bad
	}
	if lost != "" {
		lost = "  " + lost
	}
	return Rate(o.Accepted) + "/s   ok " + Success(ok, bad) + " %   waiting " + Count(o.Waiting) + lost + "   due now " + Count(o.DueNow) + "  "
}

func (m *model) drawStatus(c *Canvas) {
	d := &m.desk
	y := m.h - 2
	if m.desk.typing != nil {
		m.desk.typing.Draw(c, d, y)
		return
	}
	if n := len(d.ops.lost); n > 0 {
		c.PutIn(1, y, m.w-2, RoleFailing, "unknown: op "+shortID(d.ops.lost[n-1].want.ID)+" may have run; checking", Left)
		return
	}
	op, n := d.ops.active()
	if d.note.text != "" && (op == nil || d.link.down || d.opt.Now().Before(d.note.until.Add(briefTime-noteTime))) {
		c.PutIn(1, y, m.w-2, d.note.role, d.note.text, Left)
		return
	}
	if op != nil && !d.link.down {
		d.drawOperation(c, y, op, n)
		return
	}
	status := ""
	switch {
	case d.link.down:
		says := "filter, scroll and copy still work; changes are off"
		if p, ok := m.top().(interface{ ofLoaded() string }); ok && p.ofLoaded() != "" {
			says = p.ofLoaded() + "; changes are off"
		}
		status = fmt.Sprintf("%s, attempt %d; %s", strings.ToLower(d.link.word()), d.link.tries, says)
	case d.loaded:
		status = m.top().Status()
	}
	if trail := m.trail(); trail != "" {
		status = strings.TrimSpace(trail + "   " + status)
	}
	x := 1
	if says, role := m.retrySays(); says != "" {
		x = c.PutIn(x, y, min(c.Width(says), m.w-2), role, says, Left) + 3
	}
	if room := m.w - 1 - x; x == 1 || room >= 20 { // less says nothing
		c.PutIn(x, y, room, RoleDim, status, Left)
	}
}

// retrySays tells how the last retry fared, on the first screen of any callback
// and on a callback's page of its own.
func (m *model) retrySays() (says string, role Role) {
	if m.desk.link.down || !m.desk.loaded {
		return "", RoleText
	}
	switch p := m.top().(type) {
	case *overviewPage:
		return m.desk.lastRetry(0)
	case *callbackPage:
		return m.desk.lastRetry(p.id)
	}
	return "", RoleText
}

// trail returns the way to the page: Overview > crm-prod.
func (m *model) trail() string {
	if len(m.stack) == 0 {
		return ""
	}
	parts := []string{tabs[m.tab]}
	for _, p := range m.stack {
		parts = append(parts, p.Trail())
	}
	return strings.Join(parts, " > ")
}

// drawFeet draws the keys that are valid here, as many as there is room for,
// and always those for help and for leaving.
func (m *model) drawFeet(c *Canvas) {
	on := m.top().scope()
	ends := []action{actHelp, actQuit}
	if len(m.stack) > 0 && !m.desk.link.down {
		ends = ends[:1]
	}
	if m.desk.typing != nil {
		on, ends = onFilter, nil
	}
	if on == onEdit {
		ends = []action{actCancel}
	}
	acts := feet[on]
	if t := m.desk.typing; t != nil && t.language == nil {
		acts = []action{actApply, actClear, actCancel}
	}
	if m.desk.firstRun() && on == onOverview {
		acts = []action{actNew, actCopy, actPause, actMouse}
	}
	if p, ok := m.top().(*logPage); ok && p.denied && on == onLog {
		acts = []action{actRefresh, actPause, actClock} // there is nothing for the others
	}
	m.drawKeys(c, m.h-1, on, acts, ends)
}

// drawKeys draws keys as far as there is room: those that our role may press.
func (m *model) drawKeys(c *Canvas, y int, on scope, acts, ends []action) {
	width := func(b *binding) int { return c.Width(b.Help().Key) + 1 + c.Width(b.foot) }
	end := m.w - 1
	for _, a := range ends {
		b, _ := keyOf(a, on)
		end -= width(&b) + 2
	}
	x := 1
	put := func(a action, limit int) {
		b, ok := keyOf(a, on)
		if !ok || x+width(&b) > limit || !m.desk.may(a) {
			return
		}
		x = c.Put(x, y, RoleKey, b.Help().Key) + 1
		x = c.Put(x, y, RoleText, b.foot) + 2
	}
	if m.desk.link.down && m.desk.typing == nil {
		x = c.Put(c.Put(x, y, RoleKey, "Enter")+1, y, RoleText, "try now") + 2
		acts = nil
	}
	for _, a := range acts {
		put(a, end)
	}
	for _, a := range ends {
		put(a, m.w)
	}
}
