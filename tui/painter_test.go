package tui

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// pen is a terminal's output that counts, and takes nothing while it is held.
type pen struct {
	held   chan struct{} // has room while something is taken; nil: always
	mu     sync.Mutex
	writes []string
	err    error
}

func (p *pen) Write(b []byte) (int, error) {
	if p.held != nil {
		p.held <- struct{}{}
		defer func() { <-p.held }()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, string(b))
	return len(b), p.err
}

// took returns what was written since, and forgets it.
func (p *pen) took() (writes []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	writes, p.writes = p.writes, nil
	return writes
}

// paints runs a painter of 30 pictures a second in a bubble of time.
func paints(t *testing.T, test func(p *painter, out *pen, c *Canvas)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		out := &pen{held: make(chan struct{}, 1)}
		p := newPainter(&Options{Out: out, FPS: 30}, func(what any) { t.Errorf("it panicked: %v", what) })
		go p.run()
		c := NewCanvas(20, 3, NewPalette(ThemeNone, false))
		synctest.Wait()
		test(p, out, c)
		p.leave()
	})
}

func TestPainterPace(t *testing.T) {
	t.Parallel()
	paints(t, func(p *painter, out *pen, c *Canvas) {
		draw := func(n int) {
			c.Put(0, 0, RoleText, fmt.Sprintf("no %d.", n))
			p.show(c, manner{})
			synctest.Wait()
		}
		draw(1)
		if got := out.took(); len(got) != 2 || !strings.Contains(got[1], "no 1.") {
			t.Fatalf("the first picture is not shown at once: %q", got)
		}
		draw(2)
		draw(3)
		if got := out.took(); len(got) != 0 {
			t.Fatalf("a second picture at the same moment: %q", got)
		}
		time.Sleep(time.Second/30 + time.Millisecond)
		if got := out.took(); len(got) != 1 || !strings.Contains(got[0], "3") {
			t.Fatalf("the newest is not shown a thirtieth of a second later: %q", got)
		}
		time.Sleep(time.Second)
		for i := range 90 { // a key is held for 3 s
			draw(100 + i)
			if i == 0 && len(out.took()) != 1 {
				t.Fatal("after a rest the first picture is not shown at once")
			}
			time.Sleep(time.Second / 30)
		}
		time.Sleep(time.Second)
		if got := out.took(); len(got) < 50 || len(got) > 63 || !strings.Contains(got[len(got)-1], "9") {
			t.Fatalf("%d pictures in 3 s, want 20 a second, and the last: %q", len(got), got[len(got)-1])
		}
	})
}

// TestPainterSleeps shows what does not change: nobody is woken.
func TestPainterSleeps(t *testing.T) {
	t.Parallel()
	p := newPainter(&Options{Out: new(pen)}, nil) // it does not run
	c := NewCanvas(20, 3, NewPalette(ThemeNone, false))
	for _, tc := range []struct {
		text string
		how  manner
		wake int
	}{
		{"abc", manner{}, 1},
		{"abc", manner{}, 0},
		{"abd", manner{}, 1},
		{"abd", manner{mouse: true}, 1},
		{"abd", manner{mouse: true}, 0},
		{"👩\u200d👧", manner{}, 1},
		{"👩\u200d👧", manner{}, 0},
		{"👩\u200d👦", manner{}, 1},
	} {
		c.Reset(20, 3)
		c.Put(0, 0, RoleText, tc.text)
		p.show(c, tc.how)
		if got := len(p.wake); got != tc.wake {
			t.Fatalf("%s %+v: it is woken %d times, want %d", tc.text, tc.how, got, tc.wake)
		}
		for len(p.wake) > 0 {
			<-p.wake
		}
	}
}

// TestIdleScreenWrites counts what a screen writes that nobody touches: the clock,
// once a second.
func TestIdleScreenWrites(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 140, 40, nil, func(p *pilot) {
		out := new(pen)
		p.m.painter = newPainter(&Options{Out: out, FPS: 30}, p.m.crashed)
		go p.m.painter.run()
		defer p.m.painter.leave()
		p.pass(3 * time.Second)
		out.took()
		p.pass(time.Minute)
		writes := out.took()
		if n := len(strings.Join(writes, "")); len(writes) > 61 || len(writes) < 59 || n > 60*300 {
			t.Errorf("%d writes of %d bytes in a minute, want one a second and 300 bytes at most", len(writes), n)
		}
	})
}

// TestPainterStalls has a terminal take nothing for a while: nobody waits but the
// painter, and what it shows then is the newest.
func TestPainterStalls(t *testing.T) {
	t.Parallel()
	paints(t, func(p *painter, out *pen, c *Canvas) {
		out.took()
		out.held <- struct{}{}
		for i := range 200 {
			c.Put(0, 0, RoleText, fmt.Sprintf("no %d.", i))
			p.show(c, manner{})
			p.copies(fmt.Sprint("text ", i))
			time.Sleep(10 * time.Millisecond)
		}
		<-out.held
		time.Sleep(time.Second)
		got := out.took()
		if len(got) != 2 || !strings.Contains(got[1], "199") || strings.Contains(got[1], "198") {
			t.Fatalf("want the picture that was stuck and the newest: %q", got)
		}
	})
}

func TestPainterLeavesAStalledTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &pen{held: make(chan struct{}, 1)}
		p := newPainter(&Options{Out: out}, nil)
		out.held <- struct{}{}
		go p.run()
		began := time.Now()
		if p.leave() || time.Since(began) != leaveTime {
			t.Errorf("it was left after %v", time.Since(began))
		}
		<-out.held
		<-p.ended
		if got := strings.Join(out.took(), ""); !strings.Contains(got, "\x1b[?1049l") {
			t.Errorf("the terminal takes output again, and is not restored: %q", got)
		}
	})
}

// TestPainterAgain writes all anew after a write that failed, also where nothing
// changed since, and whatever style it left in force.
func TestPainterAgain(t *testing.T) {
	t.Parallel()
	paints(t, func(p *painter, out *pen, c *Canvas) {
		c.Put(0, 0, RoleText, "abc")
		out.err = errors.New("interrupted")
		p.show(c, manner{})
		synctest.Wait()
		for _, x := range []string{"", "", "x"} {
			time.Sleep(time.Second)
			out.took()
			c.Put(3, 0, RoleText, x)
			p.show(c, manner{})
			synctest.Wait()
			if got := out.took(); len(got) != 1 || !strings.HasPrefix(got[0], "\x1b[m") || !strings.Contains(got[0], "abc"+x) {
				t.Fatalf("got %q", got)
			}
		}
	})
}

// TestSizeThatIsTheSameAgain paints all anew: a terminal that was smaller meanwhile
// has lost some of it.
func TestSizeThatIsTheSameAgain(t *testing.T) {
	t.Parallel()
	m := still(t, 80, 24)
	m.View()
	var before, after picture
	before.take(m.canvas, m.manner)
	m.Update(tea.WindowSizeMsg{Width: 80, Height: 24})
	m.View()
	after.take(m.canvas, m.manner)
	g := newGlass(t, 80, 24)
	_, _ = g.Write(after.over(nil, &before))
	g.shows(m.canvas)
}

func TestPainterPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var fault any
		p := newPainter(&Options{Out: new(pen)}, func(what any) { fault = what })
		go p.run()
		c := NewCanvas(20, 3, NewPalette(ThemeNone, false))
		c.palette = nil
		p.show(c, manner{})
		synctest.Wait()
		if p.leave(); fault == nil {
			t.Fatal("nobody is told")
		}
	})
}

func TestWhichTerminalsAreAskedForModes(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]bool{
		"TERM=xterm": true, "TERM_PROGRAM=tmux": true, "TERM_PROGRAM=Apple_Terminal": false, "SSH_TTY=/dev/pts/1": false,
		"SSH_TTY=/dev/pts/1 TERM=xterm-kitty": true, "SSH_TTY=/dev/pts/1 WT_SESSION=1": true,
	} {
		o := Options{Environ: strings.Fields(env)}
		if got := o.answersModes(); got != want {
			t.Errorf("%s: %v, want %v", env, got, want)
		}
	}
}
