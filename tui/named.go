package tui

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file does to calls that were named one by one what bulk.go does to those
// that a filter selects: an operation for each callback they are of. Together
// these are shown, told of, stopped and taken back as one.

// part is one operation of those that a box is for.
type part struct {
	want    callback.NewOperation
	preview callback.Preview
}

// maxParts is of how many callbacks calls may be that are named at once: the
// service works off so many operations beside those of others.
const maxParts = 16

// skip is a call that nothing is done with, and why.
type skip struct {
	call callback.CallView
	why  string
}

// namedCalls are the calls that a box names, and those of them that it leaves out.
type namedCalls struct {
	calls   []callback.CallView
	skipped []skip
	unmark  func([]callback.CallID) // once they are the service's
}

// sort sorts out what can be done with calls.
func (d *desk) sort(calls []callback.CallView, resolve bool) (n namedCalls) {
	for i := range calls {
		if why := d.unfit(&calls[i], resolve); why != "" {
			n.skipped = append(n.skipped, skip{calls[i], why})
			continue
		}
		n.calls = append(n.calls, calls[i])
	}
	return n
}

// unfit says why a call cannot be retried, or resolved; "" where it can.
func (d *desk) unfit(v *callback.CallView, resolve bool) string {
	switch v.State {
	case callback.StateDelivered, callback.StateResolved:
		return "already success"
	case callback.StateDelivering:
		return "being sent now"
	case callback.StateCancelled:
		return "callback deleted"
	case callback.StateDamaged:
		if !resolve {
			return "record damaged"
		}
	}
	if h := d.health(v.CallbackID); !resolve && h != nil && h.Live.Suspended {
		return "callback suspended"
	}
	return ""
}

// reasons counts what is skipped by why.
func (n *namedCalls) reasons() []string {
	var order []string
	count := map[string]uint64{}
	for i := range n.skipped {
		why := n.skipped[i].why
		if count[why] == 0 {
			order = append(order, why)
		}
		count[why]++
	}
	for i, why := range order {
		order[i] = Count(count[why]) + " " + why
	}
	return order
}

// none says why there is nothing left to do.
func (n *namedCalls) none() string {
	if len(n.skipped) == 1 {
		return n.skipped[0].why
	}
	return "none of the " + Count(uint64(len(n.skipped))) + " marked: " + strings.Join(n.reasons(), ", ")
}

// askCalls opens the box for calls, or says why nothing can be done. none says
// why there are no calls; unmark, which may be nil, is given those that were
// handed to the service.
func (d *desk) askCalls(a action, calls []callback.CallView, none string, unmark func([]callback.CallID)) tea.Cmd {
	key, resolve := "r", a == actResolve
	if resolve {
		key = "x"
	}
	switch {
	case len(calls) == 0:
		d.say(RoleDim, key+": "+none)
		return nil
	case d.refuse(key):
		return nil
	}
	n := d.sort(calls, resolve)
	n.unmark = unmark
	switch {
	case len(n.calls) == 0:
		d.say(RoleError, key+": "+n.none())
		return nil
	case len(calls) == 1 && !resolve:
		d.box = &confirmBox{d: d, call: n.calls[0]}
		return nil
	}
	b := &bulkBox{d: d, rate: defaultRate, key: key, named: &n}
	b.want.Kind, b.want.By = callback.OperationRetry, d.opt.User
	if resolve {
		b.want.Kind = callback.OperationResolve
	}
	if of := b.split(); of > maxParts {
		d.say(RoleError, fmt.Sprintf("%s: these calls are of %d callbacks; at most %d at once", key, of, maxParts))
		return nil
	}
	return d.preview(b)
}

// split makes a part for the calls of each callback, and returns of how many
// callbacks they are.
func (b *bulkBox) split() int {
	at := map[callback.CallbackID]int{}
	for i := range b.named.calls {
		v := &b.named.calls[i]
		n, ok := at[v.CallbackID]
		if !ok {
			n = len(b.parts)
			at[v.CallbackID] = n
			b.parts = append(b.parts, part{want: b.want})
			b.parts[n].want.Ref = v.CallbackID.String()
		}
		b.parts[n].want.IDs = append(b.parts[n].want.IDs, v.ID)
	}
	first := &b.named.calls[0]
	b.callback, b.id = first.Callback, first.CallbackID
	if n := len(b.parts); n > 1 {
		b.callback = fmt.Sprintf("%d callbacks", n)
	}
	return len(b.parts)
}

// sum puts the previews of all parts together.
func (b *bulkBox) sum() (sum callback.Preview) {
	for i := range b.parts {
		p := &b.parts[i].preview
		sum.Matched, sum.Changed = sum.Matched+p.Matched, sum.Changed+p.Changed
		sum.Other, sum.Missing = sum.Other+p.Other, sum.Missing+p.Missing
		sum.MissingIDs = append(sum.MissingIDs, p.MissingIDs...)
		sum.Partial = sum.Partial || p.Partial
		if sum.Oldest.IsZero() || !p.Oldest.IsZero() && p.Oldest.Before(sum.Oldest) {
			sum.Oldest = p.Oldest
		}
		for _, c := range p.ByCause {
			at := slices.IndexFunc(sum.ByCause, func(o callback.Cause) bool { return o.Class == c.Class && o.Code == c.Code })
			if at < 0 {
				sum.ByCause = append(sum.ByCause, c)
				continue
			}
			sum.ByCause[at].Count += c.Count
		}
	}
	slices.SortStableFunc(sum.ByCause, func(x, y callback.Cause) int { return cmp.Compare(y.Count, x.Count) })
	return sum
}

// familySep stands between what the ids of operations that were begun together
// have in common, 16 hex digits, and their number.
const familySep = "-"

// family returns what the ids of operations that were begun together begin with;
// of any other, its id.
func family(id string) string {
	first, rest, ok := strings.Cut(id, familySep)
	if _, err := callback.ParseCallID(first); !ok || err != nil || rest == "" || strings.Trim(rest, "0123456789") != "" {
		return id
	}
	return first
}

// relatives returns the operations that were begun together with one of that id,
// itself among them.
func (o *operations) relatives(id string) (all []*callback.OperationView) {
	for i := range o.list {
		if at := &o.list[i]; at.ID == id || family(at.ID) == family(id) {
			all = append(all, at)
		}
	}
	return all
}

// whole puts operations that were begun together into one, as it is told of;
// false: some of them go on.
func whole(all []*callback.OperationView) (sum callback.OperationView, ended bool) {
	for i, o := range all {
		if o.Active() {
			return sum, false
		}
		if i == 0 {
			sum = *o
			continue
		}
		sum.Matched, sum.Changed, sum.Undone, sum.Missed = sum.Matched+o.Matched, sum.Changed+o.Changed, sum.Undone+o.Undone, sum.Missed+o.Missed
		sum.Callback = fmt.Sprintf("%d callbacks", len(all))
		if o.State == callback.OperationFailed || o.State == callback.OperationStopped && sum.State != callback.OperationFailed {
			sum.State, sum.Note = o.State, o.Note
		}
		if sum.UndoUntil.IsZero() {
			sum.UndoUntil = o.UndoUntil
		}
	}
	return sum, len(all) > 0
}
