package api

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// bad is a request that must be refused: how, and naming what.
type bad struct {
	method, target, body string
	status               int
	names                string // must be the field of one of the errors, or how it begins…; "": of none
}

func badCallbacks() (out []bad) {
	for _, c := range []struct{ body, names string }{
		{`{"name":5}`, "name"},
		{`{"name":["a"]}`, "name"},
		{`{"name":{}}`, "name"},
		{`{"name":true}`, "name"},
		{`{"url":5}`, "url"},
		{`{"url":[]}`, "url"},
		{`{"email":1}`, "email"},
		{`{"description":{}}`, "description"},
		{`{"auth":"x"}`, "auth"},
		{`{"auth":[]}`, "auth"},
		{`{"auth":5}`, "auth"},
		{`{"auth":{"type":"magic"}}`, "auth.type"},
		{`{"auth":{"type":5}}`, "auth.type"},
		{`{"auth":{"key":5}}`, "auth.key"},
		{`{"auth":{"kye":"a"}}`, "auth.kye"},
		{`{"contentType":"yaml"}`, "contentType"},
		{`{"contentType":1}`, "contentType"},
		{`{"contentType":""}`, "contentType"},
		{`{"removeHTML":true}`, "removeHTML"},
		{`{"removeHTML":"yes"}`, "removeHTML"},
		{`{"removeHTML":""}`, "removeHTML"},
		{`{"retriesEnabled":"yes"}`, "retriesEnabled"},
		{`{"retriesEnabled":1}`, "retriesEnabled"},
		{`{"retriesEnabled":"enabled"}`, "retriesEnabled"},
		{`{"retriesEnabled":[]}`, "retriesEnabled"},
		{`{"ordered":"maybe"}`, "ordered"},
		{`{"callbacks":"enabled"}`, "callbacks"},
		{`{"callbacks":[]}`, "callbacks"},
		{`{"callbacks":{"reply":true}}`, "callbacks.reply"},
		{`{"callbacks":{"reply":"on"}}`, "callbacks.reply"},
		{`{"callbacks":{"undeliverable":5}}`, "callbacks.undeliverable"},
		{`{"callbacks":{"replies":"enabled"}}`, "callbacks.replies"},
		{`{"alerts":5}`, "alerts"},
		{`{"signingSecret":5}`, "signingSecret"},
		{`{"previousSigningSecret":[]}`, "previousSigningSecret"},
		{`{"maxInFlight":"8"}`, "maxInFlight"},
		{`{"maxInFlight":1.5}`, "maxInFlight"},
		{`{"maxInFlight":1e99}`, "maxInFlight"},
		{`{"maxInFlight":99999999999999999999}`, "maxInFlight"},
		{`{"maxInFlight":true}`, "maxInFlight"},
		{`{"ratePerSecond":"1"}`, "ratePerSecond"},
		{`{"ratePerSecond":1e999}`, "ratePerSecond"},
		{`{"ratePerSecond":{}}`, "ratePerSecond"},
		{`{"connectTimeout":5}`, "connectTimeout"},
		{`{"connectTimeout":"5"}`, "connectTimeout"},
		{`{"connectTimeout":"5 s"}`, "connectTimeout"},
		{`{"responseTimeout":"soon"}`, "responseTimeout"},
		{`{"responseTimeout":"99999999999h"}`, "responseTimeout"},
		{`{"ca":7}`, "ca"},
		{`{"headers":"X: y"}`, "headers"},
		{`{"headers":{"X":[]}}`, "headers.X"},
		{`{"headers":{"X":{}}}`, "headers.X"},
		{`{"headers":[{"value":"a"}]}`, "headers[0].key"},
		{`{"headers":["X"]}`, "headers[0]"},
		{`{"headers":[{"key":5}]}`, "headers[0].key"},
		{`{"headers":[{"key":"X","value":"a"},{"key":"X","value":"b"}]}`, "headers[1]"},
		{`{"headers":[{"key":"X","val":"a"}]}`, "headers[0].val"},
		{`{"version":"1"}`, "version"},
		{`{"version":-1}`, "version"},
		{`{"version":1.5}`, "version"},
		{`{"version":1e30}`, "version"},
		{`{"nmae":"a"}`, "nmae"},
		{`{"Name":"a"}`, "Name"},
		{`{"":"a"}`, ""},
		{`{"retries":true}`, "retries"},
		{`{"links":[]}`, "links"},
		{`{"name":"\u0000"}`, "name"},
		{`{"name":"` + strings.Repeat("n", 51) + `"}`, "name"},
		{`{"url":"ftp://example.com"}`, "url"},
		{`{"url":"http://"}`, "url"},
		{`{"url":"/relative"}`, "url"},
		{`{"url":"http://u:p@example.com"}`, "url"},
		{`{"url":"http://example.com/#f"}`, "url"},
		{`{"email":"nobody"}`, "email"},
		{`{"alerts":"loud"}`, "alerts"},
		{`{"maxInFlight":-1}`, "maxInFlight"},
		{`{"connectTimeout":"1h"}`, "connectTimeout"},
		{`{"auth":{"key":"k"}}`, "auth.type"},
		{`{"headers":{"Host":"x"}}`, "headers.Host"},
		{`[]`, "(body)"},
		{`5`, "(body)"},
		{`"a"`, "(body)"},
		{`null`, "(body)"},
		{`true`, "(body)"},
	} {
		out = append(out, bad{"POST", "/callbacks", c.body, 422, c.names})
	}
	return out
}

func badKeys() (out []bad) {
	for _, c := range []struct{ body, names string }{
		{`{}`, "name"},
		{`{"name":null}`, "name"},
		{`{"name":5}`, "name"},
		{`{"name":["a"]}`, "name"},
		{`{"name":""}`, "name"},
		{`{"name":"local"}`, "name"},
		{`{"name":"a/b"}`, "name"},
		{`{"name":"` + strings.Repeat("n", 51) + `"}`, "name"},
		{`{"name":"a","role":"root"}`, "role"},
		{`{"name":"a","role":""}`, "role"},
		{`{"name":"a","role":["admin"]}`, "role"},
		{`{"name":"a","key":"rb_mine"}`, "key"},
		{`[]`, "(body)"},
		{`null`, "(body)"},
	} {
		out = append(out, bad{"POST", "/keys", c.body, 422, c.names})
	}
	return append(out,
		bad{"GET", "/keys?limit=0", "", 422, "limit"}, bad{"GET", "/keys?offset=-1", "", 422, "offset"},
		bad{"GET", "/keys?role=admin", "", 422, "role"}, bad{"DELETE", "/keys/nobody", "", 404, ""},
	)
}

func badResponses() (out []bad) {
	long := strings.Repeat("x", 1025)
	for _, c := range []struct{ body, names string }{
		{`{"messageId":5}`, "messageId"},
		{`{"messageLocation":[]}`, "messageLocation"},
		{`{"id":5}`, "id"},
		{`{"from":"Fred"}`, "from"},
		{`{"from":[]}`, "from"},
		{`{"from":{"name":5}}`, "from.name"},
		{`{"from":{"mobile":430984567}}`, "from.mobile"},
		{`{"from":{"phone":"1"}}`, "from.phone"},
		{`{"from":{"voice":true}}`, "from.voice"},
		{`{"from":{"mri":{}}}`, "from.mri"},
		{`{"from":{"email":[]}}`, "from.email"},
		{`{"responseMessage":"yes"}`, "responseMessage"},
		{`{"responseMessage":{"content":5}}`, "responseMessage.content"},
		{`{"responseMessage":{"channel":[]}}`, "responseMessage.channel"},
		{`{"responseMessage":{"text":"a"}}`, "responseMessage.text"},
		{`{"responseMessage":{"acknowledged":1}}`, "responseMessage.acknowledged"},
		{`{"responseMessage":{"undeliverable":1}}`, "responseMessage.undeliverable"},
		{`{"customParameters":"a"}`, "customParameters"},
		{`{"customParameters":{"a":[]}}`, "customParameters.a"},
		{`{"customParameters":{"a":{"b":1}}}`, "customParameters.a"},
		{`{"customParameters":[1]}`, "customParameters[0]"},
		{`{"customParameters":[{"key":"a","value":[]}]}`, "customParameters[0]"},
		{`{"customParameters":[{"value":"a"}]}`, "customParameters[0].key"},
		{`{"callbackParameters":5}`, "callbackParameters"},
		{`{"customParameters":{"a":1},"callbackParameters":{"a":2}}`, "callbackParameters.a"},
		{`{"deliverAt":"tomorrow"}`, "deliverAt"},
		{`{"deliverAt":1700000000}`, "deliverAt"},
		{`{"deliverAt":"2026-13-01T00:00:00Z"}`, "deliverAt"},
		{`{"deliverAt":"2099-01-01T00:00:00Z"}`, "deliverAt"},
		{`{"deliverAt":""}`, "deliverAt"},
		{`{"deliverAt":"0000-01-01T00:00:00Z"}`, "deliverAt"},
		{`{"message":"a"}`, "message"},
		{`{"callbackID":"a"}`, "callbackID"},
		{`{"callbackId":5}`, "callbackId"},
		{`{"callbackId":"other"}`, "callbackId"},
		{`{"messageId":"` + long + `"}`, "messageId"},
		{`{"from":{"name":"` + long + `"}}`, "from.name"},
		{`{"id":"` + long[:256] + `"}`, "id"},
		{`{"customParameters":{"a":"` + strings.Repeat("x", 4097) + `"}}`, "customParameters.a"},
		{`{"from":5,"messageId":"` + long + `"}`, "messageId"}, // what is of a wrong type does not hide what is too long
		{`[]`, "(body)"},
		{`[{}]`, "(body)"},
		{`5`, "(body)"},
		{`null`, "(body)"},
		{`"a"`, "(body)"},
	} {
		out = append(out, bad{"POST", "/callbacks/crm-prod/responses", c.body, 422, c.names})
	}
	return append(out,
		bad{"POST", "/responses", `{}`, 422, "callbackId"}, bad{"POST", "/responses", `{"callbackId":""}`, 422, "callbackId"},
		bad{"POST", "/responses", `{"callbackId":null}`, 422, "callbackId"}, bad{"POST", "/responses", `[]`, 422, "(body)"},
		bad{"POST", "/responses", `[5]`, 422, "[0]"}, bad{"POST", "/responses", `[[]]`, 422, "[0]"}, bad{"POST", "/responses", `[{}]`, 422, "[0].callbackId"},
		bad{"POST", "/responses", `[{"callbackId":"crm-prod","from":{"nam":1}}]`, 422, "[0].from.nam"},
		bad{"POST", "/responses", `[{"callbackId":"nobody"},null]`, 422, "[1]"},
		bad{"POST", "/responses", `{"callbackId":"nobody"}`, 404, ""}, bad{"POST", "/callbacks/nobody/responses", `{}`, 404, ""},
	)
}

// badSyntax is what no route that takes JSON may take.
func badSyntax() (out []bad) {
	deep := strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)
	for _, c := range []struct{ body, names string }{
		{``, ""},
		{`  `, ""},
		{`{`, ""},
		{`}`, ""},
		{`{"name"`, ""},
		{`{"name":`, ""},
		{`{"name":"a"`, ""},
		{`{"name":"a",}`, ""},
		{`{name:"a"}`, ""},
		{`{'name':'a'}`, ""},
		{`{"name":"a"} {"name":"b"}`, ""},
		{`{"name":"a"}x`, ""},
		{`{"name":"a"},`, ""},
		{`[1,]`, ""},
		{`nul`, ""},
		{`NaN`, ""},
		{`{"status":"SUCCESS","status":"FAILED"}`, "status"},
		{`{"from":{"name":"a","name":"b"}}`, "from.name"},
		{`{"a":{"b":{"c":1,"c":2}}}`, "a.b.c"},
		{"{\"name\":\"\xff\"}", "name"},
		{"{\"\xff\":1}", ""},
		{`{"name":"\ud800"}`, "name"},
		{`{"name":"\udc00\ud800"}`, "name"},
		{`{"name":"\x41"}`, "name"},
		{"{\"name\":\"a\nb\"}", "name"},
		{"\xef\xbb\xbf{}", ""},
		{"\xff\xfe{\x00}\x00", ""},
		{"{\"name\":\"a\"\x00}", ""},
		{`{"name":01}`, ""},
		{`{"name":+1}`, "name"},
		{`{"name":.5}`, "name"},
		{`{"name":1.}`, "name"},
		{`{"name":0x10}`, ""},
		{`{"name":Infinity}`, "name"},
		{`/* */{}`, ""},
		{deep, "a.a…"},
		{strings.Repeat("[", 100000), "[0][0]…"},
		{"[" + strings.Repeat("0,", 200000) + "0]", "[1…"},
		{`<callback/>`, ""},
		{`name=a&url=b`, ""},
	} {
		for _, to := range []struct{ method, target string }{
			{"POST", "/callbacks"},
			{"PUT", "/callbacks/crm-prod"},
			{"POST", "/responses"},
			{"POST", "/callbacks/crm-prod/responses"},
			{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001"},
			{"PUT", "/callbacks/crm-prod/calls/0328BA3200000001"},
		} {
			out = append(out, bad{to.method, to.target, c.body, 400, c.names})
		}
	}
	return out
}

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
		{"cursor=0328BA3200000001--1", "cursor"},
		{"cursor=0328BA3200000001-99999999999", "cursor"},
		{"cursor=0000000000000000", "cursor"},
		{"cursor=0328BA3200000001-1-0&offset=5", "offset"},
		{"q=" + strings.Repeat("a", 1025), "q"},
		{"messageId=" + strings.Repeat("a", 1025), "messageId"},
		{"stauts=FAILED", "stauts"},
		{"Limit=1", "Limit"},
		{"status=" + strings.Repeat("FAILED,", 30), "status"},
	} {
		for _, path := range []string{"/calls", "/callbacks/crm-prod/calls", "/callbacks/crm-prod/attempts"} {
			out = append(out, bad{"GET", path + "?" + c.query, "", 422, c.names})
		}
	}
	ids := strings.Repeat("id=0328BA3200000001&", 5000)
	return append(out,
		bad{"GET", "/calls?limit=%zz", "", 400, ""}, bad{"GET", "/calls?a;b", "", 400, ""}, bad{"GET", "/callbacks/crm-prod/calls?attempts=some", "", 422, "attempts"},
		bad{"GET", "/callbacks?limit=0", "", 422, "limit"}, bad{"GET", "/callbacks?offset=10001", "", 422, "offset"}, bad{"GET", "/callbacks?nmae=a", "", 422, "nmae"},
		bad{"GET", "/callbacks?sortOrder=x", "", 422, "sortOrder"}, bad{"GET", "/callbacks?name=a&name=b", "", 422, "name"}, bad{"GET", "/callbacks?health=yes", "", 422, "health"},
		bad{"GET", "/callbacks/crm-prod?x=1", "", 422, "x"}, bad{"GET", "/overview?cells=0", "", 422, "cells"}, bad{"GET", "/overview?cells=601", "", 422, "cells"},
		bad{"GET", "/outages?limit=501", "", 422, "limit"}, bad{"GET", "/alerts?calback=a", "", 422, "calback"},
		bad{"GET", "/outages?callbackId=nobody", "", 404, ""}, bad{"GET", "/callbacks/nobody", "", 404, ""}, bad{"GET", "/callbacks/nobody/calls", "", 404, ""},
		bad{"GET", "/callbacks/crm-prod/calls/xyz", "", 404, ""}, bad{"GET", "/callbacks/crm-prod/calls/0000000000000000", "", 404, ""},
		bad{"GET", "/callbacks/%ff/calls", "", 404, ""}, bad{"GET", "/nothing", "", 404, ""}, bad{"GET", "/", "", 404, ""}, bad{"GET", "/callbacks/", "", 404, ""},
		bad{"GET", "//callbacks", "", 404, ""}, bad{"GET", "/callbacks/../calls", "", 404, ""}, bad{"GET", "/callbacks/%2e%2e/calls", "", 404, ""},
		bad{"PUT", "/callbacks/crm-prod/calls", `{"status":"SUCCESS"}`, 422, "id"}, bad{"PUT", "/callbacks/crm-prod/calls?id=", `{"status":"SUCCESS"}`, 422, "id"},
		bad{"PUT", "/callbacks/crm-prod/calls?id=xyz", `{"status":"SUCCESS"}`, 422, "id"}, bad{"PUT", "/callbacks/crm-prod/calls?" + ids, `{"status":"SUCCESS"}`, 422, "id"}, bad{"PUT", "/callbacks/crm-prod/calls?" + ids + ids + ids, `{"status":"SUCCESS"}`, 400, ""},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000009", `{"status":"SUCCESS"}`, 422, "id"},
		bad{"PUT", "/callbacks/crm-prod/calls?ids=0328BA3200000001", `{"status":"SUCCESS"}`, 422, "ids"},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{}`, 422, "status"}, bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":"PENDING"}`, 422, "status"},
		bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":5}`, 422, "status"}, bad{"PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `[]`, 422, "(body)"},
		bad{"PUT", "/callbacks/crm-prod/calls/0328BA3200000009", `{"status":"SUCCESS"}`, 404, ""}, bad{"PUT", "/callbacks/crm-prod/calls/xyz", `{"status":"SUCCESS"}`, 404, ""},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `{"extend":"perhaps"}`, 422, "extend"},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `{"extent":true}`, 422, "extent"},
		bad{"POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `[]`, 422, "(body)"}, bad{"POST", "/callbacks/crm-prod/calls/xyz/retry", "", 404, ""},
		bad{"GET", "/outages?state=down", "", 422, "state"}, bad{"GET", "/outages?offset=10001", "", 422, "offset"},
		bad{"GET", "/alerts?status=lost", "", 422, "status"}, bad{"GET", "/alerts?kind=mail", "", 422, "kind"}, bad{"GET", "/outages?callback=a&callbackId=a", "", 422, "callbackId"},
		bad{"POST", "/outages/nonsense/acknowledge", "", 404, ""}, bad{"POST", "/outages/crm-prod-0/acknowledge", "", 404, ""}, bad{"POST", "/outages/nobody-1/acknowledge", "", 404, ""},
		bad{"POST", "/outages/crm-prod-1/acknowledge", `{"by":5}`, 422, "by"}, bad{"POST", "/outages/crm-prod-1/acknowledge", `{"who":"a"}`, 422, "who"},
		bad{"POST", "/outages/crm-prod-1/acknowledge", `[]`, 422, "(body)"}, bad{"POST", "/alerts/outage/A/1/send", "", 404, ""},
		bad{"POST", "/callbacks/nobody/suspend", "", 404, ""}, bad{"POST", "/callbacks/nobody/resume", "", 404, ""}, bad{"DELETE", "/callbacks/nobody", "", 404, ""},
	)
}

// TestBadRequests sends what is wrong to a service that would take anything:
// each is refused, with what is at fault named, and nothing reaches the log.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	strict := New(Options{Service: newFixed(), Log: slog.New(slog.NewTextHandler(&log, nil))})
	real := New(Options{Service: newFake(t), Log: slog.New(slog.NewTextHandler(&log, nil))})
	run := func(h http.Handler, list []bad) {
		for _, c := range list {
			var head []string
			if c.body == "" && c.status == 400 {
				head = []string{"Content-Type: application/json"}
			}
			w := ask(h, c.method, c.target, c.body, head...)
			name := fmt.Sprintf("%s %.120s %.120q", c.method, c.target, c.body)
			if w.Code != c.status || w.Header().Get("Content-Type") != problemType {
				t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.status)
				continue
			}
			var p problem
			if err := decodeJSON(w.Body.Bytes(), &p); err != nil || p.Status != c.status || p.Title == "" || p.Detail == "" {
				t.Errorf("%s: problem %+v, %v", name, p, err)
			}
			found := c.names == ""
			for _, f := range p.Errors {
				begin, open := strings.CutSuffix(c.names, "…")
				found = found || f.Field == c.names || open && strings.HasPrefix(f.Field, begin)
			}
			if !found {
				t.Errorf("%s: %q is not named in %+v", name, c.names, p.Errors)
			}
			if w.Body.Len() > 64<<10 {
				t.Errorf("%s: the refusal has %d bytes", name, w.Body.Len())
			}
		}
	}
	run(real, badCallbacks())
	run(strict, badKeys())
	run(strict, badResponses())
	run(strict, badSyntax())
	run(strict, badQueries())
	if n := len(badCallbacks()) + len(badResponses()) + len(badSyntax()) + len(badQueries()); n < 150 {
		t.Errorf("%d bad requests; at least 150", n)
	}
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}
}

func TestBadHeaders(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 200})
	for _, c := range []struct {
		method, target, body, head string
		status                     int
	}{
		{"GET", "/callbacks", "", "Accept: text/html", 406},
		{"GET", "/callbacks", "", "Accept: application/json;q=0", 406},
		{"GET", "/callbacks", "", "Accept: nonsense", 406},
		{"GET", "/callbacks", "", "Accept: application/*;q=0.000, text/plain", 406},
		{"GET", "/watch", "", "Accept: text/html", 406},
		{"POST", "/callbacks", `{}`, "Content-Type: text/plain", 415},
		{"POST", "/callbacks", `{}`, "Content-Type: application/x-www-form-urlencoded", 415},
		{"POST", "/callbacks", `{}`, "Content-Type: application/json; charset=utf-16", 415},
		{"POST", "/callbacks", `{}`, "Content-Type: ;;;", 415},
		{"POST", "/responses", `{}`, "Content-Type: application/x-ndjson", 415},
		{"POST", "/callbacks", `{}`, "Content-Encoding: gzip", 415},
		{"POST", "/callbacks", `{}`, "Content-Encoding: br", 415},
		{"POST", "/callbacks", `{"name":"` + strings.Repeat("x", 200) + `"}`, "", 413},
		{"POST", "/responses", "[" + strings.Repeat(" ", 300) + "]", "", 413},
		{"POST", "/responses", `[{"callbackId":"crm-prod"}]`, "Idempotency-Key: a", 422},
		{"POST", "/callbacks/crm-prod/responses", `{"id":"b"}`, "Idempotency-Key: a", 422},
		{"POST", "/callbacks/crm-prod/responses", `{}`, "Idempotency-Key: " + strings.Repeat("k", 256), 422},
		{"POST", "/callbacks/crm-prod/responses", `{}`, `Idempotency-Key: ""`, 422},
		{"PUT", "/callbacks/crm-prod", `{}`, `If-Match: "3"`, 412},
		{"PUT", "/callbacks/crm-prod", `{}`, `If-Match: W/"4"`, 412},
		{"PUT", "/callbacks/crm-prod", `{}`, `If-Match: garbage`, 412},
		{"PUT", "/callbacks/crm-prod", `{}`, `If-Match: "1", "2"`, 412},
		{"PUT", "/callbacks/nobody", `{}`, `If-Match: "1", "2"`, 404},
	} {
		w := ask(h, c.method, c.target, c.body, c.head)
		if w.Code != c.status || w.Header().Get("Content-Type") != problemType {
			t.Errorf("%s %s with %q: got %d %s, want %d", c.method, c.target, c.head, w.Code, w.Body, c.status)
		}
	}
}

// TestBodyIsBounded has bodies whose length is not told, or told wrongly.
func TestBodyIsBounded(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 100})
	for _, told := range []int64{-1, 10, 1 << 40} {
		body := &counting{left: 1 << 20}
		r := httptest.NewRequest("POST", "http://localhost/responses", body)
		r.ContentLength = told
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || body.read > 1024 || told > 100 && body.read > 0 {
			t.Errorf("%d bytes told: %d after %d bytes were read", told, w.Code, body.read)
		}
	}
}

// counting is a long body that counts what was read of it.
type counting struct{ left, read int }

func (c *counting) Read(p []byte) (int, error) {
	n := min(len(p), c.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		p[i] = ' '
	}
	c.left -= n
	c.read += n
	return n, nil
}

func TestTwoIdempotencyKeys(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "http://localhost/callbacks/crm-prod/responses", strings.NewReader("{}"))
	r.Header["Idempotency-Key"] = []string{"a", "a"}
	w := httptest.NewRecorder()
	New(Options{Service: newFixed()}).ServeHTTP(w, r)
	if w.Code != 422 || !strings.Contains(w.Body.String(), keyHeader) {
		t.Fatalf("got %d %s, want 422", w.Code, w.Body)
	}
}

// TestFaultsAreBounded has more wrong fields than are named.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"field %d":1`, i)
	}
	w := ask(New(Options{Service: newFixed()}), "POST", "/callbacks", "{"+b.String()[1:]+"}")
	var p problem
	if err := decodeJSON(w.Body.Bytes(), &p); err != nil || w.Code != 422 || len(p.Errors) != maxFaults {
		t.Fatalf("got %d with %d faults, %v; want 422 with %d", w.Code, len(p.Errors), err, maxFaults)
	}
}
