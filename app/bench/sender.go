package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// sender posts the message over connections that it keeps, one for each
// producer: the producers have one, and the bare client.
type sender struct {
	http    *http.Transport
	message *message
}

func (b *run) newSender() *sender {
	return &sender{&http.Transport{MaxIdleConnsPerHost: b.Producers, DisableCompression: true}, &b.message}
}

var (
	asJSON  = http.Header{"Content-Type": {"application/json"}}
	asLines = http.Header{"Content-Type": {"application/x-ndjson"}}
)

// post sends the message once, and returns the id of the call that the answer
// names, 0 when it names none.
func (s *sender) post(ctx context.Context, to *url.URL, want int) (id uint64, err error) {
	body := s.message.stamped(make([]byte, 0, len(s.message.json)))
	req := &http.Request{
		Method: http.MethodPost, URL: to, Host: to.Host, Header: asJSON,
		Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	}
	resp, err := s.http.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close() // it was only read
	answer := buffers.Get().(*[]byte)
	defer buffers.Put(answer)
	if *answer, err = readInto(*answer, resp.Body); err != nil {
		return 0, err
	}
	if resp.StatusCode != want {
		return 0, fmt.Errorf("%s answered %s: %.300q", to, resp.Status, *answer)
	}
	return idIn(*answer), nil
}

// stream sends the message n times in one request, a line each, and returns the
// ids of the calls. It takes the answers while it sends.
func (s *sender) stream(ctx context.Context, to *url.URL, n int) (ids []uint64, err error) {
	in, out := io.Pipe()
	written := make(chan struct{})
	go func() {
		defer close(written)
		w := bufio.NewWriter(out)
		var line []byte
		for range n {
			line = s.message.stamped(line)
			if _, err := w.Write(append(line, '\n')); err != nil {
				break // who reads left, and tells why
			}
		}
		_ = out.CloseWithError(w.Flush()) // it never fails
	}()
	defer func() { <-written }()
	defer func() { _ = in.Close() }() // it never fails
	req := &http.Request{Method: http.MethodPost, URL: to, Host: to.Host, Header: asLines, Body: in, ContentLength: -1}
	resp, err := s.http.RoundTrip(req.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close() // it was only read
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		id := idIn(lines.Bytes())
		if resp.StatusCode != http.StatusAccepted || id == 0 {
			return nil, fmt.Errorf("%s answered %s: %.300q", to, resp.Status, lines.Bytes())
		}
		ids = append(ids, id)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(ids) != n {
		return nil, fmt.Errorf("%s answered %d lines of %d", to, len(ids), n)
	}
	return ids, nil
}

// idIn returns the id of a call in an answer, 0 when there is none.
func idIn(answer []byte) uint64 {
	_, rest, _ := bytes.Cut(answer, []byte(`"id":"`))
	id, _, ok := bytes.Cut(rest, []byte(`"`))
	n, err := strconv.ParseUint(string(id), 16, 64)
	if !ok || err != nil {
		return 0
	}
	return n
}
