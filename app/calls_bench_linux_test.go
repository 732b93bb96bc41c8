package app_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"ringback/app"
	"ringback/callback"
)

// BenchmarkCalls asks for the pages of 64 calls that the screen asks for, in
// process, out of a million of ten callbacks. One call in eleven was attempted, one
// in twenty of these failed; the others wait for tomorrow, so that the million is
// there soon. It prints the 50th and 99th percentile of a page's time, on the clock
// and of the processor, which others at work on the machine disturb less.
func BenchmarkCalls(b *testing.B) {
	const calls = 1_000_000
	p := new(answers)
	a := open(b, func(o *app.Options) { o.Poster = p })
	refs := make([]string, 10)
	for i := range refs {
		refs[i] = fmt.Sprint("cb", i)
		url := "http://127.0.0.1:1/"
		if _, err := a.Create(b.Context(), callback.Draft{Name: &refs[i], URL: &url}); err != nil { // without retries: what failed stays so
			b.Fatal(err)
		}
	}
	due := enqueueMany(b, a, refs, calls)
	for int(p.n.Load()) < due || underWay(b, a) > 0 {
		time.Sleep(100 * time.Millisecond)
	}
	const all = callback.ListSuccess | callback.ListFailed | callback.ListPending
	for _, c := range []struct {
		name string
		q    callback.ListQuery
		on   bool // one page after the other
	}{
		{"newest", callback.ListQuery{}, false},
		{"downwards", callback.ListQuery{}, true},
		{"oldest", callback.ListQuery{Oldest: true}, false},
		{"upwards", callback.ListQuery{Oldest: true}, true},
		{"callback", callback.ListQuery{Ref: refs[3]}, true},
		{"failed", callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed}}, true},
		{"code", callback.ListQuery{Filter: callback.Filter{Code: 503}}, true},
	} {
		if c.q.Limit = 64; c.q.Status == 0 {
			c.q.Status = all
		}
		b.Run(c.name, func(b *testing.B) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			var took, busy []time.Duration
			q := c.q
			for b.Loop() {
				began, cpu := time.Now(), threadTime(b)
				list, err := a.Calls(b.Context(), q)
				took, busy = append(took, time.Since(began)), append(busy, threadTime(b)-cpu)
				if err != nil || len(list.Calls) != q.Limit && list.More {
					b.Fatalf("%d calls, %v", len(list.Calls), err)
				}
				if q.After = list.Next; !c.on || !list.More {
					q.After = 0
				}
			}
			b.ReportMetric(0, "ns/op")
			for prefix, times := range map[string][]time.Duration{"": took, "cpu-": busy} {
				slices.Sort(times)
				b.ReportMetric(times[len(times)/2].Seconds()*1000, prefix+"p50-ms")
				b.ReportMetric(times[len(times)*99/100].Seconds()*1000, prefix+"p99-ms")
			}
		})
	}
}

// enqueueMany enqueues n calls to the callbacks in turn, and returns how many of
// them are due at once.
func enqueueMany(b *testing.B, a *app.App, refs []string, n int) (due int) {
	b.Helper()
	items := make([]callback.NewResponse, 10_000)
	tomorrow := time.Now().Add(24 * time.Hour)
	for from := 0; from < n; from += len(items) {
		for i := range items {
			items[i] = callback.NewResponse{Ref: refs[i%len(refs)], Response: callback.Response{
				MessageID: "M-" + strconv.Itoa(from+i), From: callback.From{Name: "Fred Waters", Mobile: "0430984567"},
				Message:   callback.Message{Channel: "SMS", Content: fmt.Sprintf("Yes, I accept. Will I need to bring steel cap boots? %d", i)},
				DeliverAt: tomorrow,
			}}
			if i%11 == 0 {
				items[i].Response.DeliverAt, due = time.Time{}, due+1
			}
		}
		out, err := a.Enqueue(b.Context(), items)
		if err != nil {
			b.Fatal(err)
		}
		for i := range out {
			if out[i].Err != nil {
				b.Fatal(out[i].Err)
			}
		}
	}
	return due
}

func underWay(b *testing.B, a *app.App) int {
	b.Helper()
	o, err := a.Overview(b.Context(), 1)
	if err != nil {
		b.Fatal(err)
	}
	return o.Running
}

// answers is an endpoint that answers at once, one in twenty with an error.
type answers struct{ n atomic.Int64 }

// Post implements callback.Poster.
func (p *answers) Post(context.Context, *callback.Callback, *callback.Claim, int) []callback.Attempt {
	at := callback.Attempt{Started: time.Now(), Duration: time.Millisecond, Peer: "127.0.0.1:1", OK: true, Code: 200, Reason: "OK"}
	if p.n.Add(1)%20 == 0 {
		at.OK, at.Code, at.Reason, at.Class = false, 503, "Service Unavailable", callback.ClassStatus
		at.Error = "503 Service Unavailable: the endpoint answered with an error"
	}
	return []callback.Attempt{at}
}

// threadTime returns the processor time of the calling thread.
func threadTime(b *testing.B) time.Duration {
	const thread = 1 // RUSAGE_THREAD
	var u syscall.Rusage
	if err := syscall.Getrusage(thread, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
