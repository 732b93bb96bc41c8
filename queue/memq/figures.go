package memq

import (
	"context"
	"maps"
	"slices"
	"time"

	"ringback/callback"
)

// Causes implements callback.Figures.
func (s *Store) Causes(_ context.Context, num callback.Num, from, to time.Time) ([]callback.Failure, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.house(num)
	if err != nil {
		return nil, err
	}
	var hours [][]callback.Failure
	for at, causes := range h.causes {
		if !at.Before(from) && at.Before(to) {
			hours = append(hours, causes)
		}
	}
	return callback.SumFailures(hours...), nil
}

// count counts the failed ones of attempts that were recorded at now.
func (h *house) count(now time.Time, attempts []callback.Attempt) {
	hour := now.Truncate(time.Hour).UTC()
	for i := range attempts {
		if !attempts[i].OK {
			h.causes[hour] = callback.CountFailure(h.causes[hour], &attempts[i], now)
		}
	}
}

// purgeCauses removes hours of causes.
func (h *house) purgeCauses(horizon time.Time, all bool, limit int) (purged int) {
	for _, at := range slices.SortedFunc(maps.Keys(h.causes), time.Time.Compare) {
		if purged < limit && (all || at.Add(time.Hour).Before(horizon)) {
			delete(h.causes, at)
			purged++
		}
	}
	return purged
}

// PutMinute implements callback.Figures.
func (s *Store) PutMinute(_ context.Context, _ time.Time, m callback.Minute) error {
	if err := m.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, there := slices.BinarySearchFunc(s.minutes, m, callback.Minute.Compare)
	m.Figures = slices.Clone(m.Figures)
	if there {
		s.minutes[i] = m
		return nil
	}
	s.minutes = slices.Insert(s.minutes, i, m)
	return nil
}

// Minutes implements callback.Figures.
func (s *Store) Minutes(_ context.Context, from time.Time, limit int) ([]callback.Minute, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := slices.BinarySearchFunc(s.minutes, callback.Minute{At: from}, callback.Minute.Compare)
	return slices.Clone(s.minutes[i:min(i+max(limit, 0), len(s.minutes))]), nil
}

// PurgeMinutes implements callback.Figures.
func (s *Store) PurgeMinutes(_ context.Context, _, before time.Time, limit int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, _ := slices.BinarySearchFunc(s.minutes, callback.Minute{At: before}, callback.Minute.Compare)
	n = min(n, max(limit, 0))
	s.minutes = slices.Delete(s.minutes, 0, n)
	return n, nil
}
