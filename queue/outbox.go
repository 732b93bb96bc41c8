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

// insertAlert stores a new alert and its place in the outbox.
func (g *group) insertAlert(slot byte, a *callback.Alert) error {
	if err := g.putSplit(alertKey(slot, a), encodeAlert(a)); err != nil {
		return err
	}
	g.e.outbox[slot]++
	return g.put(outboxKey(slot, a), newWriter(0).seal())
}

// DueAlerts implements callback.Outbox.
func (e *Engine) DueAlerts(_ context.Context, now time.Time, limit int) (due []callback.Alert, next time.Time, err error) {
	e.mu.RLock()
	outbox := e.outbox
	e.mu.RUnlock()
	err = e.db.View(func(t *badger.Txn) error {
		for slot, n := range outbox {
			if n == 0 {
				continue
			}
			if err := e.dueAlerts(t, byte(slot), now, limit, &due, &next); err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(due, byNext)
	if len(due) > limit {
		due, next = due[:limit], due[limit].Next
	}
	return due, next, err
}

func (e *Engine) dueAlerts(t *badger.Txn, slot byte, now time.Time, limit int, due *[]callback.Alert, next *time.Time) error {
	n := 0
	return eachKey(t, key(slot, kindOutbox), nil, func(k []byte) (bool, error) {
		if at := fromMS(be64(k[2:])); at.After(now) || n > limit {
			if next.IsZero() || at.Before(*next) {
				*next = at
			}
			return false, nil
		}
		n++
		ref := append(alertPrefix(slot, callback.Num(be32(k[10:]))), 0)
		ref = put64(ref[:len(ref)-1], ^be64(k[14:]))
		a, err := readAlert(t, append(ref, k[22:26]...))
		if err == nil {
			*due = append(*due, a)
		}
		return true, err
	})
}

func readAlert(t *badger.Txn, k []byte) (callback.Alert, error) {
	b, err := getSplit(t, k)
	if err != nil {
		return callback.Alert{}, fmt.Errorf("read an alert: %w", err)
	}
	return decodeAlert(b)
}

// SetAlert implements callback.Outbox.
func (e *Engine) SetAlert(ctx context.Context, now time.Time, a callback.Alert) error {
	a.Reply, a.To = callback.Sanitize(a.Reply, 300), callback.Sanitize(a.To, 120)
	return e.submit(ctx, now, 6, 1024, func(g *group) error {
		h, err := e.house(a.Num)
		if err != nil {
			return err
		}
		k := alertKey(h.slot, &a)
		stored, err := readAlert(g.t, k)
		if errors.Is(err, badger.ErrKeyNotFound) || err == nil && stored.Key != a.Key {
			return callback.Errorf(callback.CodeNotFound, "no alert %q", callback.Sanitize(a.Key, 80))
		}
		if err != nil {
			return err
		}
		if stored.Status == callback.AlertWaiting {
			e.outbox[h.slot]--
			if err := g.t.Delete(outboxKey(h.slot, &stored)); err != nil {
				return err
			}
		}
		stored.Status, stored.To, stored.Tries, stored.Next, stored.Sent, stored.Reply = a.Status, a.To, a.Tries, a.Next, a.Sent, a.Reply
		if stored.Status == callback.AlertWaiting {
			e.outbox[h.slot]++
			if err := g.put(outboxKey(h.slot, &stored), newWriter(0).seal()); err != nil {
				return err
			}
		}
		return g.putSplit(k, encodeAlert(&stored))
	})
}

// Alerts implements callback.Outbox.
func (e *Engine) Alerts(_ context.Context, num callback.Num, limit int) (out []callback.Alert, err error) {
	err = e.db.View(func(t *badger.Txn) error {
		for _, h := range e.Callbacks() {
			if num != 0 && h.Num != num {
				continue
			}
			slot, err := e.slot(h.Num)
			if err != nil {
				continue
			}
			n := 0
			err = eachKey(t, alertPrefix(slot, h.Num), nil, func(k []byte) (bool, error) {
				if k[len(k)-1] != 0 {
					return true, nil // a further part
				}
				a, err := readAlert(t, append([]byte(nil), k[:len(k)-1]...))
				out = append(out, a)
				n++
				return n < limit, err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	slices.SortFunc(out, callback.NewestAlert)
	return out[:min(limit, len(out))], err
}
