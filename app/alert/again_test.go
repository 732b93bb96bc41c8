package alert

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// An alert that a person asks for again goes out at once to the callback's own
// address, whatever became of it: under the same Message-ID, unless a server took
// one, for then this is another mail, which follows the first.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	unknown, away := refusal("rcpt", 550, "550 5.1.1 unknown"), refusal("rcpt", 451, "451 greylisted")
	for _, tt := range []struct {
		name    string
		admin   string
		wait    time.Duration
		before  error // what its own address is answered before somebody asks
		after   error // and then
		status  callback.AlertStatus
		mails   int  // since
		another bool // mail, not the first once more
	}{
		{"sent", "", time.Minute, nil, nil, callback.AlertSent, 1, true},
		{"sent, long ago", "admin@example.com", 5 * 24 * time.Hour, nil, nil, callback.AlertSent, 1, true},
		{"waiting for its next try", "", 150 * time.Second, away, nil, callback.AlertSent, 1, false},
		{"expired", "", 5 * 24 * time.Hour, away, nil, callback.AlertSent, 1, false},
		{"expired, and put off again", "", 5 * 24 * time.Hour, away, away, callback.AlertExpired, 1, false},
		{"refused", "", time.Hour, unknown, nil, callback.AlertSent, 1, false},
		{"the administrator's", "admin@example.com", time.Hour, unknown, nil, callback.AlertSent, 1, true},
		{"the administrator's again", "admin@example.com", time.Hour, unknown, unknown, callback.AlertSent, 2, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(o *Options) { o.Admin = tt.admin })
				answer := tt.before
				r.box.answer = func(_ context.Context, m callback.Mail, _ int) error {
					if m.To == "jo@example.com" {
						return answer
					}
					return nil
				}
				r.start()
				r.fail(r.create("crm-prod", "jo@example.com", ""), "one")
				time.Sleep(tt.wait)
				synctest.Wait()
				earlier := len(r.box.all())
				answer = tt.after
				if err := r.store.SendAgain(t.Context(), time.Now(), r.alerts()[0].Key); err != nil {
					t.Fatal(err)
				}
				r.Wake()
				synctest.Wait()
				r.end()
				posts := r.box.all()
				if earlier == 0 || len(posts) != earlier+tt.mails || posts[earlier].To != "jo@example.com" {
					t.Fatalf("before it was asked for: %d; in all %+v", earlier, posts)
				}
				first, again := posts[0].Mail, posts[earlier].Mail
				if tt.another != (again.MessageID != first.MessageID) || tt.another != (again.InReplyTo == first.MessageID) {
					t.Fatalf("it has the id %s and follows %q, after %s", again.MessageID, again.InReplyTo, first.MessageID)
				}
				if last := posts[len(posts)-1]; last.MessageID != again.MessageID {
					t.Fatalf("the administrator gets %s, not %s", last.MessageID, again.MessageID)
				}
				if got := r.alerts()[0]; got.Status != tt.status {
					t.Fatalf("the alert: %+v, want %v", got, tt.status)
				}
			})
		})
	}
}

// TestSentAgainAndAgain follows the Message-IDs of one alert: each mail that a
// server took has its own, and what may have been taken, because it was put off or
// the process ended before that was written down, keeps its own.
func TestSentAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		var away atomic.Bool
		r.box.answer = func(context.Context, callback.Mail, int) error {
			if away.Load() {
				return refusal("rcpt", 451, "451 greylisted")
			}
			return nil
		}
		r.start()
		r.fail(r.create("crm-prod", "jo@example.com", ""), "one")
		key := r.alerts()[0].Key
		again := func() {
			t.Helper()
			if err := r.store.SendAgain(t.Context(), time.Now(), key); err != nil {
				t.Fatal(err)
			}
			r.Wake()
			synctest.Wait()
		}
		again()
		before := r.alerts()[0]
		again()
		before.Status, before.Next = callback.AlertWaiting, time.Now()
		if err := r.store.SetAlert(t.Context(), time.Now(), before); err != nil { // the commit after the third was lost
			t.Fatal(err)
		}
		r.end()
		r.start()
		away.Store(true)
		again()
		away.Store(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		r.end()
		var ids []int // each mail by the first that had its id
		posts := r.box.all()
		for i, p := range posts {
			first := slices.IndexFunc(posts, func(o post) bool { return o.MessageID == p.MessageID })
			ids = append(ids, first)
			if follows := p.InReplyTo == posts[0].MessageID; follows != (first > 0) {
				t.Errorf("mail %d follows %q", i, p.InReplyTo)
			}
		}
		if want := []int{0, 1, 2, 2, 4, 4}; !slices.Equal(ids, want) {
			t.Errorf("ids %v, want %v", ids, want)
		}
		if a := r.alerts()[0]; a.Mails != 4 {
			t.Errorf("%d mails were counted", a.Mails)
		}
	})
}

// An alert that was sent before mails were counted has had one.
func TestSentBeforeMailsWereCounted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.start()
		r.fail(r.create("crm-prod", "jo@example.com", ""), "one")
		a := r.alerts()[0]
		a.Mails = 0
		a.Status, a.Next = callback.AlertWaiting, time.Now()
		if err := r.store.SetAlert(t.Context(), time.Now(), a); err != nil {
			t.Fatal(err)
		}
		r.Wake()
		synctest.Wait()
		r.end()
		if posts := r.box.all(); len(posts) != 2 || posts[0].MessageID == posts[1].MessageID || r.alerts()[0].Mails != 2 {
			t.Errorf("%+v, %+v", posts, r.alerts())
		}
	})
}
