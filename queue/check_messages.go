package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// checkMessages verifies that the index of messages names no call falsely, nor twice,
// and of each callback no more calls that are gone than were removed: blocks stay
// until all their calls are. Each call looks for itself there (tally.add).
func checkMessages(ctx context.Context, t *badger.Txn, houses []*house) (faults []error) {
	gone := make([]uint64, len(houses)) // by Num-1
	var list []mention
	var last callback.CallID
	fault := func(format string, args ...any) {
		if len(faults) < maxFaults {
			faults = append(faults, fmt.Errorf("index of messages: "+format, args...))
		}
	}
	err := eachItem(t, key(0, kindMessage), nil, true, func(k, v []byte) (bool, error) {
		var err error
		if list, err = decodeBlock(list[:0], k, v, everyHash); err != nil {
			fault("%w", err)
		}
		for _, m := range list {
			switch i := int(m.num) - 1; {
			case m.id <= last:
				fault("call %s stands behind call %s", m.id, last)
			case i < 0 || i >= len(houses):
				fault("call %s is of callback %d, which there never was", m.id, m.num)
			case houses[i] != nil:
				r, num, _, err := readPayload(t, houses[i].slot, m.id)
				if errors.Is(err, badger.ErrKeyNotFound) {
					gone[i]++
				} else if err == nil && (num != m.num || mentionHash(r.MessageID) != m.hash) {
					fault("call %s has another message id, or callback", m.id)
				}
			}
			last = m.id
		}
		return true, ctx.Err()
	})
	for i, h := range houses {
		if h != nil && gone[i] > h.live.Counts.Purged {
			fault("%d calls of callback %d are not there, %d were removed", gone[i], i+1, h.live.Counts.Purged)
		}
	}
	if err != nil {
		fault("%w", err)
	}
	return faults
}

// finder looks calls up in the index of message ids. Calls in the order of their
// ids are mostly found in the block of the one before.
type finder struct {
	it   *badger.Iterator // backward
	list []mention
}

func newFinder(t *badger.Txn) *finder {
	return &finder{it: t.NewIterator(badger.IteratorOptions{Prefix: key(0, kindMessage), Reverse: true})}
}

func (f *finder) close() { f.it.Close() }

// find returns an error unless the index tells of a call.
func (f *finder) find(m mention) error {
	if n := len(f.list); n == 0 || m.id < f.list[0].id || m.id > f.list[n-1].id {
		f.list = f.list[:0]
		if f.it.Seek(blockKey(m.id)); !f.it.Valid() {
			return badger.ErrKeyNotFound
		}
		item := f.it.Item()
		err := item.Value(func(v []byte) (err error) {
			f.list, err = decodeBlock(f.list, item.Key(), v, everyHash)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !slices.Contains(f.list, m) {
		return badger.ErrKeyNotFound
	}
	return nil
}
