package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// BenchmarkEnqueue enqueues 1 KB responses durably, 64 and 512 at once, and
// prints the rate and its ratio to the ceiling: bare Badger group commits of
// the same bytes under two keys, in the same shape, in the same run.
func BenchmarkEnqueue(b *testing.B) {
	for _, producers := range []int{64, 512} {
		b.Run(fmt.Sprint(producers), func(b *testing.B) {
			e := openBench(b)
			cb, err := e.Create(context.Background(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
			if err != nil {
				b.Fatal(err)
			}
			r := kilobyte()
			var at atomic.Int64
			ours := func(n int) time.Duration {
				return spread(producers, n, func() error {
					now := queuetest.Start.Add(time.Duration(at.Add(1)) * time.Microsecond).Truncate(time.Millisecond)
					out, err := e.Enqueue(context.Background(), now, []callback.NewCall{{Num: cb.Num, Response: r}})
					if err == nil {
						err = out[0].Err
					}
					return err
				})
			}
			plain := newPlain(b)
			ceiling := func(n int) time.Duration { return spread(producers, n, plain.Put) }
			ratio(b, ours, ceiling)
		})
	}
}

// ratio measures ours and the ceiling in turns, so that the machine's moods hit
// both alike.
func ratio(b *testing.B, ours, ceiling func(n int) time.Duration) {
	b.Helper()
	const turn = 4096
	var mine, top, busy, busyTop time.Duration
	var each, eachTop []time.Duration
	done := 0
	b.ReportAllocs()
	for b.Loop() {
		if done%turn == 0 {
			b.StopTimer()
			cpu := processTime(b)
			eachTop = append(eachTop, ceiling(turn))
			busyTop += processTime(b) - cpu
			b.StartTimer()
			cpu = processTime(b)
			each = append(each, ours(turn))
			busy += processTime(b) - cpu
			mine, top = mine+each[len(each)-1], top+eachTop[len(eachTop)-1]
		}
		done++
	}
	turns := (done + turn - 1) / turn
	n := float64(turns * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/mine.Seconds(), "durable/s")
	b.ReportMetric(n/top.Seconds(), "ceiling/s")
	b.ReportMetric(top.Seconds()/mine.Seconds(), "ratio")
	b.ReportMetric(float64(busy)/n, "cpu-ns/call") // where others are at work on the machine, these say more
	b.ReportMetric(float64(busyTop)/n, "ceiling-cpu-ns/call")
	if turns >= 4*startTurns {
		b.ReportMetric(sustained(each), "sustained")
		b.ReportMetric(sustained(eachTop), "ceiling-sustained")
	}
}

// startTurns is how many turns are the start of a long run: some 4 s at 50,000 a second.
const startTurns = 49

// sustained returns the rate of the last half of the turns, as a share of that of
// the start, when nothing was there to be compacted.
func sustained(each []time.Duration) float64 {
	mean := func(list []time.Duration) (sum float64) {
		for _, d := range list {
			sum += d.Seconds() / float64(len(list))
		}
		return sum
	}
	return mean(each[:startTurns]) / mean(each[len(each)/2:])
}

// processTime returns the processor time of the process so far.
func processTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// spread runs f n times on several goroutines and returns how long that took.
func spread(workers, n int, f func() error) time.Duration {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	start := time.Now()
	for range workers {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// newPlain opens the ceiling in a folder of its own.
func newPlain(b *testing.B) *Plain {
	b.Helper()
	r := kilobyte()
	p, err := OpenPlain(b.TempDir(), &r)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := p.Close(); err != nil {
			b.Error(err)
		}
	})
	return p
}

// BenchmarkDeliver takes calls through enqueue, claim and success, all durable:
// the ratio is to twice as many bare group commits.
func BenchmarkDeliver(b *testing.B) {
	e := openBench(b)
	starts := make(chan callback.Claim, 1024)
	e.SetDispatcher(direct{starts})
	cb, err := e.Create(context.Background(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 512})
	if err != nil {
		b.Fatal(err)
	}
	r := kilobyte()
	one := func() error {
		_, err := e.Enqueue(context.Background(), queuetest.Start, []callback.NewCall{{Num: cb.Num, Response: r}})
		if err != nil {
			return err
		}
		c := <-starts
		a := answer()
		_, err = e.Record(context.Background(), queuetest.Start, cb.Num, c.Entry.ID, []callback.Attempt{a})
		return err
	}
	p := newPlain(b)
	two := func() error {
		if err := p.Put(); err != nil {
			return err
		}
		return p.Put()
	}
	ratio(b, func(n int) time.Duration { return spread(256, n, one) }, func(n int) time.Duration { return spread(256, n, two) })
}

type direct struct{ starts chan callback.Claim }

func (d direct) Slot(_ callback.Num, may bool, _ int) bool { return may }
func (d direct) Start(c callback.Claim)                    { d.starts <- c }
func (d direct) Wake(callback.Num, int)                    {}
func (d direct) Next(callback.Num) *callback.Claim         { return nil }
func (d direct) Missed(*callback.Claim)                    {}

func answer() callback.Attempt {
	return callback.Attempt{OK: true, Code: 200, Reason: "OK", Started: queuetest.Start, Duration: time.Millisecond, Peer: "127.0.0.1:8080", Reused: true}
}

func kilobyte() callback.Response {
	content := make([]byte, 700)
	for i := range content {
		content[i] = byte('a' + i*7%26)
	}
	return callback.Response{
		MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
		From:    callback.From{Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "0430984567", Email: "fred@example.com"},
		Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/13 13:22", Content: string(content)},
		Params:  []callback.Param{{Key: "CustomerId", Value: "890h0ef0"}},
	}
}

func openBench(b *testing.B) *Engine {
	b.Helper()
	e, err := Open(Options{Dir: b.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

var silent = slog.New(slog.DiscardHandler)

// BenchmarkPurge removes delivered calls, each with one attempt and a message id.
func BenchmarkPurge(b *testing.B) {
	e := openBench(b)
	starts := make(chan callback.Claim, 1024)
	e.SetDispatcher(direct{starts})
	cb, err := e.Create(context.Background(), queuetest.Start, callback.Callback{ID: 1, Name: "a", MaxInFlight: 512})
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]callback.NewCall, 100)
	for i := range batch {
		batch[i] = callback.NewCall{Num: cb.Num, Response: kilobyte()}
	}
	now := queuetest.Start
	done := 0
	for b.Loop() {
		if done++; done%10_000 != 1 {
			continue
		}
		b.StopTimer()
		for range 100 {
			if _, err := e.Enqueue(context.Background(), now, batch); err != nil {
				b.Fatal(err)
			}
			spread(len(batch), len(batch), func() error {
				a := answer()
				_, err := e.Record(context.Background(), now, cb.Num, (<-starts).Entry.ID, []callback.Attempt{a})
				return err
			})
		}
		now = now.Add(time.Hour) // it never goes back
		b.StartTimer()
		if n, err := e.Purge(context.Background(), now, now, now, 1e6); err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
