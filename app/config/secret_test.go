package config

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// file writes a file with exactly the mode.
func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	put(t, path, text)
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadSecret(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"hunter2", "hunter2\n", "hunter2\r\n"} {
		for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
			got, err := ReadSecret(file(t, text, mode))
			if err != nil || got != "hunter2" {
				t.Errorf("%q, mode %o: %q, %v", text, mode, got, err)
			}
		}
	}
	if got, err := ReadSecret(file(t, " a b \n", 0o600)); err != nil || got != " a b " {
		t.Errorf("blanks belong to a secret: %q, %v", got, err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(file(t, "hunter2", 0o600), link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if got, err := ReadSecret(link); err != nil || got != "hunter2" {
		t.Errorf("through a link: %q, %v", got, err)
	}
}

func TestBadSecrets(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of Unix")
	}
	for _, row := range []struct {
		text string
		mode os.FileMode
		word string
	}{
		{"hunter2", 0o644, "can be read by others (mode 0644); make it its owner's: chmod 600"},
		{"hunter2", 0o640, "can be read by others"},
		{"hunter2", 0o604, "can be read by others"},
		{"hunter2", 0o602, "can be read by others"},
		{"hunter2", 0o610, "can be read by others"},
		{"", 0o600, "is empty"},
		{"\n", 0o600, "is empty"},
		{"hunter2\nhunter2\n", 0o600, "more than one line"},
		{"hunter2\x00", 0o600, "more than one line"},
		{strings.Repeat("hunter2", maxSecret), 0o600, "larger than 4KiB"},
	} {
		path := file(t, row.text, row.mode)
		got, err := ReadSecret(path)
		if err == nil || got != "" || !strings.Contains(err.Error(), row.word) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.20q, mode %o: %q, %v; want %q and the path", row.text, row.mode, got, err, row.word)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the secret is told: %v", err)
		}
	}
	if _, err := ReadSecret(filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("no file: %v", err)
	}
	if _, err := ReadSecret(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	for _, n := range []int{16, 24, 32} {
		got, err := ReadKey(file(t, strings.Repeat("aB", n)+"\n", 0o600))
		if err != nil || !bytes.Equal(got, bytes.Repeat([]byte{0xab}, n)) {
			t.Errorf("%d bytes: %x, %v", n, got, err)
		}
	}
	for _, text := range []string{"abc", strings.Repeat("ab", 17), strings.Repeat("zz", 32), strings.Repeat("\xff", 32)} {
		got, err := ReadKey(file(t, text, 0o600))
		if err == nil || got != nil || !strings.Contains(err.Error(), "64 hexadecimal digits") || strings.Contains(err.Error(), text) {
			t.Errorf("%q: %x, %v", text, got, err)
		}
	}
	if _, err := ReadKey(file(t, strings.Repeat("ab", 32), 0o644)); runtime.GOOS != "windows" && err == nil {
		t.Error("a key that others may read is taken")
	}
}

func TestCheckFiles(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("modes are a matter of Unix")
	}
	key := strings.Repeat("ab", 32)
	good := map[string]string{
		"http.tls_cert": file(t, "cert", 0o644), "http.tls_key": file(t, "key\nof lines\n", 0o600),
		"delivery.ca_file": file(t, strings.Repeat("ca", 1<<20), 0o444), "smtp.password_file": file(t, "pw", 0o600),
		"storage.encryption_key_file": file(t, key, 0o400), "smtp.username": "u",
	}
	check := func(change, path string) error {
		var text strings.Builder
		for _, k := range keys {
			if v, ok := good[k.name]; ok && k.name != change {
				text.WriteString(k.name + " = '" + v + "'\n")
			}
		}
		if change != "" {
			text.WriteString(change + " = '" + path + "'\n")
		}
		cfg, src, err := Load(write(t, text.String()), true, nil)
		if err != nil {
			t.Fatal(err)
		}
		return cfg.CheckFiles(src)
	}
	if err := check("", ""); err != nil {
		t.Fatalf("good files: %v", err)
	}
	none := filepath.Join(t.TempDir(), "none")
	for _, row := range []struct{ key, path, word string }{
		{"http.tls_cert", none, "does not exist"},
		{"http.tls_cert", file(t, "cert", 0o666), "can be changed by others"},
		{"http.tls_key", file(t, "key", 0o640), "can be read by others"},
		{"delivery.ca_file", file(t, "ca", 0o664), "can be changed by others (mode 0664)"},
		{"delivery.ca_file", t.TempDir(), "is a folder"},
		{"smtp.password_file", file(t, "pw", 0o644), "chmod 600"},
		{"smtp.password_file", file(t, "", 0o600), "is empty"},
		{"storage.encryption_key_file", file(t, key, 0o604), "can be read by others"},
		{"storage.encryption_key_file", file(t, key[1:], 0o600), "holds no key"},
	} {
		err := check(row.key, row.path)
		var e *Error
		if !errors.As(err, &e) || len(e.Faults) != 1 {
			t.Errorf("%s: error %v, want one fault", row.key, err)
			continue
		}
		f := e.Faults[0]
		if f.Key != row.key || f.Line != len(good) || !strings.Contains(f.Problem, row.word) || !strings.Contains(f.Problem, row.path) {
			t.Errorf("%s: %v; want line %d and %q", row.key, f, len(good), row.word)
		}
	}
	cfg := Default()
	if err := cfg.CheckFiles(Source{}); err != nil {
		t.Errorf("no files: %v", err)
	}
}
