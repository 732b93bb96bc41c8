package queue

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// BenchmarkIdleCallbacks prints what callbacks cost that have nothing to do:
// heap, the time to open their folder, and that of one answer of
// Engine.Callbacks, of the first page of all outages and of the alerts of one.
func BenchmarkIdleCallbacks(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { idleCallbacks(b, n) })
	}
}

func idleCallbacks(b *testing.B, n int) {
	opt := Options{Dir: b.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true}
	e, err := Open(opt)
	if err != nil {
		b.Fatal(err)
	}
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := w; i < n; i += 64 {
				cb := callback.Callback{
					ID: callback.CallbackID(i*7919 + 1), Name: fmt.Sprint("customer-", i), URL: fmt.Sprintf("https://hooks.customer-%d.example.com/ringback", i),
					Auth: callback.Auth{Type: callback.AuthHeader, Key: callback.NewSecret("a key of a usual length", nil)}, Retries: true, Email: "ops@example.com",
				}
				if _, err := e.Create(b.Context(), queuetest.Start, cb); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
	e = nil
	without := heapInUse()
	began := time.Now()
	if e, err = Open(opt); err != nil {
		b.Fatal(err)
	}
	opened := time.Since(began)
	with := heapInUse()
	for b.Loop() {
		if got := len(e.Callbacks()); got != n {
			b.Fatalf("%d callbacks", got)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began = time.Now()
	all := 0
	for range e.All() {
		all++
	}
	b.ReportMetric(float64(time.Since(began).Microseconds())/1000, "ms/all")
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/1024, "KiB/all")
	if all != n {
		b.Fatalf("%d callbacks one by one", all)
	}
	b.ReportMetric(float64(with-without)/float64(n), "heap-B/callback")
	b.ReportMetric(float64(opened.Milliseconds()), "open-ms")
	lists(b, e)
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
}

// lists prints how long lists take that have nothing in them.
func lists(b *testing.B, e *Engine) {
	const times = 20
	for what, list := range map[string]func() error{
		"outages-ms":       func() error { _, err := e.Outages(b.Context(), callback.Newest[callback.Outage]{}); return err },
		"alerts-of-one-ms": func() error { _, err := e.Alerts(b.Context(), callback.Newest[callback.Alert]{Num: 7}); return err },
	} {
		began := time.Now()
		for range times {
			if err := list(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(began).Microseconds())/1000/times, what)
	}
}

// heapInUse returns the bytes that are in use.
func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
