package api

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"ringback/callback"
)

// Bounds of an export. Memory is bounded by one page.
const (
	exportPage = 100         // calls read at once
	exportTime = time.Minute // for a reader to take what one page is
)

// exported is one form of an export.
type exported struct {
	media  string
	suffix string // of the file's name
	all    bool   // rows have all their attempts
	// rows returns what writes one call after the other to w.
	rows func(q *request, w *bufio.Writer) (func(*callback.CallView) error, error)
	bom  bool // it may be asked for with a byte order mark
}

var (
	exportLines = exported{media: "application/x-ndjson", suffix: ".ndjson", all: true, rows: (*request).lineRows}
	exportCells = exported{media: "text/csv", suffix: ".csv", rows: (*request).cellRows, bom: true}
)

func (q *request) exportNDJSON() error { return q.export(&exportLines) }
func (q *request) exportCSV() error    { return q.export(&exportCells) }

// export streams the calls that the query selects, all there were when it began
// and are still kept. Before the first byte faults are answered as ever; after
// it the connection is broken off, so that nobody takes a part for the whole.
func (q *request) export(form *exported) error {
	if _, ok := negotiate(q.r.Header.Values("Accept"), []media{{name: form.media}}); !ok {
		return &refusal{status: http.StatusNotAcceptable, message: "Accept does not allow " + form.media}
	}
	e := exporter{request: q, form: form, out: http.NewResponseController(q.w)}
	mark, err := e.read()
	if err != nil {
		return err
	}
	page, err := q.svc.Calls(q.ctx(), e.want)
	if err != nil {
		return err
	}
	head := q.w.Header()
	head.Set("Content-Type", form.media)
	if form.media == exportCells.media {
		head.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	}
	head.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, e.name))
	if err := e.inTime(); err != nil {
		return err
	}
	q.w.WriteHeader(http.StatusOK)
	if q.r.Method == http.MethodHead {
		return nil
	}
	if err := e.run(mark, page); err != nil {
		if q.ctx().Err() == nil {
			q.log.Error("api: an export was broken off", "error", err)
		}
		panic(http.ErrAbortHandler) // the one way to let a client see that something is missing
	}
	return nil
}

// exporter is one export on its way.
type exporter struct {
	*request
	form   *exported
	out    *http.ResponseController
	want   callback.ListQuery
	newest callback.CallID // of the calls there were when it began
	name   string          // of the file
}

// read reads the query, and settles what there is to export. mark: it begins
// with a byte order mark.
func (e *exporter) read() (mark bool, err error) {
	query, err := readQuery(e.r)
	if err != nil {
		return false, err
	}
	e.want = callback.ListQuery{Ref: e.ref(), Filter: query.filter(), Oldest: query.ascending(false), Limit: exportPage}
	if e.form.bom {
		mark = query.yes("bom")
	}
	if err := query.done(); err != nil {
		return false, err
	}
	e.name = "calls" + e.form.suffix
	if e.want.Ref != "" {
		h, err := e.svc.Callback(e.ctx(), e.want.Ref)
		if err != nil {
			return false, err
		}
		e.want.Ref, e.name = h.ID.String(), "calls-"+h.ID.String()+e.form.suffix
	}
	every := callback.Filter{Status: callback.ListSuccess | callback.ListFailed | callback.ListPending}
	last, err := e.svc.Calls(e.ctx(), callback.ListQuery{Ref: e.want.Ref, Filter: every, Limit: 1})
	if err == nil && len(last.Calls) > 0 {
		e.newest = last.Calls[0].ID
	}
	return mark, err
}

// yes reads a parameter that is true or false; it is false where it is not given.
func (q *query) yes(name string) bool {
	switch s := q.one(name); {
	case strings.EqualFold(s, "true"):
		return true
	case s != "" && !strings.EqualFold(s, "false"):
		q.fail(name, "must be true or false")
	}
	return false
}

// inTime gives the reader the time for one more page.
func (e *exporter) inTime() error { return inTime(e.out) }

func inTime(out *http.ResponseController) error {
	err := out.SetWriteDeadline(time.Now().Add(exportTime))
	if errors.Is(err, http.ErrNotSupported) { // nobody waits for a reader in this process
		return nil
	}
	return err
}

// run writes page, and all that come behind it.
func (e *exporter) run(mark bool, page callback.CallList) error {
	w := bufio.NewWriterSize(e.w, 64<<10)
	if mark {
		_, _ = w.WriteString("\ufeff") // Flush tells
	}
	row, err := e.form.rows(e.request, w)
	if err != nil {
		return err
	}
	for {
		for i := range page.Calls {
			c := &page.Calls[i]
			if c.ID > e.newest {
				continue // came since it began
			}
			if e.form.all && c.Entry.Attempts > 0 && !c.Damaged {
				if err := e.complete(c); err != nil {
					return err
				}
			}
			if err := row(c); err != nil {
				return err
			}
		}
		if err := w.Flush(); err != nil {
			return err
		}
		if !page.More || page.Next == 0 || e.want.Oldest && page.Next >= e.newest {
			return nil
		}
		select {
		case <-e.stop:
			return errors.New("the server is shutting down")
		default:
		}
		if !e.still() {
			return errGone
		}
		e.want.After = page.Next
		if page, err = e.svc.Calls(e.ctx(), e.want); err == nil && page.More && page.Next == e.want.After {
			err = errors.New("the list does not go on")
		}
		if err != nil {
			return err
		}
		if err := e.inTime(); err != nil {
			return err
		}
	}
}

// lineRows writes each call as a line of JSON, as a list has it.
func (q *request) lineRows(w *bufio.Writer) (func(*callback.CallView) error, error) {
	return func(c *callback.CallView) error {
		b, err := encodeJSON(q.callOf(c))
		if err != nil {
			return err
		}
		_, err = w.Write(append(b, '\n'))
		return err
	}, nil
}
