package bench

import (
	"context"
	"errors"
	"slices"

	"ringback/callback"
)

// fill puts the backlog behind a suspended callback, before the appliance
// starts.
func (b *run) fill(ctx context.Context) (err error) {
	if b.Backlog == 0 {
		return nil
	}
	b.Say("filling the queue with %d calls", b.Backlog)
	e, err := b.open(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	num, err := suspended(ctx, e, "bench-backlog")
	if err != nil {
		return err
	}
	const each = 512
	calls := slices.Repeat([]callback.NewCall{{Num: num, Response: b.message.response}}, each)
	for left := b.Backlog; left > 0; left -= each {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		out, err := e.Enqueue(ctx, now(), calls[:min(left, each)])
		if err != nil {
			return err
		}
		for i := range out {
			if out[i].Err != nil {
				return out[i].Err
			}
		}
		b.backlog += uint64(len(out))
	}
	return nil
}
