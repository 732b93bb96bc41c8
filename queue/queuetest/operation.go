package queuetest

import (
	"fmt"
	"slices"
	"time"

	"ringback/callback"
)

// failAll enqueues n calls, lets each fail, and has them given up where retries
// are off. The callback's gate is closed again.
func (h *harness) failAll(num callback.Num, n int) []callback.CallID {
	h.Helper()
	ids := h.add(num, n)
	for left := n; left > 0; {
		for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
			for _, c := range h.claim(num, class) {
				if c.Entry.Attempts > 0 {
					h.Fatalf("call %s is sent again", c.Entry.ID)
				}
				h.record(c, answer503)
				left--
			}
		}
		h.now = h.now.Add(time.Second)
	}
	h.ok(h.s.Suspend(h.ctx, h.now, num, "test"))
	return ids
}

func (h *harness) start(o callback.Operation, ids ...callback.CallID) callback.Operation {
	h.Helper()
	op, fresh, err := h.s.StartOperation(h.ctx, h.now, o, ids...)
	h.ok(err)
	if !fresh || op.State != callback.OperationRunning || !op.Created.Equal(h.now) {
		h.Fatalf("started: fresh %v, %+v", fresh, op)
	}
	return op
}

// advance works off one page.
func (h *harness) advance(op callback.Operation, limit int) callback.Operation {
	h.Helper()
	page, err := op.Next(h.ctx, h.s, limit)
	h.ok(err)
	op, err = h.s.AdvanceOperation(h.ctx, h.now, op.ID, page)
	h.ok(err)
	return op
}

// finish works an operation off.
func (h *harness) finish(op callback.Operation, limit int) callback.Operation {
	h.Helper()
	for range 1000 {
		if op.State != callback.OperationRunning {
			return op
		}
		op = h.advance(op, limit)
	}
	h.Fatalf("an operation does not end: %+v", op)
	return op
}

func (h *harness) undoAll(id string, limit int) callback.Operation {
	h.Helper()
	op, err := h.s.UndoOperation(h.ctx, h.now, id)
	h.ok(err)
	for range 1000 {
		if op.State != callback.OperationUndoing {
			return op
		}
		op, err = h.s.AdvanceUndo(h.ctx, h.now, id, limit)
		h.ok(err)
	}
	h.Fatalf("an undo does not end: %+v", op)
	return op
}

// operationResolve: every call is resolved once, in pages, across a restart;
// what came later is not touched; the undo brings every call back as it was, and
// leaves alone what was changed since.
func operationResolve(h *harness) {
	cb := h.create("a", nil)
	ids := h.failAll(cb.Num, 9)
	fresh := h.add(cb.Num, 6)
	all := slices.Concat(ids, fresh)
	before := map[callback.CallID]callback.Entry{}
	for _, id := range all {
		before[id] = h.call(cb.Num, id).Entry
	}
	ask := callback.Operation{
		ID: "op-1", Num: cb.Num, Kind: callback.OperationResolve, By: "ana", Remark: "ticket\n4471",
		Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending},
	}
	op := h.start(ask)
	if op.Remark != "ticket 4471" {
		h.Fatalf("the remark is kept as %q", op.Remark)
	}
	late := h.add(cb.Num, 1)[0]
	if op.Total != 15 {
		h.Fatalf("at most %d calls can match, want 15", op.Total)
	}
	op = h.advance(op, 4)
	if op.Matched != 4 || op.Changed != 4 || op.Kept != 4 || op.State != callback.OperationRunning {
		h.Fatalf("after a page of 4: %+v", op)
	}
	h.reopen()
	again, err := h.s.Operation(h.ctx, "op-1")
	h.ok(err)
	diff(h, "after a restart", again, op)
	_, err = h.s.UndoOperation(h.ctx, h.now, "op-1")
	h.code(err, callback.CodeConflict)
	// A page that was read before another was worked off changes nothing.
	old, err := h.s.AdvanceOperation(h.ctx, h.now, "op-1", callback.OperationPage{Calls: ids, Last: true})
	h.ok(err)
	diff(h, "after an old page", old, op)
	h.now = h.now.Add(time.Minute)
	op = h.finish(op, 4)
	if op.State != callback.OperationDone || op.Matched != 15 || op.Changed != 15 || op.Kept != 15 || !op.Finished.Equal(h.now) {
		h.Fatalf("done: %+v", op)
	}
	for _, id := range all {
		if c := h.call(cb.Num, id); c.Reason != callback.Resolved || c.ResolvedBy != "ana" {
			h.Fatalf("call %s: %+v", id, c.Entry)
		}
	}
	if c := h.call(cb.Num, late); c.Status != callback.Ready {
		h.Fatalf("a later call was touched: %+v", c.Entry)
	}
	h.check()
	// One is reopened since, one resolved anew.
	h.now = h.now.Add(time.Hour)
	_, err = h.s.Reopen(h.ctx, h.now, cb.Num, ids[:2])
	h.ok(err)
	_, err = h.s.Resolve(h.ctx, h.now, cb.Num, ids[:1], "bob")
	h.ok(err)
	h.reopen()
	op = h.undoAll("op-1", 5)
	if op.State != callback.OperationUndone || op.Undone != 13 || op.Missed != 2 || op.Kept != 0 {
		h.Fatalf("undone: %+v", op)
	}
	for _, id := range all[2:] {
		diff(h, "undone call", h.call(cb.Num, id).Entry, before[id])
	}
	if c := h.call(cb.Num, ids[0]); c.ResolvedBy != "bob" {
		h.Fatalf("what somebody else resolved was undone: %+v", c.Entry)
	}
	_, err = h.s.UndoOperation(h.ctx, h.now, "op-1")
	h.code(err, callback.CodeConflict)
	h.reopen()
}

// operationRetry: what failed waits again, in the order of ids; a call that runs
// or was delivered is left alone; the first page asks for a probe.
func operationRetry(h *harness) {
	cb := h.create("a", func(cb *callback.Callback) { cb.Retries = false })
	ids := h.failAll(cb.Num, 7)
	h.ok(h.s.Resume(h.ctx, h.now, cb.Num))
	runs, err := h.s.ClaimManual(h.ctx, h.now, cb.Num, ids[3], false)
	h.ok(err)
	h.now = h.now.Add(time.Minute)
	op := h.start(callback.Operation{ID: "again", Num: cb.Num, Kind: callback.OperationRetry, Extend: true})
	if op.Filter.Status != callback.ListFailed {
		h.Fatalf("without a status: %v", op.Filter.Status)
	}
	op = h.advance(op, 2)
	health, err := h.s.Callback(cb.Num)
	h.ok(err)
	if g := health.Live.Gate; g.State != callback.Open || !g.Probe.Equal(h.now) {
		h.Fatalf("the gate: %+v", g)
	}
	op = h.finish(op, 2)
	if op.Matched != 7 || op.Changed != 6 || op.Skipped() != 1 || op.Kept != 0 {
		h.Fatalf("done: %+v", op)
	}
	resolve := callback.Operation{ID: "that", Num: cb.Num, Kind: callback.OperationResolve, By: "ana"}
	resolve.Filter.MessageID = runs.Response.MessageID
	if op := h.finish(h.start(resolve), 2); op.Matched != 1 || op.Changed != 1 {
		h.Fatalf("resolved while it runs: %+v", op)
	}
	if e := h.record(runs, answer503); e.Reason != callback.Resolved || e.Attempts != 2 {
		h.Fatalf("resolved while it ran: %+v", e)
	}
	if op := h.undoAll("that", 2); op.Undone != 0 || op.Missed != 1 {
		h.Fatalf("undone although an attempt was made since: %+v", op)
	}
	h.reopen()
	due, err := h.s.Due(h.ctx, cb.Num, callback.Tried, callback.DueKey{}, 10)
	h.ok(err)
	var got []callback.CallID
	for _, e := range due {
		got = append(got, e.ID)
		if e.Was != callback.RetriesOff || !e.Renew {
			h.Fatalf("a call that waits again: %+v", e)
		}
	}
	diff(h, "waiting", got, slices.Delete(slices.Clone(ids), 3, 4))
	probe := h.claim(cb.Num, callback.Tried)
	if len(probe) != 1 || probe[0].Entry.ID != ids[0] {
		h.Fatalf("behind an open gate %d calls start", len(probe))
	}
	h.record(probe[0], answer200)
	h.reopen()
	health, err = h.s.Callback(cb.Num)
	h.ok(err)
	if r := health.Live.Requeued; r.Calls != 6 || r.Delivered != 1 || r.Failed != 0 || r.Resolved != 0 || r.Began.After(r.Last) || !r.Last.Equal(h.now) {
		h.Fatalf("what became of them: %+v", r)
	}
	rest := h.claim(cb.Num, callback.Tried)
	if len(rest) != 1 || rest[0].Entry.ID != ids[1] {
		h.Fatalf("after the probe %d calls start", len(rest))
	}
	h.record(rest[0], answer503)
	if c := h.call(cb.Num, ids[1]); c.Reason != callback.RetriesOff || c.Was != callback.NoReason {
		h.Fatalf("failed again: %+v", c.Entry)
	}
	health, err = h.s.Callback(cb.Num)
	h.ok(err)
	if r := health.Live.Requeued; r.Calls != 6 || r.Delivered != 1 || r.Failed != 1 || r.Resolved != 0 || r.Waiting() != 4 {
		h.Fatalf("what became of them: %+v", r)
	}
	_, err = h.s.UndoOperation(h.ctx, h.now, "again")
	h.code(err, callback.CodeConflict)
	if op := h.finish(h.start(callback.Operation{ID: "once", Num: cb.Num, Kind: callback.OperationRetry}), 2); op.Changed != 1 {
		h.Fatalf("what failed again, and is not asked for: %+v", op)
	}
	h.reopen()
	health, err = h.s.Callback(cb.Num)
	h.ok(err)
	if r := health.Live.Requeued; r.Calls != 7 || r.Once != 1 || r.Waiting() != 5 {
		h.Fatalf("one more that gets one attempt: %+v", r)
	}
}

// operationUpto: what failed after an operation began is not touched.
func operationUpto(h *harness) {
	cb := h.create("a", nil)
	failOne := func() callback.CallID {
		id := h.add(cb.Num, 1)[0]
		h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
		return id
	}
	first := failOne()
	op := h.start(callback.Operation{ID: "a", Num: cb.Num, Kind: callback.OperationRetry})
	second := failOne()
	h.now = h.now.Add(time.Second)
	if op = h.finish(op, 10); op.Matched != 1 || op.Changed != 1 {
		h.Fatalf("done: %+v", op)
	}
	if a, b := h.call(cb.Num, first), h.call(cb.Num, second); !a.Due.Equal(h.now) || !b.Due.After(h.now) {
		h.Fatalf("due %v and %v, now it is %v", a.Due, b.Due, h.now)
	}
}

// operationUndoOthers: what somebody resolved while the operation ran, after
// having reopened it, is not the operation's to take back.
func operationUndoOthers(h *harness) {
	cb := h.create("a", nil)
	ids := h.failAll(cb.Num, 3)
	op := h.start(callback.Operation{
		ID: "a", Num: cb.Num, Kind: callback.OperationResolve, By: "ana", Filter: callback.Filter{Status: callback.ListFailed},
	})
	op = h.advance(op, 2)
	h.now = h.now.Add(time.Minute)
	for i, by := range []string{"bob", "ana"} {
		_, err := h.s.Reopen(h.ctx, h.now, cb.Num, ids[i:i+1])
		h.ok(err)
		_, err = h.s.Resolve(h.ctx, h.now, cb.Num, ids[i:i+1], by)
		h.ok(err)
	}
	h.now = h.now.Add(time.Minute)
	h.finish(op, 2)
	h.reopen()
	if op = h.undoAll("a", 2); op.Undone != 1 || op.Missed != 2 {
		h.Fatalf("undone: %+v; want the call that nobody else resolved", op)
	}
	for i, by := range []string{"bob", "ana", ""} {
		if c := h.call(cb.Num, ids[i]); c.ResolvedBy != by {
			h.Errorf("call %d is resolved by %q, want %q", i, c.ResolvedBy, by)
		}
	}
}

// operationStart: starting is idempotent, refused for something else, for
// callbacks that are not there, and beyond the bound.
func operationStart(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	h.failAll(a.Num, 3)
	ask := callback.Operation{
		ID: "x", Num: a.Num, Kind: callback.OperationResolve, By: "ana",
		Filter: callback.Filter{From: h.now.Add(time.Nanosecond).Local(), Text: "zoë", Code: callback.NoAnswer},
	}
	op := h.start(ask)
	same := ask
	same.By = "bob"
	h.reopen()
	h.now = h.now.Add(time.Hour)
	got, fresh, err := h.s.StartOperation(h.ctx, h.now, same)
	h.ok(err)
	if fresh {
		h.Fatal("an operation was started twice")
	}
	diff(h, "started again", got, op)
	for _, change := range []func(o *callback.Operation){
		func(o *callback.Operation) { o.Num = b.Num },
		func(o *callback.Operation) { o.Kind = callback.OperationRetry },
		func(o *callback.Operation) { o.Filter.Code = 500 },
		func(o *callback.Operation) { o.Extend = true },
		func(o *callback.Operation) { o.Rate = 7 },
		func(o *callback.Operation) { o.Upto = 1 },
	} {
		other := ask
		change(&other)
		_, _, err := h.s.StartOperation(h.ctx, h.now, other)
		h.code(err, callback.CodeConflict)
	}
	h.ok(h.s.Delete(h.ctx, h.now, b.Num))
	for _, num := range []callback.Num{b.Num, 77} {
		_, _, err := h.s.StartOperation(h.ctx, h.now, callback.Operation{ID: "y", Num: num, Kind: callback.OperationRetry})
		h.code(err, callback.CodeNotFound)
	}
	for i := range callback.MaxRunning - 1 {
		h.start(callback.Operation{ID: fmt.Sprint("n", i), Num: a.Num, Kind: callback.OperationRetry})
	}
	busy, err := h.s.Operation(h.ctx, "n0")
	h.ok(err)
	if busy = h.advance(h.advance(busy, 1), 1); busy.State != callback.OperationRunning || busy.Matched != 2 {
		h.Fatalf("after two pages: %+v", busy)
	}
	one := callback.Operation{ID: "one", Num: a.Num, Kind: callback.OperationRetry}
	_, _, err = h.s.StartOperation(h.ctx, h.now, one)
	h.code(err, callback.CodeUnavailable)
	ended, err := h.s.EndOperation(h.ctx, h.now, "n5", callback.OperationStopped, "")
	h.ok(err)
	if ended.State != callback.OperationStopped || !ended.Finished.Equal(h.now) {
		h.Fatalf("stopped: %+v", ended)
	}
	h.start(one)
	h.now = h.now.Add(time.Hour)
	again, err := h.s.EndOperation(h.ctx, h.now, "n5", callback.OperationFailed, "late")
	h.ok(err)
	diff(h, "stopped twice", again, ended)
	page, total, err := h.s.Operations(h.ctx, callback.OperationQuery{State: callback.OperationRunning, Limit: 2, Offset: 1})
	h.ok(err)
	if len(page) != 2 || total != callback.MaxRunning || page[0].ID != "n62" {
		h.Fatalf("running: %d of %d, first %+v", len(page), total, page)
	}
	h.reopen()
	_, _, err = h.s.StartOperation(h.ctx, h.now, callback.Operation{ID: "two", Num: a.Num, Kind: callback.OperationRetry})
	h.code(err, callback.CodeUnavailable)
	for _, err := range []error{
		second(h.s.Operation(h.ctx, "no")), second(h.s.UndoOperation(h.ctx, h.now, "no")), second(h.s.AdvanceUndo(h.ctx, h.now, "no", 1)),
		second(h.s.EndOperation(h.ctx, h.now, "no", callback.OperationStopped, "")),
		second(h.s.AdvanceOperation(h.ctx, h.now, "no", callback.OperationPage{})),
	} {
		h.code(err, callback.CodeNotFound)
	}
	_, err = h.s.AdvanceOperation(h.ctx, h.now, "x", callback.OperationPage{Calls: many(callback.MaxOperationPage + 1)})
	h.code(err, callback.CodeInvalid)
}

func second[T any](_ T, err error) error { return err }

func many(n int) (ids []callback.CallID) {
	for i := range n {
		ids = append(ids, callback.CallID(i+1))
	}
	return ids
}

// operationEnds: a deleted callback ends its operation; an undo can be stopped
// and goes on; what an undo needs goes after a day, the rest after a month.
func operationEnds(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	h.failAll(a.Num, 6)
	h.failAll(b.Num, 3)
	resolve := callback.Operation{ID: "a", Num: a.Num, Kind: callback.OperationResolve, Filter: callback.Filter{Status: callback.ListFailed}}
	op := h.finish(h.start(resolve), 2)
	resolve.ID, resolve.Num = "b", b.Num
	h.advance(h.start(resolve), 1)
	h.ok(h.s.Delete(h.ctx, h.now, b.Num))
	ended, err := h.s.Operation(h.ctx, "b")
	h.ok(err)
	ended = h.advance(ended, 1)
	if ended.State != callback.OperationStopped || ended.Changed != 1 || ended.Note == "" {
		h.Fatalf("of a deleted callback: %+v", ended)
	}
	ended = h.undoAll("b", 5)
	if ended.State != callback.OperationUndone || ended.Undone != 0 || ended.Missed != 1 {
		h.Fatalf("undo for a deleted callback: %+v", ended)
	}

	h.now = h.now.Add(callback.UndoFor - time.Second)
	_, err = h.s.UndoOperation(h.ctx, h.now, "a")
	h.ok(err)
	op, err = h.s.AdvanceUndo(h.ctx, h.now, "a", 2)
	h.ok(err)
	if op.Undone != 2 || op.State != callback.OperationUndoing {
		h.Fatalf("half undone: %+v", op)
	}
	op, err = h.s.EndOperation(h.ctx, h.now, "a", callback.OperationStopped, "")
	h.ok(err)
	if n, err := h.s.PurgeOperations(h.ctx, h.now, 100); n != 0 || err != nil {
		h.Fatalf("purged %d too early, %v", n, err)
	}
	h.now = h.now.Add(time.Second)
	_, err = h.s.UndoOperation(h.ctx, h.now, "a")
	h.code(err, callback.CodeConflict)
	h.reopen()
	for _, want := range []int{3, 1, 0} {
		n, err := h.s.PurgeOperations(h.ctx, h.now, 3)
		h.ok(err)
		if n != want {
			h.Fatalf("purged %d of at most 3, want %d", n, want)
		}
		h.check()
	}
	op, err = h.s.Operation(h.ctx, "a")
	h.ok(err)
	if op.Kept != 0 || op.Undone != 2 || op.Changed != 6 {
		h.Fatalf("after a day: %+v", op)
	}
	h.now = h.now.Add(callback.KeepOperationsFor - callback.UndoFor)
	if n, err := h.s.PurgeOperations(h.ctx, h.now, 100); n != 2 || err != nil {
		h.Fatalf("purged %d after a month, %v; want 2", n, err)
	}
	h.reopen()
	if _, total, err := h.s.Operations(h.ctx, callback.OperationQuery{}); total != 0 || err != nil {
		h.Fatalf("%d operations are left, %v", total, err)
	}
	resolve.ID, resolve.Num = "a", a.Num
	h.start(resolve)
}

// operate plays one random step of an operation.
func (p *player) operate() {
	num, id := p.num(), fmt.Sprint("op", p.rng.IntN(12))
	limit := 1 + p.rng.IntN(8)
	switch p.rng.IntN(11) {
	case 10:
		p.namedOperation(id, num)
	case 0, 1:
		o := callback.Operation{ID: id, Num: num, Kind: callback.OperationRetry, By: "ana", Extend: p.rng.IntN(2) == 0}
		if p.rng.IntN(2) == 0 {
			o.Kind, o.Extend = callback.OperationResolve, false
			o.Filter.Status = []callback.CallStatus{callback.ListFailed, callback.ListPending, callback.ListFailed | callback.ListPending}[p.rng.IntN(3)]
		}
		if p.rng.IntN(3) == 0 {
			o.Filter.Code = 503
		}
		p.both("start", func(s callback.Store) (any, error) {
			op, fresh, err := s.StartOperation(p.ctx, p.now, o)
			if err != nil {
				return nil, err
			}
			return []any{op, fresh}, nil
		})
	case 2, 3, 4, 5:
		p.both("advance", func(s callback.Store) (any, error) {
			op, err := s.Operation(p.ctx, id)
			if err != nil {
				return nil, err
			}
			page, err := op.Next(p.ctx, s, limit)
			if err != nil {
				return nil, err
			}
			return s.AdvanceOperation(p.ctx, p.now, id, page)
		})
	case 6:
		p.both("stop", func(s callback.Store) (any, error) {
			return s.EndOperation(p.ctx, p.now, id, callback.OperationStopped, "")
		})
	case 7:
		p.both("begin an undo", func(s callback.Store) (any, error) {
			op, err := s.UndoOperation(p.ctx, p.now, id)
			if err != nil {
				return nil, err
			}
			return op, nil
		})
	case 8:
		p.both("undo", func(s callback.Store) (any, error) { return s.AdvanceUndo(p.ctx, p.now, id, limit) })
	case 9:
		p.both("purge operations", func(s callback.Store) (any, error) { return s.PurgeOperations(p.ctx, p.now, limit) })
	}
}
