package cli

import (
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"ringback/callback"
)

// porch stands before the API's handler. While the appliance ends it turns away
// whatever would change something, and answers questions to the last; and it
// outlives a panic, for one request must not end the deliveries of all.
type porch struct {
	next    http.Handler
	closing <-chan struct{} // closed when the appliance ends
	log     *slog.Logger
}

// over reports whether a channel is closed that nothing is sent on.
func over(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// comeBack is how many seconds a client is asked to wait for the next start.
const comeBack = "10"

// ServeHTTP implements http.Handler.
func (p *porch) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer p.recovered(w, r)
	if over(p.closing) && r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Retry-After", comeBack)
		w.Header().Set("Connection", "close")
		p.problem(w, http.StatusServiceUnavailable, "it is shutting down; nothing more is accepted")
		return
	}
	p.next.ServeHTTP(w, r)
}

func (p *porch) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	switch {
	case v == nil:
	case v == http.ErrAbortHandler:
		panic(v)
	default:
		p.log.Error("panic while answering", "panic", v, "method", text(r.Method, 20), "path", text(r.URL.Path, 200), "stack", string(debug.Stack()))
		p.problem(w, http.StatusInternalServerError, "internal error")
	}
}

// problem answers with problem details (RFC 9457). detail is our own text.
func (p *porch) problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, err := fmt.Fprintf(w, `{"type":"about:blank","title":%q,"status":%d,"detail":%q}`, http.StatusText(status), status, detail)
	if err != nil {
		p.log.Debug("answer a request", "err", callback.Sanitize(err.Error(), 200)) // the client left
	}
}
