package app_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/app"
	"ringback/callback"
)

// arrivals is a receiver that notes when each call came first. Its calls are
// numbered by their message ids.
type arrivals struct {
	*httptest.Server
	mu   sync.Mutex
	came []time.Time
	left sync.WaitGroup // calls that have not come yet
}

func newArrivals(tb testing.TB) *arrivals {
	r := &arrivals{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		now := time.Now()
		body, _ := io.ReadAll(req.Body) // what is cut short has no number
		_, after, _ := bytes.Cut(body, []byte(`"messageId":"`))
		digits, _, _ := bytes.Cut(after, []byte(`"`))
		n, err := strconv.Atoi(string(digits))
		r.mu.Lock()
		defer r.mu.Unlock()
		if err == nil && n < len(r.came) && r.came[n].IsZero() {
			r.came[n] = now
			r.left.Done()
		}
	}))
	tb.Cleanup(r.Close)
	return r
}

// window sends n calls, one each pace, to the callbacks in turn, and returns how
// long each took from the moment it was meant to be enqueued to its arrival, in
// order of length.
func (r *arrivals) window(tb testing.TB, a *app.App, refs []string, n int, pace time.Duration) []time.Duration {
	tb.Helper()
	r.mu.Lock()
	r.came = make([]time.Time, n)
	r.mu.Unlock()
	r.left.Add(n)
	meant := make([]time.Time, n)
	tick := time.NewTicker(pace)
	defer tick.Stop()
	var wg sync.WaitGroup
	start := time.Now()
	for i := range n {
		meant[i] = start.Add(time.Duration(i+1) * pace)
		if time.Now().Before(meant[i]) {
			<-tick.C
		}
		wg.Go(func() {
			item := callback.NewResponse{Ref: refs[i%len(refs)], Response: callback.Response{MessageID: strconv.Itoa(i), Message: callback.Message{Content: string(make([]byte, 500))}}}
			if out, err := a.Enqueue(context.Background(), []callback.NewResponse{item}); err != nil || out[0].Err != nil {
				panic(fmt.Sprint(err, out))
			}
		})
	}
	wg.Wait()
	r.left.Wait()
	took := make([]time.Duration, n)
	for i := range took {
		took[i] = r.came[i].Sub(meant[i])
	}
	slices.Sort(took)
	return took
}

// register makes n callbacks.
func register(tb testing.TB, a *app.App, kind, url string, n int) (refs []string) {
	tb.Helper()
	yes := true
	var wg sync.WaitGroup
	for i := range n {
		name := kind + strconv.Itoa(i)
		refs = append(refs, name)
		wg.Go(func() {
			if _, err := a.Create(tb.Context(), callback.Draft{Name: &name, URL: &url, Retries: &yes}); err != nil {
				tb.Error(err)
			}
		})
	}
	wg.Wait()
	return refs
}

// void is a receiver that answers nothing until it is told to.
type void struct {
	*httptest.Server
	mu sync.Mutex
	on chan struct{} // closed: answers
}

func newVoid(tb testing.TB) *void {
	v := &void{on: make(chan struct{})}
	v.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		_, _ = io.Copy(io.Discard, req.Body) // or it does not notice that nobody waits
		v.mu.Lock()
		on := v.on
		v.mu.Unlock()
		select {
		case <-on:
		case <-req.Context().Done():
		}
	}))
	tb.Cleanup(func() { v.answer(true); v.Close() })
	return v
}

// answer lets it answer everything from now on, or nothing.
func (v *void) answer(all bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !all {
		v.on = make(chan struct{})
		return
	}
	select {
	case <-v.on:
	default:
		close(v.on)
	}
}

// BenchmarkHanging has some endpoints that do not answer beside others that do, and
// prints how long the calls of these take from enqueue to arrival at 200 a second,
// all together: the median over windows without and with the others hanging, the
// median of the ratios of neighbouring windows, and how far, by the same measure,
// windows without them differ among themselves. An iteration is a window of 2 s of each.
func BenchmarkHanging(b *testing.B) {
	for _, c := range []struct{ hang, good int }{{1, 9}, {1, 99}, {64, 4}} {
		b.Run(fmt.Sprintf("%d beside %d", c.hang, c.good), func(b *testing.B) {
			a := open(b, nil)
			r, v := newArrivals(b), newVoid(b)
			good := register(b, a, "good", r.URL, c.good)
			bad := register(b, a, "bad", v.URL, c.hang)
			v.answer(true)
			var alone, beside, p50, p99, noise []float64
			window := func() (half, most float64) {
				took := r.window(b, a, good, 400, 5*time.Millisecond)
				return took[len(took)/2].Seconds() * 1000, took[len(took)*99/100].Seconds() * 1000
			}
			window() // connections are made
			for b.Loop() {
				half, most := window()
				v.answer(false)
				var items []callback.NewResponse
				for _, ref := range bad {
					items = append(items, slices.Repeat([]callback.NewResponse{{Ref: ref, Response: callback.Response{MessageID: "x"}}}, 32)...)
				}
				if _, err := a.Enqueue(b.Context(), items); err != nil {
					b.Fatal(err)
				}
				half2, most2 := window()
				v.answer(true)
				drained(b, a)
				if n := len(alone); n > 0 {
					noise = append(noise, max(most, alone[n-1])/min(most, alone[n-1]))
				}
				alone, beside = append(alone, most), append(beside, most2)
				p50, p99 = append(p50, half2/half), append(p99, most2/most)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(alone), "p99-alone-ms")
			b.ReportMetric(median(beside), "p99-beside-ms")
			b.ReportMetric(median(p50), "p50-ratio")
			b.ReportMetric(median(p99), "p99-ratio")
			if len(noise) > 0 {
				b.ReportMetric(median(noise), "p99-noise")
			}
		})
	}
}

// drained waits until nothing waits.
func drained(tb testing.TB, a *app.App) {
	tb.Helper()
	for {
		o, err := a.Overview(tb.Context(), 0)
		if err != nil {
			tb.Fatal(err)
		}
		if o.Waiting == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond) // a benchmark's
	}
}

func median(list []float64) float64 {
	list = slices.Sorted(slices.Values(list))
	return list[len(list)/2]
}

// flood sends n calls to the callbacks in turn from 64 producers, as fast as it
// goes, and returns how many arrived in a second.
func (r *arrivals) flood(a *app.App, refs []string, n int) float64 {
	r.mu.Lock()
	r.came = make([]time.Time, n)
	r.mu.Unlock()
	r.left.Add(n)
	var next atomic.Int64
	var wg sync.WaitGroup
	start := time.Now()
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				item := callback.NewResponse{Ref: refs[i%int64(len(refs))], Response: callback.Response{MessageID: strconv.FormatInt(i, 10), Message: callback.Message{Content: string(make([]byte, 500))}}}
				if out, err := a.Enqueue(context.Background(), []callback.NewResponse{item}); err != nil || out[0].Err != nil {
					panic(fmt.Sprint(err, out))
				}
			}
		})
	}
	r.left.Wait()
	took := time.Since(start)
	wg.Wait()
	return float64(n) / took.Seconds()
}

// BenchmarkManyCallbacks delivers to 10,000 callbacks in turn, and to 10, and
// prints both rates, the time from enqueue to arrival at 200 a second, the median
// of the ratios of neighbouring windows, and the memory that a callback costs. An
// iteration is a window of each.
func BenchmarkManyCallbacks(b *testing.B) {
	const n = 10_000
	r := newArrivals(b)
	few, many := open(b, nil), open(b, nil)
	tens := register(b, few, "few", r.URL, 10)
	r.flood(few, tens, n)
	before := heap()
	all := register(b, many, "many", r.URL, n)
	made := heap()
	r.flood(many, all, n) // each has had a call
	used := heap()
	var rates, ratios, p50, p99 []float64
	for b.Loop() {
		of, at := r.flood(few, tens, n), r.flood(many, all, n)
		rates, ratios = append(rates, at), append(ratios, at/of)
		a, z := r.window(b, few, tens, 400, 5*time.Millisecond), r.window(b, many, all, 400, 5*time.Millisecond)
		p50, p99 = append(p50, ratio(z, a, 50)), append(p99, ratio(z, a, 99))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(rates), "delivered/s")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(median(p50), "p50-ratio")
	b.ReportMetric(median(p99), "p99-ratio")
	b.ReportMetric((made-before)/n, "B-idle")
	b.ReportMetric((used-before)/n, "B-used")
}

func ratio(x, y []time.Duration, percent int) float64 {
	return float64(x[(len(x)-1)*percent/100]) / float64(y[(len(y)-1)*percent/100])
}

// heap returns the bytes that are in use.
func heap() float64 {
	runtime.GC()
	runtime.GC() // what finalizers let go of
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
