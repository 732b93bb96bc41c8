package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"ringback/app/api"
	"ringback/callback"
)

// outside is the appliance as its clients and endpoints see it.
type outside struct {
	*run
	part     *Part
	to       []*url.URL // where responses are enqueued, of each callback
	bare     *url.URL   // the receiver
	producer *sender
	client   *sender // the bare one
	next     atomic.Uint64
}

// outside measures what can be seen from outside.
func (b *run) outside(ctx context.Context, part *Part) error {
	bare, err := url.Parse(b.receiver + "/bare")
	if err != nil {
		return err
	}
	o := &outside{run: b, part: part, bare: bare, producer: b.newSender(), client: b.newSender()}
	defer o.producer.http.CloseIdleConnections()
	defer o.client.http.CloseIdleConnections()
	if err := o.register(ctx); err != nil {
		return err
	}
	b.Say("end to end, %d producers, one POST for each response", b.Producers)
	rate, err := o.endToEnd(ctx)
	if err != nil {
		return err
	}
	b.Say("end to end, %d streams", b.Producers)
	if err := o.streams(ctx, rate); err != nil {
		return err
	}
	b.Say("over HTTP at %d responses a second", slowRate)
	return o.slow(ctx)
}

// Attempts is how many attempts run at once, of one callback: as many as the
// bare client has connections.
const Attempts = 64

// register creates the callbacks.
func (o *outside) register(ctx context.Context) error {
	c, err := api.NewClient(api.ClientOptions{URL: o.part.URL})
	if err != nil {
		return err
	}
	defer c.Close()
	for i := range o.Callbacks {
		name, yes, limit := fmt.Sprintf("bench-%d", i), true, Attempts
		if _, err := c.Create(ctx, callback.Draft{Name: &name, URL: &o.receiver, Retries: &yes, MaxInFlight: &limit}); err != nil {
			return fmt.Errorf("create a callback: %w", err)
		}
		to, err := url.Parse(o.part.URL + "/callbacks/" + name + "/responses")
		if err != nil {
			return err
		}
		o.to = append(o.to, to)
	}
	return nil
}

// target returns where the next response is enqueued: callbacks take turns.
func (o *outside) target() *url.URL { return o.to[o.next.Add(1)%uint64(len(o.to))] }

// ids collects, for each worker apart, what was answered 202.
type ids [][]uint64

// keep notes what was accepted for the verification.
func (b *run) keep(got ids) {
	for _, list := range got {
		for _, id := range list {
			b.accepted[id] = true
		}
	}
}

// enqueue posts one response to the appliance.
func (o *outside) enqueue(ctx context.Context, got ids, worker int) error {
	id, err := o.producer.post(ctx, o.target(), http.StatusAccepted)
	if err == nil && id == 0 {
		err = errors.New("an answer names no call")
	}
	if err == nil {
		got[worker] = append(got[worker], id)
	}
	return err
}

// endToEnd measures how many responses a second arrive, each enqueued by a POST
// of its own, and what each costs the appliance. The ceiling is what a bare
// client reaches against the same receiver.
func (o *outside) endToEnd(ctx context.Context) (rate float64, err error) {
	var mine, top []float64
	var used, bare cost
	err = turns(func(warm bool) error {
		before := ownUsage()
		r, n, err := o.bareWindow(ctx)
		if !warm {
			top = append(top, r)
			bare.add(before, ownUsage(), n)
		}
		return err
	}, func(warm bool) error {
		before := o.usage(ctx)
		r, list, err := o.window(ctx, func() (int, error) {
			got := make(ids, o.Producers)
			n, err := crowd(ctx, o.Producers, o.Window, func(ctx context.Context, w int) error { return o.enqueue(ctx, got, w) })
			o.keep(got)
			return n, err
		})
		if !warm {
			mine = append(mine, r)
			used.add(before, o.usage(ctx), len(list))
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	o.rates("end to end, one POST each", mine, top, Goal{Of: ofRatio, AtLeast: 0.25})
	o.costs(&used, &bare)
	return median(mine), nil
}

// bareWindow is a window of the bare client.
func (o *outside) bareWindow(ctx context.Context) (rate float64, n int, err error) {
	rate, list, err := o.window(ctx, func() (int, error) {
		return crowd(ctx, o.Producers, o.Window, func(ctx context.Context, _ int) error {
			_, err := o.client.post(ctx, o.bare, http.StatusOK)
			return err
		})
	})
	return rate, len(list), err
}

// streams is endToEnd with the same number of responses in streams.
func (o *outside) streams(ctx context.Context, rate float64) error {
	lines := int(rate*o.Window.Seconds())/o.Producers + 1
	var mine, top []float64
	err := turns(func(warm bool) error {
		r, _, err := o.bareWindow(ctx)
		if !warm {
			top = append(top, r)
		}
		return err
	}, func(warm bool) error {
		r, _, err := o.window(ctx, func() (int, error) {
			got := make(ids, o.Producers)
			err := each(ctx, o.Producers, func(ctx context.Context, w int) (err error) {
				got[w], err = o.producer.stream(ctx, o.target(), lines)
				return err
			})
			o.keep(got)
			return lines * o.Producers, err
		})
		if !warm {
			mine = append(mine, r)
		}
		return err
	})
	if err == nil {
		o.rates("end to end, in streams", mine, top, Goal{})
	}
	return err
}

// slowRate is how many responses a second a calm appliance gets.
const slowRate = 200

// slow measures how long an enqueue and an arrival take when little is to do.
// The control does bare what both need: a write with sync to the same disk, and
// then a POST to the receiver.
func (o *outside) slow(ctx context.Context) (err error) {
	file, err := newSynced(o.path("control"), o.message.json)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	var answer, arrival, control []time.Duration
	err = turns(func(warm bool) error {
		_, _, err := o.window(ctx, func() (int, error) {
			took, err := paced(ctx, slowRate, 2*o.Window, func(int) error {
				if err := file.write(); err != nil {
					return err
				}
				_, err := o.client.post(ctx, o.bare, http.StatusOK)
				return err
			})
			if !warm {
				control = append(control, took...)
			}
			return len(took), err
		})
		return err
	}, func(warm bool) error {
		_, list, err := o.window(ctx, func() (int, error) {
			got := make(ids, paces(slowRate, 2*o.Window))
			took, err := paced(ctx, slowRate, 2*o.Window, func(i int) error { return o.enqueue(ctx, got, i) })
			o.keep(got)
			if !warm {
				answer = append(answer, took...)
			}
			return len(took), err
		})
		for _, a := range list {
			if !warm && a.Sent != 0 {
				arrival = append(arrival, time.Duration(a.At-a.Sent))
			}
		}
		return err
	})
	if err == nil {
		ten := Goal{Of: ofFigure, AtMost: 10}
		o.times(fmt.Sprintf("answer to an enqueue at %d/s", slowRate), answer, control, Goal{}, ten)
		o.times(fmt.Sprintf("arrival at %d/s", slowRate), arrival, control, Goal{}, ten)
	}
	return err
}

// window has load send, waits until as much as it sent has arrived, and returns
// how much that was a second, until the last of it.
func (o *outside) window(ctx context.Context, load func() (n int, err error)) (rate float64, list []Arrival, err error) {
	start := time.Now()
	n, err := load()
	if err != nil {
		return 0, nil, err
	}
	for got, last := 0, time.Now(); got < n && time.Since(last) < o.Patience; {
		time.Sleep(5 * time.Millisecond)
		now, err := countArrivals(ctx, o.receiver)
		if err != nil {
			return 0, nil, err
		}
		if now != got {
			got, last = now, time.Now()
		}
	}
	if list, err = takeArrivals(ctx, o.receiver); err != nil {
		return 0, nil, err
	}
	o.note(list)
	end := start
	for _, a := range list {
		if at := time.Unix(0, a.At); at.After(end) {
			end = at
		}
	}
	if len(list) == 0 {
		return 0, nil, nil
	}
	return float64(len(list)) / end.Sub(start).Seconds(), list, nil
}

// synced is a file whose writes are on disk when they return. It does not grow,
// for a log whose blocks are there costs a sync less.
type synced struct {
	*os.File
	data []byte
	next atomic.Int64
}

const syncedSize = 4 << 20

func newSynced(path string, data []byte) (*synced, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(make([]byte, syncedSize))
	if err = errors.Join(err, f.Sync()); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &synced{File: f, data: data}, nil
}

func (s *synced) write() error {
	size := int64(len(s.data))
	if _, err := s.WriteAt(s.data, s.next.Add(size)%(syncedSize-size)); err != nil {
		return err
	}
	return datasync(s.File)
}
