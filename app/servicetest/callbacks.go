package servicetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func ptr[T any](v T) *T { return &v }

func createAndRead(t *testing.T, b *bench) {
	d := callback.Draft{
		Name: ptr("crm-prod"), URL: ptr(b.hook.URL + "/in?a=b"), Email: ptr("ops@example.com"), Description: ptr("the CRM"),
		AuthType: ptr(callback.AuthBearer), AuthKey: ptr("s3cret"), ContentType: ptr(callback.XML),
		RemoveHTML: ptr(true), Retries: ptr(true), Reply: ptr(true), Undeliverable: ptr(false), Alerts: ptr(callback.ModeOff),
		MaxInFlight: ptr(3), RatePerSecond: ptr(2.5), Ordered: ptr(true),
		ConnectTimeout: ptr(2 * time.Second), ResponseTimeout: ptr(90 * time.Second),
		Headers: &[]callback.Param{{Key: "X-Tenant", Value: "a"}, {Key: "X-Area", Value: "b"}},
	}
	made, err := b.svc.Create(b.ctx, d)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	if made.ID == 0 || made.Version != 1 || made.CreatedAt.IsZero() {
		t.Fatalf("created: id %v, version %d, at %v", made.ID, made.Version, made.CreatedAt)
	}
	for _, ref := range []string{"crm-prod", made.ID.String(), strings.ToLower(made.ID.String())} {
		h, err := b.svc.Callback(b.ctx, ref)
		if err != nil {
			t.Fatalf("callback %q: %v", ref, err)
		}
		type view struct {
			id                          callback.CallbackID
			name, url, email, desc      string
			auth                        callback.AuthType
			form                        callback.ContentType
			html, retries, noRep, noUnd bool
			alerts                      callback.AlertMode
			run                         int
			rate                        float64
			ordered                     bool
			connect, response           time.Duration
			headers                     string
			state                       callback.State
		}
		got := view{
			h.ID, h.Name, h.URL, h.Email, h.Description, h.Auth.Type, h.ContentType, h.RemoveHTML, h.Retries, h.NoReplies, h.NoUndelivers,
			h.Alerts, h.MaxInFlight, h.RatePerSecond, h.Ordered, h.ConnectTimeout, h.ResponseTimeout, fmt.Sprint(h.Headers), h.Live.State,
		}
		want := view{
			made.ID, "crm-prod", *d.URL, "ops@example.com", "the CRM", callback.AuthBearer, callback.XML, true, true, false, true,
			callback.ModeOff, 3, 2.5, true, 2 * time.Second, 90 * time.Second, "[{X-Tenant a} {X-Area b}]", callback.Healthy,
		}
		if got != want {
			t.Fatalf("callback %q:\n got %+v\nwant %+v", ref, got, want)
		}
	}
	plain := b.callback("plain", nil)
	if plain.Retries || plain.NoReplies || plain.NoUndelivers || plain.RemoveHTML || plain.ContentType != callback.JSON || plain.ID == made.ID {
		t.Fatalf("defaults: %+v", plain.Callback)
	}
}

func createRefuses(t *testing.T, b *bench) {
	long := strings.Repeat("x", 200)
	for _, c := range []struct {
		name   string
		d      callback.Draft
		fields []string
	}{
		{"nothing", callback.Draft{}, []string{"name", "url"}},
		{"empty name", callback.Draft{Name: ptr(""), URL: ptr(b.hook.URL)}, []string{"name"}},
		{"long name", callback.Draft{Name: &long, URL: ptr(b.hook.URL)}, []string{"name"}},
		{"name like an id", callback.Draft{Name: ptr("00112233445566AA"), URL: ptr(b.hook.URL)}, []string{"name"}},
		{"ftp", callback.Draft{Name: ptr("a"), URL: ptr("ftp://example.com")}, []string{"url"}},
		{"user info", callback.Draft{Name: ptr("a"), URL: ptr("http://u:p@example.com")}, []string{"url"}},
		{"fragment", callback.Draft{Name: ptr("a"), URL: ptr("http://example.com/#x")}, []string{"url"}},
		{"key without type", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), AuthKey: ptr("k")}, []string{"auth.type"}},
		{"long key", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), AuthType: ptr(callback.AuthHeader), AuthKey: &long}, []string{"auth.key"}},
		{"email", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), Email: ptr("nobody")}, []string{"email"}},
		{"alerts", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), Alerts: ptr(callback.AlertMode("loud"))}, []string{"alerts"}},
		{"limits", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), MaxInFlight: ptr(-1), ConnectTimeout: ptr(time.Hour)}, []string{"maxInFlight", "connectTimeout"}},
		{"header", callback.Draft{Name: ptr("a"), URL: ptr(b.hook.URL), Headers: &[]callback.Param{{Key: "Host", Value: "x"}}}, []string{"headers.Host"}},
	} {
		_, err := b.svc.Create(b.ctx, c.d)
		b.wantFields(c.name, err, c.fields...)
		if strings.Contains(err.Error(), "u:p@") || strings.Contains(err.Error(), long) {
			t.Errorf("%s: the error repeats a secret: %v", c.name, err)
		}
	}
	if _, total, err := b.svc.Callbacks(b.ctx, callback.CallbackQuery{}); err != nil || total != 0 {
		t.Fatalf("after refusals: %d callbacks, error %v; want none", total, err)
	}
}

func namesUnique(t *testing.T, b *bench) {
	b.callback("one", nil)
	_, err := b.svc.Create(b.ctx, callback.Draft{Name: ptr("one"), URL: &b.hook.URL})
	b.wantCode("create with a taken name", err, callback.CodeConflict)
	two := b.callback("two", nil)
	_, err = b.svc.Update(b.ctx, two.ID.String(), callback.Draft{Name: ptr("one")}, 0)
	b.wantCode("rename to a taken name", err, callback.CodeConflict)
	if h, err := b.svc.Update(b.ctx, "two", callback.Draft{Name: ptr("two")}, 0); err != nil || h.Name != "two" {
		t.Fatalf("keep the own name: %q, %v", h.Name, err)
	}
}

func secretsMasked(t *testing.T, b *bench) {
	const key, signing = "k3y-canary", "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"
	made := b.callback("masked", func(d *callback.Draft) {
		d.AuthType, d.AuthKey, d.SigningSecret = ptr(callback.AuthQuery), ptr(key), ptr(signing)
	})
	mask := made.Auth.Key.String()
	if !callback.IsMask(mask) || !callback.IsMask(made.SigningSecret.String()) {
		t.Fatalf("key %q, signing secret %q: want masks", mask, made.SigningSecret)
	}
	kept, err := b.svc.Update(b.ctx, "masked", callback.Draft{AuthKey: &mask, Email: ptr("a@example.com")}, 0)
	if err != nil || kept.Auth.Key.String() != mask {
		t.Fatalf("update with the mask: key %v, error %v; want it kept", kept.Auth.Key, err)
	}
	changed, err := b.svc.Update(b.ctx, "masked", callback.Draft{AuthKey: ptr("another")}, 0)
	if err != nil || changed.Auth.Key.String() == mask || !callback.IsMask(changed.Auth.Key.String()) {
		t.Fatalf("update with a new key: %v, error %v; want another mask", changed.Auth.Key, err)
	}
	id := b.enqueue(response("masked", "hello"))[0]
	c := b.ended("masked", id, 1)
	if !strings.Contains(c.URL, changed.Auth.Key.String()) || strings.Contains(fmt.Sprintf("%+v", c), "another") {
		t.Fatalf("call: URL %q; want the mask in it and the key nowhere", c.URL)
	}
}

func updateChanges(t *testing.T, b *bench) {
	made := b.callback("before", func(d *callback.Draft) { d.Email = ptr("a@example.com") })
	h, err := b.svc.Update(b.ctx, made.ID.String(), callback.Draft{Name: ptr("after"), Retries: ptr(true)}, made.Version)
	if err != nil {
		t.Fatalf("update: %v", err)
	}
	if h.ID != made.ID || h.Name != "after" || !h.Retries || h.Email != "a@example.com" || h.URL != b.hook.URL || h.Version <= made.Version {
		t.Fatalf("updated: %+v", h.Callback)
	}
	_, err = b.svc.Callback(b.ctx, "before")
	b.wantCode("the old name", err, callback.CodeNotFound)
	_, err = b.svc.Update(b.ctx, "after", callback.Draft{URL: ptr("nonsense"), Email: ptr("x")}, 0)
	b.wantFields("update with faults", err, "url", "email")
	if h, err = b.svc.Callback(b.ctx, "after"); err != nil || h.URL != b.hook.URL {
		t.Fatalf("after a refused update: URL %q, error %v", h.URL, err)
	}
}

func updateStale(t *testing.T, b *bench) {
	made := b.callback("guarded", nil)
	if _, err := b.svc.Update(b.ctx, "guarded", callback.Draft{Email: ptr("a@example.com")}, made.Version); err != nil {
		t.Fatalf("first update: %v", err)
	}
	_, err := b.svc.Update(b.ctx, "guarded", callback.Draft{Email: ptr("b@example.com")}, made.Version)
	b.wantCode("update of an old version", err, callback.CodeStale)
	if h, err := b.svc.Callback(b.ctx, "guarded"); err != nil || h.Email != "a@example.com" {
		t.Fatalf("after a stale update: %q, %v", h.Email, err)
	}
}

func deleteFrees(t *testing.T, b *bench) {
	old := b.callback("gone", nil)
	if err := b.svc.Delete(b.ctx, old.ID.String()); err != nil {
		t.Fatalf("delete: %v", err)
	}
	b.wantCode("delete again", b.svc.Delete(b.ctx, old.ID.String()), callback.CodeNotFound)
	_, err := b.svc.Callback(b.ctx, "gone")
	b.wantCode("read a deleted one", err, callback.CodeNotFound)
	if fresh := b.callback("gone", nil); fresh.ID == old.ID {
		t.Fatalf("the new callback has the id of the old one, %v", fresh.ID)
	}
	if list, total, err := b.svc.Callbacks(b.ctx, callback.CallbackQuery{}); err != nil || total != 1 || len(list) != 1 {
		t.Fatalf("list: %d of %d, %v; want 1", len(list), total, err)
	}
}

func listCallbacks(t *testing.T, b *bench) {
	for _, n := range []string{"delta", "alpha", "echo", "charlie", "bravo"} {
		b.callback(n, nil)
	}
	for _, c := range []struct {
		q     callback.CallbackQuery
		want  string
		total int
	}{
		{callback.CallbackQuery{Sort: []string{"name"}}, "alpha bravo charlie delta echo", 5},
		{callback.CallbackQuery{Sort: []string{"name"}, Desc: true}, "echo delta charlie bravo alpha", 5},
		{callback.CallbackQuery{Sort: []string{"name"}, Limit: 2, Offset: 1}, "bravo charlie", 5},
		{callback.CallbackQuery{Sort: []string{"name"}, Limit: 2, Offset: 4}, "echo", 5},
		{callback.CallbackQuery{Sort: []string{"name"}, Offset: 9}, "", 5},
		{callback.CallbackQuery{Name: "echo"}, "echo", 1},
		{callback.CallbackQuery{Name: "ech"}, "", 0},
	} {
		list, total, err := b.svc.Callbacks(b.ctx, c.q)
		var got []string
		for i := range list {
			got = append(got, list[i].Name)
		}
		if err != nil || strings.Join(got, " ") != c.want || total != c.total {
			t.Errorf("%+v: %v of %d, error %v; want %q of %d", c.q, got, total, err, c.want, c.total)
		}
	}
	_, _, err := b.svc.Callbacks(b.ctx, callback.CallbackQuery{Sort: []string{"colour"}})
	b.wantFields("an unknown field to sort by", err, "sortFields")
}

func unknownCallback(t *testing.T, b *bench) {
	b.callback("known", nil)
	for _, ref := range []string{"unknown", "00112233445566FF", "known "} {
		for what, err := range map[string]error{
			"callback": second(b.svc.Callback(b.ctx, ref)),
			"calls":    second(b.svc.Calls(b.ctx, callback.ListQuery{Ref: ref})),
			"call":     second(b.svc.Call(b.ctx, ref, 1)),
			"update":   second(b.svc.Update(b.ctx, ref, callback.Draft{}, 0)),
			"delete":   b.svc.Delete(b.ctx, ref),
			"suspend":  b.svc.Suspend(b.ctx, ref, "me"),
			"resume":   b.svc.Resume(b.ctx, ref),
			"retry":    b.svc.Retry(b.ctx, ref, 1, false),
			"status":   second(b.svc.SetStatus(b.ctx, ref, []callback.CallID{1}, callback.Success, "me")),
		} {
			b.wantCode(what+" of "+ref, err, callback.CodeNotFound)
		}
	}
	_, err := b.svc.Call(b.ctx, "known", 0x1122334455667788)
	b.wantCode("an unknown call", err, callback.CodeNotFound)
}

func second[T any](_ T, err error) error { return err }

func overview(t *testing.T, b *bench) {
	b.callback("good", nil)
	b.callback("idle", nil)
	b.ended("good", b.enqueue(response("good", "hi"))[0], 1)
	b.until("the figures", func() bool {
		o, err := b.svc.Overview(b.ctx, 6)
		if err != nil {
			t.Fatalf("overview: %v", err)
		}
		i := slices.IndexFunc(o.Callbacks, func(v callback.HealthView) bool { return v.Name == "good" })
		if len(o.Callbacks) != 2 || i < 0 || o.Now.IsZero() {
			t.Fatalf("overview: %d callbacks, now %v", len(o.Callbacks), o.Now)
		}
		v := &o.Callbacks[i]
		if len(v.Cells) != 6 || v.Shown != callback.Healthy {
			t.Fatalf("overview of good: %d cells, %v; want 6, healthy", len(v.Cells), v.Shown)
		}
		return v.OK == 1 && v.Live.Counts.Delivered == 1
	})
	s, err := b.svc.Server(b.ctx)
	if err != nil || s.Interval <= 0 || s.Window < s.Interval || s.Role != callback.RoleAdmin || s.ReadOnly {
		t.Fatalf("server: interval %v, window %v, role %q, error %v", s.Interval, s.Window, s.Role, err)
	}
}
