package tui

import (
	"math"
	"regexp"
	"slices"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// How people with two kinds of cones see the linear RGB of a screen: Machado,
// Oliveira and Fernandes 2009, severity 1.0.
var visions = map[string][3][3]float64{
	"normal":       {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
	"protanopia":   {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}},
	"deuteranopia": {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}},
	"tritanopia":   {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}},
}

// lab returns a colour in CIELAB (D65) as seen with a vision.
func lab(hex string, m [3][3]float64) [3]float64 {
	r, g, b := rgb(hex)
	in := [3]float64{linear(r), linear(g), linear(b)}
	var v [3]float64
	for i := range v {
		v[i] = min(max(m[i][0]*in[0]+m[i][1]*in[1]+m[i][2]*in[2], 0), 1)
	}
	f := func(t float64) float64 {
		if t > 216.0/24389 {
			return math.Cbrt(t)
		}
		return (24389.0/27*t + 16) / 116
	}
	x := f((0.4124564*v[0] + 0.3575761*v[1] + 0.1804375*v[2]) / 0.95047)
	y := f(0.2126729*v[0] + 0.7151522*v[1] + 0.0721750*v[2])
	z := f((0.0193339*v[0] + 0.1191920*v[1] + 0.9503041*v[2]) / 1.08883)
	return [3]float64{116*y - 16, 500 * (x - y), 200 * (y - z)}
}

func contrast(a, b string) float64 {
	r, g, bl := rgb(a)
	la := luminance(r, g, bl)
	r, g, bl = rgb(b)
	lb := luminance(r, g, bl)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// States are told apart, and read, on the usual backgrounds by everybody.
func TestPaletteColours(t *testing.T) {
	t.Parallel()
	states := []Role{RoleOK, RoleFailing, RoleDown, RoleSuspended}
	for _, tt := range []struct {
		theme              Theme
		backgrounds        []string
		contrast, distance float64
	}{
		{ThemeDark, []string{"#000000", "#1E1E1E", "#282A36", "#002B36"}, 5.1, 32.7},
		{ThemeLight, []string{"#FFFFFF", "#FDF6E3", "#EFF1F5"}, 4.7, 23.4},
	} {
		s := schemes[tt.theme]
		for _, role := range append(states, RoleKey, RoleError) {
			for _, bg := range tt.backgrounds {
				if got := contrast(s.roles[role].fg, bg); got < tt.contrast {
					t.Errorf("%v: role %d on %s: contrast %.2f, want %.1f", tt.theme, role, bg, got, tt.contrast)
				}
			}
		}
		for vision, m := range visions {
			for i, a := range states {
				for _, b := range states[:i] {
					p, q := lab(s.roles[a].fg, m), lab(s.roles[b].fg, m)
					got := math.Hypot(math.Hypot(p[0]-q[0], p[1]-q[1]), p[2]-q[2])
					if math.Round(got*10)/10 < tt.distance {
						t.Errorf("%v: roles %d and %d are %.2f apart with %s, want %.1f", tt.theme, a, b, got, vision, tt.distance)
					}
				}
			}
		}
		// What has a background of ours, and what is dim, can be read too:
		// WCAG 2 asks for 4.5.
		for role := range roles {
			for f := range flag(flags) {
				l := s.look(role, f)
				bgs := tt.backgrounds
				if l.bg != "" {
					bgs = []string{l.bg}
				}
				for _, bg := range bgs {
					least := 4.5
					if f == selected && (slices.Contains(states, role) || role == RoleKey || role == RoleError) {
						least = 3.9 // the row's sign and word say it too
					}
					if l.fg != "" && contrast(l.fg, bg) < least {
						t.Errorf("%v: role %d, flags %d: contrast %.2f on %s", tt.theme, role, f, contrast(l.fg, bg), bg)
					}
				}
				if l.bg != "" && l.fg == "" {
					t.Errorf("%v: role %d, flags %d: a background without a foreground", tt.theme, role, f)
				}
			}
		}
	}
}

// The colours as they were decided.
func TestPaletteTable(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role                            Role
		dark, light, ansi, light4, none string
	}{
		{RoleText, "\x1b[m", "\x1b[m", "\x1b[m", "\x1b[m", "\x1b[m"},
		{RoleOK, "\x1b[0;38;2;63;169;245m", "\x1b[0;38;2;0;99;156m", "\x1b[0;94m", "\x1b[0;34m", "\x1b[m"},
		{RoleFailing, "\x1b[0;38;2;255;193;7m", "\x1b[0;38;2;148;96;0m", "\x1b[0;93m", "\x1b[0;33m", "\x1b[0;1m"},
		{RoleDown, "\x1b[0;1;38;2;255;110;74m", "\x1b[0;1;38;2;140;0;26m", "\x1b[0;1;91m", "\x1b[0;1;31m", "\x1b[0;1;7m"},
		{RoleSuspended, "\x1b[0;38;2;176;176;176m", "\x1b[0;38;2;95;95;95m", "\x1b[0;37m", "\x1b[0;90m", "\x1b[0;2m"},
		{RoleKey, "\x1b[0;1;38;2;0;184;144m", "\x1b[0;1;38;2;0;102;75m", "\x1b[0;1;36m", "\x1b[0;1;36m", "\x1b[0;1m"},
	} {
		for theme, want := range map[Theme]string{ThemeDark: tt.dark, ThemeLight: tt.light, ThemeANSI: tt.ansi, ThemeANSILight: tt.light4, ThemeNone: tt.none} {
			if got := NewPalette(theme, false).Style(tt.role); got != want {
				t.Errorf("role %d, %v: got %q, want %q", tt.role, theme, got, want)
			}
		}
	}
}

// Without colours nothing is lost: no colour is set, and the selection and
// the open tab are still seen.
func TestPaletteNone(t *testing.T) {
	t.Parallel()
	p := NewPalette(ThemeNone, false)
	reversed := regexp.MustCompile(`[[;]7[;m]`)
	coloured := regexp.MustCompile(`[[;](3|4|9|10)[0-9]`)
	for _, s := range p.sgr {
		if coloured.MatchString(s) {
			t.Errorf("%q sets a colour", s)
		}
	}
	for _, theme := range []Theme{ThemeNone, ThemeANSI, ThemeANSILight} {
		p := NewPalette(theme, false)
		for role := range roles {
			plain, sel := p.sgr[p.style(role, 0)], p.sgr[p.style(role, selected)]
			if reversed.MatchString(plain) == reversed.MatchString(sel) {
				t.Errorf("%v: role %d selected is %q, else %q", theme, role, sel, plain)
			}
		}
	}
}

func TestGlyphs(t *testing.T) {
	t.Parallel()
	all := func(g Glyphs) []rune {
		rs := []rune{
			g.OK, g.Failing, g.Down, g.Suspended, g.None, g.InFlight, g.Queued, g.Rule, g.Side, g.TopLeft, g.TopRight,
			g.BottomLeft, g.BottomRight, g.Thumb, g.Ascending, g.Descending, g.NoCalls, g.Shade,
		}
		return append(append(rs, g.Bars[:]...), g.Parts[:]...)
	}
	for _, r := range all(unicodeGlyphs) {
		if ansi.WcWidth.StringWidth(string(r)) != 1 || ansi.GraphemeWidth.StringWidth(string(r)) != 1 {
			t.Errorf("%c is not one cell wide", r)
		}
		if r >= 0x2800 && r <= 0x28ff {
			t.Errorf("%c is braille", r)
		}
	}
	for _, r := range all(asciiGlyphs) {
		if r < ' ' || r > '~' {
			t.Errorf("%c is not ASCII", r)
		}
	}
	if got := string(asciiGlyphs.Bars[:]); got != "_.:-=*##" {
		t.Errorf("bars in ASCII: %s", got)
	}
}
