package queue

import (
	"context"
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// eachMention gives the calls whose message id may be the wanted one.
func eachMention(ctx context.Context, t *badger.Txn, messageID string, passOver func(error) error, f func(mention) (bool, error)) error {
	hash := mentionHash(messageID)
	wanted := func(h uint32) bool { return h == hash }
	var list []mention
	return eachItem(t, key(0, kindMessage), nil, true, func(k, v []byte) (more bool, err error) {
		if list, err = decodeBlock(list[:0], k, v, wanted); err != nil {
			return true, passOver(err)
		}
		for i := range list {
			if more, err = f(list[i]); err != nil || !more {
				return false, err
			}
		}
		return true, ctx.Err()
	})
}

// mentions is where a list stands in the index of message ids.
type mentions struct {
	l      *list
	wanted func(hash uint32) bool
	it     *badger.Iterator // at the block that is to be read next; nil: none was
	found  []mention        // of the last block
}

// addMentions adds the calls with the message id asked for.
func (l *list) addMentions() {
	hash := mentionHash(l.q.MessageID)
	m := &mentions{l: l, wanted: func(h uint32) bool { return h == hash }}
	l.add(&source{kind: kindMessage, layout: &byID, feed: m.advance},
		place{}, place{id: math.MaxUint64, n: math.MaxUint32}, place{id: uint64(l.q.After)})
}

// advance moves s to the next call that may have the message id. Blocks without
// one cost work like any row.
func (m *mentions) advance(s *source) (bool, error) {
	if m.it == nil {
		m.begin(s)
	}
	if s.state == taken {
		s.list = s.list[1:]
	}
	for s.state = closed; len(s.list) == 0; s.state = passed {
		switch {
		case !m.it.Valid():
			return false, nil
		case s.state == passed && m.l.work >= m.l.most:
			return true, nil
		}
		if err := m.read(s); err != nil {
			return false, err
		}
		m.l.work++
		m.pass(s)
	}
	s.head, s.state = s.list[0], ready
	return true, nil
}

// begin opens an iterator at the block that holds the head of s, or would.
func (m *mentions) begin(s *source) {
	opt := badger.IteratorOptions{Prefix: key(0, kindMessage), Reverse: true}
	m.it = m.l.t.NewIterator(opt)
	m.l.open = append(m.l.open, m.it)
	m.it.Seek(blockKey(callback.CallID(s.head.id)))
	if !m.l.oldest {
		return
	}
	from := opt.Prefix
	if m.it.Valid() {
		from = m.it.Item().KeyCopy(nil)
	}
	opt.Reverse = false
	m.it = m.l.t.NewIterator(opt)
	m.l.open = append(m.l.open, m.it)
	m.it.Seek(from)
}

// read takes from a block what is wanted of it.
func (m *mentions) read(s *source) error {
	item, l := m.it.Item(), m.l
	err := item.Value(func(v []byte) (err error) {
		m.found, err = decodeBlock(m.found[:0], item.Key(), v, m.wanted)
		return err
	})
	if err != nil {
		m.found = m.found[:0]
		err = l.e.passOver(err)
	}
	s.list = s.list[:0]
	for _, f := range m.found {
		id := uint64(f.id)
		if (l.q.Num == 0 || l.q.Num == f.num) && (id == s.head.id || l.oldest == (id > s.head.id)) {
			s.list = append(s.list, place{id: id, n: uint32(f.num)})
		}
	}
	if !l.oldest {
		slices.Reverse(s.list)
	}
	return err
}

// pass goes to the next block, and makes its bound the head.
func (m *mentions) pass(s *source) {
	s.head = place{id: be64(m.it.Item().Key()[2:]) - 1, n: math.MaxUint32}
	if m.it.Next(); m.l.oldest && m.it.Valid() {
		s.head = place{id: be64(m.it.Item().Key()[2:])}
	}
}
