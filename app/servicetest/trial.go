package servicetest

import (
	"net/http"
	"strings"
	"testing"

	"ringback/callback"
)

func testSends(t *testing.T, b *bench) {
	h := b.callback("crm", func(d *callback.Draft) {
		retries(d)
		d.AuthType, d.AuthKey = ptr(callback.AuthQuery), ptr("canary-key")
	})
	if err := b.svc.Suspend(b.ctx, "crm", "ana"); err != nil { // it can be tested all the same
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		ok     bool
	}{{http.StatusOK, true}, {http.StatusBadGateway, false}} {
		b.hook.answer(c.status)
		got, err := b.svc.Test(b.ctx, "crm")
		if err != nil {
			t.Fatalf("test of an endpoint that answers %d: %v", c.status, err)
		}
		if got.OK() != c.ok || len(got.Attempts) != 1 || got.Attempts[0].Code != c.status || got.Attempts[0].Number != 1 || got.Attempts[0].Manual {
			t.Fatalf("answered %d: ok %v, attempts %+v", c.status, got.OK(), got.Attempts)
		}
		if got.CallbackID != h.ID || got.Callback != "crm" || !strings.Contains(got.URL, "auth=******#") || got.ContentType != "application/json" {
			t.Fatalf("what was tested: %+v", got)
		}
		if !strings.HasPrefix(got.ID, callback.TrialPrefix) || !strings.Contains(got.RequestBody, "This is a test") || b.hook.got(got.RequestBody) == 0 {
			t.Fatalf("test %q sent %q", got.ID, got.RequestBody)
		}
	}
	now, err := b.svc.Callback(b.ctx, "crm")
	if err != nil || now.Live.Counts != h.Live.Counts || now.Live.State != callback.Suspended || now.Live.Outage.N != 0 || !now.Live.LastFailure.IsZero() || !now.Live.LastSuccess.IsZero() {
		t.Fatalf("a test left something behind: %+v, %v", now.Live, err)
	}
	every := callback.ListSuccess | callback.ListFailed | callback.ListPending
	if list := b.calls(callback.ListQuery{Filter: callback.Filter{Status: every}}); len(list.Calls) != 0 {
		t.Fatalf("a test is listed as a call: %+v", list.Calls)
	}
	_, err = b.svc.Test(b.ctx, "nobody")
	b.wantCode("test of nobody", err, callback.CodeNotFound)
}

func testOnce(t *testing.T, b *bench) {
	b.callback("crm", nil)
	b.hook.hold = make(chan chan struct{})
	done := make(chan error, 1)
	go func() {
		_, err := b.svc.Test(b.ctx, "crm")
		done <- err
	}()
	free := <-b.hook.hold
	_, err := b.svc.Test(b.ctx, "crm")
	b.wantCode("a second test at once", err, callback.CodeConflict)
	close(free)
	if err := <-done; err != nil {
		t.Fatalf("the first test: %v", err)
	}
	b.hook.hold = nil // nothing is under way
	if _, err := b.svc.Test(b.ctx, "crm"); err != nil {
		t.Fatalf("a test after that: %v", err)
	}
}
