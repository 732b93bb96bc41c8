package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowConnections has a thousand connections that each send a little now and
// then: of headers, of a body, of a stream. Counted is what they hold while good
// clients come, each of whom is answered in no time; later the slow ones are cut.
func TestSlowConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Service: newFixed()})
		l, s := newPipeListener(), Server(h)
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		begun := []string{
			"POST /responses HTTP/1.1\r\nHost: localhost\r\nX-A: ",
			"POST /responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n{",
			"POST /responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000000\r\n\r\n{",
		}
		const slow = 1000
		var conns []net.Conn
		var cut atomic.Int64
		defer func() {
			for _, conn := range conns {
				_ = conn.Close() // it may be closed
			}
			_ = s.Close() // it ends the server
			<-ended
			time.Sleep(time.Second) // who sends sees it
		}()
		for i := range slow {
			conn := l.dial()
			go func() {
				for _, c := range begun[i%len(begun)] {
					if _, err := conn.Write([]byte{byte(c)}); err != nil {
						return
					}
				}
				for {
					time.Sleep(time.Second)
					if _, err := conn.Write([]byte{'x'}); err != nil {
						return
					}
				}
			}()
			go func() {
				_, _ = io.Copy(io.Discard, conn) // it ends with the connection
				cut.Add(1)
			}()
			conns = append(conns, conn)
		}
		time.Sleep(3500 * time.Millisecond)
		m := h.(*handler)
		if n := len(m.places); n != slow/len(begun) {
			t.Errorf("%d streams are open", n)
		}
		bodies := int64(slow/len(begun)+1) * firstBuffer
		for name, left := range map[string]struct {
			budget
			size int64
		}{"bodies": {m.memory, m.memory.size - bodies}, "streams": {m.streams, m.streams.size}} {
			if !left.left.TryAcquire(left.size) {
				t.Fatalf("%s: slow connections hold more memory than they sent", name)
			}
			left.left.Release(left.size)
		}
		start := time.Now()
		for _, kind := range []string{"application/json", "application/x-ndjson"} {
			for range 50 {
				conn := l.dial()
				in := bufio.NewReader(conn)
				go fmt.Fprintf(conn, "POST /responses HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", kind, len(longLine), longLine)
				res, err := http.ReadResponse(in, nil)
				if err != nil || res.StatusCode != http.StatusAccepted {
					t.Fatalf("a good client is answered %v, %v", res, err)
				}
				body, err := io.ReadAll(res.Body)
				if err != nil || !strings.Contains(string(body), "PENDING") {
					t.Fatalf("a good client is answered %.300s, %v", body, err)
				}
				_ = conn.Close() // all is read
			}
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("good clients waited %v", took)
		}
		time.Sleep(time.Minute)
		if n := cut.Load(); n != slow-slow/3 {
			t.Errorf("%d slow connections were cut", n)
		}
		for i, conn := range conns {
			if i%len(begun) != 2 { // a stream may go on for as long as something comes
				continue
			}
			_ = conn.Close() // the client leaves
		}
		synctest.Wait()
		if !whole(h) {
			t.Error("slow connections still hold memory")
		}
	})
}
