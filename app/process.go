package app

import (
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"ringback/callback"
)

// cpu tells what share of a core the process had lately. Its zero value is ready.
type cpu struct {
	mu    sync.Mutex
	at    time.Time
	used  time.Duration
	share float64
}

// look returns the share since the last look, if that was a while ago.
func (c *cpu) look(now, began time.Time) float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return -1
	}
	used := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	if c.at.IsZero() {
		c.at = began
	}
	if span := now.Sub(c.at); span >= time.Second {
		c.share = (used - c.used).Seconds() / span.Seconds()
		c.at, c.used = now, used
	}
	return c.share
}

// process tells how the operating system sees us, with so many files of the store.
func (a *App) process(now time.Time, storeFiles int) callback.Process {
	p := callback.Process{
		PID: os.Getpid(), Version: a.opt.Info.Version, Started: a.opt.Info.Started, CPU: a.cpu.look(now, a.opt.Info.Started),
		Cores: runtime.GOMAXPROCS(0), RSS: resident(), Goroutines: runtime.NumGoroutine(),
		ClockDoubtful: a.clock.Doubtful(), Starts: a.opt.Starts,
	}
	p.Heap, p.GCPause = fromRuntime()
	if list, err := os.ReadDir("/proc/self/fd"); err == nil {
		p.Files = max(len(list)-1, 0) // one is that of the list
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		p.MaxFiles = int(min(limit.Cur, 1<<31))
	}
	p.FewFiles = a.opt.StoreFiles > 0 && callback.FewFiles(storeFiles, a.opt.StoreFiles)
	return p
}

// resident returns how many bytes of memory the process has; 0: not known.
func resident() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// fromRuntime returns the bytes that objects occupy, and what 99 of 100 pauses
// for the garbage collector did not exceed; 0: there were none.
func fromRuntime() (heap uint64, pause time.Duration) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(samples)
	if samples[0].Value.Kind() == metrics.KindUint64 {
		heap = samples[0].Value.Uint64()
	}
	if samples[1].Value.Kind() != metrics.KindFloat64Histogram {
		return heap, 0
	}
	h := samples[1].Value.Float64Histogram()
	var total, seen uint64
	for _, n := range h.Counts {
		total += n
	}
	for i, n := range h.Counts {
		if seen += n; total > 0 && float64(seen) >= 0.99*float64(total) {
			return heap, seconds(h.Buckets[i+1], h.Buckets[i])
		}
	}
	return heap, 0
}

// seconds returns a bucket's upper bound, or its lower one where that is
// infinite.
func seconds(upper, lower float64) time.Duration {
	if upper > 1e6 {
		upper = lower
	}
	return time.Duration(upper * float64(time.Second))
}
