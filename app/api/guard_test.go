package api

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// allowed is the rule of the contract, said once more and not as the route table
// says it.
func allowed(method, pattern string) []callback.Role {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	acts := []string{"retry", "resolve", "suspend", "resume", "test", "acknowledge", "send", "undo"}
	switch {
	case slices.Contains([]string{"/healthz", "/readyz", "/openapi.yaml"}, pattern):
		return append([]callback.Role{""}, callback.Roles...)
	case strings.HasPrefix(pattern, "/keys"), pattern == "/backup", pattern == "/system/backup", pattern == "/system/collect-garbage",
		strings.HasPrefix(pattern, "/drafts/"):
		return []callback.Role{callback.RoleAdmin}
	case method == "POST" && last == "responses":
		return []callback.Role{callback.RoleEnqueue, callback.RoleAdmin}
	case strings.HasSuffix(pattern, ".ndjson"), strings.HasSuffix(pattern, ".csv"), pattern == "/log", pattern == "/system/mail",
		method == "POST" && slices.Contains(acts, last),
		method == "PUT" && strings.Contains(pattern, "/calls"),
		method == "DELETE" && strings.HasPrefix(pattern, "/operations"):
		return []callback.Role{callback.RoleOperator, callback.RoleAdmin}
	case method == "GET":
		return []callback.Role{callback.RoleRead, callback.RoleOperator, callback.RoleAdmin}
	}
	return []callback.Role{callback.RoleAdmin}
}

func TestEveryRouteAndRole(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Keys: ring(), KeyNeeded: true})
	fill := strings.NewReplacer("{name}", "ops", "{callId}", "0328BA3200000001", "{id}", "crm-prod")
	for _, rt := range routes {
		for _, role := range append([]callback.Role{""}, callback.Roles...) {
			var head []string
			if role != "" {
				head = []string{"X-Api-Key: " + string(role) + "-key"}
			}
			for _, method := range []string{rt.method, "HEAD"} {
				if method == "HEAD" && (rt.method != "GET" || rt.pattern == watchPattern) {
					continue
				}
				w := ask(h, method, fill.Replace(rt.pattern), "", head...)
				name := fmt.Sprintf("%s %s as %q", method, rt.pattern, role)
				switch may := slices.Contains(allowed(rt.method, rt.pattern), role); {
				case may && (w.Code == 401 || w.Code == 403):
					t.Errorf("%s: got %d %s", name, w.Code, w.Body)
				case !may && role == "" && w.Code != 401:
					t.Errorf("%s: got %d, want 401", name, w.Code)
				case !may && role != "" && w.Code != 403:
					t.Errorf("%s: got %d, want 403", name, w.Code)
				case !may && role != "" && (!strings.Contains(w.Body.String(), "has role "+string(role)) || !strings.Contains(w.Body.String(), "the "+string(role))):
					t.Errorf("%s: the refusal does not name the key's role: %s", name, w.Body)
				}
			}
		}
	}
	w := ask(h, "POST", "/responses", "{}", "X-Api-Key: operator-key")
	if want := `this needs a key of role enqueue or admin; the key \"the operator\" has role operator`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %s, want %s", w.Body, want)
	}
	for _, path := range []string{"/nothing", "/callbacks//x"} { // what is served is not a stranger's to know
		if w := ask(h, "GET", path, ""); w.Code != 401 {
			t.Errorf("%s without a key: %d", path, w.Code)
		}
		if w := ask(h, "GET", path, "", "X-Api-Key: enqueue-key"); w.Code != 404 {
			t.Errorf("%s with a key: %d", path, w.Code)
		}
	}
}

// TestPagesOfOtherOrigins: what a browser sends by itself is refused when another
// origin made it; what only a script with a preflight can send is not.
func TestPagesOfOtherOrigins(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Keys: ring()})
	for _, c := range []struct {
		name string
		head [2]string
		url  string
		same bool
		want int
	}{
		{"x-api-key", [2]string{"X-Api-Key", "read-key"}, "", false, 200},
		{"bearer", [2]string{"Authorization", "Bearer read-key"}, "", false, 200},
		{"basic", [2]string{"Authorization", basic("u", "read-key")}, "", false, 403},
		{"wrong basic", [2]string{"Authorization", basic("u", "wrong")}, "", false, 403},
		{"query", [2]string{}, "?apikey=read-key", false, 403},
		{"nothing", [2]string{}, "", false, 401},
		{"basic, same origin", [2]string{"Authorization", basic("u", "read-key")}, "", true, 200},
		{"query, same origin", [2]string{}, "?apikey=read-key", true, 200},
	} {
		for _, browser := range [][2]string{{"Origin", "http://evil.example.com"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
			w := asks(h, "/callbacks"+c.url, func(r *http.Request) {
				if c.head[0] != "" {
					r.Header.Set(c.head[0], c.head[1])
				}
				r.Header.Set(browser[0], browser[1])
				if c.same {
					r.Header.Set("Origin", "http://ringback.example.com")
					r.Header.Set("Sec-Fetch-Site", "same-origin")
				}
			})
			if w.Code != c.want {
				t.Errorf("%s with %v: got %d, want %d", c.name, browser, w.Code, c.want)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") {
					t.Errorf("%s: a CORS header is sent: %s", c.name, name)
				}
			}
		}
	}
	if w := ask(h, "OPTIONS", "/callbacks", "", "Origin: http://evil.example.com"); w.Code != 401 {
		t.Errorf("a preflight: %d", w.Code)
	}
}

func TestWhileNoKeyIsMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		needed bool
		host   string
		key    string
		want   int
	}{
		{"loopback", false, "127.0.0.1:8480", "", 200},
		{"loopback with a key of another place", false, "127.0.0.1:8480", "whatever", 200},
		{"loopback, foreign host", false, "ringback.example.com", "", 403},
		{"loopback, foreign host, a key", false, "ringback.example.com", "whatever", 403},
		{"loopback, foreign host, the local key", false, "ringback.example.com", "token", 200},
		{"beyond loopback", true, "127.0.0.1:8480", "", 401},
		{"beyond loopback, a key", true, "127.0.0.1:8480", "whatever", 401},
		{"beyond loopback, the local key", true, "192.0.2.1:8480", "token", 200},
	} {
		h := New(Options{Service: newFixed(), KeyNeeded: c.needed, LocalKey: "token"})
		w := asks(h, "/callbacks", func(r *http.Request) {
			r.Host = c.host
			if c.key != "" {
				r.Header.Set("X-Api-Key", c.key)
			}
		})
		if w.Code != c.want {
			t.Errorf("%s: got %d %s, want %d", c.name, w.Code, w.Body, c.want)
		}
	}
	h := New(Options{Service: newFixed()})
	if w := ask(h, "GET", "/callbacks", "", "X-Api-Key: "); w.Code != 200 {
		t.Errorf("an empty key where there is no local one: %d", w.Code)
	}
}

func TestNobodyLearnsTheReason(t *testing.T) {
	t.Parallel()
	h := New(Options{Keys: ring(), Ready: func() (bool, []string) { return false, []string{"a call of crm-prod is late"} }})
	for key, told := range map[string]bool{"": false, "wrong": false, "enqueue-key": false, "read-key": true, "operator-key": true, "admin-key": true} {
		w := ask(h, "GET", "/readyz", "", "X-Api-Key: "+key)
		if w.Code != 503 || strings.Contains(w.Body.String(), "crm-prod") != told || !strings.Contains(w.Body.String(), `"ready":false`) {
			t.Errorf("with %q: %d %s", key, w.Code, w.Body)
		}
	}
	open := New(Options{Ready: func() (bool, []string) { return false, []string{"a call of crm-prod is late"} }})
	if w := asks(open, "/readyz", nil); w.Code != 503 || strings.Contains(w.Body.String(), "crm-prod") {
		t.Errorf("with a foreign host: %d %s", w.Code, w.Body)
	}
}

func TestServerTellsWhetherOneMayAct(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Keys: ring()})
	for role, want := range map[callback.Role]bool{callback.RoleRead: true, callback.RoleOperator: false, callback.RoleAdmin: false} {
		w := ask(h, "GET", "/server", "", "X-Api-Key: "+string(role)+"-key")
		if got := strings.Contains(w.Body.String(), `"readOnly":true`); got != want || w.Code != 200 {
			t.Errorf("%s: %d, read-only is %v, want %v", role, w.Code, got, want)
		}
		if !strings.Contains(w.Body.String(), `"role":"`+string(role)+`"`) {
			t.Errorf("%s is not told its role: %s", role, w.Body)
		}
	}
}

func TestWhoActed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ key, actor, want string }{
		{"", "", "api"},
		{"", "ana", "ana"},
		{"token", "", "local"},
		{"token", "ana (command line)", "ana (command line)"},
		{"operator-key", "", "the operator"},
		{"operator-key", "ana", "ana (key the operator)"},
		{"operator-key", "a\x1b[2J\r\nna", "a[2J na (key the operator)"},
		{"operator-key", strings.Repeat("x", 500), strings.Repeat("x", 40) + " (key the operator)"},
	} {
		s, _ := newSpy()
		o := Options{Service: s, LocalKey: "token"}
		if c.key != "" {
			o.Keys = ring()
		}
		w := ask(New(o), "POST", "/callbacks/crm-prod/suspend", "", "X-Api-Key: "+c.key, "X-Ringback-Actor: "+c.actor)
		if w.Code != 204 || s.by != c.want {
			t.Errorf("%q for %q: %d, by %q, want %q", c.key, c.actor, w.Code, s.by, c.want)
		}
		if c.actor == "" {
			continue
		}
		body, err := encodeJSON(map[string]string{"by": c.actor})
		if err != nil {
			t.Fatal(err)
		}
		d := &desk{fixed: newFixed()}
		o.Service = d
		w = ask(New(o), "POST", "/outages/crm-prod-3/acknowledge", string(body), "X-Api-Key: "+c.key, "X-Ringback-Actor: somebody else")
		if want := []any{[]any{"crm-prod", uint32(3), c.want}}; w.Code != 204 || !reflect.DeepEqual(d.asked, want) {
			t.Errorf("%q acknowledges for %q: %d, %v, want %v", c.key, c.actor, w.Code, d.asked, want)
		}
	}
}

// TestSocketIsTrusted: who may open the socket is an admin, but a key that is
// sent decides there too, and a proxy does not let web pages in.
func TestSocketIsTrusted(t *testing.T) {
	t.Parallel()
	path := serve(t, New(Options{Service: newFixed(), Keys: ring(), KeyNeeded: true}), "unix", filepath.Join(t.TempDir(), "s"))
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}
	t.Cleanup(tr.CloseIdleConnections)
	for _, c := range []struct {
		head, value string
		want        int
	}{
		{"X-None", "", 200},
		{"Origin", "http://evil.example.com", 403},
		{"X-Api-Key", "admin-key", 200},
		{"X-Api-Key", "read-key", 403},
		{"X-Api-Key", "wrong", 401},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://ringback/keys", nil)
		r.Header.Set(c.head, c.value)
		res, err := tr.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.want {
			t.Errorf("%s %q: got %d, want %d", c.head, c.value, res.StatusCode, c.want)
		}
	}
}

// TestWatchEndsWithItsKey: a stream ends when its key is removed, at the next
// change or heartbeat.
func TestWatchEndsWithItsKey(t *testing.T) {
	for _, how := range []string{"change", "heartbeat"} {
		synctest.Test(t, func(t *testing.T) {
			f := newFixedWatch()
			l := newPipeListener()
			keys := ring()()
			removed := make(chan struct{})
			s := Server(New(Options{Service: f, Keys: func() []callback.APIKey {
				select {
				case <-removed:
					return keys[:1] // the admin's
				default:
					return keys
				}
			}}))
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			conn := l.dial()
			fmt.Fprint(conn, "GET /watch HTTP/1.1\r\nHost: x\r\nX-Api-Key: read-key\r\n\r\n")
			res, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || res.StatusCode != 200 {
				t.Fatalf("%v, %v", res, err)
			}
			next := lines(t, res.Body)
			if l := next(); l.Callback == nil {
				t.Fatalf("first line: %+v", l)
			}
			close(removed)
			start := time.Now()
			if how == "change" {
				f.revs <- 7
			}
			if rest, _ := io.ReadAll(res.Body); len(rest) != 0 { // cut, or ended in order
				t.Errorf("%s: the stream goes on with %q", how, rest)
			}
			if took := time.Since(start); took > heartbeat {
				t.Errorf("%s: the stream ended after %v", how, took)
			}
			conn.Close()
			if err := s.Shutdown(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-ended
		})
	}
}

// TestNoKeyLeaks: a key, right or wrong, stands in no log line, header or body.
func TestNoKeyLeaks(t *testing.T) {
	t.Parallel()
	const canary = "rb_canary0123456789"
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys := []callback.APIKey{{Name: "crm", Role: callback.RoleAdmin, Hash: callback.HashKey(canary)}}
	targets := []string{"/callbacks?limit=1&", "/callbacks/crm-prod/calls?limit=1&", "/nothing?", "/callbacks?wrong=1&", "/callbacks?a=%zz&"}
	for _, rt := range routes {
		if rt.method == "GET" && rt.pattern != watchPattern {
			targets = append(targets, strings.NewReplacer("{callId}", "0328BA3200000001", "{id}", "crm-prod").Replace(rt.pattern)+"?")
		}
	}
	for _, svc := range []callback.Service{newFixed(), failing{err: io.ErrUnexpectedEOF}, nil} {
		for _, known := range []bool{true, false} {
			o := Options{Service: svc, Log: logger, KeyNeeded: true}
			if known {
				o.Keys = func() []callback.APIKey { return keys }
			}
			h := New(o)
			for _, target := range targets {
				for range wrongAtOnce / 4 {
					for _, w := range []*httptest.ResponseRecorder{
						asks(h, target+"apikey="+canary, nil),
						asks(h, target+"apikey="+canary+"&apikey=x", nil),
						asks(h, target, func(r *http.Request) { r.Header.Set("X-Api-Key", canary) }),
						asks(h, target, func(r *http.Request) { r.Header.Set("Authorization", basic(canary, "")) }),
					} {
						if s := fmt.Sprint(w.Code, w.Header(), w.Body); strings.Contains(s, canary) {
							t.Errorf("%s answers %s", target, s)
						}
					}
				}
			}
		}
	}
	if strings.Contains(log.String(), canary) {
		t.Errorf("logged: %s", &log)
	}
	if !strings.Contains(log.String(), "too many wrong keys") || !strings.Contains(log.String(), "internal error") {
		t.Errorf("the log lacks what the test is about: %s", &log)
	}
}

// TestLinesEndWithTheirKey: once its key is removed nothing more of a stream is
// stored, and its sender is told.
func TestLinesEndWithTheirKey(t *testing.T) {
	t.Parallel()
	keys := ring()()
	var removed atomic.Bool
	s, _ := newSpy()
	addr := serve(t, New(Options{Service: s, Keys: func() []callback.APIKey {
		if removed.Load() {
			return keys[:1] // the admin's
		}
		return keys
	}}), "tcp", "127.0.0.1:0")
	client := plainHTTP(t)
	client.Transport = keyed{Transport: client.Transport.(*http.Transport), key: "enqueue-key"}
	c := converse(t, client, "http://"+addr+"/responses")
	c.say(stored)
	if got := c.hear(); got != "PENDING" || len(s.items) != 1 {
		t.Fatalf("with its key: %q", got)
	}
	s.items = nil
	removed.Store(true)
	c.say(stored)
	if got := c.hear() + "|" + c.hear(); got != "403 at 2|" || s.items != nil {
		t.Fatalf("without its key: %q, and %d items were stored", got, len(s.items))
	}
}
