package app_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue/memq"
)

// patient is an endpoint that refuses connections until it is up; then it takes
// 10 ms for each answer.
type patient struct {
	mu       sync.Mutex
	up       bool
	requests int
	taken    []callback.CallID // in the order of their requests
	first    time.Time         // when the first was delivered
	last     time.Time
}

// Post implements callback.Poster.
func (p *patient) Post(_ context.Context, _ *callback.Callback, c *callback.Claim, number int) []callback.Attempt {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := callback.Attempt{Number: number, Started: time.Now(), Class: callback.ClassRefused}
	p.requests++
	if !p.up {
		return []callback.Attempt{a}
	}
	p.taken = append(p.taken, c.Entry.ID)
	p.mu.Unlock()
	time.Sleep(10 * time.Millisecond) // of the bubble
	p.mu.Lock()
	p.last = time.Now()
	if p.first.IsZero() {
		p.first = p.last
	}
	a.Class, a.OK, a.Code = 0, true, 200
	return []callback.Attempt{a}
}

// count returns how many requests there were since it was last asked.
func (p *patient) count() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, p.requests = p.requests, 0
	return n
}

// running runs an App over s until the function it returns is called.
func running(t *testing.T, s *memq.Store, p callback.Poster) (a *app.App, end func()) {
	t.Helper()
	a = app.New(app.Options{Store: s, Poster: p, Policy: policy(), Drain: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	synctest.Wait()
	return a, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// Behind an endpoint that is dead for two hours thousands wait, and it sees few
// requests; a restart in between costs one. When it is back it gets all of them
// at once, as fast as it takes 16 at a time; in an ordered callback in order.
func TestHerdOfTwoHours(t *testing.T) {
	for _, c := range []struct {
		name    string
		ordered bool
		n       int
		burst   int           // of requests that find out that it is dead
		within  time.Duration // from the first success to the last
	}{
		{"16 at once", false, 10_000, 16, 10_000 / 16 * 11 * time.Millisecond},
		{"ordered", true, 2000, 1, 2000 * 11 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, p := memq.New(policy()), &patient{}
				a, end := running(t, s, p)
				name, url, yes := "crm", "http://127.0.0.1:1/", true
				if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url, Retries: &yes, Ordered: &c.ordered}); err != nil {
					t.Fatal(err)
				}
				var ids []callback.CallID
				for i := range c.n / 100 {
					out, err := a.Enqueue(t.Context(), slices.Repeat([]callback.NewResponse{{Ref: name, Response: callback.Response{MessageID: fmt.Sprint(i)}}}, 100))
					if err != nil {
						t.Fatal(err)
					}
					for i := range out {
						ids = append(ids, out[i].ID)
					}
				}
				time.Sleep(time.Minute)
				if n := p.count(); n != c.burst {
					t.Errorf("%d requests found out that it is dead, want %d", n, c.burst)
				}
				time.Sleep(time.Hour)
				if n := p.count(); n > 13 {
					t.Errorf("%d requests in an hour", n)
				}
				end()
				s.Restart(time.Now())
				_, end = running(t, s, p)
				defer func() { end() }()
				time.Sleep(time.Minute)
				if n := p.count(); n != 1 {
					t.Errorf("%d requests after a restart, want 1", n)
				}
				time.Sleep(time.Hour)
				if n := p.count(); n > 13 {
					t.Errorf("%d requests in another hour", n)
				}
				p.mu.Lock()
				p.up = true
				p.mu.Unlock()
				time.Sleep(6 * time.Minute) // a probe comes within
				if n := p.count(); n != c.n || len(p.taken) != c.n {
					t.Fatalf("%d requests and %d calls delivered of %d", n, len(p.taken), c.n)
				}
				if took := p.last.Sub(p.first); took > c.within {
					t.Errorf("%v from the first success to the last, want %v at most", took, c.within)
				}
				if c.ordered && !slices.Equal(p.taken, ids) {
					t.Error("the calls of an ordered callback were not delivered in their order")
				}
			})
		})
	}
}
