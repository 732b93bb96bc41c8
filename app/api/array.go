package api

import (
	"bufio"
	"errors"
	"fmt"
	"maps"
	"net/http"

	"ringback/callback"
)

// Bounds of what is given to the store at once.
const (
	sliceItems = 512
	sliceBytes = 1 << 20 // of bodies
)

// itemCost is what an item of an array costs in memory, beside the body, until
// all are answered: its place, and what became of it or why it was refused.
const itemCost = 384

// maxItems bounds the items of an array: more go by a stream. It leaves room in
// memory for others.
const maxItems = 100_000

// enqueueMany takes an array: what can be stored is, and each item is answered
// in its place when all that is stored is on disk.
func (q *request) enqueueMany(c codec, items [][]byte) error {
	if len(items) == 0 {
		return invalid("the array", wholeBody, "is empty")
	}
	if err := q.manyKeys(); err != nil {
		return err
	}
	if err := q.held.more(int64(len(items)) * itemCost); err != nil {
		return err
	}
	ctx := patience(q.ctx())
	defer ctx.stop()
	out := make([]callback.EnqueueResult, len(items))
	stored := false
	for from := 0; from < len(items); {
		n := sliceOf(items[from:])
		part := out[from : from+n]
		if err := q.store(ctx, c, items[from:from+n], part); err != nil {
			if !stored {
				return err
			}
			for i := range out[from:] {
				out[from+i] = callback.EnqueueResult{Err: err}
			}
			break
		}
		for i := range part {
			stored = stored || part[i].Err == nil
		}
		from += n
	}
	return q.sendMany(out)
}

// manyKeys refuses a key that can belong to one response only.
func (q *request) manyKeys() error {
	if q.r.Header.Get(keyHeader) != "" {
		return invalid("the request", keyHeader, "belongs to one response; of several each has its id")
	}
	return nil
}

// sliceOf returns how many of the items are stored in one go, at least one.
func sliceOf(items [][]byte) (n int) {
	for size := 0; n < min(len(items), sliceItems); n++ {
		if size += len(items[n]); n > 0 && size > sliceBytes {
			break
		}
	}
	return n
}

// store reads items, stores those that can be, and notes of each what became of
// it. An error is the store's, and says that nothing was stored.
func (q *request) store(ctx *patient, c codec, items [][]byte, out []callback.EnqueueResult) error {
	good, place := make([]callback.NewResponse, len(items)), make([]int, 0, len(items))
	for i, raw := range items {
		r := &good[len(place)]
		if out[i].Err = q.read(c, raw, "", r); out[i].Err == nil {
			place = append(place, i)
		}
	}
	if len(place) == 0 {
		return nil
	}
	done, err := q.svc.Enqueue(ctx, good[:len(place)])
	if err != nil {
		return err
	}
	for i := range done {
		out[place[i]] = done[i]
	}
	return nil
}

// sendMany answers an array: 202 when at least one item was stored, 200 when
// there was nothing to store, else what is wrong.
func (q *request) sendMany(out []callback.EnqueueResult) error {
	stored, wrong, later := 0, 0, 0
	for i := range out {
		switch r := &out[i]; {
		case r.Err != nil:
			wrong++
			if callback.ErrorCode(r.Err) == callback.CodeUnavailable {
				later++
			}
		case !r.Repeat && !r.Skipped:
			stored++
		}
	}
	switch {
	case stored > 0:
		return q.sendItems(http.StatusAccepted, out)
	case wrong == 0:
		return q.sendItems(http.StatusOK, out)
	}
	e := &refusal{status: http.StatusUnprocessableEntity, message: "none of the responses was stored"}
	if later == wrong {
		e.status = http.StatusServiceUnavailable
	}
	var b binder
	for i := range out {
		if len(b.faults) == callback.MaxFaults {
			break
		}
		if s := q.itemOf(&out[i]); s.Error != nil {
			b.place(i, s.Error)
		}
	}
	e.fields = b.faults
	return q.refuseItems(e, out)
}

// refuseItems answers an array of which nothing was stored: with what is wrong,
// and each item in its place.
func (q *request) refuseItems(e *refusal, out []callback.EnqueueResult) error {
	p, header, _ := problemOf(e)
	a, err := q.media.codec.around(&p)
	if err != nil {
		return err
	}
	maps.Copy(q.w.Header(), header)
	q.w.Header().Set("Content-Type", q.media.codec.problem)
	q.w.WriteHeader(p.Status)
	q.stream(a, out)
	return nil
}

// itemOf tells what became of an item.
func (q *request) itemOf(r *callback.EnqueueResult) enqueuedShape {
	err := r.Err
	if err == nil {
		var s enqueuedShape
		if s, err = q.enqueued(r); err == nil {
			return s
		}
	}
	return q.refused(err)
}

func (q *request) sendItems(status int, out []callback.EnqueueResult) error {
	a, err := q.media.codec.around(nil)
	if err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", q.media.name)
	q.w.WriteHeader(status)
	q.stream(a, out)
	return nil
}

// stream writes one item after the other, so that a long answer is never whole
// in memory.
func (q *request) stream(a around, out []callback.EnqueueResult) {
	w := bufio.NewWriterSize(q.w, 16<<10)
	line := append(make([]byte, 0, 1<<10), a.head...)
	for i := range out {
		s := q.itemOf(&out[i])
		var err error
		if line, err = a.item(line, &s); err != nil {
			q.log.Error("api: encode an item", "error", err)
			panic(http.ErrAbortHandler) // the status is sent: all that is left is to cut the answer short
		}
		if _, err := w.Write(line); err != nil {
			return // the client left
		}
		line = append(line[:0], a.between...)
	}
	_, err := w.WriteString(a.tail)
	_ = errors.Join(err, w.Flush()) // there is nobody left to tell
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
