package cli

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func TestDemoResponses(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, cb := range demoCallbacks {
		names[cb.name] = true
	}
	n := 0
	for line := range strings.Lines(responses) {
		n++
		var with, without map[string]any
		if err := json.Unmarshal([]byte(line), &with); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(withoutID(line)), &without); err != nil {
			t.Fatalf("line %d without its id: %v", n, err)
		}
		if _, ok := without["id"]; ok || len(without) != len(with)-1 {
			t.Fatalf("line %d without its id has %d members of %d", n, len(without), len(with))
		}
		if name, _ := with["callbackId"].(string); !names[name] {
			t.Fatalf("line %d is for %q, which the demo does not have", n, name)
		}
	}
	if n != 500 {
		t.Fatalf("got %d responses, want 500", n)
	}
}

// Every way in which the figures can be wrong is noticed.
func TestSummaryFault(t *testing.T) {
	t.Parallel()
	good := summary{
		fed: 10, counts: callback.Counts{Accepted: 10, Delivered: 10}, received: 10, answers: 10,
		outages: 3, recoveries: 3, mails: 6,
	}
	if err := good.fault(); err != nil || !good.settled() {
		t.Fatalf("got %v, want that all is well", err)
	}
	for name, spoil := range map[string]func(*summary){
		"nothing":       func(s *summary) { *s = summary{} },
		"refused":       func(s *summary) { s.refused = 1 },
		"lost":          func(s *summary) { s.counts.Accepted, s.fed = 11, 11 },
		"not stored":    func(s *summary) { s.fed = 11 },
		"not received":  func(s *summary) { s.received, s.answers = 9, 9 },
		"twice":         func(s *summary) { s.answers = 11 },
		"waiting":       func(s *summary) { s.counts.Delivered, s.counts.Retrying, s.received, s.answers = 9, 1, 9, 9 },
		"given up":      func(s *summary) { s.counts.Delivered, s.counts.Failed, s.received, s.answers = 9, 1, 9, 9 },
		"no outage":     func(s *summary) { s.outages, s.recoveries, s.mails = 0, 0, 0 },
		"no recovery":   func(s *summary) { s.recoveries, s.mails = 2, 5 },
		"unsent":        func(s *summary) { s.unsent = 1 },
		"a mail less":   func(s *summary) { s.mails = 5 },
		"a mail more":   func(s *summary) { s.mails = 7 },
		"mail for none": func(s *summary) { s.outages, s.recoveries = 2, 2 },
	} {
		s := good
		spoil(&s)
		if err := s.fault(); err == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}

// The endpoints of the demo judge what they get, and do what the script says.
func TestEndpoint(t *testing.T) {
	t.Parallel()
	e, err := startEndpoint(demoCallbacks[0])
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	post := func(key string) (int, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url(), strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Whispir-Callback-Key", key)
		r.Header.Set("webhook-id", "A")
		res, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			return 0, err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return res.StatusCode, err
	}
	want := func(mood mood, key string, code int) {
		t.Helper()
		if err := e.become(mood); err != nil {
			t.Fatal(err)
		}
		if got, err := post(key); got != code || (err != nil) != (code == 0) {
			t.Fatalf("got %d (%v), want %d", got, err, code)
		}
	}
	want(healthy, e.key, 200)
	want(healthy, "wrong", 401)
	want(breaks, e.key, 503)
	want(refuses, e.key, 0)
	want(refuses, e.key, 0)
	want(healthy, e.key, 200)
	if calls, answers := e.got(); calls != 1 || answers != 2 {
		t.Fatalf("got %d calls in %d answers, want 1 in 2", calls, answers)
	}
}
