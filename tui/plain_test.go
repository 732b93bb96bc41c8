package tui

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringback/callback"
)

// plainPaper is where Plain writes while a test reads.
type plainPaper struct {
	mu   sync.Mutex
	b    bytes.Buffer
	fail error
}

func (p *plainPaper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return 0, p.fail
	}
	return p.b.Write(b)
}

// take returns the lines written since it was called last.
func (p *plainPaper) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := strings.TrimSuffix(p.b.String(), "\n")
	p.b.Reset()
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

func TestPlain(t *testing.T) {
	t.Parallel()
	f, out := newFake(), &plainPaper{}
	o := Options{Service: f, Out: out, Zone: aest, Now: func() time.Time { return noon }}
	if err := Plain(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	got := out.take()
	want := []string{
		"gw1: 12 callbacks (1 DOWN, 1 failing, 1 suspended, 8 healthy, 1 no calls), 142/s accepted, 1,606 waiting, 3 given up, 3 due now, mail ok",
		"crm-prod: DOWN since 09:12:04, for 4h51m, 1,284 waiting, oldest 4h51m, next try in 2m10s. Connection refused: nothing listens on 203.0.113.9:443 (crm.example.com). E-mail sent to ops@example.com 09:12:06: 250 2.0.0 Ok: queued as 4F2C1.",
	}
	if len(got) != 13 {
		t.Fatalf("%d lines, want one and one for each of 12 callbacks:\n%s", len(got), strings.Join(got, "\n"))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("line %d\n got %s\nwant %s", i+1, got[i], want[i])
		}
	}
	if want := "airport-ops: healthy, 0 waiting"; got[4] != want {
		t.Errorf("got %q, want %q", got[4], want)
	}
}

func TestPlainHostile(t *testing.T) {
	t.Parallel()
	f, out := newFake(), &plainPaper{}
	f.health("crm-prod").Live.LastError = "\x1b]0;title\x07\u202egone\nairport-ops: DOWN" + strings.Repeat("x", 10_000)
	o := Options{Service: f, Out: out, Zone: aest, Now: func() time.Time { return noon }}
	if err := Plain(t.Context(), o, false); err != nil {
		t.Fatal(err)
	}
	got := out.take()
	if len(got) != 13 {
		t.Errorf("%d lines, want 13", len(got))
	}
	for _, line := range got {
		if strings.ContainsAny(line, "\x1b\x07\u202e\r") || len(line) > plainLine {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
}

func TestPlainErrors(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.fail = callback.Errorf(callback.CodeUnavailable, "nobody listens")
	o := Options{Service: f, Out: &plainPaper{}, Now: func() time.Time { return noon }}
	if err := Plain(t.Context(), o, true); callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("got %v, want the service's own error at once", err)
	}
	broken := errors.New("broken pipe")
	o = Options{Service: newFake(), Out: &plainPaper{fail: broken}, Now: func() time.Time { return noon }}
	if err := Plain(t.Context(), o, true); !errors.Is(err, broken) {
		t.Errorf("got %v, want that nobody reads", err)
	}
}

func TestPlainWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, out := newFake(), &plainPaper{}
		began := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		o := Options{Service: f, Out: out, Zone: aest, Now: func() time.Time { return noon.Add(time.Since(began)) }}
		go func() { ended <- Plain(ctx, o, true) }()
		says := func(after time.Duration, want ...string) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			got := out.take()
			if len(got) != len(want) {
				t.Fatalf("%d lines, want %d: %q", len(got), len(want), got)
			}
			for i := range want {
				if !strings.Contains(got[i], want[i]) {
					t.Errorf("got %q, want %q in it", got[i], want[i])
				}
			}
		}
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		if n := len(out.take()); n != 13 {
			t.Fatalf("%d lines at first", n)
		}
		f.set(func() { // figures are no change
			f.overview.Waiting++
			f.health("crm-prod").Live.Counts.Pending++
			f.health("airport-ops").OK, f.health("airport-ops").Cells = 0, nil
		})
		says(5 * time.Second)
		f.set(func() {
			f.health("rail-disrupt").Shown = callback.Down
			f.health("rail-disrupt").Live.LastError = "Host name not found."
		})
		says(time.Second, "14:03:33 rail-disrupt: DOWN since")
		f.set(func() { f.health("crm-prod").Alert.Status = callback.AlertRefused })
		says(time.Second, "crm-prod: DOWN")
		f.set(func() { f.overview.MailOK, f.overview.MailNote = false, "535 wrong password" })
		says(time.Second, " mail: 535 wrong password")
		f.set(func() { f.overview.Callbacks = f.overview.Callbacks[1:] })
		says(time.Second, " airport-ops: deleted")
		f.set(func() { f.fail = errors.New("connection refused") })
		says(time.Second, " offline: connection refused")
		says(time.Minute)
		f.set(func() { f.fail = nil; f.health("rail-disrupt").Shown = callback.Healthy })
		says(6*time.Second, " back after 1m", "rail-disrupt: healthy")
		stop()
		if err := <-ended; err != nil {
			t.Errorf("ended with %v", err)
		}
	})
}
