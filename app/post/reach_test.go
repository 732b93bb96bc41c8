package post

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// What an endpoint is asked by Reach has nothing of what a delivery has: no
// body, no key, none of the callback's headers.
func TestReach(t *testing.T) {
	t.Parallel()
	asked := make(chan *http.Request, 1)
	addr := listen(t, func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			asked <- r
			say(c, length("405 Method Not Allowed", theKey))
		}
	})
	p := newPoster(t, Options{AllowPrivate: true, UserAgent: "ringback/1"})
	for _, kind := range []callback.AuthType{callback.AuthQuery, callback.AuthHeader, callback.AuthBasic, callback.AuthBearer} {
		cb := newCallback("http://" + addr + "/in?a=b")
		cb.Auth.Type, cb.Headers, cb.SigningSecret = kind, []callback.Param{{Key: "X-Token", Value: theKey}}, secret("whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5")
		a := p.Reach(context.Background(), cb)
		r := <-asked
		if r.Method != "GET" || r.RequestURI != "/in?a=b" || r.ContentLength != 0 || len(r.Header) != 1 || r.Header.Get("User-Agent") != "ringback/1" {
			t.Errorf("%v: asked %s %s, %d bytes, %v", kind, r.Method, r.RequestURI, r.ContentLength, r.Header)
		}
		if a.Code != 405 || a.OK || a.Class != callback.ClassStatus {
			t.Errorf("%v: %+v", kind, a)
		}
	}
}

// It obeys the rules of deliveries, and takes less time.
func TestReachIsBounded(t *testing.T) {
	t.Parallel()
	addr := listen(t, func(c net.Conn) { say(c, yes) })
	for name, row := range map[string]struct {
		opt  Options
		url  string
		want callback.Class
		says string
	}{
		"private":  {Options{}, "http://" + addr, callback.ClassDenied, "forbidden address"},
		"metadata": {Options{AllowPrivate: true}, "http://169.254.169.254/latest", callback.ClassDenied, "forbidden address"},
		"by name":  {Options{AllowPrivate: true, Resolver: nameServer(t, fixed("169.254.169.254"))}, "http://crm.example/", callback.ClassDenied, "forbidden address"},
		"no TLS":   {Options{AllowPrivate: true}, "https://" + addr, callback.ClassTLS, "does not speak TLS"},
	} {
		a := newPoster(t, row.opt).Reach(context.Background(), newCallback(row.url))
		checkClean(t, a)
		if a.Class != row.want || !strings.Contains(a.Error, row.says) {
			t.Errorf("%s: %v, %s", name, a.Class, a.Error)
		}
	}
	p := newPoster(t, Options{AllowPrivate: true})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if a := p.Reach(ctx, newCallback("http://"+addr)); a.Class != callback.ClassInterrupted {
		t.Errorf("cut: %+v", a)
	}
	cb := newCallback("http://" + addr)
	cb.ConnectTimeout, cb.ResponseTimeout = 100*time.Millisecond, 10*time.Minute
	j := p.look(cb)
	if j.connect != 100*time.Millisecond || j.response != reachTime {
		t.Errorf("limits %v, %v", j.connect, j.response)
	}
}
