package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"ringback/callback"
)

// narrator prints what happens in the demo, a line each.
type narrator struct {
	mu    sync.Mutex
	out   io.Writer
	start time.Time
	mails bool // whole mails
}

// say prints one line.
func (n *narrator) say(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.print("%6.1fs  %s\n", time.Since(n.start).Seconds(), text(fmt.Sprintf(format, args...), 400))
}

// print writes under the lock; a reader that left has missed the rest.
func (n *narrator) print(format string, args ...any) { _, _ = fmt.Fprintf(n.out, format, args...) }

// mail prints that a mail arrived.
func (n *narrator) mail(to, subject, body string) {
	n.say("mail arrived for %s: %s", to, subject)
	if !n.mails {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for line := range strings.SplitSeq(strings.TrimSpace(body), "\n") {
		n.print("         | %s\n", text(line, 400))
	}
}

// progressEvery is how often the figures are told.
const progressEvery = 3 * time.Second

// follow tells of every change of a callback's state, and now and then of how
// far things are, until ctx is done.
func (n *narrator) follow(ctx context.Context, k *desk) {
	changes, err := k.Watch(ctx)
	if err != nil {
		n.say("changes cannot be followed: %v", err)
		return
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	last := map[string]callback.State{}
	for {
		progress := false
		select {
		case <-tick.C:
			progress = true
		case _, ok := <-changes:
			if !ok {
				return
			}
		case <-ctx.Done():
			return
		}
		o, err := k.Overview(ctx, 0)
		if err != nil {
			continue // the next change is told of, or ctx is done
		}
		n.changes(&o, last)
		if progress {
			n.progress(&o)
		}
	}
}

// changes tells which callbacks are in another state than in last.
func (n *narrator) changes(o *callback.Overview, last map[string]callback.State) {
	for i := range o.Callbacks {
		v := &o.Callbacks[i]
		before := last[v.Name]
		last[v.Name] = v.Shown
		switch {
		case v.Shown == before:
		case v.Shown == callback.Down:
			n.say("%s is down: %s; %s behind one probe", v.Name, strings.TrimSuffix(v.Live.LastError, "."), plural(v.Live.Counts.Waiting(), "waiting call"))
		case v.Shown == callback.Failing && before == callback.Down:
			n.say("%s answers again; its calls are let through, first few, then more", v.Name)
		case v.Shown == callback.Failing:
			n.say("%s is failing: %s", v.Name, v.Live.LastError)
		case v.Shown == callback.Healthy:
			n.say("%s takes everything again", v.Name)
		default:
			n.say("%s is %s", v.Name, v.Shown)
		}
	}
}

func (n *narrator) progress(o *callback.Overview) {
	c := counts(o)
	n.say("%s accepted, %d delivered, %d waiting", plural(c.Accepted, "response"), c.Delivered, c.Waiting())
}

// counts adds up the counters of all callbacks.
func counts(o *callback.Overview) (sum callback.Counts) {
	for i := range o.Callbacks {
		c := o.Callbacks[i].Live.Counts
		sum.Accepted += c.Accepted
		sum.Pending += c.Pending
		sum.Retrying += c.Retrying
		sum.Delivered += c.Delivered
		sum.Resolved += c.Resolved
		sum.Failed += c.Failed
		sum.Purged += c.Purged
		sum.Skipped += c.Skipped
	}
	return sum
}
