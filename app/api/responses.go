package api

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"ringback/callback"
)

// enqueueOne takes one response for the callback in the path.
func (q *request) enqueueOne() error {
	n, err := q.body()
	if err != nil {
		return err
	}
	if n.kind == list {
		return invalid("the response", wholeBody, "is an array; one response comes here, several to /responses")
	}
	r, err := q.readOne(&n)
	if err != nil {
		return err
	}
	if r.Ref != "" && !strings.EqualFold(r.Ref, q.ref()) {
		return invalid("the response", "callbackId", "is not the callback of the path")
	}
	r.Ref = q.ref()
	return q.enqueueSingle(r)
}

// enqueue takes one response or an array of them, each with its callback.
func (q *request) enqueue() error {
	n, err := q.body()
	if err != nil {
		return err
	}
	if n.kind == list {
		return q.enqueueMany(n.kids)
	}
	r, err := q.readOne(&n)
	if err != nil {
		return err
	}
	if r.Ref == "" {
		return invalid("the response", "callbackId", "is required: the id or the name of a callback")
	}
	return q.enqueueSingle(r)
}

func invalid(what, field, message string) *callback.Error {
	return &callback.Error{
		Code: callback.CodeInvalid, Message: what + " is not valid",
		Fields: []callback.FieldError{{Field: field, Message: message}},
	}
}

func (q *request) readOne(n *node) (callback.NewResponse, error) {
	r, err := readResponse(n, time.Now())
	if err != nil {
		return r, err
	}
	return r, q.headerKey(&r)
}

func (q *request) enqueueSingle(r callback.NewResponse) error {
	done, err := q.svc.Enqueue(q.ctx(), []callback.NewResponse{r})
	if err != nil {
		return err
	}
	res := &done[0]
	if res.Err != nil {
		return res.Err
	}
	s, err := q.enqueued(res)
	if err != nil {
		return err
	}
	if !res.Skipped {
		q.w.Header().Set("Location", q.callURL(res.Callback, res.ID))
	}
	if res.Skipped || res.Repeat {
		return q.send(http.StatusOK, s)
	}
	return q.send(http.StatusAccepted, s)
}

// enqueued tells what became of a response that was not refused.
func (q *request) enqueued(r *callback.EnqueueResult) (enqueuedShape, error) {
	if r.Skipped {
		return enqueuedShape{CallbackID: &r.Callback, Status: skipped}, nil
	}
	s := enqueuedShape{
		ID: &r.ID, CallbackID: &r.Callback, Status: statusWord(callback.ListPending), Repeat: r.Repeat,
		Link: q.callLinks(r.Callback, r.ID),
	}
	if !r.Repeat {
		return s, nil
	}
	c, err := q.svc.Call(q.ctx(), r.Callback.String(), r.ID)
	if callback.ErrorCode(err) == callback.CodeNotFound { // retention took it meanwhile
		return s, nil
	}
	s.Status = statusWord(c.Listed())
	return s, err
}

// enqueueMany takes an array: what can be stored is, in one go, and each item
// is answered in its place.
func (q *request) enqueueMany(kids []node) error {
	if len(kids) == 0 {
		return invalid("the array", wholeBody, "is empty")
	}
	if q.r.Header.Get(keyHeader) != "" {
		return invalid("the request", keyHeader, "belongs to one response; in an array each has its id")
	}
	items, failed := q.readMany(kids)
	var good []callback.NewResponse
	for i := range items {
		if failed[i] == nil {
			good = append(good, items[i])
		}
	}
	var done []callback.EnqueueResult
	if len(good) > 0 {
		var err error
		if done, err = q.svc.Enqueue(q.ctx(), good); err != nil {
			return err
		}
	}
	out := make([]enqueuedShape, len(items))
	stored, next := 0, 0
	for i := range items {
		err := failed[i]
		if err == nil {
			res := &done[next]
			next++
			if err = res.Err; err == nil {
				if out[i], err = q.enqueued(res); err == nil && !res.Skipped && !res.Repeat {
					stored++
				}
			}
		}
		if failed[i] = err; err != nil {
			out[i] = q.refused(err)
		}
	}
	return q.sendMany(out, stored, failed)
}

// readMany reads the items of an array; failed holds why one is not usable.
func (q *request) readMany(kids []node) (items []callback.NewResponse, failed []error) {
	items, failed = make([]callback.NewResponse, len(kids)), make([]error, len(kids))
	now := time.Now()
	for i := range kids {
		items[i], failed[i] = readResponse(&kids[i], now)
		if failed[i] == nil && items[i].Ref == "" {
			failed[i] = invalid("the response", "callbackId", "is required: the id or the name of a callback")
		}
	}
	return items, failed
}

// refused tells why an item was not stored.
func (q *request) refused(err error) enqueuedShape {
	p, _, ok := problemOf(err)
	if !ok {
		q.log.Error("api: enqueue an item", "error", err)
	}
	p.Type = ""
	return enqueuedShape{Error: &p}
}

// sendMany answers an array: 202 when at least one item was stored, 200 when
// there was nothing to store, else what is wrong.
func (q *request) sendMany(out []enqueuedShape, stored int, failed []error) error {
	e := &refusal{status: http.StatusUnprocessableEntity, message: "none of the responses was stored", items: out}
	wrong, later := 0, 0
	var b binder
	for i, err := range failed {
		if err == nil {
			continue
		}
		wrong++
		b.place(i, out[i].Error)
		if callback.ErrorCode(err) == callback.CodeUnavailable {
			later++
		}
	}
	switch {
	case stored > 0:
		return q.send(http.StatusAccepted, out)
	case wrong == 0:
		return q.send(http.StatusOK, out)
	case later == wrong:
		e.status = http.StatusServiceUnavailable
	}
	e.fields = b.faults
	return e
}

// place notes what is wrong with the i-th item of an array.
func (b *binder) place(i int, p *problem) {
	at := fmt.Sprintf("[%d]", i)
	if len(p.Errors) == 0 {
		b.fail(at, "%s", p.Detail)
	}
	for _, f := range p.Errors {
		if f.Field == wholeBody {
			b.fail(at, "%s", f.Message)
		} else {
			b.fail(at+"."+f.Field, "%s", f.Message)
		}
	}
}
