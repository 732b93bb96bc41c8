package bench

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Arrival is one request that a Receiver answered 200.
type Arrival struct {
	ID   uint64 // the call's, from webhook-id; 0: no appliance sent it
	Sent int64  // when its response was sent, from its messageId, in Unix nanoseconds
	At   int64  // when it arrived, the same
}

// Receiver is an endpoint that notes what arrives, at any path. GET tells what
// did since the last time, or with ?count just how much that is. The zero value
// is ready.
type Receiver struct {
	mu   sync.Mutex
	list []Arrival
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.Method == http.MethodGet {
		r.tell(w, req)
		return
	}
	at := time.Now().UnixNano()
	body := buffers.Get().(*[]byte)
	defer buffers.Put(body)
	var err error
	if *body, err = readInto(*body, req.Body); err != nil {
		return // the sender left
	}
	id, _ := strconv.ParseUint(req.Header.Get("webhook-id"), 16, 64) // of another sender: 0
	a := Arrival{ID: id, Sent: sentAt(*body), At: at}
	r.mu.Lock()
	r.list = append(r.list, a)
	r.mu.Unlock()
}

func (r *Receiver) tell(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	list := r.list
	if req.URL.RawQuery == "" {
		r.list = nil
	}
	r.mu.Unlock()
	if req.URL.RawQuery != "" {
		_, _ = fmt.Fprint(w, len(list)) // who asks sees that it is cut short
		return
	}
	_ = gob.NewEncoder(w).Encode(list) // the same
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// readInto reads all of r into b's memory.
func readInto(b []byte, r io.Reader) ([]byte, error) {
	for b = b[:0]; ; {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
}

// takeArrivals asks a Receiver for what arrived since the last time.
func takeArrivals(ctx context.Context, url string) (list []Arrival, err error) {
	err = get(ctx, url, func(r io.Reader) error { return gob.NewDecoder(r).Decode(&list) })
	return list, err
}

// countArrivals asks a Receiver how many arrived since they were taken.
func countArrivals(ctx context.Context, url string) (n int, err error) {
	err = get(ctx, url+"/?count", func(r io.Reader) error { _, err := fmt.Fscan(r, &n); return err })
	return n, err
}

// get makes a GET request, and has what is answered read.
func get(ctx context.Context, url string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close() // it was only read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("read what %s answered: %w", url, err)
	}
	return nil
}
