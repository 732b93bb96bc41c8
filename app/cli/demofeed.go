package cli

import (
	"context"
	"strings"
	"time"
)

// Paces of feeding, in responses a second, and for how long the told tour goes.
const (
	feedTold  = 12
	feedShown = 8
	feedTime  = 20 * time.Second
	toldTime  = 55 * time.Second
)

// feed enqueues the responses at a steady pace over HTTP, for a time or until
// ctx is done. From the second round on their ids are left out, for they were
// used.
func (d *demo) feed(ctx context.Context, k *desk, perSecond int, long time.Duration) {
	e := &enqueuer{desk: k, name: "demo"}
	defer func() { d.tally = e.tally }()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	end := time.After(long)
	for round := 0; ; round++ {
		for line := range strings.Lines(responses) {
			select {
			case <-ctx.Done():
				return
			case <-end:
				return
			case <-tick.C:
			}
			if round > 0 {
				line = withoutID(line)
			}
			if err := e.all(ctx, strings.NewReader(line)); err != nil && ctx.Err() == nil {
				d.house.log.Warn("the demo could not enqueue a response", "err", err)
			}
		}
	}
}

// withoutID takes the first member, the id, off a line of responses.
func withoutID(line string) string {
	_, rest, _ := strings.Cut(line, ", ")
	return "{" + rest
}
