package queue

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// newCall is one item of an Enqueue, encoded before it reaches the writer.
type newCall struct {
	*callback.NewCall
	payload []byte
	print   [32]byte // of the response, where it has a key
}

// enqueue is an Enqueue on its way to the writer, as much of it as one commit takes.
type enqueue struct {
	op
	batch   []newCall
	results []callback.Enqueued
	memory  []byte // of the payloads
}

// keptMemory and keptCalls bound what is kept of an enqueue to be used again: to make
// one, with memory for a response, cost twice what the response needs.
const (
	keptMemory = 16 << 10
	keptCalls  = 16
)

func (e *Engine) newEnqueue() *enqueue {
	q, ok := e.enqueues.Get().(*enqueue)
	if !ok {
		q = new(enqueue)
		q.apply, q.done = q.run, make(chan struct{}, 1)
	}
	return q
}

// keep keeps q. Nobody may have what stands in it any more: Badger has copied what was
// committed, but of one that failed nothing is known.
func (e *Engine) keep(q *enqueue) {
	clear(q.batch)
	q.batch, q.results, q.memory = q.batch[:0], nil, q.memory[:0]
	if cap(q.memory) <= keptMemory && cap(q.batch) <= keptCalls {
		e.enqueues.Put(q)
	}
}

// enqueueWeight is how many records one call writes at most, where each is of
// another callback: the response, its due entry, its place among the late ones,
// its idempotency key; a live state in up to three parts, the last id of the slot,
// and a claim, or the last block of message ids, of which there is one for many calls.
const enqueueWeight = 9

// Enqueue implements callback.Queue.
func (e *Engine) Enqueue(ctx context.Context, now time.Time, calls []callback.NewCall) ([]callback.Enqueued, error) {
	out := make([]callback.Enqueued, len(calls))
	q := e.newEnqueue()
	for from := 0; from < len(calls); from += len(q.batch) {
		q.encode(calls[from:], now)
		q.results = out[from : from+len(q.batch)]
		if err := e.do(ctx, &q.op); err != nil {
			return out, unsent(out, from, err)
		}
	}
	e.keep(q)
	return out, nil
}

// encode encodes as many of the calls as one commit takes, at least one.
// The memory of a commit is bounded, although a payload in the value log costs
// the transaction little.
func (q *enqueue) encode(calls []callback.NewCall, now time.Time) {
	q.now, q.bytes, q.blind, q.err = now, 0, true, nil
	q.batch, q.memory = q.batch[:0], q.memory[:0]
	for i := range calls {
		from := len(q.memory)
		q.memory = appendPayload(q.memory, &calls[i].Response, calls[i].Num, now)
		c := newCall{NewCall: &calls[i], payload: q.memory[from:len(q.memory):len(q.memory)]}
		if len(q.batch) > 0 && q.bytes+len(c.payload) > groupBytes {
			break
		}
		if c.Response.Key != "" {
			c.print = callback.Fingerprint(&c.Response)
			q.blind = false // it looks for what was enqueued before
		}
		q.batch = append(q.batch, c)
		if q.bytes += len(c.payload) + 200; len(q.batch) == 512 {
			break
		}
	}
	q.weight = enqueueWeight * len(q.batch)
}

// run is what the writer does.
func (q *enqueue) run(g *group) error {
	for i := range q.batch {
		if err := g.enqueue(q.now, &q.batch[i], &q.results[i]); err != nil {
			return err
		}
	}
	return nil
}

// unsent says of the results from the place from on that they were not stored.
// Where others were, the whole is no error: they must not be sent again.
func unsent(out []callback.Enqueued, from int, err error) error {
	if from == 0 {
		return err
	}
	for i := range out[from:] {
		out[from+i] = callback.Enqueued{Err: callback.Errorf(callback.CodeUnavailable, "not stored: %v", err)}
	}
	return nil
}

// enqueue stores one response, unless its callback or its key forbid it.
func (g *group) enqueue(now time.Time, c *newCall, out *callback.Enqueued) error {
	h, err := g.e.house(c.Num)
	if err == nil && h.live.Deleted {
		err = callback.NoCallback(h.cb.Name)
	}
	if err == nil && h.cb.Skips(c.Response.Kind()) {
		out.Skipped = true
		g.step(h).Live.Counts.Skipped++
		return nil
	}
	if err == nil {
		err = g.mayGrow()
	}
	if err != nil {
		out.Err = err
		return nil
	}
	if c.Response.Key != "" {
		if done, err := g.repeated(h, c, out); done || err != nil {
			return err
		}
	}
	// Enqueues do not get here in the order in which they took their times; the
	// calls of a callback must wait in the order of their ids all the same.
	if now.Before(g.e.lastIn) {
		now = g.e.lastIn
		c.payload = encodePayload(&c.Response, c.Num, now)
	}
	g.e.lastIn = now
	g.e.last = callback.NextCallID(g.e.last, now)
	e := callback.Entry{ID: g.e.last, Num: c.Num, Enqueued: now, Due: c.Response.DeliverAt}
	st := g.step(h)
	st.Enqueue(&e)
	if c.Response.Key != "" {
		w := newWriter(48)
		w.uint(uint64(e.ID))
		w.string(string(c.print[:]))
		if err := g.put(idempotencyKey(h.slot, h.num, c.Response.Key), w.seal()); err != nil {
			return err
		}
	}
	if err := g.set(payloadKey(h.slot, e.ID), c.payload); err != nil {
		return err
	}
	if m := c.Response.MessageID; m != "" {
		if err := g.mention(mention{mentionHash(m), e.ID, c.Num}); err != nil {
			return err
		}
	}
	if err := g.move(h, nil, &e); err != nil {
		return err
	}
	out.ID = e.ID
	switch {
	case g.disp == nil || e.Due.After(g.now):
		g.changed[c.Num] = struct{}{}
	case !g.disp.Slot(c.Num, h.cb.RatePerSecond == 0 && st.MayStart(&e) == callback.Go && !st.Behind(&e) && g.mayStart(), c.Response.Size()):
		g.wake[c.Num]++
	default:
		st.Start(&e)
		g.claim(h, &e)
		g.start = append(g.start, callback.Claim{Entry: e, Response: c.Response})
	}
	return nil
}

func idempotencyKey(slot byte, num callback.Num, k string) []byte {
	sum := sha256.Sum256(append(put32(nil, uint32(num)), k...))
	return append(key(slot, kindKey), sum[:16]...)
}

// repeated answers an enqueue whose key was used before.
func (g *group) repeated(h *house, c *newCall, out *callback.Enqueued) (bool, error) {
	item, err := g.t.Get(idempotencyKey(h.slot, h.num, c.Response.Key))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, item.Value(func(v []byte) error {
		r := open(v)
		id, print := callback.CallID(r.uint()), r.string()
		switch {
		case r.err != nil: // an item of a batch must not undo the others
			out.Err = fmt.Errorf("read the idempotency key: %w", r.err)
		case print != string(c.print[:]):
			out.Err = callback.KeyReused(c.Response.Key)
		default:
			out.ID, out.Repeat = id, true
		}
		return nil
	})
}
