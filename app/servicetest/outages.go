package servicetest

import (
	"fmt"
	"net/http"
	"testing"

	"ringback/callback"
)

// down registers a callback and lets it fail once.
func (b *bench) down(name string) callback.Health {
	b.t.Helper()
	h := b.callback(name, retries)
	b.ended(name, b.enqueue(response(name, name))[0], 1)
	return h
}

func outagesPage(t *testing.T, b *bench) {
	b.hook.answer(http.StatusBadGateway)
	for i := range 5 {
		b.down(fmt.Sprint("down ", i))
	}
	b.callback("fine", nil)
	open, over, waiting, sent := callback.OutageOpen, callback.NoOutage, callback.AlertWaiting, callback.AlertSent
	for _, c := range []struct {
		outages callback.OutageQuery
		alerts  callback.AlertQuery
		rows    int
		total   uint64
		more    bool
	}{
		{callback.OutageQuery{Limit: 2}, callback.AlertQuery{Limit: 2}, 2, 5, true},
		{callback.OutageQuery{Limit: 2, Offset: 2}, callback.AlertQuery{Limit: 2, Offset: 2}, 2, 5, true},
		{callback.OutageQuery{Limit: 2, Offset: 4}, callback.AlertQuery{Limit: 2, Offset: 4}, 1, 5, false},
		{callback.OutageQuery{Limit: 5, Phase: &open}, callback.AlertQuery{Limit: 5, Status: &waiting}, 5, 5, false},
		{callback.OutageQuery{Limit: 5, Phase: &over}, callback.AlertQuery{Limit: 5, Status: &sent}, 0, 0, false},
		{callback.OutageQuery{Ref: "down 3"}, callback.AlertQuery{Ref: "down 3", Kind: callback.AlertOutage}, 1, 1, false},
		{callback.OutageQuery{Ref: "fine"}, callback.AlertQuery{Kind: callback.AlertDigest}, 0, 0, false},
	} {
		outages, err := b.svc.Outages(b.ctx, c.outages)
		b.isPage(fmt.Sprintf("outages %+v", c.outages), len(outages.Rows), outages.Total, outages.Exact, outages.More, err, c.rows, c.total, c.more)
		for i := range outages.Rows {
			if want := fmt.Sprint("down ", 4-c.outages.Offset-i); c.outages.Ref == "" && outages.Rows[i].Callback != want {
				t.Errorf("outages %+v: row %d is of %s, want %s", c.outages, i, outages.Rows[i].Callback, want)
			}
		}
		alerts, err := b.svc.Alerts(b.ctx, c.alerts)
		b.isPage(fmt.Sprintf("alerts %+v", c.alerts), len(alerts.Rows), alerts.Total, alerts.Exact, alerts.More, err, c.rows, c.total, c.more)
	}
	_, err := b.svc.Outages(b.ctx, callback.OutageQuery{Ref: "nobody"})
	b.wantCode("outages of nobody", err, callback.CodeNotFound)
	_, err = b.svc.Alerts(b.ctx, callback.AlertQuery{Ref: "nobody"})
	b.wantCode("alerts of nobody", err, callback.CodeNotFound)
}

// isPage fails unless a page is as wanted; a total that is not exact is a lower
// bound.
func (b *bench) isPage(what string, rows int, total uint64, exact, more bool, err error, wantRows int, wantTotal uint64, wantMore bool) {
	b.t.Helper()
	right := total == wantTotal || !exact && wantMore && total < wantTotal
	if err != nil || rows != wantRows || !right || more != wantMore {
		b.t.Errorf("%s: %d rows of %d (exact %v), more %v, %v; want %d of %d, more %v", what, rows, total, exact, more, err, wantRows, wantTotal, wantMore)
	}
}

func acknowledge(t *testing.T, b *bench) {
	b.hook.answer(http.StatusBadGateway)
	h := b.down("down")
	b.callback("fine", nil)
	for _, by := range []string{"ana", "ana", "fred"} {
		if err := b.svc.Acknowledge(b.ctx, h.ID.String(), 1, by); err != nil {
			t.Fatalf("acknowledge by %s: %v", by, err)
		}
		got, err := b.svc.Callback(b.ctx, "down")
		if err != nil || got.Live.Outage.Acked != by {
			t.Fatalf("the callback's outage is acknowledged by %q, want %q; %v", got.Live.Outage.Acked, by, err)
		}
		list, err := b.svc.Outages(b.ctx, callback.OutageQuery{Ref: "down"})
		if err != nil || len(list.Rows) != 1 || list.Rows[0].Acked != by {
			t.Fatalf("in the list: %+v, %v", list.Rows, err)
		}
		o, err := b.svc.Overview(b.ctx, 1)
		if err != nil || len(o.Callbacks) != 2 || o.Callbacks[0].Live.Outage.Acked+o.Callbacks[1].Live.Outage.Acked != by {
			t.Fatalf("in the overview: %+v, %v", o.Callbacks, err)
		}
	}
	b.wantCode("an outage that never was", b.svc.Acknowledge(b.ctx, "down", 2, "ana"), callback.CodeNotFound)
	b.wantCode("of a callback that never failed", b.svc.Acknowledge(b.ctx, "fine", 1, "ana"), callback.CodeNotFound)
	b.wantCode("of nobody", b.svc.Acknowledge(b.ctx, "nobody", 1, "ana"), callback.CodeNotFound)
	b.wantCode("by nobody", b.svc.Acknowledge(b.ctx, "down", 1, ""), callback.CodeInvalid)
	if err := b.svc.Delete(b.ctx, "down"); err != nil {
		t.Fatal(err)
	}
	b.wantCode("of a deleted callback", b.svc.Acknowledge(b.ctx, "down", 1, "ana"), callback.CodeNotFound)
}

func sendAlert(t *testing.T, b *bench) {
	b.hook.answer(http.StatusBadGateway)
	b.down("down")
	list, err := b.svc.Alerts(b.ctx, callback.AlertQuery{})
	if err != nil || len(list.Rows) != 1 {
		t.Fatalf("alerts: %+v, %v", list.Rows, err)
	}
	b.wantCode("send without a mail server", b.svc.SendAlert(b.ctx, list.Rows[0].Key), callback.CodeConflict)
}
