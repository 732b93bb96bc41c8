package config

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
)

// maxSecret bounds a secret file, in bytes.
const maxSecret = 4 << 10

// ReadSecret returns the one line that a secret file holds, without its line
// end. A file that is empty, has more lines, or that anybody but its owner may
// read or write is refused (on Unix). No error repeats what is in the file.
func ReadSecret(path string) (string, error) {
	line, err := readLine(path)
	if err != nil {
		return "", fmt.Errorf("secret file %s %w", quote(path), err)
	}
	return line, nil
}

// ReadKey returns the AES key that a secret file holds as 32, 48 or 64
// hexadecimal digits (AES-128, -192, -256). The file is held to the rules of
// [ReadSecret].
func ReadKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if err != nil {
		return nil, fmt.Errorf("key file %s %w", quote(path), err)
	}
	return key, nil
}

// CheckFiles looks at the files that c names and returns nil or an [*Error]
// that names the keys at fault and, by src, where they were set. Secret files
// that others may read are refused, and certificates that others may change. It
// is for the process that will read the files: a client of it need not be
// allowed to see them.
func (c *Config) CheckFiles(src Source) error {
	plain := func(path string) error { return probe(path, public) }
	secret := func(path string) error { return probe(path, private) }
	line := func(path string) error { _, err := readLine(path); return err }
	aes := func(path string) error { _, err := readKey(path); return err }
	var faults []Fault
	for _, f := range []struct {
		key, path string
		check     func(string) error
	}{
		{"http.tls_cert", c.HTTP.TLSCert, plain},
		{"http.tls_key", c.HTTP.TLSKey, secret},
		{"delivery.ca_file", c.Delivery.CAFile, plain},
		{"smtp.password_file", c.SMTP.PasswordFile, line},
		{"storage.encryption_key_file", c.Storage.EncryptionKeyFile, aes},
	} {
		if f.path == "" {
			continue
		}
		if err := f.check(f.path); err != nil {
			fault := Fault{Key: f.key, Problem: "file " + quote(f.path) + " " + err.Error()}
			faults = append(faults, src.blame(invalidity{Fault: fault}))
		}
	}
	return failure(faults)
}

// access is what others may not do with a file, and the sentence for it.
type access struct {
	deny    fs.FileMode
	problem string
	mode    string
}

var (
	private = access{0o077, "can be read by others", "600"}
	// Everybody may read a certificate, but who can write the list of
	// authorities decides whom ringback trusts.
	public = access{0o022, "can be changed by others", "644"}
)

func readLine(path string) (string, error) {
	f, err := open(path, private)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", errors.New(reason(err))
	}
	data = bytes.TrimSuffix(bytes.TrimSuffix(data, []byte("\n")), []byte("\r"))
	switch {
	case len(data) == 0:
		return "", errEmpty
	case len(data) > maxSecret:
		return "", errors.New("is larger than " + ByteSize(maxSecret).String())
	case bytes.ContainsAny(data, "\r\n\x00"):
		return "", errors.New("holds more than one line of text")
	}
	return string(data), nil
}

func readKey(path string) ([]byte, error) {
	text, err := readLine(path)
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(text)
	if n := len(key); err != nil || n != 16 && n != 24 && n != 32 {
		return nil, errors.New("holds no key; expected 64 hexadecimal digits, as openssl rand -hex 32 prints them")
	}
	return key, nil
}

func probe(path string, a access) error {
	f, err := open(path, a)
	if err != nil {
		return err
	}
	return f.Close()
}

// open opens a file whose mode allows others no more than a does. The mode is
// asked of the open file, so that the file cannot be swapped in between.
func open(path string, a access) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = errors.New(reason(err))
	case info.IsDir():
		err = errFolder
	case runtime.GOOS != "windows" && info.Mode().Perm()&a.deny != 0:
		err = fmt.Errorf("%s (mode %04o); make it its owner's: chmod %s", a.problem, info.Mode().Perm(), a.mode)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
