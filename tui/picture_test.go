package tui

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/colorprofile"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// glass is a terminal that understands what a painter writes, and nothing else.
type glass struct {
	t       *testing.T
	w, h    int
	x, y    int
	method  ansi.Method
	style   string
	text    []string // of each cell; of the rest of a wide one: nothing
	styles  []string
	modes   map[string]bool
	written int
}

func newGlass(t *testing.T, w, h int) *glass {
	g := &glass{t: t, w: w, h: h, modes: map[string]bool{"7": true}}
	g.resize(w, h)
	return g
}

// resize leaves rubbish behind, as a terminal may.
func (g *glass) resize(w, h int) {
	g.w, g.h, g.x, g.y = w, h, 0, 0
	g.text, g.styles = make([]string, w*h), make([]string, w*h)
	for i := range g.text {
		g.text[i] = "#"
	}
}

var sequence = regexp.MustCompile(`^\x1b\[([?>]?)([0-9;]*)( ?[a-zA-Z])`)

func (g *glass) Write(b []byte) (int, error) {
	g.t.Helper()
	g.written += len(b)
	for s := string(b); s != ""; {
		if m := sequence.FindStringSubmatch(s); m != nil {
			g.obey(m[1]+m[3], m[2])
			s = s[len(m[0]):]
			continue
		}
		cluster, w := ansi.FirstGraphemeCluster(s, g.method)
		if cluster[0] < ' ' || w == 0 {
			g.t.Fatalf("writes %q", s[:min(len(s), 30)])
		}
		g.put(cluster, w)
		s = s[len(cluster):]
	}
	return len(b), nil
}

// put shows a cluster; of a wide one that it cuts in two the rest is lost.
func (g *glass) put(cluster string, w int) {
	g.t.Helper()
	if g.x+w > g.w {
		g.t.Fatalf("%q is written at column %d of %d", cluster, g.x, g.w)
	}
	if g.x+w == g.w && g.y == g.h-1 && g.modes["7"] {
		g.t.Fatal("the last cell of all is written while that may scroll")
	}
	row := g.text[g.y*g.w : (g.y+1)*g.w]
	for i := g.x - 1; i >= 0 && row[i+1] == ""; i-- {
		wide := row[i] != ""
		row[i] = " "
		if wide {
			break
		}
	}
	for i := g.x + w; i < g.w && row[i] == ""; i++ {
		row[i] = " "
	}
	for i := range w {
		row[g.x+i], g.styles[g.y*g.w+g.x+i] = "", g.style
	}
	row[g.x] = cluster
	g.x += w
}

func (g *glass) obey(command, args string) {
	g.t.Helper()
	switch command {
	case "m":
		g.style = "\x1b[" + args + "m"
		if args == "" || args == "0" {
			g.style = ""
		}
	case "H":
		y, x, _ := strings.Cut(args, ";")
		g.y, _ = strconv.Atoi(y)
		g.x, _ = strconv.Atoi(x)
		g.x, g.y = g.x-1, g.y-1
	case "K", "J":
		from, to := g.y*g.w+g.x, (g.y+1)*g.w
		if command == "J" {
			from, to = 0, len(g.text)
		}
		for i := from; i < to; i++ {
			g.text[i], g.styles[i] = " ", g.style
		}
	case "?h", "?l":
		g.modes[args] = command == "?h"
	case " q":
	default:
		g.t.Fatalf("writes CSI %s%s", args, command)
	}
}

// shows fails where the terminal does not show the canvas.
func (g *glass) shows(c *Canvas) {
	g.t.Helper()
	buf := uv.NewScreenBuffer(g.w, g.h)
	buf.Method = c.method
	uv.NewStyledString(c.String()).Draw(buf, buf.Bounds())
	for i := range g.text {
		x, y := i%g.w, i/g.w
		want := buf.CellAt(x, y)
		if g.text[i] != want.Content {
			g.t.Fatalf("cell %d,%d of %dx%d holds %q, want %q", x, y, g.w, g.h, g.text[i], want.Content)
		}
		if got := styled(g.styles[i]); want.Width > 0 && got != want.Style.String() {
			g.t.Fatalf("cell %d,%d (%q) looks %q, want %q", x, y, g.text[i], got, want.Style.String())
		}
	}
}

// styled returns a style as the cells of a terminal hold it.
func styled(sgr string) string {
	buf := uv.NewScreenBuffer(1, 1)
	uv.NewStyledString(sgr+"x").Draw(buf, buf.Bounds())
	return buf.CellAt(0, 0).Style.String()
}

// TestPictureOverPicture paints scribbles over one another, with every sign that
// is hard to place, and with sizes, palettes and widths that change.
func TestPictureOverPicture(t *testing.T) {
	t.Parallel()
	palettes := []*Palette{NewPalette(ThemeDark, false), NewPalette(ThemeANSI, false), NewPalette(ThemeLight, true), NewPalette(ThemeNone, false)}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := NewCanvas(30, 9, palettes[0])
		g := newGlass(t, 30, 9)
		var shown, next picture
		var how manner
		for step := range 12 {
			switch r.IntN(8) {
			case 0:
				c.Reset(10+r.IntN(50), 3+r.IntN(12))
				g.resize(c.Size())
			case 1:
				c.SetPalette(palettes[r.IntN(len(palettes))])
			case 2:
				c.SetGraphemes(true)
				c.Reset(c.Size())
			case 3:
				how.redraw++
			case 4:
				c.Reset(c.Size())
			}
			if step%3 > 0 {
				scribble(c, []string{hostile[r.IntN(len(hostile))], hostile[r.IntN(len(hostile))]}, r.IntN(30)-5, r.IntN(9)-2)
			}
			how.cursor, how.sync = place{r.IntN(c.w), r.IntN(c.h), r.IntN(2) == 0}, r.IntN(2) == 0
			c.settle()
			next.take(c, how)
			g.method = c.method
			_, _ = g.Write(next.over(nil, &shown)) // glass takes all
			g.shows(c)
			if how.cursor.on && (g.x != how.cursor.x || g.y != how.cursor.y) {
				t.Fatalf("the cursor is at %d,%d, want %d,%d", g.x, g.y, how.cursor.x, how.cursor.y)
			}
			if g.modes["25"] != how.cursor.on || g.modes["2026"] {
				t.Fatalf("modes %v, cursor %v", g.modes, how.cursor)
			}
			if again := next.over(nil, &next); len(again) > 0 {
				t.Fatalf("what is there is written again: %q", again)
			}
			shown, next = next, shown
		}
	}
}

// TestPictureOfAnotherWidth has a terminal take two cells for a sign of one: what stands
// behind it is seen all the same, whether it changed or not.
func TestPictureOfAnotherWidth(t *testing.T) {
	t.Parallel()
	const heart = "\u2764\ufe0f"
	c := NewCanvas(10, 2, NewPalette(ThemeNone, false))
	g := newGlass(t, 10, 2)
	g.method = ansi.GraphemeWidth
	var shown picture
	for _, text := range []string{"abc", heart + "bc", heart + heart + "c", "a" + heart + "c", "abc"} {
		c.Put(0, 0, RoleText, text)
		c.settle()
		var next picture
		next.take(c, manner{})
		_, _ = g.Write(next.over(nil, &shown))
		if shown = next; g.text[2] != "c" {
			t.Fatalf("%q shows %q", text, g.text[:3])
		}
	}
	if g.text[0] != "a" || g.text[1] != "b" {
		t.Errorf("in the end it shows %q", g.text[:3])
	}
}

// A terminal that takes four people for one sign keeps nothing of what stood in the
// cells of the other three.
func TestPictureOfANarrowerTerminal(t *testing.T) {
	t.Parallel()
	const family = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
	c := NewCanvas(12, 1, NewPalette(ThemeNone, false))
	g := newGlass(t, 12, 1)
	g.method = ansi.GraphemeWidth
	var shown picture
	for _, text := range []string{"abcdefghijkl", family + "ijkl"} {
		c.Reset(12, 1)
		c.Put(0, 0, RoleText, text)
		c.settle()
		var next picture
		next.take(c, manner{})
		_, _ = g.Write(next.over(nil, &shown))
		shown = next
	}
	if got := strings.Join(g.text[2:9], ""); got != "      i" {
		t.Errorf("beside the sign stands %q", got)
	}
}

// TestBytesPerKey bounds what a key costs a line to far away.
func TestBytesPerKey(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, before, key string
		most              int
	}{
		{"the cursor of a list", "2 j", "j", 500},
		{"the cursor of the overview", "j", "j", 1100},
		{"nothing", "2 j", "", 0},
	} {
		fly(t, newFake(), 80, 24, nil, func(p *pilot) {
			p.press(tc.before)
			g := newGlass(t, 80, 24)
			var before, after picture
			before.take(p.m.canvas, p.m.manner)
			_, _ = g.Write(before.over(nil, &picture{}))
			g.written = 0
			p.press(tc.key)
			p.m.canvas.settle()
			after.take(p.m.canvas, p.m.manner)
			_, _ = g.Write(after.over(nil, &before))
			g.shows(p.m.canvas)
			if g.written > tc.most || tc.most > 0 && g.written == 0 {
				t.Errorf("%s: %d bytes, want %d at most", tc.name, g.written, tc.most)
			}
			t.Logf("%s: %d bytes", tc.name, g.written)
		})
	}
}

func TestPaletteOfFewColours(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		profile colorprofile.Profile
		want    string
	}{
		{colorprofile.TrueColor, "\x1b[0;38;2;63;169;245m"},
		{colorprofile.ANSI256, "\x1b[;38;5;75m"},
		{colorprofile.ASCII, "\x1b[m"},
		{colorprofile.NoTTY, ""},
	} {
		if got := NewPalette(ThemeDark, false).in(tc.profile).Style(RoleOK); got != tc.want {
			t.Errorf("%v: got %q, want %q", tc.profile, got, tc.want)
		}
	}
}

// BenchmarkPaint is what one moved cursor costs from the cells on.
func BenchmarkPaint(b *testing.B) {
	m := still(b, 140, 40)
	m.View()
	var shown, next picture
	shown.take(m.canvas, m.manner)
	m.Update(keyPress("j"))
	m.View()
	m.canvas.settle()
	next.take(m.canvas, m.manner)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		m.canvas.settle()
		next.take(m.canvas, m.manner)
		out = next.over(out[:0], &shown)
	}
	b.ReportMetric(float64(len(out)), "B/frame")
}
