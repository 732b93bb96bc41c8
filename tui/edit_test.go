package tui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// paste pastes text.
func (p *pilot) paste(text string) {
	p.t.Helper()
	p.send(tea.PasteMsg{Content: text})
	p.settle()
}

// goTo puts the cursor of the form on a field.
func (p *pilot) goTo(name string) *field {
	p.t.Helper()
	f := p.m.top().(*editPage).form
	for f.fields[f.at].name != name {
		was := f.at
		if p.press("tab"); f.at == was {
			for range f.fields {
				p.press("shift+tab")
			}
		}
	}
	return f.fields[f.at]
}

// fill empties a field and types text into it.
func (p *pilot) fill(name, text string) {
	p.t.Helper()
	p.goTo(name)
	p.press("ctrl+u")
	p.types(text)
}

func updated(name, draft string) string {
	return fmt.Sprintf("update %s %s", callbackIDOf(name), draft)
}

func TestEditChangesWhatWasChanged(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e")
		p.see("Edit callback crm-prod", "https://crm.example.com/in/whispir", "nothing is changed yet")
		p.press("ctrl+s")
		p.see("Ctrl+S: nothing is changed")
		p.fill("email", "noc@example.com")
		edit := p.m.top()
		p.see("nothing is saved yet", "Changed: E-mail ops@example.com -> noc@example.com", "It is down: one call is sent at once")
		p.goTo("retriesEnabled")
		p.press("space")
		p.see("Those tried already are given up")
		want(t, f.did(), nil)
		p.press("ctrl+s")
		want(t, f.did(), []string{updated("crm-prod", "retries=false email=noc@example.com")})
		p.see("CALLBACK", "saved crm-prod; one of 1,284 waiting calls goes out now")
		h := f.health("crm-prod").Health
		h.Version += 5
		p.send(reply[callback.Health]{to: edit, got: h}) // asked for before the page was left
		p.see("saved crm-prod")
		p.press("e")
		p.see("noc@example.com")
		if v := p.m.top().(*editPage).form.base.Version; v != 4 {
			t.Fatalf("editing goes on at version %d, want 4", v)
		}
	})
}

func TestNewCallbackInTheFirstRun(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.overview.Callbacks = nil
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.see("n  registers the first one here")
		p.press("n")
		p.see("New callback")
		p.press("ctrl+s")
		p.see("2 fields to mend first", "✗ is required, 1 to 50 characters", "✗ is required, an absolute")
		if s := p.m.top().Status(); s != "2 warnings  nothing is changed yet" {
			t.Fatalf("status %q", s)
		}
		p.types("crm")
		p.press("enter")
		p.types("https://crm.example.com/in?a=q")
		p.see("ringback callbacks add crm 'https://crm.example.com/in?a=q'")
		p.press("ctrl+s")
		want(t, f.did(), []string{"create name=crm url=https://crm.example.com/in?a=q"})
		p.see("made crm; T sends it a sample", "> crm")
	})
}

func TestNewCallbackIsTheChosenOne(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("j n")
		p.types("aaa")
		p.press("tab")
		p.types("http://localhost/")
		p.press("ctrl+s")
		p.see("made aaa", "> aaa")
		p.pass(20 * time.Second)
		p.see("> aaa")
	})
}

func TestUnsavedChangesAreGuarded(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e esc")
		p.see("worst first")
		p.press("enter e x esc")
		p.see("Leave without saving?", "crm-prodx")
		p.press("esc")
		p.see("Edit callback", "crm-prodx")
		p.press("esc q x")
		p.see("Leave without saving?")
		p.press("enter")
		p.see("f failed") // the callback's page
		want(t, f.did(), nil)
	})
}

func TestFormIsLoadedInTheEnd(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		stall := make(chan struct{})
		f.set(func() { f.stall = stall })
		p.press("e x ctrl+s")
		p.see("loading ...", "id "+callbackIDOf("crm-prod").String())
		p.pass(2100 * time.Millisecond)
		f.set(func() { f.stall = nil })
		close(stall)
		p.pass(12 * time.Second)
		p.see("> Name          crm-prod")
		want(t, f.did(), nil)
	})
}

func TestSavingTakesOneAnswer(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e")
		p.fill("email", "noc@example.com")
		stall := make(chan struct{})
		f.set(func() { f.stall = stall })
		p.press("ctrl+s ctrl+s x esc")
		p.see("Esc: wait, it is being saved", "noc@example.com ")
		f.set(func() { f.stall = nil })
		close(stall)
		p.settle()
		p.see("saved crm-prod")
		want(t, f.did(), []string{updated("crm-prod", "email=noc@example.com")})
	})
}

func TestChangingKeysSayWhyNot(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*fake, *Options){
		"read-only": func(_ *fake, o *Options) { o.ReadOnly = true },
		"offline":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 140, 40, func(o *Options) {
				if options != nil {
					options(f, o)
				}
			}, func(p *pilot) {
				p.press("e") // refused, or opened before the connection is lost
				if options == nil {
					p.fill("email", "noc@example.com")
					f.set(func() { f.fail = errors.New("connection reset") })
					p.pass(2 * time.Second)
					p.press("ctrl+s")
					p.see("Ctrl+S: offline", "noc@example.com")
					n := f.count("Overview")
					p.press("enter") // tries again
					if f.count("Overview") != n+1 {
						t.Error("Enter does not try again")
					}
					p.press("esc enter")
				}
				for _, k := range []string{"n", "e", "T", "delete"} {
					p.press(k)
					label := strings.Replace(k, "delete", "Del", 1)
					p.see(label + ": " + name)
					if p.m.box != nil || len(p.m.stack) > 0 {
						t.Fatalf("%s opened something", k)
					}
				}
				if did := f.did(); len(did) > 0 {
					t.Fatalf("did %v", did)
				}
			})
		})
	}
}

func TestFormWhereThereIsLittleRoom(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 60, 15, nil, func(p *pilot) {
		p.press("e")
		form := p.m.top().(*editPage).form
		for range form.fields {
			at := form.fields[form.at]
			if at.beside {
				p.see(at.label)
			} else if !strings.Contains(p.text(), "> "+at.label) {
				t.Fatalf("the cursor on %s is not shown:\n%s", at.name, p.text())
			}
			if !p.m.manner.cursor.on {
				t.Fatalf("no cursor on %s", at.name)
			}
			p.press("tab")
		}
		p.press("down down down")
		p.see("X-Api-Token", "   Headers", " > ")
		p.send(tea.WindowSizeMsg{Width: 40, Height: 10})
		p.press("x e")
		p.paste("x")
		p.press("q")
		if form.field("name").changed() || form.field("headers").changed() {
			t.Error("a form that is not seen was typed into")
		}
		if !p.quit {
			t.Error("q does not leave where there is no form to see")
		}
	})
}
