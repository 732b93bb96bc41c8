package smtpout_test

import (
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ringback/callback"
	"ringback/smtpout"
)

func ptr(c tls.Certificate) *tls.Certificate { return &c }

func TestAnswersStartTLS(t *testing.T) {
	t.Parallel()
	for _, tc := range []answerCase{
		{name: "sound", reply: receipt},
		{name: "bare 220", script: script{at: atStartTLS, say: "220\r\n"}, reply: receipt},
		{name: "not offered", script: script{ehlo: "SIZE\n8BITMIME"}, stage: "starttls", reply: "does not offer STARTTLS"},
		{name: "stripped", script: script{ehlo: "XXXXXXXA"}, stage: "starttls", reply: "does not offer STARTTLS"},
		{name: "only helo", script: script{at: atEHLO, say: "502 what\r\n"}, stage: "starttls", reply: "does not offer STARTTLS"},
		{name: "454", script: script{at: atStartTLS, say: "454 4.7.0 TLS not available\r\n"}, stage: "starttls", code: 454, reply: "454 4.7.0 TLS not available"},
		{name: "554", script: script{at: atStartTLS, say: "554 5.7.3 no\r\n"}, stage: "starttls", code: 554, reply: "554 5.7.3 no"},
		{name: "250 for 220", script: script{at: atStartTLS, say: "250 ok\r\n"}, stage: "starttls", code: 250, reply: "250 ok"},
		{name: "closes", script: script{at: atStartTLS, then: closes}, stage: "starttls", reply: "the connection was closed"},
		{name: "220 and closes", script: script{at: atStartTLS, say: "220 go\r\n", then: closes}, stage: "starttls", reply: "the connection was"},
		{name: "220 and hangs", script: script{at: atStartTLS, say: "220 go\r\n", then: hangs}, stage: "starttls", reply: "stopped before"},
		{name: "no answer", script: script{at: atStartTLS, then: hangs}, stage: "starttls", reply: "stopped before"},
		{name: "without end", script: script{at: atStartTLS, say: "220-go\r\n", then: floods}, stage: "starttls", reply: "does not end"},
		{name: "injected after 220", script: script{at: atStartTLS, say: "220 go\r\n250-mail.test\r\n250 AUTH PLAIN\r\n"}, stage: "starttls", reply: "between STARTTLS and the TLS handshake"},
		{name: "injected before 220", script: script{at: atEHLO, say: "250-mail.test\r\n250 STARTTLS\r\n220 go\r\n"}, stage: "starttls", reply: "between STARTTLS and the TLS handshake"},
		{name: "another name", script: script{cert: ptr(nameCert())}, stage: "starttls", reply: "certificate"},
		{name: "expired", script: script{cert: ptr(expiredCert())}, stage: "starttls", reply: "expired"},
		{name: "unknown authority", script: script{cert: ptr(unknownCert())}, stage: "starttls", reply: "unknown authority"},
		{name: "tls 1.1", script: script{tls: tls.VersionTLS11}, stage: "starttls", reply: "protocol version"},
		{name: "second ehlo 550", script: script{at: atEHLO2, say: "550 5.7.1 no\r\n"}, stage: "hello", code: 550, reply: "550 5.7.1 no"},
		{name: "second ehlo closes", script: script{at: atEHLO2, then: closes}, stage: "hello", reply: "the connection was closed"},
		{name: "second ehlo hangs", script: script{at: atEHLO2, then: hangs}, stage: "hello", reply: "stopped before"},
		{name: "second ehlo without end", script: script{at: atEHLO2, say: "250-X\r\n", then: floods}, stage: "hello", reply: "does not end"},
		{name: "rcpt 550 inside", script: script{at: atRcpt, say: "550 5.1.1 " + hostile + "\r\n"}, stage: "rcpt", code: 550, permanent: true, reply: "550 5.1.1 [2J"},
		{name: "stops reading inside", script: script{at: atData, say: "354 go\r\n", then: hangs}, huge: true, stage: "data", reply: "stopped before"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := tc.run(t, smtpout.TLSStart)
			for _, line := range s.commands() {
				if strings.HasPrefix(line, "EHLO") && line != "EHLO ringback.example.org" {
					t.Fatalf("the server heard %q", line)
				}
				if tc.stage == "starttls" && !slices.Contains([]string{"EHLO ringback.example.org", "HELO ringback.example.org", "STARTTLS", "QUIT"}, line) {
					t.Fatalf("without TLS the server heard %q", line)
				}
			}
		})
	}
}

func TestAnswersImplicitTLS(t *testing.T) {
	t.Parallel()
	for _, tc := range []answerCase{
		{name: "sound", reply: receipt},
		{name: "another name", script: script{cert: ptr(nameCert())}, stage: "connect", reply: "certificate"},
		{name: "expired", script: script{cert: ptr(expiredCert())}, stage: "connect", reply: "expired"},
		{name: "unknown authority", script: script{cert: ptr(unknownCert())}, stage: "connect", reply: "unknown authority"},
		{name: "tls 1.1", script: script{tls: tls.VersionTLS11}, stage: "connect", reply: "protocol version"},
		{name: "greeting 554", script: script{at: atGreeting, say: "554 no\r\n"}, stage: "greeting", code: 554, reply: "554 no"},
		{name: "greeting closes", script: script{at: atGreeting, then: closes}, stage: "greeting", reply: "the connection was closed"},
		{name: "greeting without end", script: script{at: atGreeting, say: "220-x\r\n", then: floods}, stage: "greeting", reply: "does not end"},
		{name: "body hangs", script: script{at: atBody, then: hangs}, stage: "data", reply: "stopped before"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, smtpout.TLSImplicit)
		})
	}
	t.Run("no tls there", func(t *testing.T) {
		t.Parallel()
		s := play(t, smtpout.TLSNone, script{})
		_, err := client(t, s.port, smtpout.TLSImplicit).Send(t.Context(), sample())
		answerCase{stage: "connect", reply: "does not speak TLS here"}.check(t, err)
	})
}

func TestAnswersAuth(t *testing.T) {
	t.Parallel()
	plain := base64.StdEncoding.EncodeToString([]byte("\x00" + user + "\x00" + password))
	alone := base64.StdEncoding.EncodeToString([]byte(password))
	for _, tc := range []answerCase{
		{name: "sound", script: script{ehlo: "AUTH PLAIN"}, reply: receipt},
		{name: "lower case", script: script{ehlo: "AUTH plain login"}, reply: receipt},
		{name: "not offered", script: script{ehlo: "SIZE"}, stage: "auth", reply: "does not offer AUTH"},
		{name: "nothing in common", script: script{ehlo: "AUTH GSSAPI XOAUTH2"}, stage: "auth", reply: "neither PLAIN, LOGIN nor CRAM-MD5"},
		{name: "535", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "535 5.7.8 bad credentials\r\n"}, stage: "auth", code: 535, reply: "535 5.7.8 bad credentials"},
		{name: "535 and hangs", script: script{ehlo: "AUTH PLAIN", at: atGiveUp, then: hangs, also: map[string]string{atAuth: "535 5.7.8 bad credentials\r\n"}}, stage: "auth", code: 535, reply: "535 5.7.8 bad credentials"},
		{name: "454", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "454 4.7.0 try later\r\n"}, stage: "auth", code: 454, reply: "454 4.7.0 try later"},
		{name: "504", script: script{ehlo: "AUTH LOGIN", at: atAuth, say: "504 5.5.4 unknown mechanism\r\n"}, stage: "auth", code: 504, reply: "504 5.5.4 unknown mechanism"},
		{name: "421", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "421 bye\r\n", then: closes}, stage: "auth", code: 421, reply: "421 bye"},
		{name: "closes", script: script{ehlo: "AUTH PLAIN", at: atAuth, then: closes}, stage: "auth", reply: "the connection was closed"},
		{name: "hangs", script: script{ehlo: "AUTH PLAIN", at: atAuth, then: hangs}, stage: "auth", reply: "stopped before"},
		{name: "plain asked again", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "334 \r\n"}, stage: "auth", reply: "unexpected server challenge"},
		{name: "login asks for ever", script: script{ehlo: "AUTH LOGIN", at: atAuth, say: "334 VXNlcm5hbWU6\r\n", also: map[string]string{atAnswer: "334 VXNlcm5hbWU6\r\n"}}, stage: "auth", reply: "asks for more"},
		{name: "cram asks twice", script: script{ehlo: "AUTH CRAM-MD5", at: atAuth, say: "334 PGFAYj4=\r\n", also: map[string]string{atAnswer: "334 PGFAYj4=\r\n"}}, stage: "auth", reply: "asks for more"},
		{name: "cram not base64", script: script{ehlo: "AUTH CRAM-MD5", at: atAuth, say: "334 \x1b[31m%%\r\n"}, stage: "auth", reply: "illegal base64"},
		{name: "login refused at the end", script: script{ehlo: "AUTH LOGIN", at: atAnswer, say: "535 5.7.8 no\r\n", also: map[string]string{atAuth: "334 VXNlcm5hbWU6\r\n"}}, stage: "auth", code: 535, reply: "535 5.7.8 no"},
		{name: "echo of the command", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "535 cannot read AUTH PLAIN " + plain + "\r\n"}, stage: "auth", code: 535, reply: "535 cannot read AUTH PLAIN ******"},
		{name: "echo of the password", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "535 " + strings.Repeat("x", 490) + password + " " + alone + "\r\n"}, stage: "auth", code: 535, reply: "xx******"},
		{name: "echo with hidden bytes", script: script{ehlo: "AUTH PLAIN", at: atAuth, say: "535 " + password[:4] + "\x00\x1b" + password[4:] + "\r\n"}, stage: "auth", code: 535, reply: "535 ******"},
		{name: "echo in the receipt", script: script{ehlo: "AUTH PLAIN", at: atBody, say: "250 ok " + password + "\r\n"}, reply: "250 ok ******"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.run(t, smtpout.TLSNone, signIn)
		})
	}
}

// Neither an error after an echo nor the types that hold the password print it.
func TestPasswordIsNotShown(t *testing.T) {
	t.Parallel()
	s := play(t, smtpout.TLSNone, script{ehlo: "AUTH PLAIN", at: atAuth, say: "535 " + password + "\r\n"})
	c := client(t, s.port, smtpout.TLSNone, signIn)
	_, err := c.Send(t.Context(), sample())
	o := smtpout.Options{Host: "mail.example.com", Port: 587, Username: user, Password: password}
	var held struct {
		Options smtpout.Options
		Client  *smtpout.Client
	}
	held.Options, held.Client = o, c
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		for _, v := range []any{err, o, &o, c, held} {
			if got := fmt.Sprintf(format, v); strings.Contains(got, password) || strings.Contains(got, "c4nary") {
				t.Fatalf("%s of %T shows the password: %s", format, v, got)
			}
		}
	}
	_, err = smtpout.New(smtpout.Options{Host: "mail.example.com", Username: user, Password: password + "\n"})
	if err == nil || strings.Contains(err.Error(), "c4nary") {
		t.Fatalf("new with a line break in the password: got %v", err)
	}
	var _ callback.Mailer = c
}
