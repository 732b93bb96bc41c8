package cli

import (
	"slices"
	"testing"
)

func TestIdle(t *testing.T) {
	t.Parallel()
	still := func(n int, at uint64) []uint64 { return slices.Repeat([]uint64{at}, n) }
	for _, c := range []struct {
		name  string
		looks []uint64 // how many collections there were
		want  []int    // at which looks work has ended
	}{
		{"after the start", slices.Concat([]uint64{7}, still(10, 7)), []int{2}},
		{"work goes on", []uint64{3, 5, 5, 6, 6, 7, 9}, nil},
		{"work ends twice", slices.Concat([]uint64{3}, still(3, 3), []uint64{9}, still(3, 9)), []int{2, 6}},
		{"the runtime's own", slices.Concat([]uint64{3}, still(23, 3), []uint64{4}, still(23, 4), []uint64{5}, still(23, 5)), []int{2}},
		{"one soon after another", slices.Concat([]uint64{3}, still(5, 3), []uint64{4}, still(5, 4)), []int{2, 8}},
		{"two at once after a long time", slices.Concat([]uint64{3}, still(40, 3), []uint64{5}, still(5, 5)), []int{2, 43}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var i idle
			var got []int
			for at, n := range c.looks {
				if i.look(n) {
					got = append(got, at)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("work ended at %v, want %v", got, c.want)
			}
		})
	}
}

func TestHeapIsCounted(t *testing.T) {
	t.Parallel()
	ballast := make([]byte, 32<<20)
	if _, held := heap(); held < uint64(len(ballast)) {
		t.Errorf("%d bytes are held, %d of them here", held, len(ballast))
	}
	ballast[0] = 1 // it is in use until here
}
