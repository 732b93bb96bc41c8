package app_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/callback"
	"ringback/queue/memq"
)

// flying is a poster that tells of one attempt.
type flying struct {
	*always
	run callback.InFlight
}

func (p *flying) InFlight() []callback.InFlight { return []callback.InFlight{p.run} }

// TestCallTellsOfItsAttempt tells when the attempt of a call that runs began, and
// nothing of it once it has ended, nor beside another call.
func TestCallTellsOfItsAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &flying{always: &always{code: http.StatusOK, takes: time.Minute}}
		a := app.New(app.Options{Store: memq.New(policy()), Poster: p, Policy: policy(), MaxInFlight: 1, Drain: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- a.Run(ctx) }()
		name, url := "a", "http://127.0.0.1:1/"
		if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
			t.Fatal(err)
		}
		out, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: "a"}, {Ref: "a"}})
		if err != nil {
			t.Fatal(err)
		}
		p.run = callback.InFlight{Call: out[0].ID, Since: time.Now(), Stage: callback.StageAnswer, To: "192.0.2.44:443"}
		time.Sleep(time.Second) // of the bubble
		for i, want := range []bool{true, false} {
			v, err := a.Call(t.Context(), "a", out[i].ID)
			if err != nil || (v.Run != nil) != want || want && *v.Run != p.run {
				t.Errorf("call %d: %+v, %v", i, v.Run, err)
			}
		}
		time.Sleep(time.Minute)
		if v, err := a.Call(t.Context(), "a", out[0].ID); err != nil || v.Run != nil || v.State != callback.StateDelivered {
			t.Errorf("after its end: %v, %+v, %v", v.State, v.Run, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}
