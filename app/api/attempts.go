package api

import (
	"net/http"
	"slices"

	"ringback/callback"
)

// maxWalk bounds how many calls one page of attempts reads.
const maxWalk = 2000

// listAttempts is the flat view: one row for each attempt. It goes by calls,
// newest first (or oldest first), and within a call by attempts in the same
// direction. status, statusCode, statusMessage, class and the bounds of time choose attempts,
// the other filters choose calls.
func (q *request) listAttempts() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	lq, from := query.calls()
	lq.Ref = q.ref()
	if err := query.done(); err != nil {
		return err
	}
	w := walk{request: q, want: lq, from: from, pos: from.pos}
	if err := w.run(); err != nil {
		return err
	}
	p := page{pos: lq.Offset, rows: len(w.rows), limit: lq.Limit, more: w.more}
	if from.after != 0 {
		p.pos, p.cursor = from.pos, true
	}
	p.total = uint64(p.pos + p.rows)
	if w.more && w.last.after != 0 {
		w.last.pos = p.pos + p.rows
		p.next = w.last.String()
	}
	out := attemptList{Attempts: append([]attemptRow{}, w.rows...)}
	out.listHead, out.listTail = q.list(p)
	return q.send(http.StatusOK, out)
}

// walk collects one page of attempts.
type walk struct {
	*request
	want callback.ListQuery
	from cursor

	pos  int // attempts passed over
	rows []attemptRow
	last cursor // the last attempt that was looked at
	more bool
	read int
}

func (w *walk) run() error {
	if w.from.after != 0 && w.from.attempt != 0 {
		c, err := w.svc.Call(w.ctx(), w.want.Ref, w.from.after)
		if err != nil && callback.ErrorCode(err) != callback.CodeNotFound {
			return err
		}
		if err == nil {
			w.add(&c, w.from.attempt)
		}
	}
	calls := callback.ListQuery{Ref: w.want.Ref, After: w.from.after, Oldest: w.want.Oldest, Limit: min(w.want.Limit, 100), Filter: callback.Filter{State: w.want.State, MessageID: w.want.MessageID, Text: w.want.Text}}
	w.pos -= w.from.pos // with a cursor there is no offset
	for !w.more {
		found, err := w.svc.Calls(w.ctx(), calls)
		if err != nil {
			return err
		}
		for i := range found.Calls {
			if err := w.call(&found.Calls[i]); err != nil || w.more {
				return err
			}
		}
		if !found.More || found.Next == 0 {
			return nil
		}
		calls.After = found.Next
	}
	return nil
}

// call adds the attempts of one call of a list.
func (w *walk) call(c *callback.CallView) error {
	if w.plain() && w.pos+c.Entry.Attempts <= w.want.Offset {
		w.pos += c.Entry.Attempts
		return nil
	}
	if w.read++; w.read > maxWalk {
		w.more = true
		return nil
	}
	if c.Entry.Attempts > len(c.Attempts) && !c.Damaged {
		if err := w.complete(c); err != nil {
			return err
		}
	}
	w.add(c, 0)
	return nil
}

// plain reports whether every attempt is wanted, so that those before the
// offset need not be read.
func (w *walk) plain() bool {
	q := &w.want
	return q.Status == 0 && q.Code == 0 && q.Reason == "" && q.Class == "" && q.From.IsZero() && q.To.IsZero()
}

// add adds the attempts of c that are wanted, those behind number after only;
// 0: all.
func (w *walk) add(c *callback.CallView, after int) {
	attempts := slices.Clone(c.Attempts)
	if !w.want.Oldest {
		slices.Reverse(attempts)
	}
	for i := range attempts {
		a := &attempts[i]
		if after != 0 && (w.want.Oldest == (a.Number <= after) || a.Number == after) {
			continue
		}
		if !w.wanted(a) {
			continue
		}
		if w.pos < w.want.Offset {
			w.pos++
			continue
		}
		if len(w.rows) == w.want.Limit {
			w.more = true
			return
		}
		w.rows = append(w.rows, w.row(c, a))
		w.last = cursor{after: c.ID, attempt: a.Number}
	}
	if len(w.rows) == 0 || w.last.after != c.ID {
		w.last = cursor{after: c.ID}
	}
}

func (w *walk) wanted(a *callback.Attempt) bool {
	q := &w.want
	status := callback.ListFailed
	if a.OK {
		status = callback.ListSuccess
	}
	return (q.Status == 0 || q.Status&status != 0) && q.MatchesAttempt(a)
}

func (w *walk) row(c *callback.CallView, a *callback.Attempt) attemptRow {
	r := attemptRow{
		CallID: c.ID, CallbackID: c.CallbackID, MessageID: c.Response.MessageID, Status: "FAILED", attemptShape: attemptOf(a),
		Link: []link{{w.callURL(c.CallbackID, c.ID), "call", "GET"}},
	}
	if a.OK {
		r.Status = "SUCCESS"
	}
	return r
}
