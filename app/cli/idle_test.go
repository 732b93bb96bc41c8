package cli

import (
	"context"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"testing"
	"testing/synctest"
	"time"
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

// What the process holds of the system's memory is counted wherever it lies: in
// use, free, and not once it was given back. It runs alone, for so it is known what
// is garbage.
func TestHeapIsCounted(t *testing.T) {
	const ballast = 96 << 20
	debug.FreeOSMemory()
	released := func() uint64 { // by the runtime itself: it may whenever it likes
		s := []metrics.Sample{{Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before, least := heap()
	hold := make([]byte, ballast)
	after, used := heap()
	hold[0] = 1                                                      // it is in use until here
	if got := used - least; got < ballast*3/4 || got > ballast*5/4 { // what was free before may be used, or given back
		t.Errorf("%d bytes in use are counted as %d", ballast, got)
	}
	hold = nil
	given := released()
	runtime.GC()
	collected, free := heap()
	if got := free - least + released() - given; got < ballast*3/4 {
		t.Errorf("%d bytes that became free are counted as %d", ballast, got)
	}
	if collected <= after || after < before {
		t.Errorf("collections went from %d over %d to %d", before, after, collected)
	}
	debug.FreeOSMemory()
	if _, given := heap(); given > least+ballast/4 {
		t.Errorf("%d bytes are held although all were given back, %d before", given, least)
	}
}

// Memory is given back ten seconds after work has ended, and not before. The memory
// stays in use, for what is free the runtime gives back by itself whenever it likes;
// what tells is that giving back collects garbage, which nothing else does here.
func TestGiveBack(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	hold := make([]byte, 2*idleHeap)
	forced := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/cycles/forced:gc-cycles"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			giveBack(ctx)
		}()
		before := forced()
		for range 3 {
			runtime.GC()          // there was work
			time.Sleep(lookEvery) // of the bubble
		}
		synctest.Wait()
		if n := forced() - before; n != 3 {
			t.Errorf("memory is given back %d times while work goes on", n-3)
		}
		time.Sleep(2*lookEvery + time.Second)
		synctest.Wait()
		if n := forced() - before; n != 4 {
			t.Errorf("memory is given back %d times after work has ended, want once", n-3)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := forced() - before; n != 4 {
			t.Errorf("memory is given back %d times although nothing is done, want once", n-3)
		}
		cancel()
		<-done
	})
	runtime.KeepAlive(hold)
}
