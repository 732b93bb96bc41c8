// Package bench measures an appliance on the machine where it stands.
//
// Every figure stands beside a ceiling: what bare parts of the same shape reach
// on the same disk and against the same receiver. Subject and ceiling are
// measured in turns, and the ratio is the median of the ratios of neighbouring
// windows, for machines have moods. At the end everything that was accepted is
// looked for at the receiver: a figure of an appliance that loses or doubles
// responses is worth nothing.
//
// The appliance and the receiver are processes of their own (see Part), the
// producers and the bare client share this one. The engine is measured in this
// process, after the appliance has ended, in the same folder.
package bench

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// Options say what is measured. All fields but Backlog are required.
type Options struct {
	Dir       string        // exists, and is bench's own; it is filled and not emptied
	Data      string        // the appliance's data folder, in Dir
	Queue     string        // the engine's folder in Data
	Window    time.Duration // of one measurement of one side; each has 2 x Pairs of them
	Callbacks int           // how many take turns
	Producers int           // how many send at once
	Size      int           // of a response as JSON, MinSize to MaxSize bytes
	Backlog   int           // calls that wait behind a suspended callback meanwhile

	Memory int64 // bytes that the appliance aims to stay below

	// Patience is how long nothing may arrive before what is missing counts as lost.
	Patience time.Duration

	// Appliance starts the appliance on Data, and Receiver a Receiver.
	Appliance, Receiver func(context.Context) (*Part, error)
	// Say is told what happens next, one line at a time.
	Say func(format string, args ...any)
}

// Bounds of Options.
const (
	MinSize = 512
	MaxSize = 512 << 10
	MaxLoad = 4096 // callbacks, and producers
)

// Pairs is how many windows each side of a measurement has.
const Pairs = 5

// Part is a process that takes part.
type Part struct {
	URL  string
	PID  int
	Stop func() error // ends it in order, and waits for it; to be called once
}

// Run measures, and returns what it saw. An error means that it could not be
// measured; that responses were lost or doubled stands in the report.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	b := &run{Options: o, report: &Report{}, accepted: map[uint64]bool{}, seen: map[uint64]int{}}
	if b.message, err = newMessage(o.Size); err != nil {
		return nil, err
	}
	if b.report.Machine, err = machineOf(o.Dir); err != nil {
		return nil, err
	}
	if err := b.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill the backlog: %w", err)
	}
	receiver, err := o.Receiver(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the receiver: %w", err)
	}
	b.receiver = receiver.URL
	err = errors.Join(b.whole(ctx), receiver.Stop())
	if err == nil {
		err = b.inside(ctx)
	}
	if err != nil {
		return nil, err
	}
	b.verify()
	b.report.Machine.Noise = b.noise()
	return b.report, nil
}

// run is one run on its way.
type run struct {
	Options
	message  message
	report   *Report
	receiver string // its URL

	backlog  uint64          // calls that wait when the appliance starts
	accepted map[uint64]bool // ids that were answered 202
	seen     map[uint64]int  // ids that arrived, and how often
	stored   uint64          // calls that the store says are delivered
	waits    uint64          // … and that wait
}

// whole measures the appliance from outside.
func (b *run) whole(ctx context.Context) error {
	b.Say("starting the appliance")
	appliance, err := b.Appliance(ctx)
	if err != nil {
		return fmt.Errorf("start the appliance: %w", err)
	}
	err = b.outside(ctx, appliance)
	// What is delivered twice may arrive while it ends.
	if err = errors.Join(err, appliance.Stop()); err != nil {
		return err
	}
	return b.take(ctx)
}

// take asks the receiver for what arrived, for the verification alone.
func (b *run) take(ctx context.Context) error {
	list, err := takeArrivals(ctx, b.receiver)
	b.note(list)
	return err
}

// note keeps what arrived for the verification.
func (b *run) note(list []Arrival) {
	for _, a := range list {
		if a.ID != 0 {
			b.seen[a.ID]++
		}
	}
}

func (b *run) path(name string) string { return filepath.Join(b.Dir, name) }
