package smtpout

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"

	"github.com/emersion/go-smtp"

	"ringback/callback"
)

// The steps of a conversation, as callback.MailError.Stage names them.
const (
	stageAddress  = "address"
	stageConnect  = "connect"
	stageGreeting = "greeting"
	stageHello    = "hello"
	stageStartTLS = "starttls"
	stageAuth     = "auth"
	stageFrom     = "from"
	stageRcpt     = "rcpt"
	stageData     = "data"
)

// maxReplyText is what is kept of an answer, in bytes.
const maxReplyText = 512

// tooBig is the answer to a mail that is larger than the server takes (RFC 1870
// 6.1), which comes as early as at MAIL FROM.
const tooBig = 552

// fault puts err, which came up at stage, into the words of the port. Only a
// 5xx to the recipient or the mail itself is final: a refused greeting, sign-in
// or sender is a matter of configuration, and the alert waits for it to be
// mended.
func (c *Client) fault(ctx context.Context, stage string, err error) *callback.MailError {
	f := &callback.MailError{Stage: stage}
	if code, text, ok := reply(err); ok {
		// Servers that want a sign-in, or TLS, before any mail say so here with
		// 530 (RFC 4954 6, RFC 3207 4). It is not the mail that is refused.
		if code == 530 && (stage == stageFrom || stage == stageRcpt || stage == stageData) {
			f.Stage = stageAuth
		}
		f.Code = code
		f.Reply = c.tidy(strconv.Itoa(code) + " " + text)
		f.Permanent = code == tooBig && f.Stage == stageFrom || code/100 == 5 && (f.Stage == stageRcpt || f.Stage == stageData)
		return f
	}
	f.Permanent = stage == stageAddress
	f.Reply = c.tidy(c.sentence(ctx, stage, err))
	return f
}

// reply takes the server's answer out of err, if err is one.
func reply(err error) (code int, text string, ok bool) {
	if r, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return r.Code, replyText(r), true
	}
	if r, ok := errors.AsType[*textproto.Error](err); ok {
		return r.Code, r.Msg, true
	}
	return 0, "", false
}

// replyText gives back the enhanced code that the library took off the text.
func replyText(r *smtp.SMTPError) string {
	if e := r.EnhancedCode; e != (smtp.EnhancedCode{}) {
		return fmt.Sprintf("%d.%d.%d %s", e[0], e[1], e[2], r.Message)
	}
	return r.Message
}

// answered tells whether err is an answer after which the server still listens.
func answered(err error) bool {
	code, _, ok := reply(err)
	return ok && code != 421
}

// sentence says in plain words what became of a conversation that broke off
// without an answer.
func (c *Client) sentence(ctx context.Context, stage string, err error) string {
	_, badCode := errors.AsType[textproto.ProtocolError](err)
	record, notTLS := errors.AsType[tls.RecordHeaderError](err)
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case stage == stageAddress:
		return err.Error()
	case errors.Is(ctx.Err(), context.DeadlineExceeded), timeout(err):
		return "no answer in the time allowed"
	case ctx.Err() != nil:
		return "stopped before the server had answered"
	case errors.Is(err, syscall.ECONNREFUSED):
		return c.opts.addr() + " refuses connections"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "the connection was reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return "the connection was closed"
	case errors.Is(err, smtp.ErrTooLongLine):
		return errLongLine.Error()
	case isDNS && dns.IsNotFound:
		return "the name " + c.opts.Host + " was not found"
	case notTLS:
		return `the server does not speak TLS here (` + record.Msg + `); is tls = "starttls" meant?`
	case badCode:
		return notSMTP(err.Error()).Error()
	}
	return err.Error()
}

func timeout(err error) bool {
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout()
}

// tidy makes text from outside fit to be shown and stored.
func (c *Client) tidy(s string) string {
	// The password goes after the controls, which could be hidden in it, and
	// before the cut, which could leave half of it.
	return callback.Sanitize(c.redact.Replace(callback.Sanitize(s, maxReply)), maxReplyText)
}

// redactor blots out the password in the forms in which a server could echo
// it: as it is, and as AUTH LOGIN and AUTH PLAIN send it.
func redactor(username, password string) *strings.Replacer {
	if password == "" {
		return strings.NewReplacer()
	}
	var pairs []string
	for _, secret := range []string{"\x00" + username + "\x00" + password, password} {
		pairs = append(pairs, base64.StdEncoding.EncodeToString([]byte(secret)), "******")
	}
	return strings.NewReplacer(append(pairs, password, "******")...)
}
