package smtpout_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is a certificate authority made for the tests.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

var (
	ourCA   = sync.OnceValue(func() authority { return newAuthority("ringback test CA") })
	otherCA = sync.OnceValue(func() authority { return newAuthority("somebody else's CA") })

	goodCert    = sync.OnceValue(func() tls.Certificate { return ourCA().issue("127.0.0.1", time.Hour) })
	nameCert    = sync.OnceValue(func() tls.Certificate { return ourCA().issue("mail.other.example", time.Hour) })
	expiredCert = sync.OnceValue(func() tls.Certificate { return ourCA().issue("127.0.0.1", -time.Hour) })
	unknownCert = sync.OnceValue(func() tls.Certificate { return otherCA().issue("127.0.0.1", time.Hour) })
)

func newAuthority(name string) authority {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tmpl := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		Subject:               pkix.Name{CommonName: name},
		NotBefore:             time.Now().Add(-48 * time.Hour),
		NotAfter:              time.Now().Add(48 * time.Hour),
		KeyUsage:              x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der := must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key))
	return authority{cert: must(x509.ParseCertificate(der)), key: key}
}

// issue makes a certificate for host that ends in the given time.
func (a authority) issue(host string, ends time.Duration) tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(2),
		Subject:      pkix.Name{CommonName: host},
		NotBefore:    time.Now().Add(-24 * time.Hour),
		NotAfter:     time.Now().Add(ends),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(host); ip != nil {
		tmpl.IPAddresses = []net.IP{ip}
	} else {
		tmpl.DNSNames = []string{host}
	}
	der := must(x509.CreateCertificate(rand.Reader, tmpl, a.cert, &key.PublicKey, a.key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func trusted() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ourCA().cert)
	return pool
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
