package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/app/config"
)

// selfSigned writes a certificate for 127.0.0.1 and its key, and returns where.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, b := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(b), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestListenSpeaksTLS(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	d, err := listen(t.Context(), &config.HTTP{Listen: "127.0.0.1:0", TLSCert: cert, TLSKey: key}, config.Source{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.close()
	if want := "https://" + d.addr.String(); d.url != want {
		t.Errorf("got the URL %s, want %s", d.url, want)
	}
	pool, err := authorities(cert)
	if err != nil {
		t.Fatal(err)
	}
	shaken := make(chan error, 1)
	go func() {
		conn, err := d.tcp.Accept()
		if err == nil {
			err = conn.(*tls.Conn).Handshake()
		}
		shaken <- err
	}()
	conn, err := tls.Dial("tcp", d.addr.String(), &tls.Config{RootCAs: pool})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	if v := conn.ConnectionState().Version; v < tls.VersionTLS12 {
		t.Errorf("got TLS version %x", v)
	}
}

func TestListenNamesTheFileAtFault(t *testing.T) {
	t.Parallel()
	_, key := selfSigned(t)
	cert, _ := selfSigned(t)
	_, err := listen(t.Context(), &config.HTTP{Listen: "127.0.0.1:0", TLSCert: cert, TLSKey: key}, config.Source{})
	if err == nil || !strings.Contains(err.Error(), "http.tls_cert and http.tls_key") {
		t.Fatalf("got %v, want that certificate and key do not belong together", err)
	}
	if _, err := authorities(key); err == nil || !strings.Contains(err.Error(), "holds no PEM certificate") {
		t.Fatalf("got %v", err)
	}
}
