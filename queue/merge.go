package queue

import (
	"bytes"
	"cmp"
	"container/heap"
	"context"
	"math"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// place is where a row stands in a list: by time in a list of attempts (Unix
// milliseconds, 0 elsewhere), then by call, then by number.
type place struct {
	at uint64
	id uint64
	n  uint32
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.at, o.at), cmp.Compare(p.id, o.id), cmp.Compare(p.n, o.n))
}

// layout says how places stand in the keys of an index, behind their prefix.
type layout struct {
	inverted bool // the newest stands first
	numbered bool // several rows of a call are told apart by their number
	put      func(k []byte, p place) []byte
	get      func(k []byte) place
}

var (
	byID = layout{
		inverted: true,
		put:      func(k []byte, p place) []byte { return put64(k, ^p.id) },
		get:      func(k []byte) place { return place{id: ^be64(k)} },
	}
	byDue = layout{ // only of calls that are not late
		put: func(k []byte, p place) []byte {
			return put64(put64(k, ms(callback.CallID(p.id).Time())), p.id)
		},
		get: func(k []byte) place { return place{id: be64(k[8:])} },
	}
	byTime = layout{
		inverted: true, numbered: true,
		put: func(k []byte, p place) []byte { return put32(put64(put64(k, ^p.at), ^p.id), ^p.n) },
		get: func(k []byte) place { return place{at: ^be64(k), id: ^be64(k[8:]), n: ^be32(k[16:])} },
	}
)

// source is one sorted run of a list: what one index holds of one callback.
type source struct {
	h      *house // nil of message ids: n of the head is the callback's number
	kind   byte
	prefix []byte
	*layout
	list []place                       // in memory, instead of an index
	feed func(s *source) (bool, error) // advances it, instead of the iterator

	head  place // of the row it stands at; before it is opened, a bound of its first
	end   place // it ends behind this one; zero: nowhere
	value []byte
	state sourceState
	it    *badger.Iterator
}

type sourceState uint8

const (
	closed sourceState = iota // nothing was read: head is a bound
	passed                    // some was read and passed over: head is a bound beyond
	ready                     // head is the next row of it
	taken                     // head was given out
)

// What reads cost, where a row of an index costs 1.
const (
	seekWork    = 4
	entryWork   = 10
	attemptWork = 10
	payloadWork = 16
)

// maxIterators bounds how many iterators a list holds; sources beyond that are
// sought anew for every row.
const maxIterators = 64

// merge walks several sources in the order of places, newest first or oldest
// first. A source is opened when its turn may have come: of ten thousand
// callbacks a page looks at few.
type merge struct {
	t       *badger.Txn
	oldest  bool
	sources []*source // a heap
	turns   turns     // callbacks whose sources are not there yet
	open    []*badger.Iterator
	probes  [2]*badger.Iterator  // over everything: forward, backward
	work    int                  // rows looked at, and what else costs as much
	looked  int                  // rows of the indexes up to where the page ends, wanted or not
	most    int                  // how much work there may be
	bytes   int                  // how much the rows of the page hold
	room    int                  // how much they may
	cut     bool                 // it was too much: there may be rows from the first source's head on
	expand  func(h *house) error // adds the sources of a callback
}

// turn is a callback in a merge, and the bound of what may come of it: an id, or
// a time in a list of attempts.
type turn struct {
	bound uint64
	h     *house
}

// turns are callbacks, a heap: of many thousands few have their turn.
type turns struct {
	oldest bool
	list   []turn
}

func (t *turns) Len() int           { return len(t.list) }
func (t *turns) Less(i, j int) bool { return t.before(t.list[i].bound, t.list[j].bound) }
func (t *turns) Swap(i, j int)      { t.list[i], t.list[j] = t.list[j], t.list[i] }
func (t *turns) Push(x any)         { t.list = append(t.list, x.(turn)) }

func (t *turns) Pop() any {
	n := len(t.list) - 1
	last := t.list[n]
	t.list = t.list[:n]
	return last
}

func (t *turns) before(a, b uint64) bool { return a != b && t.oldest == (a < b) }

// add adds a callback that may have something within s, behind after (0: from
// the beginning).
func (t *turns) add(h *house, s span, after uint64) {
	switch {
	case s.top == 0:
	case t.oldest && s.top >= after:
		t.list = append(t.list, turn{s.low, h})
	case !t.oldest && (after == 0 || s.low <= after):
		t.list = append(t.list, turn{s.top, h})
	}
}

// due reports whether the first callback may have something that does not come
// behind head.
func (t *turns) due(head place) bool {
	at := head.at
	if at == 0 {
		at = head.id
	}
	return !t.before(at, t.list[0].bound)
}

func (m *merge) Len() int { return len(m.sources) }

func (m *merge) Less(i, j int) bool {
	c := m.sources[i].head.compare(m.sources[j].head)
	return m.oldest == (c < 0) && c != 0
}
func (m *merge) Swap(i, j int) { m.sources[i], m.sources[j] = m.sources[j], m.sources[i] }
func (m *merge) Push(x any)    { m.sources = append(m.sources, x.(*source)) }

func (m *merge) Pop() any {
	n := len(m.sources) - 1
	s := m.sources[n]
	m.sources = m.sources[:n]
	return s
}

// add adds a source that may hold places from low to top, of which those behind
// after (zero: all) are wanted.
func (m *merge) add(s *source, low, top, after place) {
	if m.oldest {
		s.head = low
		if after != (place{}) && after.compare(low) >= 0 {
			s.head = s.beside(after, true)
		}
		if s.end != (place{}) && s.end.compare(top) < 0 {
			top = s.end
		}
		if s.head.compare(top) > 0 {
			return
		}
	} else {
		s.head = top
		if after != (place{}) && after.compare(top) <= 0 {
			s.head = s.beside(after, false)
		}
		if s.end != (place{}) && s.end.compare(low) > 0 {
			low = s.end
		}
		if s.head.compare(low) < 0 {
			return
		}
	}
	heap.Push(m, s)
}

// beside returns the place right behind p in the direction of the list.
func (s *source) beside(p place, oldest bool) place {
	switch {
	case oldest && s.numbered:
		if p.n++; p.n == 0 {
			p.id++
		}
	case oldest:
		p.id, p.n = p.id+1, 0
	case s.numbered && p.n > 0:
		p.n--
	default:
		p.id, p.n = p.id-1, math.MaxUint32
	}
	return p
}

// next returns the source that stands at the next row, or nil. What it says
// holds until the next call.
func (m *merge) next() (*source, error) {
	for len(m.sources)+len(m.turns.list) > 0 {
		if len(m.turns.list) > 0 && (len(m.sources) == 0 || m.turns.due(m.sources[0].head)) {
			if err := m.expand(heap.Pop(&m.turns).(turn).h); err != nil {
				return nil, err
			}
			continue
		}
		s := m.sources[0]
		if s.state == ready {
			s.state = taken
			m.work++
			return s, nil
		}
		if s.state == passed && m.work >= m.most {
			m.cut = true
			return nil, nil
		}
		ok, err := m.advance(s)
		switch {
		case err != nil:
			return nil, err
		case ok:
			heap.Fix(m, 0)
		default:
			heap.Pop(m)
		}
	}
	return nil, nil
}

// advance moves s to its first or next row and reports whether there is one.
func (m *merge) advance(s *source) (bool, error) {
	switch {
	case s.feed != nil:
		return s.feed(s)
	case s.layout == nil:
		return m.advanceList(s), nil
	}
	backward := m.oldest == s.inverted
	it, first := s.it, s.state != taken
	switch {
	case it != nil && first:
		it.Seek(s.key(s.head, backward))
	case it != nil:
		it.Next()
	case first && len(m.open) < maxIterators:
		s.it = m.t.NewIterator(badger.IteratorOptions{Prefix: s.prefix, Reverse: backward})
		m.open = append(m.open, s.it)
		it = s.it
		it.Seek(s.key(s.head, backward))
	default:
		it = m.probe(backward)
		from := s.head
		if !first {
			from = s.beside(s.head, m.oldest)
		}
		it.Seek(s.key(from, backward))
	}
	for it.Valid() {
		k := it.Item().Key()
		if !bytes.HasPrefix(k, s.prefix) {
			break
		}
		p := s.get(k[len(s.prefix):])
		if s.kind != kindDue || be64(k[len(s.prefix):]) == ms(callback.CallID(p.id).Time()) {
			return m.take(s, p, it.Item())
		}
		// It is late, and stands in an index of its own. Those that are not and are
		// due at the same time have ids of that time.
		var more bool
		if s.head, more = m.passLate(be64(k[len(s.prefix):]), p.id); !more || s.end != (place{}) && s.head.compare(s.end) > 0 {
			return false, nil
		}
		if m.work += seekWork; m.work >= m.most {
			s.state = passed
			return true, nil
		}
		it.Seek(s.key(s.head, backward))
	}
	return false, nil
}

// passLate returns where calls that are not late go on behind a late one that
// is due at the given time, and whether there may be any: the time of no id is
// before that of the first.
func (m *merge) passLate(due, id uint64) (place, bool) {
	first := uint64(callback.FirstCallID(fromMS(due)))
	after := uint64(callback.FirstCallID(fromMS(due + 1)))
	switch {
	case m.oldest && id < first:
		return place{id: first}, true
	case m.oldest:
		return place{id: after}, true
	case id < first:
		return place{id: first - 1}, true
	}
	return place{id: after - 1}, after > 0
}

// take makes an item the head of s, unless it lies behind the end.
func (m *merge) take(s *source, p place, item *badger.Item) (bool, error) {
	if s.end != (place{}) && p != s.end && m.oldest == (p.compare(s.end) > 0) {
		return false, nil
	}
	s.head, s.state = p, ready
	var err error
	s.value, err = item.ValueCopy(s.value)
	return true, err
}

func (m *merge) advanceList(s *source) bool {
	if s.state != closed {
		s.list = s.list[1:]
	}
	if len(s.list) == 0 {
		return false
	}
	s.head, s.state = s.list[0], ready
	return true
}

// key returns where to seek p. A layout may have more behind a place than the
// place tells, so backward it is the last key that p may have.
func (s *source) key(p place, backward bool) []byte {
	k := s.put(s.prefix[:len(s.prefix):len(s.prefix)], p)
	if backward {
		k = append(k, 0xff)
	}
	return k
}

// probe returns an iterator over all keys.
func (m *merge) probe(backward bool) *badger.Iterator {
	i := 0
	if backward {
		i = 1
	}
	if m.probes[i] == nil {
		m.probes[i] = m.t.NewIterator(badger.IteratorOptions{Reverse: backward})
		m.open = append(m.open, m.probes[i])
	}
	return m.probes[i]
}

func (m *merge) close() {
	for _, it := range m.open {
		it.Close()
	}
}

// collect collects a page: all of it, or what the work that is allowed came to.
// It returns how many of the offset were passed, and the place behind which there
// may be more; zero: there is no more. read reads the row that a source stands
// at, if it is wanted: completely, or as far as is needed to count it. all says
// that every row is wanted.
func collect[R any](ctx context.Context, m *merge, limit, offset int, all bool, read func(s *source, count bool) (R, bool, error)) (rows []R, skipped int, next place, err error) {
	var last, shown place // looked at, collected
	seen := 0             // how many were looked at up to shown
	for first := true; ; first = false {
		s, err := m.next()
		switch {
		case err != nil || s == nil && !m.cut:
			return rows, skipped, place{}, err
		case s == nil:
			return rows, skipped, m.reached(last), ctx.Err()
		case !first && m.work > m.most || ctx.Err() != nil:
			return rows, skipped, last, ctx.Err()
		}
		last = s.head
		m.looked++
		if all && skipped < offset {
			skipped++
			m.work -= skipped & 1 // it need not be decoded, and costs half
			continue
		}
		row, ok, err := read(s, skipped < offset)
		switch {
		case err != nil:
			return rows, skipped, place{}, err
		case !ok:
		case skipped < offset:
			skipped++
		case len(rows) == limit || len(rows) > 0 && m.bytes > m.room:
			m.looked = seen
			return rows, skipped, shown, nil
		default:
			rows, shown, seen = append(rows, row), last, m.looked
		}
	}
}

// reached returns behind which place a list that was cut goes on: the last one
// looked at, or where a source is that passed over what it need not give.
func (m *merge) reached(last place) place {
	at := m.sources[0].head
	if m.oldest {
		at.id--
	} else {
		at.id++
	}
	at.n = 0
	if last != (place{}) && m.oldest == (at.compare(last) < 0) {
		return last
	}
	return at
}
