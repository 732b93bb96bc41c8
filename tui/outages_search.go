package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file pages through the outages from the store: as far as the screen needs
// rows, and for as long as a filter that selects few is to be searched for.

// outagePage is a part of the list of outages.
type outagePage struct {
	callback.Listing[callback.OutageView]
	offset int
}

// older is how far the list of outages is read, behind the latest of them.
type older struct {
	reading bool // the next part is asked for
	more    bool // there is one
	total   uint64
	until   time.Time // it is searched until then
	rests   bool
	offered bool // the status line offers Enter to go on
}

// maxOutages is how many outages are asked for at once.
const maxOutages = 200

// took takes a part of the list in. The latest outages replace those that were
// read before; what was read behind them stays.
func (p *outagesPage) took(got outagePage) {
	o := &p.older
	o.total = max(got.Total, uint64(got.offset+len(got.Rows)))
	if got.offset > 0 {
		known := map[outageKey]bool{}
		for i := range p.all {
			known[keyOfOutage(&p.all[i])] = true
		}
		for i := range got.Rows { // some came down by as many as began meanwhile
			if !known[keyOfOutage(&got.Rows[i])] {
				p.all = append(p.all, got.Rows[i])
			}
		}
		o.more = got.More && len(got.Rows) > 0 && len(p.all) <= callback.MaxOffset
		return
	}
	rest := p.all
	if n := len(got.Rows); n > 0 && got.More {
		last := &got.Rows[n-1]
		at := slices.IndexFunc(rest, func(o callback.OutageView) bool { return keyOfOutage(&o) == keyOfOutage(last) })
		rest = rest[at+1:] // where it is not there, too much came at once: read anew
		if at < 0 {
			rest = nil
		}
	} else {
		rest = nil
	}
	if len(rest) == 0 {
		o.more = got.More
	}
	p.all = append(slices.Clone(got.Rows), rest...)
}

// pump asks for the next part of the list where rows are wanted.
func (p *outagesPage) pump() tea.Cmd {
	o := &p.older
	if !p.loaded || o.reading || !o.more || p.d.link.down || !p.short() {
		return nil
	}
	if !o.rests && p.want != nil && p.d.opt.Now().After(o.until) {
		o.rests, o.offered = true, true
	}
	if o.rests {
		return nil
	}
	o.reading = true
	return p.d.ask.outagesFrom(p, len(p.all))
}

// short reports that rows are wanted behind those that are there.
func (p *outagesPage) short() bool { return max(p.at(), 0)+p.height >= len(p.rows) }

// searching reports that outages are looked for beyond those on the screen, or
// that this rests.
func (p *outagesPage) searching() bool {
	return p.want != nil && p.older.more && (p.older.rests || p.short())
}

// goOn lets the search go on, for as long again.
func (p *outagesPage) goOn() tea.Cmd {
	o := &p.older
	o.rests, o.offered, o.until = false, false, p.d.opt.Now().Add(searchTime)
	return p.pump()
}

// stopSearch lets the search rest, and reports whether there was one to stop.
func (p *outagesPage) stopSearch() bool {
	o := &p.older
	if !p.searching() || o.rests && !o.offered {
		return false
	}
	o.rests, o.offered = true, false
	return true
}

// howFar says how far the search came, or "".
func (p *outagesPage) howFar() string {
	if !p.searching() || len(p.all) == 0 {
		return ""
	}
	o := &p.older
	says := p.d.clock.WhenShort(p.all[len(p.all)-1].OutageState.Started, p.d.now()) +
		", " + Count(uint64(len(p.all))) + " of " + Count(o.total)
	switch {
	case !o.rests:
		says = "searching, back to " + says + " ...; Esc stops"
	case o.offered:
		says = "searched back to " + says + "; Enter goes on, Esc stops"
	case len(p.rows) == 0:
		says = "searched back to " + says + "; / looks for something else"
	default:
		says = "searched back to " + says + "; j at the end goes on"
	}
	return says + ": " + p.typed
}
