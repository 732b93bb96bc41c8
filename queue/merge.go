package queue

import (
	"bytes"
	"container/heap"
	"math"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
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
	last  []byte // the key it read last, where it reads all versions
	state sourceState
	it    *badger.Iterator
}

type sourceState uint8

const (
	closed sourceState = iota // nothing was read: head is a bound
	passed                    // some was read and passed over: head is a bound beyond, to seek from
	buried                    // the same, and it goes on with what comes next
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
		if (s.state == passed || s.state == buried) && m.work >= m.most {
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
	it, first := s.it, s.state != taken && s.state != buried
	switch {
	case it != nil && first:
		it.Seek(s.key(s.head, backward))
	case it != nil:
		it.Next()
	case first && len(m.open) < maxIterators:
		s.it = m.t.NewIterator(badger.IteratorOptions{Prefix: s.prefix, Reverse: backward, AllVersions: s.bare(backward)})
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
		if it == s.it && s.bare(backward) {
			if bytes.Equal(k, s.last) { // what it was before
				it.Next()
				continue
			}
			s.last = append(s.last[:0], k...)
		}
		p := s.get(k[len(s.prefix):])
		if it.Item().IsDeletedOrExpired() {
			s.head, s.state = s.beside(p, m.oldest), buried
			m.work++
			return true, nil
		}
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

// bare reports whether s reads what Badger holds of its index, with all that was
// deleted and not compacted yet, and what each row was before. Else Badger passes over
// that by itself, however much it is, in each step of a list anew. Backward the
// oldest version of a key comes first, and in the schedule a head does the same.
func (s *source) bare(backward bool) bool { return s.layout == &byID && !backward }

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
