// Package memq is a callback.Store in memory: the plainest thing that does
// what an engine must. It is the oracle that the conformance suite plays the
// real engine against, and the store of tests that need no disk.
package memq

import (
	"maps"
	"slices"
	"sync"
	"time"

	"ringback/callback"
)

var _ callback.Store = (*Store)(nil)

// Store is a callback.Store that forgets everything when it is dropped. New
// makes one.
type Store struct {
	mu     sync.Mutex
	policy callback.Policy
	disp   callback.Dispatcher
	houses []*house // by Num-1; nil where retention removed the callback
	names  map[string]*house
	ids    map[callback.CallbackID]*house
	alerts map[string]*callback.Alert
	keys   []callback.APIKey // by name; replaced, never changed
	last   callback.CallID
	lastIn time.Time // when the last call was enqueued, since the start
	latest time.Time // of all steps since the start

	operations []*operation      // in the order in which they began
	minutes    []callback.Minute // in order of time
}

// house is one callback and all that belongs to it.
type house struct {
	cb      callback.Callback
	live    callback.Live
	calls   map[callback.CallID]*record
	keys    map[string]*record
	outages map[uint32]callback.Outage
	causes  map[time.Time][]callback.Failure // by hour
}

type record struct {
	entry    callback.Entry
	response callback.Response
	attempts []callback.Attempt
}

// New returns an empty store with policy p.
func New(p callback.Policy) *Store {
	return &Store{
		policy: p,
		names:  map[string]*house{},
		ids:    map[callback.CallbackID]*house{},
		alerts: map[string]*callback.Alert{},
	}
}

// SetPolicy implements callback.Registry.
func (s *Store) SetPolicy(p callback.Policy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.policy = p
}

// SetDispatcher implements callback.Queue.
func (s *Store) SetDispatcher(d callback.Dispatcher) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.disp = d
}

// Close implements callback.Store.
func (s *Store) Close() error { return nil }

// Restart does what the end of the process and a new start do to a store: what
// ran is recorded as interrupted.
func (s *Store) Restart(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastIn, s.latest = time.Time{}, time.Time{}
	for _, h := range s.all() {
		h.live = h.live.Restarted(now)
		st := s.step(h, now)
		for _, id := range slices.Sorted(maps.Keys(h.calls)) {
			if r := h.calls[id]; r.entry.Running {
				manual := r.entry.Manual
				st.Interrupted(&r.entry, manual)
				r.attempts = append(r.attempts, r.entry.InterruptedAttempt(manual))
			}
		}
		s.keep(h, st)
	}
}

// step returns a step of a callback, whose time never goes back.
func (s *Store) step(h *house, now time.Time) *callback.Step {
	if now.Before(s.latest) {
		now = s.latest
	}
	s.latest = now
	return &callback.Step{Policy: s.policy.For(&h.cb), ID: h.cb.ID, Now: now, Live: &h.live}
}

// keep stores what a step brought about besides Live and Entry.
func (s *Store) keep(h *house, st *callback.Step) {
	for _, a := range st.Alerts {
		s.alerts[a.Key] = &a
	}
	if st.Changed {
		o := h.live.Record()
		h.outages[o.N] = o
	}
	st.Alerts, st.Changed = nil, false
}

// wake tells the dispatcher, once the store is unlocked.
func (s *Store) wake(num callback.Num, refused int) {
	if s.disp != nil {
		s.disp.Wake(num, refused)
	}
}

func (s *Store) house(num callback.Num) (*house, error) {
	if num == 0 || int(num) > len(s.houses) || s.houses[num-1] == nil {
		return nil, callback.Errorf(callback.CodeNotFound, "no callback number %d", num)
	}
	return s.houses[num-1], nil
}

// all returns the callbacks that there are, in order of Num.
func (s *Store) all() []*house {
	return slices.DeleteFunc(slices.Clone(s.houses), func(h *house) bool { return h == nil })
}

func (s *Store) lookup(num callback.Num, id callback.CallID) (*house, *record, error) {
	h, err := s.house(num)
	if err != nil {
		return nil, nil, err
	}
	r := h.calls[id]
	if r == nil {
		return nil, nil, callback.NoCall(id)
	}
	return h, r, nil
}
