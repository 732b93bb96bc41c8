package tui

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/charmbracelet/colorprofile"
)

// Role is what a text is for; a Palette says how that looks. Nothing is told
// by colour alone: a state has a sign and a word too.
type Role uint8

// The roles.
const (
	RoleText      Role = iota // the terminal's own colours
	RoleDim                   // of less weight: rules, status line, empty fields
	RoleTitle                 // names and headings
	RoleHeader                // heads of columns; looks dim
	RoleBar                   // the first row
	RoleTab                   // the open screen in the first row
	RoleOK                    // healthy, success, sent
	RoleFailing               // failing, retrying, late
	RoleDown                  // DOWN, FAILED
	RoleSuspended             // suspended, nothing to tell
	RoleKey                   // a key that can be pressed
	RoleError                 // an answer that says no
	RoleInput                 // where text is typed
	RoleAlarm                 // OFFLINE, PAUSED
	roles
)

// Theme is a set of colours.
type Theme uint8

// The themes. The ANSI ones use the sixteen colours of the user's own scheme;
// ThemeNone uses weight and reverse video only.
const (
	ThemeDark Theme = iota
	ThemeLight
	ThemeANSI
	ThemeANSILight
	ThemeNone
)

// String returns the theme's name.
func (t Theme) String() string {
	switch t {
	case ThemeDark:
		return "dark"
	case ThemeLight:
		return "light"
	case ThemeANSI:
		return "ansi"
	case ThemeANSILight:
		return "ansi-light"
	}
	return "none"
}

// Palette holds how every role looks and the signs in use. It is made once and
// not changed after.
type Palette struct {
	Theme  Theme
	Glyphs Glyphs

	profile colorprofile.Profile
	sgr     []string // escape sequences that set a style whatever was in force before
	ids     [int(roles) * flags]uint8
}

// NewPalette returns the look of a theme; ascii takes the signs of frames
// drawn with ASCII alone.
func NewPalette(t Theme, ascii bool) *Palette {
	p := &Palette{Theme: t, Glyphs: unicodeGlyphs, profile: colorprofile.TrueColor}
	if ascii {
		p.Glyphs = asciiGlyphs
	}
	s := schemes[t]
	known := map[string]uint8{look{}.sgr(): 0}
	p.sgr = []string{look{}.sgr()}
	for role := range roles {
		for f := range flag(flags) {
			seq := s.look(role, f).sgr()
			id, ok := known[seq]
			if !ok {
				id = uint8(len(p.sgr))
				known[seq] = id
				p.sgr = append(p.sgr, seq)
			}
			p.ids[int(role)*flags+int(f)] = id
		}
	}
	return p
}

// in has the palette, a new one, use the colours that a terminal has.
func (p *Palette) in(profile colorprofile.Profile) *Palette {
	for i, seq := range p.sgr {
		var b strings.Builder
		w := colorprofile.Writer{Forward: &b, Profile: profile}
		if _, err := w.WriteString(seq); err == nil { // else it is no profile
			p.sgr[i] = b.String()
		}
	}
	p.profile = profile
	return p
}

// style returns the index in p.sgr of a role's look; 0 is plain text.
func (p *Palette) style(r Role, f flag) uint8 { return p.ids[int(r)*flags+int(f)] }

// Style returns the escape sequence that sets the role's look, for the few
// places that print outside a Canvas.
func (p *Palette) Style(r Role) string { return p.sgr[p.style(r, 0)] }

// look is one style. A colour is #RRGGBB, one of the sixteen by number, or
// empty: the terminal's own.
type look struct {
	fg, bg                      string
	bold, faint, under, reverse bool
}

func (l look) sgr() string {
	var b strings.Builder
	b.WriteString("\x1b[")
	sep := ""
	add := func(on bool, code string) {
		if on {
			b.WriteString(sep + code)
		}
		sep = ";"
	}
	add(l != look{}, "0")
	add(l.bold, "1")
	add(l.faint, "2")
	add(l.under, "4")
	add(l.reverse, "7")
	add(l.fg != "", colour(l.fg, 30))
	add(l.bg != "", colour(l.bg, 40))
	return b.String() + "m"
}

// colour returns the SGR parameters of a colour; base is 30 for the
// foreground and 40 for the background (ECMA-48 8.3.117, ITU-T T.416 for 38).
func colour(c string, base int) string {
	if strings.HasPrefix(c, "#") {
		r, g, b := rgb(c)
		return fmt.Sprintf("%d;2;%d;%d;%d", base+8, r, g, b)
	}
	n, _ := strconv.Atoi(c)
	if n >= 8 {
		return strconv.Itoa(base + 60 + n - 8) // aixterm's bright colours
	}
	return strconv.Itoa(base + n)
}

// rgb takes #RRGGBB apart.
func rgb(hex string) (r, g, b uint8) {
	n, _ := strconv.ParseUint(strings.TrimPrefix(hex, "#"), 16, 32)
	return uint8(n >> 16), uint8(n >> 8), uint8(n)
}

// scheme is the looks of one theme. The selection lends its background to
// what has none, and its foreground to what has none; faded is what the dim
// roles take on it, to stay legible. Dimming replaces all but the selection.
type scheme struct {
	roles     [roles]look
	selection look
	faded     string
}

func (s *scheme) look(r Role, f flag) look {
	if f&dimmed != 0 || r == RoleHeader {
		r = RoleDim
	}
	l := s.roles[r]
	if f&selected == 0 {
		return l
	}
	if r == RoleDim && s.faded != "" {
		l.fg = s.faded
	}
	if l.bg == "" {
		l.bg = s.selection.bg
		if l.fg == "" {
			l.fg = s.selection.fg
		}
	}
	l.reverse = l.reverse != s.selection.reverse
	return l
}

var schemes = [...]*scheme{
	ThemeDark: {
		roles: [roles]look{
			RoleDim:       {fg: "#9A9A9A"},
			RoleTitle:     {bold: true},
			RoleBar:       {fg: "#D8D8D8", bg: "#303642"},
			RoleTab:       {fg: "#121317", bg: "#EBEBEB", bold: true},
			RoleOK:        {fg: "#3FA9F5"},
			RoleFailing:   {fg: "#FFC107"},
			RoleDown:      {fg: "#FF6E4A", bold: true},
			RoleSuspended: {fg: "#B0B0B0"},
			RoleKey:       {fg: "#00B890", bold: true},
			RoleError:     {fg: "#FF6E4A", bold: true},
			RoleInput:     {under: true},
			RoleAlarm:     {fg: "#121317", bg: "#FF6E4A", bold: true},
		},
		selection: look{fg: "#EBEBEB", bg: "#2D3E54"},
		faded:     "#B0B0B0",
	},
	ThemeLight: {
		roles: [roles]look{
			RoleDim:       {fg: "#5F5F5F"},
			RoleTitle:     {bold: true},
			RoleBar:       {fg: "#1A1A1A", bg: "#DDE2EA"},
			RoleTab:       {fg: "#FFFFFF", bg: "#2B2F36", bold: true},
			RoleOK:        {fg: "#00639C"},
			RoleFailing:   {fg: "#946000"},
			RoleDown:      {fg: "#8C001A", bold: true},
			RoleSuspended: {fg: "#5F5F5F"},
			RoleKey:       {fg: "#00664B", bold: true},
			RoleError:     {fg: "#8C001A", bold: true},
			RoleInput:     {under: true},
			RoleAlarm:     {fg: "#FFFFFF", bg: "#8C001A", bold: true},
		},
		selection: look{fg: "#1A1A1A", bg: "#D6E4F2"},
	},
	ThemeANSI:      ansiScheme("12", "11", "9", "7", "7"),
	ThemeANSILight: ansiScheme("4", "3", "1", "8", "8"),
	ThemeNone: {
		roles: [roles]look{
			RoleDim:       {faint: true},
			RoleTitle:     {bold: true},
			RoleTab:       {bold: true, reverse: true},
			RoleFailing:   {bold: true},
			RoleDown:      {bold: true, reverse: true},
			RoleSuspended: {faint: true},
			RoleKey:       {bold: true},
			RoleError:     {bold: true},
			RoleInput:     {under: true},
			RoleAlarm:     {bold: true, reverse: true},
		},
		selection: look{reverse: true},
	},
}

// ansiScheme has no background colours: what a terminal makes of the sixteen
// is not known, and reverse video can be read in any of them.
func ansiScheme(ok, failing, down, suspended, dim string) *scheme {
	return &scheme{
		roles: [roles]look{
			RoleDim:       {fg: dim},
			RoleTitle:     {bold: true},
			RoleTab:       {bold: true, reverse: true},
			RoleOK:        {fg: ok},
			RoleFailing:   {fg: failing},
			RoleDown:      {fg: down, bold: true},
			RoleSuspended: {fg: suspended},
			RoleKey:       {fg: "6", bold: true},
			RoleError:     {fg: down, bold: true},
			RoleInput:     {under: true},
			RoleAlarm:     {fg: down, bold: true, reverse: true},
		},
		selection: look{reverse: true},
	}
}
