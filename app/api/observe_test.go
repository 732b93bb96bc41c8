package api

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"ringback/callback"
)

// watcher keeps what an Observer is told.
type watcher struct {
	mu      sync.Mutex
	told    []string
	viewers []callback.Viewer
	came    chan struct{}
	left    chan struct{}
}

func (o *watcher) Answered(status int, key string, enqueues bool, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, fmt.Sprintf("%d %q %v %v", status, key, enqueues, took > 0))
}

func (o *watcher) Viewing(v callback.Viewer) (left func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.viewers = append(o.viewers, v)
	o.came <- struct{}{}
	return func() { o.left <- struct{}{} }
}

func TestAnswersAreObserved(t *testing.T) {
	t.Parallel()
	var o watcher
	h := New(Options{Service: newFixed(), Keys: ring(), KeyNeeded: true, Observer: &o})
	one := `{"messageId":"stored","responseMessage":{}}`
	for _, c := range []struct{ method, target, body, head, want string }{
		{"GET", "/callbacks", "", "X-Api-Key: read-key", `200 "the read" false true`},
		{"POST", "/callbacks/crm-prod/responses", one, "X-Api-Key: enqueue-key", `202 "the enqueue" true true`},
		{"POST", "/responses", "[" + one + "]", "X-Api-Key: enqueue-key", `422 "the enqueue" true true`},
		{"DELETE", "/callbacks/crm-prod", "", "X-Api-Key: admin-key", `204 "the admin" false true`},
		{"DELETE", "/callbacks/crm-prod", "", "X-Api-Key: read-key", `403 "" false true`},
		{"GET", "/callbacks", "", "X-Api-Key: canary", `401 "" false true`},
		{"GET", "/nothing", "", "X-Api-Key: read-key", `404 "" false true`},
		{"GET", "/healthz", "", "", `200 "" false true`},
	} {
		var head []string
		if c.head != "" {
			head = []string{c.head}
		}
		ask(h, c.method, c.target, c.body, head...)
		if got := o.told[len(o.told)-1]; got != c.want {
			t.Errorf("%s %s: told %s, want %s", c.method, c.target, got, c.want)
		}
	}
	if len(o.told) != 8 {
		t.Errorf("told %d times: %q", len(o.told), o.told)
	}
}

func TestViewersAreObserved(t *testing.T) {
	t.Parallel()
	o := &watcher{came: make(chan struct{}, 1), left: make(chan struct{}, 1)}
	f := newFake(t)
	h := New(Options{Service: f, Keys: ring(), KeyNeeded: true, Observer: o})
	addr := serve(t, h, "tcp", "127.0.0.1:0")
	socket := serve(t, h, "unix", filepath.Join(t.TempDir(), "s"))
	for _, c := range []struct {
		o    ClientOptions
		want callback.Viewer
	}{
		{ClientOptions{URL: "http://" + addr, Key: "read-key", Actor: "jo\x1b"}, callback.Viewer{By: "jo (key the read)", Role: callback.RoleRead, ReadOnly: true}},
		{ClientOptions{URL: "http://" + addr, Key: "operator-key"}, callback.Viewer{By: "the operator", Role: callback.RoleOperator}},
		{ClientOptions{Socket: socket, Actor: "ana"}, callback.Viewer{By: "ana", From: "socket", Role: callback.RoleAdmin}},
	} {
		ctx, leave := context.WithCancel(t.Context())
		revs, err := newClient(t, c.o).Watch(ctx)
		if err != nil {
			t.Fatal(err)
		}
		<-o.came
		got := o.viewers[len(o.viewers)-1]
		if from := got.From; c.want.From == "" && from != "" {
			got.From = "" // a port of the system's choice
		}
		if got != c.want {
			t.Errorf("came %+v, want %+v", got, c.want)
		}
		leave()
		for range revs {
		}
		<-o.left
	}
}

// A request that says for whom it is made is not said to be for another.
func TestActorOfARequest(t *testing.T) {
	t.Parallel()
	var got []string
	srv := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get(actorHeader))
		New(Options{Service: newFixed()}).ServeHTTP(w, r)
	}), "tcp", "127.0.0.1:0")
	c := newClient(t, ClientOptions{URL: "http://" + srv, Actor: "ana"})
	if _, err := c.Server(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Suspend(t.Context(), "crm-prod", "jo"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, []string{"ana", "jo"}) {
		t.Errorf("made for %q", got)
	}
}
