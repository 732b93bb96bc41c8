package callback

import (
	"testing"
	"time"
)

// TestRequeued proves what Live.Requeued tells of the calls that were let go
// again. That it agrees with the calls themselves is in the model.
func TestRequeued(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	lot := func(when string, want Requeued) {
		t.Helper()
		same(t, when, l.live.Requeued, want)
	}
	var calls []*Entry
	for range 5 {
		calls = append(calls, l.givenUp())
		l.pass()
	}
	retrying := l.enqueue()
	l.bad(retrying)
	lot("before any", Requeued{})
	l.after(time.Second)
	l.retry()
	began := l.now
	for _, e := range append(calls[:4:4], retrying) {
		l.requeue(e, false)
	}
	lot("let go", Requeued{Began: began, Last: began, Calls: 5, Once: 4})
	l.after(time.Minute)
	l.requeue(calls[0], false) // it waits already
	l.ok(calls[0])
	lot("one delivered", Requeued{Began: began, Last: l.now, Calls: 5, Delivered: 1, Once: 3})
	l.bad(calls[1])
	l.is(calls[1], Failed, Exhausted)
	before := *calls[2]
	l.resolve(calls[2])
	l.bad(retrying)
	l.is(retrying, Ready, NoReason)
	lot("each way", Requeued{Began: began, Last: l.now, Calls: 5, Delivered: 1, Failed: 2, Resolved: 1, Once: 1})
	if err := l.undo(calls[2], before); err != nil {
		t.Fatal(err)
	}
	l.after(time.Second)
	l.retry()
	l.requeue(calls[4], false)
	lot("another retry while some wait", Requeued{Began: began, Last: l.now, Calls: 7, Delivered: 1, Failed: 2, Resolved: 1, Once: 3})
	for _, e := range []*Entry{calls[2], calls[3]} {
		l.ok(e)
	}
	if err := l.manual(calls[4], false); err != nil {
		t.Fatal(err)
	}
	l.finish(calls[4], Result{OK: true, Code: 200})
	lot("all decided", Requeued{Began: began, Last: l.now, Calls: 7, Delivered: 4, Failed: 2, Resolved: 1})
	now := l.now
	l.now = retrying.Due
	l.bad(retrying) // by itself
	lot("what nobody asked for", Requeued{Began: began, Last: now, Calls: 7, Delivered: 4, Failed: 2, Resolved: 1})
	l.retry()
	l.after(time.Second)
	lot("a retry that has let nothing go yet", Requeued{Began: began, Last: now, Calls: 7, Delivered: 4, Failed: 2, Resolved: 1})
	l.requeue(retrying, true)
	next := Requeued{Began: l.now, Last: l.now, Calls: 1}
	lot("the next retry", next)
	l.start(retrying)
	l.crash(time.Minute, retrying)
	lot("after a crash", next)
	same(t, "waiting", next.Waiting(), 1)
}

// Operation.Apply begins the account anew with the first call that changes, and
// with none that it passes over.
func TestRequeuedByOperation(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	a, b, done := l.givenUp(), l.givenUp(), l.enqueue()
	l.pass()
	apply := func(o *Operation, e *Entry) {
		l.do(func(s *Step) {
			if o.Apply(s, e) {
				o.Changed++
			}
		})
	}
	l.ok(done)
	l.requeue(a, false)
	l.ok(a)
	was := l.live.Requeued
	l.after(time.Second)
	o := &Operation{Kind: OperationRetry}
	apply(o, done)
	same(t, "after a call that is passed over", l.live.Requeued, was)
	apply(o, b)
	same(t, "after the first", l.live.Requeued, Requeued{Began: l.now, Last: l.now, Calls: 1, Once: 1})
	l.bad(b)
	apply(o, b) // as if it came late
	same(t, "after the second", l.live.Requeued.Calls, 2)
}

// LastTry is of calls whose next attempt is the last.
func TestLastTry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	last := func(e *Entry) (last bool) {
		l.do(func(s *Step) { last = s.LastTry(e) })
		return last
	}
	old := l.givenUp()
	e := l.enqueue()
	l.bad(e)
	same(t, "within its window", last(e), false)
	l.after(l.p.Window - time.Millisecond)
	same(t, "just within its window", last(e), false)
	l.after(time.Millisecond)
	same(t, "window over", last(e), true)
	l.requeue(old, false)
	same(t, "given up before", last(old), true)
	l.bad(old)
	l.requeue(old, true)
	same(t, "given up before, with a new window", last(old), false)
	l.p.Retries = false
	same(t, "retries off", last(l.enqueue()), true)
}
