package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringback/app/api"
	"ringback/callback"
	"ringback/queue"
)

// BenchmarkLines enqueues 1 KB responses durably by one stream over a connection,
// its answers read, and prints the rate and its ratio to what the store takes in
// batches of 512 in the same run, without HTTP and JSON.
func BenchmarkLines(b *testing.B) {
	content := strings.Repeat("It has been raining. ", 33)
	item := callback.Response{
		MessageID: "ABC4857BCCF484575FCA", MessageLocation: "https://api.example.com/messages/ABC4857BCCF484575FCA",
		From:    callback.From{Name: "Fred Waters", MRI: "Fred_Waters.528798.Sandbox@contact.example.com", Mobile: "0430984567"},
		Message: callback.Message{Channel: "SMS", Acknowledged: "09/01/13 13:22", Content: content},
	}
	line := fmt.Sprintf(`{"callbackId":"crm","messageId":%q,"messageLocation":%q,"from":{"name":%q,"mri":%q,"mobile":%q},`+
		`"responseMessage":{"channel":"SMS","acknowledged":"09/01/13 13:22","content":%q}}`+"\n",
		item.MessageID, item.MessageLocation, item.From.Name, item.From.MRI, item.From.Mobile, content)
	a := open(b, nil)
	name, url := "crm", "http://127.0.0.1:1/"
	if _, err := a.Create(b.Context(), callback.Draft{Name: &name, URL: &url}); err != nil {
		b.Fatal(err)
	}
	if err := a.Suspend(b.Context(), name, "bench"); err != nil { // what is delivered is no part of it
		b.Fatal(err)
	}
	srv := httptest.NewServer(api.New(api.Options{Service: a}))
	b.Cleanup(srv.Close)
	const turn = 20 * 512
	body := bytes.Repeat([]byte(line), turn)
	store, num := bareStore(b)
	calls := make([]callback.NewCall, 512)
	for i := range calls {
		calls[i] = callback.NewCall{Num: num, Response: item}
	}
	var mine, top time.Duration
	done := 0
	for b.Loop() {
		if done++; done%turn != 1 {
			continue
		}
		start := time.Now()
		stream(b, srv.URL, body, turn)
		half := time.Now()
		for range turn / 512 {
			if _, err := store.Enqueue(context.Background(), time.Now(), calls); err != nil {
				b.Fatal(err)
			}
		}
		mine, top = mine+half.Sub(start), top+time.Since(half)
	}
	n := float64((done + turn - 1) / turn * turn)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(n/mine.Seconds(), "lines/s")
	b.ReportMetric(n/top.Seconds(), "ceiling/s")
	b.ReportMetric(top.Seconds()/mine.Seconds(), "ratio")
}

// bareStore opens an engine with one suspended callback.
func bareStore(b *testing.B) (*queue.Engine, callback.Num) {
	b.Helper()
	e, err := queue.Open(queue.Options{Dir: b.TempDir(), Now: time.Now(), Policy: policy()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	cb, err := e.Create(b.Context(), time.Now(), callback.Callback{ID: 1, Name: "crm", URL: "http://127.0.0.1:1/"})
	if err != nil {
		b.Fatal(err)
	}
	if err := e.Suspend(b.Context(), time.Now(), cb.Num, "bench"); err != nil {
		b.Fatal(err)
	}
	return e, cb.Num
}

// stream sends a stream and reads its answers meanwhile.
func stream(b *testing.B, url string, body []byte, lines int) {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), "POST", url+"/responses", bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReaderSize(res.Body, 64<<10)
	for i := range lines {
		answer, err := in.ReadSlice('\n')
		if err != nil || !bytes.Contains(answer, []byte("PENDING")) {
			b.Fatalf("line %d: %q, %v", i, answer, err)
		}
	}
	if _, err := in.ReadByte(); err != io.EOF {
		b.Fatalf("more answers than lines: %v", err)
	}
}
