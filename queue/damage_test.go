package queue

import (
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// failAll claims calls by hand and records the same attempt of each.
func failAll(t *testing.T, e *Engine, num callback.Num, now time.Time, a callback.Attempt, ids ...callback.CallID) {
	t.Helper()
	a.Started = now
	for _, id := range ids {
		if _, err := e.ClaimManual(t.Context(), now, num, id, false); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Record(t.Context(), now, num, id, []callback.Attempt{a}); err != nil {
			t.Fatal(err)
		}
	}
}

// failures is an engine with a callback of which n calls failed once.
func failures(t *testing.T, n int) (*Engine, callback.Num, []callback.CallID) {
	t.Helper()
	e := openTemp(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, n)
	failAll(t, e, cb.Num, queuetest.Start, callback.Attempt{Code: 500, Class: callback.ClassStatus, Reason: "oops"}, ids...)
	return e, cb.Num, ids
}

// damage changes records behind the engine's back; nil: it is gone.
func damage(t *testing.T, e *Engine, k, v []byte) {
	t.Helper()
	err := e.db.Update(func(txn *badger.Txn) error {
		if v == nil {
			return txn.Delete(k)
		}
		return txn.Set(k, v)
	})
	if err != nil {
		t.Fatal(err)
	}
}

var garbage = []byte("not what was written")

// A purge passes over calls whose attempts cannot be read, however many, and
// removes all others.
func TestPurgeOfDamagedAttempts(t *testing.T) {
	t.Parallel()
	for name, v := range map[string][]byte{"damaged": garbage, "gone": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, num, ids := failures(t, 5)
			for _, id := range ids[2:] { // those looked at first
				damage(t, e, attemptKey(slotOf(1), num, queuetest.Start, id, 1), v)
			}
			later := queuetest.Start.Add(time.Hour)
			n, err := e.Purge(t.Context(), later, later, later, 3)
			if err != nil || e.Err() != nil || n != 2 {
				t.Fatalf("removed %d, want 2: %v, engine: %v", n, err, e.Err())
			}
			if n, err := e.Purge(t.Context(), later, later, later, 3); n != 0 || err != nil {
				t.Fatalf("again: removed %d: %v", n, err)
			}
			for i, id := range ids {
				_, err := readBack(e, num, id)
				if gone := callback.ErrorCode(err) == callback.CodeNotFound; gone != (i < 2) {
					t.Errorf("call %d: %v", i, err)
				}
			}
		})
	}
}

func readBack(e *Engine, num callback.Num, id callback.CallID) (entry callback.Entry, err error) {
	err = e.db.View(func(txn *badger.Txn) error {
		entry, err = readEntry(txn, slotOf(1), num, id)
		return err
	})
	return entry, err
}

// A call with endless attempts, one of which cannot be read, is left as it is,
// and does not keep others from being removed.
func TestTrimOfDamagedAttempts(t *testing.T) {
	t.Parallel()
	for name, v := range map[string][]byte{"damaged": garbage, "gone": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, num, ids := failures(t, 2)
			now := queuetest.Start
			for range 2 * trimmed {
				now = now.Add(time.Minute)
				failAll(t, e, num, now, callback.Attempt{Code: 500, Class: callback.ClassStatus}, ids[1])
			}
			damage(t, e, attemptKey(slotOf(1), num, queuetest.Start.Add(1990*time.Minute), ids[1], 1991), v)
			before, err := readBack(e, num, ids[1])
			if err != nil {
				t.Fatal(err)
			}
			later := now.Add(time.Hour)
			if n, err := e.Purge(t.Context(), later, later, later, 10); n != 1 || err != nil || e.Err() != nil {
				t.Fatalf("removed %d, want 1: %v, engine: %v", n, err, e.Err())
			}
			if after, err := readBack(e, num, ids[1]); err != nil || after != before {
				t.Errorf("left %+v: %v", after, err)
			}
		})
	}
}

// Lists, and operations, pass over a row that cannot be read; of a call whose
// last attempt cannot be read they tell what its row does.
func TestListsPassOverDamage(t *testing.T) {
	t.Parallel()
	e, num, ids := failures(t, 6)
	damage(t, e, rowKey(slotOf(1), num, rowFailed, ids[2]), garbage)
	damage(t, e, attemptKey(slotOf(1), num, queuetest.Start, ids[3], 1), garbage)
	damage(t, e, attemptKey(slotOf(1), num, queuetest.Start, ids[4], 1), nil)
	for name, f := range map[string]callback.Filter{
		"rows": {}, "codes": {Code: 500}, "message": {MessageID: "m"},
	} {
		page, err := e.Calls(t.Context(), callback.CallQuery{Filter: f, Oldest: true})
		if err != nil || len(page.Calls) != 5 || page.More {
			t.Errorf("%s: %d calls, more %v: %v", name, len(page.Calls), page.More, err)
			continue
		}
		for i := range page.Calls {
			if a := page.Calls[i].Attempts[0]; a.Code != 500 || a.OK || a.Number != 1 || !a.Started.Equal(queuetest.Start) {
				t.Errorf("%s: row %d has attempt %+v", name, i, a)
			}
		}
	}
	for name, f := range map[string]callback.Filter{"time": {}, "state": {State: callback.StateGaveUp}, "message": {MessageID: "m"}} {
		page, err := e.Attempts(t.Context(), callback.AttemptQuery{Filter: f})
		if err != nil || len(page.Attempts) < 3 || len(page.Attempts) > 4 || page.More {
			t.Errorf("%s: %d attempts, more %v: %v", name, len(page.Attempts), page.More, err)
		}
	}
	for _, id := range ids[3:5] {
		if c, err := e.Call(t.Context(), num, id); err != nil || c.Entry.Attempts != 1 || len(c.Attempts) != 1 || c.Attempts[0].Code != 500 {
			t.Errorf("call %s: %+v, %v", id, c, err)
		}
	}
	o, _, err := e.StartOperation(t.Context(), queuetest.Start, callback.Operation{ID: "o", Num: num, Kind: callback.OperationResolve})
	if err != nil {
		t.Fatal(err)
	}
	p, err := o.Next(t.Context(), e, 10)
	if err != nil || len(p.Calls) != 5 || !p.Last {
		t.Fatalf("an operation finds %+v: %v", p, err)
	}
	if o, err = e.AdvanceOperation(t.Context(), queuetest.Start, "o", p); err != nil || o.Changed != 5 || o.State != callback.OperationDone {
		t.Errorf("the operation %+v: %v", o, err)
	}
}
