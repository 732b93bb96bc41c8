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

// Who was told of an outage is told by its own e-mail, however many digests came
// after it; and what was given up in it is told as what it was, for it may have
// been delivered since.
func TestOverviewTellsWhoWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		poster := &endpoint{}
		s := memq.New(policy())
		if _, err := s.Create(t.Context(), time.Now(), callback.Callback{ID: 5, Name: "a", URL: "http://127.0.0.1:9/", Retries: true}); err != nil {
			t.Fatal(err)
		}
		a := app.New(app.Options{Store: s, Poster: poster, Policy: policy(), Drain: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		look := func() callback.HealthView {
			t.Helper()
			o, err := a.Overview(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			return o.Callbacks[0]
		}
		for range 3 {
			if _, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: "a"}}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
		if v := look(); v.Alert == nil || v.Alert.Kind != callback.AlertOutage || v.Latest != nil {
			t.Fatalf("at first: %+v, %+v", v.Alert, v.Latest)
		}
		time.Sleep(26 * time.Hour)
		v := look()
		if v.Alert == nil || v.Alert.Kind != callback.AlertOutage || v.Alert.Outage != 1 || v.Latest == nil || v.Latest.Kind != callback.AlertDigest {
			t.Fatalf("after digests: %+v, %+v", v.Alert, v.Latest)
		}
		poster.up.Store(true)
		if _, _, err := a.StartOperation(t.Context(), callback.NewOperation{Ref: "a", Kind: callback.OperationRetry}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		v = look()
		if r := v.Live.Requeued; v.Alert != nil || v.Latest != nil || r.Calls != 3 || r.Delivered != 3 || v.Live.Counts.Delivered != 3 {
			t.Fatalf("when it was over: %+v, %+v, %+v, %+v", v.Alert, v.Latest, r, v.Live.Counts)
		}
		o, err := a.Overview(t.Context(), 0)
		if err != nil || len(o.Events) != 2 || o.Events[0].Text != "recovered after 1d05h; 3 calls delivered since it began, 3 had been given up" {
			t.Fatalf("events: %+v, %v", o.Events, err)
		}
	})
}
