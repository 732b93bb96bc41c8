package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Purge implements callback.Queue. It removes finished calls in order of their
// ids: those of one callback finish in about that order, and a page that was
// passed over is looked at again the next time.
func (e *Engine) Purge(ctx context.Context, now, delivered, failed time.Time, limit int) (purged int, err error) {
	for _, h := range e.Callbacks() {
		for _, status := range []byte{rowSuccess, rowFailed} {
			horizon := delivered
			if status == rowFailed {
				horizon = failed
			}
			for purged < limit && ctx.Err() == nil {
				n, more, err := e.purgePage(ctx, now, h.Num, status, horizon, min(limit-purged, 500))
				if err != nil {
					return purged, err
				}
				if purged += n; !more {
					break
				}
			}
		}
	}
	return purged, ctx.Err()
}

// purgeScan bounds the rows that one page of a purge looks at.
const purgeScan = 100_000

func (e *Engine) purgePage(ctx context.Context, now time.Time, num callback.Num, status byte, horizon time.Time, limit int) (n int, more bool, err error) {
	slot, err := e.slot(num)
	if err != nil {
		return 0, false, err
	}
	var old []doomed
	var long callback.CallID // a call with too many attempts for one commit
	weight := 0
	err = e.db.View(func(t *badger.Txn) error {
		// The oldest rows stand last. A call cannot have finished before it was
		// enqueued, so the walk ends at the first one younger than the horizon.
		from := rowKey(slot, num, status, callback.FirstCallID(horizon))
		looked := 0
		return eachItem(t, rowPrefix(slot, num, status), from, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(^be64(k[len(k)-8:]))
			looked++
			entry, err := decodeEntry(v, num, id)
			if err != nil || entry.Status == callback.Ready || !entry.Finished.Before(horizon) {
				return looked < purgeScan, nil // a damaged row is for Check to tell of
			}
			d := doomed{id: id, attempts: entry.Attempts}
			if d.weight() > groupWeight/2 {
				long = id
				return false, nil
			}
			if r, _, _, err := readPayload(t, slot, id); err == nil {
				d.key, d.message = r.Key, r.MessageID
			}
			weight += d.weight()
			old = append(old, d)
			return len(old) < limit && weight < groupWeight/2 && looked < purgeScan, nil
		})
	})
	if err == nil && long != 0 {
		more, err = e.trim(ctx, now, num, long, horizon)
	}
	if err != nil || len(old) == 0 {
		return 0, more, err
	}
	err = e.submit(ctx, now, weight, 64*weight, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		for _, d := range old {
			ok, err := g.purge(h, d, horizon)
			if errors.Is(err, errCorrupt) {
				e.opt.Log.Error("a finished call is damaged: it is not removed", "call", d.id, "err", err)
				continue
			}
			if err != nil {
				return err
			}
			if ok {
				n++
			}
		}
		return nil
	})
	return n, more || n > 0, err
}

// trimmed is how many attempts one commit of trim removes.
const trimmed = 1000

// trim removes the last attempts of a finished call that has too many for one
// commit. It then counts as one with fewer, whose last attempt was the one
// before: still a whole call, should the process end before it is removed.
func (e *Engine) trim(ctx context.Context, now time.Time, num callback.Num, id callback.CallID, horizon time.Time) (changed bool, err error) {
	weight := 12 + trimmed*(1+excerptParts)
	err = e.submit(ctx, now, weight, 64*weight, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		before, ok, err := g.expired(h, id, horizon)
		if err != nil || !ok || before.Attempts <= trimmed {
			return err
		}
		after := before
		var keys [][]byte
		for range trimmed {
			k, n := attemptKey(h.slot, num, after.LastAt, id, after.Attempts), after.Attempts
			keys = append(keys, k)
			for part := range excerptParts {
				keys = append(keys, excerptKey(h.slot, id, n, part))
			}
			if _, after.LastAt, err = readAttempt(g.t, k, n); err != nil {
				return fmt.Errorf("read attempt %d of call %s: %w", n, id, err)
			}
			after.Attempts--
		}
		last, _, err := readAttempt(g.t, attemptKey(h.slot, num, after.LastAt, id, after.Attempts), after.Attempts)
		if err != nil {
			return fmt.Errorf("read attempt %d of call %s: %w", after.Attempts, id, err)
		}
		after.LastCode, after.LastClass = last.Code, last.Class
		for _, k := range keys {
			if err := g.t.Delete(k); err != nil {
				return err
			}
		}
		changed = true
		return g.move(h, &before, &after)
	})
	return changed, err
}

// expired reads a call, and reports whether it is finished since before horizon.
func (g *group) expired(h *house, id callback.CallID, horizon time.Time) (entry callback.Entry, ok bool, err error) {
	entry, err = g.entry(h, id)
	if callback.ErrorCode(err) == callback.CodeNotFound {
		return entry, false, nil
	}
	return entry, err == nil && entry.Status != callback.Ready && !entry.Running && entry.Finished.Before(horizon), err
}

// doomed is a finished call about to be removed.
type doomed struct {
	id       callback.CallID
	attempts int
	key      string // idempotency key, or empty
	message  string // id of the message, or empty
}

// excerptParts is how many records the excerpt of one attempt has at most.
const excerptParts = callback.MaxExcerpt/(maxInline-20) + 1

// weight is how many records go with it, at most.
func (d doomed) weight() int { return 10 + d.attempts*(1+excerptParts) }

// purge removes one finished call and all that belongs to it.
func (g *group) purge(h *house, d doomed, horizon time.Time) (bool, error) {
	id := d.id
	entry, ok, err := g.expired(h, id, horizon)
	if err != nil || !ok || entry.Attempts != d.attempts {
		return false, err
	}
	keys := [][]byte{payloadKey(h.slot, id)}
	for _, k := range placesOf(h, &entry) {
		if k != nil {
			keys = append(keys, k)
		}
	}
	if d.key != "" {
		keys = append(keys, idempotencyKey(h, d.key))
	}
	if d.message != "" {
		keys = append(keys, messageKey(h.slot, d.message, id, h.cb.Num))
	}
	at := entry.LastAt
	for n := entry.Attempts; n > 0; n-- {
		k := attemptKey(h.slot, h.cb.Num, at, id, n)
		keys = append(keys, k)
		if _, at, err = readAttempt(g.t, k, n); err != nil {
			return false, fmt.Errorf("read attempt %d of call %s: %w", n, id, err)
		}
	}
	prefix := put64(key(h.slot, kindExcerpt), uint64(id))
	err = eachKey(g.t, prefix, nil, func(k []byte) (bool, error) {
		keys = append(keys, append([]byte(nil), k...))
		return true, nil
	})
	if err != nil {
		return false, err
	}
	for _, k := range keys {
		if err := g.t.Delete(k); err != nil {
			return false, err
		}
	}
	g.step(h)
	h.live.Counts.Purge(&entry)
	return true, nil
}
