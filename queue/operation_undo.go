package queue

import (
	"context"
	"time"

	"ringback/callback"
)

func undoPrefix(slot byte, seq uint64) []byte { return put64(key(slot, kindUndo), seq) }

func undoKey(slot byte, seq uint64, id callback.CallID) []byte {
	return put64(undoPrefix(slot, seq), uint64(id))
}

// UndoOperation implements callback.Operations.
func (e *Engine) UndoOperation(ctx context.Context, now time.Time, id string) (callback.Operation, error) {
	return e.alter(ctx, now, id, 0, func(g *group, o *operation) error {
		if err := o.MayUndo(g.now); err != nil {
			return err
		}
		if !o.Active() {
			if err := callback.MayOperate(e.active, len(e.operations)); err != nil {
				return err
			}
		}
		o.State, o.Note = callback.OperationUndoing, ""
		return nil
	})
}

// AdvanceUndo implements callback.Operations.
func (e *Engine) AdvanceUndo(ctx context.Context, now time.Time, id string, limit int) (callback.Operation, error) {
	limit = min(max(limit, 1), callback.MaxOperationPage)
	return e.alter(ctx, now, id, callWeight*limit, func(g *group, o *operation) error {
		if o.State != callback.OperationUndoing {
			return nil
		}
		kept, err := g.kept(o, limit)
		if err != nil {
			return err
		}
		h, err := e.house(o.Num)
		if err != nil {
			o.End(g.now, callback.OperationStopped, "its callback was deleted")
			return nil
		}
		ids := make([]callback.CallID, len(kept))
		for i := range kept {
			ids[i] = kept[i].ID
		}
		present, err := g.present(h, ids)
		if err != nil {
			return err
		}
		st := g.step(h)
		g.changed[o.Num] = struct{}{}
		for i, j := 0, 0; i < len(kept); i++ {
			var entry *callback.Entry
			if j < len(present) && present[j].ID == kept[i].ID {
				entry, j = &present[j], j+1
			}
			if err := g.undo(h, st, o, &kept[i], entry); err != nil {
				return err
			}
		}
		if len(kept) < limit {
			o.State = callback.OperationUndone
		}
		return nil
	})
}

// kept reads the earlier states that an undo needs, at most limit. One that is
// damaged reads as a call that does not exist, and so cannot be undone.
func (g *group) kept(o *operation, limit int) (out []callback.Kept, err error) {
	err = eachItem(g.t, undoPrefix(o.slot, o.seq), undoKey(o.slot, o.seq, o.from), true, func(k, v []byte) (bool, error) {
		id := callback.CallID(be64(k[10:]))
		before, err := decodeKept(v, o.Num, id)
		if err != nil {
			g.e.opt.Log.Error("what an undo needs is damaged", "call", id, "err", err)
			before = callback.Kept{Entry: callback.Entry{ID: id, Num: o.Num, Attempts: -1}}
		}
		out = append(out, before)
		return len(out) < limit, nil
	})
	return out, err
}

// undo takes one call back to before; entry is nil where it is gone.
func (g *group) undo(h *house, st *callback.Step, o *operation, before *callback.Kept, entry *callback.Entry) error {
	o.Kept--
	o.from = before.ID + 1
	if err := g.delete(undoKey(h.slot, o.seq, before.ID)); err != nil {
		return err
	}
	if entry == nil {
		o.Missed++
		return nil
	}
	after := *entry
	if !o.Undo(st, &after, *before) {
		o.Missed++
		return nil
	}
	o.Undone++
	return g.replace(h, entry, &after)
}
