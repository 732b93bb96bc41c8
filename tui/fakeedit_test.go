package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// editing is what the fake knows of callbacks being made and changed.
type editing struct {
	drafts []callback.Draft
	late   bool // the next update comes after another one
	trial  callback.Trial
	wait   chan struct{} // while not nil: no test is answered before it is closed

	findings []callback.Finding // of looks at drafts
	looks    []string           // the drafts that were looked at
	looking  chan struct{}      // while not nil: no look is answered before it is closed
}

func (f *fake) find(ref string) (int, error) {
	for i := range f.overview.Callbacks {
		if h := &f.overview.Callbacks[i]; h.ID.String() == ref || h.Name == ref {
			return i, nil
		}
	}
	return -1, callback.Errorf(callback.CodeNotFound, "no callback has the id or name %q", ref)
}

func (f *fake) Callback(_ context.Context, ref string) (callback.Health, error) {
	if err := f.enter("Callback"); err != nil {
		return callback.Health{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.find(ref)
	if err != nil {
		return callback.Health{}, err
	}
	return f.overview.Callbacks[i].Health, nil
}

// fingerprinted makes a Secret as a service does.
func fingerprinted(v string) callback.Secret { return callback.NewSecret(v, []byte("of the fake")) }

// apply does to a callback what the service does: the domain's own rules.
func (f *fake) apply(h *callback.Health, d callback.Draft) error {
	cb := h.Callback
	if err := d.Apply(&cb, fingerprinted); err != nil {
		return err
	}
	for i := range f.overview.Callbacks {
		if o := &f.overview.Callbacks[i]; o.Name == cb.Name && o.ID != cb.ID {
			return &callback.Error{Code: callback.CodeConflict, Message: "the name is taken", Fields: []callback.FieldError{{Field: "name", Message: "is taken"}}}
		}
	}
	f.drafts = append(f.drafts, d)
	cb.Version, cb.UpdatedAt = cb.Version+1, noon
	h.Callback = cb
	return nil
}

func (f *fake) Create(_ context.Context, d callback.Draft) (h callback.Health, err error) {
	if err := f.act("create %s", drafted(&d)); err != nil {
		return h, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	h.ID = callback.CallbackID(0xC0FFEE0000000000 + uint64(len(f.overview.Callbacks)))
	if err := f.apply(&h, d); err != nil {
		return h, err
	}
	f.overview.Callbacks = append(slices.Clone(f.overview.Callbacks), callback.HealthView{Health: h})
	return h, nil
}

func (f *fake) Update(_ context.Context, ref string, d callback.Draft, version uint64) (h callback.Health, err error) {
	if err := f.act("update %s %s", ref, drafted(&d)); err != nil {
		return h, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.find(ref)
	if err != nil {
		return h, err
	}
	if f.late {
		f.late = false
		was := f.overview.Callbacks[i].Health
		other := &was.Callback
		other.Version, other.UpdatedAt = other.Version+1, ago(40*time.Second)
		other.URL, other.Email, other.Retries = other.URL+"/2", "noc@example.com", false
		f.overview.Callbacks = slices.Clone(f.overview.Callbacks)
		f.overview.Callbacks[i].Health = was
	}
	h = f.overview.Callbacks[i].Health
	if version != h.Version {
		return h, callback.Errorf(callback.CodeStale, "the callback is at version %d", h.Version)
	}
	if err := f.apply(&h, d); err != nil {
		return h, err
	}
	f.overview.Callbacks = slices.Clone(f.overview.Callbacks)
	f.overview.Callbacks[i].Health = h
	return h, nil
}

func (f *fake) Delete(_ context.Context, ref string) error {
	if err := f.act("delete %s", ref); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.find(ref)
	if err == nil {
		f.overview.Callbacks = slices.Delete(slices.Clone(f.overview.Callbacks), i, i+1)
	}
	return err
}

func (f *fake) Test(ctx context.Context, ref string) (callback.Trial, error) {
	if err := f.act("test %s", ref); err != nil {
		return callback.Trial{}, err
	}
	f.mu.Lock()
	wait, t := f.wait, f.trial
	f.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return t, ctx.Err()
		}
	}
	return t, nil
}

func (f *fake) TestDraft(ctx context.Context, ref string, d callback.Draft) (callback.Trial, error) {
	if err := f.act("test draft %s %s", ref, drafted(&d)); err != nil {
		return callback.Trial{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := f.trial
	if d.URL != nil {
		t.URL = *d.URL
	}
	return t, nil
}

func (f *fake) CheckDraft(ctx context.Context, ref string, d callback.Draft) ([]callback.Finding, error) {
	if err := f.enter("CheckDraft"); err != nil {
		return nil, err
	}
	f.mu.Lock()
	looking := f.looking
	f.looks = append(f.looks, ref+" "+drafted(&d))
	f.mu.Unlock()
	if looking != nil {
		select {
		case <-looking:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var found []callback.Finding
	for _, got := range f.findings {
		if d.URL != nil && got.Field == "url" || d.Email != nil && got.Field == "email" {
			found = append(found, got)
		}
	}
	return found, nil
}

// drafted writes down what a draft sets.
func drafted(d *callback.Draft) string {
	var parts []string
	add := func(name string, v any, set bool) {
		if set {
			parts = append(parts, fmt.Sprintf("%s=%v", name, v))
		}
	}
	str := func(name string, p *string) {
		if p != nil {
			add(name, *p, true)
		}
	}
	str("name", d.Name)
	str("url", d.URL)
	if d.AuthType != nil {
		add("auth", *d.AuthType, true)
	}
	str("key", d.AuthKey)
	if d.ContentType != nil {
		add("content", *d.ContentType, true)
	}
	for _, b := range []struct {
		name string
		p    *bool
	}{{"html", d.RemoveHTML}, {"reply", d.Reply}, {"undeliverable", d.Undeliverable}, {"retries", d.Retries}, {"ordered", d.Ordered}} {
		if b.p != nil {
			add(b.name, *b.p, true)
		}
	}
	str("email", d.Email)
	if d.Alerts != nil {
		add("alerts", *d.Alerts, true)
	}
	str("description", d.Description)
	if d.MaxInFlight != nil {
		add("inflight", *d.MaxInFlight, true)
	}
	if d.RatePerSecond != nil {
		add("rate", *d.RatePerSecond, true)
	}
	if d.ConnectTimeout != nil {
		add("connect", *d.ConnectTimeout, true)
	}
	if d.ResponseTimeout != nil {
		add("response", *d.ResponseTimeout, true)
	}
	str("sign", d.SigningSecret)
	str("before", d.PreviousSecret)
	str("ca", d.CA)
	if d.Headers != nil {
		add("headers", *d.Headers, true)
	}
	return strings.Join(parts, " ")
}

// fixEditing sets up what the form and the test send show.
func (f *fake) fixEditing() {
	h := f.health("crm-prod")
	h.URL, h.Email = "https://crm.example.com/in/whispir", "ops@example.com"
	h.SigningSecret = fingerprinted("whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5")
	h.Headers = []callback.Param{{Key: "X-Tenant", Value: "north"}, {Key: "X-Api-Token", Value: callback.MaskedHeader}}
	h.Live.Gate.State = callback.Open
	f.findings = []callback.Finding{
		{Field: "url", Result: callback.FoundWarning, Short: "GET: 503", Message: "GET answered 503 Service Unavailable; a POST may be answered otherwise"},
		{Field: "email", Result: callback.FoundWarning, Short: "no mail server", Message: "exmaple.com has no mail server (MX)"},
	}
	f.trial = callback.Trial{
		ID: callback.TrialPrefix + "0123456789ABCDEF", CallbackID: h.ID, Callback: h.Name, URL: h.URL, ContentType: "application/json",
		RequestBody: `{"messageId":"test_0123456789ABCDEF","from":{"name":"ringback test"},"responseMessage":{"channel":"TEST","content":"This is a test of the callback, sent by ringback. Nobody answered a message."}}`,
		Attempts:    []callback.Attempt{fixtureAttempt(callSeed{0, "crm-prod", callback.StateRetrying, 1, 503, callback.ClassStatus, 84e6, "", 0}, 1)},
	}
}
