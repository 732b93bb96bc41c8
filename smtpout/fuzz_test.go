package smtpout

import (
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringback/callback"
)

// FuzzReplies lets the client talk to a server that says what it likes and
// then hangs up: whatever that is, the outcome is a clean receipt or a clean
// error with a stage.
func FuzzReplies(f *testing.F) {
	sound := "220 hi\r\n250-mail.test\r\n250-SIZE\r\n250 AUTH PLAIN CRAM-MD5\r\n334 PGFAYj4=\r\n235 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 2.0.0 Ok: queued\r\n221 bye\r\n"
	for _, s := range []string{
		sound, "", "220", "220\r\n", "554 no\r\n", "SSH-2.0-x\r\n", "220 a\r\n502 b\r\n250 c\r\n", "\x00\x1b[2J\r\n",
		strings.ReplaceAll(sound, "\r", ""), strings.Replace(sound, "235", "535", 1), strings.Replace(sound, "354", "554 \x1b[1m\x9b", 1),
		strings.Repeat("220-x\r\n", 20), sound[:len(sound)-14] + "251-\xff\r\n251 secret-word\r\n",
	} {
		f.Add([]byte(s))
	}
	c, err := New(Options{Host: "mail.test", TLS: TLSNone, Username: "u", Password: "secret-word", HelloName: "x"})
	if err != nil {
		f.Fatalf("new: %v", err)
	}
	stages := []string{stageGreeting, stageHello, stageAuth, stageFrom, stageRcpt, stageData}
	final := []string{stageRcpt, stageData}
	a := address{addr: "a@example.com"}
	f.Fuzz(func(t *testing.T, said []byte) {
		near, far := net.Pipe()
		_ = far.SetDeadline(time.Now().Add(time.Minute))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = io.Copy(io.Discard, far) })
		wg.Go(func() {
			_, _ = far.Write(said)
			_ = far.Close()
		})
		receipt, err := c.hand(t.Context(), near, a, a, []byte("Subject: x\r\n\r\n.\r\n"))
		wg.Wait()
		if err == nil {
			if !strings.HasPrefix(receipt, "2") {
				t.Fatalf("receipt %q", receipt)
			}
			checkTidy(t, receipt)
			return
		}
		e, ok := errors.AsType[*callback.MailError](err)
		if !ok || !slices.Contains(stages, e.Stage) || e.Reply == "" {
			t.Fatalf("got %#v", err)
		}
		if want := e.Code/100 == 5 && slices.Contains(final, e.Stage) || e.Code == tooBig && e.Stage == stageFrom; e.Permanent != want {
			t.Fatalf("permanent: got %v, want %v: %+v", e.Permanent, want, e)
		}
		checkTidy(t, e.Reply)
	})
}

func checkTidy(t *testing.T, s string) {
	t.Helper()
	if len(s) > maxReplyText || callback.Sanitize(s, len(s)) != s || strings.Contains(s, "secret-word") {
		t.Fatalf("not tidy: %q", s)
	}
}
