package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// lines returns a reader of the lines of a stream.
func lines(t *testing.T, r io.Reader) func() watchLine {
	in := bufio.NewScanner(r)
	in.Buffer(nil, maxLine)
	return func() watchLine {
		t.Helper()
		if !in.Scan() {
			t.Fatalf("the stream ended: %v", in.Err())
		}
		var l watchLine
		if err := decodeJSON(in.Bytes(), &l); err != nil {
			t.Fatalf("line %s: %v", in.Bytes(), err)
		}
		return l
	}
}

func TestWatchSendsAllAndThenChanges(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	url := "http://127.0.0.1:1/"
	for _, name := range []string{"one", "two"} {
		if _, err := f.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
			t.Fatal(err)
		}
	}
	addr := serve(t, New(Options{Service: f}), "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + addr})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := c.send(ctx, &exchange{method: "GET", path: "/watch", header: http.Header{}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // a test
	next := lines(t, res.Body)
	for _, want := range []string{"one", "two"} {
		if l := next(); l.Rev != 0 || l.Callback == nil || l.Callback.Name != want || l.Callback.State != "healthy" {
			t.Fatalf("first lines: %+v, want %s", l, want)
		}
	}
	if err := f.Suspend(ctx, "two", "me"); err != nil {
		t.Fatal(err)
	}
	if l := next(); l.Rev == 0 || l.Callback == nil || l.Callback.Name != "two" || l.Callback.State != "suspended" || l.Callback.SuspendedBy != "me" {
		t.Fatalf("after a suspend: %+v", l)
	}
	if err := f.Suspend(ctx, "two", "me"); err != nil { // a revision without a change that shows
		t.Fatal(err)
	}
	if l := next(); l.Rev == 0 || l.Callback != nil {
		t.Fatalf("after nothing: %+v", l)
	}
	if err := f.Delete(ctx, "one"); err != nil {
		t.Fatal(err)
	}
	if l := next(); l.Callback == nil || l.Callback.Name != "one" || !l.Callback.Deleted {
		t.Fatalf("after a delete: %+v", l)
	}
}

// TestWatchOutlivesTheServersDeadlines runs for longer than any of the server's
// time limits, in virtual time.
func TestWatchOutlivesTheServersDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixedWatch()
		l := newPipeListener()
		s := Server(New(Options{Service: f}))
		s.Handler = documented(s.Handler, func(err error) { t.Error(err) })
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		conn := l.dial()
		fmt.Fprint(conn, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		next := lines(t, res.Body)
		if l := next(); l.Callback == nil || l.Callback.Name != "crm-prod" {
			t.Fatalf("first line: %+v", l)
		}
		for range 40 { // ten minutes of heartbeats
			if l := next(); l.Callback != nil {
				t.Fatalf("heartbeat: %+v", l)
			}
		}
		now := time.Now()
		f.revs <- 7
		if l := next(); l.Rev != 7 || !time.Now().Equal(now) {
			t.Fatalf("after ten minutes: %+v %v later, want revision 7 at once", l, time.Since(now))
		}
		go io.Copy(io.Discard, conn) // a pipe holds nothing: the end of the stream must be read
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(now); took > time.Second {
			t.Fatalf("the shutdown waited %v for a stream", took)
		}
		if err := <-ended; err != http.ErrServerClosed {
			t.Fatal(err)
		}
		conn.Close() // a test
	})
}

// TestWatchCutsAStalledReader has a reader that takes nothing.
func TestWatchCutsAStalledReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s := Server(New(Options{Service: newFixedWatch()}))
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		conn := l.dial()
		fmt.Fprint(conn, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
		start := time.Now()
		time.Sleep(stalled + time.Second) // in the bubble's time
		if _, err := io.Copy(io.Discard, conn); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > stalled+2*time.Second {
			t.Fatalf("the reader was cut after %v, want %v", took, stalled)
		}
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-ended
		conn.Close() // a test
	})
}

// TestClientGivesUpASilentStream has a server that stops sending, after one
// line or after none.
func TestClientGivesUpASilentStream(t *testing.T) {
	for _, sent := range []int{0, 2} {
		synctest.Test(t, func(t *testing.T) {
			l := newPipeListener()
			s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusOK)
				w.(http.Flusher).Flush()
				for i := range sent {
					time.Sleep(silence / 2) // in the bubble's time
					fmt.Fprintf(w, "{\"rev\":%d}\n", i+1)
					w.(http.Flusher).Flush()
				}
				<-r.Context().Done()
			})}
			go s.Serve(l) // closed below
			c := newClient(t, ClientOptions{URL: "http://localhost"})
			c.http.Transport.(keyed).Transport.DialContext = l.dialContext
			revs, err := c.Watch(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			start, got := time.Now(), 0
			for range revs {
				got++
			}
			if want := silence + time.Duration(sent)*silence/2; got != sent || time.Since(start) != want {
				t.Fatalf("%d lines, closed after %v; want %d lines and %v", got, time.Since(start), sent, want)
			}
			s.Close() // a test
		})
	}
}

// TestClientKeepsEverything compares what comes through the wire with what went
// in, to the millisecond: a front end must see the same either way.
func TestClientKeepsEverything(t *testing.T) {
	t.Parallel()
	f := newFixed()
	addr := serve(t, New(Options{Service: f}), "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + addr})
	ctx := t.Context()
	same := []cmp.Option{
		cmp.Transformer("milliseconds", func(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }),
		cmp.Comparer(func(a, b callback.Secret) bool { return a.String() == b.String() }),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Num" || p.Last().String() == ".Embedded" }, cmp.Ignore()), // inside only
	}
	check := func(what string, want, got any, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got, same...); diff != "" {
			t.Errorf("%s (-in process +over HTTP):\n%s", what, diff)
		}
	}
	server, err := c.Server(ctx)
	wantServer, _ := f.Server(ctx)
	check("server", wantServer, server, err)
	overview, err := c.Overview(ctx, 2)
	wantOverview, _ := f.Overview(ctx, 2)
	check("overview", wantOverview, overview, err)
	sq := callback.SeriesQuery{Window: time.Hour, Cells: 2}
	series, err := c.Series(ctx, sq)
	wantSeries, _ := f.Series(ctx, sq)
	check("series", wantSeries, series, err)
	causes, err := c.Causes(ctx, "crm-prod", time.Hour)
	wantCauses, _ := f.Causes(ctx, "", time.Hour)
	check("causes", wantCauses, causes, err)
	shape, err := c.QueueShape(ctx)
	wantShape, _ := f.QueueShape(ctx)
	check("queue", wantShape, shape, err)
	system, err := c.System(ctx)
	wantSystem, _ := f.System(ctx)
	check("system", wantSystem, system, err)
	lines, err := c.Log(ctx, 4710, 3)
	wantLines, _ := f.Log(ctx, 4710, 3)
	check("log", wantLines, lines, err)
	for _, chore := range callback.Chores {
		check(string(chore), nil, nil, c.Do(ctx, chore, "ana"))
	}
	health, err := c.Callback(ctx, "crm-prod")
	check("callback", f.health, health, err)
	list, total, err := c.Callbacks(ctx, callback.CallbackQuery{})
	check("callbacks", []callback.Health{f.health}, list, err)
	if total != 2 {
		t.Errorf("callbacks: total %d, want 2", total)
	}
	made, err := c.Create(ctx, callback.Draft{})
	check("create", f.health, made, err)
	changed, err := c.Update(ctx, "crm-prod", callback.Draft{}, 4)
	check("update", f.health, changed, err)
	call, err := c.Call(ctx, "crm-prod", f.calls[0].ID)
	check("call", f.calls[0], call, err)
	calls, err := c.Calls(ctx, callback.ListQuery{})
	wantCalls, _ := f.Calls(ctx, callback.ListQuery{})
	check("calls", wantCalls, calls, err)
	outages, err := c.Outages(ctx, callback.OutageQuery{Limit: 1})
	wantOutages, _ := f.Outages(ctx, callback.OutageQuery{})
	check("outages", wantOutages, outages, err)
	alerts, err := c.Alerts(ctx, callback.AlertQuery{Limit: 1})
	wantAlerts, _ := f.Alerts(ctx, callback.AlertQuery{})
	check("alerts", wantAlerts, alerts, err)
}

// TestClientSendsEveryField sends drafts and queries through the wire.
func TestClientSendsEveryField(t *testing.T) {
	t.Parallel()
	s, h := newSpy()
	addr := serve(t, h, "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + addr + "/"})
	ctx := t.Context()
	for _, d := range []callback.Draft{{}, {
		Name: ptr("n"), URL: ptr("u"), Email: ptr(""), Description: ptr("d"), AuthType: ptr(callback.AuthNone), AuthKey: ptr("k"),
		ContentType: ptr(callback.XML), RemoveHTML: ptr(false), Retries: ptr(false), Reply: ptr(true), Undeliverable: ptr(false),
		Alerts: ptr(callback.ModeOff), SigningSecret: ptr("s"), PreviousSecret: ptr("p"), MaxInFlight: ptr(0), RatePerSecond: ptr(0.25),
		Ordered: ptr(false), ConnectTimeout: ptr(time.Duration(0)), ResponseTimeout: ptr(90 * time.Second), CA: ptr("c"),
		Headers: &[]callback.Param{{Key: "z", Value: "1"}, {Key: "a", Value: "2"}},
	}, {AuthKey: ptr("k"), Undeliverable: ptr(true), Headers: &[]callback.Param{}}} {
		if _, err := c.Update(ctx, "crm-prod", d, 9); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(d, s.draft, cmp.Transformer("nil", func(p *[]callback.Param) []callback.Param {
			if p == nil {
				return nil
			}
			return append([]callback.Param{}, *p...)
		})); diff != "" || s.version != 9 {
			t.Errorf("draft, version %d (-sent +got):\n%s", s.version, diff)
		}
	}
	q := callback.ListQuery{
		Ref:    "a b%",
		After:  77,
		Oldest: true,
		Limit:  33,
		Filter: callback.Filter{
			Status:    callback.ListFailed | callback.ListPending,
			State:     callback.StateHeld,
			MessageID: "m&",
			Code:      503,
			Class:     "tls",
			From:      clock("08:00:00.123456"),
			To:        clock("09:00:00"),
			Text:      "ü +&",
		},
	}
	if _, err := c.Calls(ctx, q); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(q, s.list); diff != "" {
		t.Errorf("calls (-sent +got):\n%s", diff)
	}
	item := callback.NewResponse{Ref: "crm-prod", Response: callback.Response{
		MessageID: "m", MessageLocation: "l", From: callback.From{Name: "n", MRI: "r", Mobile: "1", Email: "e", Voice: "v"},
		Message: callback.Message{Channel: "c", Acknowledged: "a", Undeliverable: "u", Content: "\x00<b>\u2028"},
		Params:  []callback.Param{{Key: "z", Value: "1"}, {Key: "a", Value: ""}}, DeliverAt: clock("10:00:00.5"), Key: "k",
	}}
	if _, err := c.Enqueue(ctx, []callback.NewResponse{item}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]callback.NewResponse{item}, s.items); diff != "" {
		t.Errorf("enqueue (-sent +got):\n%s", diff)
	}
	if _, err := c.SetStatus(ctx, "x", []callback.CallID{5}, callback.Failed, "fred"); err != nil || s.by != "fred" || s.status != callback.Failed {
		t.Errorf("status %v by %q, %v", s.status, s.by, err)
	}
}

// TestClientSendsMuch enqueues more than one request may hold.
func TestClientSendsMuch(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	url := "http://127.0.0.1:1/"
	h, err := f.Create(t.Context(), callback.Draft{Name: ptr("big"), URL: &url})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Suspend(t.Context(), "big", "test"); err != nil {
		t.Fatal(err)
	}
	addr := serve(t, New(Options{Service: f, MaxBody: 20_000}), "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + addr})
	items := make([]callback.NewResponse, 300)
	for i := range items {
		items[i] = callback.NewResponse{Ref: "big", Response: callback.Response{Message: callback.Message{Content: strings.Repeat("x", 2000)}}}
	}
	items[7].Response.Message.Content = strings.Repeat("x", 30_000)
	res, err := c.Enqueue(t.Context(), items)
	if err != nil || len(res) != len(items) {
		t.Fatalf("%d results of %d, %v", len(res), len(items), err)
	}
	last := callback.CallID(0)
	for i, r := range res {
		if i == 7 {
			if callback.ErrorCode(r.Err) != callback.CodeInvalid {
				t.Errorf("the one that is too large: %+v", r)
			}
			continue
		}
		if r.Err != nil || r.ID <= last || r.Callback != h.ID {
			t.Fatalf("item %d: %+v", i, r)
		}
		last = r.ID
	}
}

func TestClientReadsErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		kind, body string
		code       callback.Code
		text       string
	}{
		{422, problemType, `{"detail":"bad\u001b[2J","errors":[{"field":"a\u0007","message":"b\nc"}],"more":1}`, callback.CodeInvalid, "bad[2J: a: b c"},
		{404, "text/html", `<h1>`, callback.CodeNotFound, "Not Found"},
		{409, problemType, `{"title":"Conflict"}`, callback.CodeConflict, "Conflict"},
		{412, problemType, `{}`, callback.CodeStale, ""},
		{503, problemType, `{"detail":"the disk is full"}`, callback.CodeUnavailable, "the disk is full"},
		{401, problemType, `{"detail":"no key"}`, callback.CodeForbidden, "no key"},
		{500, problemType, `{"detail":"internal error","requestId":"ABC"}`, "", "internal error (request ABC)"},
		{302, "text/html", ``, "", ""},
		{200, "application/json", `{"name":`, "", "read the answer"},
		{200, "application/json", `[]`, "", "read the answer"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", c.kind)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.status)
			fmt.Fprint(w, c.body)
		}))
		cl := newClient(t, ClientOptions{URL: s.URL})
		_, err := cl.Server(t.Context())
		if err == nil || callback.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%d %s: got %q (%v), want %q with %q", c.status, c.body, callback.ErrorCode(err), err, c.code, c.text)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\x1b\x07\n") {
			t.Errorf("%d %s: the error has a control character: %q", c.status, c.body, err)
		}
		cl.Close()
		s.Close()
	}
}

func TestClientWithoutServer(t *testing.T) {
	t.Parallel()
	c := newClient(t, ClientOptions{Socket: t.TempDir() + "/nobody"})
	for what, err := range map[string]error{
		"server": second(c.Server(t.Context())), "watch": second(c.Watch(t.Context())), "enqueue": second(c.Enqueue(t.Context(), make([]callback.NewResponse, 1))),
	} {
		if err == nil || callback.ErrorCode(err) != "" || strings.Contains(err.Error(), "http://localhost/") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, o := range []ClientOptions{{}, {URL: "x", Socket: "y"}, {URL: "localhost:8480"}, {URL: "ftp://x"}, {URL: "http://u:p@x"}, {URL: "http://x/?a"}} {
		if _, err := NewClient(o); err == nil || strings.Contains(err.Error(), "u:p") && o.URL == "" {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestClientPassesItsContext(t *testing.T) {
	t.Parallel()
	entered := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(entered)
		<-r.Context().Done()
	}))
	t.Cleanup(s.Close)
	c := newClient(t, ClientOptions{URL: s.URL})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-entered; cancel() }()
	if _, err := c.Server(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want it to be cancelled", err)
	}
}
