package tui

import (
	"errors"
	"fmt"
	"reflect"
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

// TestFormHasEveryFieldOfADraft fills all in, and looks whether a Draft has a
// field that cannot be set.
func TestFormHasEveryFieldOfADraft(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("n")
		for name, text := range map[string]string{
			"name": "crm", "url": "https://crm.example.com/", "auth.key": "k3y", "email": "a@example.com", "description": "the CRM",
			"maxInFlight": "3", "ratePerSecond": "2.5", "connectTimeout": "2", "responseTimeout": "1m30s",
			"signingSecret": "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5", "previousSigningSecret": "whsec_b2xkZXJvbGRlcm9sZGVyb2xkZXJvbGRlcg==", "headers": "X-Area: b",
		} {
			p.fill(name, text)
		}
		for _, name := range []string{"auth.type", "contentType", "removeHTML", "callbacks.reply", "callbacks.undeliverable", "retriesEnabled", "alerts", "ordered"} {
			p.goTo(name)
			p.press("space")
		}
		p.goTo("ca")
		p.paste(testPEM)
		p.see("ringback test, until 2036-01-01")
		p.press("ctrl+s")
		if len(f.drafts) != 1 {
			t.Fatalf("not saved:\n%s", p.text())
		}
		d := reflect.ValueOf(f.drafts[0])
		for i := range d.NumField() {
			if d.Field(i).IsNil() {
				t.Errorf("%s cannot be set", d.Type().Field(i).Name)
			}
		}
		got := drafted(&f.drafts[0])
		for _, part := range []string{
			"auth=queryparam key=k3y content=xml html=true reply=false undeliverable=false retries=true ordered=true", "alerts=outage",
			"inflight=3 rate=2.5 connect=2s response=1m30s", "headers=[{X-Area b}]",
		} {
			if !strings.Contains(got, part) {
				t.Errorf("saved %s\nwhich lacks %s", got, part)
			}
		}
	})
}

// What is stored comes back from the form as it was, and nothing counts as
// changed.
func TestFormKeepsWhatIsStored(t *testing.T) {
	t.Parallel()
	cb := callback.Callback{
		ID: 7, Name: "a", URL: "http://a\u202e/", Description: "two\nlines\x1b[2J", ContentType: callback.XML, RemoveHTML: true, NoReplies: true, NoUndelivers: true,
		Retries: true, Email: "a@b", Alerts: callback.ModeEveryCall, MaxInFlight: 4, RatePerSecond: 0.25, Ordered: true,
		ConnectTimeout: time.Minute, ResponseTimeout: 1500 * time.Millisecond, CA: testPEM,
		Headers: []callback.Param{{Key: "A", Value: "b "}, {Key: "X-Key", Value: "s3cret"}}, Auth: callback.Auth{Type: callback.AuthBasic, Key: fingerprinted("k")},
		SigningSecret: fingerprinted("s"), PreviousSecret: callback.MaskedSecret(callback.MaskPrefix + "abcdef"),
	}
	f := newForm(&desk{})
	f.load(callback.Health{Callback: cb})
	f.check()
	if n := len(f.changes()); n != 0 {
		t.Fatalf("%d fields count as changed: %s", n, f.changed())
	}
	for _, at := range f.fields {
		if at.fault != "" && at.name != "url" && at.name != "email" {
			t.Errorf("%s: %s", at.name, at.fault)
		}
		if at.kind == fieldSecret {
			continue
		}
		var d callback.Draft
		if err := at.put(&d, at.value()); err != nil {
			t.Errorf("%s: %v", at.name, err)
		}
		again := callback.Callback{Auth: cb.Auth, Headers: cb.Headers}
		_ = d.Apply(&again, fingerprinted) // that other fields are empty is wrong, and of no interest
		if got := at.stored(&again); got != at.was {
			t.Errorf("%s: %q comes back as %q", at.name, at.was, got)
		}
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("e")
		p.see(f.health("crm-prod").Auth.Key.String(), f.health("crm-prod").SigningSecret.String(), "X-Api-Token: ******#hidden")
		p.fill("auth.key", "canary-key")
		p.see("Key           **********", "Key replaced", "--auth-key-file FILE")
		p.press("home right x") // from the middle, too
		h := p.goTo("headers")
		p.press("down")
		p.paste("\n")
		p.press("ctrl+u")
		p.types("X-Api-Token: canary-header")
		p.see("X-Api-Token: *************")
		if got := h.value(); !strings.Contains(got, "canary-header") {
			t.Fatalf("typed %q", got)
		}
		for range 20 {
			p.unseen("canary")
			p.press("shift+tab")
		}
		p.press("esc")
		p.unseen("canary")
		p.press("esc ctrl+s")
		p.unseen("canary")
		if d := f.drafts[0]; *d.AuthKey != "cxanary-key" || (*d.Headers)[1].Value != "canary-header" {
			t.Fatalf("saved %s", drafted(&d))
		}
	})
}

func TestSecretIsKeptOrRemoved(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, field, keys, want string }{
		{"kept", "auth.key", "", ""},
		{"typed and erased", "auth.key", "x backspace", ""},
		{"removed", "signingSecret", "ctrl+u", " sign="},
		{"removed, and not", "signingSecret", "ctrl+u ctrl+u", ""},
		{"removed, and replaced", "auth.key", "ctrl+u x", "key=x"},
		{"no auth, no key", "auth.type", "left left", "auth= key="},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press("e")
				p.goTo(tc.field)
				p.press(tc.keys)
				p.fill("description", "x")
				p.press("ctrl+s")
				if len(f.drafts) != 1 {
					t.Fatalf("not saved:\n%s", p.text())
				}
				d := f.drafts[0]
				got := strings.TrimSpace(strings.Replace(drafted(&d), "description=x", "", 1))
				if strings.Join(strings.Fields(got), " ") != strings.TrimSpace(tc.want) {
					t.Fatalf("saved %q, want %q", got, tc.want)
				}
			})
		})
	}
}

func TestFaultsStandAtTheirFields(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ field, text, says string }{
		{"url", "ftp://x", "must begin with http:// or https://"},
		{"url", "https://user:pw@x/", "has a user name or password in it"},
		{"name", "00112233445566AA", "has the form of an id"},
		{"email", "nobody", "is not an address of the form name@host"},
		{"maxInFlight", "many", "must be a whole number"},
		{"maxInFlight", "5000", "to 4096"},
		{"ratePerSecond", "fast", "must be a number"},
		{"connectTimeout", "2h", "100ms to 60s"},
		{"responseTimeout", "soon", "must be a time such as 5s"},
		{"signingSecret", "short", "is not whsec_ and 24 to 64 bytes"},
		{"auth.key", "******#123456", "begins like a mask"},
		{"headers", "Host: x", "Host is set by ringback itself"},
		{"headers", "no colon", "is written Name: value"},
	} {
		t.Run(tc.field+" "+tc.text, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 160, 45, nil, func(p *pilot) {
				p.press("e")
				p.fill(tc.field, tc.text)
				at := p.goTo(tc.field)
				p.unseen("✗ " + at.label)
				p.press("shift+tab ctrl+s")
				p.see("1 field to mend first", "✗ "+at.label)
				if row := p.line("   " + at.label + " "); tc.field != "headers" && !strings.Contains(row, "✗ ") {
					p.see("> " + at.label)
				}
				if !strings.Contains(p.text(), tc.says) {
					t.Errorf("it does not say %q:\n%s", tc.says, p.text())
				}
				if got := p.m.top().(*editPage).form; got.fields[got.at] != at {
					t.Errorf("the cursor is on %s", got.fields[got.at].name)
				}
				want(t, f.did(), nil)
			})
		})
	}
}

// What the service alone knows is placed at its field, until that is changed.
func TestFaultsOfTheService(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("e")
		p.fill("name", "billing-eu")
		p.press("tab tab ctrl+s")
		p.see("not saved: the name is taken", "✗ is taken", "> Name")
		p.press("ctrl+s") // it may have become free
		p.see("not saved: the name is taken")
		p.types("2")
		p.unseen("is taken")
		f.set(func() {
			f.refuse = &callback.Error{Code: callback.CodeInvalid, Message: "not valid", Fields: []callback.FieldError{{Field: "moon", Message: "is\x1b[2J full"}}}
		})
		p.press("ctrl+s")
		p.see("not saved: not valid: moon: is[2J full")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeForbidden, "this key may not") })
		p.press("ctrl+s")
		p.see("not saved: this key may not", "Edit callback")
		f.set(func() { f.refuse = errors.New("connection reset") })
		p.press("ctrl+s")
		p.see("save: connection reset; look before you repeat it")
	})
}

// TestFormSaysTheSameInAShell compares the command line that a change is shown
// as.
func TestFormSaysTheSameInAShell(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		fill func(f *form)
		want string
	}{
		{"quotes", func(f *form) { f.field("description").input = newInput("Ann's; rm -rf /") }, `--description 'Ann'\''s; rm -rf /'`},
		{"a limit", func(f *form) { f.field("connectTimeout").input = newInput("5") }, "--connect-timeout 5s"},
		{"no limit", func(f *form) { f.field("responseTimeout").clear() }, "--response-timeout 0"},
		{"no number", func(f *form) { f.field("maxInFlight").clear() }, "--max-in-flight 0"},
		{"a flag", func(f *form) { f.field("retriesEnabled").pick = 1 }, "--retries=true"},
		{"no e-mail", func(f *form) { f.field("email").clear() }, "--email ''"},
		{"no auth", func(f *form) { f.field("auth.type").pick = 0 }, "--auth '' --auth-key-file /dev/null"},
		{"a key", func(f *form) { f.field("auth.key").input = newInput("canary") }, "--auth-key-file FILE"},
		{"no key", func(f *form) { f.field("auth.key").clear() }, "--auth-key-file /dev/null"},
		{"no headers", func(f *form) { f.field("headers").rows = []input{{}} }, "--header ''"},
		{"headers", func(f *form) { f.field("headers").rows[1] = newInput("X-Key: canary") }, "--header 'A: b' --header 'X-Key: ******'"},
	} {
		f := newForm(&desk{})
		f.load(callback.Health{Callback: callback.Callback{
			ID: 7, Name: "crm", Email: "a@b", MaxInFlight: 4, ResponseTimeout: time.Minute, Headers: []callback.Param{{Key: "A", Value: "b"}},
			Auth: callback.Auth{Type: callback.AuthBearer, Key: fingerprinted("k")},
		}})
		tc.fill(f)
		if got := f.command(); got != "ringback callbacks set crm "+tc.want {
			t.Errorf("%s: %s\nwant ... %s", tc.name, got, tc.want)
		}
	}
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

func TestPasteIntoFields(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, field, text, value, says string }{
		{"a line end is dropped", "name", "crm\r\n", "crm", ""},
		{"lines become one", "description", "one\ntwo\x1b[31m", "one two[31m", "what was pasted is one line now"},
		{"a key", "auth.key", "s3cret\n", "s3cret", ""},
		{"a key of two lines", "auth.key", "s3\ncret", "", "a key is one line"},
		{"a key with a hidden sign", "auth.key", "s3\u202ecret", "", "a key is one line"},
		{"too much", "description", strings.Repeat("x", maxInput+1), "", "that is too long"},
		{"headers", "headers", "A: b\r\n\r\nC: d\n", "A: b\nC: d", ""},
		{"more headers than there may be", "headers", strings.Repeat("A: b\n", callback.MaxHeaders+2), "", "more lines than there may be; nothing was pasted"},
		{"a header too long among others", "headers", "A: b\nC: " + strings.Repeat("x", maxInput) + "\n", "", "too long; nothing was pasted"},
		{"a choice", "auth.type", "x", "", "text cannot be pasted here"},
		{"certificates", "ca", "\n" + testPEM + "\n", strings.TrimSpace(testPEM), ""},
		{"certificates of another system", "ca", strings.ReplaceAll(testPEM, "\n", "\r\n"), strings.TrimSpace(testPEM), ""},
		{"no certificate", "ca", "one\ntwo", "one\ntwo", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fly(t, newFake(), 80, 24, nil, func(p *pilot) {
				p.press("n")
				at := p.goTo(tc.field)
				p.paste(tc.text)
				if got := at.value(); got != tc.value {
					t.Errorf("holds %q, want %q", got, tc.value)
				}
				p.see(tc.says)
				if tc.text == "one\ntwo" {
					p.press("shift+tab tab")
					p.see("2 lines, no certificate", "has no certificate in PEM")
				}
			})
		})
	}
}

func TestDeleteWantsTheName(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter delete")
		p.see("Delete crm-prod for good", "1,284 waiting calls would be lost")
		p.press("enter")
		p.types("crm-pro")
		p.press("enter")
		p.types("d and more")
		p.press("enter")
		want(t, f.did(), nil)
		p.press("ctrl+u")
		p.types("crm-pro")
		p.paste("d\n")
		p.press("enter")
		want(t, f.did(), []string{fmt.Sprintf("delete %s", callbackIDOf("crm-prod"))})
		p.see("deleted crm-prod", "CALLBACK") // its page was left
		p.unseen("DOWN")
		p.press("delete")
		p.types("billing-eu")
		f.set(func() { f.fail = errors.New("connection reset") })
		p.pass(2 * time.Second)
		p.press("enter")
		p.see("Del: offline")
		f.set(func() { f.fail = nil })
		p.pass(10 * time.Second)
		want(t, f.did(), []string{fmt.Sprintf("delete %s", callbackIDOf("crm-prod"))})
		p.press("delete esc delete")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeForbidden, "this key may not") })
		p.types("billing-eu")
		p.press("enter")
		p.see("delete billing-eu: this key may not", "> billing-eu")
	})
}

func TestTestSend(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("T esc")
		want(t, f.did(), nil)
		p.press("T enter")
		want(t, f.did(), []string{fmt.Sprintf("test %s", callbackIDOf("crm-prod"))})
		p.see("✗ crm-prod did not take it: 503 Service Unavailable after 84ms", "Unavailable</title></head><body>", "POST /in/whispir HTTP/1.1", "X-Whispir-Callback-Key: "+f.health("crm-prod").Auth.Key.String())
		p.press("j j j j j j j j j j j j")
		p.see("webhook-id: test_0123456789ABCDEF", "Nobody answered a message.")
		f.set(func() {
			a := fixtureAttempt(callSeed{0, "crm-prod", callback.StateDelivered, 1, 200, 0, 12 * time.Millisecond, "", 0}, 1)
			f.trial.Attempts = []callback.Attempt{{Class: callback.ClassReset, Number: 1}, a}
			f.wait = make(chan struct{})
		})
		p.press("enter")
		p.pass(3 * time.Second)
		p.see("A sample is on its way to crm-prod.", "waiting for the answer, 3s")
		p.press("enter esc") // once is enough
		f.set(func() { close(f.wait); f.wait = nil })
		p.settle()
		p.see("crm-prod took it: 200 OK in 12ms")
		p.press("T enter")
		p.see("✓ crm-prod took it: 200 OK in 12ms", "A kept connection was dead")
		if n := f.count("act"); n != 3 {
			t.Fatalf("%d samples were sent, want 3", n)
		}
		f.set(func() { f.refuse = callback.Errorf(callback.CodeConflict, "a test of the callback runs already") })
		p.press("enter")
		p.see("test of crm-prod: a test of the callback runs already")
		f.set(func() { f.refuse, f.wait = nil, make(chan struct{}) })
		p.press("enter")
		p.pass(3 * time.Minute)
		p.see("the server did not answer in time")
	})
}

func TestTestOfTheFormGoesToWhatIsSaved(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e x ctrl+t")
		p.see("Ctrl+T: a test goes to what is saved; Ctrl+S first")
		p.press("backspace ctrl+t enter esc esc")
		want(t, f.did(), []string{fmt.Sprintf("test %s", callbackIDOf("crm-prod"))})
		p.see("worst first")
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
			if p.m.View().Cursor == nil {
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

const testPEM = `-----BEGIN CERTIFICATE-----
MIIBTzCB96ADAgECAgEBMAoGCCqGSM49BAMCMBgxFjAUBgNVBAMTDXJpbmdiYWNr
IHRlc3QwHhcNMjYwMTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAYMRYwFAYDVQQD
Ew1yaW5nYmFjayB0ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFg5tTJk2
G0hVd5C2O/Q4hLLL2rFmDxsPa8O08kh4IcwUM4vwQo5rqIxRFhwu8ty4qX3796Ae
NfAD0FmMuKHjUqMyMDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQU+2pvpzzA
JCA9AKneezcTg4ldGHcwCgYIKoZIzj0EAwIDRwAwRAIgEnLSMN39iPQKm/UW2ROb
/5+BeNyqoF51DN2hMIIKbhYCIHbqH2YnMqPrDWVIuOcHcSFYS930nsGxPZRLBqGy
QqKs
-----END CERTIFICATE-----`
