package app_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue"
	"ringback/queue/memq"
)

// readyz asks the way a load balancer does, as an operator of the same machine.
func readyz(a *app.App) (status int, body string) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "http://localhost/readyz", nil)
	api.New(api.Options{Service: a, Ready: a.Ready}).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// TestReadyz has what makes the appliance not ready: each is told, and goes away
// with its cause.
func TestReadyz(t *testing.T) {
	t.Run("disk low", func(t *testing.T) {
		t.Parallel()
		var free atomic.Uint64
		free.Store(100 << 20)
		e, err := queue.Open(queue.Options{
			Dir: t.TempDir(), Now: time.Now(), Policy: policy(), LowWater: 100 << 20,
			Free: func() (uint64, error) { return free.Load(), nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() }) // after what open registers
		a := open(t, func(o *app.Options) { o.Store = e })
		turns(t, a, http.StatusOK, "")
		free.Store(99 << 20)
		turns(t, a, http.StatusServiceUnavailable, "the disk is nearly full")
		free.Store(100 << 20)
		turns(t, a, http.StatusOK, "")
	})
	t.Run("engine stopped", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := app.New(app.Options{Store: memq.New(policy()), Poster: post.New(post.Options{}), Policy: policy(), Drain: time.Second})
			if status, body := readyz(a); status != http.StatusServiceUnavailable || !strings.Contains(body, "the engine does not run") {
				t.Fatalf("before it runs: %d %s", status, body)
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- a.Run(ctx) }()
			synctest.Wait()
			if status, body := readyz(a); status != http.StatusOK {
				t.Errorf("while it runs: %d %s", status, body)
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if status, body := readyz(a); status != http.StatusServiceUnavailable || !strings.Contains(body, "the engine does not run") {
				t.Errorf("after it ran: %d %s", status, body)
			}
		})
	})
	t.Run("call late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := app.New(app.Options{Store: memq.New(policy()), Poster: post.New(post.Options{}), Policy: policy()})
			name, url := "crm-prod", "http://127.0.0.1:1/"
			if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: name, Response: callback.Response{Message: callback.Message{Content: "a"}}}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // of the bubble; nothing delivers meanwhile
			if _, body := readyz(a); strings.Contains(body, "late") {
				t.Errorf("after a minute: %s", body)
			}
			time.Sleep(time.Second)
			if status, body := readyz(a); status != http.StatusServiceUnavailable || !strings.Contains(body, "a call of crm-prod is late by 1m1s") {
				t.Errorf("after more than a minute: %d %s", status, body)
			}
		})
	})
}

// always is an endpoint that answers so after a while, and notes when it is asked.
type always struct {
	code  int
	takes time.Duration
	mu    sync.Mutex
	at    []time.Time
}

func (p *always) Post(ctx context.Context, _ *callback.Callback, _ *callback.Claim, number int) []callback.Attempt {
	p.mu.Lock()
	p.at = append(p.at, time.Now())
	p.mu.Unlock()
	a := callback.Attempt{Number: number, Started: time.Now(), Code: p.code, OK: p.code == http.StatusOK}
	if !a.OK {
		a.Class = callback.ClassStatus
	}
	select {
	case <-time.After(p.takes): // of the bubble
	case <-ctx.Done():
		a.Code, a.OK, a.Class = 0, false, callback.ClassInterrupted
	}
	return []callback.Attempt{a}
}

// What waits because it was asked to is not late: behind a rate, or, in order,
// behind a call that fails. Nor is what waits for memory of its own callback.
func TestReadyWhileCallsWaitAsAsked(t *testing.T) {
	rate, yes := 0.1, true
	long := callback.Response{Message: callback.Message{Content: strings.Repeat("x", 300)}} // there is memory for one
	for _, c := range []struct {
		name  string
		draft callback.Draft
		code  int
		takes time.Duration
		posts int // in ten minutes and a bit
	}{
		{"rate", callback.Draft{RatePerSecond: &rate}, http.StatusOK, 0, 61},
		{"ordered", callback.Draft{Ordered: &yes, Retries: &yes}, http.StatusBadGateway, 0, 3},
		{"memory", callback.Draft{}, http.StatusOK, 40 * time.Second, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &always{code: c.code, takes: c.takes}
				a := app.New(app.Options{Store: memq.New(policy()), Poster: p, Policy: policy(), Drain: time.Minute, MaxBytes: 2000})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- a.Run(ctx) }()
				url := "http://127.0.0.1:1/"
				c.draft.Name, c.draft.URL = &c.name, &url
				if _, err := a.Create(t.Context(), c.draft); err != nil {
					t.Fatal(err)
				}
				if _, err := a.Enqueue(t.Context(), slices.Repeat([]callback.NewResponse{{Ref: c.name, Response: long}}, 100)); err != nil {
					t.Fatal(err)
				}
				for range 10 {
					time.Sleep(time.Minute + time.Second) // of the bubble
					if status, body := readyz(a); status != http.StatusOK {
						t.Errorf("after %v: %d %s", time.Since(p.at[0]), status, body)
					}
				}
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if n := len(p.at); n < c.posts-1 || n > c.posts+1 {
					t.Errorf("%d attempts, want %d", n, c.posts)
				}
				for i := 1; i < len(p.at) && c.code == http.StatusOK; i++ {
					if gap := p.at[i].Sub(p.at[i-1]); gap < 9*time.Second {
						t.Errorf("attempt %d came %v after the one before", i, gap)
					}
				}
			})
		})
	}
}

// What waits for memory, or for slots, that others have is not late as long as
// their attempts end; where none does it is, a minute after the longest could have.
func TestReadyWhileOthersHaveIt(t *testing.T) {
	long := callback.Response{Message: callback.Message{Content: strings.Repeat("x", 300)}} // there is memory for one
	short := callback.Response{Message: callback.Message{Content: "x"}}
	for _, c := range []struct {
		name       string
		response   callback.Response
		busy, idle int // callbacks
		each       int // calls
		takes      time.Duration
		late       time.Duration // since the start; 0: never
	}{
		{"memory", long, 30, 0, 2, time.Minute, 0},
		{"slots beyond the shares", short, 3, 3, 100, time.Minute, 0},
		{"all slots", short, 30, 0, 20, time.Minute, 0},
		{"memory, and nothing ends", long, 30, 0, 2, 9 * time.Hour, 7*time.Minute + 10*time.Second},
		{"slots, and nothing ends", short, 3, 3, 100, 9 * time.Hour, 7*time.Minute + 10*time.Second},
		{"all slots, and nothing ends", short, 30, 0, 20, 9 * time.Hour, 7*time.Minute + 10*time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := app.New(app.Options{
					Store: memq.New(policy()), Poster: &always{code: http.StatusOK, takes: c.takes}, Policy: policy(),
					MaxInFlight: 8, MaxBytes: 2000, Drain: time.Minute, Info: callback.Server{Connect: 5 * time.Second, Response: 90 * time.Second},
				})
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- a.Run(ctx) }()
				for i := range c.busy + c.idle {
					name, url := fmt.Sprint("c", i), "http://127.0.0.1:1/"
					if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
						t.Fatal(err)
					}
				}
				began := time.Now()
				for i := range c.busy {
					if _, err := a.Enqueue(t.Context(), slices.Repeat([]callback.NewResponse{{Ref: fmt.Sprint("c", i), Response: c.response}}, c.each)); err != nil {
						t.Fatal(err)
					}
				}
				for range 15 * 60 / 10 {
					time.Sleep(10 * time.Second) // of the bubble
					late := c.late != 0 && time.Since(began) > c.late
					if status, body := readyz(a); late != (status != http.StatusOK) || late && !strings.Contains(body, "do not end") {
						t.Fatalf("after %v: %d %s", time.Since(began), status, body)
					}
				}
				cancel()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// turns waits until /readyz answers so: Run begins in its own time.
func turns(t *testing.T, a *app.App, want int, why string) {
	t.Helper()
	for t.Context().Err() == nil {
		status, body := readyz(a)
		if status == want && strings.Contains(body, why) {
			return
		}
		if why != "" || !strings.Contains(body, "does not run") {
			t.Fatalf("got %d %s, want %d %q", status, body, want, why)
		}
	}
}
