package app

import (
	"context"
	"sync"
	"time"

	"ringback/callback"
)

// System implements callback.Inspector.
func (a *App) System(ctx context.Context) (s callback.System, err error) {
	now := a.clock.Now()
	began := a.opt.Info.Started
	m := a.meter
	s = callback.System{
		Now:      now,
		Accepted: m.Accepted.Throughput(now, began), Delivered: m.Delivered.Throughput(now, began), Failed: m.Failed.Throughput(now, began),
		Accept: m.Accept.Digest(now), Commit: m.Commit.Digest(now), Lag: m.Lag.Digest(now), Answer: m.Answer.Digest(now),
		Viewers: a.viewers.all(), Chores: a.chores.last(),
	}
	s.API.Listen = a.opt.Info.Listen
	s.API.Answers, s.API.Keys = m.Answers(now)
	if err := a.facts.look(ctx, a, now); err != nil {
		return s, err
	}
	s.Storage, s.Mail.Failed = a.storage(), a.facts.failedMails()
	s.Process = a.process(now, s.Storage.Files)
	s.Mail.Server = a.opt.Info.MailServer
	s.Mail.OK, s.Mail.Note = a.alert.Status()
	s.Mail.Sent, s.Mail.LastSent = a.alert.Sent()
	if w, ok := a.opt.Store.(interface{ AlertsWaiting() int }); ok {
		s.Mail.Waiting = w.AlertsWaiting()
	}
	if c, ok := a.opt.Mailer.(interface{ CertificateEnds() time.Time }); ok {
		s.Mail.CertEnds = c.CertificateEnds()
	}
	return s, nil
}

// Log implements callback.Inspector.
func (a *App) Log(_ context.Context, after uint64, max int) ([]callback.LogLine, error) {
	return a.journal.After(after, max), nil
}

// factsLast is how long facts hold that need the disk to be read.
const factsLast = 30 * time.Second

// facts are what System tells and what is not known without reading from disk.
// The zero value is ready.
type facts struct {
	mu     sync.Mutex
	at     time.Time
	store  callback.Storage
	oldest time.Time
	failed int // alerts
	first  use // of the disk, since which growth is measured
}

type use struct {
	at    time.Time
	bytes uint64
}

// measuring is how long growth is measured before it is told.
const measuring = time.Hour

// look reads what it holds anew where that was not done lately.
func (f *facts) look(ctx context.Context, a *App, now time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.at.IsZero() && now.Sub(f.at) < factsLast {
		return nil
	}
	if s, ok := a.opt.Store.(interface{ Storage() callback.Storage }); ok {
		f.store = s.Storage()
	}
	if f.first.at.IsZero() {
		f.first = use{now, f.store.Used}
	}
	page, err := a.opt.Store.Calls(ctx, callback.CallQuery{
		Filter: callback.Filter{Status: callback.ListSuccess | callback.ListFailed | callback.ListPending}, Oldest: true, Limit: 1,
	}.Bounded())
	if err != nil {
		return err
	}
	f.oldest = time.Time{}
	if len(page.Calls) > 0 {
		f.oldest = page.Calls[0].Enqueued
	}
	alerts, err := a.opt.Store.Alerts(ctx, callback.Newest[callback.Alert]{Limit: callback.MaxPage})
	if err != nil {
		return err
	}
	f.failed = 0
	for i := range alerts.Rows {
		if s := alerts.Rows[i].Status; s == callback.AlertRefused || s == callback.AlertExpired {
			f.failed++
		}
	}
	f.at = now
	return nil
}

func (f *facts) failedMails() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}

// storage tells where everything is kept.
func (a *App) storage() callback.Storage {
	f := &a.facts
	f.mu.Lock()
	s, oldest, first, at := f.store, f.oldest, f.first, f.at
	f.mu.Unlock()
	s.Dir, s.Oldest, s.KeepDone, s.KeepFailed = a.opt.Info.DataDir, oldest, a.opt.Delivered, a.opt.Failed
	if span := at.Sub(first.at); span >= measuring {
		s.GrowsSince = first.at
		s.Grows = int64((float64(s.Used) - float64(first.bytes)) / span.Hours() * 24)
	}
	for h := range a.opt.Store.All() {
		s.Calls += h.Live.Counts.Sum()
	}
	a.chores.mu.Lock()
	defer a.chores.mu.Unlock()
	s.Cleanup = a.chores.cleanup
	return s
}
