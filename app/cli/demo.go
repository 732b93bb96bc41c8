package cli

import (
	"context"
	_ "embed" // for responses
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ringback/app/config"
	"ringback/callback"
)

// responses are 500 responses for the four callbacks of the demo, as NDJSON.
//
//go:embed demo/responses.ndjson
var responses string

func (c *console) demoCommand() *cobra.Command {
	var mails bool
	cmd := &cobra.Command{
		Use: "demo", Short: "A tour: endpoints that break and heal, responses flowing, mails arriving", Args: cobra.NoArgs,
		Long: "demo runs the whole appliance in a temporary folder, with four endpoints that break and heal by a script, a\n" +
			"mail server that keeps what it gets, and responses that flow. Its timers are shortened. On a terminal it shows\n" +
			"the screen until you leave; anywhere else it prints what happens, ends by itself within a minute, and\n" +
			"exits with 1 if the figures do not add up. Nothing outside the folder is touched, and it is removed.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.demo(cmd.Context(), mails, c.terminal())
		},
	}
	cmd.Flags().BoolVar(&mails, "mails", false, "print the mails as they arrive (without the screen)")
	return cmd
}

// demo is one run of the tour.
type demo struct {
	house     *house
	dir       string
	endpoints []*endpoint
	mail      *mailSink
	said      *narrator
	closeLog  func() error
	tally     tally // of what was enqueued; the feeder's until it has ended
}

func (c *console) demo(ctx context.Context, mails, screen bool) (err error) {
	dir, err := os.MkdirTemp("", "ringback-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := c.out
	if screen {
		out = io.Discard // the screen tells
	}
	d := &demo{dir: dir, said: &narrator{out: out, start: time.Now(), mails: mails}}
	defer d.close()
	if err := d.open(ctx, c.err, screen); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	hangup, quiet := c.signals(stop, d.house.reload, d.house.log)
	defer quiet()
	if screen {
		return d.show(ctx, stop, hangup, c)
	}
	return d.tell(ctx, stop)
}

// open starts everything around the appliance, and puts the appliance together.
func (d *demo) open(ctx context.Context, stderr io.Writer, screen bool) (err error) {
	if d.mail, err = startMailSink(d.said); err != nil {
		return err
	}
	for _, cb := range demoCallbacks {
		e, err := startEndpoint(cb)
		if err != nil {
			return err
		}
		d.endpoints = append(d.endpoints, e)
	}
	path := filepath.Join(d.dir, "config.toml")
	if err := os.WriteFile(path, []byte(d.config(screen)), 0o600); err != nil {
		return fmt.Errorf("write the demo's configuration: %w", err)
	}
	cfg, src, err := config.Load(path, true, nil)
	if err != nil {
		return err
	}
	log, done, err := openLog(&cfg, stderr, screen)
	d.closeLog = done
	if err != nil {
		return err
	}
	if d.house, err = openHouse(ctx, cfg, src, log, true); err != nil {
		return err
	}
	return nil
}

// config is the demo's configuration: the defaults but for the timers, which are
// short so that a minute shows what takes hours.
func (d *demo) config(screen bool) string {
	level := "error"
	if screen {
		level = "info"
	}
	return fmt.Sprintf(`data_dir = %q
[http]
listen = "127.0.0.1:0"
[delivery]
connect_timeout = "1s"
response_timeout = "2s"
[retry]
interval = "5s"
[alerts]
admin_email = "admin@example.com"
recovery_after = "10s"
[smtp]
host = "127.0.0.1"
port = %d
tls = "none"
from = "Ringback <ringback@example.com>"
[retention]
min_free_disk = "16MiB"
[log]
level = %q
`, filepath.Join(d.dir, "data"), d.mail.port, level)
}

// close ends what stands around the appliance.
func (d *demo) close() {
	for _, e := range d.endpoints {
		e.close()
	}
	if d.mail != nil {
		d.mail.close()
	}
	if d.closeLog != nil {
		_ = d.closeLog() // it is removed with the folder
	}
}

// register creates the callbacks, over HTTP like everybody else.
func (d *demo) register(ctx context.Context, k *desk) error {
	for _, e := range d.endpoints {
		retries, kind, key := true, e.auth, e.key
		url := e.url()
		_, err := k.Create(ctx, callback.Draft{
			Name: &e.name, URL: &url, AuthType: &kind, AuthKey: &key, ContentType: &e.content,
			RemoveHTML: &e.removeHTML, Retries: &retries, Email: &e.email, Description: &e.note,
		})
		if err != nil {
			return fmt.Errorf("register %s: %w", e.name, err)
		}
	}
	return nil
}

// show runs the tour under the screen until the person leaves it.
func (d *demo) show(ctx context.Context, stop context.CancelFunc, hangup <-chan struct{}, c *console) error {
	var wg sync.WaitGroup
	var live error
	wg.Go(func() {
		live = d.live(ctx, func(ctx context.Context, k *desk) error {
			for ctx.Err() == nil {
				d.feed(ctx, k, feedShown, time.Hour)
			}
			return nil
		}, shownScript)
		if live != nil {
			stop()
		}
	})
	gone := make(chan struct{}) // a demo nobody sees has nothing to go on for
	go func() {
		select {
		case <-hangup:
			stop()
		case <-ctx.Done():
		}
		close(gone)
	}()
	err := c.underScreen(ctx, stop, gone, d.house, true)
	stop()
	wg.Wait()
	return errors.Join(err, live)
}

// tell runs the tour once, prints what happens, and checks the figures.
func (d *demo) tell(ctx context.Context, stop context.CancelFunc) error {
	d.said.say("the whole appliance runs in %s; its timers are shortened:", d.dir)
	d.said.say("a callback that fails is tried again every 5 s (not 5 min), answers may take 2 s (not 60 s),")
	d.said.say("and an outage is over after 10 s of health (not 15 min)")
	ran := make(chan error, 1)
	go func() { ran <- d.house.run(ctx) }()
	bounded, cancel := context.WithTimeout(ctx, toldTime)
	defer cancel()
	var sum summary
	err := d.live(bounded, func(ctx context.Context, k *desk) error {
		var wg sync.WaitGroup
		watching, enough := context.WithCancel(ctx)
		wg.Go(func() { d.said.follow(watching, k) })
		d.feed(ctx, k, feedTold, feedTime)
		d.said.say("no more responses are enqueued; waiting until all is delivered and every outage is over")
		err := d.settle(ctx, k)
		enough()
		wg.Wait()
		if ctx.Err() != nil { // the time is over: what is still open shows in the figures
			sum, err = d.sum(context.WithoutCancel(ctx), k)
		} else if err == nil {
			sum, err = d.sum(ctx, k)
		}
		return err
	}, toldScript)
	interrupted := ctx.Err() != nil
	stop()
	ended := <-ran
	if interrupted {
		return errors.Join(errors.New("interrupted"), ended)
	}
	if err = errors.Join(err, ended); err != nil {
		return err
	}
	if err := sum.print(d.said.out); err != nil {
		return err
	}
	return sum.fault()
}

// live waits until the appliance answers, registers the callbacks, and lets the
// endpoints break and heal by script while do works.
func (d *demo) live(ctx context.Context, do func(context.Context, *desk) error, script []scene) error {
	k, err := attach(ctx, clientOf(d.house.doors.url))
	if err != nil {
		return err
	}
	defer func() { _ = k.close() }() // it never fails
	if err := d.register(ctx, k); err != nil {
		return err
	}
	d.said.say("four callbacks are registered: %s", strings.Join(d.names(), ", "))
	playing, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { d.play(playing, script) })
	err = do(ctx, k)
	stop()
	wg.Wait()
	return err
}

func (d *demo) names() (list []string) {
	for _, e := range d.endpoints {
		list = append(list, e.name)
	}
	return list
}
