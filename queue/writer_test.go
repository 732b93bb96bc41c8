package queue

import (
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// line is a dispatcher that starts nothing by itself, and says what stands next.
type line struct {
	next            *callback.Claim
	asked           chan struct{}
	started, missed int
}

func (*line) Slot(callback.Num, bool, int) bool { return false }
func (l *line) Start(callback.Claim)            { l.started++ }
func (*line) Wake(callback.Num, int)            {}
func (l *line) Missed(*callback.Claim)          { l.missed++ }
func (l *line) Next(callback.Num) *callback.Claim {
	next := l.next
	if l.next = nil; next != nil {
		l.asked <- struct{}{}
		<-l.asked
	}
	return next
}

// While a group is committed the next one is filled. It does not see on disk what
// the other wrote: a call delivered there must not be claimed here, where an
// older look at the queue has it; and what a person does waits for the other, and
// leaves nothing out that came before.
func TestFillsWhileCommitting(t *testing.T) {
	t.Parallel()
	var gate sync.Mutex
	begun := make(chan struct{}, 100)
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() {
			begun <- struct{}{}
			gate.Lock()
			return gate.Unlock
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	l := &line{asked: make(chan struct{})}
	e.SetDispatcher(l)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, 2)
	page, err := e.Due(t.Context(), cb.Num, callback.Fresh, callback.DueKey{}, 2)
	if err != nil || len(page) != 2 {
		t.Fatal(page, err)
	}
	if _, err := e.Claim(t.Context(), queuetest.Start, cb.Num, page, nil); err != nil {
		t.Fatal(err)
	}
	for len(begun) > 0 {
		<-begun
	}
	gate.Lock()
	var wg sync.WaitGroup
	record := func(id callback.CallID) {
		wg.Go(func() {
			if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{answer()}); err != nil {
				t.Error(err)
			}
		})
	}
	record(ids[0])
	<-begun
	l.next = &callback.Claim{Entry: page[0]}
	record(ids[1])
	<-l.asked // the writer is held up in Next
	wg.Go(func() {
		if n, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids, "me"); n != 0 || err != nil {
			t.Errorf("%d calls were resolved that had been delivered, %v", n, err)
		}
	})
	for len(e.ops) == 0 {
		runtime.Gosched()
	}
	l.asked <- struct{}{}
	gate.Unlock()
	wg.Wait()
	if l.started != 0 || l.missed != 1 {
		t.Errorf("a call that was delivered was started %d times, and missed %d times", l.started, l.missed)
	}
	if got := e.Callbacks()[0].Live.Counts; got.Delivered != 2 {
		t.Errorf("the counts are %+v", got)
	}
	if err := e.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// A call whose result is being committed is shown as being delivered until it is
// durable: not as one that waits, for a moment, nor as due.
func TestShownWhileCommitting(t *testing.T) {
	t.Parallel()
	var gate sync.Mutex
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() { gate.Lock(); return gate.Unlock },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	ids := underWay(t, e, cb.Num, 2)
	gate.Lock()
	var wg sync.WaitGroup
	for i, id := range ids { // the first is being committed when the second comes into the next group
		wg.Go(func() {
			if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{answer()}); err != nil {
				t.Error(err)
			}
		})
		for left := -1; left != len(ids)-1-i; runtime.Gosched() {
			e.mu.RLock()
			left = len(e.runs)
			e.mu.RUnlock()
		}
		showAs(t, e, cb.Num, ids, callback.StateDelivering)
	}
	gate.Unlock()
	wg.Wait()
	showAs(t, e, cb.Num, ids, callback.StateDelivered)

	// And of one that failed it is to be seen at once that it waits.
	ids = underWay(t, e, cb.Num, 1)
	failed := callback.Attempt{Started: queuetest.Start, Code: 503, Class: callback.ClassStatus}
	if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, ids[0], []callback.Attempt{failed}); err != nil {
		t.Fatal(err)
	}
	e.mu.RLock()
	if n, m := len(e.ending[0]), len(e.ending[1]); n != 0 || m != 1 {
		t.Errorf("%d and %d results are remembered, want that of the last commit only", n, m)
	}
	e.mu.RUnlock()
	c, err := e.Call(t.Context(), cb.Num, ids[0])
	if page, fault := e.Due(t.Context(), cb.Num, callback.Tried, callback.DueKey{}, 2); err != nil || c.Running || fault != nil || len(page) != 1 {
		t.Errorf("the one that failed runs: %v, %v; due are %d, %v", c.Running, err, len(page), fault)
	}
}

// underWay enqueues and claims calls.
func underWay(t *testing.T, e *Engine, num callback.Num, n int) []callback.CallID {
	t.Helper()
	ids := fill(t, e, num, n)
	due, err := e.Due(t.Context(), num, callback.Fresh, callback.DueKey{}, n)
	if err != nil {
		t.Fatal(err)
	}
	if claims, err := e.Claim(t.Context(), queuetest.Start, num, due, nil); err != nil || len(claims) != n {
		t.Fatalf("%d claims: %v", len(claims), err)
	}
	return ids
}

// showAs verifies that calls that do not wait are in a state, wherever that is told.
func showAs(t *testing.T, e *Engine, num callback.Num, ids []callback.CallID, want callback.CallState) {
	t.Helper()
	live := e.Callbacks()[0].Live
	for _, id := range ids {
		if c, err := e.Call(t.Context(), num, id); err != nil || c.State(&live) != want {
			t.Errorf("call %s is %s, want %s: %v", id, c.State(&live), want, err)
		}
	}
	const all = callback.ListSuccess | callback.ListPending
	for _, f := range []callback.Filter{{State: want, Status: all}, {Status: all}} {
		page, err := e.Calls(t.Context(), callback.CallQuery{Num: num, Filter: f})
		if err != nil || len(page.Calls) != len(ids) {
			t.Errorf("%+v: %d calls, want %d: %v", f, len(page.Calls), len(ids), err)
		}
		for _, c := range page.Calls {
			if c.State(&live) != want {
				t.Errorf("call %s is listed as %s, want %s", c.ID, c.State(&live), want)
			}
		}
	}
	if due, err := e.Due(t.Context(), num, callback.Fresh, callback.DueKey{}, 2); len(due) != 0 || err != nil {
		t.Errorf("%d are due: %v", len(due), err)
	}
}

// Who only waits until what stands in memory is on disk commits nothing, and does not
// count as a commit, which would be faster than any disk.
func TestWaitingIsNoCommit(t *testing.T) {
	t.Parallel()
	var commits atomic.Int64
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() { commits.Add(1); return func() {} },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.StartOperation(t.Context(), queuetest.Start, callback.Operation{ID: "o", Num: cb.Num, Kind: callback.OperationRetry}); err != nil {
		t.Fatal(err)
	}
	before := commits.Load()
	for range 10 {
		if o, err := e.Operation(t.Context(), "o"); err != nil || o.ID != "o" {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	if n := commits.Load(); before != 2 || n != before {
		t.Errorf("%d commits, and %d after ten questions", before, n)
	}
}

// woken notes how often each sort of wake-up came.
type woken struct {
	line
	refused, changed int
}

func (w *woken) Wake(_ callback.Num, refused int) {
	if w.refused += refused; refused == 0 {
		w.changed++
	}
}

// A dispatcher that has read ahead must hear of a change also where new calls
// got no slot in the same commit: what it has read may be old.
func TestChangeIsToldBesideRefusedCalls(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, 1)
	call, err := e.Call(t.Context(), cb.Num, ids[0])
	if err != nil {
		t.Fatal(err)
	}
	if n, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids, "me"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	w := &woken{}
	e.SetDispatcher(w)
	var wg sync.WaitGroup
	begun, plug := make(chan struct{}), make(chan struct{})
	wg.Go(func() { // so that both come into the group after this one
		err := e.submit(t.Context(), queuetest.Start, 1, 0, func(*group) error {
			close(begun)
			<-plug
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	wg.Go(func() {
		if err := e.Undo(t.Context(), queuetest.Start, call.Entry); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { fill(t, e, cb.Num, 1) })
	for len(e.ops) < 2 {
		runtime.Gosched()
	}
	close(plug)
	wg.Wait()
	if w.refused != 1 || w.changed != 1 {
		t.Errorf("it heard of %d refused calls, and %d times of a change", w.refused, w.changed)
	}
}

// granting is a dispatcher that has room for all.
type granting struct {
	line
	asked chan struct{}
}

func (g *granting) Slot(_ callback.Num, may bool, _ int) bool {
	g.asked <- struct{}{}
	return may
}

// Where a commit fails, nobody who came after it is told otherwise, and no attempt
// starts that was claimed in either group.
func TestNothingStartsBehindAFailure(t *testing.T) {
	t.Parallel()
	var e *Engine
	var gate sync.Mutex
	begun := make(chan struct{}, 10)
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true,
		Committing: func(int) func() {
			begun <- struct{}{}
			gate.Lock()
			return gate.Unlock
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	g := &granting{asked: make(chan struct{})}
	e.SetDispatcher(g)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 10})
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	gate.Lock()
	var wg sync.WaitGroup
	refused := func() {
		wg.Go(func() {
			if _, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: cb.Num}}); err == nil {
				t.Error("it was accepted")
			}
		})
	}
	refused()
	<-g.asked
	<-begun // it is being committed
	refused()
	<-g.asked // it is in the group that is filled meanwhile
	e.stop(errors.New("the disk broke"))
	gate.Unlock()
	wg.Wait()
	if g.started != 0 {
		t.Errorf("%d attempts started", g.started)
	}
	if _, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: cb.Num}}); err == nil {
		t.Error("it was accepted after that")
	}
	if err := e.Close(); err == nil {
		t.Error("Close does not say that the engine failed")
	}
}
