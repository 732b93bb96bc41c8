package queue

import (
	"errors"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// A purge leaves nothing of a call in any index.
func TestPurgeLeavesNothing(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range fill(t, e, cb.Num, 3) {
		for range 2 {
			if _, err := e.ClaimManual(t.Context(), queuetest.Start, cb.Num, id, false); err != nil {
				t.Fatal(err)
			}
			failed := callback.Attempt{Class: callback.ClassStatus, Code: 500, Excerpt: "busy"}
			if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{failed}); err != nil {
				t.Fatal(err)
			}
		}
	}
	later := queuetest.Start.Add(time.Hour)
	if n, err := e.Purge(t.Context(), later, later, later, 10); err != nil || n != 3 {
		t.Fatalf("purged %d: %v", n, err)
	}
	nothingLeft(t, e)
}

func nothingLeft(t *testing.T, e *Engine) {
	t.Helper()
	err := e.db.View(func(txn *badger.Txn) error {
		for _, kind := range []byte{kindPayload, kindDue, kindLate, kindRow, kindCode, kindMessage, kindAttempt, kindExcerpt, kindClaim} {
			err := eachKey(txn, key(slotOf(1), kind), nil, func(k []byte) (bool, error) {
				t.Errorf("%q is left: %x", kind, k)
				return true, nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A call with more attempts than fit one commit is removed in several, and is
// whole after each.
func TestPurgeOfAnEndlessCall(t *testing.T) {
	t.Parallel()
	opt := Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true}
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	id, now := fill(t, e, cb.Num, 1)[0], queuetest.Start
	const attempts = 2*trimmed + 30
	for i := range attempts {
		now = now.Add(time.Minute)
		if _, err := e.ClaimManual(t.Context(), now, cb.Num, id, false); err != nil {
			t.Fatal(err)
		}
		failed := callback.Attempt{Class: callback.ClassStatus, Code: 500 + i%3, Excerpt: "busy", Started: now}
		if i == attempts-1 {
			failed = callback.Attempt{Code: 200, OK: true, Started: now}
		}
		if _, err := e.Record(t.Context(), now, cb.Num, id, []callback.Attempt{failed}); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Hour)
	if ok, err := (&removal{e: e, now: later, num: cb.Num, horizon: later}).trim(t.Context(), id); err != nil || !ok {
		t.Fatalf("trimmed: %v, %v", ok, err)
	}
	c, err := e.Call(t.Context(), cb.Num, id)
	if err != nil || c.Entry.Attempts != attempts-trimmed || c.LastCode != 500+(attempts-trimmed-1)%3 {
		t.Fatalf("%d attempts and code %d are left, %v", c.Entry.Attempts, c.LastCode, err)
	}
	if err := errors.Join(e.Check(t.Context()), e.Close()); err != nil {
		t.Fatal(err)
	}
	if e, err = Open(opt); err != nil { // what the process ended with there
		t.Fatal(err)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if n, err := e.Purge(t.Context(), later, later, later, 10); err != nil || n != 1 {
		t.Fatalf("purged %d: %v", n, err)
	}
	nothingLeft(t, e)
	if err := errors.Join(e.Check(t.Context()), e.Close()); err != nil {
		t.Fatal(err)
	}
}

// A call that changed after its keys were collected is left alone.
func TestPurgeOfACallThatChanged(t *testing.T) {
	t.Parallel()
	e, num, ids := failures(t, 3)
	later := queuetest.Start.Add(time.Hour)
	r := &removal{e: e, now: later, num: num, status: rowFailed, horizon: later}
	old, _, _, err := r.find(10)
	if err != nil || len(old) != 3 {
		t.Fatalf("found %d: %v", len(old), err)
	}
	if _, err := e.Resolve(t.Context(), later, num, ids[:1], "ana"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.ClaimManual(t.Context(), later, num, ids[1], false); err != nil {
		t.Fatal(err)
	}
	if n, err := r.remove(t.Context(), old); n != 1 || err != nil {
		t.Fatalf("removed %d: %v", n, err)
	}
	for i, id := range ids {
		if _, err := e.Call(t.Context(), num, id); (err == nil) != (i < 2) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
