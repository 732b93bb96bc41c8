package callback

import (
	"crypto/x509"
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Callback is a registered endpoint as its owner set it up. How it does is in
// Live.
type Callback struct {
	Num     Num
	ID      CallbackID
	Version uint64 // counts the changes, from 1

	Name         string
	URL          string // without the key, also where Auth puts it into the query
	Auth         Auth
	ContentType  ContentType
	RemoveHTML   bool
	Retries      bool
	Email        string
	NoReplies    bool // replies are skipped
	NoUndelivers bool // notices of failed delivery are skipped
	Description  string

	Alerts          AlertMode // ModeUnset: the configuration's
	SigningSecret   Secret
	PreviousSecret  Secret
	MaxInFlight     int     // 0: the configuration's
	RatePerSecond   float64 // 0: no limit
	Ordered         bool
	ConnectTimeout  time.Duration // 0: the configuration's
	ResponseTimeout time.Duration // 0: the configuration's
	CA              string        // PEM, or empty
	Headers         []Param       // sent with every attempt

	CreatedAt, UpdatedAt time.Time
	DeletedAt            time.Time // zero while it lives
}

// Auth says how a callback's endpoint recognises us.
type Auth struct {
	Type AuthType
	Key  Secret
}

// AuthType says where the key goes.
type AuthType uint8

// The auth types of the contract.
const (
	AuthNone AuthType = iota
	AuthQuery
	AuthHeader
	AuthBasic
	AuthBearer
)

var authWords = []string{"", "queryparam", "httpheader", "basicauth", "bearertoken"}

// String returns the word of the contract; "" for AuthNone.
func (t AuthType) String() string { return authWords[t] }

// ParseAuthType reads the word of the contract, or its other spelling.
func ParseAuthType(s string) (AuthType, bool) {
	if strings.EqualFold(s, "querystring") {
		return AuthQuery, true
	}
	for i, w := range authWords {
		if strings.EqualFold(s, w) {
			return AuthType(i), true
		}
	}
	return AuthNone, false
}

// ContentType is the form of what is POSTed.
type ContentType uint8

// The content types.
const (
	JSON ContentType = iota
	XML
)

// String returns "json" or "xml".
func (t ContentType) String() string {
	if t == XML {
		return "xml"
	}
	return "json"
}

// AlertMode says which e-mails a failing callback causes.
type AlertMode string

// The alert modes.
const (
	ModeUnset     AlertMode = ""
	ModeOutage    AlertMode = "outage"
	ModeEveryCall AlertMode = "every-call"
	ModeOff       AlertMode = "off"
)

// Skips reports whether responses of kind k are not delivered to cb.
func (cb *Callback) Skips(k Kind) bool {
	return k == KindReply && cb.NoReplies || k == KindUndeliverable && cb.NoUndelivers
}

// MaskedURL returns the URL as people may see it: with the key, where it goes
// into the query, replaced by its mask.
func (cb *Callback) MaskedURL() string {
	if cb.Auth.Type != AuthQuery || cb.Auth.Key.IsZero() {
		return cb.URL
	}
	sep := "?"
	if _, query, ok := strings.Cut(cb.URL, "?"); ok {
		if sep = "&"; query == "" {
			sep = ""
		}
	}
	return cb.URL + sep + "auth=" + cb.Auth.Key.String()
}

// Limits of a callback's fields.
const (
	MaxName        = 50 // characters
	MaxURL         = 2048
	MaxAuthKey     = 128 // characters
	MaxEmail       = 64  // characters
	MaxDescription = 1024
	MaxHeaders     = 20
	MaxHeader      = 1024 // a header's value
	MaxHeaderName  = 128
	MaxCA          = 64 << 10
	MaxCallbackRun = 4096 // maxInFlight
)

// Validate returns an *Error that names every wrong field as the contract
// spells it, or nil. That names are unique is the engine's to check.
func (cb *Callback) Validate() error {
	var f faults
	checkName(&f, cb.Name)
	if _, ok := parseID(cb.Name); ok {
		f.add("name", "has the form of an id")
	}
	cb.checkURL(&f)
	if utf8.RuneCountInString(cb.Auth.Key.Reveal()) > MaxAuthKey {
		f.add("auth.key", "is longer than %d characters", MaxAuthKey)
	}
	if !printable(cb.Auth.Key.Reveal()) {
		f.add("auth.key", "has a control character")
	}
	if cb.Auth.Type == AuthNone && !cb.Auth.Key.IsZero() {
		f.add("auth.type", "is needed with a key: queryparam, httpheader, basicauth or bearertoken")
	}
	if cb.Email != "" {
		checkEmail(&f, cb.Email)
	}
	checkSigning(&f, "signingSecret", cb.SigningSecret)
	checkSigning(&f, "previousSigningSecret", cb.PreviousSecret)
	if len(cb.Description) > MaxDescription {
		f.add("description", "is longer than %d bytes", MaxDescription)
	}
	switch cb.Alerts {
	case ModeUnset, ModeOutage, ModeEveryCall, ModeOff:
	default:
		f.add("alerts", "is %q; outage, every-call or off", Sanitize(string(cb.Alerts), 40))
	}
	cb.checkLimits(&f)
	cb.checkHeaders(&f)
	return f.err("the callback")
}

// checkName holds the name of a callback or a key to what can stand in a path.
func checkName(f *faults, name string) {
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		f.add("name", "is required, 1 to %d characters", MaxName)
	case n > MaxName:
		f.add("name", "is %d characters long; at most %d", n, MaxName)
	case !utf8.ValidString(name) || Sanitize(name, len(name)) != name:
		f.add("name", "has a control character")
	case strings.TrimSpace(name) != name:
		f.add("name", "begins or ends with a space")
	case name == "." || name == "..":
		f.add("name", "cannot stand in a path")
	case strings.ContainsAny(name, "/?#"):
		f.add("name", "has one of / ? #, which cannot stand in a path")
	}
}

func (cb *Callback) checkURL(f *faults) {
	if cb.URL == "" {
		f.add("url", "is required, an absolute http or https URL")
		return
	}
	if len(cb.URL) > MaxURL {
		f.add("url", "is longer than %d bytes", MaxURL)
		return
	}
	u, err := url.Parse(cb.URL)
	switch {
	case err != nil || !printable(cb.URL):
		f.add("url", "cannot be read as a URL")
	case strings.Contains(cb.URL, " "):
		f.add("url", "has a space; it is written %%20")
	case u.Scheme != "http" && u.Scheme != "https":
		f.add("url", "must begin with http:// or https://")
	case u.Hostname() == "":
		f.add("url", "has no host")
	case u.User != nil:
		f.add("url", "has a user name or password in it; use auth")
	case u.Fragment != "" || strings.Contains(cb.URL, "#"):
		f.add("url", "has a fragment (#…)")
	case !validPort(u):
		f.add("url", "has a port that is not 1 to 65535")
	}
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	_, err := netip.ParseAddrPort("127.0.0.1:" + u.Port())
	return err == nil && strings.Trim(u.Port(), "0") != ""
}

func (cb *Callback) checkLimits(f *faults) {
	if cb.MaxInFlight < 0 || cb.MaxInFlight > MaxCallbackRun {
		f.add("maxInFlight", "is %d; 0 (the configuration's) to %d", cb.MaxInFlight, MaxCallbackRun)
	}
	if !(cb.RatePerSecond >= 0 && cb.RatePerSecond <= 1e6) {
		f.add("ratePerSecond", "is not 0 (no limit) to 1000000")
	}
	if d := cb.ConnectTimeout; d != 0 && (d < 100*time.Millisecond || d > time.Minute) {
		f.add("connectTimeout", "is %v; 100ms to 60s", d)
	}
	if d := cb.ResponseTimeout; d != 0 && (d < time.Second || d > 10*time.Minute) {
		f.add("responseTimeout", "is %v; 1s to 10m", d)
	}
	switch {
	case len(cb.CA) > MaxCA:
		f.add("ca", "is longer than %d bytes", MaxCA)
	case cb.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(cb.CA)):
		f.add("ca", "has no certificate in PEM that can be read")
	}
}

func (cb *Callback) checkHeaders(f *faults) {
	if len(cb.Headers) > MaxHeaders {
		f.add("headers", "has %d entries; at most %d", len(cb.Headers), MaxHeaders)
		return
	}
	for _, h := range cb.Headers {
		field := "headers." + Sanitize(h.Key, 60)
		switch {
		case !token(h.Key) || len(h.Key) > MaxHeaderName:
			f.add(field, "is not a header name of 1 to %d characters", MaxHeaderName)
		case forbiddenHeader(h.Key):
			f.add(field, "is set by ringback itself, or would make a request be sent twice")
		case strings.EqualFold(h.Key, "Authorization") && (cb.Auth.Type == AuthBasic || cb.Auth.Type == AuthBearer):
			f.add(field, "is what auth sends")
		case len(h.Value) > MaxHeader || !printable(h.Value):
			f.add(field, "has a value that is too long or has a control character")
		}
	}
}

// checkSigning accepts what Standard Webhooks 1.0 calls a symmetric secret:
// whsec_ and 24 to 64 bytes in base64.
func checkSigning(f *faults, field string, s Secret) {
	if s.IsZero() {
		return
	}
	key, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	b, err := base64.StdEncoding.DecodeString(key)
	if !ok || err != nil || len(b) < 24 || len(b) > 64 {
		f.add(field, "is not whsec_ and 24 to 64 bytes in base64")
	}
}

// forbiddenHeader lists what a callback may not set: what framing, routing and
// the contract own, and the two names at which net/http would re-send a POST by
// itself (net/http Request.isReplayable).
func forbiddenHeader(name string) bool {
	switch strings.ToLower(name) {
	case "host", "content-length", "content-type", "transfer-encoding", "connection", "trailer", "te", "upgrade",
		"expect", "keep-alive", "proxy-connection", "proxy-authorization", "accept-encoding", "user-agent",
		"idempotency-key", "x-idempotency-key", "x-whispir-callback-key", "x-ringback-attempt":
		return true
	}
	return strings.HasPrefix(strings.ToLower(name), "webhook-")
}

// SecretHeader reports whether a header of that name is taken to hold a secret.
func SecretHeader(name string) bool {
	name = strings.ToLower(name)
	for _, word := range []string{"auth", "cookie", "key", "token", "secret", "password", "credential", "signature"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// MaskedHeader is shown instead of the value of a header that holds a secret.
const MaskedHeader = MaskPrefix + "hidden"

// ShownHeaders returns headers as people may see them.
func ShownHeaders(headers []Param) []Param {
	var shown []Param
	for _, h := range headers {
		if SecretHeader(h.Key) {
			h.Value = MaskedHeader
		}
		shown = append(shown, h)
	}
	return shown
}

func token(s string) bool {
	for _, c := range []byte(s) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

func printable(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x20 || c == 0x7f {
			return false
		}
	}
	return utf8.ValidString(s)
}

// checkEmail accepts what an alert can be sent to: one plain address.
func checkEmail(f *faults, s string) {
	local, host, ok := strings.Cut(s, "@")
	switch {
	case utf8.RuneCountInString(s) > MaxEmail:
		f.add("email", "is longer than %d characters", MaxEmail)
	case !ok || local == "" || host == "" || strings.Contains(host, "@"):
		f.add("email", "is not an address of the form name@host")
	case Sanitize(s, len(s)) != s || strings.ContainsAny(s, " <>,;:\"\\()[]"):
		f.add("email", "has a character that cannot stand in an address")
	}
}
