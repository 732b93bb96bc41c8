package memq

import (
	"context"
	"iter"
	"time"

	"ringback/callback"
)

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
