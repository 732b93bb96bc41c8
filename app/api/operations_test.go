package api

import (
	"context"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// asked takes note of what operations were asked for.
type asked struct {
	*fixed
	started, previewed []callback.NewOperation
}

func (a *asked) StartOperation(ctx context.Context, n callback.NewOperation) (callback.OperationView, bool, error) {
	a.started = append(a.started, n)
	return a.fixed.StartOperation(ctx, n)
}

func (a *asked) Preview(ctx context.Context, n callback.NewOperation) (callback.Preview, error) {
	a.previewed = append(a.previewed, n)
	return a.fixed.Preview(ctx, n)
}

// A body selects calls as the query of a list does, in both forms.
func TestOperationBodies(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	failed := callback.ListFailed
	for _, c := range []struct {
		body   string
		want   callback.Filter
		extend bool
		dry    bool
	}{
		{"", callback.Filter{}, false, false},
		{`{}`, callback.Filter{}, false, false},
		{`{"status":"failed"}`, callback.Filter{Status: failed}, false, false},
		{`{"status":["FAILED","pending"],"statusCode":null}`, callback.Filter{Status: failed | callback.ListPending}, false, false},
		{`{"status":"FAILED,PENDING","extend":"true"}`, callback.Filter{Status: failed | callback.ListPending}, true, false},
		{
			`{"state":"GAVEUP","messageId":"M1","statusCode":"503","statusMessage":"busy","class":"status","q":"boots","dryRun":true}`,
			callback.Filter{State: callback.StateGaveUp, MessageID: "M1", Code: 503, Reason: "busy", Class: "status", Text: "boots"},
			false, true,
		},
		{`{"statusCode":0,"from":"2026-03-01T00:00:00Z"}`, callback.Filter{Code: callback.NoAnswer, From: day}, false, false},
		{`{"attemptedDate":"2026-03-01","dryRun":false}`, callback.Filter{From: day, To: day.AddDate(0, 0, 1)}, false, false},
		{
			`<retry xmlns="http://schemas.api.whispir.com/dap"><status>FAILED,PENDING</status><statusCode>503</statusCode><dryRun>true</dryRun></retry>`,
			callback.Filter{Status: failed | callback.ListPending, Code: 503},
			false, true,
		},
	} {
		svc := &asked{fixed: newFixed()}
		head := []string{"X-Ringback-Actor: ann", "Operation-Id: mine"}
		if strings.HasPrefix(c.body, "<") {
			head = append(head, "Content-Type: application/xml")
		}
		w := ask(New(Options{Service: svc}), "POST", "/callbacks/crm-prod/retry", c.body, head...)
		want := callback.NewOperation{ID: "mine", Ref: "crm-prod", Kind: callback.OperationRetry, Filter: c.want, Extend: c.extend, By: "ann"}
		got, status := svc.started, http.StatusAccepted
		if c.dry {
			got, status = svc.previewed, http.StatusOK
		}
		if w.Code != status || len(svc.started)+len(svc.previewed) != 1 || len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("%s: %d, started %+v, previewed %+v\nwant %+v\n%s", c.body, w.Code, svc.started, svc.previewed, want, w.Body)
		}
	}
}

// How it is to be done stands beside what selects the calls.
func TestOperationBodySaysHow(t *testing.T) {
	t.Parallel()
	svc := &asked{fixed: newFixed()}
	w := ask(New(Options{Service: svc}), "POST", "/callbacks/crm-prod/retry",
		`{"statusCode":503,"ratePerSecond":20,"upTo":"0328ba3200000001","remark":"ticket 4471"}`, "X-Ringback-Actor: ann")
	want := callback.NewOperation{
		Ref: "crm-prod", Kind: callback.OperationRetry, Filter: callback.Filter{Code: 503},
		Rate: 20, Upto: 0x0328BA3200000001, Remark: "ticket 4471", By: "ann",
	}
	if w.Code != http.StatusAccepted || len(svc.started) != 1 || !reflect.DeepEqual(svc.started[0], want) {
		t.Errorf("%d, started %+v\nwant %+v\n%s", w.Code, svc.started, want, w.Body)
	}
}

// Calls can be named instead: as an array, or one, in both forms.
func TestOperationBodyNamesCalls(t *testing.T) {
	t.Parallel()
	two := []callback.CallID{0x0328BA3200000001, 0x0328BA3200000002}
	many := make([]string, callback.MaxNamed)
	for i := range many {
		many[i] = fmt.Sprintf("%q", callback.CallID(i+1))
	}
	for _, c := range []struct {
		body string
		want []callback.CallID
		n    int
	}{
		{`{"ids":["0328BA3200000001","0328ba3200000002"]}`, two, 2},
		{`{"ids":"0328BA3200000001","remark":"ticket 4471"}`, two[:1], 1},
		{`<retry xmlns="http://schemas.api.whispir.com/dap"><ids><id>0328BA3200000001</id><id>0328BA3200000002</id></ids></retry>`, two, 2},
		{`{"ids":[` + strings.Join(many, ",") + `]}`, nil, callback.MaxNamed},
	} {
		svc := &asked{fixed: newFixed()}
		var head []string
		if strings.HasPrefix(c.body, "<") {
			head = []string{"Content-Type: application/xml"}
		}
		w := ask(New(Options{Service: svc}), "POST", "/callbacks/crm-prod/retry", c.body, head...)
		if w.Code != http.StatusAccepted || len(svc.started) != 1 || len(svc.started[0].IDs) != c.n || c.want != nil && !slices.Equal(svc.started[0].IDs, c.want) {
			t.Errorf("%.120s: %d, %.200s", c.body, w.Code, w.Body)
		}
		if want := fmt.Sprintf(`"named":%d`, c.n); !strings.Contains(w.Body.String(), want) {
			t.Errorf("%.120s: the answer lacks %s: %.300s", c.body, want, w.Body)
		}
	}
}

// What is wrong in a body is named, and starts nothing.
func TestOperationBodiesRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, fields string }{
		{`{"stauts":"FAILED","dryrun":true}`, "dryrun stauts"},
		{`<retry xmlns="http://schemas.api.whispir.com/dap"><status>FAILED</status><messageId/></retry>`, "messageId"},
		{`{"status":"LOST"}`, "status"},
		{`{"status":{"a":"FAILED"}}`, "status"},
		{`{"q":["boots"]}`, "q"},
		{`{"extend":3,"dryRun":"perhaps"}`, "dryRun extend"},
		{`{"ratePerSecond":1001,"upTo":"12"}`, "ratePerSecond upTo"},
		{`{"ratePerSecond":1.5,"upTo":"0000000000000000","remark":""}`, "ratePerSecond remark upTo"},
		{`{"statusCode":5000,"state":"lost","class":"odd","from":"yesterday","attemptedDate":"1.3."}`, "attemptedDate class from state statusCode"},
		{`{"attemptedDate":"2026-03-01","to":"2026-03-01T00:00:00Z"}`, "attemptedDate"},
		{`{"from":"2026-03-02T00:00:00Z","to":"2026-03-01T00:00:00Z"}`, "to"},
		{`{"limit":5}`, "limit"},
		{`{"messageId":""}`, "messageId"},
		{`{"status":"FAILED","messageId":" "}`, "messageId"},
		{`{"status":"FAILED","state":"","class":"","statusCode":"","statusMessage":"","q":"","from":"","to":"","attemptedDate":""}`, "attemptedDate class from q state statusCode statusMessage to"},
		{`{"status":""}`, "status"},
		{`{"status":" , "}`, "status"},
		{`{"status":[]}`, "status"},
		{`{"status":[""],"messageId":"X"}`, "status"},
		{`{"status":["FAILED",""],"messageId":"X"}`, "status"},
		{`{"status":[{"a":1}],"messageId":"X"}`, "status"},
		{`{"status":[null,"FAILED"],"messageId":"X"}`, "status"},
		{`{"status":[["FAILED"]],"messageId":"X"}`, "status"},
		{`{"status":[3],"messageId":"X"}`, "status"},
		{`{"status":true}`, "status"},
		{`[]`, "(body)"},
		{`{"ids":[]}`, "ids"},
		{`{"ids":null}`, "ids"},
		{`{"ids":""}`, "ids"},
		{`{"ids":["0328BA3200000001","12"]}`, "ids"},
		{`{"ids":["0000000000000000"]}`, "ids"},
		{`{"ids":[["0328BA3200000001"]]}`, "ids"},
		{`{"ids":[3]}`, "ids"},
		{`{"ids":{"id":"0328BA3200000001"}}`, "ids"},
		{`{"ids":[` + strings.Repeat(`"0328BA3200000001",`, callback.MaxNamed) + `"0328BA3200000001"]}`, "ids"},
	} {
		for _, path := range []string{"retry", "resolve"} {
			svc := &asked{fixed: newFixed()}
			body, head := c.body, []string(nil)
			if strings.HasPrefix(body, "<") {
				body, head = strings.ReplaceAll(body, "retry", path), []string{"Content-Type: application/xml"}
			}
			w := ask(New(Options{Service: svc}), "POST", "/callbacks/crm-prod/"+path, body, head...)
			var p problem
			if err := decodeJSON(w.Body.Bytes(), &p); err != nil {
				t.Fatal(err)
			}
			var fields []string
			for _, f := range p.Errors {
				fields = append(fields, f.Field)
			}
			if got := strings.Join(fields, " "); w.Code != http.StatusUnprocessableEntity || got != c.fields {
				t.Errorf("%s %s: %d for %q, want 422 for %q", path, c.body, w.Code, got, c.fields)
			}
			if len(svc.started)+len(svc.previewed) > 0 {
				t.Errorf("%s %s: something was started", path, c.body)
			}
		}
	}
}
