package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// logPage is the last lines of the appliance's log, the newest on top. Its
// cursor and what is on top of the screen are numbers of lines.
type logPage struct {
	d       *desk
	lines   []callback.LogLine // by number, as many as the service keeps
	shown   []uint64           // the numbers of those that the filter lets through
	loaded  bool
	err     string
	denied  bool // our key may not read it
	pace    pace
	whole   bool      // the question under way is for all lines
	started time.Time // when the service that counted the lines was

	level int // index in logLevels
	part  string
	typed string // the filter as it was typed
	want  test[callback.LogLine]

	follow, wrap bool
	cursor, top  uint64
	height       int // rows of lines
	listed       int // lines on the screen
}

// logEvery is how often the service is asked for new lines, at most.
const logEvery = 250 * time.Millisecond

// refusedDelay is how long it takes to ask again who was refused.
const refusedDelay = 10 * time.Second

// logLevels are what l goes through: that level and those above.
var logLevels = []callback.LogLevel{callback.LevelInfo, callback.LevelWarn, callback.LevelError}

func newLogPage(d *desk) *logPage { return &logPage{d: d, follow: true, height: 1, listed: 1} }

func (*logPage) scope() scope { return onLog }

// Trail implements page.
func (*logPage) Trail() string { return tabs[logTab] }

// Refresh implements page.
func (p *logPage) Refresh() tea.Cmd {
	after := uint64(0)
	if n := len(p.lines); n > 0 && p.started.Equal(p.d.server.Started) {
		after = p.lines[n-1].Seq
	}
	cmd := p.pace.ask(p.d.opt.Now(), logEvery, p.d.ask.log(p, after))
	if cmd != nil {
		p.whole, p.started = after == 0, p.d.server.Started
	}
	return cmd
}

// overdue makes it ask with every tick: not every line is a change.
func (p *logPage) overdue() bool { return true }

// Data implements page.
func (p *logPage) Data(msg tea.Msg) tea.Cmd {
	got, ok := msg.(reply[[]callback.LogLine])
	if !ok || !p.pace.take(p.d, p.loaded) {
		return nil
	}
	p.denied = callback.ErrorCode(got.err) == callback.CodeForbidden
	if got.err != nil {
		p.err = inWords(got.err)
		if refused(got.err) {
			p.pace.asked = p.d.opt.Now().Add(refusedDelay)
		}
		return nil
	}
	p.err, p.loaded = "", true
	if p.whole {
		p.lines, p.shown = nil, nil
	}
	p.add(got.got)
	return nil
}

// add takes new lines, and drops as many as are too many.
func (p *logPage) add(lines []callback.LogLine) {
	for i := range lines {
		p.lines = append(p.lines, lines[i])
		if p.matches(&lines[i]) {
			p.shown = append(p.shown, lines[i].Seq)
		}
	}
	if over := len(p.lines) - callback.KeptLines; over > 0 {
		p.lines = p.lines[over:]
		at, _ := slices.BinarySearch(p.shown, p.lines[0].Seq)
		p.shown = p.shown[at:]
	}
	p.settle()
}

// filter selects anew among the lines.
func (p *logPage) filter() {
	p.shown = p.shown[:0]
	for i := range p.lines {
		if p.matches(&p.lines[i]) {
			p.shown = append(p.shown, p.lines[i].Seq)
		}
	}
	p.settle()
	p.fill()
}

// fill leaves no room below the last line while there are lines above the
// screen: it is scrolled to the cursor anew, from the top.
func (p *logPage) fill() {
	if n := len(p.shown); n > 0 {
		p.top = p.shown[n-1]
	}
}

// settle puts the cursor on the newest line while that is followed, else on
// the line it is on, or the next one that is shown.
func (p *logPage) settle() {
	n := len(p.shown)
	if n == 0 {
		return
	}
	if p.follow || p.cursor == 0 {
		p.cursor, p.top = p.shown[n-1], p.shown[n-1]
		return
	}
	at, _ := slices.BinarySearch(p.shown, p.cursor)
	p.cursor = p.shown[min(at, n-1)]
}

// matches reports whether the filter lets a line through.
func (p *logPage) matches(l *callback.LogLine) bool {
	rank := func(v callback.LogLevel) int { return slices.Index(logLevels, v) }
	if p.level > 0 && rank(l.Level) < p.level || p.part != "" && l.Part != p.part {
		return false
	}
	return p.want == nil || p.want(l)
}

// says returns what a line says; ids says whether that of its call is told.
func says(l *callback.LogLine, ids bool) string {
	parts := make([]string, 0, 4)
	for _, s := range []string{l.Callback, idOfLine(l, ids), l.Text} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	if l.Operation != "" && ids {
		parts = append(parts, "(operation "+l.Operation+")")
	}
	return strings.Join(parts, " ")
}

func idOfLine(l *callback.LogLine, ids bool) string {
	if l.Call == 0 || !ids {
		return ""
	}
	return l.Call.String()
}

// line returns the line of a number, or nil.
func (p *logPage) line(seq uint64) *callback.LogLine {
	at, ok := slices.BinarySearchFunc(p.lines, seq, func(l callback.LogLine, seq uint64) int { return cmp.Compare(l.Seq, seq) })
	if !ok {
		return nil
	}
	return &p.lines[at]
}

// row returns how many shown lines stand above a number.
func (p *logPage) row(seq uint64) int {
	at, _ := slices.BinarySearch(p.shown, seq)
	return max(len(p.shown)-1-at, 0)
}

// Status implements page.
func (p *logPage) Status() string {
	if p.err != "" {
		return p.err
	}
	s := "follow on"
	if !p.follow {
		s = "follow off"
		if above := p.row(p.top); above > 0 {
			s += ", " + Count(uint64(above)) + " newer above; F shows them"
		}
	}
	if len(p.shown) < len(p.lines) {
		return s + "   " + Count(uint64(len(p.shown))) + " of " + plural(uint64(len(p.lines)), "line")
	}
	return s + fmt.Sprintf("   %s; the last %s are in memory", plural(uint64(len(p.lines)), "line"), Count(callback.KeptLines))
}

// Key implements page.
func (p *logPage) Key(a action) (tea.Cmd, bool) {
	d := p.d
	if p.denied {
		return nil, false
	}
	switch a {
	case actDown, actUp, actTop, actBottom, actHalfDown, actHalfUp, actPageDown, actPageUp:
		p.move(a)
	case actFollow:
		p.follow = !p.follow
		p.settle()
		d.say(RoleDim, map[bool]string{true: "follow on", false: "follow off: the lines stand still"}[p.follow])
	case actWrap:
		p.wrap = !p.wrap
		d.say(RoleDim, map[bool]string{true: "long lines are wrapped", false: "long lines are cut"}[p.wrap])
	case actLevel:
		p.level = (p.level + 1) % len(logLevels)
		p.filter()
	case actPart:
		p.nextPart()
	case actFilter:
		check := func(s string) *filterError {
			_, fault := p.parse(s)
			return fault
		}
		d.logParts = p.parts()
		d.typing = newFilterLine(d, logLanguage, p.typed, check, p.searchFor)
	case actOpen:
		p.open()
	case actCopy:
		l := p.line(p.cursor)
		if l == nil {
			d.say(RoleDim, "y: there is no line")
			return nil, true
		}
		return d.copies(d.clock.Exact(l.At) + " " + string(l.Level) + " " + l.Part + " " + says(l, true)), true
	case actExport:
		return p.export(), true
	case actEsc:
		if p.typed == "" && p.part == "" && p.level == 0 {
			return nil, false
		}
		p.part, p.level = "", 0
		return p.searchFor(""), true
	default:
		return nil, false
	}
	return nil, true
}

// export copies the command that writes the lines to a file. The service selects
// lines by their words.
func (p *logPage) export() tea.Cmd {
	all, words, _ := logLanguage.split(p.typed)
	var beyond []string
	for _, cs := range all {
		beyond = append(beyond, cs[0].key)
	}
	if p.level > 0 {
		beyond = append(beyond, "level (l)")
	}
	if p.part != "" {
		beyond = append(beyond, "part (f)")
	}
	if len(beyond) > 0 {
		p.d.say(RoleError, "E: the server cannot select by "+strings.Join(beyond, " ")+": take it out")
		return nil
	}
	line := "ringback log export"
	if words != "" {
		line += " --text " + quoted(words)
	}
	return p.d.copies(line + " -o log.ndjson")
}

// move moves the cursor; the newest line is followed from the top on, until a
// key leaves it.
func (p *logPage) move(a action) {
	n := len(p.shown)
	if n == 0 {
		return
	}
	to := moved(a, p.row(p.cursor), n, p.listed)
	p.cursor, p.follow = p.shown[n-1-to], a == actTop
	p.settle()
}

func (p *logPage) searchFor(s string) tea.Cmd {
	want, fault := p.parse(s)
	if fault != nil {
		p.d.say(RoleError, fault.Error())
		return nil
	}
	p.typed, p.want = strings.TrimSpace(s), want
	p.filter()
	return nil
}

// nextPart selects the lines of the next part of the appliance, round and round.
func (p *logPage) nextPart() {
	parts := append([]string{""}, p.parts()...)
	p.part = parts[(slices.Index(parts, p.part)+1)%len(parts)]
	p.filter()
}

// parts returns the parts of the appliance that wrote lines.
func (p *logPage) parts() (out []string) {
	for i := range p.lines {
		if part := p.lines[i].Part; part != "" && !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	slices.Sort(out)
	return out
}

// open goes to what the line is about.
func (p *logPage) open() {
	d, l := p.d, p.line(p.cursor)
	if l == nil || len(p.shown) == 0 {
		d.say(RoleDim, "Enter: there is no line")
		return
	}
	h := d.find(l.Callback)
	switch {
	case l.Call != 0 && l.Callback != "":
		v := callback.CallView{Callback: l.Callback}
		v.ID = l.Call
		if h != nil {
			v.CallbackID = h.ID
		}
		d.open = newCallPage(d, &v, nil)
	case h != nil && (l.Part == "outage" || l.Part == "mail"):
		page := newOutagesPage(d)
		page.of, page.by = h.ID, l.At.Add(time.Second) // what a line tells of began just before it
		d.open = page
	case h != nil:
		d.open = newCallbackPage(d, h.ID, h.Name)
	case l.Callback != "":
		d.say(RoleDim, "Enter: this callback is not there any more")
	default:
		d.say(RoleDim, "Enter: the line is about no callback and no call")
	}
}
