package api

import (
	"context"
	"testing"
	"time"

	"ringback/app"
	"ringback/app/alert"
	"ringback/app/post"
	"ringback/app/servicetest"
	"ringback/callback"
	"ringback/queue"
)

// appliance starts the real thing on a folder of its own: engine, delivery, no
// mail server.
func appliance(t *testing.T) *app.App {
	t.Helper()
	policy := callback.Policy{
		MaxInFlight: 16, Interval: 5 * time.Minute, Window: 24 * time.Hour, Jitter: 0.1,
		Mode: callback.ModeOutage, MaxPerHour: 60, Recovery: true, RecoveryAfter: 15 * time.Minute, DigestEvery: time.Hour,
	}
	e, err := queue.Open(queue.Options{Dir: t.TempDir(), Now: time.Now(), Policy: policy})
	if err != nil {
		t.Fatal(err)
	}
	poster := post.New(post.Options{AllowPrivate: true, MaxIdle: 512})
	a := app.New(app.Options{
		Store: e, Poster: poster, Policy: policy, Drain: time.Second,
		Alerts: alert.Options{From: "ringback@example.com", Admin: "admin@example.com", Name: "test.example"},
		Info:   callback.Server{Name: "test", Version: "test"},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		poster.Close()
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return a
}

// TestServiceOfTheAppliance runs the suite over HTTP on the appliance itself, so
// that what it answers, too, is held against openapi.yaml: a fake may be kinder.
func TestServiceOfTheAppliance(t *testing.T) {
	t.Parallel()
	servicetest.Run(t, func(t *testing.T) callback.Service {
		a := appliance(t)
		addr := serve(t, New(Options{Service: a, Ready: a.Ready, Version: "test"}), "tcp", "127.0.0.1:0")
		return newClient(t, ClientOptions{URL: "http://" + addr})
	})
}
