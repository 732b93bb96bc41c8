package queue

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Behind a cursor all callbacks may have the next row: what waits in each is looked
// at no further than a page needs.
func TestPageOfWhatWaitsInMany(t *testing.T) {
	t.Parallel()
	e := quick(t)
	const many, each = 30, 300
	for i := range many {
		if _, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	var middle callback.CallID
	for i := range each {
		calls := make([]callback.NewCall, many)
		for c := range calls {
			calls[c].Num = callback.Num(c + 1)
		}
		out, err := e.Enqueue(t.Context(), queuetest.Start.Add(time.Duration(i)*time.Millisecond), calls)
		if err != nil {
			t.Fatal(err)
		}
		if i == each/2 {
			middle = out[0].ID
		}
	}
	page, err := e.Calls(t.Context(), callback.CallQuery{After: middle, Limit: 50, Filter: callback.Filter{Status: callback.ListPending}})
	if err != nil || len(page.Calls) != 50 || !page.More {
		t.Errorf("%d calls, more %v: %v", len(page.Calls), page.More, err)
	}
}

// A call that is reopened while a list begins waits before the head that the list
// knew of: it is on the page all the same.
func TestReopenedBehindTheHead(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true, headStep: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []callback.CallID
	for i := range 5 {
		out, err := e.Enqueue(t.Context(), queuetest.Start.Add(time.Duration(i)*time.Second), []callback.NewCall{{Num: cb.Num}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, out[0].ID)
	}
	later := queuetest.Start.Add(time.Minute)
	for _, id := range ids[:3] { // each commit raises the head over what the one before took
		if _, err := e.Resolve(t.Context(), later, cb.Num, []callback.CallID{id}, "ana"); err != nil {
			t.Fatal(err)
		}
	}
	now := e.moment(0)
	if from := now.from(cb.Num); from <= uint64(ids[0]) {
		t.Fatalf("the head is at %x, the first call at %x", from, uint64(ids[0]))
	}
	if _, err := e.Reopen(t.Context(), later, cb.Num, ids[:1]); err != nil {
		t.Fatal(err)
	}
	for _, oldest := range []bool{false, true} {
		var got []callback.CallID
		err = e.view(func(txn *badger.Txn) error {
			q := callback.CallQuery{Oldest: oldest, Filter: callback.Filter{Status: callback.ListPending}}
			l := e.plan(txn, q.Bounded(), now)
			defer l.close()
			rows, _, _, err := collect(t.Context(), &l.merge, 10, 0, true, l.call)
			for i := range rows {
				got = append(got, rows[i].ID)
			}
			return err
		})
		slices.Sort(got)
		if want := []callback.CallID{ids[0], ids[3], ids[4]}; err != nil || !slices.Equal(got, want) {
			t.Errorf("oldest %v: got %v, want %v: %v", oldest, got, want, err)
		}
	}
}
