package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// What was removed takes space on disk until a compaction comes to where it lies,
// and only compaction tells Badger what nobody uses any more of the value log. It
// comes to a level when that is full, which is late where little is kept, and
// never to what is in memory. So all tables are compacted when what was removed
// makes a third of what is on disk, and no less than makes it worth while.
const (
	flattenShare = 3
	flattenLeast = 64 << 20
)

// CollectGarbage gives back the space of what was removed, when that is much, or
// when thorough: it compacts all tables, then collects the value log. That cannot
// be broken off, and takes some seconds for each million calls that are kept.
//
// In that order, and while no other goroutine removes anything: collection writes
// an old value anew although it is deleted, where compaction has not come to it,
// and a deletion that is compacted before what was written anew leaves that.
func (e *Engine) CollectGarbage(ctx context.Context, now time.Time, thorough bool) error {
	if e.Damaged() {
		return errors.New("a table of the store is damaged: nothing is collected before the appliance is started anew")
	}
	used, err := diskUse(e.opt.Dir)
	if err != nil {
		return err
	}
	removed := e.removed.Load()
	if !thorough && (removed < flattenLeast || removed < used/flattenShare) {
		return nil
	}
	if free, err := e.opt.Free(); err != nil || free < e.opt.LowWater/2 {
		return err // it takes some space before it gives any
	}
	if err := e.unload(ctx, now); err != nil {
		return err
	}
	e.removed.Add(-removed)
	if err := e.db.Flatten(1); err != nil {
		return fmt.Errorf("compact the tables: %w", err)
	}
	files, err := e.collect(ctx)
	e.manifest.again()
	left, _ := diskUse(e.opt.Dir) // for the log only
	e.opt.Log.Info("the store was tidied up", "value_logs_emptied", files, "mb_before", used>>20, "mb_after", left>>20)
	return err
}

// collect rewrites value logs of which half is of no use any more, and returns how many.
func (e *Engine) collect(ctx context.Context) (files int, err error) {
	for ctx.Err() == nil {
		// A share of one half is what never brought a deleted key back in measurement.
		switch err := e.db.RunValueLogGC(0.5); {
		case errors.Is(err, badger.ErrNoRewrite), errors.Is(err, badger.ErrRejected):
			return files, nil
		case err != nil:
			return files, fmt.Errorf("collect garbage: %w", err)
		}
		files++
	}
	return files, nil
}

// Filling a memtable once takes so many commits of so many records each.
const (
	fillCommits = memtableSize/(fillRecords*maxInline) + 1
	fillRecords = 1000
)

// unload makes Badger write what is in memory into a table, which it does when
// the memory is full: so it fills it. As long as there is nothing but the tables
// that memory was written into, Badger compacts them only when there are six.
func (e *Engine) unload(ctx context.Context, now time.Time) error {
	for range 6 {
		for range fillCommits {
			if err := e.fill(ctx, now, make([]byte, maxInline)); err != nil {
				return err
			}
		}
		e.written(ctx)
		for _, l := range e.db.Levels() {
			if l.Level > 0 && l.NumTables > 0 {
				return e.fill(ctx, now, nil)
			}
		}
	}
	return e.fill(ctx, now, nil)
}

// written waits until no memory that is full waits to be written, for some
// seconds: one that waits has its log on disk beside that of the one in use.
func (e *Engine) written(ctx context.Context) {
	for range 500 {
		logs, err := filepath.Glob(filepath.Join(e.opt.Dir, "*.mem"))
		if err != nil || len(logs) <= 1 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// fill writes, or with nil deletes, records that nobody reads.
func (e *Engine) fill(ctx context.Context, now time.Time, v []byte) error {
	return e.submit(ctx, now, fillRecords, fillRecords*len(v), func(g *group) (err error) {
		for i := range fillRecords {
			k := put32(append(key(0, kindMeta), "fill"...), uint32(i))
			if v == nil {
				err = g.delete(k)
			} else {
				err = g.put(k, v)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// diskUse returns the bytes that the files of a folder take on disk.
func diskUse(dir string) (n int64, err error) {
	err = eachFile(dir, func(_ string, onDisk int64) { n += onDisk })
	return n, err
}

// Verify reads all tables and compares their checksums, which Badger does not do
// when it reads. What it finds is for an operator: nothing is changed.
func (e *Engine) Verify() (err error) {
	defer e.told(&err) // of an index that is damaged, and of the error itself
	if err := e.db.VerifyChecksum(); err != nil {
		return fmt.Errorf("a table of the store is damaged: %w", err)
	}
	return nil
}

// strayScan is how many responses one transaction looks at.
const strayScan = 5000

// PurgeStray removes responses of calls that are gone: garbage collection of the
// value log can bring one back. It looks at those enqueued before horizon, in
// slices, and returns how many it removed.
func (e *Engine) PurgeStray(ctx context.Context, now, horizon time.Time) (n int, err error) {
	e.swept = [2]callback.CallID{}
	var nums [256][]callback.Num // that there are, by slot
	for _, h := range e.Callbacks() {
		slot := slotOf(h.ID)
		nums[slot] = append(nums[slot], h.Num)
	}
	for slot := range nums {
		s := strays{e: e, slot: byte(slot), nums: nums[slot], from: payloadKey(byte(slot), 0), end: payloadKey(byte(slot), callback.FirstCallID(horizon))}
		for more := true; more && ctx.Err() == nil; {
			var found [][]byte
			if found, more, err = s.find(); err != nil {
				return n, err
			}
			if err := e.remove(ctx, now, found); err != nil {
				return n, err
			}
			n += len(found)
		}
	}
	return n, ctx.Err()
}

// remove deletes keys.
func (e *Engine) remove(ctx context.Context, now time.Time, keys [][]byte) error {
	for page := range slices.Chunk(keys, groupWeight/8) {
		err := e.submit(ctx, now, len(page), 64*len(page), func(g *group) error {
			for _, k := range page {
				if err := g.delete(k); err != nil {
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

// strays is a walk over the responses of a slot.
type strays struct {
	e         *Engine
	slot      byte
	nums      []callback.Num
	from, end []byte
}

// find returns the next responses that belong to no call, and whether there may
// be more. A call is never without one of the places that it looks at.
func (s *strays) find() (found [][]byte, more bool, err error) {
	looked := 0
	err = s.e.view(func(t *badger.Txn) error {
		return eachKey(t, key(s.slot, kindPayload), s.from, func(k []byte) (bool, error) {
			s.from = append(s.from[:0], k...)
			if bytes.Compare(k, s.end) >= 0 {
				return false, nil
			}
			if more = looked == strayScan; more {
				return false, nil
			}
			looked++
			stray, err := s.stray(t, callback.CallID(be64(k[2:])))
			if stray {
				found = append(found, bytes.Clone(k))
			}
			return true, err
		})
	})
	return found, more, err
}

func (s *strays) stray(t *badger.Txn, id callback.CallID) (bool, error) {
	for _, num := range s.nums {
		for _, k := range statesOf(s.slot, num, id) {
			if _, err := t.Get(k); !errors.Is(err, badger.ErrKeyNotFound) {
				return false, err
			}
		}
	}
	return true, nil
}
