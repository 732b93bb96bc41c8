package app_test

import (
	"context"
	"strings"
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
		if o, err := a.Overview(t.Context(), 0); err != nil || len(o.Events) != 1 || o.Events[0].State != v.Shown || !strings.HasPrefix(o.Events[0].Text, "DOWN: ") || v.Shown != callback.Down {
			t.Fatalf("while it is %v: %+v, %v", v.Shown, o.Events, err)
		}
		if _, _, err := a.StartOperation(t.Context(), callback.NewOperation{Ref: "a", Kind: callback.OperationRetry}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		v = look()
		if r := v.Live.Requeued; !v.LastTry || r.Calls != 3 || r.Failed != 1 || r.Once != 2 {
			t.Fatalf("while two wait for one attempt: %v, %+v", v.LastTry, r)
		}
		// One that was never tried goes before those, and is tried on.
		fresh, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		if v = look(); v.LastTry || v.Live.Requeued.Once != 2 {
			t.Fatalf("while another one is next: %v, %+v", v.LastTry, v.Live.Requeued)
		}
		if _, err := a.SetStatus(t.Context(), "a", []callback.CallID{fresh[0].ID}, callback.Success, "ana"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if v = look(); v.LastTry || v.Live.Requeued.Once != 0 || v.Live.Counts.Failed != 3 {
			t.Fatalf("when they had it: %v, %+v, %+v", v.LastTry, v.Live.Requeued, v.Live.Counts)
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
		if err != nil || len(o.Events) != 2 || o.Events[0].Text != "recovered after 1d06h; 3 calls delivered since it began, 3 had been given up" {
			t.Fatalf("events: %+v, %v", o.Events, err)
		}
		if e := o.Events[1]; e.State != callback.Failing || !strings.HasPrefix(e.Text, "outage began: ") {
			t.Fatalf("the beginning of one that is over: %+v", e)
		}
		poster.up.Store(false)
		for range 3 {
			if _, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: "a"}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		if o, err = a.Overview(t.Context(), 0); err != nil || len(o.Events) != 3 || o.Callbacks[0].Shown != callback.Down ||
			!strings.HasPrefix(o.Events[0].Text, "DOWN: ") || !strings.HasPrefix(o.Events[2].Text, "outage began: ") {
			t.Fatalf("the outage after it: %+v, %v", o.Events, err)
		}
	})
}
