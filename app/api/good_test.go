package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// spy keeps what reached the service.
type spy struct {
	*fixed
	draft   callback.Draft
	version uint64
	items   []callback.NewResponse
	list    callback.ListQuery
	page    callback.CallbackQuery
	ids     []callback.CallID
	status  callback.Status
	by      string
	extend  bool
}

func (s *spy) Create(_ context.Context, d callback.Draft) (callback.Health, error) {
	s.draft = d
	return s.health, nil
}

func (s *spy) Update(_ context.Context, _ string, d callback.Draft, version uint64) (callback.Health, error) {
	s.draft, s.version = d, version
	return s.health, nil
}

func (s *spy) Enqueue(ctx context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	s.items = items
	return s.fixed.Enqueue(ctx, items)
}

func (s *spy) Calls(_ context.Context, q callback.ListQuery) (callback.CallList, error) {
	s.list = q
	return callback.CallList{Exact: true}, nil
}

func (s *spy) Callbacks(_ context.Context, q callback.CallbackQuery) ([]callback.Health, int, error) {
	s.page = q
	return nil, 0, nil
}

func (s *spy) SetStatus(_ context.Context, _ string, ids []callback.CallID, st callback.Status, by string) (int, error) {
	s.ids, s.status, s.by = ids, st, by
	return len(ids), nil
}

func (s *spy) Suspend(_ context.Context, _, by string) error { s.by = by; return nil }

func (s *spy) Retry(_ context.Context, _ string, _ callback.CallID, extend bool) error {
	s.extend = extend
	return nil
}

func newSpy() (*spy, http.Handler) {
	s := &spy{fixed: newFixed()}
	return s, New(Options{Service: s})
}

func ptr[T any](v T) *T { return &v }

func TestDraftSpellings(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]callback.Draft{
		`{}`:                        {},
		`{"name":null,"auth":null}`: {},
		`{"auth":{}}`:               {},
		`{"auth":{"type":"QueryString","key":"k"}}`:                    {AuthType: ptr(callback.AuthQuery), AuthKey: ptr("k")},
		`{"auth":{"type":"queryparam"}}`:                               {AuthType: ptr(callback.AuthQuery)},
		`{"auth":{"type":"httpheader"}}`:                               {AuthType: ptr(callback.AuthHeader)},
		`{"auth":{"type":"basicauth"}}`:                                {AuthType: ptr(callback.AuthBasic)},
		`{"auth":{"type":"bearertoken"}}`:                              {AuthType: ptr(callback.AuthBearer)},
		`{"auth":{"type":"","key":""}}`:                                {AuthType: ptr(callback.AuthNone), AuthKey: ptr("")},
		`{"retriesEnabled":true}`:                                      {Retries: ptr(true)},
		`{"retriesEnabled":"true"}`:                                    {Retries: ptr(true)},
		`{"retriesEnabled":"False"}`:                                   {Retries: ptr(false)},
		`{"removeHTML":"Enabled"}`:                                     {RemoveHTML: ptr(true)},
		`{"removeHTML":"disabled"}`:                                    {RemoveHTML: ptr(false)},
		`{"contentType":"XML"}`:                                        {ContentType: ptr(callback.XML)},
		`{"contentType":"json"}`:                                       {ContentType: ptr(callback.JSON)},
		`{"callbacks":{"reply":"enabled","undeliverable":"disabled"}}`: {Reply: ptr(true), Undeliverable: ptr(false)},
		`{"connectTimeout":"2s","responseTimeout":"1m30s"}`:            {ConnectTimeout: ptr(2 * time.Second), ResponseTimeout: ptr(90 * time.Second)},
		`{"maxInFlight":4,"ratePerSecond":0.5,"ordered":true}`:         {MaxInFlight: ptr(4), RatePerSecond: ptr(0.5), Ordered: ptr(true)},
		`{"headers":{"z":"1","a":"2"}}`:                                {Headers: &[]callback.Param{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}}},
		`{"headers":[{"key":"z","value":1}]}`:                          {Headers: &[]callback.Param{{Key: "z", Value: "1"}}},
		`{"alerts":"off","signingSecret":"s","previousSigningSecret":"p","ca":"c","description":"d","email":"e","url":"u"}`: {
			Alerts: ptr(callback.ModeOff), SigningSecret: ptr("s"), PreviousSecret: ptr("p"), CA: ptr("c"),
			Description: ptr("d"), Email: ptr("e"), URL: ptr("u"),
		},
		`{"id":5,"link":"x","state":{},"stateSince":1,"createdAt":2,"updatedAt":3,"health":[],"name":"n"}`: {Name: ptr("n")},
	} {
		s, h := newSpy()
		if w := ask(h, "POST", "/callbacks", body); w.Code != 201 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
		if diff := cmp.Diff(want, s.draft); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

// TestWhatWasReadCanBeSentBack is what clients of the contract do: GET, change
// one field, PUT the whole.
func TestWhatWasReadCanBeSentBack(t *testing.T) {
	t.Parallel()
	s, h := newSpy()
	body := ask(h, "GET", "/callbacks/crm-prod?health=true", "").Body.String()
	if w := ask(h, "PUT", "/callbacks/crm-prod", body); w.Code != http.StatusNoContent || w.Body.Len() != 0 {
		t.Fatalf("got %d %s, want 204 and nothing", w.Code, w.Body)
	}
	if s.version != 4 || *s.draft.AuthKey != s.health.Auth.Key.String() || *s.draft.Name != "crm-prod" || *s.draft.Undeliverable {
		t.Fatalf("version %d, draft %+v", s.version, s.draft)
	}
}

func TestVersionGuards(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, head string
		want       uint64
	}{
		{`{}`, "", 0},
		{`{"version":7}`, "", 7},
		{`{}`, `If-Match: "7"`, 7},
		{`{}`, `If-Match: 7`, 7},
		{`{"version":3}`, `If-Match: "7"`, 7},
		{`{"version":3}`, `If-Match: *`, 0},
		{`{}`, `If-Match: "3", "4"`, 4},
	} {
		s, h := newSpy()
		var head []string
		if c.head != "" {
			head = []string{c.head}
		}
		w := ask(h, "PUT", "/callbacks/crm-prod", c.body, head...)
		if w.Code != 204 || s.version != c.want || w.Header().Get("ETag") != `"4"` {
			t.Errorf("%s, %s: %d, version %d, ETag %s; want version %d", c.body, c.head, w.Code, s.version, w.Header().Get("ETag"), c.want)
		}
	}
}

func TestResponseSpellings(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]callback.Response{
		`{"responseMessage":{}}`:                   {},
		`{"messageId":"m","from":{"name":"n"}}`:    {MessageID: "m", From: callback.From{Name: "n"}},
		`{"messageId":"m","responseMessage":null}`: {MessageID: "m"},
		`{"messageId":"m","link":[]}`:              {MessageID: "m"},
		`{"id":"k","messageId":"m","messageLocation":"l","deliverAt":"2026-03-01T10:00:00+10:00","responseMessage":{"content":null}}`: {
			Key: "k", MessageID: "m", MessageLocation: "l", DeliverAt: clock("00:00:00"),
		},
		`{"from":{"name":"n","mri":"r","mobile":"m","email":"e","voice":null},"link":[],"status":"x","responseMessage":{}}`: {
			From: callback.From{Name: "n", MRI: "r", Mobile: "m", Email: "e"},
		},
		`{"responseMessage":{"channel":"c","acknowledged":"a","undeliverable":"u","content":"\u0000\ud83d\ude00<b>"}}`: {
			Message: callback.Message{Channel: "c", Acknowledged: "a", Undeliverable: "u", Content: "\x00\U0001F600<b>"},
		},
		`{"customParameters":{"z":"s","b":12.50,"a":true,"n":null,"big":1e400},"responseMessage":{}}`: {
			Params: []callback.Param{{Key: "z", Value: "s"}, {Key: "b", Value: "12.50"}, {Key: "a", Value: "true"}, {Key: "n"}, {Key: "big", Value: "1e400"}},
		},
		`{"callbackParameters":[{"key":"z","value":"1"},{"value":2,"key":"a"},{"key":"e"}],"responseMessage":{}}`: {
			Params: []callback.Param{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}, {Key: "e"}},
		},
		`{"callbackParameters":{"b":1},"customParameters":{"a":2},"responseMessage":{}}`: {
			Params: []callback.Param{{Key: "b", Value: "1"}, {Key: "a", Value: "2"}},
		},
	} {
		s, h := newSpy()
		if w := ask(h, "POST", "/callbacks/crm-prod/responses", body); w.Code != 202 {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
			continue
		}
		if diff := cmp.Diff(want, s.items[0].Response, cmp.Transformer("utc", time.Time.UTC)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, head, want string }{
		{`{"responseMessage":{}}`, "Idempotency-Key: order 1", "order 1"}, {`{"responseMessage":{}}`, `Idempotency-Key: "order-1"`, "order-1"}, {`{"id":"a","responseMessage":{}}`, "Idempotency-Key: a", "a"},
	} {
		s, h := newSpy()
		w := ask(h, "POST", "/callbacks/crm-prod/responses", c.body, c.head)
		if w.Code != 202 || s.items[0].Response.Key != c.want {
			t.Errorf("%s, %s: %d, %+v; want key %q", c.body, c.head, w.Code, s.items, c.want)
		}
	}
}

func TestCallsQuery(t *testing.T) {
	t.Parallel()
	day := clock("00:00:00")
	base := callback.ListQuery{Ref: "crm-prod", Limit: 20}
	with := func(set func(*callback.ListQuery)) callback.ListQuery { q := base; set(&q); return q }
	for query, want := range map[string]callback.ListQuery{
		"":                                 base,
		"apikey=secret":                    base,
		"status=failed":                    with(func(q *callback.ListQuery) { q.Status = callback.ListFailed }),
		"status=Success&status=PENDING":    with(func(q *callback.ListQuery) { q.Status = callback.ListSuccess | callback.ListPending }),
		"status=SUCCESS,FAILED":            with(func(q *callback.ListQuery) { q.Status = callback.ListSuccess | callback.ListFailed }),
		"state=gaveup":                     with(func(q *callback.ListQuery) { q.State = callback.StateGaveUp }),
		"statusCode=0":                     with(func(q *callback.ListQuery) { q.Code = callback.NoAnswer }),
		"messageId=M1&statusCode=503":      with(func(q *callback.ListQuery) { q.MessageID, q.Code = "M1", 503 }),
		"class=connect+timeout&q=Fred+W":   with(func(q *callback.ListQuery) { q.Class, q.Text = "connect timeout", "Fred W" }),
		"attemptedDate=2026-03-01":         with(func(q *callback.ListQuery) { q.From, q.To = day, day.AddDate(0, 0, 1) }),
		"from=2026-03-01T10:00:00%2B10:00": with(func(q *callback.ListQuery) { q.From = day }),
		"from=2026-03-01T10:00:00+10:00":   with(func(q *callback.ListQuery) { q.From = day }),
		"to=2026-03-01T00:00:00Z":          with(func(q *callback.ListQuery) { q.To = day }),
		"limit=500&offset=10000":           with(func(q *callback.ListQuery) { q.Limit, q.Offset = 500, 10000 }),
		"sortOrder=ASC":                    with(func(q *callback.ListQuery) { q.Oldest = true }),
		"sortOrder=desc":                   base,
		"cursor=0328BA3200000001":          with(func(q *callback.ListQuery) { q.After = 0x0328BA3200000001 }),
		"cursor=0328ba3200000001-40-3-0-0": with(func(q *callback.ListQuery) { q.After, q.Offset = 0x0328BA3200000001, 3 }),
	} {
		s, h := newSpy()
		if w := ask(h, "GET", "/callbacks/crm-prod/calls?"+query, ""); w.Code != 200 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
		s.list.From, s.list.To = s.list.From.UTC(), s.list.To.UTC()
		if diff := cmp.Diff(want, s.list); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
	s, h := newSpy()
	ask(h, "GET", "/callbacks?sortFields=name,+url&sortOrder=desc&name=x&limit=7&offset=3", "")
	want := callback.CallbackQuery{Name: "x", Sort: []string{"name", "url"}, Desc: true, Limit: 7, Offset: 3}
	if diff := cmp.Diff(want, s.page); diff != "" {
		t.Errorf("callbacks (-want +got):\n%s", diff)
	}
}

func TestStatusOfCalls(t *testing.T) {
	t.Parallel()
	const a, b = callback.CallID(0x0328BA3200000001), callback.CallID(0x0328BA3200000002)
	for _, c := range []struct {
		target, body string
		ids          []callback.CallID
		status       callback.Status
	}{
		{"/callbacks/x/calls?id=" + a.String() + "&id=" + b.String(), `{"status":"SUCCESS"}`, []callback.CallID{a, b}, callback.Success},
		{"/callbacks/x/calls?id[]=" + a.String() + "&id%5B%5D=" + b.String(), `{"status":"failed","other":[1]}`, []callback.CallID{a, b}, callback.Failed},
		{"/callbacks/x/calls?apikey=k&id=" + strings.ToLower(a.String()) + "&id=" + a.String(), `{"status":"Success"}`, []callback.CallID{a}, callback.Success},
		{"/callbacks/x/calls/" + a.String(), `{"status":"SUCCESS","id":"whole calls come back"}`, []callback.CallID{a}, callback.Success},
	} {
		s, h := newSpy()
		w := ask(h, "PUT", c.target, c.body, "X-Ringback-Actor: fred\x1b[31m")
		if w.Code != 204 || !slices.Equal(s.ids, c.ids) || s.status != c.status || s.by != "fred[31m" {
			t.Errorf("%s %s: %d, %v to %v by %q", c.target, c.body, w.Code, s.ids, s.status, s.by)
		}
	}
	s, h := newSpy()
	if w := ask(h, "POST", "/callbacks/x/suspend", ""); w.Code != 204 || s.by != "api" {
		t.Errorf("suspend: %d by %q", w.Code, s.by)
	}
	for body, want := range map[string]bool{"": false, `{}`: false, `{"extend":true}`: true, `{"extend":"true"}`: true} {
		s, h := newSpy()
		if w := ask(h, "POST", "/callbacks/crm-prod/calls/"+a.String()+"/retry", body); w.Code != 202 || s.extend != want {
			t.Errorf("retry %s: %d, extend %v", body, w.Code, s.extend)
		}
	}
}

func TestOnlyThisMachineIsAnswered(t *testing.T) {
	t.Parallel()
	_, h := newSpy()
	for _, c := range []struct {
		head   []string
		status int
	}{
		{[]string{"Host: localhost"}, 200},
		{[]string{"Host: LOCALHOST:8480"}, 200},
		{[]string{"Host: 127.0.0.1:1"}, 200},
		{[]string{"Host: 127.9.9.9"}, 200},
		{[]string{"Host: [::1]:8480"}, 200},
		{[]string{"Host: [::1]"}, 200},
		{[]string{"Host: [::ffff:127.0.0.1]:80"}, 200},
		{[]string{"Host: example.com"}, 403},
		{[]string{"Host: localhost.example.com"}, 403},
		{[]string{"Host: 10.0.0.1:8480"}, 403},
		{[]string{"Host: 0.0.0.0"}, 403},
		{[]string{"Host: "}, 403},
		{[]string{"Host: localhost:8480@evil.com"}, 403},
		{[]string{"Host: [fe80::1%lo]"}, 403},
		{[]string{"Host: [::1%lo]"}, 403},
		{[]string{"Host: 127.0.0.1.nip.io"}, 403},
		{[]string{"Host: localhost:x"}, 403},
		{[]string{"Host: 2130706433"}, 403},
		{[]string{"Origin: http://localhost:8480"}, 200},
		{[]string{"Origin: http://localhost:3000"}, 403},
		{[]string{"Origin: https://localhost:8480"}, 403},
		{[]string{"Origin: null"}, 403},
		{[]string{"Origin: http://evil.com"}, 403},
		{[]string{"Origin: %"}, 403},
		{[]string{"Sec-Fetch-Site: none"}, 200},
		{[]string{"Sec-Fetch-Site: same-origin"}, 200},
		{[]string{"Sec-Fetch-Site: same-site"}, 403},
		{[]string{"Sec-Fetch-Site: cross-site"}, 403},
		{[]string{"Origin: http://localhost:8480", "Sec-Fetch-Site: cross-site"}, 403},
	} {
		missing := 404
		if c.status == 403 {
			missing = 403 // strangers are not told what is served
		}
		for target, want := range map[string]int{"/callbacks/crm-prod": c.status, "/nothing": missing, "/healthz": 200, "/readyz": 200} {
			if w := ask(h, "GET", target, "", c.head...); w.Code != want {
				t.Errorf("%s with %q: got %d, want %d", target, c.head, w.Code, want)
			}
		}
	}
}

func TestLinksFollowTheRequest(t *testing.T) {
	t.Parallel()
	_, h := newSpy()
	w := ask(h, "POST", "/callbacks", `{}`, "Host: 127.0.0.1:9999")
	if want := "http://127.0.0.1:9999/callbacks/B3EDFE83DF389DFE"; w.Header().Get("Location") != want || !strings.Contains(w.Body.String(), `"uri":"`+want+`"`) {
		t.Fatalf("Location %q, want %q; body %s", w.Header().Get("Location"), want, w.Body)
	}
}

// TestAttemptsPage walks the flat view in pages of every size, both ways.
func TestAttemptsPage(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	name, url := "a", "http://127.0.0.1:1/"
	if _, err := f.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 5 {
		c := &fakeCall{entry: callback.Entry{ID: callback.CallID(100 + i), Num: 1, Status: callback.Failed, Reason: callback.RetriesOff, Attempts: i}}
		for n := range i {
			c.attempts = append(c.attempts, callback.Attempt{Number: n + 1, Code: 500 + n, Class: callback.ClassStatus, Started: clock("10:00:00")})
			want = append(want, fmt.Sprintf("%v/%d", c.entry.ID, n+1))
		}
		f.calls = append(f.calls, c)
	}
	h := New(Options{Service: f})
	for _, order := range []string{"asc", "desc"} {
		if order == "desc" {
			slices.Reverse(want)
		}
		for limit := 1; limit <= 11; limit++ {
			for _, how := range []string{"offset", "cursor"} {
				var got []string
				query := ""
				for range 20 {
					var list attemptList
					w := ask(h, "GET", fmt.Sprintf("/callbacks/a/attempts?limit=%d&sortOrder=%s%s", limit, order, query), "")
					if err := decodeJSON(w.Body.Bytes(), &list); err != nil || w.Code != 200 {
						t.Fatalf("%d %s: %v", w.Code, w.Body, err)
					}
					for _, a := range list.Attempts {
						got = append(got, fmt.Sprintf("%v/%d", a.CallID, a.Number))
					}
					if list.NextCursor == "" {
						break
					}
					query = fmt.Sprintf("&offset=%d", len(got))
					if how == "cursor" {
						query = "&cursor=" + list.NextCursor
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s, %d a page, by %s:\n got %v\nwant %v", order, limit, how, got, want)
				}
			}
		}
	}
	for query, want := range map[string]int{"statusCode=500": 4, "statusCode=503": 1, "status=SUCCESS": 0, "status=FAILED": 10, "class=dns": 0, "attemptedDate=2026-03-01": 10, "attemptedDate=2026-03-02": 0} {
		var list attemptList
		w := ask(h, "GET", "/callbacks/a/attempts?"+query, "")
		if err := decodeJSON(w.Body.Bytes(), &list); err != nil || len(list.Attempts) != want {
			t.Errorf("%s: %d attempts, %v; want %d", query, len(list.Attempts), err, want)
		}
	}
}

// TestArraysOfNothingNew has arrays of which nothing is stored.
func TestArraysOfNothingNew(t *testing.T) {
	t.Parallel()
	const repeat, skip = `{"callbackId":"crm-prod","messageId":"repeat","responseMessage":{}}`, `{"callbackId":"crm-prod","messageId":"skipped","responseMessage":{}}`
	_, h := newSpy()
	for body, want := range map[string]int{
		"[" + repeat + "," + skip + "]":                                   200,
		"[" + repeat + `,{"callbackId":"x","responseMessage":{}}]`:        422,
		"[" + repeat + `,{"callbackId":"crm-prod","responseMessage":{}}]`: 202,
	} {
		if w := ask(h, "POST", "/responses", body); w.Code != want {
			t.Errorf("%s: got %d, want %d", body, w.Code, want)
		}
	}
	full := New(Options{Service: full{newFixed()}})
	w := ask(full, "POST", "/responses", "["+repeat+","+skip+"]")
	var p problem
	if err := decodeJSON(w.Body.Bytes(), &p); err != nil || w.Code != 503 || w.Header().Get("Retry-After") == "" || len(p.Items) != 2 {
		t.Errorf("a full disk: %d, Retry-After %q, %+v", w.Code, w.Header().Get("Retry-After"), p)
	}
}

// full can store nothing now.
type full struct{ *fixed }

func (full) Enqueue(_ context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	out := make([]callback.EnqueueResult, len(items))
	for i := range out {
		out[i].Err = callback.Errorf(callback.CodeUnavailable, "the disk is full")
	}
	return out, nil
}

// TestLinksTurnToTheCursor has a page beyond which no offset may go.
func TestLinksTurnToTheCursor(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	for offset, want := range map[string]string{"9998": "offset=10000", "9999": "cursor=0328BA3200000000-10001-0-0-0"} {
		var list callList
		w := ask(h, "GET", "/calls?limit=2&offset="+offset, "")
		if err := decodeJSON(w.Body.Bytes(), &list); err != nil || w.Code != 200 {
			t.Fatalf("offset %s: %d, %v", offset, w.Code, err)
		}
		if next := list.Link[0]; next.Rel != "next" || !strings.HasSuffix(next.URI, want) && !strings.Contains(next.URI, want+"&") {
			t.Errorf("offset %s: next is %+v, want %s", offset, next, want)
		}
	}
}

func TestFiguresAreAlwaysNumbers(t *testing.T) {
	t.Parallel()
	q := request{handler: &handler{public: "http://localhost"}}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := encodeJSON(q.overviewOf(&callback.Overview{Accepted: f, Sent: f})); err != nil {
			t.Errorf("%v: %v", f, err)
		}
	}
}
