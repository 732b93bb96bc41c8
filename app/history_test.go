package app_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue/memq"
)

// flaky answers at once; every fourth time with an error.
type flaky struct{ posts int }

func (f *flaky) Post(_ context.Context, _ *callback.Callback, _ *callback.Claim, number int) []callback.Attempt {
	a := callback.Attempt{Number: number, Started: time.Now(), Duration: 40 * time.Millisecond, OK: true, Code: 200}
	if f.posts++; f.posts%4 == 0 {
		a.OK, a.Code, a.Class = false, 503, callback.ClassStatus
	}
	return []callback.Attempt{a}
}

// Over a day, and through restarts in the middle of a minute, every attempt
// stands in the series of every window that reaches to it, once.
func TestSeriesOutliveTheProcess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, poster, dir := memq.New(policy()), &flaky{}, t.TempDir()
		cb, err := s.Create(t.Context(), time.Now(), callback.Callback{ID: 5, Name: "a", URL: "http://127.0.0.1:9/"})
		if err != nil {
			t.Fatal(err)
		}
		var at []time.Time // when each call was made: they do not take time here
		sum := func(s callback.Series) (ok, failed, accepted uint64) {
			for _, c := range s.Cells {
				ok, failed, accepted = ok+c.OK, failed+c.Failed, accepted+c.Accepted
			}
			return ok, failed, accepted
		}
		compare := func(a *app.App) {
			t.Helper()
			for _, w := range callback.SeriesWindows {
				for _, ref := range []string{"a", ""} {
					got, err := a.Series(t.Context(), callback.SeriesQuery{Ref: ref, Window: w.Span, Cells: 60})
					if err != nil {
						t.Fatal(err)
					}
					var wantOK, wantFailed uint64
					for i, one := range at {
						if one.Before(got.From) {
							continue
						}
						if i%4 == 3 {
							wantFailed++
						} else {
							wantOK++
						}
					}
					ok, failed, accepted := sum(got)
					if ok != wantOK || failed != wantFailed || accepted != ok+failed {
						t.Fatalf("%v, %s of %q: %d, %d of %d; want %d, %d", time.Now(), w.Word, ref, ok, failed, accepted, wantOK, wantFailed)
					}
				}
			}
			if o, err := a.Overview(t.Context(), 12); err != nil || o.Callbacks[0].P95 < 40*time.Millisecond || o.Callbacks[0].P95 > 50*time.Millisecond {
				t.Fatalf("answers took %v: %v", o.Callbacks[0].P95, err)
			}
		}
		for run := range 4 {
			a := app.New(app.Options{Store: s, Poster: poster, Policy: policy(), Drain: time.Second, SeriesDir: dir})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			synctest.Wait()
			if run > 0 {
				compare(a)
			}
			for i := range 60 {
				if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: "a", Response: callback.Response{MessageID: "M"}}}); err != nil {
					t.Fatal(err)
				}
				at = append(at, time.Now())
				time.Sleep(7*time.Minute + 13*time.Second)
				if i%20 == 7 {
					compare(a)
				}
			}
			if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: "a", Response: callback.Response{MessageID: "M"}}}); err != nil {
				t.Fatal(err)
			}
			at = append(at, time.Now()) // in a minute that goes on after the restart
			time.Sleep(2 * time.Second)
			compare(a)
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if left, err := s.Minutes(t.Context(), time.Time{}, 1000); err != nil || len(left) == 0 || time.Since(left[0].At) > 2*time.Hour {
				t.Fatalf("%d minutes are in the journal after an end: %v", len(left), err)
			}
		}
		if f, err := s.Causes(t.Context(), cb.Num, time.Time{}, time.Now().Add(time.Hour)); err != nil || len(f) != 1 || f[0].Count != uint64(len(at)/4) {
			t.Fatalf("causes of %d attempts: %+v, %v", len(at), f, err)
		}
	})
}

// Without a folder for them series have the last hour, and that comes back too.
func TestLastHourComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memq.New(policy())
		if _, err := s.Create(t.Context(), time.Now(), callback.Callback{ID: 5, Name: "a", URL: "http://127.0.0.1:9/"}); err != nil {
			t.Fatal(err)
		}
		for run := range 2 {
			a := app.New(app.Options{Store: s, Poster: &flaky{}, Policy: policy(), Drain: time.Second})
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- a.Run(ctx) }()
			synctest.Wait()
			for range 3 {
				if run > 0 {
					break
				}
				if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: "a"}}); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Minute)
			}
			o, err := a.Overview(ctx, 4)
			if err != nil || len(o.Callbacks) != 1 || o.Callbacks[0].OK != 3 || o.Callbacks[0].P50 == 0 {
				t.Errorf("the last hour: %+v, %v", o.Callbacks, err)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
		}
	})
}
