package servicetest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func enqueueDelivered(t *testing.T, b *bench) {
	h := b.callback("crm", nil)
	in := response("crm", "Yes, I accept <b>\u2713</b>")
	in.Response.Params = []callback.Param{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}}
	in.Response.MessageLocation = "https://api.example.com/messages/1"
	id := b.enqueue(in)[0]
	c := b.ended("crm", id, 1)
	if c.Listed() != callback.ListSuccess || c.State != callback.StateDelivered || c.Reason != callback.Delivered {
		t.Fatalf("call: %v, %v, %v; want delivered", c.Listed(), c.State, c.Reason)
	}
	if c.CallbackID != h.ID || c.Callback != "crm" || c.URL != b.hook.URL || c.Enqueued.IsZero() || c.Finished.IsZero() {
		t.Fatalf("call: callback %v %q at %q, enqueued %v, finished %v", c.CallbackID, c.Callback, c.URL, c.Enqueued, c.Finished)
	}
	r := &c.Response
	if r.MessageID != in.Response.MessageID || r.From != in.Response.From || r.Message != in.Response.Message ||
		r.MessageLocation != in.Response.MessageLocation || !slices.Equal(r.Params, in.Response.Params) {
		t.Fatalf("response: got %+v, want %+v", r, in.Response)
	}
	a := c.Attempts[0]
	if len(c.Attempts) != 1 || a.Number != 1 || !a.OK || a.Code != 200 || a.Class != callback.ClassOK || a.Started.IsZero() {
		t.Fatalf("attempts: %+v", c.Attempts)
	}
	if n := b.hook.got("I accept"); n != 1 {
		t.Fatalf("the endpoint got it %d times, want once", n)
	}
}

func enqueueByName(t *testing.T, b *bench) {
	h := b.callback("by name", nil)
	res, err := b.svc.Enqueue(b.ctx, []callback.NewResponse{response("by name", "a"), response(h.ID.String(), "b")})
	if err != nil || len(res) != 2 || res[0].Err != nil || res[1].Err != nil || res[0].Callback != h.ID || res[1].Callback != h.ID {
		t.Fatalf("enqueue by name and id: %+v, %v; want callback %v", res, err, h.ID)
	}
	if res[1].ID <= res[0].ID {
		t.Fatalf("ids %v, %v: want the later greater", res[0].ID, res[1].ID)
	}
}

func enqueueMany(t *testing.T, b *bench) {
	b.callback("many", nil)
	wrong := response("many", "wrong")
	wrong.Response.From.Name = strings.Repeat("n", callback.MaxField+1)
	res, err := b.svc.Enqueue(b.ctx, []callback.NewResponse{
		response("many", "first"), response("nobody", "lost"), wrong, response("many", "last"),
	})
	if err != nil || len(res) != 4 {
		t.Fatalf("enqueue: %d results, %v", len(res), err)
	}
	for _, i := range []int{0, 3} {
		if res[i].Err != nil || res[i].ID == 0 {
			t.Fatalf("item %d: %+v; want it stored", i, res[i])
		}
		b.ended("many", res[i].ID, 1)
	}
	b.wantCode("an item for an unknown callback", res[1].Err, callback.CodeNotFound)
	b.wantFields("an item with a fault", res[2].Err, "from.name")

	res, err = b.svc.Enqueue(b.ctx, []callback.NewResponse{response("nobody", "x"), wrong})
	if err != nil || len(res) != 2 {
		t.Fatalf("enqueue of faults alone: %d results, %v", len(res), err)
	}
	b.wantCode("the first of faults alone", res[0].Err, callback.CodeNotFound)
	b.wantFields("the second of faults alone", res[1].Err, "from.name")
	if n := b.hook.got("lost") + b.hook.got("wrong"); n != 0 {
		t.Fatalf("%d refused items were delivered", n)
	}
}

func enqueueSkips(t *testing.T, b *bench) {
	h := b.callback("replies", func(d *callback.Draft) { d.Undeliverable = ptr(false) })
	notice := response("replies", "bounced")
	notice.Response.Message.Acknowledged, notice.Response.Message.Undeliverable = "", "09/01/26 13:22"
	res, err := b.svc.Enqueue(b.ctx, []callback.NewResponse{notice, response("replies", "answer")})
	if err != nil || !res[0].Skipped || res[0].Err != nil || res[0].Callback != h.ID || res[1].Skipped || res[1].ID == 0 {
		t.Fatalf("enqueue: %+v, %v; want the first skipped, the second stored", res, err)
	}
	b.ended("replies", res[1].ID, 1)
	b.until("the count of skipped ones", func() bool {
		h, err := b.svc.Callback(b.ctx, "replies")
		return err == nil && h.Live.Counts.Skipped == 1 && h.Live.Counts.Accepted == 1
	})
	if list := b.calls(callback.ListQuery{Ref: "replies"}); len(list.Calls) != 1 || b.hook.got("bounced") != 0 {
		t.Fatalf("%d calls listed, skipped one delivered %d times", len(list.Calls), b.hook.got("bounced"))
	}
}

// skippedForgotten enqueues what was skipped again, under its key, once it is
// wanted.
func skippedForgotten(t *testing.T, b *bench) {
	b.callback("later", func(d *callback.Draft) { d.Reply = ptr(false) })
	in := response("later", "wanted later")
	in.Response.Key = "order-1"
	for range 2 {
		res, err := b.svc.Enqueue(b.ctx, []callback.NewResponse{in})
		if err != nil || !res[0].Skipped || res[0].Repeat {
			t.Fatalf("while it is not wanted: %+v, %v; want it skipped", res, err)
		}
	}
	if _, err := b.svc.Update(b.ctx, "later", callback.Draft{Reply: ptr(true)}, 0); err != nil {
		t.Fatalf("update: %v", err)
	}
	b.ended("later", b.enqueue(in)[0], 1)
	if n := b.hook.got("wanted later"); n != 1 {
		t.Fatalf("delivered %d times, want once", n)
	}
}

func enqueueRepeats(t *testing.T, b *bench) {
	b.callback("keyed", nil)
	b.callback("other", nil)
	in := response("keyed", "once")
	in.Response.Key = "order-1"
	id := b.enqueue(in)[0]
	res, err := b.svc.Enqueue(b.ctx, []callback.NewResponse{in})
	if err != nil || res[0].Err != nil || !res[0].Repeat || res[0].ID != id {
		t.Fatalf("repeat: %+v, %v; want call %v again", res, err, id)
	}
	other := in
	other.Ref = "other"
	if got := b.enqueue(other)[0]; got == id {
		t.Fatalf("the key of one callback repeated a call of another")
	}
	changed := in
	changed.Response.Message.Content = "twice"
	res, err = b.svc.Enqueue(b.ctx, []callback.NewResponse{changed})
	if err != nil {
		t.Fatalf("same key, other body: %v", err)
	}
	b.wantCode("same key, other body", res[0].Err, callback.CodeInvalid)
	b.ended("keyed", id, 1)
	if list := b.calls(callback.ListQuery{Ref: "keyed"}); len(list.Calls) != 1 {
		t.Fatalf("%d calls, want 1", len(list.Calls))
	}
}

func failureListed(t *testing.T, b *bench) {
	b.hook.answer(http.StatusServiceUnavailable)
	b.callback("keeps", retries)
	b.callback("gives up", nil)
	kept := b.ended("keeps", b.enqueue(response("keeps", "a"))[0], 1)
	if kept.Listed() != callback.ListFailed || kept.State == callback.StateGaveUp || kept.FirstFailed.IsZero() || !kept.Due.After(kept.FirstFailed) {
		t.Fatalf("with retries: %v, %v, first failed %v, due %v", kept.Listed(), kept.State, kept.FirstFailed, kept.Due)
	}
	if !kept.GivesUp.After(kept.Due) {
		t.Fatalf("with retries: due %v, gives up %v; want it later", kept.Due, kept.GivesUp)
	}
	a := kept.Attempts[0]
	if a.OK || a.Code != 503 || a.Class != callback.ClassStatus || a.Error == "" {
		t.Fatalf("attempt: %+v", a)
	}
	lost := b.ended("gives up", b.enqueue(response("gives up", "b"))[0], 1)
	if lost.Listed() != callback.ListFailed || lost.State != callback.StateGaveUp || lost.Reason != callback.RetriesOff || !lost.GivesUp.IsZero() {
		t.Fatalf("without retries: %v, %v, %v, gives up %v", lost.Listed(), lost.State, lost.Reason, lost.GivesUp)
	}
	list := b.calls(callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed}})
	if got, want := idsOf(list), []callback.CallID{lost.ID, kept.ID}; !slices.Equal(got, want) || list.Total != 2 || !list.Exact {
		t.Fatalf("failed of all: %v of %d (exact %v); want %v of 2", got, list.Total, list.Exact, want)
	}
	if got := idsOf(b.calls(callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess}})); len(got) != 0 {
		t.Fatalf("successes: %v, want none", got)
	}
}

func callsPage(t *testing.T, b *bench) {
	b.callback("paged", nil)
	var want []callback.CallID
	for i := range 7 {
		want = append(want, b.enqueue(response("paged", fmt.Sprint("n", i)))[0])
	}
	for _, id := range want {
		b.ended("paged", id, 1)
	}
	for _, oldest := range []bool{true, false} {
		if !oldest {
			slices.Reverse(want)
		}
		q := callback.ListQuery{Ref: "paged", Oldest: oldest, Limit: 3}
		var byCursor, byOffset []callback.CallID
		for range 10 {
			list := b.calls(q)
			byCursor = append(byCursor, idsOf(list)...)
			if !list.More {
				break
			}
			q.After = list.Next
		}
		for q := (callback.ListQuery{Ref: "paged", Oldest: oldest, Limit: 3}); ; q.Offset += 3 {
			list := b.calls(q)
			byOffset = append(byOffset, idsOf(list)...)
			if list.Total != 7 || !list.Exact {
				t.Fatalf("offset %d: total %d (exact %v), want 7", q.Offset, list.Total, list.Exact)
			}
			if len(list.Calls) < 3 || q.Offset > 30 {
				break
			}
		}
		if !slices.Equal(byCursor, want) || !slices.Equal(byOffset, want) {
			t.Fatalf("oldest %v:\nby cursor %v\nby offset %v\n     want %v", oldest, byCursor, byOffset, want)
		}
	}
}

func callsFilter(t *testing.T, b *bench) {
	b.callback("ok", nil)
	good := b.ended("ok", b.enqueue(response("ok", "Steel Cap boots"))[0], 1)
	b.hook.answer(http.StatusTeapot)
	b.callback("bad", nil)
	bad := b.ended("bad", b.enqueue(response("bad", "sandals"))[0], 1)
	b.callback("held", nil)
	if err := b.svc.Suspend(b.ctx, "held", "me"); err != nil {
		t.Fatalf("suspend: %v", err)
	}
	held := b.enqueue(response("held", "slippers"))[0]
	later := bad.Attempts[0].Started.Add(time.Hour)
	for name, c := range map[string]struct {
		q    callback.ListQuery
		want []callback.CallID
	}{
		"nothing":       {callback.ListQuery{}, []callback.CallID{bad.ID, good.ID}},
		"all statuses":  {callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess | callback.ListFailed | callback.ListPending}}, []callback.CallID{held, bad.ID, good.ID}},
		"success":       {callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess}}, []callback.CallID{good.ID}},
		"pending":       {callback.ListQuery{Filter: callback.Filter{Status: callback.ListPending}}, []callback.CallID{held}},
		"callback":      {callback.ListQuery{Ref: "bad"}, []callback.CallID{bad.ID}},
		"state":         {callback.ListQuery{Filter: callback.Filter{State: callback.StateGaveUp}}, []callback.CallID{bad.ID}},
		"states":        {callback.ListQuery{Filter: callback.Filter{State: callback.AnyState(callback.StateGaveUp, callback.StateResolved, callback.StateHeld)}}, []callback.CallID{bad.ID}},
		"message":       {callback.ListQuery{Filter: callback.Filter{MessageID: good.Response.MessageID}}, []callback.CallID{good.ID}},
		"code":          {callback.ListQuery{Filter: callback.Filter{Code: http.StatusTeapot}}, []callback.CallID{bad.ID}},
		"reason":        {callback.ListQuery{Filter: callback.Filter{Reason: bad.Attempts[0].Reason}}, []callback.CallID{bad.ID}},
		"class":         {callback.ListQuery{Filter: callback.Filter{Class: callback.ClassStatus.String()}}, []callback.CallID{bad.ID}},
		"text":          {callback.ListQuery{Filter: callback.Filter{Text: "steel cap"}}, []callback.CallID{good.ID}},
		"name":          {callback.ListQuery{Ref: "bad", Filter: callback.Filter{Text: "WATERS"}}, []callback.CallID{bad.ID}},
		"number":        {callback.ListQuery{Ref: "ok", Filter: callback.Filter{Text: "0430984567"}}, []callback.CallID{good.ID}},
		"no text":       {callback.ListQuery{Filter: callback.Filter{Text: "wellingtons"}}, nil},
		"from the past": {callback.ListQuery{Filter: callback.Filter{From: good.Attempts[0].Started.Add(-time.Hour)}}, []callback.CallID{bad.ID, good.ID}},
		"to the past":   {callback.ListQuery{Filter: callback.Filter{To: good.Attempts[0].Started.Add(-time.Hour)}}, nil},
		"between":       {callback.ListQuery{Filter: callback.Filter{From: later.Add(-2 * time.Hour), To: later}}, []callback.CallID{bad.ID, good.ID}},
		"the future":    {callback.ListQuery{Filter: callback.Filter{From: later}}, nil},
	} {
		if got := idsOf(b.calls(c.q)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	// How many were looked at is told, selected or not, where that is of interest.
	for status, want := range map[callback.CallStatus]uint64{0: 2, callback.ListSuccess: 1, callback.ListSuccess | callback.ListFailed | callback.ListPending: 3} {
		q := callback.ListQuery{Filter: callback.Filter{Status: status, Text: "wellingtons"}}
		if list := b.calls(q); list.Looked != want || list.More {
			t.Errorf("status %d: looked at %d calls of %d", status, list.Looked, want)
		}
	}
	if list := b.calls(callback.ListQuery{}); list.Looked != 0 {
		t.Errorf("without a filter: looked at %d calls", list.Looked)
	}
	row := b.calls(callback.ListQuery{Ref: "bad"}).Calls[0]
	if len(row.Attempts) != 1 || row.Attempts[0].Code != http.StatusTeapot || row.Callback != "bad" || row.State != callback.StateGaveUp {
		t.Fatalf("row: %+v", row)
	}
}

func resolveAllOrNone(t *testing.T, b *bench) {
	b.hook.answer(http.StatusInternalServerError)
	b.callback("broken", nil)
	ids := b.enqueue(response("broken", "a"), response("broken", "b"))
	for _, id := range ids {
		b.ended("broken", id, 1)
	}
	unknown := ids[1] + 12345
	_, err := b.svc.SetStatus(b.ctx, "broken", []callback.CallID{ids[0], unknown, ids[1]}, callback.Success, "fred")
	b.wantCode("resolve with an unknown id", err, callback.CodeInvalid)
	if fields := fmt.Sprint(fieldsOf(err)); !strings.Contains(fields, unknown.String()) {
		t.Fatalf("resolve with an unknown id: %s does not name %v", fields, unknown)
	}
	if c := b.call("broken", ids[0]); c.Listed() != callback.ListFailed {
		t.Fatalf("after a refused resolve the first call is %v", c.State)
	}
	n, err := b.svc.SetStatus(b.ctx, "broken", ids, callback.Success, "fred")
	if err != nil || n != 2 {
		t.Fatalf("resolve: %d changed, %v; want 2", n, err)
	}
	for _, id := range ids {
		c := b.call("broken", id)
		if c.Listed() != callback.ListSuccess || c.State != callback.StateResolved || c.ResolvedBy != "fred" || c.Finished.IsZero() {
			t.Fatalf("resolved call: %v, %v, by %q, %v", c.Listed(), c.State, c.ResolvedBy, c.Finished)
		}
	}
	if n, err = b.svc.SetStatus(b.ctx, "broken", ids, callback.Success, "fred"); err != nil || n != 0 {
		t.Fatalf("resolve again: %d changed, %v; want 0", n, err)
	}
	if got := idsOf(b.calls(callback.ListQuery{Ref: "broken", Filter: callback.Filter{Status: callback.ListFailed}})); len(got) != 0 {
		t.Fatalf("still listed as failed: %v", got)
	}
}

func reopen(t *testing.T, b *bench) {
	b.callback("works", nil)
	done := b.ended("works", b.enqueue(response("works", "a"))[0], 1)
	_, err := b.svc.SetStatus(b.ctx, "works", []callback.CallID{done.ID}, callback.Failed, "me")
	b.wantCode("reopen a delivered call", err, callback.CodeConflict)

	b.hook.answer(http.StatusInternalServerError)
	b.callback("broken", nil)
	id := b.ended("broken", b.enqueue(response("broken", "b"))[0], 1).ID
	for _, c := range []struct {
		status callback.Status
		n      int
		want   callback.CallStatus
	}{
		{callback.Failed, 0, callback.ListFailed},
		{callback.Success, 1, callback.ListSuccess},
		{callback.Failed, 1, callback.ListFailed},
	} {
		n, err := b.svc.SetStatus(b.ctx, "broken", []callback.CallID{id}, c.status, "me")
		if err != nil || n != c.n {
			t.Fatalf("set %v: %d changed, %v; want %d", c.status, n, err, c.n)
		}
		if got := b.call("broken", id); got.Listed() != c.want {
			t.Fatalf("after %v: %v, want %v", c.status, got.Listed(), c.want)
		}
	}
	if c := b.call("broken", id); c.ResolvedBy != "" || c.State != callback.StateGaveUp {
		t.Fatalf("reopened: by %q, %v", c.ResolvedBy, c.State)
	}
}

func retryDelivers(t *testing.T, b *bench) {
	b.hook.answer(http.StatusInternalServerError)
	b.callback("mended", nil)
	id := b.enqueue(response("mended", "again"))[0]
	b.ended("mended", id, 1)
	if err := b.svc.Retry(b.ctx, "mended", id, false); err != nil {
		t.Fatalf("retry: %v", err)
	}
	if c := b.ended("mended", id, 2); c.Listed() != callback.ListFailed || !c.Attempts[1].Manual {
		t.Fatalf("after a retry that failed: %v, manual %v", c.State, c.Attempts[1].Manual)
	}
	b.hook.answer(http.StatusOK)
	if err := b.svc.Retry(b.ctx, "mended", id, true); err != nil {
		t.Fatalf("retry: %v", err)
	}
	c := b.ended("mended", id, 3)
	if c.State != callback.StateDelivered || b.hook.got("again") != 3 {
		t.Fatalf("after a retry that worked: %v, posted %d times", c.State, b.hook.got("again"))
	}
	for i, a := range c.Attempts {
		if a.Number != i+1 || a.OK != (i == 2) {
			t.Fatalf("attempts: %+v", c.Attempts)
		}
	}
}

func retryConflicts(t *testing.T, b *bench) {
	b.callback("fine", nil)
	done := b.ended("fine", b.enqueue(response("fine", "a"))[0], 1)
	b.wantCode("retry of a success", b.svc.Retry(b.ctx, "fine", done.ID, false), callback.CodeConflict)
	b.wantCode("retry of an unknown call", b.svc.Retry(b.ctx, "fine", done.ID+99, false), callback.CodeNotFound)
	if err := b.svc.Suspend(b.ctx, "fine", "me"); err != nil {
		t.Fatalf("suspend: %v", err)
	}
	id := b.enqueue(response("fine", "b"))[0]
	b.wantCode("retry while suspended", b.svc.Retry(b.ctx, "fine", id, false), callback.CodeConflict)
	if c := b.call("fine", done.ID); len(c.Attempts) != 1 {
		t.Fatalf("refused retries made attempts: %d", len(c.Attempts))
	}
}

func suspendHolds(t *testing.T, b *bench) {
	b.callback("paused", nil)
	for range 2 { // the second has nothing to change
		if err := b.svc.Suspend(b.ctx, "paused", "fred"); err != nil {
			t.Fatalf("suspend: %v", err)
		}
	}
	h, err := b.svc.Callback(b.ctx, "paused")
	if err != nil || h.Live.State != callback.Suspended || !h.Live.Suspended || h.Live.SuspendedBy != "fred" || h.Live.SuspendedAt.IsZero() {
		t.Fatalf("suspended: %v by %q at %v, %v", h.Live.State, h.Live.SuspendedBy, h.Live.SuspendedAt, err)
	}
	id := b.enqueue(response("paused", "wait for it"))[0]
	if c := b.call("paused", id); c.State != callback.StateHeld || c.Listed() != callback.ListPending || len(c.Attempts) != 0 {
		t.Fatalf("while suspended: %v, %v, %d attempts", c.State, c.Listed(), len(c.Attempts))
	}
	for range 2 {
		if err := b.svc.Resume(b.ctx, "paused"); err != nil {
			t.Fatalf("resume: %v", err)
		}
	}
	if c := b.ended("paused", id, 1); c.State != callback.StateDelivered || b.hook.got("wait for it") != 1 {
		t.Fatalf("after resume: %v, posted %d times", c.State, b.hook.got("wait for it"))
	}
}

func outageAndAlert(t *testing.T, b *bench) {
	b.callback("fine", nil)
	h := b.callback("down", func(d *callback.Draft) {
		retries(d)
		d.Email = ptr("ops@example.com")
	})
	b.hook.answer(http.StatusBadGateway)
	id := b.ended("down", b.enqueue(response("down", "a"))[0], 1).ID
	for _, ref := range []string{"", "down", h.ID.String()} {
		list, err := b.svc.Outages(b.ctx, callback.OutageQuery{Ref: ref})
		if err != nil || len(list.Rows) != 1 {
			t.Fatalf("outages of %q: %d, %v; want 1", ref, len(list.Rows), err)
		}
		o := list.Rows[0]
		if o.CallbackID != h.ID || o.Callback != "down" || o.N != 1 || o.Phase != callback.OutageOpen || !o.Ended.IsZero() ||
			o.Started.IsZero() || o.Failures != 1 || o.FirstCode != http.StatusBadGateway || o.First != callback.ClassStatus {
			t.Fatalf("outage of %q: %+v", ref, o)
		}
	}
	alerts, err := b.svc.Alerts(b.ctx, callback.AlertQuery{})
	list := alerts.Rows
	if err != nil || len(list) != 1 || list[0].Kind != callback.AlertOutage || list[0].Callback != h.ID || list[0].Call != id || list[0].Key == "" {
		t.Fatalf("alerts: %+v, %v", list, err)
	}
	if got, err := b.svc.Callback(b.ctx, "down"); err != nil || got.Live.State == callback.Healthy || got.Live.LastCode != http.StatusBadGateway {
		t.Fatalf("health: %v, last code %d, %v", got.Live.State, got.Live.LastCode, err)
	}
}

func watchTells(t *testing.T, b *bench) {
	revs, err := b.svc.Watch(b.ctx)
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	seen := uint64(0)
	for i, change := range []func(){
		func() { b.callback("new", nil) },
		func() { b.ended("new", b.enqueue(response("new", "a"))[0], 1) },
		func() { _ = b.svc.Suspend(b.ctx, "new", "me") }, // without it no revision comes
		func() { _ = b.svc.Delete(b.ctx, "new") },        // likewise
	} {
		change()
		select {
		case rev, open := <-revs:
			if !open || rev < seen {
				t.Fatalf("change %d: revision %d after %d, open %v", i, rev, seen, open)
			}
			seen = rev
		case <-b.ctx.Done():
			t.Fatalf("change %d: no revision came", i)
		}
	}
}

func watchEnds(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	revs, err := b.svc.Watch(ctx)
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	for i := range 50 { // nobody reads meanwhile, and nothing stands still
		b.callback(fmt.Sprint("callback ", i), nil)
	}
	cancel()
	for range revs { // it is closed, or this hangs
	}
}
