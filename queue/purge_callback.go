package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// purgeCallback removes a deleted callback of which nothing is left, from disk
// and from memory. It looks at no horizon: what is left has one.
func (e *Engine) purgeCallback(ctx context.Context, now time.Time, num callback.Num, _ time.Time, _ int) (purged int, err error) {
	if c, err := e.Callback(num); err != nil || !c.Live.Empty() {
		return 0, nil
	}
	err = e.submit(ctx, now, callbackParts, callbackParts*maxInline, func(g *group) error {
		purged, err = g.purgeCallback(num)
		return err
	})
	return purged, err
}

// purgeCallback removes a callback, if nothing else is left of it.
func (g *group) purgeCallback(num callback.Num) (purged int, err error) {
	e := g.e
	h, err := e.house(num)
	if err != nil {
		return 0, nil // it is gone
	}
	// What else this group does to the callback is written behind this, and so
	// must not be.
	if !h.live.Empty() || g.touched[h] != nil || e.operated(num) {
		return 0, nil
	}
	keys, err := g.leftOf(h)
	if err != nil || keys == nil {
		return 0, err
	}
	if err := g.saveNumbers(); err != nil {
		return 0, err
	}
	for _, k := range keys {
		if err := g.delete(k); err != nil {
			return 0, err
		}
	}
	e.index.Lock()
	e.houses[num-1] = nil
	delete(e.ids, h.cb.ID)
	e.index.Unlock()
	g.changed[num] = struct{}{} // so that its lane finds that it is gone
	return 1, nil
}

// callbackParts is how many records a callback and its live state have at most.
const callbackParts = maxParts + 16

// leftOf returns the keys of the records of a callback and of its live state;
// none where it has an alert.
func (g *group) leftOf(h *house) (keys [][]byte, err error) {
	alerts := false
	err = eachKey(g.t, alertPrefix(h.slot, h.num), nil, func([]byte) (bool, error) {
		alerts = true
		return false, nil
	})
	if err != nil || alerts {
		return nil, err
	}
	for _, prefix := range [][]byte{callbackKey(h.slot, h.num), liveKey(h.slot, h.num)} {
		err := eachKey(g.t, prefix, nil, func(k []byte) (bool, error) {
			keys = append(keys, slices.Clone(k))
			return true, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}

// operated reports whether an operation on a callback is remembered.
func (e *Engine) operated(num callback.Num) bool {
	for _, o := range e.operations {
		if o.Num == num {
			return true
		}
	}
	return false
}

var numbersKey = append(key(0, kindMeta), "numbers"...)

// saveNumbers notes how many numbers were given to callbacks, which their own
// records do not tell once the last of them is removed.
func (g *group) saveNumbers() error {
	w := newWriter(4)
	w.int(len(g.e.houses))
	return g.put(numbersKey, w.seal())
}

// loadNumbers makes room for all numbers that were ever given.
func (e *Engine) loadNumbers(t *badger.Txn) error {
	item, err := t.Get(numbersKey)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil
	}
	if err == nil {
		err = item.Value(func(v []byte) error {
			r := open(v)
			for n := r.int(); len(e.houses) < n && r.err == nil; {
				e.houses = append(e.houses, nil)
			}
			return r.err
		})
	}
	if err != nil {
		return fmt.Errorf("read how many callbacks there were: %w", err)
	}
	return nil
}
