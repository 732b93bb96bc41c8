package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// writes is a backup of that many parts of 1 MiB, which then ends with err.
func writes(parts int, err error) func(context.Context, io.Writer) error {
	return func(_ context.Context, w io.Writer) error {
		for range parts {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
		}
		return err
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	o := Options{Service: newFixed(), Log: logger, Keys: ring(), KeyNeeded: true, Backup: func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "ringback backup 1\n")
		return err
	}}
	h := New(o)
	for _, method := range []string{"GET", "HEAD"} {
		w := ask(h, method, "/backup", "", "X-Api-Key: admin-key")
		if w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" || (w.Body.String() == "ringback backup 1\n") != (method == "GET") {
			t.Errorf("%s: %d, %v, %q", method, w.Code, w.Header(), w.Body)
		}
		if name := w.Header().Get("Content-Disposition"); !regexp.MustCompile(`^attachment; filename="ringback-\d{8}T\d{6}Z\.backup"$`).MatchString(name) {
			t.Errorf("%s: the file is called %s", method, name)
		}
	}
	if s := log.String(); strings.Count(s, "a backup was taken") != 1 || !strings.Contains(s, `by="the admin"`) || !strings.Contains(s, "bytes=18") {
		t.Errorf("logged %s", s)
	}
	if w := ask(h, "GET", "/backup", "", "X-Api-Key: admin-key", "Accept: application/json"); w.Code != 406 {
		t.Errorf("as JSON: %d", w.Code)
	}
	o.Backup = nil
	if w := ask(New(o), "GET", "/backup", "", "X-Api-Key: admin-key"); w.Code != 404 {
		t.Errorf("with nothing to back up: %d", w.Code)
	}
}

// What fails before the first byte is answered; what fails after it is not taken
// for the whole.
func TestBackupBreaksOff(t *testing.T) {
	t.Parallel()
	closed := callback.Errorf(callback.CodeUnavailable, "the store is closed")
	for _, c := range []struct {
		parts  int
		err    error
		status int
	}{
		{0, errors.New("the disk is on fire"), 500},
		{0, closed, 503},
		{3, errors.New("the disk is on fire"), 200},
		{3, closed, 200},
	} {
		addr := serve(t, New(Options{Service: newFixed(), Backup: writes(c.parts, c.err)}), "tcp", "127.0.0.1:0")
		status, body, err := download(t, addr)
		if status != c.status || (err == nil) != (c.status != 200) || strings.Contains(string(body), "fire") {
			t.Errorf("%d parts, then %v: %d, %d bytes, %v", c.parts, c.err, status, len(body), err)
		}
	}
}

func download(t *testing.T, addr string) (status int, body []byte, err error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/backup", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Api-Key", "admin-key")
	tr := &http.Transport{DisableKeepAlives: true}
	res, err := tr.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

func TestOneBackupAtATime(t *testing.T) {
	t.Parallel()
	begun, end := make(chan struct{}), make(chan struct{})
	h := New(Options{Service: newFixed(), Backup: func(_ context.Context, w io.Writer) error {
		close(begun)
		<-end
		_, err := w.Write([]byte("all"))
		return err
	}})
	done := make(chan int)
	go func() { done <- ask(h, "GET", "/backup", "").Code }()
	<-begun
	if w := ask(h, "GET", "/backup", ""); w.Code != 503 || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "another backup") {
		t.Errorf("a second one: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "HEAD", "/backup", ""); w.Code != 200 {
		t.Errorf("its head: %d", w.Code)
	}
	close(end)
	if code := <-done; code != 200 {
		t.Errorf("the first: %d", code)
	}
	begun = make(chan struct{})
	if w := ask(h, "GET", "/backup", ""); w.Code != 200 {
		t.Errorf("the next: %d %s", w.Code, w.Body)
	}
}

// A backup ends with its key, and with the server.
func TestBackupEndsWithItsKey(t *testing.T) {
	t.Parallel()
	keys, removed := ring()(), false
	addr := serve(t, New(Options{Service: newFixed(), KeyNeeded: true, Keys: func() []callback.APIKey {
		if removed {
			return nil
		}
		return keys
	}, Backup: func(_ context.Context, w io.Writer) error {
		_, err := w.Write(make([]byte, 1<<20))
		removed = true
		_, again := w.Write(make([]byte, 5))
		if !errors.Is(again, errGone) {
			t.Errorf("the key is gone: %v", again)
		}
		return errors.Join(err, again)
	}}), "tcp", "127.0.0.1:0")
	if status, body, err := download(t, addr); status != 200 || err == nil || len(body) > 1<<20 {
		t.Errorf("%d, %d bytes, %v", status, len(body), err)
	}
}

// A reader that takes nothing for a minute is cut; one that is slow but takes
// something gets it all.
func TestBackupWaitsForItsReader(t *testing.T) {
	for _, pause := range []time.Duration{8 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			l := newPipeListener()
			s := Server(New(Options{Service: newFixed(), Backup: writes(4, nil)}))
			go func() { _ = s.Serve(l) }() // it ends with Close
			defer s.Close()
			conn := l.dial()
			defer conn.Close()
			if _, err := io.WriteString(conn, "GET /backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			got := slowly(conn, pause)
			if whole := bytes.HasSuffix(got, []byte("\r\n0\r\n\r\n")); whole != (pause < exportTime) {
				t.Errorf("a reader that takes a break of %v gets %d bytes, whole %v", pause, len(got), whole)
			}
		})
	}
}
