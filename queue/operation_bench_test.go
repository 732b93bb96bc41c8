package queue

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// BenchmarkOperation resolves 100,000 failed calls on disk, in the pages of 100
// that the App makes, with nothing else going on; and it takes the time of
// durable enqueues, 16 at once, with no operation and beside one.
func BenchmarkOperation(b *testing.B) {
	const calls, page = 100_000, 100
	e := openBench(b)
	cb, err := e.Create(context.Background(), queuetest.Start, callback.Callback{ID: 1, Name: "a", MaxInFlight: callback.MaxCallbackRun})
	if err != nil {
		b.Fatal(err)
	}
	failCalls(b, e, cb.Num, calls)
	other, err := e.Create(context.Background(), queuetest.Start, callback.Callback{ID: 2, Name: "b"})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	operate := func(undo bool) time.Duration {
		begin := time.Now()
		if !undo {
			n++
			resolveAll(b, e, cb.Num, fmt.Sprint(n), page, calls)
		} else {
			undoAll(b, e, fmt.Sprint(n), page, calls)
		}
		return time.Since(begin)
	}
	var alone, undone time.Duration
	var quiet, beside []time.Duration
	rounds := 0
	for b.Loop() {
		rounds++
		alone += operate(false)
		undone += operate(true)
		quiet = append(quiet, latencies(b, e, other.Num, func(stop func()) { time.AfterFunc(2*time.Second, stop) })...)
		beside = append(beside, latencies(b, e, other.Num, func(stop func()) {
			go func() {
				defer stop()
				operate(false)
				operate(true)
			}()
		})...)
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(rounds*calls)/alone.Seconds(), "resolved/s")
	b.ReportMetric(float64(rounds*calls)/undone.Seconds(), "undone/s")
	for name, list := range map[string][]time.Duration{"quiet": quiet, "beside": beside} {
		slices.Sort(list)
		b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "ms-p50-"+name)
		b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "ms-p99-"+name)
	}
}

// BenchmarkSearchAfterUndo looks for a text that none of 100,000 failed calls has, after
// all of them were resolved, and after that was undone: each leaves a tombstone for each
// call in the list that it left. In that of successes an older call stands behind them.
func BenchmarkSearchAfterUndo(b *testing.B) {
	const calls, page = 100_000, 500
	e := quickBench(b)
	if _, err := e.Create(b.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", MaxInFlight: callback.MaxCallbackRun}); err != nil {
		b.Fatal(err)
	}
	failCalls(b, e, 1, 2)
	resolveAll(b, e, 1, "first", page, 2)
	failCalls(b, e, 1, calls)
	both := callback.ListFailed | callback.ListSuccess
	search := func(name string, status callback.CallStatus) {
		b.Run(name, func(b *testing.B) {
			looked, asked := uint64(0), 0
			for b.Loop() {
				q := callback.CallQuery{Num: 1, Filter: callback.Filter{Status: status, Text: "nobody wrote that"}}
				for more := true; more; asked++ {
					p, err := e.Calls(b.Context(), q)
					if err != nil || len(p.Calls) > 0 {
						b.Fatal(p, err)
					}
					looked, more, q.After = looked+p.Looked, p.More, p.Next
				}
			}
			b.ReportMetric(float64(looked)/b.Elapsed().Seconds(), "looked/s")
			b.ReportMetric(b.Elapsed().Seconds()*1000/float64(asked), "ms/question")
		})
	}
	search("before", both)
	resolveAll(b, e, 1, "all", page, calls)
	search("resolved/all states", both)
	search("resolved/successes", callback.ListSuccess)
	undoAll(b, e, "all", page, calls)
	search("undone/all states", both)
	search("undone/failed", callback.ListFailed)
	if err := e.db.Flatten(1); err != nil {
		b.Fatal(err)
	}
	search("undone, compacted/all states", both)
}

// resolveAll resolves all failed calls of a callback by an operation.
func resolveAll(b *testing.B, e *Engine, num callback.Num, id string, page, want int) {
	b.Helper()
	o := callback.Operation{ID: id, Num: num, Kind: callback.OperationResolve, Filter: callback.Filter{Status: callback.ListFailed}}
	o, _, err := e.StartOperation(b.Context(), queuetest.Start, o)
	for err == nil && o.Active() {
		var p callback.OperationPage
		if p, err = o.Next(b.Context(), e, page); err == nil {
			o, err = e.AdvanceOperation(b.Context(), queuetest.Start, o.ID, p)
		}
	}
	if err != nil || o.Changed != uint64(want) {
		b.Fatalf("%+v, %v", o, err)
	}
}

// undoAll takes such an operation back.
func undoAll(b *testing.B, e *Engine, id string, page, want int) {
	b.Helper()
	o, err := e.UndoOperation(b.Context(), queuetest.Start, id)
	for err == nil && o.Active() {
		o, err = e.AdvanceUndo(b.Context(), queuetest.Start, o.ID, page)
	}
	if err != nil || o.Undone != uint64(want) {
		b.Fatalf("%+v, %v", o, err)
	}
}

// latencies enqueues, 16 at once, until what begin starts says stop.
func latencies(b *testing.B, e *Engine, num callback.Num, begin func(stop func())) (all []time.Duration) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	begin(stop)
	var mu sync.Mutex
	var wg sync.WaitGroup
	r := kilobyte()
	for range 16 {
		wg.Go(func() {
			for ctx.Err() == nil {
				began := time.Now()
				if _, err := e.Enqueue(context.Background(), queuetest.Start, []callback.NewCall{{Num: num, Response: r}}); err != nil {
					panic(err)
				}
				mu.Lock()
				all = append(all, time.Since(began))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return all
}

// failCalls enqueues calls of 1 KB and lets each fail for good.
func failCalls(b *testing.B, e *Engine, num callback.Num, n int) {
	b.Helper()
	r := kilobyte()
	bad := callback.Attempt{Started: queuetest.Start, Code: 500, Class: callback.ClassStatus}
	for done := 0; done < n; {
		batch := make([]callback.NewCall, min(500, n-done))
		for i := range batch {
			batch[i] = callback.NewCall{Num: num, Response: r}
		}
		if _, err := e.Enqueue(context.Background(), queuetest.Start, batch); err != nil {
			b.Fatal(err)
		}
		due, err := e.Due(context.Background(), num, callback.Fresh, callback.DueKey{}, len(batch))
		if err != nil {
			b.Fatal(err)
		}
		// By hand, for behind an open gate they would go one by one.
		var wg sync.WaitGroup
		for _, d := range due {
			wg.Go(func() {
				c, err := e.ClaimManual(context.Background(), queuetest.Start, num, d.ID, false)
				if err == nil {
					_, err = e.Record(context.Background(), queuetest.Start, num, c.Entry.ID, []callback.Attempt{bad})
				}
				if err != nil {
					panic(err)
				}
			})
		}
		wg.Wait()
		done += len(batch)
	}
}
