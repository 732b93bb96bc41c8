package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringback/app/alert"
	"ringback/app/dispatch"
	"ringback/callback"
	"ringback/queue/memq"
)

// still is a poster that makes no attempt: it waits until it is cut off.
type still struct{}

func (still) Post(ctx context.Context, _ *callback.Callback, _ *callback.Claim, number int) []callback.Attempt {
	<-ctx.Done()
	return []callback.Attempt{{Number: number, Class: callback.ClassInterrupted}}
}

// resting returns an appliance that does not run, over a store in memory.
func resting(t *testing.T, change func(*Options)) *App {
	t.Helper()
	o := Options{
		Store: memq.New(callback.Policy{}), Poster: still{},
		Policy: callback.Policy{Retries: true, MaxInFlight: 4, Interval: 5 * time.Minute, Window: 24 * time.Hour, Mode: callback.ModeOutage, RecoveryAfter: 15 * time.Minute},
	}
	if change != nil {
		change(&o)
	}
	return New(o)
}

// callbackOf makes a callback with retries.
func callbackOf(t *testing.T, a *App, name string) callback.Health {
	t.Helper()
	yes, url := true, "http://127.0.0.1:1/"
	if _, err := a.Create(t.Context(), callback.Draft{Name: &name, URL: &url, Retries: &yes}); err != nil {
		t.Fatal(err)
	}
	h, err := a.opt.Store.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// store enqueues n calls at a time, due after a while.
func store(t *testing.T, a *App, num callback.Num, n int, now time.Time, wait time.Duration) {
	t.Helper()
	calls := make([]callback.NewCall, n)
	for i := range calls {
		calls[i].Num = num
		calls[i].Response.MessageID = fmt.Sprint(i)
		if wait > 0 {
			calls[i].Response.DeliverAt = now.Add(wait)
		}
	}
	results, err := a.opt.Store.Enqueue(t.Context(), now, calls)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func TestCensus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := resting(t, nil)
		busy, quiet := callbackOf(t, a, "busy"), callbackOf(t, a, "quiet")
		began := time.Now()
		store(t, a, busy.Num, 3, began, 0)
		time.Sleep(2 * time.Hour)
		now := time.Now()
		store(t, a, busy.Num, 700, now, 0) // more than a page
		store(t, a, busy.Num, 2, now, 3*time.Minute)
		store(t, a, busy.Num, 1, now, time.Hour)
		store(t, a, quiet.Num, 4, now, 0)
		if err := a.Suspend(t.Context(), "quiet", "ana"); err != nil {
			t.Fatal(err)
		}
		s, err := a.QueueShape(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		due := [callback.DueBuckets]uint64{callback.DueLate: 3, callback.DueNow: 700, callback.DueMinute + 2: 2, callback.DueLater: 1}
		if s.Waiting != 710 || s.Held != 4 || s.Due != due || s.Partial || s.More != 0 || s.Running != 0 {
			t.Errorf("got %+v, want 710, 4 of them held, due %v", s, due)
		}
		if len(s.Callbacks) != 2 || s.Callbacks[0].Callback != "busy" || s.Callbacks[1].Callback != "quiet" {
			t.Fatalf("rows: %+v", s.Callbacks)
		}
		if r := s.Callbacks[0]; r.Ages != [callback.AgeBuckets]uint64{0: 703, 3: 3} || r.Held || !r.GivesUp.IsZero() || r.Waiting != 706 {
			t.Errorf("busy: %+v", r)
		}
		if r := s.Callbacks[1]; r.Ages != [callback.AgeBuckets]uint64{0: 4} || !r.Held || r.State != callback.Suspended {
			t.Errorf("quiet: %+v", r)
		}
		store(t, a, busy.Num, 5, now, 0)
		if again, err := a.QueueShape(t.Context()); err != nil || again.Waiting != 715 || again.Due != due || !again.Counted.Equal(s.Counted) {
			t.Errorf("at once again: %+v, %v; want the count of before", again, err)
		}
		time.Sleep(time.Hour)
		if again, err := a.QueueShape(t.Context()); err != nil || again.Due[callback.DueLate] != 3+700+2+5+0 {
			t.Errorf("an hour later: %+v, %v", again.Due, err)
		}
	})
}

// When there is too much to look at, those of which few wait are counted whole,
// and the others say that they are not.
func TestCensusIsBounded(t *testing.T) {
	t.Parallel()
	a := resting(t, nil)
	now := time.Now()
	large, small := callbackOf(t, a, "large"), callbackOf(t, a, "small")
	store(t, a, large.Num, 2000, now, 0)
	store(t, a, small.Num, 10, now, 0)
	n := counter{headcount: headcount{at: now, rows: map[callback.Num]counted{}}, app: a, left: 1000}
	if err := n.all(t.Context(), a.opt.Store.Callbacks()); err != nil {
		t.Fatal(err)
	}
	if r := n.rows[small.Num]; r.partial || r.ages[0] != 10 {
		t.Errorf("small: %+v", r)
	}
	if r := n.rows[large.Num]; !r.partial || r.ages[0] != 990 || !n.partial {
		t.Errorf("large: %+v, partial %v", r, n.partial)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	n.left = 1 << 20
	if err := n.all(ctx, a.opt.Store.Callbacks()); !errors.Is(err, context.Canceled) {
		t.Errorf("nobody waits for it: %v", err)
	}
}

// texts returns the lines of the log behind a number, without their numbers and times.
func texts(a *App, after uint64) (out []string, last uint64) {
	for _, l := range a.journal.After(after, 0) {
		out = append(out, fmt.Sprintf("%s %s %s: %s", l.Level, l.Part, l.Callback, l.Text))
		last = l.Seq
	}
	return out, max(last, after)
}

// Attempts that fail are told of once a second for each callback.
func TestFailuresInTheLog(t *testing.T) {
	t.Parallel()
	a := resting(t, nil)
	crm, other := callbackOf(t, a, "crm"), callbackOf(t, a, "other")
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for n := range 1000 {
		a.pulse.attempt(&dispatch.Ended{
			Callback: &crm.Callback, Entry: callback.Entry{ID: callback.CallID(n + 1), Num: crm.Num, Due: at.Add(5 * time.Minute)},
			Attempts: []callback.Attempt{{Number: 3, Started: at, Duration: 84 * time.Millisecond, Code: 503, Reason: "Service Unavailable"}},
		})
	}
	a.pulse.attempt(&dispatch.Ended{
		Callback: &other.Callback, Entry: callback.Entry{ID: 7, Num: other.Num, Status: callback.Failed, Reason: callback.RetriesOff},
		Attempts: []callback.Attempt{{Number: 1, Started: at, Class: callback.ClassRefused, Reason: "connection refused"}, {Number: 2, OK: true, Code: 200}},
	})
	a.pulse.flush(a)
	a.pulse.flush(a)
	got, _ := texts(a, 0)
	if len(got) != 2 {
		t.Fatalf("got %q", got)
	}
	want := "warn delivery crm: attempt 3: 503 Service Unavailable after 84ms, next 09:05:00 UTC (and 999 more)"
	if got[1] != want || !strings.HasPrefix(got[0], "warn delivery other: ") { // which ended sooner
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStatesInTheLog(t *testing.T) {
	t.Parallel()
	a := resting(t, nil)
	crm := callbackOf(t, a, "crm")
	a.opt.Log = slogTo(a)
	now := time.Now()
	a.pulse.sights(a, now)
	last := uint64(0)
	step := func(act func() error, want ...string) {
		t.Helper()
		if err := act(); err != nil {
			t.Fatal(err)
		}
		a.pulse.sights(a, now)
		a.pulse.sights(a, now)
		var got []string
		got, last = texts(a, last)
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	step(func() error { return nil })
	step(func() error { return a.Suspend(t.Context(), "crm", "ana") }, "warn outage crm: suspended by=ana")
	step(func() error { return a.Resume(t.Context(), "crm") }, "info outage crm: resumed")
	step(func() error { return a.Delete(t.Context(), "crm") }, "info callback crm: the callback was deleted id="+crm.ID.String())
}

// The log tells of each change of a callback and of each sample that was sent, and
// of none that was refused.
func TestChangesInTheLog(t *testing.T) {
	t.Parallel()
	a := resting(t, func(o *Options) { o.Poster = teapot{} })
	a.opt.Log = slogTo(a)
	id := callbackOf(t, a, "crm").ID.String()
	ctx, odd, url, auth, key, name := t.Context(), "no URL", "http://127.0.0.1:1/canary?a=canary", callback.AuthBearer, "canary", "erp"
	d := callback.Draft{URL: &url, AuthType: &auth, AuthKey: &key}
	for _, act := range []func(d callback.Draft) error{
		func(d callback.Draft) error { _, err := a.Update(ctx, "crm", d, 0); return err },
		func(d callback.Draft) error { _, err := a.TestDraft(ctx, "crm", d); return err },
		func(d callback.Draft) error { d.Name = &name; _, err := a.TestDraft(ctx, "", d); return err },
		func(callback.Draft) error { _, err := a.Test(ctx, "crm"); return err },
	} {
		if err := act(d); err != nil {
			t.Fatal(err)
		}
		_ = act(callback.Draft{URL: &odd}) // it is told to who asked
	}
	want := []string{
		"info callback crm: the callback was made id=" + id, "info callback crm: the callback was changed id=" + id,
		"info delivery crm: a draft was tested answer=418 I'm a teapot", "info delivery erp: a draft was tested answer=418 I'm a teapot",
		"info delivery crm: a test was sent answer=418 I'm a teapot", "info delivery crm: a test was sent answer=418 I'm a teapot",
	}
	if got, _ := texts(a, 0); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// teapot answers every attempt with an error.
type teapot struct{}

func (teapot) Post(context.Context, *callback.Callback, *callback.Claim, int) []callback.Attempt {
	return []callback.Attempt{{Number: 1, Code: 418, Class: callback.ClassStatus, Reason: "I'm a teapot"}}
}

// The log tells who began an operation, and what they said of it.
func TestOperationInTheLog(t *testing.T) {
	t.Parallel()
	a := resting(t, nil)
	callbackOf(t, a, "crm")
	a.opt.Log = slogTo(a)
	for _, remark := range []string{"", "ticket 4471"} {
		n := callback.NewOperation{Ref: "crm", Kind: callback.OperationRetry, By: "ana", Remark: remark}
		if _, _, err := a.StartOperation(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	got, _ := texts(a, 0)
	const began = "info operation crm: operation started kind=retry by=ana"
	if len(got) != 2 || got[0] != began || got[1] != began+" remark=ticket 4471" {
		t.Errorf("told %q", got)
	}
}

// mailer takes every mail, or none.
type mailer struct {
	got  chan callback.Mail
	fail error
}

func (m *mailer) Send(_ context.Context, mail callback.Mail) (string, error) {
	m.got <- mail
	return "250 2.0.0 Ok", m.fail
}

func TestChores(t *testing.T) {
	t.Parallel()
	m := &mailer{got: make(chan callback.Mail, 1)}
	goOn := make(chan error)
	a := resting(t, func(o *Options) {
		o.Mailer = m
		o.Alerts = alert.Options{Admin: "admin@example.com", From: "ringback@example.com", Name: "gw1.example.com"}
		o.Backup = func(ctx context.Context) (string, int64, error) { return "/backups/x\x1b", 42, <-goOn }
	})
	a.opt.Log = slogTo(a)
	if err := a.Do(t.Context(), callback.ChoreMail, "ana"); callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("while nothing runs: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- a.doChores(ctx) }()
	a.setReady(true)
	revs := a.hub.Watch(ctx)
	<-revs
	ended := func(c callback.Chore) callback.ChoreRun {
		t.Helper()
		for {
			for _, r := range a.chores.last() {
				if r.Chore == c && !r.Runs() {
					return r
				}
			}
			<-revs
		}
	}
	if err := a.Do(ctx, callback.ChoreMail, "ana"); err != nil {
		t.Fatal(err)
	}
	if mail := <-m.got; mail.To != "admin@example.com" || !strings.Contains(mail.Text, "test mail of ringback on gw1.example.com") || mail.MessageID == "" {
		t.Errorf("sent %+v", mail)
	}
	if r := ended(callback.ChoreMail); !r.OK || r.By != "ana" || r.Said != "to admin@example.com: 250 2.0.0 Ok" {
		t.Errorf("the mail: %+v", r)
	}
	if n, _ := a.alert.Sent(); n != 0 {
		t.Errorf("%d alerts were sent", n)
	}
	if err := a.Do(ctx, callback.ChoreBackup, "ana"); err != nil {
		t.Fatal(err)
	}
	if err := a.Do(ctx, callback.ChoreBackup, "jo"); callback.ErrorCode(err) != callback.CodeConflict {
		t.Errorf("a second at once: %v", err)
	}
	goOn <- nil
	if r := ended(callback.ChoreBackup); !r.OK || r.Said != "/backups/x" || r.Bytes != 42 {
		t.Errorf("the backup: %+v", r)
	}
	if err := a.Do(ctx, callback.ChoreBackup, "jo"); err != nil {
		t.Fatal(err)
	}
	goOn <- errors.New("the disk has no room")
	for r := ended(callback.ChoreBackup); ; r = ended(callback.ChoreBackup) {
		if r.By == "jo" {
			if r.OK || r.Said != "the disk has no room" {
				t.Errorf("the backup without room: %+v", r)
			}
			break
		}
	}
	if err := a.Do(ctx, callback.ChoreGarbage, "ana"); callback.ErrorCode(err) != callback.CodeConflict {
		t.Errorf("of a store in memory: %v", err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	got, _ := texts(a, 0)
	if s := strings.Join(got, "\n"); len(got) != 3 || !strings.Contains(s, "warn upkeep : it was not done") || strings.Count(s, "info upkeep : done") != 2 {
		t.Errorf("told %q", got)
	}
}

func TestViewers(t *testing.T) {
	t.Parallel()
	a := resting(t, nil)
	var leave []func()
	for i := range 2 * maxViewers {
		leave = append(leave, a.Viewing(callback.Viewer{By: fmt.Sprintf("viewer\x1b %d", i), Role: callback.RoleRead}))
	}
	all := a.viewers.all()
	if len(all) != maxViewers || all[0].By != "viewer 0" || all[1].By != "viewer 1" || all[0].Since.IsZero() {
		t.Errorf("%d viewers: %+v", len(all), all[0])
	}
	for _, left := range leave {
		left()
	}
	if all := a.viewers.all(); len(all) != 0 {
		t.Errorf("left behind: %+v", all)
	}
}

func TestFlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := resting(t, nil)
		h := callbackOf(t, a, "crm")
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- a.beat(ctx) }()
		time.Sleep(90 * time.Second)
		if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: "crm"}, {Ref: "crm"}, {Ref: "crm"}}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		var ids []callback.CallID
		page, err := a.opt.Store.Due(ctx, h.Num, callback.Fresh, callback.DueKey{}, 2)
		for _, e := range page {
			ids = append(ids, e.ID)
		}
		if err != nil || len(ids) != 2 {
			t.Fatalf("%v, %v", ids, err)
		}
		if _, err := a.opt.Store.Resolve(ctx, time.Now(), h.Num, ids, "ana"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		s, err := a.QueueShape(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var in, out uint64
		for _, f := range s.Flow {
			in, out = in+f.In, out+f.Out
		}
		last := s.Flow[len(s.Flow)-1]
		if in != 3 || out != 2 || last.Left != 1 || len(s.Flow) != 4 || s.FullSeconds != 0 {
			t.Errorf("3 came and 2 left: %+v", s.Flow)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Error(err)
		}
	})
}

// slogTo is a log that goes to the journal of a, and nowhere else.
func slogTo(a *App) *slog.Logger { return slog.New(a.journal.Handler(slog.DiscardHandler)) }
