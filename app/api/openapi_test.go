package api

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"ringback/app/metrics"
)

// TestDocumentIsOpenAPI holds the document against the schema of OpenAPI 3.1
// documents; its own schemas were held against JSON Schema 2020-12 when they
// were compiled.
func TestDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	meta, err := jsonschema.UnmarshalJSON(strings.NewReader(spec.meta))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("meta.json", meta); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("meta.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(spec.root); err != nil {
		t.Errorf("%#v", err)
	}
	for p := range spec.top().all() {
		m, _ := p.v.(map[string]any)
		if ref, ok := m["$ref"].(string); ok && p.get().v == nil && len(m) == 1 {
			t.Errorf("%s: there is no %s", p.at, ref)
		}
	}
}

// TestEveryRouteIsDescribed walks the route table against the document, and the
// document against the route table.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	served := map[string]bool{}
	for _, rt := range routes {
		served[rt.method+" "+rt.pattern] = true
		op := spec.top().get("paths", rt.pattern, strings.ToLower(rt.method))
		if op.v == nil {
			t.Errorf("openapi.yaml does not describe %s %s", rt.method, rt.pattern)
			continue
		}
		word := cmp.Or(string(rt.role), "none")
		if got := op.get("x-role").text(); got != word {
			t.Errorf("%s: x-role is %q, the route is for %q", op.at, got, word)
		}
		needs := 0
		for _, way := range op.get("security").kids() {
			for _, roles := range way.kids() {
				if needs++; roles.get("0").text() != word {
					t.Errorf("%s: the security requirement is for %q, not %q", roles.at, roles.get("0").text(), word)
				}
			}
		}
		if want := map[bool]int{true: 0, false: 4}[rt.role == anyone]; needs != want || op.get("security").v == nil {
			t.Errorf("%s: %d security requirements, want %d", op.at, needs, want)
		}
	}
	for method, path := range spec.operations() {
		if !served[method+" "+path] {
			t.Errorf("openapi.yaml describes %s %s, which is no route", method, path)
		}
	}
}

// TestEverythingIsExplained wants a description of every operation, parameter,
// header, answer and schema, parameters for every name in a path, and an
// example of every body.
func TestEverythingIsExplained(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for p := range spec.top().all() {
		m, _ := p.v.(map[string]any)
		if m == nil || m["$ref"] != nil {
			continue
		}
		parts := strings.Split(p.at, "/")
		parent := parts[max(len(parts)-2, 0)]
		if id, ok := m["operationId"].(string); ok {
			if ids[id] {
				t.Errorf("%s: the operationId %s stands twice", p.at, id)
			}
			ids[id] = true
			for _, field := range []string{"summary", "description", "tags", "responses"} {
				if m[field] == nil {
					t.Errorf("%s has no %s", p.at, field)
				}
			}
		}
		explained := m["in"] != nil || slices.Contains([]string{"responses", "headers", "properties", "requestBodies"}, parent) || strings.HasPrefix(p.at, "/components/schemas/") && len(parts) == 4
		narrowed := strings.Contains(p.at, "/allOf/") || parts[len(parts)-1] == "additionalProperties"
		if explained && m["description"] == nil && !narrowed {
			t.Errorf("%s has no description", p.at)
		}
		if m["schema"] != nil && parent == "content" && len(examples(p)) == 0 {
			t.Errorf("%s has no example", p.at)
		}
		if (m["in"] != nil || parent == "headers") && m["schema"] != nil && len(examples(p)) == 0 {
			t.Errorf("%s has no example", p.at)
		}
	}
	for path, item := range spec.top().get("paths").kids() {
		for segment := range strings.SplitSeq(path, "/") {
			name, ok := strings.CutPrefix(segment, "{")
			found := !ok
			for _, p := range item.get("parameters").kids() {
				found = found || p.get("in").text() == "path" && p.get("name").text()+"}" == name
			}
			if !found {
				t.Errorf("%s: %s is not a parameter", path, segment)
			}
		}
	}
}

// TestEveryRefusalIsDescribed derives from an operation what it may always
// answer, and wants it described.
func TestEveryRefusalIsDescribed(t *testing.T) {
	t.Parallel()
	for method, path := range spec.operations() {
		op := spec.top().get("paths", path, strings.ToLower(method))
		var need []string
		if op.get("x-role").text() != "none" {
			need = append(need, "401", "403", "429", "500", "503")
			if path != metricsPattern {
				need = append(need, "400", "422") // a query that does not belong there
			}
		}
		if strings.Contains(path, "{") {
			need = append(need, "404")
		}
		if op.get("requestBody").v != nil {
			need = append(need, "400", "413", "415", "422")
		}
		for _, p := range op.get("parameters").kids() {
			if p.get("in").text() == "query" {
				need = append(need, "400", "422")
			}
		}
		if path != metricsPattern { // it is for the scraper to choose
			need = append(need, "406")
		}
		for _, status := range need {
			if op.get("responses", status).v == nil {
				t.Errorf("%s %s: %s is not described", method, path, status)
			}
		}
	}
}

// examples returns the examples of a media type, parameter or header.
func examples(p place) (list []place) {
	if v := p.get("example"); v.v != nil {
		list = append(list, v)
	}
	for _, e := range p.get("examples").kids() {
		list = append(list, e.get("value"))
	}
	return list
}

// TestExamplesAreValid holds every example against its schema.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	seen := 0
	for p := range spec.top().all() {
		m, _ := p.v.(map[string]any)
		switch {
		case m["$ref"] != nil:
		case p.isSchema():
			for _, e := range p.get("examples").kids() {
				seen++
				if err := p.admits(e.v); err != nil {
					t.Errorf("%s: %v", e.at, err)
				}
			}
		case m["schema"] != nil:
			for _, e := range examples(p) {
				seen++
				if err := admitsExample(p, e); err != nil {
					t.Errorf("%s, at %s: %v", p.at, e.at, err)
				}
			}
		}
	}
	if seen < 200 {
		t.Errorf("%d examples were looked at", seen)
	}
}

// admitsExample holds the example e of p against its schema. One of XML may be
// text, written as it is sent, instead of data.
func admitsExample(p, e place) error {
	if doc, ok := e.v.(string); ok && strings.HasSuffix(p.name(), "xml") {
		return xmlBody(p.get("schema"), []byte(doc), true)
	}
	return p.get("schema").admits(e.v)
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	h := New(Options{})
	w := ask(h, "GET", "/openapi.yaml", "")
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/yaml" || !bytes.Equal(w.Body.Bytes(), document) {
		t.Fatalf("got %d, %s, %d bytes of %d", w.Code, w.Header().Get("Content-Type"), w.Body.Len(), len(document))
	}
	tag := w.Header().Get("ETag")
	for head, status := range map[string]int{
		"If-None-Match: " + tag: 304, "If-None-Match: W/" + tag: 304, `If-None-Match: "0", ` + tag: 304, "If-None-Match: *": 304,
		`If-None-Match: "0"`: 200, "Accept: application/yaml": 200, "Accept: text/html, */*;q=0.1": 200, "Accept: application/json": 406,
	} {
		w := ask(h, "GET", "/openapi.yaml", "", head)
		if w.Code != status || status == 304 && (w.Body.Len() > 0 || w.Header().Get("ETag") != tag) {
			t.Errorf("%s: %d with %d bytes, want %d", head, w.Code, w.Body.Len(), status)
		}
	}
}

// TestMetricsAreServed has the forms in which Prometheus asks for figures.
func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed(), Metrics: metrics.New("1.2.3").Handler()})
	for head, want := range map[string]string{
		"Accept: */*":                          "text/plain; version=0.0.4",
		"Accept: text/plain":                   "text/plain; version=0.0.4",
		"Accept: application/openmetrics-text": "text/plain; version=0.0.4",
		"Accept-Encoding: gzip":                "text/plain; version=0.0.4",
		"Accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited": "application/vnd.google.protobuf",
	} {
		w := ask(h, "GET", "/metrics", "", head)
		if w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), want) {
			t.Errorf("%s: %d %s", head, w.Code, w.Header().Get("Content-Type"))
		}
		if head == "Accept: */*" && !strings.Contains(w.Body.String(), "ringback_") {
			t.Errorf("there is no figure of ours in:\n%s", w.Body)
		}
	}
	if w := ask(New(Options{Service: newFixed()}), "GET", "/metrics", ""); w.Code != 404 {
		t.Errorf("nothing is measured: %d %s", w.Code, w.Body)
	}
}

// TestUndescribedIsFound breaks exchanges on purpose: each is found.
func TestUndescribedIsFound(t *testing.T) {
	t.Parallel()
	good := func(path string) *exchanged {
		w := askAlone(New(Options{Service: newFixed()}), "GET", path, "")
		r, err := http.NewRequestWithContext(t.Context(), "GET", "http://localhost:8480"+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return &exchanged{r: r, status: w.Code, header: w.Header(), got: w.Body.Bytes()}
	}
	swap := func(x *exchanged, from, to string) {
		if !bytes.Contains(x.got, []byte(from)) {
			t.Fatalf("%s is not in %s", from, x.got)
		}
		x.got = bytes.Replace(x.got, []byte(from), []byte(to), 1)
	}
	for name, c := range map[string]struct {
		path, want string
		spoil      func(*exchanged)
	}{
		"as it is":         {"/callbacks/crm-prod", "", func(*exchanged) {}},
		"status":           {"/callbacks/crm-prod", "the status 418", func(x *exchanged) { x.status = 418 }},
		"unknown member":   {"/callbacks/crm-prod", "additional properties 'nmae'", func(x *exchanged) { swap(x, `"name"`, `"nmae"`) }},
		"missing member":   {"/callbacks/crm-prod", "missing property 'name'", func(x *exchanged) { swap(x, `"name"`, `"nmae"`) }},
		"member of a type": {"/callbacks/crm-prod", "got string, want boolean", func(x *exchanged) { swap(x, `"retriesEnabled":true`, `"retriesEnabled":"true"`) }},
		"word":             {"/callbacks/crm-prod", "value must be one of", func(x *exchanged) { swap(x, `"contentType":"json"`, `"contentType":"yaml"`) }},
		"key in clear":     {"/callbacks/crm-prod", "/auth/key", func(x *exchanged) { swap(x, `"key":"******#`, `"key":"canary-`) }},
		"date":             {"/callbacks/crm-prod", "/createdAt", func(x *exchanged) { swap(x, `.500Z`, `.5Z`) }},
		"deep in a list":   {"/calls", "additional properties 'dnss'", func(x *exchanged) { swap(x, `"dns"`, `"dnss"`) }},
		"flat row":         {"/callbacks/crm-prod/attempts", "/attempts/0/more", func(x *exchanged) { swap(x, `"callId"`, `"more":1,"callId"`) }},
		"list status":      {"/calls", "/status", func(x *exchanged) { swap(x, `1 to 2 of 57`, `1-2 of 57`) }},
		"missing header":   {"/callbacks/crm-prod", "header ETag is missing", func(x *exchanged) { x.header.Del("ETag") }},
		"unknown header":   {"/callbacks/crm-prod", "header X-New is not described", func(x *exchanged) { x.header.Set("X-New", "1") }},
		"header's form":    {"/callbacks/crm-prod", "header ETag:", func(x *exchanged) { x.header.Set("ETag", "4") }},
		"media type":       {"/callbacks/crm-prod", "text/html is not described", func(x *exchanged) { x.header.Set("Content-Type", "text/html") }},
		"not JSON":         {"/callbacks/crm-prod", "invalid character", func(x *exchanged) { x.got = []byte("<html>") }},
		"parameter":        {"/callbacks/crm-prod", "parameter x is not described", func(x *exchanged) { x.r.URL.RawQuery = "x=1" }},
		"parameter's form": {"/calls", "parameter limit", func(x *exchanged) { x.r.URL.RawQuery = "limit=501" }},
		"body":             {"/calls", "a body is not described", func(x *exchanged) { x.sent = []byte("{}") }},
		"stray 405, no Allow": {"/calls", "header Allow is missing", func(x *exchanged) {
			x.r.Method, x.status, x.got = "PATCH", 405, []byte(`{"title":"a","status":405}`)
			x.header = http.Header{"Content-Type": {problemType}}
		}},
	} {
		x := good(c.path)
		c.spoil(x)
		err := spec.check(x)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// TestServersTellWhatIsUndescribed has the same through a server's handler.
func TestServersTellWhatIsUndescribed(t *testing.T) {
	t.Parallel()
	var found error
	h := documented(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // it is in memory
		write(w, http.StatusOK, "application/json", []byte(`{"changed":1,"more":2}`))
	}), func(err error) { found = errors.Join(found, err) })
	askAlone(h, "PUT", "/callbacks/crm-prod/calls?id=0328BA3200000001", `{"status":"DONE"}`, "Prefer: return=representation")
	for _, want := range []string{"'more'", "Preference-Applied is missing", "/status", "PUT", "answered 200"} {
		if found == nil || !strings.Contains(found.Error(), want) {
			t.Errorf("%q is not in: %v", want, found)
		}
	}
}
