package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/app/metrics"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue"
)

// BenchmarkEndToEnd takes responses of 1 KB through the whole house: 64
// producers enqueue them over HTTP, each answered when it is on disk, and they
// are delivered to one endpoint on this machine, 64 at once, until each success is
// on disk. The ceiling is what a bare net/http client reaches against the same
// endpoint, 64 requests at once, in turns with it in the same process.
func BenchmarkEndToEnd(b *testing.B) {
	const producers, turn = 64, 4096
	p := openPlant(b, producers)
	body := kilobyte()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: producers, DisableCompression: true}}
	b.Cleanup(client.CloseIdleConnections)
	var mine, top, busy, bare time.Duration
	var ratios []float64
	var before, after runtime.MemStats
	var allocs, memory uint64
	done := 0
	for b.Loop() {
		if done++; done%turn != 1 {
			continue
		}
		cpu := processTime()
		alone := spread(producers, turn, func() { exchange(client, p.endpoint, body) })
		bare += processTime() - cpu
		runtime.ReadMemStats(&before)
		cpu = processTime()
		whole := p.deliver(turn, func() { p.produce(producers, turn) })
		busy += processTime() - cpu
		mine, top, ratios = mine+whole, top+alone, append(ratios, alone.Seconds()/whole.Seconds())
		runtime.ReadMemStats(&after)
		allocs, memory = allocs+after.Mallocs-before.Mallocs, memory+after.TotalAlloc-before.TotalAlloc
	}
	n := float64((done + turn - 1) / turn * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/mine.Seconds(), "delivered/s")
	b.ReportMetric(n/top.Seconds(), "ceiling/s")
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "ratio")
	b.ReportMetric(float64(bare.Microseconds())/n, "cpu-µs/exchange")
	b.ReportMetric(float64(busy.Microseconds())/n, "cpu-µs/response") // of producers, ringback and endpoint together
	b.ReportMetric(float64(allocs)/n, "allocs/response")
	b.ReportMetric(float64(memory)/n, "B/response")
	b.ReportMetric(n/float64(p.commits.Load()), "responses/commit")
}

// plant is a whole appliance, served over HTTP, and an endpoint.
type plant struct {
	endpoint string // its URL
	inward   string // the appliance's address
	idle     chan *producer
	arrived  func(body []byte) // told of each request to the endpoint; nil: nobody
	commits  atomic.Int64

	left    atomic.Int64 // successes to be recorded until all is done
	settled chan struct{}
}

func openPlant(b *testing.B, inFlight int) *plant {
	b.Helper()
	p := &plant{idle: make(chan *producer, 64)}
	b.Cleanup(func() {
		for len(p.idle) > 0 {
			_ = (<-p.idle).Close() // nothing is left on it
		}
	})
	endpoint := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if p.arrived == nil {
			_, _ = io.Copy(io.Discard, r.Body)
		} else if body, err := io.ReadAll(r.Body); err == nil {
			p.arrived(body)
		}
	}))
	b.Cleanup(endpoint.Close)
	a := open(b, func(o *app.Options) {
		if err := o.Store.Close(); err != nil {
			b.Fatal(err)
		}
		o.Metrics = metrics.New("bench")
		e, err := queue.Open(queue.Options{Dir: b.TempDir(), Now: time.Now(), Policy: policy(), Committing: func(n int) func() {
			p.commits.Add(1)
			return o.Metrics.Committing(n)
		}})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			if err := e.Close(); err != nil {
				b.Error(err)
			}
		})
		o.Store = counted{e, p}
	})
	yes, name := true, "sink"
	if _, err := a.Create(b.Context(), callback.Draft{Name: &name, URL: &endpoint.URL, Retries: &yes, MaxInFlight: &inFlight}); err != nil {
		b.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config = api.Server(api.New(api.Options{Service: a}))
	srv.Start()
	b.Cleanup(srv.Close)
	p.endpoint, p.inward = endpoint.URL, srv.Listener.Addr().String()
	for len(p.idle) < cap(p.idle) {
		p.idle <- dial(p.inward)
	}
	return p
}

// counted is an engine that tells its plant of each success it recorded.
type counted struct {
	*queue.Engine
	p *plant
}

// Record implements callback.Queue.
func (c counted) Record(ctx context.Context, now time.Time, num callback.Num, id callback.CallID, as []callback.Attempt) (callback.Entry, error) {
	e, err := c.Engine.Record(ctx, now, num, id, as)
	if err == nil && e.Status == callback.Success && c.p.left.Add(-1) == 0 {
		close(c.p.settled)
	}
	return e, err
}

// deliver returns how long it takes until the successes of n responses, which
// enqueue sends, are recorded.
func (p *plant) deliver(n int, enqueue func()) time.Duration {
	p.settled = make(chan struct{})
	p.left.Store(int64(n))
	start := time.Now()
	enqueue()
	<-p.settled
	return time.Since(start)
}

// spread runs f n times on several goroutines and returns how long that took.
func spread(workers, n int, f func()) time.Duration {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				f()
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// exchange makes one request as a plain program would.
func exchange(c *http.Client, url string, body []byte) {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		panic(err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if _ = resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK { // it was read to its end
		panic(fmt.Sprint(resp.Status, err))
	}
}

// produce enqueues n responses over several connections and returns how long
// that took. Producers are other programs: theirs cost as little as they can,
// so that ringback is measured.
func (p *plant) produce(workers, n int) time.Duration {
	request := p.request(kilobyte())
	return spread(workers, n, func() {
		c := <-p.idle
		c.enqueue(request)
		p.idle <- c
	})
}

// request returns the enqueue of one response.
func (p *plant) request(body []byte) []byte {
	return fmt.Appendf(nil, "POST /callbacks/sink/responses HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		p.inward, len(body), body)
}

// producer is a connection on which one request after the other is made.
type producer struct {
	net.Conn
	in *bufio.Reader
}

func dial(addr string) *producer {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		panic(err)
	}
	return &producer{c, bufio.NewReader(c)}
}

// enqueue sends a request and reads its answer, which has to be 202.
func (c *producer) enqueue(request []byte) {
	_, err := c.Write(request)
	status, length := false, 0
	for line := request; err == nil && len(line) > len("\r\n"); {
		line, err = c.in.ReadSlice('\n')
		status = status || bytes.HasPrefix(line, []byte("HTTP/1.1 202 "))
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok && err == nil {
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	if err == nil {
		_, err = c.in.Discard(length)
	}
	if err != nil || length == 0 || !status {
		panic(fmt.Sprintf("not answered 202: %v", err))
	}
}

// kilobyte is a response of 1 KB, as it comes in and nearly as it goes out.
func kilobyte() []byte {
	content := bytes.Repeat([]byte("It has been raining. "), 35)
	r := callback.Response{
		MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
		From:    callback.From{Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "0430984567"},
		Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/13 13:22", Content: string(content)},
	}
	_, body := post.Body(&callback.Callback{}, &r)
	return body
}

// processTime returns the processor time of the process so far.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
