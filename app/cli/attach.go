package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func (c *console) attachCommand() *cobra.Command {
	var t target
	var readOnly bool
	cmd := &cobra.Command{
		Use: "tui", Short: "Show the screen of an appliance that runs", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := c.load()
			if err != nil {
				return err
			}
			opt, _, err := c.resolve(&t, &cfg)
			if err != nil {
				return err
			}
			d, err := attach(cmd.Context(), opt) // before the terminal is touched: what is wrong is told in plain text
			if err != nil {
				return err
			}
			defer func() { _ = d.close() }() // it never fails
			if _, err := d.Server(cmd.Context()); err != nil {
				return err
			}
			if !c.terminal() {
				return errors.New("the screen needs a terminal; 'ringback status' prints the same as text")
			}
			return c.showAttached(cmd.Context(), screenOptions{service: d, look: cfg.TUI, readOnly: readOnly || cfg.TUI.ReadOnly})
		},
	}
	cmd.Flags().BoolVar(&readOnly, "read-only", false, "show only; act on nothing")
	t.flags(cmd)
	return cmd
}
