package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringback/app/config"
	"ringback/callback"
)

func TestFolderKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, err := openFolder(dir, false); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v, want that there is no folder", err)
	}
	one, err := openFolder(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	two, err := openFolder(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.key) != keySize || !bytes.Equal(one.key, two.key) {
		t.Fatalf("keys %x and %x differ", one.key, two.key)
	}
	if a, b := one.secret("k"), callback.NewSecret("k", nil); a.String() == b.String() {
		t.Fatal("the fingerprint of a secret does not depend on the key")
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, one.path("key"): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got mode %v (%v), want %v", path, info.Mode().Perm(), err, want)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v (%v), want only the key", files, err)
	}
	other, err := openFolder(t.TempDir(), true)
	if err != nil || other.id() == one.id() || one.id() != two.id() {
		t.Fatalf("ids %s, %s, %s (%v)", one.id(), two.id(), other.id(), err)
	}
}

func TestFolderRefusesAWrongKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := openFolder(dir, true)
	if err == nil || !strings.Contains(err.Error(), "is 5 bytes long, not 32") || strings.Contains(err.Error(), "short") {
		t.Fatalf("got %v", err)
	}
}

func TestListenOnLoopback(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{"127.0.0.1:0", "localhost:0", "[::1]:0", "127.1.2.3:0"} {
		d, err := listen(t.Context(), &config.HTTP{Listen: addr}, config.Source{})
		if err != nil {
			if addr == "[::1]:0" {
				continue // a machine without IPv6
			}
			t.Errorf("%s: %v", addr, err)
			continue
		}
		if !d.loopback() || d.addr.Port() == 0 || !d.own(d.addr) || d.own(netip.MustParseAddrPort("127.9.9.9:1")) {
			t.Errorf("%s: listens on %v", addr, d.addr)
		}
		if mapped := netip.AddrPortFrom(netip.AddrFrom16(d.addr.Addr().As16()), d.addr.Port()); !d.own(mapped) {
			t.Errorf("%s: the spelling %v is not known as its own", addr, mapped)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestListenBeyondLoopback: all addresses of this machine are its own then, and
// no other's; who is on this machine comes by loopback.
func TestListenBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0"} {
		d, err := listen(t.Context(), &config.HTTP{Listen: addr}, config.Source{})
		if err != nil {
			t.Errorf("%s: %v", addr, err)
			continue
		}
		port := d.addr.Port()
		if want := fmt.Sprintf("http://127.0.0.1:%d", port); d.loopback() || d.url != want {
			t.Errorf("%s: loopback is %v, the URL %s, want %s", addr, d.loopback(), d.url, want)
		}
		if only4 := strings.HasPrefix(addr, "0.0.0.0"); only4 != d.addr.Addr().Is4() {
			t.Errorf("%s: listens on %v", addr, d.addr)
		}
		own := []string{"127.0.0.1", "127.0.0.2", "::1", "0.0.0.0", "::ffff:127.0.0.1"}
		interfaces, err := net.InterfaceAddrs()
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range interfaces {
			own = append(own, a.(*net.IPNet).IP.String())
		}
		for _, a := range own {
			if !d.own(netip.AddrPortFrom(netip.MustParseAddr(a), port)) || d.own(netip.AddrPortFrom(netip.MustParseAddr(a), port+1)) {
				t.Errorf("%s: %s is not known as its own, or at every port", addr, a)
			}
		}
		for _, a := range []string{"192.0.2.1", "2001:db8::1"} {
			if d.own(netip.AddrPortFrom(netip.MustParseAddr(a), port)) {
				t.Errorf("%s: another machine's %s is taken for its own", addr, a)
			}
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestSocketOfADeadServer(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s")
	listenOn := func() (*doors, error) {
		return listen(t.Context(), &config.HTTP{Listen: "127.0.0.1:0", Socket: path}, config.Source{})
	}
	// A dead one: nobody accepts, the file is there.
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
	if err != nil {
		t.Fatal(err)
	}
	ln.SetUnlinkOnClose(false)
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	d, err := listenOn()
	if err != nil {
		t.Fatalf("a dead socket is in the way: %v", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Fatalf("got mode %v (%v), want 0660", info.Mode().Perm(), err)
	}
	// One that lives is left alone.
	if _, err := listenOn(); err == nil || !strings.Contains(err.Error(), "another program answers") {
		t.Fatalf("got %v", err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	// So is a file.
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listenOn(); err == nil || !strings.Contains(err.Error(), "is no socket") {
		t.Fatalf("got %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "mine" {
		t.Fatalf("the file is %q (%v)", b, err)
	}
}
