package post

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"ringback/callback"
)

// FuzzAnswer lets an endpoint say anything at all: nothing it says may break
// the bounds of an attempt, or be passed on as it is.
func FuzzAnswer(f *testing.F) {
	for _, rows := range [][]behaviour{successes, statuses, redirects, faults} {
		for _, b := range rows {
			if b.answer != "" && len(b.answer) < 4000 {
				f.Add([]byte(b.answer), false)
				f.Add([]byte(b.answer), true)
			}
		}
	}
	said := make(chan []byte, 2)
	addr := listen(f, func(c net.Conn) {
		br := bufio.NewReader(c)
		if readRequest(br) {
			c.Write(<-said) // the client may have enough
		}
	})
	p := newPoster(f, Options{AllowPrivate: true, ResponseTimeout: 5 * time.Second})
	cb := newCallback("http://" + addr + "/hook")
	f.Fuzz(func(t *testing.T, answer []byte, redact bool) {
		own := *cb
		if !redact {
			own.Auth = callback.Auth{}
		}
		said <- answer
		said <- answer // in case the answer before this one left a connection
		as := p.Post(context.Background(), &own, newClaim(), 1)
		for len(said) > 0 {
			<-said
		}
		if len(as) < 1 || len(as) > 2 {
			t.Fatalf("got %d attempts", len(as))
		}
		for _, a := range as {
			if a.Class == callback.ClassInternal || a.Class == callback.ClassInterrupted {
				t.Errorf("%q: got class %q, %s", answer, a.Class, a.Error)
			}
			if !redact || bytes.Contains(answer, []byte("s3cr3t-proxy")) { // there is no proxy
				a.Error, a.Excerpt, a.Reason = mask(a.Error), mask(a.Excerpt), mask(a.Reason)
			}
			checkClean(t, a)
		}
	})
}

// mask keeps checkClean from taking an answer that happens to hold the key for
// a leak, where the callback has none.
func mask(s string) string { return secrets{theKey, "s3cr3t-KEY%2F%2B%26%3Dx", "s3cr3t-proxy"}.hide(s) }
