package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"time"

	"ringback/app"
	"ringback/app/api"
	"ringback/app/config"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue"
)

// desk is where a command finds the data: a running appliance, or else its
// folder, opened by this process for as long as the command takes.
type desk struct {
	callback.Service
	http    *http.Client // the same, as the API shows it
	base    string       // of URLs
	running bool         // an appliance runs
	where   string       // in words
	close   func() error

	// work works an operation off, where no appliance runs that does.
	work func(ctx context.Context, id string) error
}

// openDesk opens the running appliance that t means or, when nothing listens
// there and nobody named it, the data folder. create makes a folder that is
// missing.
func (c *console) openDesk(ctx context.Context, t *target, create bool) (*desk, error) {
	cfg, src, err := c.load()
	if err != nil {
		return nil, err
	}
	opt, given, err := c.resolve(t, &cfg)
	if err != nil {
		return nil, err
	}
	d, err := attach(ctx, opt)
	if err == nil || given || !nobody(err) {
		return d, err
	}
	return openData(&cfg, src, d.where, create)
}

// nobody reports whether an error of reaching a server says that none is there.
func nobody(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist)
}

// probeTime bounds the question whether anything runs.
const probeTime = 5 * time.Second

// attach returns a desk at a running appliance. With an error there is nothing to
// close, and where is set all the same.
func attach(ctx context.Context, opt api.ClientOptions) (*desk, error) {
	d := &desk{running: true, base: strings.TrimRight(opt.URL, "/"), where: opt.URL + opt.Socket}
	client, err := api.NewClient(opt)
	if err != nil {
		return d, &usageError{err}
	}
	d.http = &http.Client{Transport: client.Transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if opt.Socket != "" {
		d.base = "http://localhost"
	}
	d.Service = client
	d.close = func() error { client.Close(); return nil }
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	if err := d.alive(ctx); err != nil {
		_ = d.close() // it never fails
		return d, err
	}
	return d, nil
}

// alive reports what is wrong when no ringback answers.
func (d *desk) alive(ctx context.Context) error {
	status, body, err := d.request(ctx, http.MethodGet, "/healthz", nil)
	if err != nil {
		return err
	}
	if status != http.StatusOK || !strings.Contains(string(body), `"status"`) {
		return fmt.Errorf("what answers at %s is not ringback: it said %d", text(d.where, 200), status)
	}
	return nil
}

// openData opens the data folder itself. asked is where no appliance answered.
func openData(cfg *config.Config, src config.Source, asked string, create bool) (*desk, error) {
	if err := supported(cfg, src); err != nil {
		return nil, err
	}
	f, err := openFolder(cfg.DataDir, create)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("nothing listens at %s, and there is no data folder %s: start ringback, or name another with --config or --addr",
			text(asked, 200), text(cfg.DataDir, 200))
	}
	if err != nil {
		return nil, err
	}
	silent := slog.New(slog.DiscardHandler)
	store, err := openStore(cfg, f, silent, nil)
	if l, ok := errors.AsType[*queue.LockedError](err); ok {
		return nil, fmt.Errorf("%w; nothing answers at %s, so name where it listens with --addr, or end that process first", l, text(asked, 200))
	}
	if err != nil {
		return nil, err
	}
	poster := post.New(post.Options{}) // never used: an App that does not run makes no attempts
	a := app.New(app.Options{
		Store: store, Poster: poster, Policy: policy(cfg), Secret: f.secret, Log: silent,
		Info: callback.Server{Name: hostname(), Version: version(), ID: f.id(), DataDir: cfg.DataDir},
	})
	handler := api.New(api.Options{
		Service: a, MaxBody: int64(cfg.HTTP.MaxBody), PublicURL: cfg.HTTP.PublicURL, Version: version(), Backup: f.backup(store),
	})
	return &desk{
		Service: a, http: &http.Client{Transport: inProcess{handler}}, base: "http://localhost",
		where: "the data folder " + cfg.DataDir, work: a.Work,
		close: func() error { poster.Close(); return store.Close() },
	}, nil
}

// withDesk opens a desk for the time of do.
func (c *console) withDesk(ctx context.Context, t *target, create bool, do func(*desk) error) (err error) {
	d, err := c.openDesk(ctx, t, create)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	return do(d)
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 64 << 20

// answerTime bounds one request.
const answerTime = 60 * time.Second

// request makes a request and returns the answer, whatever its status.
func (d *desk) request(ctx context.Context, method, path string, body []byte) (status int, answer []byte, err error) {
	return d.requestWithin(ctx, answerTime, method, path, body)
}

func (d *desk) requestWithin(ctx context.Context, limit time.Duration, method, path string, body []byte) (status int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, d.base+path, bytesReader(body))
	if err != nil {
		return 0, nil, usagef("%q is not the URL of a ringback", text(d.where, 200))
	}
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := d.http.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("reach ringback at %s: %w", text(d.where, 200), bare(err))
	}
	defer res.Body.Close() // nothing is written
	answer, err = io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err == nil && len(answer) > maxAnswer {
		err = fmt.Errorf("it is larger than %d bytes", maxAnswer)
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read the answer of %s: %w", text(d.where, 200), err)
	}
	return res.StatusCode, answer, nil
}

// stream makes a request whose body goes on while its answer is read. The answer
// is the caller's to close.
func (d *desk) stream(ctx context.Context, path string, body io.ReadCloser) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+path, body)
	if err != nil {
		return nil, usagef("%q is not the URL of a ringback", text(d.where, 200))
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	r.Header.Set("Expect", "100-continue") // nothing is sent to who would not take it
	res, err := d.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach ringback at %s: %w", text(d.where, 200), bare(err))
	}
	return res, nil
}

// get returns a document of the API as it is sent.
func (d *desk) get(ctx context.Context, path string) ([]byte, error) {
	status, body, err := d.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	if status != http.StatusOK {
		return nil, fault(status, body)
	}
	return body, nil
}
