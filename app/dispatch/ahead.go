package dispatch

import (
	"context"
	"slices"

	"ringback/callback"
)

// Bounds of what is read ahead. A call takes a little more than its response.
const (
	aheadCalls = 256       // of one lane
	aheadBytes = 256 << 10 // the same
	aheadMost  = 8 << 20   // bytes of all lanes together
)

// ahead is what a lane has read of the calls that stand next: those never
// tried, in order, with their responses. As one attempt ends the store takes
// the next from here, in the same commit. It is a copy of what is on disk, and
// is dropped where it may be old.
type ahead struct {
	calls []callback.Claim
	bytes int
	last  callback.DueKey // of the last one ever in it
	rest  bool            // more is due behind that
	old   bool            // something happened to the callback since it was read
	given int             // calls that took over the slot of an attempt which is not released yet
}

// low reports whether more should be read.
func (a *ahead) low() bool { return a.rest && len(a.calls) < aheadCalls/4 && a.bytes < aheadBytes/4 }

// Next implements callback.Dispatcher. Where others wait, the last free slot, and
// one beyond the lane's share, is not passed on: it goes by turns.
func (d *Engine) Next(num callback.Num) *callback.Claim {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lane(num)
	others := len(d.ready)
	if l.queued {
		others--
	}
	if d.stopping || l.ahead.old || len(l.ahead.calls) == 0 || others > 0 && (l.running > d.share || d.running >= d.opt.MaxInFlight) {
		return nil
	}
	n := d.memory.of(&l.ahead.calls[0])
	if !d.memory.fits(l, n) {
		return nil
	}
	d.memory.hold(l, n)
	l.ahead.given++
	d.wg.Add(1) // for Start, like Slot
	return &d.pop(l, 1)[0]
}

// Missed implements callback.Dispatcher.
func (d *Engine) Missed(c *callback.Claim) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lane(c.Entry.Num)
	d.give(l, d.memory.of(c))
	l.ahead.given--
	l.ahead.old = true
	d.wg.Done()
}

// pop takes the first n calls.
func (d *Engine) pop(l *lane, n int) []callback.Claim {
	out := slices.Clone(l.ahead.calls[:n])
	clear(l.ahead.calls[:n])
	l.ahead.calls = l.ahead.calls[n:]
	for i := range out {
		size := out[i].Response.Size()
		l.ahead.bytes -= size
		d.readOn -= size
	}
	return out
}

// drop forgets what was read ahead.
func (d *Engine) drop(l *lane) {
	d.pop(l, len(l.ahead.calls))
	l.ahead.calls, l.ahead.last, l.ahead.rest = nil, callback.DueKey{}, false
}

// lined returns, of a lane that has read ahead, the calls that the slots free
// are for, and where to read on if more should be. ok: there were any.
func (f *filler) lined(slots int) (calls []callback.Entry, from callback.DueKey, low, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := &f.lane.ahead
	if len(a.calls) == 0 || a.old {
		f.drop(f.lane)
		return nil, from, false, false
	}
	for _, c := range f.pop(f.lane, min(slots, len(a.calls))) {
		calls = append(calls, c.Entry)
	}
	from = a.last
	from.ID++
	return calls, from, a.low(), true
}

// mayReadOn returns how many calls may be read ahead.
func (f *filler) mayReadOn() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readOn > aheadMost/2 {
		return 0 // what is read would hardly find room
	}
	return aheadCalls
}

// lineUp adds calls to those that were read ahead, as far as there is room. rest: others
// are due behind them.
func (f *filler) lineUp(ctx context.Context, calls []callback.Entry, rest bool) error {
	ids := make([]callback.CallID, 0, len(calls))
	for i := range calls {
		if calls[i].DueClass() != callback.Fresh {
			break
		}
		ids = append(ids, calls[i].ID)
	}
	responses, err := f.opt.Store.Responses(ctx, f.lane.num, ids, aheadBytes)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	l := f.lane
	if l.ahead.old {
		return nil
	}
	l.ahead.rest = rest || len(responses) < len(calls)
	for i := range responses {
		size := responses[i].Size()
		if l.ahead.bytes+size > aheadBytes || f.readOn+size > aheadMost {
			l.ahead.rest = true
			break
		}
		l.ahead.calls = append(l.ahead.calls, callback.Claim{Entry: calls[i], Response: responses[i]})
		l.ahead.last = calls[i].DueKey()
		l.ahead.bytes += size
		f.readOn += size
	}
	return nil
}

// goOn serves a lane that has read ahead: what ends is followed by the store;
// left are slots that are free, and to read on.
func (f *filler) goOn(ctx context.Context, calls []callback.Entry, from callback.DueKey, low bool) error {
	if low {
		page, err := f.opt.Store.Due(ctx, f.lane.num, callback.Fresh, from, aheadCalls)
		if err != nil {
			return err
		}
		n := 0
		for n < len(page) && !page[n].Due.After(f.now) {
			n++
		}
		if err := f.lineUp(ctx, page[:n], n == aheadCalls); err != nil {
			return err
		}
	}
	f.more = true
	if len(calls) == 0 {
		return nil
	}
	return f.start(ctx, calls)
}
