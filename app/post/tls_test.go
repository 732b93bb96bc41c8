package post

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// listenTLS answers 200 to every request over TLS, as cfg says.
func listenTLS(t testing.TB, cfg *tls.Config) string {
	return listen(t, func(c net.Conn) {
		s := tls.Server(c, cfg)
		br := bufio.NewReader(s)
		for readRequest(br) {
			say(s, length("200 OK", "ok"))
		}
		s.Close()
	})
}

// handshake is one way in which an endpoint can treat a TLS handshake.
type handshake struct {
	name  string
	cfg   *tls.Config
	serve func(c net.Conn) // instead of cfg
	class callback.Class
	code  int
	says  string
	plain bool // http:// although it is TLS
	short bool // a short connect deadline
}

func TestTLS(t *testing.T) {
	t.Parallel()
	year := 365 * 24 * time.Hour
	good := ca().leaf(t, nil)
	own := &tls.Config{Certificates: []tls.Certificate{good}}
	for _, row := range []handshake{
		{name: "good", cfg: own, class: ok, code: 200},
		{name: "TLS 1.2", cfg: &tls.Config{Certificates: own.Certificates, MaxVersion: tls.VersionTLS12}, class: ok, code: 200},
		{name: "TLS 1.1 only", cfg: &tls.Config{Certificates: own.Certificates, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, class: callback.ClassTLS, says: "TLS handshake failed: "},
		{name: "expired", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-2*year), time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		})}}, class: callback.ClassTLS, says: "Certificate expired on 2026-01-02"},
		{name: "not valid yet", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(year), time.Now().Add(2*year)
		})}}, class: callback.ClassTLS, says: "Certificate is not valid before "},
		{name: "wrong host", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.IPAddresses, c.DNSNames = nil, []string{"other.example"}
		})}}, class: callback.ClassTLS, says: "Certificate is for other.example, not 127.0.0.1"},
		{name: "wrong address", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)}
		})}}, class: callback.ClassTLS, says: "Certificate is for 127.0.0.2, not 127.0.0.1"},
		{name: "no host", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.IPAddresses = nil
		})}}, class: callback.ClassTLS, says: "Certificate is for no host at all"},
		{name: "not for servers", cfg: &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		})}}, class: callback.ClassTLS, says: "TLS handshake failed: "},
		{name: "unknown CA", cfg: &tls.Config{Certificates: []tls.Certificate{newAuthority().leaf(t, nil)}}, class: callback.ClassTLS, says: "Certificate signed by an unknown authority"},
		{name: "wants a client certificate", cfg: &tls.Config{Certificates: own.Certificates, ClientAuth: tls.RequireAnyClientCert}, class: callback.ClassTLS, says: "TLS handshake failed"},
		{name: "wants one, TLS 1.2", cfg: &tls.Config{Certificates: own.Certificates, ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}, class: callback.ClassTLS, says: "TLS handshake failed"},
		{name: "no common cipher", cfg: &tls.Config{Certificates: own.Certificates, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}, class: callback.ClassTLS},
		{name: "plain HTTP on a TLS port", serve: func(c net.Conn) { say(c, length("400 Bad Request", "")); hold(c) }, class: callback.ClassTLS, says: "does not speak TLS; is it http://"},
		{name: "closes in the handshake", serve: func(c net.Conn) { c.Read(make([]byte, 4000)) }, class: callback.ClassTLS, says: "TLS handshake failed: connection closed by 127.0.0.1:"},
		{name: "resets in the handshake", serve: func(c net.Conn) { c.Read(make([]byte, 4000)); reset(c) }, class: callback.ClassTLS, says: "connection closed"},
		{name: "closes at accept", serve: func(net.Conn) {}, class: callback.ClassTLS, says: "connection closed"},
		{name: "alert in the handshake", serve: func(c net.Conn) {
			c.Read(make([]byte, 4000))
			say(c, "\x15\x03\x03\x00\x02\x02\x28")
			hold(c)
		}, class: callback.ClassTLS, says: "handshake failure"},
		{name: "noise in the handshake", serve: func(c net.Conn) { forever(c, "", "\x16\x03\x03\x00\x05\x02\x00\x00\x01\x1b") }, class: callback.ClassTLS},
		{name: "silent in the handshake", serve: hold, short: true, class: callback.ClassConnectTimeout, says: "No TLS connection within 200 ms to 127.0.0.1:"},
		{name: "TLS port called as http", cfg: own, plain: true, class: broken},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.check(t)
		})
	}
}

func (row *handshake) check(t *testing.T) {
	var addr string
	if row.cfg != nil {
		addr = listenTLS(t, row.cfg)
	} else {
		addr = listen(t, row.serve)
	}
	opt := Options{AllowPrivate: true, RootCAs: ca().pool}
	if row.short {
		opt.ConnectTimeout = 200 * time.Millisecond
	}
	scheme := "https://"
	if row.plain {
		scheme = "http://"
	}
	a := postOne(t, newPoster(t, opt), newCallback(scheme+addr+"/"))
	if a.Class != row.class || a.Code != row.code || !strings.Contains(a.Error, row.says) {
		t.Fatalf("got class %q, code %d, %q, want %q, %d, %q", a.Class, a.Code, a.Error, row.class, row.code, row.says)
	}
	if a.OK && (!strings.HasPrefix(a.TLS, "TLS 1.") || a.CertEnds.IsZero() || a.Timing.TLS == 0) {
		t.Errorf("got %q, ends %v, timing %+v", a.TLS, a.CertEnds, a.Timing)
	}
	if row.name == "expired" && a.CertEnds.Year() != 2026 {
		t.Errorf("got end %v of the expired certificate", a.CertEnds)
	}
}

// A callback's own CA is trusted, and nothing else then.
func TestOwnCA(t *testing.T) {
	t.Parallel()
	pemOf := func(c *x509.Certificate) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	addr := listenTLS(t, &tls.Config{Certificates: []tls.Certificate{ca().leaf(t, nil)}})
	p := newPoster(t, Options{AllowPrivate: true})
	cb := newCallback("https://" + addr + "/")
	for _, row := range []struct {
		ca    string
		class callback.Class
		says  string
	}{
		{"", callback.ClassTLS, "unknown authority"},
		{pemOf(ca().cert), ok, ""},
		{pemOf(newAuthority().cert), callback.ClassTLS, "unknown authority"},
		{"no pem", callback.ClassInternal, "Not sent: the callback's CA has no certificate"},
	} {
		cb.CA = row.ca
		a := postOne(t, p, cb)
		if a.Class != row.class || !strings.Contains(a.Error, row.says) {
			t.Errorf("CA %.20q: got %q, %q, want %q, %q", row.ca, a.Class, a.Error, row.class, row.says)
		}
	}
}

// However many CAs there are, few clients are kept, and those in use stay.
func TestClientsBounded(t *testing.T) {
	t.Parallel()
	made := map[string]int{}
	var cs clients
	p := newPoster(t, Options{})
	cs.make = func(ca string) (*client, error) {
		made[ca]++
		return p.client("")
	}
	for i := range 3 * maxClients {
		for _, ca := range []string{"", strings.Repeat("x", i)} {
			if _, err := cs.get(ca); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(cs.byCA) > maxClients || made[""] != 1 {
		t.Fatalf("got %d clients, the common one made %d times, want at most %d and once", len(cs.byCA), made[""], maxClients)
	}
}

func TestHTTP2(t *testing.T) {
	t.Parallel()
	srv := newServerTLS(t)
	for _, h2 := range []bool{false, true} {
		a := postOne(t, newPoster(t, Options{AllowPrivate: true, RootCAs: srv.roots, HTTP2: h2}), newCallback(srv.url))
		want := "HTTP/1.1"
		if h2 {
			want = "HTTP/2.0"
		}
		if !a.OK || a.Excerpt != want {
			t.Errorf("HTTP2 %v: got %+v, want a success over %s", h2, a, want)
		}
	}
}
