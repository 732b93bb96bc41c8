package queuetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

func acknowledge(h *harness) {
	cb := h.create("a", nil)
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "ana"), callback.CodeNotFound)
	h.add(cb.Num, 1)
	h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num+1, 1, "ana"), callback.CodeNotFound)
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num, 2, "ana"), callback.CodeNotFound)
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num, 0, "ana"), callback.CodeNotFound)
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, ""), callback.CodeInvalid)
	h.ok(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "ana"))
	h.ok(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "ana"))
	h.reopen()
	h.acked(cb.Num, "ana")
	h.ok(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "fred")) // who said so last
	h.reopen()
	h.acked(cb.Num, "fred")
	h.add(cb.Num, 1)
	h.now = h.now.Add(time.Second)
	h.record(h.claim(cb.Num, callback.Fresh)[0], answer200)
	h.ok(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "zoe")) // it recovers, and is not over
	h.now = h.now.Add(20 * time.Minute)
	h.ok(h.s.Tick(h.ctx, h.now, cb.Num, true))
	h.code(h.s.Acknowledge(h.ctx, h.now, cb.Num, 1, "zoe"), callback.CodeConflict)
	h.acked(cb.Num, "zoe")
}

// acked fails unless both the callback and the record of its outage say who
// knows of it.
func (h *harness) acked(num callback.Num, want string) {
	h.Helper()
	cb, err := h.s.Callback(num)
	h.ok(err)
	list, err := h.s.Outages(h.ctx, callback.Newest[callback.Outage]{Num: num})
	h.ok(err)
	if cb.Live.Outage.Acked != want || len(list.Rows) != 1 || list.Rows[0].Acked != want {
		h.Fatalf("acknowledged by %q, in the record of %d outages %+v; want %q", cb.Live.Outage.Acked, len(list.Rows), list.Rows, want)
	}
}

func sendAgain(h *harness) {
	cb := h.create("a", nil)
	h.add(cb.Num, 1)
	h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
	due, _, err := h.s.DueAlerts(h.ctx, h.now, 10)
	h.ok(err)
	sent := due[0]
	sent.Status, sent.Tries, sent.Next, sent.Sent, sent.To = callback.AlertSent, 1, time.Time{}, h.now, "admin@example.com"
	sent.Mails = 3
	h.ok(h.s.SetAlert(h.ctx, h.now, sent))
	h.now = h.now.Add(time.Hour)
	h.code(h.s.SendAgain(h.ctx, h.now, "outage/0000000000001000/9"), callback.CodeNotFound)
	h.code(h.s.SendAgain(h.ctx, h.now, "outage/00000000000010AA/1"), callback.CodeNotFound)
	h.code(h.s.SendAgain(h.ctx, h.now, strings.ReplaceAll(sent.Key, "/", "\x00")), callback.CodeNotFound)
	for range 2 { // asking twice makes it wait once
		h.ok(h.s.SendAgain(h.ctx, h.now, sent.Key))
	}
	h.reopen()
	due, next, err := h.s.DueAlerts(h.ctx, h.now, 10)
	h.ok(err)
	want := sent
	want.Status, want.Next, want.To = callback.AlertWaiting, h.now, ""
	diff(h, "due again", due, []callback.Alert{want})
	if !next.IsZero() {
		h.Fatalf("another is due at %v", next)
	}
	h.ok(h.s.SetAlert(h.ctx, h.now, sent))
	if due, _, _ = h.s.DueAlerts(h.ctx, h.now, 10); len(due) != 0 {
		h.Fatalf("sent again, and still due: %+v", due)
	}
}

// purgeOutages: what ended before the horizon goes, at most as much as asked for,
// but neither the last outage of a callback nor an alert that waits.
func purgeOutages(h *harness) {
	cb := h.create("a", nil)
	var middle time.Time
	for i := range 5 {
		h.add(cb.Num, 1)
		h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
		h.now = h.now.Add(10 * time.Minute)
		h.record(h.claim(cb.Num, callback.Tried)[0], answer200)
		h.now = h.now.Add(20 * time.Minute)
		h.ok(h.s.Tick(h.ctx, h.now, cb.Num, true))
		if i == 1 {
			middle = h.now
		}
	}
	h.create("b", nil) // has none
	due, _, err := h.s.DueAlerts(h.ctx, h.now, 100)
	h.ok(err)
	if len(due) != 10 {
		h.Fatalf("%d alerts of 5 outages, want 10", len(due))
	}
	for i, status := range []callback.AlertStatus{callback.AlertSent, callback.AlertExpired, callback.AlertRefused, callback.AlertWaiting, callback.AlertSent} {
		a := due[i]
		a.Status, a.Tries = status, 1
		if i == 0 {
			a.Sent = h.now
		}
		h.ok(h.s.SetAlert(h.ctx, h.now, a))
	}
	purge := func(horizon time.Time, limit, want int) {
		h.Helper()
		n, err := h.s.PurgeOutages(h.ctx, h.now, horizon, limit)
		h.ok(err)
		if n != want {
			h.Fatalf("purged %d, want %d", n, want)
		}
	}
	left := func(outages []uint32, alerts int) {
		h.Helper()
		page, err := h.s.Outages(h.ctx, callback.Newest[callback.Outage]{})
		h.ok(err)
		var got []uint32
		for _, o := range page.Rows {
			got = append(got, o.N)
		}
		diff(h, "outages left", got, outages)
		all, err := h.s.Alerts(h.ctx, callback.Newest[callback.Alert]{})
		h.ok(err)
		if len(all.Rows) != alerts {
			h.Fatalf("%d alerts left, want %d: %+v", len(all.Rows), alerts, all.Rows)
		}
	}
	purge(time.Time{}, 100, 0)
	purge(middle, 1, 1)
	left([]uint32{5, 4, 3, 2}, 10)
	purge(middle, 100, 3) // an outage, and two alerts: one was sent later, one waits
	left([]uint32{5, 4, 3}, 8)
	h.reopen()
	purge(h.now.Add(time.Hour), 100, 7) // all but the last outage, and what waits; three hours of causes
	left([]uint32{5}, 6)
	purge(h.now.Add(time.Hour), 100, 0)
	live, err := h.s.Callback(cb.Num)
	h.ok(err)
	if live.Live.OutagesPurged != 4 || live.Live.Outage.N != 5 {
		h.Fatalf("%d of %d outages purged, want 4 of 5", live.Live.OutagesPurged, live.Live.Outage.N)
	}
}

// removedCallback deletes callbacks and lets retention remove what is left of
// them: last, when nothing else is, themselves.
func removedCallback(h *harness) {
	keep, cb := h.create("keep", nil), h.create("gone", nil)
	ids := h.add(cb.Num, 3)
	claims := h.claim(cb.Num, callback.Fresh)
	h.record(claims[0], answer200)
	h.record(claims[1], answer503)
	o := h.start(callback.Operation{ID: "o", Num: cb.Num, Kind: callback.OperationResolve, Filter: callback.Filter{Status: callback.ListFailed}})
	h.finish(o, 100)
	h.ok(h.s.Delete(h.ctx, h.now, cb.Num))
	h.ok(h.s.Sweep(h.ctx, h.now, cb.Num))
	purge := func(what string, stays bool) {
		h.Helper()
		horizon := h.now.Add(time.Millisecond)
		_, err := h.s.Purge(h.ctx, h.now, horizon, horizon, 100)
		h.ok(err)
		_, err = h.s.PurgeOutages(h.ctx, h.now, horizon, 100)
		h.ok(err)
		h.check()
		if _, err := h.s.Callback(cb.Num); (err == nil) != stays {
			h.Fatalf("%s: the callback is there: %v", what, err)
		}
	}
	if past, err := h.s.Past(cb.ID); err != nil || past.Num != cb.Num || !past.Live.Deleted {
		h.Fatalf("the deleted callback: %+v, %v", past, err)
	}
	purge("an attempt runs", true)
	h.record(claims[2], answer503)
	purge("an alert waits", true)
	alerts, err := h.s.Alerts(h.ctx, callback.Newest[callback.Alert]{})
	h.ok(err)
	for _, a := range alerts.Rows {
		a.Status, a.Sent = callback.AlertSent, h.now
		h.ok(h.s.SetAlert(h.ctx, h.now, a))
	}
	purge("an operation is remembered", true)
	h.now = h.now.Add(callback.KeepOperationsFor)
	_, err = h.s.PurgeOperations(h.ctx, h.now, 100)
	h.ok(err)
	h.reopen()
	purge("nothing is left", false)

	isGone := func(err error) { h.Helper(); h.code(err, callback.CodeNotFound) }
	_, err = h.s.Find(cb.ID.String())
	isGone(err)
	_, err = h.s.Past(cb.ID)
	isGone(err)
	_, err = h.s.Call(h.ctx, cb.Num, ids[0])
	isGone(err)
	_, err = h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 1)
	isGone(err)
	isGone(h.s.Tick(h.ctx, h.now, cb.Num, false))
	out, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num}, {Num: keep.Num}})
	h.ok(err)
	isGone(out[0].Err)
	h.ok(out[1].Err)
	page, err := h.s.Calls(h.ctx, callback.CallQuery{Filter: callback.Filter{Status: callback.ListPending}})
	h.ok(err)
	if len(page.Calls) != 1 || page.Total != 1 {
		h.Fatalf("calls of all others: %+v", page)
	}

	// The name is free, the number is not: also not after a restart.
	for want := cb.Num + 1; want < cb.Num+4; want++ {
		next := callback.Callback{ID: callback.CallbackID(want) << 32, Name: "gone"}
		if next, err = h.s.Create(h.ctx, h.now, next); err != nil || next.Num != want {
			h.Fatalf("the next callback has number %d, want %d: %v", next.Num, want, err)
		}
		h.ok(h.s.Delete(h.ctx, h.now, next.Num))
		n, err := h.s.PurgeOutages(h.ctx, h.now, h.now, 100)
		if h.ok(err); n != 1 || len(h.s.Callbacks()) != 1 {
			h.Fatalf("removed %d, %d callbacks are left", n, len(h.s.Callbacks()))
		}
		h.reopen()
	}
}

// keptCallback deletes callbacks of which nothing is left but an outage, or an
// alert: they stay as long as that.
func keptCallback(h *harness) {
	horizon := h.now.Add(time.Millisecond)
	left := func(horizon time.Time, purged, callbacks int) {
		h.Helper()
		n, err := h.s.PurgeOutages(h.ctx, h.now, horizon, 100)
		h.ok(err)
		if n != purged || len(h.s.Callbacks()) != callbacks {
			h.Fatalf("removed %d, %d callbacks are left; want %d, %d", n, len(h.s.Callbacks()), purged, callbacks)
		}
	}
	for _, mode := range []callback.AlertMode{callback.ModeOff, callback.ModeOutage} {
		cb := h.create("outage", func(cb *callback.Callback) { cb.Alerts = mode })
		h.add(cb.Num, 1)
		h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
		h.ok(h.s.Delete(h.ctx, h.now, cb.Num))
		h.ok(h.s.Sweep(h.ctx, h.now, cb.Num))
		_, err := h.s.Purge(h.ctx, h.now, horizon, horizon, 100)
		h.ok(err)
		left(h.now, 0, 1)
		alerts, err := h.s.Alerts(h.ctx, callback.Newest[callback.Alert]{})
		if h.ok(err); len(alerts.Rows) == 0 {
			left(horizon, 3, 0) // its causes too
			continue
		}
		left(horizon, 2, 1)
		alerts.Rows[0].Status = callback.AlertExpired
		h.ok(h.s.SetAlert(h.ctx, h.now, alerts.Rows[0]))
		left(horizon, 2, 0)
	}
}

// newestFirst pages through outages and alerts of two callbacks, some of which
// arose at the same instant.
func newestFirst(h *harness) {
	var cbs []callback.Callback
	for i := range 3 {
		cbs = append(cbs, h.create(fmt.Sprint("c", i), func(cb *callback.Callback) {
			if i == 2 {
				cb.Alerts = callback.ModeEveryCall
			}
		}))
	}
	for range 3 {
		for i, cb := range cbs {
			h.add(cb.Num, 2)
			for _, c := range h.claim(cb.Num, callback.Fresh) {
				h.record(c, answer503)
			}
			if i == 1 {
				h.now = h.now.Add(time.Second)
			}
		}
		for _, cb := range cbs {
			h.add(cb.Num, 1)
			h.now = h.now.Add(10 * time.Minute)
			for _, c := range h.claim(cb.Num, callback.Tried) {
				h.record(c, answer200)
			}
			for _, c := range h.claim(cb.Num, callback.Fresh) {
				h.record(c, answer200)
			}
		}
		h.now = h.now.Add(20 * time.Minute)
		for _, cb := range cbs {
			h.ok(h.s.Tick(h.ctx, h.now, cb.Num, true))
		}
	}
	h.reopen()
	pages(h, "outages", h.s.Outages, callback.NewestOutage, 9, func(o *callback.Outage) bool { return o.N == 2 }, 3)
	alerts := 2*3*2 + 3*2 // mails of outages and recoveries, and of calls
	pages(h, "alerts", h.s.Alerts, callback.NewestAlert, alerts, func(a *callback.Alert) bool { return a.Kind == callback.AlertRecovered }, 6)
}

// pages reads a list in pages of each size, of all callbacks and of one.
func pages[T any](h *harness, what string, read func(ctx context.Context, q callback.Newest[T]) (callback.Listing[T], error),
	order func(a, b T) int, want int, match func(*T) bool, matching int,
) {
	h.Helper()
	all, err := read(h.ctx, callback.Newest[T]{})
	h.ok(err)
	if len(all.Rows) != want || all.Total != uint64(want) || !all.Exact || all.More || !slices.IsSortedFunc(all.Rows, order) {
		h.Fatalf("%s: %d rows (want %d), total %d, exact %v, more %v, sorted %v", what, len(all.Rows), want,
			all.Total, all.Exact, all.More, slices.IsSortedFunc(all.Rows, order))
	}
	for limit := 1; limit <= want; limit++ {
		for offset := 0; offset <= want+1; offset += limit {
			got, err := read(h.ctx, callback.Newest[T]{Limit: limit, Offset: offset})
			h.ok(err)
			rows := all.Rows[min(offset, want):min(offset+limit, want)]
			diff(h, fmt.Sprintf("%s, %d from %d", what, limit, offset), append([]T{}, got.Rows...), append([]T{}, rows...))
			if more := offset+limit < want; got.More != more || got.Exact == more {
				h.Fatalf("%s, %d from %d: more %v, exact %v", what, limit, offset, got.More, got.Exact)
			}
		}
	}
	some, err := read(h.ctx, callback.Newest[T]{Match: match})
	h.ok(err)
	if len(some.Rows) != matching || slices.ContainsFunc(some.Rows, func(r T) bool { return !match(&r) }) {
		h.Fatalf("%s: %d match, want %d: %+v", what, len(some.Rows), matching, some.Rows)
	}
	one, err := read(h.ctx, callback.Newest[T]{Num: 1})
	h.ok(err)
	if n := want / 3; what == "outages" && len(one.Rows) != n {
		h.Fatalf("%s of one callback: %d, want %d", what, len(one.Rows), n)
	}
}
