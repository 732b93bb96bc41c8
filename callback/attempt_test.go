package callback

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// TestAttemptWords proves that how an attempt went fits its cell on the screen,
// and that every class has a word of its own that reads back.
func TestAttemptWords(t *testing.T) {
	t.Parallel()
	shorts := map[string]Class{}
	for c := ClassOK; c < numClasses; c++ {
		if got, ok := ParseClass(c.String()); !ok || got != c {
			t.Errorf("class %d reads back as %d, %v", c, got, ok)
		}
		a := Attempt{Class: c}
		short := a.Short()
		if n := utf8.RuneCountInString(short); n > 14 || n == 0 && c != ClassOK {
			t.Errorf("class %q is %q: %d cells", c, short, n)
		}
		if old, ok := shorts[short]; ok {
			t.Errorf("classes %q and %q both are %q", old, c, short)
		}
		shorts[short] = c
		if s := a.Advice(); s != "" && !strings.HasSuffix(s, ".") {
			t.Errorf("advice %q is no sentence", s)
		}
		a.Code = 503
		same(t, "with a code", a.Short(), "503")
	}
	same(t, "a class that is none", numClasses.String(), "unknown")
	if _, ok := ParseClass("weather"); ok {
		t.Error("weather is a class")
	}
}

func TestAdvice(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]string{
		200: "200", 204: "200", 302: "log", 400: "log", 401: "auth", 403: "auth", 404: "path", 405: "path", 410: "path",
		413: "limit", 429: "maxInFlight", 500: "its side", 503: "its side",
	} {
		a := Attempt{Class: ClassStatus, Code: code}
		if got := a.Advice(); !strings.Contains(got, want) {
			t.Errorf("advice for %d is %q, want %q in it", code, got, want)
		}
	}
	same(t, "advice for a success", (&Attempt{}).Advice(), "")
	for c := ClassDNS; c < numClasses; c++ {
		if (&Attempt{Class: c}).Advice() == "" {
			t.Errorf("no advice for %q", c)
		}
	}
}

func TestListed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    Entry
		want CallStatus
	}{
		{Entry{}, ListPending},
		{Entry{Attempts: 1}, ListFailed},
		{Entry{Status: Failed, Reason: Deleted}, ListFailed},
		{Entry{Status: Failed, Attempts: 1}, ListFailed},
		{Entry{Status: Success, Attempts: 1}, ListSuccess},
		{Entry{Status: Success, Reason: Resolved}, ListSuccess},
	} {
		same(t, "listed", c.e.Listed(), c.want)
	}
}

func TestGivesUp(t *testing.T) {
	t.Parallel()
	p, l := labPolicy(), Live{}
	e := Entry{Window: noon}
	sameTime(t, "gives up", e.GivesUp(p, &l, noon.Add(time.Hour)), noon.Add(p.Window))
	for what, e := range map[string]Entry{"done": {Window: noon, Status: Failed}, "no window": {}} {
		sameTime(t, what, e.GivesUp(p, &l, noon), time.Time{})
	}
	p.Retries = false
	sameTime(t, "retries off", e.GivesUp(p, &l, noon), time.Time{})
}
