package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func TestFilter(t *testing.T) {
	t.Parallel()
	known := func(name string) bool { return name == "crm-prod" }
	for _, tc := range []struct {
		typed string
		query callback.ListQuery
		fault string // from the character at fault on
		says  string
	}{
		{typed: "", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "  kim   lee ", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "kim lee"}}},
		{typed: `"kim  lee"`, query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "kim  lee"}}},
		{typed: "status:failed cb:crm-prod code:503 kim", query: callback.ListQuery{Ref: "crm-prod", Filter: callback.Filter{Status: callback.ListFailed, Code: 503, Text: "kim"}}},
		{typed: "status:resolved", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess, State: callback.StateResolved}}},
		{typed: "status:pending", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListPending}}},
		{typed: "code:refused", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Class: "refused"}}},
		{typed: "code:connect-timeout", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Class: "connect timeout"}}},
		{typed: "at 09:12", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "at 09:12"}}},
		{typed: `"cb:x"`, query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "cb:x"}}},
		{typed: "status:bad", fault: "bad", says: "one of all failed"},
		{typed: "x status:", fault: "", says: "one of"},
		{typed: "code:5", fault: "5", says: "3 digits"},
		{typed: "code:99999999999999999999", fault: "99999999999999999999", says: "3 digits"},
		{typed: "code:", fault: "", says: "3 digits"},
		{typed: "code:ok", fault: "ok", says: "dns"},
		{typed: "cb:other", fault: "other", says: "no callback"},
		{typed: "Zoë since:09:12", fault: "since:09:12", says: "only status: cb: code:"},
		{typed: "code:503 code:500", fault: "code:500", says: "stands twice"},
		{typed: `kim "lee`, fault: `"lee`, says: "not closed"},
	} {
		f, fault := parseFilter(tc.typed, known)
		if tc.says == "" {
			if fault != nil {
				t.Errorf("%q: %v", tc.typed, fault)
				continue
			}
			if diff := cmp.Diff(tc.query, f.query); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tc.typed, diff)
			}
			continue
		}
		if fault == nil || !strings.Contains(fault.says, tc.says) {
			t.Errorf("%q: got %v, want %q", tc.typed, fault, tc.says)
			continue
		}
		if got := string([]rune(tc.typed)[fault.at:]); got != tc.fault {
			t.Errorf("%q: the fault is at %q, want %q", tc.typed, got, tc.fault)
		}
	}
}

func FuzzFilter(f *testing.F) {
	f.Add(`status:failed cb:crm code:503 "kim lee" Zoë`)
	f.Fuzz(func(t *testing.T, s string) {
		got, fault := parseFilter(s, func(string) bool { return true })
		n := len([]rune(s))
		if fault != nil && (fault.at < 0 || fault.at > n || fault.n < 1) {
			t.Fatalf("%q: the fault is at %d+%d of %d", s, fault.at, fault.n, n)
		}
		if got.query.Code != 0 && (got.query.Code < 100 || got.query.Code > 999) {
			t.Fatalf("%q: code %d", s, got.query.Code)
		}
	})
}

func TestFilterIsTypedAndApplied(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("statuz:failed")
		p.see("only status: cb: code:")
		p.press("enter")
		p.see("only status:") // it stays
		p.press("ctrl+u")
		p.types("status:failed cb:billing-eu")
		p.press("enter")
		p.see("Show: status:failed  cb:billing-eu", "1 call")
		p.unseen("crm-prod")
		p.press("/ esc") // leaves it as it was
		p.see("Show: status:failed  cb:billing-eu")
		p.press("f")
		p.see("Show: status:pending  cb:billing-eu")
		p.press("f f f")
		p.see("Show: status:failed  cb:billing-eu")
		p.press("esc")
		p.see("all callbacks, all statuses", "473 calls")
		p.press("/")
		p.types("no such text")
		p.press("enter")
		p.see("no call matches the filter")
	})
}

func TestTyping(t *testing.T) {
	t.Parallel()
	line := newTyping("", func(string) *filterError { return nil }, nil)
	for _, k := range strings.Fields("a b c left left X home Y end Z backspace left delete 陳 ctrl+x up") {
		line.Key(keyPress(k))
	}
	if got := string(line.text); got != "YaXb陳" {
		t.Fatalf("got %q", got)
	}
	line.insert("x\x1b[2J\ny" + strings.Repeat("z", 1000))
	if got := string(line.text); !strings.HasPrefix(got, "YaXb陳x[2J yzzz") || len(line.text) != maxTyped {
		t.Fatalf("got %q", got)
	}
	line.Key(keyPress("ctrl+u"))
	if len(line.text) != 0 || line.at != 0 {
		t.Fatal("Ctrl+U leaves something")
	}
}

// TestOpenCallsArePaged walks the calls that are not finished, which lie far
// apart, down and up.
func TestOpenCallsArePaged(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.calls = nil
	var open []callback.CallID
	for i := range 3000 {
		s := callSeed{back: time.Duration(i) * time.Second, name: "crm-prod", state: callback.StateGaveUp, tries: 1, class: callback.ClassRefused}
		if i%100 == 7 {
			s.state = callback.StateRetrying
		}
		v := fixtureCall(s, i)
		f.calls = append(f.calls, v)
		if i%100 == 7 {
			open = append(open, v.ID)
		}
	}
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter o")
		for i, id := range open {
			if got := p.chosen(); got != id {
				t.Fatalf("open call %d is %s, want %s", i, got, id)
			}
			p.press("j")
		}
		p.press("j g j G")
		if got := p.chosen(); got != open[len(open)-1] {
			t.Fatalf("the last is %s, want %s", got, open[len(open)-1])
		}
		for i := range open {
			if got, want := p.chosen(), open[len(open)-1-i]; got != want {
				t.Fatalf("open call %d from below is %s, want %s", i, got, want)
			}
			p.press("k")
		}
	})
}
