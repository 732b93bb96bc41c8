package queue

import (
	"container/heap"
	"math"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// list is one query on calls at work.
type list struct {
	merge
	e     *Engine
	q     callback.CallQuery
	now   moment
	few   int // rows that may still be looked at to list what waits in memory
	total uint64
}

// plan chooses the indexes that answer q with the least to look at: none for
// calls that are named, by message id, by code, what runs, or else the rows by
// status. All are in the order of ids. Spans are read after the transaction was
// begun: they only widen, so they hold all that it sees.
func (e *Engine) plan(t *badger.Txn, q callback.CallQuery, now moment) *list {
	l := &list{merge: merge{t: t, oldest: q.Oldest, most: q.Scan, room: q.Bytes, turns: turns{oldest: q.Oldest}}, e: e, q: q, now: now, few: fewFresh}
	l.expand = l.addHouse
	e.mu.RLock()
	defer e.mu.RUnlock()
	where := l.spans()
	for _, h := range e.of(q.Num) {
		if h == nil {
			continue
		}
		l.total += h.live.Counts.In(q.Status)
		switch {
		case q.IDs != nil:
			l.addNamed(h)
		case q.State == callback.StateDelivering:
			l.addRunning(h)
		case q.MessageID == "":
			var all span
			for _, i := range where {
				all.join(h.marks.spans[i])
			}
			l.turns.add(h, all, uint64(q.After))
		}
	}
	if q.MessageID != "" && q.State != callback.StateDelivering {
		l.addMentions()
	}
	heap.Init(&l.turns)
	return l
}

// spans returns of which spans the sources of a callback are.
func (l *list) spans() (out []int) {
	where := l.q.Where()
	if l.byCode() {
		if where == 0 {
			return nil
		}
		out = append(out, spanCode)
		if !l.alsoSuccess() {
			return out
		}
		where &= callback.ListSuccess
	}
	for i, s := range [...]callback.CallStatus{
		spanFresh: callback.ListPending, spanFailed: callback.ListFailed, spanSuccess: callback.ListSuccess,
	} {
		if where&s != 0 {
			out = append(out, i)
		}
	}
	return out
}

// byCode reports whether the index of codes answers the query, alsoSuccess that
// there is more in the rows of successes, which it leaves out.
func (l *list) byCode() bool      { return l.q.Class != "" || l.q.Code != 0 }
func (l *list) alsoSuccess() bool { return l.q.Class == "" && l.q.Code == 200 }

// addHouse adds the sources of one callback.
func (l *list) addHouse(h *house) error {
	l.e.mu.RLock()
	marks := h.marks
	l.e.mu.RUnlock()
	for _, i := range l.spans() {
		s := l.bounded(&marks, i)
		switch i {
		case spanCode:
			if err := l.addCodes(h, s); err != nil {
				return err
			}
		case spanSuccess:
			l.addRows(h, kindRow, rowPrefix(h.slot, h.num, rowSuccess), &byID, s)
		case spanFailed:
			l.addRows(h, kindRow, rowPrefix(h.slot, h.num, rowFailed), &byID, s)
		case spanFresh:
			l.addFresh(h, s, marks.heads[callback.Fresh].from())
			l.addRows(h, kindLate, put32(key(h.slot, kindLate), uint32(h.num)), &byID, s)
		}
	}
	return nil
}

// bounded returns a span of a callback within what the query's bounds of time
// allow: no call was attempted before it was accepted.
func (l *list) bounded(m *marks, i int) span {
	s := m.spans[i]
	if !l.q.To.IsZero() {
		s.top = min(s.top, uint64(m.until(l.q.To.Add(time.Millisecond))))
	}
	return s
}

// addRows adds one source, within s.
func (l *list) addRows(h *house, kind byte, prefix []byte, in *layout, s span) {
	if s.top == 0 {
		return
	}
	after := place{id: uint64(l.q.After)}
	l.add(&source{h: h, kind: kind, prefix: prefix, layout: in, end: l.endOf(s.top)},
		place{id: s.low}, place{id: s.top, n: math.MaxUint32}, after)
}

// fewFresh is how many calls that wait are listed in memory at most, of all callbacks
// together: behind a cursor all of them may have to be looked at for one row.
const fewFresh = 1000

// addFresh adds the calls of a callback that were never tried and are not late. Each
// that was tried since has left a tombstone, and under load the newest of them are
// all the schedule has in a million places: so where few wait they are found from
// the oldest on, which is known. head is where that is now: it was raised since the
// list began, or lowered for what somebody reopened and the transaction sees.
func (l *list) addFresh(h *house, s span, head uint64) {
	if s.low = max(s.low, min(l.now.from(h.num), head)); s.low > s.top {
		return
	}
	prefix := duePrefix(h.slot, h.num, callback.Fresh)
	if !l.oldest {
		if ids, all := l.waiting(prefix, s); all {
			l.addList(&source{h: h, list: ids})
			return
		}
	}
	l.addRows(h, kindDue, prefix, &byDue, s)
}

// waiting returns what stands in a schedule within s and before the cursor, and
// whether that is all.
func (l *list) waiting(prefix []byte, s span) (ids []place, all bool) {
	if l.few == 0 {
		return nil, false
	}
	it, looked := l.probe(false), 0
	if l.q.After != 0 {
		s.top = min(s.top, uint64(l.q.After))
	}
	last := ms(callback.CallID(s.top).Time())
	for it.Seek(byDue.put(prefix[:len(prefix):len(prefix)], place{id: s.low})); it.ValidForPrefix(prefix); it.Next() {
		k := it.Item().Key()[len(prefix):]
		due, id := be64(k), be64(k[8:])
		if due > last {
			break
		}
		if looked++; looked > l.few {
			l.work, l.few = l.work+seekWork+looked, 0
			return nil, false
		}
		if due == ms(callback.CallID(id).Time()) && l.q.Behind(callback.CallID(id)) {
			ids = append(ids, place{id: id})
		}
	}
	l.work, l.few = l.work+seekWork+looked, l.few-looked
	return ids, true
}

// endOf returns where a source ends that holds nothing beyond top.
func (l *list) endOf(top uint64) place {
	if !l.q.Oldest || top == math.MaxUint64 {
		return place{}
	}
	return place{id: top, n: math.MaxUint32}
}

// addRunning adds the calls of a callback that run.
func (l *list) addRunning(h *house) {
	s := &source{h: h}
	for id, r := range l.now.running {
		if r.num == h.num && l.q.Behind(id) {
			s.list = append(s.list, place{id: uint64(id)})
		}
	}
	l.addList(s)
}

// addNamed adds the calls that the query names.
func (l *list) addNamed(h *house) {
	s := &source{h: h}
	for _, id := range l.q.IDs {
		if l.q.Behind(id) {
			s.list = append(s.list, place{id: uint64(id)})
		}
	}
	l.addList(s)
}

// addList adds a source in memory.
func (m *merge) addList(s *source) {
	if len(s.list) == 0 {
		return
	}
	slices.SortFunc(s.list, place.compare)
	if !m.oldest {
		slices.Reverse(s.list)
	}
	s.head = s.list[0]
	heap.Push(m, s)
}

// addCodes adds the sources in the index of codes that q asks for: the pairs of
// code and class there are of one callback, found by a seek each.
func (l *list) addCodes(h *house, s span) error {
	prefix := codePrefix(h.slot, h.num)
	class, _ := callback.ParseClass(l.q.Class)
	pair, last := uint32(0), uint32(0xffffff) // code and class in three bytes, as they stand in a key
	if l.q.Code != 0 {
		pair = uint32(max(l.q.Code, 0)) << 8
		last = pair | 0xff
	}
	it := l.probe(false)
	for pair <= last {
		if l.q.Class != "" {
			if pair&0xff > uint32(class) {
				pair += 0x100
			}
			pair = pair&^0xff | uint32(class)
		}
		l.work += seekWork
		it.Seek(append(prefix[:len(prefix):len(prefix)], byte(pair>>16), byte(pair>>8), byte(pair)))
		if !it.ValidForPrefix(prefix) {
			break
		}
		k := it.Item().Key()[len(prefix):]
		found := uint32(k[0])<<16 | uint32(k[1])<<8 | uint32(k[2])
		if found > last {
			break
		}
		if l.q.Class == "" || found&0xff == uint32(class) {
			l.addRows(h, kindCode, append(prefix[:len(prefix):len(prefix)], k[:3]...), &byID, s)
			found++
		}
		pair = found
	}
	return nil
}
