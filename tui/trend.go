package tui

import (
	"strconv"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// trend is how attempts went within the window of the desk: a part of a page,
// which asks for it as long as it is shown.
type trend struct {
	d      *desk
	to     page   // that it is part of
	ref    string // callback; "": all of them
	causes bool   // why attempts failed is wanted, too
	room   int    // cells there is room for, as drawn last; 0: it is not shown

	asked  callback.SeriesQuery
	at     time.Time // when that was, by our clock
	asking once
	got    past
	loaded bool
	err    string
}

// Times between two questions. The last hour is in the server's memory; most of
// a longer window comes from its disk, and moves slowly.
const (
	trendFresh = 5 * time.Second
	trendSlow  = 30 * time.Second
)

// overdue reports that it is time to ask.
func (t *trend) overdue() bool {
	every := trendSlow
	if t.asked.Window <= time.Hour {
		every = trendFresh
	}
	return t.room > 0 && !t.d.blurred && (t.query() != t.asked || t.d.opt.Now().Sub(t.at) >= every)
}

func (t *trend) query() callback.SeriesQuery {
	window := t.d.window
	return callback.SeriesQuery{Ref: t.ref, Window: window, Cells: fitCells(window, t.room)}
}

// refresh asks, where it is time.
func (t *trend) refresh() tea.Cmd {
	if !t.overdue() {
		return nil
	}
	t.asked, t.at = t.query(), t.d.opt.Now()
	return t.asking.ask(t.ask())
}

func (t *trend) ask() tea.Cmd { return t.d.ask.past(t.to, t.asked, t.causes) }

// take takes an answer in; what was asked for meanwhile is asked for again.
func (t *trend) take(msg reply[past]) tea.Cmd {
	again := t.asking.answered(t.ask())
	switch {
	case t.loaded && !t.d.paused.IsZero(): // asked for before the pause
	case msg.err != nil:
		t.err, t.asked = inWords(msg.err), callback.SeriesQuery{} // asked again with the next tick
	default:
		t.got, t.loaded, t.err = msg.got, true, ""
	}
	return again
}

// reconnect forgets what is under way: that answer is lost.
func (t *trend) reconnect() { t.asking, t.asked = once{}, callback.SeriesQuery{} }

// cells returns what is known of the window that is chosen; false: nothing yet.
func (t *trend) cells() ([]callback.SeriesCell, bool) {
	if !t.loaded || t.got.query.Window != t.d.window || len(t.got.series.Cells) == 0 {
		return nil, false
	}
	return t.got.series.Cells, true
}

// says tells why there are no cells.
func (t *trend) says() string {
	if t.err != "" {
		return t.err + "; trying again"
	}
	return "loading ..."
}

// cellMinutes are the lengths that a cell may have: those that people count by.
var cellMinutes = []int{1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 90, 120, 180, 240, 360, 480, 720, 1440}

// fitCells returns into how many cells a window is cut to have room.
func fitCells(window time.Duration, room int) int {
	all := int(window / time.Minute)
	for _, m := range cellMinutes {
		if all%m == 0 && all/m <= min(room, callback.MaxCells) {
			return all / m
		}
	}
	return 1
}

// stepWord returns how long each of so many cells of a window is: 12m 90m 2h.
func stepWord(window time.Duration, cells int) string {
	switch m := int(window/time.Minute) / max(cells, 1); {
	case m >= 1440 && m%1440 == 0:
		return strconv.Itoa(m/1440) + "d"
	case m >= 60 && m%60 == 0:
		return strconv.Itoa(m/60) + "h"
	case m == 1:
		return "m"
	default:
		return strconv.Itoa(m) + "m"
	}
}

// lastWords names a window that ends now: last hour, last 24 h.
func lastWords(window time.Duration) string {
	word := callback.WindowWord(window)
	if window == time.Hour {
		return "last hour"
	}
	return "last " + word[:len(word)-1] + " " + word[len(word)-1:]
}
