package queue

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// write is one change of a record.
type write struct {
	k, v []byte
	gone bool // it is deleted
}

// put writes a record that must lie inline.
func (g *group) put(k, v []byte) error {
	if len(v) > maxInline {
		return fmt.Errorf("record %q has %d bytes, more than %d", k[1], len(v), maxInline)
	}
	return g.set(k, v)
}

// set writes a record.
func (g *group) set(k, v []byte) error {
	g.wrote = true
	if g.before != nil {
		g.writes = append(g.writes, write{k: k, v: v})
	}
	if g.used == len(g.spare) {
		more := make([]badger.Entry, 32)
		for i := range more {
			g.spare = append(g.spare, &more[i])
		}
	}
	entry := g.spare[g.used]
	g.used++
	entry.Key, entry.Value = k, v
	return g.t.SetEntry(entry)
}

// delete removes a record.
func (g *group) delete(k []byte) error {
	g.wrote = true
	if g.before != nil {
		g.writes = append(g.writes, write{k: k, gone: true})
	}
	return g.t.Delete(k)
}

// putSplit writes a record over as many keys as it needs: k and a part number
// each, the first beginning with the number of parts.
func (g *group) putSplit(k, v []byte) error {
	parts := partsOf(v)
	if parts > maxParts {
		return fmt.Errorf("record %q has %d bytes, more than %d", k[1], len(v), maxParts*partSize)
	}
	for i := range parts {
		n := min(len(v), partSize)
		part := v[:n:n]
		if i == 0 {
			part = append([]byte{byte(parts)}, part...)
		}
		v = v[n:]
		if err := g.put(append(k[:len(k):len(k)], byte(i)), part); err != nil {
			return err
		}
	}
	return nil
}

const (
	partSize = maxInline - 1
	maxParts = 255 // a part's number is one byte
)

func partsOf(v []byte) int { return (len(v) + partSize - 1) / partSize }

// getSplit reads what putSplit wrote.
func getSplit(t *badger.Txn, k []byte) ([]byte, error) {
	var out []byte
	parts := 1
	for i := 0; i < parts; i++ {
		item, err := t.Get(append(k[:len(k):len(k)], byte(i)))
		if err != nil {
			return nil, err
		}
		err = item.Value(func(v []byte) error {
			if i == 0 && len(v) > 0 {
				parts, v = int(v[0]), v[1:]
			}
			out = append(out, v...)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
