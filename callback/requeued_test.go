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
	probe := func(s *Step) { s.Probe() }
	var calls []*Entry
	for range 5 {
		calls = append(calls, l.givenUp())
		l.pass()
	}
	retrying := l.enqueue()
	l.bad(retrying)
	lot("before any", Requeued{})
	l.after(time.Second)
	l.do(probe)
	began := l.now
	for _, e := range append(calls[:4:4], retrying) {
		l.requeue(e, false)
	}
	lot("let go", Requeued{Began: began, Last: began, Calls: 5})
	l.after(time.Minute)
	l.requeue(calls[0], false) // it waits already
	l.ok(calls[0])
	lot("one delivered", Requeued{Began: began, Last: l.now, Calls: 5, Delivered: 1})
	l.bad(calls[1])
	l.is(calls[1], Failed, Exhausted)
	before := *calls[2]
	l.resolve(calls[2])
	l.bad(retrying)
	l.is(retrying, Ready, NoReason)
	lot("each way", Requeued{Began: began, Last: l.now, Calls: 5, Delivered: 1, Failed: 2, Resolved: 1})
	if err := l.undo(calls[2], before); err != nil {
		t.Fatal(err)
	}
	l.after(time.Second)
	l.do(probe)
	l.requeue(calls[4], false)
	lot("another retry while some wait", Requeued{Began: began, Last: l.now, Calls: 7, Delivered: 1, Failed: 2, Resolved: 1})
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
	l.do(probe)
	l.requeue(retrying, false)
	next := Requeued{Began: l.now, Last: l.now, Calls: 1}
	lot("the next retry", next)
	l.start(retrying)
	l.crash(time.Minute, retrying)
	lot("after a crash", next)
	same(t, "waiting", next.Waiting(), 1)
}
