package api

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestBadWire has what no HTTP library would send.
func TestBadWire(t *testing.T) {
	t.Parallel()
	f, state := newBadTarget(t)
	addr := serve(t, New(Options{Service: f}), "tcp", "127.0.0.1:0")
	before := state()
	const create = "POST /callbacks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	const body = `{"name":"a","url":"http://a/"}`
	for _, c := range []struct {
		name, raw string
		status    int
		names     string // in problem details; "": the server refuses before there can be any
	}{
		{"a length that is too long", create + "Content-Length: 31\r\n\r\n" + body, 400, "to its end"},
		{"a length that is too short", create + "Content-Length: 29\r\n\r\n" + body, 400, "early"},
		{"a huge length", create + "Content-Length: 9223372036854775807\r\n\r\n" + body, 413, "larger"},
		{"a length beyond 64 bits", create + "Content-Length: 18446744073709551616\r\n\r\n" + body, 400, ""},
		{"a negative length", create + "Content-Length: -1\r\n\r\n" + body, 400, ""},
		{"a length that is no number", create + "Content-Length: a\r\n\r\n" + body, 400, ""},
		{"two lengths", create + "Content-Length: 2\r\nContent-Length: 30\r\n\r\n" + body, 400, ""},
		{"no length", create + "\r\n" + body, 400, "empty"},
		{"a broken chunk", create + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body, 400, "to its end"},
		{"a chunk cut short", create + "Transfer-Encoding: chunked\r\n\r\nff\r\n" + body, 400, "to its end"},
		{"chunks without an end", create + "Transfer-Encoding: chunked\r\n\r\n1e\r\n" + body + "\r\n", 400, "to its end"},
		{"a header of 32 KiB", create + "X: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431, ""},
		{"4,000 headers", create + strings.Repeat("X: y\r\n", 4000) + "\r\n", 431, ""},
		{"a target of 32 KiB", "GET /callbacks/" + strings.Repeat("x", 32<<10) + " HTTP/1.1\r\nHost: localhost\r\n\r\n", 431, ""},
		{"no Host", "GET /callbacks HTTP/1.1\r\n\r\n", 400, ""},
		{"no Host, HTTP/1.0", "GET /callbacks HTTP/1.0\r\n\r\n", 403, "localhost"},
		{"two Hosts", "GET /callbacks HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, ""},
		{"another host in the target", "GET http://evil.example/callbacks HTTP/1.1\r\nHost: localhost\r\n\r\n", 403, "localhost"},
		{"a target that is no path", "GET callbacks HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, ""},
		{"a raw space in the target", "GET /callbacks?name=a b HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, ""},
		{"a method with a space", "GE T /callbacks HTTP/1.1\r\nHost: localhost\r\n\r\n", 400, ""},
		{"a name with a space", create + "Bad Name: a\r\n\r\n", 400, ""},
		{"a name with a space behind", create + "X-Name : a\r\n\r\n", 400, ""},
		{"NUL in a value", create + "Idempotency-Key: a\x00b\r\n\r\n", 400, ""},
		{"a line without a colon", create + "nothing\r\n\r\n", 400, ""},
		{"two content types", create + "Content-Type: application/xml\r\nContent-Length: 30\r\n\r\n" + body, 415, "Content-Type"},
		{"an expectation", create + "Expect: miracles\r\nContent-Length: 30\r\n\r\n" + body, 417, ""},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400, ""},
		{"SSH", "SSH-2.0-OpenSSH_9.6\r\n\r\n", 400, ""},
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			_, _ = io.WriteString(conn, c.raw) // it may be refused before it is all there
			_ = conn.(*net.TCPConn).CloseWrite()
		}()
		res, body := answer(t, conn)
		conn.Close() // a test
		p, err := readProblem(res.Header.Get("Content-Type"), body)
		if res.StatusCode != c.status || c.names != "" && (err != nil || !strings.Contains(p.Detail, c.names)) {
			t.Errorf("%s: %d %s; want %d and %q", c.name, res.StatusCode, body, c.status, c.names)
		}
		if now := state(); now != before {
			t.Fatalf("%s: changed\n%s\nto\n%s", c.name, before, now)
		}
	}
}

// TestSlowSenders take longer than a request may, in virtual time.
func TestSlowSenders(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		after     time.Duration
		status    string // how the answer begins; "": the connection is cut
	}{
		{"nothing at all", "", 5 * time.Second, ""},
		{"half a line", "GET /call", 5 * time.Second, "HTTP/1.1 400 "},
		{"headers without an end", "GET /callbacks HTTP/1.1\r\nHost: localhost\r\n", 5 * time.Second, ""},
		{"half a body", "POST /callbacks HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30\r\n\r\n{\"name\":", 30 * time.Second, "HTTP/1.1 400 "},
		{"half a chunk", "POST /callbacks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{", 30 * time.Second, "HTTP/1.1 400 "},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, state := newBadTarget(t)
			before := state()
			l := newPipeListener()
			s := Server(New(Options{Service: f}))
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			conn, from := l.dial(), time.Now()
			go io.WriteString(conn, c.raw)
			got, _ := io.ReadAll(conn) // until the server has had enough
			if took := time.Since(from); took < c.after || took > c.after+time.Second {
				t.Errorf("%s: cut after %v, want %v", c.name, took, c.after)
			}
			if !strings.HasPrefix(string(got), c.status) || c.status == "" && len(got) > 0 {
				t.Errorf("%s: got %q, want %q", c.name, got, c.status)
			}
			if now := state(); now != before {
				t.Errorf("%s: changed\n%s\nto\n%s", c.name, before, now)
			}
			if err := s.Close(); err != nil {
				t.Errorf("%s: close: %v", c.name, err)
			}
			<-ended
		})
	}
}
