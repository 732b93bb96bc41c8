// Package app is the appliance: it implements callback.Service over an engine,
// and runs the parts that deliver, alert and tidy up.
package app

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"ringback/app/alert"
	"ringback/app/dispatch"
	"ringback/app/hub"
	"ringback/app/journal"
	"ringback/app/meter"
	"ringback/app/metrics"
	"ringback/app/series"
	"ringback/callback"
)

var _ callback.Service = (*App)(nil)

// Options say what an App works with. Store, Poster and Policy are required.
type Options struct {
	Store       callback.Store
	Poster      callback.Poster
	Mailer      callback.Mailer // nil: alerts are kept and shown, none is sent
	Policy      callback.Policy
	MaxInFlight int           // of all callbacks together; 0: 512
	MaxBytes    int           // of the responses whose attempts run, about; 0: 64 MiB
	Drain       time.Duration // how long attempts may go on when it ends; 0: 65 s

	// Patience is how long one question about calls may take whose filter selects
	// few; 0: 2 s. What was found by then is answered.
	Patience time.Duration

	// SeriesDir is where series are archived, a folder of their own; "": they have
	// the last hour alone.
	SeriesDir string

	// Delivered and Failed are how long finished calls are kept; 0: for ever.
	Delivered, Failed time.Duration
	// RetainEvery is how often retention looks for calls to remove; 0: 10 min.
	RetainEvery time.Duration

	// Secret makes Secrets of keys that come in clear.
	Secret func(string) callback.Secret
	// Random fills ids; nil: crypto/rand.
	Random func([]byte)

	// Alerts has the addresses of mails; the App fills in what it knows itself.
	Alerts alert.Options

	// Metrics counts what happens, and gets the figures of its scrapes from the
	// App; nil: nobody counts.
	Metrics *metrics.Metrics

	// Meter counts for System, and Journal keeps what Log tells; nil: the App's own.
	Meter   *meter.Meter
	Journal *journal.Journal
	// Starts are the lives of the appliance, the latest first, this one included.
	Starts []callback.Start
	// Backup writes a backup for Do, and returns where it is and how many bytes it
	// has; nil: it cannot be done.
	Backup func(context.Context) (path string, bytes int64, err error)

	// StoreFiles is how many files all else leaves to the store of those that the
	// process may open; 0: not known.
	StoreFiles int

	Info callback.Server // what Server answers; the App fills in what changes
	Log  *slog.Logger    // nil: silent
}

// App is the appliance. New makes one; Run works until its context ends.
type App struct {
	opt      Options
	clock    clock
	dispatch *dispatch.Engine
	alert    *alert.Engine
	hub      hub.Hub
	series   series.Series
	meter    *meter.Meter
	journal  *journal.Journal
	census   census
	pulse    pulse
	chores   chores
	viewers  viewers
	facts    facts
	cpu      cpu
	trials   trials

	looks    chan struct{} // holds one for each draft that is looked at
	work     chan struct{} // wakes operate
	previews chan struct{} // holds one for each preview that is being counted

	// running guards ready: whether Run is at work; and what late found when.
	running  sync.Mutex
	ready    bool
	lookedAt time.Time
	lateThen string
}

// New returns an App. It takes over the dispatching of its store.
func New(opt Options) *App {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.MaxInFlight == 0 {
		opt.MaxInFlight = 512
	}
	if opt.MaxBytes == 0 {
		opt.MaxBytes = 64 << 20
	}
	if opt.Drain == 0 {
		opt.Drain = 65 * time.Second
	}
	if opt.RetainEvery == 0 {
		opt.RetainEvery = retainEvery
	}
	if opt.Patience == 0 {
		opt.Patience = patience
	}
	if opt.Random == nil {
		opt.Random = random
	}
	if opt.Secret == nil {
		opt.Secret = func(s string) callback.Secret { return callback.NewSecret(s, nil) }
	}
	a := &App{looks: make(chan struct{}, maxLooks), work: make(chan struct{}, 1), previews: make(chan struct{}, maxPreviews), opt: opt}
	if a.meter, a.journal = opt.Meter, opt.Journal; a.meter == nil {
		a.meter = new(meter.Meter)
	}
	if a.journal == nil {
		a.journal = new(journal.Journal)
	}
	a.chores.asked = make(chan callback.Chore, len(callback.Chores))
	a.clock.log = opt.Log
	if opt.Info.Started.IsZero() {
		a.opt.Info.Started = a.clock.Now()
	}
	opt.Store.SetPolicy(opt.Policy)
	a.dispatch = dispatch.New(dispatch.Options{
		Store: opt.Store, Poster: opt.Poster, MaxInFlight: opt.MaxInFlight, MaxBytes: opt.MaxBytes, Policy: opt.Policy,
		Now: a.clock.Now, Drain: opt.Drain, Ended: a.ended, Ticked: a.changed, Log: opt.Log,
	})
	al := opt.Alerts
	al.Store, al.Mailer, al.Policy, al.Now, al.Log = opt.Store, opt.Mailer, opt.Policy, a.clock.Now, opt.Log.With("part", "mail")
	a.alert = alert.New(al)
	if opt.Metrics != nil {
		opt.Metrics.Ask(a.figures)
	}
	return a
}

// Run delivers, alerts and tidies up until ctx is done, then finishes what
// runs. It returns early with an error when the store fails. It is called once.
func (a *App) Run(ctx context.Context) error {
	keeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	var kept sync.WaitGroup
	kept.Go(func() { a.keep(keeping) })
	defer kept.Wait()
	defer stop() // when what runs was counted
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return named("delivery", a.dispatch.Run(ctx)) })
	g.Go(func() error { return named("alerts", a.alert.Run(ctx)) })
	g.Go(func() error { return named("upkeep", a.upkeep(ctx)) })
	g.Go(func() error { return named("operations", a.operate(ctx)) })
	g.Go(func() error { return named("chores", a.doChores(ctx)) })
	g.Go(func() error { return named("pulse", a.beat(ctx)) })
	a.setReady(true)
	defer a.setReady(false)
	return g.Wait()
}

func named(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", part, err)
}

func (a *App) setReady(ready bool) {
	a.running.Lock()
	defer a.running.Unlock()
	a.ready = ready
}

// lateAfter is how long a call may be due, with a slot free for it, before
// something must be wrong.
const lateAfter = time.Minute

// Ready reports whether everything works, and if not, what does not.
func (a *App) Ready() (ok bool, why []string) {
	a.running.Lock()
	ready := a.ready
	a.running.Unlock()
	if !ready {
		why = append(why, "the engine does not run")
	}
	if s, ok := a.opt.Store.(interface{ Err() error }); ok && s.Err() != nil {
		why = append(why, "the store has stopped")
	}
	if s, ok := a.opt.Store.(interface{ DiskLow() bool }); ok && s.DiskLow() {
		why = append(why, "the disk is nearly full")
	}
	if s, ok := a.opt.Store.(interface{ Damaged() bool }); ok && s.Damaged() {
		why = append(why, "a table of the store is damaged, see the log; what reads or writes there may wait until the appliance is started anew")
	}
	if late := a.late(); late != "" {
		why = append(why, late)
	}
	return len(why) == 0, why
}

// lookEvery bounds how often the engine is asked for late calls, for whoever
// reaches the server may ask whether it is ready.
const lookEvery = time.Second

// late names a callback one of whose calls should have been sent already.
func (a *App) late() string {
	a.running.Lock()
	defer a.running.Unlock()
	if now := a.clock.Now(); a.lookedAt.IsZero() || now.Sub(a.lookedAt) >= lookEvery {
		a.lookedAt, a.lateThen = now, a.lookForLate(now)
	}
	return a.lateThen
}

func (a *App) lookForLate(now time.Time) string {
	all := a.opt.Store.Callbacks()
	longest := a.longest(all)
	for i := range all {
		h := &all[i]
		st := callback.Step{Policy: a.opt.Policy.For(&h.Callback), ID: h.ID, Now: now, Live: &h.Live}
		if h.Live.Deleted || h.Live.Counts.Waiting() == 0 || st.Room() == 0 {
			continue
		}
		since, waits := a.dispatch.Waits(h.Num)
		if waits && now.Sub(since) <= longest+lateAfter {
			continue
		}
		at, ok := a.startsAt(&st, h)
		switch late := now.Sub(at).Round(time.Second); {
		case !ok || now.Sub(at) <= lateAfter:
		case waits:
			return fmt.Sprintf("a call of %s is late by %v, and the attempts that it waits for do not end", h.Name, late)
		default:
			return fmt.Sprintf("a call of %s is late by %v", h.Name, late)
		}
	}
	return ""
}

// longest returns how long an attempt may take of any callback that has some: to
// connect, to send and, anew, to be answered; and all of that twice, where a
// connection that was kept turns out to be dead. What is read of a body is beside
// that nothing.
func (a *App) longest(all []callback.Health) (d time.Duration) {
	for i := range all {
		if h := &all[i]; h.Live.Running+h.Live.Manual > 0 {
			connect := cmp.Or(h.ConnectTimeout, a.opt.Info.Connect, 5*time.Second)
			answer := cmp.Or(h.ResponseTimeout, a.opt.Info.Response, time.Minute)
			d = max(d, 2*(connect+2*answer))
		}
	}
	return d
}

// startsAt returns when the first of the waiting calls of h may start.
func (a *App) startsAt(st *callback.Step, h *callback.Health) (first time.Time, ok bool) {
	var before callback.CallID
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		head, err := a.opt.Store.Due(context.Background(), h.Num, class, callback.DueKey{}, 1)
		if err != nil || len(head) == 0 || h.Ordered && before != 0 && before < head[0].ID {
			continue // in an ordered lane a call waits for those that came before it
		}
		at, may := st.StartAt(&head[0])
		switch {
		case h.Ordered:
			first, ok, before = at, may, head[0].ID
		case may && (!ok || at.Before(first)):
			first, ok = at, true
		}
	}
	if h.RatePerSecond > 0 {
		if next := h.Live.Gate.Last.Add(time.Duration(float64(time.Second) / h.RatePerSecond)); next.After(first) {
			first = next
		}
	}
	return first, ok
}

// ended takes note of an attempt that was recorded.
func (a *App) ended(e dispatch.Ended) {
	now := a.clock.Now()
	if a.opt.Metrics != nil {
		a.opt.Metrics.Attempts(&e.Entry, e.Attempts)
	}
	failed := false
	for i := range e.Attempts {
		a.series.Attempt(now, e.Entry.Num, &e.Attempts[i])
		a.meter.Attempt(now, e.Due, &e.Attempts[i])
		e.Due = time.Time{} // a second one at once says nothing
		failed = failed || !e.Attempts[i].OK
	}
	if failed {
		a.pulse.attempt(&e)
		a.alert.Wake()
	}
	a.hub.Publish()
}

// changed tells the other parts that an operator, or time, changed something.
func (a *App) changed() {
	a.alert.Wake()
	a.hub.Publish()
}

// ignoreEnd returns err unless it only says that ctx is done.
func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}
