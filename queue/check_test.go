package queue

import (
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Check finds every due entry that is not where its call says, and every call that
// should have one and has none.
func TestCheckOfDueEntries(t *testing.T) {
	t.Parallel()
	// set puts a due entry of e into the schedule.
	set := func(slot byte, e callback.Entry) func(*badger.Txn) error {
		return func(t *badger.Txn) error { return t.Set(dueKey(slot, &e), encodeEntry(&e)) }
	}
	for _, c := range []struct {
		name, want string
		damage     func(slot byte, fresh, tried, done callback.Entry) func(*badger.Txn) error
	}{
		{"a delivered one waits", "has a due entry that is not its own", func(slot byte, _, _, done callback.Entry) func(*badger.Txn) error {
			done.Status, done.Reason = callback.Ready, callback.NoReason
			return set(slot, done)
		}},
		{"a tried one waits twice", "has a due entry that is not its own", func(slot byte, _, tried, _ callback.Entry) func(*badger.Txn) error {
			tried.Due = tried.Due.Add(time.Minute)
			return set(slot, tried)
		}},
		{"a tried one waits as if it never was", "has a due entry that is not its own", func(slot byte, _, tried, _ callback.Entry) func(*badger.Txn) error {
			tried.Attempts = 0
			return set(slot, tried)
		}},
		{"a tried one waits where it first did", "has a due entry that is not its own", func(slot byte, _, tried, _ callback.Entry) func(*badger.Txn) error {
			tried.Attempts, tried.Due = 0, tried.ID.Time()
			return set(slot, tried)
		}},
		{"one never tried waits twice", "has a due entry that is not its own", func(slot byte, fresh, _, _ callback.Entry) func(*badger.Txn) error {
			fresh.Due = fresh.Due.Add(time.Minute)
			return set(slot, fresh)
		}},
		{"one waits that does not exist", "a due entry is left", func(slot byte, _, tried, _ callback.Entry) func(*badger.Txn) error {
			tried.ID += 77
			return set(slot, tried)
		}},
		{"a tried one does not wait", "has no due entry", func(slot byte, _, tried, _ callback.Entry) func(*badger.Txn) error {
			return func(t *badger.Txn) error { return t.Delete(dueKey(slot, &tried)) }
		}},
		{"one never tried is lost", "the counters say", func(slot byte, fresh, _, _ callback.Entry) func(*badger.Txn) error {
			return func(t *badger.Txn) error { return t.Delete(dueKey(slot, &fresh)) }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e := openTemp(t)
			cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
			if err != nil {
				t.Fatal(err)
			}
			ids := fill(t, e, cb.Num, 3)
			failAll(t, e, cb.Num, queuetest.Start, callback.Attempt{Code: 500, Class: callback.ClassStatus}, ids[1])
			failAll(t, e, cb.Num, queuetest.Start, answer(), ids[2])
			if err := e.Check(t.Context()); err != nil {
				t.Fatalf("before: %v", err)
			}
			var calls []callback.Entry
			for _, id := range ids {
				c, err := e.Call(t.Context(), cb.Num, id)
				if err != nil {
					t.Fatal(err)
				}
				calls = append(calls, c.Entry)
			}
			if err := e.db.Update(c.damage(slotOf(1), calls[0], calls[1], calls[2])); err != nil {
				t.Fatal(err)
			}
			if err := e.Check(t.Context()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want a fault that says %q", err, c.want)
			}
		})
	}
}

// However much is wrong, what is told of it is bounded.
func TestCheckTellsSoMuch(t *testing.T) {
	t.Parallel()
	e, num, ids := failures(t, 3*maxFaults)
	for _, id := range ids {
		damage(t, e, attemptKey(slotOf(1), num, queuetest.Start, id, 1), garbage)
	}
	err := e.Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "more faults") || strings.Count(err.Error(), "callback 1:") != maxFaults+1 {
		t.Errorf("got %v", err)
	}
}

// More calls are not said to get one attempt than there are.
func TestCheckOfRetries(t *testing.T) {
	t.Parallel()
	e, num, ids := failures(t, 2)
	retry := callback.Operation{ID: "op", Num: num, Kind: callback.OperationRetry, Filter: callback.Filter{Status: callback.ListFailed}}
	if _, _, err := e.StartOperation(t.Context(), queuetest.Start, retry); err != nil {
		t.Fatal(err)
	}
	page := callback.OperationPage{Calls: ids, After: ids[1], Last: true}
	if _, err := e.AdvanceOperation(t.Context(), queuetest.Start, "op", page); err != nil {
		t.Fatal(err)
	}
	once := &e.houses[num-1].live.Requeued.Once
	if err := e.Check(t.Context()); err != nil || *once != 2 {
		t.Fatalf("%d get one attempt: %v", *once, err)
	}
	*once = 3
	if err := e.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "2 calls get one attempt, the counters say 3") {
		t.Errorf("got %v", err)
	}
	*once = 2
}
