package queuetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ringback/callback"
)

func diff(tb testing.TB, what string, got, want any) {
	tb.Helper()
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b callback.Secret) bool { return a == b }), cmpopts.EquateEmpty()); d != "" {
		tb.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func registry(h *harness) {
	a := h.create("a", func(cb *callback.Callback) {
		cb.CA = string(slices.Repeat([]byte("pem "), 3000)) // needs many parts
		cb.Headers = []callback.Param{{Key: "X-One", Value: "1"}}
		cb.Auth = callback.Auth{Type: callback.AuthBearer, Key: callback.NewSecret("hush", nil)}
	})
	b := h.create("b", nil)
	_, err := h.s.Create(h.ctx, h.now, callback.Callback{ID: 99, Name: "a"})
	h.code(err, callback.CodeConflict)
	a.Description, a.CA, a.Name = "new", "", "aa"
	_, err = h.s.Update(h.ctx, h.now, a, 7)
	h.code(err, callback.CodeStale)
	b2 := b
	b2.Name = "a"
	_, err = h.s.Update(h.ctx, h.now, b2, b.Version)
	h.code(err, callback.CodeConflict)
	h.now = h.now.Add(time.Second)
	a, err = h.s.Update(h.ctx, h.now, a, 1)
	h.ok(err)
	h.ok(h.s.Delete(h.ctx, h.now, b.Num))
	h.code(h.s.Delete(h.ctx, h.now, b.Num), callback.CodeNotFound)
	h.reopen()
	got, err := h.s.Find("aa")
	h.ok(err)
	diff(h, "found by name", got.Callback, a)
	got, err = h.s.Find(a.ID.String())
	h.ok(err)
	diff(h, "found by id", got.Callback, a)
	for _, ref := range []string{"a", "b", b.ID.String(), "", "FFFFFFFFFFFFFFFF"} {
		_, err := h.s.Find(ref)
		h.code(err, callback.CodeNotFound)
	}
	c := h.create("b", func(cb *callback.Callback) { cb.ID = 0x77 })
	if c.Num == b.Num {
		h.Fatalf("number %d was used twice", c.Num)
	}
}

func enqueue(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 5)
	if !slices.IsSorted(ids) {
		h.Fatalf("ids are not in order: %v", ids)
	}
	out, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: 9, Response: response(1)}, {Num: cb.Num, Response: response(2)}})
	h.ok(err)
	h.code(out[0].Err, callback.CodeNotFound)
	h.ok(out[1].Err)
	cb.NoReplies = true
	_, err = h.s.Update(h.ctx, h.now, cb, 0)
	h.ok(err)
	out, err = h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num, Response: response(3)}})
	h.ok(err)
	if health, _ := h.s.Callback(cb.Num); !out[0].Skipped || health.Live.Counts.Skipped != 1 || health.Live.Counts.Accepted != 6 {
		h.Fatalf("a kind that is not wanted: %+v, %+v", out[0], health.Live.Counts)
	}
	h.reopen()
	c := h.call(cb.Num, ids[3])
	diff(h, "response", c.Response, response(3))
	diff(h, "entry", c.Entry, callback.Entry{ID: ids[3], Num: cb.Num, Enqueued: h.now, Due: h.now})
	due, err := h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 3)
	h.ok(err)
	if len(due) != 3 || due[0].ID != ids[0] || due[2].ID != ids[2] {
		h.Fatalf("due: %+v", due)
	}
	due, err = h.s.Due(h.ctx, cb.Num, callback.Fresh, due[2].DueKey(), 10)
	h.ok(err)
	if len(due) != 4 || due[0].ID != ids[2] {
		h.Fatalf("due from the third on: %+v", due)
	}
	_, err = h.s.Call(h.ctx, cb.Num, 1)
	h.code(err, callback.CodeNotFound)
}

// inOrder: enqueues come in another order than they took their times in; their
// calls wait in the order of their ids.
func inOrder(h *harness) {
	cb := h.create("a", nil)
	first := h.add(cb.Num, 1)
	h.now = h.now.Add(-5 * time.Millisecond)
	second := h.add(cb.Num, 1)
	h.now = h.now.Add(time.Second)
	due, err := h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 10)
	h.ok(err)
	if len(due) != 2 || due[0].ID != first[0] || due[1].ID != second[0] {
		h.Fatalf("ids %v and %v wait as %+v", first, second, due)
	}
	diff(h, "entry", h.call(cb.Num, second[0]).Entry, due[1])
}

func idempotency(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	r := response(1)
	r.Key = "k1"
	other := response(2)
	other.Key = "k1"
	first, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: a.Num, Response: r}, {Num: a.Num, Response: r}})
	h.ok(err)
	if !first[1].Repeat || first[1].ID != first[0].ID {
		h.Fatalf("the same key in one batch: %+v", first)
	}
	h.reopen()
	out, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: a.Num, Response: r}, {Num: a.Num, Response: other}, {Num: b.Num, Response: other}})
	h.ok(err)
	if !out[0].Repeat || out[0].ID != first[0].ID {
		h.Fatalf("repeat: %+v", out[0])
	}
	h.code(out[1].Err, callback.CodeInvalid)
	if out[2].Err != nil || out[2].Repeat {
		h.Fatalf("the key of another callback: %+v", out[2])
	}
}

func delivery(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 3)
	claims := h.claim(cb.Num, callback.Fresh)
	if len(claims) != 3 || claims[1].Response.Message.Content != response(1).Message.Content {
		h.Fatalf("claims: %+v", claims)
	}
	if again := h.claim(cb.Num, callback.Fresh); len(again) != 0 {
		h.Fatalf("claimed twice: %+v", again)
	}
	if got := h.call(cb.Num, ids[0]); !got.Running {
		h.Fatalf("a claimed call does not run: %+v", got.Entry)
	}
	h.now = h.now.Add(time.Second)
	h.record(claims[0], answer200)
	e := h.record(claims[1], answer503)
	if wait := e.Due.Sub(h.now); wait < 270*time.Second || wait > 330*time.Second {
		h.Fatalf("next try in %v", wait)
	}
	_, err := h.s.Record(h.ctx, h.now, cb.Num, ids[0], []callback.Attempt{answer200})
	h.code(err, callback.CodeConflict)
	first, ok := stale, answer200
	first.Started, ok.Started = h.now, h.now
	_, err = h.s.Record(h.ctx, h.now, cb.Num, ids[2], []callback.Attempt{first, ok})
	h.ok(err)
	h.reopen()
	got := h.call(cb.Num, ids[1])
	want := answer503
	want.Number, want.Started = 1, h.now
	diff(h, "attempts", got.Attempts, []callback.Attempt{want})
	if got := h.call(cb.Num, ids[2]); len(got.Attempts) != 2 || got.Status != callback.Success || got.Attempts[1].Number != 2 {
		h.Fatalf("two attempts of one claim: %+v", got)
	}
	listed, err := h.s.Outages(h.ctx, callback.Newest[callback.Outage]{Num: cb.Num})
	h.ok(err)
	outages := listed.Rows
	if len(outages) != 1 || outages[0].N != 1 || outages[0].FirstCode != 503 || outages[0].Phase != callback.Recovering {
		h.Fatalf("outages: %+v", outages)
	}
}

// Operations do not get to the store in the order in which they took their times.
// A callback's time goes on all the same: else an hour would begin twice, with as
// many mails again, and end twice, with two summaries of one key.
func timeGoesOn(h *harness) {
	most := Policy().MaxPerHour
	cb := h.create("a", func(cb *callback.Callback) { cb.Alerts, cb.MaxInFlight = callback.ModeEveryCall, 1000 })
	ids := h.add(cb.Num, most+4)
	claims := h.claim(cb.Num, callback.Fresh)
	hour := h.now.Truncate(time.Hour).Add(time.Hour)
	for i, c := range claims {
		switch h.now = hour.Add(2 * time.Millisecond); i {
		case most + 2:
			h.now = hour.Add(-time.Millisecond)
		case most + 3:
			h.now = hour.Add(3 * time.Millisecond)
		}
		h.record(c, answer503)
	}
	if got := h.call(cb.Num, ids[most+2]); !got.FirstFailed.Equal(hour.Add(2 * time.Millisecond)) {
		h.Errorf("it failed at %v", got.FirstFailed)
	}
	kinds := map[callback.AlertKind]int{}
	page, err := h.s.Alerts(h.ctx, callback.Newest[callback.Alert]{Num: cb.Num, Limit: callback.MaxPage})
	h.ok(err)
	for _, a := range page.Rows {
		kinds[a.Kind]++
	}
	diff(h, "alerts", kinds, map[callback.AlertKind]int{callback.AlertCall: most})
}

func lists(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	var all []callback.CallID
	for i := range 30 {
		num := a.Num
		if i%3 == 0 {
			num = b.Num
		}
		all = append(all, h.add(num, 1)...)
		h.now = h.now.Add(time.Millisecond)
		if i < 24 {
			c := h.claim(num, callback.Fresh)
			h.record(c[0], []callback.Attempt{answer200, answer503}[i%2])
		}
	}
	newest := slices.Clone(all)
	slices.Reverse(newest)
	every := callback.ListSuccess | callback.ListFailed | callback.ListPending
	var got []callback.CallID
	q := callback.CallQuery{Limit: 7, Filter: callback.Filter{Status: every}}
	for {
		page, err := h.s.Calls(h.ctx, q)
		h.ok(err)
		for _, c := range page.Calls {
			got = append(got, c.ID)
		}
		if !page.More {
			break
		}
		q.After = page.Next
	}
	diff(h, "all, newest first, in pages", got, newest)
	page, err := h.s.Calls(h.ctx, callback.CallQuery{Oldest: true, Offset: 4, Limit: 3, Filter: callback.Filter{Status: every}})
	h.ok(err)
	if len(page.Calls) != 3 || page.Calls[0].ID != all[4] || !page.More {
		h.Fatalf("oldest first from the fifth on: %+v", page)
	}
	page, err = h.s.Calls(h.ctx, callback.CallQuery{Num: a.Num, Filter: callback.Filter{Status: callback.ListFailed}})
	h.ok(err)
	for _, c := range page.Calls {
		if c.Num != a.Num || c.Attempts[0].Code != 503 {
			h.Fatalf("failed calls of a: %+v", c)
		}
	}
	if len(page.Calls) != 8 {
		h.Fatalf("%d failed calls of a, want 8", len(page.Calls))
	}
	page, err = h.s.Calls(h.ctx, callback.CallQuery{Num: b.Num, Filter: callback.Filter{Status: callback.ListPending}})
	h.ok(err)
	if len(page.Calls) != 2 {
		h.Fatalf("%d pending calls of b, want 2", len(page.Calls))
	}
}

// filters asks for calls by each of the conditions of a Filter, and for such as
// none has.
func filters(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 3)
	claims := h.claim(cb.Num, callback.Fresh)
	refused := callback.Attempt{Class: callback.ClassRefused, Reason: "connection refused"}
	for i, a := range []callback.Attempt{answer200, answer503, refused} {
		h.now = h.now.Add(time.Minute)
		a.Started = h.now
		h.record(claims[i], a)
	}
	began := h.now.Add(-2 * time.Minute)
	for name, c := range map[string]struct {
		f    callback.Filter
		want []callback.CallID
	}{
		"code":           {callback.Filter{Code: 503}, ids[1:2]},
		"no answer":      {callback.Filter{Code: callback.NoAnswer}, ids[2:]},
		"another code":   {callback.Filter{Code: 502}, nil},
		"reason":         {callback.Filter{Reason: "connection refused"}, ids[2:]},
		"class":          {callback.Filter{Class: callback.ClassRefused.String()}, ids[2:]},
		"from":           {callback.Filter{From: began.Add(time.Minute)}, []callback.CallID{ids[2], ids[1]}},
		"to":             {callback.Filter{To: began.Add(time.Minute)}, ids[:1]},
		"state":          {callback.Filter{State: callback.StateDelivered}, ids[:1]},
		"text":           {callback.Filter{Text: strings.ToUpper(response(1).MessageID)}, ids[1:2]},
		"words":          {callback.Filter{Text: "ng " + response(1).MessageID + "  0430"}, ids[1:2]},
		"a word lacks":   {callback.Filter{Text: response(1).MessageID + " nobody"}, nil},
		"message":        {callback.Filter{MessageID: response(1).MessageID}, ids[1:2]},
		"two conditions": {callback.Filter{Code: 503, Status: callback.ListSuccess}, nil},
	} {
		page, err := h.s.Calls(h.ctx, callback.CallQuery{Num: cb.Num, Filter: c.f})
		h.ok(err)
		var got []callback.CallID
		for i := range page.Calls {
			got = append(got, page.Calls[i].ID)
		}
		diff(h, name, got, append([]callback.CallID(nil), c.want...))
	}
}

// resolved200 lists a call whose endpoint answered 200, and which a person had
// to resolve all the same, once.
func resolved200(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 3)
	claims := h.claim(cb.Num, callback.Fresh)
	h.record(claims[0], answer200)
	h.record(claims[1], failed200)
	h.record(claims[2], failed200)
	_, err := h.s.Resolve(h.ctx, h.now, cb.Num, ids[1:2], "ana")
	h.ok(err)
	for status, want := range map[callback.CallStatus][]callback.CallID{
		0: {ids[2], ids[1], ids[0]}, callback.ListSuccess: {ids[1], ids[0]}, callback.ListFailed: {ids[2]},
	} {
		page, err := h.s.Calls(h.ctx, callback.CallQuery{Filter: callback.Filter{Code: 200, Status: status}})
		h.ok(err)
		var got []callback.CallID
		for i := range page.Calls {
			got = append(got, page.Calls[i].ID)
		}
		diff(h, fmt.Sprint("code 200, status ", status), got, want)
	}
}

// delivering lists the calls that run, in each direction and behind a cursor.
func delivering(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	ids := h.add(a.Num, 1)
	h.record(h.claim(a.Num, callback.Fresh)[0], answer503)
	ids = append(ids, h.add(b.Num, 3)...)
	h.claim(b.Num, callback.Fresh)
	h.add(b.Num, 1)
	f := callback.Filter{State: callback.StateDelivering, Status: callback.ListPending | callback.ListFailed | callback.ListSuccess}
	for _, c := range []struct {
		q    callback.CallQuery
		want []callback.CallID
	}{
		{callback.CallQuery{Num: b.Num}, []callback.CallID{ids[3], ids[2], ids[1]}},
		{callback.CallQuery{Num: b.Num, Oldest: true}, []callback.CallID{ids[1], ids[2], ids[3]}},
		{callback.CallQuery{Num: b.Num, After: ids[2]}, []callback.CallID{ids[1]}},
		{callback.CallQuery{Num: b.Num, After: ids[2], Oldest: true}, []callback.CallID{ids[3]}},
		{callback.CallQuery{Oldest: true, Offset: 1, Limit: 1}, []callback.CallID{ids[2]}},
	} {
		c.q.Filter = f
		page, err := h.s.Calls(h.ctx, c.q)
		h.ok(err)
		var got []callback.CallID
		for i := range page.Calls {
			got = append(got, page.Calls[i].ID)
			if !page.Calls[i].Running {
				h.Fatalf("%v does not run", page.Calls[i].ID)
			}
		}
		diff(h, fmt.Sprintf("%+v", c.q), got, c.want)
	}
}

func allOrNone(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 4)
	claims := h.claim(cb.Num, callback.Fresh)
	h.record(claims[0], answer200)
	_, err := h.s.Resolve(h.ctx, h.now, cb.Num, []callback.CallID{ids[1], 5, 6}, "ana")
	h.code(err, callback.CodeInvalid)
	if got := h.call(cb.Num, ids[1]); got.Status != callback.Ready {
		h.Fatalf("changed although one id is unknown: %+v", got.Entry)
	}
	n, err := h.s.Resolve(h.ctx, h.now, cb.Num, []callback.CallID{ids[1], ids[0], ids[1]}, "ana")
	h.ok(err)
	if got := h.call(cb.Num, ids[1]); n != 1 || got.Reason != callback.Resolved || got.ResolvedBy != "ana" || !got.Running {
		h.Fatalf("resolved %d: %+v", n, got.Entry)
	}
	h.record(claims[1], answer503)
	if got := h.call(cb.Num, ids[1]); got.Reason != callback.Resolved || len(got.Attempts) != 1 {
		h.Fatalf("a failure after a resolve: %+v", got)
	}
	_, err = h.s.Reopen(h.ctx, h.now, cb.Num, []callback.CallID{ids[1], ids[0]})
	h.code(err, callback.CodeConflict)
	if got := h.call(cb.Num, ids[1]); got.Status != callback.Success {
		h.Fatalf("reopened although one was delivered: %+v", got.Entry)
	}
	h.record(claims[3], answer503)
	before := h.call(cb.Num, ids[3]).Entry
	_, err = h.s.Resolve(h.ctx, h.now, cb.Num, []callback.CallID{ids[3]}, "jo")
	h.ok(err)
	h.reopen()
	h.ok(h.s.Undo(h.ctx, h.now, before))
	diff(h, "after undo", h.call(cb.Num, ids[3]).Entry, before)
	h.code(h.s.Undo(h.ctx, h.now, before), callback.CodeConflict)
	n, err = h.s.Reopen(h.ctx, h.now, cb.Num, []callback.CallID{ids[1]})
	h.ok(err)
	if got := h.call(cb.Num, ids[1]); n != 1 || got.Status != callback.Ready {
		h.Fatalf("reopened: %+v", got.Entry)
	}
}

// lane is a Dispatcher that notes what it is told.
type lane struct {
	slots   int
	started []callback.Claim
	woken   map[callback.Num]int
	ahead   []callback.Claim
	missed  int
}

func (l *lane) Slot(_ callback.Num, may bool, _ int) bool {
	l.slots--
	return may && l.slots >= 0
}

func (l *lane) Start(c callback.Claim)     { l.started = append(l.started, c) }
func (l *lane) Wake(n callback.Num, i int) { l.woken[n] += i }
func (l *lane) Missed(*callback.Claim)     { l.missed++ }

func (l *lane) Next(callback.Num) *callback.Claim {
	if len(l.ahead) == 0 {
		return nil
	}
	c := l.ahead[0]
	l.ahead = l.ahead[1:]
	return &c
}

func dispatcher(h *harness) {
	l := &lane{slots: 2, woken: map[callback.Num]int{}}
	h.s.SetDispatcher(l)
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 3)
	if len(l.started) != 2 || l.started[0].Entry.ID != ids[0] || !l.started[0].Entry.Running || l.woken[cb.Num] != 1 {
		h.Fatalf("handed over %+v, woken %v", l.started, l.woken)
	}
	l.slots = 9
	later := response(8)
	later.DeliverAt = h.now.Add(time.Hour)
	_, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num, Response: later}})
	h.ok(err)
	if len(l.started) != 2 {
		h.Fatalf("a delayed call was handed over")
	}
	h.s.SetDispatcher(nil)
	for _, c := range l.started {
		h.record(c, answer200)
	}
	h.reopen() // the claim rode in the commit of the enqueue: had it been lost, Check would say so
}

// succession lets the end of one attempt begin the next, in one commit.
func succession(h *harness) {
	l := &lane{slots: 1, woken: map[callback.Num]int{}}
	h.s.SetDispatcher(l)
	cb := h.create("a", func(cb *callback.Callback) { cb.MaxInFlight = 1 })
	ids := h.add(cb.Num, 5)
	due, err := h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 10)
	h.ok(err)
	texts, err := h.s.Responses(h.ctx, cb.Num, []callback.CallID{ids[1], ids[2], 77, ids[3]}, 1<<20)
	h.ok(err)
	if len(texts) != 2 || texts[1].MessageID != response(2).MessageID {
		h.Fatalf("the responses of two calls and of one that is not there: %+v", texts)
	}
	texts, err = h.s.Responses(h.ctx, cb.Num, ids, 1)
	h.ok(err)
	if len(texts) != 0 {
		h.Fatalf("%d responses within one byte", len(texts))
	}
	for i, e := range due[:3] {
		l.ahead = append(l.ahead, callback.Claim{Entry: e, Response: response(i + 1)})
	}
	h.record(l.started[0], answer200)
	if len(l.started) != 2 || l.started[1].Entry.ID != ids[1] || !l.started[1].Entry.Running || l.started[1].Response.MessageID != response(1).MessageID {
		h.Fatalf("the next call was not started: %+v", l.started)
	}
	_, err = h.s.Resolve(h.ctx, h.now, cb.Num, []callback.CallID{ids[2]}, "ana")
	h.ok(err)
	h.record(l.started[1], answer200)
	if len(l.started) != 2 || l.missed != 1 {
		h.Fatalf("a call that was resolved: started %d, missed %d", len(l.started), l.missed)
	}
	claims, err := h.s.Claim(h.ctx, h.now, cb.Num, due[3:], nil)
	h.ok(err)
	dead := callback.Attempt{Class: callback.ClassRefused, Error: "Connection refused"}
	h.record(claims[0], dead)
	if len(l.started) != 2 || len(l.ahead) != 1 {
		h.Fatalf("started behind a failure that opened the gate: %+v, ahead %d", l.started, len(l.ahead))
	}
	h.s.SetDispatcher(nil)
	h.reopen()
}

// room claims as many calls as there is memory for, and asks before it reads.
func room(h *harness) {
	cb := h.create("a", func(cb *callback.Callback) { cb.MaxInFlight = 10 })
	sizes := []int{10, 2000, 300_000, 10}
	calls := make([]callback.NewCall, len(sizes))
	for i, n := range sizes {
		calls[i] = callback.NewCall{Num: cb.Num, Response: callback.Response{Message: callback.Message{Content: strings.Repeat("x", n)}}}
	}
	out, err := h.s.Enqueue(h.ctx, h.now, calls)
	h.ok(err)
	due, err := h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 10)
	h.ok(err)
	texts, err := h.s.Responses(h.ctx, cb.Num, []callback.CallID{out[0].ID, out[1].ID, out[2].ID, out[3].ID}, 100_000)
	h.ok(err)
	if len(texts) != 2 {
		h.Fatalf("%d responses, of which two are within 100,000 bytes", len(texts))
	}
	var asked []int
	claims, err := h.s.Claim(h.ctx, h.now, cb.Num, due, func(size int) bool {
		asked = append(asked, size)
		return size < 300_000
	})
	h.ok(err)
	if len(claims) != 2 || claims[1].Entry.ID != out[1].ID || claims[1].Response.Size() != 2000 {
		h.Fatalf("claimed %d calls, want the two before the long one", len(claims))
	}
	for i, n := range sizes[:3] {
		if len(asked) != 3 || asked[i] < n || asked[i] > n+200 {
			h.Fatalf("asked for %v", asked)
		}
	}
	if health, _ := h.s.Callback(cb.Num); health.Live.Running != 2 {
		h.Fatalf("%d run", health.Live.Running)
	}
	claims, err = h.s.Claim(h.ctx, h.now, cb.Num, due[2:], nil)
	h.ok(err)
	if len(claims) != 2 {
		h.Fatalf("then %d, want the others", len(claims))
	}
}

// orderly lets the end of one attempt begin the next of an ordered callback, unless
// one of its calls failed: that holds all behind it.
func orderly(h *harness) {
	l := &lane{slots: 1, woken: map[callback.Num]int{}}
	h.s.SetDispatcher(l)
	cb := h.create("a", func(cb *callback.Callback) { cb.Ordered = true })
	ids := h.add(cb.Num, 4)
	due, err := h.s.Due(h.ctx, cb.Num, callback.Fresh, callback.DueKey{}, 10)
	h.ok(err)
	for i, e := range due {
		l.ahead = append(l.ahead, callback.Claim{Entry: e, Response: response(i + 1)})
	}
	h.record(l.started[0], answer200)
	if len(l.started) != 2 || l.started[1].Entry.ID != ids[1] {
		h.Fatalf("the next call was not started: %+v", l.started)
	}
	h.record(l.started[1], answer503)
	if len(l.started) != 2 || len(l.ahead) != 2 {
		h.Fatalf("started behind one that failed: %+v", l.started)
	}
	l.slots = 1
	h.add(cb.Num, 1)
	if len(l.started) != 2 {
		h.Fatalf("a new call overtook one that failed: %+v", l.started)
	}
	claims, err := h.s.Claim(h.ctx, h.now, cb.Num, due[2:3], nil) // seen before the failure
	h.ok(err)
	if len(claims) != 0 {
		h.Fatalf("claimed behind one that failed: %+v", claims)
	}
	h.s.SetDispatcher(nil)
	h.reopen()
}

func interrupted(h *harness) {
	on, off := h.create("on", nil), h.create("off", func(cb *callback.Callback) { cb.Retries = false })
	h.add(on.Num, 2)
	h.add(off.Num, 1)
	a := h.claim(on.Num, callback.Fresh)
	h.claim(off.Num, callback.Fresh)
	_, err := h.s.Resolve(h.ctx, h.now, on.Num, []callback.CallID{a[1].Entry.ID}, "ana")
	h.ok(err)
	h.now = h.now.Add(time.Minute)
	h.reopen()
	got := h.call(on.Num, a[0].Entry.ID)
	if got.Status != callback.Ready || !got.Due.Equal(h.now) || len(got.Attempts) != 1 || got.Attempts[0].Class != callback.ClassInterrupted {
		h.Fatalf("interrupted: %+v", got)
	}
	if got := h.call(on.Num, a[1].Entry.ID); got.Reason != callback.Resolved || len(got.Attempts) != 1 {
		h.Fatalf("interrupted and resolved: %+v", got)
	}
	b := h.claim(off.Num, callback.Tried)
	if len(b) != 1 {
		h.Fatalf("the second try with retries off: %+v", b)
	}
	h.reopen()
	if got := h.call(off.Num, b[0].Entry.ID); got.Status != callback.Failed || got.Reason != callback.RetriesOff || got.Attempts[1].Number != 2 {
		h.Fatalf("interrupted twice with retries off: %+v", got)
	}
	h.reopen()
	if got := h.call(on.Num, a[0].Entry.ID); len(got.Attempts) != 1 {
		h.Fatalf("interrupted again although nothing ran: %+v", got)
	}
}

// interruptedEarlier restarts after the clock stepped back: no attempt begins
// before its call was accepted, so that lists by time have both.
func interruptedEarlier(h *harness) {
	cb := h.create("a", nil)
	id := h.add(cb.Num, 1)[0]
	h.claim(cb.Num, callback.Fresh)
	accepted := h.now
	h.now = h.now.Add(-time.Hour)
	h.reopen()
	c := h.call(cb.Num, id)
	if len(c.Attempts) != 1 || !c.LastAt.Equal(accepted) || !c.Attempts[0].Started.Equal(accepted) {
		h.Fatalf("interrupted at %v: %+v; accepted at %v", c.LastAt, c.Attempts, accepted)
	}
	for _, to := range []time.Time{h.now.Add(time.Minute), accepted.Add(time.Millisecond)} {
		f, want := callback.Filter{To: to}, 0
		if to.After(accepted) {
			want = 1
		}
		calls, err := h.s.Calls(h.ctx, callback.CallQuery{Filter: f})
		h.ok(err)
		attempts, err := h.s.Attempts(h.ctx, callback.AttemptQuery{Filter: f})
		h.ok(err)
		if len(calls.Calls) != want || len(attempts.Attempts) != want {
			h.Fatalf("to %v: %d calls, %d attempts, want %d", to, len(calls.Calls), len(attempts.Attempts), want)
		}
	}
}

func sweep(h *harness) {
	cb := h.create("a", nil)
	ids := h.add(cb.Num, 2)
	claims := h.claim(cb.Num, callback.Fresh)
	h.record(claims[0], refused)
	h.record(claims[1], refused)
	held := h.add(cb.Num, 2)
	health, err := h.s.Callback(cb.Num)
	h.ok(err)
	if want := h.now.Add(24 * time.Hour); !health.ExpireAt.Equal(want) {
		h.Fatalf("ExpireAt %v, want %v", health.ExpireAt, want)
	}
	running, err := h.s.ClaimManual(h.ctx, h.now, cb.Num, ids[0], false)
	h.ok(err)
	h.now = h.now.Add(25 * time.Hour)
	h.ok(h.s.Sweep(h.ctx, h.now, cb.Num))
	health, err = h.s.Callback(cb.Num)
	h.ok(err)
	if !health.ExpireAt.IsZero() && !health.ExpireAt.After(h.now) {
		h.Fatalf("right after a sweep the next is due at %v: whoever waits for it would spin", health.ExpireAt)
	}
	h.record(running, refused)
	for _, id := range ids {
		if got := h.call(cb.Num, id); got.Reason != callback.Exhausted {
			h.Fatalf("after its window: %+v", got.Entry)
		}
	}
	if got := h.call(cb.Num, held[0]); got.Status != callback.Ready {
		h.Fatalf("given up untried: %+v", got.Entry)
	}
	h.ok(h.s.Delete(h.ctx, h.now, cb.Num))
	h.ok(h.s.Sweep(h.ctx, h.now, cb.Num))
	h.reopen()
	if got := h.call(cb.Num, held[1]); got.Reason != callback.Deleted {
		h.Fatalf("after a delete: %+v", got.Entry)
	}
}

// A sweep that gives nothing up, for what was oldest waits no more, tells when the next is due all the same.
func sweepNothing(h *harness) {
	cb := h.create("a", nil)
	first := h.add(cb.Num, 1)
	h.record(h.claim(cb.Num, callback.Fresh)[0], refused)
	h.now = h.now.Add(time.Hour)
	second := h.add(cb.Num, 1)[0]
	by, err := h.s.ClaimManual(h.ctx, h.now, cb.Num, second, false) // for others wait behind the outage
	h.ok(err)
	h.record(by, refused)
	_, err = h.s.Resolve(h.ctx, h.now, cb.Num, first, "Fred")
	h.ok(err)
	h.now = h.now.Add(23*time.Hour + 30*time.Minute)
	h.ok(h.s.Sweep(h.ctx, h.now, cb.Num))
	health, err := h.s.Callback(cb.Num)
	h.ok(err)
	if got := h.call(cb.Num, second); got.Status != callback.Ready || !health.ExpireAt.After(h.now) {
		h.Fatalf("%v, and the next sweep is due at %v, now %v", got.Entry, health.ExpireAt, h.now)
	}
}

func purge(h *harness) {
	cb := h.create("a", nil)
	r := response(1)
	r.Key = "again"
	_, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num, Response: r}})
	h.ok(err)
	h.add(cb.Num, 3)
	claims := h.claim(cb.Num, callback.Fresh)
	for _, c := range claims[:3] {
		h.record(c, answer200)
	}
	h.record(claims[3], answer503)
	h.now = h.now.Add(time.Hour)
	n, err := h.s.Purge(h.ctx, h.now, h.now, h.now, 2)
	h.ok(err)
	if n != 2 {
		h.Fatalf("purged %d of at most 2", n)
	}
	n, err = h.s.Purge(h.ctx, h.now, h.now, h.now, 100)
	h.ok(err)
	if n != 1 {
		h.Fatalf("purged %d, want 1: a waiting call stays", n)
	}
	h.reopen()
	_, err = h.s.Call(h.ctx, cb.Num, claims[0].Entry.ID)
	h.code(err, callback.CodeNotFound)
	out, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num, Response: r}})
	h.ok(err)
	if out[0].Repeat {
		h.Fatalf("a key outlived its call")
	}
}

// purgeEarlier finishes calls after the clock stepped back: what the ids tell is
// later than when they finished, which is what retention goes by.
func purgeEarlier(h *harness) {
	before, after := h.create("a", nil), h.create("b", nil)
	ids := h.add(before.Num, 1)
	h.now = h.now.Add(-time.Hour)
	h.reopen()
	_, err := h.s.Resolve(h.ctx, h.now, before.Num, ids, "ana")
	h.ok(err)
	h.add(after.Num, 2)
	for _, c := range h.claim(after.Num, callback.Fresh) {
		h.record(c, answer200)
	}
	n, err := h.s.Purge(h.ctx, h.now, h.now, h.now, 100)
	h.ok(err)
	if n != 0 {
		h.Fatalf("purged %d before their time", n)
	}
	h.now = h.now.Add(time.Minute)
	h.reopen()
	n, err = h.s.Purge(h.ctx, h.now, h.now, h.now, 100)
	h.ok(err)
	if n != 3 {
		h.Fatalf("purged %d, want 3: all finished a minute ago", n)
	}
}

// deletedWhileAsked deletes a callback whose next probe was asked for, and opens it
// again: what its gate was asked is not stored.
func deletedWhileAsked(h *harness) {
	cb := h.create("a", nil)
	h.add(cb.Num, 1)
	h.record(h.claim(cb.Num, callback.Fresh)[0], refused)
	cb.Description = "mended"
	_, err := h.s.Update(h.ctx, h.now, cb, 0)
	h.ok(err)
	if c, err := h.s.Callback(cb.Num); err != nil || !c.Live.Gate.Asked {
		h.Fatalf("an edit asks for no probe: %+v, %v", c.Live.Gate, err)
	}
	h.ok(h.s.Delete(h.ctx, h.now, cb.Num))
	before, err := h.s.Callback(cb.Num)
	h.ok(err)
	h.reopen()
	after, err := h.s.Callback(cb.Num)
	h.ok(err)
	diff(h, "gate of what was deleted", after.Live.Gate, before.Live.Gate)
}

func outbox(h *harness) {
	a, b := h.create("a", nil), h.create("b", nil)
	for _, cb := range []callback.Callback{a, b} {
		h.add(cb.Num, 1)
		h.record(h.claim(cb.Num, callback.Fresh)[0], answer503)
		h.now = h.now.Add(time.Second)
	}
	due, next, err := h.s.DueAlerts(h.ctx, h.now, 10)
	h.ok(err)
	if len(due) != 2 || !next.IsZero() || due[0].Num != a.Num || due[0].Kind != callback.AlertOutage {
		h.Fatalf("due alerts: %+v next %v", due, next)
	}
	first := due[0]
	first.Tries, first.Next, first.Reply = 1, h.now.Add(time.Minute), "451 later"
	h.ok(h.s.SetAlert(h.ctx, h.now, first))
	h.reopen()
	due, next, err = h.s.DueAlerts(h.ctx, h.now, 10)
	h.ok(err)
	if len(due) != 1 || due[0].Num != b.Num || !next.Equal(first.Next) {
		h.Fatalf("after a put off: %+v next %v", due, next)
	}
	first.Status, first.Sent = callback.AlertSent, h.now
	h.ok(h.s.SetAlert(h.ctx, h.now, first))
	listed, err := h.s.Alerts(h.ctx, callback.Newest[callback.Alert]{})
	h.ok(err)
	all := listed.Rows
	if len(all) != 2 || all[0].Num != b.Num || all[1].Status != callback.AlertSent {
		h.Fatalf("alerts: %+v", all)
	}
	_, next, err = h.s.DueAlerts(h.ctx, h.now, 10)
	h.ok(err)
	if !next.IsZero() {
		h.Fatalf("a sent alert is still due at %v", next)
	}
	h.code(h.s.SetAlert(h.ctx, h.now, callback.Alert{Num: a.Num, Key: "outage/x/1"}), callback.CodeNotFound)
}

func ids(h *harness) {
	cb := h.create("a", nil)
	first := h.add(cb.Num, 2)
	h.now = h.now.Add(-time.Hour) // the clock steps back, across a restart
	h.reopen()
	second := h.add(cb.Num, 2)
	if second[0] <= first[1] {
		h.Fatalf("id %v after %v", second[0], first[1])
	}
}
