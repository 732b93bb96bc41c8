package queue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"ringback/callback"
)

// checkTables looks at the tables that the MANIFEST lists. Others are what a kill left
// of one that was being written, which Badger removes: nothing is in them that is
// not elsewhere.
func checkTables(dir string) error {
	f, err := os.Open(filepath.Join(dir, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // there are none
	}
	if err != nil {
		return fmt.Errorf("read the MANIFEST: %w", err)
	}
	listed, _, err := badger.ReplayManifestFile(f, 0, badger.DefaultOptions(dir).WithLogger(nil))
	if err := f.Close(); err != nil {
		return fmt.Errorf("read the MANIFEST: %w", err)
	}
	if err != nil {
		return nil // Badger says what is wrong with it, and changes nothing
	}
	for id := range listed.Tables {
		path := table.NewFilename(id, dir)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue // the same
		}
		if err := checkTable(path); err != nil {
			return err
		}
	}
	return nil
}

// checkTable refuses a table that cannot be opened: Badger does that in goroutines of
// its own, and panics at some of what a disk that lost its power leaves.
func checkTable(path string) (err error) {
	b, err := mapped(path)
	if err != nil && !errors.Is(err, syscall.EINVAL) { // which says that it is empty
		return fmt.Errorf("read the table %s: %w", path, err)
	}
	if err == nil {
		err = opens(b)
		_ = syscall.Munmap(b) // it fails only for what is not mapped
	}
	if err != nil {
		return fmt.Errorf("the table %s is damaged or was cut short: restore a backup; nothing was touched", path)
	}
	return nil
}

func opens(b []byte) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("its end cannot be read")
		}
	}()
	_, err = table.OpenInMemoryTable(b, 0, new(table.Options))
	return err
}

// view reads what a transaction sees. Badger panics at some of what it reads of a
// table that is damaged: that is an error here.
func (e *Engine) view(f func(t *badger.Txn) error) (err error) {
	defer e.told(&err)
	return e.db.View(f)
}

// Damaged reports whether a read panicked since Open. Badger may hold locks that it
// took for it, on which a change of files would wait.
func (e *Engine) Damaged() bool { return e.broken.Load() }

// told makes an error of a panic. It is to be deferred.
func (e *Engine) told(err *error) {
	if p := recover(); p != nil {
		e.broken.Store(true)
		e.opt.Log.Error("a read of the store panicked", "stack", string(debug.Stack()))
		*err = fmt.Errorf("a table of the store is damaged: %s", callback.Sanitize(fmt.Sprint(p), 200))
	}
}
