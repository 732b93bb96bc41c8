package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// op is one operation on its way through the writer.
type op struct {
	now    time.Time
	weight int // how many records it writes, about
	bytes  int // how many bytes they have, about
	apply  func(g *group) error
	err    error
	done   chan struct{}
}

// Bounds of one group commit. Badger's own are 15 % of a memtable in bytes, and
// in records that by the size of a node; these lie below both.
const (
	groupWeight = 8 << 10
	groupBytes  = 1 << 20
)

// group is one transaction that carries many operations.
type group struct {
	e       *Engine
	t       *badger.Txn
	disp    callback.Dispatcher
	now     time.Time
	touched map[*house]*callback.Step
	claims  map[byte][]claimed // claims to be written, by slot
	ended   []claimRef         // claim records one of whose calls has its result
	start   []callback.Claim   // calls for the dispatcher
	wake    map[callback.Num]int

	asked     bool // for what follows
	freeBytes uint64
	freeErr   error
}

// submit hands an operation to the writer and waits until it is durable.
// apply runs in the writer; when it returns an error it must have changed
// nothing.
func (e *Engine) submit(ctx context.Context, now time.Time, weight, bytes int, apply func(g *group) error) error {
	if weight > groupWeight { // Badger would refuse the commit, and the engine stop
		return callback.Errorf(callback.CodeInvalid, "that is too much for one commit: about %d records of at most %d", weight, groupWeight)
	}
	o := &op{now: now, weight: weight, bytes: bytes, apply: apply, done: make(chan struct{})}
	if err := e.send(ctx, o); err != nil {
		return err
	}
	// Once sent it will be committed, whatever ctx says: an answer that it was
	// not would be a lie.
	<-o.done
	return o.err
}

func (e *Engine) send(ctx context.Context, o *op) error {
	e.sending.RLock()
	defer e.sending.RUnlock()
	if e.closed {
		return callback.Errorf(callback.CodeUnavailable, "the store is closed")
	}
	select {
	case e.ops <- o:
		return nil
	default:
	}
	select { // the writer is behind: the caller waits, and gives up by its own deadline
	case e.ops <- o:
		return nil
	case <-ctx.Done():
		return callback.Errorf(callback.CodeUnavailable, "the store is overloaded: %v", ctx.Err())
	}
}

// write is the writer: the only goroutine that changes anything.
func (e *Engine) write() {
	defer close(e.done)
	var held *op
	for {
		first := held
		held = nil
		if first == nil {
			o, ok := <-e.ops
			if !ok {
				return
			}
			first = o
		}
		held = e.commit(first)
		e.manifest.changed()
	}
}

// commit runs first, and what waits behind it as far as it fits, in one
// transaction. It returns an operation that did not fit any more.
func (e *Engine) commit(first *op) (held *op) {
	if e.Err() != nil {
		first.err = e.Err()
		close(first.done)
		return nil
	}
	g := &group{
		e: e, t: e.db.NewTransaction(true), now: first.now,
		touched: map[*house]*callback.Step{}, claims: map[byte][]claimed{}, wake: map[callback.Num]int{},
	}
	if e.lastIn.After(g.now) {
		g.now = e.lastIn
	}
	defer g.t.Discard()
	err := e.raise()
	ops, held := e.gather(first)
	e.mu.Lock()
	g.disp = e.disp
	for i := 0; err == nil && i < len(ops); i++ {
		err = g.run(ops[i])
	}
	if err == nil {
		err = g.flush()
	}
	e.mu.Unlock()
	if err == nil {
		done := e.opt.Committing(len(ops))
		err = g.t.Commit()
		done()
	}
	if err == nil {
		err = e.Err() // Badger acknowledges after some errors that it only logs
	}
	if err != nil {
		e.stop(err)
	}
	g.finish(ops, e.Err())
	return held
}

// yields bounds how often a commit lets others run before it begins.
const yields = 8

// gather returns first and what waits behind it, as far as it fits, and an
// operation that did not fit any more. Those whom the last commit answered are
// about to come back: they get the processor once more, for as long as that
// brings something, so that they share a sync and do not wait for the next.
func (e *Engine) gather(first *op) (ops []*op, held *op) {
	weight, bytes, left := first.weight, first.bytes, yields
	ops = append(ops, first)
	for came := false; ; {
		o := e.next()
		switch {
		case o == nil && (left == 0 || left < yields && !came):
			return ops, nil
		case o == nil:
			left, came = left-1, false
			runtime.Gosched()
			continue
		case weight+o.weight > groupWeight || bytes+o.bytes > groupBytes:
			return ops, o
		}
		came = true
		weight, bytes = weight+o.weight, bytes+o.bytes
		ops = append(ops, o)
	}
}

// next returns an operation that waits already, or nil.
func (e *Engine) next() *op {
	select {
	case o := <-e.ops: // nil once closed
		return o
	default:
		return nil
	}
}

// run applies one operation. An *Error is its caller's, and so is a damaged
// record, which an operation reads before it changes anything; any other error
// stops the engine, for the operation may be half done.
func (g *group) run(o *op) error {
	// Times of a group never go back, nor behind the last enqueue, whatever order
	// they were taken in: what is enqueued now is due now.
	if o.now.After(g.now) {
		g.now = o.now
		for _, st := range g.touched {
			st.Now = g.now
		}
	}
	o.err = o.apply(g)
	if o.err == nil || callback.ErrorCode(o.err) != "" || errors.Is(o.err, errCorrupt) {
		return nil
	}
	return o.err
}

// flush writes what the whole group shares: live states, outages, alerts,
// claims.
func (g *group) flush() error {
	for h, st := range g.touched {
		if err := g.flushHouse(h, st); err != nil {
			return err
		}
	}
	return g.flushClaims()
}

func (g *group) flushHouse(h *house, st *callback.Step) error {
	for i := range st.Alerts {
		if err := g.insertAlert(h.slot, &st.Alerts[i]); err != nil {
			return err
		}
	}
	if st.Changed {
		if err := g.saveOutage(h); err != nil {
			return err
		}
	}
	if g.e.last != g.e.lastAt[h.slot] {
		// Ids must not repeat when the clock steps back across a restart.
		g.e.lastAt[h.slot] = g.e.last
		w := newWriter(10)
		w.uint(uint64(g.e.last))
		if err := g.put(append(key(h.slot, kindMeta), "last"...), w.seal()); err != nil {
			return err
		}
	}
	if heads := &h.marks.heads; max(heads[callback.Fresh].gone, heads[callback.Tried].gone) >= g.e.opt.headStep {
		g.e.stale = append(g.e.stale, h)
	}
	if err := g.saveCauses(h); err != nil {
		return err
	}
	return g.putSplit(liveKey(h.slot, h.cb.Num), encodeLive(&h.live, &h.marks))
}

// finish tells the dispatcher what it may do, and answers everyone. In that
// order: whoever is answered may rely on the dispatcher knowing.
func (g *group) finish(ops []*op, err error) {
	if err == nil && g.disp != nil {
		for _, c := range g.start {
			g.disp.Start(c)
		}
		for num, n := range g.wake {
			g.disp.Wake(num, n)
		}
	}
	for _, o := range ops {
		if err != nil && o.err == nil {
			o.err = err
		}
		close(o.done)
	}
}

// step returns the step of this group for a callback, which is then written.
func (g *group) step(h *house) *callback.Step {
	st := g.touched[h]
	if st == nil {
		st = &callback.Step{Policy: g.e.policy.For(&h.cb), ID: h.cb.ID, Now: g.now, Live: &h.live}
		g.touched[h] = st
	}
	return st
}

// put writes a record that must lie inline.
func (g *group) put(k, v []byte) error {
	if len(v) > maxInline {
		return fmt.Errorf("record %q has %d bytes, more than %d", k[1], len(v), maxInline)
	}
	return g.t.Set(k, v)
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
