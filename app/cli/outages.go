package cli

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) outagesCommand() *cobra.Command {
	return group("outages", "List outages, and say who knows of one", c.outagesList(), c.outagesAcknowledge())
}

// newestFlags choose a page of a list that stands newest first.
type newestFlags struct {
	callback      string
	limit, offset int
}

func (f *newestFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.callback, "callback", "", "only those of one callback, by its name or id")
	cmd.Flags().IntVar(&f.limit, "limit", 20, "how many at most")
	cmd.Flags().IntVar(&f.offset, "offset", 0, "how many to leave out")
}

func (f *newestFlags) check() error {
	if f.limit < 1 || f.limit > callback.MaxPage {
		return usagef("--limit is %d; 1 to %d", f.limit, callback.MaxPage)
	}
	if f.offset < 0 || f.offset > callback.MaxOffset {
		return usagef("--offset is %d; 0 to %d", f.offset, callback.MaxOffset)
	}
	return nil
}

// path returns the document of the API that lists what the flags choose; more
// are names and values of further parameters.
func (f *newestFlags) path(list string, more ...string) string {
	v := url.Values{"limit": {strconv.Itoa(f.limit)}, "offset": {strconv.Itoa(f.offset)}}
	for i, more := 0, append(more, "callback", f.callback); i < len(more); i += 2 {
		if more[i+1] != "" {
			v.Set(more[i], more[i+1])
		}
	}
	return list + "?" + v.Encode()
}

// oneOf returns which of words a flag is, in any case; -1 when it is not given.
func oneOf(flag, s string, words ...string) (int, error) {
	for i, w := range words {
		if strings.EqualFold(s, w) {
			return i, nil
		}
	}
	if s != "" {
		return -1, usagef("--%s is %q; %s", flag, text(s, 40), strings.Join(words, ", "))
	}
	return -1, nil
}

// shown says which part of a list was printed.
func shown[T any](c *console, l *callback.Listing[T], offset int) error {
	total := strconv.FormatUint(l.Total, 10)
	if !l.Exact {
		total = "at least " + total
	}
	_, err := fmt.Fprintf(c.out, "%d to %d of %s\n", offset+1, offset+len(l.Rows), total)
	return err
}

func (c *console) outagesList() *cobra.Command {
	var t target
	var f newestFlags
	var state string
	cmd := &cobra.Command{
		Use: "list", Short: "List outages, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			i, err := oneOf("state", state, "over", "open", "recovering")
			if err == nil {
				err = f.check()
			}
			if err != nil {
				return err
			}
			q := callback.OutageQuery{Ref: f.callback, Limit: f.limit, Offset: f.offset}
			if phase := callback.OutagePhase(max(i, 0)); i >= 0 {
				q.Phase = &phase
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					return c.printDocument(cmd.Context(), d, f.path("/outages", "state", state))
				}
				list, err := d.Outages(cmd.Context(), q)
				if err != nil {
					return err
				}
				return c.printOutages(&list, f.offset)
			})
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "open, recovering or over")
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) printOutages(list *callback.Listing[callback.OutageView], offset int) error {
	if len(list.Rows) == 0 {
		_, err := fmt.Fprintln(c.out, "no outages")
		return err
	}
	var rows table
	rows.add("ID", "CALLBACK", "BEGAN", "LASTED", "FAILURES", "KNOWN TO", "BEGAN WITH")
	for i := range list.Rows {
		o := &list.Rows[i]
		lasted := [...]string{"", "not over", "recovering"}[o.Phase]
		if !o.Ended.IsZero() {
			lasted = callback.Duration(o.Ended.Sub(o.Started))
		}
		rows.add(callback.OutageID(o.CallbackID.String(), o.N), o.Callback, when(o.Started), lasted, count(o.Failures), dash(o.Acked), o.FirstText)
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	return shown(c, list, offset)
}

func (c *console) outagesAcknowledge() *cobra.Command {
	var t target
	var by string
	cmd := &cobra.Command{
		Use: "acknowledge OUTAGE…", Short: "Note that you know of an outage, by its id as listed", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			for _, id := range args {
				if _, _, ok := callback.ParseOutageID(id); !ok {
					return usagef("%q is not the id of an outage, such as %s; 'ringback outages list' shows them", text(id, 80), callback.OutageID("6E17A0C34F2B9D58", 1))
				}
			}
			if by == "" {
				by = c.person()
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				return each(c, args, "acknowledged", func(id string) error {
					ref, n, _ := callback.ParseOutageID(id)
					return d.Acknowledge(cmd.Context(), ref, n, by)
				})
			})
		},
	}
	cmd.Flags().StringVar(&by, "by", "", "who knows of it (default: who runs the command)")
	t.flags(cmd)
	return cmd
}
