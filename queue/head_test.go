package queue

import (
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
