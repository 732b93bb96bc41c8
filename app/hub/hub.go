// Package hub tells watchers that something changed. It never waits for one: a
// slow watcher gets the latest revision only, and at most a few a second.
package hub

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Interval is the least time between two revisions that one watcher gets.
const Interval = 250 * time.Millisecond

// Hub counts changes. Its zero value is ready.
type Hub struct {
	rev  atomic.Uint64
	mu   sync.Mutex
	subs map[chan struct{}]struct{}
}

// Publish says that something changed.
func (h *Hub) Publish() {
	h.rev.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.subs {
		select {
		case c <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// Rev returns how often something changed.
func (h *Hub) Rev() uint64 { return h.rev.Load() }

// Watch returns a channel that gets the revision of now at once, and then the
// latest one soon after each change. It is closed when ctx is done.
func (h *Hub) Watch(ctx context.Context) <-chan uint64 {
	changed, out := make(chan struct{}, 1), make(chan uint64)
	h.mu.Lock()
	if h.subs == nil {
		h.subs = map[chan struct{}]struct{}{}
	}
	changed <- struct{}{} // before anybody else can fill it
	h.subs[changed] = struct{}{}
	h.mu.Unlock()
	go func() {
		defer close(out)
		defer h.leave(changed)
		pause := time.NewTimer(0)
		defer pause.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-pause.C:
			}
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			select {
			case <-ctx.Done():
				return
			case out <- h.rev.Load():
				pause.Reset(Interval)
			}
		}
	}()
	return out
}

func (h *Hub) leave(c chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.subs, c)
}
