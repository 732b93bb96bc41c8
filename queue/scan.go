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

// statesOf returns where the state of a call may stand.
func statesOf(slot byte, num callback.Num, id callback.CallID) [4][]byte {
	return [...][]byte{
		rowKey(slot, num, rowFailed, id), rowKey(slot, num, rowSuccess, id),
		freshKey(slot, num, id), lateKey(slot, num, id),
	}
}

// readEntry reads the state of a call that does not run: its row if it has
// one, else its place among the calls never tried.
func readEntry(t *badger.Txn, slot byte, num callback.Num, id callback.CallID) (e callback.Entry, err error) {
	for _, k := range statesOf(slot, num, id) {
		item, err := t.Get(k)
		if err == badger.ErrKeyNotFound {
			continue
		}
		if err == nil {
			err = item.Value(func(v []byte) error {
				e, err = decodeEntry(v, num, id)
				return err
			})
		}
		if err != nil {
			err = fmt.Errorf("read call %s: %w", id, err)
		}
		return e, err
	}
	return e, callback.NoCall(id)
}

func readPayload(t *badger.Txn, slot byte, id callback.CallID) (r callback.Response, num callback.Num, at time.Time, err error) {
	item, err := t.Get(payloadKey(slot, id))
	if err != nil {
		return r, 0, at, err
	}
	return payloadOf(item)
}

func payloadOf(item *badger.Item) (r callback.Response, num callback.Num, at time.Time, err error) {
	err = item.Value(func(v []byte) error {
		r, num, at, err = decodePayload(v)
		return err
	})
	return r, num, at, err
}

// move writes what changed of a call: its due entry, its row, and its places in
// the indexes beside them. before is nil for a new call.
func (g *group) move(h *house, before, after *callback.Entry) error {
	var old [numPlaces][]byte
	if before != nil {
		g.moved[before.ID] = struct{}{}
		old = placesOf(h, before)
		if before.Status == callback.Ready {
			h.marks.xor ^= uint64(before.ID)
			h.marks.heads[before.DueClass()].gone++
		}
	}
	if after.Status == callback.Ready {
		h.marks.xor ^= uint64(after.ID)
		h.marks.heads[after.DueClass()].waits(after)
	}
	record := encodeEntry(after)
	for i, k := range placesOf(h, after) {
		same := string(k) == string(old[i])
		if old[i] != nil && !same {
			if err := g.delete(old[i]); err != nil {
				return err
			}
		}
		switch {
		case k == nil || i == placeCode && same:
			continue
		case i == placeCode:
			record = nil
		}
		if err := g.put(k, record); err != nil {
			return err
		}
	}
	h.marks.note(after)
	return nil
}

// The places where a call may stand.
const (
	placeDue = iota
	placeRow
	placeLate
	placeCode // the last, for it has no record
	numPlaces
)

// placesOf returns the keys under which a call stands, nil where it does not.
func placesOf(h *house, e *callback.Entry) (k [numPlaces][]byte) {
	if e.Status == callback.Ready {
		k[placeDue] = dueKey(h.slot, e)
		if e.Attempts == 0 && late(e) {
			k[placeLate] = lateKey(h.slot, h.cb.Num, e.ID)
		}
	}
	k[placeRow] = rowOf(h, e)
	if coded(e) {
		k[placeCode] = codeKey(h.slot, h.cb.Num, e.LastCode, e.LastClass, e.ID)
	}
	return k
}

// coded reports whether a call stands in the index of codes: all that were
// tried but those that went well in the one usual way, which are nearly all.
func coded(e *callback.Entry) bool {
	return e.Attempts > 0 && (e.Status != callback.Success || e.LastClass != callback.ClassOK || e.LastCode != 200)
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
