package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"ringback/callback"
)

// FuzzAccept checks that what is chosen is liked, and that nothing is liked
// better.
func FuzzAccept(f *testing.F) {
	for _, c := range badHeaders() {
		for _, line := range c.head {
			if accept, ok := strings.CutPrefix(line, "Accept: "); ok {
				f.Add(accept, "")
			}
		}
	}
	f.Add("text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", "application/json")
	f.Add(`application/json;profile="a,b";q=0.5, text/xml;q=0.6`, "*;q=0.1")
	f.Fuzz(func(t *testing.T, one, two string) {
		m, ok := negotiate([]string{one, two}, answers)
		if strings.TrimSpace(one+two) == "" {
			if !ok || m.name != answers[0].name {
				t.Fatalf("%q: %s, %v", one, m.name, ok)
			}
			return
		}
		ranges := splitRanges(one + "," + two)
		for _, other := range answers {
			if q := quality(ranges, other.name); q > quality(ranges, m.name) || q > 1 || q < 0 {
				t.Fatalf("%q and %q: %q was chosen, which is liked %v; %s is liked %v", one, two, m.name, quality(ranges, m.name), other.name, q)
			}
		}
		if ok != (quality(ranges, m.name) > 0) {
			t.Fatalf("%q and %q: %q, %v", one, two, m.name, ok)
		}
		// What follows cannot take a range back.
		if m, ok := negotiate([]string{"text/xml", one, two}, answers); !ok || quality(splitRanges("text/xml,"+one+","+two), m.name) != 1 {
			t.Fatalf("text/xml, %q and %q: %q, %v", one, two, m.name, ok)
		}
	})
}

// FuzzContentType checks that a body is read as what it is said to be, and that
// all else is 415.
func FuzzContentType(f *testing.F) {
	for _, m := range answers {
		f.Add(m.name)
		f.Add(strings.ToUpper(m.name) + " ; Charset=\"UTF-8\"")
	}
	for _, c := range badHeaders() {
		for _, line := range c.head {
			if kind, ok := strings.CutPrefix(line, "Content-Type: "); ok {
				f.Add(kind)
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind string) {
		r := httptest.NewRequest("POST", "/", nil)
		r.Header["Content-Type"] = []string{kind}
		c, err := sent(r)
		if err != nil {
			if p, head, _ := problemOf(err); p.Status != http.StatusUnsupportedMediaType || head.Get("Accept") == "" {
				t.Fatalf("%q: %+v", kind, p)
			}
			return
		}
		base, _, _ := strings.Cut(strings.ToLower(kind), ";")
		base = strings.TrimSpace(base)
		if kind != "" && !slices.Contains(names(answers), base) || strings.HasSuffix(base, "xml") != (c.problem == xmlCodec.problem) {
			t.Fatalf("%q is read as what has %s", kind, c.problem)
		}
	})
}

// FuzzCursor checks that a cursor reads as what was written, and that what is
// read was, but for its case and what it leaves out.
func FuzzCursor(f *testing.F) {
	f.Add("0328BA3200000001", uint64(1), uint(0), uint(0), uint(0), uint(0))
	f.Add("0328ba3200000001-40-3-2-1772356323900", uint64(1)<<63, uint(40), uint(3), uint(2), uint(1772356323900))
	f.Add("0328BA3200000001-99999999999-0-0-0", uint64(0xffffffffffffffff), uint(1)<<30, uint(1), uint(1), uint(1))
	f.Fuzz(func(t *testing.T, s string, after uint64, pos, skip, attempt, at uint) {
		if c, ok := parseCursor(s); ok {
			again, ok := parseCursor(c.String())
			if !ok || again != c || c.after == 0 || c.pos < 0 || c.skip < 0 || c.attempt < 0 || c.at < 0 {
				t.Fatalf("%q is %+v, which is written as %s and reads as %+v, %v", s, c, c, again, ok)
			}
		}
		c := cursor{
			after: callback.CallID(after), pos: int(pos & (1<<31 - 1)), skip: int(skip % (callback.MaxOffset + 1)),
			attempt: int(attempt & (1<<31 - 1)), at: int64(at & (1<<47 - 1)),
		}
		if again, ok := parseCursor(c.String()); ok != (after != 0) || ok && again != c {
			t.Fatalf("%+v is written as %s and reads as %+v, %v", c, c, again, ok)
		}
	})
}
