package api

import (
	"net/http"

	"ringback/callback"
)

// listAttempts is the flat view: one row for each attempt, by when it began.
// status, statusCode, statusMessage, class and the bounds of time choose
// attempts, the other filters their calls.
func (q *request) listAttempts() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	lq, from := query.calls()
	if from.after != 0 && from.at == 0 {
		query.fail("cursor", "is not one of a list of attempts")
	}
	if err := query.done(); err != nil {
		return err
	}
	found, err := q.svc.Attempts(q.ctx(), q.ref(), callback.AttemptQuery{
		Filter: lq.Filter, After: from.key(), Oldest: lq.Oldest, Limit: lq.Limit, Offset: lq.Offset,
	})
	if err != nil {
		return err
	}
	p := page{
		pos: from.pos + found.Skipped, rows: len(found.Attempts), limit: lq.Limit, total: found.Total, exact: found.Exact,
		more: found.More, cursor: from.after != 0,
	}
	if found.More {
		p.next = cursor{
			after: found.Next.ID, pos: p.pos + p.rows, skip: lq.Offset - found.Skipped,
			at: found.Next.At.UnixMilli(), attempt: found.Next.Number,
		}.String()
	}
	out := attemptList{Attempts: make([]attemptRow, len(found.Attempts))}
	out.listHead, out.listTail = q.list(p)
	for i := range found.Attempts {
		out.Attempts[i] = q.attemptRow(&found.Attempts[i])
	}
	return q.send(http.StatusOK, out)
}

func (q *request) attemptRow(a *callback.AttemptView) attemptRow {
	r := attemptRow{
		CallID: a.ID, CallbackID: a.CallbackID, Callback: a.Callback, MessageID: a.MessageID, Status: "FAILED", attemptShape: attemptOf(&a.Attempt),
		Link: []link{{q.callURL(a.CallbackID, a.ID), "call", "GET"}},
	}
	if a.OK {
		r.Status = "SUCCESS"
	}
	return r
}

func (r *attemptRow) domain() callback.AttemptView {
	return callback.AttemptView{
		CallAttempt: callback.CallAttempt{Attempt: r.attemptShape.domain(), ID: r.CallID, MessageID: r.MessageID},
		CallbackID:  r.CallbackID, Callback: r.Callback,
	}
}
