package post

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync"
	"syscall"
	"time"
)

// dialer returns the transports' DialContext. The connection it gives keeps
// the deadline of the connect stage, which then covers a proxy's answer and the
// TLS handshake too; the watch of the attempt that gets it lifts it.
func (p *Poster) dialer() func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Resolver: p.opt.Resolver, ControlContext: p.control}
	if p.opt.Proxy != nil {
		d.ControlContext = nil // the proxy is the administrator's choice; checkTarget has seen the target
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		end := time.Now().Add(p.opt.ConnectTimeout)
		if w, ok := ctx.Value(watchKey{}).(*watch); ok {
			end = w.start.Add(w.connect)
			ctx = w.dials(ctx)
		}
		ctx, cancel := context.WithDeadline(ctx, end)
		defer cancel()
		c, err := d.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if err := c.SetDeadline(end); err != nil {
			c.Close() // the first error counts
			return nil, err
		}
		return &conn{Conn: c, peer: c.RemoteAddr().String()}, nil
	}
}

// conn notes what comes in, and lets a broken pipe be found by the reader.
type conn struct {
	net.Conn
	peer string // its other end

	mu    sync.Mutex
	in    int64   // bytes that came in
	head  [5]byte // the first of them since mark
	heads int
	last  byte
	ended bool // nothing more comes in

	lifted bool // it is free of the deadline of the connect stage
}

// Read implements io.Reader.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in += int64(n)
	c.heads += copy(c.head[c.heads:], b[:n])
	if n > 0 {
		c.last = b[n-1]
	}
	c.ended = c.ended || err != nil
	return n, err
}

// mark returns how many bytes came in, and begins a new answer.
func (c *conn) mark() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heads = 0
	return c.in
}

// lift reports whether the deadline of the connect stage is still to be lifted,
// once. A connection that a transport calls reused may not have been used yet.
func (c *conn) lift() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := !c.lifted
	c.lifted = true
	return first
}

// received returns how many bytes came in.
func (c *conn) received() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.in
}

// cut reports whether an answer began as HTTP does and ended within a line.
// net/http takes such a rest for a whole line, and calls it malformed.
func (c *conn) cut() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended && c.last != '\n' && c.heads > 0 && strings.HasPrefix("HTTP/", string(c.head[:c.heads]))
}

// Write implements io.Writer. An endpoint may answer 413 and hang up while the
// request is still being sent; net/http would then report the failed write and
// drop the answer. So such a failure is passed over: whatever there is to
// read, the answer or the end of the connection, tells the story.
func (c *conn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return len(b), nil
	}
	return n, err
}

// unwrap returns the conn below what a transport uses, or nil.
func unwrap(nc net.Conn) *conn {
	if t, ok := nc.(*tls.Conn); ok {
		nc = t.NetConn()
	}
	c, _ := nc.(*conn)
	return c
}
