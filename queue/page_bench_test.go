package queue

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// BenchmarkPage asks for pages of 64 out of a million calls of ten callbacks,
// one question after the other, and prints the 50th and 99th percentile in
// nanoseconds, of one question (which may answer a part of the page) and of the
// questions that fill it. The bare iterator reads 64 rows with their values.
func BenchmarkPage(b *testing.B) {
	const calls = 1_000_000
	e := quickBench(b)
	h := stock{b: b, e: e}
	h.callbacks(10)
	h.fill(calls)
	if err := e.db.Flatten(1); err != nil { // or the first questions are measured beside the compaction of a million calls
		b.Fatal(err)
	}
	b.Run("bare iterator", func(b *testing.B) {
		house := e.houses[3]
		measure(b, func(int) int {
			err := e.db.View(func(t *badger.Txn) error {
				n := 0
				return eachItem(t, rowPrefix(house.slot, house.cb.Num, rowSuccess), nil, true, func(_, v []byte) (bool, error) {
					_, err := decodeEntry(v, 1, 1)
					n++
					return n < 64, err
				})
			})
			if err != nil {
				b.Fatal(err)
			}
			return 64
		})
	})
	f := func(f callback.Filter) callback.CallQuery { return callback.CallQuery{Num: 4, Filter: f} }
	mid, last := h.ids[calls/2], h.ids[calls-1].Time()
	for _, c := range []struct {
		name string
		q    callback.CallQuery
	}{
		{"newest", callback.CallQuery{Num: 4}},
		{"oldest", callback.CallQuery{Num: 4, Oldest: true}},
		{"newest/all callbacks", callback.CallQuery{}},
		{"oldest/all callbacks", callback.CallQuery{Oldest: true}},
		{"deep cursor", callback.CallQuery{Num: 4, After: mid}},
		{"offset 10000", callback.CallQuery{Num: 4, Offset: 10_000}},
		{"failed", f(callback.Filter{Status: callback.ListFailed})},
		{"pending", f(callback.Filter{Status: callback.ListPending})},
		{"pending/oldest", callback.CallQuery{Num: 4, Oldest: true, Filter: callback.Filter{Status: callback.ListPending}}},
		{"messageId/one", callback.CallQuery{Filter: callback.Filter{MessageID: "M-500500"}}},
		{"messageId/none", f(callback.Filter{MessageID: "nobody's"})},
		{"statusCode/200", f(callback.Filter{Code: 200})},
		{"statusCode/503", f(callback.Filter{Code: 503})},
		{"statusCode/rare", f(callback.Filter{Code: 418})},
		{"statusCode/rare, all callbacks", callback.CallQuery{Filter: callback.Filter{Code: 418}}},
		{"statusCode/none", f(callback.Filter{Code: 402})},
		{"class/rare", f(callback.Filter{Class: callback.ClassDNS.String()})},
		{"statusMessage/many", f(callback.Filter{Reason: "Service Unavailable"})},
		{"statusMessage/none", f(callback.Filter{Reason: "nobody said so"})},
		{"state/resolved", f(callback.Filter{State: callback.StateResolved})},
		{"state/cancelled (none)", f(callback.Filter{State: callback.StateCancelled})},
		{"to/in the middle", f(callback.Filter{To: mid.Time()})},
		{"from/last hour, oldest", callback.CallQuery{Num: 4, Oldest: true, Filter: callback.Filter{From: last.Add(-time.Hour)}}},
		{"text/many", f(callback.Filter{Text: "fred"})},
		{"text/rare", f(callback.Filter{Text: "needle"})},
	} {
		c.q.Limit = 64
		b.Run(c.name, func(b *testing.B) {
			measure(b, func(int) int { return len(h.page(c.q).Calls) })
		})
	}
	for _, c := range []struct {
		name string
		q    callback.AttemptQuery
	}{
		{"newest", callback.AttemptQuery{Num: 4}},
		{"all callbacks", callback.AttemptQuery{}},
		{"until the middle", callback.AttemptQuery{Num: 4, Filter: callback.Filter{To: mid.Time()}}},
		{"failed", callback.AttemptQuery{Num: 4, Filter: callback.Filter{Status: callback.ListFailed}}},
		{"code/rare", callback.AttemptQuery{Num: 4, Filter: callback.Filter{Code: 418}}},
		{"messageId", callback.AttemptQuery{Filter: callback.Filter{MessageID: "M-500500"}}},
		{"messageId/crowd", callback.AttemptQuery{Filter: callback.Filter{MessageID: "M-crowd"}}},
	} {
		c.q.Limit = 64
		b.Run("attempts/"+c.name, func(b *testing.B) {
			measure(b, func(int) int {
				page, err := e.Attempts(b.Context(), c.q)
				if err != nil {
					b.Fatal(err)
				}
				return len(page.Attempts)
			})
		})
	}
}

// BenchmarkPageOfMany asks for pages of 64 over ten thousand callbacks with one
// call each, and at last two.
func BenchmarkPageOfMany(b *testing.B) {
	e := quickBench(b)
	h := stock{b: b, e: e}
	h.callbacks(10_000)
	h.fill(10_000)
	for _, oldest := range []bool{false, true} {
		q := callback.CallQuery{Limit: 64, Oldest: oldest, Filter: callback.Filter{Status: callback.ListSuccess | callback.ListFailed | callback.ListPending}}
		b.Run(fmt.Sprintf("oldest=%v/first", oldest), func(b *testing.B) {
			measure(b, func(int) int { return len(h.page(q).Calls) })
		})
		q.After = h.page(q).Next
		b.Run(fmt.Sprintf("oldest=%v/second", oldest), func(b *testing.B) {
			measure(b, func(int) int { return len(h.page(q).Calls) })
		})
		q.After = h.ids[5000]
		b.Run(fmt.Sprintf("oldest=%v/middle", oldest), func(b *testing.B) {
			measure(b, func(int) int { return len(h.page(q).Calls) })
		})
	}
	b.Run("attempts", func(b *testing.B) {
		measure(b, func(int) int {
			page, err := e.Attempts(b.Context(), callback.AttemptQuery{Limit: 64})
			if err != nil {
				b.Fatal(err)
			}
			return len(page.Attempts)
		})
	})
	b.Run("code nobody has", func(b *testing.B) {
		q := callback.CallQuery{Limit: 64, Filter: callback.Filter{Code: 418}}
		measure(b, func(int) int { return len(h.page(q).Calls) })
	})
	b.Run("outages", func(b *testing.B) {
		measure(b, func(int) int {
			page, err := e.Outages(b.Context(), callback.Newest[callback.Outage]{Limit: 64})
			if err != nil {
				b.Fatal(err)
			}
			return len(page.Rows)
		})
	})
	b.Run("alerts", func(b *testing.B) {
		measure(b, func(int) int {
			page, err := e.Alerts(b.Context(), callback.Newest[callback.Alert]{Limit: 64})
			if err != nil {
				b.Fatal(err)
			}
			return len(page.Rows)
		})
	})
	h.fill(10_000) // each has one more, younger than all before
	b.Run("two each, behind the middle", func(b *testing.B) {
		q := callback.CallQuery{Limit: 64, After: h.ids[10_000], Filter: callback.Filter{Status: callback.ListSuccess | callback.ListFailed | callback.ListPending}}
		measure(b, func(int) int { return len(h.page(q).Calls) })
	})
}

// measure prints percentiles of how long f takes, and how many rows it gave: on
// the clock, and of the processor, which others at work on the machine disturb
// less.
func measure(b *testing.B, f func(i int) (rows int)) {
	b.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var took, busy []time.Duration
	rows := f(0)
	for i := 0; b.Loop(); i++ {
		start, cpu := time.Now(), threadTime(b)
		rows = f(i)
		busy = append(busy, threadTime(b)-cpu)
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	slices.Sort(busy)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[len(took)/2]), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100]), "p99-ns")
	b.ReportMetric(float64(busy[len(busy)/2]), "cpu-p50-ns")
	b.ReportMetric(float64(busy[len(busy)*99/100]), "cpu-p99-ns")
	b.ReportMetric(float64(rows), "rows")
}

// threadTime returns the processor time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	if err := syscall.Getrusage(thread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// stock is an engine full of calls.
type stock struct {
	b   *testing.B
	e   *Engine
	ids []callback.CallID
}

func quickBench(b *testing.B) *Engine {
	b.Helper()
	e, err := Open(Options{Dir: b.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true})
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

func (h *stock) callbacks(n int) {
	h.b.Helper()
	for i := range n {
		cb := callback.Callback{ID: callback.CallbackID(i*7919 + 1), Name: fmt.Sprint("cb", i), Retries: i%2 == 0}
		if _, err := h.e.Create(h.b.Context(), queuetest.Start, cb); err != nil {
			h.b.Fatal(err)
		}
	}
}

func (h *stock) page(q callback.CallQuery) callback.CallPage {
	page, err := h.e.Calls(context.Background(), q)
	if err != nil {
		h.b.Fatal(err)
	}
	return page
}

// fill enqueues n calls, a second apart, and lets most of them be attempted: all
// by way of the state machine, many in one commit.
func (h *stock) fill(n int) {
	h.b.Helper()
	const batch = 400
	for from := 0; from < n; from += batch {
		now := queuetest.Start.Add(time.Duration(from) * time.Second)
		err := h.e.submit(h.b.Context(), now, 14*batch, 0, func(g *group) error {
			for i := from; i < min(from+batch, n); i++ {
				if err := h.one(g, i); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			h.b.Fatal(err)
		}
	}
}

func (h *stock) one(g *group, i int) error {
	num := callback.Num(i%len(h.e.houses) + 1)
	now := queuetest.Start.Add(time.Duration(i) * time.Second)
	g.now = now
	r := kilobyte()
	r.MessageID = fmt.Sprint("M-", i)
	if i%800 == 13 {
		r.MessageID = "M-crowd"
	}
	r.Message.Content = r.Message.Content[:100+i%2*300] // half of them lie in the value log
	if i%10_000 == 3 {
		r.Message.Content = "a needle in it"
	}
	c := newCall{NewCall: &callback.NewCall{Num: num, Response: r}, payload: encodePayload(&r, num, now)}
	var out callback.Enqueued
	if err := g.enqueue(now, &c, &out); err != nil {
		return err
	}
	h.ids = append(h.ids, out.ID)
	k := i / min(len(h.e.houses), 10) % 100 // alike for all callbacks
	if k < 7 {
		return nil // waits
	}
	house, st := h.e.houses[num-1], g.step(h.e.houses[num-1])
	st.Now = now
	before := callback.Entry{ID: out.ID, Num: num, Enqueued: now, Due: now}
	after := before
	st.Start(&after)
	a := []callback.Attempt{outcome(i, k)}
	a[0].Started = now.Add(3 * time.Millisecond)
	after.Number(a)
	if err := g.saveAttempt(house, out.ID, &a[0], time.Time{}); err != nil {
		return err
	}
	st.Finish(&after, callback.ResultOf(a))
	if k >= 97 {
		st.Resolve(&after, "ana")
	}
	return g.move(house, &before, &after)
}

// outcome is how the attempt of call i went: of a hundred, seventy go well.
func outcome(i, k int) callback.Attempt {
	failed := callback.Attempt{Class: callback.ClassStatus, Code: 503, Reason: "Service Unavailable", Error: "503: the endpoint answered with an error", Peer: "127.0.0.1:8080"}
	switch {
	case i%50_000 == 49_993: // k is 99
		failed.Code, failed.Reason = 418, "I'm a teapot"
	case i%50_000 == 48_993:
		failed.Class, failed.Code, failed.Reason = callback.ClassDNS, 0, "no such host"
	case k < 77:
		return answer()
	case k < 82:
		failed.Code, failed.Reason = 500, "Internal Server Error"
	case k < 87:
		failed.Class, failed.Code, failed.Reason = callback.ClassRefused, 0, "connection refused"
	}
	return failed
}
