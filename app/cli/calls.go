package cli

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) callsCommand() *cobra.Command {
	return group("calls", "List calls, retry and resolve them",
		c.callsList(), c.callsShow(), c.callsRetry(), c.callsResolve(), c.callsReopen(), c.callsExport())
}

// filterFlags select calls.
type filterFlags struct {
	state, message, class, text, from, to string
	statuses                              []string
	code                                  int
	cmd                                   *cobra.Command // whose flags they are; nil: nobody's
}

func (f *filterFlags) flags(cmd *cobra.Command, statuses string) {
	fs := cmd.Flags()
	f.cmd = cmd
	fs.StringSliceVar(&f.statuses, "status", nil, statuses)
	fs.StringVar(&f.state, "state", "", callback.CallStateWords()+"; several with commas between")
	fs.StringVar(&f.message, "message-id", "", "only those of one message")
	fs.IntVar(&f.code, "code", 0, "only those whose last attempt was answered with that status code; 0: got no answer")
	fs.StringVar(&f.class, "class", "", "only those whose last attempt failed so, such as refused or dns")
	fs.StringVar(&f.text, "text", "", "only those with that text in names, numbers, addresses or content")
	fs.StringVar(&f.from, "from", "", "last attempted at that instant or later, RFC 3339")
	fs.StringVar(&f.to, "to", "", "last attempted before that instant, RFC 3339")
}

// listFlags choose a page of a list of calls.
type listFlags struct {
	filterFlags
	callback, cursor string
	limit, offset    int
	oldest           bool
}

func (f *listFlags) flags(cmd *cobra.Command) {
	f.choose(cmd)
	fs := cmd.Flags()
	fs.IntVar(&f.limit, "limit", 20, "how many at most")
	fs.IntVar(&f.offset, "offset", 0, "how many to leave out")
	fs.StringVar(&f.cursor, "cursor", "", "go on behind the call with this id")
}

// choose adds the flags that choose calls, and in which order they stand.
func (f *listFlags) choose(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.callback, "callback", "", "only those of one callback, by its name or id")
	f.filterFlags.flags(cmd, "success, failed or pending (default: success and failed)")
	cmd.Flags().BoolVar(&f.oldest, "oldest", false, "oldest first")
}

// listWord is how a status is written.
type listWord struct {
	word   string
	status callback.CallStatus
}

var listWords = []listWord{{"SUCCESS", callback.ListSuccess}, {"FAILED", callback.ListFailed}, {"PENDING", callback.ListPending}}

// filterText is a filter that is a text: its flag, and its name in the API.
type filterText struct{ flag, name, value string }

func (f *filterFlags) texts() []filterText {
	return []filterText{
		{"status", "status", strings.Join(f.statuses, ",")},
		{"state", "state", f.state},
		{"message-id", "messageId", f.message},
		{"class", "class", f.class},
		{"text", "q", f.text},
		{"from", "from", f.from},
		{"to", "to", f.to},
	}
}

// given reports whether a flag is on the command line: a code of 0 selects, too.
func (f *filterFlags) given(flag string) bool { return f.cmd != nil && f.cmd.Flags().Changed(flag) }

// filled refuses a flag that is given without a value, as by a script whose
// variable is not set: it was meant to select, and must not come to mean all.
func (f *filterFlags) filled(flag, value string) error {
	if f.given(flag) && strings.TrimSpace(value) == "" {
		return usagef("--%s is empty; leave it out where it is not to select", flag)
	}
	return nil
}

// filter returns which calls the flags select. What only the service can judge,
// such as a callback that does not exist, is left to it.
func (f *filterFlags) filter() (out callback.Filter, err error) {
	for _, t := range f.texts() {
		if err := f.filled(t.flag, t.value); err != nil {
			return out, err
		}
	}
	out = callback.Filter{MessageID: f.message, Code: f.code, Class: f.class, Text: f.text}
	if f.given("code") && f.code == 0 {
		out.Code = callback.NoAnswer
	} else if f.code < 0 || f.code > 999 {
		return out, usagef("--code is %d; a status code, or 0 for those that got no answer", f.code)
	}
	for _, s := range f.statuses {
		i := slices.IndexFunc(listWords, func(w listWord) bool { return strings.EqualFold(w.word, s) })
		if i < 0 {
			return out, usagef("--status is %q; success, failed or pending", text(s, 40))
		}
		out.Status |= listWords[i].status
	}
	if f.state != "" {
		states, ok := callback.ParseStates(f.state)
		if !ok {
			return out, usagef("--state is %q; one of %s, or several with commas between", text(f.state, 40), callback.CallStateWords())
		}
		out.State = states
	}
	if _, ok := callback.ParseClass(f.class); !ok {
		return out, usagef("--class is %q, which is not the word of an error", text(f.class, 40))
	}
	if out.From, err = instant("from", f.from); err != nil {
		return out, err
	}
	out.To, err = instant("to", f.to)
	return out, err
}

// query returns what the flags ask for.
func (f *listFlags) query() (q callback.ListQuery, err error) {
	q = callback.ListQuery{Ref: f.callback, Oldest: f.oldest, Limit: f.limit, Offset: f.offset}
	if err = f.filled("callback", f.callback); err == nil {
		q.Filter, err = f.filter()
	}
	if err != nil {
		return q, err
	}
	if f.limit < 1 || f.limit > callback.MaxPage {
		return q, usagef("--limit is %d; 1 to %d", f.limit, callback.MaxPage)
	}
	if f.offset < 0 || f.offset > callback.MaxOffset {
		return q, usagef("--offset is %d; 0 to %d, beyond that go on with --cursor", f.offset, callback.MaxOffset)
	}
	if f.cursor != "" {
		if q.After, err = callback.ParseCallID(f.cursor); err != nil {
			return q, usagef("--cursor: %w", err)
		}
	}
	return q, nil
}

func instant(flag, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usagef("--%s is %q; an instant such as 2026-03-01T09:30:00Z", flag, text(s, 60))
	}
	return t, nil
}

// path returns the document of the API that answers q.
func (f *listFlags) path(q *callback.ListQuery) string {
	v := url.Values{"limit": {strconv.Itoa(q.Limit)}}
	for _, t := range append(f.texts(), filterText{name: "cursor", value: f.cursor}) {
		if t.value != "" {
			v.Set(t.name, t.value)
		}
	}
	if f.given("code") {
		v.Set("statusCode", strconv.Itoa(f.code))
	}
	if f.offset != 0 {
		v.Set("offset", strconv.Itoa(f.offset))
	}
	if f.oldest {
		v.Set("sortOrder", "asc")
	}
	path := "/calls"
	if f.callback != "" {
		path = callbackPath(f.callback) + path
	}
	return path + "?" + v.Encode()
}

func (c *console) callsList() *cobra.Command {
	var t target
	var f listFlags
	cmd := &cobra.Command{
		Use: "list", Short: "List calls, the newest first", Args: cobra.NoArgs,
		Example: "  ringback calls list --callback crm-prod --status failed",
		RunE: func(cmd *cobra.Command, _ []string) error {
			q, err := f.query()
			if err != nil {
				return err
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					return c.printDocument(cmd.Context(), d, f.path(&q))
				}
				list, err := allOf(cmd.Context(), d, q)
				if err != nil {
					return err
				}
				return c.printCalls(&list)
			})
		},
	}
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// allOf asks for a page of calls until it is full, or there is no more: a filter
// that selects few is answered bit by bit.
func allOf(ctx context.Context, d *desk, q callback.ListQuery) (callback.CallList, error) {
	list, err := d.Calls(ctx, q)
	for passed := list.Skipped; err == nil && list.More && len(list.Calls) < q.Limit; passed += list.Skipped {
		rest := q
		rest.After, rest.Limit, rest.Offset = list.Next, q.Limit-len(list.Calls), q.Offset-passed
		before := list.Calls
		list, err = d.Calls(ctx, rest)
		list.Calls = append(before, list.Calls...)
	}
	return list, err
}

func (c *console) printCalls(list *callback.CallList) error {
	if len(list.Calls) == 0 {
		_, err := fmt.Fprintln(c.out, "no calls")
		return err
	}
	var rows table
	rows.add("ID", "CALLBACK", "ACCEPTED", "STATE", "TRIES", "LAST RESULT", "NEXT TRY", "FROM")
	for i := range list.Calls {
		v := &list.Calls[i]
		rows.add(v.ID.String(), v.Callback, when(v.Enqueued), string(v.State), count(v.Entry.Attempts), result(v), nextTry(v), v.Response.From.Name)
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	total := strconv.FormatUint(list.Total, 10)
	if !list.Exact {
		total = "at least " + total
	}
	line := fmt.Sprintf("%d shown of %s", len(list.Calls), total)
	if list.More {
		line += fmt.Sprintf("; go on with --cursor %s", list.Next)
	}
	_, err := fmt.Fprintln(c.out, line)
	return err
}

// result returns how the last attempt of a call went, in a few words.
func result(v *callback.CallView) string {
	if len(v.Call.Attempts) == 0 {
		return "-"
	}
	return v.Call.Attempts[len(v.Call.Attempts)-1].Short()
}

// nextTry returns when a call is tried next, as far as it is known.
func nextTry(v *callback.CallView) string {
	switch v.State {
	case callback.StateScheduled, callback.StateRetrying:
		return dash(when(v.Due))
	case callback.StateHeld:
		return "held"
	}
	return "-"
}

func (c *console) callsShow() *cobra.Command {
	var t target
	var ref string
	cmd := &cobra.Command{
		Use: "show CALL", Short: "Show one call with all its attempts", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := callIDs(args)
			if err != nil {
				return err
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				v, err := d.find(cmd.Context(), ref, ids[0])
				if err != nil {
					return err
				}
				if c.json {
					return c.printDocument(cmd.Context(), d, callbackPath(v.CallbackID.String())+"/calls/"+v.ID.String())
				}
				return c.printCall(&v)
			})
		},
	}
	cmd.Flags().StringVar(&ref, "callback", "", "the call's callback, by its name or id (default: it is looked for)")
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// find returns a call; without a ref it is looked for in every callback.
func (d *desk) find(ctx context.Context, ref string, id callback.CallID) (callback.CallView, error) {
	if ref != "" {
		return d.Call(ctx, ref, id)
	}
	for offset := 0; ; {
		page, total, err := d.Callbacks(ctx, callback.CallbackQuery{Limit: callback.MaxPage, Offset: offset})
		if err != nil {
			return callback.CallView{}, err
		}
		for i := range page {
			v, err := d.Call(ctx, page[i].ID.String(), id)
			if callback.ErrorCode(err) != callback.CodeNotFound {
				return v, err
			}
		}
		if offset += len(page); len(page) == 0 || offset >= total {
			return callback.CallView{}, callback.NoCall(id)
		}
	}
}

// callIDs reads ids of calls from the command line.
func callIDs(args []string) ([]callback.CallID, error) {
	var ids []callback.CallID
	for _, s := range args {
		id, err := callback.ParseCallID(s)
		if err != nil {
			return nil, &usageError{err}
		}
		ids = append(ids, id)
	}
	return ids, nil
}
