package api

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"ringback/callback"
)

func (f *fake) Keys(context.Context) ([]callback.APIKey, error) {
	keys := slices.Clone(f.stored())
	for i := range keys {
		keys[i].Hash = [32]byte{}
	}
	return keys, nil
}

// stored returns the keys as a handler gets them.
func (f *fake) stored() []callback.APIKey {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keys
}

func (f *fake) AddKey(_ context.Context, name string, role callback.Role) (callback.APIKey, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var b [20]byte
	rand.Read(b[:])
	clear := callback.KeyText(b)
	k := callback.APIKey{Name: name, Role: role, Created: time.Now(), Hash: callback.HashKey(clear)}
	if err := k.Validate(); err != nil {
		return callback.APIKey{}, "", err
	}
	if err := callback.MayAdd(f.keys, &k); err != nil {
		return callback.APIKey{}, "", err
	}
	f.keys = callback.WithKey(f.keys, k)
	k.Hash = [32]byte{}
	return k, clear, nil
}

func (f *fake) RemoveKey(_ context.Context, name string) (err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys, _, err = callback.WithoutKey(f.keys, name)
	return err
}

func (f *fixed) Keys(context.Context) ([]callback.APIKey, error) {
	return []callback.APIKey{
		{Name: "crm prod", Role: callback.RoleEnqueue, Created: clock("08:00:00"), Hash: callback.HashKey("canary-key")},
		{Name: "ops", Role: callback.RoleOperator, Created: clock("08:30:00")},
	}, nil
}

func (f *fixed) AddKey(_ context.Context, name string, role callback.Role) (callback.APIKey, string, error) {
	k := callback.APIKey{Name: name, Role: role, Created: clock("09:00:00")}
	return k, "rb_0123456789abcdefghjkmnpqrstvwxyz", k.Validate()
}

func (f *fixed) RemoveKey(_ context.Context, name string) error {
	if name != "ops" {
		return callback.Errorf(callback.CodeNotFound, "no key has the name %q", callback.Sanitize(name, 60))
	}
	return nil
}
