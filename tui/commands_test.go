package tui

import (
	"slices"
	"strings"
	"testing"
)

// TestEveryKeyIsACommand holds the keys of the help, what is bound and the
// palette against each other, on every page.
func TestEveryKeyIsACommand(t *testing.T) {
	t.Parallel()
	for on, way := range places {
		fly(t, newFake(), 80, 24, nil, func(p *pilot) {
			p.press(way)
			all := p.m.commands()
			for i := range bindings {
				b := &bindings[i]
				if b.group == groupBoxes {
					continue
				}
				want := 1
				if b.act == actTab {
					want = len(tabs)
				}
				got := p.m.commandsOf(b)
				for _, c := range got {
					at := slices.IndexFunc(all, func(a command) bool { return a.name == c.name && a.key == c.key })
					if at < 0 || len(got) != want {
						t.Errorf("%s is not in the palette", b.Help().Desc)
						continue
					}
					if can := all[at].why == ""; can != (b.on&on != 0) {
						t.Errorf("on %b the palette says of %s: %q", on, c.name, all[at].why)
					}
				}
				if b.act.changes() && twins[b.act] == "" {
					t.Errorf("%s changes something and names no command line", b.Help().Desc)
				}
			}
			for i := range all {
				c := &all[i]
				if c.fill != "" {
					continue
				}
				if !slices.ContainsFunc(bindings, func(b binding) bool {
					return b.group != groupBoxes && (b.Help().Key == c.key || slices.Contains(b.Keys(), c.key))
				}) {
					t.Errorf("%s has the key %q, which is bound to nothing", c.name, c.key)
				}
				if found := p.m.found(all, c.name); len(found) == 0 || !slices.ContainsFunc(found, func(f command) bool { return f.name == c.name }) {
					t.Errorf("%q is not found by its name", c.name)
				}
			}
		})
	}
}

func TestPaletteFinds(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("enter")
		for _, tc := range []struct{ typed, first string }{
			{"retry", "Retry: send it, or marked, again"},
			{"failed retry", "Retry all that failed"},
			{"res", "Resolve it, or marked"},
			{"susp", "Suspend / resume"},
			{"R", "Retry all that failed"}, // its key
			{"r", "Retry: send it, or marked, again"},
			{"outag", "Outages: the screen"},
			{"qscr", "Queue: the screen"},
			{"callback crm", "callback crm-prod"},
			{"go to 2h", "go to 2h"},
			{"call 02D5", "call 02D5"},
		} {
			got := p.m.found(p.m.commands(), tc.typed)
			if len(got) == 0 || got[0].name != tc.first {
				t.Errorf("%q finds %q first, want %q", tc.typed, names(got), tc.first)
			}
		}
		if got := p.m.found(p.m.commands(), "ret"); slices.ContainsFunc(got, func(c command) bool { return !strings.Contains(strings.ToLower(c.name+c.also), "ret") }) {
			t.Errorf("what has its letters only stands beside what has the word: %q", names(got))
		}
		if got := p.m.found(p.m.commands(), "no such thing"); len(got) != 0 {
			t.Errorf("found %q", names(got))
		}
	})
}

func names(all []command) (out []string) {
	for i := range all {
		out = append(out, all[i].name)
	}
	return out
}

func TestPaletteRuns(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press(":")
		p.types("suspend")
		p.see("Commands", ": suspend", "> Suspend / resume", "crm-prod", "shell: ringback callbacks suspend crm-prod")
		p.press("enter") // which opens a box of its own
		p.see("Make no further attempts for crm-prod")
		p.press("esc :")
		p.types("follow")
		p.see("on a callback, Calls")
		p.press("enter")
		p.see("Follow the newest, or not: on a callback, Calls")
		p.press(":")
		p.types("log scr")
		p.press("enter")
		p.see("From: all")
		p.press(":")
		p.types("callb")
		p.press("down up tab")
		p.types("rail")
		p.see("callback rail-disrupt")
		p.press("enter")
		p.see("Log > rail-disrupt")
		p.press(":")
		p.types("call " + strings.ToLower(f.calls[20].ID.String()))
		p.press("enter")
		if page, ok := p.m.top().(*callPage); !ok || page.view.ID != f.calls[20].ID || !page.whole {
			t.Fatalf("call ID leads to %T", p.m.top())
		}
		p.press(":")
		p.types("call FFFF")
		p.press("enter")
		p.see("there is no call FFFF")
		p.press(":")
		p.types("go to 13:30")
		p.press("enter")
		p.see("calls up to 13:30:00")
		if v, _ := p.m.roots[1].(*callsPage).calls.cursor(); v.ID.Time().After(clockAt(0, 13, 30, 0)) || v.ID.Time().Before(clockAt(0, 13, 28, 0)) {
			t.Fatalf("the cursor is on a call of %v", v.ID.Time())
		}
		p.press(":")
		p.types("go to soon")
		p.press("enter")
		p.see("go to soon: 09:12, 2h")
		p.press("1 :")
		p.types("these keys")
		p.press("enter")
		p.see("─ Keys")
	})
}

func TestPaletteWhileReadOnly(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, func(o *Options) { o.ReadOnly = true }, func(p *pilot) {
		p.press(":")
		p.types("suspend")
		p.see("read-only")
		p.press("enter")
		p.see("Suspend / resume: read-only")
		want(t, f.did(), nil)
	})
}
