package smtpout

import (
	"bytes"
	"io"
	netmail "net/mail"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"
	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	for _, tc := range []struct {
		in     string
		want   address
		header string
		bad    bool
	}{
		{in: "ops@example.com", want: address{addr: "ops@example.com"}, header: "<ops@example.com>"},
		{in: "Ops Team <o.p-s+x@example.com>", want: address{"Ops Team", "o.p-s+x@example.com"}, header: `"Ops Team" <o.p-s+x@example.com>`},
		{in: `"A \"B\" \\ C" <ops@example.com>`, want: address{`A "B" \ C`, "ops@example.com"}, header: `"A \"B\" \\ C" <ops@example.com>`},
		{in: "ringback@localhost", want: address{addr: "ringback@localhost"}, header: "<ringback@localhost>"},
		{in: "jörg@bücher.example", want: address{addr: "jörg@bücher.example"}, header: "<jörg@bücher.example>"},
		{in: "Jörg <j@example.com>", want: address{"Jörg", "j@example.com"}, header: "=?utf-8?b?SsO2cmc=?= <j@example.com>"},
		{in: "=?utf-8?b?SsO2cmcNCkJjYzogeA==?= <j@example.com>", want: address{"Jörg Bcc: x", "j@example.com"}, header: "=?utf-8?b?SsO2cmcgQmNjOiB4?= <j@example.com>"},
		{in: `"=?utf-8?q?=1B?=" <j@example.com>`, want: address{"=?utf-8?q?=1B?=", "j@example.com"}, header: "=?utf-8?b?PT91dGYtOD9xPz0xQj89?= <j@example.com>"},
		{in: "ops@[192.0.2.1]", want: address{addr: "ops@[192.0.2.1]"}, header: "<ops@[192.0.2.1]>"},
		{in: long + "@example.com", want: address{addr: long + "@example.com"}, header: "<" + long + "@example.com>"},
		{in: long + "a@example.com", bad: true},
		{in: "a@" + strings.Repeat("b.", 130) + "com", bad: true},
		{in: strings.Repeat("x ", 600) + "<a@example.com>", bad: true},
		{in: "", bad: true},
		{in: "<>", bad: true},
		{in: "ops", bad: true},
		{in: "@example.com", bad: true},
		{in: "ops@", bad: true},
		{in: "a@example.com, b@example.com", bad: true},
		{in: "ops@example.com\r\nRCPT TO:<x@example.com>", bad: true},
		{in: "ops@example.com\x00", bad: true},
		{in: "ops\x1b@example.com", bad: true},
		{in: "ops\u202e@example.com", bad: true},
		{in: "o\xffps@example.com", bad: true},
		{in: "ops>@example.com", bad: true},
		{in: `"ops> SIZE=1"@example.com`, bad: true},
		{in: `"a b"@example.com`, bad: true},
		{in: `"a\"b"@example.com`, bad: true},
		{in: `"a@b"@example.com`, bad: true},
		{in: `""@example.com`, bad: true},
		{in: `".a"@example.com`, bad: true},
		{in: "ops@exa>mple.com", bad: true},
		{in: "ops@example..com", bad: true},
		{in: "ops@[300.1.1.1]", bad: true},
		{in: "ops@[192.0.2.1> x]", bad: true},
		{in: "ops@[fe80::1%eth0]", bad: true},
		{in: "ops@[2001:db8::1]", bad: true},
	} {
		got, err := parseAddress(tc.in)
		if tc.bad {
			if err == nil {
				t.Fatalf("%q: got %+v, want an error", tc.in, got)
			}
			if s := err.Error(); callback.Sanitize(s, len(s)) != s {
				t.Fatalf("%q: the error has control characters: %q", tc.in, s)
			}
			continue
		}
		if err != nil || got != tc.want || got.String() != tc.header {
			t.Fatalf("%q: got %+v, %q, %v, want %+v, %q", tc.in, got, got, err, tc.want, tc.header)
		}
		if back, err := parseAddress(got.String()); err != nil || back != got {
			t.Fatalf("%q: read again: got %+v, %v", tc.in, back, err)
		}
	}
}

func TestSubject(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{"orders is down", "orders is down"},
		{"", ""},
		{strings.Repeat("a", 60), strings.Repeat("a", 60)},
		{strings.Repeat("a", 61), strings.Repeat("a", 57) + "..."},
		{strings.Repeat("日", 1000), strings.Repeat("日", 57) + "..."},
		{strings.Repeat("\U0001f514", 60), strings.Repeat("\U0001f514", 60)},
		{"down\r\nBcc: x@example.com", "down Bcc: x@example.com"},
		{"=?utf-8?q?=0D=0ABcc:?=", "=?utf-8?q?=0D=0ABcc:?="},
		{"\x1b]0;owned\x07 \xff", "]0;owned \uFFFD"},
	} {
		data := mustBuild(t, callback.Mail{Subject: tc.in, Text: "x"})
		m, err := netmail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("%q: %v", tc.in, err)
		}
		h := message.HeaderFromMap(m.Header)
		if got, err := h.Text("Subject"); err != nil || got != tc.want {
			t.Fatalf("%q: got %q, %v, want %q", tc.in, got, err, tc.want)
		}
		if m.Header.Get("Bcc") != "" {
			t.Fatalf("%q made a header", tc.in)
		}
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ in, want string }{
		{"outage/0A1B/3@example.com", "outage/0A1B/3@example.com"},
		{"outage/0A1B/3", "outage/0A1B/3@example.org"},
		{"a b@x", "a-b@x"},
		{"a>\r\nBcc: <b@x", "a---Bcc---b@x"},
		{"a..b.@.x.", "a.b@x"},
		{"a@b@c", "a@b-c"},
		{"jörg@x", "j-rg@x"},
	} {
		if got := messageID(tc.in, "example.org"); got != tc.want {
			t.Fatalf("%q: got %q, want %q", tc.in, got, tc.want)
		}
	}
	seen := map[string]string{}
	for _, in := range []string{"", "@", "...", strings.Repeat("a", 500), strings.Repeat("a", 501), strings.Repeat("a", 501) + "@x"} {
		got := messageID(in, strings.Repeat("d.", 150)+"d")
		if len(got) > maxID+1 || strings.Count(got, "@") != 1 || strings.HasPrefix(got, "@") {
			t.Fatalf("%q: got %q", in, got)
		}
		if other, ok := seen[got]; ok {
			t.Fatalf("%q and %q have the same id", in, other)
		}
		seen[got] = in
		if got != messageID(in, strings.Repeat("d.", 150)+"d") {
			t.Fatalf("%q: the id differs the second time", in)
		}
	}
}

// A mail that is sent again must be the same mail.
func TestBuildTwice(t *testing.T) {
	t.Parallel()
	m := callback.Mail{MessageID: "a@b", Subject: "s", Text: "t", HTML: "<p>h</p>", Date: time.Unix(1_800_000_000, 0)}
	if diff := cmp.Diff(string(mustBuild(t, m)), string(mustBuild(t, m))); diff != "" {
		t.Fatalf("first and second (-first +second):\n%s", diff)
	}
}

func TestBuildWhole(t *testing.T) {
	t.Parallel()
	got := string(mustBuild(t, callback.Mail{
		MessageID: "outage/1@example.com", Date: time.Date(2026, 3, 4, 10, 12, 0, 0, time.FixedZone("", 3600)),
		Subject: "orders is down", ListID: "alerts.example.com", Text: "Grüße\r\n.\r\n",
	}))
	want := strings.Join([]string{
		"Date: Wed, 04 Mar 2026 09:12:00 +0000",
		`From: "Ringback" <ringback@example.com>`,
		"To: <ops@example.com>",
		"Subject: orders is down",
		"Message-Id: <outage/1@example.com>",
		"List-Id: <alerts.example.com>",
		"Auto-Submitted: auto-generated",
		"Mime-Version: 1.0",
		"Content-Type: text/plain; charset=utf-8",
		"Content-Transfer-Encoding: quoted-printable",
		"", "Gr=C3=BC=C3=9Fe", ".", "",
	}, "\r\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
}

func mustBuild(t *testing.T, m callback.Mail) []byte {
	t.Helper()
	data, err := build(m, address{"Ringback", "ringback@example.com"}, address{addr: "ops@example.com"})
	if err != nil {
		t.Fatalf("build: %v", err)
	}
	return data
}

func FuzzBuild(f *testing.F) {
	for _, s := range []string{
		"", "plain", "a\r\nBcc: x@example.com", "=?utf-8?q?=0D=0A?=", ".\n..\n.\r\n", "\x00\x1b[2J\x9b\xff",
		strings.Repeat("日本", 600), strings.Repeat("x", 1200), "--ringback-\r\n--ringback---\r\n", " lead\ttrail \n \n", "a\rb\r\r\nc",
	} {
		f.Add(s, s, s, s, s, s, uint32(1_800_000_000))
		f.Add("key@example.com", "parent@example.com", "Ops <ops@example.com>", "down", s, s, uint32(0))
	}
	f.Fuzz(func(t *testing.T, id, parent, to, subj, text, html string, at uint32) {
		rcpt, err := parseAddress(to)
		if err != nil {
			rcpt = address{addr: "ops@example.com"}
		}
		m := callback.Mail{MessageID: id, InReplyTo: parent, ListID: parent, Subject: subj, Text: text, HTML: html, Date: time.Unix(int64(at), 0)}
		data, err := build(m, address{"Ringback", "ringback@example.com"}, rcpt)
		if err != nil {
			t.Fatalf("build: %v", err)
		}
		checkWire(t, data)
		std, err := netmail.ReadMessage(bytes.NewReader(data))
		if err != nil {
			t.Fatalf("net/mail: %v\n%q", err, data)
		}
		checkHeader(t, std.Header, m, rcpt)
		bodies := readBodies(t, data)
		if got := bodies["text/plain"]; got != bodyText(text) {
			t.Fatalf("text: got %q, want %q", got, bodyText(text))
		}
		if got := bodies["text/html"]; got != bodyText(html) {
			t.Fatalf("html: got %q, want %q", got, bodyText(html))
		}
		if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return control(r) && r != '\n' && r != '\t' }) && bodies["text/plain"] != text {
			t.Fatalf("a clean text was changed: %q", text)
		}
	})
}

// checkWire holds what RFC 5321 and RFC 5322 want of every line.
func checkWire(t *testing.T, data []byte) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSuffix(data, []byte("\r\n")), []byte("\r\n")) {
		if len(line) > 998 {
			t.Fatalf("a line of %d bytes", len(line))
		}
		for _, r := range string(line) {
			if control(r) && r != '\t' || r == utf8.RuneError {
				t.Fatalf("a line with %U: %q", r, line)
			}
		}
	}
}

func checkHeader(t *testing.T, h netmail.Header, m callback.Mail, to address) {
	t.Helper()
	known := map[string]bool{
		"Date": true, "From": true, "To": true, "Subject": true, "Message-Id": true, "In-Reply-To": true, "References": true, "List-Id": true,
		"Auto-Submitted": true, "Mime-Version": true, "Content-Type": true, "Content-Transfer-Encoding": true,
	}
	for key, values := range h {
		if !known[key] || len(values) != 1 {
			t.Fatalf("header %s: %q", key, values)
		}
	}
	if at, err := h.Date(); err != nil || !at.Equal(m.Date) {
		t.Fatalf("date: got %v, %v, want %v", at, err, m.Date)
	}
	list, err := h.AddressList("To")
	if err != nil || len(list) != 1 || list[0].Address != to.addr || list[0].Name != to.name {
		t.Fatalf("to: got %v, %v, want %+v", list, err, to)
	}
	mh := gomail.Header{Header: message.HeaderFromMap(h)}
	if id, err := mh.MessageID(); err != nil || id != messageID(m.MessageID, "example.com") {
		t.Fatalf("message id: got %q, %v", id, err)
	}
	if got, err := mh.Subject(); err != nil || squeeze(got) != squeeze(subject(m.Subject)) || utf8.RuneCountInString(got) > maxSubject {
		t.Fatalf("subject: got %q, %v, want %q", got, err, subject(m.Subject))
	}
}

// squeeze evens out blanks, which a reader may do with a header.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// readBodies gives the decoded parts of a mail by media type.
func readBodies(t *testing.T, data []byte) map[string]string {
	t.Helper()
	r, err := gomail.CreateReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("go-message: %v", err)
	}
	bodies := map[string]string{}
	for {
		p, err := r.NextPart()
		if err == io.EOF {
			return bodies
		}
		if err != nil {
			t.Fatalf("next part: %v", err)
		}
		media, _, _ := strings.Cut(p.Header.Get("Content-Type"), ";")
		body, err := io.ReadAll(p.Body)
		if _, twice := bodies[media]; twice || err != nil {
			t.Fatalf("part %s: twice %v, %v", media, twice, err)
		}
		bodies[media] = strings.ReplaceAll(string(body), "\r\n", "\n")
	}
}
