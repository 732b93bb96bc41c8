package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"ringback/callback"
)

// trialShape is a sample that was sent, and what came of it.
type trialShape struct {
	ID          string         `json:"id"` // the webhook-id
	Callback    trialTarget    `json:"callback"`
	Success     bool           `json:"success"`
	ContentType string         `json:"contentType"`
	RequestBody string         `json:"requestBody"`
	Attempts    []attemptShape `json:"attempts"` // oldest first
}

type trialTarget struct {
	ID   callback.CallbackID `json:"id,omitzero"` // none: it is not stored
	Name string              `json:"name"`
	URL  string              `json:"url"`
}

// test sends a sample to the callback in the path. It is 200 also when the
// endpoint fails: that is what was asked.
func (q *request) test() error {
	return q.answerTrial(q.svc.Test(q.ctx(), q.ref()))
}

func (q *request) answerTrial(t callback.Trial, err error) error {
	// The server's own deadline is for what it does itself; an endpoint has the
	// limits of its callback.
	if err := http.NewResponseController(q.w).SetWriteDeadline(time.Now().Add(answerTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if err != nil {
		return err
	}
	return q.send(http.StatusOK, trialOf(&t))
}

func trialOf(t *callback.Trial) trialShape {
	s := trialShape{
		ID: t.ID, Callback: trialTarget{t.CallbackID, t.Callback, t.URL}, Success: t.OK(),
		ContentType: t.ContentType, RequestBody: t.RequestBody, Attempts: make([]attemptShape, len(t.Attempts)),
	}
	for i := range t.Attempts {
		s.Attempts[i] = attemptOf(&t.Attempts[i])
	}
	return s
}

func (s *trialShape) domain() callback.Trial {
	t := callback.Trial{
		ID: s.ID, CallbackID: s.Callback.ID, Callback: s.Callback.Name, URL: s.Callback.URL,
		ContentType: s.ContentType, RequestBody: s.RequestBody,
	}
	for i := range s.Attempts {
		t.Attempts = append(t.Attempts, s.Attempts[i].domain())
	}
	return t
}

// trialTime is more than two attempts with the longest limits that a callback
// can have: connecting, sending, and waiting for an answer.
const trialTime = 2 * (time.Minute + 2*10*time.Minute + answerTime)

// Test implements callback.Operator.
func (c *Client) Test(ctx context.Context, ref string) (callback.Trial, error) {
	path, err := callbackPath(ref)
	if err != nil {
		return callback.Trial{}, err
	}
	var s trialShape
	err = c.call(ctx, exchange{method: "POST", path: path + "/test", answer: &s, limit: trialTime})
	return s.domain(), err
}
