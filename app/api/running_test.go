package api

import (
	"context"
	"net/http/httptest"
	"testing"

	"ringback/callback"
)

// running is a service whose first call is being sent.
type running struct {
	*fixed
	run callback.InFlight
}

func (r running) Call(ctx context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	v, err := r.fixed.Call(ctx, ref, id)
	v.Running, v.State, v.Run = true, callback.StateDelivering, &r.run
	return v, err
}

// When an attempt that runs began comes over HTTP, too.
func TestRunningAttempt(t *testing.T) {
	t.Parallel()
	f := newFixed()
	v := &f.calls[0]
	r := running{f, callback.InFlight{
		Call: v.ID, CallbackID: v.CallbackID, Callback: v.Callback, Since: clock("09:22:04"), Stage: callback.StageAnswer, To: "203.0.113.9:443",
	}}
	s := httptest.NewServer(documented(New(Options{Service: r}), func(err error) { t.Error(err) }))
	t.Cleanup(s.Close)
	c := newClient(t, ClientOptions{URL: s.URL})
	got, err := c.Call(t.Context(), "crm-prod", v.ID)
	if err != nil || got.Run == nil || *got.Run != r.run {
		t.Fatalf("got %+v, %v, want %+v", got.Run, err, r.run)
	}
}
