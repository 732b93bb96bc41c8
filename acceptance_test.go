package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestScreenAcceptance is what the screen must do whatever happens, on the real
// binary in tmux. What a terminal of its own takes is in safety_linux_test.go.
func TestScreenAcceptance(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	bin := filepath.Join(build(t), "ringback")
	for name, test := range map[string]func(s *screen){
		"the server is killed":      serverKilled,
		"resized":                   resizedScreen,
		"under load":                screenUnderLoad,
		"the endpoint recovers":     endpointRecovers,
		"hostile text":              hostileText,
		"without colours":           withoutColours,
		"a locale without UTF-8":    withoutUnicode,
		"a terminal that is small":  smallTerminal,
		"a terminal that is dumb":   dumbTerminal,
		"a theme against NO_COLOR":  themeByName,
		"an address that is silent": silentAddress,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(bareScreen(t, tmux, bin))
		})
	}
}

// serverKilled has the cursor stay on its call while the server is killed,
// started anew, and given new calls. What was read can be scrolled meanwhile.
func serverKilled(s *screen) {
	s.env = append(s.env, "RINGBACK_HTTP_SOCKET="+filepath.Join(s.dir, "s"))
	server := s.serves()
	s.delivered(40)
	s.opens(140, 30, "tui --socket "+filepath.Join(s.dir, "s"))
	s.shows("crm-prod", "worst first")
	s.keys("2")
	s.shows("P039")
	s.keys("j", "j", "j", "j", "j", "Space", "j")
	s.awaits("the cursor below the marked call", func(string) bool { return strings.Contains(s.row("> "), "P032") })
	s.keys("Enter")
	s.shows("Call ")
	call := regexp.MustCompile(`Call ([0-9A-F]{16})`).FindString(s.frame())
	s.keys("Escape")
	s.shows("1 marked")

	server.kill()
	s.shows("OFFLINE", "Server not answering")
	s.keys("x")
	s.shows("x: offline")
	s.keys("j", "k")

	s.serves()
	s.shows("back after", "server restarted")
	s.people(100, 10)
	s.awaits("the bar without OFFLINE", func(f string) bool { return !strings.Contains(f, "OFFLINE") })
	s.shows("1 marked", "new, g")
	s.keys("Enter")
	s.shows(call)
	s.keys("Escape")
	s.shows("1 marked")
	s.insists("g", "P109") // right behind an Escape, the first may be another key
}

// resizedScreen has the same frame after other sizes as before.
func resizedScreen(s *screen) {
	s.embeds(80, 24)
	s.delivered(40)
	s.keys("2")
	s.shows("success", "40 calls")
	s.keys("j", "j", "j", "p")
	s.shows("PAUSED", "nothing moves")
	s.keys("Left") // bound to nothing: takes the note away
	s.awaits("the status again", func(f string) bool { return strings.Contains(f, "40 calls") && !strings.Contains(f, "nothing moves") })
	before := s.frame()
	for _, size := range [][2]int{{140, 40}, {40, 10}, {60, 15}, {20, 5}, {250, 80}, {80, 24}} {
		w, h := fmt.Sprint(size[0]), fmt.Sprint(size[1])
		s.tmux("resize-window", "-t", "s", "-x", w, "-y", h)
		s.awaits("a frame of "+w+"x"+h, func(f string) bool {
			rows := strings.Split(strings.TrimSuffix(f, "\n"), "\n")
			return len(rows) == size[1] && strings.Contains(rows[size[1]-1], "q ") && strings.Contains(rows[size[1]-1], "help")
		})
	}
	s.awaits("the same as before:\n"+before, func(f string) bool { return f == before })
}

// screenUnderLoad holds j down while responses come as fast as they are taken:
// all are delivered, and the screen answers.
func screenUnderLoad(s *screen) {
	n := 10_000
	if testing.Short() {
		n = 1000
	}
	var taken atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { taken.Add(1) }))
	defer hook.Close()
	s.embeds(140, 40)
	s.post("/callbacks", `{"name":"crm-prod","url":"`+hook.URL+`","maxInFlight":64}`, http.StatusCreated)
	s.shows("crm-prod")
	s.keys("2")
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.people(0, n)
	}()
	for !over(done) {
		s.tmux("send-keys", "-t", "s", "-N", "30", "j")
	}
	if !poll(func() bool {
		s.tmux("send-keys", "-t", "s", "-N", "30", "j")
		return taken.Load() >= int64(n)
	}) {
		s.Fatalf("%d of %d are delivered", taken.Load(), n)
	}
	s.keys("Enter")
	s.shows("attempt 1", "200")
	s.insists("1", "worst first")
	s.shows("crm-prod", "100 ")
	if got := taken.Load(); got != int64(n) {
		s.Errorf("the endpoint got %d of %d", got, n)
	}
}

// endpointRecovers has all that failed retried while the endpoint is down: one
// call goes first, and the rest follow once the endpoint is back.
func endpointRecovers(s *screen) {
	var up atomic.Bool
	var refused, taken, soon atomic.Int64
	var last atomic.Int64 // when the last of those came that go while the endpoint is down
	began := time.Now()   // from it on the clock is monotonic, whoever sets the machine's
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			now := int64(time.Since(began))
			before := last.Swap(now)
			if refused.Add(1) > 13 && now-before < int64(900*time.Millisecond) { // an interval, less its jitter
				soon.Add(1)
			}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		taken.Add(1)
	}))
	defer hook.Close()
	s.env = append(s.env, "RINGBACK_RETRY_INTERVAL=1s")
	s.embeds(100, 30)
	s.post("/callbacks", `{"name":"crm-prod","url":"`+hook.URL+`"}`, http.StatusCreated)
	s.people(0, 12)
	if !poll(func() bool { return strings.HasSuffix(s.status("FAILED"), "of 12") }) {
		s.Fatalf("the calls did not fail: %s", s.status("FAILED"))
	}
	s.shows("crm-prod")
	s.keys("Enter")
	s.shows("FAILED", "503")
	s.keys("R")
	s.shows("Send again now: 12 failed calls", "still down", "Its retries are off")
	s.keys("Enter")
	s.shows("let go  ", " to come", "u stops")
	if !poll(func() bool { return refused.Load() > 13 }) {
		s.Fatal("none goes first, and a second after it")
	}
	up.Store(true)
	// Retries are off: those that were refused once more stay as they are.
	if !poll(func() bool { return taken.Load() == 24-refused.Load() }) {
		s.Fatalf("%d are refused, and %d taken:\n%s", refused.Load(), taken.Load(), s.frame())
	}
	s.shows("Retry of crm-prod, ", fmt.Sprintf(": %d delivered, %d failed", taken.Load(), refused.Load()-12))
	want := fmt.Sprintf("of %d", taken.Load())
	if !poll(func() bool { return strings.HasSuffix(s.status("SUCCESS"), want) }) {
		s.Fatalf("not delivered: %s\n%s", s.status("SUCCESS"), s.frame())
	}
	if n := soon.Load(); n > 0 { // an interval begins when the answer is recorded, so that no load makes it shorter
		s.Errorf("%d of %d calls that went while the endpoint was down came too soon, want one an interval", n, refused.Load()-12)
	}
}
