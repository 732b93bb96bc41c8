package app_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/alert"
	"ringback/app/post"
	"ringback/app/servicetest"
	"ringback/callback"
	"ringback/queue"
)

func policy() callback.Policy {
	return callback.Policy{
		MaxInFlight: 16, Interval: 5 * time.Minute, Window: 24 * time.Hour, Jitter: 0.1,
		Mode: callback.ModeOutage, MaxPerHour: 60, Recovery: true, RecoveryAfter: 15 * time.Minute, DigestEvery: time.Hour,
	}
}

// open starts an appliance on a folder of its own: the real engine, real
// delivery, no mail server.
func open(tb testing.TB, change func(*app.Options)) *app.App {
	tb.Helper()
	e, err := queue.Open(queue.Options{Dir: tb.TempDir(), Now: time.Now(), Policy: policy()})
	if err != nil {
		tb.Fatal(err)
	}
	poster := post.New(post.Options{AllowPrivate: true, MaxIdle: 512})
	o := app.Options{
		Store: e, Poster: poster, Policy: policy(), Drain: time.Second,
		Alerts: alert.Options{From: "ringback@example.com", Admin: "admin@example.com", Name: "test.example"},
		Info:   callback.Server{Name: "test", Version: "test"},
	}
	if change != nil {
		change(&o)
	}
	a := app.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			tb.Errorf("Run: %v", err)
		}
		poster.Close()
		if err := e.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return a
}

func TestServiceInProcess(t *testing.T) {
	t.Parallel()
	servicetest.Run(t, func(t *testing.T) callback.Service { return open(t, nil) })
}

// Bursts that come while others are delivered leave nothing behind.
func TestBursts(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	t.Cleanup(srv.Close)
	a := open(t, nil)
	yes, url := true, srv.URL
	names := []string{"a", "b", "c", "d"}
	for i, name := range names {
		limit := 1 << i
		if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url, Retries: &yes, MaxInFlight: &limit}); err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	for burst := range 100 {
		items := make([]callback.NewResponse, 1+burst%40)
		for i := range items {
			items[i] = callback.NewResponse{Ref: names[(burst+i)%len(names)], Response: callback.Response{MessageID: fmt.Sprint(i)}}
		}
		if _, err := a.Enqueue(ctx, items); err != nil {
			t.Fatal(err)
		}
		if burst%10 == 9 {
			delivered(ctx, t, a)
		}
	}
}

// delivered waits until nothing waits any more, for as long as calls are delivered:
// a minute without one is too long.
func delivered(ctx context.Context, t *testing.T, a *app.App) {
	t.Helper()
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	stuck := time.AfterFunc(time.Minute, cancel)
	defer stuck.Stop()
	revs, err := a.Watch(watch)
	if err != nil {
		t.Fatal(err)
	}
	waiting := uint64(math.MaxUint64)
	for range revs {
		o, err := a.Overview(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if o.Waiting == 0 {
			return
		}
		if o.Waiting < waiting {
			waiting = o.Waiting
			stuck.Reset(time.Minute)
		}
	}
	o, _ := a.Overview(context.Background(), 0)
	t.Fatalf("%d calls wait, %d attempts run", o.Waiting, o.Running)
}

// body returns what is answered to a GET.
func body(ctx context.Context, t *testing.T, url string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() // nothing is written
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %d, %v: %s", url, res.StatusCode, err, b)
	}
	return b
}
