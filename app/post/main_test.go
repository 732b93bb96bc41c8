package post

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"flag"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ringback/callback"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestMain(m *testing.M) {
	log.SetOutput(io.Discard) // net/http tells of answers nobody asked for
	goleak.VerifyTestMain(m)
}

// theKey is in every place a secret can be in; no output may have it.
const theKey = "s3cr3t-KEY/+&=x"

func secret(v string) callback.Secret { return callback.NewSecret(v, []byte("test")) }

func newCallback(url string) *callback.Callback {
	return &callback.Callback{
		Num: 1, ID: 0xA1, Name: "crm", URL: url,
		Auth: callback.Auth{Type: callback.AuthQuery, Key: secret(theKey)},
	}
}

func newClaim() *callback.Claim {
	return &callback.Claim{Entry: callback.Entry{ID: 0x1234567890ABCDEF, Num: 1}, Response: sample()}
}

func sample() callback.Response {
	return callback.Response{
		MessageID:       "ABC4857BCCF484575FCA",
		MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
		From: callback.From{
			Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com",
			Mobile: "0430984567", Email: "fred@example.com", Voice: "0430984567",
		},
		Message: callback.Message{
			Channel: "SMS", Acknowledged: "09/01/13 13:22",
			Content: "Yes, I accept. Will I need to bring steel cap boots?",
		},
		Params: []callback.Param{{Key: "CustomerId", Value: "890h0ef0"}},
	}
}

// newPoster returns a Poster for loopback endpoints, with deadlines that a test
// reaches only if it is broken.
func newPoster(t testing.TB, opt Options) *Poster {
	t.Helper()
	if opt.ConnectTimeout == 0 {
		opt.ConnectTimeout = 30 * time.Second
	}
	if opt.ResponseTimeout == 0 {
		opt.ResponseTimeout = 30 * time.Second
	}
	p := New(opt)
	t.Cleanup(p.Close)
	return p
}

// postOne makes the attempts of one Post and wants exactly one.
func postOne(t testing.TB, p *Poster, cb *callback.Callback) callback.Attempt {
	t.Helper()
	as := p.Post(context.Background(), cb, newClaim(), 1)
	if len(as) != 1 {
		t.Fatalf("got %d attempts, want 1: %+v", len(as), as)
	}
	checkClean(t, as[0])
	return as[0]
}

// checkClean checks what must hold of every attempt.
func checkClean(t testing.TB, a callback.Attempt) {
	t.Helper()
	for _, f := range []struct {
		name, text string
		limit      int
	}{
		{"Error", a.Error, callback.MaxError},
		{"Reason", a.Reason, callback.MaxReason},
		{"Excerpt", a.Excerpt, callback.MaxExcerpt},
		{"Peer", a.Peer, 64},
		{"TLS", a.TLS, 16},
	} {
		if callback.Sanitize(f.text, len(f.text)) != f.text {
			t.Errorf("%s is not sanitised: %q", f.name, f.text)
		}
		if len(f.text) > f.limit {
			t.Errorf("%s has %d bytes, limit %d", f.name, len(f.text), f.limit)
		}
		for _, form := range []string{theKey, "s3cr3t-KEY%2F%2B%26%3Dx", "s3cr3t-proxy"} {
			if strings.Contains(f.text, form) {
				t.Errorf("%s has the secret: %q", f.name, f.text)
			}
		}
	}
	if a.OK != (a.Class == callback.ClassOK) || a.OK != (a.Error == "") {
		t.Errorf("OK %v, class %v and error %q do not agree", a.OK, a.Class, a.Error)
	}
	if _, ok := callback.ParseClass(a.Class.String()); !ok {
		t.Errorf("class %d is not in the set", a.Class)
	}
	if a.Started.IsZero() || a.Duration < 0 || a.Code == 0 && a.Reason == "" {
		t.Errorf("incomplete: %+v", a)
	}
}

// listen serves every connection with f, which need not close it, and returns
// the address.
func listen(t testing.TB, f func(c net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			wg.Go(func() {
				f(c)
				c.Close()
				mu.Lock()
				delete(open, c)
				mu.Unlock()
			})
		}
	})
	t.Cleanup(func() {
		ln.Close()
		mu.Lock()
		for c := range open {
			c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}

// readRequest reads one whole request, or reports false.
func readRequest(br *bufio.Reader) bool {
	req, err := http.ReadRequest(br)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}

// hold blocks until the other side closes.
func hold(c net.Conn) { io.Copy(io.Discard, c) } // any end will do

// authority is a CA of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

var ca = sync.OnceValue(newAuthority)

func newAuthority() *authority {
	a := &authority{pool: x509.NewCertPool()}
	a.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &a.key.PublicKey, a.key)
	if err != nil {
		panic(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	a.pool.AddCert(a.cert)
	return a
}

// leaf returns a certificate for 127.0.0.1, as change makes it.
func (a *authority) leaf(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "endpoint"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
