package post

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http/httptrace"
	"sync"
	"time"

	"ringback/callback"
)

// Why a watch ended an attempt.
var (
	errConnectTime = errors.New("connect deadline")
	errAnswerTime  = errors.New("answer deadline")
	errDrainTime   = errors.New("drain deadline")
)

type watchKey struct{}

// watch follows one attempt through its stages by httptrace, measures each, and
// cancels the attempt when one takes too long. A transport may call it from its
// own goroutines, and late: a dial outlives the request it was begun for.
type watch struct {
	start             time.Time
	connect, response time.Duration
	cancel            context.CancelCauseFunc
	job               *job // for who looks

	mu    sync.Mutex
	timer *time.Timer
	fires time.Time // when it does
	until time.Time // the deadline of this stage
	why   error     // what it ends with
	over  bool

	dns, dial, tls span
	dialling       string // address of the last dial begun
	peer           string // address connected to, or tried last
	got            bool   // there is a connection
	reused         bool
	conn           *conn
	before         int64 // bytes that had come in on it when it was got
	sent, first    time.Time
	version        uint16
	ends           time.Time // of the certificate
}

// span is the time a stage took; not over while its end is zero.
type span struct{ from, to time.Time }

func (s span) running() bool { return !s.from.IsZero() && s.to.IsZero() }

// took returns how long the stage took, up to now where it is not over.
func (s span) took(now time.Time) time.Duration {
	if s.from.IsZero() {
		return 0
	}
	if s.to.IsZero() {
		return now.Sub(s.from)
	}
	return s.to.Sub(s.from)
}

func newWatch(start time.Time, connect, response time.Duration, cancel context.CancelCauseFunc) *watch {
	w := &watch{start: start, connect: connect, response: response, cancel: cancel}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit(connect, errConnectTime)
	return w
}

// with returns ctx as a transport must get it for w to see what it does. secure:
// there may be a TLS handshake. What dialling calls it gets from dials: most
// attempts are on a connection that was kept.
func (w *watch) with(ctx context.Context, secure bool) context.Context {
	ctx = context.WithValue(ctx, watchKey{}, w) // for the dialler, which is handed nothing else
	t := &httptrace.ClientTrace{GotConn: w.gotConn, WroteRequest: w.wrote, GotFirstResponseByte: w.answer}
	if secure {
		t.TLSHandshakeStart = func() { w.see(func(now time.Time) { w.tls = span{from: now} }) }
		t.TLSHandshakeDone = func(tls.ConnectionState, error) { w.see(func(now time.Time) { w.tls.to = now }) }
	}
	return httptrace.WithClientTrace(ctx, t)
}

// dials returns ctx as a dialler must get it for w to see what it does.
func (w *watch) dials(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:     func(httptrace.DNSStartInfo) { w.see(func(now time.Time) { w.dns.from = now }) },
		DNSDone:      func(httptrace.DNSDoneInfo) { w.see(func(now time.Time) { w.dns.to = now }) },
		ConnectStart: func(_, addr string) { w.see(func(now time.Time) { w.dialStart(addr, now) }) },
		ConnectDone:  func(_, addr string, err error) { w.see(func(now time.Time) { w.dialDone(addr, err, now) }) },
	})
}

// see runs f for what happens before there is a connection.
func (w *watch) see(f func(now time.Time)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over && !w.got {
		f(time.Now())
	}
}

func (w *watch) dialStart(addr string, now time.Time) {
	if w.dial.from.IsZero() {
		w.dial.from = now
	}
	w.dial.to = time.Time{}
	w.dialling = addr
}

func (w *watch) dialDone(addr string, err error, now time.Time) {
	if w.dial.to = now; err == nil || !errors.Is(err, errDenied) {
		w.peer = addr
	}
}

func (w *watch) gotConn(info httptrace.GotConnInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	w.got, w.reused, w.conn = true, info.Reused, unwrap(info.Conn)
	if w.conn != nil {
		w.peer = w.conn.peer
	} else {
		w.peer = info.Conn.RemoteAddr().String()
	}
	if t, ok := info.Conn.(*tls.Conn); ok {
		cs := t.ConnectionState()
		if w.version = cs.Version; len(cs.PeerCertificates) > 0 {
			w.ends = cs.PeerCertificates[0].NotAfter
		}
	}
	if w.reused {
		w.dns, w.dial, w.tls = span{}, span{}, span{}
	}
	if w.conn != nil {
		w.before = w.conn.mark()
	}
	if w.conn == nil || w.conn.lift() {
		// Lift the deadline of the connect stage, which the dialler set.
		_ = info.Conn.SetDeadline(time.Time{}) // a connection that is closed already says so when it is used
	}
	w.sent = time.Now()
	w.limit(w.response, errAnswerTime)
}

func (w *watch) wrote(info httptrace.WroteRequestInfo) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over || info.Err != nil {
		return
	}
	w.sent = time.Now()
	w.limit(w.response, errAnswerTime)
}

// answer notes the first byte of the answer.
func (w *watch) answer() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = time.Now()
}

// draining replaces the deadline by that of the answer's body.
func (w *watch) draining(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.limit(d, errDrainTime)
	w.over = true
}

// limit sets the deadline of the stage that begins. w.mu is held. A deadline
// that is further off than the timer leaves it alone: it looks again when it
// fires, which it hardly ever does.
func (w *watch) limit(d time.Duration, why error) {
	now := time.Now()
	w.until, w.why = now.Add(d), why
	switch {
	case w.timer == nil:
		w.fires, w.timer = w.until, time.AfterFunc(d, w.fire)
	case w.until.Before(w.fires):
		w.fires = w.until
		w.timer.Reset(d)
	}
}

// fire ends the attempt whose deadline has come.
func (w *watch) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if left := time.Until(w.until); left > 0 {
		w.fires = w.until
		w.timer.Reset(left)
		return
	}
	w.cancel(w.why) // nothing where the attempt is over
}

// end stops the deadline; the watch then ignores what it is told.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	w.over = true
}

// answered reports whether a byte of an answer arrived.
func (w *watch) answered() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.first.IsZero()
}

// unasked reports whether an answer was there before its request was sent:
// no byte came in since the connection was got.
func (w *watch) unasked() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reused && w.conn != nil && w.conn.received() == w.before
}

// cut reports whether an answer ended in the middle of its headers.
func (w *watch) cut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.conn != nil && w.conn.cut()
}

// report writes what was measured into a.
func (w *watch) report(a *callback.Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := a.Started.Add(a.Duration)
	a.Timing = callback.Timing{DNS: w.dns.took(now), Connect: w.dial.took(now), TLS: w.tls.took(now)}
	if !w.first.IsZero() && !w.sent.IsZero() {
		a.Timing.FirstByte = max(w.first.Sub(w.sent), 0)
	}
	a.Reused, a.Peer, a.CertEnds = w.reused, w.peer, w.ends
	if w.version != 0 {
		a.TLS = tls.VersionName(w.version)
	}
	if a.Peer == "" && w.dial.running() {
		a.Peer = w.dialling
	}
}

// stage is how far an attempt got.
type stage uint8

const (
	atDNS stage = iota
	atDial
	atProxy // connected to the proxy, which has not answered yet
	atTLS
	atAnswer
)

// reached returns the stage at which the attempt stands, and the address it is
// or was connecting to.
func (w *watch) reached(proxied bool) (stage, string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	addr := w.peer
	if addr == "" {
		addr = w.dialling
	}
	switch {
	case w.got:
		return atAnswer, addr
	case !w.tls.from.IsZero():
		return atTLS, addr
	case proxied && !w.dial.to.IsZero():
		return atProxy, addr
	case !w.dial.from.IsZero():
		return atDial, addr
	}
	return atDNS, addr
}
