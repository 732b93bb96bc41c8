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

// What retention removed of the outages is not counted any more.
func TestOutagesLeftAreCounted(t *testing.T) {
	t.Parallel()
	ctx, s, now := t.Context(), memq.New(policy()), time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a := app.New(app.Options{Store: s, Poster: post.New(post.Options{}), Policy: policy()})
	cb, err := s.Create(ctx, now, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		for _, at := range []callback.Attempt{{Class: callback.ClassStatus, Code: 500}, {OK: true, Code: 200}} {
			out, err := s.Enqueue(ctx, now, []callback.NewCall{{Num: cb.Num}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.ClaimManual(ctx, now, cb.Num, out[0].ID, false); err != nil {
				t.Fatal(err)
			}
			at.Started = now
			if _, err := s.Record(ctx, now, cb.Num, out[0].ID, []callback.Attempt{at}); err != nil {
				t.Fatal(err)
			}
			now = now.Add(time.Hour)
		}
		if err := s.Tick(ctx, now, cb.Num, true); err != nil {
			t.Fatal(err)
		}
	}
	over, open := callback.NoOutage, callback.OutageOpen
	count := func(want uint64) {
		t.Helper()
		for phase, want := range map[*callback.OutagePhase]uint64{nil: want, &over: want, &open: 0} {
			list, err := a.Outages(ctx, callback.OutageQuery{Phase: phase})
			if err != nil || list.Total != want || len(list.Rows) != int(want) {
				t.Errorf("%d outages of %d, %v; want %d", len(list.Rows), list.Total, err, want)
			}
		}
	}
	count(3)
	if n, err := s.PurgeOutages(ctx, now, now, 2); err != nil || n != 2 {
		t.Fatalf("purged %d: %v", n, err)
	}
	count(1)
}
