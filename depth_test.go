package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestDepth runs the binary on folders in which many calls wait, as
// `DEPTH_DIR=D go test -bench Depth ./queue` left them in D, and prints
// how long it takes to open, when the first call is sent, what memory it holds
// and what processor time it takes while nothing happens; the
// same of a folder with a thousand callbacks and no call; and the most memory it
// holds under full load. DEPTH_TIME says how long each of those lasts (default 60s);
// idling is spread over several starts.
func TestDepth(t *testing.T) {
	dir := os.Getenv("DEPTH_DIR")
	if dir == "" {
		t.Skip("DEPTH_DIR is not set: this measures, and takes its time")
	}
	span := time.Minute
	if s := os.Getenv("DEPTH_TIME"); s != "" {
		var err error
		if span, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(build(t), "ringback")
	idle(t, "empty", bin, t.TempDir(), span)
	loaded(t, bin, t.TempDir(), span)
	thousand := t.TempDir()
	manyCallbacks(t, bin, thousand)
	idle(t, "1000 callbacks", bin, thousand, span)
	folders, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range folders {
		data := filepath.Join(dir, f.Name())
		firstCall(t, f.Name()+" waiting", bin, data)
		killed(t, f.Name()+" waiting", bin, data)
		idle(t, f.Name()+" waiting", bin, data, span)
	}
}

// endpoint is where the calls of those folders go.
const endpoint = "127.0.0.1:18480"

// receive answers at the endpoint, and tells of the first request.
func receive(t *testing.T) (first <-chan time.Time, stop func()) {
	t.Helper()
	came, once := make(chan time.Time, 1), sync.Once{}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		once.Do(func() { came <- time.Now() })
	}))
	ln, err := net.Listen("tcp", endpoint)
	if err != nil {
		t.Fatal(err)
	}
	srv.Listener.Close()
	srv.Listener = ln
	srv.Start()
	return came, srv.Close
}

// firstCall prints how long it takes from the start of the process until it
// answers, and until a call of the backlog is sent.
func firstCall(t *testing.T, what, bin, data string) {
	t.Helper()
	came, stop := receive(t)
	defer stop()
	p := start(t, bin, data)
	defer p.end(t)
	at := <-came
	t.Logf("%s: runs after %v, first call sent after %v", what, p.took.Round(time.Millisecond), at.Sub(p.began).Round(time.Millisecond))
}

// killed kills the process while it delivers, and prints the same of the next.
func killed(t *testing.T, what, bin, data string) {
	t.Helper()
	came, stop := receive(t)
	p := start(t, bin, data)
	<-came
	time.Sleep(4 * time.Second) // under load
	p.kill()
	stop()
	firstCall(t, what+", after kill -9", bin, data)
}

// loaded prints the most memory of its own that a process holds while 64 streams
// of responses of 1 KB come and go out again.
func loaded(t *testing.T, bin, data string, span time.Duration) {
	t.Helper()
	_, stop := receive(t)
	defer stop()
	p := start(t, bin, data)
	defer p.end(t)
	res, err := http.Post(p.url+"/callbacks", "application/json", strings.NewReader(`{"name": "a", "url": "http://`+endpoint+`", "maxInFlight": 128}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	line := []byte(`{"callbackId": "a", "responseMessage": {"channel": "SMS", "content": "` + strings.Repeat("yes ", 240) + `"}}` + "\n")
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var answered atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() { answered.Add(stream(ctx, p.url, line)) })
	}
	most := 0
	for ctx.Err() == nil {
		most = max(most, p.status(t)["RssAnon"])
		time.Sleep(50 * time.Millisecond)
	}
	wg.Wait()
	t.Logf("loaded: %d responses taken in %v; RssAnon at most %d", answered.Load(), span, most)
}

// stream sends the same line over and over until ctx ends, and returns how many
// were answered.
func stream(ctx context.Context, url string, line []byte) (answered int64) {
	r, w := io.Pipe()
	go func() {
		for ctx.Err() == nil {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
		_ = w.Close() // of a pipe
	}()
	req, err := http.NewRequest("POST", url+"/responses", r)
	if err != nil {
		return 0
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	res, err := (&http.Client{}).Do(req) // as long as it takes
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	for in := bufio.NewScanner(res.Body); in.Scan(); {
		if bytes.Contains(in.Bytes(), []byte("PENDING")) {
			answered++
		}
	}
	return answered
}

// manyCallbacks makes a folder with a thousand callbacks.
func manyCallbacks(t *testing.T, bin, data string) {
	t.Helper()
	p := start(t, bin, data)
	defer p.end(t)
	for i := range 1000 {
		body, err := json.Marshal(map[string]string{"name": fmt.Sprint("cb ", i), "url": "http://" + endpoint})
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.Post(p.url+"/callbacks", "application/json", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusCreated {
			t.Fatal(res.Status)
		}
	}
}
