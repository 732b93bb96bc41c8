package memq

import (
	"context"
	"time"

	"ringback/callback"
)

// Keys implements callback.Keyring.
func (s *Store) Keys() []callback.APIKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.keys
}

// AddKey implements callback.Keyring.
func (s *Store) AddKey(_ context.Context, now time.Time, k callback.APIKey) (callback.APIKey, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k.Created = now
	if err := callback.MayAdd(s.keys, &k); err != nil {
		return k, err
	}
	s.keys = callback.WithKey(s.keys, k)
	return k, nil
}

// RemoveKey implements callback.Keyring.
func (s *Store) RemoveKey(_ context.Context, _ time.Time, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	rest, _, err := callback.WithoutKey(s.keys, name)
	s.keys = rest
	return err
}
