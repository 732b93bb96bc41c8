package tui

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// filterDesk is a desk that knows the callbacks of the fixture.
func filterDesk() *desk {
	d := &desk{opt: &Options{Now: func() time.Time { return noon }}, clock: Clock{Zone: aest}}
	d.took(newFake().overview)
	return d
}

func TestFilter(t *testing.T) {
	t.Parallel()
	id := func(name string) string { return callbackIDOf(name).String() }
	for _, tc := range []struct {
		typed  string
		query  callback.ListQuery
		beyond string // what the service is not asked for
		fault  string // from the character at fault on
		says   string
	}{
		{typed: "", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "  kim   lee ", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "kim lee"}}},
		{typed: `"kim  lee"`, query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "kim  lee"}}},
		{typed: "status:failed cb:crm-prod code:503 kim", query: callback.ListQuery{Ref: "crm-prod", Filter: callback.Filter{Status: callback.ListFailed, Code: 503, Text: "kim"}}},
		{typed: `cb:"crm-prod"`, query: callback.ListQuery{Ref: "crm-prod", Filter: callback.Filter{Status: allCalls}}},
		{typed: "cb:CRM*", query: callback.ListQuery{Ref: "crm-prod", Filter: callback.Filter{Status: allCalls}}},
		{typed: "cb:" + id("crm-prod"), query: callback.ListQuery{Ref: "crm-prod", Filter: callback.Filter{Status: allCalls}}},
		{typed: "cb:*s cb:crm-prod", beyond: "cb:*s cb:crm-prod", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "status:resolved", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess, State: callback.StateResolved}}},
		{typed: "status:queued", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListPending}}},
		{typed: "status:failed status:queued", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListPending | callback.ListFailed}}},
		{typed: "status:retrying status:resolved", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListSuccess, State: "retrying,resolved"}}},
		{typed: "status:resolved status:failed", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListSuccess, State: "held,delivering,retrying,gaveUp,resolved,cancelled,damaged"}}},
		{typed: "status:success status:resolved", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListSuccess}}},
		{typed: "status:open", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending, State: "scheduled,held,delivering,retrying"}}},
		{typed: "status:open status:failed", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending}}},
		{typed: "status:held status:gaveup", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending, State: "held,gaveUp"}}},
		{typed: "status:queued status:gaveup", beyond: "status:queued status:gaveup", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed | callback.ListPending}}},
		{typed: "code:refused", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Class: "refused"}}},
		{typed: "code:connect-timeout", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Class: "connect timeout"}}},
		{typed: "code:none", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Code: callback.NoAnswer}}},
		{typed: "code:timeout", beyond: "code:timeout", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "code:5xx", beyond: "code:5xx", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "code:503 code:404", beyond: "code:503 code:404", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "since:09:12 until:1h", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, From: clockAt(0, 9, 12, 0), To: noon.Add(-time.Hour)}}},
		{typed: "since:2026-03-01 status:failed", query: callback.ListQuery{Filter: callback.Filter{Status: callback.ListFailed, From: clockAt(2, 0, 0, 0)}}},
		{typed: "msg:ABC4857BCCF484575FCA", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, MessageID: "ABC4857BCCF484575FCA"}}},
		{typed: "msg:A msg:B", beyond: "msg:A msg:B", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "id:019a", beyond: "id:019a", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "channel:sms tries:>10", beyond: "channel:sms tries:>10", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}},
		{typed: "at 09:12", query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "at 09:12"}}},
		{typed: `"cb:x"`, query: callback.ListQuery{Filter: callback.Filter{Status: allCalls, Text: "cb:x"}}},
		{typed: "status:bad", fault: "bad", says: "status: failed retrying"},
		{typed: "x status:", fault: "", says: "status: failed"},
		{typed: "code:5", fault: "5", says: "code: 3 digits or 5xx"},
		{typed: "code:005 kim", fault: "005 kim", says: "3 digits or 5xx"},
		{typed: "code:99999999999999999999", fault: "99999999999999999999", says: "3 digits"},
		{typed: "code:", fault: "", says: "3 digits"},
		{typed: "code:ok", fault: "ok", says: "dns"},
		{typed: "cb:other", fault: "other", says: "no callback"},
		{typed: "cb:", fault: "", says: "no callback"},
		{typed: "Zoë from:09:12", fault: "from:09:12", says: "no such key"},
		{typed: "since:soon", fault: "soon", says: "since: 09:12, 2h"},
		{typed: "since:1h since:2h", fault: "since:2h", says: "stands twice"},
		{typed: "since:1h until:2h", fault: "2h", says: "until: is not after since:"},
		{typed: "until:2h since:1h", fault: "1h", says: "since: is not before until:"},
		{typed: "status:queued since:1h", fault: "1h", says: "last try"},
		{typed: "id:xyz", fault: "xyz", says: "hex digits"},
		{typed: "id:00000000000000000", fault: "00000000000000000", says: "up to 16"},
		{typed: "tries:many", fault: "many", says: "a number"},
		{typed: "channel:", fault: "", says: "a channel"},
		{typed: `kim "lee`, fault: `"lee`, says: "not closed"},
		{typed: `cb:"crm`, fault: `"crm`, says: "not closed"},
	} {
		f, fault := filterDesk().parseFilter(tc.typed, 0, "all")
		if tc.says == "" {
			if fault != nil {
				t.Errorf("%q: %v", tc.typed, fault)
				continue
			}
			if diff := cmp.Diff(tc.query, f.query); diff != "" {
				t.Errorf("%q (-want +got):\n%s", tc.typed, diff)
			}
			if got := strings.Join(f.beyond, " "); got != tc.beyond || (f.keep != nil) != (got != "") {
				t.Errorf("%q: the service cannot select by %q, want %q", tc.typed, got, tc.beyond)
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

// TestFilterSelects holds what a list shows against the calls of the fixture
// one by one: what the service selects and what the screen leaves out.
func TestFilterSelects(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.calls[1].Response.Message.Channel = "EMAIL"
	f.calls[5].Response.MessageID = "OTHER"
	for _, tc := range []struct {
		typed string
		want  func(v *callback.CallView) bool
	}{
		{"cb:*-e* code:5xx", func(v *callback.CallView) bool { return v.Callback == "billing-eu" && last(v) != nil }},
		{"code:timeout code:503", func(v *callback.CallView) bool {
			return v.Callback == "sms-portal" || v.Callback == "billing-eu" && last(v) != nil
		}},
		{"tries:>3", func(v *callback.CallView) bool { return v.Entry.Attempts > 3 }},
		{"tries:0", func(v *callback.CallView) bool { return v.Entry.Attempts == 0 }},
		{"tries:<2 tries:>=58 tries:=3", func(v *callback.CallView) bool {
			return v.Entry.Attempts < 2 || v.Entry.Attempts >= 58 || v.Entry.Attempts == 3
		}},
		{"channel:email", func(v *callback.CallView) bool { return v.Response.Message.Channel == "EMAIL" }},
		{"msg:OTHER", func(v *callback.CallView) bool { return v.Response.MessageID == "OTHER" }},
		{"status:resolved status:gaveup", func(v *callback.CallView) bool {
			return v.State == callback.StateResolved || v.State == callback.StateGaveUp
		}},
		{"status:open", func(v *callback.CallView) bool { return v.Entry.Status == callback.Ready }},
		{"id:" + f.calls[20].ID.String(), func(v *callback.CallView) bool { return v.ID == f.calls[20].ID }},
		{"id:" + f.calls[20].ID.String() + " id:" + f.calls[3].ID.String(), func(v *callback.CallView) bool { return v.ID == f.calls[20].ID || v.ID == f.calls[3].ID }},
		{"id:" + f.calls[40].ID.String()[:9], func(v *callback.CallView) bool { return v.ID.String()[:9] == f.calls[40].ID.String()[:9] }},
		{"since:13:30 until:13:45", func(v *callback.CallView) bool {
			a := last(v)
			return a != nil && !a.Started.Before(clockAt(0, 13, 30, 0)) && a.Started.Before(clockAt(0, 13, 45, 0))
		}},
	} {
		t.Run(tc.typed, func(t *testing.T) {
			t.Parallel()
			fly(t, f.twin(), 80, 24, nil, func(p *pilot) {
				p.press("2 /")
				p.types(tc.typed)
				p.press("enter g")
				var got, want []callback.CallID
				for i := range f.calls {
					if tc.want(&f.calls[i]) {
						want = append(want, f.calls[i].ID)
					}
				}
				l := p.m.top().(*callsPage).calls
				for {
					p.press("j")
					v, ok := l.cursor()
					if !ok || len(got) > 0 && got[len(got)-1] == v.ID {
						break
					}
					got = append(got, v.ID)
				}
				if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
					t.Fatalf("%d calls (-want +got):\n%s\n%s", len(want), diff, p.text())
				}
				p.press("G")
				if v, _ := l.cursor(); v.ID != want[len(want)-1] {
					t.Fatalf("G goes to %s, want %s", v.ID, want[len(want)-1])
				}
			})
		})
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		pattern, s string
		want       bool
	}{
		{"crm", "crm", true},
		{"crm", "crm-prod", false},
		{"CRM*", "crm-prod", true},
		{"*prod", "crm-prod", true},
		{"*prod", "crm-prod-2", false},
		{"c*-*d", "crm-prod", true},
		{"c*-*d", "crm-prod2", false},
		{"*m*p*", "crm-prod", true},
		{"*p*m*", "crm-prod", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"*", "", true},
		{"", "", true},
		{"", "x", false},
	} {
		if got := like(tc.pattern, tc.s); got != tc.want {
			t.Errorf("like(%q, %q) is %v", tc.pattern, tc.s, got)
		}
	}
}

// TestBoundsOfIDs asks for nothing beyond the ids that are looked for.
func TestBoundsOfIDs(t *testing.T) {
	t.Parallel()
	l := newCallList(filterDesk(), filter{low: 100, high: 200})
	for _, tc := range []struct {
		fetch Fetch[callback.CallID]
		want  callback.CallID
	}{
		{Fetch[callback.CallID]{}, 201},
		{Fetch[callback.CallID]{HasKey: true, Key: 500}, 201},
		{Fetch[callback.CallID]{HasKey: true, Key: 150}, 150},
		{Fetch[callback.CallID]{Backward: true}, 99},
		{Fetch[callback.CallID]{HasKey: true, Backward: true, Key: 50}, 99},
		{Fetch[callback.CallID]{HasKey: true, Backward: true, Key: 150}, 150},
	} {
		if got := l.query(tc.fetch).After; got != tc.want {
			t.Errorf("%+v goes on behind %d, want %d", tc.fetch, got, tc.want)
		}
	}
}

// TestExactIDIsOneRead shows that a call with its id is not searched for.
func TestExactIDIsOneRead(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2")
		was := f.count("Calls")
		p.press("/")
		p.types("id:" + f.calls[30].ID.String())
		p.press("enter")
		if n := f.count("Calls") - was; n > 2 || p.chosen() != f.calls[30].ID {
			t.Fatalf("%d reads for one call", n)
		}
		p.press("R")
		p.see("R: it is for the calls of one callback")
		p.press("esc enter")
	})
}

func FuzzFilter(f *testing.F) {
	for _, s := range []string{
		`status:failed cb:crm-prod code:503 "kim lee" Zoë`, "since:09:12 until:2h tries:>10 channel:sms", "id:019A msg:X code:5xx status:open",
		`cb:"a b" "x" level:warn part:mail op:4 #40`, "cb:*-* cb:", `"`, ":", "id:ffffffffffffffff id:0", "since:9999999d", "tries:<0",
	} {
		f.Add(s)
	}
	d := filterDesk()
	log, out := newLogPage(d), newOutagesPage(d)
	f.Fuzz(func(t *testing.T, s string) {
		n := len([]rune(s))
		check := func(fault *filterError) {
			if fault != nil && (fault.at < 0 || fault.at > n || fault.n < 1 || fault.says == "") {
				t.Fatalf("%q: the fault is at %d+%d of %d: %s", s, fault.at, fault.n, n, fault.says)
			}
		}
		got, fault := d.parseFilter(s, 0, "all")
		check(fault)
		if fault == nil {
			if got.query.Code != 0 && got.query.Code != callback.NoAnswer && (got.query.Code < 100 || got.query.Code > 999) {
				t.Fatalf("%q: code %d", s, got.query.Code)
			}
			if (got.keep == nil) != (len(got.beyond) == 0) || got.low > got.high {
				t.Fatalf("%q: %+v", s, got)
			}
			again, fault := d.parseFilter(strings.Join(got.words, " "), 0, "all")
			if strings.Contains(got.query.Text, `"`) {
				return // it is shown between quotes, and could not be typed so
			}
			if fault != nil || !cmp.Equal(again.query, got.query) {
				t.Fatalf("%q reads %q, which is something else: %v", s, got.words, fault)
			}
			if got.keep != nil {
				got.keep(&callback.CallView{})
			}
		}
		lines, fault := log.parse(s)
		check(fault)
		if lines != nil {
			lines(&callback.LogLine{Operation: "4F", Call: 1})
		}
		outages, fault := out.parse(s)
		check(fault)
		if outages != nil {
			outages(&callback.OutageView{})
		}
		for _, g := range []*language{callLanguage, logLanguage, outageLanguage} {
			text := []rune(s)[:min(n, maxTyped)]
			for at := range len(text) + 1 {
				if out, to, _ := g.complete(d, text, at); to < 0 || to > len(out) || len(out) > maxTyped {
					t.Fatalf("%q at %d: Tab makes %q, the cursor is at %d", s, at, string(out), to)
				}
			}
		}
	})
}

func TestFilterIsTypedAndApplied(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("statuz:failed")
		p.see("no such key")
		p.press("enter")
		p.see("no such key") // it stays
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

// The times of a filter are others than those of the rows: it says which.
func TestTimesOfAFilter(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 160} {
		fly(t, newFake(), w, 24, nil, func(p *pilot) {
			for _, keys := range []string{"2", "1 enter"} {
				p.press(keys)
				p.see("RECEIVED")
				p.unseen("last try")
				p.press("/")
				p.types("since:09:12")
				p.press("enter")
				p.see("since:09:12 " + map[string]string{"2": "(last try)", "1 enter": "last try"}[keys])
				p.press("esc")
				p.unseen("last try")
			}
		})
	}
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
	line.Paste("x\x1b[2J\ny" + strings.Repeat("z", 1000))
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
