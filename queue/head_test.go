package queue

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// What was taken from the head of a queue is behind its bound, also in the eyes
// of the next process; a call that runs long holds the bound back no more than
// one that ended, and is found again when its attempt has failed.
func TestHeadRises(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 3 * headStep})
	if err != nil {
		t.Fatal(err)
	}
	calls := make([]callback.NewCall, 3*headStep)
	for i := range calls {
		calls[i] = callback.NewCall{Num: cb.Num, Response: callback.Response{Message: callback.Message{Channel: "SMS", Content: "yes"}}}
	}
	out, err := e.Enqueue(t.Context(), queuetest.Start, calls)
	if err != nil {
		t.Fatal(err)
	}
	now := queuetest.Start.Add(time.Hour)
	due := func(class callback.DueClass) []callback.Entry {
		page, err := e.Due(t.Context(), cb.Num, class, callback.DueKey{}, len(calls))
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	record := func(id callback.CallID, a callback.Attempt) {
		if _, err := e.Record(t.Context(), now, cb.Num, id, []callback.Attempt{a}); err != nil {
			t.Fatal(err)
		}
	}
	claims, err := e.Claim(t.Context(), now, cb.Num, due(callback.Fresh)[:2*headStep], nil)
	if err != nil || len(claims) != 2*headStep {
		t.Fatalf("%d claims, %v", len(claims), err)
	}
	for _, c := range claims[1:] { // the first runs on
		record(c.Entry.ID, answer())
	}
	next := out[2*headStep].ID
	bound := func() callback.CallID { return callback.CallID(e.houses[0].marks.heads[callback.Fresh].id) }
	if got := bound(); got <= out[headStep-1].ID || got > next {
		t.Errorf("the head is at %v; want it behind %v and not behind %v", got, out[headStep-1].ID, next)
	}
	if page := due(callback.Fresh); len(page) != headStep || page[0].ID != next {
		t.Errorf("%d calls wait, the first is %v; want %d, the first %v", len(page), page[0].ID, headStep, next)
	}
	record(out[0].ID, callback.Attempt{Class: callback.ClassStatus, Code: 503, Started: now})
	if page := due(callback.Tried); len(page) != 1 || page[0].ID != out[0].ID {
		t.Errorf("after its failure the first call waits as %v", page)
	}
	was := bound()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = openDir(dir); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if bound() != was {
		t.Errorf("after a restart the head is at %v, before it at %v", bound(), was)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Where all that waits runs, the head goes behind it without a look at the disk: the
// next group is filled while the one that let it rise is committed. What begins to wait
// from then on is found.
func TestHeadRisesWhileCommitting(t *testing.T) {
	t.Parallel()
	var gate sync.Mutex
	begun := make(chan struct{}, 100)
	opt := Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true, headStep: 1,
		Committing: func(int) func() {
			begun <- struct{}{}
			gate.Lock()
			return gate.Unlock
		},
	}
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	ids := underWay(t, e, cb.Num, 2)
	for len(begun) > 0 {
		<-begun
	}
	record := func(id callback.CallID, a callback.Attempt) {
		if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{a}); err != nil {
			t.Error(err)
		}
	}
	gate.Lock()
	var wg sync.WaitGroup
	wg.Go(func() { record(ids[0], answer()) })
	<-begun
	wg.Go(func() { fill(t, e, cb.Num, 1) })
	for late := time.After(time.Minute); e.Callbacks()[0].Live.Counts.Accepted < 3; runtime.Gosched() {
		select {
		case <-late:
			t.Fatal("the writer waits for the commit before")
		default:
		}
	}
	e.mu.RLock()
	if head, last := callback.CallID(e.houses[0].marks.heads[callback.Fresh].id), e.last; head != last {
		t.Errorf("the head is at %v, want it at %v, which alone waits and does not run", head, last)
	}
	e.mu.RUnlock()
	if list, err := e.Calls(t.Context(), callback.CallQuery{Filter: callback.Filter{Status: callback.ListPending}}); err != nil || len(list.Calls) != 2 {
		t.Errorf("%d calls are listed, want the one that runs and the one whose result is being committed: %v", len(list.Calls), err)
	}
	gate.Unlock()
	wg.Wait()
	record(ids[1], callback.Attempt{Started: queuetest.Start, Code: 503, Class: callback.ClassStatus})
	for range 2 {
		for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
			if page, err := e.Due(t.Context(), cb.Num, class, callback.DueKey{}, 5); err != nil || len(page) != 1 {
				t.Errorf("%d calls of class %d wait, want one: %v", len(page), class, err)
			}
		}
		if err := errors.Join(e.Check(t.Context()), e.Close()); err != nil {
			t.Error(err)
		}
		if e, err = Open(opt); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// A call that was resolved while it runs, or that was tried before, stands for none
// that was never tried and waits.
func TestHeadStaysBeforeWhatWaits(t *testing.T) {
	t.Parallel()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true, headStep: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	record := func(id callback.CallID, a callback.Attempt) {
		if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{a}); err != nil {
			t.Fatal(err)
		}
	}
	ids := underWay(t, e, cb.Num, 4)
	waits := fill(t, e, cb.Num, 1)
	record(ids[3], callback.Attempt{Started: queuetest.Start, Code: 503, Class: callback.ClassStatus})
	if _, err := e.ClaimManual(t.Context(), queuetest.Start, cb.Num, ids[3], false); err != nil {
		t.Fatal(err)
	}
	if n, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids[:1], "me"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	for _, id := range []callback.CallID{ids[2], ids[1], ids[0], ids[3]} { // fewer and fewer run while one waits
		record(id, answer())
		if page, err := e.Due(t.Context(), cb.Num, callback.Fresh, callback.DueKey{}, 5); err != nil || len(page) != 1 || page[0].ID != waits[0] {
			t.Errorf("%v wait, want %v: %v", page, waits, err)
		}
		if err := e.Check(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
