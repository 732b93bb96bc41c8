package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// outagesPage is how many outages, or alerts, one commit removes.
const outagesPage = 200

// PurgeOutages implements callback.Ledger.
func (e *Engine) PurgeOutages(ctx context.Context, now, horizon time.Time, limit int) (purged int, err error) {
	for _, h := range e.all(0) {
		for _, purge := range []func(context.Context, time.Time, callback.Num, time.Time, int) (int, error){e.purgeOutages, e.purgeAlerts, e.purgeCauses, e.purgeCallback} {
			for purged < limit && ctx.Err() == nil {
				n, err := purge(ctx, now, h.num, horizon, min(limit-purged, outagesPage))
				if err != nil {
					return purged, err
				}
				if purged += n; n == 0 {
					break
				}
			}
		}
	}
	return purged, ctx.Err()
}

// purgeOutages removes the first outages of a callback. What is left is numbered
// without gaps.
func (e *Engine) purgeOutages(ctx context.Context, now time.Time, num callback.Num, horizon time.Time, limit int) (purged int, err error) {
	c, err := e.Callback(num)
	if err != nil {
		return 0, nil // removed meanwhile
	}
	first, slot := c.Live.OutagesPurged+1, slotOf(c.ID)
	var parts []int // of the records from the first on
	weight := 0
	err = e.view(func(t *badger.Txn) error {
		for n := first; n <= c.Live.Purgeable() && len(parts) < limit; n++ {
			b, err := getSplit(t, outageKey(slot, num, n))
			if errors.Is(err, badger.ErrKeyNotFound) {
				parts = append(parts, 0) // it began and was over within one commit
				continue
			}
			if err != nil {
				return fmt.Errorf("read outage %d: %w", n, err)
			}
			o, err := decodeOutage(b)
			if err != nil {
				e.opt.Log.Error("an outage is damaged: it is not removed", "callback", c.ID, "outage", n, "err", err)
				return nil
			}
			if !o.EndedBefore(horizon) {
				return nil
			}
			parts = append(parts, partsOf(b))
			weight += partsOf(b)
		}
		return nil
	})
	if err != nil || len(parts) == 0 {
		return 0, err
	}
	err = e.submit(ctx, now, weight+8, 64*weight+4096, func(g *group) error {
		h, err := e.house(num)
		if err != nil || h.live.OutagesPurged+1 != first {
			return err
		}
		for i, n := range parts {
			if err := g.deleteParts(outageKey(slot, num, first+uint32(i)), 0, n); err != nil {
				return err
			}
		}
		g.step(h)
		purged = len(parts)
		h.live.OutagesPurged += uint32(purged)
		return nil
	})
	return purged, err
}

// purgeAlerts removes alerts of a callback.
func (e *Engine) purgeAlerts(ctx context.Context, now time.Time, num callback.Num, horizon time.Time, limit int) (purged int, err error) {
	slot, err := e.slot(num)
	if err != nil {
		return 0, nil // removed meanwhile
	}
	var old [][]byte
	err = e.view(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		prefix := alertPrefix(slot, num)
		next := records(it, prefix, put64(prefix[:len(prefix):len(prefix)], ^ms(horizon)))
		for k, ok := next(); ok && len(old) < limit && ctx.Err() == nil; k, ok = next() {
			a, err := readAlert(t, k)
			if errors.Is(err, errCorrupt) {
				e.opt.Log.Error("an alert is damaged: it is not removed", "callback", num, "err", err)
				continue
			}
			if err != nil {
				return err
			}
			if a.EndedBefore(horizon) {
				old = append(old, k)
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return 0, err
	}
	err = e.submit(ctx, now, alertParts*len(old), 64*alertParts*len(old), func(g *group) error {
		for _, k := range old {
			b, err := getSplit(g.t, k)
			if errors.Is(err, badger.ErrKeyNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			if a, err := decodeAlert(b); err != nil || !a.EndedBefore(horizon) {
				continue // somebody had it sent again
			}
			if err := g.deleteParts(k, 0, partsOf(b)); err != nil {
				return err
			}
			purged++
		}
		return nil
	})
	return purged, err
}

// alertParts is how many parts the record of an alert has at most.
const alertParts = 6

// deleteParts deletes the parts of a record from one number up to another.
func (g *group) deleteParts(k []byte, from, to int) error {
	for part := from; part < to; part++ {
		if err := g.delete(append(k[:len(k):len(k)], byte(part))); err != nil {
			return err
		}
	}
	return nil
}
