package api

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes that are in memory at once of what is sent, whatever
// the number of connections. What is not there yet costs nothing: a slow sender
// holds what it sent.
type budget struct {
	left *semaphore.Weighted
	size int64
}

// Sizes of the budgets, in bytes, or four of the largest bodies where that is
// more. Streams have one of their own: they wait for room, and while one waits
// nobody else can take any.
const (
	bodyMemory   = 64 << 20
	streamMemory = 32 << 20
)

func newBudget(size, maxBody int64) budget {
	size = max(size, 4*maxBody)
	return budget{semaphore.NewWeighted(size), size}
}

// hold is a part of a budget that one request has. One goroutine uses it, and
// gives it back with free.
type hold struct {
	budget
	n int64
}

// more takes n bytes more, or refuses the request for now.
func (h *hold) more(n int64) error {
	if !h.left.TryAcquire(n) {
		return overloaded()
	}
	h.n += n
	return nil
}

// wait takes n bytes more, and waits until they are there.
func (h *hold) wait(ctx context.Context, n int64) error {
	if err := h.left.Acquire(ctx, n); err != nil {
		return err
	}
	h.n += n
	return nil
}

// pass hands all that is held on, but for what is more than n bytes: that it
// gives back. Both are of one budget.
func (h *hold) pass(to *hold, n int64) {
	n = min(n, h.n)
	to.n += n
	h.n -= n
	h.free()
}

// free gives back what is held.
func (h *hold) free() {
	h.left.Release(h.n)
	h.n = 0
}

// nodeCost is about what a node takes, beside its texts: it stands in a slice
// that grows.
const nodeCost = 128

// payAhead is how much is taken at once for nodes, so that a small document takes
// once.
const payAhead = 4 << 10

// room bounds a tree, and pays for it while it grows.
type room struct {
	left int   // how many more nodes may come
	held *hold // who pays; nil: nobody
	paid int64 // and not used yet
}

// node makes room for a node with so many bytes of text.
func (r *room) node(text int) error {
	if r.left--; r.left < 0 {
		return errMany
	}
	return r.pay(nodeCost + int64(text))
}

// pay makes room for n bytes.
func (r *room) pay(n int64) error {
	if r.held == nil {
		return nil
	}
	if r.paid < n {
		more := max(n-r.paid, payAhead)
		if err := r.held.more(more); err != nil {
			return err
		}
		r.paid += more
	}
	r.paid -= n
	return nil
}

func overloaded() error { return soon("more is being sent than fits into memory; try again soon") }

// soon refuses what there is no room for at present.
func soon(message string) error {
	return &refusal{
		status:  http.StatusTooManyRequests,
		message: message,
		header:  http.Header{"Retry-After": {"1"}, "Connection": {"close"}},
	}
}

// firstBuffer is the size of the buffer that a body is read into before more of
// it came, keptBuffer the largest that is kept for the next request.
const (
	firstBuffer = 4 << 10
	keptBuffer  = 64 << 10
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, firstBuffer); return &b }}
