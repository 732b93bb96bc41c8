package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func TestAfter(t *testing.T) {
	t.Parallel()
	var j Journal
	if got := j.After(0, 10); len(got) != 0 {
		t.Errorf("of nothing: %+v", got)
	}
	const all = callback.KeptLines + 500
	for i := range all {
		j.Add(callback.LogLine{Text: fmt.Sprint("line ", i+1)})
	}
	for _, c := range []struct {
		after       uint64
		most        int
		first, last uint64
		n           int
	}{
		{0, 3, all - 2, all, 3},                    // the last
		{0, 0, 501, all, callback.KeptLines},       // all that are kept
		{0, all, 501, all, callback.KeptLines},     // no more than those
		{all - 1, 10, all, all, 1},                 // what is new
		{600, 5, 601, 605, 5},                      // page by page
		{7, 2, 501, 502, 2},                        // no longer kept: the first there is
		{all, 10, 0, 0, 0}, {all + 10, 0, 0, 0, 0}, // nothing is new
		{500, 1, 501, 501, 1}, {501, 1, 502, 502, 1}, // around the oldest
		{all - 3, 0, all - 2, all, 3}, {1 << 63, 1, 0, 0, 0}, // whatever is asked
	} {
		got := j.After(c.after, c.most)
		if len(got) != c.n || c.n > 0 && (got[0].Seq != c.first || got[c.n-1].Seq != c.last || got[0].Text != fmt.Sprint("line ", c.first)) {
			t.Errorf("after %d, at most %d: %d lines, want %d to %d", c.after, c.most, len(got), c.first, c.last)
		}
	}
}

// Long lines push out others before there are ten thousand.
func TestBytesAreBounded(t *testing.T) {
	t.Parallel()
	var j Journal
	long := strings.Repeat("x", 4*callback.MaxLineText)
	for range callback.KeptLines {
		j.Add(callback.LogLine{Text: long})
	}
	got := j.After(0, 0)
	if n := len(got) * callback.MaxLineText; n > maxBytes || n < maxBytes-callback.MaxLineText || len(got[0].Text) != callback.MaxLineText {
		t.Errorf("%d lines of %d bytes are kept", len(got), len(got[0].Text))
	}
}

// A line that comes late stands in order, one of a clock that was set back as it is.
func TestLinesAreInOrder(t *testing.T) {
	t.Parallel()
	var j Journal
	at := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ms := time.Millisecond
	for _, after := range []time.Duration{0, 500 * ms, 300 * ms, 500 * ms, 600 * ms, -2 * time.Second, -time.Second} {
		j.Add(callback.LogLine{At: at.Add(after)})
	}
	want := []time.Duration{0, 500 * ms, 500 * ms, 500 * ms, 600 * ms, -2 * time.Second, -time.Second}
	for i, l := range j.After(0, 0) {
		if got := l.At.Sub(at); got != want[i] {
			t.Errorf("line %d is of %v, want %v", i+1, got, want[i])
		}
	}
}

func TestHandler(t *testing.T) {
	t.Parallel()
	var j Journal
	var file bytes.Buffer
	next := slog.NewTextHandler(&file, &slog.HandlerOptions{Level: slog.LevelWarn})
	log := slog.New(j.Handler(next))
	secret := callback.NewSecret("canary", []byte("key"))
	log.Debug("nobody wants this")
	log.Info("api: a backup was taken", "by", "ana", "bytes", 18)
	log.With("part", "mail").Warn("alert not sent", "callback", "crm", "call", callback.CallID(0x0328BA3200000001), "err", errors.New("no\x1b[31m\nway"))
	log.WithGroup("g").With("callback", "x").Error("grouped", "secret", secret, "operation", "o")
	log.Info("operation ended", "operation", "OP1", "call", "none", "callback", 7, slog.Attr{})
	want := []callback.LogLine{
		{Level: callback.LevelInfo, Part: "api", Text: "a backup was taken by=ana bytes=18"},
		{Level: callback.LevelWarn, Part: "mail", Text: "alert not sent: no[31m way", Callback: "crm", Call: 0x0328BA3200000001},
		{Level: callback.LevelError, Text: "grouped g.callback=x g.secret=" + secret.String() + " g.operation=o"},
		{Level: callback.LevelInfo, Text: "operation ended call=none callback=7", Operation: "OP1"},
	}
	got := j.After(0, 0)
	if len(got) != len(want) {
		t.Fatalf("%d lines: %+v", len(got), got)
	}
	for i, l := range got {
		if l.Seq != uint64(i+1) || time.Since(l.At) > time.Hour {
			t.Errorf("line %d: number %d, at %v", i+1, l.Seq, l.At)
		}
		l.Seq, l.At = 0, time.Time{}
		if l != want[i] {
			t.Errorf("line %d is %+v, want %+v", i+1, l, want[i])
		}
	}
	if s := file.String(); strings.Count(s, "\n") != 2 || !strings.Contains(s, "part=mail") || !strings.Contains(s, "g.secret=") || strings.Contains(s, "canary") {
		t.Errorf("the file got %s", s)
	}
	if log.Enabled(context.Background(), slog.LevelDebug) || !log.Enabled(context.Background(), slog.LevelInfo) {
		t.Error("what matters is info and above")
	}
}
