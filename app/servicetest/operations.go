package servicetest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// failing enqueues n responses that fail once.
func (b *bench) failing(ref string, n int) []callback.CallID {
	b.t.Helper()
	var ids []callback.CallID
	for i := range n {
		ids = append(ids, b.enqueue(response(ref, fmt.Sprintf("%s no %03d", ref, i)))...)
	}
	for _, id := range ids {
		b.ended(ref, id, 1)
	}
	return ids
}

// operated waits until an operation has ended, or its undo.
func (b *bench) operated(id string) (o callback.OperationView) {
	b.t.Helper()
	b.until("operation "+id, func() bool {
		var err error
		if o, err = b.svc.Operation(b.ctx, id); err != nil {
			b.t.Fatalf("operation %s: %v", id, err)
		}
		return !o.Active()
	})
	return o
}

func (b *bench) start(n callback.NewOperation) callback.OperationView {
	b.t.Helper()
	o, fresh, err := b.svc.StartOperation(b.ctx, n)
	if err != nil || !fresh || o.ID == "" || o.Kind != n.Kind || o.Created.IsZero() {
		b.t.Fatalf("start %+v: fresh %v, %+v, %v", n, fresh, o, err)
	}
	return b.operated(o.ID)
}

// operationRetries: what failed is delivered after the endpoint healed, each
// once, the oldest first, and as many as the preview said.
func operationRetries(t *testing.T, b *bench) {
	b.hook.answer(http.StatusInternalServerError)
	h := b.callback("healed", func(d *callback.Draft) { d.Ordered = ptr(true) })
	ids := b.failing("healed", 3)
	b.hook.answer(http.StatusOK)
	want := callback.NewOperation{Ref: "healed", Kind: callback.OperationRetry, By: "fred"}
	p, err := b.svc.Preview(b.ctx, want)
	if err != nil || p.Matched != 3 || p.Changed != 3 || p.Partial || p.Other != 0 || p.Oldest.IsZero() ||
		!slices.Equal(p.ByCause, []callback.Cause{{Class: "status", Code: 500, Count: 3}}) {
		t.Fatalf("preview: %+v, %v", p, err)
	}
	before := len(b.hook.all())
	o := b.start(want)
	if o.State != callback.OperationDone || o.Matched != 3 || o.Changed != p.Changed || o.Skipped() != 0 || o.Total != 3 ||
		o.CallbackID != h.ID || o.Callback != "healed" || o.By == "" || o.Finished.IsZero() || !o.UndoUntil.IsZero() {
		t.Fatalf("done: %+v", o)
	}
	for _, id := range ids {
		if c := b.ended("healed", id, 2); c.State != callback.StateDelivered || c.Attempts[1].Manual {
			t.Fatalf("call %v: %v, by hand %v", id, c.State, c.Attempts[1].Manual)
		}
	}
	h, err = b.svc.Callback(b.ctx, "healed")
	if r := h.Live.Requeued; err != nil || r.Calls != 3 || r.Delivered != 3 || r.Failed != 0 || r.Waiting() != 0 || r.Began.IsZero() || r.Last.Before(r.Began) {
		t.Fatalf("what became of them: %+v, %v", r, err)
	}
	sent := b.hook.all()[before:]
	if len(sent) != 3 {
		t.Fatalf("%d requests for 3 calls", len(sent))
	}
	for i, body := range sent {
		if !strings.Contains(body, fmt.Sprintf("healed no %03d", i)) {
			t.Fatalf("request %d is %s", i, body)
		}
	}
}

// operationProbes: while the endpoint is down one call is tried, and the rest
// waits until one succeeds.
func operationProbes(t *testing.T, b *bench) {
	b.hook.answer(http.StatusInternalServerError)
	b.callback("down", retries)
	ids := b.failing("down", 3)
	tried := func() (n int) {
		for _, id := range ids {
			n += b.call("down", id).Entry.Attempts
		}
		return n
	}
	if h, err := b.svc.Callback(b.ctx, "down"); err != nil || h.Live.Gate.State != callback.Open || tried() != 3 {
		t.Fatalf("after 3 failures: gate %v, %d attempts, %v", h.Live.Gate.State, tried(), err)
	}
	o := b.start(callback.NewOperation{Ref: "down", Kind: callback.OperationRetry})
	if o.Matched != 3 || o.Changed != 3 {
		t.Fatalf("retried: %+v", o)
	}
	b.ended("down", ids[0], 2)
	if h, err := b.svc.Callback(b.ctx, "down"); err != nil || h.Live.Requeued.Calls != 3 || h.Live.Requeued.Failed != 1 || h.Live.Requeued.Waiting() != 2 {
		t.Fatalf("after the probe: %+v, %v", h.Live.Requeued, err)
	}
	if n := tried(); n != 4 {
		t.Fatalf("%d attempts behind an open gate, want 4", n)
	}
	if c := b.call("down", ids[2]); c.State != callback.StateHeld {
		t.Fatalf("the last call is %v", c.State)
	}
	b.hook.answer(http.StatusOK)
	b.start(callback.NewOperation{Ref: "down", Kind: callback.OperationRetry})
	for _, id := range ids {
		b.until("delivery of "+id.String(), func() bool { return b.call("down", id).State == callback.StateDelivered })
	}
	if n := tried(); n != 7 {
		t.Fatalf("%d attempts in all, want 7", n)
	}
}

// operationResolves: only what the filter selects is resolved, and the undo
// brings it back with its old window and due time.
func operationResolves(t *testing.T, b *bench) {
	b.hook.answer(http.StatusTeapot)
	b.callback("broken", retries)
	ids := b.failing("broken", 3)
	var before []callback.CallView
	for _, id := range ids {
		before = append(before, b.call("broken", id))
	}
	want := callback.NewOperation{
		ID: "mine-1", Ref: "broken", Kind: callback.OperationResolve, By: "fred",
		Filter: callback.Filter{Code: http.StatusTeapot, Text: "NO 00", State: before[0].State, To: time.Now().Add(time.Hour)},
	}
	want.Filter.MessageID = before[1].Response.MessageID
	p, err := b.svc.Preview(b.ctx, want)
	if err != nil || p.Matched != 1 || p.Changed != 1 {
		t.Fatalf("preview: %+v, %v", p, err)
	}
	if o := b.start(want); o.ID != "mine-1" || o.Changed != 1 || o.Filter.Status != callback.ListFailed || o.Filter.Text != "NO 00" || o.UndoUntil.IsZero() {
		t.Fatalf("resolved one: %+v", o)
	}
	rest := callback.NewOperation{Ref: "broken", Kind: callback.OperationResolve, By: "fred", Filter: callback.Filter{Status: callback.ListFailed}}
	if o := b.start(rest); o.Matched != 2 || o.Changed != 2 {
		t.Fatalf("resolved the rest: %+v", o)
	}
	for _, id := range ids {
		if c := b.call("broken", id); c.State != callback.StateResolved || c.ResolvedBy == "" {
			t.Fatalf("call %v: %v by %q", id, c.State, c.ResolvedBy)
		}
	}
	if _, err := b.svc.UndoOperation(b.ctx, "mine-1"); err != nil {
		t.Fatalf("undo: %v", err)
	}
	if o := b.operated("mine-1"); o.State != callback.OperationUndone || o.Undone != 1 || o.Missed != 0 || !o.UndoUntil.IsZero() {
		t.Fatalf("undone: %+v", o)
	}
	got, was := b.call("broken", ids[1]), before[1]
	if got.State != was.State || !got.Due.Equal(was.Due) || got.GivesUp.Sub(was.GivesUp).Abs() > time.Second || got.ResolvedBy != "" ||
		!got.FirstFailed.Equal(was.FirstFailed) || got.Entry.Attempts != was.Entry.Attempts {
		t.Fatalf("undone:\n got %+v\nwant %+v", got.Entry, was.Entry)
	}
	if c := b.call("broken", ids[0]); c.State != callback.StateResolved {
		t.Fatalf("another operation's call is %v", c.State)
	}
	_, err = b.svc.UndoOperation(b.ctx, "mine-1")
	b.wantCode("undo twice", err, callback.CodeConflict)
}

// operationBounded: what comes after a preview is not meant, where its bound is
// handed on; and what was asked for is told.
func operationBounded(t *testing.T, b *bench) {
	b.hook.answer(http.StatusTeapot)
	b.callback("bounded", retries)
	ids := b.failing("bounded", 2)
	want := callback.NewOperation{
		Ref: "bounded", Kind: callback.OperationResolve, Remark: "by hand, ticket 4471",
		Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending},
	}
	p, err := b.svc.Preview(b.ctx, want)
	if err != nil || p.Matched != 2 || p.Upto < ids[1] {
		t.Fatalf("preview: %+v, %v", p, err)
	}
	n := p.Matched
	if err := b.svc.Suspend(b.ctx, "bounded", "fred"); err != nil { // so that what comes is held
		t.Fatal(err)
	}
	later := b.enqueue(response("bounded", "later"))
	for ; later[0] <= p.Upto; n++ { // of the preview's own millisecond
		later = b.enqueue(response("bounded", "later"))
	}
	want.Upto = p.Upto
	if again, err := b.svc.Preview(b.ctx, want); err != nil || again.Matched != n || again.Upto != p.Upto {
		t.Fatalf("preview within the bound: %+v, %v", again, err)
	}
	if o := b.start(want); o.Changed != n || o.Upto > p.Upto || o.Upto < ids[1] || o.Remark != want.Remark {
		t.Fatalf("resolved: %+v", o)
	}
	if c := b.call("bounded", later[0]); c.State == callback.StateResolved {
		t.Fatal("a call that came after the preview was resolved")
	}
	o := b.start(callback.NewOperation{Ref: "bounded", Kind: callback.OperationRetry, Rate: 1000, Filter: callback.Filter{Text: "nothing like it"}})
	if o.Rate != 1000 {
		t.Fatalf("retried: %+v", o)
	}
}

// operationNames: exactly the calls that are named are done, with a preview, a
// remark and an undo as any other; one that does not exist is told of.
func operationNames(t *testing.T, b *bench) {
	b.hook.answer(http.StatusTeapot)
	h := b.callback("named", retries)
	ids := b.failing("named", 3) // the next would wait behind the gate
	want := callback.NewOperation{
		ID: "by-id", Ref: "named", Kind: callback.OperationResolve, By: "fred", Remark: "ticket 4471",
		IDs: []callback.CallID{ids[2], ids[0], 42, ids[0]},
	}
	unknown := []callback.CallID{42}
	p, err := b.svc.Preview(b.ctx, want)
	if !slices.Equal(p.MissingIDs, unknown) {
		t.Fatalf("preview: missing are %v, want %v", p.MissingIDs, unknown)
	}
	if err != nil || p.Matched != 2 || p.Changed != 2 || p.Missing != 1 || p.Partial || p.Oldest.IsZero() || p.Upto < ids[2] ||
		!slices.Equal(p.ByCause, []callback.Cause{{Class: "status", Code: http.StatusTeapot, Count: 2}}) {
		t.Fatalf("preview: %+v, %v", p, err)
	}
	before := b.call("named", ids[0])
	o := b.start(want)
	if o.State != callback.OperationDone || o.Named != 3 || o.Total != 3 || o.Matched != 2 || o.Changed != 2 || o.Filter != (callback.Filter{}) ||
		o.Remark != "ticket 4471" || o.CallbackID != h.ID || o.UndoUntil.IsZero() {
		t.Fatalf("resolved: %+v", o)
	}
	for i, id := range ids {
		if got := b.call("named", id).State == callback.StateResolved; got != (i != 1) {
			t.Fatalf("call %d is resolved: %v", i, got)
		}
	}
	again, fresh, err := b.svc.StartOperation(b.ctx, want)
	if err != nil || fresh || again.Changed != 2 || again.Named != 3 || !slices.Equal(again.MissingIDs, unknown) {
		t.Fatalf("started again: fresh %v, %+v, %v", fresh, again, err)
	}
	other := want
	other.IDs = ids[1:2]
	_, _, err = b.svc.StartOperation(b.ctx, other)
	b.wantCode("the same id for other calls", err, callback.CodeConflict)
	if _, err := b.svc.UndoOperation(b.ctx, "by-id"); err != nil {
		t.Fatalf("undo: %v", err)
	}
	if o := b.operated("by-id"); o.State != callback.OperationUndone || o.Undone != 2 || o.Missed != 0 {
		t.Fatalf("undone: %+v", o)
	}
	if got := b.call("named", ids[0]); got.State != before.State || !got.Due.Equal(before.Due) || got.ResolvedBy != "" {
		t.Fatalf("undone:\n got %+v\nwant %+v", got.Entry, before.Entry)
	}
	b.namesMany(ids)
	b.hook.answer(http.StatusOK)
	if o := b.start(callback.NewOperation{Ref: "named", Kind: callback.OperationRetry, IDs: ids[1:], Rate: 1000}); o.Matched != 2 || o.Changed != 2 || o.Named != 2 {
		t.Fatalf("retried: %+v", o)
	}
	for _, id := range ids[1:] {
		b.until("delivery of "+id.String(), func() bool { return b.call("named", id).State == callback.StateDelivered })
	}
}

// namesMany: of many calls that do not exist, or are of another callback, the first
// are told, in order, whatever lies between them.
func (b *bench) namesMany(ids []callback.CallID) {
	t := b.t
	t.Helper()
	b.callback("others", nil)
	far := b.enqueue(response("others", "of another callback"))[0]
	named := []callback.CallID{far + 1, ids[0], far, ids[2]}
	for i := range callback.MaxMissing + 700 {
		named = append(named, callback.CallID(i+1))
	}
	for _, tc := range []struct{ ids, want []callback.CallID }{
		{named[:4], []callback.CallID{far, far + 1}},
		{ids, nil},
		{named, named[4 : 4+callback.MaxMissing]},
	} {
		n := callback.NewOperation{Ref: "named", Kind: callback.OperationRetry, IDs: tc.ids, Rate: 1000}
		p, err := b.svc.Preview(b.ctx, n)
		if err != nil || !slices.Equal(p.MissingIDs, tc.want) {
			t.Fatalf("of %d calls %v are missing, %v, want %v", len(tc.ids), p.MissingIDs, err, tc.want)
		}
	}
}

// operationRepeats: a start that is repeated starts nothing.
func operationRepeats(t *testing.T, b *bench) {
	b.callback("a", nil)
	b.callback("b", nil)
	want := callback.NewOperation{
		ID: "Once_1", Ref: "a", Kind: callback.OperationRetry,
		Filter: callback.Filter{Code: callback.NoAnswer, From: time.Now().Add(-time.Hour)},
	}
	first := b.start(want)
	again, fresh, err := b.svc.StartOperation(b.ctx, want)
	if err != nil || fresh || again.ID != first.ID || !again.Created.Equal(first.Created) || again.State != callback.OperationDone || again.Filter != first.Filter {
		t.Fatalf("started again: fresh %v, %v\n got %+v\nwant %+v", fresh, err, again, first)
	}
	for _, change := range []func(*callback.NewOperation){
		func(n *callback.NewOperation) { n.Ref = "b" },
		func(n *callback.NewOperation) { n.Kind = callback.OperationResolve },
		func(n *callback.NewOperation) { n.Filter.Code = 500 },
		func(n *callback.NewOperation) { n.Extend = true },
		func(n *callback.NewOperation) { n.Rate = 7 },
	} {
		other := want
		change(&other)
		_, _, err := b.svc.StartOperation(b.ctx, other)
		b.wantCode("the same id for something else", err, callback.CodeConflict)
	}
	stopped, err := b.svc.StopOperation(b.ctx, "Once_1")
	if err != nil || stopped.State != callback.OperationDone {
		t.Fatalf("stop one that has ended: %+v, %v", stopped, err)
	}
	_, err = b.svc.UndoOperation(b.ctx, "Once_1")
	b.wantCode("undo of a retry", err, callback.CodeConflict)
}

func operationRefuses(t *testing.T, b *bench) {
	b.callback("a", nil)
	resolve := callback.Filter{Status: callback.ListFailed}
	for _, c := range []struct {
		name  string
		n     callback.NewOperation
		field string
	}{
		{"an id with a space", callback.NewOperation{ID: "a b", Ref: "a", Kind: callback.OperationRetry}, "Operation-Id"},
		{"a long id", callback.NewOperation{ID: strings.Repeat("x", 65), Ref: "a", Kind: callback.OperationRetry}, "Operation-Id"},
		{"retry of successes", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Filter: callback.Filter{Status: callback.ListSuccess}}, "status"},
		{"retry of what was not tried", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Filter: callback.Filter{Status: callback.ListPending}}, "status"},
		{"resolve of successes", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve, Filter: callback.Filter{Status: callback.ListSuccess}}, "status"},
		{"resolve of nothing in particular", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve}, "status"},
		{"unknown state", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve, Filter: callback.Filter{Status: callback.ListFailed, State: "bogus"}}, "state"},
		{"unknown class", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Filter: callback.Filter{Class: "bogus"}}, "class"},
		{"a resolve with a rate", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve, Filter: resolve, Rate: 5}, "ratePerSecond"},
		{"a rate beyond the bound", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Rate: callback.MaxOperationRate + 1}, "ratePerSecond"},
		{"a rate below zero", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Rate: -1}, "ratePerSecond"},
		{"a long remark", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, Remark: strings.Repeat("x", callback.MaxRemark+1)}, "remark"},
		{"calls named beside a filter", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve, IDs: []callback.CallID{1}, Filter: resolve}, "ids"},
		{"no call named", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, IDs: []callback.CallID{}}, "ids"},
		{"too many calls named", callback.NewOperation{Ref: "a", Kind: callback.OperationRetry, IDs: tooMany()}, "ids"},
		{"resolve with extend", callback.NewOperation{Ref: "a", Kind: callback.OperationResolve, Filter: resolve, Extend: true}, "extend"},
	} {
		_, _, err := b.svc.StartOperation(b.ctx, c.n)
		b.wantFields(c.name, err, c.field)
		_, err = b.svc.Preview(b.ctx, c.n)
		b.wantFields(c.name, err, c.field)
	}
	_, _, err := b.svc.StartOperation(b.ctx, callback.NewOperation{Ref: "nobody", Kind: callback.OperationRetry})
	b.wantCode("an unknown callback", err, callback.CodeNotFound)
	for _, id := range []string{"unknown", "", ".", "a/b"} {
		b.wantCode("operation", second(b.svc.Operation(b.ctx, id)), callback.CodeNotFound)
		b.wantCode("stop", second(b.svc.StopOperation(b.ctx, id)), callback.CodeNotFound)
		b.wantCode("undo", second(b.svc.UndoOperation(b.ctx, id)), callback.CodeNotFound)
	}
	if list, err := b.svc.Operations(b.ctx, callback.OperationQuery{}); err != nil || list.Total != 0 {
		t.Fatalf("refused operations are listed: %+v, %v", list, err)
	}
}

// tooMany are more calls than an operation may name.
func tooMany() []callback.CallID {
	ids := make([]callback.CallID, callback.MaxNamed+1)
	for i := range ids {
		ids[i] = callback.CallID(i + 1)
	}
	return ids
}

func operationsListed(t *testing.T, b *bench) {
	b.callback("a", nil)
	b.callback("b", nil)
	for i := range 5 {
		b.start(callback.NewOperation{ID: fmt.Sprint("op", i), Ref: []string{"a", "b"}[i%2], Kind: callback.OperationRetry})
	}
	for _, c := range []struct {
		q     callback.OperationQuery
		want  string
		total uint64
		more  bool
	}{
		{callback.OperationQuery{Limit: 20}, "op4 op3 op2 op1 op0", 5, false},
		{callback.OperationQuery{Limit: 2, Offset: 1}, "op3 op2", 5, true},
		{callback.OperationQuery{Limit: 20, Ref: "b"}, "op3 op1", 2, false},
		{callback.OperationQuery{Limit: 20, State: callback.OperationDone, Ref: "a"}, "op4 op2 op0", 3, false},
		{callback.OperationQuery{Limit: 20, State: callback.OperationRunning}, "", 0, false},
	} {
		list, err := b.svc.Operations(b.ctx, c.q)
		var got []string
		for i := range list.Rows {
			got = append(got, list.Rows[i].ID)
		}
		if err != nil || strings.Join(got, " ") != c.want || list.Total != c.total || !list.Exact && c.total > 0 || list.More != c.more {
			t.Errorf("%+v: %v of %d, more %v, %v; want %q of %d", c.q, got, list.Total, list.More, err, c.want, c.total)
		}
	}
	_, err := b.svc.Operations(b.ctx, callback.OperationQuery{Ref: "nobody"})
	b.wantCode("of an unknown callback", err, callback.CodeNotFound)
}
