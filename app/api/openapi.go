package api

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"strings"
	"sync"
)

// document is the reference of everything that is served. A test holds it
// against the routes, and against every answer that the tests of this package
// see.
//
//go:embed openapi.yaml
var document []byte

// documents is what the document can be sent as.
var documents = []media{{name: "application/yaml"}}

// documentTag is the document's ETag.
var documentTag = sync.OnceValue(func() string {
	sum := sha256.Sum256(document)
	return `"` + hex.EncodeToString(sum[:8]) + `"`
})

// document sends the reference, to whoever asks.
func (q *request) document() error {
	m, ok := negotiate(q.r.Header.Values("Accept"), documents)
	if !ok {
		return &refusal{status: http.StatusNotAcceptable, message: "Accept allows none of what can be sent: " + strings.Join(names(documents), ", ")}
	}
	q.w.Header().Set("ETag", documentTag())
	q.w.Header().Set("Cache-Control", "no-cache") // keep it, but ask whether it is still the same
	if matches(q.r.Header.Values("If-None-Match"), documentTag()) {
		q.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	write(q.w, http.StatusOK, m.name, document)
	return nil
}

// matches reports whether the lines of an If-None-Match header name tag, which
// is compared weakly (RFC 9110, 13.1.2).
func matches(lines []string, tag string) bool {
	for _, line := range lines {
		for s := range strings.SplitSeq(line, ",") {
			if s = strings.TrimSpace(s); s == "*" || strings.TrimPrefix(s, "W/") == tag {
				return true
			}
		}
	}
	return false
}
