package app

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"ringback/app/post"
	"ringback/callback"
)

// maxTrials is how many tests run at once: a person looks at each.
const maxTrials = 4

// trials are the tests that run. The zero value is ready.
type trials struct {
	mu  sync.Mutex
	run map[callback.Num]bool // 0: of a draft of a new one
}

// begin reserves a place for a test of a callback.
func (t *trials) begin(num callback.Num) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.run[num] && num == 0:
		return callback.Errorf(callback.CodeConflict, "a draft of a new callback is being tested already")
	case t.run[num]:
		return callback.Errorf(callback.CodeConflict, "a test of the callback runs already")
	case len(t.run) == maxTrials:
		return callback.Errorf(callback.CodeUnavailable, "%d tests run already", maxTrials)
	case t.run == nil:
		t.run = map[callback.Num]bool{}
	}
	t.run[num] = true
	return nil
}

func (t *trials) end(num callback.Num) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.run, num)
}

// Test implements callback.Operator.
func (a *App) Test(ctx context.Context, ref string) (callback.Trial, error) {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return callback.Trial{}, err
	}
	return a.try(ctx, &h.Callback, "a test was sent")
}

// try sends a sample to a callback as it is given, and logs that in so many words:
// nothing else is left of it.
func (a *App) try(ctx context.Context, cb *callback.Callback, words string) (callback.Trial, error) {
	if err := a.trials.begin(cb.Num); err != nil {
		return callback.Trial{}, err
	}
	defer a.trials.end(cb.Num)
	var b [8]byte
	a.opt.Random(b[:])
	id := fmt.Sprintf("%s%016X", callback.TrialPrefix, binary.BigEndian.Uint64(b[:]))
	t := callback.Trial{ID: id, CallbackID: cb.ID, Callback: cb.Name, URL: cb.MaskedURL()}
	r := cb.Sample(id, a.clock.Now())
	kind, body := post.Body(cb, &r)
	t.ContentType, t.RequestBody = kind, string(body)
	t.Attempts = a.opt.Poster.Post(ctx, cb, &callback.Claim{Response: r, Test: id}, 1)
	if n := len(t.Attempts); n > 0 {
		a.opt.Log.Info(words, "part", "delivery", "callback", cb.Name, "answer", said(&t.Attempts[n-1]))
	}
	return t, ctx.Err()
}
