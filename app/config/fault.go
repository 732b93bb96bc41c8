package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fault is one thing wrong with a configuration. It never holds a secret:
// values that may carry one are left out of Problem.
type Fault struct {
	File      string // the file at fault, or empty
	Line, Col int    // where in File, from 1; 0 when the whole file is meant
	Env       string // the environment variable at fault, or empty
	Key       string // "section.key", or empty when the text could not be read so far
	Problem   string // what is wrong
	Want      string // what is expected, or empty
}

// String returns one line: place, key, what is wrong; what is expected. A fault
// of a value that nobody set has no place.
func (f Fault) String() string {
	var b strings.Builder
	switch {
	case f.Env != "":
		b.WriteString(f.Env + ": ")
	case f.File != "" && f.Line > 0:
		b.WriteString(f.File + ":" + strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Col) + ": ")
	case f.File != "":
		b.WriteString(f.File + ": ")
	}
	if f.Key != "" {
		b.WriteString(f.Key + ": ")
	}
	b.WriteString(f.Problem)
	if f.Want != "" {
		b.WriteString("; expected " + f.Want)
	}
	return b.String()
}

// Error is every fault of a configuration, those of the file first and in its
// order. A command line that meets one ends with exit code 2: wrong usage.
type Error struct {
	Faults []Fault
}

// Error returns one line for each fault.
func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// failure returns faults as an error in reading order, or nil for none.
func failure(faults []Fault) error {
	if len(faults) == 0 {
		return nil
	}
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(
			cmp.Compare(a.Env, b.Env),
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Col, b.Col),
		)
	})
	return &Error{Faults: faults}
}

// quoteMax bounds how much of a value is repeated in a fault, in bytes.
const quoteMax = 64

// quote returns s in quotes on one line, every character that is not plainly
// visible escaped, and cut when it is long.
func quote(s string) string {
	if len(s) <= quoteMax {
		return strconv.Quote(s)
	}
	n := quoteMax
	for n > quoteMax-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return strconv.Quote(s[:n]) + "…"
}

// visible returns s with every character that is not plainly visible replaced.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, s)
}
