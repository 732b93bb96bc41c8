package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ringback/callback"
)

// TestBodyIsBounded has bodies whose length is not told, or told wrongly.
func TestBodyIsBounded(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), MaxBody: 100})
	for _, told := range []int64{-1, 10, 1 << 40} {
		body := &counting{left: 1 << 20}
		r := httptest.NewRequest("POST", "http://localhost/responses", body)
		r.ContentLength = told
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusRequestEntityTooLarge || body.read > 1024 || told > 100 && body.read > 0 {
			t.Errorf("%d bytes told: %d after %d bytes were read", told, w.Code, body.read)
		}
	}
}

// counting is a long body that counts what was read of it.
type counting struct{ left, read int }

func (c *counting) Read(p []byte) (int, error) {
	n := min(len(p), c.left)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range n {
		p[i] = ' '
	}
	c.left -= n
	c.read += n
	return n, nil
}

func TestTwoIdempotencyKeys(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("POST", "http://localhost/callbacks/crm-prod/responses", strings.NewReader(`{"responseMessage":{}}`))
	r.Header["Idempotency-Key"] = []string{"a", "a"}
	w := httptest.NewRecorder()
	New(Options{Service: newFixed()}).ServeHTTP(w, r)
	if w.Code != 422 || !strings.Contains(w.Body.String(), keyHeader) {
		t.Fatalf("got %d %s, want 422", w.Code, w.Body)
	}
}

// TestFaultsAreBounded has more wrong fields than are named.
func TestFaultsAreBounded(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, `,"field %d":1`, i)
	}
	w := ask(New(Options{Service: newFixed()}), "POST", "/callbacks", "{"+b.String()[1:]+"}")
	var p problem
	if err := decodeJSON(w.Body.Bytes(), &p); err != nil || w.Code != 422 || len(p.Errors) != callback.MaxFaults {
		t.Fatalf("got %d with %d faults, %v; want 422 with %d", w.Code, len(p.Errors), err, callback.MaxFaults)
	}
}
