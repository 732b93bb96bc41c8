package alert

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

func TestRefusedGoesToTheAdministrator(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		admin  error
		status callback.AlertStatus
		reply  string
	}{
		{"who takes it", nil, callback.AlertSent, "250 "},
		{"who is refused too", refusal("rcpt", 550, "550 no such user"), callback.AlertRefused, "550 no such user"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, nil)
				r.box.answer = func(_ context.Context, m callback.Mail, _ int) error {
					if m.To == "admin@example.com" {
						return tt.admin
					}
					return refusal("rcpt", 550, "550 5.1.1 unknown")
				}
				r.start()
				r.fail(r.create("crm-prod", "jo@exmaple.com", ""), "one")
				time.Sleep(4 * 24 * time.Hour)
				r.end()
				r.want(tt.status, "admin@example.com", 2, tt.reply)
				posts := r.box.all()
				if len(posts) != 2 || posts[0].To != "jo@exmaple.com" || posts[1].To != "admin@example.com" || posts[0].MessageID != posts[1].MessageID {
					t.Fatalf("got %+v, want one to jo@exmaple.com and the same to admin@example.com", posts)
				}
				if text := strings.Join(strings.Fields(posts[1].Text), " "); !strings.Contains(text, "does not take mail for the callback's own address, jo@exmaple.com.") {
					t.Fatalf("the administrator is not told why:\n%s", posts[1].Text)
				}
				if ok, note := r.Status(); !ok {
					t.Fatalf("status: %q, but the server works", note)
				}
			})
		})
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, own, admin string
		domains          []string
		to               string // "": refused
		reply            string
	}{
		{"own", "ops@example.com", "admin@example.com", nil, "ops@example.com", "250"},
		{"none of its own", "", "admin@example.com", nil, "admin@example.com", "250"},
		{"nobody", "", "", nil, "", "no e-mail address of its own. There is no administrator's address"},
		{"own in the domains", "ops@EXAMPLE.com", "a@example.org", []string{"example.com"}, "ops@EXAMPLE.com", "250"},
		{"own not in the domains", "ops@evil.example", "Admin <a@example.com>", []string{"example.com"}, "Admin <a@example.com>", "250"},
		{"subdomain is not in the domains", "ops@sub.example.com", "a@example.com", []string{"example.com"}, "a@example.com", "250"},
		{"neither in the domains", "ops@evil.example", "a@evil.example", []string{"example.com"}, "", "not in recipient_domains"},
		{"own not in the domains, no administrator", "ops@evil.example", "", []string{"example.com"}, "", "ops@evil.example, is not in recipient_domains"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(o *Options) { o.Admin, o.RecipientDomains = tt.admin, tt.domains })
				r.start()
				r.fail(r.create("crm-prod", tt.own, ""), "one")
				r.end()
				if tt.to == "" {
					r.want(callback.AlertRefused, "", 0, tt.reply)
				} else {
					r.want(callback.AlertSent, tt.to, 1, tt.reply)
				}
				if n := len(r.box.all()); n != 1 && tt.to != "" || n != 0 && tt.to == "" {
					t.Fatalf("%d mails were sent", n)
				}
			})
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		fault error
		note  string // "": mail works
	}{
		{refusal("connect", 0, "localhost:587 refuses connections"), "the mail server is down since 2000-01-01 00:00 UTC: localhost:587 refuses connections"},
		{refusal("auth", 535, "535 5.7.8 wrong\x1b[2J password"), "the mail server refuses our sign-in since 2000-01-01 00:00 UTC: 535 5.7.8 wrong[2J password"},
		{refusal("starttls", 0, "not offered"), "the mail server gives no encrypted connection since 2000-01-01 00:00 UTC: not offered"},
		{refusal("from", 550, "550 not yours"), "the mail server refuses our sender address since 2000-01-01 00:00 UTC: 550 not yours"},
		{refusal("data", 0, "the connection was reset"), "the mail server cannot be used since 2000-01-01 00:00 UTC: the connection was reset"},
		{refusal("hello", 502, "502 what?"), "the mail server cannot be used since 2000-01-01 00:00 UTC: 502 what?"},
		{fmt.Errorf("odd"), "the mail server is down since 2000-01-01 00:00 UTC: odd"},
		{refusal("rcpt", 421, "421 closing"), "the mail server cannot be used since 2000-01-01 00:00 UTC: 421 closing"},
		{refusal("rcpt", 550, "550 unknown"), ""},
		{refusal("data", 554, "554 spam"), ""},
		{refusal("address", 0, "no address"), ""},
	} {
		t.Run(fmt.Sprint(tt.fault), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, func(o *Options) { o.Admin = "" })
				var healed atomic.Bool
				r.box.answer = func(context.Context, callback.Mail, int) error {
					if healed.Load() {
						return nil
					}
					return tt.fault
				}
				r.start()
				r.fail(r.create("crm-prod", "ops@example.com", ""), "one")
				if ok, note := r.Status(); ok != (tt.note == "") || note != tt.note {
					t.Fatalf("status: got %v %q, want %q", ok, note, tt.note)
				}
				if n, last := r.Sent(); n != 0 || !last.IsZero() {
					t.Fatalf("sent: got %d, the last at %v", n, last)
				}
				healed.Store(true)
				time.Sleep(90 * time.Second)
				r.fail(r.create("other", "ops@example.com", ""), "two")
				if ok, note := r.Status(); !ok || note != "" {
					t.Fatalf("status when it works again: got %v %q", ok, note)
				}
				if n, last := r.Sent(); n == 0 || !last.Equal(time.Now()) {
					t.Fatalf("sent: got %d, the last at %v", n, last)
				}
				r.end()
			})
		})
	}
}
