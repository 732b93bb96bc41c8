package queue

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Keys implements callback.Keyring.
func (e *Engine) Keys() []callback.APIKey {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.keys
}

// AddKey implements callback.Keyring.
func (e *Engine) AddKey(ctx context.Context, now time.Time, k callback.APIKey) (callback.APIKey, error) {
	k.Created = now
	err := e.submit(ctx, now, 1, maxInline, func(g *group) error {
		if err := callback.MayAdd(e.keys, &k); err != nil {
			return err
		}
		if err := g.mayGrow(); err != nil {
			return err
		}
		e.keys = callback.WithKey(e.keys, k)
		return g.put(apiKeyKey(k.Hash), encodeAPIKey(&k))
	})
	return k, err
}

// RemoveKey implements callback.Keyring.
func (e *Engine) RemoveKey(ctx context.Context, now time.Time, name string) error {
	return e.submit(ctx, now, 1, 64, func(g *group) error {
		rest, k, err := callback.WithoutKey(e.keys, name)
		if err != nil {
			return err
		}
		e.keys = rest
		return g.delete(apiKeyKey(k.Hash))
	})
}

func encodeAPIKey(k *callback.APIKey) []byte {
	w := newWriter(64)
	w.string(k.Name)
	w.string(string(k.Role))
	w.time(k.Created)
	return w.seal()
}

func decodeAPIKey(b []byte, hash [32]byte) (callback.APIKey, error) {
	r := open(b)
	k := callback.APIKey{Name: r.string(), Role: callback.Role(r.string()), Created: r.time(), Hash: hash}
	return k, r.err
}

// readKeys returns the stored keys in order of name.
func readKeys(t *badger.Txn) (keys []callback.APIKey, err error) {
	prefix := key(0, kindAPIKey)
	err = eachItem(t, prefix, nil, true, func(id, v []byte) (bool, error) {
		if len(id) != len(prefix)+32 {
			return false, errCorrupt
		}
		k, err := decodeAPIKey(v, [32]byte(id[len(prefix):]))
		keys = append(keys, k)
		return true, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the API keys: %w", err)
	}
	slices.SortFunc(keys, func(a, b callback.APIKey) int { return strings.Compare(a.Name, b.Name) })
	return keys, nil
}

// checkKeys compares the stored keys with those in memory.
func checkKeys(t *badger.Txn, want []callback.APIKey) []error {
	got, err := readKeys(t)
	if err != nil {
		return []error{err}
	}
	same := func(a, b callback.APIKey) bool {
		return a.Name == b.Name && a.Role == b.Role && a.Hash == b.Hash && a.Created.Equal(b.Created)
	}
	if !slices.EqualFunc(got, want, same) {
		return []error{fmt.Errorf("%d API keys are stored that are not the %d in memory", len(got), len(want))}
	}
	return nil
}
