package api

import (
	"context"
	"errors"
	"hash/maphash"
	"net/http"
	"strings"
	"time"

	"ringback/callback"
)

// A stream's times.
const (
	stalled   = 10 * time.Second // a reader that takes nothing for so long is cut
	heartbeat = 15 * time.Second // a line goes out at least so often
)

// watch streams how the callbacks do: all of them first, then each that
// changed. It sends the latest state only, however fast things change.
func (q *request) watch() error {
	m, ok := negotiate(q.r.Header.Values("Accept"), streams)
	if !ok {
		return &refusal{status: http.StatusNotAcceptable, message: "Accept allows none of what can be sent: " + strings.Join(names(streams), ", ")}
	}
	ctx, cancel := context.WithCancel(q.ctx())
	defer cancel()
	revs, err := q.svc.Watch(ctx) // before the first look, so that no change is missed
	if err != nil {
		return err
	}
	s := stream{
		request: q, out: http.NewResponseController(q.w), pace: newPace(q.r),
		shown: make(map[callback.CallbackID]shown), seed: maphash.MakeSeed(),
	}
	// The server's own deadlines are for requests that end.
	if err := errors.Join(s.out.SetReadDeadline(time.Time{}), s.out.SetWriteDeadline(time.Now().Add(stalled))); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", m.name)
	q.w.Header().Set("X-Accel-Buffering", "no")
	q.w.WriteHeader(http.StatusOK)
	if q.r.Method == http.MethodHead {
		return nil
	}
	if q.observer != nil {
		defer q.observer.Viewing(q.viewer())()
	}
	err = s.run(revs)
	if err != nil && ctx.Err() == nil {
		q.log.Debug("api: watch ended", "error", err)
	}
	if errors.Is(err, errStalled) {
		panic(http.ErrAbortHandler) // or the connection would stay, to be used again
	}
	return nil
}

// stream is one reader of changes.
type stream struct {
	*request
	out   *http.ResponseController
	pace  *pace
	seed  maphash.Seed
	shown map[callback.CallbackID]shown
	round uint64
}

// shown is what a reader last saw of a callback.
type shown struct {
	sum   uint64 // of its line
	round uint64 // when it was last there
	name  string
}

func (s *stream) run(revs <-chan uint64) error {
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	look := time.NewTicker(glance)
	defer look.Stop()
	rev := uint64(0)
	if err := s.changes(rev); err != nil {
		return err
	}
	for {
		var open bool
		select {
		case rev, open = <-revs:
			if !open {
				return nil
			}
			if err := s.changes(rev); err != nil {
				return err
			}
		case <-beat.C:
			if !s.still() {
				return errGone
			}
			if err := s.line(watchLine{Rev: rev}); err != nil {
				return err
			}
			if err := s.flush(); err != nil {
				return err
			}
		case <-look.C:
			if _, err := s.pace.look(time.Now()); err != nil {
				return err
			}
		case <-s.stop:
			return nil
		case <-s.ctx().Done(): // the reader left
			return nil
		}
	}
}

// changes sends every callback that is not as it was last sent, and at least
// one line.
func (s *stream) changes(rev uint64) error {
	if !s.still() {
		return errGone
	}
	s.round++
	sent := 0
	send := func(h *healthShape) error {
		sent++
		return s.line(watchLine{Rev: rev, Callback: h})
	}
	for offset := 0; ; {
		found, total, err := s.svc.Callbacks(s.ctx(), callback.CallbackQuery{Limit: callback.MaxPage, Offset: offset})
		if err != nil {
			return err
		}
		for i := range found {
			if err := s.one(&found[i], send); err != nil {
				return err
			}
		}
		if offset += len(found); len(found) == 0 || offset >= total {
			break
		}
	}
	for id, was := range s.shown {
		if was.round == s.round {
			continue
		}
		delete(s.shown, id)
		if err := send(gone(id, was.name)); err != nil {
			return err
		}
	}
	if sent == 0 {
		if err := s.line(watchLine{Rev: rev}); err != nil {
			return err
		}
	}
	return s.flush()
}

// gone tells that a callback was deleted; of what it was, only its name is known.
func gone(id callback.CallbackID, name string) *healthShape {
	return &healthShape{
		ID: id, Name: name, Deleted: true,
		State: callback.Healthy.String(), Gate: gateShape{State: callback.Closed.String()},
	}
}

// one sends a callback if it changed.
func (s *stream) one(h *callback.Health, send func(*healthShape) error) error {
	shape := healthOf(h)
	b, err := encodeJSON(shape)
	if err != nil {
		return err
	}
	now := shown{sum: maphash.Bytes(s.seed, b), round: s.round, name: h.Name}
	was, known := s.shown[h.ID]
	s.shown[h.ID] = now
	if known && was.sum == now.sum {
		return nil
	}
	return send(shape)
}

func (s *stream) line(l watchLine) error {
	b, err := encodeJSON(l)
	if err != nil {
		return err
	}
	if err := s.room(); err != nil {
		return err
	}
	defer s.pace.wrote()
	if err := s.out.SetWriteDeadline(time.Now().Add(stalled)); err != nil {
		return err
	}
	_, err = s.w.Write(append(b, '\n'))
	return err
}

func (s *stream) flush() error {
	defer s.pace.wrote()
	return s.out.Flush()
}

// room waits until the reader is not too far behind.
func (s *stream) room() error {
	for {
		if n, err := s.pace.look(time.Now()); err != nil || n <= ahead {
			return err
		}
		select {
		case <-time.After(gaze):
		case <-s.stop:
			return errEnd
		case <-s.ctx().Done():
			return s.ctx().Err()
		}
	}
}
