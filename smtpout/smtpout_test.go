package smtpout

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func TestNew(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		opts Options
		want string // part of the error, or empty
		port int
	}{
		{"least", Options{Host: "mail.example.com"}, "", 587},
		{"implicit", Options{Host: "mail.example.com", TLS: TLSImplicit}, "", 465},
		{"none", Options{Host: "::1", TLS: TLSNone}, "", 25},
		{"own port", Options{Host: "mail.example.com.", Port: 2525}, "", 2525},
		{"no host", Options{}, "smtp host", 0},
		{"host with a space", Options{Host: "mail example"}, "smtp host", 0},
		{"host with a control", Options{Host: "mail\r\nexample"}, "smtp host", 0},
		{"odd tls", Options{Host: "h", TLS: "ssl"}, `got "ssl"`, 0},
		{"port too high", Options{Host: "h", Port: 65536}, "smtp port", 0},
		{"port below 0", Options{Host: "h", Port: -1}, "smtp port", 0},
		{"password alone", Options{Host: "h", Password: "hush-hush"}, "smtp username", 0},
		{"username alone", Options{Host: "h", Username: "u"}, "smtp password", 0},
		{"password with NUL", Options{Host: "h", Username: "u", Password: "hush-\x00hush"}, "control characters", 0},
		{"hello injection", Options{Host: "h", HelloName: "a\r\nQUIT"}, "smtp hello name", 0},
		{"negative timeout", Options{Host: "h", SubmitTimeout: -1}, "smtp timeouts", 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, err := New(tc.opts)
			switch {
			case tc.want == "" && err != nil:
				t.Fatalf("got %v, want a client", err)
			case tc.want == "" && c.opts.Port != tc.port:
				t.Fatalf("port: got %d, want %d", c.opts.Port, tc.port)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Fatalf("got %v, want %q in it", err, tc.want)
			case err != nil && strings.Contains(err.Error(), "hush"):
				t.Fatalf("the error shows the password: %v", err)
			}
		})
	}
}

func TestAddressLiteral(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.7":       "[192.0.2.7]",
		"::ffff:10.1.2.3": "[10.1.2.3]",
		"2001:db8::1":     "[IPv6:2001:db8::1]",
	} {
		if got := addressLiteral(&net.TCPAddr{IP: net.ParseIP(in)}); got != want || !validHelloName(got) {
			t.Fatalf("%s: got %q, want %q", in, got, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"10.0.0.1": false, "0.0.0.0": false, "::": false, "2001:db8::1": false, "128.0.0.1": false,
	} {
		if got := loopback(&net.TCPAddr{IP: net.ParseIP(in)}); got != want {
			t.Fatalf("%s: got %v, want %v", in, got, want)
		}
	}
	if loopback(&net.UnixAddr{Name: "x"}) {
		t.Fatal("a unix socket counts as loopback TCP")
	}
}

// An address that cannot be used is found before anything is contacted.
func TestSendBadAddress(t *testing.T) {
	t.Parallel()
	c, err := New(Options{Host: "mail.invalid"})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	for _, m := range []callback.Mail{
		{From: "a@example.com", To: "a@example.com> SIZE=1"},
		{From: "<>", To: "a@example.com"},
	} {
		_, err := c.Send(t.Context(), m)
		if f, ok := errors.AsType[*callback.MailError](err); !ok || f.Stage != stageAddress || !f.Permanent || f.Code != 0 {
			t.Fatalf("send from %q to %q: got %+v", m.From, m.To, err)
		}
	}
}

func TestSendNobodyThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	addr := ln.Addr().(*net.TCPAddr)
	_ = ln.Close()
	c, err := New(Options{Host: "127.0.0.1", Port: addr.Port})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	_, err = c.Send(t.Context(), callback.Mail{From: "a@example.com", To: "b@example.com"})
	f, ok := errors.AsType[*callback.MailError](err)
	if want := addr.String() + " refuses connections"; !ok || f.Stage != stageConnect || f.Permanent || f.Reply != want {
		t.Fatalf("got %+v, want %q", err, want)
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	c, err := New(Options{Host: "mail.example.com"})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "mail.example.com", IsNotFound: true}, "the name mail.example.com was not found"},
		{&net.DNSError{Err: "i/o timeout", Name: "mail.example.com", IsTimeout: true}, "no answer in the time allowed"},
		{tls.RecordHeaderError{Msg: "odd\x1b[2J"}, `the server does not speak TLS here (odd[2J); is tls = "starttls" meant?`},
		{errors.New("odd\r\nthing"), "odd thing"},
	} {
		if got := c.fault(t.Context(), stageConnect, tc.err); got.Reply != tc.want || got.Permanent {
			t.Fatalf("%v: got %q, want %q", tc.err, got.Reply, tc.want)
		}
	}
}

// The whole conversation ends though every single answer comes in time.
func TestTotalTimeout(t *testing.T) {
	t.Parallel()
	near, far := net.Pipe()
	defer far.Close()
	c, err := New(Options{Host: "mail.example.com", TotalTimeout: 20 * time.Millisecond, CommandTimeout: time.Hour, SubmitTimeout: time.Hour})
	if err != nil {
		t.Fatalf("new: %v", err)
	}
	a := address{addr: "a@example.com"}
	_, err = c.hand(t.Context(), near, a, a, nil)
	f, ok := errors.AsType[*callback.MailError](err)
	if !ok || f.Stage != stageGreeting || f.Reply != "no answer in the time allowed" {
		t.Fatalf("got %+v", err)
	}
}
