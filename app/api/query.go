package api

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// query is the query string of a request. Parameters that are not known are
// refused: a misspelled filter must not answer, or change, what it was meant to
// leave out.
type query struct {
	binder
	values url.Values
	asked  []string // names of the parameters that were looked for
}

// defaultLimit is the length of a page where none is asked for.
const defaultLimit = 20

// maxText bounds a text in a query string, in bytes.
const maxText = 1024

func readQuery(r *http.Request) (*query, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, callback.Errorf(callback.CodeMalformed, "the query string cannot be read: a %% escape or a ; is wrong, or it has too many parameters")
	}
	return &query{values: values, asked: []string{"apikey"}}, nil
}

// one returns the value of a parameter that may be there once.
func (q *query) one(name string) string {
	q.asked = append(q.asked, name)
	v := q.values[name]
	switch {
	case len(v) > 1:
		q.fail(name, "is given %d times", len(v))
	case len(v) == 1 && len(v[0]) > maxText:
		q.fail(name, "is longer than %d bytes", maxText)
	case len(v) == 1:
		return v[0]
	}
	return ""
}

// many returns the values of a parameter that may be there several times, or
// hold several between commas.
func (q *query) many(name string) []string {
	q.asked = append(q.asked, name)
	var out []string
	for _, v := range q.values[name] {
		for s := range strings.SplitSeq(v, ",") {
			if s = strings.TrimSpace(s); s != "" {
				out = append(out, s)
			}
		}
		if len(out) > 20 {
			q.fail(name, "has more than 20 values")
			return nil
		}
	}
	return out
}

// int returns a whole number in the bounds, or def where there is none. beyond
// is added to what is said when it is greater than high.
func (q *query) int(name string, def, low, high int, beyond string) int {
	s := q.one(name)
	if s == "" {
		return def
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || strconv.FormatInt(v, 10) != s || v < int64(low) || v > int64(high) {
		q.fail(name, "must be a whole number from %d to %d%s", low, high, beyond)
		return def
	}
	return int(v)
}

// ascending reads sortOrder; def is what it is when nothing is asked for.
func (q *query) ascending(def bool) bool {
	switch s := q.one("sortOrder"); {
	case s == "":
		return def
	case strings.EqualFold(s, "asc"):
		return true
	case strings.EqualFold(s, "desc"):
		return false
	}
	q.fail("sortOrder", "must be asc or desc")
	return def
}

func (q *query) instant(name string) time.Time {
	s := q.one(name)
	if s == "" {
		return time.Time{}
	}
	// An unescaped + of a zone arrives as a space.
	t, err := time.Parse(time.RFC3339, strings.Replace(s, " ", "+", 1))
	if err != nil {
		q.fail(name, "must be an instant such as 2026-03-01T09:30:00Z (RFC 3339)")
	}
	return t
}

// attempted reads the bounds of the last attempt's time: a day in UTC, or two
// instants.
func (q *query) attempted() (from, to time.Time) {
	from, to = q.instant("from"), q.instant("to")
	if s := q.one("attemptedDate"); s != "" {
		day, err := time.Parse(time.DateOnly, s)
		if err != nil {
			q.fail("attemptedDate", "must be a day such as 2026-03-01; for instants there are from and to")
		}
		if !from.IsZero() || !to.IsZero() {
			q.fail("attemptedDate", "cannot stand beside from and to")
		}
		return day, day.AddDate(0, 0, 1)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		q.fail("to", "is not after from")
	}
	return from, to
}

var statusWords = []struct {
	word   string
	status callback.CallStatus
}{
	{"SUCCESS", callback.ListSuccess},
	{"FAILED", callback.ListFailed},
	{"PENDING", callback.ListPending},
}

func (q *query) status() (set callback.CallStatus) {
	for _, s := range q.many("status") {
		i := slices.IndexFunc(statusWords, func(w struct {
			word   string
			status callback.CallStatus
		},
		) bool {
			return strings.EqualFold(w.word, s)
		})
		if i < 0 {
			q.fail("status", "must be SUCCESS, FAILED or PENDING")
			return 0
		}
		set |= statusWords[i].status
	}
	return set
}

func (q *query) state() callback.CallState {
	s := q.one("state")
	if s == "" {
		return ""
	}
	states, ok := callback.ParseStates(s)
	if !ok {
		q.fail("state", "must be one of %s, or several with commas between", callback.CallStateWords())
	}
	return states
}

func (q *query) class() string {
	s := q.one("class")
	if _, ok := callback.ParseClass(s); !ok {
		q.fail("class", "is not the word of an error")
	}
	return s
}

// filter reads which calls are meant.
func (q *query) filter() callback.Filter {
	f := callback.Filter{
		Status:    q.status(),
		State:     q.state(),
		MessageID: q.one("messageId"),
		Code:      q.code(),
		Reason:    q.one("statusMessage"),
		Class:     q.class(),
		Text:      q.one("q"),
	}
	f.From, f.To = q.attempted()
	return f
}

// code reads the status code of a last attempt; 0 is that of one that got no
// answer.
func (q *query) code() int {
	code := q.int("statusCode", 0, 0, 999, "")
	if code == 0 && q.values.Get("statusCode") != "" {
		return callback.NoAnswer
	}
	return code
}

// calls reads the filters and the page of a list of calls.
func (q *query) calls() (callback.ListQuery, cursor) {
	c := q.cursor()
	lq := callback.ListQuery{
		Filter: q.filter(),
		After:  c.after,
		Oldest: q.ascending(false),
		Limit:  q.int("limit", defaultLimit, 1, callback.MaxPage, ""),
		Offset: q.int("offset", 0, 0, callback.MaxOffset, "; beyond that page with cursor"),
	}
	if c != (cursor{}) && lq.Offset > 0 {
		q.fail("offset", "cannot stand beside cursor")
	}
	lq.Offset += c.skip
	return lq, c
}

// done refuses what nobody looked for, and returns everything that is wrong.
func (q *query) done() error {
	for name := range q.values {
		if !slices.Contains(q.asked, name) {
			q.fail(callback.Sanitize(name, 60), "is not a known parameter")
		}
	}
	q.order()
	return q.err("the query")
}

// emptyQuery refuses every parameter but the key, for a request that takes none: a
// filter, or a dryRun, that stands in the query where it belongs in the body would
// leave the request to mean everything.
func emptyQuery(r *http.Request) error {
	query, err := readQuery(r)
	if err != nil {
		return err
	}
	what := "is not a known parameter"
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		what = "is not a parameter here: what is wanted belongs in the body"
	}
	for name := range query.values {
		if !slices.Contains(query.asked, name) {
			query.fail(callback.Sanitize(name, 60), "%s", what)
		}
	}
	query.order()
	return query.err("the query")
}

// order puts what is wrong into an order that does not depend on that of a map.
func (q *query) order() {
	slices.SortStableFunc(q.faults, func(a, b callback.FieldError) int { return strings.Compare(a.Field, b.Field) })
}

// cursor is a place in a list of calls or attempts. Its zero value is the
// beginning.
type cursor struct {
	after   callback.CallID // go on behind this call
	pos     int             // how many rows stood before
	skip    int             // how many of an offset are still to be passed
	attempt int             // in a list of attempts: the number of the last one looked at
	at      int64           // and when it began, in Unix milliseconds
}

// String returns the cursor as it is sent.
func (c cursor) String() string {
	return fmt.Sprintf("%s-%d-%d-%d-%d", c.after, c.pos, c.skip, c.attempt, c.at)
}

// parseCursor reads what String wrote; the id of a call alone is one as well.
func parseCursor(s string) (cursor, bool) {
	parts := strings.Split(s, "-")
	id, err := callback.ParseCallID(parts[0])
	if err != nil || id == 0 || len(parts) != 1 && len(parts) != 5 {
		return cursor{}, false
	}
	var n [4]int64
	for i, part := range parts[1:] {
		v, err := strconv.ParseUint(part, 10, 48)
		if err != nil {
			return cursor{}, false
		}
		n[i] = int64(v)
	}
	c := cursor{after: id, pos: int(n[0]), skip: int(n[1]), attempt: int(n[2]), at: n[3]}
	return c, c.skip <= callback.MaxOffset && n[2] <= math.MaxUint32
}

// key returns the place in a list of attempts.
func (c cursor) key() callback.AttemptKey {
	if c.after == 0 {
		return callback.AttemptKey{}
	}
	return callback.AttemptKey{At: time.UnixMilli(c.at).UTC(), ID: c.after, Number: c.attempt}
}

func (q *query) cursor() cursor {
	s := q.one("cursor")
	if s == "" {
		return cursor{}
	}
	c, ok := parseCursor(s)
	if !ok {
		q.fail("cursor", "is not one that was given out")
	}
	return c
}
