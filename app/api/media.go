package api

import (
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"ringback/callback"
)

// codec reads and writes one way of putting things into bytes.
type codec struct {
	// decode reads one document into a tree for which there is room, or returns
	// an error that the sender may read.
	decode func(body []byte, r room) (node, error)
	// plain reads a response that is written in the plainest way, without a
	// tree, and reports whether it could. nil: it never can.
	plain func(body []byte, r *callback.NewResponse) bool
	// split returns the items of a body that is an array, at most so many, or
	// an error as decode does. nil: there are no arrays.
	split func(body []byte, most int) ([][]byte, error)
	// encode writes a shape.
	encode func(shape any) ([]byte, error)
	// problem is the media type of an error written so.
	problem string
	// item adds to b what encode writes for what became of a response. nil: there
	// is no faster way than encode.
	item func(b []byte, s *enqueuedShape) ([]byte, error)
	// around says how what became of many is written, one after the other: as an
	// array, or, where p is not nil, as the items of that problem.
	around func(p *problem) (around, error)
}

// media is a media type with its codec.
type media struct {
	name  string
	codec codec
}

var (
	jsonCodec = codec{
		decode: parseJSON, plain: plainJSON, split: splitJSON, encode: encodeJSON, item: appendItem, around: aroundJSON, problem: problemType,
	}
	xmlCodec = codec{decode: parseXML, encode: encodeXML, around: aroundXML, problem: "application/problem+xml"}
)

// answers are the media types that are read and written; the first is sent
// where a request leaves the choice. Clients of the public API name the type of
// the resource on every verb. Nothing is gained by refusing the other one.
var answers = []media{
	{"application/json", jsonCodec},
	{"application/xml", xmlCodec},
	{"text/xml", xmlCodec},
	{"application/vnd.whispir.api-callback-v1+json", jsonCodec},
	{"application/vnd.whispir.api-callback-v1+xml", xmlCodec},
	{"application/vnd.whispir.api-call-v1+json", jsonCodec},
	{"application/vnd.whispir.api-call-v1+xml", xmlCodec},
}

// problemType is the media type of an answer that is an error, unless the
// request likes XML better.
const problemType = "application/problem+json"

// problems are what an error can be sent as: in the form of the answers, or as
// what it is.
var problems = slices.Concat(answers, []media{{jsonCodec.problem, jsonCodec}, {xmlCodec.problem, xmlCodec}})

// streams are what a stream can be sent as.
var streams = []media{{"application/x-ndjson", jsonCodec}, {"application/json", jsonCodec}}

func names(list []media) []string {
	out := make([]string, len(list))
	for i, m := range list {
		out[i] = m.name
	}
	return out
}

// maxRanges bounds how much of an Accept header is looked at.
const maxRanges = 64

// negotiate picks the media type that the Accept header lines like best
// (RFC 9110, 12.5.1); the first where they like several the same, or there is
// no such header.
func negotiate(accept []string, offers []media) (media, bool) {
	if len(accept) == 0 || len(accept) == 1 && (accept[0] == "*/*" || accept[0] == offers[0].name) {
		return offers[0], true // as nearly all do
	}
	if strings.TrimSpace(strings.Join(accept, "")) == "" {
		return offers[0], true
	}
	ranges := splitRanges(strings.Join(accept, ","))
	var best media
	var top float64
	for _, m := range offers {
		if q := quality(ranges, m.name); q > top {
			best, top = m, q
		}
	}
	return best, top > 0
}

// splitRanges returns the first elements of a list whose commas may also stand
// in quoted strings.
func splitRanges(line string) (ranges []string) {
	quoted, escaped, from := false, false, 0
	for i := 0; i < len(line) && len(ranges) < maxRanges; i++ {
		switch c := line[i]; {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			ranges = append(ranges, line[from:i])
			from = i + 1
		}
	}
	if len(ranges) < maxRanges {
		ranges = append(ranges, line[from:])
	}
	return ranges
}

// quality returns the weight that the most specific matching range gives name.
func quality(ranges []string, name string) float64 {
	kind, _, _ := strings.Cut(name, "/")
	var weight float64
	closest := 0
	for _, s := range ranges {
		t, params, err := mime.ParseMediaType(s)
		if err != nil {
			continue
		}
		fit := 0
		switch t {
		case name:
			fit = 3
		case kind + "/*":
			fit = 2
		case "*/*", "*": // "*" is not standard, but Java's URLConnection sends it
			fit = 1
		}
		if fit <= closest {
			continue
		}
		closest, weight = fit, 1
		if q, ok := params["q"]; ok {
			if weight, err = strconv.ParseFloat(q, 64); err != nil || !(weight >= 0 && weight <= 1) {
				weight = 0
			}
		}
	}
	return weight
}

// sent returns the codec of a request's body; a body without a Content-Type is
// taken for the first of the media types.
func sent(r *http.Request) (codec, error) {
	if err := asIs(r); err != nil {
		return codec{}, err
	}
	lines := r.Header.Values("Content-Type")
	if len(lines) == 0 || len(lines) == 1 && (lines[0] == "" || lines[0] == answers[0].name) {
		return answers[0].codec, nil
	}
	t, params, err := mime.ParseMediaType(lines[0])
	if set, ok := params["charset"]; err == nil && len(lines) == 1 && (!ok || utf8Name(set)) {
		for _, m := range answers {
			if t == m.name {
				return m.codec, nil
			}
		}
	}
	return codec{}, &refusal{
		status:  http.StatusUnsupportedMediaType,
		message: "Content-Type must be one of " + strings.Join(names(answers), ", ") + ", in UTF-8",
		header:  http.Header{"Accept": {strings.Join(names(answers), ", ")}},
	}
}

// utf8Name reports whether UTF-8 reads what is written in that character set.
func utf8Name(set string) bool {
	return strings.EqualFold(set, "utf-8") || strings.EqualFold(set, "us-ascii")
}

// asIs refuses a body that is not sent as it is.
func asIs(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &refusal{
			status:  http.StatusUnsupportedMediaType,
			message: "Content-Encoding must be identity: compressed bodies are not read",
			header:  http.Header{"Accept-Encoding": {"identity"}},
		}
	}
	return nil
}

// lineTypes are the media types of a stream of JSON values, one a line.
var lineTypes = []media{
	{"application/x-ndjson", jsonCodec},
	{"application/jsonl", jsonCodec},
	{"application/x-jsonlines", jsonCodec},
	{"application/ndjson", jsonCodec},
}

// lineAnswers are what the answer to such a stream can be sent as.
var lineAnswers = append(slices.Clip(lineTypes), answers[0])

// inLines reports whether a request's body is such a stream.
func inLines(r *http.Request) bool {
	t, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	if t == answers[0].name {
		return false
	}
	return slices.ContainsFunc(lineTypes, func(m media) bool { return strings.EqualFold(m.name, strings.TrimSpace(t)) })
}
