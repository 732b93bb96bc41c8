package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// operation is one operation in memory: all that are remembered are there.
type operation struct {
	callback.Operation
	seq   uint64 // in the order in which they began
	slot  byte
	parts int // of its record

	// from is where the earlier states that it keeps begin, as far as is known:
	// to seek from their very beginning would walk over all that were deleted.
	from callback.CallID
}

func operationKey(slot byte, num callback.Num, seq uint64) []byte {
	return put64(put32(key(slot, kindOperation), uint32(num)), seq)
}

// StartOperation implements callback.Operations.
func (e *Engine) StartOperation(ctx context.Context, now time.Time, o callback.Operation, ids ...callback.CallID) (op callback.Operation, fresh bool, err error) {
	ids = o.Name(ids)
	o = o.Bounded()
	err = e.submit(ctx, now, 24+namedRecords(len(ids)), 8192+16*len(ids), func(g *group) error {
		if known := e.operations[o.ID]; known != nil {
			op = known.Operation
			return known.Repeats(&o)
		}
		h, err := e.house(o.Num)
		if err == nil && h.live.Deleted {
			err = callback.NoCallback(h.cb.Name)
		}
		if err == nil {
			err = g.mayGrow()
		}
		if err == nil {
			err = callback.MayOperate(e.active, len(e.operations)+1)
		}
		if err != nil {
			return err
		}
		e.opSeq++
		e.active++
		o.Begin(now, e.last, &h.live.Counts)
		known := &operation{Operation: o, seq: e.opSeq, slot: h.slot}
		e.operations[o.ID] = known
		op, fresh = o, true
		if err := g.saveNamed(known, ids); err != nil {
			return err
		}
		return g.saveOperation(known)
	})
	return op, fresh, err
}

// saveOperation writes the record of an operation.
func (g *group) saveOperation(o *operation) error {
	b := encodeOperation(o)
	k := operationKey(o.slot, o.Num, o.seq)
	if err := g.deleteParts(k, partsOf(b), o.parts); err != nil {
		return err
	}
	o.parts = partsOf(b)
	return g.putSplit(k, b)
}

// loadOperations reads the operations of one slot.
func (e *Engine) loadOperations(t *badger.Txn, slot byte) error {
	return eachKey(t, key(slot, kindOperation), nil, func(k []byte) (bool, error) {
		if k[len(k)-1] != 0 {
			return true, nil // a further part
		}
		b, err := getSplit(t, k[:len(k)-1])
		if err != nil {
			return false, fmt.Errorf("read operation %x: %w", k[2:len(k)-1], err)
		}
		o, err := decodeOperation(b)
		if err != nil {
			return false, fmt.Errorf("read operation %x: %w", k[2:len(k)-1], err)
		}
		known := &operation{Operation: o, seq: be64(k[6:]), slot: slot, parts: partsOf(b)}
		e.operations[o.ID] = known
		e.opSeq = max(e.opSeq, known.seq)
		if o.Active() {
			e.active++
		}
		return true, nil
	})
}

// Operation implements callback.Operations.
func (e *Engine) Operation(ctx context.Context, id string) (op callback.Operation, err error) {
	e.mu.RLock()
	o, err := e.operation(id)
	if err == nil {
		op = o.Operation
	}
	e.mu.RUnlock()
	if err != nil {
		return op, err
	}
	return op, e.settle(ctx)
}

// settle waits until what stands in memory is on disk. It is one commit ahead, and
// whoever is told of an operation must find the calls as it left them.
func (e *Engine) settle(ctx context.Context) error {
	return e.do(ctx, &op{blind: true, apply: func(*group) error { return nil }})
}

func (e *Engine) operation(id string) (*operation, error) {
	if o := e.operations[id]; o != nil {
		return o, nil
	}
	return nil, callback.NoOperation(id)
}

// byAge returns all operations, those begun first in front. The caller holds mu.
func (e *Engine) byAge() []*operation {
	all := make([]*operation, 0, len(e.operations))
	for _, o := range e.operations {
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b *operation) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	return all
}

// Operations implements callback.Operations.
func (e *Engine) Operations(ctx context.Context, q callback.OperationQuery) (out []callback.Operation, total int, err error) {
	e.mu.RLock()
	all := e.byAge()
	slices.Reverse(all)
	for _, o := range all {
		if q.Selects(&o.Operation) {
			out = append(out, o.Operation)
		}
	}
	e.mu.RUnlock()
	if total = len(out); total > 0 {
		err = e.settle(ctx)
	}
	return callback.Page(out, q.Offset, q.Limit), total, err
}

// alter runs f on an operation, in the commit, and stores what it made of it.
func (e *Engine) alter(ctx context.Context, now time.Time, id string, weight int, f func(g *group, o *operation) error) (op callback.Operation, err error) {
	weight += 24 + namedRecords(callback.MaxNamed) // deleted where it ends
	err = e.submit(ctx, now, weight, 8192+256*weight, func(g *group) error {
		o, err := e.operation(id)
		if err != nil {
			return err
		}
		before := o.Operation
		if err := f(g, o); err != nil {
			return err
		}
		op = o.Operation
		if op == before {
			return nil
		}
		if before.Active() {
			e.active--
		}
		if op.Active() {
			e.active++
		}
		if before.State == callback.OperationRunning && op.State != before.State {
			if err := g.forgetNamed(o); err != nil {
				return err
			}
		}
		return g.saveOperation(o)
	})
	return op, err
}

// callWeight is how many records one call of a page writes or deletes at most:
// its due entry, its row and its place in an index, each old and new, and its
// state before.
const callWeight = 8

// AdvanceOperation implements callback.Operations.
func (e *Engine) AdvanceOperation(ctx context.Context, now time.Time, id string, page callback.OperationPage) (callback.Operation, error) {
	page, err := page.Bounded()
	if err != nil {
		return callback.Operation{}, err
	}
	return e.alter(ctx, now, id, callWeight*len(page.Calls), func(g *group, o *operation) error {
		if o.State != callback.OperationRunning || o.After != page.From {
			return nil
		}
		h, err := e.house(o.Num)
		if err != nil || h.live.Deleted {
			o.End(g.now, callback.OperationStopped, "its callback was deleted")
			return nil
		}
		before, err := g.present(h, page.Calls)
		if err != nil {
			return err
		}
		st := g.step(h)
		if o.Kind == callback.OperationRetry && o.Matched == 0 && len(before) > 0 {
			st.Probe()
		}
		g.changed[o.Num] = struct{}{}
		for i := range before {
			if err := g.operate(h, st, o, &before[i]); err != nil {
				return err
			}
		}
		o.Came(g.now, &page, len(before))
		return nil
	})
}

// operate does to one call what o is for.
func (g *group) operate(h *house, st *callback.Step, o *operation, before *callback.Entry) error {
	after := *before
	if !o.Apply(st, &after) {
		return nil
	}
	o.Changed++
	if o.Kind == callback.OperationResolve {
		o.Kept++
		kept := callback.Kept{Entry: *before, At: after.Finished}
		if err := g.put(undoKey(h.slot, o.seq, before.ID), encodeKept(&kept)); err != nil {
			return err
		}
	}
	return g.replace(h, before, &after)
}

// present reads the calls that are still there and can be read.
func (g *group) present(h *house, ids []callback.CallID) ([]callback.Entry, error) {
	out := make([]callback.Entry, 0, len(ids))
	for _, id := range ids {
		entry, err := g.entry(h, id)
		switch {
		case err == nil:
			out = append(out, entry)
		case callback.ErrorCode(err) == callback.CodeNotFound:
		case errors.Is(err, errCorrupt):
			g.e.opt.Log.Error("a call is damaged: an operation leaves it out", "call", id)
		default:
			return nil, err
		}
	}
	return out, nil
}

// EndOperation implements callback.Operations.
func (e *Engine) EndOperation(ctx context.Context, now time.Time, id string, state callback.OperationState, note string) (callback.Operation, error) {
	return e.alter(ctx, now, id, 0, func(g *group, o *operation) error {
		if o.Active() {
			o.End(g.now, state, note)
		}
		return nil
	})
}
