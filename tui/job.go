package tui

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// atOnce is how many calls of one callback are resolved in one step: as many
// as the service takes in one request.
const atOnce = 100

// jobKind is what a job does to calls.
type jobKind uint8

const (
	jobRetry jobKind = iota
	jobResolve
	jobReopen // takes a resolve back
)

// step is a part of a job that the service does in one call: one call to
// retry, or calls of one callback to resolve or reopen.
type step struct {
	kind   jobKind
	extend bool // a retried call that had been given up gets a new window
	ref    string
	ids    []callback.CallID

	// Of a retry: the callback's name, and the attempts its call had.
	name     string
	attempts int
}

// job does what the operator confirmed to calls that were named one by one.
// One runs at a time, step by step; it stops at the first answer that does not
// come. What a filter selects is the service's own work: see bulk.go.
type job struct {
	kind    jobKind
	steps   []step // still to do
	past    []step // done
	total   int    // calls
	done    int    // calls that had their turn
	changed int
	refused int
	why     string // the first refusal
	after   func() // when all is done
}

// newJob splits what is to be done into steps; the calls' order is kept.
func newJob(kind jobKind, extend bool, calls []callback.CallView, after func()) *job {
	j := &job{kind: kind, total: len(calls), after: after}
	open := map[string]int{} // the step that a callback's calls go to
	for i := range calls {
		v := &calls[i]
		ref := v.CallbackID.String()
		at, ok := open[ref]
		if kind == jobRetry || !ok || len(j.steps[at].ids) == atOnce {
			at = len(j.steps)
			open[ref] = at
			j.steps = append(j.steps, step{
				kind: kind, ref: ref, extend: extend && v.State == callback.StateGaveUp, name: v.Callback, attempts: v.Entry.Attempts,
			})
		}
		j.steps[at].ids = append(j.steps[at].ids, v.ID)
	}
	return j
}

// start begins a job.
func (d *desk) start(j *job) tea.Cmd {
	d.job = j
	return d.ask.step(j.steps[0], d.opt.User)
}

// stepped takes the answer to a step and goes on, or ends.
func (d *desk) stepped(msg stepMsg) tea.Cmd {
	j := d.job
	if j == nil || len(j.steps) == 0 {
		return nil
	}
	n := len(j.steps[0].ids)
	switch {
	case msg.err == nil:
		j.changed += msg.changed
	case refused(msg.err):
		j.refused += n
		if j.why == "" {
			j.why = inWords(msg.err)
		}
	default:
		d.job = nil
		d.say(RoleError, j.stopped(inWords(msg.err)))
		return nil
	}
	j.done += n
	if msg.err == nil {
		j.past = append(j.past, j.steps[0])
	}
	j.steps = j.steps[1:]
	if len(j.steps) > 0 {
		return d.ask.step(j.steps[0], d.opt.User)
	}
	d.job = nil
	role := RoleOK
	if j.refused > 0 {
		role = RoleError
	}
	d.say(role, j.result())
	d.resolved = nil
	if j.kind == jobRetry && len(j.past) > 0 {
		d.follow(j.past[0])
	}
	if j.kind == jobResolve && j.changed > 0 {
		d.resolved = &resolvedCalls{steps: j.past, calls: j.changed, at: d.running()}
	}
	if j.after != nil && j.refused == 0 {
		j.after()
	}
	return nil
}

func (j *job) verb() string {
	return [...]string{"retry", "resolve", "reopen"}[j.kind]
}

// resolvedCalls is what a job resolved, for u to take back.
type resolvedCalls struct {
	steps []step
	calls int
	at    time.Time
}

// reopen returns the job that takes it back.
func (r *resolvedCalls) reopen() *job {
	j := &job{kind: jobReopen}
	for _, s := range r.steps {
		s.kind = jobReopen
		j.steps = append(j.steps, s)
		j.total += len(s.ids)
	}
	return j
}

// progress says how far a job is.
func (j *job) progress() string {
	return fmt.Sprintf("%s %s of %s", j.verb(), Count(uint64(j.done)), Count(uint64(j.total)))
}

// result says what a job did.
func (j *job) result() string {
	var parts []string
	n := uint64(j.changed)
	switch {
	case j.kind == jobReopen:
		parts = append(parts, plural(n, "call")+" failed again, as before the resolve")
	case j.kind == jobResolve:
		parts = append(parts, "resolved "+plural(n, "call"))
		if same := j.total - j.changed - j.refused; same > 0 {
			parts = append(parts, plural(uint64(same), "call")+" had succeeded meanwhile")
		}
		if n > 0 {
			parts = append(parts, "u takes it back")
		}
	case n == 1:
		parts = append(parts, "1 call is being sent again")
	case n > 1:
		parts = append(parts, plural(n, "call")+" are being sent again")
	}
	if j.refused > 0 {
		parts = append(parts, plural(uint64(j.refused), "call")+" refused: "+j.why)
	}
	return strings.Join(parts, "; ")
}

// stopped says what a job did until the service did not answer. Whether the
// step under way was done is not known.
func (j *job) stopped(why string) string {
	return fmt.Sprintf("%s, %s done: stopped: %s; look before you repeat it", j.progress(), Count(uint64(j.changed)), why)
}

func (j *job) drawProgress(c *Canvas, y int) {
	x := c.Put(1, y, RoleText, j.verb()) + 2
	x = c.Meter(x, y, 12, RoleOK, float64(j.done)/float64(max(j.total, 1))) + 1
	c.Put(x, y, RoleText, Count(uint64(j.done))+" of "+Count(uint64(j.total)))
}
