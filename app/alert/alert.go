// Package alert drains the outbox: it renders the e-mails that ringback owes
// somebody and hands them to a mail server, until the server takes them,
// refuses them for good, or three days are over.
//
// The outbox is the store's; this package keeps nothing that a restart would
// have to bring back. An alert is written down as sent right after the server's
// 250, and every try carries the same Message-ID, so that the one duplicate
// that cannot be avoided, when the process dies in between, is recognised by
// the receiver's mail program.
//
// Whatever came from outside (names, contents, answers of endpoints) is
// sanitised when the facts of a mail are gathered; what the templates see is
// one line of printable text each.
package alert

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"text/template"
	"time"

	"ringback/callback"
)

// Bounds of the engine.
const (
	workers     = 4                // mails handed over at once
	sendTimeout = 20 * time.Minute // for one mail: above what the client itself allows, for giving up early makes duplicates
	grace       = 10 * time.Second // for running mails when the engine is told to end
	firstRetry  = time.Minute      // doubled with each try
	lastRetry   = time.Hour        // what doubling ends at
	patience    = time.Hour        // how long a mail that is put off holds back later ones of its callback
	maxNap      = time.Minute      // between looks while alerts wait, in case the clock jumps
	batch       = 64               // alerts read at once, at first
	maxBatch    = 8192             // and at most
)

// Store is the part of callback.Store that alerts need.
type Store interface {
	Callback(num callback.Num) (callback.Health, error)
	Call(ctx context.Context, num callback.Num, id callback.CallID) (callback.Call, error)
	callback.Outbox
}

// Options says where alerts come from, who sends them, and to whom. Store and
// Now are required.
type Options struct {
	Store  Store
	Mailer callback.Mailer // nil: no mail server; alerts wait, and expire after callback.AlertLife

	From             string   // sender: an RFC 5322 address
	Admin            string   // the administrator's address, or empty
	RecipientDomains []string // when not empty, the only domains mails go to; subdomains do not count

	// Policy is the configuration's; mails tell of its intervals and limits.
	Policy callback.Policy

	PublicURL string // base of the API's URLs in mails, or empty
	Listen    string // address the API listens on, told where PublicURL is empty
	Name      string // of this appliance, a host name; also the right side of message ids

	Now  func() time.Time // must not go back
	Zone *time.Location   // in which mails tell times beside UTC; nil: time.Local
	Log  *slog.Logger     // nil: none

	Resolver *net.Resolver // looks the domains of addresses up; nil: net.DefaultResolver
}

// Engine sends the alerts of one store. Its methods may be called by several
// goroutines at once, but only one may be in Run.
type Engine struct {
	o       Options
	host    string // of message ids: the same as long as the configuration is
	wording *template.Template
	wake    chan struct{}
	server  server
}

// New returns an engine; nothing happens before Run.
func New(o Options) *Engine {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	o.Name = callback.Sanitize(o.Name, 100)
	e := &Engine{
		o:    o,
		host: cmp.Or(hostPart(o.Name), hostPart(domain(o.From)), "localhost"),
		wake: make(chan struct{}, 1),
	}
	e.wording = e.inZone()
	return e
}

// Wake tells the engine that the outbox changed. It never blocks; call it after
// each commit that made an alert or made one due.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default: // one wake-up is pending already, and it will see this change too
	}
}

// Run sends what is due until ctx is done, and then returns nil once the mails
// being handed over are finished: they get ten seconds, and those that take
// longer are sent again, under the same Message-ID, by the next Run. A fault of
// the store ends it with that error.
func (e *Engine) Run(ctx context.Context) error {
	sending, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	r := &run{
		Engine:  e,
		sending: sending,
		done:    make(chan outcome, workers),
		busy:    make(map[callback.Num]string),
		holds:   make(map[callback.Num]hold),
	}
	err := r.loop(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	if err != nil {
		cut() // what they achieve could not be written down
	}
	last := time.AfterFunc(grace, cut)
	defer last.Stop()
	for len(r.busy) > 0 {
		o := <-r.done
		r.finished(o)
		if err == nil && o.err != nil {
			err = o.err
			cut()
		}
	}
	return err
}
