package alert

import (
	"sync"
	"time"

	"ringback/callback"
)

// server is what is known of the mail server.
type server struct {
	mu    sync.Mutex
	since time.Time // when it began to fail; zero: it works, as far as we know
	fault callback.MailError
	sent  uint64
	last  time.Time
}

// Status reports whether mail works, as far as the last try tells, and if not,
// what is wrong, in one sanitised line for the screen.
func (e *Engine) Status() (ok bool, note string) {
	if e.o.Mailer == nil {
		return false, "no mail server is configured: alerts are kept, none is sent"
	}
	s := &e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.since.IsZero() {
		return true, ""
	}
	what := "the mail server cannot be used"
	switch s.fault.Stage {
	case "connect", "greeting":
		what = "the mail server is down"
	case "starttls":
		what = "the mail server gives no encrypted connection"
	case "auth":
		what = "the mail server refuses our sign-in"
	case "from":
		what = "the mail server refuses our sender address"
	}
	what += " since " + s.since.UTC().Format("2006-01-02 15:04 MST") + ": " + s.fault.Reply
	return false, callback.Sanitize(what, maxReply)
}

// Sent returns how many alerts the mail server took since the engine was made,
// and when it took the last; zero: none yet.
func (e *Engine) Sent() (n uint64, last time.Time) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	return e.server.sent, e.server.last
}

// took counts an alert that the mail server took.
func (e *Engine) took(now time.Time) {
	e.server.mu.Lock()
	defer e.server.mu.Unlock()
	e.server.sent++
	e.server.last = now
}

// note takes down what a try tells of the server; f is nil when it took a mail.
func (e *Engine) note(now time.Time, f *callback.MailError) {
	s := &e.server
	s.mu.Lock()
	defer s.mu.Unlock()
	down := !s.since.IsZero()
	switch {
	case serverFault(f):
		if !down {
			s.since = now
			e.o.Log.Warn("mail server fails", "stage", f.Stage, "reply", replyOf(f))
		}
		s.fault = *f
	case down:
		s.since = time.Time{}
		e.o.Log.Info("mail server works again")
	}
}

// serverFault reports whether f would meet any other mail too, and not only
// this one with its recipient.
func serverFault(f *callback.MailError) bool {
	if f == nil {
		return false
	}
	switch f.Stage {
	case "rcpt", "data":
		return f.Code == 0 || f.Code == 421 // the connection broke; the server is closing
	case "address":
		return false
	}
	return true
}
