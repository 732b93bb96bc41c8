package queue

import (
	"context"
	"time"

	"ringback/callback"
)

// Create implements callback.Registry.
func (e *Engine) Create(ctx context.Context, now time.Time, cb callback.Callback) (callback.Callback, error) {
	err := e.submit(ctx, now, 8, len(cb.CA)+4096, func(g *group) error {
		if e.names[cb.Name] != nil {
			return callback.NameTaken(cb.Name)
		}
		if e.ids[cb.ID] != nil {
			return callback.Errorf(callback.CodeConflict, "the id %s is taken", cb.ID)
		}
		if err := g.mayGrow(); err != nil {
			return err
		}
		cb.Num, cb.Version = callback.Num(len(e.houses)+1), 1
		cb.CreatedAt, cb.UpdatedAt = now, now
		h := &house{cb: cb, num: cb.Num, slot: slotOf(cb.ID), counted: true, live: callback.Live{Num: cb.Num, Since: now}}
		e.index.Lock()
		e.houses = append(e.houses, h)
		e.names[cb.Name], e.ids[cb.ID] = h, h
		e.index.Unlock()
		g.step(h)
		g.changed[cb.Num] = struct{}{}
		return g.saveCallback(h)
	})
	return cb, err
}

// saveCallback writes the configuration of a callback.
func (g *group) saveCallback(h *house) error {
	b := encodeCallback(&h.cb)
	k := callbackKey(h.slot, h.cb.Num)
	if err := g.deleteParts(k, partsOf(b), h.parts); err != nil {
		return err
	}
	h.parts = partsOf(b)
	return g.putSplit(k, b)
}

// Update implements callback.Registry.
func (e *Engine) Update(ctx context.Context, now time.Time, cb callback.Callback, version uint64) (callback.Callback, error) {
	err := e.submit(ctx, now, 8, len(cb.CA)+4096, func(g *group) error {
		h, err := e.house(cb.Num)
		if err != nil {
			return err
		}
		if err := callback.MayUpdate(&h.cb, h.live.Deleted, version); err != nil {
			return err
		}
		if cb.Name != h.cb.Name && e.names[cb.Name] != nil {
			return callback.NameTaken(cb.Name)
		}
		e.index.Lock()
		delete(e.names, h.cb.Name)
		e.names[cb.Name] = h
		e.index.Unlock()
		cb.ID, cb.CreatedAt, cb.Version, cb.UpdatedAt = h.cb.ID, h.cb.CreatedAt, h.cb.Version+1, now
		h.cb = cb
		st := g.step(h)
		st.Policy = e.policy.For(&cb)
		st.Edited()
		g.changed[cb.Num] = struct{}{}
		return g.saveCallback(h)
	})
	return cb, err
}

// Delete implements callback.Registry.
func (e *Engine) Delete(ctx context.Context, now time.Time, num callback.Num) error {
	return e.change(ctx, now, num, func(g *group, h *house) error {
		if h.live.Deleted {
			return callback.NoCallback(h.cb.Name)
		}
		g.step(h).Delete()
		h.cb.DeletedAt = now
		e.index.Lock()
		delete(e.names, h.cb.Name)
		e.index.Unlock()
		return g.saveCallback(h)
	})
}

// Suspend implements callback.Registry.
func (e *Engine) Suspend(ctx context.Context, now time.Time, num callback.Num, by string) error {
	by = callback.Sanitize(by, 60)
	return e.change(ctx, now, num, func(g *group, h *house) error {
		g.step(h).Suspend(by)
		return nil
	})
}

// Resume implements callback.Registry.
func (e *Engine) Resume(ctx context.Context, now time.Time, num callback.Num) error {
	return e.change(ctx, now, num, func(g *group, h *house) error {
		g.step(h).Resume()
		return nil
	})
}

// Acknowledge implements callback.Registry.
func (e *Engine) Acknowledge(ctx context.Context, now time.Time, num callback.Num, outage uint32, by string) error {
	by = callback.Sanitize(by, 60)
	return e.change(ctx, now, num, func(g *group, h *house) error {
		_, err := g.step(h).Acknowledge(outage, by)
		return err
	})
}

// Tick implements callback.Queue.
func (e *Engine) Tick(ctx context.Context, now time.Time, num callback.Num, drained bool) error {
	return e.change(ctx, now, num, func(g *group, h *house) error {
		g.step(h).Tick(drained)
		return nil
	})
}

// change runs f on one callback and wakes its lane.
func (e *Engine) change(ctx context.Context, now time.Time, num callback.Num, f func(*group, *house) error) error {
	return e.changeMany(ctx, now, num, 0, f)
}

// changeMany is change for an f that changes up to n calls.
func (e *Engine) changeMany(ctx context.Context, now time.Time, num callback.Num, n int, f func(*group, *house) error) error {
	return e.submit(ctx, now, 12+6*n, 4096+256*n, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		g.changed[num] = struct{}{}
		return f(g, h)
	})
}

// mayGrow refuses what would make a nearly full disk fuller.
func (g *group) mayGrow() error {
	free, err := g.free()
	if err != nil {
		return callback.Errorf(callback.CodeUnavailable, "the free disk space is not known")
	}
	if low := g.e.opt.LowWater; free < low {
		return callback.Errorf(callback.CodeUnavailable, "the disk is nearly full: %d MiB are free, %d must stay so", free>>20, low>>20)
	}
	return nil
}

// mayStart reports whether the disk has room for the records of an attempt.
func (g *group) mayStart() bool {
	free, err := g.free()
	return err == nil && free >= g.e.opt.LowWater/2
}

// free asks for the free disk space, once a group.
func (g *group) free() (uint64, error) {
	if !g.asked {
		g.asked = true
		g.freeBytes, g.freeErr = g.e.opt.Free()
	}
	return g.freeBytes, g.freeErr
}
