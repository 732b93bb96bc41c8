package bench

import (
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		what     string
		accepted []uint64
		arrived  []uint64
		stored   uint64
		waits    uint64 // of a backlog of 5
		want     string // "": nothing is wrong
	}{
		{"all is well", []uint64{1, 2, 3}, []uint64{3, 1, 2}, 3, 5, ""},
		{"a bare client's", []uint64{1}, []uint64{0, 1, 0}, 1, 5, ""},
		{"lost", []uint64{1, 2}, []uint64{2}, 2, 5, "1 did not arrive and 0 arrived more than once; 0"},
		{"doubled", []uint64{1, 2}, []uint64{1, 2, 1, 1}, 2, 5, "0 did not arrive and 1 arrived more than once; 0"},
		{"lost and doubled", []uint64{1, 2}, []uint64{1, 1}, 2, 5, "1 did not arrive and 1 arrived more than once; 0"},
		{"out of nowhere", []uint64{1}, []uint64{1, 9}, 1, 5, "1 arrived that were not accepted"},
		{"not recorded", []uint64{1, 2}, []uint64{1, 2}, 1, 5, "says that 1 are delivered"},
		{"backlog sent", []uint64{1}, []uint64{1}, 1, 4, "and 4 wait, not 5"},
		{"nothing at all", nil, nil, 0, 5, "nothing was accepted"},
	} {
		b := &run{report: &Report{}, accepted: map[uint64]bool{}, seen: map[uint64]int{}, stored: c.stored, backlog: 5, waits: c.waits}
		b.keep(ids{c.accepted, nil})
		var list []Arrival
		for _, id := range c.arrived {
			list = append(list, Arrival{ID: id})
		}
		b.note(list)
		b.verify()
		got := b.report.Check.Fault()
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
