package queue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Due implements callback.Queue.
func (e *Engine) Due(_ context.Context, num callback.Num, class callback.DueClass, from callback.DueKey, limit int) ([]callback.Entry, error) {
	slot, err := e.slot(num)
	if err != nil {
		return nil, err
	}
	prefix := duePrefix(slot, num, class)
	var out []callback.Entry
	err = e.db.View(func(t *badger.Txn) error {
		seek := put64(put64(prefix[:len(prefix):len(prefix)], ms(from.Due)), uint64(from.ID))
		return eachItem(t, prefix, seek, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(be64(k[len(k)-8:]))
			entry, err := decodeEntry(v, num, id)
			switch {
			case err != nil: // one damaged record must not hold up all others; Check tells of it
				e.opt.Log.Error("a due entry is damaged: its call is not sent", "call", id, "err", err)
			case !e.running(id):
				out = append(out, entry)
			}
			return len(out) < limit, nil
		})
	})
	return out, err
}

func (e *Engine) running(id callback.CallID) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.runs[id] != nil
}

// Call implements callback.Ledger.
func (e *Engine) Call(_ context.Context, num callback.Num, id callback.CallID) (c callback.Call, err error) {
	slot, err := e.slot(num)
	if err != nil {
		return c, err
	}
	err = e.db.View(func(t *badger.Txn) error {
		entry, err := e.readCall(t, slot, num, id)
		if err != nil {
			return err
		}
		c.Entry = entry
		if c.Response, c.Damaged, err = e.response(t, slot, id); err != nil {
			return err
		}
		for n := 1; n <= entry.Attempts; n++ {
			a, err := readAttempt(t, slot, id, n)
			if err != nil {
				return err
			}
			if a.Excerpt, err = readExcerpt(t, slot, id, n); err != nil {
				return err
			}
			c.Attempts = append(c.Attempts, a)
		}
		return nil
	})
	return c, err
}

// readCall reads the state of a call: from memory while it runs.
func (e *Engine) readCall(t *badger.Txn, slot byte, num callback.Num, id callback.CallID) (callback.Entry, error) {
	e.mu.RLock()
	r := e.runs[id]
	if r != nil && r.entry.Num == num {
		entry := r.entry
		e.mu.RUnlock()
		return entry, nil
	}
	e.mu.RUnlock()
	return readEntry(t, slot, num, id)
}

func readAttempt(t *badger.Txn, slot byte, id callback.CallID, n int) (a callback.Attempt, err error) {
	item, err := t.Get(attemptKey(slot, id, n))
	if err == nil {
		err = item.Value(func(v []byte) error {
			a, err = decodeAttempt(v, n)
			return err
		})
	}
	if err != nil {
		return a, fmt.Errorf("read attempt %d of call %s: %w", n, id, err)
	}
	return a, nil
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
	q = q.Bounded()
	err = e.db.View(func(t *badger.Txn) error {
		m, err := e.merge(t, q)
		if err != nil {
			return err
		}
		defer m.close()
		skip, last := q.Offset, callback.CallID(0)
		for looked := 0; ; looked++ {
			entry, from, err := m.next()
			if err != nil || from == nil {
				return err
			}
			if looked >= q.Scan || ctx.Err() != nil {
				page.More, page.Next = true, last
				return ctx.Err()
			}
			c, err := e.listed(t, from.slot, entry)
			if err != nil {
				return err
			}
			if !q.Selects(&c, from.live) {
				last = entry.ID
				continue
			}
			if skip > 0 {
				skip--
				last = entry.ID
				continue
			}
			if len(page.Calls) == q.Limit {
				page.More, page.Next = true, page.Calls[q.Limit-1].ID
				return nil
			}
			page.Calls = append(page.Calls, c)
			last = entry.ID
		}
	})
	return page, err
}

// listed returns a call as a list gives it: with its last attempt.
func (e *Engine) listed(t *badger.Txn, slot byte, entry callback.Entry) (c callback.Call, err error) {
	c.Entry = entry
	if c.Response, c.Damaged, err = e.response(t, slot, entry.ID); err != nil {
		return c, err
	}
	if entry.Attempts > 0 {
		a, err := readAttempt(t, slot, entry.ID, entry.Attempts)
		if err != nil {
			return c, err
		}
		c.Attempts = []callback.Attempt{a}
	}
	return c, nil
}

// source is one sorted run of calls: the rows of one callback and status, or
// its calls never tried.
type source struct {
	num    callback.Num
	slot   byte
	live   *callback.Live
	it     *badger.Iterator
	loaded []callback.Entry // instead of it
	head   callback.Entry
	ok     bool
}

// merged walks several sources in the order of ids.
type merged struct {
	e       *Engine
	q       callback.CallQuery
	sources []*source
}

// merge opens the sources of a query, each placed behind q.After.
func (e *Engine) merge(t *badger.Txn, q callback.CallQuery) (*merged, error) {
	m := &merged{e: e, q: q}
	for _, h := range e.Callbacks() {
		if q.Num != 0 && h.Num != q.Num {
			continue
		}
		slot, err := e.slot(h.Num)
		if err != nil {
			continue // purged meanwhile
		}
		live := &h.Live
		c := live.Counts
		for _, k := range []struct {
			status callback.CallStatus
			row    byte
			n      uint64
		}{
			{callback.ListSuccess, rowSuccess, c.Delivered + c.Resolved},
			{callback.ListFailed, rowFailed, c.Failed + c.Retrying},
		} {
			if q.Status&k.status == 0 || k.n == 0 {
				continue
			}
			prefix := rowPrefix(slot, h.Num, k.row)
			s := &source{num: h.Num, slot: slot, live: live, it: t.NewIterator(badger.IteratorOptions{Prefix: prefix, Reverse: q.Oldest})}
			s.it.Seek(m.seek(prefix))
			m.sources = append(m.sources, s)
		}
		if q.Status&callback.ListPending != 0 && c.Pending > 0 {
			s := &source{num: h.Num, slot: slot, live: live}
			if s.loaded, err = e.fresh(t, slot, h.Num, q); err != nil {
				m.close()
				return nil, err
			}
			m.sources = append(m.sources, s)
		}
	}
	for _, s := range m.sources {
		if err := m.advance(s); err != nil {
			m.close()
			return nil, err
		}
	}
	return m, nil
}

// seek returns where a source begins: rows stand newest first.
func (m *merged) seek(prefix []byte) []byte {
	k := prefix[:len(prefix):len(prefix)]
	switch {
	case m.q.After == 0 && m.q.Oldest:
		return append(put64(k, ^uint64(0)), 0xff)
	case m.q.After == 0:
		return k
	case m.q.Oldest:
		return put64(k, ^uint64(m.q.After+1))
	}
	return put64(k, ^uint64(m.q.After-1))
}

// fresh reads the calls of a callback that were never tried, sorted by id. They
// are kept by due time, which is nearly the same order; the number looked at is
// bounded.
func (e *Engine) fresh(t *badger.Txn, slot byte, num callback.Num, q callback.CallQuery) (out []callback.Entry, err error) {
	prefix := duePrefix(slot, num, callback.Fresh)
	it := t.NewIterator(badger.IteratorOptions{Prefix: prefix, Reverse: !q.Oldest})
	defer it.Close()
	from := prefix
	if !q.Oldest {
		from = append(prefix[:len(prefix):len(prefix)], 0xff)
	}
	keep := q.Offset + q.Limit + 1
	sort := func() {
		slices.SortFunc(out, func(a, b callback.Entry) int {
			return q.Order(callback.Call{Entry: a}, callback.Call{Entry: b})
		})
	}
	looked := 0
	for it.Seek(from); it.Valid() && looked < q.Scan; it.Next() {
		looked++
		var due time.Time
		_, err := visit(it.Item(), true, func(k, v []byte) (bool, error) {
			entry, err := decodeEntry(v, num, callback.CallID(be64(k[len(k)-8:])))
			due = entry.Due
			if err == nil && (q.After == 0 || q.Oldest == (entry.ID > q.After) && entry.ID != q.After) {
				out = append(out, entry)
			}
			return true, err
		})
		if err != nil {
			return nil, err
		}
		if !q.Plain() || len(out) < 2*keep {
			continue
		}
		sort() // only the first keep can be asked for
		out = out[:keep]
		// No call is due before it was enqueued: from here on all are older.
		if !q.Oldest && out[keep-1].ID >= callback.FirstCallID(due.Add(time.Millisecond)) {
			break
		}
	}
	sort()
	return out, nil
}

// advance moves a source to its next call.
func (m *merged) advance(s *source) (err error) {
	if s.it == nil {
		if s.ok = len(s.loaded) > 0; s.ok {
			s.head, s.loaded = s.loaded[0], s.loaded[1:]
		}
		return nil
	}
	if s.ok = s.it.Valid(); !s.ok {
		return nil
	}
	_, err = visit(s.it.Item(), true, func(k, v []byte) (bool, error) {
		s.head, err = decodeEntry(v, s.num, callback.CallID(^be64(k[len(k)-8:])))
		return true, err
	})
	s.it.Next()
	return err
}

// next returns the next call in order, and where it is from; nil: there is none.
func (m *merged) next() (entry callback.Entry, from *source, err error) {
	var best *source
	for _, s := range m.sources {
		if s.ok && (best == nil || (s.head.ID < best.head.ID) == m.q.Oldest) {
			best = s
		}
	}
	if best == nil {
		return entry, nil, nil
	}
	entry = best.head
	m.e.mu.RLock()
	if r := m.e.runs[entry.ID]; r != nil { // what is on disk does not say that it runs
		entry = r.entry
	}
	m.e.mu.RUnlock()
	return entry, best, m.advance(best)
}

func (m *merged) close() {
	for _, s := range m.sources {
		if s.it != nil {
			s.it.Close()
		}
	}
}

// saveOutage writes the record of a callback's present or last outage.
func (g *group) saveOutage(h *house) error {
	o := h.live.Record()
	return g.putSplit(outageKey(h.slot, h.cb.Num, o.N), encodeOutage(&o))
}

func byNext(a, b callback.Alert) int {
	return cmp.Or(a.Next.Compare(b.Next), strings.Compare(a.Key, b.Key))
}
