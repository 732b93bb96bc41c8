package cli

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/netip"
	"net/url"
	"os"
	"time"

	"ringback/app/config"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue"
	"ringback/smtpout"
)

// This file makes the parts of a house out of the sections of a configuration.

// openStore opens the store. committing is told of its commits; nil: nobody is.
func openStore(cfg *config.Config, f *folder, log *slog.Logger, committing func(operations int) (done func())) (*queue.Engine, error) {
	_, total, err := disk(f.dir)
	if err != nil {
		return nil, err
	}
	low := cfg.Retention.MinFreeDisk.Mark(int64(min(total, math.MaxInt64)))
	return queue.Open(queue.Options{
		Dir: f.path("queue"), Now: time.Now().UTC().Truncate(time.Millisecond), Policy: policy(cfg),
		Secret: f.secret, LowWater: uint64(low), Log: log, Committing: committing,
	})
}

// backup returns what writes a backup of the store, with the folder's key.
func (f *folder) backup(store *queue.Engine) func(context.Context, io.Writer) error {
	return func(ctx context.Context, w io.Writer) error {
		return store.Backup(ctx, queue.BackupHead{Made: time.Now().UTC().Truncate(time.Millisecond), Key: f.key}, w)
	}
}

// policy returns the part of the configuration that the state machine follows.
func policy(cfg *config.Config) callback.Policy {
	r, a := &cfg.Retry, &cfg.Alerts
	return callback.Policy{
		MaxInFlight: cfg.Delivery.MaxInFlightPerCallback,
		Interval:    time.Duration(r.Interval), Window: time.Duration(r.Window), Jitter: r.Jitter,
		Mode: callback.AlertMode(a.Mode), MaxPerHour: a.MaxPerHour,
		Recovery: a.Recovery, RecoveryAfter: time.Duration(a.RecoveryAfter),
		DigestEvery: time.Duration(a.DigestEvery), SuspendAfter: time.Duration(a.SuspendAfter),
	}
}

// newMailer returns what sends the alerts; nil where no mail server is set.
func newMailer(cfg *config.SMTP) (callback.Mailer, error) {
	if cfg.Host == "" {
		return nil, nil
	}
	m, err := mailClient(cfg)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func mailClient(cfg *config.SMTP) (*smtpout.Client, error) {
	opt := smtpout.Options{Host: cfg.Host, Port: cfg.Port, TLS: cfg.TLS, Username: cfg.Username}
	if cfg.PasswordFile != "" {
		var err error
		if opt.Password, err = config.ReadSecret(cfg.PasswordFile); err != nil {
			return nil, fmt.Errorf("smtp.password_file: %w", err)
		}
	}
	m, err := smtpout.New(opt)
	if err != nil {
		return nil, fmt.Errorf("[smtp]: %w", err)
	}
	return m, nil
}

func newPoster(cfg *config.Delivery, own func(netip.AddrPort) bool, log *slog.Logger) (*post.Poster, error) {
	opt := post.Options{
		ConnectTimeout: time.Duration(cfg.ConnectTimeout), ResponseTimeout: time.Duration(cfg.ResponseTimeout),
		Success: cfg.SuccessCodes.Contains, KeyHeader: cfg.KeyHeader, UserAgent: "ringback/" + version(),
		AllowPrivate: cfg.AllowPrivate, Deny: cfg.Deny, HTTP2: cfg.HTTP2, MaxIdle: kept(cfg.MaxInFlight),
		Own: own, Log: log,
	}
	var err error
	if cfg.Proxy != "" {
		if opt.Proxy, err = url.Parse(cfg.Proxy); err != nil {
			return nil, errors.New("delivery.proxy: cannot be read as a URL") // the error repeats it, password and all
		}
	}
	if cfg.CAFile != "" {
		if opt.RootCAs, err = authorities(cfg.CAFile); err != nil {
			return nil, fmt.Errorf("delivery.ca_file: %w", err)
		}
	}
	return post.New(opt), nil
}

// authorities returns the system's certificate authorities with those of a file.
func authorities(path string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", path)
	}
	return pool, nil
}
