package tui

import (
	"cmp"
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// callList is the calls of one or of all callbacks, newest on top, paged from
// the service.
type callList struct {
	d      *desk
	list   *List[callback.CallID, callback.CallView]
	filter filter

	gen    uint64 // of the requests under way
	ctx    context.Context
	cancel context.CancelFunc

	total   uint64
	exact   bool
	err     string
	delay   time.Duration // after a failure: before the next try
	holding bool
	fresh   bool // no page of this filter came yet
	read    time.Time
	stale   bool          // changed since
	took    time.Duration // how long the last page was on its way
	search  search
	asking  bool            // what became of a call that left the list
	purged  callback.CallID // one that is not there any more

	// While the service is gone: the calls that were loaded, once a filter selects
	// among them, and those that it selects.
	loaded, kept []callback.CallView
}

type callPageOf = Page[callback.CallID, callback.CallView]

// holdMsg says that a list which failed may ask again.
type holdMsg struct{ list *callList }

func newCallList(d *desk, f filter) *callList {
	l := &callList{d: d, filter: f, fresh: true}
	l.list = NewList(
		func(v callback.CallView) callback.CallID { return v.ID },
		func(a, b callback.CallID) int { return cmp.Compare(b, a) },
	)
	return l
}

// set begins a new query.
func (l *callList) set(f filter) tea.Cmd {
	if l.d.link.down {
		return l.setLoaded(f)
	}
	l.loaded, l.kept = nil, nil
	l.filter, l.fresh, l.err, l.exact, l.total = f, true, "", false, 0
	l.search = search{until: l.d.opt.Now().Add(searchTime)}
	l.list.Reset()
	return l.pump()
}

// pump asks for the pages that are wanted.
func (l *callList) pump() tea.Cmd {
	if l.loaded != nil {
		l.serve()
		return nil
	}
	if l.holding || l.d.link.down {
		return nil
	}
	l.list.Hold(l.rests())
	var cmds []tea.Cmd
	for f, ok := l.list.Next(); ok; f, ok = l.list.Next() {
		if l.ctx == nil || f.Gen != l.gen {
			l.end()
			l.ctx, l.cancel = context.WithCancel(l.d.ask.ctx)
			l.gen = f.Gen
		}
		l.search.asked = l.d.opt.Now()
		cmds = append(cmds, l.d.ask.calls(l.ctx, l, f, l.query(f)))
	}
	return tea.Batch(cmds...)
}

// end cancels what is under way.
func (l *callList) end() {
	if l.cancel != nil {
		l.cancel()
	}
}

// query returns what to ask the service for a page. It pages behind a call
// in the order asked for, so what is above is read the other way round.
func (l *callList) query(f Fetch[callback.CallID]) callback.ListQuery {
	q := l.filter.query
	q.Limit, q.Oldest = min(f.Limit, callback.MaxPage), f.Backward
	low, high := l.filter.low, l.filter.high
	if l.filter.keep != nil {
		q.Limit = callback.MaxPage // most of them may be left out
		if low != 0 && low == high {
			q.Limit = 1
		}
	}
	if f.HasKey {
		q.After = f.Key
		switch {
		case f.Inclusive && f.Backward:
			q.After--
		case f.Inclusive:
			q.After++
		}
	}
	switch {
	case f.Backward && low != 0:
		q.After = max(q.After, low-1)
	case !f.Backward && high != 0 && high+1 != 0 && (q.After == 0 || q.After > high+1):
		q.After = high + 1
	}
	return q
}

// page makes the service's answer one of the list's.
func (l *callList) page(f Fetch[callback.CallID], got callback.CallList) callPageOf {
	p := callPageOf{Rows: slices.Clone(got.Calls), More: got.More}
	if p.More {
		p.To, p.HasTo = got.Next, got.Next != 0
		if n := len(p.Rows); !p.HasTo && n > 0 {
			p.To, p.HasTo = p.Rows[n-1].ID, true
		}
	}
	if low, high := l.filter.low, l.filter.high; p.More && p.HasTo && (!f.Backward && p.To <= low || f.Backward && high != 0 && p.To >= high) {
		p.More, p.HasTo = false, false
	}
	if l.filter.keep != nil {
		p.Rows = slices.DeleteFunc(p.Rows, func(v callback.CallView) bool { return !l.filter.keep(&v) })
	}
	if f.Backward {
		slices.Reverse(p.Rows)
	}
	return p
}

// Data takes a page.
func (l *callList) Data(msg pageMsg) tea.Cmd {
	if l.loaded != nil {
		return nil // it comes too late
	}
	if msg.err != nil {
		return l.failed(msg)
	}
	if !l.list.Apply(msg.fetch, l.page(msg.fetch, msg.list)) {
		return l.pump()
	}
	l.err, l.delay, l.took = "", 0, l.d.opt.Now().Sub(l.search.asked)
	l.searched(msg)
	if l.filter.keep == nil && (l.fresh || msg.list.Exact) {
		l.total, l.exact = msg.list.Total, msg.list.Exact
	}
	if l.fresh && l.list.Choose() {
		l.fresh = false
	}
	return tea.Batch(l.pump(), l.askGone())
}

// askGone asks what became of the call that the cursor is on, where the filter does
// not select it any more.
func (l *callList) askGone() tea.Cmd {
	v, ok := l.cursor()
	if _, gone := l.list.Gone(); !ok || !gone {
		return nil
	}
	if l.asking { // the page that is read next asks again
		return nil
	}
	l.asking = true
	return l.d.ask.gone(l, v.CallbackID.String(), v.ID)
}

// became takes the answer to that. A call that is not there any more stays as it was,
// and the status line says so.
func (l *callList) became(msg goneMsg) tea.Cmd {
	l.asking = false
	switch id, gone := l.list.Gone(); {
	case !gone:
	case id != msg.id:
		return l.askGone() // the cursor went on
	case msg.err == nil:
		v := msg.view
		v.Attempts, v.RequestBody = v.Attempts[max(len(v.Attempts)-1, 0):], "" // as rows are
		l.list.Became(v)
		l.purged = 0
	case callback.ErrorCode(msg.err) == callback.CodeNotFound:
		l.purged = id
	}
	return nil
}

// failed takes note of a page that did not come, and leaves the service alone
// for a while.
func (l *callList) failed(msg pageMsg) tea.Cmd {
	if msg.fetch.Gen != l.list.pages.gen {
		return l.pump()
	}
	l.list.Failed(msg.fetch)
	l.err = inWords(msg.err)
	if l.holding {
		return nil
	}
	l.holding, l.delay = true, longer(l.delay)
	return l.d.after(l.delay, holdMsg{l})
}

// resume asks again after a failure.
func (l *callList) resume() tea.Cmd {
	l.holding = false
	return l.pump()
}

// rereadTime is how often a list that does not follow its top is read again.
const rereadTime = time.Second

// changed says that something changed in the service.
func (l *callList) changed() tea.Cmd {
	now := l.d.opt.Now()
	if !l.read.IsZero() && (l.unready() || now.Sub(l.read) < l.patience()) {
		l.stale = true
		return l.pump()
	}
	l.stale, l.read = false, now
	if !l.search.rests {
		l.search.until = now.Add(searchTime + 2*l.search.spent) // it may begin anew
	}
	l.list.Refresh()
	return l.pump()
}

// overdue reports a change that was not read yet.
func (l *callList) overdue() bool { return l.stale }

// reconnect forgets what is under way: those answers are lost.
func (l *callList) reconnect() {
	l.holding, l.delay = false, 0
	l.end()
	l.ctx, l.cancel = nil, nil
	if l.loaded != nil {
		l.loaded, l.kept, l.fresh = nil, nil, true
		l.search = search{until: l.d.opt.Now().Add(searchTime)}
		l.list.Reset()
		return
	}
	l.list.Reconnect()
}

// Key moves the cursor and marks.
func (l *callList) Key(a action) (tea.Cmd, bool) {
	n, d := l.list, l.d
	l.moves(a)
	switch a {
	case actDown:
		n.Move(1)
	case actUp:
		n.Move(-1)
	case actTop:
		n.Top()
	case actBottom:
		n.Bottom()
	case actHalfDown:
		n.Scroll(max(n.height/2, 1))
	case actHalfUp:
		n.Scroll(-max(n.height/2, 1))
	case actPageDown:
		n.Scroll(n.height)
	case actPageUp:
		n.Scroll(-n.height)
	case actMark:
		if !n.Toggle() {
			d.say(RoleError, "Space: "+l.noMark())
		}
	case actMarkAll:
		if !n.MarkShown() {
			d.say(RoleError, "*: "+l.noMark())
		}
	case actRange:
		n.SetRange(!n.Range())
		if n.Range() {
			d.say(RoleDim, "marking what the cursor passes; v ends it")
		}
	case actUnmark:
		n.SetRange(false)
		n.ClearMarks()
	default:
		return nil, false
	}
	return l.pump(), true
}

func (l *callList) noMark() string {
	if l.list.MarkCount() >= MaxMarks {
		return "at most " + Count(MaxMarks) + " can be marked"
	}
	return "there is no call to mark"
}

// cursor returns the call the cursor is on.
func (l *callList) cursor() (callback.CallView, bool) { return l.list.Cursor() }

// targets returns what an action is for: the marked calls, or the one that
// the cursor is on.
func (l *callList) targets() []callback.CallView {
	if l.list.MarkCount() > 0 {
		rows := l.list.MarkedRows()
		for i := range rows {
			if _, held := l.list.find(rows[i].ID); !held {
				rows[i].State = "" // whatever it was when it was seen last
			}
		}
		return rows
	}
	if v, ok := l.cursor(); ok {
		return []callback.CallView{v}
	}
	return nil
}

// unmark takes the marks of calls away, and ends a range.
func (l *callList) unmark(ids []callback.CallID) {
	l.list.SetRange(false)
	for _, id := range ids {
		l.list.Mark(id, false)
	}
}

// status tells what the list shows.
func (l *callList) status() string {
	if l.err != "" {
		return l.err + "; trying again"
	}
	if s := l.howFar(); s != "" {
		return s
	}
	s := ""
	add := func(part string) {
		if s != "" {
			s += "   "
		}
		s += part
	}
	if n := l.list.MarkCount(); n > 0 {
		add(Count(uint64(n)) + " marked")
	}
	switch id, gone := l.list.Gone(); {
	case gone && id == l.purged:
		add("the chosen call is not there any more")
	case gone:
		add("the chosen call is not in this list any more")
	}
	switch n, more := l.list.News(); {
	case l.list.Seeking() || l.list.Short():
		add(l.looking())
	case l.list.Following() && !l.list.Empty():
		add("follows the newest; j chooses")
	case n > 0 && more:
		add("more than " + Count(uint64(n)) + " new, g shows them")
	case n > 0:
		add(Count(uint64(n)) + " new, g shows them")
	}
	switch {
	case l.filter.keep != nil && l.list.All():
		add(plural(uint64(len(l.list.rows)), "call"))
	case l.filter.keep != nil || l.fresh && !l.exact:
	case l.exact:
		add(plural(l.total, "call"))
	}
	return s
}
