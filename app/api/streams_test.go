package api

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// longLine is a response of about a MiB, without its end.
var longLine = `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{"content":"` + strings.Repeat("x", 1<<20-100) + `"}}`

// lineStream is a stream within the test.
type lineStream struct {
	in   *io.PipeWriter
	w    *httptest.ResponseRecorder
	done chan struct{}
}

// openStream begins a stream with no line in it.
func openStream(ctx context.Context, h http.Handler, target string) *lineStream {
	out, in := io.Pipe()
	s := &lineStream{in, httptest.NewRecorder(), make(chan struct{})}
	r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost"+target, out)
	r.Header.Set("Content-Type", "application/x-ndjson")
	go func() {
		defer close(s.done)
		defer func() { _ = recover() }() // a stream that is cut ends so
		defer out.Close()
		h.ServeHTTP(s.w, r)
	}()
	return s
}

// say sends some of the stream in time; what is not read is lost with the test.
func (s *lineStream) say(text string) { go func() { _, _ = io.WriteString(s.in, text) }() }

// over reports whether the stream has ended.
func (s *lineStream) over() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// TestStreamsOfLongLinesGoOn has more streams than there is room for, each with
// one line as long as may be: whatever becomes of each, all of them end.
func TestStreamsOfLongLinesGoOn(t *testing.T) {
	t.Parallel()
	for _, n := range []int{20, 61, 120} {
		synctest.Test(t, func(t *testing.T) {
			h := New(Options{Service: newFixed()})
			var all []*lineStream
			for range n {
				all = append(all, openStream(t.Context(), h, "/responses"))
			}
			for _, s := range all {
				s.say(longLine)
			}
			synctest.Wait()
			if w := ask(h, "POST", "/responses", longLine); w.Code != http.StatusAccepted {
				t.Fatalf("%d streams: a single response is answered %d %s", n, w.Code, w.Body)
			}
			for _, s := range all {
				s.say("\n" + stored)
			}
			time.Sleep(2 * enqueueTime)
			synctest.Wait()
			taken := 0
			for i, s := range all {
				_ = s.in.Close() // it never fails
				synctest.Wait()
				if !s.over() {
					t.Fatalf("stream %d of %d waits for ever", i, n)
				}
				got := strings.Join(answersOf(t, s.w.Body.Bytes()), "|")
				if got == "PENDING|PENDING" {
					taken++
				} else if got != "429 at 1|PENDING" {
					t.Fatalf("stream %d of %d is answered %s", i, n, got)
				}
			}
			if taken < min(n, 20) {
				t.Errorf("of %d long lines %d were taken", n, taken)
			}
			if !whole(h) {
				t.Error("memory was not given back")
			}
		})
	}
}

// fullStreams returns a handler whose memory for lines is taken, but for some,
// and what gives it back.
func fullStreams(t *testing.T, svc callback.Service, but int64) (http.Handler, func()) {
	t.Helper()
	h := New(Options{Service: svc})
	m := h.(*handler).streams
	if !m.left.TryAcquire(m.size - but) {
		t.Fatal("no memory at all")
	}
	return h, func() { m.left.Release(m.size - but) }
}

// TestLinesWaitForMemory has a stream meet a memory that other streams fill: it
// goes on when there is room, and single requests are taken meanwhile.
func TestLinesWaitForMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, free := fullStreams(t, newFixed(), 100)
		s := openStream(t.Context(), h, "/responses")
		s.say(stored + stored)
		time.Sleep(enqueueTime - 1)
		if s.w.Body.Len() > 0 {
			t.Fatalf("without memory: %s", s.w.Body)
		}
		if w := ask(h, "POST", "/responses", stored); w.Code != http.StatusAccepted {
			t.Fatalf("a single response is answered %d %s", w.Code, w.Body)
		}
		free()
		synctest.Wait()
		_ = s.in.Close() // it never fails
		<-s.done
		if got := strings.Join(answersOf(t, s.w.Body.Bytes()), "|"); got != "PENDING|PENDING" {
			t.Fatalf("answers: %q", got)
		}
	})
}

// TestLinesWaitSoLong has no memory come: after a while the lines are told to
// come again, the later ones at once, and the stream takes lines when there is
// room again.
func TestLinesWaitSoLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, free := fullStreams(t, newFixed(), 100)
		s := openStream(t.Context(), h, "/responses")
		s.say(strings.Repeat(stored, 50))
		time.Sleep(enqueueTime)
		synctest.Wait()
		if n := len(answersOf(t, s.w.Body.Bytes())); n != 50 {
			t.Errorf("%d lines are answered", n)
		}
		free()
		s.say(stored)
		synctest.Wait()
		_ = s.in.Close() // it never fails
		<-s.done
		if got := answersOf(t, s.w.Body.Bytes()); len(got) != 51 || got[0] != "429 at 1" || got[49] != "429 at 50" || got[50] != "PENDING" {
			t.Errorf("answers: %q", got)
		}
		if !whole(h) {
			t.Error("memory was not given back")
		}
	})
}

// TestWhoLeavesEndsTheWait has a client go away while its stream waits for
// memory that never comes.
func TestWhoLeavesEndsTheWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h, free := fullStreams(t, newFixed(), 100)
		l, s := newPipeListener(), Server(h)
		ended := make(chan error, 1)
		go func() { ended <- s.Serve(l) }()
		conn := l.dial()
		_, _ = io.WriteString(conn, "POST /responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 10000000\r\n\r\n")
		go func() { _, _ = io.WriteString(conn, strings.Repeat(stored, 400)) }()
		synctest.Wait()
		if n := len(h.(*handler).places); n != 1 {
			t.Fatalf("%d streams are open", n)
		}
		_ = conn.Close()
		time.Sleep(2 * enqueueTime)
		synctest.Wait()
		if n := len(h.(*handler).places); n != 0 {
			t.Errorf("%d streams are open", n)
		}
		free()
		if !whole(h) {
			t.Error("memory was not given back")
		}
		_ = s.Close() // it ends the server
		<-ended
	})
}

// TestStreamsHaveAnEnd has as many streams open as there may be, all idle: one
// more is told to come again, single requests are taken, and so are the lines of
// the streams.
func TestStreamsHaveAnEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Service: newFixed()})
		var all []*lineStream
		for range maxStreams {
			s := openStream(t.Context(), h, "/responses")
			s.say("\n")
			all = append(all, s)
		}
		synctest.Wait()
		if w := ask(h, "POST", "/responses", stored, ndjson); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("one more stream is answered %d %v %s", w.Code, w.Header(), w.Body)
		}
		for range 10 {
			if w := ask(h, "POST", "/responses", longLine); w.Code != http.StatusAccepted {
				t.Fatalf("a single response is answered %d %s", w.Code, w.Body)
			}
		}
		for i, s := range all {
			if i%32 == 0 {
				s.say(longLine)
			} else {
				s.say(stored)
			}
			synctest.Wait()
			_ = s.in.Close() // it never fails
			<-s.done
			if got := strings.Join(answersOf(t, s.w.Body.Bytes()), "|"); got != "PENDING" {
				t.Fatalf("stream %d is answered %s", i, got)
			}
		}
		if w := ask(h, "POST", "/responses", stored, ndjson); w.Code != http.StatusAccepted || !whole(h) {
			t.Errorf("afterwards: %d %s, or memory was not given back", w.Code, w.Body)
		}
	})
}

// TestAnIdleStreamCostsLittle has streams that were busy and stand still: what
// they keep is what a stream is charged, and some for net/http and the test.
func TestAnIdleStreamCostsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long because of its size")
	}
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Service: newFixed()})
		heap := func() int64 {
			for range 3 { // a pool lets go of what it keeps in two
				runtime.GC()
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		const n = 100
		var all []*lineStream
		for range n {
			all = append(all, openStream(t.Context(), h, "/responses"))
		}
		synctest.Wait()
		before := heap()
		for _, s := range all {
			s.w.Body = nil // the answers
			s.say(strings.Repeat(stored, 4000) + longLine + "\n")
			synctest.Wait()
		}
		each := (heap() - before) / n
		t.Logf("a stream that was busy keeps %d KiB more", each>>10)
		if each > 16<<10 {
			t.Errorf("a stream that was busy keeps %d bytes more", each)
		}
		for _, s := range all {
			_ = s.in.Close() // it never fails
			<-s.done
		}
	})
}

// panicking is a Service that knows a callback once, and breaks the next time.
type panicking struct {
	*fixed
	asked bool
}

func (p *panicking) Callback(ctx context.Context, ref string) (callback.Health, error) {
	if p.asked {
		panic("broken")
	}
	p.asked = true
	return p.fixed.Callback(ctx, ref)
}

// TestAPanicGivesMemoryBack has the reading of a line panic: nothing stays taken.
func TestAPanicGivesMemoryBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Service: &panicking{fixed: newFixed()}})
		s := openStream(t.Context(), h, "/callbacks/crm-prod/responses")
		s.say(`{"callbackId":"other","messageId":"stored","responseMessage":{}}` + "\n")
		<-s.done
		synctest.Wait()
		if !whole(h) {
			t.Error("memory was not given back")
		}
	})
}
