package tui

import (
	"cmp"
	"slices"
	"strings"

	"ringback/callback"
)

// overviewSorts are the orders of the overview; s goes through them.
var overviewSorts = []struct {
	name, reversed string
	column         int
	compare        func(a, b *callback.HealthView) int
}{
	{"worst first", "best first", ovState, worst},
	{"by name", "by name, reversed", ovName, alphabetic},
	{"most waiting first", "fewest waiting first", ovWaiting, func(a, b *callback.HealthView) int {
		return cmp.Or(cmp.Compare(b.Live.Counts.Waiting(), a.Live.Counts.Waiting()), alphabetic(a, b))
	}},
	{"least OK first", "most OK first", ovOK, func(a, b *callback.HealthView) int {
		return cmp.Or(cmp.Compare(share(a), share(b)), cmp.Compare(b.Bad, a.Bad), alphabetic(a, b))
	}},
	{"most given up first", "fewest given up first", ovGaveUp, func(a, b *callback.HealthView) int {
		return cmp.Or(cmp.Compare(b.Live.Counts.Failed, a.Live.Counts.Failed), alphabetic(a, b))
	}},
}

// share is how much of the attempts of the last hour succeeded; without any more
// than all, for there is nothing to look at.
func share(h *callback.HealthView) float64 {
	if h.OK+h.Bad == 0 {
		return 2
	}
	return float64(h.OK) / float64(h.OK+h.Bad)
}

func alphabetic(a, b *callback.HealthView) int { return strings.Compare(a.Name, b.Name) }

// sort puts the rows in the order that was chosen.
func (p *overviewPage) sort() {
	rows := p.d.overview.Callbacks
	sorted := make([]*callback.HealthView, len(rows))
	for i := range rows {
		sorted[i] = &rows[i]
	}
	compare := overviewSorts[p.by].compare
	slices.SortFunc(sorted, func(a, b *callback.HealthView) int {
		if p.reverse {
			a, b = b, a
		}
		return compare(a, b)
	})
	p.order = p.order[:0]
	for _, h := range sorted {
		p.order = append(p.order, h.ID)
	}
}

// sortedBy names that order.
func (p *overviewPage) sortedBy() string {
	if p.reverse {
		return overviewSorts[p.by].reversed
	}
	return overviewSorts[p.by].name
}
