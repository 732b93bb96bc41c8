package cli

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"ringback/app/config"
	"ringback/callback"
)

// TestNoKeyOnDisk: of a key nothing is in the data folder but its hash.
func TestNoKeyOnDisk(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.DataDir = filepath.Join(t.TempDir(), "data")
	d, err := openData(&cfg, config.Source{}, "", true)
	if err != nil {
		t.Fatal(err)
	}
	_, clear, err := d.AddKey(t.Context(), "crm", callback.RoleAdmin)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil {
		t.Fatal(err)
	}
	hash, hashes := callback.HashKey(clear), 0
	err = filepath.WalkDir(cfg.DataDir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(clear[len(callback.KeyPrefix):])) {
			t.Errorf("%s holds the key", path)
		}
		hashes += bytes.Count(b, hash[:])
		return err
	})
	if err != nil || hashes == 0 {
		t.Errorf("the hash was found %d times, %v: this looks at the wrong files", hashes, err)
	}
}
