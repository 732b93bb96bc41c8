package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Backup writes all that is stored to w: as it was after one commit, whatever is
// written meanwhile. What it wrote is a backup only where it returns no error.
//
// It reads in one transaction, a chunk at a time, and holds no iterator while w
// takes a chunk: however slow w is, memory is bounded by a chunk. The versions of
// records that are replaced meanwhile stay on disk until it ends.
//
// Badger's own stream is not used: it leaves out, with no more than a line in
// the log, what it cannot read, and up to 32 buffers of 16 MiB wait for a slow w.
func (e *Engine) Backup(ctx context.Context, head BackupHead, w io.Writer) error {
	b, err := newBackupWriter(w, head)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	var t *badger.Txn
	if err := e.whileOpen(func() error { t = e.db.NewTransaction(false); return nil }); err != nil {
		return err
	}
	defer t.Discard()
	for from := []byte{}; from != nil && err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		err = e.whileOpen(func() error { from, err = e.backupChunk(t, b, from); return err })
		if err == nil {
			err = b.flush()
		}
	}
	if err == nil {
		err = b.end()
	}
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	return nil
}

// whileOpen runs f, during which the engine is not closed.
func (e *Engine) whileOpen(f func() error) error {
	e.sending.RLock()
	defer e.sending.RUnlock()
	if e.closed {
		return callback.Errorf(callback.CodeUnavailable, "the store is closed")
	}
	if err := e.Err(); err != nil {
		return err // Badger may show what was never committed
	}
	return f()
}

// backupChunk adds records from a key on, and returns where the next chunk
// begins; nil: nowhere. A response that is damaged must not keep all others from
// being backed up: Badger reads what it cannot read as empty, with a line in the
// log, and an empty response is a damaged one, here and where it is restored.
func (e *Engine) backupChunk(t *badger.Txn, b *backupWriter, from []byte) (next []byte, err error) {
	defer e.told(&err)
	it := t.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for it.Seek(from); it.Valid(); it.Next() {
		item := it.Item()
		full := false
		err := item.Value(func(v []byte) error {
			full = b.add(item.Key(), v)
			return nil
		})
		if err != nil {
			return nil, err
		}
		if full {
			return append(item.KeyCopy(nil), 0), nil
		}
	}
	return nil, nil
}

// restoreFree is how many bytes of disk a restore leaves free: Badger's files are
// mapped, and writing to a disk that is full kills the process.
const restoreFree = 128 << 20

// Restore makes a store out of a backup in a folder that is missing or empty, and
// returns what the backup says of itself. Nothing in the folder is to be used
// unless it returns no error: only the end of a backup tells whether it is right.
// A folder in use is a *LockedError.
func Restore(ctx context.Context, opt Options, r io.Reader) (head BackupHead, err error) {
	b, err := newBackupReader(r)
	if err != nil {
		return head, err
	}
	opt = opt.filled()
	held, err := lock(opt.Dir)
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, held.Close()) }()
	if files, err := os.ReadDir(opt.Dir); err != nil || len(files) > 1 { // the lock is there
		return head, errors.Join(err, fmt.Errorf("%s is not empty", opt.Dir))
	}
	failed := make(chan string, 1) // what Badger only logs, the first line of it
	db, err := openBadger(opt, func(line string) {
		select {
		case failed <- line:
		default:
		}
	})
	if err != nil {
		return head, err
	}
	err = errors.Join(restoreAll(ctx, &opt, db, b), db.Close())
	select {
	case line := <-failed:
		err = errors.Join(err, errors.New(line))
	default:
	}
	return b.head, err
}

func restoreAll(ctx context.Context, opt *Options, db *badger.DB, b *backupReader) error {
	for {
		list, err := b.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if free, err := opt.Free(); err != nil || free < restoreFree {
			return errors.Join(err, fmt.Errorf("the disk has only %d MiB free: %d MiB must stay so", free>>20, restoreFree>>20))
		}
		if err := restoreChunk(db, list); err != nil {
			return fmt.Errorf("write what is restored: %w", err)
		}
	}
}

// restoreChunk writes records, and returns when they are on disk: none of them is
// kept in memory beyond that.
func restoreChunk(db *badger.DB, list []backupRecord) error {
	batch := db.NewWriteBatch()
	defer batch.Cancel()
	for _, r := range list {
		if err := batch.Set(r.key, r.value); err != nil {
			return err
		}
	}
	return batch.Flush()
}

// VerifyBackup reads a backup to its end, and returns what it says of itself
// where all of it is right.
func VerifyBackup(r io.Reader) (BackupHead, error) {
	b, err := newBackupReader(r)
	for err == nil {
		_, err = b.next()
	}
	if errors.Is(err, io.EOF) {
		return b.head, nil
	}
	return BackupHead{}, err
}
