package api

import (
	"strings"
	"testing"
)

// The log is exported line by line, all of it or what has each word.
func TestExportLog(t *testing.T) {
	t.Parallel()
	h := New(Options{Service: newFixed()})
	for target, want := range map[string]string{
		"/log.ndjson":                          "4711 4712 4713",
		"/log.ndjson?limit=2":                  "4711 4712",
		"/log.ndjson?q=refuSED":                "4711",
		"/log.ndjson?q=503+attempt":            "4712",
		"/log.ndjson?q=503+refused":            "",
		"/log.ndjson?q=crm-prod&limit=1":       "4712", // the last
		"/log.ndjson?q=CRM&limit=1&after=4710": "4711", // the first behind that
		"/log.ndjson?q=resolve-2026":           "4713",
		"/log.ndjson?q=0328ba3200000001":       "4712",
		"/log.ndjson?q=error":                  "4711",
	} {
		w := ask(h, "GET", target, "", "Accept: application/x-ndjson")
		var got []string
		for line := range strings.Lines(w.Body.String()) {
			seq, _, _ := strings.Cut(strings.TrimPrefix(line, `{"seq":`), ",")
			got = append(got, seq)
		}
		if strings.Join(got, " ") != want || w.Code != 200 || w.Header().Get("Content-Type") != "application/x-ndjson" || w.Header().Get("Content-Disposition") != `attachment; filename="log.ndjson"` {
			t.Errorf("%s: %d %v\n%s", target, w.Code, w.Header(), w.Body)
		}
		list := ask(h, "GET", strings.Replace(target, ".ndjson", "", 1), "")
		if n := strings.Count(list.Body.String(), `"seq":`); n != len(got) || list.Code != 200 {
			t.Errorf("%s: %d lines are listed: %d %s", target, n, list.Code, list.Body)
		}
	}
	if w := ask(h, "HEAD", "/log.ndjson", ""); w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
	for target, want := range map[string]int{"/log.ndjson?limit=0": 422, "/log.ndjson?after=-1": 422, "/log.ndjson?cb=crm": 422, "/log.ndjson?q=" + strings.Repeat("a", 1025): 422} {
		if w := ask(h, "GET", target, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", target, w.Code, want)
		}
	}
	if w := ask(h, "GET", "/log.ndjson", "", "Accept: application/json"); w.Code != 406 {
		t.Errorf("as JSON: %d", w.Code)
	}
}
