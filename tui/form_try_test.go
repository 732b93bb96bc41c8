package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// What the form has is what is tried, as it is when the key is pressed, and
// nothing of it is saved.
func TestDraftIsTried(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e ctrl+t")
		p.see("It goes out beside the calls") // nothing is changed: what is stored is tested
		p.press("esc")
		p.fill("url", "https://crm.example.com/new")
		p.fill("auth.key", "canary-key")
		p.press("ctrl+t")
		p.see("Send a sample response to crm-prod now.", "https://crm.example.com/new", "nothing is saved")
		want(t, f.did(), nil)
		p.press("enter")
		p.see("crm-prod did not take it: 503", "X-Whispir-Callback-Key: ******#typed", "POST /new HTTP/1.1")
		p.unseen("canary")
		p.press("esc")
		p.see("Edit callback", "nothing is saved yet")
		id := callbackIDOf("crm-prod").String()
		want(t, f.did(), []string{"test draft " + id + " url=https://crm.example.com/new key=canary-key"})
		if len(f.drafts) != 0 {
			t.Errorf("saved %v", f.drafts)
		}
	})
}

func TestDraftOfANewOneIsTried(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("n ctrl+t")
		p.see("Ctrl+T: 1 field to mend first", "> URL")
		p.types("https://crm.example.com/in")
		p.press("ctrl+t")
		p.see("Send a sample response to the new callback now.")
		p.press("enter esc ctrl+s")
		p.see("1 field to mend first", "> Name")
		want(t, f.did(), []string{"test draft  url=https://crm.example.com/in"})
	})
}

// What nobody may save nobody may try, and neither when it was deleted.
func TestDraftThatCannotBeTried(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("e x ctrl+t")
		f.set(func() { f.server.Role = callback.RoleOperator })
		p.press("esc")
		p.send(serverMsg{server: f.server})
		p.press("ctrl+t")
		p.see("Ctrl+T: this needs a key of role admin; yours has role operator")
		f.set(func() { f.server.Role = callback.RoleAdmin; f.overview.Callbacks = nil })
		p.send(serverMsg{server: f.server})
		f.changed()
		p.pass(2 * time.Second)
		p.press("ctrl+t")
		p.see("Ctrl+T: it was deleted meanwhile")
		want(t, f.did(), nil)
	})
}

// A field that is left is looked at, once for what is in it; what comes of it
// stands at the field, and keeps nobody from saving.
func TestFieldsAreLookedAt(t *testing.T) {
	t.Parallel()
	f := newFake()
	id := callbackIDOf("crm-prod").String()
	fly(t, f, 160, 45, nil, func(p *pilot) {
		p.press("e tab tab shift+tab shift+tab") // nothing is new
		p.fill("email", "ops@exmaple.com")
		p.press("left right") // it is not left
		want(t, f.looks, nil)
		p.press("tab")
		p.see("! exmaple.com has no mail server (MX)", "! E-mail: exmaple.com has no mail server (MX)", "1 warning  nothing is saved yet")
		p.press("shift+tab tab")
		want(t, f.looks, []string{id + " email=ops@exmaple.com"})
		p.fill("email", "ops@example.com") // as it is stored
		p.press("tab")
		p.unseen("no mail server")
		p.fill("email", "nobody")
		p.press("tab")
		p.fill("url", "https://crm.example.com/new")
		p.press("down")
		p.see("! GET answered 503 Service Unavailable; a POST may be answered otherwise", "2 warnings")
		p.fill("email", "ops@exmaple.com")
		p.press("ctrl+s")
		want(t, f.looks, []string{id + " email=ops@exmaple.com", id + " url=https://crm.example.com/new"})
		want(t, f.did(), []string{updated("crm-prod", "url=https://crm.example.com/new email=ops@exmaple.com")})
	})
}

func TestLooksHoldNobodyUp(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.looking = make(chan struct{})
		p.press("n")
		p.types("crm")
		p.press("tab")
		p.types("https://crm.example.com/in")
		p.press("tab")
		p.see("looking ...")
		p.press("shift+tab 2") // another value: the answer to come is about the old one
		p.unseen("looking ...")
		f.set(func() { f.findings[0].Short = "old" })
		close(f.looking)
		p.settle()
		p.unseen("old")
		f.set(func() {
			f.findings[0] = callback.Finding{Field: "url", Result: callback.FoundGood, Short: "GET: 405", Message: "something is there\x1b[2J"}
		})
		p.press("tab")
		p.see("✓ GET: 405", "nothing is saved yet")
		p.send(lookedMsg{to: p.m.top().(*editPage), field: "url", value: "https://crm.example.com/in", found: []callback.Finding{{Field: "url", Result: callback.FoundWarning, Short: "late"}}})
		p.unseen("late")
		p.unseen("warning")
		f.set(func() { f.fail = errors.New("connection reset") })
		p.press("shift+tab 3 tab")
		p.see("not looked at")
		f.set(func() { f.fail = nil })
		p.press("shift+tab tab") // it is looked at again, for nothing is known
		p.see("✓ GET: 405")
		if n := len(f.looks); n != 3 {
			t.Errorf("%d looks: %s", n, strings.Join(f.looks, "; "))
		}
		p.press("ctrl+s")
		want(t, f.did(), []string{"create name=crm url=https://crm.example.com/in23"})
	})
}

// The head of a request is shown as it would be, its secrets apart, and not while
// there is none.
func TestWhatWillBeSentIsShown(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 160, 45, nil, func(p *pilot) {
		p.press("e")
		p.see("what will be sent", "POST /in/whispir HTTP/1.1", "X-Whispir-Callback-Key: ******#4f2a1b", "X-Tenant: north", "X-Api-Token: ******#hidden", "webhook-signature: v1,...")
		p.fill("url", "https://crm.example.com/new")
		p.fill("auth.key", "canary-key")
		p.goTo("auth.type")
		p.press("right")
		p.goTo("contentType")
		p.press("space")
		p.see("POST /new HTTP/1.1", "Authorization: Basic ******#typed", "Content-Type: application/xml")
		p.goTo("auth.type")
		p.press("left left")
		p.see("POST /new?auth=******#typed HTTP/1.1")
		p.unseen("canary")
		p.fill("url", "ftp:")
		p.unseen("what will be sent")
	})
	fly(t, newFake(), 160, 45, nil, func(p *pilot) {
		p.press("n")
		p.unseen("what will be sent")
	})
}

func TestFindingsWhereThereIsLittleRoom(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 60, 15, nil, func(p *pilot) {
		p.press("e")
		p.fill("email", "ops@exmaple.com")
		p.press("tab")
		if row := p.line("E-mail  "); !strings.HasSuffix(row, "!") {
			t.Errorf("the row of the field: %q", row)
		}
		p.see("! E-mail: exmaple.com has no mail server (MX)")
	})
}
