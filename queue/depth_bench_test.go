package queue

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// lanes is how many calls run at once in the benchmarks of a deep queue.
const lanes = 64

// BenchmarkDrain empties a queue of a million waiting calls from its head, claim
// and success durable, and prints the rate, and that of the last tenth against
// the first: what was taken before must not slow what follows.
func BenchmarkDrain(b *testing.B) {
	const calls = 1_000_000
	for b.Loop() {
		e, num := deep(b, calls, b.TempDir())
		began := processTime(b)
		first := drain(b, e, num, calls/10)
		busy := processTime(b) - began
		middle := drain(b, e, num, calls-2*(calls/10))
		began = processTime(b)
		last := drain(b, e, num, calls/10)
		if n := e.Callbacks()[0].Live.Counts.Waiting(); n != 0 {
			b.Fatalf("%d calls still wait", n)
		}
		b.ReportMetric(calls/(first+middle+last).Seconds(), "calls/s")
		b.ReportMetric(float64(first)/float64(last), "last/first")
		b.ReportMetric(float64(busy)/float64(processTime(b)-began), "cpu-last/first")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkDepth takes calls from the head of a queue in which many wait, and
// enqueues as many, all durable. DEPTH adds a depth, DEPTH_DIR says where the
// folders are kept from run to run, DEPTH_SIZE how many bytes a response has
// (default 14, which lie beside the indexes; from 400 on they have files of their
// own), DEPTH_TIME for how long each is measured (default 4s): beyond that the rate
// over that time is set against that of the first 4 s.
func BenchmarkDepth(b *testing.B) {
	span := 4 * time.Second
	if s := os.Getenv("DEPTH_TIME"); s != "" {
		var err error
		if span, err = time.ParseDuration(s); err != nil {
			b.Fatal(err)
		}
	}
	for _, depth := range depths() {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			for b.Loop() {
				e, num := deep(b, depth, os.Getenv("DEPTH_DIR"))
				took := taking(b, e, num, 4*time.Second)
				both := turning(b, e, num, 4*time.Second)
				b.ReportMetric(took, "taken/s")
				b.ReportMetric(both, "turned/s")
				if span > 4*time.Second {
					b.ReportMetric(turning(b, e, num, span)/both, "sustained")
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkOpen opens the folders of BenchmarkDepth and looks at the head.
func BenchmarkOpen(b *testing.B) {
	for _, depth := range depths() {
		b.Run(fmt.Sprint(depth), func(b *testing.B) {
			e, num := deep(b, depth, os.Getenv("DEPTH_DIR"))
			var opened, looked time.Duration
			for b.Loop() {
				if err := e.Close(); err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				again, err := Open(e.opt)
				if err != nil {
					b.Fatal(err)
				}
				at := time.Now()
				if _, err = again.Due(b.Context(), num, callback.Fresh, callback.DueKey{}, lanes); err != nil {
					b.Fatal(err)
				}
				e, opened, looked = again, opened+at.Sub(start), looked+time.Since(at)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(opened.Milliseconds())/float64(b.N), "open-ms")
			b.ReportMetric(float64(looked.Microseconds())/float64(b.N), "first-look-µs")
			if err := e.Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

// depths are how many calls wait in the benchmarks.
func depths() []int {
	all := []int{0, 1_000_000}
	if n, err := strconv.Atoi(os.Getenv("DEPTH")); err == nil {
		all = append(all, n)
	}
	return all
}

// taking takes and completes calls from the head for a while and returns the
// rate; 0 where none wait.
func taking(b *testing.B, e *Engine, num callback.Num, span time.Duration) float64 {
	b.Helper()
	const turn = 2000
	start, n := time.Now(), 0
	for time.Since(start) < span && e.Callbacks()[0].Live.Counts.Waiting() > turn {
		drain(b, e, num, turn)
		n += turn
	}
	return float64(n) / time.Since(start).Seconds()
}

// turning enqueues calls, and takes and completes as many, for a while, and
// returns the rate.
func turning(b *testing.B, e *Engine, num callback.Num, span time.Duration) float64 {
	b.Helper()
	const turn = 2000
	r := callback.Response{Message: callback.Message{Channel: "SMS", Content: "Yes, I accept."}}
	start, n := time.Now(), 0
	for time.Since(start) < span {
		var wg sync.WaitGroup
		wg.Go(func() {
			spread(lanes, turn, func() error {
				_, err := e.Enqueue(context.Background(), evening, []callback.NewCall{{Num: num, Response: r}})
				return err
			})
		})
		wg.Go(func() { drain(b, e, num, turn) })
		wg.Wait()
		n += turn
	}
	return float64(n) / time.Since(start).Seconds()
}

// evening is when the calls of a deep queue are delivered: later than all were
// enqueued.
var evening = queuetest.Start.Add(24 * time.Hour)

// drain takes n calls from the head as a lane does, and returns how long that
// took.
func drain(b *testing.B, e *Engine, num callback.Num, n int) time.Duration {
	b.Helper()
	start := time.Now()
	var wg sync.WaitGroup
	defer wg.Wait()
	var running, done atomic.Int64
	free := make(chan struct{}, 1)
	for done.Load()+running.Load() < int64(n) {
		room := min(lanes-int(running.Load()), n-int(done.Load()+running.Load()))
		var claims []callback.Claim
		if room > 0 {
			page, err := e.Due(context.Background(), num, callback.Fresh, callback.DueKey{}, room)
			if err == nil {
				claims, err = e.Claim(context.Background(), evening, num, page, nil)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		for _, c := range claims {
			running.Add(1)
			wg.Go(func() {
				a := []callback.Attempt{answer()}
				a[0].Started = evening
				if _, err := e.Record(context.Background(), evening, num, c.Entry.ID, a); err != nil {
					b.Error(err)
				}
				done.Add(1)
				running.Add(-1)
				select {
				case free <- struct{}{}:
				default:
				}
			})
		}
		if len(claims) == 0 && running.Load() > 0 {
			<-free
		}
	}
	wg.Wait()
	return time.Since(start)
}

// deep opens an engine in which calls of one callback wait that are all due. A
// folder under dir that was filled before is used again.
func deep(b *testing.B, calls int, dir string) (*Engine, callback.Num) {
	b.Helper()
	if dir == "" || calls == 0 {
		dir = b.TempDir()
	}
	dir = filepath.Join(dir, fmt.Sprint(calls), "queue") // the folder above is one that the binary can serve
	if _, err := os.Stat(dir); err != nil {
		fillDeep(b, calls, dir)
	}
	e, err := Open(Options{Dir: dir, Now: evening, Policy: queuetest.Policy(), Free: plenty})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e, 1
}

func fillDeep(b *testing.B, calls int, dir string) {
	b.Helper()
	e, err := Open(Options{Dir: dir, Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
	}()
	cb := callback.Callback{ID: 1, Name: "a", URL: "http://127.0.0.1:18480/", Retries: true, MaxInFlight: 2 * lanes}
	if cb, err = e.Create(b.Context(), queuetest.Start, cb); err != nil {
		b.Fatal(err)
	}
	content := "Yes, I accept."
	if size, err := strconv.Atoi(os.Getenv("DEPTH_SIZE")); err == nil {
		content = strings.Repeat("y", size)
	}
	batch := make([]callback.NewCall, 500)
	for i := range batch {
		batch[i] = callback.NewCall{Num: cb.Num, Response: callback.Response{
			From: callback.From{Mobile: "0430984567"}, Message: callback.Message{Channel: "SMS", Content: content},
		}}
	}
	for n := 0; n < calls; n += len(batch) {
		if _, err := e.Enqueue(b.Context(), queuetest.Start.Add(time.Duration(n)*time.Millisecond/10), batch); err != nil {
			b.Fatal(err)
		}
	}
}
