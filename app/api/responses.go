package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"ringback/callback"
)

// enqueueTime bounds how long an enqueue waits for the store to take it. What it
// took it stores, however long that is.
const enqueueTime = 10 * time.Second

// enqueueOne takes one response for the callback in the path, or a stream of
// them.
func (q *request) enqueueOne() error { return q.take(q.ref()) }

// enqueue takes one response, an array or a stream of them, each with its
// callback.
func (q *request) enqueue() error { return q.take("") }

// take takes responses for the callback ref, or, where it is "", for those that
// they name.
func (q *request) take(ref string) error {
	if inLines(q.r) {
		return q.enqueueLines(ref)
	}
	c, raw, err := q.payload()
	if err != nil {
		return err
	}
	if c.split != nil && first(raw) == '[' {
		items, err := c.split(raw, min(q.maxValues(), maxItems))
		switch {
		case err != nil:
			return err
		case ref != "":
			return invalid("the response", wholeBody, "is an array; one response comes here, several to /responses")
		}
		return q.enqueueMany(c, items)
	}
	items := make([]callback.NewResponse, 1)
	if err := q.read(c, raw, ref, &items[0]); err != nil {
		return err
	}
	if err := q.headerKey(&items[0]); err != nil {
		return err
	}
	return q.enqueueSingle(items)
}

// first returns the first byte of a JSON text that means something, or 0.
func first(raw []byte) byte {
	for _, c := range raw {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// read reads one response for the callback ref, or, where that is "", for the
// one that it names.
func (q *request) read(c codec, raw []byte, ref string, r *callback.NewResponse) error {
	if c.plain == nil || !c.plain(raw, r) {
		held := hold{budget: q.held.budget} // of others than who reads a stream
		defer held.free()
		n, err := q.tree(c, raw, &held)
		if err != nil {
			return err
		}
		if *r, err = readResponse(&n, time.Now()); err != nil {
			return err
		}
	}
	switch {
	case ref == "" && r.Ref == "":
		return invalid("the response", "callbackId", "is required: the id or the name of a callback")
	case ref == "":
	case r.Ref != "" && !q.same(ref, r.Ref):
		return invalid("the response", "callbackId", "is not the callback of the path")
	default:
		r.Ref = ref
	}
	return nil
}

// same reports whether a response names the callback of the path: by the same
// word, or by its name here and its id there.
func (q *request) same(ref, named string) bool {
	if ref == named {
		return true
	}
	h, err := q.svc.Callback(q.ctx(), ref)
	return err == nil && (h.Name == named || strings.EqualFold(h.ID.String(), named))
}

func invalid(what, field, message string) *callback.Error {
	return &callback.Error{
		Code: callback.CodeInvalid, Message: what + " is not valid",
		Fields: []callback.FieldError{{Field: field, Message: message}},
	}
}

// enqueueSingle stores the one item.
func (q *request) enqueueSingle(items []callback.NewResponse) error {
	ctx := patience(q.ctx())
	defer ctx.stop()
	done, err := q.svc.Enqueue(ctx, items)
	if err != nil {
		return err
	}
	res := &done[0]
	if res.Err != nil {
		return q.byHeader(res.Err)
	}
	s, err := q.enqueued(res)
	if err != nil {
		return err
	}
	if !res.Skipped {
		q.w.Header()["Location"] = []string{s.Link[0].URI}
	}
	status := http.StatusAccepted
	if res.Skipped || res.Repeat {
		status = http.StatusOK
	}
	if q.media.codec.item == nil {
		return q.send(status, s)
	}
	body, err := q.media.codec.item((*q.raw)[:0], &s) // nothing of the request is needed any more
	if err != nil {
		return err
	}
	write(q.w, status, q.media.name, body)
	return nil
}

// byHeader names the header where err is about the key that came in it.
func (q *request) byHeader(err error) error {
	e, ok := err.(*callback.Error)
	if !ok || q.r.Header.Get(keyHeader) == "" {
		return err
	}
	named := *e
	named.Fields = slices.Clone(e.Fields)
	for i := range named.Fields {
		if named.Fields[i].Field == "id" {
			named.Fields[i].Field = keyHeader
		}
	}
	return &named
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

// refused tells why an item was not stored.
func (q *request) refused(err error) enqueuedShape {
	p, _, ok := problemOf(err)
	if !ok {
		q.log.Error("api: enqueue an item", "error", err)
	}
	return enqueuedShape{Error: &p}
}

// patient is a context that ends when somebody waited for it for enqueueTime.
// Nearly nobody does, so its timer is made only then.
type patient struct {
	context.Context
	start  sync.Once
	timed  context.Context
	cancel context.CancelFunc
}

func patience(ctx context.Context) *patient { return &patient{Context: ctx} }

// Done implements context.Context.
func (p *patient) Done() <-chan struct{} {
	p.start.Do(func() { p.timed, p.cancel = context.WithTimeout(p.Context, enqueueTime) })
	return p.timed.Done()
}

// Err implements context.Context.
func (p *patient) Err() error {
	p.Done()
	return p.timed.Err()
}

// stop ends the timer, where there is one.
func (p *patient) stop() {
	p.start.Do(func() { p.timed, p.cancel = p.Context, func() {} })
	p.cancel()
}
