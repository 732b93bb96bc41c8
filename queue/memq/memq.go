// Package memq is a callback.Store in memory: the plainest thing that does
// what an engine must. It is the oracle that the conformance suite plays the
// real engine against, and the store of tests that need no disk.
package memq

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
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

// Callbacks implements callback.Registry.
func (s *Store) Callbacks() []callback.Health {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []callback.Health
	for _, h := range s.all() {
		out = append(out, s.health(h))
	}
	return out
}

// All implements callback.Registry.
func (s *Store) All() iter.Seq[*callback.Health] {
	return func(yield func(*callback.Health) bool) {
		all := s.Callbacks()
		for i := range all {
			if !yield(&all[i]) {
				return
			}
		}
	}
}

func (s *Store) health(h *house) callback.Health {
	live := h.live
	st := callback.Step{Policy: s.policy.For(&h.cb), Live: &live}
	return callback.Health{Callback: h.cb, Live: live, NextTick: st.NextTick(), ExpireAt: st.ExpireAt()}
}

// Callback implements callback.Registry.
func (s *Store) Callback(num callback.Num) (callback.Health, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.house(num)
	if err != nil {
		return callback.Health{}, err
	}
	return s.health(h), nil
}

// Find implements callback.Registry.
func (s *Store) Find(ref string) (callback.Health, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.names[ref]
	if id, err := callback.ParseCallbackID(ref); err == nil {
		h = s.ids[id]
	}
	if h == nil || h.live.Deleted {
		return callback.Health{}, callback.NoCallback(ref)
	}
	return s.health(h), nil
}

// Past implements callback.Registry.
func (s *Store) Past(id callback.CallbackID) (callback.Health, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.ids[id]; h != nil {
		return s.health(h), nil
	}
	return callback.Health{}, callback.NoCallback(id.String())
}

// Create implements callback.Registry.
func (s *Store) Create(_ context.Context, now time.Time, cb callback.Callback) (callback.Callback, error) {
	s.mu.Lock()
	if s.names[cb.Name] != nil {
		s.mu.Unlock()
		return cb, callback.NameTaken(cb.Name)
	}
	cb.Num, cb.Version = callback.Num(len(s.houses)+1), 1
	cb.CreatedAt, cb.UpdatedAt = now, now
	h := &house{
		cb: cb, calls: map[callback.CallID]*record{}, keys: map[string]*record{},
		outages: map[uint32]callback.Outage{}, causes: map[time.Time][]callback.Failure{},
	}
	h.live = callback.Live{Num: cb.Num, Since: now}
	s.houses = append(s.houses, h)
	s.names[cb.Name], s.ids[cb.ID] = h, h
	s.mu.Unlock()
	s.wake(cb.Num, 0)
	return cb, nil
}

// Update implements callback.Registry.
func (s *Store) Update(_ context.Context, now time.Time, cb callback.Callback, version uint64) (callback.Callback, error) {
	s.mu.Lock()
	h, err := s.house(cb.Num)
	if err == nil {
		err = callback.MayUpdate(&h.cb, h.live.Deleted, version)
	}
	if err == nil && cb.Name != h.cb.Name && s.names[cb.Name] != nil {
		err = callback.NameTaken(cb.Name)
	}
	if err != nil {
		s.mu.Unlock()
		return cb, err
	}
	delete(s.names, h.cb.Name)
	cb.ID, cb.CreatedAt, cb.Version, cb.UpdatedAt = h.cb.ID, h.cb.CreatedAt, h.cb.Version+1, now
	h.cb = cb
	s.names[cb.Name] = h
	st := s.step(h, now)
	st.Edited()
	s.keep(h, st)
	s.mu.Unlock()
	s.wake(cb.Num, 0)
	return cb, nil
}

// Delete implements callback.Registry.
func (s *Store) Delete(_ context.Context, now time.Time, num callback.Num) error {
	return s.change(num, now, func(h *house, st *callback.Step) error {
		if h.live.Deleted {
			return callback.NoCallback(h.cb.Name)
		}
		st.Delete()
		h.cb.DeletedAt = now
		delete(s.names, h.cb.Name)
		return nil
	})
}

// Suspend implements callback.Registry.
func (s *Store) Suspend(_ context.Context, now time.Time, num callback.Num, by string) error {
	return s.change(num, now, func(_ *house, st *callback.Step) error {
		st.Suspend(by)
		return nil
	})
}

// Resume implements callback.Registry.
func (s *Store) Resume(_ context.Context, now time.Time, num callback.Num) error {
	return s.change(num, now, func(_ *house, st *callback.Step) error {
		st.Resume()
		return nil
	})
}

// Acknowledge implements callback.Registry.
func (s *Store) Acknowledge(_ context.Context, now time.Time, num callback.Num, outage uint32, by string) error {
	return s.change(num, now, func(_ *house, st *callback.Step) error {
		_, err := st.Acknowledge(outage, by)
		return err
	})
}

// change runs f on one callback and wakes its lane.
func (s *Store) change(num callback.Num, now time.Time, f func(*house, *callback.Step) error) error {
	s.mu.Lock()
	h, err := s.house(num)
	if err == nil {
		st := s.step(h, now)
		if err = f(h, st); err == nil {
			s.keep(h, st)
		}
	}
	s.mu.Unlock()
	if err == nil {
		s.wake(num, 0)
	}
	return err
}

// Outages implements callback.Ledger.
func (s *Store) Outages(_ context.Context, q callback.Newest[callback.Outage]) (callback.Listing[callback.Outage], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q = q.Bounded()
	var out []callback.Outage
	for _, h := range s.all() {
		for _, o := range h.outages {
			if (q.Num == 0 || h.cb.Num == q.Num) && q.Selects(&o) {
				out = append(out, o)
			}
		}
	}
	slices.SortFunc(out, callback.NewestOutage)
	return q.Page(out), nil
}

// PurgeOutages implements callback.Ledger.
func (s *Store) PurgeOutages(_ context.Context, _, horizon time.Time, limit int) (int, error) {
	purged, gone := s.purgeOutages(horizon, limit)
	for _, num := range gone {
		s.wake(num, 0) // so that its lane finds that it is gone
	}
	return purged, nil
}

func (s *Store) purgeOutages(horizon time.Time, limit int) (purged int, gone []callback.Num) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.all() {
		for n := h.live.OutagesPurged + 1; n <= h.live.Purgeable() && purged < limit; n++ {
			if o := h.outages[n]; !o.EndedBefore(horizon) {
				break
			}
			delete(h.outages, n)
			h.live.OutagesPurged, purged = n, purged+1
		}
	}
	for key, a := range s.alerts {
		if purged < limit && a.EndedBefore(horizon) {
			delete(s.alerts, key)
			purged++
		}
	}
	for _, h := range s.all() {
		purged += h.purgeCauses(horizon, h.live.Empty(), limit-purged)
		if purged < limit && h.live.Empty() && !s.has(h.cb.Num) {
			s.houses[h.cb.Num-1] = nil
			delete(s.ids, h.cb.ID)
			purged, gone = purged+1, append(gone, h.cb.Num)
		}
	}
	return purged, gone
}

// has reports whether an alert or an operation of a callback is remembered.
func (s *Store) has(num callback.Num) bool {
	for _, a := range s.alerts {
		if a.Num == num {
			return true
		}
	}
	return slices.ContainsFunc(s.operations, func(o *operation) bool { return o.Num == num })
}

// DueAlerts implements callback.Outbox.
func (s *Store) DueAlerts(_ context.Context, now time.Time, limit int) (due []callback.Alert, next time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var waiting []callback.Alert
	for _, a := range s.alerts {
		if a.Status == callback.AlertWaiting {
			waiting = append(waiting, *a)
		}
	}
	slices.SortFunc(waiting, func(a, b callback.Alert) int {
		if c := a.Next.Compare(b.Next); c != 0 {
			return c
		}
		return strings.Compare(a.Key, b.Key)
	})
	for _, a := range waiting {
		if a.Next.After(now) || len(due) == limit {
			return due, a.Next, nil
		}
		due = append(due, a)
	}
	return due, time.Time{}, nil
}

// SetAlert implements callback.Outbox.
func (s *Store) SetAlert(_ context.Context, _ time.Time, a callback.Alert) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.alerts[a.Key]
	if stored == nil {
		return callback.NoAlert(a.Key)
	}
	stored.Status, stored.To, stored.Tries, stored.Mails = a.Status, a.To, a.Tries, a.Mails
	stored.Next, stored.Sent, stored.Reply = a.Next, a.Sent, a.Reply
	return nil
}

// SendAgain implements callback.Outbox.
func (s *Store) SendAgain(_ context.Context, now time.Time, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored := s.alerts[key]
	if stored == nil {
		return callback.NoAlert(key)
	}
	stored.SendAgain(now)
	return nil
}

// Alerts implements callback.Outbox.
func (s *Store) Alerts(_ context.Context, q callback.Newest[callback.Alert]) (callback.Listing[callback.Alert], error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q = q.Bounded()
	var out []callback.Alert
	for _, a := range s.alerts {
		if (q.Num == 0 || a.Num == q.Num) && q.Selects(a) {
			out = append(out, *a)
		}
	}
	slices.SortFunc(out, callback.NewestAlert)
	return q.Page(out), nil
}
