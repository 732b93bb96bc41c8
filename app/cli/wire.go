package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"ringback/callback"
)

// inProcess is a transport that ends at a handler of this process.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	defer r.Body.Close() // it was read, or is not wanted
	k := &keeper{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(k, r)
	return &http.Response{
		StatusCode: k.status, Status: http.StatusText(k.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: k.header, Body: io.NopCloser(&k.body), ContentLength: int64(k.body.Len()), Request: r,
	}, nil
}

// keeper keeps an answer.
type keeper struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *keeper) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *keeper) WriteHeader(status int) { k.status = status }

// Write implements http.ResponseWriter.
func (k *keeper) Write(b []byte) (int, error) { return k.body.Write(b) }

// bytesReader returns a reader of b; nil for no body at all.
func bytesReader(b []byte) io.Reader {
	if b == nil {
		return nil
	}
	return bytes.NewReader(b)
}

// bare takes the URL off an error of net/http: it is told already.
func bare(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		return e.Err
	}
	return err
}

// problem is what the API answers when something is wrong (RFC 9457).
type problem struct {
	Title  string                `json:"title"`
	Detail string                `json:"detail"`
	Errors []callback.FieldError `json:"errors"`
}

// fault returns what an answer says is wrong. A status of 5xx is no fault of who
// asked.
func fault(status int, body []byte) error {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil {
		return fmt.Errorf("ringback answered %d %s", status, http.StatusText(status))
	}
	e := p.error()
	if status >= 500 {
		return fmt.Errorf("ringback answered %d: %s", status, e.Message)
	}
	return e
}

// error returns the problem as the domain's error.
func (p *problem) error() *callback.Error {
	return &callback.Error{Code: callback.CodeInvalid, Message: cmp.Or(p.Detail, p.Title, "it was refused"), Fields: p.Errors}
}
