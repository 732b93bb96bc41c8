package queuetest

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"ringback/callback"
)

// Crash lets a child process work on an engine until it is killed, again and
// again, and checks after each kill that nothing it acknowledged is lost. spawn
// returns a command that opens the engine on dir and calls Child; open opens it
// in this process.
func Crash(t *testing.T, rounds int, spawn func(dir string) *exec.Cmd, open func(tb testing.TB, dir string, now time.Time) callback.Store) {
	crash(t, rounds, t.TempDir(), 4000, spawn, killed, open)
}

// killed ends a process, which is all that a kill -9 does.
func killed(_ *testing.T, cmd *exec.Cmd) { _ = cmd.Process.Kill() } // it may have ended

// crash ends children with end, after some of the work that they say they did, at
// most that many lines: a machine that is slow is given the time it needs. Where
// none was ended in the middle of everything that is looked at, more rounds follow.
func crash(t *testing.T, rounds int, dir string, most int, spawn func(dir string) *exec.Cmd,
	end func(*testing.T, *exec.Cmd), open func(tb testing.TB, dir string, now time.Time) callback.Store,
) {
	rng := rand.New(rand.NewPCG(1, 2))
	l := newLog()
	round := 0
	for ; round < rounds || l.blind() && round < 5*rounds; round++ {
		l.run(t, spawn(dir), 1+rng.IntN(most), end)
		s := open(t, dir, time.Now().UTC().Truncate(time.Millisecond))
		l.verify(t, s)
		if c, ok := s.(Checker); ok {
			if err := c.Check(t.Context()); err != nil {
				t.Fatalf("round %d: Check: %v", round, err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatalf("round %d: Close: %v", round, err)
		}
	}
	if l.blind() {
		t.Fatalf("the rig is blind: %d results, %d attempts cut off, %d operations cut off", l.results, l.cut, l.halted)
	}
	t.Logf("rounds %d, acknowledged %d, attempts started %d, results acknowledged %d, attempts cut off %d, operations %d, of which cut off %d, lost 0",
		round, len(l.known), l.started, l.results, l.cut, len(l.operations), l.halted)
}

func newLog() *log {
	return &log{known: map[callback.CallID]*known{}, operations: map[uint64]uint64{}}
}

// log is what the children said.
type log struct {
	known            map[callback.CallID]*known
	started, results int
	cut              int
	operations       map[uint64]uint64 // by number: how many calls it is known to have changed
	halted           int               // operations found half done
}

// blind reports whether the children were not ended in the middle of an attempt and
// of an operation yet.
func (l *log) blind() bool { return l.results == 0 || l.cut == 0 || l.halted == 0 }

type known struct {
	num     callback.Num
	started int  // attempts of which the child said that they begin
	ended   int  // attempts of which it said that they are recorded
	cut     int  // attempts recorded as interrupted
	done    bool // with a success
}

// silence is how long a child may say nothing. It is no measure of speed.
const silence = 2 * time.Minute

// run runs a child until it has said that many lines, and then ends it with end.
func (l *log) run(t *testing.T, cmd *exec.Cmd, work int, end func(*testing.T, *exec.Cmd)) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(silence, func() {
		t.Errorf("the child says nothing for %v; what its goroutines do is on its standard error", silence)
		_ = cmd.Process.Signal(syscall.SIGQUIT) // it may have ended
	})
	defer stuck.Stop()
	said := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		stuck.Reset(silence)
		if said++; said == work {
			end(t, cmd)
		}
		var what string
		var num callback.Num
		var id callback.CallID
		if n, _ := fmt.Sscanf(lines.Text(), "%s %d %d", &what, &num, &id); n != 3 {
			continue // the last line may be cut
		}
		if what == "operated" {
			l.operations[uint64(num)] = uint64(id)
			continue
		}
		k := l.known[id]
		if k == nil {
			k = &known{num: num}
			l.known[id] = k
		}
		switch what {
		case "start":
			k.started++
			l.started++
		case "ok":
			k.ended, k.done = k.ended+1, true
			l.results++
		case "failed":
			k.ended++
			l.results++
		}
	}
	if err := cmd.Wait(); err == nil || said < work {
		t.Fatalf("the child ended by itself after %d of %d lines: %v", said, work, err)
	}
}

func (l *log) verify(t *testing.T, s callback.Store) {
	t.Helper()
	for n, changed := range l.operations {
		o, err := s.Operation(context.Background(), fmt.Sprint("op", n))
		if err != nil || o.Changed < changed {
			t.Fatalf("operation %d changed %d calls, and is %+v, %v", n, changed, o, err)
		}
		if o.Active() && o.Matched > 0 {
			l.halted++
		}
	}
	for id, k := range l.known {
		c, err := s.Call(context.Background(), k.num, id)
		if err != nil {
			t.Fatalf("acknowledged and lost: %v: %v", id, err)
		}
		if k.done && c.Status != callback.Success {
			t.Fatalf("a recorded success of %v is lost: %+v", id, c.Entry)
		}
		if len(c.Attempts) < k.started {
			t.Fatalf("%v: %d attempts were made, %d are recorded", id, k.started, len(c.Attempts))
		}
		cut := 0
		for _, a := range c.Attempts {
			if a.Class == callback.ClassInterrupted {
				cut++
			}
		}
		if len(c.Attempts)-cut < k.ended {
			t.Fatalf("%v: %d results were acknowledged, %d are there", id, k.ended, len(c.Attempts)-cut)
		}
		l.cut += cut - k.cut
		k.started, k.ended, k.cut = len(c.Attempts), len(c.Attempts)-cut, cut // the next child adds to this
	}
}

// Child works on an engine as hard as it can, and says on standard output what
// was acknowledged to it. It never returns.
func Child(s callback.Store) {
	ctx := context.Background()
	w := &worker{s: s, starts: make(chan callback.Claim, 64)}
	s.SetDispatcher(w)
	for len(s.Callbacks()) < 3 {
		n := len(s.Callbacks()) + 1
		if _, err := s.Create(ctx, clockNow(), callback.Callback{ID: callback.CallbackID(n), Name: fmt.Sprint(n), Retries: true, MaxInFlight: 16}); err != nil {
			panic(err)
		}
	}
	for i := range 6 {
		go w.enqueue(i)
	}
	for range 16 {
		go w.deliver()
	}
	go w.operate()
	for {
		w.retry()
	}
}

func clockNow() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

type worker struct {
	s      callback.Store
	starts chan callback.Claim
	mu     sync.Mutex
	slots  int
}

// Slot implements callback.Dispatcher.
func (w *worker) Slot(_ callback.Num, may bool, _ int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !may || w.slots == 32 {
		return false
	}
	w.slots++
	return true
}

// Start implements callback.Dispatcher.
func (w *worker) Start(c callback.Claim) { w.starts <- c }

// Wake implements callback.Dispatcher.
func (w *worker) Wake(callback.Num, int) {}

// Next implements callback.Dispatcher.
func (w *worker) Next(callback.Num) *callback.Claim { return nil }

// Missed implements callback.Dispatcher.
func (w *worker) Missed(*callback.Claim) {}

func (w *worker) enqueue(i int) {
	for n := 0; ; n++ {
		calls := make([]callback.NewCall, 1+n%3)
		for j := range calls {
			calls[j] = callback.NewCall{Num: callback.Num(1 + (i+j)%3), Response: response(n)}
		}
		out, err := w.s.Enqueue(context.Background(), clockNow(), calls)
		if err != nil {
			panic(err)
		}
		for j, o := range out {
			fmt.Println("accepted", uint32(calls[j].Num), uint64(o.ID))
		}
	}
}

func (w *worker) deliver() {
	for c := range w.starts {
		w.attempt(c)
		w.mu.Lock()
		w.slots--
		w.mu.Unlock()
	}
}

func (w *worker) attempt(c callback.Claim) {
	fmt.Println("start", uint32(c.Entry.Num), uint64(c.Entry.ID))
	time.Sleep(time.Millisecond) // as an endpoint would take
	a, word := answer200, "ok"
	if uint64(c.Entry.ID)%7 == 0 {
		a, word = answer503, "failed"
	}
	a.Started = clockNow()
	if _, err := w.s.Record(context.Background(), clockNow(), c.Entry.Num, c.Entry.ID, []callback.Attempt{a}); err != nil {
		panic(err)
	}
	fmt.Println(word, uint32(c.Entry.Num), uint64(c.Entry.ID))
}

// retry takes what waits on disk, as a lane does.
func (w *worker) retry() {
	for _, h := range w.s.Callbacks() {
		for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
			due, err := w.s.Due(context.Background(), h.Num, class, callback.DueKey{}, 4)
			if err != nil {
				panic(err)
			}
			claims, err := w.s.Claim(context.Background(), clockNow(), h.Num, due, nil)
			if err != nil {
				panic(err)
			}
			for _, c := range claims {
				w.attempt(c)
			}
		}
	}
}

// operate works off what an earlier process left, and then new operations, in
// small pages: resolves, their undo, and retries.
func (w *worker) operate() {
	ctx := context.Background()
	for {
		all, total, err := w.s.Operations(ctx, callback.OperationQuery{})
		if err != nil {
			panic(err)
		}
		n, left := total+1, callback.Operation{}
		for i := range all {
			if all[i].Active() {
				n, left = total-i, all[i] // the newest come first, and none is forgotten
			}
		}
		o := callback.Operation{ID: fmt.Sprint("op", n), Num: callback.Num(1 + n%3), Kind: callback.OperationRetry}
		if n%2 == 0 {
			o.Kind, o.Filter.Status = callback.OperationResolve, callback.ListFailed|callback.ListPending
		}
		var ids []callback.CallID
		switch {
		case left.Named > 0: // to be started again it would have to name the same
			w.work(n, left)
			continue
		case left.ID == "" && n%3 == 0:
			o.Filter, ids = callback.Filter{}, w.unfinished(o.Num)
		}
		if o, _, err = w.s.StartOperation(ctx, clockNow(), o, ids...); err != nil {
			panic(err)
		}
		w.work(n, o)
	}
}

// unfinished returns the ids of calls of a callback that did not succeed yet.
func (w *worker) unfinished(num callback.Num) (ids []callback.CallID) {
	q := callback.CallQuery{Num: num, Limit: callback.MaxPage, Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending}}
	page, err := w.s.Calls(context.Background(), q)
	if err != nil {
		panic(err)
	}
	for i := range page.Calls {
		ids = append(ids, page.Calls[i].ID)
	}
	return ids
}

func (w *worker) work(n int, o callback.Operation) {
	ctx := context.Background()
	for o.Active() {
		page, err := o.Next(ctx, w.s, 20)
		if err == nil && o.State == callback.OperationRunning {
			o, err = w.s.AdvanceOperation(ctx, clockNow(), o.ID, page)
		} else if err == nil {
			o, err = w.s.AdvanceUndo(ctx, clockNow(), o.ID, 20)
		}
		if err != nil {
			panic(err)
		}
		fmt.Println("operated", n, o.Changed)
		if o.State == callback.OperationDone && o.MayUndo(clockNow()) == nil {
			if o, err = w.s.UndoOperation(ctx, clockNow(), o.ID); err != nil {
				panic(err)
			}
		}
	}
}
