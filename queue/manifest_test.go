package queue

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// A MANIFEST that lost its end, or a byte before that, is noticed before Badger
// deletes the tables that it does not list any more.
func TestManifestCutShort(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b []byte) []byte{
		"last byte":   func(b []byte) []byte { return b[:len(b)-1] },
		"last entry":  func(b []byte) []byte { return b[:lastEntry(b)] },
		"all entries": func(b []byte) []byte { return b[:manifestHead+8] },
		"everything":  func(b []byte) []byte { return b[:manifestHead] },
		"empty":       func([]byte) []byte { return nil },
		"flipped":     func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, ids := filled(t)
			path := filepath.Join(dir, manifestFile)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			writeFile(t, path, change(bytes.Clone(whole)))
			before := listing(t, dir)
			if e, err := openDir(dir); err == nil || !strings.Contains(err.Error(), "MANIFEST") || !strings.Contains(err.Error(), "backup") {
				if err == nil {
					_ = e.Close() // the test has failed already
				}
				t.Fatalf("opened: %v", err)
			}
			if after := listing(t, dir); after != before {
				t.Errorf("the folder was touched:\n%s\nnot\n%s", after, before)
			}
			writeFile(t, path, whole)
			reopens(t, dir, ids)
		})
	}
}

// What a kill can leave does not keep a folder from opening: a MANIFEST with
// more than is noted, one whose last entry is not whole, one that was replaced, a
// note that is missing, torn, or says less.
func TestManifestAfterAKill(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b []byte, note manifestNote) ([]byte, []byte){
		"as it was": func(b []byte, n manifestNote) ([]byte, []byte) { return b, n.encode() },
		"torn entry": func(b []byte, n manifestNote) ([]byte, []byte) {
			return append(b, 0, 0, 0, 9, 1, 2, 3, 4, 5), n.encode()
		},
		"older note": func(b []byte, _ manifestNote) ([]byte, []byte) { return b, noteOf(b[:lastEntry(b)]).encode() },
		"no note":    func(b []byte, _ manifestNote) ([]byte, []byte) { return b, nil },
		"torn note":  func(b []byte, n manifestNote) ([]byte, []byte) { return b, append(n.encode()[:7], make([]byte, 13)...) },
		"replaced": func(b []byte, n manifestNote) ([]byte, []byte) {
			n.head++
			n.size += 1000
			return b, n.encode()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, ids := filled(t)
			path := filepath.Join(dir, manifestFile)
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			b, note := change(b, noteOf(b))
			writeFile(t, path, b)
			writeFile(t, filepath.Join(dir, noteFile), note)
			reopens(t, dir, ids)
			if b, err = os.ReadFile(path); err != nil {
				t.Fatal(err)
			}
			if got, ok := readNote(dir); !ok || got != noteOf(b) {
				t.Errorf("closed with the note %+v, %v; want %+v", got, ok, noteOf(b))
			}
		})
	}
}

// The note is written while the engine runs, not only when it is closed.
func TestManifestIsNotedWhileRunning(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	first, ok := readNote(e.opt.Dir)
	if !ok || first.size != manifestHead+8 {
		t.Fatalf("the note of a new folder: %+v, %v", first, ok)
	}
	batch := make([]callback.NewCall, 500)
	for i := range batch {
		batch[i] = callback.NewCall{Num: cb.Num, Response: kilobyte()}
	}
	for range 2000 {
		if _, err := e.Enqueue(t.Context(), queuetest.Start, batch); err != nil {
			t.Fatal(err)
		}
		if n, ok := readNote(e.opt.Dir); !ok || n.head != first.head {
			t.Fatalf("the note: %+v, %v", n, ok)
		} else if n.size > first.size {
			return
		}
	}
	t.Error("a million calls, and no table was noted")
}

// lastEntry returns where the last entry of a MANIFEST begins.
func lastEntry(b []byte) int {
	for n := len(b) - 1; ; n-- {
		if at := noteOf(b[:n]).size; at > 0 {
			return int(at)
		}
	}
}

func writeFile(t *testing.T, path string, b []byte) {
	t.Helper()
	if b == nil && filepath.Base(path) == noteFile {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// listing tells the names and sizes of the files in a folder, but for the lock,
// in which an owner leaves its mark.
func listing(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		if info, err := f.Info(); err != nil {
			t.Fatal(err)
		} else if f.Name() != lockFile {
			fmt.Fprintln(&all, f.Name(), info.Size(), info.ModTime())
		}
	}
	return all.String()
}

// reopens opens a folder, finds the calls in it, and closes it.
func reopens(t *testing.T, dir string, ids []callback.CallID) {
	t.Helper()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal("open:", err)
	}
	for _, id := range ids {
		if _, err := e.Call(t.Context(), 1, id); err != nil {
			t.Error(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}
