package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/charmbracelet/x/ansi"
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
			dir := t.TempDir()
			addr := closedPort(t)
			test(&screen{T: t, bin: tmux, socket: filepath.Join(dir, "tmux"), url: "http://" + addr, ringback: bin, dir: dir, env: []string{
				"RINGBACK_HTTP_LISTEN=" + addr, "RINGBACK_DATA_DIR=" + filepath.Join(dir, "data"), "RINGBACK_RETENTION_MIN_FREE_DISK=16MiB",
			}})
		})
	}
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
	s.opens(w, h, "")
	s.Cleanup(func() { s.stop(filepath.Join(s.dir, "data", "queue", "LOCK")) })
	if !poll(func() bool {
		_, err := os.Stat(filepath.Join(s.dir, "data", "address"))
		return err == nil
	}) {
		s.Fatalf("it does not run:\n%s", s.frame())
	}
}

// serves starts the appliance alone.
func (s *screen) serves() *exec.Cmd {
	s.Helper()
	cmd := exec.Command(s.ringback, "serve")
	cmd.Dir, cmd.Env = s.dir, append(os.Environ(), s.env...)
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have been killed
		_ = cmd.Wait()
	})
	if !poll(func() bool {
		res, err := http.Get(s.url + "/healthz")
		if err != nil {
			return false
		}
		res.Body.Close()
		return true
	}) {
		s.Fatal("the server does not answer")
	}
	return cmd
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

	if err := server.Process.Kill(); err != nil {
		s.Fatal(err)
	}
	_ = server.Wait() // it was killed
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
	var refused, taken atomic.Int64
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !up.Load() {
			refused.Add(1)
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
	s.shows("of 12", "u stops")
	if !poll(func() bool { return refused.Load() > 12 }) {
		s.Fatal("none goes first")
	}
	up.Store(true)
	s.shows("let 12 calls of crm-prod go again")
	// Retries are off: those that were refused once more stay as they are.
	if !poll(func() bool { return taken.Load() == 24-refused.Load() }) {
		s.Fatalf("%d are refused, and %d taken:\n%s", refused.Load(), taken.Load(), s.frame())
	}
	want := fmt.Sprintf("of %d", taken.Load())
	if !poll(func() bool { return strings.HasSuffix(s.status("SUCCESS"), want) }) {
		s.Fatalf("not delivered: %s\n%s", s.status("SUCCESS"), s.frame())
	}
	if n := refused.Load() - 12; n > 3 {
		s.Errorf("%d calls went while the endpoint was down, want one an interval", n)
	}
}

// hostileText puts what an attacker may send wherever a caller's text is shown:
// the frame keeps its shape, and nothing reaches the terminal's own state.
func hostileText(s *screen) {
	s.embeds(80, 24)
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+closedPort(s.T)+`/"}`, http.StatusCreated)
	texts := []string{
		"\x1b]0;owned\x07\x1b[2J\x1b[?1049l\x1b[31m", "\u009b2J\u009d0;owned\u009c", "\u202egnp.exe\u2066x\u2069", strings.Repeat("long ", 2000),
		"z" + strings.Repeat("\u0335", 300), "\u200b\u2060\ufeff\u00ad", "👩\u200d👩\u200d👧\u200d👦 👍🏽 🇦🇺🇧🇷 🇦", "नमस्ते स्ते क्ष", "陳大文 각 ｶﾞ ﷽", "tab\tline\r\nnext\u2028x",
	}
	var lines bytes.Buffer
	for _, text := range texts {
		quoted, err := json.Marshal(text)
		if err != nil {
			s.Fatal(err)
		}
		name := quoted
		if len(text) > 1000 {
			name = []byte(`"` + text[:1000] + `"`) // the longest there can be
		}
		fmt.Fprintf(&lines, `{"callbackId":"crm-prod","from":{"name":%s},"customParameters":{"p":%s},"responseMessage":{"channel":"SMS","acknowledged":"now","content":%s}}`+"\n", name, name, quoted)
	}
	s.stream(&lines)
	want := fmt.Sprintf("of %d", len(texts))
	if !poll(func() bool { return strings.HasSuffix(s.status("FAILED"), want) }) {
		s.Fatalf("the calls did not fail: %s", s.status("FAILED"))
	}
	const state = "#{pane_title} #{alternate_on} #{cursor_flag} #{mouse_any_flag} #{window_bell_flag}"
	s.keys("2")
	s.shows("FAILED", "10 calls")
	before := s.tmux("display-message", "-p", "-t", "s", state)
	shaped := func(f string) bool {
		rows := strings.Split(strings.TrimSuffix(f, "\n"), "\n")
		return len(rows) == 24 && strings.Contains(rows[0], "1 Overview") && strings.Contains(rows[23], "? help")
	}
	for range texts {
		s.keys("Enter")
		s.shows("Call ", "attempt 1")
		s.awaits("a frame in shape", shaped)
		if f := s.frame(); strings.Contains(f, "\u202e") || strings.Contains(f, "\x1b") || strings.Contains(f, "\u009b") {
			s.Errorf("what steers a terminal is on it: %q", f)
		}
		s.keys("Escape")
		s.shows("10 calls")
		s.awaits("a frame in shape", shaped)
		s.keys("j")
	}
	if after := s.tmux("display-message", "-p", "-t", "s", state); after != before {
		s.Errorf("a response changed the terminal from %q to %q", before, after)
	}
}

var (
	colours  = regexp.MustCompile(`\x1b\[([0-9;]*;)?(3[0-8]|4[0-8]|9[0-7]|10[0-7])[;m]`)
	reversed = regexp.MustCompile(`(?m)^(\x1b\[[0-9;]*m)*\x1b\[([0-9;]*;)?7m(\x1b\[[0-9;]*m)*>`)
)

// withoutColours has NO_COLOR respected, and the selection seen all the same.
func withoutColours(s *screen) {
	s.env = append(s.env, "NO_COLOR=1")
	s.selection(func(f string) bool { return !colours.MatchString(f) && reversed.MatchString(f) })
}

// dumbTerminal has a terminal that has no styles at all get none.
func dumbTerminal(s *screen) {
	s.env = append(s.env, "TERM=dumb")
	s.selection(func(f string) bool { return !strings.Contains(f, "\x1b[") })
}

// themeByName has a theme that was asked for win over NO_COLOR.
func themeByName(s *screen) {
	s.env = append(s.env, "NO_COLOR=1", "RINGBACK_TUI_THEME=dark")
	s.selection(colours.MatchString)
}

// selection waits until the overview with a selected row is as is says, escape
// sequences and all.
func (s *screen) selection(is func(frame string) bool) {
	s.Helper()
	s.embeds(80, 24)
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+closedPort(s.T)+`/"}`, http.StatusCreated)
	s.shows("> crm-prod")
	got := ""
	if !poll(func() bool {
		got = s.tmux("capture-pane", "-p", "-e", "-t", "s")
		return is(got)
	}) {
		s.Fatalf("not so:\n%q", got)
	}
}

// withoutUnicode has a terminal that can show ASCII alone get nothing else.
func withoutUnicode(s *screen) {
	s.env = append(s.env, "LC_ALL=C")
	s.embeds(80, 24)
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+closedPort(s.T)+`/"}`, http.StatusCreated)
	s.people(0, 3)
	for _, tab := range []string{"1", "2", "3", "4", "5", "6", "?"} {
		s.keys(tab)
		s.shows("q")
		s.awaits("ASCII alone", func(f string) bool {
			return strings.IndexFunc(f, func(r rune) bool { return r > '~' }) < 0
		})
	}
}

// smallTerminal has as much as there is room for, and a way out.
func smallTerminal(s *screen) {
	s.embeds(30, 8)
	s.post("/callbacks", `{"name":"crm-prod","url":"http://`+closedPort(s.T)+`/"}`, http.StatusCreated)
	s.shows("crm-prod", "q quit")
	s.tmux("resize-window", "-t", "s", "-x", "15", "-y", "3")
	s.awaits("one line", func(f string) bool {
		return strings.TrimSpace(f) != "" && ansi.StringWidth(strings.SplitN(f, "\n", 2)[0]) <= 15
	})
	s.keys("q")
	s.tmux("resize-window", "-t", "s", "-x", "80", "-y", "24")
	s.shows("Leave")
}

// silentAddress says before it touches the terminal that nobody is there.
func silentAddress(s *screen) {
	cmd := exec.Command(s.ringback, "tui", "--addr", s.url)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), strings.TrimPrefix(s.url, "http://")) || strings.Contains(string(out), "\x1b") {
		s.Errorf("%v: %q", err, out)
	}
}
