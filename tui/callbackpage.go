package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// callbackPage is one callback: how it is set up, how it did in the last
// hour, its calls, and its outages.
type callbackPage struct {
	d       *desk
	id      callback.CallbackID
	name    string
	calls   *callList
	show    action // which calls: actFailed, actAll, actUnfinished
	typed   string
	outages []callback.OutageView
	asking  once
	err     string
	trend   trend
}

// shownOutages is how many outages of a callback are asked for.
const shownOutages = 4

func newCallbackPage(d *desk, id callback.CallbackID, name string) *callbackPage {
	p := &callbackPage{d: d, id: id, name: name, show: actAll}
	f, _ := p.parse("")
	p.calls = newCallList(d, f)
	p.trend = trend{d: d, to: p, ref: id.String(), causes: true}
	return p
}

func (*callbackPage) scope() scope { return onCallback }

// Trail implements page.
func (p *callbackPage) Trail() string { return p.name }

// Refresh implements page.
func (p *callbackPage) Refresh() tea.Cmd {
	return tea.Batch(p.calls.changed(), p.asking.ask(p.ask()), p.trend.refresh())
}

func (p *callbackPage) ask() tea.Cmd { return p.d.ask.outages(p, p.id.String(), shownOutages) }

func (p *callbackPage) reconnect() {
	p.calls.reconnect()
	p.trend.reconnect()
}

// end stops what is under way: the page does not come back.
func (p *callbackPage) end() { p.calls.end() }

func (p *callbackPage) overdue() bool { return p.calls.overdue() || p.trend.overdue() }

// Data implements page.
func (p *callbackPage) Data(msg tea.Msg) tea.Cmd {
	if why, ok := msg.(reply[past]); ok {
		return p.trend.take(why)
	}
	got, ok := msg.(outagesMsg)
	if !ok {
		return nil
	}
	p.err = ""
	if got.err != nil {
		p.err = inWords(got.err)
	} else {
		p.outages = got.outages
	}
	return p.asking.answered(p.ask())
}

// Status implements page.
func (p *callbackPage) Status() string { return p.calls.status() }

func (p *callbackPage) ofLoaded() string { return p.calls.ofLoaded() }

// parse makes a filter of what was typed and of the kind of calls shown.
func (p *callbackPage) parse(s string) (filter, *filterError) {
	word := map[action]string{actFailed: "failed", actAll: "all", actUnfinished: "open"}[p.show]
	return p.d.parseFilter(s, p.id, word)
}

func (p *callbackPage) filterBy(s string) tea.Cmd {
	f, fault := p.parse(s)
	if fault != nil {
		p.d.say(RoleError, fault.Error())
		return nil
	}
	p.typed = strings.TrimSpace(s)
	return p.calls.set(f)
}

// Key implements page.
func (p *callbackPage) Key(a action) (tea.Cmd, bool) {
	d := p.d
	switch a {
	case actFailed, actAll, actUnfinished:
		p.show = a
		return p.filterBy(p.typed), true
	case actFilter:
		check := func(s string) *filterError {
			_, fault := p.parse(s)
			return fault
		}
		d.typing = newFilterLine(d, callLanguage, p.typed, check, p.filterBy)
		return nil, true
	case actEsc:
		switch {
		case p.calls.stopSearch():
			return nil, true
		case p.typed != "":
			return p.filterBy(""), true
		case p.calls.list.MarkCount() > 0:
			p.calls.list.SetRange(false)
			p.calls.list.ClearMarks()
			return nil, true
		}
		return nil, false
	}
	if d.actCallback(a, d.health(p.id), p) {
		return nil, true
	}
	return p.calls.act(a)
}
