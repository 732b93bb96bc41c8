package tui

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// desk is what all screens share. It is changed in Update only.
type desk struct {
	opt   *Options
	ask   *asker
	clock Clock
	// window is how far back the figures of a screen reach: one of
	// callback.SeriesWindows.
	window time.Duration

	server   callback.Server
	known    bool // server holds
	overview callback.Overview
	index    map[callback.CallbackID]int // in overview
	loaded   bool                        // overview holds
	skew     time.Duration               // the service's clock against ours, where they differ
	updated  time.Time                   // when overview came
	paused   time.Time                   // zero: not paused
	blurred  bool                        // somebody looks at another window

	link link
	note note
	ops  operations

	followed *followed // the call that was sent again by itself last, or nil

	lastKey     time.Time
	interrupted time.Time // when Ctrl+C was pressed last
	cursor      place     // where the terminal's own cursor is to be

	typing *typing // the line that is typed, or nil
	past   map[*language][]string

	logParts []string // whose lines the log has, while its filter is typed

	// What a screen wants of the model, once its key or data is done with.
	open page
	shut page // is left
	box  box
}

// place is a cell of the frame, where it is shown.
type place struct {
	x, y int
	on   bool
}

// note is the answer to the last key.
type note struct {
	text  string
	role  Role
	until time.Time
}

// noteTime is how long a note is shown.
const noteTime = 10 * time.Second

// briefTime is how long it is while an operation runs.
const briefTime = 3 * time.Second

// now returns the service's time; while paused, that at which it was paused.
func (d *desk) now() time.Time {
	if !d.paused.IsZero() {
		return d.paused
	}
	return d.running()
}

// running is now, paused or not.
func (d *desk) running() time.Time { return d.opt.Now().Add(d.skew) }

func (d *desk) say(role Role, text string) {
	d.note = note{text: text, role: role, until: d.opt.Now().Add(noteTime)}
}

// role returns what may be done here. Until the service said it, it is the
// service alone that refuses.
func (d *desk) role() callback.Role {
	switch {
	case d.opt.ReadOnly, d.server.ReadOnly:
		return callback.RoleRead
	case d.server.Role != "":
		return d.server.Role
	}
	return callback.RoleAdmin
}

// may reports whether our role is enough for an action.
func (d *desk) may(a action) bool { return d.role().May(a.needs()) }

// lacksLog says which roles may read the log; "" where our key may, also in a screen
// that was started to look only.
func (d *desk) lacksLog() string {
	if r := d.server.Role; r == "" || r.May(callback.RoleOperator) {
		return ""
	}
	return d.lacks(callback.RoleOperator)
}

// offers reports whether a key is for our role: for what it does, and where.
func (d *desk) offers(b *binding) bool { return d.may(b.act) && (b.on != onLog || d.lacksLog() == "") }

// lacks says which roles may do what ours may not; "" where it may.
func (d *desk) lacks(need callback.Role) string {
	switch role := d.role(); {
	case role.May(need):
		return ""
	case d.opt.ReadOnly:
		return "read-only, as this screen was started"
	default:
		var roles []string
		for _, r := range need.With() {
			roles = append(roles, string(r))
		}
		return "this needs a key of role " + strings.Join(roles, " or ") + "; yours has role " + string(role)
	}
}

// refuse says why what key stands for cannot be done now, and reports whether
// that is so. An operator may do it; for what only an admin may there is
// refuseTo.
func (d *desk) refuse(key string) bool { return d.refuseTo(key, callback.RoleOperator) }

func (d *desk) refuseTo(key string, need callback.Role) bool {
	why := d.lacks(need)
	switch {
	case why != "":
		d.say(RoleError, key+": "+why)
	case d.link.down:
		d.say(RoleError, key+": "+strings.ToLower(d.link.word()))
	default:
		return false
	}
	return true
}

// health returns a callback of the overview, or nil.
func (d *desk) health(id callback.CallbackID) *callback.HealthView {
	i, ok := d.index[id]
	if !ok {
		return nil
	}
	return &d.overview.Callbacks[i]
}

// took takes an overview in.
func (d *desk) took(o callback.Overview) {
	d.skew = o.Now.Sub(d.opt.Now())
	if o.Now.IsZero() || d.skew.Abs() <= time.Second { // that is how long the answer may have been on its way
		d.skew = 0
	}
	was := d.overview
	d.overview, d.loaded, d.updated = o, true, d.opt.Now()
	d.index = make(map[callback.CallbackID]int, len(o.Callbacks))
	for i := range o.Callbacks {
		d.index[o.Callbacks[i].ID] = i
	}
	d.retriesEnded(&was)
}

// selectRow shows row y as chosen, with the terminal's cursor on it, where
// screen readers look for it.
func (d *desk) selectRow(c *Canvas, y int) {
	c.Select(y)
	d.cursor = place{0, y, true}
}

// copies puts text on the clipboard, through the terminal.
func (d *desk) copies(text string) tea.Cmd {
	text = callback.Sanitize(text, 4096)
	d.say(RoleText, "copied, if the terminal lets us (OSC 52): "+text) // whose end may be cut
	return clip(text)
}

// clipMsg is text for the clipboard.
type clipMsg string

func clip(text string) tea.Cmd { return func() tea.Msg { return clipMsg(text) } }

// link is how the connection to the service does.
type link struct {
	down   bool
	denied bool      // down, for the service takes our key no longer
	since  time.Time // of our clock: the last answer
	tries  int
	back   string // what was said of the last return
	next   time.Time
	err    string
	delay  time.Duration
	gen    int // of the timer that counts

	revs  <-chan uint64      // nil: not watching
	stop  context.CancelFunc // of revs
	watch time.Duration      // the delay before the last try to watch
}

// Delays between tries of what fails.
const (
	minDelay = 250 * time.Millisecond
	maxDelay = 5 * time.Second
	// deniedDelay is long, for a key that was refused hardly comes to be taken,
	// and wrong keys close our address to others (30 s at least, with jitter).
	deniedDelay = 34 * time.Second
)

// longer returns the delay after d.
func longer(d time.Duration) time.Duration { return min(max(2*d, minDelay), maxDelay) }

// jitter returns a time up to a tenth off d, so that many screens do not ask
// a server that comes back all at once.
func jitter(d time.Duration) time.Duration {
	return d - d/10 + rand.N(d/5+1)
}

// lost takes note that the service did not answer.
func (l *link) lost(now, last time.Time, err error) {
	if !l.down {
		l.down, l.since, l.tries, l.delay = true, last, 0, 0
		if last.IsZero() {
			l.since = now
		}
	}
	l.tries++
	l.gen++
	l.delay = longer(l.delay)
	code := callback.ErrorCode(err)
	// Too many wrong keys are answered as unavailable: the key is no better then.
	l.denied = code == callback.CodeForbidden || l.denied && code == callback.CodeUnavailable
	if l.denied {
		l.delay = deniedDelay
	}
	l.next = now.Add(l.delay)
	l.err = inWords(err)
}

// word says why nothing new comes, in the bar.
func (l *link) word() string {
	if l.denied {
		return "NO ACCESS"
	}
	return "OFFLINE"
}

// once keeps one question under way: asked again meanwhile, it is put again
// when the answer came.
type once struct{ busy, again bool }

func (o *once) ask(cmd tea.Cmd) tea.Cmd {
	if o.busy {
		o.again = true
		return nil
	}
	o.busy = true
	return cmd
}

// answered takes note of the answer, and returns the question if it is to be
// put again.
func (o *once) answered(cmd tea.Cmd) tea.Cmd {
	again := o.again
	o.busy, o.again = false, false
	if !again {
		return nil
	}
	return o.ask(cmd)
}
