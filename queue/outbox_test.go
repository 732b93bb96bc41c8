package queue

import (
	"fmt"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// alike returns two keys of alerts that have the same hash.
func alike(t *testing.T, id callback.CallbackID) (a, b string) {
	t.Helper()
	seen := map[uint32]string{}
	for i := range 1_000_000 {
		k := fmt.Sprintf("call/%s/%d", id, i)
		hash := callback.AlertHash(k)
		if seen[hash] != "" {
			return seen[hash], k
		}
		seen[hash] = k
	}
	t.Fatal("no two keys have the same hash")
	return "", ""
}

// An alert is found by its key, also where a younger one has the same hash; one
// that is not there costs no commit.
func TestSendAgainFindsByKey(t *testing.T) {
	t.Parallel()
	commits := 0
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() { commits++; return func() {} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	now := queuetest.Start
	cb, err := e.Create(t.Context(), now, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	older, younger := alike(t, cb.ID)
	err = e.submit(t.Context(), now, 4, 1024, func(g *group) error {
		for i, k := range []string{older, younger} {
			a := callback.Alert{Key: k, Kind: callback.AlertCall, Num: cb.Num, Callback: cb.ID, Created: now.Add(time.Duration(i) * time.Minute), Status: callback.AlertSent}
			if err := g.putSplit(alertKey(slotOf(cb.ID), &a), encodeAlert(&a)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.SendAgain(t.Context(), now, older); err != nil {
		t.Fatal(err)
	}
	due, _, err := e.DueAlerts(t.Context(), now, 10)
	if err != nil || len(due) != 1 || due[0].Key != older {
		t.Errorf("due: %+v, %v; want %s", due, err, older)
	}
	before := commits
	if err := e.SendAgain(t.Context(), now, fmt.Sprintf("call/%s/none", cb.ID)); callback.ErrorCode(err) != callback.CodeNotFound {
		t.Errorf("one that is not there: %v", err)
	}
	if commits != before {
		t.Errorf("looking for an alert that is not there took %d commits", commits-before)
	}
}

// The records that a commit of enqueues writes are no more than it said.
func TestEnqueueStatesItsWeight(t *testing.T) {
	t.Parallel()
	e := quick(t)
	now := queuetest.Start
	var calls []callback.NewCall
	for i := range 512 {
		cb, err := e.Create(t.Context(), now, callback.Callback{ID: callback.CallbackID(i + 1), Name: fmt.Sprint("a", i)})
		if err != nil {
			t.Fatal(err)
		}
		e.houses[cb.Num-1].live.LastError = string(make([]byte, callback.MaxError))
		e.houses[cb.Num-1].live.Outage.FirstText = string(make([]byte, callback.MaxError))
		r := kilobyte()
		r.Key, r.MessageID, r.DeliverAt = "k", "m", now.Add(time.Hour)
		calls = append(calls, callback.NewCall{Num: cb.Num, Response: r})
	}
	before := e.db.MaxVersion()
	if out, err := e.Enqueue(t.Context(), now, calls); err != nil || out[511].Err != nil {
		t.Fatal(out[511].Err, err)
	}
	written := 0
	err := e.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{SinceTs: before})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			written++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if written > enqueueWeight*len(calls) || written < 6*len(calls) {
		t.Errorf("%d records of %d calls, %d each were stated", written, len(calls), enqueueWeight)
	}
}
