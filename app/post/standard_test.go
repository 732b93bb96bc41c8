package post

import (
	"encoding/base64"
	"strconv"
	"strings"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"ringback/callback"
)

// The published library of Standard Webhooks takes what is sent, with the
// present secret and, during a change of secrets, with the one before as well;
// and a test, whose webhook-id is no call's.
func TestStandardWebhooks(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t)
	p := newPoster(t, Options{AllowPrivate: true})
	whsec := func(s string) string { return "whsec_" + base64.StdEncoding.EncodeToString([]byte(s)) }
	now, old, other := whsec("the present secret, 24 B"), whsec("the previous \x00\xff, of 32 bytes.."), whsec("the secret of someone else")
	for _, row := range []struct{ name, now, old, test string }{
		{"one secret", now, "", ""},
		{"two during a change", now, old, ""},
		{"a test", now, old, callback.TrialPrefix + "5A1C09F2E4B7D863"},
	} {
		cb, c := newCallback(url), newClaim()
		cb.SigningSecret, cb.PreviousSecret, c.Test = secret(row.now), secret(row.old), row.test
		if a := p.Post(t.Context(), cb, c, 1); len(a) != 1 || !a[0].OK {
			t.Fatalf("%s: got %+v", row.name, a)
		}
		r := <-got
		if id := r.header.Get("webhook-id"); row.test != "" && id != row.test || row.test == "" && id != c.Entry.ID.String() {
			t.Errorf("%s: webhook-id %q", row.name, id)
		}
		for _, s := range []struct {
			secret string
			takes  bool
		}{{now, true}, {old, row.old != ""}, {other, false}} {
			wh, err := standard.NewWebhook(s.secret)
			if err != nil {
				t.Fatal(err)
			}
			if err := wh.Verify([]byte(r.body), r.header); (err == nil) != s.takes {
				t.Errorf("%s: verified with %s: %v, want %v", row.name, s.secret, err, s.takes)
			}
			if err := wh.Verify([]byte(r.body+" "), r.header); err == nil {
				t.Errorf("%s: another body is verified", row.name)
			}
		}
		at, err := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		wh, err := standard.NewWebhook(now)
		if err != nil {
			t.Fatal(err)
		}
		want, err := wh.Sign(r.header.Get("webhook-id"), time.Unix(at, 0), []byte(r.body))
		if first, _, _ := strings.Cut(r.header.Get("webhook-signature"), " "); err != nil || first != want {
			t.Errorf("%s: signed %q, the library %q, %v", row.name, first, want, err)
		}
	}
}
