package queue

import (
	"context"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// namedIDs is how many ids of calls stand in one record: as many as fit inline.
const namedIDs = 56

// namedRecords returns how many records n ids take.
func namedRecords(n int) int { return (n + namedIDs - 1) / namedIDs }

func namedPrefix(slot byte, seq uint64) []byte { return put64(key(slot, kindNamed), seq) }

// namedKey is of the record with the ids of an operation up to last, so that one
// seek finds the first of those behind a call.
func namedKey(slot byte, seq uint64, last callback.CallID) []byte {
	return put64(namedPrefix(slot, seq), uint64(last))
}

// saveNamed writes which calls an operation names.
func (g *group) saveNamed(o *operation, ids []callback.CallID) error {
	for part := range slices.Chunk(ids, namedIDs) {
		if err := g.put(namedKey(o.slot, o.seq, part[len(part)-1]), encodeNamed(part)); err != nil {
			return err
		}
	}
	return nil
}

// forgetNamed deletes that, once it is over.
func (g *group) forgetNamed(o *operation) error {
	if o.Named == 0 {
		return nil
	}
	var keys [][]byte
	err := eachKey(g.t, namedPrefix(o.slot, o.seq), nil, func(k []byte) (bool, error) {
		keys = append(keys, slices.Clone(k))
		return true, nil
	})
	for i := 0; i < len(keys) && err == nil; i++ {
		err = g.delete(keys[i])
	}
	return err
}

// Named implements callback.Operations.
func (e *Engine) Named(_ context.Context, id string, after callback.CallID, limit int) (ids []callback.CallID, err error) {
	e.mu.RLock()
	o, err := e.operation(id)
	if err != nil {
		e.mu.RUnlock()
		return nil, err
	}
	prefix, from := namedPrefix(o.slot, o.seq), namedKey(o.slot, o.seq, after+1)
	e.mu.RUnlock()
	err = e.view(func(t *badger.Txn) error {
		return eachItem(t, prefix, from, true, func(_, v []byte) (bool, error) {
			part, err := decodeNamed(v)
			for _, id := range part {
				if id > after && len(ids) < limit {
					ids = append(ids, id)
				}
			}
			return len(ids) < limit, err
		})
	})
	if err != nil {
		err = fmt.Errorf("read which calls operation %s names: %w", id, err)
	}
	return ids, err
}

func encodeNamed(ids []callback.CallID) []byte {
	w := newWriter(8*len(ids) + 2)
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = put64(b, uint64(id))
	}
	w.string(string(b))
	return w.seal()
}

func decodeNamed(v []byte) (ids []callback.CallID, err error) {
	r := open(v)
	b := []byte(r.string())
	if r.err != nil || len(b)%8 != 0 {
		return nil, errCorrupt
	}
	for ; len(b) > 0; b = b[8:] {
		ids = append(ids, callback.CallID(be64(b)))
	}
	return ids, nil
}

// checkNamed verifies that an operation that runs names as many calls as it says,
// and that nothing is left of others.
func checkNamed(t *badger.Txn, all []operation) (faults []error) {
	named := map[[9]byte]int{}
	for slot := range 256 {
		err := eachItem(t, key(byte(slot), kindNamed), nil, true, func(k, v []byte) (bool, error) {
			ids, err := decodeNamed(v)
			if n := len(ids); err == nil && (n == 0 || !slices.IsSorted(ids) || uint64(ids[n-1]) != be64(k[10:])) {
				err = errCorrupt
			}
			named[[9]byte(append([]byte{k[0]}, k[2:10]...))] += len(ids)
			if err != nil {
				err = fmt.Errorf("read %x: %w", k, err)
			}
			return true, err
		})
		if err != nil {
			faults = append(faults, err)
		}
	}
	for i := range all {
		o := &all[i]
		k, want := [9]byte(put64([]byte{o.slot}, o.seq)), 0
		if o.State == callback.OperationRunning {
			want = o.Named
		}
		if named[k] != want {
			faults = append(faults, fmt.Errorf("operation %s names %d calls, %d are there", o.ID, want, named[k]))
		}
		delete(named, k)
	}
	if len(named) > 0 {
		faults = append(faults, fmt.Errorf("calls are named by %d operations that do not exist", len(named)))
	}
	return faults
}
