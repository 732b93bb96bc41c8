package bench

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestMessage(t *testing.T) {
	t.Parallel()
	for _, size := range []int{MinSize, 1024, MaxSize} {
		m, err := newMessage(size)
		if err != nil {
			t.Fatal(err)
		}
		before := time.Now().UnixNano()
		body := m.stamped(nil)
		if len(body) != size || !json.Valid(body) {
			t.Errorf("size %d: %d bytes: %.200s", size, len(body), body)
		}
		if at := sentAt(body); at < before || at > time.Now().UnixNano() {
			t.Errorf("size %d: sent at %d, not now", size, at)
		}
		if again := m.stamped(body); sentAt(m.json) != 0 || len(again) != size {
			t.Errorf("size %d: the next one begins as %.100s", size, m.json)
		}
	}
}

func TestSentAt(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", `{"messageId":"`, `{"messageId":"17637948"}`, `{"messageId":"ABC4857BCCF484575FCA"}`} {
		if at := sentAt([]byte(body)); at != 0 {
			t.Errorf("%s: sent at %d", body, at)
		}
	}
}

func TestIDIn(t *testing.T) {
	t.Parallel()
	for answer, want := range map[string]uint64{
		`{"id":"0328BA3200000001","status":"PENDING"}`:      0x0328BA3200000001,
		`{"callbackId":"X","id":"0328BA32000000FF"}`:        0x0328BA32000000FF,
		`{"status":"SKIPPED"}`:                              0,
		`{"id":"0328BA32`:                                   0,
		`{"id":"nothing"}`:                                  0,
		`{"error":{"title":"Too large","errors":[]},"id":1`: 0,
	} {
		if got := idIn([]byte(answer)); got != want {
			t.Errorf("%s: %x, want %x", answer, got, want)
		}
	}
}

func TestReceiver(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&Receiver{})
	t.Cleanup(srv.Close)
	m, err := newMessage(1024)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"0328BA3200000001", "0328BA3200000001", ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/in", bytes.NewReader(m.stamped(nil)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("webhook-id", id)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
	}
	if n, err := countArrivals(t.Context(), srv.URL); n != 3 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	list, err := takeArrivals(t.Context(), srv.URL)
	if err != nil || len(list) != 3 || list[1].ID != 0x0328BA3200000001 || list[2].ID != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, a := range list {
		if a.At < a.Sent || a.Sent == 0 {
			t.Errorf("sent %d, arrived %d", a.Sent, a.At)
		}
	}
	if n, err := countArrivals(t.Context(), srv.URL); n != 0 || err != nil {
		t.Errorf("%d are left, %v", n, err)
	}
}

func TestReadInto(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	b, err := readInto(make([]byte, 3, 16), io.MultiReader(strings.NewReader("a"), strings.NewReader(long)))
	if err != nil || string(b) != "a"+long {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
