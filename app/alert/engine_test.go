package alert

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

func TestSentOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.start()
		cb := r.create("crm-prod", "ops@example.com", "")
		r.fail(cb, "one")
		r.fail(cb, "two")
		for range 10 {
			r.Wake()
		}
		time.Sleep(5 * 24 * time.Hour)
		r.end()
		r.start() // a restart finds nothing to do
		r.end()
		r.want(callback.AlertSent, "ops@example.com", 1, "250 2.0.0 Ok: queued as [31m4F2C1")
		if diff := cmp.Diff([]time.Duration{0}, r.box.times()); diff != "" {
			t.Fatalf("mails (-want +got):\n%s", diff)
		}
		m := r.box.all()[0].Mail
		if want := "[ringback] crm-prod is failing: HTTP 500"; m.Subject != want || content(m) != "one" {
			t.Fatalf("got %q about %q, want %q about one", m.Subject, content(m), want)
		}
	})
}

func TestRetriedUnderOneMessageID(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(_ context.Context, _ callback.Mail, n int) error {
			if n < 3 {
				return refusal("rcpt", 451, "451 4.7.1 greylisted")
			}
			return nil
		}
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		r.want(callback.AlertWaiting, "ops@example.com", 1, "451 4.7.1 greylisted")
		if ok, note := r.Status(); !ok || note != "" {
			t.Fatalf("status: got %v %q, but the server works", ok, note)
		}
		time.Sleep(time.Hour)
		r.end()
		r.want(callback.AlertSent, "ops@example.com", 3, "250 ")
		if diff := cmp.Diff([]time.Duration{0, time.Minute, 3 * time.Minute}, r.box.times()); diff != "" {
			t.Fatalf("tries (-want +got):\n%s", diff)
		}
		for _, p := range r.box.all() {
			if first := r.box.all()[0]; p.MessageID != first.MessageID || !p.Date.Equal(first.Date) {
				t.Fatalf("a later try has Message-ID %s and date %v, the first %s and %v", p.MessageID, p.Date, first.MessageID, first.Date)
			}
		}
	})
}

func TestBackoffUntilExpired(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(context.Context, callback.Mail, int) error {
			return refusal("connect", 0, "localhost:587 refuses connections")
		}
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		time.Sleep(callback.AlertLife - time.Second)
		var want []time.Duration
		at := time.Duration(0)
		for wait := time.Minute; at < callback.AlertLife; wait = min(2*wait, time.Hour) {
			want = append(want, at)
			at += wait
		}
		if diff := cmp.Diff(want, r.box.times()); diff != "" {
			t.Fatalf("tries (-want +got):\n%s", diff)
		}
		r.want(callback.AlertWaiting, "ops@example.com", len(want), "refuses connections")
		time.Sleep(time.Second)
		synctest.Wait()
		r.want(callback.AlertExpired, "ops@example.com", len(want), "not sent within 3 days; the last try: mail, connect: localhost:587 refuses connections")
		time.Sleep(24 * time.Hour)
		r.end()
		if got := len(r.box.all()); got != len(want) {
			t.Fatalf("%d tries in all, want %d: none after it expired", got, len(want))
		}
	})
}

func TestSendHasATimeLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.box.answer = func(ctx context.Context, m callback.Mail, n int) error {
			if n == 1 {
				return hang(ctx, m, n)
			}
			return nil
		}
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		time.Sleep(time.Hour)
		r.end()
		if diff := cmp.Diff([]time.Duration{0, sendTimeout + time.Minute}, r.box.times()); diff != "" {
			t.Fatalf("tries (-want +got):\n%s", diff)
		}
	})
}

func TestNoMailer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Mailer = nil })
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		if ok, note := r.Status(); ok || !strings.Contains(note, "no mail server is configured") {
			t.Fatalf("status: got %v %q", ok, note)
		}
		time.Sleep(callback.AlertLife - time.Second)
		r.want(callback.AlertWaiting, "", 0, "")
		time.Sleep(time.Second)
		synctest.Wait()
		r.want(callback.AlertExpired, "", 0, "not sent within 3 days: no mail server is configured")
		r.end()
	})
}

// More alerts than are read at once must neither keep the engine busy nor keep
// any of them from expiring.
func TestNoMailerManyAlerts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Mailer = nil })
		p := policy()
		p.MaxPerHour = 1000
		r.store.SetPolicy(p)
		cb := r.create("crm-prod", "ops@example.com", callback.ModeEveryCall)
		for i := range batch + 1 {
			r.fail(cb, fmt.Sprint(i))
		}
		r.start()
		time.Sleep(callback.AlertLife)
		synctest.Wait()
		for _, a := range r.alerts() {
			if a.Status != callback.AlertExpired {
				t.Fatalf("alert %s is %s", a.Key, a.Status)
			}
		}
		r.end()
	})
}

// An alert whose time ends while it is being sent is not closed meanwhile.
func TestNotExpiredWhileSending(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Mailer = nil })
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		time.Sleep(callback.AlertLife - 10*time.Second)
		r.end()
		r.box.answer = func(context.Context, callback.Mail, int) error {
			time.Sleep(30 * time.Second)
			return nil
		}
		r.opts.Mailer = r.box
		r.start()
		time.Sleep(15 * time.Second)
		r.Wake()
		synctest.Wait()
		r.want(callback.AlertWaiting, "", 0, "")
		time.Sleep(time.Minute)
		r.end()
		r.want(callback.AlertSent, "ops@example.com", 1, "250 ")
	})
}

// An expired alert that a person sends again is tried once more.
func TestExpiredIsSentByHand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(o *Options) { o.Mailer = nil })
		again := func() {
			a := r.alerts()[0]
			a.Status, a.Next = callback.AlertWaiting, time.Now()
			if err := r.store.SetAlert(t.Context(), time.Now(), a); err != nil {
				t.Fatal(err)
			}
			r.Wake()
			synctest.Wait()
		}
		r.start()
		r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
		time.Sleep(callback.AlertLife + time.Hour)
		again() // without a mail server it expires again
		r.want(callback.AlertExpired, "", 0, "no mail server is configured")
		r.end()
		r.opts.Mailer = r.box
		r.box.answer = func(_ context.Context, _ callback.Mail, n int) error {
			if n == 1 {
				return refusal("connect", 0, "no answer")
			}
			return nil
		}
		r.start()
		again()
		r.want(callback.AlertExpired, "ops@example.com", 1, "the last try: mail, connect: no answer")
		again()
		r.want(callback.AlertSent, "ops@example.com", 2, "250 ")
		time.Sleep(24 * time.Hour)
		r.end()
		if n := len(r.box.all()); n != 2 {
			t.Fatalf("%d tries, want 2", n)
		}
	})
}

func TestDeletedCallback(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		cb := r.create("crm-prod", "ops@example.com", "")
		r.fail(cb, "one")
		if err := r.store.Delete(t.Context(), time.Now(), cb.Num); err != nil {
			t.Fatal(err)
		}
		r.start()
		r.end()
		r.want(callback.AlertSent, "ops@example.com", 1, "250 ")
	})
}
