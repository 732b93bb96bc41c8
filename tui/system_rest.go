package tui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

func (p *systemPage) drawProcess(s *sheet) {
	g := &p.system.Process
	s.rule("process", "ringback "+g.Version+"   pid "+strconv.Itoa(g.PID)+"   up "+Age(g.Started, p.system.Now))
	cpu := absent
	if g.CPU >= 0 {
		cpu = percentOf(g.CPU)
	}
	if g.Cores > 0 {
		cpu += " of " + plural(uint64(g.Cores), "core")
	}
	files := absent
	if g.Files > 0 {
		files = Count(uint64(g.Files))
		if g.MaxFiles > 0 {
			files += " of " + Count(uint64(g.MaxFiles))
		}
	}
	open := fact{text: "open files " + files}
	if g.FewFiles {
		open = fact{role: RoleFailing, text: open.text + " " + string(s.c.Glyphs().Failing) + " few for the store"}
	}
	pause := absent
	if g.GCPause > 0 {
		pause = fineLatency(g.GCPause)
	}
	clock := fact{text: "clock " + string(s.c.Glyphs().OK) + " in step"}
	if g.ClockDoubtful {
		clock = fact{role: RoleFailing, text: "clock " + string(s.c.Glyphs().Failing) + " jumped, and is not followed"}
	}
	s.facts("",
		fact{text: "cpu " + cpu}, fact{text: "rss " + size(g.RSS)}, fact{text: "heap " + size(g.Heap)},
		fact{text: "goroutines " + Count(uint64(max(g.Goroutines, 0)))}, open,
		fact{text: "gc pause p99 " + pause}, clock)
	s.facts("starts", p.starts(s)...)
}

// percentOf returns a share that may be more than one in whole percent.
func percentOf(share float64) string { return strconv.Itoa(int(min(share, 1e6)*100)) + " %" }

// shownStarts is how many starts are told of where there is room.
const shownStarts = 3

// starts tells when the appliance was started, and how the life before ended.
func (p *systemPage) starts(s *sheet) []fact {
	all := p.system.Process.Starts
	if len(all) == 0 {
		return []fact{{text: absent}}
	}
	n := 1
	if s.wide {
		n = shownStarts
	}
	var out []fact
	for i := range all[:min(n, len(all))] {
		f := fact{text: p.d.clock.WhenShort(all[i].At, p.d.now())}
		switch {
		case i+1 == len(all):
		case all[i+1].Ended.IsZero():
			f.role = RoleFailing
			f.text += " " + string(s.c.Glyphs().Failing) + " after a kill"
		default:
			f.text += " after a clean stop"
		}
		if k := all[i].Interrupted; k > 0 {
			f.text += ", " + plural(uint64(k), "attempt") + " interrupted"
		}
		out = append(out, f)
	}
	return out
}

// certSoon is how long before its end a certificate is told of as a warning.
const certSoon = 14 * 24 * time.Hour

func (p *systemPage) drawMail(s *sheet) {
	m, g := &p.system.Mail, s.c.Glyphs()
	s.rule("mail", m.Server)
	if m.Server == "" {
		s.facts("", fact{role: RoleSuspended, text: string(g.None) + " no mail server is set (smtp.host): alerts are kept, none is sent"},
			fact{text: Count(uint64(max(m.Waiting, 0))) + " waiting"})
		return
	}
	state := fact{role: RoleOK, text: string(g.OK) + " working"}
	if !m.OK {
		state = fact{role: RoleDown, text: string(g.Down) + " not working: " + orAbsent(m.Note)}
	}
	bad := fact{text: Count(uint64(max(m.Failed, 0))) + " failed for good"}
	if m.Failed > 0 {
		bad.role = RoleFailing
	}
	cert := s.more("certificate until " + absent)
	if soon := m.CertEnds.Sub(p.system.Now) < certSoon; !m.CertEnds.IsZero() && (soon || s.wide) {
		cert.text = "certificate until " + p.d.clock.in(m.CertEnds).Format("2006-01-02")
		if soon {
			cert.role = RoleFailing
		}
	}
	s.facts("", state, fact{text: "last sent " + p.d.clock.When(m.LastSent, p.d.now())}, fact{text: Count(m.Sent) + " sent"},
		fact{text: Count(uint64(max(m.Waiting, 0))) + " waiting"}, bad, cert)
}

func (p *systemPage) drawAPI(s *sheet) {
	a := &p.system.API
	s.rule("api", a.Listen)
	var facts []fact
	for _, n := range a.Answers {
		role := RoleText
		if n.Status >= 500 {
			role = RoleFailing
		}
		facts = append(facts, fact{role: role, text: fmt.Sprintf("%d %s/min", n.Status, Count(n.Count))})
	}
	if len(facts) == 0 {
		facts = append(facts, fact{text: "no request in the last minute"})
	}
	const most = 8 // keys that are named
	if n := len(a.Keys); n > 0 {
		text := "keys in use: " + strings.Join(a.Keys[:min(n, most)], ", ")
		if n > most {
			text += " and " + strconv.Itoa(n-most) + " more"
		}
		facts = append(facts, fact{text: text})
	}
	s.facts("", facts...)
}

// shownViewers is how many viewers are named.
const shownViewers = 20

func (p *systemPage) drawViewers(s *sheet) {
	all := p.system.Viewers
	s.rule("attached viewers", "")
	var facts []fact
	for i := range all[:min(len(all), shownViewers)] {
		facts = append(facts, fact{text: p.viewer(s, &all[i])})
	}
	switch n := len(all) - shownViewers; {
	case len(all) == 0:
		facts = append(facts, fact{role: RoleDim, text: "nobody follows what happens"})
	case n > 0:
		facts = append(facts, fact{text: strconv.Itoa(n) + " more"})
	}
	s.facts("", facts...)
}

// viewer says who looks on, from where, and what they may do.
func (p *systemPage) viewer(s *sheet, v *callback.Viewer) string {
	by := v.By
	if by == "" {
		by = "somebody"
	}
	from := v.From
	switch {
	case v.Embedded && p.d.opt.Embedded:
		from = "this terminal"
	case v.Embedded:
		from = "server's terminal"
	case from == "":
		from = "socket"
	}
	may := "read-write"
	switch {
	case v.ReadOnly:
		may = "read-only"
	case v.Role != "":
		may = string(v.Role)
	}
	if s.wide {
		may += " since " + p.d.clock.WhenShort(v.Since, p.d.now())
	}
	return by + "  " + from + "  " + may
}
