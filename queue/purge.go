package queue

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Purge implements callback.Queue. It removes finished calls in the order of
// their ids, the latest first, and looks at each once: tombstones of those that
// it removed are not walked over again.
func (e *Engine) Purge(ctx context.Context, now, delivered, failed time.Time, limit int) (purged int, err error) {
	for _, h := range e.all(0) {
		for _, status := range []byte{rowSuccess, rowFailed} {
			r := removal{e: e, now: now, num: h.num, status: status, horizon: delivered}
			if status == rowFailed {
				r.horizon = failed
			}
			if r.horizon.IsZero() {
				continue // they are kept for ever
			}
			n, err := r.run(ctx, limit-purged)
			if purged += n; err != nil || purged >= limit {
				return purged, cmp.Or(err, ctx.Err())
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return purged, err
	}
	return purged, e.purgeMentions(ctx, now, delivered, failed)
}

// removal is a purge at work on the finished calls of a callback with one status.
type removal struct {
	e       *Engine
	now     time.Time
	num     callback.Num
	status  byte
	horizon time.Time
	from    []byte // the row to go on with; nil: the first
}

const (
	// purgePage is how many calls one commit of a purge removes. Whoever enqueues
	// meanwhile waits for no more than that.
	purgePage = 250
	// purgeScan bounds the rows that one page of a purge looks at.
	purgeScan = 100_000
)

// run removes at most limit calls. While the calls of one page are removed those of
// the next are found: what a commit takes is mostly waiting.
func (r *removal) run(ctx context.Context, limit int) (n int, err error) {
	var commit sync.WaitGroup
	var removed int // by the commit under way
	var failed error
	found := 0
	for more := true; more && found < limit && err == nil && ctx.Err() == nil; {
		var old []doomed
		var long callback.CallID
		old, long, more, err = r.find(min(limit-found, purgePage))
		commit.Wait()
		n, err = n+removed, cmp.Or(err, failed)
		removed, failed = 0, nil
		if err == nil && long != 0 {
			var changed bool
			if changed, err = r.trim(ctx, long); !changed {
				r.from = append(r.from, 0) // it is left as it is
			}
		}
		if err == nil && len(old) > 0 {
			found += len(old)
			commit.Go(func() { removed, failed = r.remove(ctx, old) })
		}
	}
	commit.Wait()
	return n + removed, cmp.Or(err, failed)
}

// find returns calls to be removed, with at most one at the end of which there is
// too much for one commit, and whether there are more rows.
func (r *removal) find(limit int) (old []doomed, long callback.CallID, more bool, err error) {
	slot, first, err := r.e.before(r.num, r.horizon)
	if err != nil {
		return nil, 0, false, nil // removed meanwhile
	}
	if r.from == nil { // the oldest rows stand last
		r.from = rowKey(slot, r.num, r.status, first)
	}
	weight, looked := 0, 0
	err = r.e.view(func(t *badger.Txn) error {
		return eachItem(t, rowPrefix(slot, r.num, r.status), r.from, true, func(k, v []byte) (bool, error) {
			r.from = append(r.from[:0], k...)
			if more = len(old) == limit || weight >= groupWeight/2 || looked == purgeScan; more {
				return false, nil
			}
			looked++
			id := callback.CallID(^be64(k[len(k)-8:]))
			entry, err := decodeEntry(v, r.num, id)
			if err != nil || entry.Status == callback.Ready || !entry.Finished.Before(r.horizon) {
				return true, nil // a damaged row is for Check to tell of
			}
			if entry.Attempts > trimmed {
				long, more = id, true
				return false, nil
			}
			d, err := condemn(t, slot, entry)
			if err := r.leave(id, err); err != nil {
				return false, err
			}
			if err == nil {
				d.row = bytes.Clone(v)
				weight += len(d.keys) + numPlaces
				old = append(old, d)
			}
			return true, nil
		})
	})
	return old, long, more, err
}

// before returns the slot of a callback, and the id behind which nothing of it
// finished before t.
func (e *Engine) before(num callback.Num, t time.Time) (byte, callback.CallID, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	h, err := e.house(num)
	if err != nil {
		return 0, 0, err
	}
	return h.slot, h.marks.until(t), nil
}

// remove removes calls in one commit.
func (r *removal) remove(ctx context.Context, old []doomed) (n int, err error) {
	weight := 0
	for i := range old {
		weight += len(old[i].keys) + numPlaces
	}
	err = r.e.submit(ctx, r.now, weight, 64*weight, func(g *group) error {
		h, err := r.e.house(r.num)
		if err != nil {
			return err
		}
		for i := range old {
			ok, err := g.purge(h, &old[i])
			if err != nil {
				return err
			}
			if ok {
				n++
				r.e.removed.Add(old[i].size)
			}
		}
		return nil
	})
	return n, err
}

// leave logs that a call cannot be read completely, and returns any other
// error. Nothing of such a call was removed.
func (r *removal) leave(id callback.CallID, err error) error {
	if unreadable(err) {
		r.e.opt.Log.Error("a finished call is damaged: it is not removed", "call", id, "err", err)
		return nil
	}
	return err
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
				g.step(h)
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
		if err := g.delete(k); err != nil {
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
	entry callback.Entry
	row   []byte   // its record when its keys were collected
	keys  [][]byte // what belongs to it, but for its places in the indexes of calls
	size  int64    // bytes that it takes on disk, about
}

// excerptParts is how many records the excerpt of one attempt has at most.
const excerptParts = callback.MaxExcerpt/(maxInline-20) + 1

// condemn collects what belongs to a finished call. That is not done in the
// writer: the others wait for it, and its transaction sorts all that it wrote so
// far whenever it is asked for a range. Nothing of a finished call changes but
// together with its entry.
func condemn(t *badger.Txn, slot byte, e callback.Entry) (d doomed, err error) {
	d = doomed{entry: e, keys: [][]byte{payloadKey(slot, e.ID)}}
	if p, _, _, err := readPayload(t, slot, e.ID); err == nil {
		d.size = int64(len(p.Message.Content))
		if p.Key != "" {
			d.keys = append(d.keys, idempotencyKey(slot, e.Num, p.Key))
		}
	}
	at := e.LastAt
	for n := e.Attempts; n > 0; n-- {
		k := attemptKey(slot, e.Num, at, e.ID, n)
		d.keys = append(d.keys, k)
		if _, at, err = readAttempt(t, k, n); err != nil {
			return d, fmt.Errorf("read attempt %d of call %s: %w", n, e.ID, err)
		}
		for part := range excerptParts {
			k := excerptKey(slot, e.ID, n, part)
			if _, err := t.Get(k); errors.Is(err, badger.ErrKeyNotFound) {
				break
			} else if err != nil {
				return d, err
			}
			d.keys = append(d.keys, k)
		}
	}
	d.size += int64(len(d.keys)+numPlaces) << 7
	return d, nil
}

// purge removes one finished call and all that belongs to it, unless it changed
// since that was collected.
func (g *group) purge(h *house, d *doomed) (bool, error) {
	if g.e.runs[d.entry.ID] != nil {
		return false, nil
	}
	item, err := g.t.Get(rowOf(h, &d.entry))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	same := false
	if err == nil {
		err = item.Value(func(v []byte) error {
			same = bytes.Equal(v, d.row)
			return nil
		})
	}
	if err != nil || !same {
		return false, err
	}
	places := placesOf(h, &d.entry)
	for _, k := range slices.Concat(places[:], d.keys) {
		if k == nil {
			continue
		}
		if err := g.delete(k); err != nil {
			return false, err
		}
	}
	g.step(h)
	h.live.Purge(&d.entry)
	return true, nil
}
