package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// rowsOf gives the rows of one callback, newest first; false: there are no more.
type rowsOf[T any] func() (row T, ok bool, err error)

// newest merges rows that stand newest first by callback into a page of them
// all. Only the head of each callback is held, and what the page skips.
func newest[T any](ctx context.Context, q callback.Newest[T], runs []rowsOf[T], order func(a, b T) int) (callback.Listing[T], error) {
	type head struct {
		row  T
		next rowsOf[T]
	}
	var heads []head
	push := func(next rowsOf[T]) error {
		row, ok, err := next()
		if err != nil || !ok {
			return err
		}
		i, _ := slices.BinarySearchFunc(heads, row, func(h head, row T) int { return order(h.row, row) })
		heads = slices.Insert(heads, i, head{row, next})
		return nil
	}
	for _, next := range runs {
		if err := push(next); err != nil {
			return callback.Listing[T]{}, err
		}
	}
	var rows []T
	for looked := 0; len(heads) > 0 && len(rows) <= q.Offset+q.Limit; looked++ {
		if err := ctx.Err(); err != nil {
			return callback.Listing[T]{}, err
		}
		if looked == callback.MaxScan {
			page := q.Page(rows)
			page.More, page.Exact = true, false
			return page, nil
		}
		first := heads[0]
		heads = slices.Delete(heads, 0, 1)
		if q.Selects(&first.row) {
			rows = append(rows, first.row)
		}
		if err := push(first.next); err != nil {
			return callback.Listing[T]{}, err
		}
	}
	return q.Page(rows), nil
}

// Outages implements callback.Ledger.
func (e *Engine) Outages(ctx context.Context, q callback.Newest[callback.Outage]) (page callback.Listing[callback.Outage], err error) {
	err = e.db.View(func(t *badger.Txn) error {
		var runs []rowsOf[callback.Outage]
		for _, h := range e.Callbacks() {
			slot, err := e.slot(h.Num)
			if err != nil || q.Num != 0 && h.Num != q.Num {
				continue // err: purged meanwhile
			}
			n := h.Live.Outage.N
			runs = append(runs, func() (o callback.Outage, ok bool, err error) {
				if n == 0 {
					return o, false, nil
				}
				o, err = readOutage(t, slot, h.Num, n)
				n--
				if errors.Is(err, badger.ErrKeyNotFound) {
					return o, false, nil // removed, and so are those before it
				}
				return o, err == nil, err
			})
		}
		page, err = newest(ctx, q.Bounded(), runs, callback.NewestOutage)
		return err
	})
	return page, err
}

func readOutage(t *badger.Txn, slot byte, num callback.Num, n uint32) (o callback.Outage, err error) {
	b, err := getSplit(t, outageKey(slot, num, n))
	if err == nil {
		o, err = decodeOutage(b)
	}
	if err != nil {
		return o, fmt.Errorf("read outage %d: %w", n, err)
	}
	return o, nil
}

// Alerts implements callback.Outbox.
func (e *Engine) Alerts(ctx context.Context, q callback.Newest[callback.Alert]) (page callback.Listing[callback.Alert], err error) {
	err = e.db.View(func(t *badger.Txn) error {
		it := t.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		var runs []rowsOf[callback.Alert]
		for _, h := range e.Callbacks() {
			slot, err := e.slot(h.Num)
			if err != nil || q.Num != 0 && h.Num != q.Num {
				continue // err: purged meanwhile
			}
			prefix := alertPrefix(slot, h.Num)
			at := prefix
			runs = append(runs, func() (a callback.Alert, ok bool, err error) {
				it.Seek(at)
				if !it.ValidForPrefix(prefix) {
					return a, false, nil
				}
				k := it.Item().KeyCopy(nil)
				k = k[:len(k)-1]                           // the number of its part
				at = append(k[:len(k):len(k)], 0xff, 0xff) // behind the last part
				a, err = readAlert(t, k)
				return a, err == nil, err
			})
		}
		page, err = newest(ctx, q.Bounded(), runs, callback.NewestAlert)
		return err
	})
	return page, err
}
