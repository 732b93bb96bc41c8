package post

import (
	"strings"
	"unicode/utf8"

	"ringback/callback"
)

// Body returns what is POSTed to cb for r: the media type, and the body in
// valid UTF-8, the same bytes every time. Of several custom parameters with one
// name the last counts.
func Body(cb *callback.Callback, r *callback.Response) (contentType string, body []byte) {
	content := r.Message.Content
	if cb.RemoveHTML {
		content = strip(content)
	}
	m := message{Response: r, content: content, params: unique(r.Params)}
	if cb.ContentType == callback.XML {
		return mediaType(cb.ContentType), m.xml()
	}
	return mediaType(cb.ContentType), m.json()
}

func mediaType(c callback.ContentType) string {
	if c == callback.XML {
		return "application/xml"
	}
	return "application/json"
}

// message is a response as it is written out.
type message struct {
	*callback.Response
	content string
	params  []callback.Param
}

// member is one name of the wire form with its value.
type member struct{ name, value string }

func (m *message) from() []member {
	f := &m.From
	return []member{{"name", f.Name}, {"mri", f.MRI}, {"mobile", f.Mobile}, {"email", f.Email}, {"voice", f.Voice}}
}

func (m *message) message() []member {
	when := member{"acknowledged", m.Message.Acknowledged}
	if m.Kind() == callback.KindUndeliverable {
		when = member{"undeliverable", m.Message.Undeliverable}
	}
	return []member{{"channel", m.Message.Channel}, when, {"content", m.content}}
}

func unique(params []callback.Param) []callback.Param {
	if len(params) < 2 {
		return params
	}
	at := make(map[string]int, len(params))
	out := make([]callback.Param, 0, len(params))
	for _, p := range params {
		p.Key = strings.Map(func(r rune) rune { return r }, p.Key) // what is not UTF-8 may make two names one
		if i, ok := at[p.Key]; ok {
			out[i] = p
			continue
		}
		at[p.Key] = len(out)
		out = append(out, p)
	}
	return out
}

func (m *message) size() int {
	n := len(m.content) + 1024
	for _, p := range m.params {
		n += len(p.Key) + len(p.Value) + 48
	}
	return n
}

func (m *message) json() []byte {
	b := make([]byte, 0, m.size())
	b = appendMember(append(b, '{'), member{"messageId", m.MessageID})
	b = appendMember(append(b, ','), member{"messageLocation", m.MessageLocation})
	b = appendObject(append(b, `,"from":`...), m.from())
	b = appendObject(append(b, `,"responseMessage":`...), m.message())
	if len(m.params) > 0 {
		ms := make([]member, len(m.params))
		for i, p := range m.params {
			ms[i] = member{p.Key, p.Value}
		}
		b = appendObject(append(b, `,"customParameters":`...), ms)
	}
	return append(b, '}')
}

func appendObject(b []byte, ms []member) []byte {
	b = append(b, '{')
	for i, m := range ms {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendMember(b, m)
	}
	return append(b, '}')
}

func appendMember(b []byte, m member) []byte {
	return appendString(append(appendString(b, m.name), ':'), m.value)
}

// appendString appends s as a JSON string (RFC 8259 7). Only what must be
// escaped is, so that people can read what was sent.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	n := plain(s)
	b = append(b, s[:n]...)   // all of it, in most cases
	for _, r := range s[n:] { // bytes that are not UTF-8 come as U+FFFD
		switch {
		case r == '"', r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, '\\', 'n')
		case r == '\r':
			b = append(b, '\\', 'r')
		case r == '\t':
			b = append(b, '\\', 't')
		case r < 0x20:
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

func (m *message) xml() []byte {
	b := make([]byte, 0, m.size())
	b = append(b, `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`+"\n"...)
	b = append(b, `<ns2:deliveryResponse xmlns:ns2="http://schemas.api.whispir.com">`+"\n"...)
	b = append(appendElement(append(b, "  "...), member{"messageId", m.MessageID}), '\n')
	b = append(appendElement(append(b, "  "...), member{"messageLocation", m.MessageLocation}), '\n')
	b = appendParent(b, "from", m.from())
	b = appendParent(b, "responseMessage", m.message())
	if len(m.params) > 0 {
		b = append(b, "  <customParameters>"...)
		for _, p := range m.params {
			b = appendElement(append(b, "<entry>"...), member{"key", p.Key})
			b = append(appendElement(b, member{"value", p.Value}), "</entry>"...)
		}
		b = append(b, "</customParameters>\n"...)
	}
	return append(b, "</ns2:deliveryResponse>\n"...)
}

func appendParent(b []byte, name string, ms []member) []byte {
	b = append(append(append(b, "  <"...), name...), '>')
	for _, m := range ms {
		b = appendElement(b, m)
	}
	return append(append(append(b, "</"...), name...), ">\n"...)
}

func appendElement(b []byte, m member) []byte {
	b = append(append(append(b, '<'), m.name...), '>')
	b = appendText(b, m.value)
	return append(append(append(b, "</"...), m.name...), '>')
}

// appendText appends s as character data. What XML 1.0 has no way to write
// (2.2 Char) becomes U+FFFD; a carriage return is written so that the reader's
// line end handling (2.11) leaves it alone.
func appendText(b []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '&':
			b = append(b, "&amp;"...)
		case r == '<':
			b = append(b, "&lt;"...)
		case r == '>':
			b = append(b, "&gt;"...)
		case r == '\r':
			b = append(b, "&#13;"...)
		case r < 0x20 && r != '\t' && r != '\n', r == 0xfffe, r == 0xffff:
			b = append(b, "\ufffd"...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
