package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"ringback/callback"
)

var _ callback.Service = (*Client)(nil)

// Client is a callback.Service that a running ringback does the work of. It may
// be used by several goroutines at once. An error that is no *callback.Error
// means that the server could not be reached, or did not answer sensibly.
type Client struct {
	base string
	http *http.Client
	name string // of the server, in errors
}

// ClientOptions says where the server is: URL or Socket.
type ClientOptions struct {
	URL    string // "http://127.0.0.1:8480"
	Socket string // path of a unix socket
	Key    string // API key to send; "": none
	Actor  string // for whom requests are made that do not say so themselves; "": nobody in particular
	// TLS says how the server's certificate is checked; nil: by the system's
	// authorities.
	TLS *tls.Config
}

// Limits of what a client waits for and reads.
const (
	dialTime     = 5 * time.Second
	answerTime   = 60 * time.Second // a whole request; a stream has none
	maxAnswer    = 64 << 20
	maxLine      = 1 << 20
	silence      = 3 * heartbeat // after which a stream is given up
	sendAtOnce   = 256 << 10     // bytes of responses in one request
	clientHeader = 64 << 10
)

// NewClient returns a client. It does not connect yet.
func NewClient(o ClientOptions) (*Client, error) {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTime}).DialContext,
		TLSHandshakeTimeout:    dialTime,
		TLSClientConfig:        o.TLS,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second, // less than the server's
		MaxResponseHeaderBytes: clientHeader,
		DisableCompression:     true,
		ExpectContinueTimeout:  dialTime, // of requests that ask to be told that they may go on
	}
	c := &Client{
		base: strings.TrimRight(o.URL, "/"),
		name: o.URL,
		http: &http.Client{
			Transport:     keyed{t, o.Key, callback.Sanitize(o.Actor, 64)},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if (o.URL == "") == (o.Socket == "") {
		return nil, errors.New("a client needs the URL of a server or a unix socket")
	}
	if o.Socket != "" {
		c.base, c.name = "http://localhost", o.Socket
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "unix", o.Socket)
		}
		return c, nil
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%q is not a URL such as http://127.0.0.1:8480", callback.Sanitize(o.URL, 200))
	}
	return c, nil
}

// Close ends the connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Transport returns what makes requests of the same server, with the same key:
// for what a command shows as it is sent. It must not follow redirects.
func (c *Client) Transport() http.RoundTripper { return c.http.Transport }

// keyed sends a key along, and for whom a request is made.
type keyed struct {
	*http.Transport
	key, actor string
}

// RoundTrip implements http.RoundTripper.
func (t keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.key != "" || t.actor != "" {
		r = r.Clone(r.Context()) // the caller's must not be changed
	}
	if t.key != "" {
		r.Header.Set(apiKeyHeader, t.key)
	}
	if t.actor != "" && r.Header.Get(actorHeader) == "" {
		r.Header.Set(actorHeader, t.actor)
	}
	return t.Transport.RoundTrip(r)
}

// exchange is one request with its answer.
type exchange struct {
	method, path string
	query        url.Values
	header       http.Header
	body         any           // a shape; nil: none
	answer       any           // a shape to read a success into; nil: none
	limit        time.Duration // of the whole; 0: answerTime
}

// do makes a request and reads its answer.
func (c *Client) do(ctx context.Context, x exchange) error {
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(x.limit, answerTime))
	defer cancel()
	res, err := c.send(ctx, &x)
	if err != nil {
		return err
	}
	defer res.Body.Close() // nothing is written
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer of %s: %w", c.name, err)
	case len(body) > maxAnswer:
		return fmt.Errorf("read the answer of %s: it is larger than %d bytes", c.name, maxAnswer)
	case res.StatusCode < 200 || res.StatusCode > 299:
		return c.fault(res, body)
	case x.answer == nil:
		return nil
	}
	if err := decodeJSON(body, x.answer); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.name, err)
	}
	return nil
}

// send makes a request and returns its answer with the body unread.
func (c *Client) send(ctx context.Context, x *exchange) (*http.Response, error) {
	var body io.Reader
	if x.body != nil {
		b, err := encodeJSON(x.body)
		if err != nil {
			return nil, fmt.Errorf("write a request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	target := c.base + x.path
	if len(x.query) > 0 {
		target += "?" + x.query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, x.method, target, body)
	if err != nil {
		return nil, fmt.Errorf("write a request: %w", err)
	}
	for name, values := range x.header {
		r.Header[name] = values
	}
	r.Header.Set("Accept", answers[0].name)
	if body != nil {
		r.Header.Set("Content-Type", answers[0].name)
	}
	res, err := c.http.Do(r)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok { // it repeats the whole URL
			err = u.Err
		}
		return nil, fmt.Errorf("reach ringback at %s: %w", c.name, err)
	}
	return res, nil
}

// fault returns the error that an answer tells of. Everything in it is the
// server's text, so it is made safe to print.
func (c *Client) fault(res *http.Response, body []byte) error {
	var p problem
	if err := decodeJSON(body, &p); err != nil {
		p = problem{Detail: http.StatusText(res.StatusCode)}
	}
	p.Status = res.StatusCode
	err := p.fault()
	if e, ok := errors.AsType[*callback.Error](err); ok {
		return &answered{err: e, status: p.Status, items: p.Items}
	}
	return fmt.Errorf("ringback at %s answered %d: %w", c.name, res.StatusCode, err)
}

// answered is a fault with what else its answer held. It never leaves the
// client: plain takes it off.
type answered struct {
	err    *callback.Error
	status int
	items  []enqueuedShape
}

// large reports whether the request was too large.
func (a *answered) large() bool { return a.status == http.StatusRequestEntityTooLarge }

// Error implements error.
func (a *answered) Error() string { return a.err.Error() }

// fault returns the domain's error for p.
func (p *problem) fault() error {
	detail := callback.Sanitize(cmp.Or(p.Detail, p.Title), 1024)
	code := codeOf(p.Status)
	if code == "" {
		if p.RequestID != "" {
			detail += " (request " + callback.Sanitize(p.RequestID, 40) + ")"
		}
		return errors.New(detail)
	}
	e := callback.Errorf(code, "%s", detail)
	for _, f := range p.Errors {
		e.Fields = append(e.Fields, callback.FieldError{
			Field: callback.Sanitize(f.Field, 120), Message: callback.Sanitize(f.Message, 240),
		})
	}
	return e
}

// call is do with the plain *callback.Error.
func (c *Client) call(ctx context.Context, x exchange) error { return plain(c.do(ctx, x)) }

func plain(err error) error {
	if a, ok := err.(*answered); ok {
		return a.err
	}
	return err
}

// callbackPath returns the path of a callback. No name or id is empty or a
// dot segment, which a path could not carry.
func callbackPath(ref string) (string, error) {
	if ref == "" || ref == "." || ref == ".." {
		return "", callback.Errorf(callback.CodeNotFound, "no callback has the id or name %q", ref)
	}
	return "/callbacks/" + escape(ref), nil
}

// actor notes for whom a request is made.
func actor(by string) http.Header {
	return http.Header{actorHeader: {callback.Sanitize(by, 64)}}
}
