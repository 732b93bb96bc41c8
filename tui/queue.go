package tui

import (
	"cmp"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// queuePage is what waits: when it is due, how old it is and whose, and what
// is on its way now.
type queuePage struct {
	d      *desk
	shape  callback.QueueShape
	loaded bool
	err    string
	pace   pace
	sort   queueSort
	cursor callback.CallbackID
	top    int // the first row of the table that is shown
	height int // rows of the table
}

// queueSort is an order of the table.
type queueSort uint8

const (
	byWaiting queueSort = iota
	byGivesUp
	byName
	queueSorts
)

func (s queueSort) String() string {
	return [...]string{"most waiting first", "first to give up first", "by name"}[s%queueSorts]
}

// queueEvery is how often the service is asked for the queue's shape, at most.
const queueEvery = time.Second

func newQueuePage(d *desk) *queuePage { return &queuePage{d: d, height: 1} }

func (*queuePage) scope() scope { return onQueue }

// Trail implements page.
func (*queuePage) Trail() string { return tabs[3] }

// Refresh implements page.
func (p *queuePage) Refresh() tea.Cmd {
	return p.pace.ask(p.d.opt.Now(), queueEvery, p.d.ask.queue(p))
}

// overdue makes it ask with every tick: much changes that no revision tells of.
func (p *queuePage) overdue() bool { return true }

// Data implements page.
func (p *queuePage) Data(msg tea.Msg) tea.Cmd {
	got, ok := msg.(reply[callback.QueueShape])
	if !ok || !p.pace.take(p.d, p.loaded) {
		return nil
	}
	if got.err != nil {
		p.err = inWords(got.err)
		return nil
	}
	at := p.at()
	p.shape, p.loaded, p.err = got.got, true, ""
	p.order()
	if n := len(p.shape.Callbacks); p.at() < 0 && n > 0 {
		p.cursor = p.shape.Callbacks[min(max(at, 0), n-1)].CallbackID
	}
	return nil
}

// order sorts the table.
func (p *queuePage) order() {
	slices.SortStableFunc(p.shape.Callbacks, func(a, b callback.QueueRow) int {
		most := cmp.Or(cmp.Compare(b.Waiting, a.Waiting), strings.Compare(a.Callback, b.Callback))
		switch p.sort {
		case byName:
			return strings.Compare(a.Callback, b.Callback)
		case byGivesUp:
			never := func(t time.Time) int { return map[bool]int{true: 1}[t.IsZero()] }
			return cmp.Or(never(a.GivesUp)-never(b.GivesUp), a.GivesUp.Compare(b.GivesUp), most)
		}
		return most
	})
}

// at returns the row of the cursor, or -1.
func (p *queuePage) at() int {
	return slices.IndexFunc(p.shape.Callbacks, func(r callback.QueueRow) bool { return r.CallbackID == p.cursor })
}

// Status implements page.
func (p *queuePage) Status() string {
	s := &p.shape
	switch {
	case p.err != "":
		return p.err + "; trying again"
	case !p.loaded:
		return ""
	case p.sort != byWaiting:
		return p.sort.String()
	}
	says := "late means due more than 1 s ago and not yet taken"
	if s.Partial {
		says = "more wait than are looked at: + means at least"
	}
	if age := s.Now.Sub(s.Counted); age >= 2*time.Second {
		says += "; counted " + Duration(age) + " ago"
	}
	return says
}

// Key implements page.
func (p *queuePage) Key(a action) (tea.Cmd, bool) {
	d, at := p.d, p.at()
	var row *callback.QueueRow
	if at >= 0 {
		row = &p.shape.Callbacks[at]
	}
	switch a {
	case actDown, actUp, actTop, actBottom, actHalfDown, actHalfUp, actPageDown, actPageUp:
		if row != nil {
			p.cursor = p.shape.Callbacks[moved(a, at, len(p.shape.Callbacks), p.height)].CallbackID
		}
	case actSort:
		p.sort = (p.sort + 1) % queueSorts
		p.order()
		d.say(RoleDim, "sorted: "+p.sort.String())
	case actOpen:
		if row == nil {
			d.say(RoleDim, "Enter: no call waits")
			return nil, true
		}
		d.open = newWaitingPage(d, row.CallbackID, row.Callback)
	case actSuspend:
		if row == nil {
			d.say(RoleDim, "z: no call waits")
			return nil, true
		}
		d.askSuspend(d.health(row.CallbackID))
	case actRetryAll, actResolveAll:
		if row == nil {
			d.say(RoleDim, label(a, onQueue)+": no call waits")
			return nil, true
		}
		return d.askMany(a, onQueue, failedOf(row.CallbackID)), true
	case actCopy:
		if row == nil {
			d.say(RoleDim, "y: no call waits")
			return nil, true
		}
		return d.copies(row.CallbackID.String()), true
	default:
		return nil, false
	}
	return nil, true
}

// newWaitingPage returns the page of a callback with its calls that are not
// finished.
func newWaitingPage(d *desk, id callback.CallbackID, name string) *callbackPage {
	p := newCallbackPage(d, id, name)
	p.show = actUnfinished
	f, _ := p.parse("")
	p.calls = newCallList(d, f)
	return p
}
