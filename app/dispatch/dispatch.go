// Package dispatch is the delivery engine: it takes what is due from a store,
// lane by lane, hands it to the poster, and records what came of it.
//
// A lane is one callback that has something to do. Lanes that are due take
// turns for the slots that are free, so that one of them cannot starve the
// others; a lane whose endpoint is down costs a timer and nothing else,
// whatever waits in it. Of a backlog little is held in memory: a lane reads as
// many calls as it has slots for, and a bounded number ahead, of which the store
// claims the next in the commit of a result. When none waits, a new call skips
// that way: the store claims it in the commit of its enqueue and hands it over.
package dispatch

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"ringback/callback"
)

// Store is what the engine needs of a callback.Store.
type Store interface {
	Callbacks() []callback.Health
	Callback(num callback.Num) (callback.Health, error)
	callback.Queue
}

// Options configure an Engine. All but Log, Ended and Ticked are required.
type Options struct {
	Store       Store
	Poster      callback.Poster
	MaxInFlight int              // of all callbacks together
	MaxBytes    int              // of the responses whose attempts run, about
	Policy      callback.Policy  // the configuration's
	Now         func() time.Time // never goes back, whole milliseconds
	Drain       time.Duration    // how long attempts may go on after Run is told to end
	Ended       func(Ended)      // told of each attempt that was recorded; must not block
	Ticked      func()           // told when time alone changed something; must not block
	Log         *slog.Logger
}

// Ended tells what came of one claim.
type Ended struct {
	Callback *callback.Callback
	Entry    callback.Entry
	Attempts []callback.Attempt
	Due      time.Time // when it was to start; zero: a person started it, or something held it back
}

// maxManual bounds the attempts that people asked for and that run at once.
const maxManual = 64

// fillers is how many lanes are filled at once. Filling a lane waits for one
// commit, so that this many lanes can share it.
const fillers = 32

// Engine delivers. New makes one, and tells the store of it.
type Engine struct {
	opt Options

	mu       sync.Mutex
	lanes    map[callback.Num]*lane
	timers   timers  // lanes that wait for a time
	ready    []*lane // lanes that wait for their turn
	running  int     // automatic attempts, or slots reserved for them
	share    int     // slots that each lane has whenever it wants them; see divide
	beyond   int     // of running, what lanes have beyond their shares
	readOn   int     // bytes of all responses that were read ahead
	memory   memory  // of responses whose attempts run
	manual   int
	filling  int
	stopping bool
	err      error

	moved atomic.Int64 // when an attempt last began or ended, in Unix milliseconds

	signal chan struct{}  // wakes Run
	wg     sync.WaitGroup // of attempts that run, or have their slot, and of lanes that are filled
	hands  hands

	attempts context.Context // of all attempts; ended when the drain is over
	cut      context.CancelFunc
}

var _ callback.Dispatcher = (*Engine)(nil)

// New returns an engine, which takes over the dispatching of its store.
func New(opt Options) *Engine {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Ended == nil {
		opt.Ended = func(Ended) {}
	}
	if opt.Ticked == nil {
		opt.Ticked = func() {}
	}
	d := &Engine{opt: opt, lanes: map[callback.Num]*lane{}, signal: make(chan struct{}, 1), stopping: true}
	d.hands.work, d.hands.over = make(chan callback.Claim), make(chan struct{})
	d.memory = newMemory(opt.MaxBytes, opt.MaxInFlight)
	d.attempts, d.cut = context.WithCancel(context.Background())
	opt.Store.SetDispatcher(d)
	return d
}

// Run delivers until ctx is done; then it starts nothing more, waits for what
// runs, at most Options.Drain, and returns nil. An attempt that is cut off then
// stays claimed: the next start records it as interrupted. It returns early
// with an error when the store fails. It is called once.
func (d *Engine) Run(ctx context.Context) error {
	for _, h := range d.opt.Store.Callbacks() {
		d.Wake(h.Num, 0)
	}
	d.mu.Lock()
	d.stopping = false
	d.mu.Unlock()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil && d.failure() == nil {
		if next, ok := d.turn(); ok {
			timer.Reset(max(next.Sub(d.opt.Now()), 0))
		}
		select {
		case <-ctx.Done():
		case <-d.signal:
		case <-timer.C:
		}
	}
	d.mu.Lock()
	d.stopping = true
	d.mu.Unlock()
	d.drain()
	return d.failure()
}

// drain waits for what runs, and cuts it off when that takes too long.
func (d *Engine) drain() {
	cut := time.AfterFunc(d.opt.Drain, d.cut)
	defer cut.Stop()
	defer d.cut()
	close(d.hands.over) // whoever makes an attempt from here on waits for no other
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.wg.Wait()
		d.hands.all.Wait()
	}()
	select {
	case <-done:
	case <-time.After(d.opt.Drain + cutWait):
		// Only where a commit failed: a slot that was reserved for one of its
		// calls is never used, and the process is about to end.
	}
}

// cutWait is how long attempts that were cut off may take to notice.
const cutWait = 5 * time.Second

func (d *Engine) failure() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// fail ends Run: the store does not work any more.
func (d *Engine) fail(err error) {
	d.mu.Lock()
	d.err = errors.Join(d.err, err)
	d.mu.Unlock()
	d.wakeRun()
}

func (d *Engine) wakeRun() {
	select {
	case d.signal <- struct{}{}:
	default: // it is awake already
	}
}

// Running returns how many attempts run, manual ones included.
func (d *Engine) Running() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.running + d.manual
}

// Slot implements callback.Dispatcher. It says no while older calls of the
// callback may wait: the new one must not overtake them.
func (d *Engine) Slot(num callback.Num, may bool, size int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l, n := d.lane(num), d.memory.weight(size)
	if !may || d.stopping || l.backlog || l.refused > 0 || d.free(l) == 0 || !d.memory.fits(l, n) {
		l.refused++
		return false
	}
	d.reserve(l, 1)
	d.memory.hold(l, n)
	d.wg.Add(1) // for Start: Run must not end in between
	return true
}

// Start implements callback.Dispatcher. d.wg was told of the attempt.
func (d *Engine) Start(c callback.Claim) {
	select {
	case d.hands.work <- c:
	default:
		d.hire(c)
	}
}

// Wake implements callback.Dispatcher.
func (d *Engine) Wake(num callback.Num, refused int) {
	d.mu.Lock()
	l := d.lane(num)
	l.refused -= refused
	l.backlog = true // until a look at the lane says otherwise
	if refused > 0 && len(l.ahead.calls) > 0 && !l.ahead.low() {
		l.ahead.rest = true // found when it is low
		d.mu.Unlock()
		return
	}
	l.ahead.old = l.ahead.old || refused == 0
	d.due(l)
	d.mu.Unlock()
	d.wakeRun()
}

// Manual makes one attempt of a call now, for a person. It returns once the
// attempt is claimed; the errors are those of Queue.ClaimManual.
func (d *Engine) Manual(ctx context.Context, num callback.Num, id callback.CallID, extend bool) error {
	d.mu.Lock()
	if d.stopping || d.manual >= maxManual || d.memory.held >= d.memory.most {
		d.mu.Unlock()
		return callback.Errorf(callback.CodeUnavailable, "no attempt by hand can start right now: at most %d run at once, and none while long responses fill the memory; try again in a moment", maxManual)
	}
	d.manual++
	d.wg.Add(1) // before the claim, so that Run cannot end in between
	d.mu.Unlock()
	c, err := d.opt.Store.ClaimManual(ctx, d.opt.Now(), num, id, extend)
	if err != nil {
		d.mu.Lock()
		d.manual--
		d.mu.Unlock()
		d.wg.Done()
		return err
	}
	d.mu.Lock()
	d.memory.hold(d.lane(num), d.memory.of(&c))
	d.mu.Unlock()
	d.Start(c)
	return nil
}

// attempt makes the attempt of one claim and records it.
func (d *Engine) attempt(c *callback.Claim) {
	d.moved.Store(d.opt.Now().UnixMilli())
	entry := c.Entry
	defer func() { d.release(c, &entry) }()
	h, err := d.opt.Store.Callback(c.Entry.Num)
	if err != nil {
		d.fail(err)
		return
	}
	cb := h.Callback // what is kept is not all of h
	made := d.opt.Poster.Post(d.attempts, &cb, c, c.Entry.Attempts+1)
	if last := made[len(made)-1]; last.Class == callback.ClassInterrupted && d.attempts.Err() != nil {
		return // the claim stays open, and the next start records it as interrupted
	}
	ctx := context.WithoutCancel(d.attempts) // what was sent must be recorded
	entry, err = d.opt.Store.Record(ctx, d.opt.Now(), c.Entry.Num, c.Entry.ID, made)
	if err != nil {
		d.fail(err)
		return
	}
	due := c.Entry.Due
	if c.Entry.Manual || h.Live.Gate.State != callback.Closed {
		due = time.Time{}
	}
	d.opt.Ended(Ended{Callback: &cb, Entry: entry, Attempts: made, Due: due})
}

// release gives the slot of an attempt back, and looks whether its lane, or
// another that waited for a slot, has more to do. entry is the call as the
// attempt left it.
func (d *Engine) release(c *callback.Claim, entry *callback.Entry) {
	h, err := d.opt.Store.Callback(c.Entry.Num)
	d.moved.Store(d.opt.Now().UnixMilli())
	d.mu.Lock()
	l := d.lane(c.Entry.Num)
	d.give(l, d.memory.of(c))
	followed := false
	switch {
	case c.Entry.Manual:
		d.manual--
	case l.ahead.given > 0:
		l.ahead.given--
		followed = true
	default:
		d.reserve(l, -1)
	}
	// A healthy lane whose timer is set for all that is to come has nothing to
	// look for when it has no backlog, or the store goes on with it: the common
	// case, which must stay cheap. One that is being filled was perhaps found full
	// before this slot was free.
	idle := err == nil && !h.Live.Deleted && h.Live.Gate.State == callback.Closed && l.covers(h.NextTick) &&
		(entry.Status != callback.Ready || l.covers(entry.Due)) &&
		(followed && !l.ahead.low() || !l.backlog && !l.filling)
	if !idle {
		d.due(l)
	}
	wake := !idle || len(d.ready) > 0
	d.mu.Unlock()
	if wake {
		d.wakeRun()
	}
}
