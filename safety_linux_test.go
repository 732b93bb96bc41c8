package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// station is the real binary with the screen in its own process, in a terminal
// of ours, and an endpoint that counts what it gets.
type station struct {
	*screen // for HTTP
	*terminal
	data  string
	taken atomic.Int64
}

func newStation(t *testing.T, bin string, control bool) *station {
	t.Helper()
	dir := t.TempDir()
	s := &station{screen: &screen{T: t}, data: filepath.Join(dir, "data")}
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { s.taken.Add(1) }))
	t.Cleanup(hook.Close)
	cmd := exec.Command(bin)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "LC_ALL=C.UTF-8",
		"RINGBACK_HTTP_LISTEN=127.0.0.1:0", "RINGBACK_DATA_DIR="+s.data, "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB")
	s.terminal = launch(t, cmd, 80, 24, control)
	s.sees("callbacks yet")
	if !poll(func() bool { s.url = noted(s.data); return s.url != "" }) {
		t.Fatalf("it does not run: %q", s.output())
	}
	s.post("/callbacks", `{"name":"crm-prod","url":"`+hook.URL+`"}`, http.StatusCreated)
	s.sees("crm-prod")
	return s
}

// delivers enqueues responses, and fails where they do not arrive.
func (s *station) delivers(when string) {
	s.Helper()
	const n = 20
	want := s.taken.Load() + n
	for range n {
		s.post("/callbacks/crm-prod/responses", `{"responseMessage":{"channel":"SMS","acknowledged":"now","content":"yes"}}`, http.StatusAccepted)
	}
	if !poll(func() bool { return s.taken.Load() >= want }) {
		s.Fatalf("%s: %d of %d are not delivered", when, want-s.taken.Load(), n)
	}
}

// notes waits until the log of the data folder holds a text.
func (s *station) notes(text string) {
	s.Helper()
	var log []byte
	if !poll(func() bool {
		log, _ = os.ReadFile(filepath.Join(s.data, "ringback.log")) // it may not be there yet
		return strings.Contains(string(log), text)
	}) {
		s.Fatalf("the log does not say %q:\n%s", text, log)
	}
}

// restored waits until the terminal is as it was before the screen.
func (s *station) restored() {
	s.Helper()
	s.sees("\x1b[?1049l")
	s.sees("\x1b[?25h")
	if !poll(s.cooked) {
		s.Fatal("the line is left raw")
	}
}

// insists presses a key until the terminal gets a text: a key right behind an
// Escape may be taken for one with Alt.
func (s *station) insists(key, text string) {
	s.Helper()
	s.forget()
	if !poll(func() bool {
		s.types(key)
		return strings.Contains(s.output(), text)
	}) {
		s.Fatalf("%s does not lead to %q:\n%q", key, text, s.output())
	}
}

// stalls reads nothing more, and waits until the terminal takes nothing more. The
// screen is not held up by that: it takes keys as before. resume reads on.
func (s *station) stalls() (resume func()) {
	s.Helper()
	s.stalled.Lock()
	resume = sync.OnceFunc(s.stalled.Unlock)
	s.Cleanup(resume)
	full := 0
	if !poll(func() bool {
		s.types("\x0c") // to draw everything again
		full++
		if s.takes() {
			full = 0
		}
		return full == 10
	}) {
		s.Fatal("a terminal that nobody reads takes all there is: the test shows nothing")
	}
	if !poll(func() bool { return s.unread() == 0 }) {
		s.Fatal("while the terminal takes no output the screen takes no keys")
	}
	return resume
}

// TestScreenNeverHoldsDeliveriesUp runs the appliance with its screen in one
// process, and takes the terminal away in every way there is: deliveries go on,
// and a signal ends it in order.
func TestScreenNeverHoldsDeliveriesUp(t *testing.T) {
	bin := filepath.Join(build(t), "ringback")
	for name, happens := range map[string]func(s *station){
		"SIGHUP": func(s *station) {
			s.signal(syscall.SIGHUP)
			s.restored()
			s.sees("SIGHUP ended the screen, deliveries go on")
		},
		"hidden": func(s *station) {
			s.types("q")
			s.sees("Leave")
			s.types("h")
			s.restored()
			s.sees("deliveries go on")
		},
		"the terminal hangs up": func(s *station) {
			s.master.Close()
			s.notes("SIGHUP ended the screen")
		},
		"the terminal stalls": func(s *station) { s.stalls() },
		"SIGHUP while the terminal stalls": func(s *station) {
			s.stalls()
			s.signal(syscall.SIGHUP)
			s.notes("SIGHUP ended the screen")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStation(t, bin, true)
			s.delivers("with the screen")
			happens(s)
			s.delivers("after " + name)
			s.stops()
		})
	}
	// Whoever has no controlling terminal is not told that it is gone.
	t.Run("the terminal is gone", func(t *testing.T) {
		t.Parallel()
		s := newStation(t, bin, false)
		s.master.Close()
		s.slave.Close()
		s.delivers("without a terminal")
		s.delivers("and later")
		s.stops()
	})
	t.Run("the terminal stalls for a while", func(t *testing.T) {
		t.Parallel()
		s := newStation(t, bin, true)
		resume := s.stalls()
		s.delivers("while nobody reads")
		resume()
		if !poll(s.takes) {
			t.Fatal("the screen does not come back")
		}
		s.forget()
		s.types("?")
		s.sees("Anywhere")
		s.types("\x1b")
		s.insists("q", "Leave")
		s.types("s")
		s.restored()
		s.ends()
	})
}

// TestBrokenScreen drives a binary whose overview panics when it is drawn with
// times in UTC: the screen comes back once, then the appliance goes on without.
func TestBrokenScreen(t *testing.T) {
	bin := filepath.Join(build(t, "-overlay", brokenScreen(t)), "ringback")
	s := newStation(t, bin, true)
	s.types("t")
	s.forget()
	s.types("t")
	s.notes("the screen broke; it is shown once more")
	s.notes("drawn in UTC")
	s.sees("\x1b[?1049h") // again
	s.sees("crm-prod")
	s.delivers("with the screen shown once more")
	s.insists("t", "the screen broke; deliveries go on without it")
	s.restored()
	if strings.Contains(s.output(), "goroutine") {
		t.Errorf("the stack is on the terminal: %q", s.output())
	}
	s.delivers("without the screen")
	s.stops()
}

// brokenScreen returns the overlay (go help build) of a screen with a fault.
func brokenScreen(t *testing.T) string {
	t.Helper()
	const begin = "func (p *overviewPage) Draw(c *Canvas) {\n"
	file, err := filepath.Abs("tui/overview_draw.go")
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(src), begin) != 1 {
		t.Fatalf("%s has no %q to break", file, begin)
	}
	fault := begin + "\tif p.d.clock.Mode == ClockUTC {\n\t\tpanic(\"drawn in UTC\")\n\t}\n"
	return overlay(t, file, strings.Replace(string(src), begin, fault, 1))
}

// overlay has a build take a file that says something else (go help build).
func overlay(t *testing.T, file, content string) string {
	t.Helper()
	dir := t.TempDir()
	other, overlay := filepath.Join(dir, "other.go"), filepath.Join(dir, "overlay.json")
	b, err := json.Marshal(map[string]map[string]string{"Replace": {file: other}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{other: content, overlay: string(b)} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overlay
}
