package api

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// roomy is a connection whose system takes all that is written, however little
// its reader takes.
type roomy struct {
	net.Conn // for what is read

	mu     sync.Mutex
	kept   int // bytes that nobody took
	most   int // that there ever were
	closed bool
}

func (c *roomy) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept += len(b)
	c.most = max(c.most, c.kept)
	return len(b), nil
}

// take has the reader take n bytes, and reports whether the connection is closed.
func (c *roomy) take(n int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept -= min(n, c.kept)
	return c.closed
}

func (c *roomy) held() (int, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept, true
}

func (c *roomy) drop() {}

func (c *roomy) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.Conn.Close()
}

// roomyListener has every connection taken for the last one, for which the
// system takes everything.
type roomyListener struct {
	*pipeListener
	last *roomy
}

func (l *roomyListener) Accept() (net.Conn, error) {
	conn, err := l.pipeListener.Accept()
	l.last = &roomy{Conn: conn}
	return wrapped{l.last}, err
}

// wrapped is a connection as that of TLS is around another.
type wrapped struct{ net.Conn }

func (w wrapped) NetConn() net.Conn { return w.Conn }

// restless has callbacks that always change, more than a stream may be ahead.
type restless struct {
	*fixedWatch
	asked uint64
}

func (r *restless) Callbacks(_ context.Context, q callback.CallbackQuery) ([]callback.Health, int, error) {
	r.asked++
	const n = 100
	all := make([]callback.Health, n)
	for i := range all {
		all[i] = r.health
		all[i].ID, all[i].Live.Counts.Accepted = callback.CallbackID(i+1), r.asked
	}
	return all[min(q.Offset, n):], n, nil
}

// TestWatchOfARoomySystem has readers that take nothing, and slow ones, while
// the system takes all that is written: the first are cut after 10 seconds,
// whether much changes or nothing, the others never. Nobody is sent much that he
// does not take.
func TestWatchOfARoomySystem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		changes bool
		much    bool // and all callbacks, every time
		takes   int  // bytes every 5 seconds
		cut     time.Duration
	}{
		{"nothing changes, nothing is taken", false, false, 0, stalled},
		{"much changes, nothing is taken", true, true, 0, stalled},
		{"much changes, little is taken", true, true, 100, 0},
		{"little changes, less is taken", true, false, 10, 0},
		{"much changes, all is taken", true, true, 10 << 20, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			watch := newFixedWatch()
			svc := callback.Service(watch)
			if c.much {
				svc = &restless{fixedWatch: watch}
			}
			l, s := &roomyListener{pipeListener: newPipeListener()}, Server(New(Options{Service: svc}))
			ended := make(chan error, 1)
			go func() { ended <- s.Serve(l) }()
			conn := l.dial()
			fmt.Fprint(conn, "GET /watch HTTP/1.1\r\nHost: localhost\r\n\r\n")
			start, cut := time.Now(), time.Duration(0)
			for tick := 1; cut == 0 && tick < 4*60*10; tick++ { // ten minutes
				time.Sleep(250 * time.Millisecond)
				if c.changes {
					select {
					case watch.revs <- uint64(tick):
					default: // it waits for its reader
					}
				}
				takes := 0
				if tick%20 == 0 {
					takes = c.takes
				}
				if l.last.take(takes) {
					cut = time.Since(start)
				}
			}
			if cut < c.cut || cut > c.cut+2*glance {
				t.Errorf("%s: cut after %v, want %v", c.name, cut, c.cut)
			}
			if most := l.last.most; most > ahead+(8<<10) {
				t.Errorf("%s: %d bytes were sent that nobody took", c.name, most)
			}
			_ = conn.Close() // a test
			if err := s.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			if err := <-ended; err != http.ErrServerClosed {
				t.Error(err)
			}
		})
	}
}
