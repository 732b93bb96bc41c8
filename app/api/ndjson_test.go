package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

const ndjson = "Content-Type: application/x-ndjson"

// answersOf returns what became of each line: its status word, or the status of
// its error with the line.
func answersOf(t *testing.T, body []byte) (out []string) {
	t.Helper()
	for raw := range bytes.Lines(body) {
		var s enqueuedShape
		if err := decodeJSON(raw, &s); err != nil || raw[len(raw)-1] != '\n' {
			t.Fatalf("an answer is %q: %v", raw, err)
		}
		word := s.Status
		if s.Repeat {
			word += " repeat"
		}
		if s.Error != nil {
			word = fmt.Sprint(s.Error.Status, " at ", s.Line)
		}
		out = append(out, word)
	}
	return out
}

func TestLines(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 40 << 10})
	long := func(n int) string {
		head, tail := `{"callbackId":"crm-prod","responseMessage":{"content":"`, `"}}`
		return head + strings.Repeat("x", n-len(head)-len(tail)) + tail
	}
	const ok, to = `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}`, `{"messageId":"stored","responseMessage":{}}`
	for _, c := range []struct{ name, body, want string }{
		{"none", "", ""},
		{"blank", "\n \r\n\t\n", ""},
		{"one", ok + "\n", "PENDING"},
		{"last without an end", ok + "\n" + ok, "PENDING|PENDING"},
		{"carriage returns", ok + "\r\n\r\n " + ok + " \r\n", "PENDING|PENDING"},
		{"kinds", `{"callbackId":"crm-prod","messageId":"skipped","responseMessage":{}}` + "\n" + `{"callbackId":"crm-prod","messageId":"repeat","responseMessage":{}}` + "\n", "SKIPPED|FAILED repeat"},
		{
			"faults in order", to + "\n" + ok + "\n\n{\n" + `{"callbackId":"nobody","responseMessage":{}}` + "\n[]\n5\n" + `{"callbackId":"crm-prod","responseMessage":{},"from":7}` + "\n" + ok + "\n",
			"422 at 1|PENDING|400 at 4|404 at 5|422 at 6|422 at 7|422 at 8|PENDING",
		},
		{"two on a line", ok + ok + "\n" + ok, "400 at 1|PENDING"},
		{"twice a name", `{"callbackId":"crm-prod","callbackId":"crm-prod"}` + "\n" + ok, "400 at 1|PENDING"},
		{"mark", "\ufeff" + ok + "\n" + ok, "400 at 1|PENDING"},
		{"no UTF-8", "\xff\n" + ok, "400 at 1|PENDING"},
		{"zeros", "\x00\n\x00\x00", "400 at 1|400 at 2"},
		{"deep", strings.Repeat("[", 100) + "\n" + ok, "400 at 1|PENDING"},
		{"as long as may be", ok + "\n" + long(40<<10) + "\r\n" + ok, "PENDING|PENDING|PENDING"},
		{"too long", ok + "\n" + long(40<<10+1) + "\n" + ok, "PENDING|413 at 2|PENDING"},
		{"much too long", long(1<<20) + "\n" + ok, "413 at 1|PENDING"},
		{"too long at the end", ok + "\n" + long(1<<20), "PENDING|413 at 2"},
		{"too long by one at the end", long(40<<10 + 1), "413 at 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(h, "POST", "/responses", c.body, ndjson)
			if got := strings.Join(answersOf(t, w.Body.Bytes()), "|"); w.Code != 202 || got != c.want || w.Header().Get("Content-Type") != "application/x-ndjson" {
				t.Errorf("%d %s\ngot  %s\nwant %s", w.Code, w.Header().Get("Content-Type"), got, c.want)
			}
		})
	}
	w := ask(h, "POST", "/callbacks/crm-prod/responses", to+"\n"+ok+"\n"+`{"callbackId":"B3EDFE83DF389DFE","responseMessage":{}}`+"\n"+`{"callbackId":"CRM-prod","responseMessage":{}}`+"\n", ndjson)
	if got := strings.Join(answersOf(t, w.Body.Bytes()), "|"); w.Code != 202 || got != "PENDING|PENDING|PENDING|422 at 4" {
		t.Errorf("for the callback of the path: %d %s", w.Code, got)
	}
	if !whole(h) {
		t.Error("memory was not given back")
	}
}

func TestLinesHeaders(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	const ok = `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}`
	for _, c := range []struct {
		target, head string
		status       int
	}{
		{"/responses", "Accept: application/x-ndjson", 202},
		{"/responses", "Accept: application/json", 202},
		{"/responses", "Accept: */*", 202},
		{"/responses", "Content-Type: application/jsonl; charset=utf-8", 202},
		{"/responses", "Content-Type: Application/X-JsonLines", 202},
		{"/responses", "Content-Encoding: gzip", 415},
		{"/responses", "Accept: text/html", 406},
		{"/responses", "Idempotency-Key: a", 422},
		{"/callbacks/nobody/responses", "Accept: */*", 404},
		{"/callbacks", "Accept: */*", 415},
	} {
		head := []string{ndjson, c.head}
		if strings.HasPrefix(c.head, "Content-Type") {
			head = head[1:]
		}
		if w := ask(h, "POST", c.target, ok, head...); w.Code != c.status {
			t.Errorf("%s with %s: got %d %s, want %d", c.target, c.head, w.Code, w.Body, c.status)
		}
	}
}

// conversation is a stream on which both sides talk by turns, over a real
// connection.
type conversation struct {
	t   *testing.T
	in  *io.PipeWriter
	res *http.Response
	out *bufio.Scanner
}

func converse(t *testing.T, client *http.Client, target string) *conversation {
	t.Helper()
	body, in := io.Pipe()
	r, err := http.NewRequestWithContext(t.Context(), "POST", target, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	res, err := client.Do(r) // before a line was sent
	if err != nil || res.StatusCode != http.StatusAccepted {
		t.Fatalf("open a stream: %v, %v", res, err)
	}
	t.Cleanup(func() { res.Body.Close(); in.Close() })
	return &conversation{t, in, res, bufio.NewScanner(res.Body)}
}

func (c *conversation) say(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.in, s); err != nil {
		c.t.Fatalf("send %.80q: %v", s, err)
	}
}

// hear returns the next answer, "" when there is none any more.
func (c *conversation) hear() string {
	c.t.Helper()
	if !c.out.Scan() {
		return ""
	}
	return answersOf(c.t, append(c.out.Bytes(), '\n'))[0]
}

func plainHTTP(t *testing.T) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

const stored = `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}` + "\n"

// TestLinesAreAnsweredAtOnce has a client that sends nothing more before it got
// its answer.
func TestLinesAreAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	addr := serve(t, New(Options{Service: newFixed()}), "tcp", "127.0.0.1:0")
	c := converse(t, plainHTTP(t), "http://"+addr+"/responses")
	for i := range 50 {
		c.say(stored)
		if got := c.hear(); got != "PENDING" {
			t.Fatalf("answer %d: %q", i, got)
		}
	}
	c.say(stored[:20])
	c.say(stored[20:])
	c.say("\n{\n")
	if got := c.hear() + "|" + c.hear(); got != "PENDING|400 at 53" {
		t.Fatalf("answers: %q", got)
	}
	c.say(stored[:len(stored)-1])
	c.in.Close()
	if got := c.hear() + "|" + c.hear(); got != "PENDING|" || c.out.Err() != nil {
		t.Fatalf("at the end: %q, %v", got, c.out.Err())
	}
}

// logged is a log that is read while it may be written.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }

func (l *logged) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// gated is a Service whose Enqueue waits until it is let through.
type gated struct {
	*fixed
	came chan int   // how many items came
	pass chan error // what is answered
}

func newGated() *gated { return &gated{newFixed(), make(chan int), make(chan error)} }

func (g *gated) Enqueue(ctx context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	g.came <- len(items)
	if err := <-g.pass; err != nil {
		return nil, err
	}
	return g.fixed.Enqueue(ctx, items)
}

// counted counts what is read of a body.
type counted struct {
	io.Reader
	mu sync.Mutex
	n  int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
	return n, err
}

func (c *counted) read() int { c.mu.Lock(); defer c.mu.Unlock(); return c.n }

// TestLinesAreBounded has a store that stands still: no more is read than a few
// batches. What waits meanwhile goes in one batch.
func TestLinesAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGated()
		h := New(Options{Service: g})
		const total = 5000
		body := &counted{Reader: strings.NewReader(strings.Repeat(stored, total))}
		r := httptest.NewRequest("POST", "http://localhost/responses", body)
		r.Header.Set("Content-Type", "application/x-ndjson")
		w := httptest.NewRecorder()
		done := make(chan struct{})
		go func() { defer close(done); h.ServeHTTP(w, r) }()
		left := total
		for round := 0; left > 0; round++ {
			n := <-g.came
			synctest.Wait()
			if left -= n; n > sliceItems || round > 0 && left > 0 && n < sliceItems/2 {
				t.Fatalf("batch %d has %d items", round, n)
			}
			if ahead := body.read()/len(stored) - (total - left); ahead > 2*sliceItems+2*readAhead/len(stored) {
				t.Fatalf("while a batch is committed %d lines more are in memory", ahead)
			}
			g.pass <- nil
		}
		<-done
		if got := answersOf(t, w.Body.Bytes()); len(got) != total {
			t.Fatalf("%d answers", len(got))
		}
		if !whole(h) {
			t.Error("memory was not given back")
		}
	})
}

// TestLinesWhileTheStoreCannot has a store that refuses some batches: their
// items are answered so, and the stream goes on.
func TestLinesWhileTheStoreCannot(t *testing.T) {
	t.Parallel()
	g := newGated()
	var log logged
	addr := serve(t, New(Options{Service: g, Log: slog.New(slog.NewTextHandler(&log, nil))}), "tcp", "127.0.0.1:0")
	c := converse(t, plainHTTP(t), "http://"+addr+"/responses")
	for i, step := range []struct {
		err  error
		want string
	}{
		{nil, "PENDING"},
		{callback.Errorf(callback.CodeUnavailable, "the disk is full"), "503 at 2"},
		{nil, "PENDING"},
		{errors.New("broken"), "500 at 4"},
	} {
		c.say(stored)
		<-g.came
		g.pass <- step.err
		if got := c.hear(); got != step.want {
			t.Fatalf("answer %d: %q, want %q", i, got, step.want)
		}
	}
	if got := c.hear(); got != "" || c.out.Err() != nil {
		t.Fatalf("after an internal error: %q, %v", got, c.out.Err())
	}
	if !strings.Contains(log.String(), "broken") {
		t.Errorf("logged: %s", &log)
	}
}

// TestLinesEndWithTheServer has a stream open when nothing more is accepted:
// what was read is answered, and the stream ends.
func TestLinesEndWithTheServer(t *testing.T) {
	t.Parallel()
	g := newGated()
	ending := make(chan struct{})
	addr := serve(t, New(Options{Service: g, Ending: ending}), "tcp", "127.0.0.1:0")
	c := converse(t, plainHTTP(t), "http://"+addr+"/responses")
	c.say(stored + stored + `{"callbackId":`)
	n := <-g.came
	close(ending)
	for g.pass <- nil; n < 2; n++ {
		<-g.came
		g.pass <- nil
	}
	if got := c.hear() + "|" + c.hear() + "|" + c.hear(); got != "PENDING|PENDING|" || c.out.Err() != nil {
		t.Fatalf("answers: %q, %v", got, c.out.Err())
	}
}

// TestShutdownWaitsForLines has the server end: the stream is over before.
func TestShutdownWaitsForLines(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := Server(New(Options{Service: newFixed()}))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	c := converse(t, plainHTTP(t), "http://"+l.Addr().String()+"/responses")
	c.say(stored)
	if got := c.hear(); got != "PENDING" {
		t.Fatalf("answer: %q", got)
	}
	down := make(chan error, 1)
	go func() { down <- s.Shutdown(t.Context()) }()
	if got := c.hear(); got != "" || c.out.Err() != nil { // or this hangs
		t.Errorf("at the end: %q, %v", got, c.out.Err())
	}
	if err := <-down; err != nil || <-ended != http.ErrServerClosed {
		t.Errorf("shut down: %v", err)
	}
}

// TestLinesCutShort has a client that goes away: the part of a line that came is
// no line.
func TestLinesCutShort(t *testing.T) {
	t.Parallel()
	g := newGated()
	addr := serve(t, New(Options{Service: g}), "tcp", "127.0.0.1:0")
	for _, head := range []string{"Content-Length: 100000", "Transfer-Encoding: chunked"} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		last := stored[:len(stored)-1] // it would be a line at the end of a body
		if strings.HasPrefix(head, "T") {
			last = fmt.Sprintf("%x\r\n%s\r\n", len(stored)+len(last), stored+last)
		} else {
			last = stored + last
		}
		fmt.Fprintf(conn, "POST /responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n%s\r\n\r\n%s", head, last)
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if n := <-g.came; n != 1 {
			t.Errorf("%s: %d items came", head, n)
		}
		g.pass <- nil
		answer, err := io.ReadAll(conn)
		if n := strings.Count(string(answer), "PENDING"); n != 1 || err != nil {
			t.Errorf("%s: %q, %v", head, answer, err)
		}
		conn.Close()
	}
}

// TestLinesStandStill has a sender that sends nothing for a minute, and one that
// takes no answers: each is cut, and whoever does a little now and then is not.
func TestLinesStandStill(t *testing.T) {
	t.Parallel()
	open := func(t *testing.T) (net.Conn, *http.Server, *handler) {
		h := New(Options{Service: newFixed()})
		l, s := newPipeListener(), Server(h)
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		t.Cleanup(func() {
			s.Close()
			<-ended
		})
		conn := l.dial()
		fmt.Fprintf(conn, "POST /responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 10000000\r\n\r\n")
		return conn, s, h.(*handler)
	}
	t.Run("sender", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			conn, _, h := open(t)
			in := bufio.NewReader(conn)
			res, err := http.ReadResponse(in, nil)
			if err != nil || res.StatusCode != 202 {
				t.Fatalf("%v, %v", res, err)
			}
			out := bufio.NewScanner(res.Body)
			for range 10 {
				time.Sleep(idle - time.Second)
				_, _ = io.WriteString(conn, stored) // the answer tells
				if !out.Scan() {
					t.Fatalf("cut though it sent something: %v", out.Err())
				}
			}
			start := time.Now()
			if out.Scan() || out.Err() != nil {
				t.Fatalf("an answer without a line: %q, %v", out.Text(), out.Err())
			}
			if took := time.Since(start); took != idle {
				t.Errorf("cut after %v", took)
			}
			if _, err := io.ReadAll(in); err != nil {
				t.Errorf("the connection stays open: %v", err)
			}
			synctest.Wait()
			if !whole(h) {
				t.Error("memory was not given back")
			}
		})
	})
	t.Run("reader", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			conn, _, h := open(t)
			in := bufio.NewReader(conn)
			if res, err := http.ReadResponse(in, nil); err != nil || res.StatusCode != 202 {
				t.Fatalf("%v, %v", res, err)
			}
			start := time.Now()
			sent := 0
			for ; ; sent++ {
				if _, err := io.WriteString(conn, stored); err != nil {
					break
				}
			}
			if took := time.Since(start); took < idle || took > 2*idle || sent > 4*sliceItems {
				t.Errorf("cut after %v and %d lines", took, sent)
			}
			synctest.Wait()
			if !whole(h) {
				t.Error("memory was not given back")
			}
		})
	})
}

// TestLinesSurviveAPanic has a service break: the stream is cut, the server
// lives.
func TestLinesSurviveAPanic(t *testing.T) {
	t.Parallel()
	var log logged
	addr := serve(t, New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))}), "tcp", "127.0.0.1:0") // no service: every call panics
	c := converse(t, plainHTTP(t), "http://"+addr+"/responses")
	c.say(stored)
	if got := c.hear(); got != "" || c.out.Err() == nil {
		t.Fatalf("answer %q, %v; want the connection cut", got, c.out.Err())
	}
	if !strings.Contains(log.String(), "nil pointer") {
		t.Errorf("logged: %s", &log)
	}
	res, err := plainHTTP(t).Get("http://" + addr + "/healthz")
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("afterwards: %v, %v", res, err)
	}
	res.Body.Close()
}

// FuzzLines sends any bytes: each line that is not blank has its answer, in
// order, and what is a response is read as it is read alone.
func FuzzLines(f *testing.F) {
	f.Add([]byte(stored+"\n \r\n{}\n"+kilobyte()), 7)
	f.Add([]byte(strings.Repeat("x", 3000)+"\n"+stored), 100)
	f.Add([]byte("\n\n\x00\n\xff\r\r\n"+stored[:20]), 1)
	f.Fuzz(func(t *testing.T, body []byte, piece int) {
		h := New(Options{Service: newFixed(), MaxBody: 2048})
		r := httptest.NewRequest("POST", "http://localhost/responses", &pieces{body, max(piece, 1)})
		r.Header.Set("Content-Type", "application/x-ndjson")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		got := answersOf(t, w.Body.Bytes())
		number := 0
		for raw := range bytes.Lines(body) {
			number++
			trimmed := bytes.TrimSpace(raw)
			if len(trimmed) == 0 {
				continue
			}
			if len(got) == 0 {
				t.Fatalf("line %d has no answer", number)
			}
			want := ask(h, "POST", "/responses", string(trimmed)).Code
			switch {
			case len(bytes.TrimRight(raw, "\r\n")) > 2048:
				want = 413
			case first(trimmed) == '[':
				want = 422
				if _, err := parseJSON(trimmed, room{left: 1024}); err != nil {
					want = 400
				}
			}
			if errored := strings.HasSuffix(got[0], fmt.Sprint(" at ", number)); errored != (want >= 400) || errored && got[0] != fmt.Sprint(want, " at ", number) {
				t.Fatalf("line %d %q: answered %q, alone %d", number, trimmed, got[0], want)
			}
			got = got[1:]
		}
		if len(got) > 0 || !whole(h) {
			t.Fatalf("more answers than lines: %q; or memory is not given back", got)
		}
	})
}

// pieces gives a body in pieces.
type pieces struct {
	left []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(len(p.left), p.size)])
	p.left = p.left[n:]
	return n, nil
}
