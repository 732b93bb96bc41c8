package queue

import (
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Of a callback that retention removed nothing is left, on disk or in memory. It
// waits while the same commit has anything to write of it.
func TestRemovedCallbackLeavesNothing(t *testing.T) {
	t.Parallel()
	e := quick(t)
	now := queuetest.Start
	cb, err := e.Create(t.Context(), now, callback.Callback{ID: 1, Name: "a", CA: string(make([]byte, 2000))})
	if err != nil {
		t.Fatal(err)
	}
	failAll(t, e, cb.Num, now, callback.Attempt{Code: 500, Class: callback.ClassStatus, Excerpt: "busy"}, fill(t, e, cb.Num, 3)...)
	if err := e.Suspend(t.Context(), now, cb.Num, "ana"); err != nil {
		t.Fatal(err)
	}
	if err := e.Delete(t.Context(), now, cb.Num); err != nil {
		t.Fatal(err)
	}
	all, err := e.Alerts(t.Context(), callback.Newest[callback.Alert]{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all.Rows {
		a.Status = callback.AlertExpired
		if err := e.SetAlert(t.Context(), now, a); err != nil {
			t.Fatal(err)
		}
	}
	later := now.Add(time.Hour)
	if n, err := e.Purge(t.Context(), later, later, later, 10); err != nil || n != 3 {
		t.Fatalf("purged %d: %v", n, err)
	}
	for _, purge := range []func() (int, error){
		func() (int, error) { return e.purgeOutages(t.Context(), later, cb.Num, later, 10) },
		func() (int, error) { return e.purgeAlerts(t.Context(), later, cb.Num, later, 10) },
	} {
		if n, err := purge(); err != nil || n == 0 {
			t.Fatalf("purged %d: %v", n, err)
		}
	}
	err = e.submit(t.Context(), later, callbackParts, 0, func(g *group) error {
		g.step(e.houses[0]).Tick(false)
		n, err := g.purgeCallback(cb.Num)
		if n != 0 {
			t.Error("it was removed, and its live state is written behind that")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := e.PurgeOutages(t.Context(), later, later, 10); err != nil || n != 2 {
		t.Fatalf("removed %d, not an hour of causes and a callback: %v", n, err)
	}
	if len(e.ids)+len(e.names)+len(e.runs)+len(e.claims) != 0 || e.houses[0] != nil {
		t.Errorf("in memory there are %d ids, %d names and %v", len(e.ids), len(e.names), e.houses)
	}
	err = e.db.View(func(txn *badger.Txn) error {
		return eachKey(txn, nil, nil, func(k []byte) (bool, error) {
			if k[1] != kindMeta {
				t.Errorf("left: %q", k)
			}
			return true, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
