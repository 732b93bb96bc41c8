package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue"
)

// besideVar makes the binary of the tests a program that idles beside ringback:
// "tickers", or a bare Badger in the folder that it names.
const besideVar = "IDLE_BESIDE"

// starts is how often what idles is started. When the looks of Badger's two
// compactors fall is drawn at each start, and they cost up to twice as much when they
// fall apart.
const starts = 4

// idle prints what a process costs that has nothing to do, for its endpoint is
// down, beside what that is made of: a bare Badger with the same options, and
// the timers of Badger's two compactors alone. The three run at the same time.
func idle(t *testing.T, what, bin, data string, span time.Duration) {
	t.Helper()
	var costs [3][]float64
	memory, wrote := "", 0
	settle := 20 * time.Second // what a kill left is compacted, and memory given back
	for range starts {
		p := start(t, bin, data)
		all := []*process{p, beside(t, t.TempDir()), beside(t, "tickers")}
		time.Sleep(settle)
		before := p.written(t)
		for i, cost := range costsOf(t, span/starts, all...) {
			costs[i] = append(costs[i], cost)
		}
		wrote += p.written(t) - before
		if memory == "" {
			memory, settle = p.memory(t), 3*time.Second
		}
		for _, other := range all[1:] {
			other.kill()
		}
		p.end(t)
	}
	t.Logf("%s: idle %s; a bare Badger beside it %s; two timers of 50 ms %s; %d bytes written; %s",
		what, spread(costs[0]), spread(costs[1]), spread(costs[2]), wrote, memory)
}

// spread words shares of a core: their mean, the least and the most.
func spread(costs []float64) string {
	sum := 0.0
	for _, c := range costs {
		sum += c
	}
	return fmt.Sprintf("%.2f %% of a core (%.2f to %.2f in %d starts)", sum/float64(len(costs)), slices.Min(costs), slices.Max(costs), len(costs))
}

// beside starts a program that idles. It ends with this one, whatever ends this.
func beside(t *testing.T, what string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), besideVar+"="+what)
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	return spawn(t, cmd)
}

// besides is that program: it does nothing until its input ends.
func besides(what string) error {
	if what != "tickers" {
		p, err := queue.OpenPlain(what, &callback.Response{})
		if err != nil {
			return err
		}
		defer func() { _ = p.Close() }() // nothing is in it
	} else {
		for range 2 {
			go func() {
				time.Sleep(rand.N(time.Second)) // as Badger does
				for range time.Tick(50 * time.Millisecond) {
				}
			}()
		}
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}
