package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// archive is a service with many calls; ids count from 1.
type archive struct {
	*fixed
	calls int // how many there are
	fail  int // the page on which reading fails; 0: none
	added int // calls that come between two pages
	size  int // of a call's content, in bytes
	asked []callback.ListQuery
}

func (a *archive) Calls(_ context.Context, q callback.ListQuery) (list callback.CallList, err error) {
	a.asked = append(a.asked, q)
	if a.fail > 0 && len(a.asked) == a.fail {
		return list, errors.New("the disk is on fire")
	}
	for i := range a.calls {
		id := callback.CallID(i + 1)
		if !q.Oldest {
			id = callback.CallID(a.calls - i)
		}
		if q.After != 0 && (q.Oldest && id <= q.After || !q.Oldest && id >= q.After) {
			continue
		}
		if len(list.Calls) == q.Limit {
			list.More, list.Next = true, list.Calls[q.Limit-1].ID
			break
		}
		v := a.fixed.calls[0]
		v.ID, v.Callback, v.Attempts = id, "crm-prod", v.Attempts[:1]
		v.Response.Message.Content = strings.Repeat("x", a.size)
		list.Calls = append(list.Calls, v)
	}
	a.calls += a.added
	return list, a.known(q.Ref)
}

func (a *archive) Call(_ context.Context, _ string, id callback.CallID) (callback.CallView, error) {
	v := a.fixed.calls[0]
	v.ID = id
	return v, nil
}

// ids returns those of the rows of an export.
func ids(t *testing.T, form string, b []byte) (out []string) {
	t.Helper()
	if form == "csv" {
		rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
		if err != nil || len(rows) == 0 || rows[0][0] != "id" {
			t.Fatalf("%v: %.200s", err, b)
		}
		for _, row := range rows[1:] {
			out = append(out, row[0])
		}
		return out
	}
	for line := range bytes.Lines(b) {
		var c callShape
		if err := decodeJSON(line, &c); err != nil {
			t.Fatalf("%v: %.200s", err, line)
		}
		if len(c.Attempts) != 2 || c.AttemptCount != 2 {
			t.Fatalf("call %v has %d of %d attempts", c.ID, len(c.Attempts), c.AttemptCount)
		}
		out = append(out, c.ID.String())
	}
	return out
}

// An export has every call there was when it began, and none that came since.
func TestExportHasAll(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"ndjson", "csv"} {
		for _, n := range []int{0, 1, exportPage, 2*exportPage + 50} {
			for _, order := range []string{"desc", "asc"} {
				a := &archive{fixed: newFixed(), calls: n, added: 7}
				w := ask(New(Options{Service: a}), "GET", "/callbacks/crm-prod/calls."+form+"?status=failed&q=boots&sortOrder="+order, "")
				var want []string
				for i := range n {
					want = append(want, callback.CallID(i+1).String())
				}
				if order == "desc" {
					slices.Reverse(want)
				}
				if got := ids(t, form, w.Body.Bytes()); w.Code != 200 || !slices.Equal(got, want) {
					t.Errorf("%s, %d calls, %s: %d, %d rows", form, n, order, w.Code, len(got))
				}
				for _, q := range a.asked[1:] {
					if q.Ref != "B3EDFE83DF389DFE" || q.Status != callback.ListFailed || q.Text != "boots" || q.Limit != exportPage {
						t.Errorf("%s: asked for %+v", form, q)
					}
				}
			}
		}
	}
}

func TestExportHead(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: &archive{fixed: newFixed(), calls: 3}})
	for _, c := range []struct{ target, kind, name string }{
		{"/callbacks/crm-prod/calls.csv", "text/csv; charset=utf-8; header=present", "calls-B3EDFE83DF389DFE.csv"},
		{"/calls.csv", "text/csv; charset=utf-8; header=present", "calls.csv"},
		{"/callbacks/crm-prod/calls.ndjson", "application/x-ndjson", "calls-B3EDFE83DF389DFE.ndjson"},
		{"/calls.ndjson", "application/x-ndjson", "calls.ndjson"},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			w := ask(h, method, c.target, "", "Accept: text/*, application/x-ndjson;q=0.5")
			if got := w.Header().Get("Content-Disposition"); w.Code != 200 || got != `attachment; filename="`+c.name+`"` || w.Header().Get("Content-Type") != c.kind {
				t.Errorf("%s %s: %d, %s, %s", method, c.target, w.Code, got, w.Header().Get("Content-Type"))
			}
			if (w.Body.Len() == 0) != (method == "HEAD") {
				t.Errorf("%s %s: %d bytes", method, c.target, w.Body.Len())
			}
		}
		for target, want := range map[string]int{
			c.target + "?limit=3": 422, c.target + "?cursor=0328BA3200000001": 422, c.target + "?status=lost": 422, c.target + "?bom=maybe": 422,
			strings.Replace(c.target, "crm-prod", "nobody", 1) + "?from=yesterday": 422,
		} {
			if w := ask(h, "GET", target, ""); w.Code != want {
				t.Errorf("%s: %d, want %d", target, w.Code, want)
			}
		}
		if w := ask(h, "GET", c.target, "", "Accept: application/json, image/*"); w.Code != 406 {
			t.Errorf("%s as JSON: %d", c.target, w.Code)
		}
	}
	if w := ask(h, "GET", "/callbacks/nobody/calls.csv", ""); w.Code != 404 {
		t.Errorf("an unknown callback: %d", w.Code)
	}
	if w := ask(h, "GET", "/calls.ndjson?bom=true", ""); w.Code != 422 {
		t.Errorf("lines with a byte order mark: %d", w.Code)
	}
}

// What breaks in the middle is not taken for the whole.
func TestExportBreaksOff(t *testing.T) {
	t.Parallel()
	for fail := 1; fail <= 4; fail++ {
		a := &archive{fixed: newFixed(), calls: 5 * exportPage, fail: fail}
		addr := serve(t, New(Options{Service: a}), "tcp", "127.0.0.1:0")
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/calls.csv", nil)
		if err != nil {
			t.Fatal(err)
		}
		tr := &http.Transport{DisableKeepAlives: true}
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		res.Body.Close() // it was read
		whole := fail <= 2
		if whole != (res.StatusCode == 500) || whole != (err == nil) || !whole && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("page %d fails: %d, %d bytes, %v", fail, res.StatusCode, len(b), err)
		}
		if strings.Contains(string(b), "fire") {
			t.Errorf("page %d fails: the reason is told: %.200s", fail, b)
		}
	}
}

// TestExportEndsWithItsKey: once its key is removed no further page is read, and
// what was sent is not taken for the whole.
func TestExportEndsWithItsKey(t *testing.T) {
	t.Parallel()
	keys := ring()()
	a := &archive{fixed: newFixed(), calls: 5 * exportPage}
	addr := serve(t, New(Options{Service: a, Keys: func() []callback.APIKey {
		if len(a.asked) >= 3 { // the newest call, and two pages
			return keys[:1] // the admin's
		}
		return keys
	}}), "tcp", "127.0.0.1:0")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/calls.ndjson", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "operator-key")
	tr := &http.Transport{DisableKeepAlives: true}
	res, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(res.Body)
	res.Body.Close() // it was read
	if lines := bytes.Count(b, []byte("\n")); res.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || len(a.asked) != 3 || lines != 2*exportPage {
		t.Errorf("%d, %d calls, %v, %d pages read", res.StatusCode, lines, err, len(a.asked))
	}
}

// A reader that takes nothing for a minute is cut; one that is slow but takes
// something gets it all.
func TestExportWaitsForItsReader(t *testing.T) {
	for _, pause := range []time.Duration{40 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			a := &archive{fixed: newFixed(), calls: 4 * exportPage, size: 4096}
			l := newPipeListener()
			s := Server(New(Options{Service: a}))
			go func() { _ = s.Serve(l) }() // it ends with Close
			defer s.Close()
			conn := l.dial()
			defer conn.Close()
			if _, err := io.WriteString(conn, "GET /calls.ndjson HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			got := slowly(conn, pause)
			if whole := bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")); whole != (pause < exportTime) {
				t.Errorf("a reader that takes a break of %v gets %d bytes, whole %v", pause, len(got), whole)
			}
		})
	}
}

// slowly reads to the end, with a pause after each 200 KiB.
func slowly(conn net.Conn, pause time.Duration) (got []byte) {
	for {
		part, err := io.ReadAll(io.LimitReader(conn, 200<<10))
		got = append(got, part...)
		if err != nil || len(part) == 0 {
			return got
		}
		time.Sleep(pause)
	}
}

func TestCSVRow(t *testing.T) {
	t.Parallel()
	a := &archive{fixed: newFixed(), calls: 1}
	v := &a.fixed.calls[0]
	v.Response.From.Name, v.Response.From.Mobile = `O"Brien, Zoë`, "+61430984567"
	v.Response.Params = []callback.Param{{Key: "b", Value: "2"}, {Key: "a", Value: "=1"}}
	v.ResolvedBy = "@ana"
	w := ask(New(Options{Service: a}), "GET", "/calls.csv?bom=true", "")
	text, marked := strings.CutPrefix(w.Body.String(), "\ufeff")
	if !marked || strings.Contains(strings.ReplaceAll(text, "\r\n", ""), "\n") {
		t.Errorf("byte order mark %v, or a line that does not end in CR LF: %q", marked, text)
	}
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	want := map[string]string{
		"id": "0000000000000001", "callbackId": "B3EDFE83DF389DFE", "callback": "crm-prod", "url": v.URL,
		"messageId": v.Response.MessageID, "messageLocation": v.Response.MessageLocation, "fromName": `O"Brien, Zoë`, "fromMri": v.Response.From.MRI,
		"fromMobile": "'+61430984567", "fromEmail": v.Response.From.Email, "fromVoice": v.Response.From.Voice,
		"channel": v.Response.Message.Channel, "acknowledged": v.Response.Message.Acknowledged, "undeliverable": "", "content": "",
		"customParameters": `{"b":"2","a":"=1"}`, "status": "FAILED", "state": string(v.State), "reason": "", "attempts": "2",
		"attemptedDate": "2026-03-01T09:12:03.900Z", "statusCode": "0", "statusMessage": "connection refused", "error": "refused",
		"errorMessage": "Connection refused", "durationMs": "4.2", "enqueuedDate": date(v.Enqueued), "firstFailedDate": date(v.FirstFailed),
		"nextAttemptDate": date(v.Due), "giveUpDate": date(v.GivesUp), "finishedDate": "", "resolvedBy": "'@ana",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"": "", "Yes, I accept.": "Yes, I accept.", "a=b": "a=b", "1-2": "1-2", "a\nb": "a\nb", "👍": "👍", "'=1": "'=1",
		"=SUM(A1:A9)": "'=SUM(A1:A9)", "+1": "'+1", "-1": "'-1", "@a": "'@a", "\t=1": "'\t=1", "\ra": "'\ra", "\na": "'\na", "  =1": "'  =1", "\u00a0@": "'\u00a0@", " \r": "' \r", " a": " a",
		"＝1": "'＝1", "＋": "'＋", "－x": "'－x", "＠": "'＠",
		"a\x00b\x1b[1m": "a\ufffdb\ufffd[1m", "\x9bx": "\ufffdx", "\u202ea": "\ufffda", "\ufeff=1": "\ufffd=1", "a\tb": "a\tb",
	} {
		if got := cell(s); got != want {
			t.Errorf("cell %q: %q, want %q", s, got, want)
		}
	}
}

// FuzzCell holds that a cell is read back as it was written, begins no formula
// and steers no terminal.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"=1", "\t@", "a\"b\r\n,", "\u202e＝", "\xff+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := cell(s)
		if strings.ContainsAny(firstOf(got), "=+-@\t\r\n＝＋－＠") || strings.ContainsAny(got, "\x00\x07\x08\x1b\x7f\u0085\u009b\u202e\u2066") {
			t.Fatalf("%q became %q", s, got)
		}
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.Write([]string{got, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		back, err := csv.NewReader(&b).Read()
		if err != nil || len(back) != 2 || strings.ReplaceAll(back[0], "\r", "") != strings.ReplaceAll(got, "\r", "") {
			t.Fatalf("%q was read back as %q, %v", got, back, err)
		}
	})
}

func firstOf(s string) string {
	for _, r := range strings.TrimLeft(s, " \u00a0") {
		return fmt.Sprintf("%c", r)
	}
	return ""
}
