package cli

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringback/app/config"
	"ringback/callback"
)

// TestWhereTheLocalKeyGoes: what the server noted in its folder is sent to the
// noted address, and to no other.
func TestWhereTheLocalKeyGoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "k")
	if err := os.WriteFile(keyFile, []byte("rb_mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := &folder{dir: dir}
	for _, c := range []struct {
		name, noted, listen string
		t                   target
		env                 string
		url, key            string
	}{
		{"the configuration's", "http://127.0.0.1:8480", "127.0.0.1:8480", target{}, "", "http://127.0.0.1:8480", "token"},
		{"a port of the system", "http://127.0.0.1:4711", "127.0.0.1:0", target{}, "", "http://127.0.0.1:4711", "token"},
		{"all addresses", "http://127.0.0.1:8480", ":8480", target{}, "", "http://127.0.0.1:8480", "token"},
		{"all addresses, nothing noted", "", "[::]:8480", target{}, "", "http://127.0.0.1:8480", ""},
		{"a name", "http://192.0.2.1:8480", "ringback.example.com:8480", target{}, "", "http://192.0.2.1:8480", "token"},
		{"another port since", "http://127.0.0.1:8480", "127.0.0.1:8481", target{}, "", "http://127.0.0.1:8481", ""},
		{"another scheme", "https://127.0.0.1:8480", "127.0.0.1:8480", target{}, "", "http://127.0.0.1:8480", ""},
		{"given", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://127.0.0.1:8480/"}, "", "http://127.0.0.1:8480", "token"},
		{"given by name", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://localhost:8480"}, "", "http://127.0.0.1:8480", "token"},
		{"given by name, with a key of one's own", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://localhost:8480", keyFile: keyFile}, "", "http://localhost:8480", "rb_mine"},
		{"given by name, it is at the other loopback", "http://[::1]:8480", "[::1]:8480", target{addr: "http://localhost:8480"}, "", "http://[::1]:8480", "token"},
		{"another machine's", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://192.0.2.9:8480"}, "", "http://192.0.2.9:8480", ""},
		{"localhost, but it is elsewhere", "http://192.0.2.1:8480", "192.0.2.1:8480", target{addr: "http://localhost:8480"}, "", "http://localhost:8480", ""},
		{"another server here", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://127.0.0.1:9999"}, "", "http://127.0.0.1:9999", ""},
		{"a key of one's own", "http://127.0.0.1:8480", "127.0.0.1:8480", target{keyFile: keyFile}, "", "http://127.0.0.1:8480", "rb_mine"},
		{"one in the environment", "http://127.0.0.1:8480", "127.0.0.1:8480", target{addr: "http://192.0.2.9:1"}, keyFile, "http://192.0.2.9:1", "rb_mine"},
		{"the socket", "http://127.0.0.1:8480", "127.0.0.1:8480", target{socket: "s"}, "", "", ""},
	} {
		if err := f.removeAddress(); err != nil {
			t.Fatal(err)
		}
		if c.noted != "" {
			if err := f.writeAddress(c.noted, "token"); err != nil {
				t.Fatal(err)
			}
		}
		cfg := config.Default()
		cfg.DataDir, cfg.HTTP.Listen = dir, c.listen
		con := &console{environ: []string{"RINGBACK_KEY_FILE=" + c.env}}
		opt, _, err := con.resolve(&c.t, &cfg)
		if err != nil || opt.URL != c.url || opt.Key != c.key {
			t.Errorf("%s: got %q with key %q (%v), want %q with %q", c.name, opt.URL, opt.Key, err, c.url, c.key)
		}
	}
	info, err := os.Stat(f.path("address"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the noted key: mode %v, %v", info.Mode().Perm(), err)
	}
	if err := os.Chmod(keyFile, 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	_, _, err = (&console{}).resolve(&target{keyFile: keyFile}, &cfg)
	if err == nil || !strings.Contains(err.Error(), "can be read by others") || strings.Contains(err.Error(), "rb_mine") {
		t.Errorf("a key's file that others may read: %v", err)
	}
}

func TestWriteAddressMendsTheMode(t *testing.T) {
	t.Parallel()
	f := &folder{dir: t.TempDir()}
	if err := os.WriteFile(f.path("address"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.writeAddress("http://127.0.0.1:1", "token"); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.path("address"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", info.Mode().Perm(), err)
	}
	if url, token := readAddress(f.dir); url != "http://127.0.0.1:1" || token != "token" {
		t.Errorf("read %q, %q", url, token)
	}
}

func TestKeypairKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	p, err := certificate(&config.HTTP{TLSCert: cert, TLSKey: key})
	if err != nil {
		t.Fatal(err)
	}
	get := p.config().GetCertificate
	before, err := get(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	other, otherKey := selfSigned(t)
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(other, cert) // half renewed: the key is the old one still
	if err := p.read(); err == nil || !strings.Contains(err.Error(), "http.tls_cert and http.tls_key") {
		t.Errorf("a pair that does not belong together: %v", err)
	}
	if now, _ := get(&tls.ClientHelloInfo{}); now != before {
		t.Error("a bad pair replaced the old one")
	}
	move(otherKey, key)
	if err := p.read(); err != nil {
		t.Fatal(err)
	}
	if now, _ := get(&tls.ClientHelloInfo{}); now == before || now == nil {
		t.Error("the renewed pair is not in use")
	}
}

func TestCheckTellsOfKeysAndCertificate(t *testing.T) {
	t.Parallel()
	keys := []callback.APIKey{{Role: callback.RoleAdmin}, {Role: callback.RoleRead}, {Role: callback.RoleAdmin}}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name       string
		do         func(*checker)
		sign, says string
	}{
		{"keys", func(k *checker) { k.keys(keys) }, signOK, "3 API keys: 1 read, 2 admin"},
		{"none on loopback", func(k *checker) { k.keys(nil) }, signNote, "whoever is on this machine"},
		{"none on IPv6 loopback", func(k *checker) { k.cfg.HTTP.Listen = "[::1]:1"; k.keys(nil) }, signNote, "whoever is on this machine"},
		{"none beyond", func(k *checker) { k.cfg.HTTP.Listen = ":8480"; k.keys(nil) }, signBad, "ringback does not start"},
		{"long", func(k *checker) { k.certificate(now.Add(15*24*time.Hour), now) }, signOK, "ends on "},
		{"14 days", func(k *checker) { k.certificate(now.Add(14*24*time.Hour), now) }, signOK, "ends on "},
		{"soon", func(k *checker) { k.certificate(now.Add(14*24*time.Hour-1), now) }, signNote, "in 13 days"},
		{"tomorrow", func(k *checker) { k.certificate(now.Add(25*time.Hour), now) }, signNote, "in 1 day;"},
		{"over", func(k *checker) { k.certificate(now, now) }, signBad, "ended on "},
	} {
		k := &checker{cfg: config.Default()}
		c.do(k)
		if len(k.list) != 1 || k.list[0].Sign != c.sign || !strings.Contains(k.list[0].Says, c.says) {
			t.Errorf("%s: got %+v, want %s … %s", c.name, k.list, c.sign, c.says)
		}
	}
}
