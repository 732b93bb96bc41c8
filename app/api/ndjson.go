package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"ringback/callback"
)

// idle is how long a stream of responses may stand still, its sender or the
// reader of its answers, before it is cut.
const idle = 60 * time.Second

// maxStreams bounds how many streams are open at once. Whatever is in it, each
// has its buffers, of some 40 KiB.
const maxStreams = 512

// writeAtOnce bounds, in bytes, what is written under one deadline. Who takes
// less than that in the time of idle is cut.
const writeAtOnce = 4 << 10

// enqueueLines takes a stream of responses, one a line, and answers each with a
// line in the same order when it is on disk. While one batch is committed the
// next is read; nothing waits for a batch to fill.
//
// A sender must take the answers while it sends: what it does not take is not
// kept in memory, so the stream stands still, and is cut.
func (q *request) enqueueLines(ref string) error {
	if err := errors.Join(asIs(q.r), q.manyKeys()); err != nil {
		return err
	}
	if ref != "" { // nothing of it could be stored
		if _, err := q.svc.Callback(q.ctx(), ref); err != nil {
			return err
		}
	}
	select {
	case q.places <- struct{}{}:
		defer func() { <-q.places }()
	default:
		return soon(fmt.Sprintf("%d streams are open, and there is no room for more; try again soon", maxStreams))
	}
	q.held.budget = q.streams
	s := &intake{request: q, ref: ref, control: http.NewResponseController(q.w), ready: make(chan *batch, 1)}
	s.life, s.cancel = context.WithCancel(q.ctx())
	defer s.cancel()
	if err := s.open(); err != nil {
		return err
	}
	var others sync.WaitGroup
	over := make(chan struct{})
	defer func() {
		v := recover()
		s.stop()
		close(over)
		others.Wait()
		if v != nil || s.broken {
			s.log.Error("api: panic", "panic", v, "path", callback.Sanitize(q.r.URL.Path, 200), "stack", string(debug.Stack()))
			panic(http.ErrAbortHandler) // the status is sent: all that is left is to cut the answer short
		}
	}()
	others.Go(s.read)
	others.Go(func() {
		select {
		case <-q.ending:
		case <-q.handler.stop:
		case <-over:
			return
		}
		s.cut()
	})
	s.answer()
	return nil
}

// intake is one stream of responses on its way to the store.
type intake struct {
	*request
	ref     string // callback of the path; "": each names its own
	control *http.ResponseController
	ready   chan *batch // from read to answer; closed at the end
	out     []byte      // of answer: what is not written yet
	broken  bool        // read panicked
	tired   bool        // of read: memory was waited for, and none came

	life   context.Context // of read: it ends with a cut
	cancel context.CancelFunc

	mu  sync.Mutex // guards what follows, and that no deadline is set behind a cut
	end bool       // nothing more is read
}

// batch is what is stored in one go.
type batch struct {
	good  []callback.NewResponse
	lines []numbered
	bytes int
	held  hold
}

// numbered is one line of a batch.
type numbered struct {
	number int
	err    error // why it is not in good
}

// batches are those that were done with. A stream that stands still has none.
var batches = sync.Pool{New: func() any { return new(batch) }}

// full reports whether nothing more should be added.
func (b *batch) full() bool { return len(b.lines) >= sliceItems || b.bytes >= sliceBytes }

// join adds what is in c, if there is room for it.
func (b *batch) join(c *batch) bool {
	if len(b.lines)+len(c.lines) > sliceItems || b.bytes+c.bytes > sliceBytes {
		return false
	}
	b.good, b.lines, b.bytes = append(b.good, c.good...), append(b.lines, c.lines...), b.bytes+c.bytes
	b.held.n += c.held.n
	c.held.n = 0
	return true
}

// open sends the status and makes the connection carry both directions at once.
func (s *intake) open() error {
	// Only where there is no connection, as within one process, it cannot be done.
	err := s.control.EnableFullDuplex()
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if err := s.mayWrite(); err != nil {
		return err
	}
	if s.r.Header.Get("Expect") != "" {
		s.w.WriteHeader(http.StatusContinue)
	}
	h := s.w.Header()
	h.Set("Content-Type", s.media.name)
	h.Set("X-Accel-Buffering", "no")
	h.Set("Connection", "close") // where a stream was cut no other request can begin
	s.w.WriteHeader(http.StatusAccepted)
	return s.control.Flush()
}

// mayWrite gives the reader of the answers time for the next piece.
func (s *intake) mayWrite() error {
	err := s.control.SetWriteDeadline(time.Now().Add(idle))
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// errEnd ends the reading of a stream from our side.
var errEnd = errors.New("the stream is ended")

// readAtOnce bounds, in bytes, what is read under one deadline.
const readAtOnce = 4 << 10

// Read implements io.Reader: the body, which may stand still for so long.
func (s *intake) Read(p []byte) (int, error) {
	s.mu.Lock()
	err := error(nil)
	if s.end {
		err = errEnd
	} else if err = s.control.SetReadDeadline(time.Now().Add(idle)); errors.Is(err, http.ErrNotSupported) {
		err = nil
	}
	s.mu.Unlock()
	if err != nil {
		return 0, err
	}
	// A chunk is read to its end, or until p is full; so p is small.
	return s.r.Body.Read(p[:min(len(p), readAtOnce)])
}

// cut ends the reading, also one that waits for the sender.
func (s *intake) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = true
	s.cancel()
	if s.control.SetReadDeadline(time.Now()) != nil {
		_ = s.r.Body.Close() // within one process this wakes the reader
	}
}

// read reads lines until there are no more, and gives them on as soon as the
// next would have to be waited for.
func (s *intake) read() {
	defer close(s.ready)
	defer func() {
		if v := recover(); v != nil { // one request must not end the deliveries
			s.broken = true
			s.log.Error("api: panic", "panic", v, "stack", string(debug.Stack()))
		}
	}()
	in := newLineReader(s, int(s.maxBody), s.held.budget)
	defer in.free()
	var b *batch // nil: nothing waits to be handed on
	defer func() { s.reuse(b) }()
	for {
		raw, err := in.next()
		if err != nil && !errors.As(err, new(*refusal)) {
			if !errors.Is(err, io.EOF) {
				s.log.Debug("api: a stream of responses ended", "line", in.number, "error", err)
			}
			b = s.hand(b)
			return
		}
		b = s.batch(b)
		if err == nil && !s.charge(b, in, len(raw)) {
			b = s.batch(s.hand(b)) // so that what is held for it comes back
			err = s.await(b, lineCost(len(raw)))
		}
		if s.life.Err() != nil {
			return
		}
		s.add(b, in.number, raw, err)
		if b.full() || !in.more() {
			b = s.hand(b)
		}
	}
}

// charge takes the memory for a line of n bytes, and reports whether it is there
// already, as it is for a long one: its reader held it.
func (s *intake) charge(b *batch, in *lineReader, n int) bool {
	if in.held.n > 0 {
		in.held.pass(&b.held, lineCost(n))
		return true
	}
	if b.held.more(lineCost(n)) != nil {
		return false
	}
	s.tired = false
	return true
}

// await waits until there is memory for n bytes, but not for ever: others may
// hold it that do not go on either. The stream itself holds nothing meanwhile
// that another could wait for. Who waited in vain does not wait for the next.
func (s *intake) await(b *batch, n int64) error {
	if s.tired {
		return overloaded()
	}
	ctx, cancel := context.WithTimeout(s.life, enqueueTime)
	defer cancel()
	if b.held.wait(ctx, n) != nil {
		s.tired = true
		return overloaded()
	}
	return nil
}

// batch returns b, or where there is none an empty one.
func (s *intake) batch(b *batch) *batch {
	if b == nil {
		b = batches.Get().(*batch)
		b.held.budget = s.held.budget
	}
	return b
}

// reuse takes a batch back, where there is one.
func (s *intake) reuse(b *batch) {
	if b == nil {
		return
	}
	b.held.free()
	clear(b.good) // its texts must not live on
	clear(b.lines)
	b.good, b.lines, b.bytes = b.good[:0], b.lines[:0], 0
	batches.Put(b)
}

// add reads what is in a line, unless the line itself could not be read.
func (s *intake) add(b *batch, number int, raw []byte, err error) {
	n := len(b.good)
	if err == nil {
		b.good = append(b.good, callback.NewResponse{})
		if err = s.request.read(s.media.codec, raw, s.ref, &b.good[n]); err != nil {
			b.good = b.good[:n]
		}
	}
	b.lines = append(b.lines, numbered{number, err})
	b.bytes += len(raw)
}

// hand gives a batch on. One that was not taken yet is made larger instead. It
// returns nil: what is handed on is not the reader's any more.
func (s *intake) hand(b *batch) *batch {
	if b == nil || len(b.lines) == 0 {
		s.reuse(b)
		return nil
	}
	select {
	case waiting := <-s.ready:
		if waiting.join(b) {
			s.reuse(b)
			b = waiting
		} else {
			s.ready <- waiting // there is room: nobody else sends
		}
	default:
	}
	s.ready <- b
	return nil
}

// answer stores batches and answers their lines until there are no more.
func (s *intake) answer() {
	for b := range s.ready {
		if err := s.store(b); err != nil {
			s.log.Debug("api: a stream of responses is not answered", "error", callback.Sanitize(err.Error(), 200))
			return
		}
	}
}

// stop ends the stream: what is read and not stored is dropped.
func (s *intake) stop() {
	s.cut()
	for b := range s.ready {
		s.reuse(b)
	}
	// The server reads on for as long, so that what was sent behind the end does
	// not keep the client from reading the answers; and it ends them.
	_ = s.control.SetReadDeadline(time.Now().Add(time.Second)) // it works, or there is no connection
	_ = s.mayWrite()                                           // likewise
}

// store stores a batch and answers its lines. An error means that the stream
// cannot go on.
func (s *intake) store(b *batch) error {
	defer s.reuse(b)
	var done []callback.EnqueueResult
	var failed error
	if !s.still() {
		failed = errGone
	} else if len(b.good) > 0 {
		ctx := patience(s.ctx())
		done, failed = s.svc.Enqueue(ctx, b.good)
		ctx.stop()
	}
	next := 0
	for _, l := range b.lines {
		r := callback.EnqueueResult{Err: l.err}
		if l.err == nil && failed == nil {
			r = done[next]
			next++
		} else if l.err == nil {
			r.Err = failed
		}
		if err := s.line(l.number, &r); err != nil {
			return err
		}
	}
	err := errors.Join(s.write(), s.control.Flush())
	if err == nil && failed != nil && (callback.ErrorCode(failed) == "" || failed == errGone) {
		err = failed // it will not get better
	}
	return err
}

// line adds the answer to one line.
func (s *intake) line(number int, r *callback.EnqueueResult) error {
	shape := s.itemOf(r)
	if shape.Error != nil {
		shape.Line = number
	}
	var err error
	if s.out, err = s.media.codec.item(s.out, &shape); err != nil {
		return err
	}
	if s.out = append(s.out, '\n'); len(s.out) < writeAtOnce {
		return nil
	}
	return s.write()
}

// write writes what is there, a piece at a time.
func (s *intake) write() error {
	out := s.out
	s.out = s.out[:0]
	for len(out) > 0 {
		n := min(len(out), writeAtOnce)
		if err := s.mayWrite(); err != nil {
			return err
		}
		if _, err := s.w.Write(out[:n]); err != nil {
			return err
		}
		out = out[n:]
	}
	return s.mayWrite()
}
