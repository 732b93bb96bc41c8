package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

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
	addr := closedPort(s.T)
	cmd := bounded(s.T, s.ringback, "tui", "--addr", "http://"+addr)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err == nil || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), addr) || strings.Contains(string(out), "\x1b") {
		s.Errorf("%v: %q", err, out)
	}
}
