package tui

import (
	"context"
	"io"
	"os"
	ossignal "os/signal"
	"strings"
	"syscall"

	tea "charm.land/bubbletea/v2"
	tty "golang.org/x/term"
)

// raw has the terminal that r is, if it is one, hand over each key as it is
// pressed. restore undoes that.
func raw(r io.Reader) (restore func(), err error) {
	fd, ok := terminalOf(r)
	if !ok {
		return func() {}, nil
	}
	was, err := tty.MakeRaw(fd)
	if err != nil {
		return nil, err
	}
	return func() { _ = tty.Restore(fd, was) }, nil // one that is gone needs no restoring
}

// sizeOf returns the columns and rows of the terminal that w is, zero where it is none.
func sizeOf(w io.Writer) (cols, rows int) {
	if fd, ok := terminalOf(w); ok {
		cols, rows, _ = tty.GetSize(fd) // of one that is gone: nothing
	}
	return cols, rows
}

func terminalOf(v any) (fd int, ok bool) {
	f, ok := v.(*os.File)
	if !ok || !tty.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// tellSizes sends the size of w, where it is a terminal, now and whenever it is told to
// have changed, until ctx is done. It listens before it looks, so that none is missed.
func tellSizes(ctx context.Context, w io.Writer, send func(tea.Msg)) {
	if _, ok := terminalOf(w); !ok {
		return
	}
	changes := make(chan os.Signal, 1)
	ossignal.Notify(changes, syscall.SIGWINCH)
	defer ossignal.Stop(changes)
	for {
		if cols, rows := sizeOf(w); cols > 0 && rows > 0 {
			send(tea.WindowSizeMsg{Width: cols, Height: rows})
		}
		select {
		case <-ctx.Done():
			return
		case <-changes:
		}
	}
}

// answersModes tells the terminals that may be asked for their modes: Apple's
// prints the question, and over ssh the answer may come after the screen is
// gone, but where the terminal is known to be quick.
func (o *Options) answersModes() bool {
	program, kind := o.getenv("TERM_PROGRAM"), o.getenv("TERM")
	for _, known := range []string{"ghostty", "wezterm", "alacritty", "kitty", "rio"} {
		if strings.Contains(kind, known) {
			return true
		}
	}
	return o.getenv("WT_SESSION") != "" || o.getenv("SSH_TTY") == "" && !strings.Contains(program, "Apple")
}
