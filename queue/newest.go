package queue

import (
	"container/heap"
	"context"
	"fmt"
	"math"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// rowsOf gives the rows of one callback, newest first; false: there are no more.
type rowsOf[T any] func() (row T, ok bool, err error)

// feed is what a list has of one callback: its next row, or before any was read
// a bound that stands at or in front of the first.
type feed[T any] struct {
	row  T
	read bool
	next rowsOf[T]
}

// feeds are a heap: that whose row is the newest stands first.
type feeds[T any] struct {
	list  []*feed[T]
	order func(a, b T) int
}

func (r *feeds[T]) add(bound T, next rowsOf[T]) {
	r.list = append(r.list, &feed[T]{row: bound, next: next})
}

func (r *feeds[T]) Len() int           { return len(r.list) }
func (r *feeds[T]) Less(i, j int) bool { return r.order(r.list[i].row, r.list[j].row) < 0 }
func (r *feeds[T]) Swap(i, j int)      { r.list[i], r.list[j] = r.list[j], r.list[i] }
func (r *feeds[T]) Push(x any)         { r.list = append(r.list, x.(*feed[T])) }

func (r *feeds[T]) Pop() any {
	n := len(r.list) - 1
	last := r.list[n]
	r.list = r.list[:n]
	return last
}

// newest merges rows that stand newest first by callback into a page of them
// all. A callback is looked at when its turn may have come, and only its next row is
// held. Where few rows match, all are looked at: without a cursor nobody could
// go on from where a list was cut.
func newest[T any](ctx context.Context, q callback.Newest[T], r *feeds[T]) (callback.Listing[T], error) {
	var rows []T
	heap.Init(r)
	for len(r.list) > 0 && len(rows) <= q.Offset+q.Limit {
		if err := ctx.Err(); err != nil {
			return callback.Listing[T]{}, err
		}
		first := r.list[0]
		if first.read && q.Selects(&first.row) {
			rows = append(rows, first.row)
		}
		row, ok, err := first.next()
		switch {
		case err != nil:
			return callback.Listing[T]{}, err
		case ok:
			first.row, first.read = row, true
			heap.Fix(r, 0)
		default:
			heap.Pop(r)
		}
	}
	return q.Page(rows), nil
}

// records gives the keys of the records with a prefix, in order, from one place
// on, each without the number of its part. Several may share an iterator.
func records(it *badger.Iterator, prefix, at []byte) func() (k []byte, ok bool) {
	var k []byte
	return func() ([]byte, bool) {
		if k != nil && it.ValidForPrefix(k) { // where it was left: a step costs less
			for it.ValidForPrefix(k) {
				it.Next()
			}
		} else {
			it.Seek(at)
		}
		if !it.ValidForPrefix(prefix) {
			return nil, false
		}
		k = it.Item().KeyCopy(nil)
		k = k[:len(k)-1]
		at = append(k[:len(k):len(k)], 0xff, 0xff) // behind the last part
		return k, true
	}
}

// Outages implements callback.Ledger. Nothing is read of a callback whose last
// outage, as memory has it, began before those on the page; the transaction may
// not have that one yet.
func (e *Engine) Outages(ctx context.Context, q callback.Newest[callback.Outage]) (page callback.Listing[callback.Outage], err error) {
	err = e.view(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		all := &feeds[callback.Outage]{order: callback.NewestOutage}
		for _, h := range e.all(q.Num) {
			last := e.lastOutage(h)
			if last.N == 0 {
				continue
			}
			prefix := outagePrefix(h.slot, h.num)
			next := records(it, prefix, prefix)
			all.add(last, func() (o callback.Outage, ok bool, err error) {
				k, ok := next()
				if ok {
					o, err = readOutage(t, k)
				}
				return o, ok && err == nil, err
			})
		}
		page, err = newest(ctx, q.Bounded(), all)
		return err
	})
	return page, err
}

// lastOutage returns the last outage of a callback, as memory has it.
func (e *Engine) lastOutage(h *house) callback.Outage {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return h.live.Record()
}

func readOutage(t *badger.Txn, k []byte) (o callback.Outage, err error) {
	b, err := getSplit(t, k)
	if err == nil {
		o, err = decodeOutage(b)
	}
	if err != nil {
		return o, fmt.Errorf("read outage %d: %w", ^be32(k[len(k)-4:]), err)
	}
	return o, nil
}

// Alerts implements callback.Outbox. When the last alert of a callback arose is
// not in memory.
func (e *Engine) Alerts(ctx context.Context, q callback.Newest[callback.Alert]) (page callback.Listing[callback.Alert], err error) {
	unknown := callback.Alert{Created: time.UnixMilli(math.MaxInt64)}
	err = e.view(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		all := &feeds[callback.Alert]{order: callback.NewestAlert}
		for _, h := range e.all(q.Num) {
			prefix := alertPrefix(h.slot, h.num)
			next := records(it, prefix, prefix)
			all.add(unknown, func() (a callback.Alert, ok bool, err error) {
				k, ok := next()
				if ok {
					a, err = readAlert(t, k)
				}
				return a, ok && err == nil, err
			})
		}
		page, err = newest(ctx, q.Bounded(), all)
		return err
	})
	return page, err
}
