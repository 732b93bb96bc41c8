package tui

import (
	"time"

	"ringback/callback"
)

// search is how far a list came whose filter selects few calls. It is worked on
// for a while, then it rests until a key lets it go on: what nobody waits for is
// not to cost the service anything.
type search struct {
	until   time.Time       // it is worked on until then
	back    callback.CallID // how far it came; 0: to the end, or it has not begun
	looked  uint64          // calls that were looked at
	rests   bool
	offered bool // the status line offers Enter to go on
	asked   time.Time
	spent   time.Duration // on answers, since it began at the top
}

// searchTime is how long a search goes on without being asked to.
const searchTime = 5 * time.Second

// costShare is how many times longer a list that changed is left alone than it
// took to find its rows.
const costShare = 20

// mostRest bounds that for a list whose rows follow one another.
const mostRest = 5 * time.Second

// searching reports that calls are looked for beyond those on the screen, or
// that this rests.
func (l *callList) searching() bool {
	return l.filter.rare() && l.search.back != 0 && (l.search.rests || l.list.Short())
}

// rests decides whether the search is to rest.
func (l *callList) rests() bool {
	s := &l.search
	if !s.rests && l.searching() && l.d.opt.Now().After(s.until) {
		s.rests, s.offered = true, true
	}
	return s.rests
}

// goOn lets the search go on, for as long again.
func (l *callList) goOn() {
	l.search.rests, l.search.offered, l.search.until = false, false, l.d.opt.Now().Add(searchTime)
}

// stopSearch lets the search rest, and reports whether there was one to stop.
func (l *callList) stopSearch() bool {
	s := &l.search
	if !l.searching() || s.rests && !s.offered {
		return false
	}
	s.rests, s.offered = true, false
	return true
}

// searched takes note of how far an answer came.
func (l *callList) searched(msg pageMsg) {
	s, f := &l.search, msg.fetch
	took := l.d.opt.Now().Sub(s.asked)
	switch {
	case !l.filter.rare() || f.Backward || f.aim == reread:
		return
	case f.aim == seekTop:
		s.looked, s.spent = 0, 0
	}
	s.looked, s.spent = s.looked+max(msg.list.Looked, uint64(len(msg.list.Calls))), s.spent+took
	if s.back = 0; msg.list.More {
		s.back = msg.list.Next
	}
}

// patience is how long a list that changed is left alone before it is read
// again: the longer, the more it costs to find its rows.
func (l *callList) patience() time.Duration {
	least := rereadTime
	if l.list.Following() {
		least = 0
	}
	if !l.filter.rare() {
		return max(least, min(costShare*l.took, mostRest))
	}
	return max(least, costShare*l.search.spent)
}

// unready reports that what changed is not to be read now: a search is under
// way, or rests, and would begin anew.
func (l *callList) unready() bool {
	return l.searching() && (!l.search.rests || l.list.Following())
}

// moves takes note of a key that moves the cursor: one that goes to the last
// row found, or jumps, lets the search go on.
func (l *callList) moves(a action) {
	s := &l.search
	switch a {
	case actTop, actBottom, actGoTo:
		l.goOn()
	case actDown, actHalfDown, actPageDown:
		s.offered = false
		if v, ok := l.cursor(); ok && s.rests && l.list.Last(v.ID) {
			l.goOn()
		}
	case actUp, actHalfUp, actPageUp:
		s.offered = false
	}
}

// howFar says how far the search came, or "".
func (l *callList) howFar() string {
	s, d := &l.search, l.d
	if !l.searching() {
		return ""
	}
	says := d.clock.WhenShort(s.back.Time(), d.now())
	if total := l.candidates(); total > 0 {
		says += ", " + Count(s.looked) + " of ~" + CountShort(max(total, s.looked))
	}
	switch {
	case !s.rests:
		return "searching, back to " + says + " ...; Esc stops"
	case s.offered:
		return "searched back to " + says + "; Enter goes on, Esc stops"
	case len(l.list.rows) == 0:
		return "searched back to " + says + "; g begins anew"
	}
	return "searched back to " + says + "; j at the end goes on"
}

// looking says that calls are read, and of a search among how many: its first answer
// takes two seconds.
func (l *callList) looking() string {
	if n := l.candidates(); n > 0 && l.filter.rare() {
		return "searching ~" + CountShort(n) + " ..."
	}
	return "looking ..."
}

// candidates returns about how many calls there are to look at; 0 where an index
// of the service leaves out most of them.
func (l *callList) candidates() (n uint64) {
	q := &l.filter.query
	if q.Code != 0 || q.Class != "" || q.MessageID != "" || l.filter.low != 0 {
		return 0
	}
	for i := range l.d.overview.Callbacks {
		if h := &l.d.overview.Callbacks[i]; q.Ref == "" || h.Name == q.Ref || h.ID.String() == q.Ref {
			n += h.Live.Counts.In(q.Where())
		}
	}
	return n
}
