package api

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strconv"

	"ringback/callback"
)

// problem is an error as it is sent (RFC 9457).
type problem struct {
	Type      string                `json:"type,omitempty"`
	Title     string                `json:"title"`
	Status    int                   `json:"status"`
	Detail    string                `json:"detail,omitempty"`
	Errors    []callback.FieldError `json:"errors,omitempty"`
	RequestID string                `json:"requestId,omitempty"` // of an internal error, as in the log
	Items     []enqueuedShape       `json:"items,omitempty"`     // of an array of which nothing was stored
}

// refusal is an error of HTTP itself, for which the domain has no code.
type refusal struct {
	status  int
	message string
	fields  []callback.FieldError
	header  http.Header
}

// Error implements error.
func (e *refusal) Error() string { return e.message }

var statusOf = map[callback.Code]int{
	callback.CodeMalformed:   http.StatusBadRequest,
	callback.CodeInvalid:     http.StatusUnprocessableEntity,
	callback.CodeNotFound:    http.StatusNotFound,
	callback.CodeConflict:    http.StatusConflict,
	callback.CodeStale:       http.StatusPreconditionFailed,
	callback.CodeForbidden:   http.StatusForbidden,
	callback.CodeUnavailable: http.StatusServiceUnavailable,
}

// codeOf returns the code of an answer's status; "" for an internal error.
func codeOf(status int) callback.Code {
	for code, s := range statusOf {
		if s == status {
			return code
		}
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return callback.CodeInvalid
	case status == http.StatusUnauthorized:
		return callback.CodeForbidden
	case status == http.StatusTooManyRequests:
		return callback.CodeUnavailable
	case status >= 400 && status < 500:
		return callback.CodeMalformed
	}
	return ""
}

// retryAfter is how many seconds a client is asked to wait when we cannot take
// something now.
const retryAfter = 10

// problemOf returns how err is sent, and the headers that belong to it. ok is
// false for an internal error.
func problemOf(err error) (p problem, header http.Header, ok bool) {
	if e, is := errors.AsType[*refusal](err); is {
		p = problem{Status: e.status, Detail: e.message, Errors: e.fields}
		header = e.header
	} else if e, is := errors.AsType[*callback.Error](err); is && statusOf[e.Code] != 0 {
		p = problem{Status: statusOf[e.Code], Detail: e.Message, Errors: e.Fields}
	} else {
		p = problem{Status: http.StatusInternalServerError, Detail: "internal error"}
	}
	p.Type, p.Title = "about:blank", http.StatusText(p.Status) // no more meaning than the status has
	if p.Status == http.StatusServiceUnavailable {
		header = http.Header{"Retry-After": {strconv.Itoa(retryAfter)}}
	}
	return p, header, p.Status != http.StatusInternalServerError
}

// fail answers a request with what went wrong; an internal error is logged
// here, and nowhere else.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, header, ok := problemOf(err)
	if !ok {
		if errors.Is(err, context.Canceled) && r.Context().Err() != nil {
			return // the client went away, nobody reads an answer
		}
		p.RequestID = rand.Text()[:12]
		h.log.LogAttrs(r.Context(), slog.LevelError, "api: internal error", slog.String("request", p.RequestID),
			slog.String("method", r.Method), slog.String("path", callback.Sanitize(r.URL.Path, 200)), slog.Any("error", err))
	}
	m, ok := negotiate(r.Header.Values("Accept"), problems)
	if !ok {
		m = problems[0]
	}
	body, err := m.codec.encode(p)
	if err != nil {
		h.log.Error("api: encode a problem", "error", err)
		p.Status, body = http.StatusInternalServerError, nil
	}
	maps.Copy(w.Header(), header)
	write(w, p.Status, m.codec.problem, body)
}

// write sends a whole answer. An error of writing means that the client left.
func write(w http.ResponseWriter, status int, media string, body []byte) {
	h := w.Header()
	h["Content-Type"], h["Content-Length"] = []string{media}, []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body) // there is nobody left to tell
}
