package cli

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// maxConnections bounds how many connections there are at once. Each costs some
// tens of KiB; more than that wait in the backlog of the system.
const maxConnections = 4096

// Of the files that the process may have open half are for connections that come
// in, a quarter for attempts, an eighth for connections that are kept for others,
// and the rest for the store, which must never be without. It takes one for each
// table and each 16 MiB of responses.

// descriptors returns how many files the process may have open.
func descriptors() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 8 * maxConnections
	}
	return int(min(l.Cur, 1<<30))
}

// connections returns how many connections all doors have at once.
func connections() int { return min(maxConnections, max(descriptors()/2, 16)) }

// attempts returns how many attempts may run at once where so many were asked for.
func attempts(asked int) int { return min(asked, max(descriptors()/4, 4)) }

// kept returns how many connections that nothing uses one host may have, and all of
// them twice that, where so many attempts run at once.
func kept(attempts int) int { return min(attempts, max(descriptors()/16, 2)) }

// ownFiles is how many files are open beside those: logs, sockets, series, mail.
const ownFiles = 32

// forStore returns how many files are left to the store where so many attempts may
// run at once and everything else takes what it may.
func forStore(attempts int) int {
	return max(descriptors()-connections()-attempts-2*kept(attempts)-ownFiles, 1)
}

// limited is a listener that accepts no more than a number of connections at
// once.
type limited struct {
	net.Listener
	slots chan struct{}
	done  chan struct{} // closed by Close
	once  sync.Once
}

func limit(ln net.Listener, most int) *limited {
	return &limited{Listener: ln, slots: make(chan struct{}, most), done: make(chan struct{})}
}

// Accept implements net.Listener. It waits until a connection is closed while
// there are too many.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.slots <- struct{}{}:
	case <-l.done:
		return nil, net.ErrClosed
	}
	conn, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &limitedConn{Conn: conn, slots: l.slots}, nil
}

// Close implements net.Listener.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// limitedConn gives its slot back when it is closed.
type limitedConn struct {
	net.Conn
	slots <-chan struct{}
	once  sync.Once
}

// NetConn returns the connection itself, as that of a tls.Conn does.
func (c *limitedConn) NetConn() net.Conn { return c.Conn }

// Close implements net.Conn.
func (c *limitedConn) Close() error {
	defer c.once.Do(func() { <-c.slots })
	return c.Conn.Close()
}

// CloseWrite closes one direction: the server does so before it closes a
// connection on which more comes than it reads, so that its answer is read.
func (c *limitedConn) CloseWrite() error {
	if w, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return w.CloseWrite()
	}
	return errors.ErrUnsupported
}
