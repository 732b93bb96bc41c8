package cli

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestStarts(t *testing.T) {
	t.Parallel()
	f := &folder{dir: t.TempDir()}
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	note := func(interrupted int) {
		t.Helper()
		now = now.Add(time.Hour)
		starts, err := f.noteStart(now, interrupted)
		if err != nil || !starts[0].At.Equal(now) || !starts[0].Ended.IsZero() || starts[0].Interrupted != interrupted || starts[0].Version != version() {
			t.Fatalf("noted %+v, %v", starts, err)
		}
	}
	note(0)
	if err := f.noteEnd(now.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	note(0) // killed
	note(17)
	got := f.readStarts()
	if len(got) != 3 || got[0].Interrupted != 17 || !got[1].Ended.IsZero() || !got[2].Ended.Equal(now.Add(-2*time.Hour+time.Minute)) {
		t.Errorf("got %+v", got)
	}
	for range 2 * maxStarts {
		note(0)
	}
	if got := f.readStarts(); len(got) != maxStarts {
		t.Errorf("%d starts are kept", len(got))
	}
	for _, rubbish := range []string{"", "{", `[{"started":"never"}]`, strings.Repeat(" ", 100<<10)} {
		if err := os.WriteFile(f.path("starts"), []byte(rubbish), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := f.noteEnd(now); err != nil {
			t.Errorf("%.20q: %v", rubbish, err)
		}
		note(1)
		if got := f.readStarts(); len(got) != 1 {
			t.Errorf("after %.20q: %+v", rubbish, got)
		}
	}
}
