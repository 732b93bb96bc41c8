package api

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// element is one element of an XML document.
type element struct {
	Name  xml.Name   `xml:"-"`
	Attrs []xml.Attr `xml:",any,attr"`
	Text  string     `xml:",chardata"`
	Kids  []element  `xml:",any"`
}

// UnmarshalXML implements xml.Unmarshaler, for the name.
func (e *element) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	type plain element
	if err := d.DecodeElement((*plain)(e), &start); err != nil {
		return err
	}
	e.Name = start.Name
	return nil
}

// xmlBody holds an XML document against a schema: it is read the way the
// schema's xml objects say, and what came of it must be valid. strict is for
// what we send: names of roots and namespaces must be as described.
func xmlBody(schema place, b []byte, strict bool) error {
	var root element
	d := xml.NewDecoder(strings.NewReader(string(b)))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	if err := d.Decode(&root); err != nil {
		return err
	}
	r := xmlMatch{strict: strict}
	_, hint := layersOf(schema).hint()
	if hint.get("prefix").v == nil {
		r.inherited = hint.get("namespace").text()
	}
	if strict {
		r.name(&root, layersOf(schema), "")
	}
	v := r.value(schema, &root)
	if len(r.faults) > 0 {
		return fmt.Errorf("XML: %s", strings.Join(r.faults, "; "))
	}
	return within("as XML", schema.admits(v))
}

// layers are a schema and everything it is put together from.
type layers []place

func layersOf(p place) layers {
	m, _ := p.v.(map[string]any)
	out := layers{p}
	if m["$ref"] != nil {
		out = append(out, layersOf(place{p.reference, p.at, map[string]any{"$ref": m["$ref"]}}.followed())...)
	}
	for _, of := range []string{"allOf", "oneOf", "anyOf"} {
		list, _ := m[of].([]any)
		for i := range list {
			out = append(out, layersOf(place{p.reference, fmt.Sprintf("%s/%s/%d", p.at, of, i), list[i]})...)
		}
	}
	return out
}

// hint returns the first name that an xml object gives, and that object.
func (ls layers) hint() (string, place) {
	for _, l := range ls {
		if x := l.field("xml"); x.get("name").v != nil {
			return x.get("name").text(), x
		}
	}
	return "", place{}
}

// field returns a member of a schema, without following its $ref.
func (p place) field(name string) place {
	return place{p.reference, p.at + "/" + name, child(p.v, name)}
}

// find returns the first member of that name.
func (ls layers) find(name string) place {
	for _, l := range ls {
		if f := l.field(name); f.v != nil {
			return f
		}
	}
	return place{}
}

// is reports whether a schema takes values of a type.
func (ls layers) is(kind string) bool {
	for _, l := range ls {
		switch t := l.field("type").v.(type) {
		case string:
			if t == kind {
				return true
			}
		case []any:
			if slices.Contains(t, any(kind)) {
				return true
			}
		}
	}
	return false
}

func (ls layers) properties() map[string]layers {
	out := map[string]layers{}
	for _, l := range ls {
		props, _ := l.field("properties").v.(map[string]any)
		for name, v := range props {
			out[name] = append(out[name], layersOf(place{l.reference, l.at + "/properties/" + name, v})...)
		}
	}
	return out
}

// xmlMatch turns elements into what their JSON would be.
type xmlMatch struct {
	strict    bool
	inherited string // namespace of elements without a prefix
	faults    []string
}

func (r *xmlMatch) fail(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// name checks the name and the namespace of an element; def is its name where no
// xml object gives one.
func (r *xmlMatch) name(e *element, ls layers, def string) {
	name, x := ls.hint()
	space := x.get("namespace").text()
	if name == "" {
		name = def
	}
	if space == "" {
		space = r.inherited
	}
	if e.Name.Local != name || e.Name.Space != space {
		r.fail("there is {%s}%s; {%s}%s is described", e.Name.Space, e.Name.Local, space, name)
	}
}

func (r *xmlMatch) value(p place, e *element) any { return r.read(layersOf(p), e) }

func (r *xmlMatch) read(ls layers, e *element) any {
	for _, a := range e.Attrs {
		if a.Name.Local == "nil" && a.Value == "true" {
			return nil
		}
	}
	props := ls.properties()
	switch {
	case ls.find("additionalProperties").v != nil && ls.find("additionalProperties").v != false && len(props) <= 2:
		return entries(e)
	case len(props) > 0 || ls.is("object"):
		return r.object(props, e)
	case ls.is("array"):
		return r.items(ls, e.Kids)
	case len(e.Kids) > 0:
		return map[string]any{} // what is described as of any kind
	}
	return scalarOf(ls, e.Text, r.strict)
}

// scalarOf returns a text as its schema wants it. Spaces around words are not
// read.
func scalarOf(ls layers, text string, strict bool) any {
	word := strings.TrimSpace(text)
	if strict {
		word = text
	}
	if ls.is("integer") || ls.is("number") {
		return json.Number(word)
	}
	if ls.is("boolean") && (word == "true" || word == "false") {
		return word == "true"
	}
	return word
}

func entries(e *element) any {
	out := map[string]any{}
	for i := range e.Kids {
		pair := map[string]string{}
		for _, k := range e.Kids[i].Kids {
			pair[k.Name.Local] = k.Text
		}
		out[pair["key"]] = pair["value"]
	}
	return out
}

func (r *xmlMatch) items(ls layers, kids []element) any {
	out := []any{}
	item := layersOf(ls.find("items"))
	for i := range kids {
		if r.strict {
			r.name(&kids[i], item, kids[i].Name.Local)
		}
		out = append(out, r.read(item, &kids[i]))
	}
	return out
}

func (r *xmlMatch) object(props map[string]layers, e *element) any {
	out := map[string]any{}
	for _, a := range e.Attrs {
		if a.Name.Space == "" && a.Name.Local != "xmlns" {
			out[a.Name.Local] = a.Value
		}
	}
	if len(e.Kids) > 0 && strings.TrimSpace(e.Text) != "" {
		r.fail("there is text %.40q beside the elements of %s", e.Text, e.Name.Local)
	}
	many := map[string][]element{}
	for name, ls := range props {
		if r.strict && unwrapped(ls) { // an empty list has no element
			many[name] = nil
		}
	}
	for i := range e.Kids {
		kid := &e.Kids[i]
		name, ls := property(props, kid.Name.Local)
		switch {
		case ls == nil:
			out[kid.Name.Local] = kid.Text
		case unwrapped(ls):
			many[name] = append(many[name], *kid)
		default:
			if r.strict {
				r.name(kid, ls, name)
			}
			out[name] = r.read(ls, kid)
		}
	}
	for name, kids := range many {
		out[name] = r.links(props[name], kids)
	}
	return out
}

// links reads the items of a list without an element of its own. Those of a
// callback in a list have attributes, in a namespace of their own.
func (r *xmlMatch) links(ls layers, kids []element) any {
	if len(kids) > 0 && len(kids[0].Attrs) > 0 && len(kids[0].Kids) == 0 {
		return (&xmlMatch{}).items(ls, kids)
	}
	return r.items(ls, kids)
}

func unwrapped(ls layers) bool {
	return ls.is("array") && !ls.is("object") && ls.find("xml").get("wrapped").v != true
}

// property returns the property that an element of that name is.
func property(props map[string]layers, local string) (string, layers) {
	for name, ls := range props {
		as := name
		if unwrapped(ls) {
			ls := layersOf(ls.find("items"))
			if hint, _ := ls.hint(); hint != "" {
				as = hint
			}
		} else if hint, _ := ls.hint(); hint != "" {
			as = hint
		}
		if as == local {
			return name, ls
		}
	}
	return "", nil
}

// TestUndescribedXMLIsFound breaks documents on purpose.
func TestUndescribedXMLIsFound(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	for _, c := range []struct{ path, from, to, want string }{
		{"/callbacks/crm-prod", "", "", ""},
		{"/callbacks/crm-prod", "companyapicallback", "callback", "companyapicallback is described"},
		{"/callbacks/crm-prod", "http://schemas.api.whispir.com", "http://schemas.example.com", "is described"},
		{"/callbacks/crm-prod", "email>", "mail>", "additional properties 'mail'"},
		{"/callbacks/crm-prod", "<retriesEnabled>true", "<retriesEnabled>yes", "want boolean"},
		{"/callbacks", "ns2:callback>", "callback>", "is described"},
		{"/callbacks", "ns2:callbacks>", "callbacks>", "is described"},
		{"/callbacks", `rel="self"`, `relation="self"`, "'relation'"},
		{"/calls", "ns2:call>", "call>", "is described"},
		{"/calls", "<attempt>", "<try>", "is described"},
		{"/calls", "<total>57", "<total>many", "/total"},
		{"/nothing", "<problem ", "<fault ", "is described"},
		{"/nothing", "urn:ietf:rfc:7807", "urn:other", "is described"},
	} {
		w := askAlone(h, "GET", c.path, "", wantXML)
		doc := w.Body.String()
		if !strings.Contains(doc, c.from) {
			t.Fatalf("%s is not in %s", c.from, doc)
		}
		if c.from == "<attempt>" {
			doc = strings.ReplaceAll(strings.ReplaceAll(doc, c.from, c.to), "</attempt>", "</try>")
		} else if strings.HasPrefix(c.from, "<problem") {
			doc = strings.ReplaceAll(strings.ReplaceAll(doc, c.from, c.to), "</problem>", "</fault>")
		} else if c.from != "" {
			doc = strings.ReplaceAll(doc, c.from, c.to)
		}
		at, name := spec.top().get("paths", c.path), "application/xml"
		if strings.HasPrefix(c.path, "/callbacks/") {
			at = spec.top().get("paths", "/callbacks/{id}")
		}
		content := at.get("get", "responses", "200", "content")
		if w.Code == 404 {
			content, name = spec.top().get("components", "responses", "NotFound", "content"), "application/problem+xml"
		}
		err := body(content, name, []byte(doc), true)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s, %s to %s: got %v, want %q", c.path, c.from, c.to, err, c.want)
		}
	}
}
