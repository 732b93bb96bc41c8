package smtpout

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGuardKeepsItsDeadline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		set  func(g *guard, now time.Time) error
		want time.Duration // until Read gives up
	}{
		{"lifted", func(g *guard, _ time.Time) error { return g.SetDeadline(time.Time{}) }, time.Hour},
		{"lifted for reads", func(g *guard, _ time.Time) error { return g.SetReadDeadline(time.Time{}) }, time.Hour},
		{"too late", func(g *guard, now time.Time) error { return g.SetDeadline(now.Add(24 * time.Hour)) }, time.Hour},
		{"earlier", func(g *guard, now time.Time) error { return g.SetDeadline(now.Add(time.Minute)) }, time.Minute},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				defer near.Close()
				defer far.Close()
				begin := time.Now()
				g := newGuard(near, begin.Add(time.Hour))
				if err := tc.set(g, begin); err != nil {
					t.Fatalf("set deadline: %v", err)
				}
				if _, err := g.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatalf("read: got %v, want a timeout", err)
				}
				if got := time.Since(begin); got != tc.want {
					t.Fatalf("gave up after %v, want %v", got, tc.want)
				}
			})
		})
	}
}

func TestGuardWriteEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		defer far.Close()
		begin := time.Now()
		g := newGuard(near, begin.Add(time.Hour))
		if err := g.SetWriteDeadline(time.Time{}); err != nil {
			t.Fatalf("set deadline: %v", err)
		}
		if _, err := g.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Hour {
			t.Fatalf("write: got %v after %v, want a timeout after 1h", err, time.Since(begin))
		}
	})
}

func TestGuardLines(t *testing.T) {
	t.Parallel()
	fits := strings.Repeat("250-"+strings.Repeat("x", 1018)+"\r\n", 64) // 64 KiB to the byte
	for _, tc := range []struct {
		name, in, want string
		err            error
	}{
		{"one line", "250 ok\r\n", "250 ok\r\n", io.EOF},
		{"bare code", "250\r\n", "250 \r\n", io.EOF},
		{"bare code, line feed", "250\n", "250 \r\n", io.EOF},
		{"no code", "250 ok\r\nhi\r\n", "250 ok\r\n", notSMTP("hi")},
		{"two codes", "250-a\r\n251 b\r\n", "250-a\r\n", errMixed},
		{"next answer", "250 a\r\n251 b\r\n", "250 a\r\n251 b\r\n", io.EOF},
		{"cut", "250 a\r\n25", "250 a\r\n", errCutReply},
		{"longest line", "250 " + strings.Repeat("x", 1994) + "\r\n", "250 " + strings.Repeat("x", 1994) + "\r\n", io.EOF},
		{"longer line", "250 " + strings.Repeat("x", 1996) + "\r\n", "", errLongLine},
		{"longest answer", fits, fits, io.EOF},
		{"longer answer", fits + "250 \r\n", fits, errLongReply},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			near, far := net.Pipe()
			defer near.Close()
			go func() {
				_, _ = io.WriteString(far, tc.in)
				_ = far.Close()
			}()
			g := newGuard(near, time.Now().Add(time.Hour))
			var got strings.Builder
			buf := make([]byte, 700)
			for {
				n, err := g.Read(buf)
				got.Write(buf[:n])
				if err != nil {
					if !errors.Is(err, tc.err) {
						t.Fatalf("got %v, want %v", err, tc.err)
					}
					break
				}
			}
			if got.String() != tc.want {
				t.Fatalf("got %q, want %q", got.String(), tc.want)
			}
		})
	}
}
