package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// Draw implements page.
func (p *systemPage) Draw(c *Canvas) {
	first, end := body(c)
	if !p.loaded {
		c.Put(2, first+1, RoleDim, "loading ...")
		return
	}
	p.height = max(end-first, 1)
	p.draw(c, first)
	if last := max(p.lines-p.height, 0); p.top > last {
		w, h := c.Size()
		c.Fill(0, 0, w, h, RoleText, ' ')
		p.top = last
		p.draw(c, first)
	}
}

func (p *systemPage) draw(c *Canvas, first int) {
	w, _ := c.Size()
	s := &sheet{c: c, w: w, y: first - p.top, indent: 9, wide: w >= 110, airy: p.height >= 34}
	if s.wide {
		s.indent = 11
	}
	p.drawThroughput(s)
	p.drawLatency(s)
	s.gap()
	p.drawStorage(s)
	s.gap()
	p.drawProcess(s)
	s.gap()
	p.drawMail(s)
	s.gap()
	p.drawAPI(s)
	s.gap()
	p.drawViewers(s)
	p.lines = s.y - first + p.top
}

// spans are the numbers of cells that an hour is drawn in, where there is room.
var spans = []int{60, 30, 20, 12, 6}

func (p *systemPage) drawThroughput(s *sheet) {
	rate, peak := 6, column{title: "peak", w: 7, align: Right}
	if s.wide {
		rate, peak = 9, column{title: "peak 24 h", w: 17, align: Right}
	}
	t := lay(1, s.w, []column{
		{w: 21},
		{title: "now", w: rate, align: Right},
		{title: "1 m", w: rate, align: Right},
		{title: "1 h", w: rate, align: Right},
		peak,
		{w: 7, most: callback.QueueMinutes + 2},
	})
	s.rule("throughput", "")
	for i := 1; i < len(t.cols)-1; i++ {
		if x, w, ok := t.at(i); ok {
			title := t.cols[i].title
			s.c.label(x+w-len(title)-1, s.y-1, len(title), RoleDim, title)
		}
	}
	x, w, _ := t.at(len(t.cols) - 1)
	for _, r := range []struct {
		name string
		role Role
		t    *callback.Throughput
	}{
		{"accepted over HTTP /s", RoleOK, &p.system.Accepted},
		{"delivered /s", RoleOK, &p.system.Delivered},
		{"failed /s", RoleFailing, &p.system.Failed},
	} {
		t.put(s.c, s.y, 0, RoleText, r.name)
		t.put(s.c, s.y, 1, RoleText, Rate(r.t.Now))
		t.put(s.c, s.y, 2, RoleText, Rate(r.t.Minute))
		t.put(s.c, s.y, 3, RoleText, Rate(r.t.Hour))
		top := Rate(r.t.Peak)
		if s.wide && !r.t.PeakAt.IsZero() {
			top += " at " + p.d.clock.WhenShort(r.t.PeakAt, p.d.now())
		}
		t.put(s.c, s.y, 4, RoleText, top)
		for _, n := range spans {
			if n <= w-2 {
				s.c.Bars(x+2, s.y, r.role, hourIn(p.lived(r.t.Cells), n), 0)
				break
			}
		}
		s.y++
	}
}

// lived returns those of the last minutes in which the appliance ran.
func (p *systemPage) lived(cells []float64) []float64 {
	started := p.system.Process.Started
	if started.IsZero() {
		return cells
	}
	minutes := int(max(p.system.Now.Sub(started), 0)/time.Minute) + 1
	return cells[max(len(cells)-minutes, 0):]
}

// hourIn returns the last hour in n cells, each the mean of its minutes; NaN
// where nothing is known.
func hourIn(cells []float64, n int) []float64 {
	const minutes = callback.QueueMinutes
	cells = cells[max(len(cells)-minutes, 0):]
	out := make([]float64, n)
	for i := range out {
		sum, known := 0.0, 0
		for j := i * minutes / n; j < (i+1)*minutes/n; j++ {
			if at := j - (minutes - len(cells)); at >= 0 {
				sum, known = sum+cells[at], known+1
			}
		}
		out[i] = math.NaN()
		if known > 0 {
			out[i] = sum / float64(known)
		}
	}
	return out
}

// fineLatency is Latency with tenths below ten milliseconds.
func fineLatency(d time.Duration) string {
	if d > 0 && d < 10*time.Millisecond {
		tenths := d / (100 * time.Microsecond)
		return fmt.Sprintf("%d.%dms", tenths/10, tenths%10)
	}
	return Latency(d)
}

// of returns a figure of a digest, or that there is none.
func of(g *callback.Digest, d time.Duration) string {
	if g.Count == 0 {
		return absent
	}
	return fineLatency(d)
}

func (p *systemPage) drawLatency(s *sheet) {
	all := []struct {
		short, long string
		g           *callback.Digest
	}{
		{"accept", "accept (request to answer)", &p.system.Accept},
		{"commit", "commit (to disk)", &p.system.Commit},
		{"start lag", "start lag (due to sent)", &p.system.Lag},
		{"answer", "endpoint answer", &p.system.Answer},
	}
	if !s.airy {
		var facts []fact
		for _, r := range all {
			facts = append(facts, fact{text: r.short + " p99 " + of(r.g, r.g.P99)})
		}
		s.facts("", facts...)
		return
	}
	s.y++
	t := lay(1, s.w, []column{
		{title: "LATENCY, last hour", w: 28},
		{title: "p50", w: 6, align: Right, most: 9},
		{title: "p90", w: 6, align: Right, most: 9},
		{title: "p99", w: 6, align: Right, most: 9},
		{title: "max", w: 6, align: Right, most: 9},
	})
	t.head(s.c, s.y)
	s.y++
	for _, r := range all {
		t.put(s.c, s.y, 0, RoleText, r.long)
		for i, d := range []time.Duration{r.g.P50, r.g.P90, r.g.P99, r.g.Max} {
			t.put(s.c, s.y, i+1, RoleText, of(r.g, d))
		}
		s.y++
	}
}

// size returns bytes where they are known.
func size(n uint64) string {
	if n == 0 {
		return absent
	}
	return Bytes(n)
}

// percent returns a share in whole percent, rounded up: 100 once it may be.
func percent(share float64) string {
	return strconv.Itoa(int(math.Ceil(max(min(share, 1), 0)*100))) + " %"
}

func (p *systemPage) drawStorage(s *sheet) {
	g := &p.system.Storage
	s.rule("storage", g.Dir)
	s.facts("disk", p.diskFacts(s)...)
	tables := absent
	if len(g.Tables) > 0 {
		var b strings.Builder
		for level, n := range g.Tables {
			if n > 0 {
				fmt.Fprintf(&b, " %d:%d", level, n)
			}
		}
		if tables = strings.TrimSpace(b.String()); tables == "" {
			tables = "0"
		}
	}
	lsm, logs := absent, absent
	if g.LSM+g.ValueLog > 0 {
		lsm, logs = Bytes(g.LSM), Bytes(g.ValueLog)
	}
	s.facts("badger", fact{text: "data " + size(g.Used)}, fact{text: "lsm " + lsm}, fact{text: "value log " + logs}, fact{text: "tables " + tables})
	s.facts("upkeep", p.upkeep(s)...)
	last := "last clean-up " + p.d.clock.WhenShort(g.Cleanup.At, p.d.now())
	if s.wide && !g.Cleanup.At.IsZero() {
		last += " removed " + Count(g.Cleanup.Removed) + " in " + Duration(g.Cleanup.Took)
	}
	s.facts("calls",
		fact{text: Count(g.Calls) + " kept"}, p.kept(s),
		fact{text: "oldest " + p.d.clock.WhenShort(g.Oldest, p.d.now())},
		fact{text: last})
}

// kept says how long calls are kept.
func (p *systemPage) kept(s *sheet) fact {
	done, failed := keptFor(p.system.Storage.KeepDone), keptFor(p.system.Storage.KeepFailed)
	if s.wide {
		return fact{text: "for " + done + ", failed ones for " + failed}
	}
	return fact{text: strings.TrimSuffix(done, " days") + "/" + failed}
}

// keptFor returns how long something is kept, in days.
func keptFor(d time.Duration) string {
	if d <= 0 {
		return absent
	}
	if d%(24*time.Hour) != 0 {
		return Duration(d)
	}
	return plural(uint64(d/(24*time.Hour)), "day")
}

func (p *systemPage) diskFacts(s *sheet) []fact {
	g := &p.system.Storage
	if g.Total == 0 {
		return []fact{{text: absent}}
	}
	used := g.Total - min(g.Free, g.Total)
	share := float64(used) / float64(g.Total)
	role := RoleOK
	cells := 10
	switch {
	case s.wide:
		cells = 30
	case s.w >= 80:
		cells = 20
	}
	room := g.Free - min(g.Refuses, g.Free)
	full := ""
	if g.Grows > 0 && !g.GrowsSince.IsZero() {
		left := room / uint64(g.Grows)
		full = "full in " + plural(left, "day")
		if s.wide {
			full = "grows " + Bytes(uint64(g.Grows)) + "/day, " + full
		}
		if left < 14 {
			role = RoleFailing
		}
	}
	if room == 0 {
		role = RoleDown
	}
	return []fact{
		{text: Bytes(used) + " of " + Bytes(g.Total)},
		{role: role, text: percent(share), cells: cells, share: share},
		{text: full, role: textOr(role)},
		s.more("refuses below " + Bytes(g.Refuses) + " free"),
	}
}

// textOr keeps a warning's role, and shows what is well as plain text.
func textOr(r Role) Role {
	if r == RoleOK {
		return RoleText
	}
	return r
}

// upkeep tells what came of each chore.
func (p *systemPage) upkeep(s *sheet) []fact {
	g := s.c.Glyphs()
	var out []fact
	for _, c := range callback.Chores {
		f := fact{text: choreNames[c] + " " + absent}
		for i := range p.system.Chores {
			r := &p.system.Chores[i]
			switch {
			case r.Chore != c:
			case r.Runs():
				f.text = choreNames[c] + " runs since " + p.d.clock.When(r.Started, p.d.now())
			default:
				sign := g.OK
				if !r.OK {
					sign, f.role = g.Down, RoleDown
				}
				f.text = choreNames[c] + " " + p.d.clock.WhenShort(r.Ended, p.d.now()) + " " + string(sign)
				switch {
				case s.wide || !r.OK:
					f.text += " " + said(r)
				case r.Bytes > 0:
					f.text += " " + Bytes(uint64(r.Bytes))
				}
			}
		}
		out = append(out, f)
	}
	return out
}
