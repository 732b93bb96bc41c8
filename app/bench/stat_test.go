package bench

import (
	"testing"
	"time"
)

func TestStatistics(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		list           []float64
		median, spread float64
	}{
		{nil, 0, 0},
		{[]float64{7}, 7, 0},
		{[]float64{9, 1, 5}, 5, 1.6},
		{[]float64{4, 1, 3, 2}, 2.5, 1.2},
		{[]float64{0, 0}, 0, 0},
	} {
		if m, s := median(c.list), spread(c.list); m != c.median || s != c.spread {
			t.Errorf("%v: median %v, spread %v; want %v, %v", c.list, m, s, c.median, c.spread)
		}
	}
	// The ratio of the medians would be 1.
	if got := median(ratios([]float64{10, 30, 50}, []float64{20, 30, 0})); got != 0.75 {
		t.Errorf("median of ratios %v, want 0.75", got)
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[(i*37)%100] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		list []time.Duration
		q    float64
		want time.Duration
	}{
		{nil, 0.5, 0},
		{[]time.Duration{5}, 0.99, 5},
		{hundred, 0.5, 50},
		{hundred, 0.99, 99},
		{hundred, 1, 100},
		{hundred, 0, 1},
		{hundred[:3], 0.99, max(hundred[0], hundred[1], hundred[2])},
	} {
		if got := quantile(c.list, c.q); got != c.want {
			t.Errorf("quantile %v of %d: %d, want %d", c.q, len(c.list), got, c.want)
		}
	}
	if hundred[0] != 1 || hundred[1] == 2 {
		t.Error("the list was sorted in place")
	}
}

func TestGoals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		row  Row
		want string
	}{
		{Row{Figure: 1}, ""},
		{Row{Figure: 9, Ratio: 0.24, Goal: Goal{Of: ofRatio, AtLeast: 0.25}}, "at least 0.25: missed"},
		{Row{Figure: 0.1, Ratio: 0.25, Goal: Goal{Of: ofRatio, AtLeast: 0.25}}, "at least 0.25: met"},
		{Row{Figure: 10, Ratio: 40, Unit: "ms", Goal: Goal{Of: ofFigure, AtMost: 10}}, "at most 10 ms: met"},
		{Row{Figure: 10.1, Ratio: 1, Unit: "ms", Goal: Goal{Of: ofFigure, AtMost: 10}}, "at most 10 ms: missed"},
		{Row{Figure: 1, Ratio: 1.6, Unit: "ms", Goal: Goal{Of: ofRatio, AtMost: 1.5}}, "at most 1.5: missed"},
	} {
		b := &run{report: &Report{}}
		b.add(c.row)
		if got := b.report.Rows[0].GoalText(); got != c.want {
			t.Errorf("%+v: %q, want %q", c.row, got, c.want)
		}
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	var c cost
	c.add(usage{cpu: 1, mallocs: 100, written: 1000, commits: -1, memory: 5}, usage{cpu: 2, mallocs: 300, written: 5000, commits: 3, memory: 4}, 10)
	c.add(usage{cpu: 5, mallocs: 300, written: 5000, commits: 3, memory: 9}, usage{cpu: 6, mallocs: 400, written: 5000, commits: 9, memory: 7}, 10)
	if c.n != 20 || c.per(c.used.cpu) != 0.1 || c.per(c.used.mallocs) != 15 || c.per(c.used.written) != 200 || c.peak != 7 {
		t.Errorf("%+v", c)
	}
	if c.used.commits >= 0 {
		t.Errorf("%v commits, but once it was not known how many", c.used.commits)
	}
}
