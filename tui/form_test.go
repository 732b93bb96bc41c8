package tui

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

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
