package post

import (
	"strings"
	"testing"

	"ringback/callback"
)

// What the requests for a callback have in common is made once, and anew for
// whatever of it was changed, also where id and version stayed: a draft has those.
func TestWayIsOfTheCallback(t *testing.T) {
	t.Parallel()
	base := func() *callback.Callback {
		cb := newCallback("http://h/hook")
		cb.CA = "what a way is not made of is not kept with it"
		cb.SigningSecret, cb.Headers = secret("whsec_c2VjcmV0"), []callback.Param{{Key: "X-One", Value: "1"}}
		return cb
	}
	for name, change := range map[string]func(*callback.Callback){
		"url":              func(cb *callback.Callback) { cb.URL = "http://h/other" },
		"key":              func(cb *callback.Callback) { cb.Auth.Key = secret("another") },
		"auth":             func(cb *callback.Callback) { cb.Auth.Type = callback.AuthBearer },
		"content type":     func(cb *callback.Callback) { cb.ContentType = callback.XML },
		"signing secret":   func(cb *callback.Callback) { cb.SigningSecret = secret("whsec_b3RoZXI=") },
		"previous secret":  func(cb *callback.Callback) { cb.PreviousSecret = secret("whsec_b3RoZXI=") },
		"value of headers": func(cb *callback.Callback) { cb.Headers = []callback.Param{{Key: "X-One", Value: "2"}} },
		"none of headers":  func(cb *callback.Callback) { cb.Headers = nil },
	} {
		p := newPoster(t, Options{})
		first := p.prepare(base(), newClaim())
		if first.made.CA != "" {
			t.Errorf("%s: %q is kept", name, first.made.CA)
		}
		if again := p.prepare(base(), newClaim()); again.way != first.way {
			t.Errorf("%s: made anew for a callback that is the same", name)
		}
		cb := base()
		change(cb)
		if j := p.prepare(cb, newClaim()); j.way == first.way || !p.newWay(cb).of(cb) || p.newWay(base()).of(cb) {
			t.Errorf("%s: the change is not noticed", name)
		}
	}
}

// Attempts share a way: what one adds to its headers is in no other's.
func TestWayIsShared(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{})
	a, b := p.prepare(newCallback("http://h/"), newClaim()), p.prepare(newCallback("http://h/"), newClaim())
	a.header.Set("Content-Type", "text/plain")
	a.header.Set("X-Mine", "a")
	if got := b.header.Get("Content-Type") + b.header.Get("X-Mine"); got != "application/json" {
		t.Errorf("the other has %q", got)
	}
}

// However many callbacks there are, some are kept and the rest are made anew.
func TestWaysAreBounded(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{})
	for id := range callback.CallbackID(3 * maxWays) {
		cb := newCallback("http://h/" + strings.Repeat("a", int(id%7)))
		cb.ID = id
		if w := p.wayOf(cb); !w.of(cb) || len(p.ways.byID) > maxWays {
			t.Fatalf("%d are kept", len(p.ways.byID))
		}
	}
}
