package api

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"ringback/callback"
)

// This file and json_response.go are the only ones that know how JSON is written.

// maxDepth bounds how deep a document nests.
const maxDepth = 64

// parseJSON reads one JSON value into a tree. It is strict: RFC 8259 with
// unique names and valid UTF-8 (RFC 7493), nothing before or after.
func parseJSON(body []byte, r room) (node, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		return node{}, errEmpty
	}
	p := jsonReader{dec: jsontext.NewDecoder(bytes.NewBuffer(body)), room: r}
	var n node
	if err := p.read(&n); err != nil {
		return node{}, p.explain(err)
	}
	return n, p.end()
}

// end refuses what stands behind the value.
func (p *jsonReader) end() error {
	if _, err := p.dec.ReadToken(); err != io.EOF {
		return callback.Errorf(callback.CodeMalformed, "the body goes on after the end of its JSON value")
	}
	return nil
}

// treeOf reads what encodeJSON wrote, in which a name may stand twice.
func treeOf(body []byte) (n node, err error) {
	p := jsonReader{dec: jsontext.NewDecoder(bytes.NewBuffer(body), jsontext.AllowDuplicateNames(true)), room: room{left: math.MaxInt}}
	err = p.read(&n)
	return n, err
}

type jsonReader struct {
	dec  *jsontext.Decoder
	room room
	open []kind // of the objects and arrays that are open
	dry  bool   // keep nothing: only find what is wrong
}

var (
	errDeep = errors.New("nests deeper than 64 levels")
	errMany = errors.New("has too many values")
)

// read reads the next value into n.
func (p *jsonReader) read(n *node) error {
	tok, err := p.dec.ReadToken()
	if err != nil {
		return err
	}
	switch tok.Kind() {
	case jsontext.KindNull:
		n.kind = null
	case jsontext.KindTrue, jsontext.KindFalse:
		n.kind, n.value = boolean, tok.String()
	case jsontext.KindNumber:
		n.kind, n.value = number, tok.String()
	case jsontext.KindString:
		n.kind, n.value = text, tok.String()
	case jsontext.KindBeginObject:
		n.kind = object
	case jsontext.KindBeginArray:
		n.kind = list
	}
	if err := p.room.node(len(n.name) + len(n.value)); err != nil {
		return err
	}
	switch n.kind {
	case object:
		return p.readKids(n, jsontext.KindEndObject)
	case list:
		return p.readKids(n, jsontext.KindEndArray)
	}
	return nil
}

// readKids reads what stands in n up to the end token.
func (p *jsonReader) readKids(n *node, end jsontext.Kind) error {
	if p.open = append(p.open, n.kind); len(p.open) > maxDepth {
		return errDeep
	}
	for p.dec.PeekKind() != end {
		var kid node
		if n.kind == object {
			name, err := p.dec.ReadToken()
			if err != nil {
				return err
			}
			kid.name = name.String()
		}
		if err := p.read(&kid); err != nil {
			return err
		}
		if !p.dry {
			n.kids = append(n.kids, kid)
		}
	}
	p.open = p.open[:len(p.open)-1]
	_, err := p.dec.ReadToken()
	return err
}

// field returns the field that a JSON pointer names, as binders name it:
// items[3].id.
func (p *jsonReader) field(at jsontext.Pointer) string {
	path, depth := "", 0
	for token := range at.Tokens() {
		if depth < len(p.open) && p.open[depth] == list {
			path += "[" + token + "]"
		} else {
			path = under(path, token)
		}
		depth++
	}
	return path
}

// explain says in plain words what was wrong and where.
func (p *jsonReader) explain(err error) error {
	if errors.As(err, new(*refusal)) {
		return err // nothing is wrong with it
	}
	at, what := p.dec.StackPointer(), err.Error()
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at, what = e.JSONPointer, e.Err.Error()
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		what = "ends too early"
	}
	what = callback.Sanitize(what, 120)
	e := callback.Errorf(callback.CodeMalformed, "the body is not the JSON that is needed: %s", what)
	if at != "" {
		e.Fields = []callback.FieldError{{Field: callback.Sanitize(p.field(at), 120), Message: what}}
	}
	return e
}

// encodeJSON writes a shape. Text that is not UTF-8 cannot come in over HTTP;
// should some come another way it must not fail the answer.
func encodeJSON(shape any) ([]byte, error) {
	return json.Marshal(shape, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// decodeJSON reads an answer into a shape. Members that it does not know are
// skipped: a newer server may send more.
func decodeJSON(body []byte, shape any) error {
	return json.Unmarshal(body, shape, jsontext.AllowDuplicateNames(true))
}

// MarshalJSON writes the parameters as an object in their order.
func (p paramsShape) MarshalJSON() ([]byte, error) {
	var b strings.Builder
	e := jsontext.NewEncoder(&b, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return nil, err
	}
	for _, kv := range p {
		if err := errors.Join(e.WriteToken(jsontext.String(kv.Key)), e.WriteToken(jsontext.String(kv.Value))); err != nil {
			return nil, err
		}
	}
	err := e.WriteToken(jsontext.EndObject)
	return []byte(b.String()), err
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *paramsShape) UnmarshalJSON(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	if tok, err := d.ReadToken(); err != nil || tok.Kind() != jsontext.KindBeginObject {
		return errors.Join(errors.New("parameters are not an object"), err)
	}
	*p = paramsShape{}
	for d.PeekKind() == jsontext.KindString {
		name, err := d.ReadToken()
		if err != nil {
			return err
		}
		kv := callback.Param{Key: name.String()}
		value, err := d.ReadToken()
		if err != nil {
			return err
		}
		kv.Value = value.String()
		*p = append(*p, kv)
	}
	return nil
}
