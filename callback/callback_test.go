package callback

import (
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
)

// faultsOf returns the fields that err names, sorted.
func faultsOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return ""
	}
	var e *Error
	if !errors.As(err, &e) || e.Code != CodeInvalid || len(e.Fields) == 0 {
		t.Fatalf("error is %#v, want an invalid *Error with fields", err)
	}
	var names []string
	for _, f := range e.Fields {
		if f.Message == "" || Sanitize(f.Message, 1000) != f.Message || Sanitize(f.Field, 1000) != f.Field {
			t.Fatalf("fault %q: %q", f.Field, f.Message)
		}
		names = append(names, f.Field)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestCallbackValidate(t *testing.T) {
	t.Parallel()
	url := func(s string) func(*Callback) { return func(cb *Callback) { cb.URL = s } }
	name := func(s string) func(*Callback) { return func(cb *Callback) { cb.Name = s } }
	email := func(s string) func(*Callback) { return func(cb *Callback) { cb.Email = s } }
	key := func(typ AuthType, s string) func(*Callback) {
		return func(cb *Callback) { cb.Auth = Auth{typ, NewSecret(s, nil)} }
	}
	signing := func(n int) func(*Callback) {
		s := NewSecret("whsec_"+base64.StdEncoding.EncodeToString(make([]byte, n)), nil)
		return func(cb *Callback) { cb.SigningSecret, cb.PreviousSecret = s, s }
	}
	header := func(k, v string) func(*Callback) {
		return func(cb *Callback) { cb.Headers = []Param{{k, v}} }
	}
	for _, c := range []struct {
		what   string
		change func(*Callback)
		want   string
	}{
		{"as it is", func(*Callback) {}, ""},
		{"everything set", func(cb *Callback) {
			*cb = Callback{
				Name: "crm", URL: "https://a.example:8443/b?c=d", Auth: Auth{AuthQuery, NewSecret("k", nil)}, Email: "a@b.example",
				Alerts: ModeEveryCall, MaxInFlight: 4096, RatePerSecond: 0.5, Ordered: true, ConnectTimeout: time.Second,
				ResponseTimeout: time.Minute, CA: testCA, Headers: []Param{{"X-Tenant", "7"}}, Description: "Two\nlines",
			}
		}, ""},
		{"empty", func(cb *Callback) { *cb = Callback{} }, "name url"},
		{"everything wrong", func(cb *Callback) {
			*cb = Callback{
				Name: "a/b", URL: "ftp://a", Auth: Auth{AuthNone, NewSecret("k\n", nil)}, Email: "a", Alerts: "never", MaxInFlight: -1,
				RatePerSecond: -1, ConnectTimeout: 1, ResponseTimeout: 1, CA: strings.Repeat("x", MaxCA+1),
				Headers: []Param{{"Host", "x"}}, Description: strings.Repeat("x", MaxDescription+1),
			}
		}, "alerts auth.key auth.type ca connectTimeout description email headers.Host maxInFlight name ratePerSecond responseTimeout url"},

		{"name of 50 characters", name(strings.Repeat("é", 50)), ""},
		{"name of 51 characters", name(strings.Repeat("é", 51)), "name"},
		{"name with a space inside", name("CRM inbox"), ""},
		{"name with a space before", name(" crm"), "name"},
		{"name with a space behind", name("crm "), "name"},
		{"name with a slash", name("a/b"), "name"},
		{"name with a question mark", name("a?b"), "name"},
		{"name with a hash", name("a#b"), "name"},
		{"name with a line break", name("a\nb"), "name"},
		{"name with an escape", name("a\x1b[31m"), "name"},
		{"name that reorders", name("a\u202eb"), "name"},
		{"name that is not UTF-8", name("a\xff"), "name"},
		{"name like an id", name("A1B2C3D4E5F60718"), "name"},
		{"name like an id, lower case", name("a1b2c3d4e5f60718"), "name"},
		{"name one digit short of an id", name("A1B2C3D4E5F6071"), ""},
		{"name of a dot", name("."), "name"},
		{"name of two dots", name(".."), "name"},
		{"name of three dots", name("..."), ""},

		{"URL with http", url("http://a"), ""},
		{"URL with an upper-case scheme", url("HTTPS://a"), ""},
		{"URL with IPv6", url("http://[::1]:80/"), ""},
		{"URL with a query", url("http://a/?b=c"), ""},
		{"URL relative", url("/a"), "url"},
		{"URL without scheme", url("a.example/b"), "url"},
		{"URL with ftp", url("ftp://a"), "url"},
		{"URL with file", url("file:///etc/passwd"), "url"},
		{"URL without host", url("http:///a"), "url"},
		{"URL opaque", url("http:a"), "url"},
		{"URL with a user", url("http://u@a"), "url"},
		{"URL with a space", url("http://a/b?q=c d"), "url"},
		{"URL with a password", url("http://u:p@a"), "url"},
		{"URL with a fragment", url("http://a#b"), "url"},
		{"URL with an empty fragment", url("http://a#"), "url"},
		{"URL with port 0", url("http://a:0"), "url"},
		{"URL with port 65535", url("http://a:65535"), ""},
		{"URL with port 65536", url("http://a:65536"), "url"},
		{"URL with an empty port", url("http://a:/b"), "url"},
		{"URL with a port in words", url("http://a:http"), "url"},
		{"URL with a control character", url("http://a/\x1b"), "url"},
		{"URL with a line break", url("http://a/\nb"), "url"},
		{"URL with a bad escape", url("http://a/%zz"), "url"},
		{"URL with a bad IPv6", url("http://[::1"), "url"},
		{"URL of 2048 bytes", url("http://a/" + strings.Repeat("b", MaxURL-9)), ""},
		{"URL of 2049 bytes", url("http://a/" + strings.Repeat("b", MaxURL-8)), "url"},

		{"key of 128 characters", key(AuthHeader, strings.Repeat("k", 128)), ""},
		{"key of 128 characters of two bytes", key(AuthHeader, strings.Repeat("é", 128)), ""},
		{"key of 129 characters", key(AuthHeader, strings.Repeat("k", 129)), "auth.key"},
		{"key with a line break", key(AuthBearer, "a\r\nX: y"), "auth.key"},
		{"key without type", key(AuthNone, "k"), "auth.type"},
		{"type without key", key(AuthBasic, ""), ""},

		{"signing secret of 24 bytes", signing(24), ""},
		{"signing secret of 64 bytes", signing(64), ""},
		{"signing secret of 23 bytes", signing(23), "previousSigningSecret signingSecret"},
		{"signing secret of 65 bytes", signing(65), "previousSigningSecret signingSecret"},
		{"signing secret without prefix", func(cb *Callback) { cb.SigningSecret = NewSecret(strings.Repeat("A", 32), nil) }, "signingSecret"},
		{"signing secret not in base64", func(cb *Callback) { cb.SigningSecret = NewSecret("whsec_"+strings.Repeat("!", 32), nil) }, "signingSecret"},

		{"e-mail", email("a.b+c@d.example"), ""},
		{"e-mail of 64 characters", email(strings.Repeat("a", 54) + "@b.example"), ""},
		{"e-mail of 65 characters", email(strings.Repeat("a", 55) + "@b.example"), "email"},
		{"e-mail without @", email("ab"), "email"},
		{"e-mail without name", email("@b"), "email"},
		{"e-mail without host", email("a@"), "email"},
		{"e-mail with two @", email("a@b@c"), "email"},
		{"e-mail with a display name", email("A <a@b>"), "email"},
		{"two e-mails", email("a@b,c@d"), "email"},
		{"e-mail with a header", email("a@b\r\nBcc: c@d"), "email"},
		{"e-mail with a bracket", email("a@b>"), "email"},

		{"alerts off", func(cb *Callback) { cb.Alerts = ModeOff }, ""},
		{"alerts of no mode", func(cb *Callback) { cb.Alerts = "\x1b[31m" }, "alerts"},
		{"limit too large", func(cb *Callback) { cb.MaxInFlight = 4097 }, "maxInFlight"},
		{"limit negative", func(cb *Callback) { cb.MaxInFlight = -1 }, "maxInFlight"},
		{"rate not a number", func(cb *Callback) { cb.RatePerSecond = math.NaN() }, "ratePerSecond"},
		{"rate infinite", func(cb *Callback) { cb.RatePerSecond = math.Inf(1) }, "ratePerSecond"},
		{"rate negative", func(cb *Callback) { cb.RatePerSecond = -.1 }, "ratePerSecond"},
		{"rate at its limit", func(cb *Callback) { cb.RatePerSecond = 1e6 }, ""},
		{"connect timeout short", func(cb *Callback) { cb.ConnectTimeout = 99 * time.Millisecond }, "connectTimeout"},
		{"connect timeout at its limits", func(cb *Callback) { cb.ConnectTimeout = time.Minute }, ""},
		{"connect timeout long", func(cb *Callback) { cb.ConnectTimeout = time.Minute + 1 }, "connectTimeout"},
		{"connect timeout negative", func(cb *Callback) { cb.ConnectTimeout = -1 }, "connectTimeout"},
		{"response timeout short", func(cb *Callback) { cb.ResponseTimeout = time.Second - 1 }, "responseTimeout"},
		{"response timeout long", func(cb *Callback) { cb.ResponseTimeout = 10*time.Minute + 1 }, "responseTimeout"},
		{"response timeout at its limit", func(cb *Callback) { cb.ResponseTimeout = 10 * time.Minute }, ""},
		{"CA at its limit", func(cb *Callback) { cb.CA = strings.Repeat("#", MaxCA-len(testCA)-1) + "\n" + testCA }, ""},
		{"CA without a certificate", func(cb *Callback) { cb.CA = "junk" }, "ca"},
		{"description at its limit", func(cb *Callback) { cb.Description = strings.Repeat("x", MaxDescription) }, ""},

		{"20 headers", func(cb *Callback) { cb.Headers = slices.Repeat([]Param{{"X-A", "b"}}, 20) }, ""},
		{"21 headers", func(cb *Callback) { cb.Headers = slices.Repeat([]Param{{"X-A", "b"}}, 21) }, "headers"},
		{"header without name", header("", "b"), "headers."},
		{"header with a space", header("X A", "b"), "headers.X A"},
		{"header with a colon", header("X:", "b"), "headers.X:"},
		{"header with an escape", header("X\x1b", "b"), "headers.X"},
		{"header that splits", header("X-A", "b\r\nHost: c"), "headers.X-A"},
		{"header of 1024 bytes", header("X-A", strings.Repeat("b", MaxHeader)), ""},
		{"header of 1025 bytes", header("X-A", strings.Repeat("b", MaxHeader+1)), "headers.X-A"},
		{"header of ours", header("Webhook-Id", "b"), "headers.Webhook-Id"},
		{"header of the key", header("X-Whispir-Callback-Key", "b"), "headers.X-Whispir-Callback-Key"},
		{"header of webhooks to come", header("webhook-other", "b"), "headers.webhook-other"},
		{"authorization of its own", header("Authorization", "Basic YTpi"), ""},
		{"authorization beside auth", func(cb *Callback) {
			cb.Auth = Auth{Type: AuthBearer, Key: NewSecret("k", nil)}
			cb.Headers = []Param{{"authorization", "Basic YTpi"}}
		}, "headers.authorization"},
		{"header with a NUL", header("X-A", "a\x00"), "headers.X-A"},
		{"header with a line feed", header("X-A", "a\nb"), "headers.X-A"},
		{"header of routing", header("HOST", "b"), "headers.HOST"},
		{"header of length", header("Content-Length", "1"), "headers.Content-Length"},
		{"header of type", header("Content-Type", "a/b"), "headers.Content-Type"},
		{"header of who sends", header("User-Agent", "b"), "headers.User-Agent"},
		{"header of one hop", header("Connection", "close"), "headers.Connection"},
		{"header of framing", header("transfer-encoding", "chunked"), "headers.transfer-encoding"},
		{"header that makes net/http send twice", header("Idempotency-Key", "b"), "headers.Idempotency-Key"},
		{"its other spelling", header("X-Idempotency-Key", "b"), "headers.X-Idempotency-Key"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			cb := Callback{Name: "crm", URL: "https://crm.example/in"}
			c.change(&cb)
			same(t, "faulty fields", faultsOf(t, cb.Validate()), c.want)
		})
	}
}

func TestCallbackValidateKeepsSecrets(t *testing.T) {
	t.Parallel()
	cb := Callback{Name: "crm", URL: "https://crm.example/?k=" + canary + "\x01", Auth: Auth{AuthNone, NewSecret(canary+"\n", nil)}, SigningSecret: NewSecret(canary, nil), Headers: []Param{{"X-A", canary + "\n"}}}
	if err := cb.Validate(); err == nil || strings.Contains(err.Error(), canary) {
		t.Fatalf("error is %v", err)
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for typ := AuthNone; typ <= AuthBearer; typ++ {
		if got, ok := ParseAuthType(strings.ToUpper(typ.String())); !ok || got != typ {
			t.Errorf("auth type %q reads as %v, %v", typ, got, ok)
		}
	}
	if got, ok := ParseAuthType("queryString"); !ok || got != AuthQuery {
		t.Errorf("queryString reads as %v, %v", got, ok)
	}
	if _, ok := ParseAuthType("digest"); ok {
		t.Error("digest is an auth type")
	}
	same(t, "content types", JSON.String()+XML.String(), "jsonxml")
	cb := Callback{NoReplies: true}
	same(t, "skips replies", cb.Skips(KindReply), true)
	same(t, "skips notices", cb.Skips(KindUndeliverable), false)
	cb = Callback{NoUndelivers: true}
	same(t, "skips replies", cb.Skips(KindReply), false)
	same(t, "skips notices", cb.Skips(KindUndeliverable), true)
	var reasons []string
	for r := NoReason; r <= Damaged; r++ {
		reasons = append(reasons, r.String())
	}
	same(t, "reasons", strings.Join(reasons, ","), ",delivered,resolved,retries off,exhausted,reopened,deleted,damaged")
	var statuses []string
	for s := AlertWaiting; s <= AlertExpired; s++ {
		statuses = append(statuses, s.String())
	}
	same(t, "alert statuses", strings.Join(statuses, ","), "waiting,sent,refused,expired")
}

func TestError(t *testing.T) {
	t.Parallel()
	e := Errorf(CodeConflict, "call %d runs", 7)
	same(t, "text", e.Error(), "call 7 runs")
	for _, c := range []struct {
		err  error
		want Code
	}{
		{nil, ""},
		{errors.New("disk"), ""},
		{e, CodeConflict},
		{errors.Join(errors.New("disk"), e), CodeConflict},
		{wrapped{e}, CodeConflict},
	} {
		same(t, "code", ErrorCode(c.err), c.want)
	}
	two := &Error{Code: CodeInvalid, Message: "no", Fields: []FieldError{{"a", "is b"}, {"c", "is d"}}}
	same(t, "text with fields", two.Error(), "no: a: is b; c: is d")
}

type wrapped struct{ error }

func (w wrapped) Unwrap() error { return w.error }

func TestMailError(t *testing.T) {
	t.Parallel()
	same(t, "refusal", (&MailError{Stage: "rcpt", Code: 550, Reply: "550 no"}).Error(), "mail server, rcpt: 550 no")
	same(t, "broken", (&MailError{Stage: "connect", Reply: "refused"}).Error(), "mail, connect: refused")
}

// testCA is a certificate that nothing was signed with.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBADCBs6ADAgECAgEBMAUGAytlcDAPMQ0wCwYDVQQDEwR0ZXN0MCAXDTcwMDEw
MTAwMDAwMFoYDzIwOTYxMDAyMDcwNjQwWjAPMQ0wCwYDVQQDEwR0ZXN0MCowBQYD
K2VwAyEAw1RbQsNTu/ZtwgP/S6THHfjqR7l1FRGUHpVECS3soaWjMjAwMA8GA1Ud
EwEB/wQFMAMBAf8wHQYDVR0OBBYEFOgfhXe5FjOpdE9UJICwaVBl2s7xMAUGAytl
cANBAIl0Sj8kXYa9pPO7IYo4FOqV4zyUfxED7sJV7pviHm6WiHuvnUwKKDU47TYF
REwEkECUd3QHmnHCzFNzoPGNlQM=
-----END CERTIFICATE-----
`
