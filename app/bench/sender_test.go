package bench

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// answering returns a sender, and the URL of a server that answers each line it
// is sent by a line of answers, with a status.
func answering(t *testing.T, status int, answers ...string) (*sender, *url.URL) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() { // all of it, before anything is answered
		}
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, strings.Join(answers, "\n"))
	}))
	t.Cleanup(srv.Close)
	to, err := url.Parse(srv.URL + "/in")
	if err != nil {
		t.Fatal(err)
	}
	b := &run{Options: Options{Producers: 2}}
	if b.message, err = newMessage(MinSize); err != nil {
		t.Fatal(err)
	}
	s := b.newSender()
	t.Cleanup(s.http.CloseIdleConnections)
	return s, to
}

const stored = `{"id":"0328BA3200000001","status":"PENDING"}`

func TestPost(t *testing.T) {
	t.Parallel()
	s, to := answering(t, 202, stored)
	if id, err := s.post(t.Context(), to, 202); id != 0x0328BA3200000001 || err != nil {
		t.Errorf("%x, %v", id, err)
	}
	s, to = answering(t, 503, `{"detail":"the disk is full"}`)
	if _, err := s.post(t.Context(), to, 202); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("503: %v", err)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status  int
		answers []string
		want    string // in the error; "": none
	}{
		{202, []string{stored, stored}, ""},
		{202, []string{stored}, "1 lines of 2"},
		{202, []string{stored, `{"error":{"title":"Invalid"}}`}, "Invalid"},
		{429, []string{stored, stored}, "429"},
	} {
		s, to := answering(t, c.status, c.answers...)
		ids, err := s.stream(t.Context(), to, 2)
		if c.want == "" && (err != nil || !slices.Equal(ids, []uint64{0x0328BA3200000001, 0x0328BA3200000001})) {
			t.Errorf("%v: %x, %v", c.answers, ids, err)
		}
		if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%v: %v, want %q", c.answers, err, c.want)
		}
	}
}
