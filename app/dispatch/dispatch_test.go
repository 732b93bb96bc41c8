package dispatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
	"ringback/queue/memq"
)

// world is an engine over memq with endpoints that do as they are told. It
// lives in a synctest bubble: its hours cost nothing.
type world struct {
	*testing.T
	s    *memq.Store
	d    *Engine
	p    callback.Policy
	end  func()
	ctx  context.Context
	nums map[string]callback.Num

	bytes    int           // of responses whose attempts run, at most
	reads    atomic.Int64  // how long a look at what is due takes
	commits  time.Duration // how long a claim takes, after what it asked for memory
	looks    atomic.Int64  // at the clock, by the engine
	skew     atomic.Int64  // how far that clock is ahead
	ticks    atomic.Int64  // of which it told
	claims   atomic.Int64  // commits of claims of their own
	mu       sync.Mutex
	behave   map[callback.Num]func(n int) callback.Attempt // by callback; n counts its requests from 1
	latency  map[callback.Num]time.Duration
	refuse   map[callback.CallID]bool // calls that are never taken
	requests map[callback.Num][]request
	now, max map[callback.Num]int // requests at once
	size     [2]int               // bytes of their responses, and the most there were
}

// everyone stands for all callbacks together where requests are counted; it is
// no callback's number.
const everyone callback.Num = 0

type request struct {
	at     time.Time
	call   callback.CallID
	number int
}

var (
	good = callback.Attempt{OK: true, Code: 200, Reason: "OK"}
	bad  = callback.Attempt{Code: 500, Class: callback.ClassStatus, Error: "500"}
	dead = callback.Attempt{Class: callback.ClassRefused, Error: "Connection refused"}
)

func up(int) callback.Attempt   { return good }
func down(int) callback.Attempt { return dead }

// Post implements callback.Poster.
func (w *world) Post(ctx context.Context, cb *callback.Callback, c *callback.Claim, number int) []callback.Attempt {
	w.mu.Lock()
	w.requests[cb.Num] = append(w.requests[cb.Num], request{time.Now(), c.Entry.ID, number})
	f, latency := w.behave[cb.Num], w.latency[cb.Num]
	n := len(w.requests[cb.Num])
	for _, num := range []callback.Num{cb.Num, everyone} {
		w.now[num]++
		w.max[num] = max(w.max[num], w.now[num])
	}
	w.size[0] += c.Response.Size()
	w.size[1] = max(w.size[1], w.size[0])
	w.mu.Unlock()
	a := f(n)
	w.mu.Lock()
	if w.refuse[c.Entry.ID] {
		a = bad
	}
	w.mu.Unlock()
	select {
	case <-time.After(latency):
	case <-ctx.Done():
		a = callback.Attempt{Class: callback.ClassInterrupted}
	}
	w.mu.Lock()
	w.now[cb.Num]--
	w.now[everyone]--
	w.size[0] -= c.Response.Size()
	w.mu.Unlock()
	a.Number, a.Started = number, now()
	return []callback.Attempt{a}
}

func (w *world) look() time.Time {
	w.looks.Add(1)
	return now().Add(time.Duration(w.skew.Load()))
}

func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

func policy() callback.Policy {
	return callback.Policy{
		MaxInFlight: 16, Interval: 5 * time.Minute, Window: 24 * time.Hour, Jitter: 0.1,
		Mode: callback.ModeOutage, MaxPerHour: 60, Recovery: true, RecoveryAfter: 15 * time.Minute, DigestEvery: time.Hour,
	}
}

// run runs test in a bubble, with an engine that is running.
func run(t *testing.T, maxInFlight int, test func(w *world)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{
			T: t, p: policy(), bytes: 64 << 20, nums: map[string]callback.Num{},
			behave: map[callback.Num]func(int) callback.Attempt{}, latency: map[callback.Num]time.Duration{},
			requests: map[callback.Num][]request{}, now: map[callback.Num]int{}, max: map[callback.Num]int{},
		}
		w.s = memq.New(w.p)
		w.start(maxInFlight)
		defer func() { w.end() }() // a restart replaces it
		test(w)
	})
}

func (w *world) start(maxInFlight int) {
	w.d = New(Options{Store: &slowStore{w.s, w}, Poster: w, MaxInFlight: maxInFlight, MaxBytes: w.bytes, Policy: w.p, Now: w.look, Drain: time.Minute, Ticked: func() { w.ticks.Add(1) }})
	ctx, cancel := context.WithCancel(context.Background())
	w.ctx = ctx
	done := make(chan error, 1)
	go func() { done <- w.d.Run(ctx) }()
	w.end = func() {
		cancel()
		if err := <-done; err != nil {
			w.Errorf("Run: %v", err)
		}
	}
	synctest.Wait()
}

func (w *world) create(name string, f func(int) callback.Attempt, change func(*callback.Callback)) callback.Num {
	w.Helper()
	cb := callback.Callback{ID: callback.CallbackID(len(w.nums) + 100), Name: name, Retries: true}
	if change != nil {
		change(&cb)
	}
	cb, err := w.s.Create(w.ctx, now(), cb)
	if err != nil {
		w.Fatal(err)
	}
	w.nums[name] = cb.Num
	w.set(cb.Num, f)
	return cb.Num
}

// slow makes every request of a callback take d.
func (w *world) slow(num callback.Num, d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.latency[num] = d
}

func (w *world) set(num callback.Num, f func(int) callback.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.behave[num] = f
}

func (w *world) add(num callback.Num, n int) []callback.CallID {
	w.Helper()
	calls := make([]callback.NewCall, n)
	for i := range calls {
		calls[i] = callback.NewCall{Num: num, Response: callback.Response{MessageID: fmt.Sprint(i)}}
	}
	out, err := w.s.Enqueue(w.ctx, now(), calls)
	if err != nil {
		w.Fatal(err)
	}
	ids := make([]callback.CallID, n)
	for i := range out {
		ids[i] = out[i].ID
	}
	return ids
}

// pass lets d go by.
func (w *world) pass(d time.Duration) {
	time.Sleep(d) // of the bubble's clock
	synctest.Wait()
}

func (w *world) sent(num callback.Num) []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]request(nil), w.requests[num]...)
}

func (w *world) counts(num callback.Num) callback.Counts {
	h, err := w.s.Callback(num)
	if err != nil {
		w.Fatal(err)
	}
	return h.Live.Counts
}

func TestDeliversAtOnce(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.add(a, 1000)
		w.pass(time.Millisecond)
		if got := w.counts(a).Delivered; got != 1000 {
			w.Fatalf("delivered %d of 1000 at once", got)
		}
		if got := len(w.sent(a)); got != 1000 {
			w.Fatalf("%d requests for 1000 calls", got)
		}
	})
}

func TestLimitsInFlight(t *testing.T) {
	run(t, 24, func(w *world) {
		a, b := w.create("a", up, nil), w.create("b", up, func(cb *callback.Callback) { cb.MaxInFlight = 3 })
		w.slow(a, time.Second)
		w.slow(b, time.Second)
		w.add(a, 100)
		w.add(b, 100)
		w.pass(40 * time.Second)
		if w.max[a] != 16 || w.max[b] != 3 {
			w.Errorf("at once %d and %d, want 16 and 3", w.max[a], w.max[b])
		}
		if w.counts(a).Delivered != 100 || w.counts(b).Delivered != 100 {
			w.Errorf("delivered %d and %d of 100", w.counts(a).Delivered, w.counts(b).Delivered)
		}
	})
}

func TestLimitsInFlightOfAll(t *testing.T) {
	run(t, 8, func(w *world) {
		for _, name := range []string{"a", "b", "c"} {
			num := w.create(name, up, nil)
			w.slow(num, time.Second)
			w.add(num, 40)
		}
		w.pass(30 * time.Second)
		if w.max[everyone] != 8 {
			w.Errorf("%d requests at once, want 8", w.max[everyone])
		}
		for name, num := range w.nums {
			if n := w.counts(num).Delivered; n != 40 {
				w.Errorf("%s: delivered %d of 40", name, n)
			}
		}
	})
}

// A thousand calls wait for an endpoint that is down for six hours: few
// requests meanwhile, and afterwards each is delivered once.
func TestHerd(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		w.add(a, 1000)
		w.pass(6 * time.Hour)
		before := w.sent(a)
		// A burst of 16 finds out; then one probe about every five minutes.
		if n := len(before); n > 16+6*13+2 {
			w.Fatalf("%d requests in 6 h", n)
		}
		for i := 18; i < len(before); i++ {
			if gap := before[i].at.Sub(before[i-1].at); gap < 4*time.Minute+30*time.Second {
				w.Fatalf("probes %d and %d are %v apart", i-1, i, gap)
			}
		}
		w.set(a, up)
		w.pass(12 * time.Minute)
		if c := w.counts(a); c.Delivered != 1000 {
			w.Fatalf("12 minutes after it came back: %+v", c)
		}
		if n := len(w.sent(a)) - len(before); n != 1000 {
			w.Fatalf("%d requests for 1000 calls", n)
		}
		h, _ := w.s.Callback(a)
		if h.Live.Gate.State != callback.Closed {
			w.Fatalf("gate %v", h.Live.Gate.State)
		}
	})
}

func (w *world) alerts() []callback.Alert {
	w.Helper()
	list, err := w.s.Alerts(w.ctx, callback.Newest[callback.Alert]{})
	if err != nil {
		w.Fatal(err)
	}
	return list.Rows
}

func TestRecoveryMailAfterFifteenMinutes(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		w.add(a, 5)
		w.pass(time.Hour)
		w.set(a, up)
		w.pass(6 * time.Minute)
		alerts := w.alerts()
		if len(alerts) != 1 || alerts[0].Kind != callback.AlertOutage {
			w.Fatalf("alerts before it was healthy for 15 minutes: %+v", alerts)
		}
		before := w.ticks.Load()
		w.pass(15 * time.Minute)
		if w.ticks.Load() == before {
			w.Error("nobody was told that there is a mail to be sent")
		}
		alerts = w.alerts()
		if len(alerts) != 2 || alerts[0].Kind != callback.AlertRecovered {
			w.Fatalf("alerts: %+v", alerts)
		}
	})
}

func TestGivesUpAfterWindow(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		ids := w.add(a, 1)
		w.pass(24*time.Hour + time.Second)
		c, err := w.s.Call(w.ctx, a, ids[0])
		if err != nil || c.Reason != callback.Exhausted {
			w.Fatalf("after 24 h: %+v %v", c.Entry, err)
		}
		if n := len(c.Attempts); n < 260 || n > 325 {
			w.Errorf("%d attempts in 24 h, about every 5 minutes", n)
		}
	})
}

// Never-tried calls whose window ends behind a dead endpoint each get their one
// attempt, a second apart.
func TestNothingGivenUpUntried(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		w.add(a, 1)
		w.pass(time.Minute)
		w.add(a, 300)
		w.pass(24*time.Hour + 10*time.Minute)
		c := w.counts(a)
		if c.Failed != 301 || c.Waiting() != 0 {
			w.Fatalf("after 24 h 10 min: %+v", c)
		}
		page, err := w.s.Calls(w.ctx, callback.CallQuery{Num: a, Filter: callback.Filter{Status: callback.ListFailed}})
		if err != nil || len(page.Calls) != 301 {
			w.Fatalf("%d calls, %v", len(page.Calls), err)
		}
		for _, call := range page.Calls {
			if call.Entry.Attempts == 0 {
				w.Fatalf("given up untried: %+v", call.Entry)
			}
		}
		sent := w.sent(a)
		for i := 1; i < len(sent); i++ {
			if gap := sent[i].at.Sub(sent[i-1].at); gap < time.Second {
				w.Fatalf("requests %d and %d are %v apart", i-1, i, gap)
			}
		}
	})
}

func TestRetriesOff(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, func(cb *callback.Callback) { cb.Retries = false })
		w.add(a, 50)
		w.pass(10 * time.Minute)
		if c := w.counts(a); c.Failed != 50 || len(w.sent(a)) != 50 {
			w.Fatalf("%+v after %d requests", c, len(w.sent(a)))
		}
	})
}

// One endpoint that never answers takes its own slots, and nobody else's.
func TestBlackholeDelaysNobody(t *testing.T) {
	run(t, 64, func(w *world) {
		hole := w.create("hole", func(int) callback.Attempt {
			return callback.Attempt{Class: callback.ClassAnswerTimeout}
		}, nil)
		w.slow(hole, time.Minute)
		w.add(hole, 500)
		w.pass(time.Millisecond)
		for i := range 20 {
			w.create(fmt.Sprint("good", i), up, nil)
		}
		for i := range 20 {
			num := w.nums[fmt.Sprint("good", i)]
			w.slow(num, 10*time.Millisecond)
			w.add(num, 50)
		}
		w.pass(2 * time.Second)
		for i := range 20 {
			if c := w.counts(w.nums[fmt.Sprint("good", i)]); c.Delivered != 50 {
				w.Errorf("callback %d: %+v", i, c)
			}
		}
	})
}

// With fewer slots than lanes that want them, all lanes get their turn.
func TestFairness(t *testing.T) {
	run(t, 8, func(w *world) {
		for i := range 10 {
			num := w.create(fmt.Sprint(i), up, nil)
			w.slow(num, 100*time.Millisecond)
		}
		for i := range 10 {
			w.add(w.nums[fmt.Sprint(i)], 400)
		}
		w.pass(20 * time.Second) // of 50 s in all
		for i := range 10 {
			c := w.counts(w.nums[fmt.Sprint(i)])
			if c.Delivered < 100 || c.Delivered > 240 {
				w.Errorf("lane %d has %d of about 160", i, c.Delivered)
			}
			// Its own, and the half that goes to whoever asks first.
			if n := w.max[w.nums[fmt.Sprint(i)]]; i > 0 && n > 1+8/2 {
				w.Errorf("lane %d had %d of 8 slots at once while others waited", i, n)
			}
		}
	})
}

func TestOrderedHeadBlocks(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", nil, func(cb *callback.Callback) { cb.Ordered = true })
		w.set(a, func(n int) callback.Attempt {
			if n <= 2 {
				return bad
			}
			return good
		})
		ids := w.add(a, 20)
		w.pass(30 * time.Minute)
		sent := w.sent(a)
		if len(sent) != 22 {
			w.Fatalf("%d requests, want 22", len(sent))
		}
		for i, r := range sent {
			want := ids[max(i-2, 0)]
			if r.call != want {
				w.Fatalf("request %d was for %v, want %v", i, r.call, want)
			}
		}
	})
}

// A new call does not overtake those that wait for a slot.
func TestNothingOvertakes(t *testing.T) {
	run(t, 2, func(w *world) {
		a := w.create("a", up, nil)
		w.slow(a, 10*time.Millisecond)
		var ids []callback.CallID
		for range 200 { // arriving twice as fast as they can leave
			ids = append(ids, w.add(a, 4)...)
			w.pass(10 * time.Millisecond)
		}
		w.pass(time.Minute)
		sent := w.sent(a)
		if len(sent) != len(ids) {
			w.Fatalf("%d requests for %d calls", len(sent), len(ids))
		}
		for i, r := range sent { // two start at once, in either order
			if at := slices.Index(ids, r.call); at < i-1 || at > i+1 {
				w.Fatalf("request %d was for call %d", i, at)
			}
		}
	})
}

// While calls wait, be it for a slot or behind a probe, a new one gets no slot.
func TestNoSlotPastABacklog(t *testing.T) {
	run(t, 512, func(w *world) {
		slow := w.create("slow", up, func(cb *callback.Callback) { cb.MaxInFlight = 1 })
		w.slow(slow, time.Minute)
		gone := w.create("gone", down, nil)
		for _, num := range []callback.Num{slow, gone} {
			w.add(num, 1)
			w.pass(time.Second)
			w.add(num, 1)
			w.pass(time.Second)
			if w.d.Slot(num, true, 0) {
				w.Errorf("callback %d has a slot for a new call while an older one waits", num)
				w.d.wg.Done()
			}
			w.d.Wake(num, 1)
			w.pass(time.Second)
		}
	})
}

// slowStore takes its time to say what is due, and counts claims.
type slowStore struct {
	*memq.Store
	w *world
}

// Claim implements callback.Queue.
func (s *slowStore) Claim(ctx context.Context, now time.Time, num callback.Num, calls []callback.Entry, room func(size int) bool) ([]callback.Claim, error) {
	s.w.claims.Add(1)
	if s.w.commits > 0 {
		calls, room = s.asks(ctx, num, calls, room), nil
		time.Sleep(s.w.commits) // of the bubble's clock
	}
	return s.Store.Claim(ctx, now, num, calls, room)
}

// asks asks for memory as the engine on disk does: for what is stored, which is
// longer than the response.
func (s *slowStore) asks(ctx context.Context, num callback.Num, calls []callback.Entry, room func(size int) bool) []callback.Entry {
	for i := range calls {
		r, err := s.Store.Responses(ctx, num, []callback.CallID{calls[i].ID}, math.MaxInt)
		if err != nil || len(r) != 1 || !room(r[0].Size()+100) {
			return calls[:i]
		}
	}
	return calls
}

// Due implements callback.Queue.
func (s *slowStore) Due(ctx context.Context, num callback.Num, class callback.DueClass, from callback.DueKey, limit int) ([]callback.Entry, error) {
	time.Sleep(time.Duration(s.w.reads.Load())) // of the bubble's clock
	return s.Store.Due(ctx, num, class, from, limit)
}

// A lane that was found full goes on although its slots became free while it was
// looked at.
func TestSlotsFreedDuringALook(t *testing.T) {
	run(t, 512, func(w *world) {
		w.end()
		w.reads.Store(int64(time.Second))
		w.start(512)
		w.pass(time.Minute)
		a := w.create("a", up, nil)
		w.slow(a, 10*time.Millisecond)
		w.pass(time.Minute)
		w.add(a, 100)
		w.pass(time.Minute)
		if c := w.counts(a); c.Delivered != 100 {
			w.Fatalf("a minute later: %+v", c)
		}
	})
}

// A call that becomes durable while its lane is looked at is not overtaken
// before it is looked at again.
func TestNoSlotPastWhatCameMeanwhile(t *testing.T) {
	run(t, 512, func(w *world) {
		w.end()
		w.reads.Store(int64(time.Second)) // for each of two classes
		w.start(512)
		w.pass(time.Minute)
		a, b := w.create("a", up, nil), w.create("b", up, nil)
		w.pass(time.Minute)
		w.d.Wake(a, 0)
		w.pass(time.Second) // it is looked at
		if !w.d.Slot(b, true, 0) {
			w.Error("a look at one lane takes the slots of all")
		}
		w.d.wg.Done() // the slot is not used
		w.d.Slot(a, false, 0)
		w.d.Wake(a, 1)
		w.pass(2 * time.Second) // it is looked at again
		if w.d.Slot(a, true, 0) {
			w.Error("a new call has a slot before the one that waits was found")
			w.d.wg.Done()
		}
		w.d.Wake(a, 1)
		w.pass(time.Minute)
		if !w.d.Slot(a, true, 0) {
			w.Error("no slot although nothing waits")
		}
		w.d.wg.Done()
	})
}

// A gate that came back closes once nothing is left, also when one call that
// can never succeed still waits for its next try.
func TestRampClosesWhenDrained(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		w.add(a, 4)
		w.pass(time.Minute)
		poisoned := w.add(a, 1)[0]
		w.mu.Lock()
		w.refuse = map[callback.CallID]bool{poisoned: true}
		w.mu.Unlock()
		w.set(a, up)
		w.pass(30 * time.Minute)
		w.add(a, 1)
		w.pass(time.Second)
		h, _ := w.s.Callback(a)
		if h.Live.Gate.State != callback.Closed || h.Live.Counts.Retrying != 1 {
			w.Fatalf("gate %v, %+v", h.Live.Gate.State, h.Live.Counts)
		}
	})
}

// A failure in a healthy lane sets the lane's timer for its next try.
func TestOneFailureIsRetried(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", func(n int) callback.Attempt {
			if n == 1 {
				return bad
			}
			return good
		}, nil)
		w.add(a, 1)
		w.pass(6 * time.Minute)
		if c := w.counts(a); c.Delivered != 1 || len(w.sent(a)) != 2 {
			w.Fatalf("%+v after %d requests", c, len(w.sent(a)))
		}
	})
}

// While the head of an ordered callback waits for its next try, nothing behind
// it is sent, be it enqueued before or after.
func TestOrderedHeadHoldsNewCalls(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, func(cb *callback.Callback) { cb.Ordered = true })
		w.set(a, func(n int) callback.Attempt {
			if n == 1 {
				return bad // the gate stays closed
			}
			return good
		})
		ids := w.add(a, 1)
		w.pass(time.Minute)
		ids = append(ids, w.add(a, 5)...)
		w.pass(10 * time.Minute)
		sent := w.sent(a)
		if len(sent) != 7 {
			w.Fatalf("%d requests, want 7", len(sent))
		}
		for i, r := range sent {
			if want := ids[max(i-1, 0)]; r.call != want {
				w.Fatalf("request %d was for %v, want %v", i, r.call, want)
			}
		}
	})
}

// Calls that are asked for again by filter do not overtake the head of an
// ordered lane, neither while it waits for its time nor when that has come, be it
// while nothing may be sent or while the process is down.
func TestOrderedHeadHoldsCallsAskedForAgain(t *testing.T) {
	t.Run("suspended", func(t *testing.T) {
		headHolds(t, func(w *world, a callback.Num) {
			if err := w.s.Suspend(w.ctx, now(), a, "test"); err != nil {
				w.Fatal(err)
			}
			w.pass(10 * time.Minute)
			if err := w.s.Resume(w.ctx, now(), a); err != nil {
				w.Fatal(err)
			}
		})
	})
	t.Run("down", func(t *testing.T) {
		headHolds(t, func(w *world, a callback.Num) {
			w.end()
			w.pass(10 * time.Minute)
			w.s.Restart(now())
			w.start(512)
		})
	})
}

// headHolds runs it with a pause in which the time of the head comes.
func headHolds(t *testing.T, pause func(w *world, a callback.Num)) {
	run(t, 512, func(w *world) {
		ordered := func(cb *callback.Callback) { cb.Ordered, cb.Retries = true, false }
		a := w.create("a", func(int) callback.Attempt { return bad }, ordered)
		ids := w.add(a, 6)
		w.pass(time.Minute) // each fails, and is given up
		h, err := w.s.Callback(a)
		if err != nil || h.Live.Counts.Failed != 6 {
			w.Fatalf("%+v, %v", h.Live.Counts, err)
		}
		h.Retries = true
		if _, err := w.s.Update(w.ctx, now(), h.Callback, 0); err != nil {
			w.Fatal(err)
		}
		w.set(a, up)
		w.add(a, 1)
		w.pass(time.Minute) // the gate is closed again
		before := len(w.sent(a))
		w.mu.Lock()
		w.refuse = map[callback.CallID]bool{ids[0]: true}
		w.mu.Unlock()
		again := func(id string, calls []callback.CallID) {
			w.Helper()
			o := callback.Operation{ID: id, Num: a, Kind: callback.OperationRetry, Extend: true}
			if _, _, err := w.s.StartOperation(w.ctx, now(), o); err != nil {
				w.Fatal(err)
			}
			if _, err := w.s.AdvanceOperation(w.ctx, now(), id, callback.OperationPage{Calls: calls, Last: true}); err != nil {
				w.Fatal(err)
			}
		}
		again("first", ids[:3])
		w.pass(time.Minute)
		again("second", ids[3:])
		w.pass(3 * time.Minute)
		if sent := w.sent(a)[before:]; len(sent) != 1 || sent[0].call != ids[0] {
			w.Fatalf("beside the head that waits were sent: %+v", sent)
		}
		w.mu.Lock()
		w.refuse[ids[0]] = false
		w.mu.Unlock()
		pause(w, a)
		w.pass(6 * time.Minute)
		want := slices.Concat([]callback.CallID{ids[0]}, ids)
		var got []callback.CallID
		for _, r := range w.sent(a)[before:] {
			got = append(got, r.call)
		}
		if !slices.Equal(got, want) {
			w.Fatalf("sent %v, want %v", got, want)
		}
	})
}

func TestRatePerSecond(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.RatePerSecond = 4 })
		w.add(a, 60)
		w.pass(10*time.Second + time.Millisecond)
		if n := len(w.sent(a)); n < 40 || n > 42 {
			w.Fatalf("%d requests in 10 s at 4 a second", n)
		}
		w.pass(10 * time.Second)
		if c := w.counts(a); c.Delivered != 60 {
			w.Fatalf("%+v", c)
		}
	})
}

// What waits of a deleted callback is given up also where calls run that do not
// wait any more.
func TestDeleteWhileResolvedCallsRun(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, func(cb *callback.Callback) { cb.MaxInFlight = 1 })
		w.slow(a, time.Minute)
		ids := w.add(a, 2)
		w.pass(time.Second)
		if _, err := w.s.Resolve(w.ctx, now(), a, ids[:1], "ana"); err != nil {
			w.Fatal(err)
		}
		if err := w.s.Delete(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		w.pass(2 * time.Minute)
		if c := w.counts(a); c.Waiting() != 0 || c.Failed != 1 {
			w.Fatalf("%+v", c)
		}
	})
}

func TestDeliverAt(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		at := now().Add(90 * time.Minute)
		if _, err := w.s.Enqueue(w.ctx, now(), []callback.NewCall{{Num: a, Response: callback.Response{DeliverAt: at}}}); err != nil {
			w.Fatal(err)
		}
		w.pass(3 * time.Hour)
		if sent := w.sent(a); len(sent) != 1 || !sent[0].at.Equal(at) {
			w.Fatalf("sent %v, want once at %v", sent, at)
		}
	})
}

func TestManual(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		ids := w.add(a, 3)
		w.pass(time.Second)
		n := len(w.sent(a))
		if err := w.d.Manual(w.ctx, a, ids[2], false); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		if got := len(w.sent(a)) - n; got != 1 {
			w.Fatalf("%d requests for one retry by hand", got)
		}
		w.set(a, up)
		if err := w.d.Manual(w.ctx, a, ids[2], false); err != nil {
			w.Fatal(err)
		}
		w.pass(10 * time.Minute) // its 200 lets the others go when they are due
		if c := w.counts(a); c.Delivered != 3 {
			w.Fatalf("%+v", c)
		}
		if err := w.d.Manual(w.ctx, a, ids[2], false); callback.ErrorCode(err) != callback.CodeConflict {
			w.Fatalf("retry of a success: %v", err)
		}
	})
}

func TestSuspendResume(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		if err := w.s.Suspend(w.ctx, now(), a, "ana"); err != nil {
			w.Fatal(err)
		}
		w.add(a, 30)
		w.pass(48 * time.Hour)
		if n := len(w.sent(a)); n != 0 {
			w.Fatalf("%d requests while suspended", n)
		}
		if err := w.s.Resume(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Second)
		if c := w.counts(a); c.Delivered != 30 {
			w.Fatalf("after resume: %+v", c)
		}
	})
}

func TestDeleteGivesUpWhatWaits(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", down, nil)
		w.add(a, 40)
		w.pass(time.Minute)
		if err := w.s.Delete(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		n := len(w.sent(a))
		w.pass(24 * time.Hour)
		if c := w.counts(a); c.Failed != 40 || len(w.sent(a)) != n {
			w.Fatalf("after delete: %+v, %d requests", c, len(w.sent(a))-n)
		}
	})
}

// A restart in the middle of attempts records them as interrupted, and sends
// their calls again.
// The lane of a callback that retention removed goes with it, and all others
// are delivered on.
func TestRemovedCallback(t *testing.T) {
	run(t, 16, func(w *world) {
		a, b := w.create("a", up, nil), w.create("b", up, nil)
		w.add(a, 3)
		w.add(b, 1)
		w.pass(time.Second)
		if err := w.s.Delete(w.ctx, now(), a); err != nil {
			w.Fatal(err)
		}
		w.pass(time.Hour)
		if n, err := w.s.Purge(w.ctx, now(), now(), now(), 10); err != nil || n != 4 {
			w.Fatalf("purged %d: %v", n, err)
		}
		if n, err := w.s.PurgeOutages(w.ctx, now(), now(), 10); err != nil || n != 1 {
			w.Fatalf("removed %d callbacks: %v", n, err)
		}
		w.pass(time.Millisecond)
		if len(w.d.lanes) != 1 || w.d.lanes[b] == nil || w.d.running != 0 {
			w.Errorf("lanes %v, %d slots are taken", w.d.lanes, w.d.running)
		}
		w.d.Wake(a, 0) // what took its time
		w.add(b, 1)
		w.pass(time.Second)
		if len(w.d.lanes) != 1 || w.counts(b).Delivered != 1 {
			w.Errorf("%d lanes, %+v", len(w.d.lanes), w.counts(b))
		}
	})
}

func TestRestart(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.slow(a, 10*time.Minute) // longer than the drain
		w.add(a, 20)
		w.pass(time.Second)
		w.end()
		w.s.Restart(now())
		w.slow(a, 0)
		w.start(512)
		w.pass(time.Second)
		if c := w.counts(a); c.Delivered != 20 {
			w.Fatalf("after the restart: %+v", c)
		}
		page, _ := w.s.Calls(w.ctx, callback.CallQuery{Num: a})
		twice := 0
		for _, c := range page.Calls {
			if c.Entry.Attempts == 2 {
				twice++
			}
		}
		if twice != 16 {
			w.Fatalf("%d calls were sent twice, want the 16 in flight", twice)
		}
	})
}

// A quiet engine does nothing at all.
func TestIdle(t *testing.T) {
	run(t, 512, func(w *world) {
		a := w.create("a", up, nil)
		w.add(a, 1)
		w.pass(time.Second)
		before := w.looks.Load()
		w.pass(24 * time.Hour)
		if n := w.looks.Load() - before; n > 100 {
			w.Fatalf("%d looks at the clock in a day without work", n)
		}
	})
}
