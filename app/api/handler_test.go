package api

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

var update = flag.Bool("update", false, "write the golden files")

// ask serves one request. Lines of head are "Name: value". What openapi.yaml
// does not describe fails the whole run.
func ask(h http.Handler, method, target, body string, head ...string) *httptest.ResponseRecorder {
	return askAlone(documented(h, note), method, target, body, head...)
}

// askAlone is ask without a look into openapi.yaml, for services that do what
// no service does.
func askAlone(h http.Handler, method, target, body string, head ...string) *httptest.ResponseRecorder {
	path, query, _ := strings.Cut(target, "?")
	r := httptest.NewRequest(method, "http://localhost:8480"+path, strings.NewReader(body))
	r.URL.RawQuery = query
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, line := range head {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header[http.CanonicalHeaderKey(name)] = append(r.Header[http.CanonicalHeaderKey(name)][:0:0], value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// golden compares an answer, laid out, with a file.
func golden(t *testing.T, name string, w *httptest.ResponseRecorder) {
	t.Helper()
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d %s\n", w.Code, w.Header().Get("Content-Type"))
	for _, h := range []string{"Location", "ETag", "Allow", "Retry-After", "Preference-Applied"} {
		if v := w.Header().Get(h); v != "" {
			fmt.Fprintf(&b, "%s: %s\n", h, v)
		}
	}
	b.Write(laidOut(t, w.Body.Bytes()))
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestGolden(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Version: "1.2.3", PublicURL: "https://ringback.example.com/"})
	for _, c := range []struct{ name, method, target, body, head string }{
		{"callback", "GET", "/callbacks/crm-prod", "", ""},
		{"callback-with-health", "GET", "/callbacks/crm-prod?health=true", "", ""},
		{"callback-created", "POST", "/callbacks", `{"name":"crm-prod","url":"https://crm.example.com/in"}`, ""},
		{"callback-updated", "PUT", "/callbacks/crm-prod", `{"email":"a@example.com"}`, ""},
		{"callback-updated-sent", "PUT", "/callbacks/crm-prod", `{"email":"a@example.com"}`, "Prefer: return=representation"},
		{"callbacks", "GET", "/callbacks?limit=1&apikey=secret", "", ""},
		{"callbacks-none", "GET", "/callbacks?name=nobody", "", ""},
		{"health", "GET", "/callbacks/crm-prod/health", "", ""},
		{"calls", "GET", "/callbacks/crm-prod/calls?status=failed&limit=2&apikey=secret", "", ""},
		{"calls-offset", "GET", "/callbacks/crm-prod/calls?limit=2&offset=40", "", ""},
		{"calls-cursor", "GET", "/calls?limit=2&q=boots&cursor=0328BA3200000002-20-0-0-0", "", ""},
		{"call", "GET", "/callbacks/crm-prod/calls/0328BA3200000001", "", ""},
		{"attempts", "GET", "/callbacks/crm-prod/attempts?limit=3", "", ""},
		{"retry", "POST", "/callbacks/crm-prod/calls/0328BA3200000001/retry", `{"extend":true}`, ""},
		{"resolved", "PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":"SUCCESS"}`, ""},
		{"resolved-count", "PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":"SUCCESS"}`, "Prefer: return=representation"},
		{"enqueued", "POST", "/callbacks/crm-prod/responses", `{"messageId":"stored","responseMessage":{}}`, ""},
		{"enqueued-many", "POST", "/responses", `[{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}},{"callbackId":"nobody","responseMessage":{}},{"callbackId":"crm-prod","messageId":"repeat","responseMessage":{}},{"callbackId":"crm-prod","messageId":"skipped","responseMessage":{}},{"from":7}]`, ""},
		{"enqueued-none", "POST", "/responses", `[{"callbackId":"nobody","responseMessage":{}},{"callbackId":"crm-prod","form":{}}]`, ""},
		{"enqueued-repeat", "POST", "/callbacks/crm-prod/responses", `{"messageId":"repeat","responseMessage":{}}`, ""},
		{"enqueued-skipped", "POST", "/callbacks/crm-prod/responses", `{"messageId":"skipped","responseMessage":{}}`, ""},
		{"outages", "GET", "/outages", "", ""},
		{"test", "POST", "/callbacks/crm-prod/test", "", ""},
		{"test-draft", "POST", "/drafts/test?apikey=secret", `{"url":"https://crm.example.com/in"}`, ""},
		{"test-draft-changed", "POST", "/drafts/test?callback=crm-prod", `{"auth":{"key":"another"}}`, ""},
		{"check-draft", "POST", "/drafts/check?callback=crm-prod", `{"url":"https://crm.example.com/in","email":"ops@exmaple.com"}`, ""},
		{"outages-offset", "GET", "/outages?callback=crm-prod&state=open&limit=20&offset=20&apikey=secret", "", ""},
		{"alerts", "GET", "/alerts?limit=1", "", ""},
		{"operation-started", "POST", "/callbacks/crm-prod/retry", `{"status":["FAILED"],"statusCode":503,"from":"2026-03-01T09:00:00Z","extend":true,"ratePerSecond":20,"upTo":"0328BA3200000001","remark":"it is back"}`, "Operation-Id: mine"},
		{"operation-resolves", "POST", "/callbacks/crm-prod/resolve", `{"status":"failed,PENDING","attemptedDate":"2026-03-01","class":"refused","q":"boots"}`, ""},
		{"operation-repeated", "POST", "/callbacks/crm-prod/retry", "", "Operation-Id: resolve-2026-03-01"},
		{"operation-names", "POST", "/callbacks/crm-prod/resolve", `{"ids":["0328BA3200000001","0328BA3200000002"],"remark":"ticket 4471"}`, ""},
		{"operation-preview", "POST", "/callbacks/crm-prod/resolve", `{"state":"gaveUp","statusCode":0,"dryRun":true}`, ""},
		{"operation", "GET", "/operations/resolve-2026-03-01", "", ""},
		{"operation-stopped", "DELETE", "/operations/resolve-2026-03-01", "", ""},
		{"operation-undoing", "POST", "/operations/resolve-2026-03-01/undo", "", ""},
		{"operations", "GET", "/operations?callback=crm-prod&state=DONE&limit=1&offset=1&apikey=secret", "", ""},
		{"overview", "GET", "/overview?cells=2", "", ""},
		{"series", "GET", "/callbacks/crm-prod/series?window=1h&cells=2&end=2026-03-01T09:20:00Z", "", ""},
		{"causes", "GET", "/causes?window=24h", "", ""},
		{"server", "GET", "/server", "", ""},
		{"queue", "GET", "/queue", "", ""},
		{"system", "GET", "/system", "", ""},
		{"log", "GET", "/log?after=4710&limit=3&apikey=secret", "", ""},
		{"chore", "POST", "/system/collect-garbage", "", ""},
		{"keys", "GET", "/keys?limit=1&apikey=secret", "", ""},
		{"key-made", "POST", "/keys", `{"name":"crm prod","role":"Enqueue"}`, ""},
		{"healthz", "GET", "/healthz", "", ""},
		{"readyz", "GET", "/readyz", "", ""},
		{"problem-fields", "POST", "/callbacks", `{"nam":"x","url":5,"auth":{"type":"magic"},"removeHTML":"yes"}`, ""},
		{"problem-not-found", "GET", "/callbacks/nobody", "", ""},
		{"problem-method", "PATCH", "/callbacks", "", ""},
		{"problem-syntax", "POST", "/responses", `{"from":{"name":"a","name":"b"}}`, ""},
		{"problem-stale", "PUT", "/callbacks/crm-prod", `{"version":1}`, ""},
	} {
		var head []string
		if c.head != "" {
			head = []string{c.head}
		}
		golden(t, c.name, ask(h, c.method, c.target, c.body, head...))
	}
}

// TestEveryRouteRefusesOtherMethods walks the table: what is not in it is a 405
// that names what is.
func TestEveryRouteRefusesOtherMethods(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	served := map[string]map[string]bool{}
	for _, rt := range routes {
		if served[rt.pattern] == nil {
			served[rt.pattern] = map[string]bool{}
		}
		served[rt.pattern][rt.method] = true
	}
	fill := strings.NewReplacer("{name}", "ops", "{id}", "crm-prod", "{callId}", "0328BA3200000001")
	for pattern, methods := range served {
		for _, m := range []string{"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"} {
			if methods[m] {
				continue
			}
			w := ask(h, m, fill.Replace(pattern), "")
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Content-Type") != problemType {
				t.Errorf("%s %s: %d %s", m, pattern, w.Code, w.Header().Get("Content-Type"))
			}
			for ok := range methods {
				if !strings.Contains(w.Header().Get("Allow"), ok) {
					t.Errorf("%s %s: Allow is %q", m, pattern, w.Header().Get("Allow"))
				}
			}
		}
	}
}

func TestErrorsOfTheService(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		status int
		head   string
	}{
		{callback.Errorf(callback.CodeMalformed, "m"), 400, ""},
		{callback.Errorf(callback.CodeForbidden, "m"), 403, ""},
		{callback.Errorf(callback.CodeNotFound, "m"), 404, ""},
		{callback.Errorf(callback.CodeConflict, "m"), 409, ""},
		{callback.Errorf(callback.CodeStale, "m"), 412, ""},
		{callback.Errorf(callback.CodeInvalid, "m"), 422, ""},
		{callback.Errorf(callback.CodeUnavailable, "m"), 503, "10"},
		{fmt.Errorf("wrapped: %w", callback.Errorf(callback.CodeConflict, "m")), 409, ""},
		{errors.New("disk on fire at /secret/place"), 500, ""},
	} {
		var log bytes.Buffer
		h := New(Options{Service: failing{err: c.err}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		for _, rt := range routes {
			if rt.role == anyone || rt.pattern == metricsPattern || rt.pattern == backupPattern || rt.pattern == "/callbacks/{id}/calls/{callId}" && rt.method == "PUT" {
				continue
			}
			log.Reset()
			target := strings.NewReplacer("{id}", "a", "{callId}", "0328BA3200000001").Replace(rt.pattern)
			body := map[string]string{"POST": `{"callbackId":"a","responseMessage":{}}`, "PUT": `{"status":"FAILED"}`}[rt.method]
			switch {
			case rt.pattern == "/keys":
				body = map[string]string{"POST": `{"name":"a"}`}[rt.method]
			case rt.pattern == "/callbacks" || rt.pattern == "/callbacks/{id}" || strings.HasPrefix(rt.pattern, "/drafts/"):
				body = map[string]string{"POST": `{}`, "PUT": `{}`}[rt.method]
			case rt.pattern == "/outages/{id}/acknowledge":
				target, body = "/outages/a-1/acknowledge", ""
			case strings.HasSuffix(rt.pattern, "/retry"), strings.HasSuffix(rt.pattern, "/resolve"):
				body = ""
			case strings.HasSuffix(rt.pattern, "/calls") && rt.method == "PUT":
				target += "?id=0328BA3200000001"
			}
			w := askAlone(h, rt.method, target, body)
			if w.Code != c.status || w.Header().Get("Retry-After") != c.head || w.Header().Get("Content-Type") != problemType {
				t.Errorf("%s %s, %v: %d, Retry-After %q, %s", rt.method, rt.pattern, c.err, w.Code, w.Header().Get("Retry-After"), w.Body)
			}
			var p problem
			if err := decodeJSON(w.Body.Bytes(), &p); err != nil || p.Status != c.status || p.Title == "" {
				t.Errorf("%s %s: problem %+v, %v", rt.method, rt.pattern, p, err)
			}
			if c.status != 500 {
				if log.Len() > 0 {
					t.Errorf("%s %s: logged %s", rt.method, rt.pattern, &log)
				}
				continue
			}
			if strings.Contains(w.Body.String(), "secret") || p.Detail != "internal error" || p.RequestID == "" {
				t.Errorf("%s %s: sent %s", rt.method, rt.pattern, w.Body)
			}
			if n := strings.Count(log.String(), "disk on fire"); n != 1 || !strings.Contains(log.String(), p.RequestID) {
				t.Errorf("%s %s: logged %d times: %s", rt.method, rt.pattern, n, &log)
			}
		}
	}
}

// failing fails at everything.
type failing struct{ err error }

func (f failing) Server(context.Context) (callback.Server, error) { return callback.Server{}, f.err }

func (f failing) Overview(context.Context, int) (callback.Overview, error) {
	return callback.Overview{}, f.err
}

func (f failing) Series(context.Context, callback.SeriesQuery) (callback.Series, error) {
	return callback.Series{}, f.err
}

func (f failing) Causes(context.Context, string, time.Duration) (callback.Failures, error) {
	return callback.Failures{}, f.err
}

func (f failing) Callbacks(context.Context, callback.CallbackQuery) ([]callback.Health, int, error) {
	return nil, 0, f.err
}

func (f failing) Callback(context.Context, string) (callback.Health, error) {
	return callback.Health{}, f.err
}

func (f failing) Attempts(context.Context, string, callback.AttemptQuery) (callback.AttemptList, error) {
	return callback.AttemptList{}, f.err
}

func (f failing) Calls(context.Context, callback.ListQuery) (callback.CallList, error) {
	return callback.CallList{}, f.err
}

func (f failing) Call(context.Context, string, callback.CallID) (callback.CallView, error) {
	return callback.CallView{}, f.err
}

func (f failing) Outages(context.Context, callback.OutageQuery) (callback.Listing[callback.OutageView], error) {
	return callback.Listing[callback.OutageView]{}, f.err
}

func (f failing) Alerts(context.Context, callback.AlertQuery) (callback.Listing[callback.Alert], error) {
	return callback.Listing[callback.Alert]{}, f.err
}

func (f failing) TestDraft(context.Context, string, callback.Draft) (callback.Trial, error) {
	return callback.Trial{}, f.err
}

func (f failing) CheckDraft(context.Context, string, callback.Draft) ([]callback.Finding, error) {
	return nil, f.err
}

func (f failing) Test(context.Context, string) (callback.Trial, error) {
	return callback.Trial{}, f.err
}
func (f failing) Acknowledge(context.Context, string, uint32, string) error { return f.err }
func (f failing) SendAlert(context.Context, string) error                   { return f.err }

func (f failing) Enqueue(context.Context, []callback.NewResponse) ([]callback.EnqueueResult, error) {
	return nil, f.err
}

func (f failing) SetStatus(context.Context, string, []callback.CallID, callback.Status, string) (int, error) {
	return 0, f.err
}
func (f failing) Retry(context.Context, string, callback.CallID, bool) error { return f.err }
func (f failing) Suspend(context.Context, string, string) error              { return f.err }
func (f failing) Resume(context.Context, string) error                       { return f.err }
func (f failing) Create(context.Context, callback.Draft) (callback.Health, error) {
	return callback.Health{}, f.err
}

func (f failing) Update(context.Context, string, callback.Draft, uint64) (callback.Health, error) {
	return callback.Health{}, f.err
}
func (f failing) Delete(context.Context, string) error            { return f.err }
func (f failing) Keys(context.Context) ([]callback.APIKey, error) { return nil, f.err }
func (f failing) AddKey(context.Context, string, callback.Role) (callback.APIKey, string, error) {
	return callback.APIKey{}, "", f.err
}
func (f failing) RemoveKey(context.Context, string) error      { return f.err }
func (f failing) Watch(context.Context) (<-chan uint64, error) { return nil, f.err }

func TestPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}) // no service: every call panics
	w := ask(h, "GET", "/callbacks", "")
	if w.Code != 500 || strings.Contains(w.Body.String(), "nil pointer") || !strings.Contains(log.String(), "nil pointer") {
		t.Fatalf("%d %s; logged %s", w.Code, w.Body, &log)
	}
}

func TestReadyz(t *testing.T) {
	t.Parallel()
	h := New(Options{Ready: func() (bool, []string) { return false, []string{"the disk is low\x1b[2J"} }})
	w := ask(h, "GET", "/readyz", "")
	if want := `{"ready":false,"why":["the disk is low[2J"]}`; w.Code != 503 || w.Body.String() != want {
		t.Fatalf("got %d %s, want 503 %s", w.Code, w.Body, want)
	}
}
