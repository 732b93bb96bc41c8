package tui

import (
	"image/color"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"ringback/callback"
)

func TestThemeFollowsTheTerminal(t *testing.T) {
	t.Parallel()
	black, white := color.Gray{0}, color.Gray{255}
	for _, tc := range []struct {
		name, theme string
		env         string
		background  color.Color
		profile     colorprofile.Profile
		want        Theme
	}{
		{"no answer", "auto", "", nil, colorprofile.TrueColor, ThemeANSI},
		{"dark", "auto", "", black, colorprofile.TrueColor, ThemeDark},
		{"light", "auto", "", white, colorprofile.ANSI256, ThemeLight},
		{"16 colours, dark", "auto", "", black, colorprofile.ANSI, ThemeANSI},
		{"16 colours, light", "auto", "", white, colorprofile.ANSI, ThemeANSILight},
		{"no colours", "auto", "", black, colorprofile.ASCII, ThemeNone},
		{"NO_COLOR", "auto", "NO_COLOR=1", black, colorprofile.ASCII, ThemeNone},
		{"by name", "light", "", black, colorprofile.TrueColor, ThemeLight},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fly(t, newFake(), 80, 24, func(o *Options) { o.Theme, o.Environ = tc.theme, append(o.Environ, tc.env) }, func(p *pilot) {
				p.send(tea.ColorProfileMsg{Profile: tc.profile})
				if tc.background != nil {
					p.send(tea.BackgroundColorMsg{Color: tc.background})
				}
				if got := p.m.canvas.palette.Theme; got != tc.want {
					t.Fatalf("got %v, want %v", got, tc.want)
				}
			})
		})
	}
}

func TestMouse(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		if p.m.manner.mouse {
			t.Fatal("the mouse is on from the start")
		}
		p.press("M")
		p.see("mouse on", "hold Shift to select text")
		if !p.m.manner.mouse {
			t.Fatal("M does not turn the mouse on")
		}
		p.send(tea.MouseWheelMsg{Button: tea.MouseWheelDown})
		p.settle()
		p.see("airport-ops ─")
		p.send(tea.MouseWheelMsg{Button: tea.MouseWheelUp})
		p.settle()
		p.see("crm-prod ─")
		p.press("M")
		p.see("mouse off")
	})
}

func TestNeighboursOfACall(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j enter ] ]")
		p.see("Call "+f.calls[3].ID.String(), "rail-disrupt", "POST https://")
		p.press("[ esc")
		if got := p.chosen(); got != f.calls[2].ID {
			t.Fatalf("the list is at %s, want %s", got, f.calls[2].ID)
		}
	})
}

// TestCallIsScrolledToItsEnd reads the whole request where little of it has
// room.
func TestCallIsScrolledToItsEnd(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{60, 15}, {80, 24}, {140, 40}} {
		fly(t, newFake(), size[0], size[1], nil, func(p *pilot) {
			p.press("2 enter pgdown pgdown pgdown pgdown pgdown")
			p.see("890h0ef0fe09")
			p.press("pgup pgup pgup pgup pgup pgup")
			p.see("POST ")
		})
	}
}

func TestEveryStateHasWords(t *testing.T) {
	t.Parallel()
	g := &unicodeGlyphs
	seen := map[string]callback.CallState{}
	for _, s := range []callback.CallState{
		callback.StateScheduled, callback.StateHeld, callback.StateDelivering, callback.StateRetrying, callback.StateDelivered,
		callback.StateGaveUp, callback.StateResolved, callback.StateCancelled, callback.StateDamaged,
	} {
		m := callMood(&callback.CallView{State: s}, g).String()
		if other, ok := seen[m]; ok {
			t.Errorf("%s and %s both read %q", s, other, m)
		}
		if seen[m] = s; len([]rune(m)) > 11 {
			t.Errorf("%s reads %q, which has no room", s, m)
		}
	}
}
