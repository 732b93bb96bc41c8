package cli

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"

	"ringback/app/config"
)

// TestDoorsShareTheConnections has both doors open: together they take no more
// than one alone may, and each has some.
func TestDoorsShareTheConnections(t *testing.T) {
	t.Parallel()
	most := connections()
	for _, socket := range []string{"", filepath.Join(t.TempDir(), "s")} {
		d, err := listen(t.Context(), &config.HTTP{Listen: "127.0.0.1:0", Socket: socket}, config.Source{})
		if err != nil {
			t.Fatal(err)
		}
		far, near := cap(d.tcp.(*limited).slots), 0
		if d.unix != nil {
			near = cap(d.unix.(*limited).slots)
		}
		if far+near != most || far <= near || (near > 0) != (socket != "") {
			t.Errorf("socket %q: %d and %d connections, of %d", socket, far, near, most)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestLimit has more clients than a listener takes: the last waits, and is
// served when another leaves.
func TestLimit(t *testing.T) {
	t.Parallel()
	inner, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := limit(inner, 2)
	accepted := make(chan net.Conn)
	ended := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				ended <- err
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		return c
	}
	first, _, third := dial(), dial(), dial()
	served := []net.Conn{<-accepted, <-accepted}
	if n := len(l.slots); n != 2 {
		t.Fatalf("%d slots are taken, want both", n)
	}
	select {
	case <-accepted:
		t.Fatal("a third connection was accepted")
	default:
	}
	if _, ok := served[0].(*limitedConn).NetConn().(*net.TCPConn); !ok {
		t.Error("the connection itself cannot be reached, which streams ask how their readers do")
	}
	if err := served[0].(*limitedConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("after CloseWrite: %v", err)
	}
	for range 2 { // the second time it gives no slot back
		_ = served[0].Close() // it may be closed
	}
	last := <-accepted
	if last.RemoteAddr().String() != third.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", last.RemoteAddr(), third.LocalAddr())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept after Close: %v", err)
	}
	_ = errors.Join(last.Close(), served[1].Close(), l.Close()) // the listener is closed
	if len(l.slots) != 0 {
		t.Errorf("%d slots are taken by nobody", len(l.slots))
	}
}
