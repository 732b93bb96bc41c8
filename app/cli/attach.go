package cli

import (
	"context"
	"errors"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/callback"
	"ringback/tui"
)

func (c *console) attachCommand() *cobra.Command {
	var t target
	var readOnly, plain, watch bool
	cmd := &cobra.Command{
		Use: "tui", Short: "Show the screen of an appliance that runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if watch && !plain {
				return usagef("--watch goes with --plain: the screen is always up to date")
			}
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			opt, _, err := c.resolve(&t, &cfg)
			if err != nil {
				return err
			}
			opt.Actor = c.person()               // it is told among the viewers
			d, err := attach(cmd.Context(), opt) // before the terminal is touched: what is wrong is told in plain text
			if err != nil {
				return err
			}
			defer func() { _ = d.close() }() // it never fails
			if _, err := d.Server(cmd.Context()); err != nil {
				return err
			}
			if plain {
				return c.showPlain(cmd.Context(), d, watch)
			}
			if !c.terminal() {
				return errors.New("the screen needs a terminal; 'ringback tui --plain' and 'ringback status' print the same as text")
			}
			return c.showAttached(cmd.Context(), screenOptions{service: d, look: cfg.TUI, readOnly: readOnly || cfg.TUI.ReadOnly})
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "show only; act on nothing")
	cmd.Flags().BoolVar(&plain, "plain", false, "print how callbacks do, a line each, and end: for screen readers and pipes")
	cmd.Flags().BoolVar(&watch, "watch", false, "with --plain: go on, and print what changes")
	t.flags(cmd)
	return cmd
}

// showPlain prints the overview in words; watching ends with a signal, and with
// whoever reads the lines.
func (c *console) showPlain(ctx context.Context, svc callback.Service, watch bool) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	return tui.Plain(ctx, tui.Options{Service: svc, Out: c.out, Environ: c.environ}, watch)
}
