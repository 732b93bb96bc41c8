package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// screen is the binary in a terminal of its own.
type screen struct {
	*testing.T
	bin, socket, url string // bin is tmux

	ringback, dir string // the binary, and where it runs
	env           []string
}

func newScreen(t *testing.T, tmux string) *screen {
	t.Helper()
	s := bareScreen(t, tmux, filepath.Join(build(t), "ringback"))
	s.embeds(80, 24)
	s.shows("No callbacks yet")
	return s
}

// bareScreen has a folder, and nothing that runs there yet.
func bareScreen(t *testing.T, tmux, bin string) *screen {
	t.Helper()
	dir := t.TempDir()
	return &screen{T: t, bin: tmux, socket: filepath.Join(dir, "tmux"), ringback: bin, dir: dir, env: []string{
		"RINGBACK_HTTP_LISTEN=127.0.0.1:0", "RINGBACK_DATA_DIR=" + filepath.Join(dir, "data"), "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB",
	}}
}

// opens starts the binary in a terminal of that size.
func (s *screen) opens(w, h int, args string) {
	s.Helper()
	s.tmux("new-session", "-d", "-s", "s", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h),
		fmt.Sprintf("cd %s && exec env %s %s %s", s.dir, strings.Join(s.env, " "), s.ringback, args))
	s.Cleanup(func() { _ = exec.Command(s.bin, "-S", s.socket, "kill-server").Run() }) // it may be gone already
}

// embeds starts the appliance with its screen.
func (s *screen) embeds(w, h int) {
	s.Helper()
	data := filepath.Join(s.dir, "data")
	s.opens(w, h, "")
	s.Cleanup(func() {
		s.stop(filepath.Join(data, "queue", "LOCK"))
		if s.Failed() {
			log, err := os.ReadFile(filepath.Join(data, "ringback.log"))
			s.Logf("the log under the screen (%v):\n%s", err, log)
		}
	})
	if !poll(func() bool { s.url = noted(data); return s.url != "" }) {
		s.Fatalf("it does not run:\n%s", s.frame())
	}
}

// serves starts the appliance alone.
func (s *screen) serves() *process {
	s.Helper()
	cmd := exec.Command(s.ringback, "serve")
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	p := serve(s.T, cmd, filepath.Join(s.dir, "data"))
	s.Cleanup(func() {
		if !over(p.ended) {
			p.end(s.T)
		}
	})
	s.url = p.url
	return p
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

func (s *screen) tmux(args ...string) string {
	s.Helper()
	cmd := bounded(s.T, s.bin, append([]string{"-S", s.socket, "-f", os.DevNull, "-u"}, args...)...)
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

// frame returns what the terminal shows, without blanks at the ends of rows.
func (s *screen) frame() string {
	s.Helper()
	rows := strings.Split(s.tmux("capture-pane", "-p", "-t", "s"), "\n")
	for i := range rows {
		rows[i] = strings.TrimRight(rows[i], " ")
	}
	return strings.Join(rows, "\n")
}

// row returns the first row that begins with a prefix.
func (s *screen) row(prefix string) string {
	s.Helper()
	for line := range strings.Lines(s.frame()) {
		if strings.HasPrefix(line, prefix) {
			return strings.TrimRight(line, " \n")
		}
	}
	return ""
}

// awaits waits until the screen is as it should be.
func (s *screen) awaits(what string, is func(frame string) bool) {
	s.Helper()
	var got string
	if !poll(func() bool {
		got = s.frame()
		return is(got)
	}) {
		s.Fatalf("%s: not so:\n%s", what, got)
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

// people enqueues a response of each of n people, the first the oldest.
func (s *screen) people(from, n int) {
	s.Helper()
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"callbackId":"crm-prod","from":{"name":"P%03d"},"responseMessage":{"channel":"SMS","acknowledged":"now","content":"x"}}`+"\n", from+i)
	}
	s.stream(&b)
}

// stream enqueues lines, and fails where one is refused.
func (s *screen) stream(lines io.Reader) {
	s.Helper()
	res, err := http.Post(s.url+"/responses", "application/x-ndjson", lines)
	if err != nil {
		s.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		s.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		if bytes.Contains(line, []byte(`"error":`)) {
			s.Fatalf("%s", line)
		}
	}
}

// delivered has n people's responses delivered to a callback crm-prod.
func (s *screen) delivered(n int) {
	s.Helper()
	hook := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Cleanup(hook.Close)
	s.post("/callbacks", `{"name":"crm-prod","url":"`+hook.URL+`"}`, http.StatusCreated)
	s.people(0, n)
	if !poll(func() bool { return strings.HasSuffix(s.status("SUCCESS"), fmt.Sprint("of ", n)) }) {
		s.Fatalf("the calls are not delivered: %s", s.status("SUCCESS"))
	}
}
