package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"ringback/app"
	"ringback/app/alert"
	"ringback/app/api"
	"ringback/app/config"
	"ringback/app/journal"
	"ringback/app/meter"
	"ringback/app/metrics"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue"
)

// house is the appliance put together from a configuration.
type house struct {
	cfg     config.Config
	src     config.Source
	log     *slog.Logger
	metrics *metrics.Metrics
	meter   *meter.Meter
	journal *journal.Journal
	starts  []callback.Start
	folder  *folder
	doors   *doors
	store   *queue.Engine
	poster  *post.Poster
	app     *app.App
	server  *http.Server
	token   string // the key of this machine's commands, for as long as it runs

	closing chan struct{} // closed when nothing more is accepted
}

// Times for ending. Attempts get theirs from app.Options.Drain.
const (
	shutdownTime = 5 * time.Second // for requests that are being answered
	giveUpTime   = 5 * time.Second // for attempts, when their results cannot be stored any more
)

// openHouse puts the appliance together: the doors first, for a second server is
// told apart by them soonest, then the store, then the rest. Nothing runs yet.
func openHouse(ctx context.Context, cfg config.Config, src config.Source, log *slog.Logger, demo bool) (h *house, err error) {
	if err := cfg.CheckFiles(src); err != nil {
		return nil, err
	}
	if err := supported(&cfg, src); err != nil {
		return nil, err
	}
	debug.SetMemoryLimit(int64(cfg.MemoryLimit))
	h = &house{
		cfg: cfg, src: src, metrics: metrics.New(version()), meter: new(meter.Meter), journal: new(journal.Journal),
		token: newToken(), closing: make(chan struct{}),
	}
	log = slog.New(h.journal.Handler(log.Handler()))
	h.log = log
	if n := attempts(cfg.Delivery.MaxInFlight); n < cfg.Delivery.MaxInFlight {
		log.Warn("fewer attempts run at once than max_in_flight says: the process may not open enough files (LimitNOFILE, ulimit -n)", "attempts", n, "files", descriptors())
		h.cfg.Delivery.MaxInFlight, cfg.Delivery.MaxInFlight = n, n
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.doors, err = listen(ctx, &cfg.HTTP, src); err != nil {
		return h, err
	}
	// Without a folder there is no key either, and none is made to find that out.
	h.folder, err = openFolder(cfg.DataDir, h.doors.loopback())
	if errors.Is(err, fs.ErrNotExist) && !h.doors.loopback() {
		return h, noKeys(cfg.HTTP.Listen, src)
	}
	if err != nil {
		return h, err
	}
	if h.store, err = openStore(&cfg, h.folder, log.With("part", "store"), h.committing); err != nil {
		return h, err
	}
	if n, left := h.store.Storage().Files, forStore(cfg.Delivery.MaxInFlight); callback.FewFiles(n, left) {
		log.Warn("the store may come to lack files: the process may not open enough (LimitNOFILE, ulimit -n)", "files", descriptors(), "store", n, "left", left)
	}
	if !h.doors.loopback() && len(h.store.Keys()) == 0 {
		return h, noKeys(cfg.HTTP.Listen, src)
	}
	mailer, err := newMailer(&cfg.SMTP)
	if err != nil {
		return h, err
	}
	if h.starts, err = h.folder.noteStart(time.Now().UTC().Truncate(time.Millisecond), h.store.Interrupted()); err != nil {
		h.log.Warn("who asks for it later will not know of this start", "err", err)
	}
	if h.poster, err = newPoster(&cfg.Delivery, h.doors.own, log); err != nil {
		return h, err
	}
	h.app = h.newApp(mailer, demo)
	h.server = newServer(h)
	return h, nil
}

// committing is told of commits of the store.
func (h *house) committing(operations int) (done func()) {
	counted, metered := h.metrics.Committing(operations), h.meter.Committing(operations)
	return func() { metered(); counted() }
}

// newToken makes a key that is stored nowhere.
func newToken() string {
	var b [20]byte
	_, _ = rand.Read(b[:]) // it never fails, it ends the program
	return callback.KeyText(b)
}

// supported refuses what the configuration can say and this version cannot do,
// where going on without it would not be what was asked for.
func supported(cfg *config.Config, src config.Source) error {
	if cfg.Storage.EncryptionKeyFile != "" {
		return refuse(src, "storage.encryption_key_file", "this version cannot encrypt the data folder; leave the key out to store in clear")
	}
	return nil
}

func (h *house) newApp(mailer callback.Mailer, demo bool) *app.App {
	cfg := &h.cfg
	name := hostname()
	info := callback.Server{
		Name: name, Version: version(), ID: h.folder.id(), DataDir: cfg.DataDir, Listen: h.doors.addr.String(), Demo: demo,
		Started: time.Now().UTC().Truncate(time.Millisecond),
		Connect: time.Duration(cfg.Delivery.ConnectTimeout), Response: time.Duration(cfg.Delivery.ResponseTimeout),
		KeyHeader: cfg.Delivery.KeyHeader,
	}
	if cfg.SMTP.Host != "" {
		info.MailServer = net.JoinHostPort(cfg.SMTP.Host, strconv.Itoa(cfg.SMTP.Port))
	}
	return app.New(app.Options{
		Store: h.store, Poster: h.poster, Mailer: mailer, Policy: policy(cfg), MaxInFlight: cfg.Delivery.MaxInFlight, MaxBytes: int(cfg.MemoryLimit / memoryShare),
		SeriesDir:  h.folder.path("series"),
		StoreFiles: forStore(cfg.Delivery.MaxInFlight),
		Delivered:  time.Duration(cfg.Retention.Delivered), Failed: time.Duration(cfg.Retention.Failed),
		Secret: h.folder.secret, Metrics: h.metrics, Info: info, Log: h.log,
		Meter: h.meter, Journal: h.journal, Starts: h.starts, Backup: h.ownBackup,
		Alerts: alert.Options{
			From: cfg.SMTP.From, Admin: cfg.Alerts.AdminEmail, RecipientDomains: cfg.Alerts.RecipientDomains,
			PublicURL: cfg.HTTP.PublicURL, Listen: h.doors.addr.String(), Name: name,
		},
	})
}

// memoryShare is the part of memory_limit that the responses whose attempts run
// may take.
const memoryShare = 4

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "ringback"
	}
	return text(name, 100)
}

// run serves and delivers until ctx is done, and then ends in order: nothing more
// is accepted, what runs is finished, requests are answered to their end, the
// store is closed. It returns early when a part fails. It is called once, and
// closes the house.
func (h *house) run(ctx context.Context) error {
	// What runs ends when run says so, not when the signal comes.
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var wg sync.WaitGroup
	worked, served := make(chan error, 1), make(chan error, 2)
	wg.Go(func() { worked <- h.app.Run(working) })
	wg.Go(func() { giveBack(working) })
	for _, ln := range []net.Listener{h.doors.tcp, h.doors.unix} {
		if ln != nil {
			wg.Go(func() { served <- h.server.Serve(ln) })
		}
	}
	if err := h.folder.writeAddress(h.doors.url, h.token); err != nil {
		h.log.Warn("other commands cannot find the address", "err", err)
	}
	h.log.Info("ringback runs", "listen", h.doors.addr, "url", h.doors.url, "socket", h.cfg.HTTP.Socket, "data", h.cfg.DataDir, "version", version())

	var err error
	failed, busy := false, true
	select {
	case <-ctx.Done():
		h.log.Info("stopping: nothing more is accepted, attempts that run are finished", "running", h.running())
	case err = <-served:
		err = fmt.Errorf("serve: %w", err)
	case err = <-worked:
		busy = false
		failed = h.store.Err() != nil
	case <-h.store.Failed():
		failed = true
	}
	close(h.closing)
	stop()
	if failed {
		return h.abandon(busy, worked)
	}
	if busy {
		err = errors.Join(err, <-worked)
	}
	err = errors.Join(err, h.shutdown())
	wg.Wait()
	err = errors.Join(err, h.close())
	if err == nil {
		if err := h.folder.noteEnd(time.Now().UTC().Truncate(time.Millisecond)); err != nil {
			h.log.Warn("the next start will not know that this end was in order", "err", err)
		}
	}
	h.log.Info("ringback ended")
	return err
}

// abandon ends what a failed store has left: nothing more can be recorded, so
// attempts are not waited for, and the store is not closed. The next start
// replays what is on disk.
func (h *house) abandon(busy bool, worked <-chan error) error {
	if busy {
		select {
		case err := <-worked:
			h.log.Debug("attempts ended after the store", "err", err)
		case <-time.After(giveUpTime):
		}
	}
	return errors.Join(h.store.Err(), h.server.Close(), h.folder.removeAddress())
}

func (h *house) running() int {
	s, err := h.app.Server(context.Background())
	if err != nil {
		return 0
	}
	return s.Running
}

// shutdown lets requests that are being answered finish, for a while.
func (h *house) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	if err := h.server.Shutdown(ctx); err != nil {
		h.log.Warn("requests were cut off", "err", err)
		return h.server.Close()
	}
	return nil
}

// close releases what is open, the last opened first.
func (h *house) close() error {
	var errs []error
	if h.poster != nil {
		h.poster.Close()
	}
	if h.store != nil {
		if err := h.store.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close the store: %w", err))
		}
		errs = append(errs, h.folder.removeAddress())
	}
	if h.doors != nil {
		errs = append(errs, h.doors.close())
	}
	return errors.Join(errs...)
}

// newServer returns the server of a house's doors.
func newServer(h *house) *http.Server {
	handler := api.New(api.Options{
		Service: h.app, Log: h.log, MaxBody: int64(h.cfg.HTTP.MaxBody), PublicURL: h.cfg.HTTP.PublicURL, Version: version(),
		Keys: h.store.Keys, KeyNeeded: !h.doors.loopback(), LocalKey: h.token, Metrics: h.metrics.Handler(),
		Backup: h.folder.backup(h.store), Observer: h.app, Ending: h.closing,
		Ready: func() (bool, []string) {
			if over(h.closing) {
				return false, []string{"it is shutting down"}
			}
			return h.app.Ready()
		},
	})
	s := api.Server(handler)
	s.Handler = &porch{next: handler, closing: h.closing, log: h.log}
	return s
}
