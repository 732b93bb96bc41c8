package app_test

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue"
)

// BenchmarkCensus asks for the queue's shape while 300,000 calls wait, of which
// it looks at as many as it may: with a million it reads no more. It prints the
// time to an answer and the processor's time for it.
func BenchmarkCensus(b *testing.B) {
	e, err := queue.Open(queue.Options{Dir: b.TempDir(), Now: time.Now(), Policy: policy()})
	if err != nil {
		b.Fatal(err)
	}
	a := app.New(app.Options{Store: e, Poster: sendsNothing{}, Policy: policy()})
	name, url := "crm", "http://127.0.0.1:1/"
	if _, err := a.Create(b.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
		b.Fatal(err)
	}
	items := make([]callback.NewResponse, 10_000)
	for i := range items {
		items[i] = callback.NewResponse{Ref: name, Response: callback.Response{MessageID: strconv.Itoa(i)}}
	}
	for range 30 {
		if _, err := a.Enqueue(b.Context(), items); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	var took, used time.Duration
	counted := 0
	for range b.N {
		before, at := processor(), time.Now()
		s, err := a.QueueShape(b.Context())
		if err != nil || !s.Partial || s.Waiting != 300_000 {
			b.Fatalf("%+v, %v", s, err)
		}
		if !s.Counted.Before(at.Truncate(time.Millisecond)) {
			took, used, counted = took+time.Since(at), used+processor()-before, counted+1
		}
		b.StopTimer()
		time.Sleep(20 * time.Millisecond)
		b.StartTimer()
	}
	b.ReportMetric(took.Seconds()*1000/float64(counted), "ms/count")
	b.ReportMetric(used.Seconds()*1000/float64(counted), "cpu-ms/count")
	b.ReportMetric(float64(counted), "counts")
	b.StopTimer()
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
}

// sendsNothing makes no attempts.
type sendsNothing struct{}

func (sendsNothing) Post(context.Context, *callback.Callback, *callback.Claim, int) []callback.Attempt {
	return []callback.Attempt{{}}
}

func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
