package tui

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// trialBox asks before a sample is sent to a callback, and then shows what was
// sent and what came back.
type trialBox struct {
	d     *desk
	key   string              // that opened it
	id    callback.CallbackID // 0: of none that is stored
	name  string
	cb    callback.Callback // as it is, or would be
	draft *callback.Draft   // what is not saved; nil: nothing
	since time.Time         // when it was sent; zero: not yet
	done  bool
	shut  bool // the box was closed before the answer came
	trial callback.Trial
	err   error
	top   int // the first line that is shown
	room  int // lines that are shown
	below int // lines that are not shown
}

// askTest opens the box for a callback.
func (d *desk) askTest(h *callback.HealthView) {
	if h == nil {
		d.say(RoleError, "T: there is no callback")
		return
	}
	if !d.refuse("T") {
		d.box = &trialBox{d: d, key: "T", id: h.ID, name: h.Name, cb: h.Callback}
	}
}

// Key implements box.
func (b *trialBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	d := b.d
	switch lookup(k, onTrial) {
	case actCancel:
		b.shut = true
		return nil, true
	case actDown:
		b.top += min(1, b.below)
	case actUp:
		b.top = max(b.top-1, 0)
	case actPageDown:
		b.top += min(b.room, b.below)
	case actPageUp:
		b.top = max(b.top-b.room, 0)
	case actConfirm:
		if !b.since.IsZero() && !b.done {
			return nil, false
		}
		if d.refuseTo(b.key, b.role()) {
			return nil, true
		}
		b.since, b.done, b.err, b.top = d.opt.Now(), false, nil, 0
		return d.ask.test(b, b.most()), false
	}
	return nil, false
}

// role is what the test takes: what is not saved is an admin's.
func (b *trialBox) role() callback.Role {
	if b.draft != nil {
		return callback.RoleAdmin
	}
	return callback.RoleOperator
}

// most is how long the test is waited for: two attempts, and some time for all
// else.
func (b *trialBox) most() time.Duration {
	s := &b.d.server
	return 2*(max(s.Connect, b.cb.ConnectTimeout)+max(s.Response, b.cb.ResponseTimeout)) + 15*time.Second
}

// tried takes the answer.
func (d *desk) tried(msg trialMsg) {
	b := msg.box
	b.trial, b.err, b.done = msg.trial, msg.err, true
	if b.shut {
		role, says := b.says()
		d.say(role, says)
	}
}

// says tells in a line how it went.
func (b *trialBox) says() (Role, string) {
	switch a := b.last(); {
	case errors.Is(b.err, context.DeadlineExceeded):
		return RoleError, "test of " + b.name + ": the server did not answer in time"
	case b.err != nil:
		return RoleError, "test of " + b.name + ": " + inWords(b.err)
	case a == nil:
		return RoleError, "test of " + b.name + ": no attempt was made"
	case a.OK:
		return RoleOK, b.name + " took it: " + outcome(a) + " in " + Latency(a.Duration)
	default:
		return RoleDown, b.name + " did not take it: " + outcome(a) + " after " + Latency(a.Duration)
	}
}

func (b *trialBox) last() *callback.Attempt {
	if n := len(b.trial.Attempts); n > 0 {
		return &b.trial.Attempts[n-1]
	}
	return nil
}

// Draw implements box.
func (b *trialBox) Draw(c *Canvas) {
	w, h := c.Size()
	switch {
	case b.since.IsZero():
		b.drawAsk(c)
		return
	case !b.done:
		drawBox(c, "Test", []boxLine{
			{role: RoleTitle, text: "A sample is on its way to " + b.name + ".", keep: true},
			{text: "waiting for the answer, " + Duration(b.d.opt.Now().Sub(b.since)), keep: true},
		}, []boxKey{{"Esc", "close; the answer is told below"}})
		return
	}
	lines := b.lines(c, min(boxW, w)-4)
	room := max(h-6, 1)
	b.top = max(min(b.top, len(lines)-room), 0)
	b.room, b.below = room, max(len(lines)-b.top-room, 0)
	keys := []boxKey{{"Enter", "send again"}, {"Esc", "close"}}
	if b.top > 0 || b.below > 0 {
		keys = append(keys, boxKey{"j k", "scroll"})
	}
	drawBox(c, "Test", lines[b.top:min(b.top+room, len(lines))], keys)
}

// drawAsk draws the box before anything is sent.
func (b *trialBox) drawAsk(c *Canvas) {
	head := "Send a sample response to " + b.name + " now."
	means := "It says that it is a test. It goes out beside the calls: nothing is stored or counted, and it is sent even to a callback that is down or suspended."
	lines := []boxLine{{role: RoleTitle, text: head, keep: true}, {}}
	if b.draft != nil {
		means = "It says that it is a test. What the form has is tried out: nothing is saved or counted."
		lines = append(lines, boxLine{text: "to  " + b.cb.MaskedURL(), keep: true}, boxLine{})
	}
	drawBox(c, "Test", append(lines, boxLine{text: means}), []boxKey{{"Enter", "send it"}, {"Esc", "do nothing"}})
}

// lines returns what there is to tell, none wider than w.
func (b *trialBox) lines(c *Canvas, w int) (out []boxLine) {
	add := func(role Role, most int, text string) {
		for _, line := range c.Wrap(text, w, most) {
			out = append(out, boxLine{role: role, text: line, cut: true, keep: true})
		}
	}
	role, says := b.says()
	a := b.last()
	switch {
	case b.err != nil || a == nil:
		add(role, 3, says)
		return out
	case a.OK:
		add(role, 3, string(c.Glyphs().OK)+" "+says)
	default:
		add(role, 3, string(c.Glyphs().Down)+" "+says)
	}
	if len(b.trial.Attempts) > 1 {
		add(RoleDim, 2, "A kept connection was dead ("+outcome(&b.trial.Attempts[0])+"); this is the second try, on a new one.")
	}
	if !a.OK {
		add(role, 3, a.Error)
		add(RoleText, 3, a.Advice())
	}
	add(RoleDim, 2, stages(a))
	out = append(out, boxLine{}, boxLine{role: RoleTitle, text: "answered", keep: true})
	if a.Code == 0 {
		add(RoleText, 2, "none: "+noAnswer(a))
	} else {
		add(RoleText, 2, outcome(a))
		add(RoleText, maxLines, a.Excerpt)
	}
	out = append(out, boxLine{}, boxLine{role: RoleTitle, text: "sent", keep: true})
	text := b.d.heads(&sent{cb: &b.cb, url: b.trial.URL, id: b.trial.ID, attempt: a.Number}, true)
	_, h := c.Size()
	text = append(text, strings.Split(spreadJSON(b.trial.RequestBody, h >= 40), "\n")...)
	for _, line := range broken(c, text, w) {
		out = append(out, boxLine{text: line, cut: true, keep: true})
	}
	return out
}
