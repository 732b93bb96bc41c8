package api

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"testing"
)

// TestHeldBySystem has real connections on which more is written than the system
// takes: what it holds is told, until its reader took it.
func TestHeldBySystem(t *testing.T) {
	t.Parallel()
	for network, address := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // a test
		reader, err := (&net.Dialer{}).DialContext(t.Context(), network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close() // a test
		conn, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close() // a test
		type buffered interface {
			SetReadBuffer(n int) error
			SetWriteBuffer(n int) error
		}
		if err := errors.Join(reader.(buffered).SetReadBuffer(64<<10), conn.(buffered).SetWriteBuffer(64<<10)); err != nil {
			t.Fatal(err)
		}
		h, ok := withConn(t.Context(), wrapped{wrapped{conn}}).Value(holderKey{}).(holder)
		if !ok {
			t.Fatalf("%s: a connection that cannot be asked", network)
		}
		if n, ok := h.held(); n != 0 || !ok {
			t.Errorf("%s: %d bytes are held of a new connection, %v", network, n, ok)
		}
		const size = 4 << 20
		go func() {
			for range size >> 20 {
				_, _ = conn.Write(make([]byte, 1<<20)) // what is missing is found below
			}
		}()
		for n := 0; n == 0; n, _ = h.held() {
			runtime.Gosched()
		}
		if n, err := io.CopyN(io.Discard, reader, size); err != nil {
			t.Fatalf("%s: %d bytes came, %v", network, n, err)
		}
		for n := 1; n > 0; n, _ = h.held() {
			runtime.Gosched() // the acknowledgement is on its way
		}
	}
}
