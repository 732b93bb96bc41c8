package queue

import (
	"encoding/binary"
	"fmt"

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
