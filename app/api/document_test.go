package api

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pb33f/libopenapi/datamodel"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// reference is openapi.yaml as the tests read it.
type reference struct {
	root    any
	meta    string         // JSON Schema of OpenAPI 3.1 documents
	mux     *http.ServeMux // finds the operation of a request
	schemas map[string]*jsonschema.Schema
	met     sync.Map // places of answers that a test saw
}

// spec is made once, before any test runs: in a bubble of synctest nothing may
// be begun that others wait for.
var spec = mustRead(document)

const specURL = "ringback:///openapi.yaml"

func mustRead(yaml []byte) *reference {
	s, err := readReference(yaml)
	if err != nil {
		panic(err)
	}
	return s
}

// readReference reads a document and compiles all its schemas.
func readReference(yaml []byte) (*reference, error) {
	info, err := datamodel.ExtractSpecInfo(yaml)
	if err != nil {
		return nil, err
	}
	if err := info.GetSpecJSONError(); err != nil {
		return nil, err
	}
	s := &reference{meta: info.APISchema, mux: http.NewServeMux(), schemas: map[string]*jsonschema.Schema{}}
	if s.root, err = jsonschema.UnmarshalJSON(bytes.NewReader(*info.GetSpecJSONBytes())); err != nil {
		return nil, err
	}
	for method, path := range s.operations() {
		s.mux.Handle(method+" "+path, http.NotFoundHandler())
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(specURL, s.root); err != nil {
		return nil, err
	}
	for p := range s.top().all() {
		if !p.isSchema() {
			continue
		}
		if s.schemas[p.at], err = c.Compile(specURL + "#" + (&url.URL{Path: p.at}).EscapedPath()); err != nil {
			return nil, fmt.Errorf("%s: %w", p.at, err)
		}
	}
	return s, nil
}

// operations yields the method and path of everything described.
func (s *reference) operations() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for path, item := range s.top().get("paths").kids() {
			for name := range item.kids() {
				if name != "parameters" && !yield(strings.ToUpper(name), path) {
					return
				}
			}
		}
	}
}

// place is one value of a document, and where it stands: a JSON pointer.
type place struct {
	*reference
	at string
	v  any
}

func (s *reference) top() place { return place{s, "", s.root} }

// get goes down by names, over references; v is nil where there is nothing.
func (p place) get(names ...string) place {
	p = p.followed()
	for _, name := range names {
		p.v, p.at = child(p.v, name), p.at+"/"+pointerEscape.Replace(name)
		p = p.followed()
	}
	return p
}

var (
	pointerEscape   = strings.NewReplacer("~", "~0", "/", "~1")
	pointerUnescape = strings.NewReplacer("~1", "/", "~0", "~")
)

func child(v any, name string) any {
	switch v := v.(type) {
	case map[string]any:
		return v[name]
	case []any:
		if i, err := strconv.Atoi(name); err == nil && i < len(v) {
			return v[i]
		}
	}
	return nil
}

// followed returns what p refers to, where p is a reference; a schema that has
// more than its $ref stays as it is.
func (p place) followed() place {
	m, ok := p.v.(map[string]any)
	ref, _ := m["$ref"].(string)
	if !ok || len(m) != 1 || !strings.HasPrefix(ref, "#/") {
		return p
	}
	to := p.top()
	for name := range strings.SplitSeq(ref[2:], "/") {
		to.v = child(to.v, pointerUnescape.Replace(name))
	}
	to.at = ref[1:]
	return to.followed()
}

// kids yields the members or elements of p by their names, in order.
func (p place) kids() iter.Seq2[string, place] {
	return func(yield func(string, place) bool) {
		p := p.followed()
		switch v := p.v.(type) {
		case map[string]any:
			for _, name := range slices.Sorted(maps.Keys(v)) {
				if !yield(name, place{p.reference, p.at + "/" + pointerEscape.Replace(name), v[name]}) {
					return
				}
			}
		case []any:
			for i := range v {
				if !yield(strconv.Itoa(i), place{p.reference, p.at + "/" + strconv.Itoa(i), v[i]}) {
					return
				}
			}
		}
	}
}

// all yields p and everything under it but examples, which are data, and
// without following references.
func (p place) all() iter.Seq[place] {
	return func(yield func(place) bool) { p.walk(yield) }
}

func (p place) walk(yield func(place) bool) bool {
	if !yield(p) {
		return false
	}
	if m, ok := p.v.(map[string]any); ok && m["$ref"] != nil {
		return true
	}
	for name, kid := range p.kids() {
		data := name == "examples" || name == "example" || name == "enum" || name == "const" || name == "default"
		if !data && !kid.walk(yield) {
			return false
		}
	}
	return true
}

func (p place) name() string {
	return pointerUnescape.Replace(p.at[strings.LastIndexByte(p.at, '/')+1:])
}

// isSchema reports whether p is a schema that is not within another one.
func (p place) isSchema() bool {
	parent := strings.TrimSuffix(p.at, "/"+p.name())
	return parent == "/components/schemas" || p.name() == "schema" && !strings.HasPrefix(p.at, "/components/schemas/")
}

func (p place) text() string { s, _ := p.v.(string); return s }

// admits holds a value against the schema that stands at p.
func (p place) admits(v any) error {
	s := p.schemas[p.at]
	if s == nil {
		return fmt.Errorf("there is no schema at %s", p.at)
	}
	return s.Validate(v)
}
