package cli

import (
	"fmt"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"
)

// mailSink is a mail server on loopback that keeps nothing but the count of what
// it got, and tells a narrator of each.
type mailSink struct {
	port   int
	server *smtp.Server
	said   *narrator
	wg     sync.WaitGroup

	mu    sync.Mutex
	mails map[string]int // by subject
}

func startMailSink(said *narrator) (*mailSink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start the demo's mail server: %w", err)
	}
	s := &mailSink{port: ln.Addr().(*net.TCPAddr).Port, said: said, mails: map[string]int{}}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &visit{sink: s}, nil }))
	s.server.Domain = "mail.example.com"
	s.server.ErrorLog = log.New(io.Discard, "", 0)
	s.wg.Go(func() { _ = s.server.Serve(ln) }) // it ends by being closed
	return s, nil
}

func (s *mailSink) close() {
	_ = s.server.Close() // it only served the demo
	s.wg.Wait()
}

// count returns how many mails came.
func (s *mailSink) count() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.mails {
		n += m
	}
	return n
}

// visit is one connection to a mailSink.
type visit struct {
	sink *mailSink
	to   string
}

// Reset implements smtp.Session.
func (v *visit) Reset() { v.to = "" }

// Logout implements smtp.Session.
func (v *visit) Logout() error { return nil }

// Mail implements smtp.Session.
func (v *visit) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt implements smtp.Session.
func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.to = to
	return nil
}

// Data implements smtp.Session.
func (v *visit) Data(r io.Reader) error {
	subject, body, err := readMail(r)
	if err != nil {
		return err
	}
	v.sink.mu.Lock()
	v.sink.mails[subject]++
	v.sink.mu.Unlock()
	v.sink.said.mail(v.to, subject, body)
	return nil
}

// readMail returns the subject and the plain text of one of our own mails:
// multipart/alternative with quoted-printable parts.
func readMail(r io.Reader) (subject, body string, err error) {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return "", "", err
	}
	if subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return "", "", err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", "", err
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextPart() // it decodes quoted-printable
		if err == io.EOF {
			_, err = io.Copy(io.Discard, m.Body) // DATA must be read to its end
			return subject, body, err
		}
		if err != nil {
			return "", "", err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return "", "", err
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/plain") {
			body = strings.ReplaceAll(string(b), "\r\n", "\n")
		}
	}
}
