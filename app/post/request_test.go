package post

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// received is a request as an endpoint got it.
type received struct {
	uri    string
	header http.Header
	body   string
}

// endpoint keeps every request it gets.
func endpoint(t testing.TB) (url string, got <-chan received) {
	ch := make(chan received, 8)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		ch <- received{r.Method + " " + r.RequestURI, r.Header, string(body)}
	}))
	t.Cleanup(s.Close)
	return s.URL, ch
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t)
	cb := newCallback(url + "/hook")
	cb.Auth = callback.Auth{}
	cb.Headers = []callback.Param{
		{Key: "X-Team", Value: "crm"},
		{Key: "x-team", Value: "ops"},
		{Key: "Authorization", Value: "of its own"},
		{Key: "Idempotency-Key", Value: "1"},
		{Key: "x-idempotency-key", Value: "1"},
	}
	p := newPoster(t, Options{AllowPrivate: true, UserAgent: "ringback/1.2"})
	claim := newClaim()
	claim.Entry.Manual = true
	as := p.Post(context.Background(), cb, claim, 12)
	if len(as) != 1 || !as[0].OK || !as[0].Manual || as[0].Number != 12 {
		t.Fatalf("got %+v", as)
	}
	r := <-got
	_, body := Body(cb, &claim.Response)
	if r.uri != "POST /hook" || r.body != string(body) {
		t.Errorf("got %s with %s, want POST /hook with %s", r.uri, r.body, body)
	}
	stamp, err := strconv.ParseInt(r.header.Get("webhook-timestamp"), 10, 64)
	if err != nil || stamp != as[0].Started.Unix() {
		t.Errorf("got webhook-timestamp %d (%v), want %d", stamp, err, as[0].Started.Unix())
	}
	r.header.Del("webhook-timestamp")
	want := http.Header{
		"Content-Type": {"application/json"}, "Content-Length": {strconv.Itoa(len(body))}, "User-Agent": {"ringback/1.2"},
		"Webhook-Id": {"1234567890ABCDEF"}, "X-Ringback-Attempt": {"12"},
		"X-Team": {"crm", "ops"}, "Authorization": {"of its own"},
	}
	if d := cmp.Diff(want, r.header); d != "" {
		t.Errorf("headers (-want +got):\n%s", d)
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t)
	for _, row := range []struct {
		auth          callback.AuthType
		path, uri     string
		header, value string
	}{
		{callback.AuthNone, "/", "/", "", ""},
		{callback.AuthQuery, "", "/?auth=s3cr3t-KEY%2F%2B%26%3Dx", "", ""},
		{callback.AuthQuery, "/a", "/a?auth=s3cr3t-KEY%2F%2B%26%3Dx", "", ""},
		{callback.AuthQuery, "/a?", "/a?auth=s3cr3t-KEY%2F%2B%26%3Dx", "", ""},
		{callback.AuthQuery, "/a?x=1&", "/a?x=1&auth=s3cr3t-KEY%2F%2B%26%3Dx", "", ""},
		{callback.AuthQuery, "/a%2Fb?z=%zz+ ;&a=%41&auth=0&b", "/a%2Fb?z=%zz+%20;&a=%41&auth=0&b&auth=s3cr3t-KEY%2F%2B%26%3Dx", "", ""},
		{callback.AuthHeader, "/", "/", "X-Whispir-Callback-Key", theKey},
		{callback.AuthBasic, "/", "/", "Authorization", "Basic " + theKey},
		{callback.AuthBearer, "/", "/", "Authorization", "Bearer " + theKey},
	} {
		path, uri := row.path, row.uri
		if strings.Contains(path, " ") { // cannot stand in a request line
			path, uri = strings.Replace(path, " ", "", 1), strings.Replace(uri, "%20", "", 1)
		}
		cb := newCallback(url + path)
		cb.Auth.Type = row.auth
		cb.Headers = []callback.Param{{Key: "authorization", Value: "old"}, {Key: "x-whispir-callback-key", Value: "old"}}
		if row.header == "" {
			cb.Headers = nil
		}
		if row.auth == callback.AuthNone {
			cb.Auth.Key = callback.Secret{}
		}
		if a := postOne(t, newPoster(t, Options{AllowPrivate: true}), cb); !a.OK {
			t.Fatalf("%v: %+v", row.auth, a)
		}
		r := <-got
		if r.uri != "POST "+uri {
			t.Errorf("%v %s: got %s, want %s", row.auth, path, r.uri, uri)
		}
		if row.header != "" && (len(r.header[row.header]) != 1 || r.header.Get(row.header) != row.value) {
			t.Errorf("%v: got %s %q, want %q alone", row.auth, row.header, r.header[row.header], row.value)
		}
	}
}

func TestKeyHeader(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t)
	cb := newCallback(url)
	cb.Auth.Type = callback.AuthHeader
	postOne(t, newPoster(t, Options{AllowPrivate: true, KeyHeader: "x-our-key"}), cb)
	if r := <-got; r.header.Get("X-Our-Key") != theKey || r.header.Get("X-Whispir-Callback-Key") != "" {
		t.Errorf("got %v", r.header)
	}
}

// The signature is computed here once more, from the text of Standard Webhooks
// 1.0.
func TestSignature(t *testing.T) {
	t.Parallel()
	url, got := endpoint(t)
	now, old := []byte("the present secret, 24 B"), []byte("the previous one \x00\xff")
	cb := newCallback(url)
	p := newPoster(t, Options{AllowPrivate: true})
	for _, row := range []struct {
		now, old string
		keys     [][]byte
	}{
		{"", "", nil},
		{"", "whsec_" + base64.StdEncoding.EncodeToString(old), nil},
		{"whsec_" + base64.StdEncoding.EncodeToString(now), "", [][]byte{now}},
		{base64.RawStdEncoding.EncodeToString(now), "", [][]byte{now}},
		{"whsec_" + base64.StdEncoding.EncodeToString(now), "whsec_" + base64.StdEncoding.EncodeToString(old), [][]byte{now, old}},
	} {
		cb.SigningSecret, cb.PreviousSecret = secret(row.now), secret(row.old)
		if a := postOne(t, p, cb); !a.OK {
			t.Fatalf("got %+v", a)
		}
		r := <-got
		var want []string
		for _, key := range row.keys {
			m := hmac.New(sha256.New, key)
			m.Write([]byte(r.header.Get("webhook-id") + "." + r.header.Get("webhook-timestamp") + "." + r.body))
			want = append(want, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
		}
		if got := r.header.Get("webhook-signature"); got != strings.Join(want, " ") {
			t.Errorf("got signature %q, want %q", got, want)
		}
	}
}

// A published example: the one of the Standard Webhooks specification's
// reference libraries.
func TestSignatureKnown(t *testing.T) {
	t.Parallel()
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

// What cannot be built is not sent, and says why without telling a secret.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*callback.Callback)
		says   string
	}{
		{"bad URL", func(cb *callback.Callback) { cb.URL = "http://[::1/" }, "the callback's URL cannot be read"},
		{"bad port", func(cb *callback.Callback) { cb.URL = "http://h:port/" }, "the callback's URL cannot be read"},
		{"no host", func(cb *callback.Callback) { cb.URL = "http:///x" }, "the callback's URL cannot be read"},
		{"user info", func(cb *callback.Callback) { cb.URL = "http://u:s3cr3t@h/" }, "the callback's URL cannot be read"},
		{"other scheme", func(cb *callback.Callback) { cb.URL = "file:///etc/passwd" }, "the callback's URL cannot be read"},
		{"control in the URL", func(cb *callback.Callback) { cb.URL = "http://h/\x01" }, "the callback's URL cannot be read"},
		{"signing secret", func(cb *callback.Callback) { cb.SigningSecret = secret("whsec_s3cr3t!") }, "the signing secret is not whsec_ and base64"},
		{"empty signing secret", func(cb *callback.Callback) { cb.SigningSecret = secret("whsec_") }, "the signing secret"},
		{"header value", func(cb *callback.Callback) { cb.Headers = []callback.Param{{Key: "X", Value: "a\r\nY: b"}} }, "a header of the callback cannot be sent"},
		{"header name", func(cb *callback.Callback) { cb.Headers = []callback.Param{{Key: "X Y", Value: "a"}} }, "a header of the callback cannot be sent"},
		{"key with a line break", func(cb *callback.Callback) {
			cb.Auth = callback.Auth{Type: callback.AuthBearer, Key: secret("s3cr3t\n")}
		}, "a header of the callback cannot be sent"},
	} {
		var log strings.Builder
		cb := newCallback("http://127.0.0.1:9/")
		row.change(cb)
		a := postOne(t, newPoster(t, Options{AllowPrivate: true, Log: slog.New(slog.NewTextHandler(&log, nil))}), cb)
		if a.Class != callback.ClassInternal || !strings.HasPrefix(a.Error, "Not sent: "+row.says) {
			t.Errorf("%s: got class %q, %q, want %q", row.name, a.Class, a.Error, row.says)
		}
		if strings.Contains(log.String(), "s3cr3t") || !strings.Contains(log.String(), row.says) {
			t.Errorf("%s: logged %q", row.name, log.String())
		}
	}
}

func TestTimeoutsOfCallback(t *testing.T) {
	t.Parallel()
	cb := newCallback("http://h/")
	cb.ConnectTimeout, cb.ResponseTimeout = 7*time.Second, 90*time.Second
	p := newPoster(t, Options{})
	if j := p.prepare(cb, newClaim()); j.connect != 7*time.Second || j.response != 90*time.Second {
		t.Errorf("got %v and %v, want the callback's own", j.connect, j.response)
	}
}

func TestSuccessCodes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		success func(int) bool
		want    string
	}{
		{nil, "only 200 counts"},
		{func(c int) bool { return c >= 200 && c < 300 }, "only 2xx counts"},
		{func(c int) bool { return c == 200 || c == 204 }, "only 200 and 204 count"},
		{func(c int) bool { return c >= 200 && c < 203 }, "only 200, 201 and 202 count"},
		{func(c int) bool { return c < 400 }, "it does not count"},
	} {
		if p := New(Options{Success: row.success}); p.counts != row.want {
			t.Errorf("got %q, want %q", p.counts, row.want)
		}
	}
	wide := Options{AllowPrivate: true, Success: func(c int) bool { return c/100 == 2 || c == 302 }}
	for _, row := range []behaviour{{answer: "HTTP/1.1 204 No Content\r\n\r\n", code: 204}, {answer: "HTTP/1.1 302 F\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", code: 302}} {
		a := postOne(t, newPoster(t, wide), newCallback("http://"+answering(t, []string{row.answer})+"/"))
		if !a.OK || a.Code != row.code {
			t.Errorf("got %+v, want %d as success", a, row.code)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "-5": 0, "1.5": 0, "soon": 0, "1e9": 0, "+3": 0,
		"99999999999":                       maxWait,
		"999999999999999999999999":          maxWait,
		"Wed, 04 Mar 2026 05:16:07 GMT":     10 * time.Minute,
		"Wed, 04 Mar 2026 04:00:00 GMT":     0,
		"Wednesday, 04-Mar-26 05:07:07 GMT": time.Minute,
		"Fri, 04 Mar 2999 05:16:07 GMT":     maxWait,
	} {
		if got := retryAfter(v, now); got != want {
			t.Errorf("%q: got %v, want %v", v, got, want)
		}
	}
	a := postOne(t, newPoster(t, Options{AllowPrivate: true}), newCallback("http://"+answering(t, []string{"HTTP/1.1 503 B\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"})+"/"))
	if a.RetryAfter != 77*time.Second {
		t.Errorf("got %v, want 77s", a.RetryAfter)
	}
}

// Without a key there is no talk of one, and codes have words of their own.
func TestRefusal(t *testing.T) {
	t.Parallel()
	key := callback.Auth{Type: callback.AuthBearer, Key: secret("abcdef")}
	for _, row := range []struct {
		code int
		auth callback.Auth
		want string
	}{
		{401, callback.Auth{}, "the endpoint refuses a request without a key"},
		{403, callback.Auth{}, "the endpoint forbids a request without a key"},
		{401, key, "the endpoint refuses our key (bearertoken)"},
		{403, key, "the endpoint forbids what our key asks for (bearertoken)"},
		{429, key, "the endpoint asks for fewer requests"},
		{405, key, ""},
	} {
		if got := refusal(row.code, row.auth, 0); got != row.want {
			t.Errorf("%d: got %q, want %q", row.code, got, row.want)
		}
	}
}

func TestSecretForms(t *testing.T) {
	t.Parallel()
	cb := newCallback("http://h/")
	cb.Auth = callback.Auth{Type: callback.AuthBasic, Key: secret(base64.StdEncoding.EncodeToString([]byte(`user:pass"word`)))}
	cb.SigningSecret = secret("whsec_c2lnbmluZyBzZWNyZXQ=")
	s := New(Options{}).secretsOf(cb)
	for _, text := range []string{
		cb.Auth.Key.Reveal(), `user:pass"word`, `pass"word`, `"pass\"word"`, "pass%22word", "pass&#34;word", "pass&quot;word", "cGFzcyJ3b3Jk", "whsec_c2lnbmluZyBzZWNyZXQ=", "c2lnbmluZyBzZWNyZXQ=", "c2lnbmluZyBzZWNyZXQ%3D",
	} {
		got := s.clean("<"+text+">", 100)
		if strings.Contains(got, "word") || strings.Contains(got, "cGFz") || strings.Contains(got, "c2ln") || !strings.HasPrefix(got, "<") || !strings.HasSuffix(got, ">") {
			t.Errorf("%s came out as %s", text, got)
		}
	}
	cb.Auth.Key = secret("abc") // too short to be looked for
	cb.SigningSecret = callback.Secret{}
	if got := New(Options{}).secretsOf(cb).clean("abcdef", 100); got != "abcdef" {
		t.Errorf("got %q, want the text as it was", got)
	}
}

// What url.Parse leaves in a query must not reach the wire: a space there makes
// a request line of four words.
func TestQueryIsEscaped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"http://h/a?q=1&p=%20":  "/a?q=1&p=%20",
		"http://h/a?q=ö":        "/a?q=%C3%B6",
		"http://h/a b?q=c d":    "/a%20b?q=c%20d",
		"http://h/?q=\u2028<é>": "/?q=%E2%80%A8<%C3%A9>",
	} {
		u, err := target(&callback.Callback{URL: in})
		if err != nil || u.RequestURI() != want {
			t.Errorf("%q goes out as %q, %v; want %q", in, u.RequestURI(), err, want)
		}
	}
}

// The request on a fresh connection leaves the one before alone, which net/http may
// still be writing when it has reported that its connection is dead.
func TestFreshRequestHasHeadersOfItsOwn(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Ringback-Attempt") != "2" {
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer s.Close()
	p := New(Options{AllowPrivate: true})
	defer p.Close()
	j := p.prepare(&callback.Callback{URL: s.URL}, &callback.Claim{})
	first := j.request(t.Context(), 1, time.Now())
	cl, err := p.clients.get("")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := p.send(t.Context(), cl, j, 2, time.Now(), true)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close() // there is none
	if got := first.Header.Get("X-Ringback-Attempt"); got != "1" || resp.StatusCode != http.StatusOK {
		t.Errorf("the first request says attempt %q, and the second was answered %d", got, resp.StatusCode)
	}
}
