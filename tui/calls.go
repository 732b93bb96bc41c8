package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// callsPage is the calls of all callbacks.
type callsPage struct {
	d     *desk
	calls *callList
	typed string // the filter as it was typed
	plain bool   // without the pane of the chosen call
}

func newCallsPage(d *desk) *callsPage {
	return &callsPage{d: d, calls: newCallList(d, filter{query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}})}
}

func (*callsPage) scope() scope { return onCalls }

// Trail implements page.
func (*callsPage) Trail() string { return tabs[1] }

// Refresh implements page.
func (p *callsPage) Refresh() tea.Cmd { return p.calls.changed() }

// Data implements page; pages of calls go to the list itself.
func (p *callsPage) Data(tea.Msg) tea.Cmd { return nil }

func (p *callsPage) reconnect() { p.calls.reconnect() }

func (p *callsPage) overdue() bool { return p.calls.overdue() }

// Status implements page.
func (p *callsPage) Status() string { return p.calls.status() }

func (p *callsPage) ofLoaded() string { return p.calls.ofLoaded() }

// Key implements page.
func (p *callsPage) Key(a action) (tea.Cmd, bool) {
	d := p.d
	switch a {
	case actFilter:
		d.typing = newFilterLine(d, callLanguage, p.typed, d.checkFilter, p.filterBy)
		return nil, true
	case actCycle:
		return p.cycle(), true
	case actPane:
		p.plain = !p.plain
		d.say(RoleDim, "detail pane "+onOff(!p.plain))
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
	return p.calls.act(a)
}

// checkFilter says what is wrong with a filter.
func (d *desk) checkFilter(s string) *filterError {
	_, fault := d.parseFilter(s, 0, "all")
	return fault
}

func (p *callsPage) filterBy(s string) tea.Cmd {
	f, fault := p.d.parseFilter(s, 0, "all")
	if fault != nil {
		p.d.say(RoleError, fault.Error())
		return nil
	}
	p.typed = strings.TrimSpace(s)
	return p.calls.set(f)
}

// cycled are the words that f goes through after status:.
var cycled = []string{"", "failed", "pending", "success"}

// cycle selects the next status, and leaves the rest of the filter alone.
func (p *callsPage) cycle() tea.Cmd {
	const key = "status:"
	list, _ := terms(p.typed) // it was parsed before
	var kept []string
	next := cycled[1]
	for _, t := range list {
		word, ok := strings.CutPrefix(t.text, key)
		switch {
		case t.quoted || !ok:
			kept = append(kept, t.raw)
		default:
			next = ""
			for i, w := range cycled {
				if w == word {
					next = cycled[(i+1)%len(cycled)]
				}
			}
		}
	}
	if next != "" {
		kept = append([]string{key + next}, kept...)
	}
	return p.filterBy(strings.Join(kept, " "))
}

// Draw implements page.
func (p *callsPage) Draw(c *Canvas) {
	w, h := c.Size()
	first, end := body(c)
	x := c.Put(1, first, RoleDim, "Show: ")
	if len(p.calls.filter.words) == 0 {
		x = c.Put(x, first, RoleText, "all callbacks, all statuses") + 3
	}
	for _, word := range p.calls.filter.words {
		x = c.Put(x, first, RoleTitle, word) + 2
		if strings.HasPrefix(word, "since:") || strings.HasPrefix(word, "until:") {
			x = c.Put(x-1, first, RoleDim, "("+p.calls.filter.times()+")") + 2
		}
	}
	x = c.Put(x, first, RoleKey, "/") + 1
	x = c.Put(x, first, RoleDim, "changes it")
	if w >= 110 {
		c.PutIn(x+3, first, w-x-4, RoleDim, `e.g. status:failed cb:crm-prod since:09:12 code:503 "kim lee"`, Left)
	}
	const pane = 6
	if h >= 34 && !p.plain {
		end -= pane
		p.calls.drawPane(c, end)
	}
	p.calls.Draw(c, first+1, end, false)
}

// act does what keys do with the calls of a list.
func (l *callList) act(a action) (tea.Cmd, bool) {
	d := l.d
	v, chosen := l.cursor()
	switch a {
	case actOpen:
		if l.search.offered {
			l.goOn()
			return l.pump(), true
		}
		if chosen {
			d.open = newCallPage(d, &v, l)
			return nil, true
		}
		d.say(RoleDim, "Enter: "+l.noCall())
	case actRetryAll, actResolveAll:
		return d.askMany(a, onCallLists, &l.filter), true
	case actExport:
		return d.copyExport(&l.filter), true
	case actGoTo:
		d.typing = l.goToTime()
	case actFollow:
		l.list.SetFollow(!l.list.Follow())
		d.say(RoleDim, "follow "+onOff(l.list.Follow()))
		return l.pump(), true
	case actRetry, actResolve:
		return d.askCalls(a, l.targets(), l.noCall(), l.unmark), true
	case actCopy:
		if chosen {
			return d.copies(v.ID.String()), true
		}
		d.say(RoleDim, "y: "+l.noCall())
	case actCopyAll:
		if chosen {
			return d.copies(d.callInWords(&v)), true
		}
		d.say(RoleDim, "Y: "+l.noCall())
	default:
		return l.Key(a)
	}
	return nil, true
}

// noCall says why an action has no call to act on.
func (l *callList) noCall() string {
	if l.list.Following() && !l.list.Empty() {
		return "no call is chosen; j chooses the newest"
	}
	return "there is no call"
}
