package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// costsOf returns the share of a core that each process takes meanwhile, in percent.
func costsOf(t *testing.T, span time.Duration, all ...*process) (costs []float64) {
	t.Helper()
	before := make([]time.Duration, len(all))
	began := time.Now()
	for i, p := range all {
		before[i] = p.cpu(t)
	}
	time.Sleep(span)
	for i, p := range all {
		costs = append(costs, 100*(p.cpu(t)-before[i]).Seconds()/time.Since(began).Seconds())
	}
	return costs
}

// cpu returns the processor time of the process so far, to the microsecond: the
// hundredths in its stat are too coarse for one that is idle.
func (p *process) cpu(t *testing.T) (sum time.Duration) {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) == 0 {
		t.Fatalf("%s has ended", p.cmd)
	}
	for _, f := range tasks {
		b, err := os.ReadFile(f)
		if err != nil {
			continue // the thread ended
		}
		n, err := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += time.Duration(n)
	}
	return sum
}

// memory returns what the kernel says of the process's memory, in MiB.
func (p *process) memory(t *testing.T) string {
	t.Helper()
	m := p.status(t)
	return fmt.Sprintf("RSS %d MiB: its own %d, files %d", m["VmRSS"], m["RssAnon"], m["RssFile"])
}

func (p *process) status(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for name, value := range p.facts(t, "status") {
		if kB, ok := strings.CutSuffix(value, " kB"); ok {
			n, err := strconv.Atoi(kB)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = n >> 10
		}
	}
	return out
}

// written returns how many bytes the process has caused to be written to disks.
func (p *process) written(t *testing.T) int {
	t.Helper()
	n, err := strconv.Atoi(p.facts(t, "io")["write_bytes"])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// facts returns what a file of the kernel says of the process, line by line.
func (p *process) facts(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(line, ":")
		out[name] = strings.TrimSpace(value)
	}
	return out
}
