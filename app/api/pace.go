package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"syscall"
	"time"
)

// A write to a connection ends when the system has the bytes, and the system may
// take megabytes for a reader that takes none. So a stream asks what the system
// still holds for its reader. Of TCP that is what the other machine did not
// acknowledge: what waits there for a program counts as taken.

// ahead is how many bytes a stream lets the system hold. It is less than any
// system has room for, so that writes do not wait, and a slow reader gets the
// latest state rather than all that were.
const ahead = 32 << 10

// How often a stream looks how its reader does: while it has nothing to say, and
// while it waits for the reader.
const (
	glance = time.Second
	gaze   = 20 * time.Millisecond
)

// errStalled ends the stream of a reader that takes nothing.
var errStalled = errors.New("the reader took nothing for " + stalled.String())

// holder is a connection, as far as it tells how many bytes the system holds
// for its reader; ok is false where it cannot be known. It is closed after drop
// without what is held, for which the system would wait long.
type holder interface {
	held() (n int, ok bool)
	drop()
}

type holderKey struct{}

// withConn lets the handler look at a request's connection; net/http has no way
// for that but the context.
func withConn(ctx context.Context, conn net.Conn) context.Context {
	for {
		inner, ok := conn.(interface{ NetConn() net.Conn }) // as of TLS
		if !ok {
			break
		}
		conn = inner.NetConn()
	}
	if h, ok := conn.(holder); ok {
		return context.WithValue(ctx, holderKey{}, h)
	}
	if sys, ok := conn.(syscall.Conn); ok {
		return context.WithValue(ctx, holderKey{}, holder(socket{sys}))
	}
	return ctx
}

// socket is a connection of the system's.
type socket struct{ syscall.Conn }

// drop implements holder. Of a unix socket the reader has what is held.
func (s socket) drop() {
	if tcp, ok := s.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it may be closed
	}
}

// pace follows how a stream's reader does. One goroutine uses it.
type pace struct {
	conn  holder // nil: nothing is known
	last  int    // bytes held when it was looked at last, or written to
	since time.Time
}

func newPace(r *http.Request) *pace {
	conn, _ := r.Context().Value(holderKey{}).(holder)
	return &pace{conn: conn, since: time.Now()}
}

func (p *pace) held() int {
	if p.conn == nil {
		return 0
	}
	n, _ := p.conn.held()
	return n
}

// look reports how many bytes are held, or errStalled: then the connection must be
// closed.
func (p *pace) look(now time.Time) (int, error) {
	n := p.held()
	if n == 0 || n < p.last {
		p.since = now
	}
	p.last = n
	if now.Sub(p.since) >= stalled {
		p.conn.drop()
		return n, errStalled
	}
	return n, nil
}

// wrote notes that what is held may have grown.
func (p *pace) wrote() { p.last = p.held() }
