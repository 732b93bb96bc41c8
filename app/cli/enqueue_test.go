package cli

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

	"ringback/app/api"
	"ringback/callback"
)

// taking is a Service that takes what is for "crm", and nothing more after some
// items.
type taking struct {
	callback.Service
	most  int // items; 0: any number
	taken int
	last  callback.CallID
}

func (s *taking) Enqueue(_ context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	out := make([]callback.EnqueueResult, len(items))
	for i, r := range items {
		switch {
		case r.Ref != "crm":
			out[i].Err = callback.Errorf(callback.CodeNotFound, "no callback has the id or name %q", r.Ref)
		case s.most > 0 && s.taken == s.most:
			out[i].Err = callback.Errorf(callback.CodeUnavailable, "the disk is full")
		default:
			s.taken++
			s.last++
			out[i] = callback.EnqueueResult{ID: s.last, Callback: 1}
		}
	}
	return out, nil
}

// desks returns a desk at a handler within this process, and one over HTTP.
func desks(t *testing.T, open func() http.Handler) map[string]*desk {
	srv := httptest.NewServer(open())
	t.Cleanup(srv.Close)
	client, err := api.NewClient(api.ClientOptions{URL: srv.URL})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return map[string]*desk{
		"in process": {http: &http.Client{Transport: inProcess{open()}}, base: "http://localhost", where: "here"},
		"over HTTP":  {http: &http.Client{Transport: client.Transport()}, base: srv.URL, where: srv.URL},
	}
}

const crm = `{"callbackId":"crm","responseMessage":{"content":"yes"}}` + "\n"

// enqueued enqueues a file and returns what was told of its lines.
func enqueued(d *desk, in io.Reader) (e *enqueuer, said []string, err error) {
	e = &enqueuer{desk: d, name: "f"}
	e.refused = func(r refusal) error { said = append(said, r.String()); return nil }
	err = e.all(context.Background(), in)
	return e, said, err
}

func TestEnqueueTellsInOrder(t *testing.T) {
	t.Parallel()
	for name, d := range desks(t, func() http.Handler { return api.New(api.Options{Service: &taking{}}) }) {
		lines := []string{
			strings.Replace(crm, "crm", "nobody", 1), "{\n", crm, "\n", "nonsense\n", strings.Replace(crm, "crm", "none", 1),
			strings.Repeat(crm, 3000), "{}\n", "[\n",
		}
		e, said, err := enqueued(d, strings.NewReader(strings.Join(lines, "")))
		if err != nil || e.tally.Read != 3007 || e.tally.Accepted != 3001 || e.tally.Refused != 6 {
			t.Errorf("%s: %+v, %v", name, e.tally, err)
		}
		want := []string{
			`f:1: no callback has the id or name "nobody"`, "f:2: is not JSON: it ends too early",
			`f:5: is not JSON: invalid character 'o' in literal null (expecting 'u')`, `f:6: no callback has the id or name "none"`,
			"f:3007: responseMessage is required where there is no messageId: what was answered, or that it could not be delivered", "f:3008: is not JSON: it ends too early",
		}
		if strings.Join(said, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s: told\n%s\nwant\n%s", name, strings.Join(said, "\n"), strings.Join(want, "\n"))
		}
	}
}

// TestEnqueueStops has a store that is full: what was stored before is counted,
// and the rest of the file is not read.
func TestEnqueueStops(t *testing.T) {
	t.Parallel()
	for name, d := range desks(t, func() http.Handler { return api.New(api.Options{Service: &taking{most: 100}}) }) {
		const total = 200_000
		e, said, err := enqueued(d, strings.NewReader(strings.Repeat(crm, total)))
		if err == nil || !strings.Contains(err.Error(), "stopped at line 101 of f: the disk is full") {
			t.Errorf("%s: %v", name, err)
		}
		if e.tally.Accepted != 100 || len(said) > 0 || e.tally.Read > total/2 {
			t.Errorf("%s: %+v, told %v", name, e.tally, said)
		}
	}
}

// TestEnqueueWhenTheServerEnds has an appliance shut down while a file is being
// sent and nothing more comes from it: that is told at once.
func TestEnqueueWhenTheServerEnds(t *testing.T) {
	t.Parallel()
	ending := make(chan struct{})
	d := desks(t, func() http.Handler { return api.New(api.Options{Service: &taking{}, Ending: ending}) })["over HTTP"]
	in, out := io.Pipe()
	defer out.Close()
	told := make(chan error, 1)
	e := &enqueuer{desk: d, name: "f"}
	e.refused = func(refusal) error { close(ending); return nil }
	go func() { told <- e.all(context.Background(), in) }()
	_, _ = io.WriteString(out, crm+"nonsense\n") // what is not read is seen in the tally
	if err := <-told; err == nil || !strings.Contains(err.Error(), "ringback ended behind line 2 of f") {
		t.Fatalf("got %v", err)
	}
	if e.tally.Accepted != 1 || e.tally.Refused != 1 {
		t.Errorf("%+v", e.tally)
	}
}

// TestEnqueueIsCutOff has a server that breaks off in the middle.
func TestEnqueueIsCutOff(t *testing.T) {
	t.Parallel()
	for name, d := range desks(t, func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c := http.NewResponseController(w)
			_ = c.EnableFullDuplex() // within the process there is no need to
			w.WriteHeader(http.StatusContinue)
			w.WriteHeader(http.StatusAccepted)
			in := bufio.NewReader(r.Body)
			for i := range 3 {
				_, _ = in.ReadString('\n')                       // the answer tells
				_, _ = fmt.Fprintf(w, "{\"id\":\"%016d\"}\n", i) // likewise
				_ = c.Flush()                                    // likewise
			}
			panic(http.ErrAbortHandler)
		})
	}) {
		e, _, err := enqueued(d, strings.NewReader(strings.Repeat(crm, 5)))
		if err == nil || !strings.Contains(err.Error(), "without an answer to line ") || e.tally.Accepted > 3 {
			t.Errorf("%s: %v, %+v", name, err, e.tally)
		}
	}
}

func TestEnqueueIsRefused(t *testing.T) {
	t.Parallel()
	for name, d := range desks(t, func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"title":"Unauthorized","status":401,"detail":"a key is needed"}`) // the test tells
		})
	}) {
		if _, _, err := enqueued(d, strings.NewReader(strings.Repeat(crm, 100_000))); err == nil || err.Error() != "a key is needed" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFeed has a source that gives a line now and then: each is sent at once,
// and something comes meanwhile.
func TestFeed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		in, out := io.Pipe()
		f := newFeed(in)
		got := make(chan string)
		go func() {
			defer close(got)
			b := make([]byte, 1<<10)
			for {
				n, err := f.Read(b)
				if n > 0 {
					got <- string(b[:n])
				}
				if err != nil {
					return
				}
			}
		}()
		start := time.Now()
		for range 3 {
			_, _ = io.WriteString(out, crm) // the feed tells
			if s := <-got; s != crm || time.Since(start) != 0 {
				t.Fatalf("sent %q after %v", s, time.Since(start))
			}
		}
		if s := <-got; s != "\n" || time.Since(start) != keepAlive {
			t.Fatalf("sent %q after %v", s, time.Since(start))
		}
		_, _ = io.WriteString(out, "{") // cut short
		_ = out.Close()                 // it never fails
		if s, open := <-got; open {
			t.Fatalf("sent %q", s)
		}
		var notes []string
		for it := range f.sent {
			notes = append(notes, fmt.Sprint(it.line, it.err != nil))
		}
		if want := "1 false,2 false,3 false,4 true"; strings.Join(notes, ",") != want {
			t.Fatalf("notes %v, want %s", notes, want)
		}
	})
}

// TestFeedNotesNoMoreThanItSends has lines so short that one Read has room for
// more of them than notes are kept: nobody takes a note before its line is sent,
// so Read must not wait for that.
func TestFeedNotesNoMoreThanItSends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const n = 3 * itemsSent
		in := make(chan item, n) // all is there: the source is ahead
		for i := range n {
			in <- item{line: i + 1, raw: []byte("1")}
		}
		close(in)
		f := &feed{sent: make(chan item, itemsSent), items: in, ended: make(chan struct{})}
		got := make(chan int)
		go func() {
			defer close(got)
			b := make([]byte, 32<<10)
			for {
				n, err := f.Read(b)
				if err != nil {
					return
				}
				got <- n / len("1\n")
			}
		}()
		lines := 0
		for {
			synctest.Wait()
			select {
			case k, open := <-got:
				if !open {
					if lines != n {
						t.Errorf("%d lines were sent, of %d", lines, n)
					}
					return
				}
				lines += k
				for range k {
					<-f.sent
				}
			default:
				f.stop() // or the test does not end
				<-got
				t.Fatalf("%d notes wait for lines that are not sent; %d were", len(f.sent), lines)
			}
		}
	})
}

// TestInProcess holds the transport to what a connection does.
func TestInProcess(t *testing.T) {
	t.Parallel()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "1")
		switch r.URL.Path {
		case "/none":
		case "/status":
			w.WriteHeader(http.StatusContinue)
			w.WriteHeader(http.StatusTeapot)
			w.Header().Set("X-A", "2")
			w.WriteHeader(http.StatusOK)
		case "/echo":
			_, err := io.Copy(w, r.Body)
			if err != nil && !errors.Is(err, io.ErrClosedPipe) {
				t.Errorf("echo: %v", err)
			}
		case "/abort":
			_, _ = io.WriteString(w, "half") // the test tells
			panic(http.ErrAbortHandler)
		}
	})
	client := &http.Client{Transport: inProcess{handler}}
	for _, c := range []struct {
		path   string
		status int
		want   string
		err    error
	}{{"/none", 200, "", nil}, {"/status", 418, "", nil}, {"/echo", 200, "hello", nil}, {"/abort", 200, "half", io.ErrUnexpectedEOF}} {
		res, err := client.Post("http://localhost"+c.path, "", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if res.StatusCode != c.status || string(got) != c.want || !errors.Is(err, c.err) || res.Header.Get("X-A") != "1" {
			t.Errorf("%s: %d %q %v %v", c.path, res.StatusCode, got, res.Header, err)
		}
		res.Body.Close()
	}
	in, out := io.Pipe()
	go func() { _, _ = io.WriteString(out, "x") }() // the answer tells
	res, err := client.Post("http://localhost/echo", "", in)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close() // ends the handler, though the request goes on
	if _, err := io.WriteString(out, "y"); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the request's body is not closed: %v", err)
	}
}
