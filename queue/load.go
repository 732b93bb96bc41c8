package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// LockedError says that another process holds the folder.
type LockedError struct {
	Dir string
	PID string // of the process that holds it, "" when not known
}

// Error implements error.
func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != "" {
		who = "process " + e.PID
	}
	return fmt.Sprintf("the data folder %s is in use by %s; 'ringback tui' attaches to one that runs", e.Dir, who)
}

// lockFile is locked before anything in a folder is touched, and until the
// engine is closed. Badger has a lock of its own, but comes too late for inspect.
const lockFile = "ringback.lock"

// lock makes sure that no other process works on the folder.
func lock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		defer func() { _ = f.Close() }() // only read from
		return nil, heldBy(dir, f)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("lock the data folder: %w", err), f.Close())
	}
	return f, nil
}

// InUse returns a *LockedError where a process works on the folder, which may be
// missing.
func InUse(dir string) error {
	f, err := os.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open the data folder: %w", err)
	}
	defer func() { _ = f.Close() }() // only read from
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); errors.Is(err, syscall.EWOULDBLOCK) {
		return heldBy(dir, f)
	}
	return nil
}

func heldBy(dir string, lock *os.File) error {
	pid, _ := io.ReadAll(io.LimitReader(lock, 20)) // only to be helpful
	return &LockedError{Dir: dir, PID: callback.Sanitize(strings.TrimSpace(string(pid)), 20)}
}

// inspect looks at a folder before Badger does, for Badger is too forgiving.
func inspect(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the data folder: %w", err)
	}
	tables := 0
	for _, f := range files {
		name := f.Name()
		switch {
		case strings.HasSuffix(name, ".sst"):
			tables++
		case strings.HasSuffix(name, ".mem"), strings.HasSuffix(name, ".vlog"):
			// A kill at the wrong moment leaves an empty file that nothing was
			// written to, at which Badger would never open again.
			if info, err := f.Info(); err == nil && info.Size() == 0 {
				if err := os.Remove(filepath.Join(dir, name)); err != nil {
					return fmt.Errorf("remove the empty file %s: %w", name, err)
				}
				continue
			}
			if strings.HasSuffix(name, ".mem") {
				if err := checkWAL(filepath.Join(dir, name)); err != nil {
					return err
				}
			}
		}
	}
	if err := checkManifest(dir, tables); err != nil {
		return err
	}
	return checkTables(dir)
}

// openRoom is how much space Badger takes when it opens, beside a table for each
// log of what was in memory.
const openRoom = 4 << 20

// checkRoom refuses a folder on a disk so full that Badger would write beyond its
// end, where the system ends the process without a word.
func checkRoom(opt *Options) error {
	free, err := opt.Free()
	if err != nil {
		return err
	}
	need := uint64(openRoom)
	err = eachFile(opt.Dir, func(name string, onDisk int64) {
		if strings.HasSuffix(name, ".mem") {
			need += uint64(onDisk)
		}
	})
	if err == nil && free < need {
		return fmt.Errorf("the disk of %s has %d KiB free, and opening the store takes up to %d: make room; nothing was touched", opt.Dir, free>>10, need>>10)
	}
	return err
}

// explainOpen puts Badger's errors into plain words.
func explainOpen(dir string, err error) error {
	if strings.Contains(err.Error(), "Cannot acquire directory lock") {
		pid, _ := os.ReadFile(filepath.Join(dir, "LOCK")) // only to be helpful
		return &LockedError{Dir: dir, PID: callback.Sanitize(strings.TrimSpace(string(pid)), 20)}
	}
	return fmt.Errorf("open the store in %s: %w", dir, err)
}

// freeBytes asks the file system of dir.
func freeBytes(dir string) (uint64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return st.Bavail * uint64(st.Bsize), nil
}

// logger passes what Badger says on, and stops the engine at what Badger goes
// on after although it lost a write.
type logger struct {
	log    *slog.Logger
	failed func(line string)
}

func (l logger) Errorf(format string, args ...any) {
	line := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.log.Error("badger", "msg", callback.Sanitize(line, 300))
	for _, word := range []string{"writeRequests", "sync", "Sync", "flush"} {
		if strings.Contains(line, word) {
			l.failed("badger: " + callback.Sanitize(line, 300))
			return
		}
	}
}

func (l logger) Warningf(format string, args ...any) {
	l.log.Warn("badger", "msg", callback.Sanitize(strings.TrimSpace(fmt.Sprintf(format, args...)), 300))
}

func (l logger) Infof(format string, args ...any) {}

func (l logger) Debugf(format string, args ...any) {}

// format is the version of the layout of keys and records.
const format = 4

// load reads what is kept in memory: callbacks, live states, ids, the number
// of alerts that wait, API keys.
func (e *Engine) load() (err error) {
	defer e.told(&err)
	return e.db.Update(func(t *badger.Txn) (err error) {
		if err := checkFormat(t); err != nil {
			return err
		}
		for slot := range 256 {
			if err := e.loadSlot(t, byte(slot)); err != nil {
				return err
			}
		}
		if err := e.loadNumbers(t); err != nil {
			return err
		}
		if err := e.loadMentions(t); err != nil {
			return err
		}
		e.keys, err = readKeys(t)
		return err
	})
}

func checkFormat(t *badger.Txn) error {
	k := append(key(0, kindMeta), "format"...)
	item, err := t.Get(k)
	if errors.Is(err, badger.ErrKeyNotFound) {
		w := newWriter(4)
		w.uint(format)
		return t.Set(k, w.seal())
	}
	if err != nil {
		return fmt.Errorf("read the format of the store: %w", err)
	}
	return item.Value(func(v []byte) error {
		r := open(v)
		if n := r.uint(); r.err != nil {
			return fmt.Errorf("read the format of the store: %w", r.err)
		} else if n != format {
			return fmt.Errorf("the data folder has format %d, this ringback knows %d: use the ringback that wrote it; nothing was touched", n, format)
		}
		return nil
	})
}

func (e *Engine) loadSlot(t *badger.Txn, slot byte) error {
	item, err := t.Get(append(key(slot, kindMeta), "last"...))
	if err == nil {
		err = item.Value(func(v []byte) error {
			r := open(v)
			e.lastAt[slot] = callback.CallID(r.uint())
			e.last = max(e.last, e.lastAt[slot])
			return r.err
		})
	} else if errors.Is(err, badger.ErrKeyNotFound) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("read the last id: %w", err)
	}
	if err := e.loadCallbacks(t, slot); err != nil {
		return err
	}
	if err := e.loadOperations(t, slot); err != nil {
		return err
	}
	return eachKey(t, key(slot, kindOutbox), nil, func([]byte) (bool, error) {
		e.outbox[slot]++
		return true, nil
	})
}

func (e *Engine) loadCallbacks(t *badger.Txn, slot byte) error {
	return eachKey(t, key(slot, kindCallback), nil, func(k []byte) (bool, error) {
		if k[len(k)-1] != 0 {
			return true, nil // a further part
		}
		h, err := e.loadHouse(t, slot, k[:len(k)-1])
		if err != nil {
			return false, fmt.Errorf("read callback %x: %w", k[2:len(k)-1], err)
		}
		for int(h.cb.Num) > len(e.houses) {
			e.houses = append(e.houses, nil)
		}
		e.houses[h.cb.Num-1] = h
		if !h.live.Deleted {
			e.names[h.cb.Name] = h
		}
		e.ids[h.cb.ID] = h
		return true, nil
	})
}

func (e *Engine) loadHouse(t *badger.Txn, slot byte, k []byte) (*house, error) {
	b, err := getSplit(t, k)
	if err != nil {
		return nil, err
	}
	cb, err := decodeCallback(b, e.opt.Secret)
	if err != nil {
		return nil, err
	}
	h := &house{cb: *cb, num: cb.Num, slot: slot, parts: partsOf(b)}
	b, err = getSplit(t, liveKey(slot, cb.Num))
	if err != nil {
		return nil, fmt.Errorf("its live state: %w", err)
	}
	h.live, h.marks, h.counted, err = decodeLive(b)
	h.live = h.live.Restarted(e.opt.Now)
	return h, err
}

// recover records as interrupted every claim without a result.
func (e *Engine) recover() error {
	open, refs, err := e.openClaims()
	if err != nil || len(refs) == 0 {
		return err
	}
	for page := range slices.Chunk(open, 500) {
		if err := e.interrupt(page); err != nil {
			return err
		}
	}
	for page := range slices.Chunk(refs, groupWeight/2) {
		err := e.submit(context.Background(), e.opt.Now, len(page), 0, func(g *group) error {
			for _, ref := range page {
				if err := g.delete(claimKey(ref.slot, ref.seq)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// openClaims reads all claim records, and the claims in them, of which most may
// have their results.
func (e *Engine) openClaims() (open []claimed, refs []claimRef, err error) {
	err = e.view(func(t *badger.Txn) error {
		for slot := range 256 {
			prefix := key(byte(slot), kindClaim)
			err := eachItem(t, prefix, nil, true, func(k, v []byte) (bool, error) {
				ref := claimRef{byte(slot), be64(k[2:])}
				refs = append(refs, ref)
				e.seq = max(e.seq, ref.seq)
				list, err := decodeClaims(v)
				open = append(open, list...)
				return true, err
			})
			if err != nil {
				return fmt.Errorf("read claims: %w", err)
			}
		}
		return nil
	})
	return open, refs, err
}

func (e *Engine) interrupt(list []claimed) error {
	return e.submit(context.Background(), e.opt.Now, 10*len(list), 0, func(g *group) error {
		for _, c := range list {
			h, err := e.house(c.num)
			if err != nil {
				continue // purged since
			}
			before, err := g.entry(h, c.id)
			if callback.ErrorCode(err) == callback.CodeNotFound {
				continue
			}
			if err != nil {
				return err
			}
			if before.Attempts >= c.attempt {
				continue // it has its result
			}
			after := before
			g.step(h).Interrupted(&after, c.manual)
			a := after.InterruptedAttempt(c.manual)
			if err := g.saveAttempt(h, c.id, &a, before.LastAt); err != nil {
				return err
			}
			if err := g.move(h, &before, &after); err != nil {
				return err
			}
			e.interrupted++
		}
		return nil
	})
}
