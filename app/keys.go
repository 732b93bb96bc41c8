package app

import (
	"context"
	"slices"

	"ringback/callback"
)

// Keys implements callback.Admin.
func (a *App) Keys(context.Context) ([]callback.APIKey, error) {
	keys := slices.Clone(a.opt.Store.Keys())
	for i := range keys {
		keys[i].Hash = [32]byte{}
	}
	return keys, nil
}

// AddKey implements callback.Admin.
func (a *App) AddKey(ctx context.Context, name string, role callback.Role) (callback.APIKey, string, error) {
	var b [20]byte
	a.opt.Random(b[:])
	clear := callback.KeyText(b)
	k := callback.APIKey{Name: name, Role: role, Hash: callback.HashKey(clear)}
	if err := k.Validate(); err != nil {
		return callback.APIKey{}, "", err
	}
	k, err := a.opt.Store.AddKey(ctx, a.clock.Now(), k)
	if err != nil {
		return callback.APIKey{}, "", err
	}
	a.opt.Log.Info("an API key was made", "name", k.Name, "role", string(k.Role))
	k.Hash = [32]byte{}
	return k, clear, nil
}

// RemoveKey implements callback.Admin.
func (a *App) RemoveKey(ctx context.Context, name string) error {
	if err := a.opt.Store.RemoveKey(ctx, a.clock.Now(), name); err != nil {
		return err
	}
	a.opt.Log.Info("an API key was removed", "name", callback.Sanitize(name, 60))
	return nil
}
