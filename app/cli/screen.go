package cli

import (
	"context"
	"errors"
	"os/signal"
	"syscall"
	"time"

	"ringback/app/config"
	"ringback/callback"
	"ringback/tui"
)

// screenOptions say what the screen shows, and how.
type screenOptions struct {
	service  callback.Service
	look     config.TUI
	readOnly bool
	embedded bool // it runs in the server's own process
	demo     bool
}

// showScreen shows the screen until the person leaves it or ctx is done, and
// says how it was left.
func (c *console) showScreen(ctx context.Context, o screenOptions) (tui.Leave, error) {
	return tui.Run(ctx, tui.Options{
		Service: o.service, In: c.in, Out: c.out, Environ: c.environ,
		Theme: o.look.Theme, FPS: o.look.FPS, Mouse: o.look.Mouse,
		ReadOnly: o.readOnly, Embedded: o.embedded, Demo: o.demo, User: c.person(),
	})
}

// showAttached shows the screen of another process's appliance. A signal ends it
// the way a key does, so that the terminal is restored.
func (c *console) showAttached(ctx context.Context, o screenOptions) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	_, err := c.showScreen(ctx, o)
	return err
}

// underScreen runs a house with the screen on top. The house runs on when the
// person hides the screen, when it breaks for good, and when hangup tells that the
// terminal is gone; stop ends it.
func (c *console) underScreen(ctx context.Context, stop context.CancelFunc, hangup <-chan struct{}, h *house, demo bool) error {
	shown, close := context.WithCancel(ctx)
	defer close()
	go func() {
		select {
		case <-hangup:
			close()
		case <-shown.Done():
		}
	}()
	ran := make(chan error, 1)
	go func() {
		ran <- h.run(ctx)
		close()
	}()
	defer h.app.Viewing(callback.Viewer{By: c.person(), Role: callback.RoleAdmin, ReadOnly: h.cfg.TUI.ReadOnly, Embedded: true})()
	o := screenOptions{service: h.app, look: h.cfg.TUI, readOnly: h.cfg.TUI.ReadOnly, embedded: true, demo: demo}
	leave, err := c.showScreen(shown, o)
	if err != nil && shown.Err() == nil && !errors.Is(err, tui.ErrStalled) {
		h.log.Error("the screen broke; it is shown once more", "err", err)
		leave, err = c.showScreen(shown, o)
	}
	switch {
	case ctx.Err() == nil && over(hangup): // the terminal may still be there
		h.log.Info("SIGHUP ended the screen; deliveries go on")
		c.tellBelow("SIGHUP ended the screen, deliveries go on; 'ringback tui --addr %s' shows it again, Ctrl+C stops.", h.doors.url)
	case shown.Err() != nil: // the server ends
	case err != nil:
		h.log.Error("the screen broke for good; deliveries go on without it", "err", err)
		c.tellBelow("the screen broke; deliveries go on without it, the log says more. Ctrl+C stops them.")
	case leave == tui.Hide:
		c.tellBelow("the screen is hidden, deliveries go on; 'ringback tui --addr %s' shows it again, Ctrl+C stops.\nThe log is in %s.",
			h.doors.url, h.logPath())
	default:
		c.tellBelow("stopping: attempts that run are finished, for at most 65 s; Ctrl+C ends at once")
		stop()
	}
	return <-ran
}

// tellTime is how long a terminal may take to accept what is told below the screen.
const tellTime = time.Second

// tellBelow is tell where the screen was. What comes after it does not wait for a
// terminal that takes no output: the line is then written when it does, by a
// goroutine that nobody can end before.
func (c *console) tellBelow(format string, args ...any) {
	told := make(chan struct{})
	go func() {
		defer close(told)
		c.tell(format, args...)
	}()
	select {
	case <-told:
	case <-time.After(tellTime):
	}
}

// logPath returns where the log of a house under a screen goes.
func (h *house) logPath() string {
	if h.cfg.Log.File != "" {
		return h.cfg.Log.File
	}
	return h.folder.path(screenLogName)
}
