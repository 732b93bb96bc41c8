package queue

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

// purgedParts is how many parts of the records of operations one commit of
// PurgeOperations writes or deletes; that of the last may come on top.
const purgedParts = 256

// PurgeOperations implements callback.Operations.
func (e *Engine) PurgeOperations(ctx context.Context, now time.Time, limit int) (n int, err error) {
	limit = min(max(limit, 1), callback.MaxOperationPage)
	err = e.submit(ctx, now, limit+2*purgedParts, 2*purgedParts*maxInline, func(g *group) error {
		all := e.byAge()
		parts := 0
		for i, o := range all {
			young := len(all)-i <= callback.KeepOperations
			if n >= limit || parts >= purgedParts {
				break
			}
			if !o.Forgets(g.now, young) {
				continue
			}
			gone, err := g.forget(o, limit-n)
			if err != nil {
				return err
			}
			if gone > 0 {
				parts += o.parts
			}
			if n += gone; n >= limit || !o.Expired(g.now, young) {
				continue
			}
			n, parts = n+1, parts+o.parts
			delete(e.operations, o.ID)
			if err := g.deleteParts(operationKey(o.slot, o.Num, o.seq), 0, o.parts); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}

// forget drops at most limit of the earlier states that an operation keeps.
func (g *group) forget(o *operation, limit int) (n int, err error) {
	if o.Kept == 0 {
		return 0, nil
	}
	var keys [][]byte
	err = eachKey(g.t, undoPrefix(o.slot, o.seq), undoKey(o.slot, o.seq, o.from), func(k []byte) (bool, error) {
		keys = append(keys, slices.Clone(k))
		o.from = callback.CallID(be64(k[10:])) + 1
		return len(keys) < limit, nil
	})
	if err != nil {
		return 0, err
	}
	for _, k := range keys {
		if err := g.delete(k); err != nil {
			return 0, err
		}
	}
	if o.Kept -= uint64(len(keys)); len(keys) < limit {
		o.Kept = 0
	}
	return len(keys), g.saveOperation(o)
}
