package tui

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"ringback/callback"
)

// hostile is text as endpoints, mail servers and callers may send it.
var hostile = []string{
	"plain", "", "Zoë Ng", "陳大文", "\x1b[2J\x1b]0;owned\x07red\x1b[31m", "\x9b31m\u009b", "a\u202eevil\u2066x\u2069",
	"👩\u200d👩\u200d👧\u200d👦 family", "👍🏽", "❤\ufe0f", "🇦🇺🇧🇷", "🇦", "🇧", "स्ते क्ष नमस्ते", "ா", "நி", "คำ", "ำ", "각", "ᄀ", "ᅡ",
	"e\u0301\u0323", "\u0301", "z" + strings.Repeat("\u0335", 300), "\u200b\u2060\ufeff\u00ad", "\u06001", "1\ufe0f\u20e3", "\ufe0f",
	"tab\tline\r\nnext\u2028x", "bad \xff\xfe utf8", strings.Repeat("long ", 2000), strings.Repeat("界", 5000), "a\u200d", "\u200db", "ｶﾞ", "﷽", "⣿", "\U0001fae9\U000e0041",
}

// measured returns the frame's rows as the renderer's own cells see them: how
// many cells each takes, by the width method it uses.
func measured(frame string, w, h int, m ansi.Method) (rows int, short error) {
	buf := uv.NewScreenBuffer(w+20, h+3)
	buf.Method = m
	uv.NewStyledString(strings.ReplaceAll(frame, "\n", "|\n")+"|").Draw(buf, buf.Bounds())
	for y := range h {
		var got []string
		for x := 0; x < w+20; x++ {
			if c := buf.CellAt(x, y); c != nil && c.Content == "|" && x >= w {
				got = append(got, fmt.Sprint(x))
			}
		}
		if len(got) != 1 || got[0] != fmt.Sprint(w) {
			return y, fmt.Errorf("row %d ends at cells %v, want %d", y, got, w)
		}
	}
	return h, nil
}

var ownSGR = regexp.MustCompile(`\x1b\[[0-9;]*m`)

func checkFrame(t *testing.T, c *Canvas, frame string) {
	t.Helper()
	w, h := c.Size()
	if got := strings.Count(frame, "\n") + 1; got != h {
		t.Fatalf("%d rows, want %d", got, h)
	}
	if !utf8.ValidString(frame) {
		t.Fatalf("not UTF-8: %q", frame)
	}
	bare := ownSGR.ReplaceAllString(frame, "")
	for _, row := range strings.Split(bare, "\n") {
		if got := callback.Sanitize(row, 1<<20); got != row {
			t.Fatalf("unsafe row %q", row)
		}
		if n := c.method.StringWidth(row); n != w {
			t.Fatalf("row of %d cells, want %d: %q", n, w, row)
		}
	}
	if _, err := measured(frame, w, h, c.method); err != nil {
		t.Fatalf("%v in %q", err, frame)
	}
	for i, row := range strings.Split(c.Text(), "\n") {
		if want := strings.TrimRight(strings.Split(bare, "\n")[i], " "); row != want {
			t.Fatalf("Text row %d: got %q, want %q", i, row, want)
		}
	}
}

// String returns the frame as one string: its rows, joined by line feeds, each of
// which begins and ends unstyled.
func (c *Canvas) String() string {
	c.settle()
	var out []byte
	for y := range c.h {
		if y > 0 {
			out = append(out, '\n')
		}
		var pen uint8
		for x := 0; x < c.w; x++ { // cell by cell, so that the cursor is never moved
			out, pen = c.run(out, pen, y, x, x+1)
		}
		if pen != 0 {
			out = append(out, c.palette.sgr[0]...)
		}
	}
	return string(out)
}

// scribble draws texts all over a canvas, by every way there is.
func scribble(c *Canvas, texts []string, x, y int) {
	w, h := c.Size()
	for i, s := range texts {
		x = c.Put(x, y+i, Role(i)%roles, s)
		x = c.PutIn(x, y+i, 7+i%5, Role(i+1)%roles, s, Align(i%3))
		c.PutIn(x-9, y+i, 4, RoleOK, s, Left) // over what is there
		c.PutIn(-3, y+i+1, 9, RoleOK, s, Right)
		if r, _ := utf8.DecodeRuneInString(s); s != "" {
			c.Set(w-1-i, y+i, RoleText, r)
		}
		for j, line := range c.Wrap(s, 2+i, 3) {
			c.Put(w/2, h/2+j, RoleText, line)
		}
		c.Put(w-3, y+i, RoleDown, s)
		x %= max(w, 1)
	}
	c.RuleIn(3, h/3, w-6, strings.Join(texts, " "), "right")
	c.Rule(h/4, "title", strings.Join(texts, " "))
	c.Box(w/3, h/3, w/2, h/2, strings.Join(texts, ""))
	c.Select(h / 2)
	c.Dim(2, 0, w/2, h)
}

func FuzzCanvas(f *testing.F) {
	for i, s := range hostile {
		f.Add(s, hostile[(i*7+3)%len(hostile)], uint8(80), uint8(24), int8(i), i%2 == 0)
		f.Add(s, hostile[(i+1)%len(hostile)], uint8(i), uint8(i%9), int8(-i), i%2 == 1)
	}
	palettes := []*Palette{NewPalette(ThemeDark, false), NewPalette(ThemeLight, true), NewPalette(ThemeANSI, false), NewPalette(ThemeNone, false)}
	f.Fuzz(func(t *testing.T, a, b string, w, h uint8, at int8, graphemes bool) {
		c := NewCanvas(1+int(w)%250, 1+int(h)%80, palettes[int(uint8(at))%len(palettes)])
		c.SetGraphemes(graphemes)
		scribble(c, []string{a, b, a + b, b + " " + a}, int(at), int(at)/4)
		checkFrame(t, c, c.String())
	})
}

// Every character of Unicode, between letters and beside itself; of the large
// blocks of like ones, some.
func TestCanvasEveryRune(t *testing.T) {
	t.Parallel()
	for _, graphemes := range []bool{false, true} {
		t.Run(fmt.Sprintf("graphemes=%v", graphemes), func(t *testing.T) {
			t.Parallel()
			c := NewCanvas(10, 1, NewPalette(ThemeNone, false))
			c.SetGraphemes(graphemes)
			for r := rune(1); r <= utf8.MaxRune; r++ {
				switch {
				case r >= 0xd800 && r <= 0xdfff:
					continue // no characters
				case r >= 0x3400 && r < 0xa000, r >= 0xac00 && r < 0xd7a4, r >= 0xe000 && r < 0xf900, r >= 0x17000 && r < 0x1af00, r >= 0x20000:
					r += 100
				}
				s := string(r)
				x := c.PutIn(0, 0, 4, RoleText, "a"+s+"b", Left)
				x = c.Put(x, 0, RoleText, s)
				c.Set(x, 0, RoleText, r)
				c.Put(x+1, 0, RoleText, s+s+s)
				row := c.String()
				if got := c.method.StringWidth(row); got != 10 {
					t.Fatalf("%U: %d cells in %q", r, got, row)
				}
				c.Reset(10, 1)
			}
		})
	}
}

func TestCanvasPut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		draw func(*Canvas)
		want string
	}{
		{"text", func(c *Canvas) { c.Put(1, 0, RoleText, "abc") }, " abc"},
		{"right edge", func(c *Canvas) { c.Put(8, 0, RoleText, "abc") }, "        ab"},
		{"left edge", func(c *Canvas) { c.Put(-1, 0, RoleText, "abc") }, "bc"},
		{"other row", func(c *Canvas) { c.Put(0, 1, RoleText, "abc"); c.Put(0, -1, RoleText, "abc") }, ""},
		{"next column", func(c *Canvas) { c.Put(c.Put(0, 0, RoleText, "陳"), 0, RoleText, "x") }, "陳x"},
		{"wide at the edge", func(c *Canvas) { c.Put(7, 0, RoleText, "陳陳") }, "       陳"},
		{"field", func(c *Canvas) { c.PutIn(0, 0, 6, RoleText, "abc", Left); c.Put(6, 0, RoleText, "|") }, "abc   |"},
		{"field, right", func(c *Canvas) { c.PutIn(0, 0, 6, RoleText, "abc", Right) }, "   abc"},
		{"field, centre", func(c *Canvas) { c.PutIn(0, 0, 7, RoleText, "abc", Centre) }, "  abc"},
		{"field, full", func(c *Canvas) { c.PutIn(0, 0, 3, RoleText, "abc", Left) }, "abc"},
		{"field, cut", func(c *Canvas) { c.PutIn(0, 0, 3, RoleText, "abcd", Right) }, "ab~"},
		{"field, wide cut", func(c *Canvas) { c.PutIn(0, 0, 4, RoleText, "陳大文", Left) }, "陳 ~"},
		{"field of one", func(c *Canvas) { c.PutIn(0, 0, 1, RoleText, "陳", Left) }, "~"},
		{"field over the edge", func(c *Canvas) { c.PutIn(7, 0, 9, RoleText, "abcdef", Left) }, "       ab~"},
		{"field over text", func(c *Canvas) { c.Put(0, 0, RoleText, "xxxxxx"); c.PutIn(1, 0, 3, RoleText, "a", Left) }, "xa  xx"},
		{"half a wide one", func(c *Canvas) { c.Put(0, 0, RoleText, "陳大"); c.Put(1, 0, RoleText, "x") }, " x大"},
		{"other half", func(c *Canvas) { c.Put(0, 0, RoleText, "陳大"); c.Put(2, 0, RoleText, "x") }, "陳x"},
		{"wide over two", func(c *Canvas) { c.Put(0, 0, RoleText, "陳大"); c.Put(1, 0, RoleText, "文") }, " 文"},
		{"marks stay", func(c *Canvas) { c.Put(0, 0, RoleText, "e\u0301x") }, "e\u0301x"},
		{"orphan mark", func(c *Canvas) { c.Put(0, 0, RoleText, "a"); c.Put(1, 0, RoleText, "\u0301b") }, "ab"},
		{"vowel sign alone", func(c *Canvas) { c.Put(0, 0, RoleText, "a"); c.Put(1, 0, RoleText, "ாb") }, "a?b"},
		{"control characters", func(c *Canvas) { c.Put(0, 0, RoleText, "a\x1b[31mb\nc\u202ed") }, "a[31mb cd"},
		{"rule", func(c *Canvas) { c.Rule(0, "", "") }, "──────────"},
		{"rule, title", func(c *Canvas) { c.Rule(0, "ab", "") }, "── ab ────"},
		{"rule, long title", func(c *Canvas) { c.Rule(0, "abcdef", "xy") }, "── abc~ ──"},
		{"rule, right", func(c *Canvas) { c.Rule(0, "", "xyz") }, "─── xyz ──"},
		{"no sign", func(c *Canvas) {
			c.Set(0, 0, RoleText, '陳')
			c.Set(1, 0, RoleText, '\x1b')
			c.Set(2, 0, RoleText, '\u202e')
		}, "???"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := NewCanvas(10, 1, NewPalette(ThemeDark, false))
			tt.draw(c)
			if got := c.Text(); got != tt.want {
				t.Fatalf("got %q, want %q", got, tt.want)
			}
			checkFrame(t, c, c.String())
		})
	}
}

// A cluster is as wide as the renderer measures it; that differs by terminal.
func TestCanvasMethods(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text            string
		runes, clusters int
	}{
		{"abc", 3, 3}, {"陳", 2, 2}, {"👩\u200d👩\u200d👧\u200d👦", 8, 2}, {"क्ष", 2, 1}, {"❤\ufe0f", 1, 2}, {"🇦🇺", 2, 2},
	} {
		c := NewCanvas(10, 1, NewPalette(ThemeDark, false))
		runes, _ := c.Width(tt.text), c.Put(0, 0, RoleText, tt.text)
		c.SetGraphemes(true)
		if clusters := c.Width(tt.text); runes != tt.runes || clusters != tt.clusters {
			t.Errorf("%q: got %d by runes and %d by clusters, want %d and %d", tt.text, runes, clusters, tt.runes, tt.clusters)
		}
	}
}

func TestCanvasBox(t *testing.T) {
	t.Parallel()
	c := NewCanvas(16, 5, NewPalette(ThemeNone, false))
	c.Fill(0, 0, 16, 5, RoleText, '.')
	c.Put(1, 2, RoleText, "陳陳")
	c.Box(2, 1, 12, 3, "Leave")
	want := strings.Join([]string{
		"................",
		"..┌─ Leave ──┐..",
		". │          │..",
		"..└──────────┘..",
		"................",
	}, "\n")
	if got := c.Text(); got != want {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	c.SetPalette(NewPalette(ThemeNone, true))
	c.Box(2, 1, 12, 3, "a title too long")
	if got := strings.Split(c.Text(), "\n")[1]; got != "..+- a tit~ -+.." {
		t.Fatalf("got %s", got)
	}
}

func TestCanvasStyles(t *testing.T) {
	t.Parallel()
	c := NewCanvas(8, 3, NewPalette(ThemeNone, false))
	c.Put(0, 0, RoleText, "ab")
	c.Put(2, 0, RoleFailing, "cd")
	c.Put(4, 0, RoleKey, "e") // looks like failing in this theme: one run
	c.Put(2, 1, RoleText, "row")
	c.Select(1)
	c.Put(0, 2, RoleDown, "x")
	c.Dim(0, 2, 8, 1)
	want := "ab\x1b[0;1mcde\x1b[m   \n" +
		"\x1b[0;7m> row   \x1b[m\n" +
		"\x1b[0;2mx       \x1b[m"
	if got := c.String(); got != want {
		t.Fatalf("got\n%q\nwant\n%q", got, want)
	}
}

func TestCanvasWrap(t *testing.T) {
	t.Parallel()
	c := NewCanvas(1, 1, NewPalette(ThemeNone, false))
	for _, tt := range []struct {
		text     string
		w, lines int
		want     []string
	}{
		{"", 10, 3, nil},
		{"one two three", 20, 3, []string{"one two three"}},
		{"one two three", 8, 3, []string{"one two", "three"}},
		{"one two three", 7, 3, []string{"one two", "three"}},
		{"one two three", 3, 2, []string{"one", "tw~"}},
		{"abcdefgh", 3, 5, []string{"abc", "def", "gh"}},
		{"陳大文 x", 4, 5, []string{"陳大", "文 x"}},
		{"a\nb", 9, 5, []string{"a b"}},
		{"x", 1, 5, nil},
	} {
		if got := c.Wrap(tt.text, tt.w, tt.lines); strings.Join(got, "\n") != strings.Join(tt.want, "\n") {
			t.Errorf("%q in %d cells: got %q, want %q", tt.text, tt.w, got, tt.want)
		}
	}
}

// frame draws what an overview of 140 by 40 comes to.
func frame(c *Canvas) string {
	w, h := c.Size()
	c.Reset(w, h)
	tallies := []Tally{{9, 1}, {10, 0}, {0, 0}, {0, 4}, {10, 0}, {10, 0}, {3, 7}, {10, 0}, {10, 0}, {10, 0}, {10, 0}, {10, 0}}
	c.PutIn(0, 0, w, RoleBar, " gw1  1 Overview  2 Calls  3 Outages  4 Queue  5 System  6 Log", Left)
	for y := 1; y < h-12; y++ {
		x := c.PutIn(2, y, 16, RoleText, "billing-eu", Left) + 1
		c.Set(x, y, RoleFailing, c.Glyphs().Failing)
		x = c.PutIn(x+2, y, 12, RoleFailing, "failing", Left)
		x = c.PutIn(x, y, 8, RoleText, "97.4", Right)
		x = c.PutIn(x, y, 9, RoleText, "201,334", Right) + 2
		x = c.FailedShare(x, y, tallies)
		x = c.FailedShare(x, y, tallies)
		x = c.PutIn(x, y, 10, RoleText, "1,284", Right)
		x = c.PutIn(x+1, y, 12, RoleText, "陳大文", Left)
		x = c.PutIn(x, y, 10, RoleDim, "in 2m10s", Left)
		c.Put(x, y, RoleText, "Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com)")
	}
	c.Select(4)
	c.Rule(h-11, "crm-prod", "down since 09:12:04, 4h51m")
	for y := h - 10; y < h-1; y++ {
		c.Put(1, y, RoleText, "Zoë: retries every 5 min until each is 24 h old; the first gives up at Wed 09:12. E-mail ✓ sent to ops@example.com in 1.8s")
	}
	x := 1
	for _, k := range []string{"Enter", "/", "Space", "r", "x", "T", "z", "n", "e", "s"} {
		x = c.Put(x, h-1, RoleKey, k) + 1
		x = c.Put(x, h-1, RoleText, "action") + 2
	}
	return c.String()
}

// The budget of a frame's memory; what it costs in time is for benchmarks.
func TestCanvasAllocs(t *testing.T) {
	c := NewCanvas(140, 40, NewPalette(ThemeDark, false))
	checkFrame(t, c, frame(c))
	if n := testing.AllocsPerRun(50, func() { frame(c) }); n > 20 {
		t.Fatalf("a frame of 140x40 takes %v allocations, more than 20", n)
	}
}

func BenchmarkCanvas(b *testing.B) {
	for _, size := range [][2]int{{80, 24}, {140, 40}, {200, 60}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			c := NewCanvas(size[0], size[1], NewPalette(ThemeDark, false))
			b.ReportAllocs()
			for b.Loop() {
				frame(c)
			}
		})
	}
}
