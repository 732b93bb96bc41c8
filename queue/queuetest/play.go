package queuetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
)

// Play runs random operations against an engine and against memq, and compares
// every answer, and now and then everything that is stored.
func Play(t *testing.T, fresh func(tb testing.TB) Open) {
	rounds, steps := 4, 400
	if testing.Short() {
		rounds, steps = 2, 200
	}
	for seed := range rounds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			p := &player{rng: rand.New(rand.NewPCG(uint64(seed), 7)), oracle: memq.New(Policy())}
			p.harness = newHarness(t, fresh(t))
			p.now = p.now.Add(time.Second)
			p.owner = map[callback.CallID]callback.Num{}
			for i := range steps {
				p.now = p.now.Add(time.Duration(p.rng.IntN(3000)) * time.Millisecond)
				p.step()
				switch {
				case i%20 == 19:
					p.compare()
				case i%50 == 30:
					p.walk()
					p.walkAttempts()
				}
			}
			p.compare()
			p.check()
		})
	}
}

type player struct {
	*harness
	rng    *rand.Rand
	oracle *memq.Store
	ids    []callback.CallID // of every call ever enqueued
	owner  map[callback.CallID]callback.Num
	runs   []callback.Claim
	undo   []callback.Entry
	made   []callback.AttemptKey // attempts recorded
	top    callback.Num          // of the last callback
}

// both runs f on the oracle and on the engine and compares what they answer.
func (p *player) both(what string, f func(s callback.Store) (any, error)) any {
	p.Helper()
	want, wantErr := f(p.oracle)
	got, gotErr := f(p.s)
	if callback.ErrorCode(gotErr) != callback.ErrorCode(wantErr) || (gotErr == nil) != (wantErr == nil) {
		p.Fatalf("%s: got error %v, want %v", what, gotErr, wantErr)
	}
	diff(p, what, got, want)
	return got
}

func (p *player) num() callback.Num { return callback.Num(1 + p.rng.IntN(max(4, int(p.top)))) }

// id returns an id that exists, mostly, with its callback.
func (p *player) id() (callback.Num, callback.CallID) {
	if len(p.ids) == 0 || p.rng.IntN(20) == 0 {
		return p.num(), 42
	}
	// Mostly a young one: those are the ones with something going on.
	back := p.rng.IntN(min(len(p.ids), 30))
	id := p.ids[len(p.ids)-1-back]
	return p.owner[id], id
}

func (p *player) step() {
	switch n := p.rng.IntN(100); {
	case n < 25:
		p.enqueue()
	case n < 45:
		p.claim()
	case n < 70:
		p.finish()
	case n < 72:
		p.resolve()
	case n < 74:
		for range 3 {
			p.operate()
		}
	case n < 77:
		p.reopenCalls()
	case n < 80:
		p.undoOne()
	case n < 84:
		p.manual()
	case n < 88:
		p.registry()
	case n < 91:
		p.now = p.now.Add(time.Duration(p.rng.IntN(40)) * time.Minute)
	case n < 92:
		p.now = p.now.Add(time.Duration(p.rng.IntN(30)) * time.Hour)
	case n < 96:
		num, drained := p.num(), p.rng.IntN(2) == 0
		p.both("tick", func(s callback.Store) (any, error) { return nil, s.Tick(p.ctx, p.now, num, drained) })
	case n < 97:
		num := p.num()
		p.both("sweep", func(s callback.Store) (any, error) { return nil, s.Sweep(p.ctx, p.now, num) })
	case n < 98:
		p.retire()
	case n < 99:
		p.restart()
	default:
		horizon := p.now.Add(-time.Duration(p.rng.IntN(60)) * time.Minute)
		p.both("purge", func(s callback.Store) (any, error) { return s.Purge(p.ctx, p.now, horizon, horizon, 1000) })
		p.both("purge outages", func(s callback.Store) (any, error) { return s.PurgeOutages(p.ctx, p.now, horizon, 1000) })
	}
}

func (p *player) enqueue() {
	calls := make([]callback.NewCall, 1+p.rng.IntN(5))
	for i := range calls {
		r := response(p.rng.IntN(messages))
		switch p.rng.IntN(12) {
		case 0:
			r.Key = fmt.Sprint("key", p.rng.IntN(5))
		case 1:
			r.DeliverAt = p.now.Add(time.Duration(p.rng.IntN(600)) * time.Second)
		case 2:
			r.Message.Content = string(make([]byte, p.rng.IntN(3000))) // some lie in the value log, some do not
		}
		calls[i] = callback.NewCall{Num: p.num(), Response: r}
	}
	out := p.both("enqueue", func(s callback.Store) (any, error) {
		out, err := s.Enqueue(p.ctx, p.now, calls)
		for i := range out {
			if out[i].Err != nil { // compare the codes only
				out[i].Err = callback.Errorf(callback.ErrorCode(out[i].Err), "")
			}
		}
		return out, err
	}).([]callback.Enqueued)
	for i, o := range out {
		if o.Err == nil && !o.Repeat {
			p.ids = append(p.ids, o.ID)
			p.owner[o.ID] = calls[i].Num
		}
	}
}

func (p *player) claim() {
	num, class := p.num(), callback.DueClass(p.rng.IntN(2))
	due, ok := p.both("due", func(s callback.Store) (any, error) {
		return s.Due(p.ctx, num, class, callback.DueKey{}, 6)
	}).([]callback.Entry)
	if !ok || len(due) == 0 {
		return
	}
	claims := p.both("claim", func(s callback.Store) (any, error) {
		return s.Claim(p.ctx, p.now, num, due, nil)
	}).([]callback.Claim)
	p.runs = append(p.runs, claims...)
}

func (p *player) manual() {
	num, id := p.id()
	extend := p.rng.IntN(2) == 0
	c := p.both("manual", func(s callback.Store) (any, error) {
		return s.ClaimManual(p.ctx, p.now, num, id, extend)
	}).(callback.Claim)
	if c.Entry.ID != 0 {
		p.runs = append(p.runs, c)
	}
}

// finish records results; endpoints of even callbacks fail mostly.
func (p *player) finish() {
	if len(p.runs) == 0 {
		return
	}
	i := p.rng.IntN(len(p.runs))
	c := p.runs[i]
	p.runs[i] = p.runs[len(p.runs)-1]
	p.runs = p.runs[:len(p.runs)-1]
	a := answer200
	if bad := c.Entry.Num%2 == 0; bad == (p.rng.IntN(4) > 0) {
		a = []callback.Attempt{answer503, refused, failed200}[p.rng.IntN(3)]
	}
	attempts := []callback.Attempt{a}
	if p.rng.IntN(5) == 0 {
		attempts = []callback.Attempt{stale, a}
	}
	for i := range attempts { // endpoints' clocks go as they like
		attempts[i].Started = p.now.Add(time.Duration(p.rng.IntN(3)-1) * time.Duration(p.rng.IntN(4000)) * time.Millisecond)
	}
	p.both("record", func(s callback.Store) (any, error) {
		kept := slices.Clone(attempts)
		e, err := s.Record(p.ctx, p.now, c.Entry.Num, c.Entry.ID, kept)
		for i := range kept {
			p.made = append(p.made, callback.AttemptKey{At: kept[i].Started, ID: c.Entry.ID, Number: kept[i].Number})
		}
		return e, err
	})
}

func (p *player) resolve() {
	num, id := p.id()
	if before, err := p.oracle.Call(p.ctx, num, id); err == nil {
		p.undo = append(p.undo, before.Entry)
	}
	p.both("resolve", func(s callback.Store) (any, error) {
		return s.Resolve(p.ctx, p.now, num, []callback.CallID{id}, "ana")
	})
}

func (p *player) reopenCalls() {
	num, id := p.id()
	p.both("reopen", func(s callback.Store) (any, error) {
		return s.Reopen(p.ctx, p.now, num, []callback.CallID{id})
	})
}

func (p *player) undoOne() {
	if len(p.undo) == 0 {
		return
	}
	before := p.undo[p.rng.IntN(len(p.undo))]
	p.both("undo", func(s callback.Store) (any, error) { return nil, s.Undo(p.ctx, p.now, before) })
}

func (p *player) registry() {
	num := p.num()
	switch p.rng.IntN(10) {
	case 0, 1:
		if len(p.oracle.Callbacks()) >= 6 {
			return
		}
		cb := callback.Callback{
			ID: callback.CallbackID(p.rng.Uint64()), Name: fmt.Sprint("cb", p.rng.IntN(6)),
			Retries: p.rng.IntN(4) > 0, MaxInFlight: p.rng.IntN(3),
		}
		if p.rng.IntN(3) == 0 {
			cb.Alerts = callback.ModeEveryCall
		}
		made := p.both("create", func(s callback.Store) (any, error) { return s.Create(p.ctx, p.now, cb) }).(callback.Callback)
		p.top = max(p.top, made.Num)
	case 2:
		h, err := p.oracle.Callback(num)
		if err != nil {
			return
		}
		h.Retries = p.rng.IntN(2) == 0
		p.both("update", func(s callback.Store) (any, error) { return s.Update(p.ctx, p.now, h.Callback, 0) })
	case 3:
		p.both("suspend", func(s callback.Store) (any, error) { return nil, s.Suspend(p.ctx, p.now, num, "ana") })
	case 4:
		p.both("resume", func(s callback.Store) (any, error) { return nil, s.Resume(p.ctx, p.now, num) })
	case 5:
		if p.rng.IntN(6) == 0 {
			p.both("delete", func(s callback.Store) (any, error) { return nil, s.Delete(p.ctx, p.now, num) })
		}
	case 6:
		k := callback.APIKey{Name: fmt.Sprint("key", p.rng.IntN(6)), Role: callback.Roles[p.rng.IntN(4)], Hash: callback.HashKey(fmt.Sprint(p.rng.Uint64()))}
		p.both("add key", func(s callback.Store) (any, error) { return s.AddKey(p.ctx, p.now, k) })
	case 7:
		name := fmt.Sprint("key", p.rng.IntN(6))
		p.both("remove key", func(s callback.Store) (any, error) { return nil, s.RemoveKey(p.ctx, p.now, name) })
	case 8:
		h, err := p.oracle.Callback(num)
		if err != nil {
			return
		}
		n, by := h.Live.Outage.N-uint32(p.rng.IntN(2)), []string{"ana", "fred", ""}[p.rng.IntN(3)]
		p.both("acknowledge", func(s callback.Store) (any, error) { return nil, s.Acknowledge(p.ctx, p.now, num, n, by) })
	case 9:
		p.alert()
	}
}

// retire deletes a callback, ends all that waits for it, and lets retention
// remove what that leaves: of a callback that runs nothing, everything.
func (p *player) retire() {
	num := p.num()
	p.both("delete", func(s callback.Store) (any, error) { return nil, s.Delete(p.ctx, p.now, num) })
	p.both("sweep", func(s callback.Store) (any, error) { return nil, s.Sweep(p.ctx, p.now, num) })
	alerts, err := p.oracle.Alerts(p.ctx, callback.Newest[callback.Alert]{Num: num})
	p.ok(err)
	for _, a := range alerts.Rows {
		a.Status, a.Tries, a.Mails, a.Sent, a.Next = callback.AlertSent, a.Tries+1, a.Mails+1, p.now, time.Time{}
		p.both("set alert", func(s callback.Store) (any, error) { return nil, s.SetAlert(p.ctx, p.now, a) })
	}
	p.now = p.now.Add(time.Second)
	p.both("purge", func(s callback.Store) (any, error) { return s.Purge(p.ctx, p.now, p.now, p.now, 1000) })
	p.both("purge outages", func(s callback.Store) (any, error) { return s.PurgeOutages(p.ctx, p.now, p.now, 1000) })
	if p.rng.IntN(2) == 0 {
		p.restart() // its number must not come back
	}
}

// alert changes one of the alerts: the outbox sends it, or a person asks for it
// again.
func (p *player) alert() {
	all, err := p.oracle.Alerts(p.ctx, callback.Newest[callback.Alert]{})
	if err != nil || len(all.Rows) == 0 {
		return
	}
	a := all.Rows[p.rng.IntN(len(all.Rows))]
	if p.rng.IntN(2) == 0 {
		p.both("send again", func(s callback.Store) (any, error) { return nil, s.SendAgain(p.ctx, p.now, a.Key) })
		return
	}
	a.Status, a.Tries, a.Mails, a.To, a.Sent, a.Next = callback.AlertSent, a.Tries+1, a.Mails+1, "ops@example.com", p.now, time.Time{}
	p.both("set alert", func(s callback.Store) (any, error) { return nil, s.SetAlert(p.ctx, p.now, a) })
}

func (p *player) restart() {
	p.compare()
	if p.rng.IntN(3) == 0 {
		p.now = p.now.Add(-time.Duration(p.rng.IntN(20)) * time.Second) // somebody set the clock
	}
	p.oracle.Restart(p.now)
	p.reopen()
	p.runs = nil
	p.compare()
}

// anyPage returns a query for everything, or at random for less.
func anyPage[T any](p *player, match func(*T) bool) (q callback.Newest[T]) {
	if p.rng.IntN(2) == 0 {
		return q
	}
	q.Num, q.Limit, q.Offset = callback.Num(p.rng.IntN(5)), 1+p.rng.IntN(8), p.rng.IntN(8)
	if p.rng.IntN(2) == 0 {
		q.Match = match
	}
	return q
}

// compare compares everything that both have stored.
func (p *player) compare() {
	p.Helper()
	p.both("callbacks", func(s callback.Store) (any, error) { return s.Callbacks(), nil })
	p.both("all", func(s callback.Store) (all any, err error) {
		var list []callback.Health
		for h := range s.All() {
			list = append(list, *h)
		}
		return list, nil
	})
	p.both("keys", func(s callback.Store) (any, error) { return s.Keys(), nil })
	alerts := anyPage(p, func(a *callback.Alert) bool { return a.Outage%2 == 1 })
	p.both("alerts", func(s callback.Store) (any, error) { return s.Alerts(p.ctx, alerts) })
	p.both("due alerts", func(s callback.Store) (any, error) {
		due, next, err := s.DueAlerts(p.ctx, p.now, 5000)
		return []any{due, next}, err
	})
	outages := anyPage(p, func(o *callback.Outage) bool { return o.Ended.IsZero() })
	p.both("outages", func(s callback.Store) (any, error) { return s.Outages(p.ctx, outages) })
	p.both("operations", func(s callback.Store) (any, error) {
		all, _, err := s.Operations(p.ctx, callback.OperationQuery{})
		return all, err
	})
	for num := callback.Num(1); num <= p.top+1; num++ {
		from := p.now.Add(-time.Duration(p.rng.IntN(50)) * time.Hour)
		p.both("causes", func(s callback.Store) (any, error) { return s.Causes(p.ctx, num, from, p.now.Add(time.Hour)) })
	}
	for _, id := range p.ids {
		p.both("call", func(s callback.Store) (any, error) { return s.Call(p.ctx, p.owner[id], id) })
	}
	for range 20 {
		p.compareCalls()
		p.compareAttempts()
	}
}
