package api

import (
	"net/url"

	"ringback/callback"
)

// This file holds the shapes of the public contract: callbacks, calls and
// responses, with what ringback adds to them.

// link leads from one resource to another.
type link struct {
	URI    string `json:"uri"`
	Rel    string `json:"rel"`
	Method string `json:"method"`
}

// callbackShape is a callback as it is sent.
type callbackShape struct {
	ID             callback.CallbackID `json:"id"`
	Name           string              `json:"name"`
	URL            string              `json:"url"`
	Auth           *authShape          `json:"auth,omitzero"`
	ContentType    string              `json:"contentType"`
	RemoveHTML     string              `json:"removeHTML"`
	RetriesEnabled bool                `json:"retriesEnabled"`
	Email          string              `json:"email"`
	Callbacks      kindsShape          `json:"callbacks"`

	Description           string             `json:"description,omitempty"`
	Alerts                callback.AlertMode `json:"alerts,omitempty"`
	SigningSecret         string             `json:"signingSecret,omitempty"`
	PreviousSigningSecret string             `json:"previousSigningSecret,omitempty"`
	MaxInFlight           int                `json:"maxInFlight,omitzero"`
	RatePerSecond         float64            `json:"ratePerSecond,omitzero"`
	Ordered               bool               `json:"ordered,omitzero"`
	ConnectTimeout        string             `json:"connectTimeout,omitempty"`
	ResponseTimeout       string             `json:"responseTimeout,omitempty"`
	CA                    string             `json:"ca,omitempty"`
	Headers               paramsShape        `json:"headers,omitempty"`

	State      string       `json:"state"`
	StateSince stamp        `json:"stateSince,omitzero"`
	Version    uint64       `json:"version"`
	CreatedAt  stamp        `json:"createdAt,omitzero"`
	UpdatedAt  stamp        `json:"updatedAt,omitzero"`
	Health     *healthShape `json:"health,omitzero"` // when asked for
	Link       []link       `json:"link"`
}

// authShape says how an endpoint recognises us; the key is a mask in answers.
type authShape struct {
	Type *string `json:"type,omitzero"`
	Key  *string `json:"key,omitzero"`
}

// kindsShape says which kinds of response are delivered.
type kindsShape struct {
	Reply         string `json:"reply,omitempty"`
	Undeliverable string `json:"undeliverable,omitempty"`
}

// callbackList is a page of callbacks.
type callbackList struct {
	listHead
	Callbacks []callbackShape `json:"callbacks"`
	listTail
}

func enabledWord(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

// callback returns h as it is sent; whole: with how it does.
func (q *request) callback(h *callback.Health, whole bool) callbackShape {
	cb := &h.Callback
	s := callbackShape{
		ID: cb.ID, Name: cb.Name, URL: cb.URL, Email: cb.Email, Description: cb.Description,
		ContentType: cb.ContentType.String(), RemoveHTML: enabledWord(cb.RemoveHTML), RetriesEnabled: cb.Retries,
		Callbacks: kindsShape{Reply: enabledWord(!cb.NoReplies), Undeliverable: enabledWord(!cb.NoUndelivers)},
		Alerts:    cb.Alerts, SigningSecret: cb.SigningSecret.String(), PreviousSigningSecret: cb.PreviousSecret.String(),
		MaxInFlight: cb.MaxInFlight, RatePerSecond: cb.RatePerSecond, Ordered: cb.Ordered,
		ConnectTimeout: durationWord(cb.ConnectTimeout), ResponseTimeout: durationWord(cb.ResponseTimeout),
		CA: cb.CA, Headers: cb.Headers,
		State: h.Live.State.String(), StateSince: stamp(h.Live.ShownSince()),
		Version: cb.Version, CreatedAt: stamp(cb.CreatedAt), UpdatedAt: stamp(cb.UpdatedAt),
		Link: q.callbackLinks(cb.ID),
	}
	if cb.Auth.Type != callback.AuthNone {
		kind, key := cb.Auth.Type.String(), cb.Auth.Key.String()
		s.Auth = &authShape{Type: &kind, Key: &key}
	}
	if whole {
		s.Health = healthOf(h)
	}
	return s
}

func (q *request) callbackURL(id callback.CallbackID) string {
	return q.base() + "/callbacks/" + id.String()
}

func (q *request) callURL(id callback.CallbackID, call callback.CallID) string {
	return q.base() + "/callbacks/" + id.String() + "/calls/" + call.String()
}

func (q *request) callbackLinks(id callback.CallbackID) []link {
	self := q.callbackURL(id)
	return []link{
		{self, "self", "GET"},
		{self, "update", "PUT"},
		{self, "delete", "DELETE"},
		{self + "/calls", "calls", "GET"},
		{self + "/calls", "retrieveCallbackHistory", "GET"},
	}
}

func (q *request) callLinks(id callback.CallbackID, call callback.CallID) []link {
	self := q.callURL(id, call)
	return []link{
		{self, "updateCall", "PUT"},
		{self, "updateCallbackHistory", "PUT"},
		{self, "self", "GET"},
	}
}

// callShape is a call as it is sent.
type callShape struct {
	ID               callback.CallID `json:"id"`
	MessageID        string          `json:"messageId"`
	MessageLocation  string          `json:"messageLocation"`
	Status           string          `json:"status"`
	From             fromShape       `json:"from"`
	ResponseMessage  messageShape    `json:"responseMessage"`
	CustomParameters paramsShape     `json:"customParameters,omitempty"`
	Callback         calledShape     `json:"callback"`

	State           callback.CallState `json:"state"`
	Reason          string             `json:"reason,omitempty"`
	EnqueuedDate    stamp              `json:"enqueuedDate,omitzero"`
	DeliverAt       stamp              `json:"deliverAt,omitzero"`
	FirstFailedDate stamp              `json:"firstFailedDate,omitzero"`
	NextAttemptDate stamp              `json:"nextAttemptDate,omitzero"`
	GiveUpDate      stamp              `json:"giveUpDate,omitzero"`
	FinishedDate    stamp              `json:"finishedDate,omitzero"`
	ResolvedBy      string             `json:"resolvedBy,omitempty"`
	ResolvedDate    stamp              `json:"resolvedDate,omitzero"`
	IdempotencyKey  string             `json:"idempotencyKey,omitempty"`
	Running         bool               `json:"running,omitzero"`         // an attempt runs
	Manual          bool               `json:"manual,omitzero"`          // that a person asked for
	Run             *runShape          `json:"runningAttempt,omitempty"` // of one call only
	Damaged         bool               `json:"damaged,omitzero"`
	AttemptCount    int                `json:"attemptCount"`
	Attempts        []attemptShape     `json:"attempts"`
	RequestBody     string             `json:"requestBody,omitempty"` // what is POSTed; of one call only
	Link            []link             `json:"link"`
}

// runShape is an attempt that runs.
type runShape struct {
	Since stamp          `json:"sinceDate,omitzero"`
	Stage callback.Stage `json:"stage"`
	To    string         `json:"to,omitempty"`
}

type fromShape struct {
	Name   string `json:"name"`
	MRI    string `json:"mri"`
	Mobile string `json:"mobile"`
	Email  string `json:"email"`
	Voice  string `json:"voice"`
}

type messageShape struct {
	Channel       string `json:"channel"`
	Acknowledged  string `json:"acknowledged,omitempty"`
	Undeliverable string `json:"undeliverable,omitempty"`
	Content       string `json:"content"`
}

// calledShape is the last attempt of a call; without one, the callback alone.
type calledShape struct {
	ID            callback.CallbackID `json:"id"`
	Name          string              `json:"name"`
	URL           string              `json:"url"`
	AttemptedDate stamp               `json:"attemptedDate,omitzero"`
	StatusCode    *int                `json:"statusCode,omitzero"`
	StatusMessage *string             `json:"statusMessage,omitzero"`
}

// callList is a page of calls.
type callList struct {
	listHead
	Calls  []callShape `json:"calls"`
	Looked uint64      `json:"looked,omitzero"` // for this page, where a filter selects
	listTail
}

// callOf returns c as it is sent.
func (q *request) callOf(c *callback.CallView) callShape {
	r := &c.Response
	s := callShape{
		ID: c.ID, MessageID: r.MessageID, MessageLocation: r.MessageLocation, Status: statusWord(c.Listed()),
		From: fromShape(r.From), ResponseMessage: messageShape(r.Message), CustomParameters: r.Params,
		Callback: calledShape{ID: c.CallbackID, Name: c.Callback, URL: c.URL},
		State:    c.State, Reason: c.Reason.String(), EnqueuedDate: stamp(c.Enqueued), DeliverAt: stamp(r.DeliverAt),
		FirstFailedDate: stamp(c.FirstFailed), GiveUpDate: stamp(c.GivesUp), FinishedDate: stamp(c.Finished),
		ResolvedBy: c.ResolvedBy, IdempotencyKey: r.Key, Running: c.Running, Manual: c.Manual, Damaged: c.Damaged,
		AttemptCount: c.Entry.Attempts, Attempts: []attemptShape{}, RequestBody: c.RequestBody,
		Link: q.callLinks(c.CallbackID, c.ID),
	}
	if c.Entry.Status == callback.Ready {
		s.NextAttemptDate = stamp(c.Due)
	}
	if c.Reason == callback.Resolved {
		s.ResolvedDate = stamp(c.Finished)
	}
	if r := c.Run; r != nil {
		s.Run = &runShape{stamp(r.Since), r.Stage, r.To}
	}
	for i := range c.Attempts {
		s.Attempts = append(s.Attempts, attemptOf(&c.Attempts[i]))
	}
	if n := len(c.Attempts); n > 0 {
		last := &s.Attempts[n-1]
		s.Callback.AttemptedDate, s.Callback.StatusCode, s.Callback.StatusMessage = last.AttemptedDate, &last.StatusCode, &last.StatusMessage
	}
	return s
}

func statusWord(s callback.CallStatus) string {
	for _, w := range statusWords {
		if w.status == s {
			return w.word
		}
	}
	return ""
}

// enqueuedShape tells what became of a response.
type enqueuedShape struct {
	ID         *callback.CallID     `json:"id,omitzero"`
	CallbackID *callback.CallbackID `json:"callbackId,omitzero"`
	Status     string               `json:"status,omitempty"`
	Repeat     bool                 `json:"repeat,omitzero"` // it had been enqueued before
	Link       []link               `json:"link,omitempty"`
	Error      *problem             `json:"error,omitzero"`
	Line       int                  `json:"line,omitzero"` // of a stream, on which the refused item stands
}

// skipped is the status of a response whose kind the callback does not want.
const skipped = "SKIPPED"

// responseShape is a response as a Client sends it.
type responseShape struct {
	ID               string       `json:"id,omitempty"`
	CallbackID       string       `json:"callbackId"`
	MessageID        string       `json:"messageId,omitempty"`
	MessageLocation  string       `json:"messageLocation,omitempty"`
	From             fromShape    `json:"from"`
	ResponseMessage  messageShape `json:"responseMessage"`
	CustomParameters paramsShape  `json:"customParameters,omitempty"`
	DeliverAt        stamp        `json:"deliverAt,omitzero"`
}

// statusShape is the body that changes the status of calls.
type statusShape struct {
	Status string `json:"status"`
}

// escape makes a reference one segment of a path.
func escape(ref string) string { return url.PathEscape(ref) }
