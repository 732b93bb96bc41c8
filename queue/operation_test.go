package queue

import (
	"fmt"
	"strings"
	"testing"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// A commit that forgets what many operations keep writes no more than it said,
// however long their records are, and what is left goes with the next.
func TestPurgeOperationsStatesItsSize(t *testing.T) {
	t.Parallel()
	e := quick(t)
	now := queuetest.Start
	cb, err := e.Create(t.Context(), now, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	const n = 120
	ids := fill(t, e, cb.Num, n)
	long := strings.Repeat("x", callback.MaxField)
	for i, id := range ids {
		// What matches is given by hand: these filters select nothing.
		o := callback.Operation{
			ID: fmt.Sprint("o", i), Num: cb.Num, Kind: callback.OperationResolve, By: "ana",
			Filter: callback.Filter{Status: callback.ListPending, MessageID: long, Text: long, Reason: long},
		}
		if _, _, err := e.StartOperation(t.Context(), now, o); err != nil {
			t.Fatal(err)
		}
		page := callback.OperationPage{Calls: []callback.CallID{id}, Last: true}
		if o, err = e.AdvanceOperation(t.Context(), now, o.ID, page); err != nil || o.Kept != 1 {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if parts := e.operations["o0"].parts; parts*n <= purgedParts {
		t.Fatalf("%d records of %d parts fit one commit: this proves nothing", n, parts)
	}
	now = now.Add(callback.KeepOperationsFor)
	commits, all := 0, 0
	for {
		before := len(e.operations)
		got, err := e.PurgeOperations(t.Context(), now, callback.MaxOperationPage)
		if err != nil {
			t.Fatal(err)
		}
		if got == 0 {
			break
		}
		commits, all = commits+1, all+got
		if gone := before - len(e.operations); gone > purgedParts/10 {
			t.Errorf("%d operations of 8 parts in one commit", gone)
		}
	}
	if all != 2*n || len(e.operations) != 0 || commits < 4 {
		t.Errorf("%d things forgotten in %d commits, %d operations left; want %d in 4 or more, and none left", all, commits, len(e.operations), 2*n)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
