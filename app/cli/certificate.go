package cli

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"ringback/app/config"
)

// keypair is the server's certificate with its key. It can be read anew while it
// is in use: connections made afterwards get the new one.
type keypair struct {
	cert, key string // files
	current   atomic.Pointer[tls.Certificate]
}

// certificate reads the server's certificate; nil: plain HTTP.
func certificate(cfg *config.HTTP) (*keypair, error) {
	if cfg.TLSCert == "" {
		return nil, nil
	}
	p := &keypair{cert: cfg.TLSCert, key: cfg.TLSKey}
	return p, p.read()
}

// read reads the files. A pair that cannot be used leaves the one before it.
func (p *keypair) read() error {
	pair, err := tls.LoadX509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("http.tls_cert and http.tls_key: %w", err)
	}
	p.current.Store(&pair)
	return nil
}

// ends returns when the certificate ends.
func (p *keypair) ends() time.Time { return p.current.Load().Leaf.NotAfter }

// config returns how the server speaks TLS.
func (p *keypair) config() *tls.Config {
	return &tls.Config{
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.current.Load(), nil },
		MinVersion:     tls.VersionTLS12, NextProtos: []string{"http/1.1"},
	}
}

// reload reads anew what may change while the server runs: its certificate. One
// that cannot be used leaves the old one in place.
func (h *house) reload() {
	p := h.doors.pair
	if p == nil {
		h.log.Info("SIGHUP: no certificate is set that could be read anew; deliveries go on")
		return
	}
	err := (&config.Config{HTTP: h.cfg.HTTP}).CheckFiles(h.src) // those of the certificate alone
	if err == nil {
		err = p.read()
	}
	if err != nil {
		h.log.Error("the certificate was not replaced, the old one stays in use", "err", err, "ends", p.ends())
		return
	}
	h.log.Info("the certificate was read anew", "ends", p.ends())
}

// trustOwn returns how a command on the same machine checks that it speaks to
// the appliance of its own configuration: by the certificate that the appliance
// was given, whatever name that is for and whoever signed it. nil: the file is
// not this user's to read.
func trustOwn(cert string) *tls.Config {
	data, err := os.ReadFile(cert)
	if err != nil {
		return nil
	}
	pool, err := x509.SystemCertPool()
	block, _ := pem.Decode(data)
	if err != nil || block == nil || !pool.AppendCertsFromPEM(data) {
		return nil
	}
	leaf, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil
	}
	c := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	switch {
	case len(leaf.DNSNames) > 0:
		c.ServerName = strings.Replace(leaf.DNSNames[0], "*", "ringback", 1)
	case len(leaf.IPAddresses) > 0:
		c.ServerName = leaf.IPAddresses[0].String()
	}
	return c
}
