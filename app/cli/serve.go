package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ringback/queue"
)

func (c *console) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the appliance without the screen", Args: cobra.NoArgs,
		Long: "serve runs the appliance until SIGTERM or SIGINT: it then accepts nothing more, finishes the attempts\n" +
			"that run, for at most 65 s, and closes the store. A second signal ends it at once; nothing accepted is\n" +
			"lost either way. SIGHUP reads a renewed certificate.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.serve(cmd.Context(), false) },
	}
}

// serve runs the appliance, with the screen on top when screen is set.
func (c *console) serve(ctx context.Context, screen bool) error {
	cfg, src, err := c.load()
	if err != nil {
		return err
	}
	log, done, err := openLog(&cfg, c.err, screen)
	if err != nil {
		return err
	}
	defer func() { _ = done() }() // the log is the last place to tell anything
	h, err := openHouse(ctx, cfg, src, log, false)
	if err != nil {
		return locked(err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hangup, quiet := c.signals(stop, h.reload, log)
	defer quiet()
	if !screen {
		return h.run(ctx)
	}
	return c.underScreen(ctx, stop, hangup, h, false)
}

// locked says what to do about a folder that another process holds.
func locked(err error) error {
	if l, ok := errors.AsType[*queue.LockedError](err); ok {
		return fmt.Errorf("%w; or end that process first", l)
	}
	return err
}

// signals calls stop at the first SIGINT or SIGTERM and ends the process at the
// second. SIGHUP calls reload, and closes hangup: it may have been sent to have a
// certificate read, or because the terminal is gone, and deliveries go on.
// SIGPIPE is taken from the runtime, which would end the process when nobody
// reads its log any more. quiet ends all that.
func (c *console) signals(stop context.CancelFunc, reload func(), log *slog.Logger) (hangup <-chan struct{}, quiet func()) {
	got := make(chan os.Signal, 4)
	signal.Notify(got, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	hung, ended := make(chan struct{}), make(chan struct{})
	go func() {
		stopping, gone := false, false
		for {
			select {
			case <-ended:
				return
			case s := <-got:
				switch {
				case s == syscall.SIGPIPE:
				case s == syscall.SIGHUP:
					reload()
					if !gone {
						close(hung)
					}
					gone = true
				case stopping:
					log.Warn("ended at once by a second signal; what ran is tried again at the next start")
					os.Exit(exitFailed)
				default:
					stopping = true
					stop()
				}
			}
		}
	}()
	return hung, func() { signal.Stop(got); close(ended) }
}
