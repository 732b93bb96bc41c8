package api

import (
	"bufio"
	"fmt"
	"net/http"
	"slices"

	"ringback/callback"
)

// defaultLogLimit is how many lines of the log are listed where no number is asked for.
const defaultLogLimit = 100

func (q *request) listLog() error {
	lines, err := q.logLines(defaultLogLimit)
	if err != nil {
		return err
	}
	out := logShape{Lines: make([]logLine, len(lines))}
	for i := range lines {
		out.Lines[i] = logLineOf(&lines[i])
	}
	return q.send(http.StatusOK, out)
}

// exportLog answers a line of JSON for each line of the log that is kept.
func (q *request) exportLog() error {
	if _, ok := negotiate(q.r.Header.Values("Accept"), []media{{name: exportLines.media}}); !ok {
		return &refusal{status: http.StatusNotAcceptable, message: "Accept does not allow " + exportLines.media}
	}
	lines, err := q.logLines(callback.KeptLines)
	if err != nil {
		return err
	}
	out := http.NewResponseController(q.w)
	if err := inTime(out); err != nil {
		return err
	}
	q.w.Header().Set("Content-Type", exportLines.media)
	q.w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="log%s"`, exportLines.suffix))
	q.w.WriteHeader(http.StatusOK)
	if q.r.Method == http.MethodHead {
		return nil
	}
	w := bufio.NewWriter(q.w)
	for i := range lines {
		b, err := encodeJSON(logLineOf(&lines[i]))
		if err == nil {
			_, err = w.Write(append(b, '\n'))
		}
		if err == nil && i%exportPage == 0 { // all lines are ten megabytes at most: too much for a slow reader at once
			err = inTime(out)
		}
		if err != nil {
			panic(http.ErrAbortHandler) // the reader left; nobody is to take a part for the whole
		}
	}
	if w.Flush() != nil {
		panic(http.ErrAbortHandler)
	}
	return nil
}

// logLines returns the lines of the log that the query selects: of those behind a
// number the first ones, else the last ones; as many as it says, or most.
func (q *request) logLines(most int) ([]callback.LogLine, error) {
	query, err := readQuery(q.r)
	if err != nil {
		return nil, err
	}
	limit := query.int("limit", most, 1, callback.KeptLines, "")
	after, text := query.number("after"), query.one("q")
	if err := query.done(); err != nil {
		return nil, err
	}
	if text == "" {
		return q.svc.Log(q.ctx(), after, limit)
	}
	lines, err := q.svc.Log(q.ctx(), after, callback.KeptLines)
	lines = slices.DeleteFunc(lines, func(l callback.LogLine) bool { return !l.Matches(text) })
	n := min(limit, len(lines))
	if after == 0 {
		return lines[len(lines)-n:], err
	}
	return lines[:n], err
}
