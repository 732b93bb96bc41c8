// Package smtpout hands one e-mail at a time to a mail server: it builds the
// MIME message, speaks SMTP (RFC 5321) with STARTTLS or TLS and AUTH, and says
// in a callback.MailError at which step a server refused and whether another
// try can help. It keeps no queue and retries nothing; that is the outbox's
// work. Whatever a server answers is capped, timed and sanitised here, so no
// byte of it reaches a log or a terminal raw.
package smtpout

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"ringback/callback"
)

var (
	_ callback.Mailer = (*Client)(nil)
	_ fmt.Formatter   = (*Client)(nil)
)

// How a connection is protected: the values of Options.TLS.
const (
	TLSStart    = "starttls" // plain at first, STARTTLS required (RFC 3207)
	TLSImplicit = "implicit" // TLS from the first byte (RFC 8314)
	TLSNone     = "none"     // never encrypted
)

// Options says which mail server to use and how. Host is required; everything
// else has a default. It prints without its password.
type Options struct {
	Host string // name or address of the server; certificates are checked against it
	Port int    // 0: 587, or 465 with implicit TLS, or 25 with none
	TLS  string // "starttls" (when empty), "implicit" or "none"

	Username string // empty: no AUTH
	Password string `json:"-"`

	// HelloName is what EHLO says. Empty: this machine's name if it is
	// qualified, else the address the connection was made from.
	HelloName string

	RootCAs *x509.CertPool // nil: the system's

	DialTimeout    time.Duration // for the TCP connection; 0: 15 s
	CommandTimeout time.Duration // for each answer, and for writing the mail; 0: 60 s

	// SubmitTimeout is how long the answer to the whole mail may take. Giving
	// up too early makes duplicates, so 0 means the 10 min of RFC 5321 4.5.3.2.6.
	SubmitTimeout time.Duration

	TotalTimeout time.Duration // for the whole conversation; 0: 15 min
}

// Format implements fmt.Formatter, so that no verb prints the password.
func (o Options) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "smtp %s tls=%s username=%q", o.addr(), o.TLS, o.Username)
}

func (o Options) addr() string { return net.JoinHostPort(o.Host, strconv.Itoa(o.Port)) }

// Client hands mails to one server, with one connection for each mail. It is
// safe for use by several goroutines.
type Client struct {
	opts   Options
	redact *strings.Replacer

	certEnds atomic.Int64 // when the server's certificate ends, in Unix seconds; 0: not known
}

// New checks o and returns a client for it; nothing is contacted. Its errors
// name the field at fault and never hold the password.
func New(o Options) (*Client, error) {
	o.TLS = cmp.Or(o.TLS, TLSStart)
	o.Port = cmp.Or(o.Port, map[string]int{TLSStart: 587, TLSImplicit: 465, TLSNone: 25}[o.TLS])
	o.DialTimeout = cmp.Or(o.DialTimeout, 15*time.Second)
	o.CommandTimeout = cmp.Or(o.CommandTimeout, time.Minute)
	o.SubmitTimeout = cmp.Or(o.SubmitTimeout, 10*time.Minute)
	o.TotalTimeout = cmp.Or(o.TotalTimeout, 15*time.Minute)
	// A certificate names the host without the root's dot.
	o.Host = strings.TrimSuffix(o.Host, ".")
	if o.HelloName == "" {
		o.HelloName = qualifiedHostname()
	} else if !validHelloName(o.HelloName) {
		return nil, errors.New("smtp hello name: want a host name or an address in brackets")
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Client{opts: o, redact: redactor(o.Username, o.Password)}, nil
}

func (o Options) validate() error {
	switch {
	case o.Host == "":
		return errors.New("smtp host: it is empty")
	case callback.Sanitize(o.Host, len(o.Host)) != o.Host || strings.ContainsAny(o.Host, " /@"):
		return errors.New("smtp host: want a host name or an IP address")
	case o.TLS != TLSStart && o.TLS != TLSImplicit && o.TLS != TLSNone:
		return fmt.Errorf(`smtp tls: want "starttls", "implicit" or "none", got %q`, o.TLS)
	case o.Port < 1 || o.Port > 65535:
		return fmt.Errorf("smtp port: want 1 to 65535, got %d", o.Port)
	case o.Username == "" && o.Password != "":
		return errors.New("smtp username: it is empty, but there is a password")
	case o.Username != "" && o.Password == "":
		return errors.New("smtp password: it is empty, but there is a username")
	case strings.ContainsFunc(o.Username, control) || strings.ContainsFunc(o.Password, control):
		// A NUL would end a field of AUTH PLAIN; a line break is a file read untrimmed.
		return errors.New("smtp username and password: control characters and line breaks are not allowed")
	case min(o.DialTimeout, o.CommandTimeout, o.SubmitTimeout, o.TotalTimeout) < 0:
		return errors.New("smtp timeouts: they cannot be negative")
	}
	return nil
}

// Format implements fmt.Formatter, so that no verb prints the password.
func (c *Client) Format(f fmt.State, verb rune) { c.opts.Format(f, verb) }

// CertificateEnds returns when the certificate ends that the server showed last;
// zero: it showed none yet.
func (c *Client) CertificateEnds() time.Time {
	if at := c.certEnds.Load(); at != 0 {
		return time.Unix(at, 0).UTC()
	}
	return time.Time{}
}

// Send implements callback.Mailer. The receipt is the server's answer to the
// mail with its code, such as "250 2.0.0 Ok: queued as 4XyZ"; what happens to
// the connection after that answer no longer matters.
func (c *Client) Send(ctx context.Context, m callback.Mail) (string, error) {
	from, err := parseAddress(m.From)
	if err != nil {
		return "", c.fault(ctx, stageAddress, fmt.Errorf("sender: %w", err))
	}
	to, err := parseAddress(m.To)
	if err != nil {
		return "", c.fault(ctx, stageAddress, fmt.Errorf("recipient: %w", err))
	}
	msg, err := build(m, from, to)
	if err != nil {
		return "", c.fault(ctx, stageData, err)
	}
	conn, err := c.dial(ctx)
	if err != nil {
		return "", c.fault(ctx, stageConnect, err)
	}
	return c.hand(ctx, conn, from, to, msg)
}

// hand delivers msg over conn, which it closes.
func (c *Client) hand(ctx context.Context, conn net.Conn, from, to address, msg []byte) (string, error) {
	s, done := c.newSession(ctx, conn)
	defer done()
	if err := s.open(ctx); err != nil {
		s.bye(err)
		return "", c.fault(ctx, s.stage, err)
	}
	answer, err := s.submit(from, to, msg)
	s.bye(err)
	if err != nil {
		return "", c.fault(ctx, s.stage, err)
	}
	return c.tidy(answer), nil
}

// Check goes as far as a mail would, TLS and AUTH included, but sends none. A
// fault comes back as *callback.MailError.
func (c *Client) Check(ctx context.Context) error {
	conn, err := c.dial(ctx)
	if err != nil {
		return c.fault(ctx, stageConnect, err)
	}
	s, done := c.newSession(ctx, conn)
	defer done()
	err = s.open(ctx)
	if err == nil {
		err = s.smtp.Noop()
	}
	s.bye(err)
	if err != nil {
		return c.fault(ctx, s.stage, err)
	}
	return nil
}

func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: min(c.opts.DialTimeout, c.opts.TotalTimeout)}
	return d.DialContext(ctx, "tcp", c.opts.addr())
}

// qualifiedHostname returns this machine's name if a mail server could make
// sense of it. Many servers refuse "localhost" and bare names (RFC 5321 4.1.4).
func qualifiedHostname() string {
	name, err := os.Hostname()
	if err != nil || !strings.Contains(name, ".") || !validHelloName(name) {
		return ""
	}
	return name
}

// addressLiteral is the name of a machine that has none (RFC 5321 4.1.3).
func addressLiteral(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	switch {
	case !ok:
		return "[127.0.0.1]"
	case tcp.IP.To4() != nil:
		return "[" + tcp.IP.To4().String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

func validHelloName(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool {
		return !letterOrDigit(r) && !strings.ContainsRune("-.:[]", r)
	})
}

func letterOrDigit(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func control(r rune) bool { return r < 0x20 || r >= 0x7f && r <= 0x9f }
