package cli

import (
	"bytes"
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
			"callback in callbackId, by name or id. They go to the running appliance or, when nothing runs, straight into\n" +
			"the data folder. What is refused is told with its line, and the exit code is 1. Responses that carry an id\n" +
			"can be enqueued again without being delivered twice.",
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
	e := &enqueuer{desk: d}
	if !c.json {
		e.refused = func(r refusal) error { _, err := fmt.Fprintln(c.err, r); return err }
	}
	var err error
	for _, name := range files {
		if err = e.file(ctx, c.in, name); err != nil {
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
	Errors   []refusal `json:"errors"` // of the first maxRefusals that were refused
}

// maxRefusals bounds how many refusals a tally keeps.
const maxRefusals = 1000

// refusal is an item that was not stored. Its text is safe to print.
type refusal struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// String returns one line.
func (r refusal) String() string { return fmt.Sprintf("%s:%d: %s", r.File, r.Line, r.Error) }

// enqueuer sends items in batches.
type enqueuer struct {
	desk    *desk
	tally   tally
	refused func(refusal) error // told of each item that was not stored; nil: nobody

	name  string // of the file that is read
	batch []item
	size  int
}

// Bounds of one batch.
const (
	batchItems = 500
	batchBytes = 256 << 10
)

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

func (e *enqueuer) all(ctx context.Context, in io.Reader) error {
	for it := range items(in) {
		e.tally.Read++
		if it.err != nil {
			if err := e.refuse(it.line, it.err); err != nil {
				return err
			}
			continue
		}
		e.batch = append(e.batch, it)
		if e.size += len(it.raw); len(e.batch) < batchItems && e.size < batchBytes {
			continue
		}
		if err := e.flush(ctx); err != nil {
			return err
		}
	}
	return e.flush(ctx)
}

func (e *enqueuer) flush(ctx context.Context) error {
	batch := e.batch
	e.batch, e.size = nil, 0
	return e.send(ctx, batch)
}

// answer is what became of one item, as the API tells it.
type answer struct {
	ID     string   `json:"id"`
	Status string   `json:"status"`
	Repeat bool     `json:"repeat"`
	Error  *problem `json:"error"`
}

// send sends a batch as one array; one that is refused as a whole, for its size
// or for one item in it, is sent in halves.
func (e *enqueuer) send(ctx context.Context, batch []item) error {
	if len(batch) == 0 {
		return nil
	}
	raws := make([][]byte, len(batch))
	for i := range batch {
		raws[i] = batch[i].raw
	}
	status, body, err := e.desk.request(ctx, http.MethodPost, "/responses", slices.Concat([]byte("["), bytes.Join(raws, []byte(",")), []byte("]")))
	if err != nil {
		return err
	}
	answers := answersOf(status, body)
	switch {
	case len(answers) == len(batch):
		return e.take(batch, answers)
	case status == http.StatusServiceUnavailable, status >= 500, status < 400:
		return fmt.Errorf("stopped before line %d of %s: %w", batch[0].line, e.name, fault(max(status, 500), body))
	case len(batch) == 1:
		return e.refuse(batch[0].line, fault(status, body))
	}
	half := len(batch) / 2
	if err := e.send(ctx, batch[:half]); err != nil {
		return err
	}
	return e.send(ctx, batch[half:])
}

// answersOf returns the answers of the items, also where none was stored; nil
// when the batch as a whole was refused.
func answersOf(status int, body []byte) (list []answer) {
	if status == http.StatusOK || status == http.StatusAccepted {
		if json.Unmarshal(body, &list) != nil {
			return nil
		}
		return list
	}
	var p struct {
		Items []answer `json:"items"`
	}
	if status == http.StatusServiceUnavailable || json.Unmarshal(body, &p) != nil {
		return nil // none of them could be stored now: nor could the next
	}
	return p.Items
}

func (e *enqueuer) take(batch []item, answers []answer) error {
	for i, a := range answers {
		switch {
		case a.Error != nil:
			if err := e.refuse(batch[i].line, a.Error.error()); err != nil {
				return err
			}
		case a.Repeat:
			e.tally.Repeated++
		case a.ID == "":
			e.tally.Skipped++
		default:
			e.tally.Accepted++
		}
	}
	return nil
}

func (e *enqueuer) refuse(line int, err error) error {
	said := err.Error()
	if f, ok := errors.AsType[*callback.Error](err); ok && len(f.Fields) > 0 {
		parts := make([]string, len(f.Fields))
		for i, field := range f.Fields {
			parts[i] = itemField(field.Field) + " " + field.Message
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

// itemField takes the place within the array, which nobody has seen, off the name
// of a field.
func itemField(name string) string {
	if !strings.HasPrefix(name, "[") {
		return name
	}
	if _, rest, ok := strings.Cut(name, "]"); ok {
		return strings.TrimPrefix(rest, ".")
	}
	return name
}
