package api

import (
	"bytes"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ringback/callback"
)

// This file reads the responses that nearly all are, without a tree. What it
// does not take it leaves to binder.response, which alone says what is wrong: a
// fuzz test has both read the same and holds them to each other.

// plainJSON reads a response into r, and reports whether it could. It takes nothing
// that parseJSON and binder.response would not read the same.
func plainJSON(body []byte, r *callback.NewResponse) bool {
	var due string
	var custom, other []callback.Param
	*r = callback.NewResponse{}
	n := &r.Response
	fields := [...]plainField{
		{name: "messageId", text: &n.MessageID},
		{name: "messageLocation", text: &n.MessageLocation},
		{name: "from", kids: []plainField{
			{name: "name", text: &n.From.Name},
			{name: "mri", text: &n.From.MRI},
			{name: "mobile", text: &n.From.Mobile},
			{name: "email", text: &n.From.Email},
			{name: "voice", text: &n.From.Voice},
		}},
		{name: "responseMessage", kids: []plainField{
			{name: "channel", text: &n.Message.Channel},
			{name: "acknowledged", text: &n.Message.Acknowledged},
			{name: "undeliverable", text: &n.Message.Undeliverable},
			{name: "content", text: &n.Message.Content},
		}},
		{name: "customParameters", params: &custom},
		{name: "callbackParameters", params: &other},
		{name: "id", text: &n.Key},
		{name: "callbackId", text: &r.Ref},
		{name: "deliverAt", text: &due},
	}
	message, deliver := &fields[3], &fields[8]
	p := plainReader{in: body}
	if len(body) <= keptText {
		p.text = string(body)
	}
	if !p.object(fields[:]) || !p.ended() || len(custom) > 0 && len(other) > 0 || !message.there && n.MessageID == "" {
		return false
	}
	if n.Params = custom; len(custom) == 0 {
		n.Params = other
	}
	if !deliver.there {
		return true
	}
	t, err := time.Parse(time.RFC3339, due)
	n.DeliverAt = t
	return err == nil && t.Year() >= 1
}

// keptText is how long a body may be that is kept whole for the texts in it, which
// are then no strings of their own.
const keptText = 4 << 10

// plainField is a member that an object may have.
type plainField struct {
	name   string
	text   *string           // where its string goes; nil: it is none, but
	kids   []plainField      // an object with these, or
	params *[]callback.Param // one of scalars with any names

	read, there bool // it came; and is not null
}

// plainReader reads one JSON value of a known form. Whatever its methods do not
// know they call not ok.
type plainReader struct {
	in   []byte
	text string // all of in, or ""
	at   int
}

// next skips white space and returns the byte that follows; 0: none.
func (p *plainReader) next() byte {
	for ; p.at < len(p.in); p.at++ {
		if c := p.in[p.at]; c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
	}
	return 0
}

// ended reports whether nothing but white space follows.
func (p *plainReader) ended() bool {
	p.next()
	return p.at == len(p.in)
}

// take skips white space and then c, and reports whether it was there.
func (p *plainReader) take(c byte) bool {
	if p.next() != c {
		return false
	}
	p.at++
	return true
}

// word skips w where it is what comes next.
func (p *plainReader) word(w string) bool {
	if p.next(); !bytes.HasPrefix(p.in[p.at:], []byte(w)) {
		return false
	}
	p.at += len(w)
	return true
}

// members reads an object, and has each of its values read by value.
func (p *plainReader) members(value func(name string) bool) (ok bool) {
	if !p.take('{') {
		return false
	}
	if p.take('}') {
		return true
	}
	for {
		name, ok := p.string()
		if !ok || !p.take(':') || !value(name) {
			return false
		}
		if !p.take(',') {
			return p.take('}')
		}
	}
}

// object reads an object with some of the fields.
func (p *plainReader) object(fields []plainField) bool {
	return p.members(func(name string) bool {
		for i := range fields {
			if f := &fields[i]; f.name == name {
				return !f.read && p.field(f)
			}
		}
		return false
	})
}

// field reads the value of a field.
func (p *plainReader) field(f *plainField) (ok bool) {
	f.read = true
	if f.there = !p.word("null"); !f.there {
		return true
	}
	switch {
	case f.text != nil:
		*f.text, ok = p.string()
	case f.params != nil:
		ok = p.params(f.params)
	default:
		ok = p.object(f.kids)
	}
	return ok
}

// params reads an object of scalars.
func (p *plainReader) params(out *[]callback.Param) bool {
	return p.members(func(name string) bool {
		if len(*out) == callback.MaxParams || slices.ContainsFunc(*out, func(o callback.Param) bool { return o.Key == name }) {
			return false
		}
		value, ok := p.scalar()
		*out = append(*out, callback.Param{Key: name, Value: value})
		return ok
	})
}

// scalar reads a string, or what else is written in one word: "" for null.
func (p *plainReader) scalar() (value string, ok bool) {
	if c := p.next(); c == '"' {
		return p.string()
	} else if c == '{' || c == '[' {
		return "", false
	}
	from := p.at
	for p.at < len(p.in) && !bytes.ContainsRune([]byte(" \t\r\n,}"), rune(p.in[p.at])) {
		p.at++
	}
	v := jsontext.Value(p.in[from:p.at])
	if !v.IsValid() {
		return "", false
	}
	if v.Kind() == jsontext.KindNull {
		return "", true
	}
	return v.String(), true
}

// string reads a string.
func (p *plainReader) string() (s string, ok bool) {
	if !p.take('"') {
		return "", false
	}
	from, escaped, ascii := p.at, false, true
	for {
		p.at += callback.Plain(p.in[p.at:])
		if p.at >= len(p.in) {
			return "", false
		}
		switch c := p.in[p.at]; {
		case c == '"':
			p.at++
			return p.between(from, p.at-1, escaped, ascii)
		case c == '\\':
			escaped = true
			p.at += 2
		case c < utf8.RuneSelf:
			return "", false
		default:
			for ascii = false; p.at < len(p.in) && p.in[p.at] >= utf8.RuneSelf; p.at++ {
			}
		}
		p.at = min(p.at, len(p.in))
	}
}

// between returns the string that stands between two quotes.
func (p *plainReader) between(from, to int, escaped, ascii bool) (string, bool) {
	switch {
	case escaped:
		b, err := jsontext.AppendUnquote(nil, p.in[from-1:to+1])
		return string(b), err == nil
	case !ascii && !utf8.Valid(p.in[from:to]):
		return "", false
	case p.text != "":
		return p.text[from:to], true
	}
	return string(p.in[from:to]), true
}
