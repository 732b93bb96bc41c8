package api

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// slowTest is an endpoint that takes its time.
type slowTest struct {
	*fixed
	takes time.Duration
}

func (s *slowTest) Test(ctx context.Context, ref string) (callback.Trial, error) {
	select {
	case <-time.After(s.takes):
		return s.fixed.Test(ctx, ref)
	case <-ctx.Done():
		return callback.Trial{}, ctx.Err()
	}
}

// A test of an endpoint that takes longer than the server gives any other
// request is answered; one whose client leaves is cut.
func TestTestsTakeAsLongAsTheEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		s := Server(New(Options{Service: &slowTest{newFixed(), 10 * time.Minute}}))
		go func() { _ = s.Serve(l) }() // it ends with Close
		defer s.Close()
		c := newClient(t, ClientOptions{URL: "http://localhost"})
		c.http.Transport.(keyed).DialContext = l.dialContext
		began := time.Now()
		if got, err := c.Test(t.Context(), "crm-prod"); err != nil || got.ID != "test_00112233445566AA" || len(got.Attempts) != 2 {
			t.Errorf("a slow endpoint: %+v, %v after %v", got, err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := c.Test(ctx, "crm-prod"); err == nil || time.Since(began) > 12*time.Minute {
			t.Errorf("a client that left: %v after %v", err, time.Since(began))
		}
		c.Close()
	})
}
