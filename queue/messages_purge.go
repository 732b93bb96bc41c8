package queue

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

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
