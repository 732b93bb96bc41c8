package post

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringback/callback"
)

// blackhole returns an address at which connections are neither accepted nor
// refused: those of a listener whose queue is full.
func blackhole(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(raw.Control(func(fd uintptr) { err = syscall.Listen(int(fd), 0) }), err); err != nil {
		t.Fatal(err)
	}
	for range 8 {
		c, err := net.DialTimeout("tcp", ln.Addr().String(), 50*time.Millisecond)
		if err != nil {
			return ln.Addr().String()
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("the queue of a listener does not fill up here")
	return ""
}

func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	addr := blackhole(t)
	for _, scheme := range []string{"http", "https"} {
		a := postOne(t, newPoster(t, Options{AllowPrivate: true, ConnectTimeout: 80 * time.Millisecond}), newCallback(scheme+"://"+addr+"/"))
		want := "No connection within 80 ms to " + addr + "; firewall or host down"
		if a.Class != callback.ClassConnectTimeout || a.Error != want || a.Reason != "connect timeout after 80ms" || a.Peer != addr {
			t.Errorf("%s: got class %q, %q, %q, peer %q, want %q", scheme, a.Class, a.Error, a.Reason, a.Peer, want)
		}
		if a.Timing.Connect == 0 || a.Timing.TLS != 0 {
			t.Errorf("%s: got timing %+v", scheme, a.Timing)
		}
	}
}

// Errors of the system that a test cannot bring about everywhere.
func TestDialErrors(t *testing.T) {
	t.Parallel()
	p := New(Options{})
	j := p.prepare(newCallback("http://crm.example.com/"), newClaim())
	for errno, want := range map[syscall.Errno]fault{
		syscall.ECONNREFUSED: {callback.ClassRefused, "", "Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com)"},
		syscall.ENETUNREACH:  {callback.ClassUnreachable, "", "No way to 203.0.113.9:443 (crm.example.com): network is unreachable"},
		syscall.EHOSTUNREACH: {callback.ClassUnreachable, "", "No way to 203.0.113.9:443 (crm.example.com): no route to host"},
		syscall.EACCES:       {callback.ClassUnreachable, "", "No way to 203.0.113.9:443 (crm.example.com): permission denied"},
		syscall.ETIMEDOUT:    {callback.ClassConnectTimeout, "", "No connection within 5 s to 203.0.113.9:443 (crm.example.com); firewall or host down"},
		syscall.ECONNRESET:   {callback.ClassReset, "", "Connection closed before an answer by 203.0.113.9:443 (crm.example.com)"},
		syscall.EMFILE:       {callback.ClassInternal, "", "Not sent: this machine has no file descriptor or buffer left"},
	} {
		err := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
		e := explainer{job: j, err: err, stage: atDial, addr: "203.0.113.9:443"}
		if got := e.noConnection(); got.class != want.class || got.text != want.text || got.short == "" {
			t.Errorf("%v: got %+v, want %+v", errno, got, want)
		}
	}
}

// net/http's own errors print URLs; none of that may come through.
func TestURLError(t *testing.T) {
	t.Parallel()
	j := New(Options{}).prepare(newCallback("http://crm.example.com/"), newClaim())
	err := &url.Error{Op: "Post", URL: j.url.String(), Err: fmt.Errorf("odd \x1b[2J: %s", theKey)}
	for _, st := range []stage{atDial, atTLS, atProxy, atAnswer} {
		e := explainer{job: j, err: err, stage: st, addr: "203.0.113.9:443", answered: true}
		f := e.noConnection()
		if st == atAnswer {
			f = e.noAnswer()
		}
		if strings.Contains(f.text, "s3cr3t") || strings.Contains(f.text, "\x1b") {
			t.Errorf("stage %d: %q", st, f.text)
		}
	}
}
