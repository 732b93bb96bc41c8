package app

import (
	"context"
	"encoding/binary"

	"ringback/callback"
)

// Create implements callback.Admin.
func (a *App) Create(ctx context.Context, d callback.Draft) (callback.Health, error) {
	var b [8]byte
	a.opt.Random(b[:])
	cb := callback.Callback{ID: callback.CallbackID(binary.BigEndian.Uint64(b[:]))}
	if err := d.Apply(&cb, a.opt.Secret); err != nil {
		return callback.Health{}, err
	}
	defer a.changed()
	cb, err := a.opt.Store.Create(ctx, a.clock.Now(), cb)
	if err != nil {
		return callback.Health{}, err
	}
	a.opt.Log.Info("the callback was made", "part", "callback", "callback", cb.Name, "id", cb.ID)
	return shown(a.opt.Store.Callback(cb.Num))
}

// Update implements callback.Admin.
func (a *App) Update(ctx context.Context, ref string, d callback.Draft, version uint64) (callback.Health, error) {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return shown(h, err)
	}
	if version == 0 {
		version = h.Version // what the draft is laid over must not change underneath
	}
	cb := h.Callback
	if err := d.Apply(&cb, a.opt.Secret); err != nil {
		return shown(h, err)
	}
	defer a.changed()
	if _, err := a.opt.Store.Update(ctx, a.clock.Now(), cb, version); err != nil {
		return shown(h, err)
	}
	a.opt.Log.Info("the callback was changed", "part", "callback", "callback", cb.Name, "id", cb.ID)
	return shown(a.opt.Store.Callback(h.Num))
}

// Delete implements callback.Admin.
func (a *App) Delete(ctx context.Context, ref string) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	err = a.opt.Store.Delete(ctx, a.clock.Now(), h.Num)
	if err == nil {
		a.opt.Log.Info("the callback was deleted", "part", "callback", "callback", h.Name, "id", h.ID)
	}
	return err
}

// shown is a callback as front ends may have it.
func shown(h callback.Health, err error) (callback.Health, error) {
	h.Headers = callback.ShownHeaders(h.Headers)
	return h, err
}
