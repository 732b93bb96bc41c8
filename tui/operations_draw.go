package tui

import (
	"fmt"
	"strings"
	"time"

	"ringback/callback"
)

// drawOperation draws how far the operation that runs is, into the status line.
func (d *desk) drawOperation(c *Canvas, y int, o *callback.OperationView, n int) {
	w, _ := c.Size()
	total := max(d.ops.counts[o.ID], o.Matched)
	if d.ops.counts[o.ID] == 0 {
		total = max(o.Total, o.Matched)
	}
	done, verb := o.Matched, verbOf(o.Kind)
	if o.State == callback.OperationUndoing {
		verb, done, total = "undo", o.Undone+o.Missed, o.Changed
	}
	x := 1
	if w >= 100 {
		x = c.Put(x, y, RoleText, "op "+shortID(o.ID)) + 2
	}
	x = c.Put(x, y, RoleText, verb) + 1
	x = c.PutIn(x, y, min(c.Width(o.Callback), w/5), RoleText, o.Callback, Left) + 2
	if w >= 76 {
		x = c.Meter(x, y, 8+w/100*4, RoleOK, float64(done)/float64(max(total, 1))) + 1
	}
	parts := []string{Count(done) + " of " + Count(total) + d.pace(o, total)}
	if d.ops.counts[o.ID] == 0 && o.By != "" {
		parts = append(parts, "by "+o.By)
	}
	if h := d.health(o.CallbackID); h != nil && o.Kind == callback.OperationRetry && h.Live.Requeued.Delivered+h.Live.Requeued.Failed > 0 {
		r := &h.Live.Requeued
		parts = append(parts, Count(r.Delivered)+" ok "+Count(r.Failed)+" failed")
	}
	if n > 1 {
		parts = append(parts, fmt.Sprintf("+%d more", n-1))
	}
	stop := ""
	if d.may(actUndo) {
		stop = "u stops"
	}
	end := w - 1 - c.Width(stop)
	x += 2 + c.PutIn(x, y, max(end-x-2, 0), RoleText, strings.Join(parts, "  "), Left) - x
	c.Put(min(x, end), y, RoleKey, stop[:min(1, len(stop))])
	c.Put(min(x, end)+1, y, RoleText, stop[min(1, len(stop)):])
}

// pace says how fast an operation goes, and how long it takes.
func (d *desk) pace(o *callback.OperationView, total uint64) string {
	if o.Rate == 0 || o.State != callback.OperationRunning {
		return ""
	}
	h := d.health(o.CallbackID)
	if h != nil && h.Live.Gate.State == callback.Open && o.Matched > 0 {
		return "  " + d.probe(h)
	}
	left := time.Duration(total-min(o.Matched, total)) * time.Second / time.Duration(o.Rate)
	return fmt.Sprintf("  %d/s  %s", o.Rate, Duration(left))
}
