package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"ringback/app/config"
	"ringback/callback"
	"ringback/queue"
)

func (c *console) checkCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "check", Short: "Check configuration, data folder, mail server and address, in plain words", Args: cobra.NoArgs,
		Long: "check looks at what the appliance needs. A line begins with ok, with ! for what should be known, or with ✗ for\n" +
			"what is wrong; with any ✗ the exit code is 1. When nothing runs it opens the data folder and verifies it.",
		RunE: func(cmd *cobra.Command, _ []string) error { return c.check(cmd.Context()) },
	}
	c.dataFlags(cmd)
	return cmd
}

// finding is one line of a check.
type finding struct {
	Sign string `json:"sign"` // one of signs
	What string `json:"what"`
	Says string `json:"says"`
}

// The signs of a finding.
const (
	signOK   = "ok"
	signNote = "!"
	signBad  = "✗"
)

// checker collects findings.
type checker struct {
	cfg  config.Config
	src  config.Source
	list []finding
}

func (k *checker) add(sign, what, format string, args ...any) {
	k.list = append(k.list, finding{sign, what, text(fmt.Sprintf(format, args...), 1000)})
}

func (c *console) check(ctx context.Context) error {
	cfg, src, err := c.load()
	if err != nil {
		return err
	}
	k := &checker{cfg: cfg, src: src}
	k.configuration()
	k.files()
	running := k.listener(ctx, c)
	k.data(ctx, running)
	k.mail(ctx)
	if err := c.printFindings(k.list); err != nil {
		return err
	}
	if slices.ContainsFunc(k.list, func(f finding) bool { return f.Sign == signBad }) {
		return told{exitFailed}
	}
	return nil
}

func (c *console) printFindings(list []finding) error {
	if c.json {
		return c.printShape(list)
	}
	rows := table{}
	for _, f := range list {
		rows.rows = append(rows.rows, []string{f.Sign, f.What, f.Says})
	}
	return rows.print(c.out)
}

// configuration tells where what is not a default was set.
func (k *checker) configuration() {
	from := "no file, the defaults run"
	if k.src.Path != "" {
		from = "read from " + k.src.Path
	}
	k.add(signOK, "configuration", "%s", from)
	for _, name := range configKeys() {
		if place := k.src.Of(name); place != "default" {
			k.add(signOK, "configuration", "%s is set in %s", name, place)
		}
	}
	if k.cfg.SMTP.Host != "" && k.cfg.Alerts.AdminEmail == "" {
		k.add(signNote, "configuration", "alerts.admin_email is empty: callbacks without an address of their own send no alerts")
	}
}

// files looks at the files that the configuration names.
func (k *checker) files() {
	err := errors.Join(k.cfg.CheckFiles(k.src), supported(&k.cfg, k.src))
	if err == nil {
		var pair *keypair
		if pair, err = certificate(&k.cfg.HTTP); pair != nil && err == nil {
			k.certificate(pair.ends(), time.Now())
		}
	}
	if err == nil && k.cfg.Delivery.CAFile != "" {
		_, err = authorities(k.cfg.Delivery.CAFile)
	}
	if err == nil {
		k.add(signOK, "files", "those that the configuration names are there, and as safe as they must be")
		return
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		k.add(signBad, "files", "%s", line)
	}
}

// listener looks whether the address is free, or ringback answers there.
func (k *checker) listener(ctx context.Context, c *console) (running bool) {
	opt, _, err := c.resolve(&target{}, &k.cfg)
	if err != nil {
		k.add(signBad, "address", "%v", err)
		return false
	}
	d, err := attach(ctx, opt)
	if err == nil {
		k.add(signOK, "address", "ringback runs and answers at %s", d.where)
		if keys, err := d.Keys(ctx); err != nil {
			k.add(signNote, "keys", "cannot be listed: %v", err)
		} else {
			k.keys(keys)
		}
		if s, err := d.System(ctx); err == nil && s.Process.FewFiles {
			k.add(signNote, "files", "the store holds %d open of the %d that ringback may open, and may come to lack some: raise LimitNOFILE (ulimit -n)", s.Storage.Files, s.Process.MaxFiles)
		}
		_ = d.close() // it never fails
		return true
	}
	doors, err := listen(ctx, &k.cfg.HTTP, k.src)
	if err != nil {
		k.add(signBad, "address", "%v", err)
		return false
	}
	k.add(signOK, "address", "%s is free; nothing runs there", k.cfg.HTTP.Listen)
	if err := doors.close(); err != nil {
		k.add(signBad, "address", "%v", err)
	}
	return false
}

// data looks at the data folder, and into it when nothing runs.
// mayWrite asks access(2) whether files can be made in a folder: W_OK and X_OK.
const mayWrite = 2 | 1

func (k *checker) data(ctx context.Context, running bool) {
	dir := k.cfg.DataDir
	info, err := os.Stat(dir)
	if at := existing(dir); syscall.Access(at, mayWrite) != nil {
		k.add(signBad, "data folder", "%s cannot be written by this user", at)
		return
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.add(signNote, "data folder", "%s does not exist yet; it is made at the first start", dir)
		k.keys(nil)
		k.space(existing(dir))
		return
	case err != nil:
		k.add(signBad, "data folder", "%v", err)
		return
	case !info.IsDir():
		k.add(signBad, "data folder", "%s is a file", dir)
		return
	case info.Mode().Perm()&0o077 != 0:
		k.add(signNote, "data folder", "%s can be entered by others (mode %04o); chmod 700 keeps it to its owner", dir, info.Mode().Perm())
	}
	k.space(dir)
	if running {
		k.add(signOK, "data folder", "%s is in use by the ringback that runs; its content is checked when nothing runs", dir)
		return
	}
	k.content(ctx, dir)
}

// content opens the store and verifies it.
func (k *checker) content(ctx context.Context, dir string) {
	f, err := openFolder(dir, false)
	if errors.Is(err, fs.ErrNotExist) {
		k.add(signNote, "data folder", "%s holds no queue yet; it is made at the first start", dir)
		k.keys(nil)
		return
	}
	if err != nil {
		k.add(signBad, "data folder", "%v", err)
		return
	}
	store, err := openStore(&k.cfg, f, slog.New(slog.DiscardHandler), nil)
	if l, ok := errors.AsType[*queue.LockedError](err); ok {
		k.add(signBad, "data folder", "%v", l)
		return
	}
	if err != nil {
		k.add(signBad, "data folder", "%v", err)
		return
	}
	n := uint64(0)
	for _, h := range store.Callbacks() {
		n += h.Live.Counts.Sum()
	}
	k.keys(store.Keys())
	open := store.Storage().Files
	if left := forStore(attempts(k.cfg.Delivery.MaxInFlight)); callback.FewFiles(open, left) {
		k.add(signNote, "files", "the store holds %d open, and %d are left to it when all else takes its share of the %d that this process may open: raise LimitNOFILE (ulimit -n)", open, left, descriptors())
	}
	err = store.Check(ctx)
	switch err = errors.Join(err, store.Close()); {
	case err == nil:
		k.add(signOK, "data folder", "%s opens, and its %s are consistent", dir, plural(n, "call"))
	default:
		for line := range strings.SplitSeq(err.Error(), "\n") {
			k.add(signBad, "data folder", "%s", line)
		}
	}
}

// existing returns the nearest folder above path that is there.
func existing(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "."
	}
	for {
		if _, err := os.Stat(abs); err == nil || abs == filepath.Dir(abs) {
			return abs
		}
		abs = filepath.Dir(abs)
	}
}

func (k *checker) space(dir string) {
	free, total, err := disk(dir)
	if err != nil {
		k.add(signBad, "disk", "%v", err)
		return
	}
	low := uint64(k.cfg.Retention.MinFreeDisk.Mark(int64(min(total, math.MaxInt64))))
	switch {
	case free < low:
		k.add(signBad, "disk", "%d MiB are free, less than the %d MiB of retention.min_free_disk: nothing is accepted", free>>20, low>>20)
	case free < 2*low:
		k.add(signNote, "disk", "%d MiB are free; below %d MiB (retention.min_free_disk) nothing is accepted", free>>20, low>>20)
	default:
		k.add(signOK, "disk", "%d MiB are free; %d MiB must stay so (retention.min_free_disk)", free>>20, low>>20)
	}
}

// checkTime bounds the conversation with the mail server.
const checkTime = 20 * time.Second

// mail goes as far with the mail server as a mail would.
func (k *checker) mail(ctx context.Context) {
	if k.cfg.SMTP.Host == "" {
		k.add(signNote, "mail server", "none is configured ([smtp] host): alerts are kept and shown, none is sent")
		return
	}
	where := net.JoinHostPort(k.cfg.SMTP.Host, fmt.Sprint(k.cfg.SMTP.Port))
	m, err := mailClient(&k.cfg.SMTP)
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, checkTime)
		defer cancel()
		err = m.Check(ctx)
	}
	if err != nil {
		k.add(signBad, "mail server", "%s: %v", where, err)
		return
	}
	k.add(signOK, "mail server", "%s takes mail from %s (tls %s)", where, k.cfg.SMTP.From, k.cfg.SMTP.TLS)
}
