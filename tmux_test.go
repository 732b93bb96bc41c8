package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// TestScreenInTmux opens the real binary in a real terminal, moves, resolves a
// call, reads that back over HTTP, and hangs up: deliveries go on.
func TestScreenInTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	s := newScreen(t, tmux)
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+closedPort(t)+`/"}`, http.StatusCreated)
	// What an attacker may send: a title, a clear, a bell, text that reorders the line.
	hostile := "\x1b]0;owned\x07\x1b[2J\u202egnp\u0007\r\nHilfe"
	for _, name := range []string{"Ann", "Bea", hostile} {
		quoted, _ := json.Marshal(name)
		s.post("/callbacks/crm-prod/responses", `{"from":{"name":`+string(quoted)+`},"responseMessage":{"channel":"SMS","acknowledged":"now","content":`+string(quoted)+`}}`, http.StatusAccepted)
	}
	if !poll(func() bool { return strings.HasPrefix(s.status("FAILED"), "1 to 3 of 3") }) {
		t.Fatalf("the calls did not fail: %s", s.status("FAILED"))
	}
	title := s.tmux("display-message", "-p", "#{pane_title}")

	s.shows("crm-prod", "worst first")
	s.keys("2")
	s.shows("RECEIVED", "gave up")
	s.keys("j") // from the newest, which is the hostile one, to Bea's
	s.keys("x")
	s.shows("Resolve", "Enter")
	s.keys("Enter")
	s.shows("resolved")
	if !poll(func() bool { return strings.HasPrefix(s.status("SUCCESS"), "1 to 1 of 1") }) {
		t.Fatalf("over HTTP the call is not resolved: %s", s.status("SUCCESS"))
	}
	if got := s.get("/callbacks/crm-prod/calls?status=SUCCESS"); !strings.Contains(got, `"Bea"`) || !strings.Contains(got, `"state":"resolved"`) {
		t.Errorf("resolved another call: %s", got)
	}

	s.keys("k", "Enter") // the hostile one, whole
	s.shows("attempt", "Hilfe")
	for _, size := range [][2]string{{"160", "45"}, {"40", "10"}, {"80", "24"}} {
		s.tmux("resize-window", "-t", "s", "-x", size[0], "-y", size[1])
		s.shows("help")
	}
	if got := s.tmux("display-message", "-p", "#{pane_title}"); got != title {
		t.Errorf("a response changed the terminal's title to %q", got)
	}
	s.insists("Escape", "3 calls")
	s.insists("q", "Leave")
	s.keys("Escape")
	s.shows("help")

	s.tmux("kill-server") // the terminal hangs up
	s.post("/callbacks/crm-prod/responses", `{"responseMessage":{"channel":"SMS","acknowledged":"now","content":"x"}}`, http.StatusAccepted)
	if !poll(func() bool { return strings.HasPrefix(s.status("FAILED"), "1 to 3 of 3") }) {
		t.Fatalf("without a terminal nothing is delivered: %s", s.status("FAILED"))
	}
	// A terminal that hangs up sends SIGHUP, which asks for a renewed certificate too.
	var log []byte
	if !poll(func() bool {
		log, _ = os.ReadFile(filepath.Join(s.dir, "data", "ringback.log")) // what is not there does not say it
		return strings.Contains(string(log), "SIGHUP: no certificate is set")
	}) {
		t.Errorf("SIGHUP under the screen reloads nothing:\n%s", log)
	}
}

// TestBulkInTmux resolves all that failed with one operation, takes that back,
// and lets all be retried once the endpoint is back.
func TestBulkInTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	var up atomic.Bool
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer hook.Close()
	s := newScreen(t, tmux)
	s.post("/callbacks", `{"name":"crm-prod","url":"`+hook.URL+`"}`, http.StatusCreated)
	failed := func() bool { return strings.HasPrefix(s.status("FAILED"), "1 to 3 of 3") }
	for range 3 {
		s.post("/callbacks/crm-prod/responses", `{"responseMessage":{"channel":"SMS","acknowledged":"now","content":"x"}}`, http.StatusAccepted)
	}
	if !poll(failed) {
		t.Fatalf("the calls did not fail: %s", s.status("FAILED"))
	}
	s.shows("crm-prod", "worst first")
	s.keys("Enter")
	s.shows("FAILED", "503")
	s.keys("X")
	s.shows("3 failed calls of crm-prod to count as SUCCESS", "3  503", "Note")
	s.keys("t", "4", "4")
	s.keys("Enter")
	s.shows("resolved 3 calls of crm-prod; u takes it back")
	if !poll(func() bool { return strings.HasPrefix(s.status("SUCCESS"), "1 to 3 of 3") }) {
		t.Fatalf("over HTTP they are not resolved: %s", s.status("SUCCESS"))
	}
	if got := s.get("/operations"); !strings.Contains(got, `"remark":"t44"`) {
		t.Errorf("the note is not kept: %s", got)
	}
	s.keys("u")
	s.shows("Take back: 3 calls of crm-prod")
	s.keys("Enter")
	s.shows("took back 3 calls of crm-prod")
	if !poll(failed) {
		t.Fatalf("over HTTP they do not fail again: %s", s.status("FAILED"))
	}
	up.Store(true)
	s.keys("R")
	s.shows("Send again now: 3 failed calls of crm-prod", "20/s")
	s.keys("Enter")
	s.shows("Retry of crm-prod, ", ": all 3 delivered")
	if !poll(func() bool { return strings.HasPrefix(s.status("SUCCESS"), "1 to 3 of 3") }) {
		t.Fatalf("not delivered: %s", s.status("SUCCESS"))
	}
}

// TestScreenOfAReaderInTmux attaches the real binary with a key of role read: it
// shows, and acts on nothing, and says so when the key is removed.
func TestScreenOfAReaderInTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	s := bareScreen(t, tmux, filepath.Join(build(t), "ringback"))
	s.env = append(s.env, "RINGBACK_HTTP_SOCKET=data/ring.sock")
	run := func(args ...string) *exec.Cmd {
		cmd := bounded(t, s.ringback, args...)
		cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
		return cmd
	}
	for _, args := range [][]string{{"callbacks", "add", "crm-prod", "http://127.0.0.1:1/"}, {"keys", "add", "other"}, {"keys", "add", "eyes", "--role", "read"}} {
		out, err := run(args...).Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if err := os.WriteFile(filepath.Join(s.dir, "key"), out, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s.serves()
	t.Cleanup(func() { _ = exec.Command(s.bin, "-S", s.socket, "kill-server").Run() }) // it is gone already, where the test ended it
	s.tmux("new-session", "-d", "-s", "s", "-x", "100", "-y", "30",
		fmt.Sprintf("cd %s && exec env RINGBACK_DATA_DIR=other %s tui --addr %s --key-file key", s.dir, s.ringback, s.url))
	s.shows("crm-prod", "read-only")
	s.keys("z")
	s.shows("z: this needs a key of role operator or admin; yours has role read")
	out, err := run("callbacks", "show", "crm-prod").Output()
	if err != nil || strings.Contains(string(out), "suspended") {
		t.Errorf("a reader's screen changed something: %v\n%s", err, out)
	}

	if out, err := run("keys", "remove", "eyes").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.shows("NO ACCESS", "This key is no longer accepted", "crm-prod")

	// Whoever may open the socket needs no key, and may act.
	s.tmux("respawn-window", "-k", "-t", "s", fmt.Sprintf("cd %s && exec env RINGBACK_DATA_DIR=other %s tui --socket data/ring.sock", s.dir, s.ringback))
	s.shows("crm-prod", "worst first")
	s.keys("z")
	s.shows("Suspend", "Enter")
	s.keys("Enter")
	if !poll(func() bool {
		out, err = run("callbacks", "show", "crm-prod").Output()
		return strings.Contains(string(out), "suspended")
	}) {
		t.Errorf("over the socket the screen suspends nothing: %v\n%s", err, out)
	}
}
