package post

import (
	"bufio"
	"context"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/callback"
)

type serverTLS struct {
	url   string
	roots *x509.CertPool
}

// newServerTLS answers with the protocol it was spoken to in.
func newServerTLS(t testing.TB) serverTLS {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // the client is told anyway
		io.WriteString(w, r.Proto)  // as above
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return serverTLS{s.URL, roots}
}

// answering serves connections one after another: the n-th by the n-th script,
// which lists what is said to each request. "" hangs up after the request, and
// what begins with "cut:" is said before hanging up.
func answering(t testing.TB, scripts ...[]string) string {
	var n atomic.Int64
	return listen(t, func(c net.Conn) {
		i := int(n.Add(1)) - 1
		if i >= len(scripts) {
			return
		}
		br := bufio.NewReader(c)
		for _, s := range scripts[i] {
			if !readRequest(br) || s == "" {
				return
			}
			rest, cut := strings.CutPrefix(s, "cut:")
			if say(c, rest); cut {
				return
			}
		}
		hold(c)
	})
}

var yes = length("200 OK", "ok")

func TestKeepAlive(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{AllowPrivate: true})
	cb := newCallback("http://" + answering(t, []string{yes, length("500 No", "no"), yes}) + "/")
	for i, want := range []callback.Attempt{{OK: true, Code: 200}, {Code: 500, Reused: true}, {OK: true, Code: 200, Reused: true}} {
		a := postOne(t, p, cb)
		if a.OK != want.OK || a.Code != want.Code || a.Reused != want.Reused {
			t.Fatalf("attempt %d: got %+v, want OK %v, code %d, reused %v", i, a, want.OK, want.Code, want.Reused)
		}
		if a.Reused && (a.Timing.Connect != 0 || a.Timing.DNS != 0) {
			t.Errorf("attempt %d: got connect timings %+v on a kept connection", i, a.Timing)
		}
	}
}

// A kept connection that turns out to be dead is tried once more on a fresh
// one, and both are told of.
func TestStale(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		scripts [][]string
		second  callback.Class
		n       int
	}{
		{"then well", [][]string{{yes, ""}, {yes}}, ok, 2},
		{"then refused by status", [][]string{{yes, ""}, {length("503 Busy", "")}}, status, 2},
		{"then dead again", [][]string{{yes, ""}, {""}, {yes}}, broken, 2},
		{"answer begun: no second", [][]string{{yes, "cut:HTTP/1.1 200"}, {yes}}, 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newPoster(t, Options{AllowPrivate: true})
			cb := newCallback("http://" + answering(t, row.scripts...) + "/")
			if a := postOne(t, p, cb); !a.OK {
				t.Fatalf("first: %+v", a)
			}
			as := p.Post(context.Background(), cb, newClaim(), 7)
			if len(as) != row.n {
				t.Fatalf("got %d attempts, want %d: %+v", len(as), row.n, as)
			}
			for i, a := range as {
				checkClean(t, a)
				if a.Number != 7+i || a.Reused != (i == 0) {
					t.Errorf("attempt %d: got number %d, reused %v", i, a.Number, a.Reused)
				}
			}
			if as[0].Class != broken {
				t.Errorf("got class %q, want %q", as[0].Class, broken)
			}
			if row.n == 2 && as[1].Class != row.second {
				t.Errorf("got class %q the second time, want %q", as[1].Class, row.second)
			}
		})
	}
}

// Where several kept connections are dead, the second try does not take another
// of them.
func TestStaleMany(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	var both sync.WaitGroup
	both.Add(2)
	addr := listen(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		if !readRequest(br) {
			return
		}
		first := n.Add(1) <= 2
		if first { // neither is answered before both are there, so there are two connections
			both.Done()
			both.Wait()
		}
		if say(c, yes); first {
			readRequest(br) // and hangs up
			return
		}
		hold(c)
	})
	p := newPoster(t, Options{AllowPrivate: true})
	cb := newCallback("http://" + addr + "/")
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { p.Post(context.Background(), cb, newClaim(), 1) })
	}
	wg.Wait()
	for range 2 {
		as := p.Post(context.Background(), cb, newClaim(), 1)
		if len(as) != 2 || !as[0].Reused || as[0].Class != broken || as[1].Reused || !as[1].OK {
			t.Fatalf("got %+v, want a dead connection and then a success on a fresh one", as)
		}
	}
}

// A request whose connection is fresh is never sent twice, whatever headers the
// callback wants.
func TestNeverTwice(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	addr := listen(t, func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) {
			n.Add(1)
		}
	})
	cb := newCallback("http://" + addr + "/")
	cb.Headers = []callback.Param{{Key: "idempotency-key", Value: "1"}, {Key: "X-Idempotency-Key", Value: "2"}}
	if a := postOne(t, newPoster(t, Options{AllowPrivate: true}), cb); a.Class != broken {
		t.Fatalf("got %+v", a)
	}
	if n.Load() != 1 {
		t.Fatalf("the endpoint saw %d requests, want 1", n.Load())
	}
}

// What an endpoint says unasked must not count as the answer to a later
// request.
func TestUnasked(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{AllowPrivate: true})
	addr := listen(t, func(c net.Conn) {
		if br := bufio.NewReader(c); readRequest(br) {
			say(c, length("500 No", "")+yes)
			hold(c)
		}
	})
	cb := newCallback("http://" + addr + "/")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				for _, a := range p.Post(context.Background(), cb, newClaim(), 1) {
					if a.OK {
						t.Errorf("an answer nobody asked for counted: %+v", a)
					}
				}
			}
		})
	}
	wg.Wait()
}

// The same where net/http did not notice: nothing came in on the connection
// since this request got it.
func TestUnaskedUnnoticed(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{})
	j := p.prepare(newCallback("http://h/"), newClaim())
	for _, row := range []struct {
		reused bool
		came   int64
		want   callback.Class
	}{{true, 0, proto}, {true, 1, ok}, {false, 0, ok}} {
		w := newWatch(time.Now(), time.Minute, time.Minute, func(error) {})
		w.reused, w.before, w.conn = row.reused, 90, &conn{in: 90 + row.came}
		var a callback.Attempt
		p.judge(&a, &http.Response{StatusCode: 200, ProtoMajor: 1, Status: "200 OK", Body: http.NoBody}, w, j)
		w.end()
		if a.Class != row.want || a.OK != (row.want == ok) {
			t.Errorf("reused %v, %d bytes: got %+v", row.reused, row.came, a)
		}
	}
}

// The body of an answer is read far enough for the connection to be used again,
// but no further.
func TestDrain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		size   int
		reused bool
	}{{0, true}, {129, true}, {60 << 10, true}, {65 << 10, false}} {
		p := newPoster(t, Options{AllowPrivate: true})
		answer := length("200 OK", strings.Repeat("b", row.size))
		cb := newCallback("http://" + answering(t, []string{answer, answer}, []string{answer}) + "/")
		postOne(t, p, cb)
		if a := postOne(t, p, cb); !a.OK || a.Reused != row.reused {
			t.Errorf("size %d: got OK %v, reused %v, want reused %v", row.size, a.OK, a.Reused, row.reused)
		}
	}
}

// A large request to an endpoint that answers and hangs up without reading it
// gets the answer, not a broken pipe.
func TestEarlyAnswer(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(c net.Conn) {
		c.Read(make([]byte, 1024)) // the beginning is enough
		say(c, length("413 Content Too Large", ""))
		c.(*net.TCPConn).CloseWrite() // the client sees the end
		c.(*net.TCPConn).CloseRead()  // and cannot write on
	})
	claim := newClaim()
	claim.Response.Message.Content = strings.Repeat("x", 4<<20)
	p := newPoster(t, Options{AllowPrivate: true})
	as := p.Post(context.Background(), newCallback("http://"+addr+"/"), claim, 1)
	if len(as) != 1 || as[0].Code != 413 {
		t.Fatalf("got %+v, want one 413", as)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	addr := listen(t, func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) {
			cancel()
		}
		hold(c)
	})
	p := newPoster(t, Options{AllowPrivate: true})
	for _, when := range []string{"while it waits", "before it begins"} {
		as := p.Post(ctx, newCallback("http://"+addr+"/"), newClaim(), 3)
		if len(as) != 1 || as[0].Class != callback.ClassInterrupted || as[0].Number != 3 || as[0].OK {
			t.Errorf("%s: got %+v", when, as)
		}
		checkClean(t, as[0])
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	a := postOne(t, newPoster(t, Options{AllowPrivate: true}), newCallback("http://"+addr+"/"))
	if want := "Connection refused: nothing listens on " + addr; a.Class != callback.ClassRefused || a.Error != want || a.Peer != addr {
		t.Fatalf("got %q, %q, peer %q, want %q", a.Class, a.Error, a.Peer, want)
	}
}

// Close closes what is kept and a Poster can be closed twice.
func TestClose(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	addr := listen(t, func(c net.Conn) {
		if br := bufio.NewReader(c); readRequest(br) {
			say(c, yes)
			hold(c)
			close(gone)
		}
	})
	p := newPoster(t, Options{AllowPrivate: true})
	postOne(t, p, newCallback("http://"+addr+"/"))
	p.Close()
	p.Close()
	<-gone
}

// The connect deadline ends with the connection: it does not cut the wait for
// an answer, on a fresh connection or a kept one.
func TestDeadlinesApart(t *testing.T) {
	t.Parallel()
	const connect, response = 40 * time.Millisecond, 160 * time.Millisecond
	addr := listen(t, func(c net.Conn) {
		if br := bufio.NewReader(c); readRequest(br) {
			say(c, yes)
		}
		hold(c)
	})
	p := newPoster(t, Options{AllowPrivate: true, ConnectTimeout: connect, ResponseTimeout: response})
	cb := newCallback("http://" + addr + "/")
	if a := postOne(t, p, cb); !a.OK {
		t.Skipf("this machine is too busy: %s", a.Error)
	}
	silent := newCallback("http://" + listen(t, hold) + "/")
	for _, cb := range []*callback.Callback{cb, silent} {
		if a := postOne(t, p, cb); a.Class == late && a.Duration < response {
			t.Errorf("the answer was waited for only %v of %v", a.Duration, response)
		}
	}
}

// Of many hosts the connections used last are kept, twice as many in all as of one.
func TestIdleConnectionsAreFew(t *testing.T) {
	t.Parallel()
	p := newPoster(t, Options{AllowPrivate: true, MaxIdle: 1})
	hosts := make([]*callback.Callback, 3)
	for i := range hosts {
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		t.Cleanup(srv.Close)
		hosts[i] = newCallback(srv.URL)
		postOne(t, p, hosts[i])
	}
	for _, row := range []struct {
		host   int
		reused bool
	}{{2, true}, {1, true}, {0, false}} {
		if a := postOne(t, p, hosts[row.host]); a.Reused != row.reused {
			t.Errorf("host %d: reused %v, want %v", row.host, a.Reused, row.reused)
		}
	}
}
