package app_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue/memq"
)

// After a restart the screen tells of every attempt of the hour before, and not
// of each call's last one alone.
func TestRecallCountsEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := memq.New(policy())
		cb, err := s.Create(t.Context(), time.Now(), callback.Callback{ID: 1, Name: "a", URL: "http://127.0.0.1:9/"})
		if err != nil {
			t.Fatal(err)
		}
		done, err := s.Enqueue(t.Context(), time.Now(), []callback.NewCall{{Num: cb.Num}})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []callback.Attempt{{Class: callback.ClassRefused}, {Class: callback.ClassRefused}, {OK: true, Code: 200}} {
			time.Sleep(10 * time.Minute)
			if _, err := s.ClaimManual(t.Context(), time.Now(), cb.Num, done[0].ID, false); err != nil {
				t.Fatal(err)
			}
			a.Started = time.Now()
			if _, err := s.Record(t.Context(), time.Now(), cb.Num, done[0].ID, []callback.Attempt{a}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Minute)
		a := app.New(app.Options{Store: s, Poster: post.New(post.Options{}), Policy: policy(), Drain: time.Second, Info: callback.Server{Started: time.Now()}})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		synctest.Wait()
		o, err := a.Overview(ctx, 4)
		if err != nil || len(o.Callbacks) != 1 || o.Callbacks[0].OK != 1 || o.Callbacks[0].Bad != 2 {
			t.Errorf("the last hour: %+v, %v", o.Callbacks, err)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
	})
}
