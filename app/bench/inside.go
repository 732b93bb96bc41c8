package bench

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ringback/callback"
	"ringback/queue"
)

// inside is the engine in this process, and the ceiling beside it.
type inside struct {
	*run
	engine *queue.Engine
	plain  *queue.Plain
	held   callback.Num // of a suspended callback: what is enqueued stays
	live   callback.Num // of one whose calls are claimed as they come
	starts chan callback.Claim
}

// open opens the engine as the appliance does.
func (b *run) open(starts chan callback.Claim) (*queue.Engine, error) {
	e, err := queue.Open(queue.Options{Dir: b.Queue, Now: now(), Policy: callback.Policy{
		MaxInFlight: deliverers * 2, Interval: 5 * time.Minute, Window: 24 * time.Hour, Mode: callback.ModeOff,
	}})
	if err == nil {
		e.SetDispatcher(direct{starts})
	}
	return e, err
}

// now is an engine's time.
func now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// direct hands claims on as they come.
type direct struct{ starts chan callback.Claim }

// Slot implements callback.Dispatcher.
func (d direct) Slot(_ callback.Num, may bool, _ int) bool { return may }

// Start implements callback.Dispatcher.
func (d direct) Start(c callback.Claim) { d.starts <- c }

// Wake implements callback.Dispatcher.
func (d direct) Wake(callback.Num, int) {}

// Next implements callback.Dispatcher.
func (d direct) Next(callback.Num) *callback.Claim { return nil }

// Missed implements callback.Dispatcher.
func (d direct) Missed(*callback.Claim) {}

// deliverers is how many take responses from the enqueue to the success at once.
const deliverers = 256

// inside measures the engine, and asks it what became of what the appliance took.
func (b *run) inside(ctx context.Context) (err error) {
	in := &inside{run: b, starts: make(chan callback.Claim, 2*deliverers)}
	if in.engine, err = b.open(in.starts); err != nil {
		return fmt.Errorf("open the engine: %w", err)
	}
	defer func() { err = errors.Join(err, in.engine.Close()) }()
	for _, h := range in.engine.Callbacks() {
		b.stored += h.Live.Counts.Delivered
		b.waits += h.Live.Counts.Waiting()
	}
	if in.plain, err = queue.OpenPlain(b.path("plain"), &b.message.response); err != nil {
		return fmt.Errorf("open the ceiling: %w", err)
	}
	defer func() { err = errors.Join(err, in.plain.Close()) }()
	if in.held, err = suspended(ctx, in.engine, "bench-held"); err != nil {
		return err
	}
	if in.live, err = create(ctx, in.engine, "bench-live"); err != nil {
		return err
	}
	// The gentlest first: what a hard one leaves to compact disturbs the next.
	b.Say("enqueue at %d a second", fastRate)
	if err := in.fast(ctx); err != nil {
		return err
	}
	for _, producers := range []int{64, 512} {
		b.Say("durable enqueue, %d at once", producers)
		if err := in.fastest(ctx, "durable enqueue", producers, in.put, in.hold, Goal{Of: ofFigure, AtMost: 2}); err != nil {
			return err
		}
	}
	b.Say("enqueue and success, %d at once", deliverers)
	twice := func(ctx context.Context) error { return errors.Join(in.put(ctx), in.put(ctx)) }
	return in.fastest(ctx, "enqueue and success", deliverers, twice, in.deliver, Goal{})
}

// create creates a callback in an engine.
func create(ctx context.Context, e *queue.Engine, name string) (callback.Num, error) {
	cb, err := e.Create(ctx, now(), callback.Callback{
		ID: callback.CallbackID(time.Now().UnixNano()), Name: name, URL: "http://127.0.0.1:1/", Retries: true, MaxInFlight: 2 * deliverers,
	})
	if err != nil {
		return 0, fmt.Errorf("create a callback: %w", err)
	}
	return cb.Num, nil
}

// suspended creates a callback whose calls wait.
func suspended(ctx context.Context, e *queue.Engine, name string) (callback.Num, error) {
	num, err := create(ctx, e, name)
	if err == nil {
		err = e.Suspend(ctx, now(), num, "ringback bench")
	}
	return num, err
}

// enqueue enqueues one response, durably.
func (in *inside) enqueue(ctx context.Context, num callback.Num) error {
	out, err := in.engine.Enqueue(ctx, now(), []callback.NewCall{{Num: num, Response: in.message.response}})
	if err == nil {
		err = out[0].Err
	}
	return err
}

// put is one operation of the ceiling.
func (in *inside) put(context.Context) error { return in.plain.Put() }

// hold enqueues one response that stays.
func (in *inside) hold(ctx context.Context) error { return in.enqueue(ctx, in.held) }

// deliver takes a response through enqueue, claim and success.
func (in *inside) deliver(ctx context.Context) error {
	if err := in.enqueue(ctx, in.live); err != nil {
		return err
	}
	var c callback.Claim
	select {
	case c = <-in.starts: // perhaps another's, whose takes this one's
	case <-ctx.Done():
		return ctx.Err()
	}
	a := callback.Attempt{
		Number: c.Entry.Attempts + 1, OK: true, Code: 200, Reason: "OK", Started: now(), Duration: time.Millisecond,
		Peer: "127.0.0.1:8080", Reused: true,
	}
	_, err := in.engine.Record(ctx, now(), in.live, c.Entry.ID, []callback.Attempt{a})
	return err
}

// side is one side of a comparison: what it does, and what came of it.
type side struct {
	one   func(context.Context) error
	rates []float64
	took  []time.Duration
	cost  cost
}

// compare measures two sides in turns.
func (in *inside) compare(top, mine *side, window func(*side) (n int, err error)) error {
	measure := func(s *side) func(bool) error {
		return func(warm bool) error {
			if warm {
				_, err := window(&side{one: s.one})
				return err
			}
			before := ownUsage()
			n, err := window(s)
			s.cost.add(before, ownUsage(), n)
			return err
		}
	}
	return turns(measure(top), measure(mine))
}

// fastest has so many workers do what a side does as fast as they can; onDisk is
// the goal of what is written.
func (in *inside) fastest(ctx context.Context, what string, workers int, ceiling, subject func(context.Context) error, onDisk Goal) error {
	top, mine := side{one: ceiling}, side{one: subject}
	err := in.compare(&top, &mine, func(s *side) (int, error) {
		start := time.Now()
		n, err := crowd(ctx, workers, in.Window, func(ctx context.Context, _ int) error { return s.one(ctx) })
		s.rates = append(s.rates, float64(n)/time.Since(start).Seconds())
		return n, err
	})
	if err == nil {
		in.rates(fmt.Sprintf("%s, %d at once", what, workers), mine.rates, top.rates, Goal{Of: ofRatio, AtLeast: 0.8})
		in.bytesOnDisk(&mine.cost, &top.cost, onDisk)
	}
	return err
}

// fastRate is how many responses a second are enqueued at a pace.
const fastRate = 20_000

// fast measures how long an enqueue takes at a pace that leaves room, and what
// is written to disk meanwhile.
func (in *inside) fast(ctx context.Context) error {
	top, mine := side{one: in.put}, side{one: in.hold}
	err := in.compare(&top, &mine, func(s *side) (int, error) {
		took, err := paced(ctx, fastRate, in.Window, func(int) error { return s.one(ctx) })
		s.took = append(s.took, took...)
		return len(took), err
	})
	if err == nil {
		in.times(fmt.Sprintf("enqueue at %d/s", fastRate), mine.took, top.took, Goal{}, Goal{Of: ofRatio, AtMost: 1.5})
		in.bytesOnDisk(&mine.cost, &top.cost, Goal{Of: ofFigure, AtMost: 6})
	}
	return err
}
