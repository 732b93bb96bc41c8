package api

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// exchanged is a request with its answer.
type exchanged struct {
	r      *http.Request // its body is in sent
	sent   []byte
	status int
	header http.Header
	got    []byte
}

// unlisted are headers that the document speaks of once, for all answers, or
// that net/http owns.
var unlisted = []string{
	"Cache-Control", "Connection", "Content-Length", "Content-Type", "Date", "Vary", "X-Content-Type-Options",
}

// strays are the answers that are no operation's.
var strays = map[int]string{401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 405: "MethodNotAllowed", 429: "TooManyRequests"}

// check holds an exchange against the document: every answer, and the request
// where it succeeded.
func (s *reference) check(x *exchanged) error {
	_, pattern := s.mux.Handler(x.r)
	if x.r.URL.Path != path.Clean(x.r.URL.Path) {
		pattern = "" // a redirect
	}
	method, at, _ := strings.Cut(pattern, " ")
	op := s.top().get("paths", at, strings.ToLower(method))
	answer := op.get("responses", strconv.Itoa(x.status))
	if pattern == "" {
		answer = s.top().get("components", "responses", strays[x.status])
	}
	if answer.v == nil {
		return fmt.Errorf("the status %d is not described", x.status)
	}
	s.met.Store(answer.at, true)
	errs := []error{headers(answer, x.header)}
	if err := answerBody(answer, x); err != nil {
		errs = append(errs, fmt.Errorf("%w\nanswered: %.800s", err, x.got))
	}
	if x.status < 300 {
		if err := errors.Join(s.parameters(op, at, x.r), requestBody(op, x)); err != nil {
			errs = append(errs, fmt.Errorf("the request: %w\nsent: %.800s", err, x.sent))
		}
	}
	return errors.Join(errs...)
}

func headers(answer place, got http.Header) error {
	var errs []error
	described := map[string]bool{}
	for name, h := range answer.get("headers").kids() {
		described[http.CanonicalHeaderKey(name)] = true
		if v := got.Values(name); len(v) > 0 {
			errs = append(errs, within("header "+name, scalar(h.get("schema"), v[0])))
		} else if h.get("required").v == true {
			errs = append(errs, fmt.Errorf("header %s is missing", name))
		}
	}
	for name := range got {
		if !described[name] && !slices.Contains(unlisted, name) {
			errs = append(errs, fmt.Errorf("header %s is not described", name))
		}
	}
	return errors.Join(errs...)
}

func within(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// scalar holds a text of a header or a query against a schema, as a number or a
// boolean where the schema takes one.
func scalar(schema place, s string) error {
	if v, err := jsonschema.UnmarshalJSON(strings.NewReader(s)); err == nil && schema.admits(v) == nil {
		return nil
	}
	return schema.admits(s)
}

func answerBody(answer place, x *exchanged) error {
	content := answer.get("content")
	switch {
	case len(x.got) == 0 && (content.v == nil || x.r.Method == http.MethodHead):
		return nil
	case content.v == nil:
		return errors.New("a body is not described")
	}
	return body(content, x.header.Get("Content-Type"), x.got, true)
}

// body holds a body against the content of a request, or of an answer: ours are
// described to the letter.
func body(content place, line string, b []byte, ours bool) error {
	name, _, err := mime.ParseMediaType(line)
	if err != nil {
		return fmt.Errorf("media type %q: %w", line, err)
	}
	m := content.get(name)
	if m.v == nil {
		name = content.top().get("x-media-types", name).text()
		m = content.get(name)
	}
	switch schema := m.get("schema"); {
	case m.v == nil:
		return fmt.Errorf("the media type %s is not described", line)
	case m.get("x-lines").v == true:
		for l := range bytes.Lines(b) {
			if err := jsonBody(schema, l); err != nil {
				return err
			}
		}
		return nil
	case strings.HasSuffix(name, "xml"):
		return xmlBody(schema, b, ours)
	case strings.HasSuffix(name, "json"):
		return jsonBody(schema, b)
	default:
		return schema.admits(string(b))
	}
}

func jsonBody(schema place, b []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return schema.admits(v)
}

// parameters holds the path, query and headers of a request against what is
// described for the operation and its path.
func (s *reference) parameters(op place, at string, r *http.Request) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return err
	}
	for _, scheme := range s.top().get("components", "securitySchemes").kids() {
		if scheme.get("in").text() == "query" {
			delete(query, scheme.get("name").text())
		}
	}
	var errs []error
	for _, list := range []place{op.get("parameters"), s.top().get("paths", at, "parameters")} {
		for _, p := range list.kids() {
			p = p.followed()
			name := p.get("name").text()
			switch p.get("in").text() {
			case "query":
				errs = append(errs, within("parameter "+name, inQuery(p, query[name])))
				delete(query, name)
			case "header":
				if v := r.Header.Values(name); len(v) > 0 {
					errs = append(errs, within("header "+name, scalar(p.get("schema"), v[0])))
				}
			}
		}
	}
	for name := range query {
		errs = append(errs, fmt.Errorf("parameter %s is not described", name))
	}
	return errors.Join(errs...)
}

// inQuery holds the values of a parameter against its schema. An empty one is as
// good as none.
func inQuery(p place, values []string) error {
	schema := p.get("schema")
	if schema.get("type").text() != "array" {
		for _, v := range values {
			if v != "" {
				return scalar(schema, v)
			}
		}
		return nil
	}
	list := []any{}
	for _, v := range values {
		if p.get("explode").v != false {
			list = append(list, v)
			continue
		}
		for part := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(part))
		}
	}
	if len(list) == 0 {
		return nil
	}
	return schema.admits(list)
}

func requestBody(op place, x *exchanged) error {
	described := op.get("requestBody")
	if inLines(x.r) && described.get("content", "application/x-ndjson").v != nil {
		return nil // there may be no line; and one that is not as described is answered by itself
	}
	switch {
	case len(x.sent) == 0 && described.get("required").v == true:
		return errors.New("a body is required")
	case len(x.sent) == 0:
		return nil
	case described.v == nil:
		return errors.New("a body is not described")
	}
	line := x.r.Header.Get("Content-Type")
	if line == "" {
		line = "application/json"
		if bytes.HasPrefix(bytes.TrimSpace(x.sent), []byte("<")) {
			line = "application/xml"
		}
	}
	return body(described.get("content"), line, x.sent, false)
}

// documented serves what h does, and tells fault where the document does not
// describe what went in or out.
func documented(h http.Handler, fault func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := exchanged{r: r.Clone(r.Context())}
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		sent := &tee{ReadCloser: r.Body}
		if r.Body != nil {
			r.Body = sent
		}
		h.ServeHTTP(rec, r)
		x.sent, x.status, x.header, x.got = sent.kept, rec.status, w.Header(), rec.kept
		if err := spec.check(&x); err != nil {
			fault(fmt.Errorf("openapi.yaml and the code disagree: %s %.200s, answered %d: %w", r.Method, r.URL, x.status, err))
		}
	})
}

// tee keeps what is read of a body.
type tee struct {
	io.ReadCloser
	kept []byte
}

func (t *tee) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	t.kept = append(t.kept, b[:n]...)
	return n, err
}

// recorder keeps what is written as an answer.
type recorder struct {
	http.ResponseWriter
	status int
	kept   []byte
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	w.kept = append(w.kept, b...)
	return w.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// undescribed collects what ask finds: it has no test to tell.
var undescribed struct {
	sync.Mutex
	faults []string
}

// note keeps a fault, with the line of the test it was found by.
func note(err error) {
	undescribed.Lock()
	defer undescribed.Unlock()
	where := ""
	for skip := 1; where == ""; skip++ {
		_, file, line, ok := runtime.Caller(skip)
		if !ok {
			break
		}
		name := filepath.Base(file)
		if strings.HasSuffix(name, "_test.go") && name != "documented_test.go" && name != "handler_test.go" {
			where = fmt.Sprintf("%s:%d: ", name, line)
		}
	}
	undescribed.faults = append(undescribed.faults, where+err.Error())
}

// unmet returns the successes that are described and that no test met. It is of
// use when all tests ran.
func (s *reference) unmet() (list []string) {
	for method, path := range s.operations() {
		answers := s.top().get("paths", path, strings.ToLower(method), "responses")
		for status := range answers.kids() {
			if _, met := s.met.Load(answers.get(status).at); !met && status < "300" {
				list = append(list, fmt.Sprintf("no test of this package meets the %s of %s %s", status, method, path))
			}
		}
	}
	return list
}

// all reports whether every test was asked for.
func all() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return false
		}
	}
	return true
}

// told prints what was noted and returns the code to exit with.
func told(code int) int {
	if code == 0 && all() {
		undescribed.faults = append(undescribed.faults, spec.unmet()...)
	}
	for _, f := range undescribed.faults[:min(20, len(undescribed.faults))] {
		fmt.Fprintln(os.Stderr, f)
	}
	if n := len(undescribed.faults); n > 0 {
		fmt.Fprintf(os.Stderr, "FAIL: %d faults: exchanges and openapi.yaml do not agree\n", n)
		return max(code, 1)
	}
	return code
}
