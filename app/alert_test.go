package app_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"ringback/app"
	"ringback/callback"
)

// mailbox takes every mail.
type mailbox chan callback.Mail

func (m mailbox) Send(_ context.Context, mail callback.Mail) (string, error) {
	m <- mail
	return "250 taken", nil
}

// An alert that was sent is sent again when somebody asks: the same mail, under
// the same Message-ID.
func TestSendAlertAgain(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(srv.Close)
	mails := make(mailbox, 8)
	a := open(t, func(o *app.Options) { o.Mailer = mails })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	name, yes := "down", true
	if _, err := a.Create(ctx, callback.Draft{Name: &name, URL: &srv.URL, Retries: &yes}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Enqueue(ctx, []callback.NewResponse{{Ref: name}}); err != nil {
		t.Fatal(err)
	}
	first := receive(ctx, t, mails)
	sent := callback.AlertSent
	var list callback.Listing[callback.Alert]
	for len(list.Rows) == 0 && ctx.Err() == nil { // the 250 is written down after it was given
		var err error
		if list, err = a.Alerts(ctx, callback.AlertQuery{Status: &sent}); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.SendAlert(ctx, list.Rows[0].Key); err != nil {
		t.Fatal(err)
	}
	if again := receive(ctx, t, mails); again.MessageID == first.MessageID || again.InReplyTo != first.MessageID || again.Subject != first.Subject {
		t.Errorf("sent again: %q %q, first %q %q", again.MessageID, again.Subject, first.MessageID, first.Subject)
	}
	if err := a.SendAlert(ctx, "outage/0011223344556677/1"); callback.ErrorCode(err) != callback.CodeNotFound {
		t.Errorf("an alert that does not exist: %v", err)
	}
}

func receive(ctx context.Context, t *testing.T, mails mailbox) callback.Mail {
	t.Helper()
	select {
	case m := <-mails:
		return m
	case <-ctx.Done():
		t.Fatal("no mail came")
		return callback.Mail{}
	}
}
