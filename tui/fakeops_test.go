package tui

import (
	"context"
	"fmt"
	"slices"
	"time"

	"ringback/callback"
)

// fakeOps is what a fake knows of operations: they do not go on by themselves.
type fakeOps struct {
	list    []callback.OperationView // the latest first
	preview callback.Preview
	wanted  []callback.NewOperation // previewed
	begun   []callback.NewOperation
	deaf    error // the next start is done, and answered so
}

func (f *fake) Preview(_ context.Context, n callback.NewOperation) (callback.Preview, error) {
	if err := f.enter("Preview"); err != nil {
		return callback.Preview{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ops.wanted = append(f.ops.wanted, n)
	p := f.ops.preview
	if len(n.IDs) > 0 {
		p = f.previewOf(n.IDs)
	}
	p.Upto = idOf(0, 0)
	return p, f.refuse
}

// previewOf is that of calls that are named.
func (f *fake) previewOf(ids []callback.CallID) callback.Preview {
	p := callback.Preview{Missing: uint64(len(ids)), MissingIDs: slices.DeleteFunc(slices.Clone(ids), func(id callback.CallID) bool {
		return slices.ContainsFunc(f.calls, func(v callback.CallView) bool { return v.ID == id })
	})}
	for i := range f.calls {
		v := &f.calls[i]
		if !slices.Contains(ids, v.ID) {
			continue
		}
		p.Missing--
		p.Matched++
		p.Changed++
		var c callback.Cause
		if a := last(v); a != nil {
			c = callback.Cause{Class: a.Class.String(), Code: a.Code}
		}
		at := slices.IndexFunc(p.ByCause, func(o callback.Cause) bool { return o.Class == c.Class && o.Code == c.Code })
		if at < 0 {
			at, p.ByCause = len(p.ByCause), append(p.ByCause, c)
		}
		p.ByCause[at].Count++
		p.Oldest = v.Enqueued
	}
	return p
}

func (f *fake) StartOperation(_ context.Context, n callback.NewOperation) (v callback.OperationView, fresh bool, err error) {
	if err := f.enter("act"); err != nil {
		return v, false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return v, false, f.refuse
	}
	f.ops.begun = append(f.ops.begun, n)
	name := "crm-prod"
	for i := range f.overview.Callbacks {
		if h := &f.overview.Callbacks[i]; h.ID.String() == n.Ref {
			name = h.Name
		}
	}
	v = callback.OperationView{Callback: name, CallbackID: callbackIDOf(name), Operation: callback.Operation{
		ID: n.ID, Kind: n.Kind, Filter: n.Filter, Named: len(n.IDs), Rate: n.Rate, Upto: n.Upto, By: n.By, Remark: n.Remark,
		State: callback.OperationRunning, Created: noon, Total: 1290,
	}}
	f.ops.list = slices.Insert(f.ops.list, 0, v)
	err, f.ops.deaf = f.ops.deaf, nil
	return v, true, err
}

func (f *fake) Operations(_ context.Context, q callback.OperationQuery) (list callback.Listing[callback.OperationView], err error) {
	if err := f.enter("Operations"); err != nil {
		return list, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	list.Rows = slices.Clone(f.ops.list)
	return list, nil
}

// operation changes one, or finds it.
func (f *fake) operation(method, id string, change func(*callback.OperationView)) (callback.OperationView, error) {
	if err := f.enter(method); err != nil {
		return callback.OperationView{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.ops.list {
		if o := &f.ops.list[i]; o.ID == id {
			if method != "Operation" {
				f.acts = append(f.acts, fmt.Sprintf("%s %s", method, id))
			}
			change(o)
			return *o, nil
		}
	}
	return callback.OperationView{}, callback.NoOperation(id)
}

func (f *fake) Operation(_ context.Context, id string) (callback.OperationView, error) {
	return f.operation("Operation", id, func(*callback.OperationView) {})
}

func (f *fake) StopOperation(_ context.Context, id string) (callback.OperationView, error) {
	return f.operation("stop", id, func(o *callback.OperationView) { o.State = callback.OperationStopped })
}

func (f *fake) UndoOperation(_ context.Context, id string) (callback.OperationView, error) {
	return f.operation("undo", id, func(o *callback.OperationView) {
		o.State, o.Undone, o.UndoUntil = callback.OperationUndoing, 0, time.Time{}
	})
}

func (f *fake) Acknowledge(_ context.Context, ref string, n uint32, by string) error {
	return f.act("acknowledge %s %d by %s", ref, n, by)
}

func (f *fake) SendAlert(_ context.Context, key string) error { return f.act("send %s", key) }

// failedCalls is the preview of the golden frames.
func failedCalls() callback.Preview {
	return callback.Preview{
		Matched: 1284, Changed: 1284, Oldest: ago(4*time.Hour + 51*time.Minute),
		ByCause: []callback.Cause{{Class: "refused", Count: 1271}, {Class: "status", Code: 503, Count: 11}, {Class: "answer timeout", Count: 2}},
	}
}

// runningOp is an operation that somebody begun.
func runningOp(by string) callback.OperationView {
	return callback.OperationView{Callback: "crm-prod", CallbackID: callbackIDOf("crm-prod"), Operation: callback.Operation{
		ID: "5F0C6A1BB384FD38", Kind: callback.OperationRetry, State: callback.OperationRunning, Rate: 20, By: by,
		Created: ago(time.Minute), Total: 1284, Matched: 581, Changed: 579,
	}}
}
