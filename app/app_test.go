package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
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
	poster := post.New(post.Options{AllowPrivate: true, MaxPerHost: 512})
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
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
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

// delivered waits until nothing waits any more.
func delivered(ctx context.Context, t *testing.T, a *app.App) {
	t.Helper()
	watch, cancel := context.WithCancel(ctx)
	defer cancel()
	revs, err := a.Watch(watch)
	if err != nil {
		t.Fatal(err)
	}
	for range revs {
		o, err := a.Overview(ctx, 0)
		if err != nil {
			t.Fatal(err)
		}
		if o.Waiting == 0 {
			return
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

// BenchmarkEndToEnd delivers 1 KB responses durably to one endpoint on this
// machine, enqueued by 64 producers, and prints the rate and its ratio to what a
// bare net/http client reaches against the same endpoint in the same run.
func BenchmarkEndToEnd(b *testing.B) {
	var got atomic.Int64
	var arrived chan struct{}
	var want int64
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if got.Add(1) == want {
			close(arrived)
		}
	}))
	b.Cleanup(srv.Close)
	a := open(b, nil)
	yes, url, name, limit := true, srv.URL, "sink", 64
	if _, err := a.Create(b.Context(), callback.Draft{Name: &name, URL: &url, Retries: &yes, MaxInFlight: &limit}); err != nil {
		b.Fatal(err)
	}
	r := callback.Response{Message: callback.Message{Content: string(make([]byte, 700))}, MessageID: "ABC4857BCCF484575FCA"}
	_, body := post.Body(&callback.Callback{}, &r)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	b.Cleanup(client.CloseIdleConnections)
	round := func(n int, one func()) time.Duration {
		got.Store(0)
		want, arrived = int64(n), make(chan struct{})
		start := time.Now()
		var left atomic.Int64
		left.Store(int64(n))
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				for left.Add(-1) >= 0 {
					one()
				}
			})
		}
		<-arrived
		took := time.Since(start)
		wg.Wait()
		return took
	}
	const turn = 2000
	var mine, top time.Duration
	done := 0
	for b.Loop() {
		if done%turn == 0 {
			top += round(turn, func() { bare(client, srv.URL, body) })
			mine += round(turn, func() {
				out, err := a.Enqueue(context.Background(), []callback.NewResponse{{Ref: "sink", Response: r}})
				if err != nil || out[0].Err != nil {
					panic(fmt.Sprint(err, out))
				}
			})
		}
		done++
	}
	n := float64((done + turn - 1) / turn * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/mine.Seconds(), "delivered/s")
	b.ReportMetric(n/top.Seconds(), "ceiling/s")
	b.ReportMetric(top.Seconds()/mine.Seconds(), "ratio")
}

func bare(c *http.Client, url string, body []byte) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
