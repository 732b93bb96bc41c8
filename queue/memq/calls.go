package memq

import (
	"context"
	"maps"
	"slices"
	"time"

	"ringback/callback"
)

// Enqueue implements callback.Queue.
func (s *Store) Enqueue(_ context.Context, now time.Time, calls []callback.NewCall) ([]callback.Enqueued, error) {
	s.mu.Lock()
	out := make([]callback.Enqueued, len(calls))
	var start []callback.Claim
	refused := map[callback.Num]int{}
	for i := range calls {
		var c *callback.Claim
		if out[i], c = s.enqueue(now, &calls[i], refused); c != nil {
			start = append(start, *c)
		}
	}
	s.mu.Unlock()
	for _, c := range start {
		s.disp.Start(c)
	}
	for num, n := range refused {
		s.wake(num, n)
	}
	return out, nil
}

func (s *Store) enqueue(now time.Time, c *callback.NewCall, refused map[callback.Num]int) (callback.Enqueued, *callback.Claim) {
	h, err := s.house(c.Num)
	if err == nil && h.live.Deleted {
		err = callback.NoCallback(h.cb.Name)
	}
	if err != nil {
		return callback.Enqueued{Err: err}, nil
	}
	if h.cb.Skips(c.Response.Kind()) {
		h.live.Counts.Skipped++
		return callback.Enqueued{Skipped: true}, nil
	}
	if key := c.Response.Key; key != "" && h.keys[key] != nil {
		first := h.keys[key]
		if callback.Fingerprint(&first.response) != callback.Fingerprint(&c.Response) {
			return callback.Enqueued{Err: callback.KeyReused(key)}, nil
		}
		return callback.Enqueued{ID: first.entry.ID, Repeat: true}, nil
	}
	if now.Before(s.lastIn) {
		now = s.lastIn // so that calls wait in the order of their ids
	}
	s.lastIn = now
	s.last = callback.NextCallID(s.last, now)
	r := &record{
		entry:    callback.Entry{ID: s.last, Num: c.Num, Enqueued: now, Due: c.Response.DeliverAt},
		response: c.Response,
	}
	st := s.step(h, now)
	st.Enqueue(&r.entry)
	h.calls[s.last] = r
	if c.Response.Key != "" {
		h.keys[c.Response.Key] = r
	}
	out := callback.Enqueued{ID: s.last}
	if s.disp == nil || r.entry.Due.After(now) {
		refused[c.Num] += 0
		return out, nil
	}
	if !s.disp.Slot(c.Num, h.cb.RatePerSecond == 0 && st.MayStart(&r.entry) == callback.Go && !st.Behind(&r.entry), c.Response.Size()) {
		refused[c.Num]++
		return out, nil
	}
	st.Start(&r.entry)
	return out, &callback.Claim{Entry: r.entry, Response: r.response}
}

// Due implements callback.Queue.
func (s *Store) Due(_ context.Context, num callback.Num, class callback.DueClass, from callback.DueKey, limit int) ([]callback.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.house(num)
	if err != nil {
		return nil, err
	}
	var out []callback.Entry
	for _, r := range h.calls {
		e := &r.entry
		if e.Status != callback.Ready || e.Running || e.DueClass() != class || e.DueKey().Before(from) {
			continue
		}
		// Only the first are kept: tests have thousands that wait.
		at, _ := slices.BinarySearchFunc(out, e.DueKey(), func(o callback.Entry, key callback.DueKey) int {
			if o.DueKey().Before(key) {
				return -1
			}
			return 1
		})
		if at < limit {
			out = slices.Insert(out[:min(len(out), limit-1)], at, *e)
		}
	}
	return out, nil
}

// Responses implements callback.Queue.
func (s *Store) Responses(_ context.Context, num callback.Num, ids []callback.CallID, bytes int) (out []callback.Response, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		_, r, err := s.lookup(num, id)
		if callback.ErrorCode(err) == callback.CodeNotFound {
			break
		}
		if err != nil {
			return nil, err
		}
		if bytes -= r.response.Size(); bytes < 0 {
			break
		}
		out = append(out, r.response)
	}
	return out, nil
}

// Claim implements callback.Queue.
func (s *Store) Claim(_ context.Context, now time.Time, num callback.Num, calls []callback.Entry, room func(size int) bool) ([]callback.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, err := s.house(num)
	if err != nil {
		return nil, err
	}
	st := s.step(h, now)
	var out []callback.Claim
	for i := range calls {
		r := h.calls[calls[i].ID]
		if r == nil || r.entry.DueKey() != calls[i].DueKey() {
			continue
		}
		if room != nil && !room(r.response.Size()) {
			break
		}
		switch verdict := st.MayStart(&r.entry); {
		case verdict == callback.Go && !st.Behind(&r.entry):
			st.Start(&r.entry)
			out = append(out, callback.Claim{Entry: r.entry, Response: r.response})
		case verdict == callback.GiveUp:
			st.GiveUp(&r.entry)
		}
	}
	s.keep(h, st)
	return out, nil
}

// ClaimManual implements callback.Queue.
func (s *Store) ClaimManual(_ context.Context, now time.Time, num callback.Num, id callback.CallID, extend bool) (callback.Claim, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, r, err := s.lookup(num, id)
	if err != nil {
		return callback.Claim{}, err
	}
	if err := s.step(h, now).StartManual(&r.entry, extend); err != nil {
		return callback.Claim{}, err
	}
	return callback.Claim{Entry: r.entry, Response: r.response}, nil
}

// Record implements callback.Queue.
func (s *Store) Record(_ context.Context, now time.Time, num callback.Num, id callback.CallID, attempts []callback.Attempt) (callback.Entry, error) {
	e, after, err := s.record(now, num, id, attempts)
	after() // once the store is unlocked
	return e, err
}

func (s *Store) record(now time.Time, num callback.Num, id callback.CallID, attempts []callback.Attempt) (_ callback.Entry, after func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after = func() {}
	h, r, err := s.lookup(num, id)
	if err != nil {
		return callback.Entry{}, after, err
	}
	if !r.entry.Running {
		return callback.Entry{}, after, callback.Errorf(callback.CodeConflict, "call %s has no running attempt", id)
	}
	st, manual := s.step(h, now), r.entry.Manual
	r.entry.Number(attempts)
	for _, a := range attempts {
		a.RetryAfter = 0
		r.attempts = append(r.attempts, a)
	}
	st.Finish(&r.entry, callback.ResultOf(attempts))
	h.count(now, attempts)
	s.keep(h, st)
	if manual {
		return r.entry, after, nil // its place was one beyond the limit
	}
	return r.entry, s.next(h, st), nil
}

// next claims the call that stands next, and returns what tells the dispatcher.
func (s *Store) next(h *house, st *callback.Step) (after func()) {
	if s.disp == nil || !st.InLine() || h.cb.RatePerSecond > 0 || st.Room() == 0 {
		return func() {}
	}
	c := s.disp.Next(h.cb.Num)
	if c == nil {
		return func() {}
	}
	r := h.calls[c.Entry.ID]
	if r == nil || r.entry.DueKey() != c.Entry.DueKey() || st.MayStart(&r.entry) != callback.Go || st.Behind(&r.entry) {
		s.disp.Missed(c)
		return func() {}
	}
	st.Start(&r.entry)
	claim := callback.Claim{Entry: r.entry, Response: c.Response}
	return func() { s.disp.Start(claim) }
}

// Tick implements callback.Queue.
func (s *Store) Tick(_ context.Context, now time.Time, num callback.Num, drained bool) error {
	return s.change(num, now, func(_ *house, st *callback.Step) error {
		st.Tick(drained)
		return nil
	})
}

// Sweep implements callback.Queue.
func (s *Store) Sweep(_ context.Context, now time.Time, num callback.Num) error {
	return s.change(num, now, func(h *house, st *callback.Step) error {
		h.live.Oldest = time.Time{}
		for _, id := range slices.Sorted(maps.Keys(h.calls)) {
			e := &h.calls[id].entry
			if e.Running {
				continue // its result says what becomes of it
			}
			if st.MayStart(e) == callback.GiveUp {
				st.GiveUp(e)
			}
			h.live.Waits(e)
		}
		return nil
	})
}

// Resolve implements callback.Queue.
func (s *Store) Resolve(_ context.Context, now time.Time, num callback.Num, ids []callback.CallID, by string) (changed int, err error) {
	err = s.each(num, now, ids, func(st *callback.Step, e *callback.Entry, dry bool) error {
		if !dry && st.Resolve(e, by) {
			changed++
		}
		return nil
	})
	return changed, err
}

// Reopen implements callback.Queue.
func (s *Store) Reopen(_ context.Context, now time.Time, num callback.Num, ids []callback.CallID) (changed int, err error) {
	err = s.each(num, now, ids, func(st *callback.Step, e *callback.Entry, dry bool) error {
		if dry {
			copied, live := *e, *st.Live
			trial := callback.Step{Policy: st.Policy, ID: st.ID, Now: st.Now, Live: &live}
			_, err := trial.Reopen(&copied)
			return err
		}
		ok, err := st.Reopen(e)
		if ok {
			changed++
		}
		return err
	})
	return changed, err
}

// each runs f on every call, after a dry run of all of them found no fault.
func (s *Store) each(num callback.Num, now time.Time, ids []callback.CallID, f func(st *callback.Step, e *callback.Entry, dry bool) error) error {
	return s.change(num, now, func(h *house, st *callback.Step) error {
		var missing []callback.CallID
		for _, id := range ids {
			if h.calls[id] == nil {
				missing = append(missing, id)
				continue
			}
			if err := f(st, &h.calls[id].entry, true); err != nil {
				return err
			}
		}
		if len(missing) > 0 {
			return callback.NoCalls(missing)
		}
		for _, id := range ids {
			if err := f(st, &h.calls[id].entry, false); err != nil {
				return err
			}
		}
		return nil
	})
}

// Undo implements callback.Queue.
func (s *Store) Undo(_ context.Context, now time.Time, before callback.Entry) error {
	return s.change(before.Num, now, func(h *house, st *callback.Step) error {
		r := h.calls[before.ID]
		if r == nil {
			return callback.NoCall(before.ID)
		}
		return st.Undo(&r.entry, before)
	})
}

// Purge implements callback.Queue.
func (s *Store) Purge(_ context.Context, _, delivered, failed time.Time, limit int) (purged int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.all() {
		for _, id := range slices.Sorted(maps.Keys(h.calls)) {
			r := h.calls[id]
			horizon := delivered
			if r.entry.Status == callback.Failed {
				horizon = failed
			}
			if purged == limit {
				return purged, nil
			}
			if r.entry.Status == callback.Ready || r.entry.Running || !r.entry.Finished.Before(horizon) {
				continue
			}
			h.live.Purge(&r.entry)
			delete(h.calls, id)
			delete(h.keys, r.response.Key)
			purged++
		}
	}
	return purged, nil
}

// Call implements callback.Ledger.
func (s *Store) Call(_ context.Context, num callback.Num, id callback.CallID) (callback.Call, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, r, err := s.lookup(num, id)
	if err != nil {
		return callback.Call{}, err
	}
	last := r.attempts[max(len(r.attempts)-callback.MaxCallAttempts, 0):]
	return callback.Call{Entry: r.entry, Response: r.response, Attempts: slices.Clone(last)}, nil
}

// Calls implements callback.Ledger.
func (s *Store) Calls(_ context.Context, q callback.CallQuery) (callback.CallPage, error) {
	q = q.Bounded()
	s.mu.Lock()
	defer s.mu.Unlock()
	var page callback.CallPage
	var all []callback.Call
	size := 0
	for _, h := range s.all() {
		if q.Num != 0 && h.cb.Num != q.Num {
			continue
		}
		page.Total += h.live.Counts.In(q.Status)
		for _, r := range h.calls {
			c := callback.Call{Entry: r.entry, Response: r.response}
			if n := len(r.attempts); n > 0 {
				c.Attempts = []callback.Attempt{r.attempts[n-1]}
				if c.Attempts[0].OK {
					c.Attempts[0].Excerpt = ""
				}
			}
			all = append(all, c)
		}
	}
	slices.SortFunc(all, q.Order)
	looked := uint64(0)
	for i := range all {
		if all[i].Listed()&q.Where() != 0 && q.Behind(all[i].ID) {
			looked++
		}
		if !q.Selects(&all[i], &s.houses[all[i].Num-1].live) {
			continue
		}
		if page.Skipped < q.Offset {
			page.Skipped++
			continue
		}
		size += all[i].Response.Size()
		if n := len(page.Calls); n == q.Limit || n > 0 && size > q.Bytes {
			page.More, page.Next = true, page.Calls[n-1].ID
			break
		}
		page.Calls, page.Looked = append(page.Calls, all[i]), looked
	}
	if !page.More {
		page.Looked = looked
	}
	return page, nil
}

// Attempts implements callback.Ledger.
func (s *Store) Attempts(_ context.Context, q callback.AttemptQuery) (page callback.AttemptPage, err error) {
	q = q.Bounded()
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []callback.CallAttempt
	for _, h := range s.all() {
		if q.Num != 0 && h.cb.Num != q.Num {
			continue
		}
		page.Total += h.live.AttemptsIn(q.Status)
		for id, r := range h.calls {
			for _, a := range r.attempts {
				row := callback.CallAttempt{Attempt: a, Num: h.cb.Num, ID: id, MessageID: r.response.MessageID}
				if row.OK {
					row.Excerpt = ""
				}
				if q.Selects(&row, &callback.Call{Entry: r.entry, Response: r.response}, &h.live) {
					all = append(all, row)
				}
			}
		}
	}
	slices.SortFunc(all, q.Order)
	page.Skipped = min(q.Offset, len(all))
	all = all[page.Skipped:]
	page.Attempts = all[:min(q.Limit, len(all))]
	if page.More = len(all) > q.Limit; page.More {
		page.Next = page.Attempts[q.Limit-1].Key()
	}
	return page, nil
}
