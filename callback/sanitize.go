package callback

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Sanitize returns s as one line that is safe to print in a terminal, a log
// line or a mail header: C0 and C1 controls, DEL, line and paragraph
// separators and bidirectional controls are dropped (a run of line breaks or tabs becomes one
// space), bytes that are not UTF-8 become U+FFFD, and what goes beyond max
// bytes is cut at a rune boundary. An already clean s comes back unchanged
// without a copy.
func Sanitize(s string, max int) string {
	if clean(s) {
		if len(s) <= max {
			return s
		}
		return cut(s, max)
	}
	var b strings.Builder
	b.Grow(min(len(s), max))
	space := false
	for _, r := range s {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			space = true
			continue
		case hostile(r):
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		if b.Len()+utf8.RuneLen(r) > max {
			break
		}
		b.WriteRune(r)
	}
	return cut(b.String(), max)
}

func clean(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				return false
			}
		}
		if hostile(r) {
			return false
		}
	}
	return true
}

// hostile tells the runes that steer a terminal or reorder a line. Zero-width
// joiners and variation selectors stay: scripts and emoji need them.
func hostile(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7f:
		return false // nearly all
	case r < 0x20, r >= 0x7f && r <= 0x9f:
		return true
	case r == '\u2028', r == '\u2029', r == '\u061c', r == '\u200e', r == '\u200f', r == '\ufeff':
		return true
	case r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u206f':
		return true
	case r >= 0xe0000 && r <= 0xe007f: // tags: invisible text
		return true
	}
	return unicode.Is(unicode.Cs, r)
}

func cut(s string, max int) string {
	if len(s) <= max {
		return s
	}
	for max > 0 && !utf8.RuneStart(s[max]) {
		max--
	}
	return s[:max]
}
