package smtpout_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/emersion/go-smtp"
	"github.com/google/go-cmp/cmp"

	"ringback/callback"
	"ringback/smtpout"
)

func TestSendToRealServer(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{smtpout.TLSNone, smtpout.TLSStart, smtpout.TLSImplicit} {
		for _, mech := range []string{"", "PLAIN", "LOGIN", "CRAM-MD5"} {
			t.Run(mode+" "+mech, func(t *testing.T) {
				t.Parallel()
				s := start(t, mode, strings.Fields(mech))
				c := client(t, s.port, mode, func(o *smtpout.Options) {
					if mech != "" {
						signIn(o)
					}
				})
				receipt, err := c.Send(t.Context(), sample())
				if err != nil {
					t.Fatalf("send: %v", err)
				}
				if want := "250 2.0.0 OK: queued"; receipt != want {
					t.Fatalf("receipt: got %q, want %q", receipt, want)
				}
				mails := s.got()
				if len(mails) != 1 {
					t.Fatalf("got %d mails, want 1", len(mails))
				}
				m := mails[0]
				checkMail(t, m.data, sample())
				m.data = nil
				want := received{hello: "ringback.example.org", from: "ringback@example.com", to: "ops@example.com", mechanism: mech}
				if diff := cmp.Diff(want, m, cmp.AllowUnexported(received{})); diff != "" {
					t.Fatalf("envelope (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// checkMail reads data as a mail program does and compares it with m.
func checkMail(t *testing.T, data []byte, m callback.Mail) {
	t.Helper()
	r, err := gomail.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("read mail: %v", err)
	}
	for key, want := range map[string]string{
		"Message-Id":     "<" + m.MessageID + ">",
		"In-Reply-To":    "<" + m.InReplyTo + ">",
		"References":     "<" + m.InReplyTo + ">",
		"List-Id":        "<" + m.ListID + ">",
		"Auto-Submitted": "auto-generated",
		"Mime-Version":   "1.0",
		"Subject":        m.Subject,
	} {
		if got, err := r.Header.Text(key); err != nil || got != want {
			t.Fatalf("%s: got %q, %v, want %q", key, got, err, want)
		}
	}
	if got, err := r.Header.Date(); err != nil || !got.Equal(m.Date) {
		t.Fatalf("date: got %v, %v, want %v", got, err, m.Date)
	}
	if media, _, _ := r.Header.ContentType(); media != "multipart/alternative" {
		t.Fatalf("content type: got %q", media)
	}
	for _, want := range []struct{ media, body string }{{"text/plain", m.Text}, {"text/html", m.HTML}} {
		p, err := r.NextPart()
		if err != nil {
			t.Fatalf("next part: %v", err)
		}
		h := message.Header{}
		h.Set("Content-Type", p.Header.Get("Content-Type"))
		if media, params, _ := h.ContentType(); media != want.media || params["charset"] != "utf-8" {
			t.Fatalf("part: got %q %v, want %q", media, params, want.media)
		}
		body, err := io.ReadAll(p.Body)
		if got := strings.ReplaceAll(string(body), "\r\n", "\n"); err != nil || got != want.body {
			t.Fatalf("%s: got %q, %v, want %q", want.media, got, err, want.body)
		}
	}
	if _, err := r.NextPart(); err != io.EOF {
		t.Fatalf("after the last part: got %v, want EOF", err)
	}
}

func TestSendRefusedByRealServer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		mech   string
		mail   func(*callback.Mail)
		opts   func(*smtpout.Options)
		server func(*smtp.Server)
		want   callback.MailError
	}{
		{
			name: "unknown recipient", mail: func(m *callback.Mail) { m.To = "nobody@example.com" },
			want: callback.MailError{Stage: "rcpt", Code: 550, Reply: "550 5.1.1 no such user", Permanent: true},
		},
		{
			name: "wrong password", mech: "PLAIN", opts: func(o *smtpout.Options) { signIn(o); o.Password += "x" },
			want: callback.MailError{Stage: "auth", Code: 535, Reply: "535 5.7.8 Authentication failed"},
		},
		{
			name: "wrong password login", mech: "LOGIN", opts: func(o *smtpout.Options) { signIn(o); o.Password += "x" },
			want: callback.MailError{Stage: "auth", Code: 535, Reply: "535 5.7.8 Authentication failed"},
		},
		{
			name: "wrong password cram", mech: "CRAM-MD5", opts: func(o *smtpout.Options) { signIn(o); o.Password += "x" },
			want: callback.MailError{Stage: "auth", Code: 535, Reply: "535 5.7.8 Authentication failed"},
		},
		{
			name: "password not wanted", opts: signIn,
			want: callback.MailError{Stage: "auth", Reply: "a username is configured, but the server does not offer AUTH"},
		},
		{
			name: "too large", server: func(s *smtp.Server) { s.MaxMessageBytes = 500 },
			want: callback.MailError{Stage: "from", Code: 552, Reply: "552 5.3.4 Max message size exceeded", Permanent: true},
		},
		{
			name: "smtputf8 missing", mail: func(m *callback.Mail) { m.To = "jörg@example.com" },
			want: callback.MailError{
				Stage: "address", Permanent: true,
				Reply: "the address has characters beyond ASCII, and the server does not offer SMTPUTF8",
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, smtpout.TLSStart, strings.Fields(tc.mech), func(srv *smtp.Server) {
				if tc.server != nil {
					tc.server(srv)
				}
			})
			c := client(t, s.port, smtpout.TLSStart, func(o *smtpout.Options) {
				if tc.opts != nil {
					tc.opts(o)
				}
			})
			m := sample()
			if tc.mail != nil {
				tc.mail(&m)
			}
			_, err := c.Send(t.Context(), m)
			got, ok := errors.AsType[*callback.MailError](err)
			if !ok {
				t.Fatalf("got %v, want a MailError", err)
			}
			if diff := cmp.Diff(&tc.want, got); diff != "" {
				t.Fatalf("error (-want +got):\n%s", diff)
			}
			if n := len(s.got()); n != 0 {
				t.Fatalf("%d mails went through", n)
			}
		})
	}
}

func TestSendUTF8Address(t *testing.T) {
	t.Parallel()
	s := start(t, smtpout.TLSImplicit, nil, func(srv *smtp.Server) { srv.EnableSMTPUTF8 = true })
	c := client(t, s.port, smtpout.TLSImplicit)
	for _, to := range []string{"jörg@example.com", "ops@example.com"} {
		m := sample()
		m.To = to
		if _, err := c.Send(t.Context(), m); err != nil {
			t.Fatalf("send to %s: %v", to, err)
		}
	}
	mails := s.got()
	if len(mails) != 2 || mails[0].to != "jörg@example.com" || !mails[0].utf8 || mails[1].utf8 {
		t.Fatalf("got %+v, want SMTPUTF8 for the first alone", mails)
	}
	if !bytes.Contains(mails[0].data, []byte("\r\nTo: <jörg@example.com>\r\n")) {
		t.Fatalf("header To is not in UTF-8:\n%s", mails[0].data)
	}
}

func TestSendAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, smtpout.TLSStart, []string{"LOGIN"})
	c := client(t, s.port, smtpout.TLSStart, signIn)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m := sample()
			m.MessageID = fmt.Sprintf("call/%d@example.com", i)
			if _, err := c.Send(t.Context(), m); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, m := range s.got() {
		r := must(gomail.CreateReader(bytes.NewReader(m.data)))
		seen[must(r.Header.MessageID())] = true
	}
	if len(seen) != 8 {
		t.Fatalf("got %d different mails, want 8", len(seen))
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	s := start(t, smtpout.TLSStart, []string{"PLAIN"})
	if err := client(t, s.port, smtpout.TLSStart, signIn).Check(t.Context()); err != nil {
		t.Fatalf("check: %v", err)
	}
	err := client(t, s.port, smtpout.TLSStart, signIn, func(o *smtpout.Options) { o.Password = "wrong" }).Check(t.Context())
	if f, ok := errors.AsType[*callback.MailError](err); !ok || f.Stage != "auth" || f.Code != 535 {
		t.Fatalf("check with a wrong password: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = client(t, s.port, smtpout.TLSStart, signIn).Check(ctx)
	if f, ok := errors.AsType[*callback.MailError](err); !ok || f.Stage != "connect" {
		t.Fatalf("check after cancel: got %v", err)
	}
	if n := len(s.got()); n != 0 {
		t.Fatalf("check sent %d mails", n)
	}
}

func TestCertificateEnds(t *testing.T) {
	t.Parallel()
	want := must(x509.ParseCertificate(goodCert().Certificate[0])).NotAfter
	for mode, want := range map[string]time.Time{smtpout.TLSStart: want, smtpout.TLSImplicit: want, smtpout.TLSNone: {}} {
		s := start(t, mode, nil)
		c := client(t, s.port, mode)
		if !c.CertificateEnds().IsZero() {
			t.Errorf("%s: known before it was seen", mode)
		}
		if err := c.Check(t.Context()); err != nil {
			t.Fatalf("%s: %v", mode, err)
		}
		if got := c.CertificateEnds(); !got.Equal(want) {
			t.Errorf("%s: the certificate ends at %v, want %v", mode, got, want)
		}
	}
}
