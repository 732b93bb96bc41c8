package tui

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// paper is a terminal's output.
type paper struct {
	mu      sync.Mutex
	b       bytes.Buffer
	blocked chan struct{} // while not nil, nothing is taken
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	blocked := p.blocked
	p.mu.Unlock()
	if blocked != nil {
		<-blocked
		return 0, io.ErrClosedPipe
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

// outcomeOf runs the screen in a bubble of time, while meanwhile types.
func outcomeOf(t *testing.T, out *paper, change func(*Options), meanwhile func(keys io.Writer, stop context.CancelFunc)) (leave Leave, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		in, keys := io.Pipe()
		defer keys.Close()
		o := Options{Service: newFake(), In: in, Out: out, Environ: []string{"TERM=xterm"}, Zone: aest}
		if change != nil {
			change(&o)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			leave, err = Run(ctx, o)
			in.Close() // else a key after the end would wait for ever
		}()
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		meanwhile(keys, cancel)
		<-done
		if out.blocked != nil {
			close(out.blocked)
		}
	})
	return leave, err
}

func TestRun(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(*Options)
		keys   string
		leave  Leave
		fault  string
	}{
		{"q leaves", nil, "q", Detach, ""},
		{"Ctrl+C leaves", nil, "\x03", Detach, ""},
		{"hide", embedded, "qh", Hide, ""},
		{"stop", embedded, "qs", Stop, ""},
		{"ctx ends it", embedded, "", Detach, ""},
		{"a fault comes back", func(o *Options) { o.Service = badService{newFake()} }, "\x12", Detach, "the screen broke: no idea"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			out := new(paper)
			leave, err := outcomeOf(t, out, tc.change, func(keys io.Writer, stop context.CancelFunc) {
				if tc.keys == "" {
					stop()
				}
				for _, k := range tc.keys {
					_, _ = keys.Write([]byte(string(k)))
					time.Sleep(200 * time.Millisecond)
				}
			})
			if leave != tc.leave {
				t.Errorf("left as %v, want %v", leave, tc.leave)
			}
			if tc.fault == "" && err != nil || tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault)) {
				t.Errorf("got error %v, want %q", err, tc.fault)
			}
			for _, mode := range []string{"\x1b[?1049l", "\x1b[?25h", "\x1b[?1004l"} {
				if !strings.Contains(out.String(), mode) {
					t.Errorf("the terminal is left without %q", mode)
				}
			}
		})
	}
}

// A fault in Update comes back, and Bubble Tea, which would print it into the
// terminal, knows nothing of it.
func TestRunTellsOfAFaultOnce(t *testing.T) {
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer stderr.Close()
	defer func(was *os.File) { os.Stderr = was }(os.Stderr)
	os.Stderr = stderr
	for range 5 {
		var broken atomic.Bool
		_, err := outcomeOf(t, new(paper), func(o *Options) {
			o.Now = func() time.Time {
				if broken.Load() {
					panic("no time")
				}
				return noon
			}
		}, func(keys io.Writer, _ context.CancelFunc) {
			broken.Store(true)
			_, _ = keys.Write([]byte("j"))
		})
		if err == nil || !strings.Contains(err.Error(), "the screen broke: no time") {
			t.Fatalf("got %v", err)
		}
	}
	if said, err := os.ReadFile(stderr.Name()); err != nil || len(said) > 0 {
		t.Fatalf("it printed %q, %v", said, err)
	}
}

func TestRunGivesUpADeadTerminal(t *testing.T) {
	out := &paper{}
	_, err := outcomeOf(t, out, nil, func(_ io.Writer, stop context.CancelFunc) {
		out.mu.Lock()
		out.blocked = make(chan struct{})
		out.mu.Unlock()
		time.Sleep(2 * time.Second) // until the next frame is stuck
		stop()
	})
	if !errors.Is(err, ErrStalled) {
		t.Fatalf("got %v", err)
	}
}

// Nobody reads keys any more once ctx has ended the screen: who reads the terminal
// next would miss some.
func TestRunLeavesNobodyReading(t *testing.T) {
	reads := func() bool {
		stacks := make([]byte, 1<<20)
		return bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(".sendBytes("))
	}
	for range 20 {
		in, keys, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		done := make(chan error, 1)
		go func() {
			_, err := Run(ctx, Options{Service: newFake(), In: in, Out: new(paper), Environ: []string{"TERM=xterm"}, Zone: aest})
			done <- err
		}()
		for !reads() && ctx.Err() == nil {
			runtime.Gosched()
		}
		if ctx.Err() != nil {
			t.Fatal("nobody reads keys")
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if reads() {
			t.Fatal("somebody reads keys")
		}
		if err := errors.Join(in.Close(), keys.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunNeedsItsOptions(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {Service: newFake()}, {Service: newFake(), Out: io.Discard, Theme: "pink"}} {
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

func TestNamedThemeWinsOverNoColor(t *testing.T) {
	t.Parallel()
	for theme, want := range map[string]string{"": "1", "auto": "1", "none": "1", "dark": "", "light": "", "ansi": ""} {
		o := Options{Theme: theme, Environ: []string{"NO_COLOR=1", "TERM=xterm"}}
		env := Options{Environ: o.colourEnviron()}
		if got := env.getenv("NO_COLOR"); got != want {
			t.Errorf("theme %q: NO_COLOR=%q, want %q", theme, got, want)
		}
		if env.getenv("TERM") != "xterm" {
			t.Errorf("theme %q: TERM is lost", theme)
		}
	}
}

func TestErrorsInWords(t *testing.T) {
	t.Parallel()
	if got := inWords(errors.Join(context.DeadlineExceeded)); got != "no answer within 2 s" {
		t.Error(got)
	}
	if got := inWords(errors.New("a\x1b[2Jb\nc")); got != "a[2Jb c" {
		t.Errorf("%q", got)
	}
}
