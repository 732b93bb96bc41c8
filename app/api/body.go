package api

import (
	"bytes"
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
	// RFC 9110, 8.3: without a Content-Type one may look.
	if q.r.Header.Get("Content-Type") == "" && bytes.HasPrefix(bytes.TrimSpace(raw), []byte("<")) {
		c = xmlCodec
	}
	n, err := c.decode(raw, int(max(q.maxBody/bytesPerValue, 1024)))
	if err == nil {
		err = q.root(&n)
	}
	return n, err
}

// root checks the root of a document, which only XML has a name for, and takes
// the name off.
func (q *request) root(n *node) error {
	if n.name == "" {
		return nil
	}
	name, spaces := wantedRoot(q.r.Pattern)
	for _, space := range spaces {
		if n.name == "{"+space+"}"+name {
			n.name = ""
			return nil
		}
	}
	message := fmt.Sprintf("is needed as the root, in the namespace %s", spaces[0])
	return &callback.Error{
		Code: callback.CodeMalformed, Message: "the body is not the XML that is needed here",
		Fields: []callback.FieldError{{Field: name, Message: message}},
	}
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
