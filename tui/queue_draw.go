package tui

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// dueLabels name the parts of QueueShape.Due.
var dueLabels = [callback.DueBuckets]string{"late", "now", "< 1 m", "< 2 m", "< 3 m", "< 4 m", "< 5 m", "later"}

// ageLabels name the parts of QueueRow.Ages.
var ageLabels = [callback.AgeBuckets]string{"<5m", "<15m", "<1h", "<4h", "<12h", "<24h", "24h+"}

// Below and from these heights of the body the page has less, and more.
const (
	queueBars  = 18 // the histogram has a row for each part
	queueWhole = 30 // what runs and what came and left has a place
)

// Draw implements page.
func (p *queuePage) Draw(c *Canvas) {
	y, end := body(c)
	if !p.loaded {
		c.Put(2, y+1, RoleDim, "loading ...")
		return
	}
	h := end - y
	gap := 0
	if h >= queueBars {
		gap = 1
		y = p.drawDue(c, y)
	} else {
		y = p.drawDueShort(c, y)
	}
	y += gap
	below := gap + 2 // for the workers
	if h >= queueWhole {
		below += 2*gap + 3 + 4
		if len(p.shape.InFlight) > 0 {
			below += min(len(p.shape.InFlight), 3)
		}
	}
	y = p.drawAges(c, y, max(end-below, y+3)) + gap
	y = p.drawWorkers(c, y)
	if h < queueWhole {
		return
	}
	y = p.drawInFlight(c, y+gap, end-4-gap) + gap
	p.drawFlow(c, y)
}

// atLeast writes a number that may be more.
func atLeast(n uint64, partial bool) string {
	s := Count(n)
	if partial && n > 0 {
		s += "+"
	}
	return s
}

// drawDue draws when what waits is due, a row for each part of the time to
// come, and returns the row after it.
func (p *queuePage) drawDue(c *Canvas, y int) int {
	w, _ := c.Size()
	c.Rule(y, "due in", p.sums())
	most := uint64(1)
	for _, n := range p.shape.Due {
		most = max(most, n)
	}
	room := float64(max((w-20)/2, 1))
	for i, n := range p.shape.Due {
		y++
		c.PutIn(1, y, 6, RoleText, dueLabels[i], Right)
		role := RoleOK
		if i == callback.DueLate {
			role = RoleFailing
		}
		cells := 0
		if n > 0 {
			cells = max(int(math.Round(float64(n)/float64(most)*room)), 1)
		}
		c.Fill(8, y, cells, 1, role, c.Glyphs().Parts[7])
		x := c.Put(9+cells, y, RoleText, atLeast(n, p.shape.Partial))
		if i == callback.DueNow && n > 0 {
			c.Put(x+2, y, RoleDim, "due, a worker takes it")
		}
	}
	if n := p.shape.Held; n > 0 { // they are due, and wait for something else
		y++
		c.PutIn(1, y, 6, RoleText, "held", Right)
		x := c.Put(8, y, RoleSuspended, Count(n)) + 2
		c.PutIn(x, y, w-x-1, RoleDim, p.heldBy(), Left)
	}
	return y + 1
}

// heldBy says what the calls that are held wait for, of the callbacks with the
// most of them first.
func (p *queuePage) heldBy() string {
	var parts []string
	for i := range p.shape.Callbacks {
		r := &p.shape.Callbacks[i]
		if h := p.d.health(r.CallbackID); h != nil && r.Held && h.Live.Holds() && len(parts) < 10 {
			parts = append(parts, r.Callback+": "+p.d.waitFor(h))
		}
	}
	return strings.Join(parts, "; ")
}

// drawDueShort says the same in few rows.
func (p *queuePage) drawDueShort(c *Canvas, y int) int {
	w, _ := c.Size()
	c.Rule(y, "due in", p.sums())
	x, y := 1, y+1
	for i, n := range p.shape.Due {
		s := strings.ReplaceAll(dueLabels[i], " ", "") + " " + atLeast(n, p.shape.Partial)
		if x > 1 && x+c.Width(s) > w {
			x, y = 1, y+1
		}
		role := RoleText
		if i == callback.DueLate && n > 0 {
			role = RoleFailing
		}
		x = c.Put(x, y, role, s) + 2
	}
	if n := p.shape.Held; n > 0 {
		c.PutIn(1, y+1, w-2, RoleSuspended, "held "+Count(n)+"  "+p.heldBy(), Left)
		y++
	}
	return y + 1
}

// sums says of what the waiting calls are made up.
func (p *queuePage) sums() string {
	s := &p.shape
	free := s.Waiting - min(s.Held, s.Waiting)
	running := min(uint64(max(s.Running, 0)), free)
	return fmt.Sprintf("%s scheduled + %s in flight + %s held = %s",
		Count(free-running), Count(running), Count(min(s.Held, s.Waiting)), Count(s.Waiting))
}

// drawAges draws whose calls wait and how old they are, into rows before end,
// and returns the row after it.
func (p *queuePage) drawAges(c *Canvas, y, end int) int {
	w, _ := c.Size()
	rows := p.shape.Callbacks
	c.Rule(y, "by age of call (h = first failure)", "how near to giving up")
	if len(rows) == 0 {
		c.Put(1, y+1, RoleText, "No call waits.")
		p.height = 1
		return y + 2
	}
	t := ageTable(w)
	byColumn := [...]int{byWaiting: 1, byGivesUp: 2 + callback.AgeBuckets, byName: 0}
	t.cols[byColumn[p.sort]].sign = c.Glyphs().Descending
	t.head(c, y+1)
	y += 2
	at := max(p.at(), 0)
	p.height = max(min(end-y, len(rows)), 1)
	more := p.shape.More + len(rows) - p.height
	if more > 0 && p.height > 3 {
		p.height--
	}
	p.top = shift(p.top, at, len(rows), p.height)
	for i := p.top; i < p.top+p.height; i++ {
		p.drawAgeRow(c, &t, y, &rows[i])
		if i == at {
			p.d.selectRow(c, y)
		}
		y++
	}
	if more > 0 && y < end {
		c.PutIn(1, y, w-2, RoleDim, p.restOf(len(rows)), Left)
		y++
	}
	return y
}

// restOf says what the table does not show.
func (p *queuePage) restOf(rows int) string {
	s := strconv.Itoa(p.top+1) + " to " + strconv.Itoa(p.top+p.height) + " of " + Count(uint64(rows+p.shape.More)) + " callbacks with calls that wait"
	if p.shape.More > 0 {
		s += "; the " + strconv.Itoa(rows) + " with the most can be looked through"
	}
	return s
}

func ageTable(w int) table {
	cols := []column{
		{title: "CALLBACK", w: 12, most: 30},
		{title: "TOTAL", w: 7, align: Right, most: 9},
	}
	from := [callback.AgeBuckets]int{80, 72, 66}
	for i, label := range ageLabels {
		cols = append(cols, column{title: label, w: 5, align: Right, from: from[i], most: 9})
	}
	cols = append(cols, column{title: " GIVES UP", w: 10, most: 13}, column{title: "WAITS", w: 20, from: 110, most: 26})
	return lay(1, w, cols)
}

func (p *queuePage) drawAgeRow(c *Canvas, t *table, y int, r *callback.QueueRow) {
	t.put(c, y, 0, RoleText, r.Callback)
	t.put(c, y, 1, RoleText, CountShort(r.Waiting))
	for i, n := range r.Ages {
		role := RoleText
		if n == 0 {
			role = RoleDim
		}
		t.put(c, y, 2+i, role, CountTight(n, r.Partial))
	}
	role, says := RoleText, p.d.clock.WhenShort(r.GivesUp, p.d.now())
	switch {
	case r.Held && r.GivesUp.IsZero():
		role, says = RoleSuspended, "held"
	case !r.GivesUp.IsZero() && r.GivesUp.Sub(p.d.now()) < time.Hour:
		role = RoleFailing
	}
	t.put(c, y, 2+len(r.Ages), role, " "+says)
	if h := p.d.health(r.CallbackID); h != nil {
		waits := p.d.waitFor(h)
		if waits == "" {
			waits, _ = Countdown(h.NextTry, p.d.now())
		}
		t.put(c, y, 3+len(r.Ages), RoleText, waits)
	}
}

// drawWorkers says how much runs, and returns the row after it.
func (p *queuePage) drawWorkers(c *Canvas, y int) int {
	w, _ := c.Size()
	s := &p.shape
	c.Rule(y, "workers", "")
	text := "in flight " + Count(uint64(max(s.Running, 0))) + " of " + Count(uint64(max(s.MaxInFlight, 0)))
	if len(s.InFlight) > 0 {
		text += "   slowest " + Latency(s.Now.Sub(s.InFlight[0].Since)) + " " + s.InFlight[0].Callback
	}
	text += "   slots full " + strconv.Itoa(s.FullSeconds) + " s in 1 h"
	role := RoleText
	if s.MaxInFlight > 0 && s.Running >= s.MaxInFlight {
		role = RoleFailing
	}
	c.PutIn(1, y+1, w-2, role, text, Left)
	return y + 2
}

// stageWords say how far an attempt has come.
var stageWords = map[callback.Stage]string{
	callback.StageDNS: "resolving name", callback.StageConnect: "connecting", callback.StageProxy: "waiting for proxy",
	callback.StageTLS: "TLS handshake", callback.StageAnswer: "waiting for answer", callback.StageBody: "reading body",
}

// drawInFlight draws what runs, into rows before end, and returns the row
// after it.
func (p *queuePage) drawInFlight(c *Canvas, y, end int) int {
	w, _ := c.Size()
	t := lay(1, w, []column{
		{title: "IN FLIGHT NOW", w: 17, from: 66},
		{title: "CALLBACK", w: 16, most: 30},
		{title: "SINCE", w: 6, align: Right},
		{title: " STAGE", w: 19},
		{title: "TO", w: 15, most: 45},
	})
	t.head(c, y)
	y++
	if len(p.shape.InFlight) == 0 {
		c.Put(1, y, RoleDim, "nothing is on its way")
		return y + 1
	}
	for i := range p.shape.InFlight {
		if y >= end {
			break
		}
		f := &p.shape.InFlight[i]
		id := "test"
		if f.Call != 0 {
			id = f.Call.String()
		}
		word := stageWords[f.Stage]
		if word == "" {
			word = string(f.Stage)
		}
		t.put(c, y, 0, RoleText, id)
		t.put(c, y, 1, RoleText, f.Callback)
		t.put(c, y, 2, RoleText, Latency(p.shape.Now.Sub(f.Since)))
		t.put(c, y, 3, RoleText, " "+word)
		t.put(c, y, 4, RoleText, orAbsent(f.To))
		y++
	}
	return y
}

// orAbsent returns s, or what stands where there is nothing.
func orAbsent(s string) string {
	if s == "" {
		return absent
	}
	return s
}

// drawFlow draws what came and left in each minute of the last hour.
func (p *queuePage) drawFlow(c *Canvas, y int) {
	flow := p.shape.Flow
	says := ""
	if n := len(flow); n > 1 {
		f := &flow[n-2] // the last one is not over
		sign, net := "+", f.In-f.Out
		if f.Out > f.In {
			sign, net = "-", f.Out-f.In
		}
		says = "in " + Count(f.In) + "/min   out " + Count(f.Out) + "/min   net " + sign + Count(net)
	}
	c.Rule(y, "drained and filled per minute, last hour", says)
	w, _ := c.Size()
	var in, out, left []float64
	for i := range max(callback.QueueMinutes-len(flow), 0) + len(flow) {
		v := [3]float64{math.NaN(), math.NaN(), math.NaN()}
		if j := i - max(callback.QueueMinutes-len(flow), 0); j >= 0 {
			v = [3]float64{float64(flow[j].In), float64(flow[j].Out), float64(flow[j].Left)}
		}
		in, out, left = append(in, v[0]), append(out, v[1]), append(left, v[2])
	}
	room := w - 7 - 10 // of the figure behind it
	from := max(len(in)-room, 0)
	top := max(Peak(in), Peak(out))
	c.Put(1, y+1, RoleText, "in")
	c.Bars(7, y+1, RoleOK, stretch(in[from:], room), top)
	c.Put(1, y+2, RoleText, "out")
	c.Bars(7, y+2, RoleOK, stretch(out[from:], room), top)
	c.Put(1, y+3, RoleText, "left")
	x := c.Bars(7, y+3, RoleSuspended, stretch(left[from:], room), 0)
	if n := len(flow); n > 0 {
		c.Put(x+2, y+3, RoleText, Count(flow[n-1].Left))
	}
}
