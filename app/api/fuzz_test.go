package api

import (
	"net/http"
	"strings"
	"testing"
)

// refusedOrTaken fails when an answer is an error of ours, or no answer at all.
func refusedOrTaken(t *testing.T, h http.Handler, method, target, body string) {
	t.Helper()
	h = documented(h, func(err error) { t.Error(err) })
	w := askAlone(h, method, target, body, "Content-Type: application/json")
	if w.Code >= 500 || w.Code < 200 {
		t.Fatalf("%s %q %q: %d %s", method, target, body, w.Code, w.Body)
	}
	if w.Code == http.StatusNoContent {
		return
	}
	if _, err := parseJSON(w.Body.Bytes(), room{left: 1 << 20}); err != nil {
		t.Fatalf("%s %q %q: the answer is not strict JSON: %v\n%s", method, target, body, err, w.Body)
	}
	for _, c := range w.Body.Bytes() {
		if c < 0x20 {
			t.Fatalf("%s %q %q: the answer has a raw control character: %q", method, target, body, w.Body)
		}
	}
}

func FuzzCallbackJSON(f *testing.F) {
	for _, c := range append(badCallbacks(), badSyntax()[:200]...) {
		if len(c.body) < 4096 {
			f.Add(c.body)
		}
	}
	f.Add(`{"name":"crm","url":"https://e.com/?a=b","auth":{"type":"querystring","key":"k"},"headers":{"X":"y"},"connectTimeout":"2s"}`)
	f.Fuzz(func(t *testing.T, body string) {
		h := New(Options{Service: newFake(t)})
		refusedOrTaken(t, h, "POST", "/callbacks", body)
		refusedOrTaken(t, h, "GET", "/callbacks?health=true", "")
		refusedOrTaken(t, h, "PUT", "/callbacks/B3ED000000000001", body)
	})
}

func FuzzResponseJSON(f *testing.F) {
	for _, c := range append(badResponses(), badSyntax()[:200]...) {
		if len(c.body) < 4096 {
			f.Add(c.body)
		}
	}
	f.Add(`[{"callbackId":"crm-prod","customParameters":{"a":1e9}},{"callbackId":"x"}]`)
	f.Fuzz(func(t *testing.T, body string) {
		h := New(Options{Service: newFixed()})
		refusedOrTaken(t, h, "POST", "/responses", body)
		refusedOrTaken(t, h, "POST", "/callbacks/crm-prod/responses", body)
	})
}

func FuzzQuery(f *testing.F) {
	for _, c := range badQueries() {
		if _, query, ok := strings.Cut(c.target, "?"); ok && len(query) < 4096 {
			f.Add(query)
		}
	}
	f.Add("limit=2&offset=4&status=FAILED&apikey=x&q=%F0%9F%98%80&cursor=0328BA3200000001-2-0-1-1772356323900")
	f.Fuzz(func(t *testing.T, query string) {
		h := New(Options{Service: newFixed()})
		for _, path := range []string{"/callbacks", "/callbacks/crm-prod/calls", "/callbacks/crm-prod/attempts", "/overview", "/series", "/causes", "/outages"} {
			refusedOrTaken(t, h, "GET", path+"?"+query, "")
		}
		refusedOrTaken(t, h, "PUT", "/callbacks/crm-prod/calls?"+query, `{"status":"SUCCESS"}`)
	})
}
