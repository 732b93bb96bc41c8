package tui

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// askBox asks before one thing is done, with Enter.
type askBox struct {
	d          *desk
	title, key string // key: that opened it
	verb       string
	lines      []boxLine
	do         func() tea.Cmd
}

// Key implements box.
func (b *askBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onConfirm) {
	case actConfirm:
		if b.d.refuse(b.key) {
			return nil, true
		}
		return b.do(), true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *askBox) Draw(c *Canvas) {
	drawBox(c, b.title, b.lines, []boxKey{{"Enter", b.verb}, {"Esc", "do nothing"}})
}

// asks returns the lines of a box: what is asked, and what it means.
func asks(what, means string) []boxLine {
	return []boxLine{{role: RoleTitle, text: what, keep: true}, {}, {text: means}}
}

// stopBox asks before somebody else's operation is stopped.
func (d *desk) stopBox(o *callback.OperationView) box {
	return &askBox{
		d: d, title: "Stop", key: "u", verb: "stop",
		lines: asks(
			"Stop the "+verbOf(o.Kind)+" of calls of "+o.Callback+", begun by "+orNobody(o.By)+" "+d.clock.When(o.Created, d.now())+".",
			Count(o.Matched)+" of at most "+plural(max(o.Total, o.Matched), "call")+" had their turn; what was done stays done."),
		do: func() tea.Cmd { return d.stop(o) },
	}
}

// undoBox asks before a resolve is taken back: all operations that were begun
// together, as far as they can be.
func (d *desk) undoBox(all []*callback.OperationView) box {
	sum, _ := whole(all)
	what := "Take back: " + plural(sum.Changed, "call") + " of " + sum.Callback + ", resolved " + d.clock.When(sum.Created, d.now()) + " by " + orNobody(sum.By) + "."
	if sum.Remark != "" {
		what += " Note: " + sum.Remark
	}
	return &askBox{
		d: d, title: "Undo", key: "u", verb: "take it back", lines: asks(what,
			"Each is what it was before, with its old time limit and next try; those that changed since stay as they are."),
		do: func() tea.Cmd {
			var cmds []tea.Cmd
			for _, o := range all {
				if !o.UndoUntil.IsZero() {
					cmds = append(cmds, d.ask.undoOperation(o))
				}
			}
			return tea.Batch(cmds...)
		},
	}
}

func outageName(o *callback.OutageView) string {
	return fmt.Sprintf("outage #%d of %s", o.N, o.Callback)
}

// act does what keys do with an outage.
func (d *desk) actOutage(a action, o *callback.OutageView) {
	key := "a"
	if a == actMailAgain {
		key = "E"
	}
	switch {
	case o == nil:
		d.say(RoleDim, key+": there is no outage")
		return
	case d.refuse(key):
		return
	}
	view := *o
	switch {
	case a == actAck && o.Phase == callback.NoOutage:
		d.say(RoleDim, "a: this outage is over")
	case a == actAck:
		means := "Whoever looks at it sees that somebody takes care. It changes nothing else."
		if o.Acked != "" {
			means = "So far: " + o.Acked + ". " + means
		}
		d.box = &askBox{
			d: d, title: "Acknowledge", key: key, verb: "acknowledge",
			lines: asks("Say that "+orNobody(d.opt.User)+" knows of "+outageName(o)+".", means),
			do:    func() tea.Cmd { return d.ask.acknowledge(&view, d.opt.User) },
		}
	case len(o.Alerts) == 0:
		d.say(RoleDim, "E: no e-mail was written for this outage")
	default:
		mail := o.Alerts[0]
		d.box = &askBox{
			d: d, title: "E-mail again", key: key, verb: "send it again",
			lines: asks("Send the last e-mail about "+outageName(o)+" again.",
				"It goes to "+mail.To+" as another mail. The mail server's last word: "+orNone(mail.Reply)+"."),
			do: func() tea.Cmd { return d.ask.sendAlert(&mail) },
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none yet"
	}
	return s
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// timeForms are the times that can be typed.
const timeForms = "09:12, 09:12:04, 2h (ago), 2026-03-01 or 2026-03-01T09:12"

// goToTime returns the line that a time is typed into.
func (l *callList) goToTime() *typing {
	d := l.d
	check := func(s string) *filterError {
		if _, ok := d.parseTime(s); !ok && strings.TrimSpace(s) != "" {
			return &filterError{0, len([]rune(s)), timeForms}
		}
		return nil
	}
	t := newTyping("", check, func(s string) tea.Cmd {
		at, ok := d.parseTime(s)
		if !ok {
			return nil
		}
		return l.goTo(at)
	})
	t.sign, t.form = "@", timeForms
	return t
}

// goTo goes to the last call that came by then.
func (l *callList) goTo(at time.Time) tea.Cmd {
	d := l.d
	l.moves(actGoTo)
	l.list.Go(callback.FirstCallID(at.Add(time.Millisecond)))
	d.say(RoleDim, "calls up to "+d.clock.When(at, d.now()))
	return l.pump()
}

// parseTime reads a time as it is typed: of the day, the last that was; a
// length ago; a date, with a time of day or without.
func (d *desk) parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	now := d.clock.in(d.now())
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			at := time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
			if at.After(now) {
				at = at.AddDate(0, 0, -1)
			}
			return at, true
		}
	}
	for _, layout := range []string{"2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02 15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, true
		}
	}
	if n, ok := strings.CutSuffix(s, "d"); ok {
		if days, err := time.ParseDuration(n + "h"); err == nil && days >= 0 {
			return now.Add(-24 * days), true
		}
	}
	ago, err := time.ParseDuration(s)
	return now.Add(-ago), err == nil && ago >= 0
}

// maxCopied is how much is put on the clipboard at most: terminals refuse more.
const maxCopied = 64 << 10

// copyCall puts the request of a call on the clipboard, as a command; its
// secrets are masked, as everywhere.
func (d *desk) copyCall(v *callback.CallView) tea.Cmd {
	if v.RequestBody == "" {
		d.say(RoleDim, "Y: its request is not loaded, or cannot be built")
		return nil
	}
	quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
	to := v.URL
	if _, err := url.Parse(to); err != nil {
		to = ""
	}
	kind := "application/json"
	if strings.HasPrefix(strings.TrimSpace(v.RequestBody), "<") {
		kind = "application/xml"
	}
	text := "curl -X POST -H " + quote("Content-Type: "+kind) + " -H " + quote("webhook-id: "+v.ID.String()) +
		" --data-binary " + quote(callback.Sanitize(v.RequestBody, maxCopied)) + " " + quote(callback.Sanitize(to, 4096))
	if len(text) > maxCopied {
		d.say(RoleError, "Y: the request is longer than 64 KiB")
		return nil
	}
	d.say(RoleText, "copied, if the terminal lets us (OSC 52): the request as a curl command, "+Bytes(uint64(len(text))))
	return clip(text)
}
