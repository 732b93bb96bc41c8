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
	Status int                   `json:"status"`
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
