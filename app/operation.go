package app

import (
	"cmp"
	"context"
	"encoding/hex"
	"math"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// operationPage is how many calls an operation changes in one commit: few
// enough that whoever enqueues meanwhile hardly notices, and that it can be
// stopped at once (BenchmarkOperation in package queue prints what that costs).
const operationPage = 100

// StartOperation implements callback.Operator.
func (a *App) StartOperation(ctx context.Context, n callback.NewOperation) (v callback.OperationView, fresh bool, err error) {
	o, h, err := a.operation(&n)
	if err != nil {
		return v, false, err
	}
	missing, err := a.absent(ctx, o, n.IDs)
	if err != nil {
		return v, false, err
	}
	op, fresh, err := a.opt.Store.StartOperation(ctx, a.clock.Now(), o, n.IDs...)
	if err != nil {
		return v, false, err
	}
	if fresh {
		log := a.opt.Log.With("part", "operation", "operation", op.ID, "callback", h.Name, "kind", op.Kind, "by", op.By)
		if op.Remark != "" {
			log = log.With("remark", op.Remark)
		}
		log.Info("operation started")
	}
	a.wakeOperations()
	a.changed()
	v = a.operationView(op)
	v.MissingIDs = missing
	return v, fresh, nil
}

// absent returns which of the calls that an operation names do not exist now.
func (a *App) absent(ctx context.Context, o callback.Operation, named []callback.CallID) ([]callback.CallID, error) {
	o.Upto = cmp.Or(o.Upto, math.MaxUint64)
	return o.Absent(ctx, a.opt.Store, named)
}

// operation checks what somebody wants done, makes up an id where none is given,
// and puts the calls that are named in order.
func (a *App) operation(n *callback.NewOperation) (o callback.Operation, h callback.Health, err error) {
	if h, err = a.opt.Store.Find(n.Ref); err != nil {
		return o, h, err
	}
	id := n.ID
	if id == "" {
		var b [8]byte
		a.opt.Random(b[:])
		id = strings.ToUpper(hex.EncodeToString(b[:]))
	}
	o, err = n.Operation(id, h.Num)
	return o, h, err
}

// StopOperation implements callback.Operator.
func (a *App) StopOperation(ctx context.Context, id string) (callback.OperationView, error) {
	return a.acted(a.opt.Store.EndOperation(ctx, a.clock.Now(), id, callback.OperationStopped, ""))
}

// UndoOperation implements callback.Operator.
func (a *App) UndoOperation(ctx context.Context, id string) (callback.OperationView, error) {
	return a.acted(a.opt.Store.UndoOperation(ctx, a.clock.Now(), id))
}

func (a *App) acted(op callback.Operation, err error) (callback.OperationView, error) {
	if err != nil {
		return callback.OperationView{}, err
	}
	a.wakeOperations()
	a.changed()
	return a.operationView(op), nil
}

// Operation implements callback.Reader.
func (a *App) Operation(ctx context.Context, id string) (callback.OperationView, error) {
	op, err := a.opt.Store.Operation(ctx, id)
	if err != nil {
		return callback.OperationView{}, err
	}
	return a.operationView(op), nil
}

// Operations implements callback.Reader.
func (a *App) Operations(ctx context.Context, q callback.OperationQuery) (list callback.Listing[callback.OperationView], err error) {
	if q.State != "" && !slices.Contains(callback.OperationStates, q.State) {
		return list, &callback.Error{Code: callback.CodeInvalid, Message: "the query is not valid", Fields: []callback.FieldError{{
			Field: "state", Message: "must be running, done, stopped, failed, undoing or undone",
		}}}
	}
	if q.Num, err = a.num(q.Ref); err != nil {
		return list, err
	}
	found, total, err := a.opt.Store.Operations(ctx, q)
	for i := range found {
		list.Rows = append(list.Rows, a.operationView(found[i]))
	}
	list.Total, list.Exact, list.More = uint64(total), true, q.Offset+len(found) < total
	return list, err
}

func (a *App) operationView(o callback.Operation) callback.OperationView {
	v := callback.OperationView{Operation: o}
	if h, err := a.opt.Store.Callback(o.Num); err == nil {
		v.CallbackID, v.Callback = h.ID, h.Name
	}
	if o.MayUndo(a.clock.Now()) == nil {
		v.UndoUntil = o.Finished.Add(callback.UndoFor)
	}
	return v
}

func (a *App) wakeOperations() {
	select {
	case a.work <- struct{}{}:
	default: // it is awake already
	}
}

// operate works off the operations, one page of each in turn, until ctx is
// done. What is left then goes on at the next start.
func (a *App) operate(ctx context.Context) error {
	paces := paces{}
	for {
		wait, err := a.round(ctx, paces)
		if err != nil {
			return ignoreEnd(ctx, err)
		}
		if wait == 0 && ctx.Err() == nil {
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-a.work:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// round works off one page of each operation that is active and may go on. wait
// is how long there is nothing to do, unless a.work wakes it.
func (a *App) round(ctx context.Context, paces paces) (wait time.Duration, err error) {
	wait = idleWait
	for _, state := range []callback.OperationState{callback.OperationUndoing, callback.OperationRunning} {
		active, _, err := a.opt.Store.Operations(ctx, callback.OperationQuery{State: state})
		if err != nil {
			return wait, err
		}
		for _, o := range slices.Backward(active) { // those begun first
			if ctx.Err() != nil {
				return wait, nil
			}
			now := a.clock.Now()
			if w := paces.wait(&o, now, func() bool { return a.held(&o, now) }); w > 0 {
				wait = min(wait, w)
				continue
			}
			was := o.Matched
			if o, err = a.page(ctx, o, pageAt(o.Rate)); err != nil {
				return wait, err
			}
			paces.took(&o, now, o.Matched-was)
			wait = 0
			a.hub.Publish()
		}
	}
	return wait, nil
}

// page works off one page of an operation, of limit calls at most. What goes
// wrong with its calls ends it; the error is that of a store that has stopped.
func (a *App) page(ctx context.Context, o callback.Operation, limit int) (callback.Operation, error) {
	next, err := callback.OperationPage{}, error(nil)
	if o.State == callback.OperationRunning {
		next, err = o.Next(ctx, a.opt.Store, limit)
	}
	if err == nil && o.State == callback.OperationRunning {
		o, err = a.opt.Store.AdvanceOperation(ctx, a.clock.Now(), o.ID, next)
	} else if err == nil {
		o, err = a.opt.Store.AdvanceUndo(ctx, a.clock.Now(), o.ID, limit)
	}
	if ctx.Err() != nil {
		return o, ctx.Err()
	}
	if err == nil {
		if !o.Active() {
			a.opt.Log.Info("operation ended", "part", "operation", "operation", o.ID, "kind", o.Kind, "state", o.State,
				"matched", o.Matched, "changed", o.Changed, "undone", o.Undone)
		}
		return o, nil
	}
	a.opt.Log.Error("an operation failed", "part", "operation", "operation", o.ID, "err", err)
	return a.opt.Store.EndOperation(ctx, a.clock.Now(), o.ID, callback.OperationFailed, "its calls could not be read; the log tells more")
}

// Work works one operation off, for a process in which Run is not at work.
func (a *App) Work(ctx context.Context, id string) error {
	o, err := a.opt.Store.Operation(ctx, id)
	for err == nil && o.Active() {
		if o, err = a.page(ctx, o, operationPage); err == nil {
			err = ctx.Err()
		}
	}
	return err
}

// Bounds of previews: each reads all that its filter may select.
const (
	maxPreviews = 2
	previewTime = 10 * time.Second
)

// Preview implements callback.Reader.
func (a *App) Preview(ctx context.Context, n callback.NewOperation) (p callback.Preview, err error) {
	o, h, err := a.operation(&n)
	if err != nil {
		return p, err
	}
	select {
	case a.previews <- struct{}{}:
		defer func() { <-a.previews }()
	default:
		return p, callback.Errorf(callback.CodeUnavailable, "%d other previews are being counted; try again in a moment", maxPreviews)
	}
	bounded, cancel := context.WithTimeout(ctx, previewTime)
	defer cancel()
	o = o.Bounded()
	if o.Upto == 0 {
		o.Upto = callback.FirstCallID(a.clock.Now().Add(time.Millisecond))
	}
	p.Upto = o.Upto
	t := tally{Preview: &p, op: &o, causes: map[callback.Cause]uint64{}}
	t.step = callback.Step{Policy: a.opt.Policy.For(&h.Callback), ID: h.ID, Now: a.clock.Now(), Live: &h.Live}
	for done := false; !done; {
		page, err := o.Select(bounded, a.opt.Store, n.IDs, callback.MaxPage, t.add)
		if err != nil && bounded.Err() != nil && ctx.Err() == nil {
			p.Partial = true
			break
		}
		if err != nil {
			return p, err
		}
		o.After, done = page.After, page.Last
	}
	if o.Named > 0 && !p.Partial {
		p.Missing = uint64(o.Named) - p.Matched
	}
	if p.Missing > 0 {
		o.After = 0
		p.MissingIDs, err = o.Absent(bounded, a.opt.Store, n.IDs)
		if err != nil && (bounded.Err() == nil || ctx.Err() != nil) { // else they are left out: how many they are is known
			return p, err
		}
	}
	t.sort()
	return p, nil
}

// tally counts what an operation would do, with a state machine of its own.
type tally struct {
	*callback.Preview
	op     *callback.Operation
	step   callback.Step
	causes map[callback.Cause]uint64
}

func (t *tally) add(c *callback.Call) {
	t.Matched++
	if t.Oldest.IsZero() || c.Enqueued.Before(t.Oldest) {
		t.Oldest = c.Enqueued
	}
	e := c.Entry
	if t.op.Apply(&t.step, &e) {
		t.Changed++
	}
	var cause callback.Cause
	if n := len(c.Attempts); n > 0 {
		cause.Class, cause.Code = c.Attempts[n-1].Class.String(), c.Attempts[n-1].Code
	}
	if _, ok := t.causes[cause]; !ok && len(t.causes) == callback.MaxCauses {
		t.Other++
		return
	}
	t.causes[cause]++
}

// sort puts the causes into the preview, the most frequent first.
func (t *tally) sort() {
	for c, n := range t.causes {
		c.Count = n
		t.ByCause = append(t.ByCause, c)
	}
	slices.SortFunc(t.ByCause, func(x, y callback.Cause) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), strings.Compare(x.Class, y.Class), cmp.Compare(x.Code, y.Code))
	})
}
