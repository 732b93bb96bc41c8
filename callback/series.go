package callback

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SeriesQuery asks how attempts went over time.
type SeriesQuery struct {
	Ref    string        // callback; "": of all together
	Window time.Duration // one of SeriesWindows
	Cells  int           // into how many parts it is cut: 1 to MaxCells, no more than it has minutes
	End    time.Time     // of the window, which is rounded up to a full minute; zero: now
}

// MaxCells bounds into how many parts a window is cut.
const MaxCells = 600

// SeriesWindow is how far back a series may reach, with the word for it.
type SeriesWindow struct {
	Word string
	Span time.Duration
}

// SeriesWindows are all that there are, the shortest first.
var SeriesWindows = []SeriesWindow{
	{"1h", time.Hour}, {"6h", 6 * time.Hour}, {"24h", 24 * time.Hour}, {"7d", 7 * 24 * time.Hour}, {"30d", 30 * 24 * time.Hour},
}

// WindowWord returns the word of a window, or how long it is.
func WindowWord(window time.Duration) string {
	for _, w := range SeriesWindows {
		if w.Span == window {
			return w.Word
		}
	}
	return window.String()
}

// ParseWindow returns the window of a word.
func ParseWindow(word string) (time.Duration, bool) {
	for _, w := range SeriesWindows {
		if w.Word == word {
			return w.Span, true
		}
	}
	return 0, false
}

// Validate names what of q cannot be answered.
func (q *SeriesQuery) Validate() error {
	var faults []FieldError
	if err := ValidateWindow(q.Window); err != nil {
		faults = err.Fields
	}
	if most := min(MaxCells, int(q.Window/time.Minute)); len(faults) == 0 && (q.Cells < 1 || q.Cells > most) {
		faults = append(faults, FieldError{Field: "cells", Message: "must be 1 to " + strconv.Itoa(most) + " for this window: a cell has a minute at least"})
	}
	if len(faults) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: "that series cannot be told", Fields: faults}
}

// ValidateWindow returns nil where window is one of SeriesWindows.
func ValidateWindow(window time.Duration) *Error {
	if slices.ContainsFunc(SeriesWindows, func(w SeriesWindow) bool { return w.Span == window }) {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: "there is no such window", Fields: []FieldError{{Field: "window", Message: "must be one of " + windowWords()}}}
}

func windowWords() string {
	var words []string
	for _, w := range SeriesWindows {
		words = append(words, w.Word)
	}
	return strings.Join(words, ", ")
}

// Bounds returns the window of q, on full minutes.
func (q *SeriesQuery) Bounds(now time.Time) (from, to time.Time) {
	to = q.End
	if to.IsZero() {
		to = now
	}
	if full := to.Truncate(time.Minute); full.Before(to) {
		to = full.Add(time.Minute)
	}
	to = to.UTC()
	return to.Add(-q.Window), to
}

// Series is how attempts went from one time to another.
type Series struct {
	From, To time.Time    // on full minutes; To is not within
	Cells    []SeriesCell // oldest first, all of the same length
}

// SeriesCell is one part of a Series. Where OK and Failed are 0 there were no
// calls: that is no success.
type SeriesCell struct {
	OK, Failed uint64        // attempts that ended
	Accepted   uint64        // responses
	Waiting    uint64        // calls, at the end of that minute of the cell at which most did
	P50, P95   time.Duration // of answers, rounded up by at most a quarter; 0: there were none
}

// Failure is one way in which attempts failed, and how often they did.
type Failure struct {
	Class       Class
	Code        int // HTTP status; 0: there was no answer, or it is one of MaxFailures others
	Count       uint64
	First, Last time.Time // when the first and the last of them ended
}

// MaxFailures is how many of them are told apart within one hour of a callback.
const MaxFailures = 32

// Failures says why attempts failed.
type Failures struct {
	From, To time.Time // From is on a full hour
	Causes   []Failure // most frequent first
}

// CountFailure adds a failed attempt that ended at the given time to causes.
func CountFailure(causes []Failure, a *Attempt, at time.Time) []Failure {
	c := Failure{Class: a.Class, Code: a.Code, Count: 1, First: at, Last: at}
	if len(causes) >= MaxFailures-int(numClasses) && !slices.ContainsFunc(causes, c.same) {
		c.Code = 0 // there is always room for one of each class
	}
	return addFailure(causes, &c)
}

func (c *Failure) same(o Failure) bool { return o.Class == c.Class && o.Code == c.Code }

func addFailure(causes []Failure, c *Failure) []Failure {
	i := slices.IndexFunc(causes, c.same)
	if i < 0 {
		return append(causes, *c)
	}
	have := &causes[i]
	have.Count += c.Count
	if c.First.Before(have.First) {
		have.First = c.First
	}
	if c.Last.After(have.Last) {
		have.Last = c.Last
	}
	return causes
}

// SumFailures adds what was counted in several hours, most frequent first.
func SumFailures(hours ...[]Failure) (sum []Failure) {
	for _, hour := range hours {
		for i := range hour {
			sum = addFailure(sum, &hour[i])
		}
	}
	slices.SortFunc(sum, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class), cmp.Compare(a.Code, b.Code))
	})
	return sum
}
