package api

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"ringback/callback"
)

// The namespaces of the contract, and the one that says that a value is nil.
const (
	spaceAPI    = "http://schemas.api.whispir.com"
	spaceDAP    = "http://schemas.api.whispir.com/dap"
	spaceSchema = "http://www.w3.org/2001/XMLSchema-instance"
)

// parseXML reads an XML 1.0 document into a tree whose scalars are untyped. The
// root's name is "{namespace}name". An element whose children all have the name
// of its items is a list, so that what encodeXML wrote reads as what it was.
//
// It is stricter than encoding/xml, which lets through what is not well-formed
// (unbound prefixes, attributes given twice, several roots, text around the
// root, references to surrogates) and what is, but has no place here (DTDs,
// processing instructions).
func parseXML(body []byte, left room) (node, error) {
	body, err := xmlDeclared(bytes.TrimPrefix(body, []byte("\ufeff")))
	if err != nil {
		return node{}, err
	}
	if len(bytes.TrimSpace(body)) == 0 {
		return node{}, errEmpty
	}
	r := xmlReader{dec: xml.NewDecoder(bytes.NewReader(body)), body: body, room: left}
	var root node
	if err := r.document(&root); err != nil {
		return node{}, r.explain(err)
	}
	return root, nil
}

// xmlDeclaration is production 23 of XML 1.0.
var xmlDeclaration = regexp.MustCompile(`^<\?xml\s+version\s*=\s*(?:"1\.0"|'1\.0')` +
	`(?:\s+encoding\s*=\s*(?:"([A-Za-z][\w.-]*)"|'([A-Za-z][\w.-]*)'))?` +
	`(?:\s+standalone\s*=\s*(?:"(?:yes|no)"|'(?:yes|no)'))?\s*\?>`)

// xmlDeclared returns what stands behind the XML declaration, if there is one,
// and refuses what is not in UTF-8 or has a character that XML cannot hold.
func xmlDeclared(body []byte) ([]byte, error) {
	if bytes.HasPrefix(body, []byte("<?xml ")) || bytes.HasPrefix(body, []byte("<?xml\n")) {
		m := xmlDeclaration.FindSubmatch(body)
		if m == nil {
			return nil, callback.Errorf(callback.CodeMalformed, "the XML declaration is not one of version 1.0")
		}
		if set := string(m[1]) + string(m[2]); set != "" && !utf8Name(set) {
			return nil, callback.Errorf(callback.CodeMalformed, "the encoding of the XML declaration must be UTF-8")
		}
		body = body[len(m[0]):]
	}
	for rest := body; len(rest) > 0; {
		c, n := utf8.DecodeRune(rest)
		if c == utf8.RuneError && n == 1 {
			return nil, callback.Errorf(callback.CodeMalformed, "the body is not UTF-8")
		}
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			return nil, callback.Errorf(callback.CodeMalformed, "the body has the character U+%04X, which XML cannot hold", c)
		}
		rest = rest[n:]
	}
	return body, nil
}

type xmlReader struct {
	dec  *xml.Decoder
	body []byte
	raw  []byte // of the last token
	room room
	open []string // names of the elements that are open, [3] for an item of a list
}

// xmlFault is what is wrong with the innermost open element, or with what
// stands in it.
type xmlFault struct {
	in      string // a name in that element; "": the element itself
	message string
}

func (f xmlFault) Error() string { return f.message }

func xmlFaultf(in, format string, args ...any) error {
	return xmlFault{in: in, message: fmt.Sprintf(format, args...)}
}

// document reads one root and nothing else.
func (r *xmlReader) document(root *node) error {
	for seen := false; ; {
		tok, err := r.next()
		if err == io.EOF && seen {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if seen {
				return xmlFaultf(t.Name.Local, "is a second root")
			}
			seen = true
			if err := r.element(root, t, t.Name.Local); err != nil {
				return err
			}
			root.name = "{" + t.Name.Space + "}" + t.Name.Local
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 || bytes.HasPrefix(r.raw, []byte("<![")) || bytes.IndexByte(r.raw, '&') >= 0 {
				return xmlFaultf("", "there is text outside of the root")
			}
		}
	}
}

// next returns the next token that means something here.
func (r *xmlReader) next() (xml.Token, error) {
	for {
		from := r.dec.InputOffset()
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		r.raw = r.body[from:r.dec.InputOffset()]
		switch tok.(type) {
		case xml.Comment:
			continue
		case xml.Directive:
			return nil, xmlFaultf("", "a DTD or another <!…> declaration is not read")
		case xml.ProcInst:
			return nil, xmlFaultf("", "a processing instruction is not read, nor a second XML declaration")
		case xml.CharData, xml.StartElement:
			if !bytes.HasPrefix(r.raw, []byte("<![")) && surrogate(r.raw) {
				return nil, xmlFaultf("", "a character reference is to half of a surrogate pair")
			}
		}
		return tok, nil
	}
}

// surrogate reports whether a character reference names a surrogate, for which
// encoding/xml puts U+FFFD.
func surrogate(raw []byte) bool {
	for {
		_, rest, found := bytes.Cut(raw, []byte("&#"))
		if !found {
			return false
		}
		digits, rest, _ := bytes.Cut(rest, []byte(";"))
		base := 10
		if hex, ok := bytes.CutPrefix(digits, []byte("x")); ok {
			digits, base = hex, 16
		}
		if n, err := strconv.ParseUint(string(digits), base, 32); err == nil && n >= 0xd800 && n <= 0xdfff {
			return true
		}
		raw = rest
	}
}

// element reads what belongs to a start tag, up to its end tag; field is how
// faults name it.
func (r *xmlReader) element(n *node, start xml.StartElement, field string) error {
	r.open = append(r.open, field)
	if len(r.open) > maxDepth {
		return errDeep
	}
	if err := r.room.node(len(start.Name.Local)); err != nil {
		return err
	}
	if err := xmlName(start.Name); err != nil {
		return err
	}
	isNil, err := xmlAttributes(start)
	if err != nil {
		return err
	}
	var value strings.Builder
	for {
		tok, err := r.next()
		if err != nil {
			return err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			kid, field := node{name: t.Name.Local}, t.Name.Local
			if isItem(start.Name.Local, field) {
				field = fmt.Sprintf("[%d]", len(n.kids))
			}
			if err := r.element(&kid, t, field); err != nil {
				return err
			}
			n.kids = append(n.kids, kid)
		case xml.CharData:
			if err := r.room.pay(int64(len(t))); err != nil {
				return err
			}
			value.Write(t)
		case xml.EndElement:
			if err := xmlClose(n, start.Name.Local, value.String(), isNil); err != nil {
				return err
			}
			r.open = r.open[:len(r.open)-1]
			return nil
		}
	}
}

func xmlName(name xml.Name) error {
	switch {
	case strings.Contains(name.Local, ":"):
		return xmlFaultf("", "is not a name with or without a prefix")
	case name.Space != "" && name.Space != spaceAPI && name.Space != spaceDAP:
		return xmlFaultf("", "has a prefix that is not declared, or a namespace other than %s and %s", spaceAPI, spaceDAP)
	}
	return nil
}

// xmlAttributes refuses attributes that mean nothing here. isNil tells that one
// of them says that the element has no value.
func xmlAttributes(start xml.StartElement) (isNil bool, err error) {
	seen := make(map[xml.Name]bool, len(start.Attr))
	for _, a := range start.Attr {
		name := callback.Sanitize(a.Name.Local, 60)
		if seen[a.Name] {
			return false, xmlFaultf("", "has the attribute %s twice", name)
		}
		seen[a.Name] = true
		switch {
		case a.Name.Space == "xmlns" && a.Value == "":
			return false, xmlFaultf("", "declares the prefix %s for no namespace", name)
		case a.Name.Space == "xmlns", a.Name == xml.Name{Local: "xmlns"}:
		case a.Name.Space == spaceSchema:
			isNil = isNil || a.Name.Local == "nil" && (a.Value == "true" || a.Value == "1")
		case start.Name.Local == "link" && a.Name.Space == "" && (name == "uri" || name == "rel" || name == "method"):
		default:
			return false, xmlFaultf("", "has the attribute %s, which is not known", name)
		}
	}
	return isNil, nil
}

// xmlClose makes a node of what stood in the element of that name.
func xmlClose(n *node, name, value string, isNil bool) error {
	switch {
	case len(n.kids) == 0 && isNil && value == "":
		n.kind = null
		return nil
	case isNil:
		return xmlFaultf("", "is nil and has a content")
	case len(n.kids) == 0:
		n.kind, n.value = untyped, value
		return nil
	case strings.TrimSpace(value) != "":
		return xmlFaultf("", "has text beside elements")
	}
	if isList(name, n.kids) {
		n.kind = list
		for i := range n.kids {
			n.kids[i].name = ""
		}
		return nil
	}
	n.kind = object
	seen := make(map[string]bool, len(n.kids))
	kids := n.kids[:0]
	for _, kid := range n.kids {
		switch {
		case !seen[kid.name]:
			kids = append(kids, kid)
		case kid.name != "link": // there are several, and nobody reads them
			return xmlFaultf(kid.name, "is given twice")
		}
		seen[kid.name] = true
	}
	n.kids = kids
	return nil
}

// isItem reports whether an element of that name is an item of the one around it.
func isItem(list, name string) bool { return name == entryName || name == itemName(list) }

// isList reports whether the children of an element are its items.
func isList(name string, kids []node) bool {
	other := func(kid node) bool { return kid.name != kids[0].name }
	return isItem(name, kids[0].name) && !slices.ContainsFunc(kids, other)
}

// explain says in plain words what was wrong, and where. Fields are named as in
// JSON, without the root; the root by its name.
func (r *xmlReader) explain(err error) error {
	if errors.As(err, new(*refusal)) {
		return err // nothing is wrong with it
	}
	what, open := err.Error(), r.open
	if f, ok := errors.AsType[xmlFault](err); ok && f.in != "" {
		open = append(open, f.in)
	}
	if e, ok := errors.AsType[*xml.SyntaxError](err); ok {
		what = e.Msg
	}
	if errors.Is(err, io.EOF) || what == "unexpected EOF" {
		what = "ends too early"
	}
	what = callback.Sanitize(what, 200)
	e := callback.Errorf(callback.CodeMalformed, "the body is not the XML that is needed: %s", what)
	if len(open) == 0 {
		return e
	}
	path := ""
	for _, name := range open[min(1, len(open)-1):] {
		if strings.HasPrefix(name, "[") {
			path += name
		} else {
			path = under(path, name)
		}
	}
	e.Fields = []callback.FieldError{{Field: callback.Sanitize(path, 120), Message: what}}
	return e
}
