package api

import (
	"net/http"
	"strings"
	"testing"
)

func badQueries() (out []bad) {
	for _, c := range []struct{ query, names string }{
		{"limit=0", "limit"},
		{"limit=501", "limit"},
		{"limit=-1", "limit"},
		{"limit=a", "limit"},
		{"limit=1.5", "limit"},
		{"limit=99999999999999999999", "limit"},
		{"limit=1&limit=2", "limit"},
		{"limit=%00", "limit"},
		{"limit=+5", "limit"},
		{"offset=-1", "offset"},
		{"offset=10001", "offset"},
		{"offset=9223372036854775808", "offset"},
		{"offset=x", "offset"},
		{"sortOrder=up", "sortOrder"},
		{"status=DONE", "status"},
		{"status=SUCCESS,DONE", "status"},
		{"state=lost", "state"},
		{"state=held,lost", "state"},
		{"state=held,", "state"},
		{"class=evil", "class"},
		{"statusCode=abc", "statusCode"},
		{"statusCode=1000", "statusCode"},
		{"statusCode=-1", "statusCode"},
		{"from=yesterday", "from"},
		{"to=2026-03-01", "to"},
		{"from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to"},
		{"attemptedDate=2026-02-30", "attemptedDate"},
		{"attemptedDate=today", "attemptedDate"},
		{"attemptedDate=2026-03-01&from=2026-03-01T00:00:00Z", "attemptedDate"},
		{"cursor=abc", "cursor"},
		{"cursor=0328BA3200000001-x", "cursor"},
		{"cursor=0328BA3200000001-1-1-1", "cursor"},
		{"cursor=0328BA3200000001-1-10001-0-0", "cursor"},
		{"cursor=0328BA3200000001-1-0-0-x", "cursor"},
		{"cursor=0328BA3200000001--1", "cursor"},
		{"cursor=0328BA3200000001-99999999999", "cursor"},
		{"cursor=0000000000000000", "cursor"},
		{"cursor=0328BA3200000001-1-0-0-0&offset=5", "offset"},
		{"q=" + strings.Repeat("a", 1025), "q"},
		{"messageId=" + strings.Repeat("a", 1025), "messageId"},
		{"stauts=FAILED", "stauts"},
		{"Limit=1", "Limit"},
		{"status=" + strings.Repeat("FAILED,", 30), "status"},
	} {
		for _, path := range []string{"/calls", "/callbacks/crm-prod/calls", "/callbacks/crm-prod/attempts"} {
			out = append(out, bad{"GET", path + "?" + c.query, "", 422, c.names, nil})
		}
	}
	path := strings.NewReplacer("{id}", "crm-prod", "{callId}", badCall.String(), "{opId}", "mine", "{name}", "ann")
	for _, rt := range routes {
		if !anyQuery[rt.pattern] && rt.pattern != watchPattern { // a watch that is not refused does not end
			out = append(out, bad{rt.method, path.Replace(rt.pattern) + "?unheard=1&dryRun=true", "", 422, "unheard", nil})
		}
	}
	ids := strings.Repeat("id=0328BA3200000001&", 5000)
	return append(out,
		bad{"GET", "/calls?limit=%zz", "", 400, "", nil}, bad{"GET", "/calls?a;b", "", 400, "", nil}, bad{"GET", "/callbacks/crm-prod/calls?attempts=some", "", 422, "attempts", nil},
		bad{"GET", "/callbacks?limit=0", "", 422, "limit", nil}, bad{"GET", "/callbacks?offset=10001", "", 422, "offset", nil}, bad{"GET", "/callbacks?nmae=a", "", 422, "nmae", nil},
		bad{"GET", "/callbacks?sortOrder=x", "", 422, "sortOrder", nil}, bad{"GET", "/callbacks?name=a&name=b", "", 422, "name", nil}, bad{"GET", "/callbacks?health=yes", "", 422, "health", nil},
		bad{"POST", "/callbacks/crm-prod/retry?a=%zz", "", 400, "", nil},
		bad{"POST", "/callbacks/crm-prod/resolve?dryRun=true", `{"status":"FAILED"}`, 422, "dryRun", nil},
		bad{"GET", "/callbacks/crm-prod?x=1", "", 422, "x", nil}, bad{"GET", "/overview?cells=0", "", 422, "cells", nil}, bad{"GET", "/overview?cells=601", "", 422, "cells", nil},
		bad{"GET", "/series?window=2h", "", 422, "window", nil}, bad{"GET", "/series?window=1h&cells=61", "", 422, "cells", nil}, bad{"GET", "/series?cells=601", "", 422, "cells", nil},
		bad{"GET", "/callbacks/crm-prod/series?end=yesterday", "", 422, "end", nil}, bad{"GET", "/callbacks/crm-prod/causes?cells=2", "", 422, "cells", nil},
		bad{"GET", "/outages?limit=501", "", 422, "limit", nil}, bad{"GET", "/alerts?calback=a", "", 422, "calback", nil},
		bad{"GET", "/outages?callbackId=nobody", "", 404, "", nil}, bad{"GET", "/callbacks/nobody", "", 404, "", nil}, bad{"GET", "/callbacks/nobody/calls", "", 404, "", nil},
		bad{"GET", "/callbacks/crm-prod/calls/xyz", "", 404, "", nil}, bad{"GET", "/callbacks/crm-prod/calls/0000000000000000", "", 404, "", nil},
		bad{"GET", "/callbacks/%ff/calls", "", 404, "", nil}, bad{"GET", "/nothing", "", 404, "", nil}, bad{"GET", "/", "", 404, "", nil}, bad{"GET", "/callbacks/", "", 404, "", nil},
		bad{"GET", "//callbacks", "", 404, "", nil}, bad{"GET", "/callbacks/../calls", "", 404, "", nil}, bad{"GET", "/callbacks/%2e%2e/calls", "", 404, "", nil},
		bad{"PUT", "/callbacks/crm-prod/calls", `{"status":"SUCCESS"}`, 422, "id", nil}, bad{"PUT", "/callbacks/crm-prod/calls?id=", `{"status":"SUCCESS"}`, 422, "id", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?id=xyz", `{"status":"SUCCESS"}`, 422, "id", nil}, bad{"PUT", "/callbacks/crm-prod/calls?" + ids, `{"status":"SUCCESS"}`, 422, "id", nil}, bad{"PUT", "/callbacks/crm-prod/calls?" + ids + ids + ids, `{"status":"SUCCESS"}`, 400, "", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000009", `{"status":"SUCCESS"}`, 422, "id", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?ids=0328BA3200000001", `{"status":"SUCCESS"}`, 422, "ids", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{}`, 422, "status", nil}, bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":"PENDING"}`, 422, "status", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":5}`, 422, "status", nil}, bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `[]`, 422, "(body)", nil},
		bad{"PUT", "/callbacks/crm-prod/calls/0328BA3200000009", `{"status":"SUCCESS"}`, 404, "", nil}, bad{"PUT", "/callbacks/crm-prod/calls/xyz", `{"status":"SUCCESS"}`, 404, "", nil},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `{"extend":"perhaps"}`, 422, "extend", nil},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `{"extent":true}`, 422, "extent", nil},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `[]`, 422, "(body)", nil}, bad{"POST", "/callbacks/crm-prod/calls/xyz/retry", "", 404, "", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001&id=0328BA32000000010328BA3200000001", `{"status":"SUCCESS"}`, 422, "id", nil}, bad{"PUT", "/callbacks/crm-prod/calls/0328BA32000000010328BA3200000001", `{"status":"SUCCESS"}`, 404, "id", nil},
		bad{"GET", "/callbacks/crm-prod/calls/0328BA32000000010328BA3200000001", "", 404, "id", nil}, bad{"POST", "/callbacks/crm-prod/calls/0328BA32000000010328BA3200000001/retry", "", 404, "id", nil}, bad{"GET", "/callbacks/0328BA32000000010328BA3200000001", "", 404, "id", nil},
		bad{"PUT", "/callbacks/crm-prod/calls?" + strings.Repeat("id=0328BA3200000001&id[]=0328BA3200000001&", 50) + "id=0328BA3200000001", `{"status":"SUCCESS"}`, 422, "id", nil},
		bad{"GET", "/outages?state=down", "", 422, "state", nil}, bad{"GET", "/outages?offset=10001", "", 422, "offset", nil},
		bad{"GET", "/alerts?status=lost", "", 422, "status", nil}, bad{"GET", "/alerts?kind=mail", "", 422, "kind", nil}, bad{"GET", "/outages?callback=a&callbackId=a", "", 422, "callbackId", nil},
		bad{"POST", "/outages/nonsense/acknowledge", "", 404, "", nil}, bad{"POST", "/outages/crm-prod-0/acknowledge", "", 404, "", nil}, bad{"POST", "/outages/nobody-1/acknowledge", "", 404, "", nil},
		bad{"POST", "/outages/crm-prod-1/acknowledge", `{"by":5}`, 422, "by", nil}, bad{"POST", "/outages/crm-prod-1/acknowledge", `{"who":"a"}`, 422, "who", nil},
		bad{"POST", "/outages/crm-prod-1/acknowledge", `[]`, 422, "(body)", nil}, bad{"POST", "/alerts/outage/A/1/send", "", 404, "", nil},
		bad{"POST", "/callbacks/nobody/suspend", "", 404, "", nil}, bad{"POST", "/callbacks/nobody/resume", "", 404, "", nil}, bad{"DELETE", "/callbacks/nobody", "", 404, "", nil},
	)
}

// anyQuery are the routes that take any query: what probes them may add one.
var anyQuery = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true, "/openapi.yaml": true}

// TestQueriesOfOthers has what stands in a query without being a parameter: a
// key, and what probers add.
func TestQueriesOfOthers(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	for _, path := range []string{"/healthz", "/readyz", "/openapi.yaml"} {
		if w := askAlone(h, "GET", path+"?probe=1;2&x=%zz", ""); w.Code != http.StatusOK {
			t.Errorf("%s with a query: %d %s", path, w.Code, w.Body)
		}
	}
	if w := ask(h, "HEAD", "/watch?callback=crm-prod", ""); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a watch with a query: %d %s", w.Code, w.Body)
	}
	svc := &asked{fixed: newFixed()}
	w := ask(New(Options{Service: svc, LocalKey: "k"}), "POST", "/callbacks/crm-prod/retry?apikey=k", "")
	if w.Code != http.StatusAccepted || len(svc.started) != 1 {
		t.Errorf("a key in the query: %d %s", w.Code, w.Body)
	}
	w = ask(New(Options{Service: svc}), "POST", "/callbacks/crm-prod/retry?status=FAILED", "")
	if !strings.Contains(w.Body.String(), "belongs in the body") || len(svc.started) != 1 {
		t.Errorf("a filter in the query: %d %s", w.Code, w.Body)
	}
}
