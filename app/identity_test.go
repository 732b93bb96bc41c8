package app_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"ringback/callback"
)

// TestIDsOfCallbacksAreRandom looks at each bit of many ids: all take both
// values, so an id tells nothing about another.
func TestIDsOfCallbacksAreRandom(t *testing.T) {
	t.Parallel()
	a := open(t, nil)
	url := "http://127.0.0.1:1/"
	ones, zeros := callback.CallbackID(0), callback.CallbackID(0)
	for i := range 64 {
		name := fmt.Sprint("n", i)
		h, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url})
		if err != nil {
			t.Fatal(err)
		}
		ones, zeros = ones|h.ID, zeros|^h.ID
	}
	if ones&zeros != ^callback.CallbackID(0) {
		t.Errorf("bits %v never change", ^(ones & zeros))
	}
}

// TestAttemptsShareTheirID has an endpoint fail and work again: both requests
// are for the same webhook-id, and count on.
func TestAttemptsShareTheirID(t *testing.T) {
	t.Parallel()
	got := make(chan string, 4)
	status := make(chan int, 4)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(<-status)
		got <- r.Header.Get("webhook-id") + " " + r.Header.Get("X-Ringback-Attempt")
	}))
	defer endpoint.Close()
	a := open(t, nil)
	name, yes := "crm-prod", true
	if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &endpoint.URL, Retries: &yes}); err != nil {
		t.Fatal(err)
	}
	revs, err := a.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status <- http.StatusServiceUnavailable
	res, err := a.Enqueue(t.Context(), []callback.NewResponse{{Ref: name, Response: callback.Response{Message: callback.Message{Content: "a"}}}})
	if err != nil || res[0].Err != nil {
		t.Fatal(res, err)
	}
	for { // until the failure is recorded
		c, err := a.Call(t.Context(), name, res[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Attempts) == 1 && !c.Running {
			break
		}
		<-revs
	}
	status <- http.StatusOK
	if err := a.Retry(t.Context(), name, res[0].ID, false); err != nil {
		t.Fatal(err)
	}
	for n, id := 1, res[0].ID.String(); n <= 2; n++ {
		if line, want := <-got, fmt.Sprintf("%s %d", id, n); line != want {
			t.Errorf("got %s, want %s", line, want)
		}
	}
}
