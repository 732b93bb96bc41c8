package tui

import (
	"fmt"
	"strings"
	"unicode"

	"ringback/callback"
)

// filter is what selects the calls of a list: what the service is asked for,
// and what of its answer is left out.
type filter struct {
	query callback.ListQuery
	keep  func(*callback.CallView) bool // nil: all
	words []string                      // how the terms read
}

// filterError says what is wrong with a filter as it was typed, and which n
// characters from at on are at fault.
type filterError struct {
	at, n int
	says  string
}

func (e *filterError) Error() string { return fmt.Sprintf("character %d: %s", e.at+1, e.says) }

const allCalls = callback.ListSuccess | callback.ListFailed | callback.ListPending

// statusTerm is what a word after status: selects.
type statusTerm struct {
	word   string
	status callback.CallStatus
	state  callback.CallState
	open   bool
}

// statusTerms are the words after status:.
var statusTerms = []statusTerm{
	{word: "all", status: allCalls},
	{word: "failed", status: callback.ListFailed},
	{word: "pending", status: callback.ListPending},
	{word: "success", status: callback.ListSuccess},
	{word: "open", status: callback.ListFailed | callback.ListPending, open: true},
	{word: "gaveup", status: callback.ListFailed, state: callback.StateGaveUp},
	{word: "resolved", status: callback.ListSuccess, state: callback.StateResolved},
	{word: "held", status: allCalls, state: callback.StateHeld},
	{word: "retrying", status: allCalls, state: callback.StateRetrying},
}

// term is one word of a filter; at and n are where it stands, in characters.
type term struct {
	text   string
	at, n  int
	quoted bool
}

// terms splits a filter at blanks; quotes keep words together.
func terms(s string) ([]term, *filterError) {
	var out []term
	r := []rune(s)
	for i := 0; i < len(r); {
		if unicode.IsSpace(r[i]) {
			i++
			continue
		}
		from := i
		if r[i] == '"' {
			for i++; i < len(r) && r[i] != '"'; i++ {
			}
			if i == len(r) {
				return nil, &filterError{from, i - from, "a quote is not closed"}
			}
			i++
			out = append(out, term{string(r[from+1 : i-1]), from, i - from, true})
			continue
		}
		for i < len(r) && !unicode.IsSpace(r[i]) {
			i++
		}
		out = append(out, term{string(r[from:i]), from, i - from, false})
	}
	return out, nil
}

// parseFilter reads status:, cb: and code: terms; everything else is looked
// for in names, numbers, addresses and contents. known tells whether a
// callback has that name.
func parseFilter(s string, known func(string) bool) (filter, *filterError) {
	f := filter{query: callback.ListQuery{Filter: callback.Filter{Status: allCalls}}}
	list, fault := terms(s)
	if fault != nil {
		return f, fault
	}
	var text []string
	seen := map[string]bool{}
	for _, t := range list {
		name, value, ok := strings.Cut(t.text, ":")
		if t.quoted || !ok || !letters(name) {
			text = append(text, t.text)
			continue
		}
		at := t.at + len(name) + 1 // letters are one byte each
		n := t.at + t.n - at
		if seen[name] {
			return f, &filterError{t.at, t.n, name + ": stands twice"}
		}
		seen[name] = true
		var says string
		switch name {
		case "status":
			says = f.status(value)
		case "cb":
			f.query.Ref = value
			if !known(value) {
				says = "no callback has this name"
			}
		case "code":
			says = f.code(value)
		default:
			return f, &filterError{t.at, len(name) + 1, "only status: cb: code: (quote it to look for it)"}
		}
		if says != "" {
			return f, &filterError{at, max(n, 1), says}
		}
		f.words = append(f.words, t.text)
	}
	f.query.Text = strings.Join(text, " ")
	if f.query.Text != "" {
		f.words = append(f.words, `"`+f.query.Text+`"`)
	}
	return f, nil
}

// letters reports whether s is lower-case letters only: what may be a key.
func letters(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < 'a' || r > 'z' }) < 0
}

// status takes the word after status:, and says what is wrong with it.
func (f *filter) status(word string) string {
	var words []string
	for _, t := range statusTerms {
		if t.word == word {
			f.set(t)
			return ""
		}
		words = append(words, t.word)
	}
	return "one of " + strings.Join(words, " ")
}

// set selects by status.
func (f *filter) set(t statusTerm) {
	f.query.Status, f.query.State, f.keep = t.status, t.state, nil
	if t.open {
		f.keep = func(v *callback.CallView) bool { return v.Entry.Status == callback.Ready }
	}
}

// code takes the word after code:, and says what is wrong with it.
func (f *filter) code(word string) string {
	n := 0
	for _, r := range word {
		if r < '0' || r > '9' {
			n = -1
			break
		}
		n = n*10 + int(r-'0')
		if n > 999 {
			break
		}
	}
	switch {
	case n >= 100 && n <= 999:
		f.query.Code = n
		return ""
	case n >= 0:
		return "3 digits, or a word such as refused"
	}
	c, ok := callback.ParseClass(strings.ReplaceAll(word, "-", " "))
	if !ok || c == callback.ClassOK {
		return "3 digits, or dns refused unreachable reset tls connect-timeout answer-timeout"
	}
	f.query.Class = c.String()
	return ""
}
