package cli

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) callbacksCommand() *cobra.Command {
	return group("callbacks", "List and change callbacks",
		c.callbacksList(), c.callbacksShow(), c.callbacksAdd(), c.callbacksSet(), c.callbacksRemove(),
		c.callbacksSuspend(), c.callbacksResume(), c.callbacksTest())
}

// refArg is how a callback is named on the command line.
const refArg = " CALLBACK"

func callbackPath(ref string) string { return "/callbacks/" + url.PathEscape(ref) }

func (c *console) callbacksList() *cobra.Command {
	var t target
	var name string
	var limit, offset int
	cmd := &cobra.Command{
		Use: "list", Short: "List the callbacks", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 || limit > callback.MaxPage {
				return usagef("--limit is %d; 1 to %d", limit, callback.MaxPage)
			}
			if offset < 0 {
				return usagef("--offset is %d; it cannot be negative", offset)
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					q := url.Values{"limit": {strconv.Itoa(limit)}, "offset": {strconv.Itoa(offset)}}
					if name != "" {
						q.Set("name", name)
					}
					return c.printDocument(cmd.Context(), d, "/callbacks?"+q.Encode())
				}
				list, total, err := d.Callbacks(cmd.Context(), callback.CallbackQuery{Name: name, Limit: limit, Offset: offset})
				if err != nil {
					return err
				}
				return c.printCallbacks(list, offset, total)
			})
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "only the one with that name")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many at most")
	cmd.Flags().IntVar(&offset, "offset", 0, "how many to leave out")
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// printDocument prints a document of the API as it is sent.
func (c *console) printDocument(ctx context.Context, d *desk, path string) error {
	b, err := d.get(ctx, path)
	if err != nil {
		return err
	}
	return c.printJSON(b)
}

func (c *console) printCallbacks(list []callback.Health, offset, total int) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(c.out, "no callbacks")
		return err
	}
	var rows table
	rows.add("NAME", "ID", "STATE", "WAITING", "DELIVERED", "GAVE UP", "URL")
	for i := range list {
		h := &list[i]
		n := h.Live.Counts
		rows.add(h.Name, h.ID.String(), h.Live.State.String(), count(n.Waiting()), count(n.Delivered), count(n.Failed), h.MaskedURL())
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	_, err := fmt.Fprintf(c.out, "%d to %d of %d\n", offset+1, offset+len(list), total)
	return err
}

func (c *console) callbacksShow() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "show" + refArg, Short: "Show one callback, by its name or id", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				return c.showCallback(cmd.Context(), d, args[0])
			})
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

// showCallback prints one callback; ref is its id or name.
func (c *console) showCallback(ctx context.Context, d *desk, ref string) error {
	h, err := d.Callback(ctx, ref)
	if err != nil {
		return err
	}
	if c.json {
		return c.printDocument(ctx, d, callbackPath(h.ID.String()))
	}
	return c.printCallback(&h)
}

func (c *console) printCallback(h *callback.Health) error {
	var k card
	l := &h.Live
	k.add("name", h.Name)
	k.add("id", h.ID.String())
	k.add("description", h.Description)
	k.add("url", h.MaskedURL())
	if h.Auth.Type != callback.AuthNone {
		k.add("auth", h.Auth.Type.String()+" "+h.Auth.Key.String())
	}
	k.add("content type", h.ContentType.String())
	k.add("remove HTML", onOff(h.RemoveHTML))
	k.add("retries", onOff(h.Retries))
	k.add("replies", onOff(!h.NoReplies))
	k.add("undeliverable", onOff(!h.NoUndelivers))
	k.add("e-mail", h.Email)
	k.add("alerts", string(h.Alerts))
	k.add("signing secret", h.SigningSecret.String())
	k.add("previous secret", h.PreviousSecret.String())
	k.limits(&h.Callback)
	for _, p := range h.Headers {
		k.add("header", p.Key+": "+p.Value)
	}
	state := l.State.String()
	if since := l.ShownSince(); !since.IsZero() {
		state += " since " + when(since)
	}
	if l.Suspended && l.SuspendedBy != "" {
		state += ", by " + l.SuspendedBy
	}
	k.add("state", state)
	n := l.Counts
	k.add("calls", fmt.Sprintf("%d accepted: %d waiting, %d delivered, %d resolved, %d given up, %d removed by retention; %d skipped",
		n.Accepted, n.Waiting(), n.Delivered, n.Resolved, n.Failed, n.Purged, n.Skipped))
	k.add("last success", when(l.LastSuccess))
	if !l.LastFailure.IsZero() {
		k.add("last failure", when(l.LastFailure)+" "+l.LastError)
	}
	k.add("created", when(h.CreatedAt))
	k.add("version", count(h.Version))
	return k.print(c.out)
}

// limits adds what is set of how a callback's endpoint is to be treated: what is
// not is the configuration's.
func (k *card) limits(cb *callback.Callback) {
	if cb.Ordered {
		k.add("ordered", onOff(true))
	}
	if cb.MaxInFlight != 0 {
		k.add("max in flight", count(cb.MaxInFlight))
	}
	if cb.RatePerSecond != 0 {
		k.add("rate", strconv.FormatFloat(cb.RatePerSecond, 'f', -1, 64)+" attempts a second")
	}
	if cb.ConnectTimeout != 0 {
		k.add("connect timeout", cb.ConnectTimeout.String())
	}
	if cb.ResponseTimeout != 0 {
		k.add("response timeout", cb.ResponseTimeout.String())
	}
	if cb.CA != "" {
		k.add("certificates", "checked by authorities of its own, not those of the system")
	}
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

func (c *console) callbacksRemove() *cobra.Command {
	var t target
	var yes bool
	cmd := &cobra.Command{
		Use: "remove" + refArg, Short: "Remove a callback; its waiting calls are given up", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				h, err := d.Callback(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if n := h.Live.Counts.Waiting(); n > 0 && !yes {
					return fmt.Errorf("%s of %s would be given up; add --yes to remove it all the same", plural(n, "waiting call"), h.Name)
				}
				if err := d.Delete(cmd.Context(), h.ID.String()); err != nil {
					return err
				}
				return c.say("removed", h.Name)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "also when calls wait")
	t.flags(cmd)
	return cmd
}

// say prints what was done to what.
func (c *console) say(done, what string) error {
	_, err := fmt.Fprintf(c.out, "%s %s\n", done, text(what, 200))
	return err
}

func (c *console) callbacksSuspend() *cobra.Command {
	return c.eachCallback("suspend", "Make no attempts: calls are accepted and held", "suspended",
		func(ctx context.Context, d *desk, ref string) error { return d.Suspend(ctx, ref, c.person()) })
}

func (c *console) callbacksResume() *cobra.Command {
	return c.eachCallback("resume", "Make attempts again", "resumed",
		func(ctx context.Context, d *desk, ref string) error { return d.Resume(ctx, ref) })
}

// eachCallback is a command that does one thing to each callback it is given.
func (c *console) eachCallback(use, short, done string, do func(context.Context, *desk, string) error) *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: use + refArg + "…", Short: short, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				return each(c, args, done, func(ref string) error { return do(cmd.Context(), d, ref) })
			})
		},
	}
	t.flags(cmd)
	return cmd
}
