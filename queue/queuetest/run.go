// Package queuetest is the one definition of what an engine must do. Run plays
// fixed cases and random operations against an engine, the latter side by side
// with memq; Crash kills a process that uses one.
package queuetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"ringback/callback"
)

// Open opens the engine under test at the time now; called again after Close
// it opens the same data.
type Open func(tb testing.TB, now time.Time) callback.Store

// Checker is what an engine offers that can verify itself.
type Checker interface {
	Check(ctx context.Context) error
}

// Policy is what engines under test are opened with.
func Policy() callback.Policy {
	return callback.Policy{
		MaxInFlight: 4, Interval: 5 * time.Minute, Window: 24 * time.Hour, Jitter: 0.1,
		Mode: callback.ModeOutage, MaxPerHour: 3, Recovery: true, RecoveryAfter: 15 * time.Minute, DigestEvery: time.Hour,
	}
}

// Start is the time at which every test begins.
var Start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// Run runs everything. fresh returns an Open on data of its own.
func Run(t *testing.T, fresh func(tb testing.TB) Open) {
	for _, c := range []struct {
		name string
		test func(h *harness)
	}{
		{"registry", registry},
		{"enqueue", enqueue},
		{"in order", inOrder},
		{"time goes on", timeGoesOn},
		{"idempotency", idempotency},
		{"delivery", delivery},
		{"lists", lists},
		{"filters", filters},
		{"failed with 200", resolved200},
		{"delivering", delivering},
		{"long contents", longContents},
		{"many attempts", manyAttempts},
		{"all or none", allOrNone},
		{"dispatcher", dispatcher},
		{"succession", succession},
		{"succession in order", orderly},
		{"room", room},
		{"interrupted", interrupted},
		{"interrupted before it was accepted", interruptedEarlier},
		{"sweep", sweep},
		{"sweep of nothing", sweepNothing},
		{"purge", purge},
		{"purge after the clock stepped back", purgeEarlier},
		{"deleted while a probe is asked for", deletedWhileAsked},
		{"outbox", outbox},
		{"send again", sendAgain},
		{"newest first", newestFirst},
		{"purge of outages and alerts", purgeOutages},
		{"removed callback", removedCallback},
		{"kept callback", keptCallback},
		{"acknowledge", acknowledge},
		{"ids", ids},
		{"operation resolves", operationResolve},
		{"operation does not undo what others did", operationUndoOthers},
		{"operation retries", operationRetry},
		{"operation leaves alone what comes later", operationUpto},
		{"operation names its calls", operationNamed},
		{"operation that names calls ends with its callback", operationNamedEnds},
		{"operation names as many as it may", operationNamedMost},
		{"calls are listed by id", callsNamed},
		{"operation starts", operationStart},
		{"operation ends", operationEnds},
		{"keyring", keyring},
		{"causes", causes},
		{"minutes", minutes},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHarness(t, fresh(t))
			c.test(h)
			h.check()
		})
	}
	t.Run("play", func(t *testing.T) {
		t.Parallel()
		Play(t, fresh)
	})
}

// harness is an engine under test with a clock of its own.
type harness struct {
	testing.TB
	open Open
	s    callback.Store
	now  time.Time
	ctx  context.Context
}

func newHarness(tb testing.TB, open Open) *harness {
	h := &harness{TB: tb, open: open, now: Start, ctx: context.Background()}
	h.s = open(tb, h.now)
	tb.Cleanup(func() {
		if err := h.s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return h
}

func (h *harness) reopen() {
	h.Helper()
	h.check()
	if err := h.s.Close(); err != nil {
		h.Fatalf("Close: %v", err)
	}
	h.s = h.open(h.TB, h.now)
}

func (h *harness) check() {
	h.Helper()
	if c, ok := h.s.(Checker); ok {
		if err := c.Check(h.ctx); err != nil {
			h.Fatalf("Check: %v", err)
		}
	}
	// Who asks for one callback is shown what each change that was answered left.
	for _, want := range h.s.Callbacks() {
		got, err := h.s.Callback(want.Num)
		h.ok(err)
		diff(h, "a callback that is asked for, beside all of them", got, want)
	}
}

func (h *harness) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatalf("unexpected error: %v", err)
	}
}

func (h *harness) code(err error, want callback.Code) {
	h.Helper()
	if got := callback.ErrorCode(err); err == nil || got != want {
		h.Fatalf("got error %v (code %q), want code %q", err, got, want)
	}
}

func (h *harness) create(name string, change func(*callback.Callback)) callback.Callback {
	h.Helper()
	cb := callback.Callback{ID: callback.CallbackID(len(h.s.Callbacks()) + 0x1000), Name: name, URL: "http://127.0.0.1/" + name, Retries: true}
	if change != nil {
		change(&cb)
	}
	cb, err := h.s.Create(h.ctx, h.now, cb)
	h.ok(err)
	return cb
}

func response(i int) callback.Response {
	return callback.Response{
		MessageID: fmt.Sprintf("M%04d", i),
		From:      callback.From{Name: "Zoë Ng", Mobile: "0430000111"},
		Message:   callback.Message{Channel: "SMS", Acknowledged: "01/03/26 12:00", Content: fmt.Sprintf("answer %d 👍", i)},
		Params:    []callback.Param{{Key: "CustomerId", Value: fmt.Sprint(i)}},
	}
}

// add enqueues n responses and returns their ids.
func (h *harness) add(num callback.Num, n int) []callback.CallID {
	h.Helper()
	calls := make([]callback.NewCall, n)
	for i := range calls {
		calls[i] = callback.NewCall{Num: num, Response: response(i)}
	}
	out, err := h.s.Enqueue(h.ctx, h.now, calls)
	h.ok(err)
	ids := make([]callback.CallID, n)
	for i, o := range out {
		h.ok(o.Err)
		ids[i] = o.ID
	}
	return ids
}

// claim claims what is due of a class and returns it.
func (h *harness) claim(num callback.Num, class callback.DueClass) []callback.Claim {
	h.Helper()
	due, err := h.s.Due(h.ctx, num, class, callback.DueKey{}, 100)
	h.ok(err)
	claims, err := h.s.Claim(h.ctx, h.now, num, due, nil)
	h.ok(err)
	return claims
}

func (h *harness) record(c callback.Claim, a callback.Attempt) callback.Entry {
	h.Helper()
	a.Started = h.now
	e, err := h.s.Record(h.ctx, h.now, c.Entry.Num, c.Entry.ID, []callback.Attempt{a})
	h.ok(err)
	return e
}

func (h *harness) call(num callback.Num, id callback.CallID) callback.Call {
	h.Helper()
	c, err := h.s.Call(h.ctx, num, id)
	h.ok(err)
	return c
}

var (
	answer200 = callback.Attempt{OK: true, Code: 200, Reason: "OK", Duration: 12 * time.Millisecond, Peer: "127.0.0.1:80"}
	answer503 = callback.Attempt{
		Code: 503, Reason: "Service Unavailable", Class: callback.ClassStatus,
		Error: "503 Service Unavailable: the endpoint answered with an error", Excerpt: "<h1>busy</h1>",
	}
	failed200 = callback.Attempt{
		Code: 200, Reason: "OK", Class: callback.ClassStatus, Error: "200 OK: this endpoint is to answer with 204", Excerpt: "ok",
	}
	stale   = callback.Attempt{Class: callback.ClassReset, Reused: true, Reason: "closed", Error: "The connection was closed."}
	refused = callback.Attempt{Class: callback.ClassRefused, Reason: "connection refused", Error: "Connection refused: nothing listens"}
)
