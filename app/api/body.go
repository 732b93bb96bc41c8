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

// maxValues is how many values a body may hold: no more than there would be
// memory for beside others.
func (h *handler) maxValues() int {
	return int(min(max(h.maxBody/bytesPerValue, 1024), h.memory.size/4/nodeCost))
}

// errEmpty is what every codec says of a body with nothing in it.
var errEmpty = callback.Errorf(callback.CodeMalformed, "the body is empty")

// body reads and decodes the request's body.
func (q *request) body() (node, error) {
	c, raw, err := q.payload()
	if err != nil {
		return node{}, err
	}
	return q.tree(c, raw, &q.held)
}

// payload reads the request's body and says how it is written.
func (q *request) payload() (codec, []byte, error) {
	c, err := sent(q.r)
	if err != nil {
		return c, nil, err
	}
	raw, err := q.bytes()
	// RFC 9110, 8.3: without a Content-Type one may look.
	if q.r.Header.Get("Content-Type") == "" && first(raw) == '<' {
		c = xmlCodec
	}
	return c, raw, err
}

// tree decodes one document, for which held pays.
func (q *request) tree(c codec, raw []byte, held *hold) (node, error) {
	n, err := c.decode(raw, room{left: q.maxValues(), held: held})
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

// optional is body, but for a request that may come without one, whatever its
// Content-Type says; where its length is not told, with nothing in it.
func (q *request) optional() (n node, err error) {
	if q.r.ContentLength == 0 {
		return node{kind: object}, nil
	}
	if n, err = q.body(); err == error(errEmpty) {
		return node{kind: object}, nil
	}
	return n, err
}

// bytes reads the request's body. It is valid until the request is answered.
func (q *request) bytes() ([]byte, error) {
	if q.r.ContentLength > q.maxBody {
		return nil, q.large()
	}
	if err := q.held.more(firstBuffer); err != nil {
		return nil, err
	}
	q.raw = buffers.Get().(*[]byte)
	b := (*q.raw)[:0]
	in := http.MaxBytesReader(q.w, q.r.Body, q.maxBody)
	for {
		if len(b) == cap(b) {
			if err := q.held.more(int64(cap(b))); err != nil {
				return nil, err
			}
			b = append(make([]byte, 0, 2*cap(b)), b...)
			*q.raw = b
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == nil {
			continue
		}
		if err == io.EOF {
			return b, nil
		}
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, q.large()
		}
		return nil, callback.Errorf(callback.CodeMalformed, "the body could not be read to its end")
	}
}

// large refuses a body for its size, and has the server close the connection
// rather than read the rest.
func (q *request) large() error {
	return &refusal{
		status:  http.StatusRequestEntityTooLarge,
		message: fmt.Sprintf("the body is larger than %d bytes", q.maxBody),
		header:  http.Header{"Connection": {"close"}},
	}
}

// done gives back what the request used.
func (q *request) done() {
	q.held.free()
	if q.raw != nil && cap(*q.raw) <= keptBuffer {
		buffers.Put(q.raw)
	}
}
