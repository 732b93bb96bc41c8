package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestLongResponses sends responses of nearly 1 MiB, the longest there are by
// default, for as many callbacks as there are slots, to an endpoint that takes 20 s
// to answer each. The real binary must hold no more memory of its own than
// memory_limit and 15 % while they come and for a minute after; it prints how much
// that is. LONG_RESPONSES says how many there are for each callback.
func TestLongResponses(t *testing.T) {
	each, err := strconv.Atoi(os.Getenv("LONG_RESPONSES"))
	if err != nil {
		t.Skip("LONG_RESPONSES is no number: this measures, and takes its time")
	}
	const callbacks = 512
	h := &slowHook{takes: 20 * time.Second}
	srv := httptest.NewServer(h)
	defer srv.CloseClientConnections()
	p := start(t, filepath.Join(build(t), "ringback"), t.TempDir())
	defer p.kill() // what waits would take minutes
	for i := range callbacks {
		give(t, p.url+"/callbacks", fmt.Sprintf(`{"name": "c%d", "url": "%s/%d", "retriesEnabled": true}`, i, srv.URL, i), http.StatusCreated)
	}
	body := `{"responseMessage": {"channel": "SMS", "content": "` + strings.Repeat("x", 1<<20-100) + `"}}`
	began, work, given := time.Now(), make(chan int), make(chan struct{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range work {
				give(t, fmt.Sprintf("%s/callbacks/c%d/responses", p.url, i), body, http.StatusAccepted)
			}
		})
	}
	go func() {
		defer close(given)
		for i := range callbacks * each {
			work <- i % callbacks
		}
		close(work)
		wg.Wait()
	}()
	coming := 0
	for over := false; !over; {
		select {
		case <-given:
			over = true
		case <-time.After(20 * time.Millisecond):
			coming = max(coming, p.status(t)["RssAnon"])
		}
	}
	took, going := time.Since(began), 0
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		going = max(going, p.status(t)["RssAnon"])
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if limit := 256 * 115 / 100; coming > limit || going > limit || min(coming, going) == 0 {
		t.Errorf("RssAnon at most %d MiB while they came and %d after, want at most %d", coming, going, limit)
	}
	if h.done == 0 {
		t.Error("nothing was delivered")
	}
	t.Logf("%d responses taken in %v; RssAnon at most %d MiB while they came, %d after; %d at once at most, %d answered",
		callbacks*each, took.Round(time.Millisecond), coming, going, h.most, h.done)
}

// give posts until it is not told to come again.
func give(t *testing.T, url, body string, want int) {
	for {
		res, err := http.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		res.Body.Close()
		if res.StatusCode != http.StatusTooManyRequests {
			if res.StatusCode != want {
				t.Error(res.Status)
			}
			return
		}
		time.Sleep(time.Second) // as it was told
	}
}

// slowHook counts requests.
type slowHook struct {
	takes           time.Duration
	mu              sync.Mutex
	now, most, done int
}

// ServeHTTP implements http.Handler.
func (h *slowHook) ServeHTTP(http.ResponseWriter, *http.Request) {
	h.add(1, 0)
	time.Sleep(h.takes) // of the field: it is what is measured
	h.add(-1, 1)
}

func (h *slowHook) answered() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.done
}

func (h *slowHook) add(now, done int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now, h.done = h.now+now, h.done+done
	h.most = max(h.most, h.now)
}
