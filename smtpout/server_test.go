package smtpout_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/hex"
	"io"
	"log"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"ringback/callback"
	"ringback/smtpout"
)

const (
	user     = "alerts@example.com"
	password = "c4nary pässword=?"
)

// received is one mail as a server got it.
type received struct {
	hello, from, to, mechanism string
	utf8                       bool
	data                       []byte
}

// server is a real SMTP server on loopback that keeps what it is given.
type server struct {
	port  int
	mechs []string

	mu    sync.Mutex
	mails []received
}

// start runs a go-smtp server in the given mode; with mechs it insists on AUTH.
func start(t *testing.T, mode string, mechs []string, adjust ...func(*smtp.Server)) *server {
	t.Helper()
	s := &server{mechs: mechs}
	srv := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &visit{server: s, conn: c}, nil
	}))
	srv.Domain = "mail.test"
	srv.AllowInsecureAuth = true
	srv.ErrorLog = log.New(io.Discard, "", 0)
	ln := must(net.Listen("tcp", "127.0.0.1:0"))
	s.port = ln.Addr().(*net.TCPAddr).Port
	cfg := &tls.Config{Certificates: []tls.Certificate{goodCert()}}
	switch mode {
	case smtpout.TLSStart:
		srv.TLSConfig = cfg
	case smtpout.TLSImplicit:
		ln = tls.NewListener(ln, cfg)
	}
	for _, f := range adjust {
		f(srv)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = srv.Serve(ln) })
	t.Cleanup(func() {
		_ = ln.Close() // Serve may not have taken it over yet
		_ = srv.Close()
		wg.Wait()
	})
	return s
}

func (s *server) got() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mails
}

// visit is one connection to a server.
type visit struct {
	server *server
	conn   *smtp.Conn
	mail   received
	signed string // mechanism it signed in with
}

func (v *visit) Reset()        { v.mail = received{} }
func (v *visit) Logout() error { return nil }

func (v *visit) AuthMechanisms() []string { return v.server.mechs }

func (v *visit) Auth(mech string) (sasl.Server, error) {
	check := func(name, pass string) error {
		if name != user || pass != password {
			return smtp.ErrAuthFailed
		}
		v.signed = mech
		return nil
	}
	switch mech {
	case "PLAIN":
		return sasl.NewPlainServer(func(_, name, pass string) error { return check(name, pass) }), nil
	case "LOGIN":
		return &loginServer{check: check}, nil
	case "CRAM-MD5":
		return &cramServer{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

func (v *visit) Mail(from string, opts *smtp.MailOptions) error {
	if len(v.server.mechs) > 0 && v.signed == "" {
		return smtp.ErrAuthRequired
	}
	v.mail = received{hello: v.conn.Hostname(), from: from, mechanism: v.signed, utf8: opts.UTF8}
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	v.mail.to = to
	return nil
}

func (v *visit) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.mail.data = data
	v.server.mu.Lock()
	defer v.server.mu.Unlock()
	v.server.mails = append(v.server.mails, v.mail)
	return nil
}

type loginServer struct {
	check func(name, pass string) error
	said  []string
}

// Next asks with the wording of one common server.
func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	if response != nil {
		l.said = append(l.said, string(response))
	}
	switch len(l.said) {
	case 0:
		return []byte("User Name\x00"), false, nil
	case 1:
		return []byte("Password\x00"), false, nil
	}
	return nil, true, l.check(l.said[0], l.said[1])
}

type cramServer struct{ check func(name, pass string) error }

const challenge = "<1896.697170952@mail.test>"

func (c *cramServer) Next(response []byte) ([]byte, bool, error) {
	if response == nil {
		return []byte(challenge), false, nil
	}
	mac := hmac.New(md5.New, []byte(password))
	mac.Write([]byte(challenge))
	name, digest, _ := strings.Cut(string(response), " ")
	if digest != hex.EncodeToString(mac.Sum(nil)) {
		return nil, true, smtp.ErrAuthFailed
	}
	return nil, true, c.check(name, password)
}

// client makes a client for a server on loopback.
func client(t *testing.T, port int, mode string, adjust ...func(*smtpout.Options)) *smtpout.Client {
	t.Helper()
	o := smtpout.Options{Host: "127.0.0.1", Port: port, TLS: mode, HelloName: "ringback.example.org", RootCAs: trusted()}
	for _, f := range adjust {
		f(&o)
	}
	c, err := smtpout.New(o)
	if err != nil {
		t.Fatalf("new client: %v", err)
	}
	return c
}

func signIn(o *smtpout.Options) { o.Username, o.Password = user, password }

func sample() callback.Mail {
	return callback.Mail{
		MessageID: "outage/0A1B2C3D4E5F6071/3@example.com",
		InReplyTo: "outage/0A1B2C3D4E5F6071/2@example.com",
		From:      "Ringback <ringback@example.com>",
		To:        "ops@example.com",
		Date:      time.Date(2026, 3, 4, 9, 12, 0, 0, time.UTC),
		Subject:   "orders is down",
		ListID:    "alerts.ringback.example.com",
		Text:      "The first line.\n.\n..\n.hidden\nMAIL FROM:<evil@example.com>\n\nDüsseldorf 日本 \U0001f514\n",
		HTML:      "<p>The first line.</p>\n.\n<p>Düsseldorf</p>\n",
	}
}
