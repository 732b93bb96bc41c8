package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"ringback/callback"
)

// The operations of a fake are worked off at once.

func (f *fake) operation(n *callback.NewOperation) (*fakeOperation, *fakeCallback, error) {
	c, err := f.find(n.Ref)
	if err != nil {
		return nil, nil, err
	}
	o, err := n.Operation(cmp.Or(n.ID, fmt.Sprint("made-up-", len(f.ops))), c.cb.Num)
	if err != nil {
		return nil, nil, err
	}
	return &fakeOperation{o.Bounded(), map[callback.CallID]callback.Kept{}, n.IDs}, c, nil
}

// selected calls do with each call that an operation is for, the oldest first.
func (f *fake) selected(o *fakeOperation, do func(c *fakeCall)) {
	for _, c := range f.calls {
		v := f.view(c, false)
		q := callback.ListQuery{Filter: o.Filter}
		if o.Named > 0 {
			q.Status = callback.ListSuccess | callback.ListFailed | callback.ListPending
		}
		if o.Named > 0 && !slices.Contains(o.named, c.entry.ID) {
			continue
		}
		if c.entry.Num == o.Num && (o.Upto == 0 || c.entry.ID <= o.Upto) && f.matches(&v, &q) {
			do(c)
		}
	}
}

func (f *fake) StartOperation(_ context.Context, n callback.NewOperation) (v callback.OperationView, fresh bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, c, err := f.operation(&n)
	if err != nil {
		return v, false, err
	}
	for _, old := range f.ops {
		if old.ID == o.ID {
			v = f.operationView(old)
			v.MissingIDs = f.absent(o, n.IDs)
			return v, false, old.Repeats(&o.Operation)
		}
	}
	s := f.step(c)
	o.Begin(s.Now.UTC().Truncate(time.Millisecond), f.last, &c.live.Counts)
	matched := 0
	f.selected(o, func(call *fakeCall) {
		if matched++; matched == 1 && o.Kind == callback.OperationRetry {
			s.Probe()
		}
		before := call.entry
		if !o.Apply(s, &call.entry) {
			return
		}
		if o.Changed++; o.Kind == callback.OperationResolve {
			o.before[before.ID] = callback.Kept{Entry: before, At: call.entry.Finished}
			o.Kept++
		}
	})
	o.Came(s.Now, &callback.OperationPage{Last: true}, matched)
	f.ops = append(f.ops, o)
	missing := f.absent(o, n.IDs)
	f.pump(s, c)
	f.done(s)
	v = f.operationView(o)
	v.MissingIDs = missing
	return v, true, nil
}

// absent returns the first of ids that are no calls which o may select.
func (f *fake) absent(o *fakeOperation, ids []callback.CallID) (out []callback.CallID) {
	there := map[callback.CallID]bool{}
	f.selected(o, func(call *fakeCall) { there[call.entry.ID] = true })
	for _, id := range ids {
		if !there[id] && len(out) < callback.MaxMissing {
			out = append(out, id)
		}
	}
	return out
}

func (f *fake) Preview(_ context.Context, n callback.NewOperation) (p callback.Preview, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, c, err := f.operation(&n)
	if err != nil {
		return p, err
	}
	live := c.live
	trial := callback.Step{Policy: fakePolicy.For(&c.cb), Now: time.Now(), Live: &live}
	f.selected(o, func(call *fakeCall) {
		p.Matched++
		if e := call.entry; o.Apply(&trial, &e) {
			p.Changed++
		}
		if p.Oldest.IsZero() {
			p.Oldest = call.entry.Enqueued
		}
		var cause callback.Cause
		if n := len(call.attempts); n > 0 {
			cause = callback.Cause{Class: call.attempts[n-1].Class.String(), Code: call.attempts[n-1].Code}
		}
		i := slices.IndexFunc(p.ByCause, func(x callback.Cause) bool { return x.Class == cause.Class && x.Code == cause.Code })
		if i < 0 {
			i, p.ByCause = len(p.ByCause), append(p.ByCause, cause)
		}
		p.ByCause[i].Count++
	})
	if o.Named > 0 {
		p.Missing, p.MissingIDs = uint64(o.Named)-p.Matched, f.absent(o, n.IDs)
	}
	p.Upto = cmp.Or(o.Upto, f.last+1)
	return p, nil
}

func (f *fake) operationView(o *fakeOperation) callback.OperationView {
	v := callback.OperationView{Operation: o.Operation, CallbackID: f.of(o.Num).cb.ID, Callback: f.of(o.Num).cb.Name}
	if o.MayUndo(time.Now()) == nil {
		v.UndoUntil = o.Finished.Add(callback.UndoFor)
	}
	return v
}

func (f *fake) findOperation(id string) (*fakeOperation, error) {
	for _, o := range f.ops {
		if o.ID == id {
			return o, nil
		}
	}
	return nil, callback.NoOperation(id)
}

func (f *fake) Operation(_ context.Context, id string) (callback.OperationView, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.findOperation(id)
	if err != nil {
		return callback.OperationView{}, err
	}
	return f.operationView(o), nil
}

func (f *fake) StopOperation(ctx context.Context, id string) (callback.OperationView, error) {
	return f.Operation(ctx, id) // it has ended
}

func (f *fake) UndoOperation(_ context.Context, id string) (v callback.OperationView, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o, err := f.findOperation(id)
	if err == nil {
		err = o.MayUndo(time.Now())
	}
	if err != nil {
		return v, err
	}
	c := f.of(o.Num)
	s := f.step(c)
	for _, call := range f.calls {
		before, ok := o.before[call.entry.ID]
		switch {
		case !ok:
		case o.Undo(s, &call.entry, before):
			o.Undone++
		default:
			o.Missed++
		}
	}
	o.State, o.Kept, o.before = callback.OperationUndone, 0, nil
	f.pump(s, c)
	f.done(s)
	return f.operationView(o), nil
}

func (f *fake) Operations(_ context.Context, q callback.OperationQuery) (list callback.Listing[callback.OperationView], err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if q.Ref != "" {
		c, err := f.find(q.Ref)
		if err != nil {
			return list, err
		}
		q.Num = c.cb.Num
	}
	var all []callback.OperationView
	for _, o := range slices.Backward(f.ops) {
		if q.Selects(&o.Operation) {
			all = append(all, f.operationView(o))
		}
	}
	list.Rows, list.Total, list.Exact = callback.Page(all, q.Offset, q.Limit), uint64(len(all)), true
	list.More = q.Offset+len(list.Rows) < len(all)
	return list, nil
}

func (f failing) StartOperation(context.Context, callback.NewOperation) (callback.OperationView, bool, error) {
	return callback.OperationView{}, false, f.err
}

func (f failing) StopOperation(context.Context, string) (callback.OperationView, error) {
	return callback.OperationView{}, f.err
}

func (f failing) UndoOperation(context.Context, string) (callback.OperationView, error) {
	return callback.OperationView{}, f.err
}

func (f failing) Operation(context.Context, string) (callback.OperationView, error) {
	return callback.OperationView{}, f.err
}

func (f failing) Operations(context.Context, callback.OperationQuery) (callback.Listing[callback.OperationView], error) {
	return callback.Listing[callback.OperationView]{}, f.err
}

func (f failing) Preview(context.Context, callback.NewOperation) (callback.Preview, error) {
	return callback.Preview{}, f.err
}

// fixedOperation is what a fixed service knows of operations: one that resolved
// some calls. Started, an operation is as it was asked for, with those figures.
func (f *fixed) fixedOperation() callback.OperationView {
	return callback.OperationView{
		CallbackID: f.health.ID, Callback: f.health.Name, UndoUntil: clock("09:31:00").Add(callback.UndoFor),
		Operation: callback.Operation{
			ID: "resolve-2026-03-01", Kind: callback.OperationResolve, By: "ann", State: callback.OperationDone,
			Filter:  callback.Filter{Status: callback.ListFailed | callback.ListPending, Code: callback.NoAnswer, From: clock("09:00:00"), Text: "boots <b>"},
			Created: clock("09:30:00"), Finished: clock("09:31:00"), Total: 12_000, Matched: 1200, Changed: 1190, Kept: 1190,
			Remark: "by hand, ticket 4471", Upto: 0x0328BA3200000001,
		},
	}
}

func (f *fixed) StartOperation(_ context.Context, n callback.NewOperation) (callback.OperationView, bool, error) {
	o := f.fixedOperation()
	fresh := n.ID != o.ID
	if fresh {
		o.ID, o.Kind, o.Filter, o.Extend, o.By = cmp.Or(n.ID, "0123456789ABCDEF"), n.Kind, n.Filter, n.Extend, n.By
		o.Rate, o.Remark, o.Upto, o.Named, o.MissingIDs = n.Rate, n.Remark, n.Upto, len(n.IDs), n.IDs[:min(len(n.IDs), callback.MaxMissing)]
		o.State, o.Finished, o.UndoUntil = callback.OperationRunning, time.Time{}, time.Time{}
	}
	return o, fresh, f.known(n.Ref)
}

func (f *fixed) StopOperation(ctx context.Context, id string) (callback.OperationView, error) {
	o, err := f.Operation(ctx, id)
	o.State, o.Note = callback.OperationStopped, "its callback was deleted"
	return o, err
}

func (f *fixed) UndoOperation(ctx context.Context, id string) (callback.OperationView, error) {
	o, err := f.Operation(ctx, id)
	o.State, o.Undone, o.Missed, o.UndoUntil = callback.OperationUndoing, 100, 3, time.Time{}
	return o, err
}

func (f *fixed) Operation(_ context.Context, id string) (callback.OperationView, error) {
	o := f.fixedOperation()
	if id != o.ID {
		return callback.OperationView{}, callback.NoOperation(id)
	}
	return o, nil
}

func (f *fixed) Operations(_ context.Context, q callback.OperationQuery) (callback.Listing[callback.OperationView], error) {
	return callback.Listing[callback.OperationView]{
		Rows: []callback.OperationView{f.fixedOperation()}, Total: uint64(q.Offset) + 3, Exact: true, More: true,
	}, f.known(q.Ref)
}

func (f *fixed) Preview(_ context.Context, n callback.NewOperation) (callback.Preview, error) {
	return callback.Preview{
		Matched: 1200, Changed: 1190, Other: 2, Oldest: clock("09:00:30"), Partial: true, Upto: 0x0328BA3200000001, MissingIDs: n.IDs[:min(len(n.IDs), callback.MaxMissing)],
		ByCause: []callback.Cause{{Class: "status", Code: 503, Count: 1000}, {Class: "connect timeout", Count: 198}},
	}, f.known(n.Ref)
}
