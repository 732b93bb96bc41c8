package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) alertsCommand() *cobra.Command {
	return group("alerts", "List alerts, and send one again", c.alertsList(), c.alertsSend())
}

func (c *console) alertsList() *cobra.Command {
	var t target
	var f newestFlags
	var kind, status string
	cmd := &cobra.Command{
		Use: "list", Short: "List alerts, the newest first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := oneOf("kind", kind, "outage", "recovered", "digest", "call", "summary", "suspended"); err != nil {
				return err
			}
			i, err := oneOf("status", status, "waiting", "sent", "refused", "expired")
			if err == nil {
				err = f.check()
			}
			if err != nil {
				return err
			}
			q := callback.AlertQuery{Ref: f.callback, Kind: callback.AlertKind(strings.ToLower(kind)), Limit: f.limit, Offset: f.offset}
			if s := callback.AlertStatus(max(i, 0)); i >= 0 {
				q.Status = &s
			}
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					return c.printDocument(cmd.Context(), d, f.path("/alerts", "kind", kind, "status", status))
				}
				list, err := d.Alerts(cmd.Context(), q)
				if err != nil {
					return err
				}
				return c.printAlerts(&list, f.offset)
			})
		},
	}
	cmd.Flags().StringVar(&kind, "kind", "", "outage, recovered, digest, call, summary or suspended")
	cmd.Flags().StringVar(&status, "status", "", "waiting, sent, refused or expired")
	f.flags(cmd)
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) printAlerts(list *callback.Listing[callback.Alert], offset int) error {
	if len(list.Rows) == 0 {
		_, err := fmt.Fprintln(c.out, "no alerts")
		return err
	}
	var rows table
	rows.add("ID", "AROSE", "STATUS", "TRIES", "TO", "MAIL SERVER SAID")
	for i := range list.Rows {
		a := &list.Rows[i]
		rows.add(a.ID(), when(a.Created), a.Status.String(), count(a.Tries), dash(a.To), dash(a.Reply))
	}
	if err := rows.print(c.out); err != nil {
		return err
	}
	return shown(c, list, offset)
}

func (c *console) alertsSend() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "send ALERT…", Short: "Send alerts again, by their ids as listed", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if !d.running {
					return errors.New("nothing runs that could send a mail: start ringback first")
				}
				return each(c, args, "will send", func(id string) error { return d.SendAlert(cmd.Context(), callback.ParseAlertID(id)) })
			})
		},
	}
	t.flags(cmd)
	return cmd
}
