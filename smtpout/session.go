package smtpout

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/emersion/go-smtp"
)

// quitTimeout is how long the farewell may take; nothing depends on it.
const quitTimeout = 3 * time.Second

var (
	errNoStartTLS = errors.New("the server does not offer STARTTLS, and without it nothing is sent")
	errInjected   = errors.New("the server sent data between STARTTLS and the TLS handshake; somebody may be in between")
	errNoUTF8     = errors.New("the address has characters beyond ASCII, and the server does not offer SMTPUTF8")
)

// session is one conversation with the server. stage names the step it is at,
// in the words of callback.MailError.
type session struct {
	opts  *Options
	raw   net.Conn // the TCP connection
	end   time.Time
	guard *guard
	smtp  *smtp.Client
	tls   bool
	stage string
	ends  *atomic.Int64 // Client.certEnds
}

// newSession takes conn over; done closes it and must be called. As soon as
// ctx is done the connection is closed under whatever waits on it.
func (c *Client) newSession(ctx context.Context, conn net.Conn) (s *session, done func()) {
	s = &session{
		opts:  &c.opts,
		raw:   conn,
		end:   time.Now().Add(c.opts.TotalTimeout),
		stage: stageConnect,
		ends:  &c.certEnds,
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	return s, func() {
		stop()
		// Not through TLS, whose Close may wait 5 s for a peer that stopped reading.
		_ = conn.Close()
	}
}

// open leads the conversation up to the point where a mail may be given.
func (s *session) open(ctx context.Context) error {
	conn := s.raw
	if s.opts.TLS == TLSImplicit {
		var err error
		if conn, err = s.handshake(ctx); err != nil {
			return err
		}
	}
	s.attach(conn)
	s.stage = stageGreeting
	if err := s.hello(); err != nil {
		return err
	}
	if s.opts.TLS == TLSStart {
		if err := s.startTLS(ctx); err != nil {
			return err
		}
	}
	if s.opts.Username == "" {
		return nil
	}
	return s.auth()
}

func (s *session) attach(conn net.Conn) {
	s.guard = newGuard(conn, s.end)
	s.smtp = smtp.NewClient(s.guard)
	s.smtp.CommandTimeout = s.opts.CommandTimeout
	s.smtp.SubmissionTimeout = s.opts.SubmitTimeout
}

// hello reads the greeting and says EHLO, or HELO to a server that knows no
// better.
func (s *session) hello() error {
	err := s.smtp.Hello(cmp.Or(s.opts.HelloName, addressLiteral(s.raw.LocalAddr())))
	if s.guard.wrote {
		s.stage = stageHello
	}
	return err
}

// startTLS does what the library's own STARTTLS does not: it says our name in
// the plain EHLO before it, refuses what was slipped in before the handshake,
// and tells a failed handshake from a failed command. The library's client for
// the encrypted half wants a greeting first, which STARTTLS does not repeat, so
// it gets one of ours.
func (s *session) startTLS(ctx context.Context) error {
	s.stage = stageStartTLS
	if ok, _ := s.smtp.Extension("STARTTLS"); !ok {
		return errNoStartTLS
	}
	if s.guard.early() {
		return errInjected
	}
	if err := s.guard.ask("STARTTLS", 220, s.opts.CommandTimeout); err != nil {
		return err
	}
	if s.guard.early() {
		return errInjected
	}
	conn, err := s.handshake(ctx)
	if err != nil {
		return err
	}
	s.attach(conn)
	s.guard.line = []byte("220 TLS\r\n")
	s.stage = stageHello
	return s.hello()
}

func (s *session) handshake(ctx context.Context) (net.Conn, error) {
	conn := tls.Client(s.raw, &tls.Config{
		ServerName: s.opts.Host,
		RootCAs:    s.opts.RootCAs,
		MinVersion: tls.VersionTLS12,
	})
	deadline := time.Now().Add(s.opts.CommandTimeout)
	if deadline.After(s.end) {
		deadline = s.end
	}
	if err := s.raw.SetDeadline(deadline); err != nil {
		return nil, err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	s.tls = true
	if certs := conn.ConnectionState().PeerCertificates; len(certs) > 0 {
		s.ends.Store(certs[0].NotAfter.Unix())
	}
	return conn, nil
}

func (s *session) auth() error {
	s.stage = stageAuth
	_, offered := s.smtp.Extension("AUTH")
	m, err := mechanism(offered, s.tls || loopback(s.raw.RemoteAddr()), s.opts.Username, s.opts.Password)
	if err != nil {
		return err
	}
	return s.smtp.Auth(m)
}

// loopback tells whether what is sent to a never leaves this machine.
func loopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// submit gives the server one mail and returns its answer, code included.
func (s *session) submit(from, to address, msg []byte) (string, error) {
	utf8 := !from.ascii() || !to.ascii()
	if offered, _ := s.smtp.Extension("SMTPUTF8"); utf8 && !offered {
		s.stage = stageAddress
		return "", errNoUTF8
	}
	s.stage = stageFrom
	err := s.smtp.Mail(from.addr, &smtp.MailOptions{Size: int64(len(msg)), UTF8: utf8})
	if _, ok := positive(err); !ok {
		return "", err
	}
	s.stage = stageRcpt
	err = s.smtp.Rcpt(to.addr, nil)
	if _, ok := positive(err); !ok {
		return "", err
	}
	s.stage = stageData
	return s.data(msg)
}

func (s *session) data(msg []byte) (string, error) {
	w, err := s.smtp.Data()
	if err != nil {
		return "", err
	}
	// The library writes the mail without any deadline.
	if err := s.guard.SetDeadline(time.Now().Add(s.opts.CommandTimeout)); err != nil {
		return "", err
	}
	if _, err := w.Write(msg); err != nil {
		return "", err
	}
	resp, err := w.CloseWithResponse()
	if err == nil {
		return "250 " + resp.StatusText, nil
	}
	if answer, ok := positive(err); ok {
		return answer, nil
	}
	return "", err
}

// positive tells whether the server said yes. The library wants exactly 250,
// but the first digit decides (RFC 5321 4.2.1): a mail taken with a 251 and
// then sent again for three days would be the worse mistake.
func positive(err error) (answer string, ok bool) {
	if err == nil {
		return "", true
	}
	r, ok := errors.AsType[*smtp.SMTPError](err)
	if !ok || r.Code/100 != 2 {
		return "", false
	}
	return strconv.Itoa(r.Code) + " " + replyText(r), true
}

// bye says QUIT where the conversation is still in order. The answer is of no
// interest: a mail taken is taken.
func (s *session) bye(err error) {
	if s.smtp == nil || err != nil && !answered(err) {
		return
	}
	s.smtp.CommandTimeout = min(quitTimeout, s.opts.CommandTimeout)
	_ = s.smtp.Quit()
}
