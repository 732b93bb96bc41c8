package tui

import (
	"io"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// painter writes pictures to a terminal: of those it is given the newest, no
// oftener than its pace, and of that what changed. It alone writes there. While
// nothing changes it sleeps, and while the terminal takes nothing it alone
// waits.
type painter struct {
	out   io.Writer
	asks  bool          // the terminal's answers are read
	modes bool          // the terminal may be asked what it can do (modes 2026 and 2027)
	pace  time.Duration // between two pictures at least
	fault func(any)     // takes note of a panic

	wake  chan struct{} // there may be something to write
	end   chan struct{} // closed: the screen is over
	ended chan struct{} // closed: all is written

	mu    sync.Mutex
	next  picture // the newest
	fresh bool    // and not yet written
	clip  string  // is to be put on the clipboard

	shown, work picture // what the terminal shows, and is about to
	buf         []byte
	last        time.Time // when the last picture was written
	streak      int       // of pictures that followed one another at once
}

// leaveTime is how long a terminal may take to accept the end of the screen.
const leaveTime = 2 * time.Second

// mouseOff ends all ways of telling of the mouse.
const mouseOff = ansi.ResetModeMouseNormal + ansi.ResetModeMouseButtonEvent + ansi.ResetModeMouseAnyEvent + ansi.ResetModeMouseExtSgr

// newPainter returns a painter of so many pictures a second at most. It paints
// while Run runs.
func newPainter(o *Options, fault func(any)) *painter {
	fps := o.FPS
	if fps < 1 {
		fps = 60
	}
	return &painter{
		out: o.Out, asks: o.In != nil, modes: o.answersModes(), pace: time.Second / time.Duration(min(fps, 120)), fault: fault,
		wake: make(chan struct{}, 1), end: make(chan struct{}), ended: make(chan struct{}),
	}
}

// show has the canvas painted as it is now. It never waits for the terminal.
func (p *painter) show(c *Canvas, m manner) {
	c.settle()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.is(c, m) {
		return
	}
	p.next.take(c, m)
	p.fresh = true
	p.rouse()
}

// copies has text put on the clipboard, by OSC 52; the newest counts.
func (p *painter) copies(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clip = text
	p.rouse()
}

func (p *painter) rouse() {
	select {
	case p.wake <- struct{}{}:
	default: // it is on its way
	}
}

// leave has the terminal restored, and reports whether that took it in time. If
// not, it is restored when it takes something again.
func (p *painter) leave() bool {
	close(p.end)
	select {
	case <-p.ended:
		return true
	case <-time.After(leaveTime):
		return false
	}
}

// run paints until leave is called.
func (p *painter) run() {
	defer close(p.ended)
	defer func() { _ = p.write(p.farewell()) }() // who reads the terminal learns that it is gone
	_ = p.write(p.greeting())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-p.wake:
		case <-p.end:
			return
		}
		if wait := p.wait(time.Now()); wait > 0 {
			timer.Reset(wait)
			select {
			case <-timer.C:
			case <-p.end:
				return
			}
		}
		p.paint()
	}
}

// wait returns how long the next picture is to wait for those that may replace it
// in time. One after a rest does not wait; where many follow one another, as with
// a key that is held down, they come more slowly: people do not see it, and
// deliveries have the time.
func (p *painter) wait(now time.Time) time.Duration {
	pace := p.pace
	if p.streak > 1 {
		pace += pace / 2
	}
	since := now.Sub(p.last)
	if since > 2*pace {
		p.streak = 0
	}
	return pace - since
}

// newest takes the newest picture to work on, if it is not shown, and the text that
// is to be put on the clipboard.
func (p *painter) newest() (fresh bool, clip string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh, clip = p.fresh, p.clip
	p.fresh, p.clip = false, ""
	if fresh {
		p.work.take(&p.next.Canvas, p.next.manner)
	}
	return fresh, clip
}

// paint writes the newest picture, if it has not.
func (p *painter) paint() {
	defer func() {
		if r := recover(); r != nil {
			p.fault(r)
		}
	}()
	fresh, clip := p.newest()
	out := p.buf[:0]
	if fresh {
		out = p.work.over(out, &p.shown)
		p.shown, p.work = p.work, p.shown
	}
	if clip != "" {
		out = append(out, ansi.SetSystemClipboard(clip)...)
	}
	p.buf = out
	if len(out) == 0 {
		return
	}
	p.streak++
	if p.write(out) != nil {
		p.lost()
	}
	p.last = time.Now()
}

// lost has all written anew with the next frame, also where that is the same: what
// the terminal shows is not known.
func (p *painter) lost() {
	p.shown = picture{}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fresh {
		p.next = picture{}
	}
}

func (p *painter) write(b []byte) error {
	_, err := p.out.Write(b)
	return err // of a terminal that is gone, which its reader notices
}

// greeting returns what makes a terminal ours, and asks it about itself.
func (p *painter) greeting() []byte {
	s := ansi.SetModeAltScreenSaveCursor + ansi.EraseEntireScreen + ansi.ResetModeTextCursorEnable +
		ansi.SetModeBracketedPaste + ansi.SetModeFocusEvent
	if p.asks {
		s += ansi.SetModifyOtherKeys2 + ansi.PushKittyKeyboard(1) + ansi.RequestKittyKeyboard + ansi.RequestBackgroundColor
	}
	if p.asks && p.modes {
		s += ansi.RequestModeSynchronizedOutput + ansi.RequestModeUnicodeCore
	}
	return []byte(s)
}

// farewell returns what gives the terminal back as it was.
func (p *painter) farewell() []byte {
	// From the last row: where a terminal has no second screen what follows is
	// below, and tmux mixes the two up if the size changed meanwhile.
	s := ansi.ResetStyle + string(moveTo(nil, 0, max(p.shown.h-1, 0)))
	if p.asks {
		s += ansi.ResetModifyOtherKeys + ansi.PopKittyKeyboard(1)
	}
	if p.shown.method == ansi.GraphemeWidth {
		s += ansi.ResetModeUnicodeCore
	}
	return []byte(s + ansi.ResetModeSynchronizedOutput + mouseOff + ansi.ResetModeFocusEvent + ansi.ResetModeBracketedPaste + ansi.SetModeAutoWrap +
		ansi.SetCursorStyle(0) + ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable)
}
