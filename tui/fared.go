package tui

import (
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// fared is what became of calls that were sent again, of one callback or of several
// whose retries were begun together.
type fared struct {
	callback.Requeued
	name    string
	failed  []string // callbacks of which some failed, where there are several
	before  uint64   // calls that had succeeded when their turn came
	merged  bool     // part of it was sent again before, and had not come to its end
	going   bool     // there are more to come
	stopped bool     // there would have been
	unsent  uint64   // how many; 0: that is not known
	waits   string   // what those wait for that still do
}

// role is how it is shown.
func (f *fared) role() Role {
	switch {
	case f.Failed > 0:
		return RoleFailing
	case f.Waiting() == 0 && !f.stopped:
		return RoleOK
	}
	return RoleText
}

// String tells what became of them.
func (f *fared) String() string {
	waiting, failed := "waiting", "failed"
	if f.waits != "" {
		waiting += ", " + f.waits
	}
	if n := len(f.failed); n > 0 && n <= 2 {
		failed += " (" + strings.Join(f.failed, ", ") + ")"
	}
	var parts []string
	all := f.Calls + f.before
	for _, part := range []struct {
		n    uint64
		word string
	}{{f.Delivered, "delivered"}, {f.Failed, failed}, {f.Resolved, "resolved"}, {f.Waiting(), waiting}, {f.before, "had succeeded before"}} {
		switch {
		case part.n == 0:
		case part.n < all || f.going || f.stopped:
			parts = append(parts, Count(part.n)+" "+part.word)
		case part.n == 1:
			parts = append(parts, part.word)
		default:
			parts = append(parts, "all "+Count(part.n)+" "+part.word)
		}
	}
	s := strings.Join(parts, ", ")
	switch {
	case f.going:
		return "so far " + s
	case f.stopped && f.unsent > 0:
		return s + ", " + Count(f.unsent) + " not sent: stopped"
	case f.stopped:
		return s + "; stopped before the rest"
	}
	return s
}

// add puts what became of others to it.
func (f *fared) add(o *fared) {
	if f.Began.IsZero() || o.Began.Before(f.Began) {
		f.Began = o.Began
	}
	f.Last = later(f.Last, o.Last)
	f.Calls, f.Delivered, f.Failed, f.Resolved = f.Calls+o.Calls, f.Delivered+o.Delivered, f.Failed+o.Failed, f.Resolved+o.Resolved
	f.before, f.unsent = f.before+o.before, f.unsent+o.unsent
	f.merged, f.going, f.stopped = f.merged || o.merged, f.going || o.going, f.stopped || o.stopped
	if o.Failed > 0 {
		f.failed = append(f.failed, o.name)
	}
}

// retryTold is a sentence on it.
func (d *desk) retryTold(f *fared) string {
	what, when := "Retry of ", ", "
	if f.merged {
		what, when = "Retries of ", " since "
	}
	return what + f.name + when + d.clock.WhenShort(f.Began, d.now()) + ": " + f.String()
}

// fared tells how the calls of a callback fared that a filter let go again last.
func (d *desk) fared(h *callback.HealthView) fared {
	f := fared{Requeued: h.Live.Requeued, name: h.Name, going: d.retrying(h.ID), waits: d.waitFor(h)}
	o := d.retryThat(h)
	f.merged = o != nil && f.Began.Before(o.Created.Truncate(time.Millisecond))
	if o != nil && !f.going {
		f.before = d.overtaken(o)
		n, known := d.ops.counts[o.ID]
		f.stopped = (o.State == callback.OperationStopped || o.State == callback.OperationFailed) && (!known || n > o.Matched)
		if f.stopped && known {
			f.unsent = n - o.Matched
		}
	}
	return f
}

// retryThat returns the retry that a callback's account is of, or nil where it is
// not among the latest operations.
func (d *desk) retryThat(h *callback.HealthView) *callback.OperationView {
	for i := range d.ops.list { // the latest first
		o := &d.ops.list[i]
		switch {
		case o.CallbackID != h.ID || o.Kind != callback.OperationRetry || o.Changed == 0:
		case o.Created.After(h.Live.Requeued.Last):
			return nil
		default:
			return o
		}
	}
	return nil
}

// together is fared of all callbacks whose retries were begun together with that
// of h.
func (d *desk) together(h *callback.HealthView) fared {
	one := d.fared(h)
	o := d.retryThat(h)
	if o == nil {
		return one
	}
	all, n := fared{}, 0
	for _, o := range d.ops.relatives(o.ID) {
		if of := d.health(o.CallbackID); of != nil && d.retryThat(of) == o {
			n++
			f := d.fared(of)
			all.add(&f)
		}
	}
	if n < 2 {
		return one
	}
	all.name = strconv.Itoa(n) + " callbacks"
	return all
}
