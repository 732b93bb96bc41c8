package api

import (
	"context"
	"net"
	"sync"

	"ringback/callback"
)

// pipeListener gives a server connections that run in a bubble's time.
type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error { l.once.Do(func() { close(l.done) }); return nil }

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() net.Conn {
	near, far := net.Pipe()
	l.conns <- far
	return near
}

func (l *pipeListener) dialContext(context.Context, string, string) (net.Conn, error) {
	return l.dial(), nil
}

// fixedWatch tells of changes when the test says so.
type fixedWatch struct {
	*fixed
	revs chan uint64
}

func newFixedWatch() *fixedWatch { return &fixedWatch{newFixed(), make(chan uint64)} }

func (f *fixedWatch) Watch(context.Context) (<-chan uint64, error) { return f.revs, nil }

var _ callback.Watcher = (*fixedWatch)(nil)
