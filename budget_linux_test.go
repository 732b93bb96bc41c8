package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The tests of this file measure the screen on the real binary, and print. They
// are asked for: SCREEN_BUDGETS=1 go test -v -run ScreenBudget .

func budgeted(t *testing.T) (bin string) {
	t.Helper()
	if os.Getenv("SCREEN_BUDGETS") == "" {
		t.Skip("SCREEN_BUDGETS is not set: this measures, and takes its time")
	}
	return filepath.Join(build(t), "ringback")
}

// TestScreenBudgetAttached prints what an attached screen costs beside an
// appliance with SCREEN_CALLS calls (default 1,200,000), and how fast it is.
func TestScreenBudgetAttached(t *testing.T) {
	bin := budgeted(t)
	n := 1_200_000
	if s := os.Getenv("SCREEN_CALLS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, bin, t.TempDir())
	defer p.end(t)
	s := &screen{T: t, url: p.url}
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+endpoint+`"}`, http.StatusCreated)
	s.post("/callbacks/crm-prod/suspend", `{}`, http.StatusNoContent)
	began := time.Now()
	for from := 0; from < n; from += 50_000 {
		s.people(from, min(50_000, n-from))
	}
	t.Logf("%d calls are stored in %v", n, time.Since(began).Round(time.Second))
	pagesOfCalls(s)
	alone := costOf(t, p, 12*time.Second)

	// The first frame, a key's way, and what idling costs.
	var firsts []time.Duration
	for range 5 {
		tm := attached(t, bin, p.url, 30)
		firsts = append(firsts, tm.firstFrame())
		tm.stops()
	}
	t.Logf("first frame of ringback tui: %v", firsts)
	for _, fps := range []int{30, 60} {
		tm := attached(t, bin, p.url, fps)
		tm.firstFrame()
		tm.sees("worst first")
		t.Logf("key to bytes, %d fps: %s", fps, quantiles(tm.keys(100)))
		tm.idles(15 * time.Second)
		if fps == 30 {
			tm.browses()
		}
		tm.stops()
	}
	for range 10 {
		tm := attached(t, bin, p.url, 30)
		tm.sees("worst first")
	}
	t.Logf("the server takes %.2f %% of a core without a viewer, %.2f %% with ten", alone, costOf(t, p, 12*time.Second))
}

// attached attaches a screen of 140x40.
func attached(t *testing.T, bin, url string, fps int) *terminal {
	t.Helper()
	cmd := exec.Command(bin, "tui", "--addr", url)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8", "RINGBACK_TUI_FPS="+strconv.Itoa(fps))
	return launch(t, cmd, 140, 40, true)
}

// firstFrame returns how long after the start the bar was there.
func (tm *terminal) firstFrame() time.Duration {
	began := time.Now()
	for !strings.Contains(tm.output(), "Overview") {
		if time.Since(began) > patience {
			tm.test.Fatal("no frame comes")
		}
		time.Sleep(100 * time.Microsecond)
	}
	tm.mu.Lock()
	defer tm.mu.Unlock()
	return tm.last.Sub(began).Round(time.Millisecond)
}

// keys returns how long after each of n keys the first bytes came.
func (tm *terminal) keys(n int) (took []time.Duration) {
	for i := range n {
		time.Sleep(time.Duration(90+i*7%40) * time.Millisecond) // not in step with the frames
		tm.forget()
		began := time.Now()
		tm.types("?") // help opens, or closes
		for tm.output() == "" && time.Since(began) < patience {
			time.Sleep(100 * time.Microsecond)
		}
		tm.mu.Lock()
		took = append(took, tm.last.Sub(began))
		tm.mu.Unlock()
	}
	return took
}

// idles prints what a screen costs that is left alone.
func (tm *terminal) idles(span time.Duration) {
	p := &process{cmd: tm.cmd}
	time.Sleep(3 * time.Second) // let it settle
	tm.forget()
	cost := costOf(tm.test, p, span)
	tm.test.Logf("idle: %.2f %% of a core, %.0f B/s; %s", cost, float64(len(tm.output()))/span.Seconds(), p.memory(tm.test))
}

// browses goes through the calls, and prints the memory held after that.
func (tm *terminal) browses() {
	tm.types("2")
	tm.sees("Show:")
	for range 20 {
		tm.types("\x1b[6~")
		time.Sleep(50 * time.Millisecond)
	}
	for _, key := range []string{"G", "g", "G", "\r", "\x1b", "1"} {
		tm.types(key)
		time.Sleep(300 * time.Millisecond)
	}
	tm.test.Logf("after browsing: %s", (&process{cmd: tm.cmd}).memory(tm.test))
}

// costOf returns the share of a core that a process takes, in percent.
func costOf(t *testing.T, p *process, span time.Duration) float64 {
	t.Helper()
	return costsOf(t, span, p)[0]
}

// pagesOfCalls prints how long pages of 64 calls take over HTTP, from anywhere.
func pagesOfCalls(s *screen) {
	var took []time.Duration
	path := "/callbacks/crm-prod/calls?status=PENDING&limit=64"
	for at := path; len(took) < 300; {
		began := time.Now()
		body := s.get(at)
		took = append(took, time.Since(began))
		var page struct {
			NextCursor string `json:"nextCursor"`
		}
		if err := json.Unmarshal([]byte(body), &page); err != nil || page.NextCursor == "" {
			s.Fatalf("%v: %.300s", err, body)
		}
		at = path + "&cursor=" + page.NextCursor
	}
	s.Logf("a page of 64 calls over HTTP: %s", quantiles(took))
}

func quantiles(took []time.Duration) string {
	slices.Sort(took)
	at := func(share float64) time.Duration {
		return took[int(share*float64(len(took)-1))].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %v, p95 %v, p99 %v of %d", at(0.5), at(0.95), at(0.99), len(took))
}
