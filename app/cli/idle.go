package cli

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// lookEvery is how often the collections of garbage are counted, and idleHeap what
// a process that rests may hold without being asked for it.
const (
	lookEvery = 5 * time.Second
	idleHeap  = 64 << 20
)

// giveBack returns memory to the system when work has ended, until ctx is done. What
// is garbage then would stay for two minutes, for without work nothing collects it:
// beside a million waiting calls 100 MiB after a kill, when the logs that it left
// were compacted.
func giveBack(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var i idle
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if collections, held := heap(); i.look(collections) && held >= idleHeap {
			debug.FreeOSMemory()
			i.collections, _ = heap()
		}
	}
}

// heap returns how many collections there were, and how many bytes the heap holds
// of the system's memory.
func heap() (collections, held uint64) {
	samples := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/unused:bytes"},
		{Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	for _, s := range samples[1:] {
		held += s.Value.Uint64()
	}
	return samples[0].Value.Uint64(), held
}

// idle notices that work has ended. Its zero value is ready.
type idle struct {
	collections uint64 // when it last looked
	quiet       int    // looks since the last one
	worked      bool   // something made garbage since work last ended
}

// look is told how many collections there were, and reports whether work has ended:
// once each time. One alone after a minute is the runtime's own, which makes one
// every two minutes.
func (i *idle) look(collections uint64) bool {
	n := collections - i.collections
	i.collections = collections
	if n == 0 {
		i.quiet++
		ended := i.worked && i.quiet == 2
		i.worked = i.worked && !ended
		return ended
	}
	i.worked = i.worked || n > 1 || i.quiet < int(time.Minute/lookEvery)
	i.quiet = 0
	return false
}
