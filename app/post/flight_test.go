package post

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringback/callback"
)

// What runs is shown with its stage, and gone when it is over.
func TestInFlight(t *testing.T) {
	t.Parallel()
	asked, goOn := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked <- struct{}{}
		<-goOn
		w.WriteHeader(http.StatusBadGateway)
		w.(http.Flusher).Flush()
		asked <- struct{}{}
		<-goOn
	}))
	t.Cleanup(srv.Close)
	p := newPoster(t, Options{AllowPrivate: true})
	cb := newCallback(srv.URL)
	cb.Auth.Key = secret("canary")
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Post(context.Background(), cb, newClaim(), 1)
	}()
	<-asked
	if all := p.InFlight(); len(all) != 1 || all[0].Call != 0x1234567890ABCDEF || all[0].CallbackID != 0xA1 || all[0].Callback != "crm" ||
		all[0].Stage != callback.StageAnswer || all[0].To != srv.Listener.Addr().String() || all[0].Since.IsZero() {
		t.Fatalf("waiting for an answer: %+v", all)
	}
	goOn <- struct{}{}
	<-asked
	for { // the headers are on their way
		all := p.InFlight()
		if len(all) != 1 || strings.Contains(all[0].To, "canary") {
			t.Fatalf("reading: %+v", all)
		}
		if all[0].Stage == callback.StageBody {
			break
		}
	}
	goOn <- struct{}{}
	<-done
	if all := p.InFlight(); len(all) != 0 {
		t.Fatalf("nothing runs: %+v", all)
	}
}

// An attempt that cannot connect yet says so.
func TestInFlightConnecting(t *testing.T) {
	t.Parallel()
	lookedUp := make(chan struct{})
	p := newPoster(t, Options{AllowPrivate: true, Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		select {
		case lookedUp <- struct{}{}:
		case <-ctx.Done():
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.Post(ctx, newCallback("http://hook.example.invalid/"), &callback.Claim{Response: sample(), Test: "test_1"}, 1)
	}()
	<-lookedUp
	if all := p.InFlight(); len(all) != 1 || all[0].Stage != callback.StageDNS || all[0].Call != 0 || all[0].To != "" {
		t.Errorf("looking a name up: %+v", all)
	}
	cancel()
	<-done
}
