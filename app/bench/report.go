package bench

import (
	"fmt"
	"time"
)

// Report is what Run saw.
type Report struct {
	Rows    []Row   `json:"rows"`
	Machine Machine `json:"machine"`
	Check   Check   `json:"check"`
}

// Row is one figure beside its ceiling.
type Row struct {
	What    string  `json:"what"`
	Unit    string  `json:"unit"` // "/s", "ms", "µs", "MiB", or "" for a plain number
	Figure  float64 `json:"figure"`
	Ceiling float64 `json:"ceiling,omitzero"` // 0: there is none
	Ratio   float64 `json:"ratio,omitzero"`   // of the figure to the ceiling
	Noise   float64 `json:"noise,omitzero"`   // how far the ceiling's windows lie apart, as a share of their median
	Goal    Goal    `json:"goal,omitzero"`
	Met     *bool   `json:"met,omitempty"` // nil: there is no goal
}

// Goal is what a figure, or its ratio, should be: at least or at most a number.
// The zero value is no goal.
type Goal struct {
	Of      string  `json:"of"` // "ratio" or "figure"
	AtLeast float64 `json:"atLeast,omitzero"`
	AtMost  float64 `json:"atMost,omitzero"`
}

// What a goal is of.
const (
	ofRatio  = "ratio"
	ofFigure = "figure"
)

// Machine is where it ran.
type Machine struct {
	Cores      int     `json:"cores"`
	FileSystem string  `json:"fileSystem"`
	Load       float64 `json:"load"`  // of the minute before
	Noise      float64 `json:"noise"` // the median of the rows'
}

// add adds a row, judged by its goal.
func (b *run) add(r Row) {
	value := r.Figure
	if r.Goal.Of == ofRatio {
		value = r.Ratio
	}
	if r.Goal.Of != "" {
		met := value >= r.Goal.AtLeast && (r.Goal.AtMost == 0 || value <= r.Goal.AtMost)
		r.Met = &met
	}
	b.report.Rows = append(b.report.Rows, r)
}

// rates adds a row of two rates that were measured in turns.
func (b *run) rates(what string, mine, top []float64, goal Goal) {
	b.add(Row{
		What: what, Unit: "/s", Figure: median(mine), Ceiling: median(top), Ratio: median(ratios(mine, top)),
		Noise: spread(top), Goal: goal,
	})
}

// times adds the median and the 99th percentile of how long something took.
func (b *run) times(what string, mine, control []time.Duration, half, most Goal) {
	for _, row := range []struct {
		name string
		q    float64
		goal Goal
	}{{", median", 0.5, half}, {", p99", 0.99, most}} {
		r := Row{What: what + row.name, Unit: "ms", Figure: millis(quantile(mine, row.q)), Ceiling: millis(quantile(control, row.q)), Goal: row.goal}
		if r.Ceiling > 0 {
			r.Ratio = r.Figure / r.Ceiling
		}
		b.add(r)
	}
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// costs adds what one response cost the appliance; the ceilings are what one
// request cost the bare client.
func (b *run) costs(c, bare *cost) {
	one := func(what, unit string, scale, figure, ceiling float64) {
		if figure < 0 {
			return // the system does not tell
		}
		r := Row{What: what, Unit: unit, Figure: figure * scale}
		if ceiling > 0 {
			r.Ceiling, r.Ratio = ceiling*scale, figure/ceiling
		}
		b.add(r)
	}
	one("… processor time of one", "µs", 1e6, c.per(c.used.cpu), bare.per(bare.used.cpu))
	one("… allocations of one", "", 1, c.per(c.used.mallocs), bare.per(bare.used.mallocs))
	b.bytesOnDisk(c, &cost{}, Goal{})
	if c.used.commits > 0 {
		one("… responses for a commit", "", 1, float64(c.n)/c.used.commits, 0)
	}
	if c.peak > 0 {
		b.add(Row{
			What: "… memory, of its limit", Unit: "MiB", Figure: c.peak / (1 << 20), Ceiling: float64(b.Memory) / (1 << 20),
			Ratio: c.peak / float64(b.Memory), Goal: Goal{Of: ofRatio, AtMost: 1.15},
		})
	}
}

// bytesOnDisk adds how much was written to disk for each byte of a response.
func (b *run) bytesOnDisk(c, top *cost, goal Goal) {
	if c.used.written <= 0 {
		return // a tmpfs has no disk, and some systems do not tell
	}
	r := Row{What: "… bytes on disk for a byte of it", Figure: c.per(c.used.written) / float64(b.Size), Goal: goal}
	if r.Ceiling = max(top.per(top.used.written)/float64(b.Size), 0); r.Ceiling > 0 {
		r.Ratio = r.Figure / r.Ceiling
	}
	b.add(r)
}

// noise is how far the ceilings' windows lay apart.
func (b *run) noise() float64 {
	var all []float64
	for _, r := range b.report.Rows {
		if r.Noise > 0 {
			all = append(all, r.Noise)
		}
	}
	return median(all)
}

// Number formats a figure of the row, with its unit.
func (r *Row) Number(v float64) string {
	digits := 0
	switch {
	case v < 10:
		digits = 2
	case v < 100:
		digits = 1
	}
	s := fmt.Sprintf("%.*f", digits, v)
	if r.Unit == "/s" {
		return s + r.Unit
	}
	if r.Unit != "" {
		s += " " + r.Unit
	}
	return s
}

// GoalText says what the goal is, and whether it is met; "" where there is none.
func (r *Row) GoalText() string {
	if r.Met == nil {
		return ""
	}
	text := fmt.Sprintf("at least %g", r.Goal.AtLeast)
	if r.Goal.AtMost > 0 {
		text = fmt.Sprintf("at most %g", r.Goal.AtMost)
	}
	if r.Goal.Of == ofFigure && r.Unit != "" {
		text += " " + r.Unit
	}
	if !*r.Met {
		return text + ": missed"
	}
	return text + ": met"
}
