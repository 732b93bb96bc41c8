package post

import (
	"bytes"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// strip returns s without its HTML: tags go, character references are decoded,
// blocks and line breaks become line ends, scripts and styles vanish, and white
// space is tidied as a browser would. A text without markup comes back byte for
// byte. It takes for markup only what looks like it, so that "1 < 2",
// "Fred <fred@example.com>" and "a&copy=1" stay.
func strip(s string) string {
	if !strings.ContainsAny(s, "<&") {
		return s
	}
	st := stripper{z: html.NewTokenizer(strings.NewReader(s))}
	read := 0
	for {
		tt := st.z.Next()
		raw := string(st.z.Raw())
		if tt == html.ErrorToken {
			break
		}
		read += len(raw)
		st.token(tt, raw)
	}
	st.text(s[min(read, len(s)):]) // a tag that was begun and has no end is no tag
	if !st.markup {
		return s
	}
	return st.out.finish()
}

type stripper struct {
	z      *html.Tokenizer
	out    tidier
	markup bool
	hidden atom.Atom // script or style, while inside
}

func (st *stripper) token(tt html.TokenType, raw string) {
	switch tt {
	case html.TextToken:
		st.text(raw)
	case html.CommentToken, html.DoctypeToken:
		if !comment(raw) {
			st.text(raw)
			return
		}
		st.markup = true
	default:
		name, _ := st.z.TagName()
		if !tagName(name) {
			st.text(raw)
			return
		}
		st.markup = true
		st.tag(tt, atom.Lookup(name))
	}
}

func (st *stripper) text(raw string) {
	if st.hidden != 0 {
		return
	}
	text, decoded := decode(raw)
	st.markup = st.markup || decoded
	st.out.write(text)
}

func (st *stripper) tag(tt html.TokenType, a atom.Atom) {
	switch a {
	case atom.Script, atom.Style:
		st.hidden = 0
		if tt != html.EndTagToken {
			st.hidden = a
			return
		}
	case atom.Br:
		st.out.line()
	case atom.P, atom.Div, atom.Li, atom.Ul, atom.Ol, atom.Tr, atom.Table, atom.Blockquote, atom.Pre, atom.Hr,
		atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Section, atom.Article, atom.Header, atom.Footer, atom.Title:
		st.out.block()
	case atom.Td, atom.Th:
		st.out.write(" ")
	}
	st.z.NextIsNotRawText() // in a title or a noscript there may be markup too
}

// comment reports whether raw, which HTML calls a comment, was meant as one or
// as a declaration; "</3" was not.
func comment(raw string) bool {
	if strings.HasPrefix(raw, "<!--") {
		return strings.HasSuffix(raw, "-->")
	}
	if len(raw) < 3 || !strings.HasSuffix(raw, ">") {
		return false
	}
	return raw[1] == '!' || raw[1] == '?' || raw == "</>"
}

// tagName reports whether name could be an element's: the beginning of an
// address or URL in angle brackets is not.
func tagName(name []byte) bool {
	return !bytes.HasSuffix(name, []byte(":")) && len(bytes.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789:-_")) == 0
}

// decode replaces the character references that end in a semicolon. HTML knows
// some without, which in plain text are parts of URLs more often than not.
func decode(s string) (text string, decoded bool) {
	var b strings.Builder
	for {
		amp := strings.IndexByte(s, '&')
		if amp < 0 {
			break
		}
		b.WriteString(s[:amp])
		s = s[amp:]
		end := strings.IndexByte(s[:min(len(s), 40)], ';') // the longest name has 33 bytes
		if next := strings.IndexByte(s[1:], '&') + 1; end < 0 || next > 0 && next < end {
			b.WriteByte('&')
			s = s[1:]
			continue
		}
		ref := s[:end+1]
		char := html.UnescapeString(ref)
		if char != ref && (ref == "&semi;" || !strings.HasSuffix(char, ";")) {
			decoded = true
			ref = char
		}
		b.WriteString(ref)
		s = s[end+1:]
	}
	b.WriteString(s)
	return b.String(), decoded
}

// tidier gathers text: runs of white space become one space, none stands at
// the beginning or end of a line, and there is at most one empty line.
type tidier struct {
	b     strings.Builder
	space bool
	lines int // line ends that are owed
}

func (t *tidier) write(s string) {
	for _, r := range s {
		switch r {
		case ' ', '\t', '\n', '\r', '\f', '\u00a0':
			t.space = true
			continue
		}
		if t.b.Len() > 0 {
			if t.lines > 0 {
				t.b.WriteString("\n\n"[:min(t.lines, 2)])
			} else if t.space {
				t.b.WriteByte(' ')
			}
		}
		t.space, t.lines = false, 0
		t.b.WriteRune(r)
	}
}

// line owes one more line end, block at least one.
func (t *tidier) line() { t.lines++ }

func (t *tidier) block() { t.lines = max(t.lines, 1) }

func (t *tidier) finish() string { return t.b.String() }
