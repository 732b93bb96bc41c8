package smtpout_test

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ringback/callback"
	"ringback/smtpout"
)

// answerCase is one behaviour of a server and what must come of it. Without a
// stage the mail is sent, and reply is the receipt; otherwise reply is a part
// of what the error says.
type answerCase struct {
	name string
	script
	huge  bool // send a mail larger than the sockets' buffers
	short bool // a short command timeout ends the wait, not the context

	stage     string
	orStage   string // also right, where it depends on who is faster
	code      int
	permanent bool
	reply     string
}

const receipt = "250 2.0.0 Ok: queued as 4XyZ"

const hostile = "\x1b[2J\x1b]0;owned\x07 \x9b31m\xc2\x9b31m \xe2\x80\xaeno\x00pe\x7f \xff\xfe"

var answerCases = []answerCase{
	// The greeting: nothing said there is about the mail.
	{name: "554 no service", script: script{at: atGreeting, say: "554 5.3.2 no service\r\n"}, stage: "greeting", code: 554, reply: "554 5.3.2 no service"},
	{name: "421 busy", script: script{at: atGreeting, say: "421 4.3.2 too busy\r\n", then: closes}, stage: "greeting", code: 421, reply: "421 4.3.2 too busy"},
	{name: "bare 220", script: script{at: atGreeting, say: "220\r\n"}, reply: receipt},
	{name: "two-line 220", script: script{at: atGreeting, say: "220-mail.test\r\n220 no spam\r\n"}, reply: receipt},
	{name: "line feeds alone", script: script{at: atGreeting, say: "220-mail.test\n220 ESMTP\n"}, reply: receipt},
	{name: "200 for 220", script: script{at: atGreeting, say: "200 hello\r\n"}, stage: "greeting", code: 200, reply: "200 hello"},
	{name: "334 for 220", script: script{at: atGreeting, say: "334 who\r\n"}, stage: "greeting", code: 334, reply: "334 who"},
	{name: "ssh banner", script: script{at: atGreeting, say: "SSH-2.0-OpenSSH_9.6\r\n"}, stage: "greeting", reply: "not an answer of a mail server: SSH-2.0-OpenSSH_9.6"},
	{name: "http answer", script: script{at: atGreeting, say: "HTTP/1.1 400 Bad Request\r\n\r\n"}, stage: "greeting", reply: "not an answer of a mail server: HTTP/1.1 400"},
	{name: "code 000", script: script{at: atGreeting, say: "000 hi\r\n"}, stage: "greeting", reply: "not an answer of a mail server"},
	{name: "code 999", script: script{at: atGreeting, say: "999 hi\r\n"}, stage: "greeting", code: 999, reply: "999 hi"},
	{name: "code of two digits", script: script{at: atGreeting, say: "22 hi\r\n"}, stage: "greeting", reply: "not an answer of a mail server: 22 hi"},
	{name: "code of four digits", script: script{at: atGreeting, say: "2200 hi\r\n"}, stage: "greeting", reply: "not an answer of a mail server: 2200 hi"},
	{name: "empty line", script: script{at: atGreeting, say: "\r\n"}, stage: "greeting", reply: "not an answer of a mail server"},
	{name: "second line without code", script: script{at: atGreeting, say: "220-mail.test\r\nhello there\r\n"}, stage: "greeting", reply: "not an answer of a mail server: hello there"},
	{name: "second line with another code", script: script{at: atGreeting, say: "220-mail.test\r\n554 no\r\n"}, stage: "greeting", reply: "changes its code"},
	{name: "closes at accept", script: script{at: atGreeting, then: closes}, stage: "greeting", reply: "the connection was closed"},
	{name: "resets at accept", script: script{at: atGreeting, then: resets}, stage: "greeting", orStage: "connect", reply: "the connection was reset"},
	{name: "says nothing", script: script{at: atGreeting, then: hangs}, short: true, stage: "greeting", reply: "no answer in the time allowed"},
	{name: "half a code, then nothing", script: script{at: atGreeting, say: "22", then: hangs}, short: true, stage: "greeting", reply: "no answer in the time allowed"},
	{name: "half a greeting", script: script{at: atGreeting, say: "220 mail", then: closes}, stage: "greeting", reply: "in the middle of an answer"},
	{name: "greeting without end", script: script{at: atGreeting, say: "220-more\r\n", then: floods}, stage: "greeting", reply: "does not end: more than 64 KiB"},
	{name: "line without end", script: script{at: atGreeting, say: "220 aaaaaaaaaaaaaaaa", then: floods}, stage: "greeting", reply: "a line of more than 2000 bytes"},
	{name: "nul without end", script: script{at: atGreeting, say: "\x00\x00\x00\x00", then: floods}, stage: "greeting", reply: "a line of more than 2000 bytes"},
	{name: "hostile bytes", script: script{at: atGreeting, say: "554 " + hostile + "\r\n"}, stage: "greeting", code: 554, reply: "[2J]0;owned"},
	{name: "hostile bytes and no code", script: script{at: atGreeting, say: hostile + "\r\n"}, stage: "greeting", reply: "not an answer of a mail server"},
	{name: "long answer", script: script{at: atGreeting, say: strings.Repeat("554-a long story\r\n", 400) + "554 the end\r\n"}, stage: "greeting", code: 554, reply: "554 a long story a long story"},

	// EHLO.
	{name: "ehlo 550", script: script{at: atEHLO, say: "550 5.7.1 not you\r\n"}, stage: "hello", code: 550, reply: "550 5.7.1 not you"},
	{name: "ehlo 451", script: script{at: atEHLO, say: "451 4.3.0 later\r\n"}, stage: "hello", code: 451, reply: "451 4.3.0 later"},
	{name: "ehlo 421 and closes", script: script{at: atEHLO, say: "421 bye\r\n", then: closes}, stage: "hello", code: 421, reply: "421 bye"},
	{name: "ehlo unknown, helo works", script: script{at: atEHLO, say: "502 5.5.1 what\r\n"}, reply: receipt},
	{name: "ehlo and helo unknown", script: script{at: atEHLO, say: "500 what\r\n", also: map[string]string{atHELO: "550 5.7.1 no\r\n"}}, stage: "hello", code: 550, reply: "550 5.7.1 no"},
	{name: "ehlo closes", script: script{at: atEHLO, then: closes}, stage: "hello", reply: "the connection was closed"},
	{name: "ehlo hangs", script: script{at: atEHLO, then: hangs}, stage: "hello", reply: "stopped before"},
	{name: "ehlo half", script: script{at: atEHLO, say: "250-mail.test\r\n250-SI", then: closes}, stage: "hello", reply: "in the middle of an answer"},
	{name: "ehlo without end", script: script{at: atEHLO, say: "250-X\r\n", then: floods}, stage: "hello", reply: "does not end: more than 64 KiB"},
	{name: "ehlo two codes", script: script{at: atEHLO, say: "250-mail.test\r\n550 no\r\n"}, stage: "hello", reply: "changes its code"},
	{name: "ehlo with strange extensions", script: script{at: atEHLO, say: "250-mail.test\r\n250-\x1b[31mX\r\n250-\r\n250 SIZE -1\r\n"}, reply: receipt},

	// MAIL.
	{name: "mail 451 greylisting", script: script{at: atMail, say: "451 4.7.1 greylisted, try again\r\n"}, stage: "from", code: 451, reply: "451 4.7.1 greylisted, try again"},
	{name: "mail 550", script: script{at: atMail, say: "550 5.1.8 sender unknown\r\n"}, stage: "from", code: 550, reply: "550 5.1.8 sender unknown"},
	{name: "mail 552 size", script: script{at: atMail, say: "552 5.3.4 too big\r\n"}, stage: "from", code: 552, permanent: true, reply: "552 5.3.4 too big"},
	{name: "mail 530 sign in first", script: script{at: atMail, say: "530 5.7.0 Authentication required\r\n"}, stage: "auth", code: 530, reply: "530 5.7.0 Authentication required"},
	{name: "mail 421", script: script{at: atMail, say: "421 4.4.2 timeout\r\n", then: closes}, stage: "from", code: 421, reply: "421 4.4.2 timeout"},
	{name: "mail 251", script: script{at: atMail, say: "251 fine\r\n"}, reply: receipt},
	{name: "mail without code", script: script{at: atMail, say: "ok then\r\n"}, stage: "from", reply: "not an answer of a mail server: ok then"},
	{name: "mail closes", script: script{at: atMail, then: closes}, stage: "from", reply: "the connection was closed"},
	{name: "mail hangs", script: script{at: atMail, then: hangs}, stage: "from", reply: "stopped before"},

	// RCPT.
	{name: "rcpt 550", script: script{at: atRcpt, say: "550 5.1.1 no such user\r\n"}, stage: "rcpt", code: 550, permanent: true, reply: "550 5.1.1 no such user"},
	{name: "rcpt 553", script: script{at: atRcpt, say: "553 bad name\r\n"}, stage: "rcpt", code: 553, permanent: true, reply: "553 bad name"},
	{name: "rcpt 450 greylisting", script: script{at: atRcpt, say: "450 4.2.0 greylisted\r\n"}, stage: "rcpt", code: 450, reply: "450 4.2.0 greylisted"},
	{name: "rcpt 452 full", script: script{at: atRcpt, say: "452 4.2.2 mailbox full\r\n"}, stage: "rcpt", code: 452, reply: "452 4.2.2 mailbox full"},
	{name: "rcpt 421", script: script{at: atRcpt, say: "421 going down\r\n", then: closes}, stage: "rcpt", code: 421, reply: "421 going down"},
	{name: "rcpt 251", script: script{at: atRcpt, say: "251 will forward\r\n"}, reply: receipt},
	{name: "rcpt 252", script: script{at: atRcpt, say: "252 perhaps\r\n"}, reply: receipt},
	{name: "rcpt bare 250", script: script{at: atRcpt, say: "250\r\n"}, reply: receipt},
	{name: "rcpt bare 550", script: script{at: atRcpt, say: "550\r\n"}, stage: "rcpt", code: 550, permanent: true, reply: "550"},
	{name: "rcpt 354", script: script{at: atRcpt, say: "354 go\r\n"}, stage: "rcpt", code: 354, reply: "354 go"},
	{name: "rcpt 999", script: script{at: atRcpt, say: "999 no\r\n"}, stage: "rcpt", code: 999, reply: "999 no"},
	{name: "rcpt many lines", script: script{at: atRcpt, say: "550-5.7.1 You are listed.\r\n550-5.7.1 See the page.\r\n550 5.7.1 Bye\r\n"}, stage: "rcpt", code: 550, permanent: true, reply: "550 5.7.1 You are listed. See the page. Bye"},
	{name: "rcpt hostile bytes", script: script{at: atRcpt, say: "550 5.1.1 " + hostile + "\r\n"}, stage: "rcpt", code: 550, permanent: true, reply: "550 5.1.1 [2J]0;owned"},
	{name: "rcpt closes", script: script{at: atRcpt, then: closes}, stage: "rcpt", reply: "the connection was closed"},
	{name: "rcpt resets", script: script{at: atRcpt, then: resets}, stage: "rcpt", reply: "the connection was reset"},
	{name: "rcpt hangs", script: script{at: atRcpt, then: hangs}, stage: "rcpt", reply: "stopped before"},

	// DATA.
	{name: "data 554", script: script{at: atData, say: "554 5.5.1 no valid recipients\r\n"}, stage: "data", code: 554, permanent: true, reply: "554 5.5.1 no valid recipients"},
	{name: "data 451", script: script{at: atData, say: "451 4.3.0 later\r\n"}, stage: "data", code: 451, reply: "451 4.3.0 later"},
	{name: "data 250", script: script{at: atData, say: "250 ok\r\n"}, stage: "data", code: 250, reply: "250 ok"},
	{name: "data closes", script: script{at: atData, then: closes}, stage: "data", reply: "the connection was closed"},
	{name: "data hangs", script: script{at: atData, then: hangs}, stage: "data", reply: "stopped before"},
	{name: "data stops reading", script: script{at: atData, say: "354 go\r\n", then: hangs}, huge: true, stage: "data", reply: "stopped before"},
	{name: "data closes while it is written", script: script{at: atData, say: "354 go\r\n", then: resets}, huge: true, stage: "data", reply: "the connection was reset"},

	// The answer to the mail itself.
	{name: "body 554 spam", script: script{at: atBody, say: "554 5.7.1 looks like spam\r\n"}, stage: "data", code: 554, permanent: true, reply: "554 5.7.1 looks like spam"},
	{name: "body 452", script: script{at: atBody, say: "452 4.3.1 disk full\r\n"}, stage: "data", code: 452, reply: "452 4.3.1 disk full"},
	{name: "body 000", script: script{at: atBody, say: "000 hm\r\n"}, stage: "data", reply: "not an answer of a mail server"},
	{name: "body 354", script: script{at: atBody, say: "354 more\r\n"}, stage: "data", code: 354, reply: "354 more"},
	{name: "body closes", script: script{at: atBody, then: closes}, stage: "data", reply: "the connection was closed"},
	{name: "body resets", script: script{at: atBody, then: resets}, stage: "data", reply: "the connection was reset"},
	{name: "body hangs", script: script{at: atBody, then: hangs}, stage: "data", reply: "stopped before"},
	{name: "body half a 250", script: script{at: atBody, say: "250 2.0", then: closes}, stage: "data", reply: "in the middle of an answer"},
	{name: "body without end", script: script{at: atBody, say: "250-ok\r\n", then: floods}, stage: "data", reply: "does not end: more than 64 KiB"},
	{name: "body 250, then closes", script: script{at: atBody, say: "250 2.0.0 got it\r\n", then: closes}, reply: "250 2.0.0 got it"},
	{name: "body 250, then no word", script: script{at: atBody, say: "250 2.0.0 got it\r\n", also: map[string]string{atQuit: ""}}, reply: "250 2.0.0 got it"},
	{name: "body bare 250", script: script{at: atBody, say: "250\r\n"}, reply: "250 "},
	{name: "body 251", script: script{at: atBody, say: "251 2.0.0 forwarded\r\n"}, reply: "251 2.0.0 forwarded"},
	{name: "body two lines", script: script{at: atBody, say: "250-2.0.0 Ok\r\n250 2.0.0 queued\r\n"}, reply: "250 2.0.0 Ok 2.0.0 queued"},
	{name: "body hostile 250", script: script{at: atBody, say: "250 \x1b[2Jok\x07\r\n"}, reply: "250 [2Jok"},

	// QUIT: the mail is taken.
	{name: "quit closes", script: script{at: atQuit, then: closes}, reply: receipt},
	{name: "quit hangs", script: script{at: atQuit, then: hangs}, reply: receipt},
	{name: "quit 554", script: script{at: atQuit, say: "554 no way\r\n"}, reply: receipt},
	{name: "quit without end", script: script{at: atQuit, say: "221-bye\r\n", then: floods}, reply: receipt},
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range answerCases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, smtpout.TLSNone)
		})
	}
}

// run sends one mail to the scripted server and checks what came of it. A
// server that hangs says so, and then the context ends.
func (tc answerCase) run(t *testing.T, mode string, adjust ...func(*smtpout.Options)) *stage {
	t.Helper()
	s := play(t, mode, tc.script)
	adjust = append(adjust, func(o *smtpout.Options) {
		if tc.short {
			o.CommandTimeout = 20 * time.Millisecond
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		select {
		case <-s.reached:
			if !tc.short {
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	m := sample()
	if tc.huge {
		m.Text = strings.Repeat(strings.Repeat("x", 70)+"\n", 6<<20/71)
	}
	got, err := client(t, s.port, mode, adjust...).Send(ctx, m)
	if tc.stage == "" {
		if err != nil || got != tc.reply {
			t.Fatalf("send: got %q, %v, want %q", got, err, tc.reply)
		}
		return s
	}
	tc.check(t, err)
	return s
}

func (tc answerCase) check(t *testing.T, err error) {
	t.Helper()
	f, ok := errors.AsType[*callback.MailError](err)
	if !ok {
		t.Fatalf("send: got %v, want a MailError at %s", err, tc.stage)
	}
	if f.Stage != tc.stage && f.Stage != cmp.Or(tc.orStage, tc.stage) || f.Code != tc.code || f.Permanent != tc.permanent {
		t.Fatalf("got stage %q, code %d, permanent %v (%s), want %q, %d, %v",
			f.Stage, f.Code, f.Permanent, f.Reply, tc.stage, tc.code, tc.permanent)
	}
	if !strings.Contains(f.Reply, tc.reply) {
		t.Fatalf("reply: got %q, want %q in it", f.Reply, tc.reply)
	}
	for _, r := range f.Error() {
		if r < 0x20 || r >= 0x7f && r <= 0x9f || r >= '\u202a' && r <= '\u202e' {
			t.Fatalf("reply holds the control character %U: %q", r, f.Error())
		}
	}
	if len(f.Reply) > 512 || !utf8.ValidString(f.Reply) || f.Reply == "" {
		t.Fatalf("reply of %d bytes is empty, too long or no UTF-8: %q", len(f.Reply), f.Reply)
	}
}
