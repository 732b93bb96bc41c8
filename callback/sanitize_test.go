package callback

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"", 10, ""},
		{"plain", 10, "plain"},
		{"plain", 5, "plain"},
		{"plain", 4, "plai"},
		{"plain", 0, ""},
		{"héllo", 2, "h"},
		{"héllo", 3, "hé"},
		{"日本語", 5, "日"},
		{"a\tb", 9, "a b"},
		{"a\r\n\t\nb", 9, "a b"},
		{"\r\na\r\n", 9, "a"},
		{"a\u2028b\u2029c\u0085d", 20, "a b c d"},
		{"\x1b[31mred\x1b[0m", 20, "[31mred[0m"},
		{"\x1b]0;title\a", 20, "]0;title"},
		{"a\u009b31mb", 20, "a31mb"},
		{"nul\x00del\x7f", 20, "nuldel"},
		{"a\xffb", 20, "a\ufffdb"},
		{"\xc3\x28", 20, "\ufffd("},
		{"a\ufffdb", 20, "a\ufffdb"},
		{"\u202egnp.exe", 20, "gnp.exe"},
		{"a\u2066b\u2069c\u200ed\u200fe\u061cf", 20, "abcdef"},
		{"\ufeffbom", 20, "bom"},
		{"tag\U000e0041\U000e007f", 20, "tag"},
		{"👩\u200d💻", 20, "👩\u200d💻"},
		{"❤\ufe0f", 20, "❤\ufe0f"},
		{"\nab", 2, "ab"},
		{"a\nb", 2, "a "},
		{"a\nb", 1, "a"},
		{"\xff\xff", 4, "\ufffd"},
		{"line one\nline two", 1000, "line one line two"},
	} {
		if got := Sanitize(c.in, c.max); got != c.want {
			t.Errorf("Sanitize(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
}

// TestSanitizeClean counts allocations, so it runs alone.
func TestSanitizeClean(t *testing.T) {
	clean := strings.Repeat("clean ", 100)
	if n := testing.AllocsPerRun(10, func() { Sanitize(clean, 10_000); Sanitize(clean, 30) }); n != 0 {
		t.Errorf("a clean text costs %v allocations", n)
	}
}

func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nb", "\x1b[31m", "\u009b", "\xff\xfe", "\u202e", "👩\u200d💻", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc2"} {
		f.Add(s, 8)
		f.Add(s, 1000)
	}
	f.Fuzz(func(t *testing.T, s string, max int) {
		if max < 0 || max > 1<<16 {
			return
		}
		got := Sanitize(s, max)
		if len(got) > max || !utf8.ValidString(got) {
			t.Fatalf("Sanitize(%q, %d) = %q", s, max, got)
		}
		for _, r := range got {
			if r < 0x20 || r >= 0x7f && r <= 0x9f || r == '\u2028' || r == '\u2029' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' {
				t.Fatalf("Sanitize(%q, %d) = %q, which has %U", s, max, got, r)
			}
		}
		if again := Sanitize(got, max); again != got {
			t.Fatalf("Sanitize(%q, %d) = %q, and then %q", s, max, got, again)
		}
	})
}
