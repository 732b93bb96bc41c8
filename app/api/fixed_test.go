package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"ringback/callback"
)

// laidOut returns JSON with indents, and XML with an element a line, for golden
// files.
func laidOut(t *testing.T, b []byte) []byte {
	t.Helper()
	if len(b) == 0 {
		return nil
	}
	if b[0] == '<' {
		return bytes.ReplaceAll(b, []byte("><"), []byte(">\n<"))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		t.Fatalf("an answer is not JSON: %v\n%s", err, b)
	}
	out.WriteByte('\n')
	return out.Bytes()
}

// fixed answers the same at all times.
type fixed struct {
	callback.Service
	health callback.Health
	calls  []callback.CallView
	outage callback.OutageView
}

func clock(s string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, "2026-03-01T"+s+"Z")
	if err != nil {
		panic(err)
	}
	return t
}

func newFixed() *fixed {
	const id = callback.CallbackID(0xB3EDFE83DF389DFE)
	key := []byte("fixed")
	f := &fixed{health: callback.Health{
		Callback: callback.Callback{
			Num: 1, ID: id, Version: 4, Name: "crm-prod", URL: "https://crm.example.com/in",
			Auth:       callback.Auth{Type: callback.AuthQuery, Key: callback.NewSecret("canary-key", key)},
			RemoveHTML: true, Retries: true, Email: "ops@example.com", NoUndelivers: true, Description: "the <CRM>",
			Alerts: callback.ModeEveryCall, SigningSecret: callback.NewSecret("canary-secret", key), MaxInFlight: 8, RatePerSecond: 2.5,
			ConnectTimeout: 2 * time.Second, ResponseTimeout: 90 * time.Second,
			Headers:   []callback.Param{{Key: "X-Tenant", Value: "a"}, {Key: "X-Area", Value: "b"}},
			CreatedAt: clock("08:00:00.5").In(time.FixedZone("AEST", 36000)), UpdatedAt: clock("09:00:00"),
		},
		Live: callback.Live{
			Requeued: callback.Requeued{Began: clock("09:15:00"), Last: clock("09:18:00"), Calls: 12, Delivered: 7, Failed: 3, Resolved: 1, Once: 1},
			Num:      1, State: callback.Down, Since: clock("09:12:04.123456"),
			Gate: callback.Gate{State: callback.Open, OpenedAt: clock("09:12:04"), Probe: clock("09:17:04"), Last: clock("09:12:04")},
			Outage: callback.OutageState{
				Phase: callback.OutageOpen, N: 3, Started: clock("09:12:04.123456"), Closed: clock("07:00:00"), Failures: 5, Calls: 2,
				First: callback.ClassRefused, FirstText: "Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com).",
			},
			Counts:      callback.Counts{Accepted: 1300, Pending: 3, Retrying: 2, Delivered: 1290, Resolved: 1, Failed: 4, Skipped: 7},
			LastSuccess: clock("09:11:00"), LastFailure: clock("09:12:04"), LastClass: callback.ClassRefused, LastError: "Connection refused",
		},
		NextTick: clock("10:00:00"),
	}}
	refused := callback.Attempt{
		Number: 1, Started: clock("09:12:03.9"), Duration: 4200 * time.Microsecond, Reason: "connection refused",
		Class: callback.ClassRefused, Error: "Connection refused", Peer: "203.0.113.9:443", Timing: callback.Timing{DNS: 312 * time.Microsecond},
	}
	failed := callback.Attempt{
		Number: 2, Started: clock("09:17:04"), Duration: 1900 * time.Millisecond, Code: 503, Reason: "Service Unavailable",
		Class: callback.ClassStatus, Error: "503 Service Unavailable: the endpoint answered with an error", TLS: "TLS 1.3",
		CertEnds: clock("00:00:00").AddDate(1, 0, 0), Excerpt: "<h1>try later</h1>", Manual: true,
		Timing: callback.Timing{DNS: time.Millisecond, Connect: 20 * time.Millisecond, TLS: 31 * time.Millisecond, FirstByte: 1800 * time.Millisecond},
	}
	call := callback.CallView{
		Call: callback.Call{
			Entry: callback.Entry{
				ID: 0x0328BA3200000001, Num: 1, Attempts: 2, Enqueued: clock("09:12:03.5"), Due: clock("09:22:04"), FirstFailed: clock("09:12:04"),
			},
			Response: callback.Response{
				MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
				From:    callback.From{Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "0430984567"},
				Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/13 13:22", Content: "Yes, I accept. <b>\u2713</b>\x1b[31m"},
				Params:  []callback.Param{{Key: "zebra", Value: "1"}, {Key: "CustomerId", Value: "890h0ef0"}}, Key: "order-1",
			},
			Attempts: []callback.Attempt{refused, failed},
		},
		CallbackID: id, Callback: "crm-prod", URL: f.health.MaskedURL(), State: callback.StateHeld,
		GivesUp: clock("09:12:04").AddDate(0, 0, 1), RequestBody: `{"messageId":"ABC4857BCCF484575FCA"}`,
	}
	resolved := call
	resolved.Entry = callback.Entry{
		ID: 0x0328BA3200000000, Num: 1, Status: callback.Success, Reason: callback.Resolved, Attempts: 1, Enqueued: clock("09:00:00"),
		FirstFailed: clock("09:00:01"), Finished: clock("09:30:00"), ResolvedBy: "fred",
	}
	resolved.Attempts, resolved.State, resolved.GivesUp, resolved.RequestBody = []callback.Attempt{refused}, callback.StateResolved, time.Time{}, ""
	resolved.Response.Params, resolved.Response.Key = nil, ""
	resolved.Response.Message = callback.Message{Channel: "EMAIL", Undeliverable: "09/01/13 13:22", Content: "bounced"}
	f.calls = []callback.CallView{call, resolved}
	for i := range f.calls {
		c := &f.calls[i]
		last := c.Attempts[len(c.Attempts)-1]
		c.LastAt, c.LastCode, c.LastClass = last.Started, last.Code, last.Class
	}
	f.outage = callback.OutageView{
		Outage: callback.Outage{Num: 1, OutageState: f.health.Live.Outage}, CallbackID: id, Callback: "crm-prod",
		Alerts: []callback.Alert{{
			Key: "outage/B3EDFE83DF389DFE/3", Kind: callback.AlertOutage, Num: 1, Callback: id, Outage: 3, Call: 0x0328BA3200000001, Attempt: 1,
			Created: clock("09:12:04"), Since: clock("09:12:04"), Status: callback.AlertSent, To: "ops@example.com", Tries: 2, Mails: 1,
			Sent: clock("09:12:06"), Reply: "250 2.0.0 Ok",
		}},
	}
	return f
}

func (f *fixed) known(ref string) error {
	if ref == "" || ref == "crm-prod" || ref == f.health.ID.String() {
		return nil
	}
	return callback.Errorf(callback.CodeNotFound, "no callback has the id or name %q", callback.Sanitize(ref, 60))
}

func (f *fixed) Server(context.Context) (callback.Server, error) {
	return callback.Server{
		Name: "gw1", Version: "1.2.3", ID: "F00D", Started: clock("08:00:00"), Now: clock("09:20:00"), DataDir: "ringback-data",
		Listen: "127.0.0.1:8480", Running: 1, MaxInFlight: 512, Interval: 5 * time.Minute, Window: 24 * time.Hour,
		Connect: 5 * time.Second, Response: time.Minute, KeyHeader: "X-Whispir-Callback-Key", Role: callback.RoleAdmin, Embedded: true,
		ClockDoubtful: true,
	}, nil
}

func (f *fixed) Overview(context.Context, int) (callback.Overview, error) {
	return callback.Overview{
		Now: clock("09:20:00"), Accepted: 142.5, Sent: 12, Running: 1, Waiting: 5, DueNow: 2, MailNote: "no mail server is configured",
		Callbacks: []callback.HealthView{{
			Health: f.health, Shown: callback.Down, OK: 974, Bad: 26, Cells: []callback.Cell{{OK: 970, Bad: 1}, {OK: 4, Bad: 25}},
			P50: 84 * time.Millisecond, P95: 1900 * time.Millisecond, Oldest: clock("09:12:03.5"), NextTry: clock("09:22:04"), LastTry: true,
			Alert: &f.outage.Alerts[0], Latest: &f.outage.Alerts[len(f.outage.Alerts)-1],
		}},
		Events: []callback.Event{{At: clock("09:12:04"), Callback: "crm-prod", State: callback.Down, Text: "went down: Connection refused"}},
	}, nil
}

func (f *fixed) Series(_ context.Context, q callback.SeriesQuery) (callback.Series, error) {
	return callback.Series{From: clock("08:20:00"), To: clock("09:20:00"), Cells: []callback.SeriesCell{
		{}, {OK: 974, Failed: 26, Accepted: 1001, Waiting: 5, P50: 96 * time.Millisecond, P95: 2048 * time.Millisecond},
	}}, cmp.Or(f.known(q.Ref), q.Validate())
}

func (f *fixed) Causes(_ context.Context, ref string, _ time.Duration) (callback.Failures, error) {
	return callback.Failures{From: clock("00:00:00"), To: clock("09:20:00"), Causes: []callback.Failure{
		{Class: callback.ClassRefused, Count: 1271, First: clock("09:12:04"), Last: clock("09:19:57")},
		{Class: callback.ClassStatus, Code: 503, Count: 11, First: clock("09:11:41"), Last: clock("09:12:03")},
	}}, f.known(ref)
}

func (f *fixed) Callbacks(_ context.Context, q callback.CallbackQuery) ([]callback.Health, int, error) {
	if q.Name != "" {
		return nil, 0, nil
	}
	return []callback.Health{f.health}, 2, nil
}

func (f *fixed) Callback(_ context.Context, ref string) (callback.Health, error) {
	return f.health, f.known(ref)
}

func (f *fixed) Create(context.Context, callback.Draft) (callback.Health, error) {
	return f.health, nil
}

func (f *fixed) Update(_ context.Context, ref string, _ callback.Draft, version uint64) (callback.Health, error) {
	if version != 0 && version != f.health.Version {
		return callback.Health{}, callback.Errorf(callback.CodeStale, "the callback is at version %d", f.health.Version)
	}
	return f.health, f.known(ref)
}

func (f *fixed) Delete(_ context.Context, ref string) error { return f.known(ref) }

func (f *fixed) Suspend(_ context.Context, ref, _ string) error { return f.known(ref) }

func (f *fixed) Resume(_ context.Context, ref string) error { return f.known(ref) }

func (f *fixed) Calls(_ context.Context, q callback.ListQuery) (callback.CallList, error) {
	if q.After == f.calls[1].ID && q.Limit == exportPage { // an export would never end
		return callback.CallList{}, f.known(q.Ref)
	}
	list := callback.CallList{Calls: make([]callback.CallView, len(f.calls)), Total: 57, Exact: q.Text == "", More: true, Next: f.calls[1].ID, Skipped: q.Offset}
	for i, c := range f.calls {
		c.Attempts, c.RequestBody = c.Attempts[len(c.Attempts)-1:], ""
		list.Calls[i] = c
	}
	return list, f.known(q.Ref)
}

func (f *fixed) Attempts(_ context.Context, ref string, q callback.AttemptQuery) (callback.AttemptList, error) {
	list := callback.AttemptList{Skipped: q.Offset, More: true}
	for i := range f.calls {
		c := &f.calls[i]
		for _, a := range slices.Backward(c.Attempts) {
			row := callback.CallAttempt{Attempt: a, ID: c.ID, MessageID: c.Response.MessageID}
			list.Next = row.Key()
			list.Attempts = append(list.Attempts, callback.AttemptView{CallAttempt: row, CallbackID: c.CallbackID, Callback: c.Callback})
		}
	}
	return list, f.known(ref)
}

func (f *fixed) Call(_ context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	if id != f.calls[0].ID {
		return callback.CallView{}, callback.Errorf(callback.CodeNotFound, "no call has the id %s", id)
	}
	return f.calls[0], f.known(ref)
}

func (f *fixed) Outages(_ context.Context, q callback.OutageQuery) (callback.Listing[callback.OutageView], error) {
	return callback.Listing[callback.OutageView]{Rows: []callback.OutageView{f.outage}, Total: 41, Exact: true, More: q.Offset < 40}, f.known(q.Ref)
}

func (f *fixed) Alerts(_ context.Context, q callback.AlertQuery) (callback.Listing[callback.Alert], error) {
	return callback.Listing[callback.Alert]{Rows: f.outage.Alerts[:1], Total: uint64(q.Offset) + 1, More: true}, f.known(q.Ref)
}

func (f *fixed) Test(_ context.Context, ref string) (callback.Trial, error) {
	return callback.Trial{
		ID: "test_00112233445566AA", CallbackID: f.health.ID, Callback: f.health.Name, URL: f.health.MaskedURL(),
		ContentType: "application/json", RequestBody: `{"messageId":"test_00112233445566AA"}`, Attempts: f.calls[0].Attempts,
	}, f.known(ref)
}

func (f *fixed) TestDraft(ctx context.Context, ref string, d callback.Draft) (callback.Trial, error) {
	if ref != "" {
		return f.Test(ctx, ref)
	}
	t, err := f.Test(ctx, f.health.Name)
	t.CallbackID, t.Callback = 0, "draft"
	if d.URL != nil {
		t.URL = *d.URL
	}
	return t, err
}

func (f *fixed) CheckDraft(_ context.Context, ref string, _ callback.Draft) ([]callback.Finding, error) {
	if ref != "" && f.known(ref) != nil {
		return nil, f.known(ref)
	}
	return []callback.Finding{
		{Field: "url", Result: callback.FoundGood, Short: "GET: 405", Message: "something is there: GET answered 405 Method Not Allowed"},
		{Field: "email", Result: callback.FoundWarning, Short: "no mail server", Message: "exmaple.com has no mail server (MX)"},
	}, nil
}

func (f *fixed) Acknowledge(_ context.Context, ref string, _ uint32, _ string) error {
	return f.known(ref)
}
func (f *fixed) SendAlert(context.Context, string) error { return nil }

// Enqueue does what the message's id says.
func (f *fixed) Enqueue(_ context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	out := make([]callback.EnqueueResult, len(items))
	for i := range items {
		if out[i].Err = f.known(items[i].Ref); out[i].Err != nil {
			continue
		}
		if out[i].Err = items[i].Response.Validate(clock("09:20:00")); out[i].Err != nil {
			continue
		}
		out[i].Callback = f.health.ID
		switch items[i].Response.MessageID {
		case "skipped":
			out[i].Skipped = true
		case "repeat":
			out[i].ID, out[i].Repeat = f.calls[0].ID, true
		default:
			out[i].ID = f.calls[0].ID
		}
	}
	return out, nil
}

func (f *fixed) SetStatus(_ context.Context, ref string, ids []callback.CallID, _ callback.Status, _ string) (int, error) {
	for _, id := range ids {
		if id != f.calls[0].ID {
			return 0, invalid("the change", "id", "no call has the id "+id.String())
		}
	}
	return len(ids), f.known(ref)
}

func (f *fixed) Retry(_ context.Context, ref string, id callback.CallID, _ bool) error {
	if id != f.calls[0].ID {
		return callback.Errorf(callback.CodeNotFound, "no call has the id %s", id)
	}
	return f.known(ref)
}
