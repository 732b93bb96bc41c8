package cli

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestPorch(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := &porch{log: slog.New(slog.NewTextHandler(&log, nil)), next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/panic" {
			panic("s\x1b[31m")
		}
		w.WriteHeader(http.StatusNoContent)
	})}
	ask := func(method, path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		return w
	}
	for _, c := range []struct {
		closing      bool
		method, path string
		want         int
	}{
		{false, "POST", "/responses", 204},
		{false, "GET", "/panic", 500},
		{true, "GET", "/callbacks", 204},
		{true, "HEAD", "/callbacks", 204},
		{true, "POST", "/responses", 503},
		{true, "PUT", "/callbacks/a", 503},
		{true, "DELETE", "/callbacks/a", 503},
		{true, "GET", "/panic", 500},
	} {
		closing := make(chan struct{})
		if c.closing {
			close(closing)
		}
		p.closing = closing
		w := ask(c.method, c.path)
		if w.Code != c.want {
			t.Errorf("%s %s, closing %v: got %d, want %d", c.method, c.path, c.closing, w.Code, c.want)
		}
		if c.want < 500 {
			continue
		}
		var got problem
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Detail == "" || strings.Contains(w.Body.String(), "31m") {
			t.Errorf("%s %s: got %s (%v)", c.method, c.path, w.Body, err)
		}
		if retry := w.Header().Get("Retry-After"); (retry != "") != (c.want == 503) {
			t.Errorf("%s %s: Retry-After is %q", c.method, c.path, retry)
		}
	}
	if got := log.String(); !strings.Contains(got, "panic") || strings.Contains(got, "\x1b") {
		t.Errorf("the log is %q", got)
	}
}
