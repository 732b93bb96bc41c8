package api

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"ringback/callback"
)

// bad is a request that must be refused: how, and naming what.
type bad struct {
	method, target, body string
	status               int
	names                string   // the field of one of the errors, or how it begins…; or what stands in the detail
	head                 []string // "Name: value"
}

// badRequests is all of them.
func badRequests() []bad {
	return slices.Concat(badCallbacks(), badResponses(), badSyntax(), badQueries(), badKeys(), badHeaders(), badXML(), badFieldsXML())
}

// badCall is the only call there is when bad requests come.
const badCall = callback.CallID(0x0328BA3200000001)

// newBadTarget returns a real service that has one callback with one call, and
// what tells whether either was touched.
func newBadTarget(t *testing.T) (f *fake, state func() string) {
	f = newFake(t)
	d := callback.Draft{Name: ptr("crm-prod"), URL: ptr("http://127.0.0.1:1/"), AuthType: ptr(callback.AuthHeader), AuthKey: ptr("canary")}
	if _, err := f.Create(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	f.calls = []*fakeCall{{entry: callback.Entry{ID: badCall, Num: 1, Status: callback.Failed, Reason: callback.RetriesOff}}}
	return f, func() string {
		f.mu.Lock()
		defer f.mu.Unlock()
		b := fmt.Sprint(len(f.alerts))
		for _, c := range f.cbs {
			b += fmt.Sprintf(" %+v", *c)
		}
		for _, c := range f.calls {
			b += fmt.Sprintf(" %+v", *c)
		}
		return b
	}
}

// TestBadRequests sends what is wrong to a real service, through the handler
// and over real connections: each is refused with what is at fault named,
// nothing is stored or changed, and nothing reaches the log.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	f, state := newBadTarget(t)
	h := New(Options{Service: f, Log: slog.New(slog.NewTextHandler(&log, nil))})
	addr := serve(t, h, "tcp", "127.0.0.1:0")
	before, distinct := state(), map[string]bool{}
	for _, c := range badRequests() {
		name := fmt.Sprintf("%s %.120s %.120q %.80q", c.method, c.target, c.body, c.head)
		distinct[c.method+c.target+c.body+strings.Join(c.head, "\n")] = true
		w := ask(h, c.method, c.target, c.body, c.head...)
		c.check(t, name, w.Code, w.Header(), w.Body.Bytes())
		if res, body := c.send(t, addr); len(c.target) > 16<<10 {
			if res.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("%s over a connection: %d, want 431", name, res.StatusCode)
			}
		} else {
			c.check(t, name+" over a connection", res.StatusCode, res.Header, body)
		}
		if now := state(); now != before {
			t.Errorf("%s: changed\n%s\nto\n%s", name, before, now)
			before = now
		}
	}
	if len(distinct) < 300 {
		t.Errorf("%d bad requests; at least 300", len(distinct))
	}
	t.Logf("%d distinct bad requests", len(distinct))
	if log.Len() > 0 {
		t.Errorf("logged: %s", &log)
	}
}

// check fails unless an answer refuses c as it should.
func (c *bad) check(t *testing.T, name string, status int, head http.Header, body []byte) {
	t.Helper()
	p, err := readProblem(head.Get("Content-Type"), body)
	if err != nil || status != c.status || p.Status != c.status || p.Title == "" || p.Detail == "" {
		t.Errorf("%s: got %d %s %s, %v; want %d", name, status, head.Get("Content-Type"), body, err, c.status)
		return
	}
	begin, open := strings.CutSuffix(c.names, "…")
	found := strings.Contains(p.Detail, c.names)
	for _, f := range p.Errors {
		found = found || f.Field == c.names || open && strings.HasPrefix(f.Field, begin)
		if f.Message == "" {
			t.Errorf("%s: no message for %s", name, f.Field)
		}
	}
	if !found {
		t.Errorf("%s: %q is not named in %s", name, c.names, body)
	}
	if len(body) > 64<<10 {
		t.Errorf("%s: the refusal has %d bytes", name, len(body))
	}
	for _, need := range map[int][]string{405: {"Allow"}, 406: nil, 415: {"Accept", "Accept-Encoding"}}[status] {
		if need == "Allow" && head.Get(need) == "" || status == 415 && head.Get("Accept")+head.Get("Accept-Encoding") == "" {
			t.Errorf("%s: no %s in %v", name, need, head)
		}
	}
}

// readProblem reads problem details in either form.
func readProblem(media string, body []byte) (p problem, err error) {
	switch media {
	case "application/problem+json":
		return p, decodeJSON(body, &p)
	case "application/problem+xml":
		var x struct {
			XMLName xml.Name `xml:"urn:ietf:rfc:7807 problem"`
			Title   string   `xml:"title"`
			Status  int      `xml:"status"`
			Detail  string   `xml:"detail"`
			Errors  []struct {
				Field   string `xml:"field"`
				Message string `xml:"message"`
			} `xml:"errors>i"`
		}
		err := xml.Unmarshal(body, &x)
		p = problem{Title: x.Title, Status: x.Status, Detail: x.Detail}
		for _, e := range x.Errors {
			p.Errors = append(p.Errors, callback.FieldError(e))
		}
		return p, err
	}
	return p, fmt.Errorf("%q are no problem details", media)
}

// send sends c over a connection of its own.
func (c *bad) send(t *testing.T, addr string) (*http.Response, []byte) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() // a test
	var b strings.Builder
	has := func(name string) bool {
		return slices.ContainsFunc(c.head, func(line string) bool { return strings.HasPrefix(line, name+":") })
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nConnection: close\r\n", c.method, c.target)
	if !has("Host") {
		b.WriteString("Host: localhost\r\n")
	}
	if c.body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(c.body))
	}
	if c.body != "" && !has("Content-Type") {
		b.WriteString("Content-Type: application/json\r\n")
	}
	for _, line := range c.head {
		b.WriteString(line + "\r\n")
	}
	go io.WriteString(conn, b.String()+"\r\n"+c.body) // it may be refused before it is all there
	return answer(t, conn)
}

// answer reads the one answer of a connection.
func answer(t *testing.T, conn net.Conn) (*http.Response, []byte) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer res.Body.Close() // a test
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("read an answer: %v", err)
	}
	return res, body
}
