package alert

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"html"

	"ringback/callback"
)

// Test sends a mail that says that it is a test to the administrator, at once and
// past the outbox, and returns what the server said.
func (e *Engine) Test(ctx context.Context) (said string, err error) {
	switch {
	case e.o.Mailer == nil:
		return "", errors.New("no mail server is configured")
	case e.o.Admin == "":
		return "", errors.New("no administrator is configured (admin_email)")
	case !e.allowed(e.o.Admin):
		return "", errors.New("the administrator's address is not in recipient_domains")
	}
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	words := fmt.Sprintf("This is a test mail of ringback on %s. Somebody asked for it; nothing is wrong.", e.o.Name)
	receipt, err := e.o.Mailer.Send(ctx, callback.Mail{
		MessageID: e.messageID("test/" + rand.Text()), From: e.o.From, To: e.o.Admin, Date: e.o.Now(),
		Subject: "Test mail of ringback", ListID: "ringback-alerts." + e.host,
		Text: words + "\n", HTML: "<p>" + html.EscapeString(words) + "</p>\n",
	})
	if ctx.Err() == nil {
		e.note(e.o.Now(), mailFault(err))
	}
	if err != nil {
		return "", err
	}
	return callback.Sanitize("to "+e.o.Admin+": "+receipt, maxReply), nil
}
