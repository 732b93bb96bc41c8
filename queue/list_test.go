package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Whoever reads lists does not race with who changes the callback.
func TestListsWhileUpdating(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	failAll(t, e, cb.Num, queuetest.Start, callback.Attempt{Code: 500, Class: callback.ClassStatus}, fill(t, e, cb.Num, 20)...)
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 100 {
			if _, err := e.Update(t.Context(), queuetest.Start, cb, 0); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		for range 100 {
			for _, f := range []callback.Filter{{}, {To: queuetest.Start.Add(time.Second)}, {Code: 500}, {MessageID: "m"}, {State: callback.StateGaveUp}} {
				if _, err := e.Calls(t.Context(), callback.CallQuery{Filter: f}); err != nil {
					t.Error(err)
				}
				if _, err := e.Attempts(t.Context(), callback.AttemptQuery{Filter: f}); err != nil {
					t.Error(err)
				}
			}
		}
	})
	wg.Wait()
}

// What was moved to another list has left a tombstone where it was: a list passes over
// them as over rows, a bounded number in one question and none of them twice, and
// shows nothing as it was before.
func TestListPassesOverWhatIsGone(t *testing.T) {
	t.Parallel()
	const calls, scan = 500, 100
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, calls+1)
	failed := callback.Attempt{Code: 500, Class: callback.ClassStatus}
	failAll(t, e, cb.Num, queuetest.Start, failed, ids...)
	if _, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids, "ana"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Reopen(t.Context(), queuetest.Start, cb.Num, ids[1:]); err != nil {
		t.Fatal(err)
	}
	failAll(t, e, cb.Num, queuetest.Start, failed, ids[1:]...) // their rows are written anew, and again
	for status, want := range map[callback.CallStatus][]callback.CallID{callback.ListSuccess: ids[:1], callback.ListFailed: ids[1:]} {
		var got []callback.CallID
		q := callback.CallQuery{Num: cb.Num, Scan: scan, Filter: callback.Filter{Status: status}}
		questions := 0
		for more := true; more && questions < calls; questions++ {
			page, err := e.Calls(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range page.Calls {
				got = append(got, c.ID)
			}
			more, q.After = page.More, page.Next
		}
		slices.Reverse(got)
		if !slices.Equal(got, want) || status == callback.ListSuccess && (questions < calls/scan || questions > calls/scan+1) {
			t.Errorf("status %v: %d questions for %d calls, want %d", status, questions, len(got), len(want))
		}
	}
}

// Calls with a message id are found in the index of messages, whose slot several
// callbacks share: what one of them says of its times is not so of another.
func TestMessageOfSharedSlot(t *testing.T) {
	t.Parallel()
	dir, now := t.TempDir(), queuetest.Start
	open := func() *Engine {
		e, err := Open(Options{Dir: dir, Now: now, Policy: queuetest.Policy(), Free: plenty, noSync: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := open()
	other := callback.CallbackID(2)
	for slotOf(other) != slotOf(1) {
		other++
	}
	var nums []callback.Num
	for i, id := range []callback.CallbackID{1, other} {
		cb, err := e.Create(t.Context(), now, callback.Callback{ID: id, Name: fmt.Sprint(i)})
		if err != nil {
			t.Fatal(err)
		}
		nums = append(nums, cb.Num)
	}
	fill(t, e, nums[0], 1)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	now = now.Add(-time.Hour) // somebody set the clock
	e = open()
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	out, err := e.Enqueue(t.Context(), now, []callback.NewCall{{Num: nums[1], Response: callback.Response{MessageID: "late"}}})
	if err != nil {
		t.Fatal(err)
	}
	failAll(t, e, nums[1], now, callback.Attempt{Code: 500, Class: callback.ClassStatus}, out[0].ID)
	for _, num := range []callback.Num{0, nums[1]} {
		q := callback.CallQuery{Num: num, Filter: callback.Filter{MessageID: "late", To: now.Add(time.Minute)}}
		if page, err := e.Calls(t.Context(), q); err != nil || len(page.Calls) != 1 {
			t.Errorf("of callback %d: %d calls: %v", num, len(page.Calls), err)
		}
	}
}

// Lists end, and have each call once, where calls were accepted with a clock that
// stood before the first time an id can have.
func TestClockBeforeIDs(t *testing.T) {
	t.Parallel()
	e := quick(t)
	now := time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	cb, err := e.Create(t.Context(), now, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []callback.CallID
	for i := range 9 {
		if i == 3 {
			now = queuetest.Start // somebody set the clock
		}
		r := callback.Response{}
		if i%3 == 2 {
			r.DeliverAt = now.Add(time.Hour)
		}
		out, err := e.Enqueue(t.Context(), now.Add(time.Duration(i)*time.Second), []callback.NewCall{{Num: cb.Num, Response: r}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, out[0].ID)
	}
	for _, scan := range []int{1, 5, 0} {
		for _, oldest := range []bool{false, true} {
			q := callback.CallQuery{Oldest: oldest, Limit: 2, Scan: scan, Filter: callback.Filter{Status: callback.ListPending}}
			var got []callback.CallID
			for pages, more := 0, true; more; pages++ {
				page, err := e.Calls(t.Context(), q)
				if err != nil || pages > 50 {
					t.Fatalf("page %d, oldest %v, scan %d: %v", pages, oldest, scan, err)
				}
				for i := range page.Calls {
					got = append(got, page.Calls[i].ID)
				}
				if q.After, more = page.Next, page.More; more && q.After > ids[len(ids)-1]+1 {
					t.Errorf("oldest %v, scan %d: goes on behind %v, which is no call's", oldest, scan, q.After)
				}
			}
			if !oldest {
				slices.Reverse(got)
			}
			if !slices.Equal(got, ids) {
				t.Errorf("oldest %v, scan %d: got %v, want %v", oldest, scan, got, ids)
			}
		}
	}
}

// What the attempts of a message cost to find is bounded, however many calls
// have its id.
func TestAttemptsOfAMessageOfMany(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []callback.CallID
	for range 5 {
		ids = append(ids, fill(t, e, cb.Num, 500)...)
	}
	tried := []callback.CallID{ids[7], ids[1500], ids[2499]}
	failAll(t, e, cb.Num, queuetest.Start, callback.Attempt{Code: 500, Class: callback.ClassStatus}, tried...)
	q := callback.AttemptQuery{Filter: callback.Filter{MessageID: "m"}, Scan: 1, Oldest: true}
	var got []callback.CallID
	for more := true; more; {
		page, err := e.Attempts(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Attempts {
			got = append(got, page.Attempts[i].ID)
		}
		q.After, more = page.Next, page.More
	}
	if !slices.Equal(got, tried) {
		t.Errorf("got the attempts of %v, want %v", got, tried)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	for ctx, most := range map[context.Context]int{t.Context(): maxOfMessage + 1, ended: 1} {
		e.crowds.clear()
		err := e.db.View(func(txn *badger.Txn) error {
			l := &attempts{merge: merge{t: txn}, e: e, q: q.Bounded()}
			defer l.close()
			err := l.plan(ctx)
			if l.work > most*entryWork+len(tried)*attemptWork {
				t.Errorf("work %d for %d calls", l.work, most)
			}
			return err
		})
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("got %v, want %v", err, ctx.Err())
		}
	}
}
