package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"ringback/callback"
)

// ceilingResponse is what the ceiling of the benchmarks decodes into: the same
// fields, as plain as a program would write them.
type ceilingResponse struct {
	ID              string `json:"id"`
	CallbackID      string `json:"callbackId"`
	MessageID       string `json:"messageId"`
	MessageLocation string `json:"messageLocation"`
	From            struct {
		Name   string `json:"name"`
		MRI    string `json:"mri"`
		Mobile string `json:"mobile"`
		Email  string `json:"email"`
		Voice  string `json:"voice"`
	} `json:"from"`
	ResponseMessage struct {
		Channel       string `json:"channel"`
		Acknowledged  string `json:"acknowledged"`
		Undeliverable string `json:"undeliverable"`
		Content       string `json:"content"`
	} `json:"responseMessage"`
	CustomParameters map[string]string `json:"customParameters"`
}

// kilobyte is a response of 1 KB, as the contract shows one.
func kilobyte() string {
	s := `{"callbackId":"crm-prod","messageId":"ABC4857BCCF484575FCA","messageLocation":"https://api.example.com/messages/ABC4857BCCF484575FCA",` +
		`"from":{"name":"Fred Waters","mri":"Fred_Waters.528798.Sandbox@contact.example.com","mobile":"0430984567","email":"fred@example.com","voice":"0430984567"},` +
		`"responseMessage":{"channel":"SMS","acknowledged":"09/01/13 13:22","content":"Yes, I accept. Will I need to bring steel cap boots?"},` +
		`"customParameters":{"CustomerId":"890h0ef0"}}`
	return strings.Replace(s, "boots?", "boots? "+strings.Repeat("It has been raining. ", 30)[:1024-len(s)-1], 1)
}

// atOnce is a Service whose Enqueue answers at once: the handler alone is
// measured.
type atOnce struct {
	callback.Service
	out []callback.EnqueueResult
}

func (s *atOnce) Enqueue(_ context.Context, items []callback.NewResponse) ([]callback.EnqueueResult, error) {
	s.out = s.out[:0]
	for i := range items {
		s.out = append(s.out, callback.EnqueueResult{ID: 0x0328BA3200000001 + callback.CallID(i), Callback: 0xB3EDFE83DF389DFE})
	}
	return s.out, nil
}

// sink is a ResponseWriter that keeps nothing but the status.
type sink struct {
	header http.Header
	status int
}

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) WriteHeader(status int)      { s.status = status }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) Flush()                      {}

// BenchmarkEnqueueHandler takes a 1 KB response through the handler with all but
// the commit, and decodes the same body into a plain struct with the same
// library in the same run: x-decode is how many times as long the handler takes.
func BenchmarkEnqueueHandler(b *testing.B) {
	body := []byte(kilobyte())
	h := New(Options{Service: &atOnce{}})
	r := httptest.NewRequest("POST", "http://127.0.0.1:8480/responses", nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "*/*")
	r.ContentLength = int64(len(body))
	in := bytes.NewReader(body)
	r.Body = io.NopCloser(in)
	w := &sink{header: http.Header{}}
	handle := func() {
		in.Reset(body)
		clear(w.header)
		if h.ServeHTTP(w, r); w.status != http.StatusAccepted {
			b.Fatalf("answered %d", w.status)
		}
	}
	decode := func() {
		var v ceilingResponse
		if err := json.Unmarshal(body, &v); err != nil {
			b.Fatal(err)
		}
	}
	inTurns(b, handle, decode)
}

// inTurns runs the handler and the ceiling in turns, so that the machine's moods
// hit both alike.
func inTurns(b *testing.B, handle, decode func()) {
	b.Helper()
	const turn = 256
	var mine, top time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		if n++; n%turn != 0 {
			continue
		}
		start := time.Now()
		for range turn {
			handle()
		}
		half := time.Now()
		for range turn {
			decode()
		}
		mine += half.Sub(start)
		top += time.Since(half)
	}
	turns := float64(n / turn * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(mine.Nanoseconds())/turns, "handler-ns")
	b.ReportMetric(float64(top.Nanoseconds())/turns, "decode-ns")
	b.ReportMetric(float64(mine)/float64(top), "x-decode")
}

// BenchmarkEnqueueLines takes a stream of 1 KB responses through the handler with
// all but the commit; the figures are those of one line. The ceiling is the same
// as of BenchmarkEnqueueHandler.
func BenchmarkEnqueueLines(b *testing.B) {
	const lines = 256
	one := []byte(kilobyte())
	body := bytes.Repeat(append(one[:len(one):len(one)], '\n'), lines)
	h := New(Options{Service: &atOnce{}})
	r := httptest.NewRequest("POST", "http://127.0.0.1:8480/responses", nil)
	r.Header.Set("Content-Type", "application/x-ndjson")
	in := bytes.NewReader(body)
	r.Body = io.NopCloser(in)
	w := &sink{header: http.Header{}}
	n := 0
	handle := func() {
		if n++; n%lines != 0 {
			return
		}
		in.Reset(body)
		clear(w.header)
		if h.ServeHTTP(w, r); w.status != http.StatusAccepted {
			b.Fatalf("answered %d", w.status)
		}
	}
	decode := func() {
		var v ceilingResponse
		if err := json.Unmarshal(one, &v); err != nil {
			b.Fatal(err)
		}
	}
	inTurns(b, handle, decode)
}
