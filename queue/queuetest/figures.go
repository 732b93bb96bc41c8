package queuetest

import (
	"fmt"
	"strings"
	"time"

	"ringback/callback"
)

// causes: failures are counted by the hour and by what went wrong, survive a
// restart, and go with retention.
func causes(h *harness) {
	cb := h.create("a", nil)
	other := h.create("b", nil)
	var want []callback.Failure
	fail := func(as ...callback.Attempt) {
		h.Helper()
		id := h.add(cb.Num, 1)[0]
		c, err := h.s.ClaimManual(h.ctx, h.now, cb.Num, id, false)
		h.ok(err)
		for i := range as {
			as[i].Started = h.now
		}
		_, err = h.s.Record(h.ctx, h.now, c.Entry.Num, id, as)
		h.ok(err)
	}
	compare := func(what string, from, to time.Time, want ...callback.Failure) {
		h.Helper()
		got, err := h.s.Causes(h.ctx, cb.Num, from, to)
		h.ok(err)
		diff(h, what, got, want)
	}
	first := h.now // on a full hour
	fail(answer503)
	fail(answer200)
	h.now = h.now.Add(59 * time.Minute)
	fail(stale, refused) // one try of two attempts
	fail(answer503)
	want = []callback.Failure{
		{Class: callback.ClassStatus, Code: 503, Count: 2, First: first, Last: h.now},
		{Class: callback.ClassRefused, Count: 1, First: h.now, Last: h.now},
		{Class: callback.ClassReset, Count: 1, First: h.now, Last: h.now},
	}
	compare("the first hour", first, first.Add(time.Hour), want...)
	h.reopen()
	fail(refused, refused)
	want[1].Count = 3
	want[0], want[1] = want[1], want[0]
	compare("after a restart", first, first.Add(time.Minute), want...)
	h.now = h.now.Add(time.Minute)
	second := h.now
	fail(answer503)
	compare("the first hour again", first, second, want...)
	compare("the second", second, second.Add(time.Hour), callback.Failure{Class: callback.ClassStatus, Code: 503, Count: 1, First: second, Last: second})
	compare("nothing before", first.Add(-time.Hour), first)
	compare("nothing between", second.Add(time.Nanosecond), second.Add(time.Hour))
	both := []callback.Failure{want[0], want[1], want[2]}
	both[1].Count, both[1].Last = 3, second
	compare("both", first, second.Add(time.Hour), both...)
	if got, err := h.s.Causes(h.ctx, other.Num, first, second.Add(time.Hour)); err != nil || len(got) != 0 {
		h.Fatalf("causes of another: %v, %v", got, err)
	}
	for i := range 2 * callback.MaxFailures { // an endpoint that makes up its answers
		odd := answer503
		odd.Code = 400 + i
		fail(odd)
	}
	got, err := h.s.Causes(h.ctx, cb.Num, second, second.Add(time.Hour))
	h.ok(err)
	sum := uint64(0)
	for _, c := range got {
		sum += c.Count
	}
	if len(got) > callback.MaxFailures || sum != 1+2*callback.MaxFailures || got[0].Class != callback.ClassStatus || got[0].Code != 0 {
		h.Fatalf("%d causes of %d failures, first %+v", len(got), sum, got[0])
	}
	h.check()
	purge := func(horizon time.Time, want int) {
		h.Helper()
		if n, err := h.s.PurgeOutages(h.ctx, h.now, horizon, 100); err != nil || n != want {
			h.Fatalf("purged %d hours, not %d: %v", n, want, err)
		}
	}
	purge(second, 0) // it ended just then
	purge(second.Add(time.Millisecond), 1)
	purge(second.Add(time.Millisecond), 0)
	compare("an hour that was removed", first, second)
	if got, err := h.s.Causes(h.ctx, cb.Num, second, second.Add(time.Hour)); err != nil || len(got) == 0 {
		h.Fatalf("the hour behind it: %v, %v", got, err)
	}
	_, err = h.s.Causes(h.ctx, 99, first, second)
	h.code(err, callback.CodeNotFound)
}

// minutes: they are kept in order of time, replaced, and removed from the oldest
// on.
func minutes(h *harness) {
	put := func(i int, figures string) {
		h.Helper()
		h.ok(h.s.PutMinute(h.ctx, h.now, callback.Minute{At: Start.Add(time.Duration(i) * time.Minute), Figures: []byte(figures)}))
	}
	want := func(from, limit int, figures ...string) {
		h.Helper()
		got, err := h.s.Minutes(h.ctx, Start.Add(time.Duration(from)*time.Minute), limit)
		h.ok(err)
		var all []string
		for i, m := range got {
			if i > 0 && !m.At.After(got[i-1].At) || m.At.Before(Start.Add(time.Duration(from)*time.Minute)) {
				h.Fatalf("minute %v after %v", m.At, got[max(i-1, 0)].At)
			}
			all = append(all, string(m.Figures))
		}
		diff(h, fmt.Sprint("minutes from ", from), all, figures)
	}
	want(0, 10)
	long := strings.Repeat("figures ", callback.MaxMinute/8)
	put(2, "c")
	put(0, long)
	put(1, "b")
	want(0, 10, long, "b", "c")
	h.reopen()
	want(0, 2, long, "b")
	want(1, 10, "b", "c")
	want(0, 0)
	put(0, "a") // shorter
	put(2, long)
	want(0, 10, "a", "b", long)
	h.reopen()
	for i := 3; i < 40; i++ {
		put(i, fmt.Sprint(i))
	}
	purge := func(before, limit, want int) {
		h.Helper()
		if n, err := h.s.PurgeMinutes(h.ctx, h.now, Start.Add(time.Duration(before)*time.Minute), limit); err != nil || n != want {
			h.Fatalf("purged %d minutes, not %d: %v", n, want, err)
		}
	}
	purge(0, 100, 0)
	purge(2, 1, 1)
	want(0, 2, "b", long)
	purge(38, 100, 37)
	want(0, 10, "38", "39")
	h.code(h.s.PutMinute(h.ctx, h.now, callback.Minute{At: Start.Add(time.Second)}), callback.CodeInvalid)
	h.code(h.s.PutMinute(h.ctx, h.now, callback.Minute{At: Start, Figures: []byte(long + "x")}), callback.CodeInvalid)
}
