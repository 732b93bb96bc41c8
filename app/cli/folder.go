package cli

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"ringback/callback"
)

// folder is the data folder. In it are queue, the engine's own folder, key, which
// keys the fingerprints of secrets, and while a server runs address, the URL at
// which it answers and a key for it.
type folder struct {
	dir string
	key []byte
}

// keySize is the length of the key of fingerprints, in bytes.
const keySize = 32

// openFolder opens the data folder; with create it is made where it is missing.
func openFolder(dir string, create bool) (*folder, error) {
	if _, err := os.Stat(filepath.Join(dir, restoring)); err == nil {
		return nil, fmt.Errorf("a restore into the data folder %s did not end: run 'ringback restore' again, or remove %s",
			dir, filepath.Join(dir, restoring))
	}
	if !create {
		if _, err := os.Stat(filepath.Join(dir, "queue")); err != nil {
			return nil, fmt.Errorf("open the data folder: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("open the data folder: %s is a file", dir)
	}
	f := &folder{dir: dir}
	if f.key, err = readKey(f.path("key")); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// secret returns a Secret whose fingerprint is this folder's.
func (f *folder) secret(value string) callback.Secret { return callback.NewSecret(value, f.key) }

// id names the folder without telling anything of its key.
func (f *folder) id() string {
	sum := sha256.Sum256(append([]byte("ringback folder id\x00"), f.key...))
	return strings.ToUpper(hex.EncodeToString(sum[:8]))
}

// readKey reads the key, or makes it: once, and on disk before it is used, for
// the masks that clients were shown depend on it.
func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of fingerprints: %w", err)
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("the key of fingerprints in %s is %d bytes long, not %d: restore it, or remove it to have a new one made",
			path, len(key), keySize)
	}
	return key, nil
}

func makeKey(path string) ([]byte, error) {
	key := make([]byte, keySize)
	_, _ = rand.Read(key) // it never fails, it ends the program
	if err := writeDurably(path, func(f *os.File) error { _, err := f.Write(key); return err }); err != nil {
		return nil, fmt.Errorf("make the key of fingerprints: %w", err)
	}
	return key, nil
}

// writeDurably makes a file with what write writes, or leaves none behind: written
// beside its place, synced, renamed, and its folder synced. Only its owner may read
// it.
func writeDurably(path string, write func(*os.File) error) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeIfThere(f.Name()))
		}
	}()
	if err = errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncPath(dir)
}

// disk returns the free bytes that this user may fill, and the size, of the file
// system that holds path.
func disk(path string) (free, total uint64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return 0, 0, fmt.Errorf("ask for the free space of %s: %w", path, err)
	}
	return st.Bavail * uint64(st.Bsize), st.Blocks * uint64(st.Bsize), nil
}

// The address file lets the other commands find a server whose port the system
// chose, and be let in: its second line is a key of role admin that the server
// made at its start, and that ends with it. Only the folder's owner can read it.

func (f *folder) writeAddress(url, token string) error {
	err := writeDurably(f.path("address"), func(f *os.File) error {
		_, err := fmt.Fprintf(f, "%s\n%s\n", url, token)
		return err
	})
	if err != nil {
		return fmt.Errorf("note the address: %w", err)
	}
	return nil
}

func (f *folder) removeAddress() error {
	if err := removeIfThere(f.path("address")); err != nil {
		return fmt.Errorf("remove the noted address: %w", err)
	}
	return nil
}

// readAddress returns what writeAddress noted in a folder, or nothing.
func readAddress(dir string) (url, token string) {
	b, err := os.ReadFile(filepath.Join(dir, "address"))
	if err != nil || len(b) > 400 {
		return "", ""
	}
	url, token, _ = strings.Cut(string(b), "\n")
	return strings.TrimSpace(url), strings.TrimSpace(token)
}
