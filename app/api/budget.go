package api

import (
	"context"
	"net/http"
	"sync"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes of bodies that are in memory at once, whatever the
// number of connections. What is not there yet costs nothing: a slow sender
// holds what it sent.
type budget struct{ left *semaphore.Weighted }

// newBudget returns a budget that has room for four of the largest bodies at
// least.
func newBudget(maxBody int64) budget {
	return budget{semaphore.NewWeighted(max(64<<20, 4*maxBody))}
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

// free gives back what is held.
func (h *hold) free() {
	h.left.Release(h.n)
	h.n = 0
}

func overloaded() error {
	return &refusal{
		status:  http.StatusTooManyRequests,
		message: "more is being sent than fits into memory; try again soon",
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
