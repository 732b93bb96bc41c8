package queue

import (
	"runtime"
	"sync"
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
	<-l.asked
	wg.Go(func() {
		if n, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids, "me"); n != 0 || err != nil {
			t.Errorf("%d calls were resolved that had been delivered, %v", n, err)
		}
	})
	for len(e.ops) > 0 || len(begun) > 0 {
		runtime.Gosched()
	}
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
