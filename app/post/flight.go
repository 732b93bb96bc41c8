package post

import (
	"sync/atomic"

	"ringback/callback"
)

// flights are the attempts that run, for those who look. An attempt costs two
// stores of a pointer, and no lock. The zero value is ready.
type flights struct {
	next  atomic.Uint32
	slots [4096]atomic.Pointer[watch] // more than run at once, so that the next is free most times
}

// enter gives an attempt a slot, which is emptied when it is over; nil: there was
// none nearby, and it is not shown.
func (f *flights) enter(w *watch) *atomic.Pointer[watch] {
	for range 8 {
		slot := &f.slots[f.next.Add(1)%uint32(len(f.slots))]
		if slot.Load() == nil && slot.CompareAndSwap(nil, w) {
			return slot
		}
	}
	return nil
}

// InFlight returns the attempts that run, in no order.
func (p *Poster) InFlight() (all []callback.InFlight) {
	for i := range p.flights.slots {
		w := p.flights.slots[i].Load()
		if w == nil {
			continue
		}
		f := callback.InFlight{Call: w.job.call, CallbackID: w.job.cb.ID, Callback: w.job.cb.Name, Since: w.start.UTC()}
		f.Stage, f.To = w.shown(p.opt.Proxy != nil)
		all = append(all, f)
	}
	return all
}

// stages are the words for a stage.
var stages = [...]callback.Stage{
	atDNS: callback.StageDNS, atDial: callback.StageConnect, atProxy: callback.StageProxy, atTLS: callback.StageTLS, atAnswer: callback.StageAnswer,
}

// shown returns the stage at which the attempt stands, and the address it is or
// was connecting to.
func (w *watch) shown(proxied bool) (callback.Stage, string) {
	at, addr := w.reached(proxied)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return callback.StageBody, addr
	}
	return stages[at], addr
}
