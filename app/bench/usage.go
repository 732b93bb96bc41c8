package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what a process has used since it began. What the system does not
// tell is below 0.
type usage struct {
	cpu     float64 // seconds of processor time
	mallocs float64
	written float64 // bytes it caused to be written to disk
	commits float64 // of the store
	memory  float64 // bytes of its own that it holds now: RssAnon
}

// ownUsage is what this process has used.
func ownUsage() usage {
	u := usage{cpu: -1, commits: -1, written: written("self"), memory: memory("self")}
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err == nil {
		u.cpu = time.Duration(r.Utime.Nano() + r.Stime.Nano()).Seconds()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.mallocs = float64(m.Mallocs)
	return u
}

// usage is what the appliance has used, as its own metrics and the system tell.
func (o *outside) usage(ctx context.Context) usage {
	pid := strconv.Itoa(o.part.PID)
	u := usage{cpu: -1, mallocs: -1, commits: -1, written: written(pid), memory: memory(pid)}
	names := map[string]*float64{
		"process_cpu_seconds_total": &u.cpu, "go_memstats_mallocs_total": &u.mallocs,
		"ringback_store_commit_operations_count": &u.commits,
	}
	// A figure that is not there is left out of the report.
	_ = get(ctx, o.part.URL+"/metrics", func(r io.Reader) error {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), " ")
			if to := names[name]; to != nil {
				if v, err := strconv.ParseFloat(value, 64); err == nil {
					*to = v
				}
			}
		}
		return lines.Err()
	})
	return u
}

// written returns the bytes that a process caused to be written to disk; see
// proc_pid_io(5).
func written(pid string) float64 { return field("/proc/"+pid+"/io", "write_bytes:") }

// memory returns the anonymous memory of a process, in bytes.
func memory(pid string) float64 {
	if kib := field("/proc/"+pid+"/status", "RssAnon:"); kib >= 0 {
		return kib * 1024
	}
	return -1
}

// field returns the number behind a name in a file of the system, or -1.
func field(path, name string) float64 {
	b, err := os.ReadFile(path)
	if err != nil {
		return -1
	}
	_, rest, ok := bytes.Cut(b, []byte(name))
	var n float64
	if _, err := fmt.Fscan(bytes.NewReader(rest), &n); !ok || err != nil {
		return -1
	}
	return n
}

// cost is what windows used, all together.
type cost struct {
	n    int // responses
	used usage
	peak float64 // of memory
}

func (c *cost) add(before, after usage, n int) {
	c.n += n
	add := func(sum *float64, from, to float64) {
		if from < 0 || to < 0 || *sum < 0 {
			*sum = -1
			return
		}
		*sum += to - from
	}
	add(&c.used.cpu, before.cpu, after.cpu)
	add(&c.used.mallocs, before.mallocs, after.mallocs)
	add(&c.used.written, before.written, after.written)
	add(&c.used.commits, before.commits, after.commits)
	c.peak = max(c.peak, after.memory)
}

// per returns what one response used, or a number below 0.
func (c *cost) per(sum float64) float64 { return sum / float64(max(c.n, 1)) }
