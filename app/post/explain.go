package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"ringback/callback"
)

// fault is why an attempt got no answer: its class, a short word and a sentence.
type fault struct {
	class       callback.Class
	short, text string
}

// proxyRefused is a proxy's status other than 200 to CONNECT.
type proxyRefused int

// Error implements error.
func (code proxyRefused) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s", int(code), http.StatusText(int(code))))
}

// explain says what err means, which a round trip returned. parent is the
// caller's context, ctx the attempt's.
func (p *Poster) explain(parent, ctx context.Context, w *watch, j *job, err error) fault {
	st, addr := w.reached(p.opt.Proxy != nil)
	e := explainer{job: j, err: err, stage: st, addr: addr, proxied: p.opt.Proxy != nil, answered: w.answered(), cut: w.cut()}
	switch cause := context.Cause(ctx); {
	case cause == errConnectTime:
		return e.connectTime()
	case cause == errAnswerTime:
		return e.answerTime()
	case parent.Err() != nil:
		return fault{callback.ClassInterrupted, "interrupted", "Interrupted before an answer came: ringback stopped the attempt"}
	case errors.Is(err, errDenied):
		return denied(err)
	case st == atAnswer:
		return e.noAnswer()
	}
	f := e.noConnection()
	if f.class == callback.ClassInternal {
		p.opt.Log.Warn("attempt not made", "call", j.id, "reason", f.text)
	}
	return f
}

func denied(err error) fault {
	f := fault{callback.ClassDenied, "forbidden address", "Not sent: URL resolves to a forbidden address"}
	if d, ok := errors.AsType[deniedError](err); ok {
		f.text += " (" + d.addr.String() + ")"
	}
	return f
}

// explainer is what is known of an attempt without an answer.
type explainer struct {
	*job
	err      error
	stage    stage
	addr     string // being connected to, or connected
	proxied  bool
	answered bool // at least one byte
	cut      bool // in the middle of its headers
}

func (e *explainer) host() string { return callback.Sanitize(e.url.Hostname(), 100) }

// where returns "IP:PORT (HOST)".
func (e *explainer) where() string {
	switch {
	case e.addr == "":
		return e.host()
	case e.proxied:
		return "the proxy at " + e.addr
	}
	if ap, err := netip.ParseAddrPort(e.addr); err == nil && ap.Addr().String() == e.host() {
		return e.addr
	}
	return e.addr + " (" + e.host() + ")"
}

func (e *explainer) connectTime() fault {
	short := "connect timeout after " + brief(e.connect)
	within := long(e.connect)
	switch e.stage {
	case atDNS:
		return fault{callback.ClassDNS, "host name not found", fmt.Sprintf("Host name not found: %s (no answer from DNS within %s)", e.host(), within)}
	case atTLS:
		return fault{callback.ClassConnectTimeout, short, fmt.Sprintf("No TLS connection within %s to %s; the handshake did not end", within, e.where())}
	case atProxy:
		return fault{callback.ClassConnectTimeout, short, fmt.Sprintf("No connection within %s to %s; %s does not answer", within, e.host(), e.where())}
	}
	return fault{callback.ClassConnectTimeout, short, fmt.Sprintf("No connection within %s to %s; firewall or host down", within, e.where())}
}

func (e *explainer) answerTime() fault {
	f := fault{class: callback.ClassAnswerTimeout, short: "answer timeout after " + brief(e.response)}
	f.text = "Connected, but no answer within " + long(e.response)
	if e.answered {
		f.text = "Connected, but no end of the answer's headers within " + long(e.response)
	}
	return f
}

// noConnection explains what went wrong before there was a connection.
func (e *explainer) noConnection() fault {
	err := e.err
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return e.noName(d)
	}
	if code, ok := errors.AsType[proxyRefused](err); ok {
		return fault{callback.ClassUnreachable, "proxy refused", fmt.Sprintf("The proxy at %s does not connect to %s: %s", e.addr, e.host(), code)}
	}
	switch {
	case timeout(err) || errors.Is(err, syscall.ETIMEDOUT):
		return e.connectTime()
	case e.stage == atTLS:
		return e.noTLS()
	case errors.Is(err, syscall.ECONNREFUSED):
		return fault{callback.ClassRefused, "connection refused", "Connection refused: nothing listens on " + e.where()}
	case gone(err):
		return fault{callback.ClassReset, "connection closed before an answer", "Connection closed before an answer by " + e.where()}
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE), errors.Is(err, syscall.ENOBUFS):
		return fault{callback.ClassInternal, "out of resources", "Not sent: this machine has no file descriptor or buffer left"}
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return fault{callback.ClassUnreachable, "unreachable", fmt.Sprintf("No way to %s: %s", e.where(), errno)}
	}
	if e.stage == atProxy {
		return fault{callback.ClassProtocol, "not an HTTP answer", "Not an HTTP answer from " + e.where() + e.detail()}
	}
	return fault{callback.ClassInternal, "request not built", "Not sent: no connection to " + e.host() + e.detail()}
}

func (e *explainer) noName(d *net.DNSError) fault {
	f := fault{callback.ClassDNS, "host name not found", "Host name not found: " + e.host()}
	switch {
	case e.proxied && d.Name != e.host():
		f.text = "Host name not found: " + callback.Sanitize(d.Name, 100) + " (the proxy)"
	case d.IsTimeout:
		f.text += " (no answer from DNS within " + long(e.connect) + ")"
	case !d.IsNotFound:
		f.text += " (the DNS server failed)"
	}
	return f
}

// noTLS explains a handshake that failed.
func (e *explainer) noTLS() fault {
	f := fault{class: callback.ClassTLS, short: "TLS handshake failed"}
	if inv, ok := errors.AsType[x509.CertificateInvalidError](e.err); ok && inv.Reason == x509.Expired && inv.Cert != nil {
		return notInTime(inv.Cert)
	}
	if h, ok := errors.AsType[x509.HostnameError](e.err); ok {
		f.short, f.text = "certificate of another host", fmt.Sprintf("Certificate is for %s, not %s", e.names(h.Certificate), e.host())
		return f
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.err); ok {
		f.short, f.text = "certificate not trusted", "Certificate signed by an unknown authority"
		return f
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.err); ok {
		f.text = "TLS handshake failed: " + e.where() + " does not speak TLS; is it http:// instead of https://?"
		return f
	}
	if gone(e.err) {
		f.text = "TLS handshake failed: connection closed by " + e.where()
		return f
	}
	f.text = "TLS handshake failed" + e.detail()
	return f
}

// notInTime explains a certificate outside its time. net/http does not tell
// which end of it was passed.
func notInTime(c *x509.Certificate) fault {
	f := fault{callback.ClassTLS, "certificate expired", "Certificate expired on " + c.NotAfter.UTC().Format(time.DateOnly)}
	if time.Now().Before(c.NotBefore) {
		f.short, f.text = "certificate not valid yet", "Certificate is not valid before "+c.NotBefore.UTC().Format(time.DateOnly)
	}
	return f
}

// names returns the first names of a certificate.
func (e *explainer) names(c *x509.Certificate) string {
	if c == nil {
		return "another host"
	}
	names := c.DNSNames
	for _, ip := range c.IPAddresses {
		names = append(names[:len(names):len(names)], ip.String())
	}
	if len(names) == 0 {
		names = []string{"no host at all"}
	}
	return e.secret.clean(strings.Join(names[:min(len(names), 3)], ", "), 100)
}

// noAnswer explains what went wrong on a connection.
func (e *explainer) noAnswer() fault {
	op, _ := errors.AsType[*net.OpError](e.err)
	switch {
	case op != nil && op.Op == "remote error": // a TLS alert after the handshake, such as for a missing client certificate
		return fault{callback.ClassTLS, "TLS handshake failed", "TLS handshake failed" + e.detail()}
	case e.answered && (e.cut || gone(e.err)):
		return fault{callback.ClassReset, "connection closed before an answer", "Connection closed before an answer: in the middle of its headers"}
	case gone(e.err):
		return fault{callback.ClassReset, "connection closed before an answer", "Connection closed before an answer"}
	case timeout(e.err), errors.Is(e.err, syscall.ETIMEDOUT):
		return e.answerTime()
	case op != nil:
		return fault{callback.ClassReset, "connection closed before an answer", "Connection broke before an answer" + e.detail()}
	case !e.answered: // net/http found something to read on a connection it had sent nothing on
		return fault{callback.ClassProtocol, "not an HTTP answer", "Not an HTTP answer: " + e.where() + " speaks before it is asked"}
	}
	return fault{callback.ClassProtocol, "not an HTTP answer", "Not an HTTP answer" + e.detail()}
}

// detail returns ": " and the innermost words of the error, cleaned.
func (e *explainer) detail() string {
	err := e.err
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	text := err.Error()
	for _, noise := range []string{"net/http: HTTP/1.x transport connection broken: ", "net/http: ", "http: ", "tls: "} {
		text = strings.TrimPrefix(text, noise)
	}
	return ": " + e.secret.clean(text, 160)
}

// gone reports whether the other side closed or reset the connection.
func gone(err error) bool {
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return strings.Contains(err.Error(), "server closed idle connection") // net/http does not export it
}

func timeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

// brief returns "5s", long "5 s".
func brief(d time.Duration) string { return amount(d, "") }

func long(d time.Duration) string { return amount(d, " ") }

func amount(d time.Duration, space string) string {
	if d < time.Second {
		return fmt.Sprintf("%d%sms", d.Milliseconds(), space)
	}
	return fmt.Sprintf("%g%ss", d.Seconds(), space)
}
