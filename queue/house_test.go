package queue

import (
	"fmt"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// Callbacks are gone through in pages that others can be asked between, in the
// order of their numbers, without those that were removed, and for the room of a page.
func TestAll(t *testing.T) {
	t.Parallel()
	e := quick(t)
	const n = 3*allPage + 5
	for i := range n {
		if _, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, num := range []callback.Num{1, allPage, allPage + 1, n} {
		if err := e.Delete(t.Context(), queuetest.Start, num); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.PurgeOutages(t.Context(), queuetest.Start, queuetest.Start, 1000); err != nil {
		t.Fatal(err)
	}
	all, i := e.Callbacks(), 0
	if len(all) != n-4 {
		t.Fatalf("%d callbacks", len(all))
	}
	for h := range e.All() {
		if now, err := e.Callback(h.Num); err != nil || h.Num != all[i].Num || h.Name != now.Name {
			t.Fatalf("callback %d in place %d, want %d: %v", h.Num, i, all[i].Num, err)
		}
		if i++; i == 3*allPage {
			break
		}
	}
	if i != 3*allPage {
		t.Errorf("%d callbacks until the end", i)
	}
}

func TestAllCopiesLittle(t *testing.T) { // alone, for it counts what all allocate
	e := quick(t)
	const n = 10 * allPage
	for i := range n {
		if _, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: fmt.Sprint("a", i)}); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	allocated := testing.AllocsPerRun(5, func() {
		for h := range e.All() {
			seen += len(h.Name)
		}
	})
	if allocated > 8 || seen == 0 {
		t.Errorf("%v allocations for %d callbacks", allocated, n)
	}
}

// Who asks for one callback does not wait for the group that is being filled, and sees
// what the one before did.
func TestLookWaitsForNoGroup(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Suspend(t.Context(), queuetest.Start, cb.Num, "Fred"); err != nil {
		t.Fatal(err)
	}
	err = e.submit(t.Context(), queuetest.Start, 1, 0, func(*group) error {
		answered := make(chan struct{})
		go func() {
			defer close(answered)
			for _, ask := range []func() (callback.Health, error){
				func() (callback.Health, error) { return e.Callback(cb.Num) },
				func() (callback.Health, error) { return e.Find("a") },
				func() (callback.Health, error) { return e.Find(cb.ID.String()) },
				func() (callback.Health, error) { return e.Past(cb.ID) },
			} {
				if h, err := ask(); err != nil || h.Num != cb.Num || h.Live.SuspendedBy != "Fred" {
					t.Error(h, err)
				}
			}
			if slot, err := e.slot(cb.Num); err != nil || slot != slotOf(cb.ID) {
				t.Error(slot, err)
			}
		}()
		select {
		case <-answered:
		case <-time.After(time.Minute): // it waits for this function to return
			t.Error("not answered while a group is filled")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
