package app_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue/memq"
)

// unreadable is a store whose finished calls cannot be removed.
type unreadable struct {
	callback.Store
	asked int
}

func (u *unreadable) Purge(context.Context, time.Time, time.Time, time.Time, int) (int, error) {
	u.asked++
	return 0, errors.New("a record is damaged")
}

// What retention cannot read must not end the deliveries.
func TestRetentionGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &unreadable{Store: memq.New(policy())}
		a := app.New(app.Options{Store: s, Poster: post.New(post.Options{}), Policy: policy(), Drain: time.Second})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- a.Run(ctx) }()
		select {
		case err := <-ended:
			t.Fatalf("the appliance ended: %v", err)
		case <-time.After(time.Hour):
		}
		cancel()
		if err := <-ended; err != nil || s.asked < 2 {
			t.Fatalf("asked %d times: %v", s.asked, err)
		}
	})
}
