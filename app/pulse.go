package app

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"time"

	"ringback/app/dispatch"
	"ringback/callback"
)

// pulse is what is looked at once a second while the appliance runs. Its zero
// value is ready.
type pulse struct {
	mu     sync.Mutex
	full   [callback.QueueMinutes]minute // seconds in which no slot was free
	flow   [callback.QueueMinutes]callback.Flow
	left   uint64 // how many calls waited at the end of the last minute
	looked int64  // which minute that was; 0: none yet
	rev    uint64 // of the last look at the callbacks
	seen   map[callback.Num]sight
	failed map[callback.Num]failure
}

type minute struct{ at, n int64 }

// sight is what was last seen of a callback.
type sight struct {
	state  callback.State
	outage uint32
}

// failure is the last attempt of a callback that failed since the last look.
type failure struct {
	line callback.LogLine
	more int // others before it
}

// beat looks once a second until ctx is done.
func (a *App) beat(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			a.pulse.flush(a)
			return nil
		case <-tick.C:
		}
		now := a.clock.Now()
		a.pulse.flush(a)
		a.pulse.sights(a, now)
		a.pulse.slots(now, a.dispatch.Running() >= a.opt.MaxInFlight)
		a.pulse.minute(a, now)
	}
}

// slots takes note whether every slot is taken.
func (p *pulse) slots(now time.Time, full bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := now.Unix() / 60
	m := &p.full[at%callback.QueueMinutes]
	if m.at != at {
		*m = minute{at: at}
	}
	if full {
		m.n++
	}
}

// minute closes the minute before, where that was not done yet.
func (p *pulse) minute(a *App, now time.Time) {
	this := now.Unix() / 60
	p.mu.Lock()
	looked := p.looked
	p.mu.Unlock()
	if looked == this-1 {
		return
	}
	left := waiting(a.opt.Store.All())
	p.mu.Lock()
	defer p.mu.Unlock()
	if last := this - 1; p.looked != 0 {
		at := time.Unix(last*60, 0).UTC()
		p.flow[last%callback.QueueMinutes] = flow(at, a.meter.Accepted.Minute(at), p.left, left)
	}
	p.looked, p.left = this-1, left
}

// flow is a minute at whose beginning so many calls waited, and at its end.
func flow(at time.Time, in, before, after uint64) callback.Flow {
	return callback.Flow{At: at, In: in, Out: max(in+before, after) - after, Left: after}
}

func waiting(all iter.Seq[*callback.Health]) (n uint64) {
	for h := range all {
		if !h.Live.Deleted {
			n += h.Live.Counts.Waiting()
		}
	}
	return n
}

// read returns how many seconds of the last hour no slot was free, and what each
// minute brought, the one that runs included.
func (p *pulse) read(a *App, now time.Time, left uint64) (full int, out []callback.Flow) {
	p.mu.Lock()
	defer p.mu.Unlock()
	this := now.Unix() / 60
	for _, m := range p.full {
		if this-m.at < callback.QueueMinutes {
			full += int(m.n)
		}
	}
	if p.looked == 0 {
		return full, nil
	}
	for at := this - callback.QueueMinutes + 1; at < this; at++ {
		if f := p.flow[at%callback.QueueMinutes]; f.At.Unix() == at*60 {
			out = append(out, f)
		}
	}
	at := time.Unix(this*60, 0).UTC()
	return full, append(out, flow(at, a.meter.Accepted.Minute(at), p.left, left))
}

// attempt takes note of attempts that failed, of which the log in memory tells
// once a second for each callback: a line for each would push out all others.
func (p *pulse) attempt(e *dispatch.Ended) {
	for i := range e.Attempts {
		t := &e.Attempts[i]
		if t.OK {
			continue
		}
		text := fmt.Sprintf("attempt %d: %s after %v", t.Number, said(t), t.Duration.Round(time.Millisecond))
		if e.Entry.Status == callback.Ready && i == len(e.Attempts)-1 {
			text += ", next " + e.Entry.Due.UTC().Format("15:04:05 MST")
		} else if e.Entry.Status == callback.Failed && i == len(e.Attempts)-1 {
			text += ", given up: " + e.Entry.Reason.String()
		}
		p.mu.Lock()
		if p.failed == nil {
			p.failed = map[callback.Num]failure{}
		}
		f := p.failed[e.Entry.Num]
		if !f.line.At.IsZero() {
			f.more++
		}
		f.line = callback.LogLine{
			At: t.Started.Add(t.Duration).UTC(), Level: callback.LevelWarn, Part: "delivery",
			Text: text, Callback: e.Callback.Name, Call: e.Entry.ID,
		}
		p.failed[e.Entry.Num] = f
		p.mu.Unlock()
	}
}

// said words what became of an attempt in short.
func said(t *callback.Attempt) string {
	if t.Code != 0 {
		return fmt.Sprintf("%d %s", t.Code, t.Reason)
	}
	return t.Reason
}

// flush tells of the attempts that failed since it last did.
func (p *pulse) flush(a *App) {
	p.mu.Lock()
	failed := p.failed
	p.failed = nil
	p.mu.Unlock()
	inOrder := slices.SortedFunc(maps.Values(failed), func(x, y failure) int { return x.line.At.Compare(y.line.At) })
	for _, f := range inOrder {
		if f.more > 0 {
			f.line.Text += fmt.Sprintf(" (and %d more)", f.more)
		}
		a.journal.Add(f.line)
	}
	if len(failed) > 0 {
		a.hub.Publish() // who follows the log is told, too
	}
}

// sights logs which callbacks are in another state than when it last looked.
func (p *pulse) sights(a *App, now time.Time) {
	rev := a.hub.Rev()
	if p.seen != nil && rev == p.rev { // only beat gets here
		return
	}
	first := p.seen == nil
	seen := make(map[callback.Num]sight, len(p.seen))
	for h := range a.opt.Store.All() {
		if h.Live.Deleted {
			continue
		}
		is := sight{h.Live.State, h.Live.Outage.N}
		was, known := p.seen[h.Num]
		seen[h.Num] = is
		if !first && (known && is != was || !known && is.state != callback.Healthy) {
			a.tellState(h, was, now)
		}
	}
	p.seen, p.rev = seen, rev
}

// tellState logs that a callback changed.
func (a *App) tellState(h *callback.Health, was sight, now time.Time) {
	l := &h.Live
	log := a.opt.Log.With("part", "outage", "callback", h.Name)
	switch {
	case l.State == callback.Suspended:
		log.Warn("suspended", "by", callback.Sanitize(l.SuspendedBy, 60))
	case l.State == callback.Down:
		log.Warn("down", "error", callback.Sanitize(l.LastError, callback.MaxError))
	case l.State == callback.Failing && was.state == callback.Down:
		log.Info("answers again; calls are let through little by little")
	case l.State == callback.Failing:
		log.Warn("failing", "error", callback.Sanitize(l.LastError, callback.MaxError))
	case was.state == callback.Suspended:
		log.Info("resumed")
	case l.Outage.N != was.outage && was.state == callback.Healthy:
		log.Warn("failed, and answers again", "error", callback.Sanitize(l.LastError, callback.MaxError))
	default:
		log.Info("healthy again", "outage", callback.Duration(now.Sub(l.Outage.Started)))
	}
}
