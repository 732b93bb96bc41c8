package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"ringback/callback"
)

func (c *console) statusCommand() *cobra.Command {
	var t target
	cmd := &cobra.Command{
		Use: "status", Short: "Tell how the appliance and its callbacks do", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.withDesk(cmd.Context(), &t, false, func(d *desk) error {
				if c.json {
					return c.statusJSON(cmd.Context(), d)
				}
				return c.statusText(cmd.Context(), d)
			})
		},
	}
	t.flags(cmd)
	c.dataFlags(cmd)
	return cmd
}

func (c *console) statusJSON(ctx context.Context, d *desk) error {
	server, err := d.get(ctx, "/server")
	if err != nil {
		return err
	}
	overview, err := d.get(ctx, "/overview")
	if err != nil {
		return err
	}
	return c.printShape(struct {
		Running  bool            `json:"running"`
		Server   json.RawMessage `json:"server"`
		Overview json.RawMessage `json:"overview"`
	}{d.running, server, overview})
}

func (c *console) statusText(ctx context.Context, d *desk) error {
	s, err := d.Server(ctx)
	if err != nil {
		return err
	}
	o, err := d.Overview(ctx, 0)
	if err != nil {
		return err
	}
	var k card
	if d.running {
		k.add("ringback", fmt.Sprintf("runs at %s, version %s, up %s", d.where, s.Version, callback.Duration(s.Now.Sub(s.Started))))
		k.add("attempts", fmt.Sprintf("%d running, at most %d", s.Running, s.MaxInFlight))
		k.add("mail", mailLine(&s, &o))
	} else {
		k.add("ringback", "does not run; this is what its data folder says")
	}
	k.add("data", s.DataDir)
	k.add("waiting", plural(o.Waiting, "call"))
	if err := k.print(c.out); err != nil {
		return err
	}
	if len(o.Callbacks) == 0 {
		_, err := fmt.Fprintln(c.out, "no callbacks")
		return err
	}
	var rows table
	rows.add("CALLBACK", "STATE", "SINCE", "WAITING", "DELIVERED", "GAVE UP", "NEXT TRY", "LAST ERROR")
	for i := range o.Callbacks {
		v := &o.Callbacks[i]
		n, said := v.Live.Counts, "-"
		if v.Shown != callback.Healthy {
			said = dash(v.Live.LastError)
		}
		rows.add(v.Name, v.Shown.String(), dash(when(v.Live.ShownSince())), count(n.Waiting()), count(n.Delivered), count(n.Failed), dash(when(v.NextTry)), said)
	}
	return rows.print(c.out)
}

func mailLine(s *callback.Server, o *callback.Overview) string {
	switch {
	case s.MailServer == "":
		return "no mail server is configured: alerts are kept, none is sent"
	case !o.MailOK:
		return s.MailServer + ": " + o.MailNote
	}
	return s.MailServer + ", ok"
}
