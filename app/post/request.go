package post

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// job is what the attempts of one Post share.
type job struct {
	cb                *callback.Callback
	call              callback.CallID // 0: a test
	id                string          // webhook-id
	manual            bool
	connect, response time.Duration

	*way
	method string
	header http.Header // of the way, and of the attempt
	body   []byte
}

var (
	errURL       = errors.New("the callback's URL cannot be read")
	errHeader    = errors.New("a header of the callback cannot be sent")
	errSignature = errors.New("the signing secret is not whsec_ and base64")
)

// prepare gathers what every attempt for c sends.
func (p *Poster) prepare(cb *callback.Callback, c *callback.Claim) *job {
	j := &job{
		method: http.MethodPost,
		cb:     cb, call: c.Entry.ID, id: cmp.Or(c.Test, c.Entry.ID.String()), manual: c.Entry.Manual,
		connect: p.opt.ConnectTimeout, response: p.opt.ResponseTimeout,
		way: p.wayOf(cb),
	}
	if cb.ConnectTimeout > 0 {
		j.connect = cb.ConnectTimeout
	}
	if cb.ResponseTimeout > 0 {
		j.response = cb.ResponseTimeout
	}
	if j.err != nil {
		return j
	}
	_, j.body = Body(cb, &c.Response)
	j.header = make(http.Header, len(j.way.header)+4)
	maps.Copy(j.header, j.way.header)
	return j
}

// target returns the URL of cb joined with its key. What is there already stays
// as it is, but for what a request line cannot hold.
func target(cb *callback.Callback) (*url.URL, error) {
	s := cb.URL
	if cb.Auth.Type == callback.AuthQuery && !cb.Auth.Key.IsZero() {
		switch {
		case !strings.Contains(s, "?"):
			s += "?"
		case !strings.HasSuffix(s, "?") && !strings.HasSuffix(s, "&"):
			s += "&"
		}
		s += "auth=" + url.QueryEscape(cb.Auth.Key.Reveal())
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errURL // err quotes the URL, key included
	}
	u.RawQuery = asciiQuery(u.RawQuery)
	return u, nil
}

// asciiQuery escapes what cannot stand in a request line (RFC 9112, 3) and what
// url.Parse leaves in a query, unlike in a path: spaces and bytes beyond ASCII.
func asciiQuery(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

// headers returns the headers that are the same on every attempt.
func (p *Poster) headers(cb *callback.Callback, contentType string) (http.Header, error) {
	h := make(http.Header, len(cb.Headers)+8)
	for _, own := range cb.Headers {
		// At these two, net/http takes a POST for one that may be sent twice,
		// and would do so without telling.
		switch k := http.CanonicalHeaderKey(own.Key); k {
		case "Idempotency-Key", "X-Idempotency-Key":
		default:
			h[k] = append(h[k], own.Value)
		}
	}
	h.Set("Content-Type", contentType)
	h.Set("User-Agent", p.opt.UserAgent)
	if key := cb.Auth.Key.Reveal(); key != "" {
		switch cb.Auth.Type {
		case callback.AuthHeader:
			h.Set(p.opt.KeyHeader, key)
		case callback.AuthBasic:
			h.Set("Authorization", "Basic "+key)
		case callback.AuthBearer:
			h.Set("Authorization", "Bearer "+key)
		}
	}
	for k, vs := range h {
		if !fieldName(k) {
			return nil, errHeader
		}
		for _, v := range vs {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return nil, errHeader
			}
		}
	}
	return h, nil
}

// request builds the request of one attempt. It has no GetBody, without which
// net/http does not send it again by itself. It takes over j's headers, whose
// names are written here as net/http would write them.
func (j *job) request(ctx context.Context, number int, at time.Time) *http.Request {
	if j.method != http.MethodPost { // it is no attempt, and must not look like one
		j.header.Del("Content-Type")
		return (&http.Request{Method: j.method, URL: j.url, Host: j.url.Host, Header: j.header}).WithContext(ctx)
	}
	req := &http.Request{
		Method: j.method, URL: j.url, Host: j.url.Host, Header: j.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(bytes.NewReader(j.body)), ContentLength: int64(len(j.body)),
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	values := []string{j.id, stamp, strconv.Itoa(number)}
	j.header["Webhook-Id"], j.header["Webhook-Timestamp"], j.header["X-Ringback-Attempt"] = values[:1:1], values[1:2:2], values[2:]
	if len(j.keys) > 0 {
		j.header["Webhook-Signature"] = []string{sign(j.keys, j.id, stamp, j.body)}
	}
	return req.WithContext(ctx)
}

// sign returns the signatures of Standard Webhooks 1.0, one for each key.
func sign(keys [][]byte, id, stamp string, body []byte) string {
	out := make([]string, len(keys))
	for i, key := range keys {
		m := hmac.New(sha256.New, key)
		_, _ = io.WriteString(m, id+"."+stamp+".") // a hash never fails
		_, _ = m.Write(body)
		out[i] = "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
	}
	return strings.Join(out, " ")
}

// signingKeys returns the keys of the present and the previous secret. Without
// a present one nothing is signed.
func signingKeys(cb *callback.Callback) ([][]byte, error) {
	if cb.SigningSecret.IsZero() {
		return nil, nil
	}
	var keys [][]byte
	for _, s := range []callback.Secret{cb.SigningSecret, cb.PreviousSecret} {
		if s.IsZero() {
			continue
		}
		text := strings.TrimRight(strings.TrimPrefix(s.Reveal(), "whsec_"), "=")
		key, err := base64.RawStdEncoding.DecodeString(text)
		if err != nil || len(key) == 0 {
			return nil, errSignature
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// fieldName reports whether s is a token of RFC 9110 5.6.2.
func fieldName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	}) < 0
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}
