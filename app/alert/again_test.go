package alert

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// An alert that a person asks for again goes out at once to the callback's own
// address, whatever became of it, under the same Message-ID.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	unknown, away := refusal("rcpt", 550, "550 5.1.1 unknown"), refusal("rcpt", 451, "451 greylisted")
	for _, tt := range []struct {
		name   string
		admin  string
		wait   time.Duration
		before error // what its own address is answered before somebody asks
		after  error // and then
		status callback.AlertStatus
		mails  int // since
	}{
		{"sent", "", time.Minute, nil, nil, callback.AlertSent, 1},
		{"sent, long ago", "admin@example.com", 5 * 24 * time.Hour, nil, nil, callback.AlertSent, 1},
		{"waiting for its next try", "", 150 * time.Second, away, nil, callback.AlertSent, 1},
		{"expired", "", 5 * 24 * time.Hour, away, nil, callback.AlertSent, 1},
		{"expired, and put off again", "", 5 * 24 * time.Hour, away, away, callback.AlertExpired, 1},
		{"refused", "", time.Hour, unknown, nil, callback.AlertSent, 1},
		{"the administrator's", "admin@example.com", time.Hour, unknown, nil, callback.AlertSent, 1},
		{"the administrator's again", "admin@example.com", time.Hour, unknown, unknown, callback.AlertSent, 2},
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
				if earlier == 0 || len(posts) != earlier+tt.mails || posts[earlier].To != "jo@example.com" || posts[earlier].MessageID != posts[0].MessageID {
					t.Fatalf("before it was asked for: %d; in all %+v", earlier, posts)
				}
				if got := r.alerts()[0]; got.Status != tt.status {
					t.Fatalf("the alert: %+v, want %v", got, tt.status)
				}
			})
		})
	}
}
