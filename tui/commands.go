package tui

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// command is what the palette offers: what a key does, by its name, or a place
// to go to.
type command struct {
	name string // as it is shown
	also string // other words it is found by
	key  string
	on   string // what it would be done to
	why  string // why it cannot be done now, or ""
	twin string // the command line that does the same; "" where there is none
	fill string // for one that needs a word more: what is typed in its place
	run  func() tea.Cmd
}

// commands returns all that there are, those that can be done here first.
func (m *model) commands() []command {
	var here, elsewhere []command
	on := m.place()
	for i := range bindings {
		b := &bindings[i]
		if b.group == groupBoxes {
			continue
		}
		for _, c := range m.commandsOf(b) {
			switch {
			case !m.desk.may(b.act) && m.desk.opt.ReadOnly:
				c.why = "read-only"
			case !m.desk.may(b.act):
				c.why = "needs role " + string(b.act.needs())
			case (b.on == onLog || b.act == actTab && c.key == b.Keys()[logTab]) && m.desk.lacksLog() != "":
				c.why = "needs role " + string(callback.RoleOperator)
			}
			if b.on&on == 0 {
				c.why = cmp.Or(c.why, "on "+placeWords(b.on))
				elsewhere = append(elsewhere, c)
				continue
			}
			here = append(here, c)
		}
	}
	here = append(here,
		command{name: "callback NAME: open it", key: ":", fill: "callback ", twin: "ringback callbacks show CALLBACK"},
		command{name: "call ID: open it", key: ":", fill: "call ", twin: "ringback calls show CALL"},
		command{name: "go to TIME, in the calls", key: ":", fill: "go to ", twin: "ringback calls list"})
	return append(here, elsewhere...)
}

// commandsOf returns the commands of a key: one, or one for each screen.
func (m *model) commandsOf(b *binding) []command {
	help := b.Help()
	if b.act == actTab {
		var out []command
		for i, name := range tabs {
			twins := [...]string{"ringback status", "ringback calls list", "ringback outages list", "", "", ""}
			out = append(out, command{
				name: name + ": the screen", key: b.Keys()[i], twin: twins[i],
				run: func() tea.Cmd { return m.show(i) },
			})
		}
		return out
	}
	c := command{name: help.Desc, also: b.foot, key: help.Key, twin: twins[b.act], on: m.subject(b.act)}
	if b.act == actExport && b.on == onLog {
		c.twin = logTwin
	}
	if !hasWords(help.Desc, b.foot) {
		c.name = b.foot + ": " + help.Desc
	}
	c.name = strings.ToUpper(c.name[:1]) + c.name[1:]
	if name := m.callbackHere(); name != "" {
		c.twin = strings.Replace(c.twin, "CALLBACK", quoted(name), 1)
	}
	c.run = func() tea.Cmd { return m.do(b.act, b.Keys()[0]) }
	return []command{c}
}

// hasWords reports whether all words of some stand in text.
func hasWords(text, some string) bool {
	all := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r < 'a' || r > 'z' })
	return !slices.ContainsFunc(strings.Fields(strings.ToLower(some)), func(w string) bool { return !slices.Contains(all, w) })
}

// placeWords names the places where a key is valid.
func placeWords(on scope) string {
	var out []string
	for _, p := range []struct {
		on   scope
		word string
	}{
		{onOverview, "Overview"},
		{onCallback, "a callback"},
		{onCalls, "Calls"},
		{onCall, "a call"},
		{onOutages, "Outages"},
		{onQueue, "Queue"},
		{onSystem, "System"},
		{onLog, "Log"},
	} {
		if on&p.on != 0 {
			out = append(out, p.word)
		}
	}
	return strings.Join(out, ", ")
}

// twins are the command lines that do what keys do. What is not here only
// changes what is shown.
var twins = map[action]string{
	actOpen:       "ringback callbacks show CALLBACK",
	actFilter:     "ringback calls list --callback CALLBACK --status failed",
	actCycle:      "ringback calls list --status failed",
	actFailed:     "ringback calls list --callback CALLBACK --status failed",
	actAll:        "ringback calls list --callback CALLBACK",
	actUnfinished: "ringback calls list --callback CALLBACK --status failed,pending",
	actGoTo:       "ringback calls list --to TIME",
	actRetry:      "ringback calls retry --callback CALLBACK CALL",
	actResolve:    "ringback calls resolve --callback CALLBACK CALL",
	actRetryAll:   "ringback calls retry --callback CALLBACK --all --status failed",
	actResolveAll: "ringback calls resolve --callback CALLBACK --all --status failed",
	actUndo:       "ringback operations undo OPERATION",
	actExport:     "ringback calls export --callback CALLBACK -o calls.ndjson",
	actPrev:       "ringback calls list --callback CALLBACK",
	actNext:       "ringback calls list --callback CALLBACK --oldest",
	actSuspend:    "ringback callbacks suspend CALLBACK",
	actNew:        "ringback callbacks add NAME URL",
	actEdit:       "ringback callbacks set CALLBACK",
	actTest:       "ringback callbacks test CALLBACK",
	actDelete:     "ringback callbacks remove CALLBACK",
	actAck:        "ringback outages acknowledge OUTAGE",
	actMailAgain:  "ringback alerts send ALERT",
	actMailTest:   "POST /system/mail",
	actGarbage:    "POST /system/collect-garbage",
	actBackup:     "ringback backup FILE",
	actRefresh:    "ringback status",
}

// logTwin is that of the export of the log.
const logTwin = "ringback log export -o log.ndjson"

// Twins returns the command lines that the palette names beside its commands.
func Twins() []string {
	out := []string{logTwin}
	for _, line := range twins {
		out = append(out, line)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// callbackHere returns the name of the callback that is chosen, or "".
func (m *model) callbackHere() string {
	switch p := m.top().(type) {
	case *overviewPage:
		if h := p.selected(); h != nil {
			return h.Name
		}
	case *callbackPage:
		return p.name
	}
	return ""
}

// subject says what an action would be done to.
func (m *model) subject(a action) string {
	marked := func(l *callList) string {
		if n := l.list.MarkCount(); n > 0 {
			return Count(uint64(n)) + " marked"
		}
		return ""
	}
	ofCalls := a == actRetry || a == actResolve || a == actUnmark
	ofCallback := a == actOpen || a.changes() && a != actUndo && a != actNew
	switch p := m.top().(type) {
	case *overviewPage:
		if ofCallback {
			return m.callbackHere()
		}
	case *callbackPage:
		if ofCalls {
			return marked(p.calls)
		}
		if ofCallback && a != actOpen {
			return p.name
		}
	case *callsPage:
		if ofCalls {
			return marked(p.calls)
		}
	case *callPage:
		if ofCalls {
			return p.view.ID.String()
		}
	}
	return ""
}

// found returns the commands that match what was typed, the best first.
func (m *model) found(all []command, typed string) []command {
	typed = strings.TrimLeft(typed, " ")
	if out, ok := m.places(typed); ok {
		return out
	}
	words := strings.Fields(typed)
	type ranked struct {
		command
		rank int
	}
	var out []ranked
	for i := range all {
		if n, ok := rankOf(words, strings.ToLower(all[i].name+" "+all[i].also), all[i].key); ok {
			out = append(out, ranked{all[i], n})
		}
	}
	slices.SortStableFunc(out, func(a, b ranked) int { return a.rank - b.rank })
	var list []command
	for i := range out {
		if out[i].rank < loose || out[0].rank >= loose { // only where nothing fits better
			list = append(list, out[i].command)
		}
	}
	return list
}

// loose is the rank of what has no more than the letters of a word.
const loose = 16

// rankOf tells how well words match a text or its key, the less the better:
// where one begins a word of it, stands in it, or has its letters there in that
// order.
func rankOf(words []string, text, key string) (rank int, ok bool) {
	for _, word := range words {
		w := strings.ToLower(word)
		switch {
		case word == key:
			rank--
		case strings.HasPrefix(text, w):
		case strings.Contains(text, " "+w):
			rank++
		case strings.Contains(text, w):
			rank += 4
		case scattered(w, text):
			rank += loose
		default:
			return 0, false
		}
	}
	return rank, true
}

// scattered reports whether the letters of w stand in text in that order.
func scattered(w, text string) bool {
	for _, r := range w {
		at := strings.IndexRune(text, r)
		if at < 0 {
			return false
		}
		text = text[at+utf8.RuneLen(r):]
	}
	return true
}

// places returns the places that were named, where the line begins as one that
// names some.
func (m *model) places(typed string) ([]command, bool) {
	d := &m.desk
	verb, rest, _ := strings.Cut(typed, " ")
	rest = strings.TrimSpace(rest)
	if verb == "go" {
		if to, after, _ := strings.Cut(rest, " "); to == "to" {
			verb, rest = "go to", strings.TrimSpace(after)
		}
	}
	if rest == "" {
		return nil, false
	}
	switch verb {
	case "callback":
		var out []command
		for _, name := range callbackNames(d) {
			if strings.Contains(strings.ToLower(name), strings.ToLower(rest)) {
				h := d.find(name)
				out = append(out, command{
					name: "callback " + name, on: standingOf(h).word(), twin: "ringback callbacks show " + quoted(name),
					run: func() tea.Cmd { d.open = newCallbackPage(d, h.ID, h.Name); return nil },
				})
			}
		}
		return out, len(out) > 0
	case "call":
		c := command{name: "call " + rest, twin: "ringback calls show " + quoted(rest)}
		low, high, fault := idsOf(&clause{key: "call", value: rest})
		if fault != nil {
			c.why = "hex digits, up to 16"
		}
		c.run = func() tea.Cmd { return d.ask.findCall(rest, low, high) }
		return []command{c}, true
	case "go to":
		c := command{name: "go to " + rest}
		at, ok := d.parseTime(rest)
		if !ok {
			c.why = "09:12, 2h, 2026-03-01 ..."
			return []command{c}, true
		}
		c.on, c.twin = d.clock.When(at, d.now()), "ringback calls list --to "+at.UTC().Format("2006-01-02T15:04:05Z")
		c.run = func() tea.Cmd { return m.goTo(at) }
		return []command{c}, true
	}
	return nil, false
}

// sought takes the answer to a call that was looked for by its id.
func (d *desk) sought(msg soughtMsg) {
	switch {
	case msg.err != nil:
		d.say(RoleError, "call: "+inWords(msg.err))
	case msg.view == nil:
		d.say(RoleError, "there is no call "+msg.id)
	default:
		d.open = newCallPage(d, msg.view, nil)
	}
}
