package main

import (
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// TestEditInTmux makes the first callback on the screen, is told that its URL does
// not answer well, mends it and sends that a sample before it is saved, while
// somebody else changes it too; sends it another sample, and deletes it.
func TestEditInTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	var keyed, tests atomic.Int32
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path != "/in":
			w.WriteHeader(http.StatusServiceUnavailable)
		case strings.HasPrefix(r.Header.Get("webhook-id"), "test_"):
			tests.Add(1)
		case r.Header.Get("Authorization") == "Bearer s3cret-canary":
			keyed.Add(1)
		}
	}))
	defer hook.Close()
	s := newScreen(t, tmux)
	s.shows("registers the first one here")
	s.keys("n")
	s.shows("New callback", "Ctrl+S save")
	s.keys("crm-prod", "Tab", hook.URL+"/wrong", "Tab", "Right", "Right", "Right", "Right", "Tab", "s3cret-canary")
	s.shows("(o) bearer", "*************", "! GET") // what is there answers 503
	s.keys("Tab", "Tab", "Tab", "Tab", "Tab", "Space", "C-s")
	s.shows("made crm-prod")
	if got := s.get("/callbacks/crm-prod"); !strings.Contains(got, `"type":"bearertoken"`) || !strings.Contains(got, `"retriesEnabled":true`) {
		t.Fatalf("made another callback than was typed: %s", got)
	}
	for range 3 {
		s.post("/callbacks/crm-prod/responses", `{"responseMessage":{"channel":"SMS","acknowledged":"now","content":"x"}}`, http.StatusAccepted)
	}
	s.shows("DOWN")

	s.keys("e")
	s.shows("Edit callback crm-prod", hook.URL+"/wrong")
	s.keys("Tab", "C-u", hook.URL+"/in")
	s.shows("3 waiting calls: to the new URL")
	s.keys("C-t")
	s.shows("Send a sample response to crm-prod now.", "nothing is saved")
	s.keys("Enter")
	s.shows("crm-prod took it: 200 OK")
	s.keys("Escape") // once: a second one would leave the form
	s.shows("Content type  (o) json", "nothing is saved yet")
	s.put("/callbacks/crm-prod", `{"email":"theirs@example.com"}`)
	s.keys("C-s")
	s.shows("Changed meanwhile", "theirs@example.com")
	s.keys("o")
	s.shows("saved crm-prod")
	if !poll(func() bool { return keyed.Load() > 0 }) {
		t.Error("no call goes to the new URL with the key that was typed")
	}
	if got := s.get("/callbacks/crm-prod"); !strings.Contains(got, `"email":"theirs@example.com"`) {
		t.Errorf("what somebody else changed is lost: %s", got)
	}

	s.keys("T")
	s.shows("Send a sample response to crm-prod now.")
	s.keys("Enter")
	s.shows("crm-prod took it: 200 OK")
	if n := tests.Load(); n != 2 {
		t.Errorf("%d samples came, want one of what was not saved and one of what was", n)
	}
	s.insists("Escape", "1 of 1 shown")

	s.insists("DC", "Delete crm-prod for good. There is no undo.")
	s.keys("crm-pro", "Enter", "d", "Enter")
	s.shows("No callbacks yet")
	if got := s.get("/callbacks"); !strings.Contains(got, "No records found") {
		t.Errorf("over HTTP it is still there: %s", got)
	}
	if got := s.tmux("capture-pane", "-p", "-S", "-", "-t", "s"); strings.Contains(got, "canary") {
		t.Errorf("the key was shown:\n%s", got)
	}
}

func (s *screen) put(path, body string) {
	s.Helper()
	req, err := http.NewRequestWithContext(s.Context(), http.MethodPut, s.url+path, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNoContent {
		s.Fatalf("PUT %s: %s", path, resp.Status)
	}
}
