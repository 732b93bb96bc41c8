package app

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"ringback/callback"
)

// maxViewers bounds how many viewers are told of.
const maxViewers = 100

// viewers are those who follow what happens. The zero value is ready.
type viewers struct {
	mu   sync.Mutex
	next int
	here map[int]callback.Viewer
}

// Viewing takes note that somebody begins to follow what happens; who calls it
// calls what it returns when that ends.
func (a *App) Viewing(v callback.Viewer) (left func()) {
	v.Since = a.clock.Now()
	v.By, v.From = callback.Sanitize(v.By, 80), callback.Sanitize(v.From, 80)
	s := &a.viewers
	s.mu.Lock()
	defer s.mu.Unlock()
	s.next++
	id := s.next
	if s.here == nil {
		s.here = map[int]callback.Viewer{}
	}
	s.here[id] = v
	a.opt.Log.Info("a viewer came", "part", "viewer", "by", v.By, "from", v.From, "role", string(v.Role))
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.here, id)
		a.opt.Log.Info("a viewer left", "part", "viewer", "by", v.By, "from", v.From)
	}
}

// all returns the viewers, those who came first first.
func (s *viewers) all() []callback.Viewer {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make([]int, 0, len(s.here))
	for id := range s.here {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	var out []callback.Viewer
	for _, id := range ids[:min(len(ids), maxViewers)] {
		out = append(out, s.here[id])
	}
	return out
}

// Answered takes note of an answer of the HTTP interface; see meter.Answered.
func (a *App) Answered(status int, key string, enqueues bool, took time.Duration) {
	a.meter.Answered(time.Now(), cmp.Or(status, 200), key, enqueues, took)
}
