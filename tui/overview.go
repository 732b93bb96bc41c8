package tui

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// overviewPage is the first screen: every callback, the worst on top, and what
// there is to tell of the chosen one.
type overviewPage struct {
	d      *desk
	order  []callback.CallbackID // as shown
	cursor callback.CallbackID
	chosen bool
	picked bool // by a person; until then the cursor keeps to the worst
	top    int  // the first row shown
	height int  // rows of the table
	filter string

	by      int // in overviewSorts
	reverse bool
	trend   trend
}

func newOverviewPage(d *desk) *overviewPage {
	p := &overviewPage{d: d, height: 1}
	p.trend = trend{d: d, to: p}
	return p
}

func (*overviewPage) scope() scope { return onOverview }

// Trail implements page.
func (*overviewPage) Trail() string { return tabs[0] }

// Refresh implements page; the overview itself is asked for anyway.
func (p *overviewPage) Refresh() tea.Cmd { return p.trend.refresh() }

func (p *overviewPage) overdue() bool { return p.trend.overdue() }

func (p *overviewPage) reconnect() { p.trend.reconnect() }

// settleTime is how long after a key the order of the rows stays as it is.
const settleTime = 10 * time.Second

// Data takes an overview that the desk took in. The order changes only while
// nobody can be about to press a key for a row.
func (p *overviewPage) Data(msg tea.Msg) tea.Cmd {
	if got, ok := msg.(reply[past]); ok {
		return p.trend.take(got)
	}
	rows := p.d.overview.Callbacks
	at := slices.Index(p.order, p.cursor)
	if at <= 0 || p.d.opt.Now().Sub(p.d.lastKey) >= settleTime {
		p.sort()
	} else {
		p.keepOrder(rows)
	}
	p.choose(at)
	return nil
}

// keepOrder drops what is gone and puts what is new at the end.
func (p *overviewPage) keepOrder(rows []callback.HealthView) {
	live := make(map[callback.CallbackID]bool, len(rows))
	for i := range rows {
		live[rows[i].ID] = true
	}
	p.order = slices.DeleteFunc(p.order, func(id callback.CallbackID) bool {
		was := live[id]
		delete(live, id)
		return !was
	})
	for i := range rows {
		if live[rows[i].ID] {
			p.order = append(p.order, rows[i].ID)
		}
	}
}

// worst sorts callbacks as the table shows them.
func worst(a, b *callback.HealthView) int {
	return cmp.Or(
		cmp.Compare(standingOf(a), standingOf(b)),
		cmp.Compare(b.Live.Counts.Waiting(), a.Live.Counts.Waiting()),
		cmp.Compare(b.Live.Counts.Failed, a.Live.Counts.Failed),
		strings.Compare(a.Name, b.Name),
	)
}

// visible returns the rows that the filter lets through.
func (p *overviewPage) visible() []callback.CallbackID {
	if p.filter == "" {
		return p.order
	}
	var out []callback.CallbackID
	for _, id := range p.order {
		if h := p.d.health(id); h != nil && strings.Contains(strings.ToLower(h.Name), strings.ToLower(p.filter)) {
			out = append(out, id)
		}
	}
	return out
}

// choose puts the cursor on a row again where its own is gone; was is where
// it was.
func (p *overviewPage) choose(was int) {
	rows := p.visible()
	if !p.picked && p.d.opt.Now().Sub(p.d.lastKey) >= settleTime {
		p.chosen, was = false, 0 // whoever comes to a screen left alone sees what is worst
	}
	if p.chosen && slices.Contains(rows, p.cursor) {
		return
	}
	p.chosen = len(rows) > 0
	if p.chosen {
		p.cursor = rows[min(max(was, 0), len(rows)-1)]
	}
}

// selected returns the callback that the cursor is on, or nil.
func (p *overviewPage) selected() *callback.HealthView {
	if !p.chosen {
		return nil
	}
	return p.d.health(p.cursor)
}

// Status implements page.
func (p *overviewPage) Status() string {
	d := p.d
	if len(d.overview.Callbacks) == 0 {
		return "waiting for the first callback"
	}
	s := strconv.Itoa(len(p.visible())) + " of " + strconv.Itoa(len(p.order)) + " shown, " + p.sortedBy()
	if p.filter != "" {
		s += ", filter: " + p.filter
	}
	if !d.overview.MailOK && d.overview.MailNote != "" {
		s += "   mail: " + d.overview.MailNote
	}
	return s
}

// Key implements page.
func (p *overviewPage) Key(a action) (tea.Cmd, bool) {
	h := p.selected()
	switch a {
	case actDown, actUp, actTop, actBottom, actHalfDown, actHalfUp, actPageDown, actPageUp:
		p.move(a)
	case actOpen:
		if h == nil {
			p.d.say(RoleDim, "Enter: there is no callback")
			return nil, true
		}
		p.d.open = newCallbackPage(p.d, h.ID, h.Name)
	case actFilter:
		p.d.typing = newTyping(p.filter, func(string) *filterError { return nil }, p.filterBy)
	case actSort:
		p.by = (p.by + 1) % len(overviewSorts)
		p.sort()
	case actReverse:
		p.reverse = !p.reverse
		p.sort()
	case actRetryAll, actResolveAll:
		if h == nil {
			p.d.say(RoleDim, label(a, onOverview)+": there is no callback")
			return nil, true
		}
		return p.d.askMany(a, onOverview, failedOf(h.ID)), true
	case actCopyAll:
		if h != nil {
			return p.d.copies((&plain{desk: p.d}).line(h)), true
		}
		p.d.say(RoleDim, "Y: there is no callback")
	case actCopy:
		switch {
		case p.d.firstRun():
			return p.d.copies(strings.Join(p.d.firstCall(), " ")), true
		case h != nil:
			return p.d.copies(h.ID.String()), true
		}
		p.d.say(RoleDim, "y: there is no callback")
	case actEsc:
		if p.filter == "" {
			return nil, false
		}
		return p.filterBy(""), true
	default:
		return nil, p.d.actCallback(a, h, nil)
	}
	return nil, true
}

// failedOf selects the failed calls of a callback.
func failedOf(id callback.CallbackID) *filter {
	return &filter{query: callback.ListQuery{Ref: id.String(), Filter: callback.Filter{Status: callback.ListFailed}}}
}

func (p *overviewPage) filterBy(s string) tea.Cmd {
	p.filter = strings.TrimSpace(s)
	p.choose(0)
	return nil
}

func (p *overviewPage) move(a action) {
	rows := p.visible()
	at := slices.Index(rows, p.cursor)
	if at < 0 {
		return
	}
	p.cursor, p.picked = rows[moved(a, at, len(rows), p.height)], a != actTop
}

// moved returns the row that a key moves the cursor to, out of n, of which
// page are shown.
func moved(a action, at, n, page int) int {
	switch a {
	case actDown:
		at++
	case actUp:
		at--
	case actTop:
		at = 0
	case actBottom:
		at = n - 1
	case actHalfDown:
		at += max(page/2, 1)
	case actHalfUp:
		at -= max(page/2, 1)
	case actPageDown:
		at += max(page, 1)
	case actPageUp:
		at -= max(page, 1)
	}
	return max(min(at, n-1), 0)
}

// shift returns the first row to show of n, so that row at is among the page
// rows that are shown, and as little as can be moves.
func shift(top, at, n, page int) int {
	top = min(top, at)
	top = max(top, at-page+1)
	return max(min(top, n-page), 0)
}
