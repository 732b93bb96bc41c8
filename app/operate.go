package app

import (
	"context"

	"ringback/callback"
)

// Enqueue implements callback.Operator.
func (a *App) Enqueue(ctx context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	now := a.clock.Now()
	out := make([]callback.EnqueueResult, len(items))
	calls := make([]callback.NewCall, 0, len(items))
	place := make([]int, 0, len(items)) // where each call's result goes
	var h callback.Health
	var unknown error
	for i := range items {
		if i == 0 || items[i].Ref != items[i-1].Ref { // most batches are for one callback
			h, unknown = a.opt.Store.Find(items[i].Ref)
		}
		err := unknown
		if err == nil {
			out[i].Callback = h.ID
			err = items[i].Response.Validate(now)
		}
		if err != nil {
			out[i].Err = err
			continue
		}
		calls = append(calls, callback.NewCall{Num: h.Num, Response: items[i].Response})
		place = append(place, i)
	}
	if len(calls) == 0 {
		return out, nil
	}
	results, err := a.opt.Store.Enqueue(ctx, now, calls)
	if err != nil {
		return nil, err
	}
	stored := 0 // of a run of calls for one callback
	for i, r := range results {
		o := &out[place[i]]
		o.ID, o.Repeat, o.Skipped, o.Err = r.ID, r.Repeat, r.Skipped, r.Err
		if r.Err == nil && !r.Repeat && !r.Skipped {
			stored++
		}
		if i+1 == len(calls) || calls[i+1].Num != calls[i].Num {
			a.series.Accepted(now, calls[i].Num, stored)
			a.meter.Accepted.Add(now, stored)
			stored = 0
		}
	}
	a.hub.Publish()
	return out, nil
}

// maxIDs is how many calls one SetStatus changes at most: they go into one
// commit.
const maxIDs = 1000

// SetStatus implements callback.Operator.
func (a *App) SetStatus(ctx context.Context, ref string, ids []callback.CallID, status callback.Status, by string) (int, error) {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return 0, err
	}
	if len(ids) > maxIDs {
		return 0, callback.Errorf(callback.CodeInvalid, "%d calls at once are too many; at most %d", len(ids), maxIDs)
	}
	var changed int
	switch status {
	case callback.Success:
		changed, err = a.opt.Store.Resolve(ctx, a.clock.Now(), h.Num, ids, by)
	case callback.Failed:
		changed, err = a.opt.Store.Reopen(ctx, a.clock.Now(), h.Num, ids)
	default:
		err = callback.Errorf(callback.CodeInvalid, "a call can be set to SUCCESS or FAILED only")
	}
	a.changed()
	if changed > 0 {
		what := map[callback.Status]string{callback.Success: "calls were resolved", callback.Failed: "calls were reopened"}[status]
		a.opt.Log.Info(what, "part", "operation", "callback", h.Name, "n", changed, "by", callback.Sanitize(by, 60))
	}
	return changed, err
}

// Retry implements callback.Operator.
func (a *App) Retry(ctx context.Context, ref string, id callback.CallID, extend bool) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	return a.dispatch.Manual(ctx, h.Num, id, extend)
}

// Suspend implements callback.Operator.
func (a *App) Suspend(ctx context.Context, ref, by string) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	return a.opt.Store.Suspend(ctx, a.clock.Now(), h.Num, by)
}

// Resume implements callback.Operator.
func (a *App) Resume(ctx context.Context, ref string) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	return a.opt.Store.Resume(ctx, a.clock.Now(), h.Num)
}

// Acknowledge implements callback.Operator.
func (a *App) Acknowledge(ctx context.Context, ref string, outage uint32, by string) error {
	h, err := a.opt.Store.Find(ref)
	if err != nil {
		return err
	}
	defer a.changed()
	return a.opt.Store.Acknowledge(ctx, a.clock.Now(), h.Num, outage, callback.Sanitize(by, 60))
}

// SendAlert implements callback.Operator.
func (a *App) SendAlert(ctx context.Context, key string) error {
	if a.opt.Mailer == nil {
		return callback.Errorf(callback.CodeConflict, "no mail server is configured: alerts are kept, none is sent")
	}
	defer a.changed()
	return a.opt.Store.SendAgain(ctx, a.clock.Now(), key)
}
