package tui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// elsewhere changes a callback as somebody else does.
func elsewhere(f *fake, name string, change func(h *callback.HealthView)) {
	f.set(func() {
		f.overview.Callbacks = append([]callback.HealthView(nil), f.overview.Callbacks...)
		h := f.health(name)
		h.Version, h.UpdatedAt = h.Version+1, ago(time.Minute)
		change(h)
	})
}

func TestConflict(t *testing.T) {
	t.Parallel()
	theirs := func(h *callback.HealthView) { h.Email, h.Description = "theirs@example.com", "theirs too" }
	for _, tc := range []struct {
		name, keys string
		want       []string // after the first try
		says       string
	}{
		{"overwrite", "o", []string{"retries=false email=mine@example.com"}, "saved crm-prod"},
		{"take theirs", "t", nil, "your changes are dropped"},
		{"go on", "esc", nil, "mine@example.com"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 140, 40, nil, func(p *pilot) {
				p.press("e")
				p.fill("email", "mine@example.com")
				p.goTo("retriesEnabled")
				p.press("space")
				elsewhere(f, "crm-prod", theirs)
				p.press("ctrl+s")
				p.see("Changed meanwhile", "E-mail: ops@example.com -> theirs@example.com, yours", "mine@example.com", "Description: nothing -> theirs too", "Retries: yours off")
				p.press(tc.keys)
				p.see(tc.says)
				all := append([]string{"retries=false email=mine@example.com"}, tc.want...)
				for i := range all {
					all[i] = updated("crm-prod", all[i])
				}
				want(t, f.did(), all)
				if h := f.health("crm-prod"); h.Description != "theirs too" || tc.want == nil && h.Email != "theirs@example.com" {
					t.Fatalf("stored %+v", h.Callback)
				}
				f.changed()
				p.settle()
				if p.m.box != nil {
					t.Fatal("the box came again without a save")
				}
				if tc.keys == "t" {
					p.see("theirs@example.com")
					p.fill("description", "x")
					p.press("ctrl+s")
					p.see("saved crm-prod")
				}
			})
		})
	}
}

// TestConflictOfHostileText draws the box, and the form with what is theirs, at
// any size.
func TestConflictOfHostileText(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 100, 30, nil, func(p *pilot) {
		p.press("e tab x")
		page := p.m.top().(*editPage)
		h := f.health("crm-prod").Health
		h.Version++
		h.Name, h.URL, h.Description, h.CA = hostile[4], strings.Join(hostile, ""), strings.Join(hostile, " "), strings.Join(hostile, "\n")
		h.Headers = []callback.Param{{Key: hostile[5], Value: hostile[6]}, {Key: "\n", Value: strings.Join(hostile, "\r")}}
		page.stale = true
		page.took(h, nil)
		p.send(tea.FocusMsg{})
		if _, ok := p.m.box.(*conflictBox); !ok {
			t.Fatalf("box %T", p.m.box)
		}
		for _, keys := range []string{"", "t", "tab tab tab tab tab tab tab tab tab tab tab", "down down down down down down down down down down down down down down down"} {
			p.press(keys)
			for _, size := range [][2]int{{20, 5}, {60, 15}, {61, 16}, {80, 24}, {140, 40}, {250, 80}} {
				resized(t, p, size[0], size[1])
			}
		}
	})
}

// Somebody else's change is taken in where there is none here, told of where
// there is, and nothing is asked where both are the same.
func TestChangeElsewhereWhileEditing(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("e tab")
		elsewhere(f, "crm-prod", func(h *callback.HealthView) { h.Email = "a@example.com" })
		f.changed()
		p.settle()
		p.see("a@example.com", "this is what is stored now")
		p.fill("email", "b@example.com")
		elsewhere(f, "crm-prod", func(h *callback.HealthView) { h.Email = "c@example.com" })
		f.changed()
		p.settle()
		p.see("somebody else changed it meanwhile: Ctrl+S shows how", "b@example.com")
		elsewhere(f, "crm-prod", func(h *callback.HealthView) { h.Email = "b@example.com" })
		p.press("ctrl+s")
		p.see("this is what is stored now")
		if s := p.m.top().Status(); s != "nothing is changed yet" {
			t.Fatalf("status %q", s)
		}
		p.fill("email", "d@example.com")
		f.set(func() { f.overview.Callbacks = f.overview.Callbacks[:3] }) // crm-prod is the fifth
		p.press("ctrl+s")
		p.see("it was deleted meanwhile")
		p.press("ctrl+s")
		p.see("Ctrl+S: it was deleted meanwhile")
	})
}
