package api

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"ringback/app/servicetest"
	"ringback/callback"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.Exit(told(code)) }))
}

// serve serves a handler the way the appliance does and returns its address.
// Every exchange is held against openapi.yaml.
func serve(t testing.TB, h http.Handler, network, address string) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(context.Background(), network, address)
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	s := Server(h)
	s.Handler = documented(h, func(err error) { t.Error(err) })
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Errorf("shut down: %v", err)
		}
		if err := <-ended; err != http.ErrServerClosed {
			t.Errorf("serve: %v", err)
		}
	})
	return l.Addr().String()
}

func newClient(t testing.TB, o ClientOptions) *Client {
	t.Helper()
	c, err := NewClient(o)
	if err != nil {
		t.Fatalf("new client: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestServiceItself(t *testing.T) {
	t.Parallel()
	servicetest.Run(t, func(t *testing.T) callback.Service { return newFake(t) })
}

func TestServiceOverHTTP(t *testing.T) {
	t.Parallel()
	servicetest.Run(t, func(t *testing.T) callback.Service {
		addr := serve(t, New(Options{Service: newFake(t)}), "tcp", "127.0.0.1:0")
		return newClient(t, ClientOptions{URL: "http://" + addr})
	})
}

func TestServiceOverSocket(t *testing.T) {
	t.Parallel()
	servicetest.Run(t, func(t *testing.T) callback.Service {
		path := serve(t, New(Options{Service: newFake(t)}), "unix", filepath.Join(t.TempDir(), "s"))
		return newClient(t, ClientOptions{Socket: path})
	})
}
