package queue

import (
	"context"
	"errors"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// claimed is one attempt that is about to run.
type claimed struct {
	num     callback.Num
	id      callback.CallID
	attempt int
	manual  bool
}

// claimsPerRecord keeps a claim record inline.
const claimsPerRecord = 20

func encodeClaims(list []claimed) []byte {
	w := newWriter(18 * len(list))
	w.int(len(list))
	for _, c := range list {
		w.uint(uint64(c.num))
		w.uint(uint64(c.id))
		w.int(c.attempt)
		w.bool(c.manual)
	}
	return w.seal()
}

func decodeClaims(b []byte) ([]claimed, error) {
	r := open(b)
	var list []claimed
	for range min(r.int(), claimsPerRecord) {
		c := claimed{num: callback.Num(r.uint()), id: callback.CallID(r.uint()), attempt: r.int()}
		r.bool(&c.manual)
		list = append(list, c)
	}
	return list, r.err
}

// claim notes that an attempt of e begins; flushClaims writes it.
func (g *group) claim(h *house, e *callback.Entry) {
	g.claims[h.slot] = append(g.claims[h.slot], claimed{num: e.Num, id: e.ID, attempt: e.Attempts + 1, manual: e.Manual})
	g.e.runs[e.ID] = &run{entry: *e}
}

// flushClaims writes the claims of the group, few records for many claims, and
// deletes the records all of whose claims have their results.
func (g *group) flushClaims() error {
	e := g.e
	for slot, list := range g.claims {
		for len(list) > 0 {
			n := min(len(list), claimsPerRecord)
			e.seq++
			ref := claimRef{slot, e.seq}
			if err := g.put(claimKey(slot, e.seq), encodeClaims(list[:n])); err != nil {
				return err
			}
			for _, c := range list[:n] {
				e.runs[c.id].claim = ref
			}
			e.claims[ref] = n
			list = list[n:]
		}
	}
	for _, ref := range g.ended {
		if e.claims[ref]--; e.claims[ref] > 0 {
			continue
		}
		delete(e.claims, ref)
		if err := g.delete(claimKey(ref.slot, ref.seq)); err != nil {
			return err
		}
	}
	return nil
}

// Claim implements callback.Queue.
func (e *Engine) Claim(ctx context.Context, now time.Time, num callback.Num, calls []callback.Entry, room func(size int) bool) ([]callback.Claim, error) {
	slot, err := e.slot(num)
	if err != nil {
		return nil, err
	}
	responses := make([]callback.Response, len(calls))
	damaged := make([]bool, len(calls))
	err = e.view(func(t *badger.Txn) error {
		for i := range calls {
			var err error
			responses[i], damaged[i], err = e.responseIf(t, slot, calls[i].ID, room)
			if errors.Is(err, errNoRoom) {
				calls = calls[:i]
				break
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || len(calls) == 0 {
		return nil, err
	}
	var out []callback.Claim
	err = e.submit(ctx, now, 6*len(calls), 0, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		for i := range calls {
			entry, ok, err := g.claimDue(h, &calls[i], damaged[i])
			if err != nil {
				return err
			}
			if ok {
				out = append(out, callback.Claim{Entry: entry, Response: responses[i]})
			}
		}
		return nil
	})
	return out, err
}

// Responses implements callback.Queue.
func (e *Engine) Responses(_ context.Context, num callback.Num, ids []callback.CallID, bytes int) (out []callback.Response, err error) {
	slot, err := e.slot(num)
	if err != nil {
		return nil, err
	}
	room := func(size int) bool {
		bytes -= size
		return bytes >= 0
	}
	err = e.view(func(t *badger.Txn) error {
		for _, id := range ids {
			r, damaged, err := e.responseIf(t, slot, id, room)
			if damaged || errors.Is(err, errNoRoom) {
				break
			}
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// errNoRoom says that there is no memory for a response.
var errNoRoom = errors.New("no memory for the response")

// response reads what is to be sent. A payload that is damaged or gone must
// never be sent as something else.
func (e *Engine) response(t *badger.Txn, slot byte, id callback.CallID) (r callback.Response, damaged bool, err error) {
	return e.responseIf(t, slot, id, nil)
}

// responseIf asks room first, unless that is nil, whether there is memory for so
// many bytes, about. Its no is errNoRoom.
func (e *Engine) responseIf(t *badger.Txn, slot byte, id callback.CallID, room func(size int) bool) (r callback.Response, damaged bool, err error) {
	item, err := t.Get(payloadKey(slot, id))
	if err == nil && room != nil && !room(int(item.ValueSize())) {
		err = errNoRoom
	}
	if err == nil {
		r, _, _, err = payloadOf(item)
	}
	if errors.Is(err, errCorrupt) || errors.Is(err, badger.ErrKeyNotFound) {
		return r, true, nil
	}
	return r, false, err
}

// claimDue starts one waiting call, if it still waits as the caller saw it.
func (g *group) claimDue(h *house, seen *callback.Entry, damaged bool) (callback.Entry, bool, error) {
	before := *seen
	if g.e.runs[before.ID] != nil || g.before.took(before.ID) {
		return before, false, nil
	}
	item, err := g.t.Get(dueKey(h.slot, seen))
	if errors.Is(err, badger.ErrKeyNotFound) {
		return before, false, nil // resolved, retried or given up since
	}
	if err != nil {
		return before, false, err
	}
	err = item.Value(func(v []byte) error {
		before, err = decodeEntry(v, seen.Num, seen.ID)
		return err
	})
	if err != nil {
		g.e.opt.Log.Error("a due entry is damaged: its call is not sent", "call", seen.ID, "err", err)
		return before, false, nil
	}
	st, after := g.step(h), before
	switch {
	case damaged:
		g.e.opt.Log.Error("a stored response is damaged: its call is not sent", "call", before.ID)
		st.Damage(&after)
		return after, false, g.move(h, &before, &after)
	case st.MayStart(&after) == callback.GiveUp:
		st.GiveUp(&after)
		return after, false, g.move(h, &before, &after)
	case st.MayStart(&after) == callback.Go && !st.Behind(&after) && g.mayStart():
		st.Start(&after)
		g.claim(h, &after)
		return after, true, nil
	}
	return after, false, nil
}

// ClaimManual implements callback.Queue.
func (e *Engine) ClaimManual(ctx context.Context, now time.Time, num callback.Num, id callback.CallID, extend bool) (c callback.Claim, err error) {
	err = e.submit(ctx, now, 6, 0, func(g *group) error {
		h, err := e.house(num)
		if err != nil {
			return err
		}
		entry, err := g.entry(h, id)
		if err != nil {
			return err
		}
		response, damaged, err := e.response(g.t, h.slot, id)
		if err != nil {
			return err
		}
		if damaged {
			return callback.Errorf(callback.CodeConflict, "the stored response of call %s is damaged", id)
		}
		if err := g.step(h).StartManual(&entry, extend); err != nil {
			return err
		}
		g.claim(h, &entry)
		c = callback.Claim{Entry: entry, Response: response}
		return nil
	})
	return c, err
}

// result is a Record on its way to the writer. It is used again, like an enqueue: nobody
// has it any more when it was answered.
type result struct {
	op
	num      callback.Num
	id       callback.CallID
	attempts []callback.Attempt
	after    callback.Entry // the call, as the attempts left it
}

// Record implements callback.Queue.
func (e *Engine) Record(ctx context.Context, now time.Time, num callback.Num, id callback.CallID, attempts []callback.Attempt) (callback.Entry, error) {
	r, ok := e.results.Get().(*result)
	if !ok {
		r = new(result)
		r.apply, r.done, r.blind = r.run, make(chan struct{}, 1), true
	}
	r.now, r.weight, r.bytes = now, 32+(1+excerptParts)*len(attempts), 2048*len(attempts)
	r.num, r.id, r.attempts = num, id, attempts
	err := e.do(ctx, &r.op)
	after := r.after
	r.err, r.attempts, r.after = nil, nil, callback.Entry{} // they may be long
	e.results.Put(r)
	return after, err
}

// run is what the writer does.
func (r *result) run(g *group) error {
	e := g.e
	h, err := e.house(r.num)
	if err != nil {
		return err
	}
	running := e.runs[r.id]
	if running == nil || running.entry.Num != r.num {
		return callback.Errorf(callback.CodeConflict, "call %s has no running attempt", r.id)
	}
	before, after := running.entry, running.entry
	delete(e.runs, r.id)
	e.ending[0][r.id] = running
	g.ended = append(g.ended, running.claim)
	before.Number(r.attempts)
	for i, last := 0, before.LastAt; i < len(r.attempts); i++ {
		if err := g.saveAttempt(h, r.id, &r.attempts[i], last); err != nil {
			return err
		}
		last = r.attempts[i].Started
	}
	g.step(h).Finish(&after, callback.ResultOf(r.attempts))
	r.after = after
	if err := g.count(h, r.attempts); err != nil {
		return err
	}
	if err := g.move(h, &before, &after); err != nil {
		return err
	}
	if before.Manual {
		return nil // its place was one beyond the limit
	}
	return g.next(h)
}

// next claims the call that stands next, where an attempt has ended: it waits
// for no commit but that of the result.
func (g *group) next(h *house) error {
	st := g.step(h)
	if g.disp == nil || !st.InLine() || h.cb.RatePerSecond > 0 || st.Room() == 0 || !g.mayStart() {
		return nil
	}
	c := g.disp.Next(h.num)
	if c == nil {
		return nil
	}
	entry, ok, err := g.claimDue(h, &c.Entry, false)
	if err != nil {
		return err
	}
	if !ok {
		g.disp.Missed(c)
		return nil
	}
	g.start = append(g.start, callback.Claim{Entry: entry, Response: c.Response})
	return nil
}

// saveAttempt writes one attempt and the beginning of its answer; last is when
// the attempt before it began.
func (g *group) saveAttempt(h *house, id callback.CallID, a *callback.Attempt, last time.Time) error {
	h.marks.spans[spanAttempts].add(ms(a.Started))
	if err := g.put(attemptKey(h.slot, h.cb.Num, a.Started, id, a.Number), encodeAttempt(a, last)); err != nil {
		return err
	}
	text := callback.Sanitize(a.Excerpt, callback.MaxExcerpt)
	for part := 0; text != ""; part++ {
		n := min(len(text), maxInline-20)
		w := newWriter(n)
		w.string(text[:n])
		if err := g.put(excerptKey(h.slot, id, a.Number, part), w.seal()); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}
