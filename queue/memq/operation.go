package memq

import (
	"context"
	"maps"
	"slices"
	"time"

	"ringback/callback"
)

// operation is one operation with the calls as they were before it.
type operation struct {
	callback.Operation
	before map[callback.CallID]callback.Kept
	named  []callback.CallID
}

// operation returns the one with that id, or nil. The caller holds mu.
func (s *Store) operation(id string) *operation {
	for _, o := range s.operations {
		if o.ID == id {
			return o
		}
	}
	return nil
}

func (s *Store) active() (n int) {
	for _, o := range s.operations {
		if o.Active() {
			n++
		}
	}
	return n
}

// StartOperation implements callback.Operations.
func (s *Store) StartOperation(_ context.Context, now time.Time, o callback.Operation, ids ...callback.CallID) (callback.Operation, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ids = o.Name(ids)
	o = o.Bounded()
	if known := s.operation(o.ID); known != nil {
		return known.Operation, false, known.Repeats(&o)
	}
	h, err := s.house(o.Num)
	switch {
	case err != nil:
		return o, false, err
	case h.live.Deleted:
		return o, false, callback.NoCallback(h.cb.Name)
	}
	if err := callback.MayOperate(s.active(), len(s.operations)+1); err != nil {
		return o, false, err
	}
	o.Begin(now, s.last, &h.live.Counts)
	s.operations = append(s.operations, &operation{o, map[callback.CallID]callback.Kept{}, ids})
	return o, true, nil
}

// Named implements callback.Operations.
func (s *Store) Named(_ context.Context, id string, after callback.CallID, limit int) ([]callback.CallID, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.operation(id)
	if o == nil {
		return nil, callback.NoOperation(id)
	}
	if o.State != callback.OperationRunning {
		return nil, nil
	}
	at, _ := slices.BinarySearch(o.named, after+1)
	left := o.named[at:]
	return slices.Clone(left[:min(limit, len(left))]), nil
}

// Operation implements callback.Operations.
func (s *Store) Operation(_ context.Context, id string) (callback.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.operation(id); o != nil {
		return o.Operation, nil
	}
	return callback.Operation{}, callback.NoOperation(id)
}

// Operations implements callback.Operations.
func (s *Store) Operations(_ context.Context, q callback.OperationQuery) ([]callback.Operation, int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []callback.Operation
	for _, o := range slices.Backward(s.operations) {
		if q.Selects(&o.Operation) {
			out = append(out, o.Operation)
		}
	}
	return callback.Page(out, q.Offset, q.Limit), len(out), nil
}

// alter runs f on an operation and its callback, whose lane it wakes.
func (s *Store) alter(now time.Time, id string, f func(h *house, st *callback.Step, o *operation) error) (callback.Operation, error) {
	s.mu.Lock()
	o := s.operation(id)
	s.mu.Unlock()
	if o == nil {
		return callback.Operation{}, callback.NoOperation(id)
	}
	var out callback.Operation
	err := s.change(o.Num, now, func(h *house, st *callback.Step) error {
		err := f(h, st, o)
		out = o.Operation
		return err
	})
	return out, err
}

// AdvanceOperation implements callback.Operations.
func (s *Store) AdvanceOperation(_ context.Context, now time.Time, id string, page callback.OperationPage) (callback.Operation, error) {
	page, err := page.Bounded()
	if err != nil {
		return callback.Operation{}, err
	}
	return s.alter(now, id, func(h *house, st *callback.Step, o *operation) error {
		if o.State != callback.OperationRunning || o.After != page.From {
			return nil
		}
		if h.live.Deleted {
			o.End(now, callback.OperationStopped, "its callback was deleted")
			return nil
		}
		n := 0
		for _, id := range page.Calls {
			r := h.calls[id]
			if r == nil {
				continue
			}
			if n++; o.Kind == callback.OperationRetry && o.Matched == 0 && n == 1 {
				st.Probe()
			}
			before := r.entry
			if !o.Apply(st, &r.entry) {
				continue
			}
			o.Changed++
			if o.Kind == callback.OperationResolve {
				o.Kept++
				o.before[id] = callback.Kept{Entry: before, At: r.entry.Finished}
			}
		}
		o.Came(now, &page, n)
		return nil
	})
}

// EndOperation implements callback.Operations.
func (s *Store) EndOperation(_ context.Context, now time.Time, id string, state callback.OperationState, note string) (callback.Operation, error) {
	return s.alter(now, id, func(_ *house, _ *callback.Step, o *operation) error {
		if o.Active() {
			o.End(now, state, note)
		}
		return nil
	})
}

// UndoOperation implements callback.Operations.
func (s *Store) UndoOperation(_ context.Context, now time.Time, id string) (callback.Operation, error) {
	return s.alter(now, id, func(_ *house, _ *callback.Step, o *operation) error {
		if err := o.MayUndo(now); err != nil {
			return err
		}
		if !o.Active() {
			if err := callback.MayOperate(s.active(), len(s.operations)); err != nil {
				return err
			}
		}
		o.State, o.Note = callback.OperationUndoing, ""
		return nil
	})
}

// AdvanceUndo implements callback.Operations.
func (s *Store) AdvanceUndo(_ context.Context, now time.Time, id string, limit int) (callback.Operation, error) {
	limit = min(max(limit, 1), callback.MaxOperationPage)
	return s.alter(now, id, func(h *house, st *callback.Step, o *operation) error {
		if o.State != callback.OperationUndoing {
			return nil
		}
		ids := slices.Sorted(maps.Keys(o.before))
		for _, id := range ids[:min(limit, len(ids))] {
			if r := h.calls[id]; r != nil && o.Undo(st, &r.entry, o.before[id]) {
				o.Undone++
			} else {
				o.Missed++
			}
			o.Kept--
			delete(o.before, id)
		}
		if len(ids) < limit {
			o.State = callback.OperationUndone
		}
		return nil
	})
}

// PurgeOperations implements callback.Operations.
func (s *Store) PurgeOperations(_ context.Context, now time.Time, limit int) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit = min(max(limit, 1), callback.MaxOperationPage)
	all := len(s.operations)
	var left []*operation
	for i, o := range s.operations {
		young := all-i <= callback.KeepOperations
		if n < limit && o.Forgets(now, young) {
			ids := slices.Sorted(maps.Keys(o.before))
			for _, id := range ids[:min(limit-n, len(ids))] {
				delete(o.before, id)
				o.Kept--
				n++
			}
			if n < limit && o.Expired(now, young) {
				n++
				continue
			}
		}
		left = append(left, o)
	}
	s.operations = left
	return n, nil
}
