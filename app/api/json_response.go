package api

import (
	"bytes"
	"errors"
	"math"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringback/callback"
)

// This file reads the responses that nearly all are, without a tree. What it
// does not take it leaves to binder.response, which alone says what is wrong: a
// fuzz test has both read the same and holds them to each other.

// plainResponse is a response as nearly all are written.
type plainResponse struct {
	ID                 string        `json:"id"`
	CallbackID         string        `json:"callbackId"`
	MessageID          string        `json:"messageId"`
	MessageLocation    string        `json:"messageLocation"`
	From               fromShape     `json:"from"`
	ResponseMessage    *messageShape `json:"responseMessage"`
	CustomParameters   plainParams   `json:"customParameters"`
	CallbackParameters plainParams   `json:"callbackParameters"`
	DeliverAt          *string       `json:"deliverAt"`
}

// plainJSON reads a response into r, and reports whether it could. It takes nothing
// that parseJSON and binder.response would not read the same.
func plainJSON(body []byte, r *callback.NewResponse) bool {
	var s plainResponse
	if json.Unmarshal(body, &s, onlyKnown) != nil || s.ResponseMessage == nil && s.MessageID == "" {
		return false
	}
	r.Response = callback.Response{
		MessageID: s.MessageID, MessageLocation: s.MessageLocation, From: callback.From(s.From),
		Params: s.CustomParameters, Key: s.ID,
	}
	if s.ResponseMessage != nil {
		r.Response.Message = callback.Message(*s.ResponseMessage)
	}
	r.Ref = s.CallbackID
	if len(s.CustomParameters) == 0 {
		r.Response.Params = s.CallbackParameters
	} else if len(s.CallbackParameters) > 0 {
		return false
	}
	if s.DeliverAt == nil {
		return true
	}
	t, err := time.Parse(time.RFC3339, *s.DeliverAt)
	r.Response.DeliverAt = t
	return err == nil && t.Year() >= 1
}

var onlyKnown = json.RejectUnknownMembers(true)

// plainParams are custom parameters written as an object of scalars.
type plainParams []callback.Param

var errNotPlain = errors.New("not plain")

// UnmarshalJSONFrom implements json.UnmarshalerFrom.
func (p *plainParams) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	tok, err := d.ReadToken()
	if err != nil {
		return err
	}
	if tok.Kind() == jsontext.KindNull {
		return nil
	}
	if tok.Kind() != jsontext.KindBeginObject {
		return errNotPlain
	}
	for d.PeekKind() == jsontext.KindString {
		if len(*p) == callback.MaxParams {
			return errNotPlain
		}
		if tok, err = d.ReadToken(); err != nil {
			return err
		}
		kv := callback.Param{Key: tok.String()}
		if tok, err = d.ReadToken(); err != nil {
			return err
		}
		switch tok.Kind() {
		case jsontext.KindNull:
		case jsontext.KindString, jsontext.KindNumber, jsontext.KindTrue, jsontext.KindFalse:
			kv.Value = tok.String()
		default:
			return errNotPlain
		}
		*p = append(*p, kv)
	}
	_, err = d.ReadToken()
	return err
}

// splitJSON returns the items of an array without reading what is in them. All
// of it is checked: what is wrong anywhere refuses the whole.
func splitJSON(body []byte, most int) ([][]byte, error) {
	p := jsonReader{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), open: []kind{list}}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.explain(err)
	}
	var items [][]byte
	for p.dec.PeekKind() != jsontext.KindEndArray {
		v, err := p.dec.ReadValue()
		if err != nil || deep(v) {
			return nil, faultOf(body)
		}
		if len(items) == most {
			return nil, p.explain(errMany)
		}
		end := p.dec.InputOffset()
		items = append(items, body[end-int64(len(v)):end])
	}
	if _, err := p.dec.ReadToken(); err != nil {
		return nil, p.explain(err)
	}
	return items, p.end()
}

// faultOf says what is wrong with a body in which something is.
func faultOf(body []byte) error {
	p := jsonReader{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), room: room{left: math.MaxInt}, dry: true}
	return p.explain(p.read(new(node)))
}

// deep reports whether a value that stands in an array nests too deep.
func deep(v jsontext.Value) bool {
	if bytes.Count(v, []byte{'{'})+bytes.Count(v, []byte{'['}) < maxDepth {
		return false
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(v), jsontext.AllowDuplicateNames(true))
	for {
		if _, err := d.ReadToken(); err != nil {
			return false
		}
		if d.StackDepth() >= maxDepth {
			return true
		}
	}
}

// appendItem adds to b what encodeJSON writes for s.
func appendItem(b []byte, s *enqueuedShape) ([]byte, error) {
	if s.Error != nil || s.CallbackID == nil {
		item, err := encodeJSON(s)
		return append(b, item...), err
	}
	b = append(b, '{')
	if s.ID != nil {
		b = append(append(append(b, `"id":"`...), s.ID.String()...), `",`...)
	}
	b = append(append(append(b, `"callbackId":"`...), s.CallbackID.String()...), '"')
	if s.Status != "" {
		b = append(append(append(b, `,"status":"`...), s.Status...), '"')
	}
	if s.Repeat {
		b = append(b, `,"repeat":true`...)
	}
	from, to := 0, 0 // where the last URI is in b
	for i := range s.Link {
		l := &s.Link[i]
		if b = append(b, ','); i == 0 {
			b = append(b, `"link":[`...)
		}
		if b = append(b, `{"uri":`...); i > 0 && l.URI == s.Link[i-1].URI {
			b = append(b, b[from:to]...) // all of them lead to the call
		} else {
			from = len(b)
			b, _ = jsontext.AppendQuote(b, l.URI) // what is no UTF-8 becomes U+FFFD, as in encodeJSON
			to = len(b)
		}
		b = append(append(append(b, `,"rel":"`...), l.Rel...), `","method":"`...)
		b = append(append(b, l.Method...), `"}`...)
	}
	if len(s.Link) > 0 {
		b = append(b, ']')
	}
	return append(b, '}'), nil
}
