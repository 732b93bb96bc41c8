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

func undoPrefix(slot byte, seq uint64) []byte { return put64(key(slot, kindUndo), seq) }

func undoKey(slot byte, seq uint64, id callback.CallID) []byte {
	return put64(undoPrefix(slot, seq), uint64(id))
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
func (e *Engine) Operation(_ context.Context, id string) (callback.Operation, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	o, err := e.operation(id)
	if err != nil {
		return callback.Operation{}, err
	}
	return o.Operation, nil
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
func (e *Engine) Operations(_ context.Context, q callback.OperationQuery) (out []callback.Operation, total int, err error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	all := e.byAge()
	slices.Reverse(all)
	for _, o := range all {
		if q.Selects(&o.Operation) {
			out = append(out, o.Operation)
		}
	}
	total = len(out)
	return callback.Page(out, q.Offset, q.Limit), total, nil
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

// UndoOperation implements callback.Operations.
func (e *Engine) UndoOperation(ctx context.Context, now time.Time, id string) (callback.Operation, error) {
	return e.alter(ctx, now, id, 0, func(g *group, o *operation) error {
		if err := o.MayUndo(g.now); err != nil {
			return err
		}
		if !o.Active() {
			if err := callback.MayOperate(e.active, len(e.operations)); err != nil {
				return err
			}
		}
		o.State, o.Note = callback.OperationUndoing, ""
		return nil
	})
}

// AdvanceUndo implements callback.Operations.
func (e *Engine) AdvanceUndo(ctx context.Context, now time.Time, id string, limit int) (callback.Operation, error) {
	limit = min(max(limit, 1), callback.MaxOperationPage)
	return e.alter(ctx, now, id, callWeight*limit, func(g *group, o *operation) error {
		if o.State != callback.OperationUndoing {
			return nil
		}
		kept, err := g.kept(o, limit)
		if err != nil {
			return err
		}
		h, err := e.house(o.Num)
		if err != nil {
			o.End(g.now, callback.OperationStopped, "its callback was deleted")
			return nil
		}
		ids := make([]callback.CallID, len(kept))
		for i := range kept {
			ids[i] = kept[i].ID
		}
		present, err := g.present(h, ids)
		if err != nil {
			return err
		}
		st := g.step(h)
		g.changed[o.Num] = struct{}{}
		for i, j := 0, 0; i < len(kept); i++ {
			var entry *callback.Entry
			if j < len(present) && present[j].ID == kept[i].ID {
				entry, j = &present[j], j+1
			}
			if err := g.undo(h, st, o, &kept[i], entry); err != nil {
				return err
			}
		}
		if len(kept) < limit {
			o.State = callback.OperationUndone
		}
		return nil
	})
}

// kept reads the earlier states that an undo needs, at most limit. One that is
// damaged reads as a call that does not exist, and so cannot be undone.
func (g *group) kept(o *operation, limit int) (out []callback.Kept, err error) {
	err = eachItem(g.t, undoPrefix(o.slot, o.seq), undoKey(o.slot, o.seq, o.from), true, func(k, v []byte) (bool, error) {
		id := callback.CallID(be64(k[10:]))
		before, err := decodeKept(v, o.Num, id)
		if err != nil {
			g.e.opt.Log.Error("what an undo needs is damaged", "call", id, "err", err)
			before = callback.Kept{Entry: callback.Entry{ID: id, Num: o.Num, Attempts: -1}}
		}
		out = append(out, before)
		return len(out) < limit, nil
	})
	return out, err
}

// undo takes one call back to before; entry is nil where it is gone.
func (g *group) undo(h *house, st *callback.Step, o *operation, before *callback.Kept, entry *callback.Entry) error {
	o.Kept--
	o.from = before.ID + 1
	if err := g.delete(undoKey(h.slot, o.seq, before.ID)); err != nil {
		return err
	}
	if entry == nil {
		o.Missed++
		return nil
	}
	after := *entry
	if !o.Undo(st, &after, *before) {
		o.Missed++
		return nil
	}
	o.Undone++
	return g.replace(h, entry, &after)
}

// purgedParts is how many parts of the records of operations one commit of
// PurgeOperations writes or deletes; that of the last may come on top.
const purgedParts = 256

// PurgeOperations implements callback.Operations.
func (e *Engine) PurgeOperations(ctx context.Context, now time.Time, limit int) (n int, err error) {
	limit = min(max(limit, 1), callback.MaxOperationPage)
	err = e.submit(ctx, now, limit+2*purgedParts, 2*purgedParts*maxInline, func(g *group) error {
		all := e.byAge()
		parts := 0
		for i, o := range all {
			young := len(all)-i <= callback.KeepOperations
			if n >= limit || parts >= purgedParts {
				break
			}
			if !o.Forgets(g.now, young) {
				continue
			}
			gone, err := g.forget(o, limit-n)
			if err != nil {
				return err
			}
			if gone > 0 {
				parts += o.parts
			}
			if n += gone; n >= limit || !o.Expired(g.now, young) {
				continue
			}
			n, parts = n+1, parts+o.parts
			delete(e.operations, o.ID)
			if err := g.deleteParts(operationKey(o.slot, o.Num, o.seq), 0, o.parts); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// forget drops at most limit of the earlier states that an operation keeps.
func (g *group) forget(o *operation, limit int) (n int, err error) {
	if o.Kept == 0 {
		return 0, nil
	}
	var keys [][]byte
	err = eachKey(g.t, undoPrefix(o.slot, o.seq), undoKey(o.slot, o.seq, o.from), func(k []byte) (bool, error) {
		keys = append(keys, slices.Clone(k))
		o.from = callback.CallID(be64(k[10:])) + 1
		return len(keys) < limit, nil
	})
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		if err := g.delete(k); err != nil {
			return 0, err
		}
	}
	if o.Kept -= uint64(len(keys)); len(keys) < limit {
		o.Kept = 0
	}
	return len(keys), g.saveOperation(o)
}

func encodeOperation(o *operation) []byte {
	w := newWriter(256)
	w.string(o.ID)
	w.uint(uint64(o.Num))
	w.string(string(o.Kind))
	w.string(string(o.State))
	f := &o.Filter
	w.uint(uint64(f.Status))
	w.span(time.Duration(f.Code)) // may be negative
	for _, s := range []string{string(f.State), f.MessageID, f.Reason, f.Class, f.Text, o.By, o.Note} {
		w.string(s)
	}
	for _, t := range []time.Time{f.From, f.To, o.Created, o.Finished} {
		w.time(t)
	}
	w.bool(o.Extend)
	for _, n := range []uint64{uint64(o.Upto), uint64(o.After), o.Total, o.Matched, o.Changed, o.Undone, o.Missed, o.Kept} {
		w.uint(n)
	}
	w.uint(uint64(o.Rate))
	w.string(o.Remark)
	w.int(o.Named)
	w.string(string(o.Names[:]))
	return w.seal()
}

func decodeOperation(b []byte) (callback.Operation, error) {
	r := open(b)
	o := callback.Operation{
		ID: r.string(), Num: callback.Num(r.uint()),
		Kind: callback.OperationKind(r.string()), State: callback.OperationState(r.string()),
	}
	f := &o.Filter
	f.Status, f.Code = callback.CallStatus(r.uint()), int(r.span())
	f.State, f.MessageID, f.Reason, f.Class, f.Text = callback.CallState(r.string()), r.string(), r.string(), r.string(), r.string()
	o.By, o.Note = r.string(), r.string()
	for _, t := range []*time.Time{&f.From, &f.To, &o.Created, &o.Finished} {
		*t = r.time()
	}
	r.bool(&o.Extend)
	o.Upto, o.After = callback.CallID(r.uint()), callback.CallID(r.uint())
	for _, n := range []*uint64{&o.Total, &o.Matched, &o.Changed, &o.Undone, &o.Missed, &o.Kept} {
		*n = r.uint()
	}
	o.Rate, o.Remark, o.Named = int(r.uint()), r.string(), r.int()
	copy(o.Names[:], r.string())
	return o, r.err
}

// checkOperations verifies that every operation keeps as many earlier states of
// calls as it says, and that none is kept for nobody.
func checkOperations(t *badger.Txn, all []operation) (faults []error) {
	kept := map[[9]byte]uint64{}
	for slot := range 256 {
		err := eachKey(t, key(byte(slot), kindUndo), nil, func(k []byte) (bool, error) {
			kept[[9]byte(append([]byte{k[0]}, k[2:10]...))]++
			return true, nil
		})
		if err != nil {
			return []error{err}
		}
	}
	for _, o := range all {
		k := [9]byte(put64([]byte{o.slot}, o.seq))
		if kept[k] != o.Kept {
			faults = append(faults, fmt.Errorf("operation %s keeps %d earlier states, %d are there", o.ID, o.Kept, kept[k]))
		}
		if o.Changed > o.Matched || o.Kind == callback.OperationResolve && o.Undone+o.Missed+o.Kept > o.Changed {
			faults = append(faults, fmt.Errorf("operation %s counts %d matched, %d changed, %d undone, %d missed, %d kept",
				o.ID, o.Matched, o.Changed, o.Undone, o.Missed, o.Kept))
		}
		delete(kept, k)
	}
	if len(kept) > 0 {
		faults = append(faults, fmt.Errorf("earlier states of calls are kept for %d operations that do not exist", len(kept)))
	}
	return append(faults, checkNamed(t, all)...)
}
