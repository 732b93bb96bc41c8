package tui

import (
	"cmp"
	"errors"
	cmdline "flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	late  bool // somebody else changes what is edited before it is saved
	ops   []callback.OperationView
	retry callback.Requeued // of crm-prod
	over  func(*Options)
}

func embedded(o *Options) { o.Embedded = true }

var scenes = []scene{
	{name: "overview"},
	{name: "overview-retry", retry: callback.Requeued{Began: ago(time.Minute), Last: ago(time.Second), Calls: 12, Delivered: 3, Failed: 1}},
	{name: "callback", keys: "enter"},
	{name: "callback-failed", keys: "enter f"},
	{name: "calls", keys: "2 j space space k"},
	{name: "calls-filter", keys: "2 / s t a t u s : f a i l e d space c b : c r m - p r o d space s i n c e : 0 9 : 1 2 space c o d e : 5 space k i m"},
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
	{name: "help-search", keys: "? / f a i l"},
	{name: "palette", keys: ": r e t"},
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
	{name: "edit", keys: "e"},
	{name: "edit-fault", keys: "e tab ctrl+u f t p : tab right right tab s e c r e t tab"},
	{name: "edit-more", keys: "enter e " + strings.Repeat("tab ", 21) + "X - A : b"},
	{name: "edit-leave", keys: "e tab x esc"},
	{name: "edit-conflict", keys: "e tab x ctrl+s", late: true},
	{name: "new", first: true, keys: "n c r m tab"},
	{name: "edit-warning", keys: "e tab / p tab" + strings.Repeat(" tab", 7) + " ctrl+u o p s @ e x m a p l e . c o m tab"},
	{name: "edit-try", keys: "e tab / p tab right space b ctrl+t"},
	{name: "edit-tried", keys: "e tab / p tab right tab s e c r e t ctrl+t enter"},
	{name: "overview-read", over: func(o *Options) { o.ReadOnly = true }},
	{name: "delete", keys: "delete c r m"},
	{name: "test", keys: "T"},
	{name: "test-answer", keys: "T enter"},
}

// play brings a scene up.
func (s scene) play(t *testing.T, w, h int, look func(p *pilot)) {
	t.Helper()
	f := newFake()
	f.ops.list, f.late = s.ops, s.late
	f.health("crm-prod").Live.Requeued = s.retry
	if s.first {
		f.overview.Callbacks, f.overview.Events, f.server.MailServer = nil, nil, ""
	}
	fly(t, f, w, h, s.over, func(p *pilot) {
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

// sizes are those that every scene is drawn at.
var sizes = []string{"80x24", "140x40", "60x15", "40x10"}

// TestGolden compares every scene, at every size and in every theme, with its
// file: testdata/frames/SCENE-SIZE.txt. -update writes them anew; review them.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, s := range scenes {
		for _, size := range sizes {
			t.Run(s.name+"-"+size, func(t *testing.T) {
				t.Parallel()
				var w, h int
				if _, err := fmt.Sscanf(size, "%dx%d", &w, &h); err != nil {
					t.Fatal(err)
				}
				s.play(t, w, h, func(p *pilot) {
					compare(t, frameFile(s.name, size), photograph(p))
				})
			})
		}
	}
}

func frameFile(scene, size string) string {
	return filepath.Join("testdata", "frames", scene+"-"+size+".txt")
}

// TestGoldenFilesAreUsed finds the files of scenes that are gone.
func TestGoldenFilesAreUsed(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, s := range scenes {
		for _, size := range sizes {
			used[frameFile(s.name, size)] = true
		}
	}
	files, err := filepath.Glob(frameFile("*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !used[file] {
			t.Errorf("%s is of no scene and size", file)
		}
	}
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

// themes are those that a frame's legend tells of, in its order.
var themes = [...]Theme{ThemeDark, ThemeLight, ThemeANSI, ThemeANSILight, ThemeNone}

// styleLetters stand for styles in a map; the dot is the terminal's own in all themes.
const styleLetters = ".abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// photograph writes a frame down as a terminal's cells hold it: its text, a map
// of its styles, one letter a cell, what the letters stand for in each theme, and
// the rows that are others where only ASCII can be shown.
func photograph(p *pilot) string {
	p.t.Helper()
	w, h := p.m.canvas.Size()
	var text []string
	styles := make([][len(themes)]string, w*h)
	for i, theme := range themes {
		buf := develop(p, theme, false)
		if rows := rowsOf(buf); i == 0 {
			text = rows
		} else if !slices.Equal(rows, text) {
			p.t.Fatalf("in theme %v the text is another:\n%s", theme, strings.Join(rows, "\n"))
		}
		for at := range styles {
			styles[at][i] = styleAt(buf, at%w, at/w)
		}
	}
	var out strings.Builder
	for _, row := range text {
		out.WriteString(row + "\n")
	}
	cursor := "hidden"
	if c := p.m.manner.cursor; c.on {
		cursor = fmt.Sprintf("%d,%d", c.x, c.y)
	}
	fmt.Fprintf(&out, "--- cursor %s; styles\n", cursor)
	legend := [][len(themes)]string{{"-", "-", "-", "-", "-"}}
	for y := range h {
		row := make([]byte, w)
		for x := range row {
			n := slices.Index(legend, styles[y*w+x])
			if n < 0 {
				n, legend = len(legend), append(legend, styles[y*w+x])
			}
			row[x] = styleLetters[n]
		}
		out.WriteString(strings.TrimRight(string(row), ".") + "\n")
	}
	fmt.Fprintf(&out, "---   %s\n", strings.Trim(fmt.Sprint(themes), "[]"))
	for n, look := range legend[1:] {
		fmt.Fprintf(&out, "%c %s\n", styleLetters[n+1], strings.Join(look[:], " | "))
	}
	out.WriteString("--- ascii\n")
	plain := develop(p, ThemeDark, true)
	for y, row := range rowsOf(plain) {
		if row != text[y] {
			fmt.Fprintf(&out, "%2d %s\n", y, row)
		}
	}
	for at := range styles {
		if got := styleAt(plain, at%w, at/w); got != styles[at][0] {
			p.t.Fatalf("in ASCII cell %d,%d has style %q, else %q", at%w, at/w, got, styles[at][0])
		}
	}
	return out.String()
}

// develop draws the frame with a palette, into the cells of a terminal.
func develop(p *pilot, theme Theme, ascii bool) uv.ScreenBuffer {
	p.t.Helper()
	p.m.canvas.SetPalette(NewPalette(theme, ascii))
	p.m.dirty = true
	p.m.View()
	frame := p.m.canvas.String()
	checkFrame(p.t, p.m.canvas, frame)
	w, h := p.m.canvas.Size()
	buf := uv.NewScreenBuffer(w, h)
	buf.Method = ansi.WcWidth
	uv.NewStyledString(frame).Draw(buf, buf.Bounds())
	return buf
}

// rowsOf returns the text of cells, without the blanks at the ends of rows.
func rowsOf(buf uv.ScreenBuffer) (rows []string) {
	for y := range buf.Bounds().Dy() {
		var row strings.Builder
		for x := range buf.Bounds().Dx() {
			if c := buf.CellAt(x, y); c != nil && c.Width > 0 { // the rest of a wide one has none
				row.WriteString(c.Content)
			}
		}
		rows = append(rows, strings.TrimRight(row.String(), " "))
	}
	return rows
}

// styleAt returns the SGR parameters of a cell, or of the wide one it belongs to;
// "-" for none.
func styleAt(buf uv.ScreenBuffer, x, y int) string {
	c := buf.CellAt(x, y)
	for x > 0 && (c == nil || c.Width == 0) {
		x--
		c = buf.CellAt(x, y)
	}
	return cmp.Or(strings.Trim(strings.TrimSuffix(c.Style.String(), "m"), "\x1b["), "-")
}
