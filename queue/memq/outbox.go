package memq

import (
	"context"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

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
