package alert

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

var update = flag.Bool("update", false, "write the golden files of testdata")

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for name, s := range map[string]*story{string(kind): plain(kind), string(kind) + "-hostile": hostile(kind)} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				m := rendered(t, writer(nil), s)
				golden(t, name+".txt", fmt.Sprintf("From: %s\nTo: %s\nDate: %s\nSubject: %s\nMessage-ID: %s\nIn-Reply-To: %s\nList-Id: %s\n\n%s",
					m.From, m.To, m.Date.Format(time.RFC3339), m.Subject, m.MessageID, m.InReplyTo, m.ListID, m.Text))
				golden(t, name+".html", m.HTML)
			})
		}
	}
}

func rendered(t *testing.T, e *Engine, s *story) callback.Mail {
	t.Helper()
	m, err := e.mail(s.facts(e))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", file, diff)
	}
}

// What no mail may hold, whatever its callback, response and endpoint are like.
func TestNothingHostileGetsThrough(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, public := range []string{"", "https://ringback.example.com"} {
			m := rendered(t, writer(func(o *Options) { o.PublicURL = public }), hostile(kind))
			for part, s := range map[string]string{
				"subject": m.Subject, "text": m.Text, "html": m.HTML, "id": m.MessageID, "parent": m.InReplyTo, "list": m.ListID,
			} {
				check(t, string(kind)+" "+part, part, s)
			}
			if n := utf8.RuneCountInString(m.Subject); n > maxSubject {
				t.Errorf("%s: subject has %d characters: %q", kind, n, m.Subject)
			}
			for l := range strings.Lines(m.Text) {
				if strings.HasPrefix(l, "Bcc:") || strings.HasPrefix(l, "ringback says") {
					t.Errorf("%s: a line of the text is somebody else's: %q", kind, l)
				}
			}
			if n := strings.Count(m.Text, "\n-- \n"); n != 1 {
				t.Errorf("%s: %d signature marks, want 1", kind, n)
			}
		}
	}
}

func check(t *testing.T, where, part, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%s is not UTF-8", where)
	}
	for _, r := range s {
		broken := r == '\n' && (part == "text" || part == "html")
		if !broken && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r >= 0xe0000) {
			t.Errorf("%s has %U", where, r)
		}
	}
	if part == "html" && strings.Contains(s, "<script") {
		t.Errorf("%s has a script", where)
	}
	for _, secret := range []string{secretKey, "<no value>", "%!"} {
		if strings.Contains(s, secret) {
			t.Errorf("%s has %q", where, secret)
		}
	}
	for _, link := range []string{"href", "src="} {
		if strings.Contains(s, link) {
			t.Errorf("%s has a link", where)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", callback.MaxName)
	for _, tt := range []struct {
		kind  callback.AlertKind
		name  string
		class callback.Class
		code  int
		want  string
	}{
		{callback.AlertOutage, "crm-prod", callback.ClassRefused, 0, "[ringback] crm-prod is down: connection refused"},
		{callback.AlertOutage, "crm-prod", callback.ClassDNS, 0, "[ringback] crm-prod is down: host not found"},
		{callback.AlertOutage, "crm-prod", callback.ClassStatus, 503, "[ringback] crm-prod is failing: HTTP 503"},
		{callback.AlertOutage, "crm-prod", callback.ClassRedirect, 302, "[ringback] crm-prod is failing: HTTP 302 redirect"},
		{callback.AlertOutage, "crm-prod", callback.ClassDenied, 0, "[ringback] crm-prod is failing: forbidden address"},
		{callback.AlertOutage, long, callback.ClassConnectTimeout, 0, "[ringback] " + long[:2*17] + "… is down: no connection in time"},
		{callback.AlertCall, "crm-prod", callback.ClassProtocol, 0, "[ringback] crm-prod: call failed, the answer is not HTTP"},
		{callback.AlertRecovered, "crm-prod", 0, 0, "[ringback] crm-prod works again after 2 h 13 min"},
		{callback.AlertDigest, "crm-prod", 0, 0, "[ringback] crm-prod: 1,204 responses given up"},
		{callback.AlertSummary, "crm-prod", 0, 0, "[ringback] crm-prod: 340 more failures in an hour"},
		{callback.AlertSuspended, long, 0, 0, "[ringback] " + long[:2*35] + "… is suspended"},
	} {
		s := plain(tt.kind)
		s.h.Name = tt.name
		f := s.facts(writer(nil))
		f.Class, f.Code = tt.class, tt.code
		got := f.subject()
		if got != tt.want || utf8.RuneCountInString(got) > maxSubject {
			t.Errorf("subject of %s (%v): got %q, want %q", tt.kind, tt.class, got, tt.want)
		}
	}
	f := plain(callback.AlertSummary).facts(writer(nil))
	if f.Failures = 1 << 63; utf8.RuneCountInString(f.subject()) > maxSubject {
		t.Errorf("subject is too long: %q", f.subject())
	}
}

func TestThread(t *testing.T) {
	t.Parallel()
	e := writer(nil)
	first, last := plain(callback.AlertOutage), plain(callback.AlertRecovered)
	outage, recovered := rendered(t, e, first), rendered(t, e, last)
	if recovered.InReplyTo != outage.MessageID || outage.InReplyTo != "" {
		t.Fatalf("recovered follows %q, want %q; outage follows %q, want nothing", recovered.InReplyTo, outage.MessageID, outage.InReplyTo)
	}
	if recovered.MessageID == outage.MessageID {
		t.Fatal("two alerts have one Message-ID")
	}
	// Nothing but the key and the appliance's name may change it.
	first.h.Name, first.alert.Tries, first.alert.To = "renamed", 9, "other@example.org"
	if again := rendered(t, e, first); again.MessageID != outage.MessageID {
		t.Fatalf("Message-ID of a later try: got %q, want %q", again.MessageID, outage.MessageID)
	}
	for name, want := range map[string]string{"": "example.com", "GATE 1.Example.": "gate-1.example", "..": "example.com"} {
		e := writer(func(o *Options) { o.Name = name })
		if got := domain(e.messageID("k")); got != want {
			t.Errorf("host part for %q: got %q, want %q", name, got, want)
		}
	}
}

// What a mail says about the call depends on how things stand when it is sent.
func TestFate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*story, *Options)
		want   string
		not    string
	}{
		{"waits", nil, "tried again about every 5 min until 2026-03-05 09:12:04 UTC (2026-03-05 20:12:04 AEDT)", ""},
		{"down", nil, "While the endpoint is down one attempt is made about every 5 min", "is suspended now"},
		{"limit", nil, "may be suspended: that happens when nothing could be delivered to it for 3 d (suspend_after)", "no limit"},
		{"no limit", func(_ *story, o *Options) { o.Policy.SuspendAfter = 0 }, "no limit is set (suspend_after)", "may be suspended"},
		{"no window yet", func(s *story, _ *Options) { s.call.Window = time.Time{} }, "about every 5 min, for 24 h from its first failure", ""},
		{"retries off", func(s *story, _ *Options) {
			s.h.Retries = false
			s.call.Status, s.call.Reason = callback.Failed, callback.RetriesOff
		}, "not tried again: retries are off for this callback", "about every 5 min"},
		{"exhausted", func(s *story, _ *Options) { s.call.Status, s.call.Reason = callback.Failed, callback.Exhausted }, "not tried again by itself", "again about every"},
		{"delivered", func(s *story, _ *Options) {
			s.call.Status, s.call.Reason, s.call.Finished = callback.Success, callback.Delivered, began.Add(time.Minute)
		}, "Meanwhile the response was delivered, at 2026-03-04 09:13:04 UTC", "tried again"},
		{"resolved", func(s *story, _ *Options) {
			s.call.Status, s.call.Reason, s.call.ResolvedBy = callback.Success, callback.Resolved, "jo\x1b[0m"
		}, "Meanwhile the call was resolved by jo[0m", "tried again"},
		{"suspended", func(s *story, _ *Options) { s.h.Live.Suspended = true }, "is suspended now: no attempt is made until somebody resumes it", "While the endpoint is down"},
		{"suspended, how to resume", func(s *story, _ *Options) { s.h.Live.Suspended = true }, "POST https://ringback.example.com/callbacks/9A0CFE1122334455/resume", ""},
		{"deleted", func(s *story, _ *Options) { s.h.Live.Deleted, s.h.DeletedAt = true, began }, "The callback was deleted meanwhile", "ringback calls list"},
		{"purged", func(s *story, _ *Options) { s.h = callback.Health{}; s.call = nil }, "Id: 9A0CFE1122334455", "ringback calls list"},
		{"call purged", func(s *story, _ *Options) { s.call = nil }, "The call 0002D7A1B4C00001 is no longer kept", "Call id"},
		{"damaged", func(s *story, _ *Options) { s.call.Damaged = true }, "its record on disk is damaged", "Fred"},
		{"cause without its call", func(s *story, _ *Options) { s.call = nil }, "cannot be reached: connection refused", ""},
		{"another outage", func(s *story, _ *Options) { s.call, s.h.Live.Outage.N = nil, 4 }, "crm-prod does not take what is sent to it. It failed", "refused"},
		{"down with retries off", func(s *story, _ *Options) { s.h.Retries = false }, "get their one attempt each, one at a time", "on behalf"},
		{"no public url", func(_ *story, o *Options) { o.PublicURL = "" }, "GET /callbacks/9A0CFE1122334455/calls?status=FAILED", "https://ringback"},
		{"no public url, where", func(_ *story, o *Options) { o.PublicURL = "" }, "listens on 127.0.0.1:8480", "http://127.0.0.1:8480"},
		{"name for a shell", func(s *story, _ *Options) { s.h.Name = "a b; rm -rf $HOME" }, "calls list --callback 9A0CFE1122334455 --status failed", "--callback a b"},
		{"name like an option", func(s *story, _ *Options) { s.h.Name = "-x" }, "calls list --callback 9A0CFE1122334455 --status failed", "--callback -x"},
		{"mask", nil, "https://crm.example.com/hook?tenant=4&auth=******#", secretKey},
		{"every part", nil, "resolve --callback crm-prod 0002D7A1B4C00001", ""},
		{"by hand", func(s *story, _ *Options) { s.call.Attempts[0].Manual = true }, "Attempt: 1, asked for by hand", ""},
		{"an empty answer", func(s *story, _ *Options) { s.call.Attempts[0].Reason = "" }, "Answer:  none\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := plain(callback.AlertOutage)
			m := rendered(t, writer(func(o *Options) {
				if tt.change != nil {
					tt.change(s, o)
				}
			}), s)
			// Paragraphs are wrapped; what is looked for may cross a line.
			text := m.Text + strings.Join(strings.Fields(m.Text), " ")
			if !strings.Contains(text, tt.want) {
				t.Errorf("the text has no %q:\n%s", tt.want, m.Text)
			}
			if tt.not != "" && strings.Contains(text, tt.not) {
				t.Errorf("the text has %q:\n%s", tt.not, m.Text)
			}
		})
	}
}

func TestContentIsCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     []string
		cut      bool
	}{
		{"empty", "", nil, false},
		{"breaks only", "\r\n\n", nil, false},
		{"lines", "a\r\nb\u2028\nc\rd\n", []string{"a", "b", "", "c", "d"}, false},
		{"exact", "12345678", []string{"12345678"}, false},
		{"longer", "123456789", []string{"12345678"}, true},
		{"inside a character", "1234567é", []string{"1234567"}, true},
		{"in the second line", "1234\n56789", []string{"1234", "567"}, true},
		{"line that no longer fits", "1234567\n\n\n", []string{"1234567"}, false},
		{"more lines", "1234567\n8", []string{"1234567"}, true},
		{"dropped bytes do not count", "\x1b\x1b\x1b1234567\x1b8", []string{"12345678"}, false},
		{"not UTF-8", "a\xffb", []string{"a\ufffdb"}, false},
		{"far too long", strings.Repeat("\x00", 1000) + "x", []string{""}, true},
	} {
		got, cut := lines(tt.in, 8)
		if diff := cmp.Diff(tt.want, got); diff != "" || cut != tt.cut {
			t.Errorf("%s: cut %v, want %v (-want +got):\n%s", tt.name, cut, tt.cut, diff)
		}
	}
}

func TestSpan(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 ms", 38 * time.Millisecond: "38 ms", time.Second: "1 s", 5 * time.Minute: "5 min",
		24 * time.Hour: "24 h", 47*time.Hour + time.Minute: "47 h 1 min", 72 * time.Hour: "3 d",
		2*time.Hour + 13*time.Minute + 9*time.Second: "2 h 13 min", time.Hour + 9*time.Second: "1 h", -time.Second: "-1000 ms",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d): got %q, want %q", d, got, want)
		}
	}
}
