package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// language is what the filter of one kind of list is written in: terms with a
// key, all of which must hold; of one key, one of those that stand there. What
// has no key is looked for as text.
type language struct {
	keys []filterKey
}

// filterKey is a key of a language, with what Tab offers after it.
type filterKey struct {
	name  string
	once  bool // it may not stand twice
	offer func(d *desk) []string
}

// filterError says what is wrong with a filter as it was typed, and which n
// characters from at on are at fault.
type filterError struct {
	at, n int
	says  string
}

func (e *filterError) Error() string { return fmt.Sprintf("character %d: %s", e.at+1, e.says) }

// term is one word of a filter; at and n are where it stands, in characters.
type term struct {
	text   string // without quotes
	raw    string
	at, n  int
	quoted bool // from its beginning on: it has no key
}

// terms splits a filter at blanks; quotes, at the beginning or after a key,
// keep words together.
func terms(s string) ([]term, *filterError) {
	var out []term
	r := []rune(s)
	for i := 0; i < len(r); {
		if unicode.IsSpace(r[i]) {
			i++
			continue
		}
		t := term{at: i, quoted: r[i] == '"'}
		var text strings.Builder
		for i < len(r) && !unicode.IsSpace(r[i]) {
			if r[i] != '"' || i > t.at && r[i-1] != ':' {
				text.WriteRune(r[i])
				i++
				continue
			}
			end := slices.Index(r[i+1:], '"')
			if end < 0 {
				return nil, &filterError{i, len(r) - i, "a quote is not closed"}
			}
			text.WriteString(string(r[i+1 : i+1+end]))
			if i += end + 2; t.quoted {
				break // what follows is a term of its own
			}
		}
		t.text, t.raw, t.n = text.String(), string(r[t.at:i]), i-t.at
		out = append(out, t)
	}
	return out, nil
}

// clause is a term with a key; its value stands from from on.
type clause struct {
	term
	key, value string
	from       int
}

// wrong says what is wrong with the value.
func (c *clause) wrong(says string) *filterError {
	return &filterError{c.from, max(c.at+c.n-c.from, 1), c.key + ": " + says}
}

// split reads a filter: its clauses by key, in the order in which the keys first
// stand there, and what is looked for as text.
func (g *language) split(s string) (all [][]clause, text string, fault *filterError) {
	list, fault := terms(s)
	if fault != nil {
		return nil, "", fault
	}
	var free []string
	for _, t := range list {
		key, value, ok := strings.Cut(t.text, ":")
		if t.quoted || !ok || !letters(key) {
			free = append(free, t.text)
			continue
		}
		k := g.key(key)
		if k == nil {
			return nil, "", &filterError{t.at, len(key) + 1, "no such key; Tab shows them, quotes look for it"}
		}
		c := clause{t, key, value, t.at + len(key) + 1} // letters are one byte each
		at := slices.IndexFunc(all, func(cs []clause) bool { return cs[0].key == key })
		switch {
		case at < 0:
			all = append(all, []clause{c})
		case k.once:
			return nil, "", &filterError{t.at, t.n, key + ": stands twice"}
		default:
			all[at] = append(all[at], c)
		}
	}
	return all, strings.Join(free, " "), nil
}

func (g *language) key(name string) *filterKey {
	for i := range g.keys {
		if g.keys[i].name == name {
			return &g.keys[i]
		}
	}
	return nil
}

// letters reports whether s is lower-case letters only: what may be a key.
func letters(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// test is a condition on a row of a list.
type test[R any] func(*R) bool

// anyOf holds where one of tests does.
func anyOf[R any](tests []test[R]) test[R] {
	if len(tests) == 1 {
		return tests[0]
	}
	return func(r *R) bool { return slices.ContainsFunc(tests, func(t test[R]) bool { return t(r) }) }
}

// allOf holds where all of tests do.
func allOf[R any](tests []test[R]) test[R] {
	return func(r *R) bool { return !slices.ContainsFunc(tests, func(t test[R]) bool { return !t(r) }) }
}

// wordsOf returns the terms of a filter as its list shows them.
func wordsOf(all [][]clause, text string) (out []string) {
	for _, cs := range all {
		for _, c := range cs {
			out = append(out, c.raw)
		}
	}
	if text != "" {
		out = append(out, `"`+text+`"`)
	}
	return out
}

// testOf reads a filter of a list whose rows this screen selects itself: nil lets
// all through. at is the time that since: and until: are of, text what words
// without a key are looked for in, and one the condition of a clause; nil: it is
// read elsewhere.
func testOf[R any](d *desk, g *language, s string, at func(*R) time.Time, text func(*R) string, one func(*clause) (test[R], *filterError)) (test[R], *filterError) {
	all, words, fault := g.split(s)
	if fault != nil {
		return nil, fault
	}
	since, until, fault := d.between(all)
	if fault != nil {
		return nil, fault
	}
	tests := []test[R]{func(r *R) bool { return within(at(r), since, until) }}
	if words != "" {
		words = strings.ToLower(words)
		tests = append(tests, func(r *R) bool { return strings.Contains(strings.ToLower(text(r)), words) })
	}
	for _, cs := range all {
		var some []test[R]
		for i := range cs {
			t, fault := one(&cs[i])
			if fault != nil {
				return nil, fault
			}
			if t != nil {
				some = append(some, t)
			}
		}
		if some != nil {
			tests = append(tests, anyOf(some))
		}
	}
	if len(all) == 0 && words == "" {
		return nil, nil
	}
	return allOf(tests), nil
}
