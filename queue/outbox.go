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
	err = e.view(func(t *badger.Txn) error {
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
		return g.changeAlert(h, alertKey(h.slot, &a), a.Key, func(stored *callback.Alert) {
			stored.Status, stored.To, stored.Tries, stored.Mails = a.Status, a.To, a.Tries, a.Mails
			stored.Next, stored.Sent, stored.Reply = a.Next, a.Sent, a.Reply
		})
	})
}

// SendAgain implements callback.Outbox.
func (e *Engine) SendAgain(ctx context.Context, now time.Time, key string) error {
	num, k, err := e.findAlert(ctx, key)
	if err != nil {
		return err
	}
	return e.submit(ctx, now, 6, 1024, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return callback.NoAlert(key) // removed meanwhile
		}
		return g.changeAlert(h, k, key, func(stored *callback.Alert) { stored.SendAgain(g.now) })
	})
}

// findAlert returns the callback and the key of the record of an alert. When it
// arose, which stands in there, is not known, so the keys of all that its
// callback has are looked at: not in the writer.
func (e *Engine) findAlert(ctx context.Context, key string) (num callback.Num, found []byte, err error) {
	id, _ := callback.AlertOf(key) // no callback has the id 0
	e.mu.RLock()
	h := e.ids[id]
	if h == nil {
		e.mu.RUnlock()
		return 0, nil, callback.NoAlert(key)
	}
	num, slot := h.cb.Num, h.slot
	e.mu.RUnlock()
	hash := callback.AlertHash(key)
	err = e.view(func(t *badger.Txn) error {
		return eachKey(t, alertPrefix(slot, num), nil, func(k []byte) (bool, error) {
			k, part := k[:len(k)-1], k[len(k)-1]
			if part != 0 || be32(k[len(k)-4:]) != hash {
				return true, ctx.Err()
			}
			a, err := readAlert(t, k)
			if err == nil && a.Key == key {
				found = slices.Clone(k)
			}
			return found == nil, err
		})
	})
	if err == nil && found == nil {
		err = callback.NoAlert(key)
	}
	return num, found, err
}

// changeAlert lets change have its way with the outbox's part of the alert
// whose record is at k, and keeps its place in the outbox.
func (g *group) changeAlert(h *house, k []byte, key string, change func(*callback.Alert)) error {
	stored, err := readAlert(g.t, k)
	if errors.Is(err, badger.ErrKeyNotFound) || err == nil && stored.Key != key {
		return callback.NoAlert(key)
	}
	if err != nil {
		return err
	}
	if stored.Status == callback.AlertWaiting {
		g.e.outbox[h.slot]--
		if err := g.delete(outboxKey(h.slot, &stored)); err != nil {
			return err
		}
	}
	change(&stored)
	if stored.Status == callback.AlertWaiting {
		g.e.outbox[h.slot]++
		if err := g.put(outboxKey(h.slot, &stored), newWriter(0).seal()); err != nil {
			return err
		}
	}
	return g.putSplit(k, encodeAlert(&stored))
}
