package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringback/callback"
)

// manyFlags say what is to be done to all calls that filters select, or that are
// named.
type manyFlags struct {
	filterFlags
	kind                        callback.OperationKind
	id, remark                  string
	rate                        int
	all, dryRun, noWait, extend bool
}

func (f *manyFlags) flags(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.BoolVar(&f.all, "all", false, "all calls that the filters select, in place of ids")
	fs.BoolVar(&f.dryRun, "dry-run", false, "only tell which, and why they failed")
	fs.BoolVar(&f.noWait, "no-wait", false, "do not wait for the end: 'ringback operations' tells more")
	fs.StringVar(&f.id, "id", "", "id of the operation; repeated with the same it starts nothing twice")
	fs.StringVar(&f.remark, "remark", "", "why, for whoever reads of the operation later")
	statuses := "failed"
	if f.kind == callback.OperationResolve {
		statuses = "failed or pending"
	}
	f.filterFlags.flags(cmd, statuses+" (default: failed)")
}

// check looks whether what is meant is clear: ids, or filters.
func (f *manyFlags) check(ids int) error {
	filter, err := f.filter()
	if err == nil {
		err = f.filled("id", f.id)
	}
	if err == nil && f.kind == callback.OperationRetry && filter.Status&^callback.ListFailed != 0 {
		err = usagef("--status: only failed calls can be retried; others were delivered, or not tried yet")
	}
	if err == nil && f.kind == callback.OperationResolve && filter.Status&callback.ListSuccess != 0 {
		err = usagef("--status: failed or pending; calls with success are done")
	}
	chosen := f.all || f.dryRun
	filtered := f.given("code") || slices.ContainsFunc(f.texts(), func(t filterText) bool { return t.value != "" })
	switch {
	case err != nil:
		return err
	case f.rate < 0 || f.rate > callback.MaxOperationRate:
		return usagef("--rate: from 1 to %d calls a second, or 0 for no limit", callback.MaxOperationRate)
	case ids > callback.MaxNamed:
		return usagef("%d calls are named; at most %d, beyond that select them by filters", ids, callback.MaxNamed)
	case ids > 0 && (f.all || filtered):
		return usagef("calls are named by their ids or, with --all, by filters; not by both")
	case ids == 0 && f.kind == "":
		return usagef("name the calls by their ids")
	case ids == 0 && !chosen:
		return usagef("name the calls by their ids, or give --all, and filters if not all are meant")
	}
	return nil
}

// one reports whether an operation is asked for also where calls are named:
// otherwise each is done by itself.
func (f *manyFlags) one() bool {
	return f.dryRun || f.noWait || f.id != "" || f.remark != "" || f.rate != 0
}

// many starts an operation on the calls with those ids or, without any, on those
// that the filters select; or it tells what that would do.
func (c *console) many(ctx context.Context, d *desk, ref string, ids []callback.CallID, f *manyFlags) error {
	n := callback.NewOperation{ID: f.id, Ref: ref, IDs: ids, Kind: f.kind, Extend: f.extend, Rate: f.rate, By: c.person(), Remark: f.remark}
	var err error
	if n.Filter, err = f.filter(); err != nil {
		return err
	}
	if n.Filter.Status == 0 && len(ids) == 0 {
		n.Filter.Status = callback.ListFailed
	}
	if f.dryRun && c.json {
		return c.previewJSON(ctx, d, ref, ids, f)
	}
	if f.dryRun {
		p, err := d.Preview(ctx, n)
		if err != nil {
			return err
		}
		return c.printPreview(f.kind, &p)
	}
	if !d.running && f.kind == callback.OperationRetry {
		return errNothingRuns
	}
	o, fresh, err := d.StartOperation(ctx, n)
	if err != nil {
		return err
	}
	if !c.json {
		line := "started operation"
		if !fresh {
			line = "there is already the operation"
		}
		if err := c.say(line, o.ID); err != nil {
			return err
		}
		if ids := o.MissingIDs; len(ids) > 0 {
			if err := c.say("not there:", idWords(ids, uint64(len(ids)))); err != nil {
				return err
			}
		}
	}
	return c.follow(ctx, d, o.ID, f.noWait)
}

func (c *console) printPreview(kind callback.OperationKind, p *callback.Preview) error {
	if len(p.ByCause) > 0 {
		var rows table
		rows.add("CALLS", "LAST RESULT", "STATUS CODE")
		for _, cause := range p.ByCause {
			rows.add(count(cause.Count), dash(cause.Class), dash(strings.TrimPrefix(count(cause.Code), "0")))
		}
		if err := rows.print(c.out); err != nil {
			return err
		}
	}
	line := fmt.Sprintf("%s would change by the %s, %d have nothing to change", plural(p.Changed, "call"), kind, p.Matched-p.Changed)
	if !p.Oldest.IsZero() {
		line += "; the oldest is of " + when(p.Oldest)
	}
	if p.Missing > 0 {
		line += fmt.Sprintf("; %d of those named are not there: %s", p.Missing, idWords(p.MissingIDs, p.Missing))
	}
	if p.Partial {
		line += "; there may be more: counting took too long"
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

// idWords lists calls of which there are n.
func idWords(ids []callback.CallID, n uint64) string {
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = id.String()
	}
	s := strings.Join(words, ", ")
	if more := n - min(uint64(len(ids)), n); more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}

// preview returns what asks the API what would be done.
func (f *manyFlags) preview(ids []callback.CallID) ([]byte, error) {
	want := map[string]any{"dryRun": true}
	if len(ids) > 0 {
		want["ids"] = ids
	} else {
		want["status"] = "FAILED"
	}
	if f.extend {
		want["extend"] = true
	}
	for _, t := range f.texts() {
		if t.value != "" {
			want[t.name] = t.value
		}
	}
	if f.given("code") {
		want["statusCode"] = f.code
	}
	return json.Marshal(want)
}

// previewJSON prints the API's own document of what would be done.
func (c *console) previewJSON(ctx context.Context, d *desk, ref string, ids []callback.CallID, f *manyFlags) error {
	body, err := f.preview(ids)
	if err != nil {
		return err
	}
	status, answer, err := d.request(ctx, http.MethodPost, callbackPath(ref)+"/"+string(f.kind), body)
	if err != nil {
		return err
	}
	if status != http.StatusOK {
		return fault(status, answer)
	}
	return c.printJSON(answer)
}

// follow waits for the end of an operation, or of its undo, and says how far it
// came. Where no appliance runs it is worked off here.
func (c *console) follow(ctx context.Context, d *desk, id string, leave bool) error {
	if d.work != nil {
		if err := d.work(ctx, id); err != nil {
			return err
		}
	}
	o, err := d.Operation(ctx, id)
	if err != nil {
		return err
	}
	if o.Active() && !leave {
		if o, err = c.watchOperation(ctx, d, o); err != nil {
			return err
		}
	}
	if c.json {
		err = c.printDocument(ctx, d, "/operations/"+id)
	} else {
		err = c.printOperation(&o)
	}
	if err != nil {
		return err
	}
	return failed(o.State != callback.OperationFailed)
}

// operationEvery is how often a line tells how far an operation came.
const operationEvery = 2 * time.Second

func (c *console) watchOperation(ctx context.Context, d *desk, o callback.OperationView) (callback.OperationView, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	revs, err := d.Watch(ctx)
	if err != nil {
		return o, err
	}
	for last := time.Now(); ; {
		if o, err = d.Operation(ctx, o.ID); err != nil || !o.Active() {
			return o, err
		}
		if now := time.Now(); now.Sub(last) >= operationEvery && !c.json {
			last = now
			if err := c.printOperation(&o); err != nil {
				return o, err
			}
		}
		if _, open := <-revs; !open {
			return o, fmt.Errorf("the server was lost; the operation %s goes on without us", o.ID)
		}
	}
}

// printOperation says on one line how far an operation came.
func (c *console) printOperation(o *callback.OperationView) error {
	line := fmt.Sprintf("%s %s: %s changed", o.Kind, o.State, plural(o.Changed, "call"))
	if n := o.Skipped(); n > 0 {
		line += fmt.Sprintf(", %d had nothing to change", n)
	}
	if o.Active() {
		line += fmt.Sprintf(", of at most %d", o.Total)
	}
	if n := o.Missing(); n > 0 {
		line += fmt.Sprintf(", %d of those named are not there", n)
	}
	if o.Undone+o.Missed > 0 {
		line += fmt.Sprintf("; %d undone, %d not, for they changed since", o.Undone, o.Missed)
	}
	if o.Remark != "" {
		line += "; " + text(o.Remark, callback.MaxRemark)
	}
	if o.Note != "" {
		line += "; " + text(o.Note, 240)
	}
	if !o.UndoUntil.IsZero() && !o.Active() {
		line += fmt.Sprintf("; 'ringback operations undo %s' takes it back until %s", o.ID, when(o.UndoUntil))
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

func (c *console) operationsCommand() *cobra.Command {
	return group("operations", "List, stop and undo retries and resolves of many calls",
		c.operationsList(), c.operationsShow(), c.operationsStop(), c.operationsUndo())
}

func (c *console) operationsList() *cobra.Command {
	var t target
	var f newestFlags
	var state string
	words := make([]string, len(callback.OperationStates))
	for i, s := range callback.OperationStates {
		words[i] = string(s)
	}
	cmd := &cobra.Command{
		Use: "list", Short: "List operations, those begun last first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := oneOf("state", state, words...)
			if err == nil {
				err = f.check()
			}
			if err != nil {
				return err
			}
			q := callback.OperationQuery{Ref: f.callback, Limit: f.limit, Offset: f.offset}
			if i >= 0 {
				q.State = callback.OperationStates[i]
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					return c.printDocument(cmd.Context(), d, f.path("/operations", "state", state))
				}
				list, err := d.Operations(cmd.Context(), q)
				if err != nil {
					return err
				}
				return c.printOperations(&list, f.offset)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", strings.Join(words, ", "))
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) printOperations(list *callback.Listing[callback.OperationView], offset int) error {
	if len(list.Rows) == 0 {
		_, err := fmt.Fprintln(c.out, "no operations")
		return err
	}
	var rows table
	rows.add("ID", "BEGUN", "CALLBACK", "KIND", "STATE", "MATCHED", "CHANGED", "UNDONE", "BY")
	for i := range list.Rows {
		o := &list.Rows[i]
		rows.add(o.ID, when(o.Created), o.Callback, string(o.Kind), string(o.State), count(o.Matched), count(o.Changed), count(o.Undone), o.By)
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	return shown(c, list, offset)
}

// operationAct is a command for one operation.
func (c *console) operationAct(use, short string, do func(ctx context.Context, d *desk, id string) error) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: use + " OPERATION", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error { return do(cmd.Context(), d, args[0]) })
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) operationsShow() *cobra.Command {
	return c.operationAct("show", "Tell how far an operation came", func(ctx context.Context, d *desk, id string) error {
		o, err := d.Operation(ctx, id)
		switch {
		case err != nil:
			return err
		case c.json:
			return c.printDocument(ctx, d, "/operations/"+id)
		}
		return c.printOperation(&o)
	})
}

func (c *console) operationsStop() *cobra.Command {
	return c.operationAct("stop", "Stop an operation where it stands", func(ctx context.Context, d *desk, id string) error {
		if _, err := d.StopOperation(ctx, id); err != nil {
			return err
		}
		return c.follow(ctx, d, id, true)
	})
}

func (c *console) operationsUndo() *cobra.Command {
	return c.operationAct("undo", "Take a resolve back, for 24 hours", func(ctx context.Context, d *desk, id string) error {
		if _, err := d.UndoOperation(ctx, id); err != nil {
			return err
		}
		return c.follow(ctx, d, id, false)
	})
}
