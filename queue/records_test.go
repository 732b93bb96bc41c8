package queue

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// What the id of a call tells is not stored; whatever else is said of it must be.
func TestShortRecord(t *testing.T) {
	t.Parallel()
	id := callback.NextCallID(0, queuetest.Start)
	plain := callback.Entry{ID: id, Num: 3, Enqueued: id.Time(), Due: id.Time()}
	if got := encodeEntry(&plain); len(got) != 1 {
		t.Errorf("a call as it was enqueued takes %d bytes", len(got))
	}
	entries := []callback.Entry{plain}
	for i := range reflect.TypeFor[callback.Entry]().NumField() {
		e := plain
		switch f := reflect.ValueOf(&e).Elem().Field(i); v := f.Addr().Interface().(type) {
		case *callback.CallID, *callback.Num:
			continue // they stand in the key
		case *time.Time:
			*v = queuetest.Start.Add(time.Hour)
		case *string:
			*v = "ana"
		case *bool:
			*v = true
		default:
			if f.CanInt() {
				f.SetInt(1)
			} else {
				f.SetUint(1)
			}
		}
		e.Running, e.Manual, e.Extend = false, false, false // they are never stored
		entries = append(entries, e)
	}
	for _, e := range entries {
		got, err := decodeEntry(encodeEntry(&e), e.Num, e.ID)
		if err != nil || got != e {
			t.Errorf("%+v is read as %+v: %v", e, got, err)
		}
	}
}

// The memory in which responses are encoded is used again: nothing of one may ever
// stand in another, however many are enqueued at once.
func TestResponsesAreNotMixed(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for producer := range 16 {
		wg.Go(func() {
			for i := range 50 {
				calls := make([]callback.NewCall, 1+i%20)
				for c := range calls {
					calls[c].Num = cb.Num
					calls[c].Response.Message.Content = strings.Repeat(fmt.Sprint(producer, i, c), 30+10*i)
				}
				out, err := e.Enqueue(t.Context(), queuetest.Start.Add(time.Duration(i)*time.Millisecond), calls)
				if err != nil {
					t.Error(err)
					return
				}
				for c := range calls {
					got, err := e.Call(t.Context(), cb.Num, out[c].ID)
					if err != nil || got.Damaged || got.Response.Message.Content != calls[c].Response.Message.Content {
						t.Errorf("call %s of producer %d is not what was enqueued: damaged %v, %v", out[c].ID, producer, got.Damaged, err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
}

// What carries a result to the writer is used again: each is answered with its own
// call, and a refusal leaves nothing for the next.
func TestResultsAreNotMixed(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 400})
	if err != nil {
		t.Fatal(err)
	}
	ids := underWay(t, e, cb.Num, 400)
	var wg sync.WaitGroup
	for part := range slices.Chunk(ids, 25) {
		wg.Go(func() {
			for _, id := range part {
				code := 200 + int(id)%200
				a := callback.Attempt{OK: true, Code: code, Started: queuetest.Start}
				got, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{a})
				if err != nil || got.ID != id || got.LastCode != code || got.Attempts != 1 {
					t.Errorf("call %s ended with %d: it is %+v, %v", id, code, got, err)
				}
				got, err = e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{a})
				if callback.ErrorCode(err) != callback.CodeConflict || got != (callback.Entry{}) {
					t.Errorf("call %s, whose attempt is over: %+v, %v", id, got, err)
				}
			}
		})
	}
	wg.Wait()
}
