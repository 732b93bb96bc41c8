package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBudget has bodies of which more is in memory than there is room for: the
// next is turned away at once, and taken when they are gone.
func TestBudget(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 16 << 20})                                                           // room for 64 MiB
	body := `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{"content":"` + strings.Repeat("x", 9<<20) // a buffer of 16 MiB
	var held []*slowBody
	for range 4 {
		held = append(held, sendSlowly(h, "POST", "/responses", body))
	}
	for _, target := range []string{"/responses", "/callbacks"} {
		w := ask(h, "POST", target, `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}`)
		if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "1" || w.Header().Get("Content-Type") != problemType {
			t.Fatalf("while memory is full %s answers %d %v %s", target, w.Code, w.Header(), w.Body)
		}
	}
	for _, s := range held {
		if w := s.end(`"}}`); w.Code != http.StatusAccepted {
			t.Fatalf("a slow sender is answered %d %.300s", w.Code, w.Body)
		}
	}
	if w := ask(h, "POST", "/responses", `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{}}`); w.Code != http.StatusAccepted {
		t.Fatalf("afterwards: %d %s", w.Code, w.Body)
	}
	if !whole(h) {
		t.Error("memory was not given back")
	}
}

// TestSlowSendersHoldLittle has as many connections as an attacker may open, all
// of which promise a large body and send the beginning: there is room for all
// others.
func TestSlowSendersHoldLittle(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 1 << 20})
	var held []*slowBody
	for range 1000 {
		held = append(held, sendSlowly(h, "POST", "/responses", `{"callbackId":"crm-prod"`))
	}
	large := `{"callbackId":"crm-prod","messageId":"stored","responseMessage":{"content":"` + strings.Repeat("x", 1<<20-100) + `"}}`
	for range 10 {
		if w := ask(h, "POST", "/responses", large); w.Code != http.StatusAccepted {
			t.Fatalf("a good client is answered %d %.300s", w.Code, w.Body)
		}
	}
	for _, s := range held {
		if w := s.end(`,"messageId":"stored","responseMessage":{}}`); w.Code != http.StatusAccepted {
			t.Fatalf("a slow sender is answered %d %.300s", w.Code, w.Body)
		}
	}
	if !whole(h) {
		t.Error("memory was not given back")
	}
}

// whole reports whether all of the handler's memory is free, and no stream open.
func whole(h http.Handler) bool {
	for _, m := range []budget{h.(*handler).memory, h.(*handler).streams} {
		if !m.left.TryAcquire(m.size) {
			return false
		}
		m.left.Release(m.size)
	}
	return len(h.(*handler).places) == 0
}

// slowBody is a request whose body is not sent to its end.
type slowBody struct {
	in   *io.PipeWriter
	w    *httptest.ResponseRecorder
	done chan struct{}
}

// sendSlowly begins a request and returns when the handler has read some of its
// body.
func sendSlowly(h http.Handler, method, target, some string) *slowBody {
	out, in := io.Pipe()
	s := &slowBody{in: in, w: httptest.NewRecorder(), done: make(chan struct{})}
	r := httptest.NewRequest(method, "http://localhost"+target, out)
	go func() {
		defer close(s.done)
		h.ServeHTTP(s.w, r)
		out.Close()
	}()
	_, _ = io.WriteString(in, some) // what is not read is seen in the answer
	return s
}

// end sends the rest and returns the answer.
func (s *slowBody) end(rest string) *httptest.ResponseRecorder {
	_, _ = io.WriteString(s.in, rest) // likewise
	_ = s.in.Close()                  // it never fails
	<-s.done
	return s.w
}
