package memq

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

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
