package queue

import (
	"errors"
	"fmt"
	"runtime/debug"
	"syscall"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/table"

	"ringback/callback"
)

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

// told makes an error of a panic. It is to be deferred.
func (e *Engine) told(err *error) {
	if p := recover(); p != nil {
		e.broken.Store(true)
		e.opt.Log.Error("a read of the store panicked", "stack", string(debug.Stack()))
		*err = fmt.Errorf("a table of the store is damaged: %s", callback.Sanitize(fmt.Sprint(p), 200))
	}
}
