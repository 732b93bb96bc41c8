package tui

import (
	"slices"
	"strings"
	"testing"
)

// places are the pages, by their scope and the keys that lead there.
var places = map[scope]string{
	onOverview: "", onCallback: "enter", onCalls: "2", onCall: "2 enter", onOutages: "3",
	onQueue: "4", onSystem: "5", onLog: "6",
}

func TestEveryKeyIsBound(t *testing.T) {
	t.Parallel()
	for on, way := range places {
		for i := range bindings {
			b := &bindings[i]
			if b.on&on == 0 || b.act == actEsc && on&(onOverview|onCallLists) != 0 {
				continue // Esc has nothing to undo there
			}
			for _, k := range b.Keys() {
				fly(t, newFake(), 80, 24, nil, func(p *pilot) {
					p.press(way)
					if got := p.m.top().scope(); got != on {
						t.Fatalf("%q leads to %b, want %b", way, got, on)
					}
					if got := lookup(keyPress(k), on); got != b.act {
						t.Fatalf("%q on %b is action %d, want %d: two bindings", k, on, got, b.act)
					}
					if _, ok := p.m.common(b.act, k); ok {
						return
					}
					if _, ok := p.m.top().Key(b.act); !ok {
						t.Errorf("%q (%s) does nothing on %s", k, b.Help().Desc, p.m.top().Trail())
					}
				})
			}
		}
	}
}

func TestEveryActionHasAKey(t *testing.T) {
	t.Parallel()
	for on, way := range places {
		for a := actNone + 1; a <= actClear; a++ {
			if _, ok := keyOf(a, on); ok {
				continue
			}
			fly(t, newFake(), 80, 24, nil, func(p *pilot) {
				p.press(way)
				if _, ok := p.m.top().Key(a); ok {
					t.Errorf("%s does action %d, which has no key there", p.m.top().Trail(), a)
				}
			})
		}
	}
	for a := actNone + 1; a <= actClear; a++ {
		if !slices.ContainsFunc(bindings, func(b binding) bool { return b.act == a }) {
			t.Errorf("action %d has no key", a)
		}
	}
}

func TestHelpIsComplete(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, l := range helpGroups(groupAnywhere, groupLists, groupCalls, groupCallbacks, groupInside) {
		if l.key != nil {
			seen[l.says] = true
		}
	}
	for i := range bindings {
		b := &bindings[i]
		if b.Help().Key == "" || b.Help().Desc == "" {
			t.Errorf("%v has no help", b.Keys())
		}
		if b.group != groupBoxes && !seen[saidOf(b)] {
			t.Errorf("%s is not in the help", b.Help().Key)
		}
	}
	for on, acts := range feet {
		for _, a := range acts {
			if b, ok := keyOf(a, on); !ok || b.foot == "" {
				t.Errorf("the last row of %b has action %d, which has no key or no word there", on, a)
			}
		}
	}
	fly(t, newFake(), 140, 40, nil, func(p *pilot) {
		p.press("?")
		for i := range bindings {
			if b := &bindings[i]; b.group != groupBoxes {
				p.see(saidOf(b))
			}
		}
	})
}

func TestHelpScrollsWhereItHasNoRoom(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{60, 15}, {80, 24}} {
		fly(t, newFake(), size[0], size[1], nil, func(p *pilot) {
			p.press("?")
			var all strings.Builder
			for range 80 {
				all.WriteString(p.text())
				p.press("j")
			}
			for i := range bindings {
				if b := &bindings[i]; b.group != groupBoxes && !strings.Contains(all.String(), saidOf(b)) {
					t.Errorf("at %dx%d %s is never shown", size[0], size[1], b.Help().Key)
				}
			}
			p.press("? ?") // the first closes it
			p.see("Keys")
		})
	}
}

func TestHelpPages(t *testing.T) {
	t.Parallel()
	same := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Fatalf("%s: got\n%s\nwant\n%s", what, got, want)
		}
	}
	fly(t, newFake(), 60, 15, nil, func(p *pilot) {
		p.press("?")
		first := p.text()
		p.press("pgdown")
		paged := p.text()
		p.press("? ?")
		for range 13 { // as many lines as the box shows
			p.press("j")
		}
		same("PgDn", p.text(), paged)
		p.press("pgup")
		same("PgUp", p.text(), first)
		for range 9 {
			p.press("pgdown")
		}
		last := p.text()
		p.press("j")
		same("at the end", p.text(), last)
	})
}

func TestNoDangerousKeys(t *testing.T) {
	t.Parallel()
	for i := range bindings {
		b := &bindings[i]
		for _, k := range []string{"ctrl+h", "ctrl+j", "ctrl+k", "ctrl+z", "backspace", "delete"} {
			// Delete opens a box that wants the name typed.
			if b.on&anywhere != 0 && b.act != actDelete && slices.Contains(b.Keys(), k) {
				t.Errorf("%s is bound to %s", k, b.Help().Desc)
			}
		}
	}
}

func TestHelpIsSearched(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("?")
		p.see("/ searches here")
		p.press("j j /")
		p.types("RETRY fail")
		p.see("Keys   / RETRY fail", "retry all that failed", "Calls")
		p.unseen("mouse")
		p.unseen("Lists")
		at := p.m.desk.cursor
		row := []rune(strings.Split(p.text(), "\n")[at.y])
		if !at.on || !strings.HasSuffix(string(row[:at.x]), "RETRY fail") {
			t.Errorf("the cursor is at %d,%d", at.x, at.y)
		}
		p.press("backspace backspace backspace backspace q") // it is typed
		p.see("/ RETRY q")
		p.press("esc")
		p.see("mouse on / off")
		p.press("esc")
		p.unseen("Keys")
	})
}

// saidOf is what the help says of a key, maybe with another.
func saidOf(b *binding) string {
	for _, p := range pairs {
		for i := range bindings {
			if l, ok := lineOf(&bindings[i]); ok && l.says == p.help && bindings[i].group == b.group && bindings[i].on == b.on && (b.act == p.first || b.act == p.second) {
				return p.help
			}
		}
	}
	return b.Help().Desc
}
