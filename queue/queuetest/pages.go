package queuetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// filter returns conditions that some calls fulfil, mostly.
func (p *player) filter() (f callback.Filter) {
	f.Status = callback.CallStatus(p.rng.IntN(8))
	for range p.rng.IntN(3) {
		switch p.rng.IntN(8) {
		case 0:
			all := callback.CallStates
			n := p.rng.IntN(len(all))
			if f.State = all[n]; n%2 == 0 {
				f.State = callback.AnyState(all[n], all[(n+4)%len(all)])
			}
		case 1:
			f.MessageID = response(p.rng.IntN(messages)).MessageID
		case 2:
			f.Code = []int{200, 503, callback.NoAnswer, 404}[p.rng.IntN(4)]
		case 3:
			f.Reason = []string{answer200.Reason, answer503.Reason, refused.Reason, stale.Reason, "interrupted"}[p.rng.IntN(5)]
		case 4:
			f.Class = []callback.Class{callback.ClassStatus, callback.ClassRefused, callback.ClassInterrupted, callback.ClassDNS}[p.rng.IntN(4)].String()
		case 5:
			f.From = p.now.Add(-time.Duration(p.rng.IntN(90)) * time.Minute)
		case 6:
			f.To = p.now.Add(-time.Duration(p.rng.IntN(90)) * time.Minute)
		case 7:
			f.Text = fmt.Sprintf("ANSWER %d", p.rng.IntN(40))
		}
	}
	return f
}

// messages is how many different messages the responses of a play are to.
const messages = 60

// compareCalls asks engine and oracle for the same page of calls: the engine in
// steps of any length.
func (p *player) compareCalls() {
	p.Helper()
	q := callback.CallQuery{
		Num: callback.Num(p.rng.IntN(5)), Oldest: p.rng.IntN(2) == 0, Limit: 1 + p.rng.IntN(50), Filter: p.filter(),
	}
	if p.rng.IntN(3) == 0 {
		q.Offset = p.rng.IntN(10)
	}
	if p.rng.IntN(2) == 0 {
		q.Scan = 1 + p.rng.IntN(300)
	}
	if p.rng.IntN(2) == 0 {
		_, q.After = p.id()
	}
	if p.rng.IntN(2) == 0 {
		q.Bytes = 1 + p.rng.IntN(4000)
	}
	what := fmt.Sprintf("calls %+v", q)
	want, _ := p.collect(p.oracle, q)
	got, _ := p.collect(p.s, q)
	diff(p, what, got, want)
}

// collect asks for a page until it is full or there is nothing more.
func (p *player) collect(s callback.Store, q callback.CallQuery) (all callback.CallPage, steps int) {
	p.Helper()
	for want := q.Limit; ; steps++ {
		page, err := s.Calls(p.ctx, q)
		p.ok(err)
		if page.More && (page.Next == 0 || q.After != 0 && q.Oldest != (page.Next > q.After)) {
			p.Fatalf("calls %+v: no progress: next %v", q, page.Next)
		}
		all.Calls = append(all.Calls, page.Calls...)
		all.Skipped, all.Total, all.Looked = all.Skipped+page.Skipped, page.Total, all.Looked+page.Looked
		if n := uint64(len(page.Calls) + page.Skipped); page.Looked < n {
			p.Fatalf("calls %+v: %d were looked at for %d", q, page.Looked, n)
		}
		q.After, q.Offset, q.Limit = page.Next, q.Offset-page.Skipped, want-len(all.Calls)
		if q.Limit == 0 || indexed(&q) {
			all.Looked = 0 // it depends on how far a step went behind the last row, or on what an index leaves out
		}
		if !page.More || q.Limit == 0 {
			return all, steps
		}
	}
}

// indexed reports whether an index leaves out calls of the statuses asked for.
func indexed(q *callback.CallQuery) bool {
	return q.Code != 0 || q.Class != "" || q.MessageID != "" || q.State == callback.StateDelivering || !q.To.IsZero()
}

// all returns the calls that a query of any length gives.
func (p *player) all(q callback.CallQuery) map[callback.CallID]bool {
	p.Helper()
	set := map[callback.CallID]bool{}
	for q.Limit = callback.MaxPage; ; {
		page, err := p.oracle.Calls(p.ctx, q)
		p.ok(err)
		for i := range page.Calls {
			set[page.Calls[i].ID] = true
		}
		if q.After = page.Next; !page.More {
			return set
		}
	}
}

// longContents pages through calls with long contents: a page ends before it holds
// too many bytes, but has one call at least, and an operation works off all.
func longContents(h *harness) {
	cb := h.create("a", nil)
	var ids []callback.CallID
	for i := range 9 {
		r := response(i)
		r.Message.Content = strings.Repeat("x", callback.MaxPageBytes/4)
		if i%8 == 0 {
			r.From.Name = "needle"
		}
		out, err := h.s.Enqueue(h.ctx, h.now, []callback.NewCall{{Num: cb.Num, Response: r}})
		h.ok(err)
		ids = append(ids, out[0].ID)
	}
	q := callback.CallQuery{Oldest: true, Filter: callback.Filter{Status: callback.ListPending}}
	for _, c := range []struct{ bytes, offset, rows, pages int }{{0, 0, 3, 3}, {1 << 40, 3, 3, 2}, {callback.MaxPageBytes / 2, 0, 1, 9}, {1, 5, 1, 4}} {
		q.Bytes, q.Offset, q.After = c.bytes, c.offset, 0
		var got []callback.CallID
		pages := 0
		for more := true; more; pages++ {
			page, err := h.s.Calls(h.ctx, q)
			h.ok(err)
			if len(page.Calls) != c.rows {
				h.Fatalf("%d bytes a page: %d calls, want %d", c.bytes, len(page.Calls), c.rows)
			}
			for i := range page.Calls {
				got = append(got, page.Calls[i].ID)
			}
			more, q.After, q.Offset = page.More, page.Next, q.Offset-page.Skipped
		}
		if diff(h, "calls", got, ids[c.offset:]); pages != c.pages {
			h.Fatalf("%d bytes a page: %d pages, want %d", c.bytes, pages, c.pages)
		}
	}
	needles := q
	needles.Text, needles.Bytes, needles.Offset, needles.After = "needle", 0, 0, 0
	page, err := h.s.Calls(h.ctx, needles)
	h.ok(err)
	if len(page.Calls) != 2 || page.More {
		h.Fatalf("of calls that are passed over, the bytes count: %d calls, more %v", len(page.Calls), page.More)
	}
	o := h.start(callback.Operation{ID: "o", Num: cb.Num, Kind: callback.OperationResolve, Filter: q.Filter})
	if next, err := o.Next(h.ctx, h.s, 100); err != nil || len(next.Calls) != 3 {
		h.Fatalf("a page of an operation: %+v, %v", next, err)
	}
	if o = h.finish(o, 100); o.Changed != 9 {
		h.Fatalf("the operation: %+v", o)
	}
}

// manyAttempts has a call with more attempts than are read of one: the last come,
// and their number stays known.
func manyAttempts(h *harness) {
	cb := h.create("a", nil)
	h.add(cb.Num, 1)
	c := h.claim(cb.Num, callback.Fresh)[0]
	const more = 3
	attempts := slices.Repeat([]callback.Attempt{answer503}, callback.MaxCallAttempts+more)
	for i := range attempts {
		attempts[i].Started = h.now
	}
	_, err := h.s.Record(h.ctx, h.now, cb.Num, c.Entry.ID, attempts)
	h.ok(err)
	got := h.call(cb.Num, c.Entry.ID)
	n := len(got.Attempts)
	if got.Entry.Attempts != len(attempts) || n != callback.MaxCallAttempts || got.Attempts[0].Number != more+1 || got.Attempts[n-1].Number != len(attempts) {
		h.Fatalf("%d attempts of %d", n, got.Entry.Attempts)
	}
}

// walk pages through calls while they come, change and go: what was there and
// wanted all the time is met once.
func (p *player) walk() {
	p.Helper()
	q := callback.CallQuery{Num: callback.Num(p.rng.IntN(3)), Oldest: p.rng.IntN(2) == 0, Filter: p.filter()}
	q.From, q.To = time.Time{}, time.Time{} // they are of p.now, which goes on
	always, seen := p.all(q), map[callback.CallID]bool{}
	at := q
	at.Limit, at.Scan, at.Bytes = 1+p.rng.IntN(6), 1+p.rng.IntN(100), p.rng.IntN(1000)
	for {
		page, err := p.s.Calls(p.ctx, at)
		p.ok(err)
		for i := range page.Calls {
			if id := page.Calls[i].ID; seen[id] {
				p.Fatalf("walk %+v: %v comes twice", at, id)
			} else {
				seen[id] = true
			}
		}
		if at.After = page.Next; !page.More {
			break
		}
		if p.rng.IntN(3) == 0 {
			p.step()
			now := p.all(q)
			maps.DeleteFunc(always, func(id callback.CallID, _ bool) bool { return !now[id] })
		}
	}
	for _, id := range slices.Sorted(maps.Keys(always)) {
		if !seen[id] {
			p.Fatalf("walk %+v: %v was passed over", q, id)
		}
	}
}

// compareAttempts asks engine and oracle for the same page of attempts.
func (p *player) compareAttempts() {
	p.Helper()
	q := callback.AttemptQuery{
		Num: callback.Num(p.rng.IntN(5)), Oldest: p.rng.IntN(2) == 0, Limit: 1 + p.rng.IntN(50), Filter: p.filter(),
	}
	if p.rng.IntN(3) == 0 {
		q.Offset = p.rng.IntN(10)
	}
	if p.rng.IntN(2) == 0 {
		q.Scan = 1 + p.rng.IntN(300)
	}
	if n := len(p.made); n > 0 && p.rng.IntN(2) == 0 {
		q.After = p.made[n-1-p.rng.IntN(min(n, 50))]
	}
	what := fmt.Sprintf("attempts %+v", q)
	want := p.collectAttempts(p.oracle, q)
	diff(p, what, p.collectAttempts(p.s, q), want)
	if q.Plain() {
		p.countAttempts(q)
	}
}

// countAttempts holds the totals that both tell to the rows there are.
func (p *player) countAttempts(q callback.AttemptQuery) {
	p.Helper()
	q = callback.AttemptQuery{Num: q.Num, Filter: q.Filter, Limit: callback.MaxPage}
	n := uint64(0)
	for {
		page, err := p.oracle.Attempts(p.ctx, q)
		p.ok(err)
		n += uint64(len(page.Attempts))
		if q.After = page.Next; !page.More {
			break
		}
	}
	for _, s := range []callback.Store{p.oracle, p.s} {
		if page, err := s.Attempts(p.ctx, q); err != nil || page.Total != n {
			p.Fatalf("attempts %+v: the total of %T is %d, there are %d; %v", q, s, page.Total, n, err)
		}
	}
}

// collectAttempts asks for a page until it is full or there is nothing more.
func (p *player) collectAttempts(s callback.Store, q callback.AttemptQuery) (all []callback.CallAttempt) {
	p.Helper()
	for want := q.Limit; ; {
		page, err := s.Attempts(p.ctx, q)
		p.ok(err)
		if page.More && (page.Next == callback.AttemptKey{} || q.After != callback.AttemptKey{} && q.Oldest != (page.Next.Compare(q.After) > 0)) {
			p.Fatalf("attempts %+v: no progress: next %v", q, page.Next)
		}
		all = append(all, page.Attempts...)
		q.After, q.Offset, q.Limit = page.Next, q.Offset-page.Skipped, want-len(all)
		if !page.More || q.Limit == 0 {
			return all
		}
	}
}

// allAttempts returns the attempts that a query of any length gives.
func (p *player) allAttempts(q callback.AttemptQuery) map[callback.AttemptKey]bool {
	p.Helper()
	set := map[callback.AttemptKey]bool{}
	for q.Limit = callback.MaxPage; ; {
		page, err := p.oracle.Attempts(p.ctx, q)
		p.ok(err)
		for i := range page.Attempts {
			set[page.Attempts[i].Key()] = true
		}
		if q.After = page.Next; !page.More {
			return set
		}
	}
}

// walkAttempts is walk for attempts.
func (p *player) walkAttempts() {
	p.Helper()
	q := callback.AttemptQuery{Num: callback.Num(p.rng.IntN(3)), Oldest: p.rng.IntN(2) == 0, Filter: p.filter()}
	always, seen := p.allAttempts(q), map[callback.AttemptKey]bool{}
	at := q
	at.Limit, at.Scan = 1+p.rng.IntN(6), 1+p.rng.IntN(100)
	for {
		page, err := p.s.Attempts(p.ctx, at)
		p.ok(err)
		for i := range page.Attempts {
			if k := page.Attempts[i].Key(); seen[k] {
				p.Fatalf("walk %+v: %v comes twice", at, k)
			} else {
				seen[k] = true
			}
		}
		if at.After = page.Next; !page.More {
			break
		}
		if p.rng.IntN(3) == 0 {
			p.step()
			now := p.allAttempts(q)
			maps.DeleteFunc(always, func(k callback.AttemptKey, _ bool) bool { return !now[k] })
		}
	}
	for k := range always {
		if !seen[k] {
			p.Fatalf("walk %+v: %v was passed over", q, k)
		}
	}
}
