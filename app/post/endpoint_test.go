package post

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// behaviour is one way in which an endpoint can treat a request.
type behaviour struct {
	name   string
	answer string                             // sent after the request was read; the connection is closed then
	serve  func(c net.Conn, br *bufio.Reader) // instead of answer
	hangs  bool                               // ends by the answer deadline, which is short here
	drains bool                               // ends by the drain deadline, which is short here
	class  callback.Class
	code   int
	says   string // part of Error
	reason string // part of Reason
	shows  string // Excerpt
}

// after reads the request, then goes on with f.
func after(f func(c net.Conn)) func(net.Conn, *bufio.Reader) {
	return func(c net.Conn, br *bufio.Reader) {
		if readRequest(br) {
			f(c)
		}
	}
}

func say(c net.Conn, s string) { c.Write([]byte(s)) } // the client may be gone

// forever writes s again and again until the client is gone.
func forever(c net.Conn, first, s string) {
	say(c, first)
	b := []byte(strings.Repeat(s, 1+2000/len(s)))
	for {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

func reset(c net.Conn) {
	c.(*net.TCPConn).SetLinger(0) // then it is closed in the other way
	c.Close()
}

func gzipBomb() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(make([]byte, 8<<20)) // to memory
	z.Close()
	return b.String()
}

func length(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

const (
	ok     = callback.ClassOK
	status = callback.ClassStatus
	proto  = callback.ClassProtocol
	broken = callback.ClassReset
	late   = callback.ClassAnswerTimeout
	moved  = callback.ClassRedirect
)

var successes = []behaviour{
	{name: "200", answer: length("200 OK", ""), class: ok, code: 200, reason: "OK"},
	{name: "200 with body", answer: length("200 OK", "thanks"), class: ok, code: 200, shows: "thanks"},
	{name: "200 long body", answer: length("200 OK", strings.Repeat("a", 500)), class: ok, code: 200, shows: strings.Repeat("a", 128)},
	{name: "200 without reason", answer: "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", class: ok, code: 200, reason: "OK"},
	{name: "200 other reason", answer: length("200 Fine by me", ""), class: ok, code: 200, reason: "Fine by me"},
	{name: "200 HTTP/1.0", answer: "HTTP/1.0 200 OK\r\n\r\nbye", class: ok, code: 200, shows: "bye"},
	{name: "200 bare line feeds", answer: "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", class: ok, code: 200, shows: "hi"},
	{name: "200 chunked", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", class: ok, code: 200, shows: "abc"},
	{name: "200 chunk cut", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", class: ok, code: 200, shows: "abc"},
	{name: "200 chunk size bad", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", class: ok, code: 200},
	{name: "200 body shorter than said", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nabc", class: ok, code: 200, shows: "abc"},
	{name: "200 body reset", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"); reset(c) }), class: ok, code: 200},
	{name: "200 same length twice", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", class: ok, code: 200, shows: "a"},
	{name: "200 body never comes", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"); hold(c) }), drains: true, class: ok, code: 200},
	{name: "200 endless body", serve: after(func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n\r\n", "x") }), class: ok, code: 200, shows: strings.Repeat("x", 128)},
	{name: "200 endless chunks", serve: after(func(c net.Conn) {
		forever(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\ny\r\n")
	}), class: ok, code: 200, shows: strings.Repeat("y", 128)},
	{name: "200 endless trailer", serve: after(func(c net.Conn) {
		forever(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "T: x\r\n")
	}), class: ok, code: 200},
	{name: "200 gzip bomb", answer: "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzipBomb(), class: ok, code: 200},
	{name: "200 hostile body", answer: length("200 OK", "a\x1b[2Jb\x9bc\x00d\nline"), class: ok, code: 200, shows: "a[2Jb\ufffdcd line"},
	{name: "200 hostile reason", answer: length("200 O\x1b]0;x\x07K", ""), class: ok, code: 200, reason: "O]0;xK"},
	{name: "200 before the request was read", serve: func(c net.Conn, br *bufio.Reader) {
		br.Peek(1) // the request begins
		say(c, length("200 OK", ""))
		hold(c)
	}, class: ok, code: 200},
	{name: "100 then 200", answer: "HTTP/1.1 100 Continue\r\n\r\n" + length("200 OK", ""), class: ok, code: 200},
	{name: "103 then 200", answer: "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + length("200 OK", ""), class: ok, code: 200},
	{name: "pipelined extra answer", answer: length("200 OK", "a") + length("500 No", "b"), class: ok, code: 200, shows: "a"},
	{name: "60 KiB of headers", answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("h", 60<<10) + "\r\nContent-Length: 0\r\n\r\n", class: ok, code: 200},
	{
		name: "secret in the body", answer: length("200 OK", "you sent "+theKey+" and auth=s3cr3t-KEY%2F%2B%26%3Dx"), class: ok, code: 200,
		shows: "you sent ****** and auth=******",
	},
}

var statuses = []behaviour{
	{name: "201", answer: length("201 Created", ""), class: status, code: 201, says: "Answered 201; only 200 counts as success"},
	{name: "202", answer: length("202 Accepted", ""), class: status, code: 202, says: "Answered 202; only 200"},
	{name: "204", answer: "HTTP/1.1 204 No Content\r\n\r\n", class: status, code: 204, says: "Answered 204; only 200 counts as success"},
	{name: "206", answer: length("206 Partial Content", "x"), class: status, code: 206, says: "Answered 206"},
	{name: "101", answer: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nbody", class: status, code: 101, says: "Answered 101"},
	{name: "101 endless body", serve: after(func(c net.Conn) {
		forever(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "x")
	}), class: status, code: 101},
	{name: "101 silent", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"); hold(c) }), class: status, code: 101},
	{name: "300 no location", answer: length("300 Multiple Choices", ""), class: status, code: 300, says: "300 Multiple Choices"},
	{name: "304", answer: "HTTP/1.1 304 Not Modified\r\n\r\n", class: status, code: 304, says: "304 Not Modified"},
	{name: "400", answer: length("400 Bad Request", "what?"), class: status, code: 400, says: "400: ", shows: "what?"},
	{name: "401", answer: length("401 Unauthorized", ""), class: status, code: 401, says: "401: the endpoint refuses our key (queryparam)"},
	{name: "403", answer: length("403 Forbidden", ""), class: status, code: 403, says: "403: the endpoint forbids"},
	{name: "404", answer: length("404 Not Found", ""), class: status, code: 404, says: "404: "},
	{name: "405", answer: length("405 Method Not Allowed", ""), class: status, code: 405, says: "405 Method Not Allowed"},
	{name: "407", answer: length("407 Proxy Authentication Required", ""), class: status, code: 407, says: "407 Proxy"},
	{name: "408", answer: length("408 Request Timeout", ""), class: status, code: 408, says: "408 Request Timeout"},
	{name: "410", answer: length("410 Gone", ""), class: status, code: 410, says: "410: "},
	{name: "413", answer: length("413 Content Too Large", ""), class: status, code: 413, says: "413: the endpoint finds the response too large"},
	{name: "418", answer: length("418 I'm a teapot", ""), class: status, code: 418, says: "418 I'm a teapot"},
	{name: "429", answer: "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 90\r\nContent-Length: 0\r\n\r\n", class: status, code: 429, says: "429: the endpoint asks for fewer requests, and none for 90 s"},
	{name: "500", answer: length("500 Internal Server Error", "oops"), class: status, code: 500, says: "500 Internal Server Error: the endpoint answered with an error", shows: "oops"},
	{name: "502", answer: length("502 Bad Gateway", ""), class: status, code: 502, says: "502 Bad Gateway: the endpoint"},
	{name: "503", answer: length("503 Service Unavailable", ""), class: status, code: 503, says: "503 Service Unavailable: the endpoint answered with an error"},
	{name: "503 no reason", answer: "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", class: status, code: 503, says: "503 Service Unavailable: "},
	{name: "999", answer: length("999 Denied", ""), class: status, code: 999, says: "999 Denied"},
	{name: "599 nameless", answer: "HTTP/1.1 599 \r\nContent-Length: 0\r\n\r\n", class: status, code: 599, says: "599: the endpoint answered with an error"},
	{name: "500 long body", answer: length("500 No", strings.Repeat("b", 3000)), class: status, code: 500, shows: strings.Repeat("b", callback.MaxExcerpt)},
	{name: "500 long reason", answer: length("500 "+strings.Repeat("r", 3000), ""), class: status, code: 500, reason: strings.Repeat("r", callback.MaxReason)},
	{name: "500 endless body", serve: after(func(c net.Conn) { forever(c, "HTTP/1.1 500 No\r\n\r\n", "z") }), class: status, code: 500, shows: strings.Repeat("z", callback.MaxExcerpt)},
	{name: "500 ESC in reason", answer: length("500 \x1b[31mred\x1b[0m", ""), class: status, code: 500, reason: "[31mred[0m"},
	{name: "500 C1 in reason", answer: length("500 a\u009bb", ""), class: status, code: 500, reason: "ab"},
	{name: "500 raw C1 in reason", answer: length("500 a\x9bb", ""), class: status, code: 500, reason: "a\ufffdb"},
	{name: "500 NUL in reason", answer: length("500 a\x00b", ""), class: status, code: 500, reason: "ab"},
	{name: "500 bidi in reason", answer: length("500 a\u202eb", ""), class: status, code: 500, reason: "ab"},
	{name: "500 hostile body", answer: length("500 No", "\x1b]52;c;AAAA\x07\u202e\u0085\xff\xfe!"), class: status, code: 500, shows: "]52;c;AAAA \ufffd\ufffd!"},
	{name: "500 secret in reason", answer: length("500 bad key "+theKey, ""), class: status, code: 500, reason: "bad key ******"},
	{name: "500 secret hidden by controls", answer: length("500 No", "key s3c\x1br3t-KE\x00Y/+&=x."), class: status, code: 500, shows: "key ******."},
	{name: "500 secret at the cut", answer: length("500 No", strings.Repeat("c", callback.MaxExcerpt-6)+theKey), class: status, code: 500, shows: strings.Repeat("c", callback.MaxExcerpt-6) + "******"},
	{name: "413 and hangs up early", serve: func(c net.Conn, br *bufio.Reader) {
		br.Peek(1) // the request begins
		say(c, length("413 Content Too Large", ""))
	}, class: status, code: 413},
}

var redirects = []behaviour{
	{name: "301", answer: "HTTP/1.1 301 Moved\r\nLocation: https://x.example/login\r\nContent-Length: 0\r\n\r\n", class: moved, code: 301, says: "Redirected (301) to https://x.example/login; redirects are not followed, only 200 counts"},
	{name: "302", answer: "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", class: moved, code: 302, says: "Redirected (302) to /login;"},
	{name: "303", answer: "HTTP/1.1 303 See Other\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", class: moved, code: 303, says: "Redirected (303) to /a;"},
	{name: "307", answer: "HTTP/1.1 307 Temporary Redirect\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", class: moved, code: 307, says: "Redirected (307)"},
	{name: "308", answer: "HTTP/1.1 308 Permanent Redirect\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", class: moved, code: 308, says: "Redirected (308)"},
	{name: "302 no location", answer: length("302 Found", ""), class: moved, code: 302, says: "Redirected (302) without saying where"},
	{name: "300 with location", answer: "HTTP/1.1 300 Choices\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", class: moved, code: 300},
	{name: "302 secret in location", answer: "HTTP/1.1 302 Found\r\nLocation: /login?next=%2Fh&auth=s3cr3t-KEY%2F%2B%26%3Dx\r\nContent-Length: 0\r\n\r\n", class: moved, code: 302, says: "auth=******;"},
	{name: "302 huge location", answer: "HTTP/1.1 302 Found\r\nLocation: /" + strings.Repeat("l", 9000) + "\r\nContent-Length: 0\r\n\r\n", class: moved, code: 302, says: "redirects are not followed"},
	{name: "302 to a forbidden address", answer: "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", class: moved, code: 302},
}

var faults = []behaviour{
	{name: "closed at accept", serve: func(net.Conn, *bufio.Reader) {}, class: broken, says: "Connection closed before an answer"},
	{name: "reset at accept", serve: func(c net.Conn, _ *bufio.Reader) { reset(c) }, class: broken, says: "Connection closed before an answer"},
	{name: "closed after the request", serve: after(func(net.Conn) {}), class: broken, says: "Connection closed before an answer"},
	{name: "reset after the request", serve: after(reset), class: broken, says: "Connection closed before an answer"},
	{name: "reset in the request", serve: func(c net.Conn, br *bufio.Reader) {
		br.Peek(1) // the request begins
		reset(c)
	}, class: broken},
	{name: "closed in the status line", answer: "HTTP/1.1 20", class: broken, says: "in the middle of its headers"},
	{name: "closed after the status line", answer: "HTTP/1.1 200 OK\r\n", class: broken, says: "in the middle"},
	{name: "closed in the headers", answer: "HTTP/1.1 200 OK\r\nContent-Le", class: broken, says: "in the middle"},
	{name: "closed before the empty line", answer: "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", class: broken},
	{name: "reset in the headers", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\nX: "); reset(c) }), class: broken},
	{name: "closed after 100", answer: "HTTP/1.1 100 Continue\r\n\r\n", class: broken},
	{name: "one byte", answer: "H", class: broken},

	{name: "never answers", serve: after(hold), hangs: true, class: late, says: "Connected, but no answer within 200 ms", reason: "answer timeout after 200ms"},
	{name: "never reads", serve: func(c net.Conn, _ *bufio.Reader) { hold(c) }, hangs: true, class: late},
	{name: "status line only", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 200 OK\r\n"); hold(c) }), hangs: true, class: late, says: "no end of the answer's headers"},
	{name: "half a status line", serve: after(func(c net.Conn) { say(c, "HTTP/1"); hold(c) }), hangs: true, class: late},
	{name: "dribbled headers", serve: after(func(c net.Conn) { dribble(c, "HTTP/1.1 200 OK\r\n", "X: y\r\n") }), hangs: true, class: late},
	{name: "dribbled 1xx", serve: after(func(c net.Conn) { dribble(c, "", "HTTP/1.1 102 Processing\r\n\r\n") }), hangs: true, class: late},
	{name: "100 and silence", serve: after(func(c net.Conn) { say(c, "HTTP/1.1 100 Continue\r\n\r\n"); hold(c) }), hangs: true, class: late},

	{name: "infinite headers", serve: after(func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\n", "X: yyyyyyyyyyyy\r\n") }), class: proto, says: "headers exceeded"},
	{name: "infinite header line", serve: after(func(c net.Conn) { forever(c, "HTTP/1.1 200 OK\r\nX: ", "y") }), class: proto, says: "headers exceeded"},
	{name: "infinite status line", serve: after(func(c net.Conn) { forever(c, "HTTP/1.1 200 ", "O") }), class: proto, says: "headers exceeded"},
	{name: "infinite 1xx", serve: after(func(c net.Conn) { forever(c, "", "HTTP/1.1 102 Processing\r\n\r\n") }), class: proto, says: "headers exceeded"},
	{name: "two lengths", answer: "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", class: proto, says: "Not an HTTP answer"},
	{name: "negative length", answer: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", class: proto},
	{name: "length no number", answer: "HTTP/1.1 200 OK\r\nContent-Length: lots\r\n\r\n", class: proto},
	{name: "length overflows", answer: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", class: proto},
	{name: "unknown transfer encoding", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: rot13\r\n\r\n", class: proto},
	{name: "status 000", answer: length("000 Nothing", ""), class: proto, says: `Not an HTTP answer: it begins with "HTTP/1.1 000 Nothing"`},
	{name: "status 099", answer: length("099 Nothing", ""), class: proto},
	{name: "status 20", answer: length("20 OK", ""), class: proto, says: "malformed HTTP status code"},
	{name: "status 2000", answer: length("2000 OK", ""), class: proto},
	{name: "status -20", answer: length("-20 OK", ""), class: proto},
	{name: "status words", answer: length("two hundred", ""), class: proto},
	{name: "no status", answer: "HTTP/1.1\r\n\r\n", class: proto},
	{name: "wrong protocol name", answer: "ICY 200 OK\r\n\r\n", class: proto},
	{name: "version 2 on a line", answer: "HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n", class: proto},
	{name: "version 9", answer: "HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n", class: proto},
	{name: "HTTP/0.9", answer: "<html>hello</html>\n", class: proto, says: "Not an HTTP answer: malformed HTTP response"},
	{name: "SSH banner at once", serve: func(c net.Conn, _ *bufio.Reader) { say(c, "SSH-2.0-OpenSSH_9.9\r\n"); hold(c) }, class: proto, says: "Not an HTTP answer"},
	{name: "SSH banner after the request", answer: "SSH-2.0-OpenSSH_9.9\r\n", class: proto, says: "SSH-2.0-OpenSSH_9.9"},
	{name: "SMTP greeting", answer: "220 mail.example.com ESMTP\r\n", class: proto},
	{name: "TLS alert", answer: "\x15\x03\x01\x00\x02\x02\x46\r\n", class: proto},
	{name: "binary noise", answer: "\x00\xff\x1b[2J\x9b\u202e\n\n", class: proto},
	{name: "header without a colon", answer: "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", class: proto},
	{name: "ESC in a header", answer: "HTTP/1.1 302 Found\r\nLocation: /\x1b[2J\r\nContent-Length: 0\r\n\r\n", class: proto},
	{name: "folded first header", answer: "HTTP/1.1 200 OK\r\n X: y\r\n\r\n", class: proto},
	{name: "request echoed", answer: "POST /hook?a=1&auth=s3cr3t-KEY%2F%2B%26%3Dx HTTP/1.1\r\n\r\n", class: proto},
}

func dribble(c net.Conn, first, s string) {
	say(c, first)
	for {
		for i := range len(s) {
			if _, err := c.Write([]byte{s[i]}); err != nil {
				return
			}
			time.Sleep(2 * time.Millisecond) // the pace of the endpoint, not a wait for something
		}
	}
}

func TestEndpoints(t *testing.T) {
	t.Parallel()
	n := 0
	for _, rows := range [][]behaviour{successes, statuses, redirects, faults} {
		n += len(rows)
		for _, b := range rows {
			t.Run(b.name, func(t *testing.T) {
				t.Parallel()
				b.check(t)
			})
		}
	}
	if n < 80 {
		t.Fatalf("only %d behaviours", n)
	}
}

func (b *behaviour) check(t *testing.T) {
	addr := listen(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		if b.serve != nil {
			b.serve(c, br)
		} else if readRequest(br) {
			say(c, b.answer)
		}
	})
	opt := Options{AllowPrivate: true}
	if b.hangs {
		opt.ResponseTimeout = 200 * time.Millisecond
	}
	p := newPoster(t, opt)
	if b.drains {
		p.drain = 30 * time.Millisecond
	}
	a := postOne(t, p, newCallback("http://"+addr+"/hook?a=1"))
	if a.Class != b.class || a.Code != b.code || a.OK != (b.class == ok) {
		t.Fatalf("got class %q, code %d, OK %v, want %q, %d: %s", a.Class, a.Code, a.OK, b.class, b.code, a.Error)
	}
	if !strings.Contains(a.Error, b.says) {
		t.Errorf("got error %q, want one with %q", a.Error, b.says)
	}
	if !strings.Contains(a.Reason, b.reason) {
		t.Errorf("got reason %q, want one with %q", a.Reason, b.reason)
	}
	if b.shows != "" && a.Excerpt != b.shows {
		t.Errorf("got excerpt %q, want %q", a.Excerpt, b.shows)
	}
	if a.Peer != addr || a.Number != 1 || a.Reused {
		t.Errorf("got peer %q, number %d, reused %v, want %q, 1, false", a.Peer, a.Number, a.Reused, addr)
	}
	if a.Class == ok && a.Timing.FirstByte < 0 {
		t.Errorf("got timing %+v", a.Timing)
	}
}
