package callback

import (
	"context"
	"time"
)

// Mail is one rendered e-mail to one recipient, ready to hand to a mail server.
// Text and HTML are UTF-8 bodies; Subject is plain UTF-8 without line breaks.
type Mail struct {
	MessageID  string    // without angle brackets; the same on every try of one alert
	InReplyTo  string    // Message-ID of the mail this one follows, or empty
	From       string    // RFC 5322 address, with or without a display name
	To         string    // one RFC 5322 address
	Date       time.Time // when the alert arose
	Subject    string
	ListID     string // value of List-Id without angle brackets, or empty
	Text, HTML string
}

// Mailer hands mails to a mail server.
type Mailer interface {
	// Send returns the server's sanitised answer once the server took
	// responsibility for the mail (its 250 after DATA). A refusal or a broken
	// connection comes back as *MailError. Send may be called by several
	// goroutines at once; it returns soon after ctx is done.
	Send(ctx context.Context, m Mail) (receipt string, err error)
}

// MailError says how handing over a mail failed. Reply is sanitised.
type MailError struct {
	Stage     string // "connect", "greeting", "hello", "starttls", "auth", "from", "rcpt", "data", "address"
	Code      int    // the server's reply code, 0 without a reply
	Reply     string // what the server or the network said, one line, at most 512 bytes
	Permanent bool   // another try cannot help: 5xx at RCPT or DATA, too big at FROM, or an unusable address
}

// Error implements error.
func (e *MailError) Error() string {
	if e.Code != 0 {
		return "mail server, " + e.Stage + ": " + e.Reply
	}
	return "mail, " + e.Stage + ": " + e.Reply
}
