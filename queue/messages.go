package queue

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// The index of message ids is made of blocks: a record for each some fifty calls
// in the order of their ids, of all callbacks. A record for each call made an
// enqueue a sixth dearer (docs/benchmarks.md), although few of them are ever asked
// for: so whoever asks looks through all blocks, at some ten nanoseconds a call.

// mention says that a call's response has a message id with that hash.
type mention struct {
	hash uint32
	id   callback.CallID
	num  callback.Num
}

// mentionHash is FNV-1a of 32 bits. It need not be more: whoever finds a call by
// it reads the response, and compares.
func mentionHash(messageID string) uint32 {
	h := uint32(2166136261) // without the allocations of hash/fnv
	for i := range len(messageID) {
		h = (h ^ uint32(messageID[i])) * 16777619
	}
	return h
}

// block is the last record of the index, to which calls are added until it is
// full. It belongs to the writer.
type block struct {
	list []mention // in the order of ids
	size int       // of them, encoded
}

// blockKey is the place of the block whose first call has that id.
func blockKey(first callback.CallID) []byte { return put64(key(0, kindMessage), uint64(first)) }

// add adds a call, unless it does not fit.
func (b *block) add(m mention) bool {
	first := m.id
	if len(b.list) > 0 {
		first = b.list[0].id
	}
	var buf [2 * binary.MaxVarintLen64]byte
	size := 4 + len(appendPlace(buf[:0], first, &m))
	if b.size+size > maxInline-recordHead-2 { // and the number of calls
		return false
	}
	b.list, b.size = append(b.list, m), b.size+size
	return true
}

func appendPlace(to []byte, first callback.CallID, m *mention) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(to, uint64(m.id-first)), uint64(m.num))
}

// encodeBlock writes all hashes first: of most blocks nothing else is read.
func encodeBlock(list []mention) []byte {
	w := newWriter(maxInline)
	w.int(len(list))
	for i := range list {
		w.b = binary.BigEndian.AppendUint32(w.b, list[i].hash)
	}
	for i := range list {
		w.b = appendPlace(w.b, list[0].id, &list[i])
	}
	return w.seal()
}

// decodeBlock adds to list what stands in a block, of all calls or of those whose
// message id has the wanted hash.
func decodeBlock(list []mention, k, v []byte, wanted func(hash uint32) bool) ([]mention, error) {
	r := open(v)
	n := r.int()
	if r.err != nil || n <= 0 || n > len(r.b)/4 {
		return list, fmt.Errorf("read the message ids from %x on: %w", k, errCorrupt)
	}
	hashes, any := r.b[:4*n], false
	for i := 0; i < n && !any; i++ {
		any = wanted(binary.BigEndian.Uint32(hashes[4*i:]))
	}
	if !any {
		return list, nil
	}
	r.b = r.b[4*n:]
	first := be64(k[len(k)-8:])
	for i := range n {
		m := mention{binary.BigEndian.Uint32(hashes[4*i:]), callback.CallID(first + r.uint()), callback.Num(r.uint())}
		if wanted(m.hash) {
			list = append(list, m)
		}
	}
	if r.err != nil {
		return list, fmt.Errorf("read the message ids from %x on: %w", k, r.err)
	}
	return list, nil
}

func everyHash(uint32) bool { return true }

// mention puts a call into the index. What does not make a block full is written
// when the group is.
func (g *group) mention(m mention) error {
	g.mentions = true
	if g.e.mentions.add(m) {
		return nil
	}
	if err := g.flushMentions(); err != nil {
		return err
	}
	g.e.mentions = block{}
	g.e.mentions.add(m)
	return nil
}

func (g *group) flushMentions() error {
	if !g.mentions {
		return nil
	}
	list := g.e.mentions.list
	return g.put(blockKey(list[0].id), encodeBlock(list))
}

// loadMentions reads the last block, which the next calls are added to.
func (e *Engine) loadMentions(t *badger.Txn) error {
	it := t.NewIterator(badger.IteratorOptions{Prefix: key(0, kindMessage), Reverse: true})
	defer it.Close()
	it.Seek(blockKey(^callback.CallID(0)))
	if !it.Valid() {
		return nil
	}
	item := it.Item()
	return item.Value(func(v []byte) error {
		list, err := decodeBlock(nil, item.Key(), v, everyHash)
		if err != nil {
			return nil // the next call begins another one; Check tells of this one
		}
		for i := range list {
			e.mentions.add(list[i])
		}
		return nil
	})
}

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

// purgeMentions removes blocks none of whose calls is there any more. It looks at
// each once for each horizon, when all its calls are older than that; as calls may
// end long after they were enqueued, that is done anew for an hour, and for all
// when PurgeStray has run.
func (e *Engine) purgeMentions(ctx context.Context, now time.Time, horizons ...time.Time) error {
	e.crowds.clear()
	for i, horizon := range horizons {
		if horizon.IsZero() {
			continue // they are kept for ever
		}
		w := blocks{
			e: e, from: e.swept[i], next: e.swept[i],
			end: callback.FirstCallID(horizon), settled: callback.FirstCallID(horizon.Add(-time.Hour)),
		}
		for more := true; more && ctx.Err() == nil; {
			var gone [][]byte
			var err error
			if gone, more, err = w.find(); err == nil {
				err = e.remove(ctx, now, gone)
			}
			if err != nil {
				return err
			}
		}
		e.swept[i] = w.next
	}
	return e.submit(ctx, now, 1, 0, (*group).dropMentions)
}

// dropMentions removes the last block where none of its calls is there any more:
// calls may be added to it, so only the writer can tell.
func (g *group) dropMentions() error {
	if len(g.e.mentions.list) == 0 {
		if err := g.e.loadMentions(g.t); err != nil {
			return err
		}
	}
	list := g.e.mentions.list
	if used, err := mentioned(g.t, list, g.e.house); len(list) == 0 || used || err != nil {
		return err
	}
	g.e.mentions, g.mentions = block{}, false
	return g.delete(blockKey(list[0].id))
}

// blocks is a walk over the index of message ids.
type blocks struct {
	e       *Engine
	from    callback.CallID // the block to go on with
	next    callback.CallID // the block that the next walk begins with
	left    bool            // next stays
	end     callback.CallID // blocks all of whose calls are older are looked at
	settled callback.CallID // those all of whose calls are older than this, once
}

// blockScan is how many blocks one transaction looks at.
const blockScan = 5000

// find returns blocks of no use, and whether there may be more.
func (w *blocks) find() (gone [][]byte, more bool, err error) {
	var k []byte
	var list []mention
	looked := 0
	err = w.e.view(func(t *badger.Txn) error {
		return eachItem(t, key(0, kindMessage), blockKey(w.from), true, func(next, v []byte) (bool, error) {
			// A block is looked at when the next is known: its calls are older than those
			// of that, and nothing is added to it any more.
			w.from = callback.CallID(be64(next[2:]))
			if w.from > w.end {
				return false, nil
			}
			if k != nil {
				if used, err := mentioned(t, list, w.e.find); err != nil {
					return false, err
				} else if !used {
					gone = append(gone, k)
				} else if w.from > w.settled {
					w.left = true
				}
				if !w.left {
					w.next = w.from
				}
			}
			if looked++; looked > blockScan {
				more = true
				return false, nil
			}
			k = bytes.Clone(next)
			var err error
			if list, err = decodeBlock(list[:0], next, v, everyHash); err != nil {
				k = nil // of which calls it tells is not known
				err = w.e.passOver(err)
			}
			return true, err
		})
	})
	return gone, more, err
}

// mentioned reports whether one of the calls is still there.
func mentioned(t *badger.Txn, list []mention, find func(callback.Num) (*house, error)) (bool, error) {
	for i := range list {
		if h, err := find(list[i].num); err == nil {
			if _, err := t.Get(payloadKey(h.slot, list[i].id)); !errors.Is(err, badger.ErrKeyNotFound) {
				return true, err
			}
		}
	}
	return false, nil
}

// finder looks calls up in the index of message ids. Calls in the order of their
// ids are mostly found in the block of the one before.
type finder struct {
	it   *badger.Iterator // backward
	list []mention
}

func newFinder(t *badger.Txn) *finder {
	return &finder{it: t.NewIterator(badger.IteratorOptions{Prefix: key(0, kindMessage), Reverse: true})}
}

func (f *finder) close() { f.it.Close() }

// find returns an error unless the index tells of a call.
func (f *finder) find(m mention) error {
	if n := len(f.list); n == 0 || m.id < f.list[0].id || m.id > f.list[n-1].id {
		f.list = f.list[:0]
		if f.it.Seek(blockKey(m.id)); !f.it.Valid() {
			return badger.ErrKeyNotFound
		}
		item := f.it.Item()
		err := item.Value(func(v []byte) (err error) {
			f.list, err = decodeBlock(f.list, item.Key(), v, everyHash)
			return err
		})
		if err != nil {
			return err
		}
	}
	if !slices.Contains(f.list, m) {
		return badger.ErrKeyNotFound
	}
	return nil
}
