package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Due implements callback.Queue.
func (e *Engine) Due(_ context.Context, num callback.Num, class callback.DueClass, from callback.DueKey, limit int) ([]callback.Entry, error) {
	e.mu.RLock()
	h, err := e.house(num)
	if err != nil || h.live.Counts.InClass(class) == 0 {
		e.mu.RUnlock()
		return nil, err
	}
	prefix := duePrefix(h.slot, num, class)
	seek := h.marks.heads[class].key(prefix, from)
	e.mu.RUnlock()
	var out []callback.Entry
	err = e.view(func(t *badger.Txn) error {
		return eachItem(t, prefix, seek, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(be64(k[len(k)-8:]))
			entry, err := decodeEntry(v, num, id)
			if err != nil { // one damaged record must not hold up all others; Check tells of it
				e.opt.Log.Error("a due entry is damaged: its call is not sent", "call", id, "err", err)
				return true, nil
			}
			// A result that is stored between this transaction and this question makes
			// a call seem to wait: who claims it finds that it does not (group.claimDue). To
			// note before what runs, as lists do, costs more for the few asked for here.
			if e.attempt(id).show(&entry); entry.Running {
				return true, nil
			}
			out = append(out, entry)
			return len(out) < limit, nil
		})
	})
	return out, err
}

// Call implements callback.Ledger.
func (e *Engine) Call(_ context.Context, num callback.Num, id callback.CallID) (c callback.Call, err error) {
	slot, err := e.slot(num)
	if err != nil {
		return c, err
	}
	r := e.attempt(id)
	err = e.view(func(t *badger.Txn) error {
		if c.Entry, err = readEntry(t, slot, num, id); err != nil {
			return err
		}
		r.show(&c.Entry)
		if c.Response, c.Damaged, err = e.response(t, slot, id); err != nil {
			return err
		}
		c.Attempts, err = readAttempts(t, slot, &c.Entry, callback.MaxCallAttempts)
		if err = e.passOver(err); len(c.Attempts) == 0 && c.Entry.Attempts > 0 {
			c.Attempts = []callback.Attempt{standIn(&c.Entry)}
		}
		return err
	})
	return c, err
}

// unreadable reports whether err is that of a record that is damaged, or gone
// though another says that it must be there.
func unreadable(err error) bool {
	return errors.Is(err, errCorrupt) || errors.Is(err, badger.ErrKeyNotFound)
}

// passOver logs what cannot be read, and returns any other error: one damaged
// record must not keep everything beside it from being shown.
func (e *Engine) passOver(err error) error {
	if unreadable(err) {
		e.opt.Log.Error("a record is damaged or gone: what it told is not shown", "err", err)
		return nil
	}
	return err
}

// standIn is what a call says of its last attempt, where that cannot be read.
func standIn(e *callback.Entry) callback.Attempt {
	return callback.Attempt{
		Number: e.Attempts, Started: e.LastAt, OK: e.LastClass == callback.ClassOK, Code: e.LastCode, Class: e.LastClass,
		Error: "The record of this attempt is damaged: what else it told is lost.",
	}
}

// readAttempts reads the last attempts of a call, at most so many, with the
// beginnings of the answers, oldest first: from the last one back, for each tells
// when the one before began. With an error come those that could be read.
func readAttempts(t *badger.Txn, slot byte, e *callback.Entry, most int) (out []callback.Attempt, err error) {
	at := e.LastAt
	for n := e.Attempts; n > max(e.Attempts-most, 0); n-- {
		a, before, fault := readAttempt(t, attemptKey(slot, e.Num, at, e.ID, n), n)
		lost := fault != nil
		if !lost {
			a.Excerpt, fault = readExcerpt(t, slot, e.ID, n)
			out, at = append(out, a), before
		}
		if fault != nil {
			err = errors.Join(err, fmt.Errorf("read attempt %d of call %s: %w", n, e.ID, fault))
		}
		if lost {
			break
		}
	}
	slices.Reverse(out)
	return out, err
}

func readAttempt(t *badger.Txn, k []byte, n int) (a callback.Attempt, before time.Time, err error) {
	item, err := t.Get(k)
	if err == nil {
		err = item.Value(func(v []byte) error {
			a, before, err = decodeAttempt(v, n)
			return err
		})
	}
	return a, before, err
}

func readExcerpt(t *badger.Txn, slot byte, id callback.CallID, n int) (string, error) {
	var b strings.Builder
	prefix := excerptKey(slot, id, n, 0)
	err := eachItem(t, prefix[:len(prefix)-1], nil, true, func(_, v []byte) (bool, error) {
		r := open(v)
		b.WriteString(r.string())
		return true, r.err
	})
	return b.String(), err
}

// Calls implements callback.Ledger.
func (e *Engine) Calls(ctx context.Context, q callback.CallQuery) (page callback.CallPage, err error) {
	now := e.moment(q.Num)
	err = e.view(func(t *badger.Txn) error {
		l := e.plan(t, q.Bounded(), now)
		defer l.close()
		var next place
		page.Calls, page.Skipped, next, err = collect(ctx, &l.merge, l.q.Limit, l.q.Offset, l.q.Plain(), l.call)
		page.Next, page.More, page.Total, page.Looked = callback.CallID(next.id), next != place{}, l.total, uint64(l.looked)
		return err
	})
	return page, err
}

// call reads the call that a source stands at, as far as is needed to know
// whether q selects it, and completely where it does unless it is only counted.
func (l *list) call(s *source, count bool) (c callback.Call, ok bool, err error) {
	var h *house
	if c.Entry, h, err = l.entry(s); err != nil || h == nil || !l.q.MatchesEntry(&c.Entry, l.q.State != "" && l.e.holds(h)) {
		return c, false, err
	}
	if c.Entry.Attempts > 0 && (l.q.Reason != "" || !count) {
		if err := l.lastAttempt(h.slot, &c, count); err != nil {
			return c, false, err
		}
	}
	if !l.q.MatchesReason(c.Attempts) {
		return c, false, nil
	}
	if l.q.MessageID != "" || l.q.Text != "" || !count {
		l.work += payloadWork
		if c.Response, c.Damaged, err = l.e.response(l.t, h.slot, c.ID); err != nil {
			return c, false, err
		}
	}
	ok = l.q.MatchesResponse(&c.Response)
	if ok && !count {
		l.bytes += c.Response.Size()
	}
	return c, ok, nil
}

// entry returns the state of the call that a source stands at, and its
// callback; nil: it is not wanted, or not there any more.
func (l *list) entry(s *source) (e callback.Entry, h *house, err error) {
	id := callback.CallID(s.head.id)
	h = s.h
	switch s.kind {
	case kindRow, kindDue, kindLate:
		e, err = decodeEntry(s.value, h.num, id)
	case kindMessage:
		num := callback.Num(s.head.n)
		if h, err = l.e.find(num); err != nil || l.q.Num != 0 && num != l.q.Num {
			return e, nil, nil // it was removed, or is not wanted
		}
		fallthrough
	default:
		l.work += entryWork
		e, err = readEntry(l.t, h.slot, h.num, id)
		if callback.ErrorCode(err) == callback.CodeNotFound || s.kind == kindCode && l.alsoSuccess() && e.Listed() == callback.ListSuccess {
			return e, nil, nil // in the second case it comes from the rows of successes
		}
	}
	if err != nil {
		return e, nil, l.e.passOver(fmt.Errorf("read call %s: %w", id, err))
	}
	l.now.running[id].show(&e)
	return e, h, nil
}

// holds reports whether a callback holds calls.
func (e *Engine) holds(h *house) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return h.live.Holds()
}

// lastAttempt reads the last attempt of a call, and of a failure the beginning
// of the answer, unless the call is only counted.
func (l *list) lastAttempt(slot byte, c *callback.Call, count bool) error {
	l.work += attemptWork
	n := c.Entry.Attempts
	a, _, err := readAttempt(l.t, attemptKey(slot, c.Num, c.LastAt, c.ID, n), n)
	if err != nil {
		a = standIn(&c.Entry)
	} else if !a.OK && !count {
		l.work += attemptWork
		a.Excerpt, err = readExcerpt(l.t, slot, c.ID, n)
	}
	c.Attempts = []callback.Attempt{a}
	if err != nil {
		return l.e.passOver(fmt.Errorf("read attempt %d of call %s: %w", n, c.ID, err))
	}
	return nil
}

// saveOutage writes the record of a callback's present or last outage.
func (g *group) saveOutage(h *house) error {
	o := h.live.Record()
	return g.putSplit(outageKey(h.slot, h.cb.Num, o.N), encodeOutage(&o))
}

func byNext(a, b callback.Alert) int {
	return cmp.Or(a.Next.Compare(b.Next), strings.Compare(a.Key, b.Key))
}
