package tui

import (
	"errors"
	cmdline "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"ringback/callback"
)

var update = cmdline.Bool("update", false, "write the golden frames anew")

// scene is one screen as the golden frames show it.
type scene struct {
	name  string
	keys  string
	first bool // there is no callback yet
	gone  bool // the server stopped answering 13 s ago
	ops   []callback.OperationView
	over  func(*Options)
}

func embedded(o *Options) { o.Embedded = true }

var scenes = []scene{
	{name: "overview"},
	{name: "callback", keys: "enter"},
	{name: "callback-failed", keys: "enter f"},
	{name: "calls", keys: "2 j space space k"},
	{name: "calls-filter", keys: "2 / s t a t u s : f a i l e d space c b : x y"},
	{name: "call", keys: "2 j j enter"},
	{name: "call-held", keys: "enter j enter"},
	{name: "outages", keys: "3 j j j"},
	{name: "resolve", keys: "2 j space space space x"},
	{name: "retry-many", keys: "2 f * ctrl+d ctrl+d ctrl+d * r 1 2"},
	{name: "retry-all", keys: "enter R 1 2"},
	{name: "resolve-all", keys: "enter X 1 2 8 4 tab o k"},
	{name: "operation", keys: "enter", ops: []callback.OperationView{runningOp("bob")}},
	{name: "suspend", keys: "z"},
	{name: "help", keys: "?"},
	{name: "first-run", first: true},
	{name: "gone", gone: true},
	{name: "gone-calls", keys: "2", gone: true},
	{name: "leave", keys: "q", over: embedded},
	{name: "paused", keys: "2 p t"},
	{name: "queue", keys: "4 j"},
	{name: "system", keys: "5"},
	{name: "log", keys: "6"},
	{name: "log-warn", keys: "6 l w j"},
	{name: "chore", keys: "5 B"},
}

// play brings a scene up.
func (s scene) play(t *testing.T, w, h int, change func(*Options), look func(p *pilot)) {
	t.Helper()
	f := newFake()
	f.ops.list = s.ops
	if s.first {
		f.overview.Callbacks, f.overview.Events, f.server.MailServer = nil, nil, ""
	}
	fly(t, f, w, h, func(o *Options) {
		if s.over != nil {
			s.over(o)
		}
		if change != nil {
			change(o)
		}
	}, func(p *pilot) {
		p.press(s.keys)
		if s.gone {
			f.set(func() {
				f.fail = errors.New("reach ringback at /run/ringback.sock: dial unix /run/ringback.sock: connect: connection refused")
			})
			p.pass(13 * time.Second)
			// How long until the next try has a part that is left to chance.
			p.m.desk.link.tries = 6
			p.m.desk.link.next = p.m.desk.opt.Now().Add(3 * time.Second)
			p.m.dirty = true
			p.m.View()
		}
		look(p)
	})
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes {
		for _, size := range []string{"80x24", "140x40"} {
			golden(t, s, size, "dark", nil)
		}
	}
	first := scenes[0]
	for _, theme := range []string{"light", "ansi", "none"} {
		golden(t, first, "80x24", theme, func(o *Options) { o.Theme = theme })
	}
	golden(t, first, "80x24", "ascii", func(o *Options) { o.ASCII = true })
	for _, s := range scenes {
		golden(t, s, "60x15", "dark", nil)
		golden(t, s, "40x10", "dark", nil)
	}
}

// golden compares a scene with its file.
func golden(t *testing.T, s scene, size, look string, change func(*Options)) {
	t.Helper()
	name := s.name + "-" + size
	if look != "dark" {
		name += "-" + look
	}
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		var w, h int
		if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
			t.Fatal(err)
		}
		s.play(t, w, h, change, func(p *pilot) {
			checkFrame(t, p.m.canvas, p.m.View().Content)
			compare(t, filepath.Join("testdata", "frames", name+".txt"), frameText(p, w, h))
		})
	})
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; -update writes it", err)
	}
	if got != string(want) {
		t.Fatalf("%s differs; -update writes it anew\n got:\n%s\nwant:\n%s", file, got, want)
	}
}

// frameText writes a frame down as text, a map of its styles, one letter a
// cell, and what the letters stand for: as a terminal's cells hold it.
func frameText(p *pilot, w, h int) string {
	v := p.m.View()
	buf := uv.NewScreenBuffer(w, h)
	buf.Method = ansi.WcWidth
	uv.NewStyledString(v.Content).Draw(buf, buf.Bounds())
	var text, styles, legend strings.Builder
	letters := map[string]byte{"": '.'}
	for y := range h {
		var row, looks strings.Builder
		for x := 0; x < w; x++ {
			cell := buf.CellAt(x, y)
			if cell == nil || cell.Width == 0 {
				continue
			}
			style := strings.Trim(strings.TrimSuffix(cell.Style.String(), "m"), "\x1b[")
			letter, ok := letters[style]
			if !ok {
				letter = byte('a' + len(letters) - 1)
				letters[style] = letter
				fmt.Fprintf(&legend, "%c %s\n", letter, style)
			}
			row.WriteString(cell.Content)
			looks.WriteString(strings.Repeat(string(letter), cell.Width))
		}
		text.WriteString(strings.TrimRight(row.String(), " ") + "\n")
		styles.WriteString(strings.TrimRight(looks.String(), ".") + "\n")
	}
	cursor := "cursor hidden\n"
	if v.Cursor != nil {
		cursor = fmt.Sprintf("cursor %d,%d\n", v.Cursor.X, v.Cursor.Y)
	}
	return text.String() + "--- " + cursor + styles.String() + "---\n" + legend.String()
}
