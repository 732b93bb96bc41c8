package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// kind is what a node is.
type kind uint8

// The kinds of node.
const (
	null kind = iota
	boolean
	number
	text
	list
	object
	untyped // the text of an XML element, which says nothing of its type
)

// String returns the words for "is …".
func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object", "a text"}[k]
}

// node is one value of a decoded document. Objects keep the order of their
// members and have each name once.
type node struct {
	kind  kind
	name  string // within an object
	value string // of a scalar; a number as it was written
	kids  []node
}

// word returns the value of a scalar that may be read as a k, with ok false
// where n is none. Space around an untyped text does not belong to a number, a
// boolean or a word of the contract.
func (n *node) word(k kind) (value string, ok bool) {
	if n.kind == untyped {
		return strings.TrimSpace(n.value), true
	}
	return n.value, n.kind == k
}

// blank reports whether n is an XML element with nothing in it.
func (n *node) blank() bool {
	return n.kind == untyped && strings.TrimSpace(n.value) == ""
}

// binder reads nodes into the domain's types and notes every field that is
// wrong. A null is as good as a field that is left out: some clients write
// every field they know.
type binder struct {
	faults []callback.FieldError
}

func (b *binder) fail(field, format string, args ...any) {
	if len(b.faults) < callback.MaxFaults {
		b.faults = append(b.faults, callback.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
	}
}

// err returns what is wrong with the thing that was read, or nil.
func (b *binder) err(what string) error {
	if len(b.faults) == 0 {
		return nil
	}
	return &callback.Error{Code: callback.CodeInvalid, Message: what + " is not valid", Fields: b.faults}
}

// unknown refuses a field: a misspelled one must not be ignored silently.
func (b *binder) unknown(field string) { b.fail(field, "is not a known field") }

// under returns the path of a member, fit to be shown.
func under(path, name string) string {
	name = callback.Sanitize(name, 60)
	if path == "" {
		return name
	}
	return path + "." + name
}

// wholeBody names the body itself, or one item of an array, as what is wrong.
const wholeBody = "(body)"

// members returns the members of an object; none where there is no object. The
// whole body must be one.
func (b *binder) members(path string, n *node) []node {
	if n.kind == object || n.blank() || n.kind == null && path != "" {
		return n.kids
	}
	if path == "" {
		path = wholeBody
	}
	b.fail(path, "is %v; an object is needed", n.kind)
	return nil
}

// string reads a text. nil: there is none.
func (b *binder) string(path string, n *node) *string {
	switch n.kind {
	case text, untyped:
		return &n.value
	case null:
	default:
		b.fail(path, "is %v; a string is needed", n.kind)
	}
	return nil
}

// token reads a text that is one of some words.
func (b *binder) token(path string, n *node) *string {
	if b.string(path, n) == nil {
		return nil
	}
	word, _ := n.word(text)
	return &word
}

// into reads a text into dst where there is one.
func (b *binder) into(dst *string, path string, n *node) {
	if s := b.string(path, n); s != nil {
		*dst = *s
	}
}

// bool reads a boolean, or one of the strings "true" and "false".
func (b *binder) bool(path string, n *node) *bool {
	if n.kind == null {
		return nil
	}
	if word, ok := n.word(text); ok || n.kind == boolean {
		for _, v := range []bool{true, false} {
			if strings.EqualFold(word, strconv.FormatBool(v)) {
				return &v
			}
		}
	}
	b.fail(path, "must be true or false")
	return nil
}

// enabled reads one of the words enabled and disabled.
func (b *binder) enabled(path string, n *node) *bool {
	if n.kind == null {
		return nil
	}
	if word, ok := n.word(text); ok {
		for _, v := range []bool{true, false} {
			if strings.EqualFold(word, enabledWord(v)) {
				return &v
			}
		}
	}
	b.fail(path, `must be "enabled" or "disabled"`)
	return nil
}

// int reads a whole number that fits 32 bits.
func (b *binder) int(path string, n *node) *int {
	if n.kind == null {
		return nil
	}
	word, ok := n.word(number)
	v, err := strconv.ParseInt(word, 10, 32)
	if !ok || err != nil {
		b.fail(path, "must be a whole number")
		return nil
	}
	i := int(v)
	return &i
}

// float reads a number.
func (b *binder) float(path string, n *node) *float64 {
	if n.kind == null {
		return nil
	}
	word, ok := n.word(number)
	v, err := strconv.ParseFloat(word, 64)
	if !ok || err != nil {
		b.fail(path, "must be a number")
		return nil
	}
	return &v
}

// duration reads a length of time with its unit, such as "5s".
func (b *binder) duration(path string, n *node) *time.Duration {
	if n.kind == null {
		return nil
	}
	word, ok := n.word(text)
	d, err := time.ParseDuration(word)
	if !ok || err != nil {
		b.fail(path, `must be a string with a unit, such as "5s"`)
		return nil
	}
	return &d
}

// time reads an instant (RFC 3339).
func (b *binder) time(path string, n *node) time.Time {
	s := b.token(path, n)
	if s == nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, *s)
	if err != nil || t.Year() < 1 {
		b.fail(path, "must be an instant such as 2026-03-01T09:30:00Z (RFC 3339)")
		return time.Time{}
	}
	return t
}

// params reads names with texts: an object of scalars, or an array of objects
// with key and value, at most so many. The order stays as it is written.
func (b *binder) params(path string, n *node, most int) []callback.Param {
	var out []callback.Param
	if len(n.kids) > most { // before any is copied: there may be very many
		b.fail(path, "has %d entries; at most %d", len(n.kids), most)
		return nil
	}
	seen := make(map[string]bool, len(n.kids))
	add := func(at, key string, n *node) {
		switch {
		case n.kind == list || n.kind == object:
			b.fail(at, "is %v; a string, number or boolean is needed", n.kind)
		case seen[key]:
			b.fail(at, "is given twice")
		default:
			seen[key] = true
			out = append(out, callback.Param{Key: key, Value: n.value})
		}
	}
	switch n.kind {
	case null:
	case object:
		for i := range n.kids {
			add(under(path, n.kids[i].name), n.kids[i].name, &n.kids[i])
		}
	case list:
		for i := range n.kids {
			at := fmt.Sprintf("%s[%d]", path, i)
			if key, value, ok := b.entry(at, &n.kids[i]); ok {
				add(at, key, value)
			}
		}
	default:
		if !n.blank() {
			b.fail(path, "is %v; an object is needed", n.kind)
		}
	}
	return out
}

// entry reads one {"key": …, "value": …}.
func (b *binder) entry(path string, n *node) (key string, value *node, ok bool) {
	value = &node{}
	for i := range b.members(path, n) {
		switch k := &n.kids[i]; k.name {
		case "key":
			b.into(&key, path+".key", k)
		case "value":
			value = k
		default:
			b.unknown(under(path, k.name))
		}
	}
	if n.kind != object && n.kind != null && !n.blank() {
		return "", nil, false
	}
	if key == "" {
		b.fail(path+".key", "is required")
		return "", nil, false
	}
	return key, value, true
}
