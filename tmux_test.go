package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
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
	s.shows("FAILED", "gave up")
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
	if log, err := os.ReadFile(filepath.Join(filepath.Dir(s.socket), "data", "ringback.log")); err != nil || !strings.Contains(string(log), "SIGHUP: no certificate is set") {
		t.Errorf("SIGHUP under the screen reloads nothing: %v\n%s", err, log)
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
	s.shows("let 3 calls of crm-prod go again")
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
	dir := t.TempDir()
	bin, addr := filepath.Join(build(t), "ringback"), closedPort(t)
	run := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), bin, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "RINGBACK_HTTP_LISTEN="+addr, "RINGBACK_DATA_DIR=data", "RINGBACK_HTTP_SOCKET=data/ring.sock", "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB")
		return cmd
	}
	for _, args := range [][]string{{"callbacks", "add", "crm-prod", "http://127.0.0.1:1/"}, {"keys", "add", "other"}, {"keys", "add", "eyes", "--role", "read"}} {
		out, err := run(args...).Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if err := os.WriteFile(filepath.Join(dir, "key"), out, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	server := run("serve")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	s := &screen{T: t, bin: tmux, socket: filepath.Join(dir, "tmux"), url: "http://" + addr}
	t.Cleanup(func() {
		_ = exec.Command(s.bin, "-S", s.socket, "kill-server").Run() // it is gone already, where the test ended it
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait() // killed with the test's context, where it did not end before
	})
	if !poll(func() bool { return run("callbacks", "list", "--addr", s.url).Run() == nil }) {
		t.Fatal("the server does not answer")
	}
	s.tmux("new-session", "-d", "-s", "s", "-x", "100", "-y", "30",
		fmt.Sprintf("cd %s && exec env RINGBACK_DATA_DIR=other %s tui --addr %s --key-file key", dir, bin, s.url))
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
	s.tmux("respawn-window", "-k", "-t", "s", fmt.Sprintf("cd %s && exec env RINGBACK_DATA_DIR=other %s tui --socket data/ring.sock", dir, bin))
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

// screen is the binary in a terminal of its own.
type screen struct {
	*testing.T
	bin, socket, url string // bin is tmux

	ringback, dir string // the binary, and where it runs
	env           []string
}

func newScreen(t *testing.T, tmux string) *screen {
	t.Helper()
	dir := t.TempDir()
	addr := closedPort(t)
	s := &screen{T: t, bin: tmux, socket: filepath.Join(dir, "tmux"), url: "http://" + addr}
	data := filepath.Join(dir, "data")
	command := fmt.Sprintf("cd %s && exec env RINGBACK_HTTP_LISTEN=%s RINGBACK_DATA_DIR=%s RINGBACK_RETENTION_MIN_FREE_DISK=16MiB %s",
		dir, addr, data, filepath.Join(build(t), "ringback"))
	s.tmux("new-session", "-d", "-s", "s", "-x", "80", "-y", "24", command)
	t.Cleanup(func() {
		_ = exec.Command(s.bin, "-S", s.socket, "kill-server").Run() // it is gone already, where all went well
		s.stop(filepath.Join(data, "queue", "LOCK"))
	})
	s.shows("No callbacks yet")
	return s
}

// stop ends the server by the pid in its lock file, and waits until that is
// gone.
func (s *screen) stop(lock string) {
	b, err := os.ReadFile(lock)
	if err != nil {
		s.Errorf("the server is gone: %v", err)
		return
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		s.Errorf("lock file: %v", err)
		return
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		s.Errorf("end the server: %v", err)
	}
	if !poll(func() bool { _, err := os.Stat(lock); return err != nil }) {
		s.Error("the server did not end")
	}
	poll(func() bool { // its last notes come after the lock; a zombie writes nothing
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || strings.Contains(string(b), ") Z ")
	})
}

// closedPort returns an address on which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *screen) tmux(args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), s.bin, append([]string{"-S", s.socket, "-f", os.DevNull, "-u"}, args...)...)
	cmd.Env = append(os.Environ(), "LANG=C.UTF-8", "TERM=xterm-256color")
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (s *screen) keys(keys ...string) {
	s.Helper()
	s.tmux(append([]string{"send-keys", "-t", "s"}, keys...)...)
}

// insists presses a key until the screen shows text: an Escape, and a key right
// behind one, may be taken for something else.
func (s *screen) insists(key, text string) {
	s.Helper()
	if !poll(func() bool {
		s.keys(key)
		return strings.Contains(s.tmux("capture-pane", "-p", "-t", "s"), text)
	}) {
		s.Fatalf("%s does not lead to %q", key, text)
	}
}

// shows waits until the screen shows all of the texts.
func (s *screen) shows(texts ...string) {
	s.Helper()
	var got string
	ok := poll(func() bool {
		got = s.tmux("capture-pane", "-p", "-t", "s")
		for _, text := range texts {
			if !strings.Contains(got, text) {
				return false
			}
		}
		return true
	})
	if !ok {
		s.Fatalf("the screen does not show %q:\n%s", texts, got)
	}
}

func (s *screen) post(path, body string, want int) {
	s.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, s.url+path, bytes.NewReader([]byte(body)))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, _ := io.ReadAll(resp.Body); resp.StatusCode != want {
		s.Fatalf("POST %s: %s\n%s", path, resp.Status, answer)
	}
}

func (s *screen) get(path string) string {
	s.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.url+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.Fatal(err)
	}
	return string(b)
}

// status returns the status line of a list of calls, such as "1 to 3 of 3".
func (s *screen) status(of string) string {
	var list struct{ Status string }
	_ = json.Unmarshal([]byte(s.get("/callbacks/crm-prod/calls?status="+of)), &list) // an answer that is none has no status
	return list.Status
}
