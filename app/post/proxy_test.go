package post

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// proxy is an HTTP proxy that sends everything to one address, or answers
// CONNECT with refuse, "silence" or "hang up". seen gets the first line of each request.
func proxy(t testing.TB, to, refuse string, seen chan<- string) *url.URL {
	addr := listen(t, func(c net.Conn) {
		br := bufio.NewReader(c)
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		seen <- fmt.Sprintf("%s %s %s", req.Method, req.RequestURI, req.Header.Get("Proxy-Authorization"))
		switch {
		case refuse == "silence":
			hold(c)
			return
		case refuse == "hang up":
			return
		case refuse != "":
			say(c, refuse)
			return
		}
		up, err := net.Dial("tcp", to)
		if err != nil {
			return
		}
		defer up.Close()
		if req.Method == http.MethodConnect {
			say(c, "HTTP/1.1 200 Yes\r\n\r\n")
		} else if err := req.Write(up); err != nil {
			return
		}
		go func() {
			io.Copy(up, br) // ends with either side
			up.Close()
		}()
		io.Copy(c, up) // ends with either side
	})
	return &url.URL{Scheme: "http", Host: addr, User: url.UserPassword("u", "s3cr3t-proxy")}
}

func TestProxy(t *testing.T) {
	t.Parallel()
	plain := listen(t, func(c net.Conn) {
		if readRequest(bufio.NewReader(c)) {
			say(c, yes)
		}
	})
	srv := newServerTLS(t)
	res := nameServer(t, func(name string) []string {
		if name == "evil.example" {
			return []string{"127.0.0.1", "169.254.169.254"}
		}
		return nil
	})
	for _, row := range []struct {
		name, url, to, refuse string
		class                 callback.Class
		sees, says            string
		short, strict         bool
	}{
		{name: "http", url: "http://" + plain + "/h?b=2", to: plain, class: ok, sees: "POST http://" + plain + "/h?b=2&auth="},
		{name: "itself on a private address", url: "http://198.51.100.7/", to: plain, strict: true, class: ok, sees: "POST http://198.51.100.7/?auth="},
		{name: "private target", url: "http://127.0.0.1:9/", strict: true, class: callback.ClassDenied},
		{name: "https", url: srv.url, to: strings.TrimPrefix(srv.url, "https://"), class: ok, sees: "CONNECT 127.0.0.1:"},
		{name: "forbidden target", url: "http://169.254.169.254/", class: callback.ClassDenied, says: "forbidden address (169.254.169.254)"},
		{name: "forbidden https target", url: "https://[::ffff:169.254.169.254]/", class: callback.ClassDenied, says: "forbidden address"},
		{name: "one address forbidden", url: "http://evil.example/", class: callback.ClassDenied, says: "forbidden address"},
		{name: "unknown target", url: "http://2852039166/", class: callback.ClassDNS, says: "Host name not found: 2852039166"},
		{name: "refuses", url: srv.url, refuse: "HTTP/1.1 403 s3cr3t-proxy\r\nContent-Length: 0\r\n\r\n", class: callback.ClassUnreachable, sees: "CONNECT", says: "does not connect to 127.0.0.1: 403 Forbidden"},
		{name: "hangs up", url: srv.url, refuse: "hang up", class: callback.ClassReset, sees: "CONNECT"},
		{name: "talks nonsense", url: srv.url, refuse: "SSH-2.0-x\r\n", class: callback.ClassProtocol, sees: "CONNECT", says: "Not an HTTP answer from the proxy at "},
		{name: "is silent", url: srv.url, refuse: "silence", short: true, class: callback.ClassConnectTimeout, sees: "CONNECT", says: "does not answer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			seen := make(chan string, 4)
			opt := Options{AllowPrivate: !row.strict, Proxy: proxy(t, row.to, row.refuse, seen), RootCAs: srv.roots, Resolver: res}
			if row.short {
				opt.ConnectTimeout = 150 * time.Millisecond
			}
			a := postOne(t, newPoster(t, opt), newCallback(row.url))
			if a.Class != row.class || !strings.Contains(a.Error, row.says) {
				t.Fatalf("got class %q, %q, want %q, %q", a.Class, a.Error, row.class, row.says)
			}
			var got string
			select {
			case got = <-seen: // it was put there before the proxy did anything else
			default:
			}
			if !strings.HasPrefix(got, row.sees) || row.sees == "" && got != "" {
				t.Errorf("the proxy saw %q, want %q", got, row.sees)
			} else if got != "" && !strings.HasSuffix(got, " Basic dTpzM2NyM3QtcHJveHk=") {
				t.Errorf("the proxy got no credentials: %q", got)
			}
		})
	}
}

func TestProxyDown(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	a := postOne(t, newPoster(t, Options{AllowPrivate: true, Proxy: &url.URL{Scheme: "http", Host: ln.Addr().String()}}), newCallback("http://127.0.0.1:9/"))
	if want := "Connection refused: nothing listens on the proxy at " + ln.Addr().String(); a.Error != want {
		t.Fatalf("got %q, want %q", a.Error, want)
	}
}

// The environment's proxy is not used.
func TestNoProxyFromEnvironment(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	p := newPoster(t, Options{Resolver: nameServer(t, fixed("127.0.0.1"))})
	if a := postOne(t, p, newCallback("http://away.example/")); a.Class != callback.ClassDenied {
		t.Fatalf("got %q, %q, want the target itself judged", a.Class, a.Error)
	}
}
