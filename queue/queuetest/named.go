package queuetest

import (
	"fmt"
	"slices"

	"ringback/callback"
)

// operationNamed: exactly the calls that are named are worked off, each once, in
// order, across restarts; those of others and those that do not exist are left
// out; stopped, nothing is left of the rest; the undo brings them back.
func operationNamed(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	ids := append(h.failAll(a.Num, 4), h.add(a.Num, 196)...)
	others := h.failAll(b.Num, 2)
	var named []callback.CallID
	for i := 0; i < len(ids); i += 2 {
		named = append(named, ids[i], ids[i]) // twice, and out of order
	}
	slices.Reverse(named)
	before := h.call(a.Num, ids[2]).Entry
	named = append(named, others[0], 42)
	ask := callback.Operation{ID: "n", Num: a.Num, Kind: callback.OperationResolve, By: "ana", Remark: "ticket 4471"}
	op := h.start(ask, named...)
	if op.Named != 102 || op.Total != 102 || op.Filter != (callback.Filter{}) {
		h.Fatalf("started: %+v", op)
	}
	h.reopen()
	again, fresh, err := h.s.StartOperation(h.ctx, h.now, ask, named[1:]...) // the first was there twice
	h.ok(err)
	if fresh {
		h.Fatal("an operation was started twice")
	}
	diff(h, "started again", again, op)
	for _, other := range [][]callback.CallID{nil, named[2:], append(slices.Clone(named), ids[1])} {
		_, _, err = h.s.StartOperation(h.ctx, h.now, ask, other...)
		h.code(err, callback.CodeConflict)
	}
	op = h.advance(op, 70)
	if op.Matched != 69 || op.Changed != 69 || op.After != ids[136] { // 42 comes first, and is not there
		h.Fatalf("after a page of 70: %+v, the 69th is %s", op, ids[136])
	}
	h.check()
	h.reopen()
	left, err := h.s.Named(h.ctx, "n", op.After, 2)
	h.ok(err)
	diff(h, "named next", left, []callback.CallID{ids[138], ids[140]})
	op = h.finish(op, 70)
	if op.State != callback.OperationDone || op.Matched != 100 || op.Changed != 100 || op.Kept != 100 || op.Missing() != 2 {
		h.Fatalf("done: %+v", op)
	}
	h.check()
	for i, id := range ids {
		if got := h.call(a.Num, id).Reason == callback.Resolved; got != (i%2 == 0) {
			h.Fatalf("call %d is resolved: %v", i, got)
		}
	}
	if c := h.call(b.Num, others[0]); c.Status == callback.Success {
		h.Fatalf("the call of another callback: %+v", c.Entry)
	}
	if left, err := h.s.Named(h.ctx, "n", 0, 10); err != nil || len(left) > 0 {
		h.Fatalf("one that has ended names %v, %v", left, err)
	}
	if op = h.undoAll("n", 40); op.Undone != 100 || op.Missed != 0 {
		h.Fatalf("undone: %+v", op)
	}
	diff(h, "undone call", h.call(a.Num, before.ID).Entry, before)

	retry := h.start(callback.Operation{ID: "r", Num: a.Num, Kind: callback.OperationRetry, Rate: 5}, ids...)
	if retry = h.advance(retry, 60); retry.Matched != 60 {
		h.Fatalf("retried: %+v", retry)
	}
	retry, err = h.s.EndOperation(h.ctx, h.now, "r", callback.OperationStopped, "")
	h.ok(err)
	diff(h, "after the stop", h.advance(retry, 60), retry)
	h.check()
	h.reopen()
	_, err = h.s.Named(h.ctx, "no", 0, 1)
	h.code(err, callback.CodeNotFound)
}

// operationNamedEnds: a deleted callback ends an operation that names calls, and
// nothing is left of them.
func operationNamedEnds(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 80)
	op := h.start(callback.Operation{ID: "n", Num: cb.Num, Kind: callback.OperationResolve}, ids...)
	op = h.advance(op, 10)
	h.ok(h.s.Delete(h.ctx, h.now, cb.Num))
	if op = h.advance(op, 10); op.State != callback.OperationStopped || op.Changed != 10 {
		h.Fatalf("of a deleted callback: %+v", op)
	}
	h.check()
	h.now = h.now.Add(callback.KeepOperationsFor)
	for range 3 {
		_, err := h.s.PurgeOperations(h.ctx, h.now, 100)
		h.ok(err)
	}
	if _, total, err := h.s.Operations(h.ctx, callback.OperationQuery{}); total != 0 || err != nil {
		h.Fatalf("%d operations are left, %v", total, err)
	}
	h.check()
}

// operationNamedMost: as many calls as may be named are one start, one commit.
func operationNamedMost(h *harness) {
	cb := h.create("a", nil)
	ids := many(callback.MaxNamed)
	op := h.start(callback.Operation{ID: "n", Num: cb.Num, Kind: callback.OperationRetry}, ids...)
	h.reopen()
	var got []callback.CallID
	for after := callback.CallID(0); ; {
		page, err := h.s.Named(h.ctx, "n", after, callback.MaxOperationPage)
		h.ok(err)
		if len(page) == 0 {
			break
		}
		got, after = append(got, page...), page[len(page)-1]
	}
	diff(h, "named", got, ids)
	if op = h.finish(op, callback.MaxOperationPage); op.State != callback.OperationDone || op.Matched != 0 {
		h.Fatalf("done: %+v", op)
	}
	h.check()
}

// callsNamed: a list of calls that are named has those and no other, page by page
// in both directions.
func callsNamed(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	ids := h.failAll(a.Num, 6)
	ids = append(ids, h.add(a.Num, 2)...)
	other := h.add(b.Num, 1)[0]
	want := []callback.CallID{ids[1], ids[4], ids[7]}
	q := callback.CallQuery{Num: a.Num, IDs: append([]callback.CallID{42}, ids[1], ids[4], ids[7], other), Limit: 2}
	q.Status = callback.ListFailed | callback.ListPending
	for _, oldest := range []bool{true, false} {
		q.Oldest, q.After = oldest, 0
		var got []callback.CallID
		for more := true; more; {
			page, err := h.s.Calls(h.ctx, q)
			h.ok(err)
			for i := range page.Calls {
				got = append(got, page.Calls[i].ID)
			}
			q.After, more = page.Next, page.More
		}
		diff(h, fmt.Sprint("oldest first: ", oldest), got, want)
		slices.Reverse(want)
	}
	q.Status, q.After = callback.ListPending, 0
	if page, err := h.s.Calls(h.ctx, q); err != nil || len(page.Calls) != 1 || page.Calls[0].ID != ids[7] {
		h.Fatalf("of these, those never tried: %+v, %v", page.Calls, err)
	}
}

// someIDs returns ids at random, mostly of calls that exist, and none at times.
func (p *player) someIDs() (ids []callback.CallID) {
	for range p.rng.IntN(40) {
		_, id := p.id()
		ids = append(ids, id)
	}
	return ids
}

// namedOperation plays the start of an operation that names calls.
func (p *player) namedOperation(id string, num callback.Num) {
	o := callback.Operation{ID: id, Num: num, Kind: callback.OperationRetry, By: "ana", Rate: p.rng.IntN(2)}
	if p.rng.IntN(2) == 0 {
		o.Kind, o.Rate = callback.OperationResolve, 0
	}
	ids := append(p.someIDs(), callback.CallID(p.rng.Uint64()>>1))
	p.both("start by ids", func(s callback.Store) (any, error) {
		op, fresh, err := s.StartOperation(p.ctx, p.now, o, ids...)
		if err != nil {
			return nil, err
		}
		return []any{op, fresh}, nil
	})
	p.both("calls by ids", func(s callback.Store) (any, error) {
		named := o.Name(ids)
		q := callback.CallQuery{Num: num, IDs: named, Limit: 7, Scan: callback.MaxScan, Oldest: p.now.Second()%2 == 0}
		q.Status = callback.ListSuccess | callback.ListFailed | callback.ListPending
		page, err := s.Calls(p.ctx, q)
		return page.Calls, err
	})
}
