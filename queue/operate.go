package queue

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

// Resolve implements callback.Queue.
func (e *Engine) Resolve(ctx context.Context, now time.Time, num callback.Num, ids []callback.CallID, by string) (changed int, err error) {
	by = callback.Sanitize(by, 120)
	err = e.each(ctx, now, num, ids, func(st *callback.Step, c *callback.Entry) (bool, error) {
		return st.Resolve(c, by), nil
	}, &changed)
	return changed, err
}

// Reopen implements callback.Queue.
func (e *Engine) Reopen(ctx context.Context, now time.Time, num callback.Num, ids []callback.CallID) (changed int, err error) {
	err = e.each(ctx, now, num, ids, func(st *callback.Step, c *callback.Entry) (bool, error) {
		return st.Reopen(c)
	}, &changed)
	return changed, err
}

// each runs f on every call, in one commit. It first runs f on copies, so that
// a fault leaves everything as it was.
func (e *Engine) each(ctx context.Context, now time.Time, num callback.Num, ids []callback.CallID, f func(*callback.Step, *callback.Entry) (bool, error), changed *int) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	return e.submit(ctx, now, 12+6*len(ids), 256*len(ids), func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		entries, err := g.entries(h, ids)
		if err != nil {
			return err
		}
		st := g.step(h)
		live := h.live
		trial := callback.Step{Policy: st.Policy, ID: st.ID, Now: st.Now, Live: &live}
		for _, c := range entries {
			if _, err := f(&trial, &c); err != nil {
				return err
			}
		}
		g.changed[num] = struct{}{}
		for i := range entries {
			after := entries[i]
			ok, err := f(st, &after)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			*changed++
			if err := g.replace(h, &entries[i], &after); err != nil {
				return err
			}
		}
		return nil
	})
}

// entries reads several calls, or says which of them do not exist.
func (g *group) entries(h *house, ids []callback.CallID) ([]callback.Entry, error) {
	out := make([]callback.Entry, 0, len(ids))
	var missing []callback.CallID
	for _, id := range ids {
		entry, err := g.entry(h, id)
		switch {
		case err == nil:
			out = append(out, entry)
		case callback.ErrorCode(err) == callback.CodeNotFound:
			missing = append(missing, id)
		default:
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, callback.NoCalls(missing)
	}
	return out, nil
}

// replace is move for a call that may be running.
func (g *group) replace(h *house, before, after *callback.Entry) error {
	if r := g.e.runs[after.ID]; r != nil {
		r.entry = *after
	}
	return g.move(h, before, after)
}

// Undo implements callback.Queue.
func (e *Engine) Undo(ctx context.Context, now time.Time, before callback.Entry) error {
	return e.change(ctx, now, before.Num, func(g *group, h *house) error {
		entry, err := g.entry(h, before.ID)
		if err != nil {
			return err
		}
		after := entry
		if err := g.step(h).Undo(&after, before); err != nil {
			return err
		}
		return g.replace(h, &entry, &after)
	})
}

// sweepPage is how many calls one commit of a sweep gives up at most.
const sweepPage = 500

// Sweep implements callback.Queue.
func (e *Engine) Sweep(ctx context.Context, now time.Time, num callback.Num) error {
	deleted := false
	err := e.change(ctx, now, num, func(g *group, h *house) error {
		g.step(h)
		// What begins to wait from here on lowers Oldest by itself.
		h.live.Oldest, deleted = time.Time{}, h.live.Deleted
		return nil
	})
	if err != nil {
		return err
	}
	var left callback.Live // its Oldest is that of the calls that stay
	classes := []callback.DueClass{callback.Tried}
	if deleted {
		classes = append(classes, callback.Fresh)
	}
	for _, class := range classes {
		if err := e.sweepClass(ctx, now, num, class, &left); err != nil {
			return err
		}
	}
	return e.change(ctx, now, num, func(g *group, h *house) error {
		g.step(h)
		if l := &h.live; !left.Oldest.IsZero() && (l.Oldest.IsZero() || left.Oldest.Before(l.Oldest)) {
			l.Oldest = left.Oldest
		}
		return nil
	})
}

func (e *Engine) sweepClass(ctx context.Context, now time.Time, num callback.Num, class callback.DueClass, left *callback.Live) error {
	var from callback.DueKey
	for {
		page, err := e.Due(ctx, num, class, from, sweepPage)
		if err != nil || len(page) == 0 {
			return err
		}
		last := page[len(page)-1].DueKey()
		from = callback.DueKey{Due: last.Due, ID: last.ID + 1}
		err = e.changeMany(ctx, now, num, len(page), func(g *group, h *house) error {
			return g.sweep(h, page, left)
		})
		if err != nil {
			return err
		}
	}
}

func (g *group) sweep(h *house, page []callback.Entry, left *callback.Live) error {
	st := g.step(h)
	for i := range page {
		before, err := g.entry(h, page[i].ID)
		if callback.ErrorCode(err) == callback.CodeNotFound {
			continue
		}
		if err != nil {
			return err
		}
		if before.Running {
			continue // its result says what becomes of it
		}
		if st.MayStart(&before) != callback.GiveUp {
			left.Waits(&before)
			continue
		}
		after := before
		st.GiveUp(&after)
		if err := g.move(h, &before, &after); err != nil {
			return err
		}
	}
	return nil
}
