package tui

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// A size is asked for once changes are told of: one that came before, as when tmux
// splits a pane in which the screen begins, is not missed.
func TestSizesAreTold(t *testing.T) { // alone, for the signal is the process's
	tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer tty.Close()
	size := func(w, h uint16) {
		t.Helper()
		if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: w, Row: h}); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var got []tea.Msg
	size(100, 30)
	tellSizes(ctx, tty, func(msg tea.Msg) {
		if got = append(got, msg); len(got) == 2 {
			cancel()
			return
		}
		size(80, 24)
		if err := unix.Kill(os.Getpid(), unix.SIGWINCH); err != nil {
			t.Fatal(err)
		}
	})
	cancel()
	if want := []tea.Msg{tea.WindowSizeMsg{Width: 100, Height: 30}, tea.WindowSizeMsg{Width: 80, Height: 24}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
