package dispatch

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
)

var errDisk = errors.New("the disk broke")

// breaking is a store that fails from one of the engine's questions on.
type breaking struct {
	*memq.Store
	mu   sync.Mutex
	left int // questions until then
}

func (s *breaking) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left--
	return s.left < 0
}

func (s *breaking) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left < 0
}

// Callback implements callback.Registry.
func (s *breaking) Callback(num callback.Num) (callback.Health, error) {
	if s.broken() {
		return callback.Health{}, errDisk
	}
	return s.Store.Callback(num)
}

// Due implements callback.Queue.
func (s *breaking) Due(ctx context.Context, num callback.Num, class callback.DueClass, from callback.DueKey, limit int) ([]callback.Entry, error) {
	if s.broken() {
		return nil, errDisk
	}
	return s.Store.Due(ctx, num, class, from, limit)
}

// Responses implements callback.Queue.
func (s *breaking) Responses(ctx context.Context, num callback.Num, ids []callback.CallID, bytes int) ([]callback.Response, error) {
	if s.broken() {
		return nil, errDisk
	}
	return s.Store.Responses(ctx, num, ids, bytes)
}

// Claim implements callback.Queue.
func (s *breaking) Claim(ctx context.Context, now time.Time, num callback.Num, calls []callback.Entry, room func(size int) bool) ([]callback.Claim, error) {
	if s.broken() {
		return nil, errDisk
	}
	return s.Store.Claim(ctx, now, num, calls, room)
}

// Record implements callback.Queue.
func (s *breaking) Record(ctx context.Context, now time.Time, num callback.Num, id callback.CallID, attempts []callback.Attempt) (callback.Entry, error) {
	if s.broken() {
		return callback.Entry{}, errDisk
	}
	return s.Store.Record(ctx, now, num, id, attempts)
}

// Tick implements callback.Queue.
func (s *breaking) Tick(ctx context.Context, now time.Time, num callback.Num, drained bool) error {
	if s.broken() {
		return errDisk
	}
	return s.Store.Tick(ctx, now, num, drained)
}

// Sweep implements callback.Queue.
func (s *breaking) Sweep(ctx context.Context, now time.Time, num callback.Num) error {
	if s.broken() {
		return errDisk
	}
	return s.Store.Sweep(ctx, now, num)
}

// Whichever question of the engine the store fails at: Run ends by itself with that
// error, no request was sent that is not claimed or recorded, and nobody was told of
// one that is not recorded.
func TestStoreFaultAtEveryQuestion(t *testing.T) {
	t.Parallel()
	n := 1
	for ; breaksAt(t, n) && !t.Failed(); n++ {
	}
	if n < 50 {
		t.Errorf("the scenario has %d questions only", n)
	}
}

// breaksAt plays a scenario with a store that fails at its n-th question, and
// reports whether it had so many.
func breaksAt(t *testing.T, n int) (so bool) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			T: t, p: policy(), bytes: 64 << 20, nums: map[string]callback.Num{}, ctx: t.Context(),
			behave: map[callback.Num]func(int) callback.Attempt{}, latency: map[callback.Num]time.Duration{},
			requests: map[callback.Num][]request{}, now: map[callback.Num]int{}, max: map[callback.Num]int{},
		}
		w.s = memq.New(w.p)
		store := &breaking{Store: w.s, left: n - 1}
		var told atomic.Int64
		d := New(Options{
			Store: store, Poster: w, MaxInFlight: 4, MaxBytes: w.bytes, Policy: w.p, Now: w.look, Drain: time.Minute,
			Ended: func(e Ended) { told.Add(int64(len(e.Attempts))) },
		})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		heals := func(n int) callback.Attempt {
			if n < 3 {
				return dead
			}
			return good
		}
		few := func(cb *callback.Callback) { cb.MaxInFlight = 1 }
		ids := map[callback.Num][]callback.CallID{}
		for name, f := range map[string]func(int) callback.Attempt{"up": up, "heals": heals} {
			num := w.create(name, f, few)
			w.slow(num, time.Second)
			ids[num] = w.add(num, 5)
		}
		time.Sleep(20 * time.Minute) // of the bubble
		ended := len(done) > 0
		cancel()
		err := <-done
		if so = store.over(); ended != errors.Is(err, errDisk) || !ended && err != nil || ended && !so {
			t.Errorf("question %d: Run ended by itself: %v, with %v", n, ended, err)
		}
		for num, calls := range ids {
			sent := map[callback.CallID]int{}
			for _, r := range w.sent(num) {
				sent[r.call]++
			}
			for _, id := range calls {
				c, err := w.s.Call(w.ctx, num, id)
				if err != nil {
					t.Fatal(err)
				}
				told.Add(-int64(c.Entry.Attempts))
				known := c.Entry.Attempts
				if c.Running {
					known++
				}
				if sent[id] > known || !ended && c.Reason != callback.Delivered {
					t.Errorf("question %d: call %s was sent %d times: %+v", n, id, sent[id], c.Entry)
				}
			}
		}
		if d := told.Load(); d != 0 {
			t.Errorf("question %d: %d more attempts were told of than recorded", n, d)
		}
	})
	return so
}
