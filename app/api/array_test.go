package api

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// sliced notes how many items come at once, and refuses some of the slices.
type sliced struct {
	*fixed
	came []int
	fail map[int]error
}

func (s *sliced) Enqueue(ctx context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	s.came = append(s.came, len(items))
	if err := s.fail[len(s.came)]; err != nil {
		return nil, err
	}
	return s.fixed.Enqueue(ctx, items)
}

// arrayOf returns an array of n responses.
func arrayOf(n int) string {
	one := strings.TrimSpace(stored)
	return "[" + strings.TrimSuffix(strings.Repeat(one+",", n), ",") + "]"
}

func TestArrayInSlices(t *testing.T) {
	t.Parallel()
	full := callback.Errorf(callback.CodeUnavailable, "the disk is full")
	for _, c := range []struct {
		fail   map[int]error
		status int
		stored int
		slices string
	}{
		{nil, 202, 1300, "[512 512 276]"},
		{map[int]error{1: full}, 503, 0, "[512]"},
		{map[int]error{2: full}, 202, 512, "[512 512]"},
	} {
		s := &sliced{fixed: newFixed(), fail: c.fail}
		w := ask(New(Options{Service: s}), "POST", "/responses", arrayOf(1300))
		if w.Code != c.status || strings.Count(w.Body.String(), "PENDING") != c.stored || fmt.Sprint(s.came) != c.slices {
			t.Errorf("%v: %d, %d stored, slices %v", c.fail, w.Code, strings.Count(w.Body.String(), "PENDING"), s.came)
		}
		if c.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("503 without Retry-After")
		}
		if c.stored > 0 && strings.Count(w.Body.String(), `"status":503`) != 1300-c.stored {
			t.Errorf("%v: %d items are refused", c.fail, strings.Count(w.Body.String(), `"status":503`))
		}
	}
}

// TestLongArrayCostsLittle has an array of as many items as fit: what lives at
// once is a small multiple of the body.
func TestLongArrayCostsLittle(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long because of its size")
	}
	bodies := map[string]int{
		arrayOf(maxItems): 202,
		"[" + strings.Repeat("0,", maxItems-1) + "0]":        422,
		"[" + strings.Repeat("0,", maxItems) + "0]":          400,
		"[" + strings.Repeat("0,", 4<<20-2) + "0]":           400,
		strings.Repeat("[", 4<<20) + strings.Repeat("]", 10): 400,
	}
	for body, status := range bodies {
		costsLittle(t, body, status, "application/json")
		if status < 400 || status == 422 {
			costsLittle(t, body, status, "application/xml")
		}
	}
	runtime.KeepAlive(bodies)
}

func costsLittle(t *testing.T, body string, status int, accept string) {
	t.Helper()
	h := New(Options{Service: newFixed(), MaxBody: 8 << 20})
	var before, peak runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	r := httptest.NewRequest("POST", "http://localhost/responses", strings.NewReader(body))
	r.Header.Set("Accept", accept)
	w := &sink{header: http.Header{}}
	h.ServeHTTP(&peeking{ResponseWriter: w, at: &peak}, r)
	live := int64(peak.HeapAlloc) - int64(before.HeapAlloc)
	t.Logf("%.20s… as %s: %d MiB live, of a body of %d", body, accept, live>>20, len(body))
	if w.status != status || live > 80<<20 || peak.HeapAlloc == 0 {
		t.Errorf("%.20s…: %d, %d bytes live", body, w.status, live)
	}
	if !whole(h) {
		t.Error("memory was not given back")
	}
}

// peeking looks at what lives when the answer begins.
type peeking struct {
	http.ResponseWriter
	at *runtime.MemStats
}

func (p *peeking) Write(b []byte) (int, error) {
	if p.at.HeapAlloc == 0 {
		runtime.GC()
		runtime.ReadMemStats(p.at)
	}
	return p.ResponseWriter.Write(b)
}

// waiting is a Service whose store never takes anything.
type waiting struct{ *fixed }

func (waiting) Enqueue(ctx context.Context, _ []callback.NewResponse) ([]callback.EnqueueResult, error) {
	<-ctx.Done()
	return nil, callback.Errorf(callback.CodeUnavailable, "the store is overloaded: %v", ctx.Err())
}

// TestEnqueueWaitsSoLong has a store that is behind: after a while one is told to
// come again, whatever one sends.
func TestEnqueueWaitsSoLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Service: waiting{newFixed()}})
		for _, c := range []struct {
			body, kind string
			status     int
		}{{stored, "application/json", 503}, {arrayOf(2000), "application/json", 503}, {stored, "application/x-ndjson", 202}} {
			start := time.Now()
			w := ask(h, "POST", "/responses", c.body, "Content-Type: "+c.kind)
			if w.Code != c.status || time.Since(start) != enqueueTime || !strings.Contains(w.Body.String(), "overloaded") ||
				(w.Header().Get("Retry-After") == "10") != (c.status == 503) {
				t.Errorf("%s: %d %.200s after %v", c.kind, w.Code, w.Body, time.Since(start))
			}
		}
	})
}

// TestArrayInXML has arrays answered in XML, an item at a time: as encodeXML
// writes them whole. openapi.yaml does not describe the roots that they have.
func TestArrayInXML(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	one := strings.TrimSpace(stored)
	for _, body := range []string{
		"[" + one + "," + strings.Replace(one, "stored", "skipped", 1) + `,{"callbackId":"nobody","responseMessage":{}},{"form":"<&"},` + one + "]",
		`[{"callbackId":"nobody","responseMessage":{}},{"from":7,"x":1},5]`,
	} {
		w := ask(h, "POST", "/responses", body)
		var shape any
		var err error
		if w.Code == http.StatusAccepted {
			var items []enqueuedShape
			err = decodeJSON(w.Body.Bytes(), &items)
			shape = items
		} else {
			var p problem
			err = decodeJSON(w.Body.Bytes(), &p)
			shape = p
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := encodeXML(shape)
		if err != nil {
			t.Fatal(err)
		}
		got := askAlone(h, "POST", "/responses", body, "Accept: application/xml")
		if got.Code != w.Code || got.Body.String() != string(want) || !strings.HasSuffix(got.Header().Get("Content-Type"), "xml") {
			t.Errorf("%d %v\ngot  %s\nwant %s", got.Code, got.Header(), got.Body, want)
		}
	}
}
