package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"ringback/callback"
)

// Options says what Run shows, where, and how.
type Options struct {
	Service callback.Service
	In      io.Reader // keys; nil: none can be pressed
	Out     io.Writer // the terminal
	Environ []string  // of the terminal's user: TERM, NO_COLOR, LANG, …

	Theme string // auto, dark, light, ansi, none; empty is auto
	ASCII bool   // draw with ASCII alone, whatever the locale says
	FPS   int    // frames a second at most; 0: 60
	Mouse bool   // on from the start; a key turns it on and off

	ReadOnly bool   // refuse whatever would change something
	Embedded bool   // the screen runs in the server's own process
	Demo     bool   // what is shown is made up, and gone afterwards
	User     string // who acts: stands in the record of what was done

	Zone *time.Location   // of the operator; nil is time.Local
	Now  func() time.Time // nil is time.Now
}

// Leave says what the operator wants of the program after the screen is gone.
type Leave uint8

// The ways to leave.
const (
	Detach Leave = iota // the screen ends, and what it was attached to goes on
	Hide                // the screen ends, and this process goes on delivering
	Stop                // this process is to stop
)

// String returns the word of the way.
func (l Leave) String() string { return [...]string{"detach", "hide", "stop"}[l] }

// ErrStalled says that the terminal took no output when the screen ended. It is
// restored when it takes some again: nobody may show another screen there meanwhile.
var ErrStalled = errors.New("the terminal takes no output: it is left as it is")

// Run shows the screen until the operator leaves or ctx is done, and restores
// the terminal. It blocks, and starts nothing that outlives it, but for one
// case: a terminal that takes no output is given up two seconds after the end.
// It handles no signals but those of the terminal's size. A fault of the screen
// itself comes back as an error, and the screen may be run again unless that is an
// ErrStalled, too.
func Run(ctx context.Context, o Options) (Leave, error) {
	if o.Service == nil || o.Out == nil {
		return Detach, errors.New("the screen needs a service and a terminal")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m, err := newModel(ctx, cancel, o)
	if err != nil {
		return Detach, err
	}
	m.profile = colorprofile.Detect(o.Out, o.colourEnviron())
	m.restyle()
	restore, err := raw(o.In)
	if err != nil {
		return Detach, fmt.Errorf("run the screen: %w", err)
	}
	defer restore()
	m.painter = newPainter(&o, m.crashed)
	go m.painter.run() // leave waits for it
	err = m.loop(ctx)
	stalled := !m.painter.leave()
	switch fault := m.fault(); {
	case stalled && ctx.Err() != nil:
		return Detach, errors.Join(fault, ErrStalled)
	case fault != nil:
		return Detach, fault
	case err != nil && ctx.Err() == nil:
		return Detach, fmt.Errorf("run the screen: %w", err)
	}
	return m.leave, nil
}

// loop takes messages until the operator leaves or ctx is done. Bubble Tea reads
// the keys and runs the loop; what is seen is the painter's: Bubble Tea's own
// renderer wakes at each frame there could be, whether or not something changed,
// which is most of what an idle screen costs.
func (m *model) loop(ctx context.Context) error {
	o := m.desk.opt
	program := tea.NewProgram(m,
		tea.WithInput(o.In), tea.WithEnvironment(o.colourEnviron()), tea.WithoutSignalHandler(),
		tea.WithColorProfile(m.profile),
		tea.WithoutRenderer(), tea.WithOutput(io.Discard), tea.WithFPS(1)) // the ticker cannot be had slower
	ctx, cancel := context.WithCancel(ctx)
	var sizes sync.WaitGroup
	sizes.Go(func() { tellSizes(ctx, o.Out, program.Send) })
	defer sizes.Wait()
	defer cancel()
	return runUntil(ctx, program)
}

// runUntil runs a program until it ends or ctx is done. It is asked to quit then: one
// that is killed, as tea.WithContext does, does not wait for who reads the keys, and
// closes the reader under it.
func runUntil(ctx context.Context, program *tea.Program) error {
	stop := context.AfterFunc(ctx, program.Quit) // it ends with the program
	defer stop()
	_, err := program.Run()
	return err
}

// getenv looks a variable up in Environ, where the last one of a name counts.
func (o *Options) getenv(name string) string {
	for _, v := range slices.Backward(o.Environ) {
		if k, value, ok := strings.Cut(v, "="); ok && k == name {
			return value
		}
	}
	return ""
}

// colourEnviron is Environ as the colours may depend on it: a theme asked for by
// name wins over NO_COLOR.
func (o *Options) colourEnviron() []string {
	env := append([]string{}, o.Environ...) // never nil: that would be this process' own
	if o.Theme == "" || o.Theme == "auto" || o.Theme == "none" {
		return env
	}
	return slices.DeleteFunc(env, func(v string) bool { return strings.HasPrefix(v, "NO_COLOR=") })
}
