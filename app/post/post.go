// Package post makes the HTTP attempts: it builds the request of one attempt,
// sends it, judges what comes back, and says in plain words what went wrong. It
// implements [callback.Poster].
//
// Nothing an endpoint does is an error here: it is data, in the
// [callback.Attempt]. Text that came from outside is sanitised and bounded, and
// cleared of the callback's secrets, before it leaves this package.
//
// Which addresses may be contacted is decided on the address really dialled
// (see egress.go), so neither a spelling nor a DNS answer gets around it.
package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"ringback/callback"
)

var _ callback.Poster = (*Poster)(nil)

// Options say how attempts are made. The zero value of a field is usable.
type Options struct {
	// ConnectTimeout bounds DNS, dialling, proxy and TLS handshake together; 0: 5 s.
	ConnectTimeout time.Duration
	// ResponseTimeout bounds sending the request, and then, anew, the wait for
	// the end of the answer's headers; 0: 60 s.
	ResponseTimeout time.Duration
	// Success says which status codes count as a success; nil: 200 alone.
	Success func(code int) bool
	// KeyHeader is the header of auth type httpheader; "": X-Whispir-Callback-Key.
	KeyHeader string
	// UserAgent is sent with every attempt; "": ringback.
	UserAgent string
	// AllowPrivate lets endpoints live on private and loopback addresses.
	AllowPrivate bool
	// Deny are further addresses that are never contacted.
	Deny []netip.Prefix
	// Proxy, an http, https or socks5 URL, takes all attempts; nil: none. The
	// environment's proxy settings are never read.
	Proxy *url.URL
	// RootCAs are trusted for callbacks without a CA of their own; nil: the system's.
	RootCAs *x509.CertPool
	// HTTP2 offers HTTP/2 to TLS endpoints.
	HTTP2 bool
	// MaxIdle is how many idle connections are kept for one host, and half of how
	// many for all; 0: 512. One is idle where an attempt was, so that with as many as
	// attempts run at once none is closed that would be needed again.
	MaxIdle int
	// Own reports whether an address is one of ringback's own listeners, which
	// is never contacted; nil: none is.
	Own func(netip.AddrPort) bool
	// Log gets faults of our own, not those of endpoints; nil: nobody.
	Log *slog.Logger
	// Resolver looks host names up; nil: net.DefaultResolver.
	Resolver *net.Resolver
}

// Limits of what is read of an answer.
const (
	maxAnswerHeader = 64 << 10
	maxDrain        = 64 << 10        // of a body, so that the connection can be used again
	drainTime       = 2 * time.Second // for that
	okExcerpt       = 128             // bytes kept of a success's body
)

// Poster makes attempts. It is made by New, and safe for concurrent use.
type Poster struct {
	opt     Options
	counts  string // "only 200 counts", for sentences
	drain   time.Duration
	clients clients
	ways    ways
	flights flights
}

// New returns a Poster. It starts nothing by itself; Close it after its last use.
func New(opt Options) *Poster {
	if opt.ConnectTimeout <= 0 {
		opt.ConnectTimeout = 5 * time.Second
	}
	if opt.ResponseTimeout <= 0 {
		opt.ResponseTimeout = 60 * time.Second
	}
	if opt.Success == nil {
		opt.Success = func(code int) bool { return code == http.StatusOK }
	}
	if opt.KeyHeader == "" {
		opt.KeyHeader = "X-Whispir-Callback-Key"
	}
	if opt.UserAgent == "" {
		opt.UserAgent = "ringback"
	}
	if opt.MaxIdle <= 0 {
		opt.MaxIdle = 512
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Resolver == nil {
		opt.Resolver = net.DefaultResolver
	}
	p := &Poster{opt: opt, counts: whatCounts(opt.Success), drain: drainTime}
	p.clients.make = p.client
	return p
}

// Close closes the connections that are kept. Attempts that run go on.
func (p *Poster) Close() { p.clients.close() }

// Post implements callback.Poster. The duration of an attempt ends with the
// headers of its answer, which decide; reading the body afterwards takes at
// most 2 s.
func (p *Poster) Post(ctx context.Context, cb *callback.Callback, c *callback.Claim, number int) []callback.Attempt {
	j := p.prepare(cb, c)
	a, stale := p.attempt(ctx, j, number, false)
	if !stale || ctx.Err() != nil {
		return []callback.Attempt{a}
	}
	b, _ := p.attempt(ctx, j, number+1, true)
	return []callback.Attempt{a, b}
}

// attempt makes one request. fresh: on a connection of its own. stale reports
// that the connection was a kept one and turned out to be dead.
func (p *Poster) attempt(parent context.Context, j *job, number int, fresh bool) (a callback.Attempt, stale bool) {
	start := time.Now()
	a = callback.Attempt{Number: number, Started: start, Manual: j.manual}
	if j.err != nil {
		p.opt.Log.Warn("attempt not made", "call", j.id, "reason", j.err.Error())
		fail(&a, fault{callback.ClassInternal, "request not built", "Not sent: " + j.err.Error()})
		return a, false
	}
	cl, err := p.clients.get(j.cb.CA)
	if err != nil {
		fail(&a, fault{callback.ClassInternal, "request not built", "Not sent: " + err.Error()})
		return a, false
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	w := newWatch(start, j.connect, j.response, cancel)
	defer w.end()
	w.job = j
	if slot := p.flights.enter(w); slot != nil {
		defer slot.Store(nil)
	}
	secure := j.url.Scheme == "https" || p.opt.Proxy != nil
	resp, err := p.send(w.with(ctx, secure), cl, j, number, start, fresh)
	a.Duration = time.Since(start)
	w.report(&a)
	if err != nil {
		if v, ok := errors.AsType[*tls.CertificateVerificationError](err); ok && len(v.UnverifiedCertificates) > 0 {
			a.CertEnds = v.UnverifiedCertificates[0].NotAfter
		}
		f := p.explain(parent, ctx, w, j, err)
		fail(&a, f)
		return a, a.Reused && f.class == callback.ClassReset && !w.answered()
	}
	defer resp.Body.Close() // only read from
	p.judge(&a, resp, w, j)
	return a, false
}

// send makes the round trip, after the check that a proxy would hide from the
// dialler.
func (p *Poster) send(ctx context.Context, cl *client, j *job, number int, at time.Time, fresh bool) (*http.Response, error) {
	if p.opt.Proxy != nil {
		if err := p.checkTarget(ctx, j.url); err != nil {
			return nil, err
		}
	}
	if fresh {
		j.header = j.header.Clone() // the other request may still be being written
		return cl.fresh.RoundTrip(j.request(ctx, number, at))
	}
	return cl.kept.RoundTrip(j.request(ctx, number, at))
}

func fail(a *callback.Attempt, f fault) {
	a.Class = f.class
	a.Reason = callback.Sanitize(f.short, callback.MaxReason)
	a.Error = callback.Sanitize(f.text, callback.MaxError)
}
