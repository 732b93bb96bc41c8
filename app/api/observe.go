package api

import (
	"net/http"
	"strings"
	"time"

	"ringback/callback"
)

// Observer takes note of what passes. Its methods must be quick, and may be
// called by several goroutines at once.
type Observer interface {
	// Answered tells of an answer: its status, the name of the key it was asked
	// with ("": none), whether it is one to a request that enqueues and is read as
	// a whole, and how long it took from the request's headers.
	Answered(status int, key string, enqueues bool, took time.Duration)
	// Viewing tells that somebody begins to follow GET /watch. What it returns is
	// called when that ends.
	Viewing(v callback.Viewer) (left func())
}

// noted is an answer on its way, of which an observer is told.
type noted struct {
	http.ResponseWriter
	began    time.Time
	status   int
	key      string
	enqueues bool
}

// WriteHeader implements http.ResponseWriter.
func (a *noted) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (a *noted) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *noted) tell(o Observer) {
	if a.status == 0 {
		a.status = http.StatusOK // as net/http has it
	}
	o.Answered(a.status, a.key, a.enqueues, time.Since(a.began))
}

// known notes whose request it is, and what for.
func known(w http.ResponseWriter, r *http.Request, rt *route, who *caller) {
	a, ok := w.(*noted)
	if !ok {
		return // nobody observes
	}
	if who.keyed {
		a.key = who.name
	}
	a.enqueues = rt.method == http.MethodPost && strings.HasSuffix(rt.pattern, "/responses") && !inLines(r)
}

// viewer tells who follows by this request.
func (q *request) viewer() callback.Viewer {
	from := q.r.RemoteAddr
	if overSocket(q.r) {
		from = "socket"
	}
	return callback.Viewer{By: q.by(), From: from, Role: q.caller.role, ReadOnly: !q.caller.role.May(operator)}
}
