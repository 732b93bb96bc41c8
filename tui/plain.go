package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// plainLine is how many bytes a line of text has at most.
const plainLine = 4096

// Plain writes the overview as labelled lines, for screen readers, pipes and
// mails: first how everything does, then a line for each callback, the worst
// first. With watch it goes on until ctx is done, looks once a second, and
// writes a line for what changed and nothing else; a service that does not
// answer is a change, too, and is asked again for ever. Of o it needs Service
// and Out. It returns what kept it from the first overview, or from writing.
func Plain(ctx context.Context, o Options, watch bool) error {
	m, err := newModel(ctx, func() {}, o)
	if err != nil {
		return err
	}
	p := plain{desk: &m.desk, out: o.Out}
	if err := p.first(); err != nil || !watch {
		return err
	}
	for {
		timer := time.NewTimer(p.wait())
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		if err := p.look(); err != nil {
			return err
		}
	}
}

// plain is an overview in words, and what was said of it.
type plain struct {
	*desk
	out  io.Writer
	said map[callback.CallbackID]plainState
	mail string
}

// plainState is what makes a line worth saying again. Figures are not in it:
// they change all the time.
type plainState struct {
	name      string
	standing  standing
	since     time.Time
	reason    string // of a callback that does not do well
	alert     string
	alertSays callback.AlertStatus
	retried   time.Time // when the last retry came to its end
}

func plainStateOf(h *callback.HealthView) plainState {
	s := plainState{name: h.Name, standing: standingOf(h)}
	if s.standing == standIdle {
		s.standing = standHealthy // that nobody calls for an hour is no event
	}
	if s.standing != standHealthy {
		s.since, s.reason = h.Live.ShownSince(), h.Live.LastError
	}
	if h.Alert != nil {
		s.alert, s.alertSays = h.Alert.Key, h.Alert.Status
	}
	if r := &h.Live.Requeued; r.Waiting() == 0 {
		s.retried = r.Last
	}
	return s
}

// first asks for everything and writes it.
func (p *plain) first() error {
	server := p.ask.server()().(serverMsg)
	if server.err != nil {
		return server.err
	}
	p.server, p.known = server.server, true
	msg := p.ask.overview()().(overviewMsg)
	if msg.err != nil {
		return msg.err
	}
	p.took(msg.overview)
	p.mail = p.mailState()
	lines := []string{p.headline()}
	p.said = make(map[callback.CallbackID]plainState, len(p.overview.Callbacks))
	for _, h := range p.sorted() {
		p.said[h.ID] = plainStateOf(h)
		lines = append(lines, p.line(h))
	}
	return p.write("", lines...)
}

// wait returns how long it is to the next look.
func (p *plain) wait() time.Duration {
	if p.link.down {
		return jitter(p.link.delay)
	}
	return tickFocused
}

// look asks again and writes what changed.
func (p *plain) look() error {
	msg := p.ask.overview()().(overviewMsg)
	now := p.opt.Now()
	if msg.err != nil {
		if p.ask.ctx.Err() != nil {
			return nil
		}
		was := p.link.down
		p.link.lost(now, p.updated, msg.err)
		if was {
			return nil
		}
		return p.write(p.clock.When(p.running(), p.running())+" ",
			strings.ToLower(p.link.word())+": "+p.link.err+"; it is tried again; what was said before may be out of date")
	}
	var lines []string
	if p.link.down {
		lines = append(lines, "back after "+Duration(now.Sub(p.link.since)))
		p.link = link{}
	}
	p.took(msg.overview)
	lines = append(lines, p.changes()...)
	return p.write(p.clock.When(p.running(), p.running())+" ", lines...)
}

// changes returns a line for each thing that is not as it was said.
func (p *plain) changes() (lines []string) {
	if mail := p.mailState(); mail != p.mail {
		p.mail = mail
		lines = append(lines, mail)
	}
	live := make(map[callback.CallbackID]bool, len(p.overview.Callbacks))
	for _, h := range p.sorted() {
		live[h.ID] = true
		if s := plainStateOf(h); p.said[h.ID] != s {
			p.said[h.ID] = s
			lines = append(lines, p.line(h))
		}
	}
	var gone []string
	for id, s := range p.said {
		if !live[id] {
			delete(p.said, id)
			gone = append(gone, s.name+": deleted")
		}
	}
	slices.Sort(gone)
	return append(lines, gone...)
}

// sorted returns the callbacks, the worst first.
func (p *plain) sorted() []*callback.HealthView {
	rows := make([]*callback.HealthView, len(p.overview.Callbacks))
	for i := range rows {
		rows[i] = &p.overview.Callbacks[i]
	}
	slices.SortFunc(rows, worst)
	return rows
}

// headline says how everything does.
func (p *plain) headline() string {
	o := &p.overview
	name := p.server.Name
	if name == "" {
		name = "ringback"
	}
	if len(o.Callbacks) == 0 {
		return name + ": no callbacks"
	}
	var parts []string
	for s, n := range p.counts() {
		if n > 0 {
			parts = append(parts, Count(n)+" "+standing(s).word())
		}
	}
	lost := ""
	if n := p.givenUp(); n > 0 {
		lost = ", " + Count(n) + " given up"
	}
	return fmt.Sprintf("%s: %s (%s), %s/s accepted, %s waiting%s, %s due now, %s",
		name, plural(uint64(len(o.Callbacks)), "callback"), strings.Join(parts, ", "),
		Rate(o.Accepted), Count(o.Waiting), lost, Count(o.DueNow), p.mailState())
}

func (p *plain) mailState() string {
	switch {
	case p.overview.MailOK:
		return "mail ok"
	case p.overview.MailNote != "":
		return "mail: " + p.overview.MailNote
	}
	return "mail does not work"
}

// line says how one callback does.
func (p *plain) line(h *callback.HealthView) string {
	s, now := standingOf(h), p.now()
	text := h.Name + ": " + s.word()
	if at := h.Live.ShownSince(); s <= standSuspended && !at.IsZero() {
		text += " since " + p.clock.When(at, now) + ", for " + Age(at, now)
	}
	text += ", " + Count(h.Live.Counts.Waiting()) + " waiting"
	if n := h.Live.Counts.Failed; n > 0 {
		text += ", " + Count(n) + " given up"
	}
	if !h.Oldest.IsZero() {
		text += ", oldest " + Age(h.Oldest, now)
	}
	if next, _ := Countdown(h.NextTry, now); next != absent && s != standSuspended {
		text += ", next try " + next
	}
	if p.recent(&h.Live.Requeued) {
		f := p.fared(h)
		text += ". " + p.retryTold(&f)
	}
	if s > standSuspended {
		return text
	}
	text += ". " + strings.TrimSuffix(p.reason(h), ".") + "."
	if h.Alert != nil {
		m, more := p.desk.mail(h, &asciiGlyphs)
		text += " E-mail " + m.word + " " + strings.TrimSuffix(more, ".") + "."
	}
	return text
}

// write writes lines, each with lead before it.
func (p *plain) write(lead string, lines ...string) error {
	var b strings.Builder
	for _, line := range lines {
		b.WriteString(callback.Sanitize(lead+line, plainLine))
		b.WriteByte('\n')
	}
	if b.Len() == 0 {
		return nil
	}
	if _, err := io.WriteString(p.out, b.String()); err != nil {
		return errors.Join(errors.New("nobody reads what is written"), err)
	}
	return nil
}
