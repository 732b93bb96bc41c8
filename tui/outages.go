package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// outagesPage is the latest outages with the e-mails that went out for them.
type outagesPage struct {
	d      *desk
	all    []callback.OutageView
	rows   []callback.OutageView // those that the filter lets through
	typed  string                // the filter as it was typed
	want   test[callback.OutageView]
	cursor outageKey
	chosen bool
	loaded bool
	top    int
	height int
	err    string
	asking once
	older  older
	owed   []callback.Alert // e-mails that wait to be sent
	mailed once

	// The outage to begin with: the latest of a callback that began by then.
	of callback.CallbackID
	by time.Time
}

// outageKey names an outage.
type outageKey struct {
	id callback.CallbackID
	n  uint32
}

func keyOfOutage(o *callback.OutageView) outageKey { return outageKey{o.CallbackID, o.N} }

func newOutagesPage(d *desk) *outagesPage { return &outagesPage{d: d, height: 1} }

func (*outagesPage) scope() scope { return onOutages }

// Trail implements page.
func (*outagesPage) Trail() string { return tabs[2] }

// Refresh implements page.
func (p *outagesPage) Refresh() tea.Cmd {
	return tea.Batch(p.asking.ask(p.ask()), p.mailed.ask(p.d.ask.owed(p)))
}

func (p *outagesPage) ask() tea.Cmd { return p.d.ask.outagesFrom(p, 0) }

// Data implements page.
func (p *outagesPage) Data(msg tea.Msg) tea.Cmd {
	if mails, ok := msg.(reply[callback.Listing[callback.Alert]]); ok {
		if mails.err == nil {
			p.owed = mails.got.Rows
		}
		return p.mailed.answered(p.d.ask.owed(p))
	}
	got, ok := msg.(reply[outagePage])
	if !ok {
		return nil
	}
	var again tea.Cmd
	if got.got.offset > 0 {
		p.older.reading = false
	} else {
		again = p.asking.answered(p.ask())
	}
	if got.err != nil {
		p.err = inWords(got.err)
		return again
	}
	at := p.at()
	if !p.loaded && p.of != 0 {
		p.begin(got.got.Rows)
	}
	p.took(got.got)
	p.loaded, p.err = true, ""
	p.choose(at)
	return tea.Batch(again, p.pump())
}

// choose shows what the filter lets through, with the cursor where it was, or
// on the row at where that is gone.
func (p *outagesPage) choose(at int) {
	p.rows = p.all
	if p.want != nil {
		p.rows = nil
		for i := range p.all {
			if p.want(&p.all[i]) {
				p.rows = append(p.rows, p.all[i])
			}
		}
	}
	if p.at() < 0 && len(p.rows) > 0 {
		p.cursor, p.chosen = keyOfOutage(&p.rows[min(max(at, 0), len(p.rows)-1)]), true
	}
}

func (p *outagesPage) check(s string) *filterError {
	_, fault := p.parse(s)
	return fault
}

func (p *outagesPage) filterBy(s string) tea.Cmd {
	want, fault := p.parse(s)
	if fault != nil {
		p.d.say(RoleError, fault.Error())
		return nil
	}
	p.typed, p.want = strings.TrimSpace(s), want
	p.choose(0)
	return p.goOn()
}

// begin puts the cursor on the outage that the page was opened for.
func (p *outagesPage) begin(rows []callback.OutageView) {
	for i := range rows { // the latest first
		if o := &rows[i]; o.CallbackID == p.of && !o.OutageState.Started.After(p.by) {
			p.cursor, p.chosen = keyOfOutage(o), true
			return
		}
	}
}

// at returns the row of the cursor, or -1.
func (p *outagesPage) at() int {
	if !p.chosen {
		return -1
	}
	return slices.IndexFunc(p.rows, func(o callback.OutageView) bool { return keyOfOutage(&o) == p.cursor })
}

// Status implements page.
func (p *outagesPage) Status() string {
	if p.err != "" {
		return p.err + "; trying again"
	}
	if s := p.howFar(); s != "" {
		return s
	}
	open, suspended, mails := 0, 0, 0
	for i := range p.rows {
		o := &p.rows[i]
		switch h := p.d.health(o.CallbackID); {
		case o.Phase == callback.NoOutage:
		case h != nil && h.Live.Suspended:
			suspended++
		default:
			open++
		}
		for j := range p.rows[i].Alerts {
			if s := p.rows[i].Alerts[j].Status; s == callback.AlertRefused || s == callback.AlertExpired {
				mails++
			}
		}
	}
	s := fmt.Sprintf("%d open, ", open)
	if suspended > 0 {
		s += fmt.Sprintf("%d suspended, ", suspended)
	}
	s += fmt.Sprintf("%d closed", len(p.rows)-open-suspended)
	if p.typed != "" {
		all := "all"
		if p.older.more {
			all = "the last"
		}
		s = fmt.Sprintf("%d of %s %d shown: %s", len(p.rows), all, len(p.all), p.typed)
	}
	if mails > 0 {
		s += "   " + plural(uint64(mails), "e-mail") + " failed"
	}
	return s
}

// Key implements page.
func (p *outagesPage) Key(a action) (tea.Cmd, bool) {
	at := p.at()
	switch a {
	case actDown, actUp, actTop, actBottom, actHalfDown, actHalfUp, actPageDown, actPageUp:
		p.older.offered = false
		if at < 0 {
			return nil, true
		}
		to := moved(a, at, len(p.rows), p.height)
		p.cursor = keyOfOutage(&p.rows[to])
		if to == len(p.rows)-1 {
			return p.goOn(), true
		}
	case actOpen:
		if p.older.offered {
			return p.goOn(), true
		}
		if at < 0 {
			p.d.say(RoleDim, "Enter: there is no outage")
			return nil, true
		}
		p.d.open = newCallbackPage(p.d, p.rows[at].CallbackID, p.rows[at].Callback)
	case actCopy:
		if at < 0 {
			p.d.say(RoleDim, "y: there is no outage")
			return nil, true
		}
		return p.d.copies(p.rows[at].CallbackID.String()), true
	case actCopyAll:
		if at < 0 {
			p.d.say(RoleDim, "Y: there is no outage")
			return nil, true
		}
		return p.d.copies(p.d.outageInWords(&p.rows[at])), true
	case actRetryAll, actResolveAll:
		if at < 0 {
			p.d.say(RoleDim, label(a, onOutages)+": there is no outage")
			return nil, true
		}
		return p.d.askMany(a, onOutages, p.d.callsOf(&p.rows[at])), true
	case actEdit:
		if at < 0 {
			p.d.say(RoleDim, "e: there is no outage")
			return nil, true
		}
		p.d.actCallback(a, p.d.health(p.rows[at].CallbackID), p)
	case actAck, actMailAgain:
		var o *callback.OutageView
		if at >= 0 {
			o = &p.rows[at]
		}
		p.d.actOutage(a, o)
	case actFilter:
		p.d.typing = newFilterLine(p.d, outageLanguage, p.typed, p.check, p.filterBy)
	case actEsc:
		switch {
		case p.stopSearch():
		case p.typed != "":
			return p.filterBy(""), true
		default:
			return nil, false
		}
	default:
		return nil, false
	}
	return nil, true
}

// Draw implements page.
func (p *outagesPage) Draw(c *Canvas) {
	w, _ := c.Size()
	first, end := body(c)
	switch {
	case !p.loaded:
		c.Put(2, first+1, RoleDim, "loading ...")
		return
	case len(p.all) == 0:
		c.Put(2, first+1, RoleText, "No callback ever failed.")
		return
	case len(p.rows) == 0 && p.searching():
		says := "searching ..."
		if p.older.rests {
			says = "nothing found so far"
		}
		c.Put(2, first+1, RoleDim, says)
		return
	case len(p.rows) == 0:
		c.Put(2, first+1, RoleText, "No outage is like that; Esc shows all.")
		return
	}
	t := outageTable(w)
	t.head(c, first)
	at := max(p.at(), 0)
	panel := min(8, (end-first)/2)
	var days []callback.CallbackID
	below := 0 // rows of what only large frames show
	if end-first >= 30 {
		days = p.failed()
		below = 2 + len(days) + min(len(p.owed), 3) + 2
	}
	p.height = max(end-first-1-panel-below, 1)
	p.top = shift(p.top, at, len(p.rows), p.height)
	y := first + 1
	for i := p.top; i < min(p.top+p.height, len(p.rows)); i++ {
		p.drawRow(c, &t, y, &p.rows[i])
		if i == at {
			p.d.selectRow(c, y)
		}
		y++
	}
	y = min(y+1, end-panel-below)
	if len(days) > 0 {
		y = p.drawDays(c, y, days)
	}
	y = p.drawMails(c, y, end, &p.rows[at])
	if below > 0 && len(p.owed) > 0 && y+2 < end {
		p.drawOwed(c, y+1, end)
	}
}

func outageTable(w int) table {
	name := 15
	if w < 80 {
		name = 12
	}
	cause := column{title: "CAUSE", w: 13}
	if w >= 110 {
		cause = column{from: rest} // in words, for which there is room
	}
	return lay(3, w, []column{
		{title: "ID", w: 4},
		{title: "STARTED", w: 12},
		{title: "ENDED", w: 12, from: 110},
		{title: "LASTED", w: 7, align: Right},
		{title: "CALLBACK", w: name},
		{title: "CALLS", w: 7, align: Right, from: 72},
		cause,
		{title: "CAUSE", w: 34, from: 110, most: 70},
		{title: "E-MAIL", w: 11, from: 72, most: 11},
		{title: "TO", w: 16, from: 130, most: 30},
	})
}

func (p *outagesPage) drawRow(c *Canvas, t *table, y int, o *callback.OutageView) {
	d := p.d
	s := standHealthy
	switch {
	case o.Phase == callback.OutageOpen:
		s = standFailing
		if h := d.health(o.CallbackID); h != nil && (h.Shown == callback.Down || h.Shown == callback.Suspended) {
			s = standingOf(h)
		}
	case o.Phase == callback.Recovering:
		s = standFailing
	}
	c.Set(1, y, s.role(), s.sign(c.Glyphs()))
	t.put(c, y, 0, RoleText, "#"+strconv.Itoa(int(o.N)))
	t.put(c, y, 1, RoleText, d.when(o.OutageState.Started, 12))
	ended := "now"
	if o.Phase != callback.OutageOpen {
		ended = d.when(endOf(o), 12)
	}
	t.put(c, y, 2, RoleText, ended)
	lasted := d.lasted(o)
	if _, _, ok := t.at(2); !ok && o.Phase == callback.OutageOpen {
		lasted += "+"
	}
	t.put(c, y, 3, RoleText, lasted)
	t.put(c, y, 4, RoleText, o.Callback)
	t.put(c, y, 5, RoleText, CountShort(o.Calls))
	t.put(c, y, 6, RoleText, cause(o))
	t.put(c, y, 7, RoleText, o.FirstText)
	if m, ok := mailsMood(o, c.Glyphs()); ok {
		t.put(c, y, 8, m.role, m.String())
	} else {
		t.put(c, y, 8, RoleDim, "no e-mail")
	}
	if len(o.Alerts) > 0 {
		t.put(c, y, 9, RoleText, o.Alerts[0].To)
	}
}
