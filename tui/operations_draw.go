package tui

import (
	"fmt"
	"time"

	"ringback/callback"
)

// drawOperation draws how far the operation that runs is, into the status line: of
// what there is to say as much as has room, and nothing cut.
func (d *desk) drawOperation(c *Canvas, y int, o *callback.OperationView, n int) {
	w, _ := c.Size()
	verb := verbOf(o.Kind)
	if o.State == callback.OperationUndoing {
		verb = "undo"
	}
	share, parts, pace := d.progress(o)
	x := 1
	if w >= 100 {
		x = c.Put(x, y, RoleText, "op "+shortID(o.ID)) + 2
	}
	x = c.Put(x, y, RoleText, verb) + 1
	x = c.PutIn(x, y, min(c.Width(o.Callback), w/5), RoleText, o.Callback, Left) + 2
	if w >= 76 {
		x = c.Meter(x, y, 8+w/100*4, RoleOK, share) + 1
	}
	if d.ops.counts[o.ID] == 0 && o.By != "" {
		parts = append(parts, "by "+o.By)
	}
	if pace != "" {
		parts = append(parts, pace)
	}
	if n > 1 {
		parts = append(parts, fmt.Sprintf("+%d more", n-1))
	}
	end := w - 1
	if d.may(actUndo) {
		const stops = "u stops"
		end -= len(stops)
		c.Put(c.Put(end, y, RoleKey, stops[:1]), y, RoleText, stops[1:])
		end -= 2
	}
	for _, part := range parts {
		if x+c.Width(part) <= end {
			x = c.Put(x, y, RoleText, part) + 2
		}
	}
}

// progress says which part of an operation is done, in words, too, and at which pace.
// Of a retry that is what was decided: a call that was let go may wait behind a probe
// for long.
func (d *desk) progress(o *callback.OperationView) (share float64, parts []string, pace string) {
	total, own := d.ops.counts[o.ID]
	if !own {
		total = o.Total
	}
	total = max(total, o.Matched)
	if o.Kind != callback.OperationRetry || o.State == callback.OperationUndoing {
		done := o.Matched
		if o.State == callback.OperationUndoing {
			done, total = o.Undone+o.Missed, o.Changed
		}
		return float64(done) / float64(max(total, 1)), []string{Count(done) + " of " + Count(total)}, d.pace(o, total)
	}
	sent, coming := callback.Requeued{Calls: o.Changed}, total-o.Matched
	if h := d.health(o.CallbackID); h != nil && d.retryThat(h) == o {
		sent = h.Live.Requeued
	}
	waiting := sent.Waiting()
	decided := sent.Calls - waiting
	if decided > 0 {
		share = float64(decided) / float64(sent.Calls+coming)
		parts = append(parts, Count(sent.Delivered)+" ok "+Count(sent.Failed)+" failed")
	}
	if waiting > 0 || decided == 0 {
		parts = append(parts, Count(waiting)+" let go")
	}
	return share, append(parts, Count(coming)+" to come"), d.pace(o, total)
}

// pace says how fast an operation goes, and how long it takes.
func (d *desk) pace(o *callback.OperationView, total uint64) string {
	if o.Rate == 0 || o.State != callback.OperationRunning {
		return ""
	}
	h := d.health(o.CallbackID)
	if h != nil && h.Live.Gate.State == callback.Open && o.Matched > 0 {
		return d.probe(h)
	}
	left := time.Duration(total-min(o.Matched, total)) * time.Second / time.Duration(o.Rate)
	return fmt.Sprintf("%d/s  %s", o.Rate, Duration(left))
}
