package cli

import (
	"errors"
	"io"
	"net/http"
	"sync"
)

// inProcess is a transport that ends at a handler of this process. As over a
// connection, an answer can be read while the request is being sent.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	out, in := io.Pipe()
	w := &piped{header: http.Header{}, out: in, begun: make(chan struct{})}
	body := &pipedBody{PipeReader: out, request: r.Body, done: make(chan struct{})}
	go func() {
		defer close(body.done)
		defer func() {
			if recover() != nil { // http.ErrAbortHandler: the handler outlives all others
				_ = in.CloseWithError(io.ErrUnexpectedEOF) // it never fails
			}
			w.WriteHeader(http.StatusOK)
			_ = errors.Join(in.Close(), r.Body.Close()) // the one never fails, the other was read, or is not wanted
		}()
		t.handler.ServeHTTP(w, r)
	}()
	<-w.begun
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: r,
	}, nil
}

// piped is a ResponseWriter at the other end of whose pipe the answer is read.
type piped struct {
	header http.Header
	out    *io.PipeWriter

	once   sync.Once
	begun  chan struct{} // closed when what follows is set
	status int
	sent   http.Header
}

// Header implements http.ResponseWriter.
func (p *piped) Header() http.Header { return p.header }

// WriteHeader implements http.ResponseWriter.
func (p *piped) WriteHeader(status int) {
	if status < http.StatusOK {
		return // nobody waits for what is between
	}
	p.once.Do(func() {
		p.status, p.sent = status, p.header.Clone()
		close(p.begun)
	})
}

// Write implements http.ResponseWriter.
func (p *piped) Write(b []byte) (int, error) {
	p.WriteHeader(http.StatusOK)
	return p.out.Write(b)
}

// Flush implements http.Flusher.
func (p *piped) Flush() { p.WriteHeader(http.StatusOK) }

// pipedBody is the body of an answer. Closing it ends the handler, and waits
// until it ended.
type pipedBody struct {
	*io.PipeReader
	request io.Closer
	done    chan struct{}
}

// Close implements io.Closer.
func (b *pipedBody) Close() error {
	err := errors.Join(b.PipeReader.Close(), b.request.Close())
	<-b.done
	return err
}
