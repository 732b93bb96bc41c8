package servicetest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringback/callback"
)

func draftTested(t *testing.T, b *bench) {
	target := b.hook.URL
	got, err := b.svc.TestDraft(b.ctx, "", callback.Draft{URL: &target, AuthType: ptr(callback.AuthQuery), AuthKey: ptr("canary-key")})
	if err != nil || !got.OK() || got.CallbackID != 0 || got.Callback != "draft" || !strings.Contains(got.URL, "auth=******#") || b.hook.got(got.RequestBody) != 1 {
		t.Fatalf("test of a new one: %+v, %v", got, err)
	}
	if list, total, err := b.svc.Callbacks(b.ctx, callback.CallbackQuery{}); err != nil || total != 0 {
		t.Fatalf("a draft was stored: %+v, %v", list, err)
	}

	h := b.callback("crm", func(d *callback.Draft) { d.URL = ptr("http://nowhere.invalid/") })
	b.hook.answer(http.StatusTeapot)
	got, err = b.svc.TestDraft(b.ctx, "crm", callback.Draft{URL: &target, ContentType: ptr(callback.XML)})
	if err != nil || got.OK() || len(got.Attempts) != 1 || got.Attempts[0].Code != http.StatusTeapot || got.CallbackID != h.ID || got.Callback != "crm" || got.ContentType != "application/xml" {
		t.Fatalf("test of a change: %+v, %v", got, err)
	}
	now, err := b.svc.Callback(b.ctx, "crm")
	if err != nil || now.URL != h.URL || now.Version != h.Version || now.Live.Counts != h.Live.Counts || !now.Live.LastFailure.IsZero() {
		t.Fatalf("a test changed it: %+v, %v", now, err)
	}

	_, err = b.svc.TestDraft(b.ctx, "nobody", callback.Draft{})
	b.wantCode("test of nobody's draft", err, callback.CodeNotFound)
	_, err = b.svc.TestDraft(b.ctx, "", callback.Draft{MaxInFlight: ptr(-1)})
	b.wantFields("a draft without a URL", err, "maxInFlight", "url")
}

func draftLookedAt(t *testing.T, b *bench) {
	check := func(ref string, d callback.Draft) []callback.Finding {
		t.Helper()
		found, err := b.svc.CheckDraft(b.ctx, ref, d)
		if err != nil {
			t.Fatalf("look at %q: %v", ref, err)
		}
		return found
	}
	if f := check("", callback.Draft{URL: &b.hook.URL}); len(f) != 1 || f[0].Field != "url" || f[0].Result != callback.FoundGood || f[0].Short != "GET: 200" {
		t.Fatalf("a URL that answers: %+v", f)
	}
	b.hook.answer(http.StatusServiceUnavailable)
	if f := check("", callback.Draft{URL: &b.hook.URL}); len(f) != 1 || f[0].Result != callback.FoundWarning || !strings.Contains(f[0].Message, "GET answered 503") {
		t.Fatalf("a URL that is broken: %+v", f)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	b.callback("crm", nil)
	if f := check("crm", callback.Draft{URL: &gone.URL}); len(f) != 1 || f[0].Result != callback.FoundWarning || !strings.Contains(f[0].Message, "Connection refused") {
		t.Fatalf("a URL where nothing listens: %+v", f)
	}
	if f := check("crm", callback.Draft{Retries: ptr(true)}); len(f) != 0 {
		t.Fatalf("nothing to look at: %+v", f)
	}
	if f := check("", callback.Draft{Email: ptr("ops@b\u00fccher.example")}); len(f) != 1 || f[0].Field != "email" || f[0].Result != callback.FoundUnknown || f[0].Message == "" {
		t.Fatalf("an address that cannot be looked up: %+v", f)
	}
	_, err := b.svc.CheckDraft(b.ctx, "nobody", callback.Draft{})
	b.wantCode("a look at nobody's draft", err, callback.CodeNotFound)
	_, err = b.svc.CheckDraft(b.ctx, "", callback.Draft{URL: ptr("ftp://x"), Email: ptr("nobody")})
	b.wantFields("a look at what is wrong", err, "email", "url")
}
