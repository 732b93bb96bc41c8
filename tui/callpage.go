package tui

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// callPage is one call with all its attempts, what is sent, and what came
// back.
type callPage struct {
	d      *desk
	view   callback.CallView
	whole  bool // view has all attempts and the request
	from   *callList
	cursor int // number of the chosen attempt; 0: the last one
	top    int // the first attempt shown
	side   int // what of sides is shown where there is room for one
	scroll int // the first line of it that is shown
	below  int // how many lines of it are not shown
	err    string
	asking once
}

// newCallPage returns the page of a call. from is the list it was opened from,
// or nil.
func newCallPage(d *desk, v *callback.CallView, from *callList) *callPage {
	return &callPage{d: d, view: *v, from: from}
}

func (*callPage) scope() scope { return onCall }

// Trail implements page.
func (p *callPage) Trail() string { return p.view.ID.String() }

// Refresh implements page.
func (p *callPage) Refresh() tea.Cmd { return p.asking.ask(p.ask()) }

func (p *callPage) ask() tea.Cmd {
	ref := p.view.CallbackID.String()
	if p.view.CallbackID == 0 {
		ref = p.view.Callback
	}
	return p.d.ask.call(p, ref, p.view.ID)
}

// Data implements page.
func (p *callPage) Data(msg tea.Msg) tea.Cmd {
	got, ok := msg.(callMsg)
	if !ok {
		return nil
	}
	again := p.asking.answered(p.ask())
	switch {
	case got.id != p.view.ID: // the page went on to another
	case got.err != nil:
		p.err = inWords(got.err)
	default:
		p.view, p.whole, p.err = got.view, true, ""
	}
	return again
}

// Status implements page.
func (p *callPage) Status() string {
	if p.err != "" {
		return p.err
	}
	return ""
}

// attempt returns the place of the chosen attempt, newest first; -1: none.
func (p *callPage) attempt() int {
	n := len(p.view.Attempts)
	for i := range p.view.Attempts {
		if p.view.Attempts[i].Number == p.cursor {
			return n - 1 - i
		}
	}
	return min(0, n-1)
}

// Key implements page.
func (p *callPage) Key(a action) (tea.Cmd, bool) {
	d := p.d
	switch a {
	case actDown, actUp:
		if n := len(p.view.Attempts); n > 0 {
			at := moved(a, p.attempt(), n, 1)
			p.cursor = p.view.Attempts[n-1-at].Number
		}
	case actSide:
		p.side, p.scroll = (p.side+1)%len(sides), 0
	case actHalfDown, actPageDown:
		p.scroll += min(5, p.below)
	case actHalfUp, actPageUp:
		p.scroll = max(p.scroll-5, 0)
	case actOpen:
		if d.health(p.view.CallbackID) == nil {
			d.say(RoleDim, "Enter: the callback is not there any more")
			return nil, true
		}
		d.open = newCallbackPage(d, p.view.CallbackID, p.view.Callback)
	case actPrev:
		return p.step(-1), true
	case actNext:
		return p.step(1), true
	case actTest:
		d.actCallback(a, d.health(p.view.CallbackID), p)
	case actRetry, actResolve:
		return d.askCalls(a, []callback.CallView{p.view}, "", nil), true
	case actCopyAll:
		return d.copyCall(&p.view), true
	case actCopy:
		return d.copies(p.view.ID.String()), true
	default:
		return nil, false
	}
	return nil, true
}

// step goes on to a neighbour in the list that the call was opened from.
func (p *callPage) step(n int) tea.Cmd {
	if p.from == nil {
		p.d.say(RoleDim, "it was not opened from a list of calls")
		return nil
	}
	p.from.list.Move(n)
	v, ok := p.from.cursor()
	if !ok || v.ID == p.view.ID {
		p.d.say(RoleDim, "there is no further call in the list")
		return p.from.pump()
	}
	p.view, p.whole, p.err, p.cursor, p.top, p.scroll = v, false, "", 0, 0, 0
	return tea.Batch(p.from.pump(), p.Refresh())
}

// Draw implements page.
func (p *callPage) Draw(c *Canvas) {
	w, _ := c.Size()
	y, end := body(c)
	y = p.drawHead(c, y)
	n := len(p.view.Attempts)
	room := max(min(n, (end-y)/4), 1) // beside that of the attempt that runs
	y = p.drawAttempts(c, y, room)
	if at := p.attempt(); at >= 0 {
		a := &p.view.Attempts[n-1-at]
		y = p.drawAttempt(c, y, min(y+5, max(end-3, y+2)), a)
	}
	if w >= 110 {
		p.drawSides(c, y, end)
		return
	}
	p.drawSide(c, y, end)
}

// drawHead says which call it is, where it stands, and of whom.
func (p *callPage) drawHead(c *Canvas, y int) int {
	d, v := p.d, &p.view
	w, _ := c.Size()
	now := d.now()
	m := callMood(v, c.Glyphs())
	x := c.Put(1, y, RoleText, "Call ")
	x = c.Put(x, y, RoleTitle, v.ID.String())
	x = c.Put(x, y, RoleText, " to ")
	x = c.PutIn(x, y, min(c.Width(v.Callback), w/4), RoleTitle, v.Callback, Left) + 2
	x = c.Put(x, y, m.role, m.String())
	next, late := d.outlook(v)
	role := RoleText
	if late {
		role = RoleFailing
	}
	c.PutIn(x+1, y, w-x-2, role, next, Left)
	c.PutIn(1, y+1, w-2, RoleText, about(v), Left)
	at := v.Enqueued
	if at.IsZero() {
		at = v.ID.Time()
	}
	s := "got " + d.clock.WhenMillis(at, now)
	if v.Response.MessageID != "" {
		s = "message " + v.Response.MessageID + "   " + s
	}
	switch {
	case !v.GivesUp.IsZero():
		s += "   gives up " + d.clock.When(v.GivesUp, now)
		if h := d.health(v.CallbackID); h != nil && w >= 110 && !h.Live.Suspended && d.server.Window > 0 {
			s += ", " + every(d.server.Window) + " after it failed first"
		}
	case !v.Finished.IsZero():
		s += "   finished " + d.clock.When(v.Finished, now)
	}
	for _, more := range []string{v.Response.MessageLocation, v.Response.From.MRI} {
		if more != "" && w >= 110 {
			s += "   " + callback.Sanitize(more, 200)
		}
	}
	c.PutIn(1, y+2, w-2, RoleText, s, Left)
	return y + 3
}

func (p *callPage) drawAttempts(c *Canvas, y, room int) int {
	d, v := p.d, &p.view
	w, _ := c.Size()
	n := len(v.Attempts)
	bad, says := 0, ""
	for i := range v.Attempts {
		if !v.Attempts[i].OK {
			bad++
		}
	}
	switch {
	case !p.whole:
		says = "loading ..."
	case v.Entry.Attempts > n:
		says = plural(uint64(v.Entry.Attempts), "attempt") + ", the last " + Count(uint64(n)) + " are shown"
	case n > 0 && bad == n:
		says = fmt.Sprintf("%d, all failed", n)
	case n > 0 && bad == 0:
		says = fmt.Sprintf("%d, none failed", n)
	case n > 0:
		says = fmt.Sprintf("%d, %d failed", n, bad)
	}
	c.Rule(y, "attempts", says)
	y++
	if n == 0 && v.Run == nil {
		c.Put(1, y, RoleDim, "none yet")
		return y + 1
	}
	long := 30
	if w < 80 {
		long = 22
	}
	const bar = 36
	top := time.Duration(1)
	for i := range v.Attempts {
		top = max(top, v.Attempts[i].Duration)
	}
	t := lay(1, w, []column{
		{title: "#", w: 4, align: Right},
		{title: "WHEN", w: 14, most: 0},
		{title: "RESULT", w: long, most: long + 10},
		{title: "TOOK", w: 6, align: Right},
		{title: "FAILED AT", w: 11},
		{title: "TO", w: 22, from: 100},
		{title: "HOW LONG (a cell is " + Latency(top/bar) + ")", w: bar, from: 140},
	})
	t.head(c, y)
	y++
	if r := v.Run; r != nil {
		t.put(c, y, 0, RoleText, fmt.Sprint(v.Entry.Attempts+1))
		t.put(c, y, 1, RoleText, d.clock.When(r.Since, d.now()))
		t.put(c, y, 2, RoleText, stageWords[r.Stage])
		t.put(c, y, 3, RoleText, Latency(max(d.now().Sub(r.Since), 0)))
		t.put(c, y, 5, RoleText, r.To)
		y++
	}
	p.top = shift(p.top, p.attempt(), n, room)
	for i := p.top; i < min(p.top+room, n); i++ {
		a := &v.Attempts[n-1-i]
		role := RoleDown
		if a.OK {
			role = RoleOK
		}
		t.put(c, y, 0, RoleText, fmt.Sprint(a.Number))
		t.put(c, y, 1, RoleText, d.started(a, w))
		t.put(c, y, 2, role, outcome(a))
		t.put(c, y, 3, RoleText, Latency(a.Duration))
		t.put(c, y, 4, RoleText, failedAt(a))
		t.put(c, y, 5, RoleText, a.Peer)
		if x, n, ok := t.at(6); ok {
			c.Share(x, y, n, role, float64(a.Duration)/float64(top))
		}
		if i == p.attempt() {
			d.selectRow(c, y)
		}
		y++
	}
	return y
}

// started returns when an attempt began, to the millisecond where a frame is w
// cells wide enough.
func (d *desk) started(a *callback.Attempt, w int) string {
	if s := d.clock.WhenMillis(a.Started, d.now()); w >= 100 && len(s) <= 14 {
		return s
	}
	return d.clock.When(a.Started, d.now())
}

// drawAttempt says in words how an attempt went.
func (p *callPage) drawAttempt(c *Canvas, y, end int, a *callback.Attempt) int {
	w, _ := c.Size()
	c.Rule(y, fmt.Sprintf("attempt %d in words", a.Number), p.d.clock.Exact(a.Started))
	y++
	says, role := a.Error, RoleDown
	if a.OK {
		says, role = "Delivered: "+outcome(a)+".", RoleOK
	}
	if says == "" {
		says = outcome(a)
	}
	advice := a.Advice()
	lines := c.Wrap(says, w-2, 2)
	if len(lines) == 2 && advice != "" {
		lines = c.Wrap(says, w-2, 1)
	}
	for _, line := range lines {
		if y < end {
			c.Put(1, y, role, line)
			y++
		}
	}
	if advice != "" && y < end {
		c.PutIn(1, y, w-2, RoleText, advice, Left)
		y++
	}
	says = stages(a)
	if h := p.d.health(p.view.CallbackID); h != nil && w >= 110 {
		if connect, answer := p.d.limits(h); connect > 0 && answer > 0 {
			says += "   limits: connect " + every(connect) + ", answer " + every(answer)
		}
	}
	for _, line := range c.Wrap(says, w-2, min(end-y, 2)) {
		c.Put(1, y, RoleText, line)
		y++
	}
	return y
}
