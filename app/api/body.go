package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"ringback/callback"
)

// bytesPerValue bounds how many values a body of a certain size may hold: a
// node in memory is larger than the two bytes that one may take in a body.
const bytesPerValue = 8

// body reads and decodes the request's body.
func (q *request) body() (node, error) {
	c, err := sent(q.r)
	if err != nil {
		return node{}, err
	}
	raw, err := q.bytes()
	if err != nil {
		return node{}, err
	}
	return c.decode(raw, int(max(q.maxBody/bytesPerValue, 1024)))
}

// optional is body, but for a request that may come without one.
func (q *request) optional() (n node, err error) {
	if q.r.ContentLength == 0 {
		return node{kind: object}, nil
	}
	return q.body()
}

func (q *request) bytes() ([]byte, error) {
	large := &refusal{
		status:  http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("the body is larger than %d bytes", q.maxBody),
		header:  http.Header{"Connection": {"close"}},
	}
	if q.r.ContentLength > q.maxBody {
		return nil, large
	}
	raw, err := io.ReadAll(http.MaxBytesReader(q.w, q.r.Body, q.maxBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, large
	}
	if err != nil {
		return nil, callback.Errorf(callback.CodeMalformed, "the body could not be read to its end")
	}
	return raw, nil
}
