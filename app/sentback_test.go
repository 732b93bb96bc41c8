package app_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"ringback/app/api"
)

// changesWithPut is what a PUT changes that changes nothing.
var changesWithPut = regexp.MustCompile(`"version":\d+|"updatedAt":"[^"]+"|<version>\d+</version>|<updatedAt>[^<]+</updatedAt>`)

// TestWhatWasReadCanBeSentBack is what clients of the contract do, in both
// forms: GET, and PUT the whole. Masks keep what they stand for.
func TestWhatWasReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	a := open(t, nil)
	h := api.New(api.Options{Service: a})
	ask := func(method, target, media, body string) (int, string) {
		t.Helper()
		r := httptest.NewRequest(method, "http://localhost"+target, strings.NewReader(body))
		r.Header.Set("Accept", media)
		if body != "" {
			r.Header.Set("Content-Type", media)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	sent := make(chan string, 1)
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		sent <- r.Header.Get("X-Whispir-Callback-Key") + " " + r.Header.Get("X-Token") + " " + r.Header.Get("X-Plain")
	}))
	defer endpoint.Close()
	code, body := ask("POST", "/callbacks", "application/json", `{"name":"Ünïcode & <co>","url":"`+endpoint.URL+`/a?b=c&d=%20",
		"auth":{"type":"httpheader","key":"canary-key"},"signingSecret":"whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5","contentType":"xml",
		"headers":{"X-Token":"canary-token","X-Plain":"p <"},"retriesEnabled":"true","removeHTML":"enabled","email":"a@example.com",
		"description":" two\r\nlines\t","connectTimeout":"1.5s","ratePerSecond":0.1,"ordered":true,"alerts":"off","maxInFlight":3}`)
	if code != http.StatusCreated || strings.Contains(body, "canary") {
		t.Fatalf("create: %d %s", code, body)
	}
	target := "/callbacks/" + regexp.MustCompile(`"id":"([0-9A-F]{16})"`).FindStringSubmatch(body)[1]
	for _, media := range []string{"application/vnd.whispir.api-callback-v1+json", "application/vnd.whispir.api-callback-v1+xml"} {
		for _, query := range []string{"", "?health=true"} {
			_, before := ask("GET", target+query, media, "")
			if code, body := ask("PUT", target, media, before); code != http.StatusNoContent || body != "" {
				t.Fatalf("%s: %d %s for\n%s", media, code, body, before)
			}
			_, after := ask("GET", target+query, media, "")
			if was, is := changesWithPut.ReplaceAllString(before, ""), changesWithPut.ReplaceAllString(after, ""); was != is || before == after {
				t.Errorf("%s: before\n%s\nafter\n%s", media, before, after)
			}
			foreign := strings.Replace(after, "******#", "******#0", 1)
			if code, body := ask("PUT", target, media, foreign); code != http.StatusUnprocessableEntity || !strings.Contains(body, "auth.key") {
				t.Errorf("%s: a foreign mask: %d %s", media, code, body)
			}
		}
	}
	if code, body := ask("POST", target+"/responses", "application/json", `{"responseMessage":{"content":"a"}}`); code != http.StatusAccepted {
		t.Fatalf("enqueue: %d %s", code, body)
	}
	if got := <-sent; got != "canary-key canary-token p <" {
		t.Errorf("the endpoint got %q", got)
	}
}
