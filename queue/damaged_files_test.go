package queue

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// damages are what may befall a file.
var damages = []struct {
	name string
	do   func(path string, b []byte) error
}{
	{"flipped early", flipAt(1, 4)},
	{"flipped in the middle", flipAt(1, 2)},
	{"flipped late", flipAt(7, 8)},
	{"cut in the middle", func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)/2], 0o600) }},
	{"cut at the end", func(path string, b []byte) error { return os.WriteFile(path, b[:len(b)-1], 0o600) }},
	{"emptied", func(path string, _ []byte) error { return os.WriteFile(path, nil, 0o600) }},
	{"deleted", func(path string, _ []byte) error { return os.Remove(path) }},
}

// flipAt flips a bit of what there is at a part of a file: logs end in zeros.
func flipAt(n, of int) func(string, []byte) error {
	return func(path string, b []byte) error {
		used := len(strings.TrimRight(string(b), "\x00"))
		b[used*n/of] ^= 0x10
		return os.WriteFile(path, b, 0o600)
	}
}

// Whatever befalls one file of a folder, of one that was left in order or of one
// whose process was killed: nothing that was accepted is lost without a word. It
// is refused in words, or what it lost is told by who reads it or checks it, and
// no response is ever another than it was.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	closed, ids := filled(t)
	killed := t.TempDir()
	e, err := openDir(closed)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		out, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: 1, Response: kilobyte()}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, out[0].ID)
	}
	copyFolder(t, closed, killed)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{"left in order": closed, "killed": killed} {
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if info, err := f.Info(); err != nil || info.Size() == 0 || strings.Contains(strings.ToLower(f.Name()), "lock") {
				continue
			}
			for _, d := range damages {
				if strings.HasSuffix(f.Name(), ".mem") && (d.name == "emptied" || d.name == "deleted") {
					continue // nothing else knows what was in it
				}
				t.Run(fmt.Sprint(name, "/", f.Name(), " ", d.name), func(t *testing.T) {
					t.Parallel()
					to := t.TempDir()
					copyFolder(t, dir, to)
					path := filepath.Join(to, f.Name())
					b, err := os.ReadFile(path)
					if err == nil {
						err = d.do(path, b)
					}
					if err != nil {
						t.Fatal(err)
					}
					tellsOfLoss(t, to, ids)
				})
			}
		}
	}
}

// tellsOfLoss opens a folder, and fails where it lost a call without a word.
func tellsOfLoss(t *testing.T, dir string, ids []callback.CallID) {
	e, err := Open(Options{Dir: dir, Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, Log: silent, noSync: true})
	if err != nil {
		t.Log("refused:", err)
		return
	}
	defer e.Close()
	lost, told := 0, 0
	for _, id := range ids {
		c, err := e.Call(t.Context(), 1, id)
		switch want := kilobyte(); {
		case err != nil:
			lost++
		case c.Damaged:
			told++
		case callback.Fingerprint(&c.Response) != callback.Fingerprint(&want):
			t.Errorf("call %s has another response than it had", id)
		}
	}
	check, verify := e.Check(t.Context()), e.Verify()
	if lost > 0 && check == nil && verify == nil {
		t.Errorf("%d of %d calls are lost, and nobody tells", lost, len(ids))
	}
	t.Logf("%d lost, %d damaged; check: %t, verify: %t", lost, told, check != nil, verify != nil)
}

// A read at which Badger panics is an error, and the engine is not closed after it:
// Badger would wait for what that read has locked.
func TestReadThatPanics(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, Log: silent})
	if err != nil {
		t.Fatal(err)
	}
	err = e.view(func(*badger.Txn) error { panic("slice bounds out of range\n\x1b[1m") })
	if want := "a table of the store is damaged: slice bounds out of range"; err == nil || !strings.HasPrefix(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") {
		t.Errorf("got %v", err)
	}
	if err := e.Close(); err != nil || e.db.IsClosed() {
		t.Errorf("close: %v, and Badger is closed: %v", err, e.db.IsClosed())
	}
	if err := e.db.Close(); err != nil {
		t.Error(err)
	}
}

// copyFolder copies the files of a folder, without what is past their ends.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, f fs.DirEntry, err error) error {
		if err != nil || f.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, f.Name()), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What a kill left of a table that was being written is no table yet: Badger removes
// it, and nothing is refused.
func TestTableThatAKillCutShort(t *testing.T) {
	t.Parallel()
	dir, ids := filled(t)
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("%d tables: %v", len(tables), err)
	}
	b, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, left := range map[string][]byte{"000997.sst": b[:len(b)/2], "000998.sst": nil, "000999.sst": make([]byte, len(b))} {
		if err := os.WriteFile(filepath.Join(dir, name), left, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close() //nolint:errcheck // of a test
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
	for _, id := range ids {
		if _, err := e.Call(t.Context(), 1, id); err != nil {
			t.Error(err)
		}
	}
}

// After a read that panicked nothing is collected any more, and whoever asks is told.
func TestNothingIsCollectedAfterAPanic(t *testing.T) {
	t.Parallel()
	e, err := openDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if e.Damaged() {
		t.Error("damaged from the start")
	}
	err = e.view(func(*badger.Txn) error { panic("no such block\x1b[2J") })
	if err == nil || strings.ContainsRune(err.Error(), 0x1b) || !e.Damaged() {
		t.Errorf("got %q, damaged %t", err, e.Damaged())
	}
	if err := e.CollectGarbage(t.Context(), queuetest.Start, true); err == nil {
		t.Error("it was collected")
	}
	_ = e.Close() // it may say that it was damaged
}
