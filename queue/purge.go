package queue

import (
	"context"
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
			r := removal{e: e, now: now, num: h.Num, status: status, horizon: delivered, broken: map[callback.CallID]bool{}}
			if status == rowFailed {
				r.horizon = failed
			}
			for purged < limit && ctx.Err() == nil {
				n, more, err := r.page(ctx, min(limit-purged, 500))
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

// removal is a purge at work on the finished calls of a callback with one status.
type removal struct {
	e       *Engine
	now     time.Time
	num     callback.Num
	status  byte
	horizon time.Time
	broken  map[callback.CallID]bool // calls that cannot be read completely, and so are left
}

// purgeScan bounds the rows that one page of a purge looks at.
const purgeScan = 100_000

// page removes at most limit calls, and reports whether there may be more.
func (r *removal) page(ctx context.Context, limit int) (n int, more bool, err error) {
	before := len(r.broken)
	old, long, err := r.find(limit)
	if err == nil && long != 0 {
		more, err = r.trim(ctx, long)
	}
	if err == nil && len(old) > 0 {
		n, err = r.remove(ctx, old)
	}
	return n, more || n > 0 || len(r.broken) > before, err
}

// find returns calls to be removed, or else one with too many attempts for one commit.
func (r *removal) find(limit int) (old []doomed, long callback.CallID, err error) {
	slot, err := r.e.slot(r.num)
	if err != nil {
		return nil, 0, err
	}
	weight := 0
	err = r.e.db.View(func(t *badger.Txn) error {
		// The oldest rows stand last. A call cannot have finished before it was
		// enqueued, so the walk ends at the first one younger than the horizon.
		from := rowKey(slot, r.num, r.status, callback.FirstCallID(r.horizon))
		looked := 0
		return eachItem(t, rowPrefix(slot, r.num, r.status), from, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(^be64(k[len(k)-8:]))
			looked++
			entry, err := decodeEntry(v, r.num, id)
			if err != nil || entry.Status == callback.Ready || !entry.Finished.Before(r.horizon) || r.broken[id] {
				return looked < purgeScan, nil // a damaged row is for Check to tell of
			}
			d := doomed{id: id, attempts: entry.Attempts}
			if d.weight() > groupWeight/2 {
				long = id
				return false, nil
			}
			if p, _, _, err := readPayload(t, slot, id); err == nil {
				d.key, d.message = p.Key, p.MessageID
			}
			weight += d.weight()
			old = append(old, d)
			return len(old) < limit && weight < groupWeight/2 && looked < purgeScan, nil
		})
	})
	return old, long, err
}

// remove removes calls in one commit.
func (r *removal) remove(ctx context.Context, old []doomed) (n int, err error) {
	weight := 0
	for _, d := range old {
		weight += d.weight()
	}
	err = r.e.submit(ctx, r.now, weight, 64*weight, func(g *group) error {
		h, err := r.e.house(r.num)
		if err != nil {
			return err
		}
		for _, d := range old {
			ok, err := g.purge(h, d, r.horizon)
			if err := r.leave(d.id, err); err != nil {
				return err
			}
			if ok {
				n++
			}
		}
		return nil
	})
	return n, err
}

// leave notes a call that cannot be read completely, and returns any other
// error. Nothing of such a call was removed.
func (r *removal) leave(id callback.CallID, err error) error {
	if !unreadable(err) {
		return err
	}
	r.broken[id] = true
	r.e.opt.Log.Error("a finished call is damaged: it is not removed", "call", id, "err", err)
	return nil
}

// trimmed is how many attempts one commit of trim removes.
const trimmed = 1000

// trim removes the last attempts of a finished call that has too many for one
// commit. It then counts as one with fewer, whose last attempt was the one
// before: still a whole call, should the process end before it is removed.
func (r *removal) trim(ctx context.Context, id callback.CallID) (changed bool, err error) {
	weight := 12 + trimmed*(1+excerptParts)
	err = r.e.submit(ctx, r.now, weight, 64*weight, func(g *group) error {
		h, err := r.e.house(r.num)
		if err != nil {
			return err
		}
		before, ok, err := g.expired(h, id, r.horizon)
		if err == nil && ok && before.Attempts > trimmed {
			var after callback.Entry
			var keys [][]byte
			if after, keys, err = g.shorter(h, before); err == nil {
				changed = true
				h.live.Trim(&before, &after)
				return g.cut(h, &before, &after, keys)
			}
		}
		return r.leave(id, err)
	})
	return changed, err
}

// shorter returns what a call is without its last attempts, and their keys.
func (g *group) shorter(h *house, e callback.Entry) (after callback.Entry, keys [][]byte, err error) {
	for range trimmed {
		n := e.Attempts
		k := attemptKey(h.slot, h.num, e.LastAt, e.ID, n)
		keys = append(keys, k)
		for part := range excerptParts {
			keys = append(keys, excerptKey(h.slot, e.ID, n, part))
		}
		if _, e.LastAt, err = readAttempt(g.t, k, n); err != nil {
			return e, nil, fmt.Errorf("read attempt %d of call %s: %w", n, e.ID, err)
		}
		e.Attempts--
	}
	last, _, err := readAttempt(g.t, attemptKey(h.slot, h.num, e.LastAt, e.ID, e.Attempts), e.Attempts)
	if err != nil {
		return e, nil, fmt.Errorf("read attempt %d of call %s: %w", e.Attempts, e.ID, err)
	}
	e.LastCode, e.LastClass = last.Code, last.Class
	return e, keys, nil
}

// cut deletes keys of a call, and makes it what after says.
func (g *group) cut(h *house, before, after *callback.Entry, keys [][]byte) error {
	for _, k := range keys {
		if err := g.t.Delete(k); err != nil {
			return err
		}
	}
	return g.move(h, before, after)
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
		keys = append(keys, messageKey(h.slot, d.message, id, h.num))
	}
	at := entry.LastAt
	for n := entry.Attempts; n > 0; n-- {
		k := attemptKey(h.slot, h.num, at, id, n)
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
	h.live.Purge(&entry)
	return true, nil
}
