package cli

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"ringback/app/config"
	"ringback/callback"
)

// A callback that allows more attempts at once than callbacks do by default keeps
// as many connections as it uses.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	const many = 64
	cfg := config.Default()
	if cfg.Delivery.MaxInFlightPerCallback >= many {
		t.Fatal("the default is as large: nothing is shown")
	}
	var round sync.WaitGroup // all requests of a round are there before one is answered
	var opened atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		round.Done()
		round.Wait()
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	p, err := newPoster(&cfg.Delivery, func(netip.AddrPort) bool { return false }, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	cb := &callback.Callback{Num: 1, ID: 1, Name: "a", URL: srv.URL, MaxInFlight: many}
	for range 3 {
		round.Add(many)
		var wg sync.WaitGroup
		for i := range many {
			wg.Go(func() {
				a := p.Post(t.Context(), cb, &callback.Claim{Entry: callback.Entry{ID: callback.CallID(i + 1), Num: 1}}, 1)
				if len(a) != 1 || !a[0].OK {
					t.Errorf("attempts: %+v", a)
				}
			})
		}
		wg.Wait()
	}
	if n := opened.Load(); n != many {
		t.Errorf("%d connections for three rounds of %d requests at once", n, many)
	}
}
