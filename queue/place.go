package queue

import (
	"cmp"

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
