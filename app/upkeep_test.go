package app

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app/post"
	"ringback/callback"
	"ringback/queue/memq"
)

// The night's work is done once a night, also where a night has no three in the
// morning because the clocks go forward.
func TestNight(t *testing.T) {
	t.Parallel()
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip(err)
	}
	now := time.Date(2026, 3, 27, 2, 59, 59, 0, oslo)
	for _, want := range []string{
		"2026-03-27T03:00:00+01:00", "2026-03-28T03:00:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T03:00:00+02:00",
	} {
		if now = night(now); now.Format(time.RFC3339) != want {
			t.Errorf("at %s, want %s", now.Format(time.RFC3339), want)
		}
	}
}

// filed is a store that notes what is done to its files.
type filed struct {
	callback.Store
	done    []string
	busy    bool
	horizon time.Time
}

func (f *filed) did(what string) error {
	if f.busy {
		return errors.New("two duties at once")
	}
	f.busy = true
	time.Sleep(time.Minute)
	f.busy = false
	f.done = append(f.done, what)
	return errors.New("a table is damaged")
}

func (f *filed) CollectGarbage(_ context.Context, _ time.Time, thorough bool) error {
	if !thorough {
		f.done = append(f.done, "garbage")
		return nil
	}
	return f.did("compaction")
}

func (f *filed) PurgeStray(_ context.Context, _, horizon time.Time) (int, error) {
	f.horizon = horizon
	return 1, f.did("stray")
}

func (f *filed) Verify() error { return f.did("verification") }

// Space is given back after each look of retention, the rest is done once a
// night, and what goes wrong with one ends neither the others nor the deliveries.
func TestUpkeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := callback.Policy{MaxInFlight: 1, Interval: time.Minute, Window: time.Hour}
		f := &filed{Store: memq.New(p)}
		a := New(Options{Store: f, Poster: post.New(post.Options{}), Policy: p, Delivered: time.Hour, Failed: 48 * time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), 48*time.Hour)
		defer cancel()
		began := time.Now()
		if err := a.upkeep(ctx); err != nil {
			t.Fatal(err)
		}
		garbage := 0
		nightly := slices.DeleteFunc(f.done, func(what string) bool {
			if what == "garbage" {
				garbage++
			}
			return what == "garbage"
		})
		if want := []string{"compaction", "stray", "verification"}; !slices.Equal(nightly, append(want, want...)) {
			t.Errorf("in two nights: %q", nightly)
		}
		if garbage < 280 || garbage > 288 {
			t.Errorf("space was given back %d times in 48 hours", garbage)
		}
		if kept := f.horizon.Sub(began); kept > 0 || kept < -24*time.Hour {
			t.Errorf("what is older than %v is gone with 48 hours", -kept)
		}
	})
}

// What a clock shows that jumped costs nobody the history: nothing is removed until
// it is trusted again.
func TestNothingIsRemovedWhileTheClockIsInDoubt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := memq.New(callback.Policy{MaxInFlight: 1, Interval: time.Minute, Window: time.Hour})
		a := New(Options{Store: s, Delivered: time.Hour, Failed: time.Hour})
		cb, err := s.Create(t.Context(), a.clock.Now(), callback.Callback{ID: 1, Name: "a"})
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Enqueue(t.Context(), a.clock.Now(), []callback.NewCall{{Num: cb.Num}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Resolve(t.Context(), a.clock.Now(), cb.Num, []callback.CallID{out[0].ID}, "ana"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour) // of the bubble
		year := 365 * 24 * time.Hour
		real := func() (wall time.Time, mono time.Duration) { return time.Now().Round(0), time.Since(a.clock.begun) }
		wall, mono := real()
		a.clock.read(wall.Add(-year), mono-time.Second) // so that the next reading is a year later
		for _, want := range []uint64{1, 0} {
			if err := a.retain(t.Context()); err != nil {
				t.Fatal(err)
			}
			if h, _ := s.Callback(cb.Num); h.Live.Counts.Resolved != want {
				t.Errorf("%d calls are left, want %d, doubtful: %v", h.Live.Counts.Resolved, want, a.clock.Doubtful())
			}
			time.Sleep(settleTime + time.Minute) // of the bubble
		}
	})
}
