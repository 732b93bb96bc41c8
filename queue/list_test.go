package queue

import (
	"fmt"
	"sync"
	"testing"
	"time"

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
