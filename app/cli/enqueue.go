package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) enqueueCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "enqueue FILE…", Short: "Enqueue the responses of files, - for standard input", Args: cobra.MinimumNArgs(1),
		Long: "enqueue reads responses as one JSON object, an array of them, or one on each line (NDJSON); each names its\n" +
			"callback in callbackId, by name or id. They go to the running appliance as they are read or, when nothing\n" +
			"runs, straight into the data folder. What is refused is told with its line, and the exit code is 1.\n" +
			"Responses that carry an id can be enqueued again without being delivered twice.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if i := slices.Index(args, "-"); i >= 0 && slices.Contains(args[i+1:], "-") {
				return usagef("- stands for standard input, which can be read once")
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error { return c.enqueue(cmd.Context(), d, args) })
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// enqueue enqueues the items of files and tells what came of it.
func (c *console) enqueue(ctx context.Context, d *desk, files []string) error {
	e := &enqueuer{desk: d, tally: tally{Errors: []refusal{}}}
	if !c.json {
		e.refused = func(r refusal) error { _, err := fmt.Fprintln(c.err, r); return err }
	}
	var err error
	for _, name := range files {
		if err = e.file(ctx, c.in, name); err != nil {
			e.tally.Errors = append(e.tally.Errors, refusal{File: text(name, 200), Error: text(explain(err), maxMessage)})
			break
		}
	}
	if perr := c.printTally(&e.tally); perr != nil || err != nil {
		return errors.Join(err, perr)
	}
	if e.tally.Refused > 0 {
		return told{exitFailed}
	}
	return nil
}

func (c *console) printTally(t *tally) error {
	if c.json {
		return c.printShape(t)
	}
	line := fmt.Sprintf("%d accepted of %s", t.Accepted, plural(t.Read, "response"))
	for _, part := range []struct {
		n    int
		what string
	}{{t.Repeated, "were enqueued before"}, {t.Skipped, "skipped, their kind is disabled"}, {t.Refused, "refused"}} {
		if part.n > 0 {
			line += fmt.Sprintf(", %d %s", part.n, part.what)
		}
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

// tally counts what became of items.
type tally struct {
	Read     int       `json:"read"`
	Accepted int       `json:"accepted"`
	Repeated int       `json:"repeated"`
	Skipped  int       `json:"skipped"`
	Refused  int       `json:"refused"`
	Errors   []refusal `json:"errors"` // of the first maxRefusals that were refused, and what ended it
}

// maxRefusals bounds how many refusals a tally keeps.
const maxRefusals = 1000

// refusal is an item that was not stored. Its text is safe to print.
type refusal struct {
	File  string `json:"file"`
	Line  int    `json:"line,omitempty"` // 0: the file as a whole
	Error string `json:"error"`
}

// String returns one line.
func (r refusal) String() string { return fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Error) }

// enqueuer streams items to an appliance.
type enqueuer struct {
	desk    *desk
	tally   tally
	refused func(refusal) error // told of each item that was not stored; nil: nobody

	name string // of the file that is read
}

// file sends the items of one file. It returns early when nothing more can be
// stored; what was stored before stays.
func (e *enqueuer) file(ctx context.Context, stdin io.Reader, name string) error {
	in := stdin
	e.name = "standard input"
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("read responses: %w", err)
		}
		defer func() { _ = f.Close() }() // only read
		in, e.name = f, text(name, 200)
	}
	return e.all(ctx, in)
}

// all streams the items and tells what became of each, in their order.
func (e *enqueuer) all(ctx context.Context, in io.Reader) error {
	f := newFeed(in)
	defer f.stop()
	res, err := e.desk.stream(ctx, "/responses", f)
	if err != nil {
		return err
	}
	defer res.Body.Close() // nothing is written
	if res.StatusCode != http.StatusAccepted {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what could be read explains the status
		return fault(res.StatusCode, body)
	}
	lines := linesOf(res.Body)
	defer func() {
		_ = res.Body.Close() // nothing is written
		for range lines {    // it ends now
		}
	}()
	return e.follow(f, lines)
}

// linesOf returns the lines of an answer. The channel is closed at its end.
func linesOf(body io.Reader) <-chan []byte {
	out := make(chan []byte, 256)
	go func() {
		defer close(out)
		lines := bufio.NewScanner(body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			out <- bytes.Clone(lines.Bytes())
		}
	}()
	return out
}

// follow holds what was sent against the answers, until all is answered or no
// answer comes any more.
func (e *enqueuer) follow(f *feed, lines <-chan []byte) error {
	var stopped error
	var early []byte // an answer that came before the note that its item was sent was seen
	ahead, last := lines, 0
	for {
		var it item
		open := true
		select {
		case it, open = <-f.sent:
		case line, ok := <-ahead:
			if ok {
				early, ahead = line, nil
				continue
			}
			select { // no answer comes any more
			case it, open = <-f.sent:
			default:
				return cmp.Or(stopped, fmt.Errorf("ringback ended behind line %d of %s; what comes after it is not stored", last, e.name))
			}
		}
		if !open {
			return stopped
		}
		if last = it.line; it.err == nil {
			if early == nil {
				early = <-lines
			}
			it.raw, early, ahead = early, nil, lines
		}
		err := e.take(it)
		later, ok := errors.AsType[*notNow](err)
		switch {
		case ok && stopped == nil:
			stopped = fmt.Errorf("stopped at line %d of %s: %w", it.line, e.name, later)
			f.stop() // what is on its way has its answer all the same
		case err != nil && !ok:
			return err
		}
	}
}

// answer is what became of one item, as the API tells it.
type answer struct {
	ID     string   `json:"id"`
	Repeat bool     `json:"repeat"`
	Error  *problem `json:"error"`
}

// notNow is an answer that says that nothing more can be stored at present.
type notNow struct{ error }

// take counts what became of an item: raw is the answer to it, nil when there is
// none.
func (e *enqueuer) take(it item) error {
	e.tally.Read++
	var a answer
	switch {
	case it.err != nil:
		return e.refuse(it.line, it.err)
	case it.raw == nil:
		return fmt.Errorf("ringback ended without an answer to line %d of %s, and to what comes after it; it may not be stored", it.line, e.name)
	case json.Unmarshal(it.raw, &a) != nil:
		return fmt.Errorf("the answer to line %d of %s is not one of ringback", it.line, e.name)
	case a.Error != nil && (a.Error.Status >= 500 || a.Error.Status == http.StatusTooManyRequests):
		return &notNow{a.Error.error()}
	case a.Error != nil:
		return e.refuse(it.line, a.Error.error())
	case a.Repeat:
		e.tally.Repeated++
	case a.ID == "":
		e.tally.Skipped++
	default:
		e.tally.Accepted++
	}
	return nil
}

func (e *enqueuer) refuse(line int, err error) error {
	said := err.Error()
	if f, ok := errors.AsType[*callback.Error](err); ok && len(f.Fields) > 0 {
		parts := make([]string, len(f.Fields))
		for i, field := range f.Fields {
			parts[i] = field.Field + " " + field.Message
		}
		said = strings.Join(parts, "; ")
	}
	r := refusal{File: e.name, Line: line, Error: text(said, 400)}
	e.tally.Refused++
	if len(e.tally.Errors) < maxRefusals {
		e.tally.Errors = append(e.tally.Errors, r)
	}
	if e.refused == nil {
		return nil
	}
	return e.refused(r)
}
