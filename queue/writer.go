package queue

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// op is one operation on its way through the writer.
type op struct {
	now    time.Time
	weight int // how many records it writes, about
	bytes  int // how many bytes they have, about
	apply  func(g *group) error
	blind  bool // it reads nothing that another blind one may write, but for what group.moved tells
	err    error
	done   chan struct{} // told once that it is durable, or not: it has room for that
}

// Bounds of one group commit. Badger's own are 15 % of a memtable in bytes, and
// in records that by the size of a node; these lie below both.
const (
	groupWeight = 8 << 10
	groupBytes  = 1 << 20
)

// group is one transaction that carries many operations.
type group struct {
	e      *Engine
	t      *badger.Txn
	before *group // which is being committed, and of which t sees nothing; nil: there is none
	writes []write
	wrote  bool            // there is something to be committed
	spare  []*badger.Entry // for what is set
	used   int             // of these
	ops    []*op
	weight int // of ops
	bytes  int // the same
	blind  bool
	err    error         // why it cannot be committed
	done   chan struct{} // closed when it is durable, and everyone was answered

	disp     callback.Dispatcher
	now      time.Time
	touched  map[*house]*callback.Step
	mentions bool                         // there are calls with message ids
	moved    map[callback.CallID]struct{} // calls that left the place where they waited
	claims   map[byte][]claimed           // claims to be written, by slot
	ended    []claimRef                   // claim records one of whose calls has its result
	start    []callback.Claim             // calls for the dispatcher
	wake     map[callback.Num]int         // new calls that got no slot
	changed  map[callback.Num]struct{}    // callbacks of which more than that may start

	asked     bool // for what follows
	freeBytes uint64
	freeErr   error
}

// submit hands an operation to the writer and waits until it is durable.
// apply runs in the writer; when it returns an error it must have changed
// nothing.
func (e *Engine) submit(ctx context.Context, now time.Time, weight, bytes int, apply func(g *group) error) error {
	return e.do(ctx, &op{now: now, weight: weight, bytes: bytes, apply: apply})
}

// do is submit for whoever says more of an operation.
func (e *Engine) do(ctx context.Context, o *op) error {
	if o.weight > groupWeight { // Badger would refuse the commit, and the engine stop
		return callback.Errorf(callback.CodeInvalid, "that is too much for one commit: about %d records of at most %d", o.weight, groupWeight)
	}
	if o.done == nil {
		o.done = make(chan struct{}, 1)
	}
	if err := e.send(ctx, o); err != nil {
		return err
	}
	// Once sent it will be committed, whatever ctx says: an answer that it was
	// not would be a lie.
	<-o.done
	return o.err
}

func (e *Engine) send(ctx context.Context, o *op) error {
	e.sending.RLock()
	defer e.sending.RUnlock()
	if e.closed {
		return callback.Errorf(callback.CodeUnavailable, "the store is closed")
	}
	select {
	case e.ops <- o:
		return nil
	default:
	}
	select { // the writer is behind: the caller waits, and gives up by its own deadline
	case e.ops <- o:
		return nil
	case <-ctx.Done():
		return callback.Errorf(callback.CodeUnavailable, "the store is overloaded: %v", ctx.Err())
	}
}

// write is the writer: the only goroutine that changes anything. While one group
// is committed, by a goroutine that does nothing else, it fills the next.
func (e *Engine) write() {
	defer close(e.done)
	commits := make(chan *group)
	var committer sync.WaitGroup
	committer.Go(func() {
		for g := range commits {
			g.commit()
			e.manifest.changed() // who waits for the commit need not wait for that
		}
	})
	defer committer.Wait()
	defer close(commits)
	free := e.group()
	for g := e.group().begin(nil); g.fill(); { // which ends when the one before is done
		next := free.begin(g)
		commits <- g
		free, g = g, next
	}
}

// group makes a group to begin with. There are two, which take turns: to make one anew
// for each commit, with all that it grows to, cost an enqueue more memory than its response.
func (e *Engine) group() *group {
	return &group{
		e: e, touched: map[*house]*callback.Step{}, moved: map[callback.CallID]struct{}{},
		claims: map[byte][]claimed{}, wake: map[callback.Num]int{}, changed: map[callback.Num]struct{}{},
	}
}

// begin makes of a group that nobody uses any more the one that is filled while before is
// committed. That has not begun: Badger's transactions wait for what is being committed
// when they begin.
func (g *group) begin(before *group) *group {
	clear(g.touched)
	clear(g.moved)
	clear(g.claims)
	clear(g.wake)
	clear(g.changed)
	*g = group{
		e: g.e, before: before, blind: true, done: make(chan struct{}),
		spare: g.spare, writes: g.writes[:0], ops: g.ops[:0], start: g.start[:0], ended: g.ended[:0],
		touched: g.touched, moved: g.moved, claims: g.claims, wake: g.wake, changed: g.changed,
	}
	g.open()
	return g
}

// release lets go of the responses of a group that is done: they may be long, and the
// next group may be a long time coming.
func (g *group) release() {
	clear(g.ops)
	clear(g.start)
	clear(g.writes)
	for _, entry := range g.spare[:g.used] {
		*entry = badger.Entry{}
	}
}

// open begins the transaction. It must not where a commit has failed: it could
// wait for ever.
func (g *group) open() {
	if g.fail(g.e.Err()); g.err == nil {
		g.t = g.e.db.NewTransaction(true)
	}
}

// discard ends the transaction, if there is one.
func (g *group) discard() {
	if g.t != nil {
		g.t.Discard()
		g.t = nil
	}
}

// fill waits for an operation, and takes what comes until the group before is
// durable, as far as it fits. It reports false when nothing will come any more.
func (g *group) fill() bool {
	o := g.first()
	if o == nil {
		g.discard()
		return false
	}
	g.now = g.e.latest
	if g.before != nil && !g.before.blind {
		g.see()
	}
	if g.e.lift(); len(g.e.stale) > 0 {
		if g.see(); g.err == nil {
			g.err = g.e.raise()
		}
	}
	for last := false; ; {
		last = last || g.before == nil || over(g.before.done)
		g.apply(g.gather(o))
		if o = nil; last || g.e.held != nil || g.err != nil {
			break
		}
		if g.before == nil {
			continue // those whom that one answered are about to come back
		}
		select {
		case o = <-g.e.ops:
			last = o == nil // it is closed
		case <-g.before.done: // the same
		}
	}
	if g.before != nil {
		<-g.before.done
		g.before = nil
	}
	if g.err == nil {
		g.e.mu.Lock()
		g.err = g.flush()
		clear(g.e.ending[1]) // what the one before had is durable
		g.e.ending[0], g.e.ending[1] = g.e.ending[1], g.e.ending[0]
		g.e.mu.Unlock()
	}
	return true
}

func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// first waits for the first operation of a group; nil: there will be none.
func (g *group) first() *op {
	if o := g.e.held; o != nil {
		g.e.held = nil
		return o
	}
	if g.before != nil {
		select {
		case o := <-g.e.ops:
			return o
		case <-g.before.done:
		}
	}
	// Nothing may come for long, and a transaction that is open keeps Badger from
	// forgetting what was deleted.
	g.discard()
	g.before = nil
	o := <-g.e.ops
	g.open()
	return o
}

// see waits for the group before, and has the transaction see what it wrote.
func (g *group) see() {
	if g.before == nil {
		return
	}
	<-g.before.done
	g.before = nil
	g.discard()
	g.open()
	for i := 0; i < len(g.writes) && g.err == nil; i++ {
		if w := &g.writes[i]; w.gone {
			g.err = g.t.Delete(w.k)
		} else {
			g.err = g.t.Set(w.k, w.v)
		}
	}
}

func (g *group) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

// yields bounds how often a commit lets others run before it begins.
const yields = 8

// gather returns o, if there is one, and what waits behind it, as far as it
// fits. Those whom the last commit answered are about to come back: they get the
// processor once more, for as long as that brings something, so that they share
// a sync and do not wait for the next.
func (g *group) gather(o *op) (ops []*op) {
	left := yields
	for came := false; ; o = nil {
		if o == nil {
			o = g.e.next()
		}
		switch {
		case o == nil && (left == 0 || left < yields && !came):
			return ops
		case o == nil:
			left, came = left-1, false
			runtime.Gosched()
			continue
		case len(g.ops)+len(ops) > 0 && (g.weight+o.weight > groupWeight || g.bytes+o.bytes > groupBytes):
			g.e.held = o
			return ops
		}
		came = true
		g.weight, g.bytes = g.weight+o.weight, g.bytes+o.bytes
		ops = append(ops, o)
	}
}

// next returns an operation that waits already, or nil.
func (e *Engine) next() *op {
	select {
	case o := <-e.ops: // nil once closed
		return o
	default:
		return nil
	}
}

// apply runs operations. Those that may read what the group before wrote wait for
// it; nobody who asks for something in memory has to wait with them.
func (g *group) apply(ops []*op) {
	for _, o := range ops {
		if !o.blind {
			g.blind = false
			g.see()
			break
		}
	}
	g.ops = append(g.ops, ops...)
	g.fail(g.e.Err())
	g.e.mu.Lock()
	defer g.e.mu.Unlock()
	g.disp = g.e.disp
	for i := 0; g.err == nil && i < len(ops); i++ {
		g.err = g.run(ops[i])
	}
}

// commit makes a group durable, and answers everyone. A group that could not be
// filled, or comes behind one that failed, ends the engine.
func (g *group) commit() {
	defer close(g.done)
	defer g.release()
	defer g.discard()
	g.fail(g.e.Err())
	if g.err == nil && g.wrote { // else whoever only waits for what is on disk would count as a commit
		done := g.e.opt.Committing(len(g.ops))
		g.err = g.t.Commit()
		done()
	}
	g.fail(g.e.Err()) // Badger acknowledges after some errors that it only logs
	if g.err != nil {
		g.e.stop(g.err)
	}
	g.finish(g.ops, g.e.Err())
}

// run applies one operation. An *Error is its caller's, and so is a damaged
// record, which an operation reads before it changes anything; any other error
// stops the engine, for the operation may be half done.
func (g *group) run(o *op) error {
	// Time never goes back, whatever order the times of operations were taken in: what
	// is enqueued now is due now, and an hour that is over does not begin again.
	if o.now.After(g.now) {
		g.now, g.e.latest = o.now, o.now
		for _, st := range g.touched {
			st.Now = g.now
		}
	}
	o.err = o.apply(g)
	if o.err == nil || callback.ErrorCode(o.err) != "" || errors.Is(o.err, errCorrupt) {
		return nil
	}
	return o.err
}

// flush writes what the whole group shares: live states, outages, alerts,
// message ids, claims.
func (g *group) flush() error {
	for h, st := range g.touched {
		if err := g.flushHouse(h, st); err != nil {
			return err
		}
	}
	if err := g.flushMentions(); err != nil {
		return err
	}
	return g.flushClaims()
}

func (g *group) flushHouse(h *house, st *callback.Step) error {
	for i := range st.Alerts {
		if err := g.insertAlert(h.slot, &st.Alerts[i]); err != nil {
			return err
		}
	}
	if st.Changed {
		if err := g.saveOutage(h); err != nil {
			return err
		}
	}
	if g.e.last != g.e.lastAt[h.slot] {
		// Ids must not repeat when the clock steps back across a restart.
		g.e.lastAt[h.slot] = g.e.last
		w := newWriter(10)
		w.uint(uint64(g.e.last))
		if err := g.put(append(key(h.slot, kindMeta), "last"...), w.seal()); err != nil {
			return err
		}
	}
	if heads := &h.marks.heads; max(heads[callback.Fresh].gone, heads[callback.Tried].gone) >= g.e.opt.headStep {
		g.e.stale = append(g.e.stale, h)
	}
	if err := g.saveCauses(h); err != nil {
		return err
	}
	seen := g.e.health(h)
	h.seen.Store(&seen)
	return g.putSplit(liveKey(h.slot, h.cb.Num), encodeLive(&h.live, &h.marks))
}

// took reports whether a call left the place where it waited.
func (g *group) took(id callback.CallID) bool {
	if g == nil {
		return false
	}
	_, ok := g.moved[id]
	return ok
}

// finish tells the dispatcher what it may do, and answers everyone. In that
// order: whoever is answered may rely on the dispatcher knowing.
func (g *group) finish(ops []*op, err error) {
	if err == nil && g.disp != nil {
		for _, c := range g.start {
			g.disp.Start(c)
		}
		for num, n := range g.wake {
			g.disp.Wake(num, n)
		}
		for num := range g.changed { // on its own: beside refused calls it would not be noticed
			g.disp.Wake(num, 0)
		}
	}
	for _, o := range ops {
		if err != nil && o.err == nil {
			o.err = err
		}
		o.done <- struct{}{}
	}
}

// step returns the step of this group for a callback, which is then written, and shown to
// whoever asks: what changes h.cb or h.live asks for it.
func (g *group) step(h *house) *callback.Step {
	st := g.touched[h]
	if st == nil {
		st = &callback.Step{Policy: g.e.policy.For(&h.cb), ID: h.cb.ID, Now: g.now, Live: &h.live}
		g.touched[h] = st
	}
	return st
}
