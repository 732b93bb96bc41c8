package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// desk notes what is asked of outages and alerts.
type desk struct {
	*fixed
	asked []any
}

func (d *desk) Outages(ctx context.Context, q callback.OutageQuery) (callback.Listing[callback.OutageView], error) {
	d.asked = append(d.asked, q)
	return d.fixed.Outages(ctx, q)
}

func (d *desk) Alerts(ctx context.Context, q callback.AlertQuery) (callback.Listing[callback.Alert], error) {
	d.asked = append(d.asked, q)
	return d.fixed.Alerts(ctx, q)
}

func (d *desk) Acknowledge(_ context.Context, ref string, n uint32, by string) error {
	d.asked = append(d.asked, []any{ref, n, by})
	return nil
}

func (d *desk) SendAlert(_ context.Context, key string) error {
	d.asked = append(d.asked, key)
	return nil
}

// An outage is named as it is listed, or by its callback's name; an alert as it
// is listed, or by its key, whose slashes are escaped.
func TestOutagesAndAlertsAreNamedAsListed(t *testing.T) {
	t.Parallel()
	const id, key = "B3EDFE83DF389DFE", "outage/B3EDFE83DF389DFE/3"
	for _, c := range []struct {
		target, body string
		status       int
		want         any
	}{
		{"/outages/" + id + "-3/acknowledge", "", http.StatusNoContent, []any{id, uint32(3), "fred"}},
		{"/outages/crm-prod-3/acknowledge", `{"by":"ana\u001b[1m"}`, http.StatusNoContent, []any{"crm-prod", uint32(3), "ana[1m"}},
		{"/outages/crm%20prod-4294967295/acknowledge", `{}`, http.StatusNoContent, []any{"crm prod", uint32(4294967295), "fred"}},
		{"/alerts/outage-" + id + "-3/send", "", http.StatusNoContent, key},
		{"/alerts/outage%2F" + id + "%2F3/send", "", http.StatusNoContent, key},
	} {
		d := &desk{fixed: newFixed()}
		addr := serve(t, New(Options{Service: d}), "tcp", "127.0.0.1:0")
		if got := postFor(t, "http://"+addr+c.target, c.body); got != c.status {
			t.Errorf("%s: %d, want %d", c.target, got, c.status)
		}
		if diff := cmp.Diff([]any{c.want}, d.asked); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.target, diff)
		}
	}
}

// postFor sends a body for fred and returns the status of the answer.
func postFor(t *testing.T, target, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Ringback-Actor", "fred")
	tr := &http.Transport{DisableKeepAlives: true}
	res, err := (&http.Client{Transport: tr}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // nothing is read
	return res.StatusCode
}

func TestClientSendsOutageAndAlertQueries(t *testing.T) {
	t.Parallel()
	d := &desk{fixed: newFixed()}
	addr := serve(t, New(Options{Service: d}), "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + addr})
	oq := callback.OutageQuery{Ref: "crm-prod", Phase: ptr(callback.Recovering), Limit: 7, Offset: 14}
	aq := callback.AlertQuery{Ref: "crm-prod", Kind: callback.AlertCall, Status: ptr(callback.AlertRefused), Limit: 8, Offset: 16}
	outages, err := c.Outages(t.Context(), oq)
	if err != nil || outages.Total != 41 || !outages.Exact || !outages.More || len(outages.Rows) != 1 {
		t.Errorf("outages: %+v, %v", outages, err)
	}
	alerts, err := c.Alerts(t.Context(), aq)
	if err != nil || alerts.Total != 17 || alerts.Exact || !alerts.More || len(alerts.Rows) != 1 {
		t.Errorf("alerts: %+v, %v", alerts, err)
	}
	if err := c.Acknowledge(t.Context(), "a b/c", 3, "ana"); err != nil {
		t.Error(err)
	}
	if err := c.SendAlert(t.Context(), alerts.Rows[0].Key); err != nil {
		t.Error(err)
	}
	want := []any{oq, aq, []any{"a b/c", uint32(3), "ana"}, "outage/B3EDFE83DF389DFE/3"}
	if diff := cmp.Diff(want, d.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
