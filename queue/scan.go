package queue

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

func be64(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }

// eachKey calls f with every key that begins with prefix, from the place from
// on (nil: the first), until f says false. f must not keep the key.
func eachKey(t *badger.Txn, prefix, from []byte, f func(k []byte) (bool, error)) error {
	return eachItem(t, prefix, from, false, func(k, _ []byte) (bool, error) { return f(k) })
}

// eachItem is eachKey with values, which are nil unless wanted.
func eachItem(t *badger.Txn, prefix, from []byte, values bool, f func(k, v []byte) (bool, error)) error {
	it := t.NewIterator(badger.IteratorOptions{Prefix: prefix}) // no prefetch: it starts a goroutine an item
	defer it.Close()
	if from == nil {
		from = prefix
	}
	for it.Seek(from); it.Valid(); it.Next() {
		more, err := visit(it.Item(), values, f)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func visit(item *badger.Item, values bool, f func(k, v []byte) (bool, error)) (more bool, err error) {
	if !values {
		return f(item.Key(), nil)
	}
	err = item.Value(func(v []byte) error {
		more, err = f(item.Key(), v)
		return err
	})
	return more, err
}

// entry reads the state of a call, as this group sees it.
func (g *group) entry(h *house, id callback.CallID) (callback.Entry, error) {
	if r := g.e.runs[id]; r != nil && r.entry.Num == h.cb.Num {
		return r.entry, nil
	}
	return readEntry(g.t, h.slot, h.cb.Num, id)
}

// readEntry reads the state of a call that does not run: its row if it has
// one, else its place among the calls never tried.
func readEntry(t *badger.Txn, slot byte, num callback.Num, id callback.CallID) (e callback.Entry, err error) {
	for _, status := range []byte{rowSuccess, rowFailed} {
		item, err := t.Get(rowKey(slot, num, status, id))
		if err == badger.ErrKeyNotFound {
			continue
		}
		if err != nil {
			return e, fmt.Errorf("read call %s: %w", id, err)
		}
		err = item.Value(func(v []byte) error {
			e, err = decodeEntry(v, num, id)
			return err
		})
		return e, err
	}
	resp, owner, at, err := readPayload(t, slot, id)
	if err == badger.ErrKeyNotFound || err == nil && owner != num {
		return e, callback.NoCall(id)
	}
	e = callback.Entry{ID: id, Num: num, Enqueued: at, Due: at}
	if resp.DeliverAt.After(at) {
		e.Due = resp.DeliverAt
	}
	if err == errCorrupt {
		return freshByScan(t, slot, num, id)
	}
	if err != nil {
		return e, fmt.Errorf("read call %s: %w", id, err)
	}
	item, err := t.Get(dueKey(slot, &e))
	if err == badger.ErrKeyNotFound {
		return freshByScan(t, slot, num, id)
	}
	if err != nil {
		return e, fmt.Errorf("read call %s: %w", id, err)
	}
	err = item.Value(func(v []byte) error {
		e, err = decodeEntry(v, num, id)
		return err
	})
	return e, err
}

// freshByScan finds a call among those never tried the slow way: its payload
// does not tell where it stands, because it is damaged or it was reopened.
func freshByScan(t *badger.Txn, slot byte, num callback.Num, id callback.CallID) (e callback.Entry, err error) {
	err = callback.NoCall(id)
	scan := eachItem(t, duePrefix(slot, num, callback.Fresh), nil, true, func(k, v []byte) (bool, error) {
		if be64(k[len(k)-8:]) != uint64(id) {
			return true, nil
		}
		e, err = decodeEntry(v, num, id)
		return false, nil
	})
	if scan != nil {
		return e, scan
	}
	return e, err
}

func readPayload(t *badger.Txn, slot byte, id callback.CallID) (r callback.Response, num callback.Num, at time.Time, err error) {
	item, err := t.Get(payloadKey(slot, id))
	if err != nil {
		return r, 0, at, err
	}
	err = item.Value(func(v []byte) error {
		r, num, at, err = decodePayload(v)
		return err
	})
	return r, num, at, err
}

// move writes what changed of a call: its due entry and its row. before is nil
// for a new call.
func (g *group) move(h *house, before, after *callback.Entry) error {
	var oldDue, oldRow []byte
	if before != nil {
		if before.Status == callback.Ready {
			oldDue = dueKey(h.slot, before)
			h.xor ^= uint64(before.ID)
		}
		oldRow = rowOf(h, before)
	}
	record := encodeEntry(after)
	if after.Status == callback.Ready {
		k := dueKey(h.slot, after)
		h.xor ^= uint64(after.ID)
		if string(k) == string(oldDue) {
			oldDue = nil
		}
		if err := g.put(k, record); err != nil {
			return err
		}
	}
	if row := rowOf(h, after); row != nil {
		if string(row) == string(oldRow) {
			oldRow = nil
		}
		if err := g.put(row, record); err != nil {
			return err
		}
	}
	for _, k := range [][]byte{oldDue, oldRow} {
		if k == nil {
			continue
		}
		if err := g.t.Delete(k); err != nil {
			return err
		}
	}
	return nil
}

// rowOf returns the key of a call's row, nil for one that was never tried.
func rowOf(h *house, e *callback.Entry) []byte {
	switch e.Listed() {
	case callback.ListSuccess:
		return rowKey(h.slot, h.cb.Num, rowSuccess, e.ID)
	case callback.ListFailed:
		return rowKey(h.slot, h.cb.Num, rowFailed, e.ID)
	}
	return nil
}
