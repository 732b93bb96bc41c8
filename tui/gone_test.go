package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

var errGone = errors.New("reach ringback at gw1: connection refused")

func TestServerGoneAndBack(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("2 j j")
		id := p.chosen()
		f.set(func() { f.fail = errGone })
		f.unwatch(nil) // which is what makes it look at once
		p.pass(500 * time.Millisecond)
		p.see("OFFLINE", "connection refused", "billing-eu")
		p.pass(20 * time.Second)
		p.see("OFFLINE 20s", "what you see is old")
		tries := f.count("Overview")
		for _, k := range []string{"x", "r", "1 z"} {
			p.press(k)
			p.see(k[len(k)-1:] + ": offline")
		}
		p.press("2 j k y")
		if p.chosen() != id {
			t.Fatal("the cursor moved")
		}
		if got := f.count("Overview"); got > tries+1 {
			t.Fatalf("%d tries by themselves, want none", got-tries)
		}
		p.press("enter")
		if got := f.count("Overview"); got != tries+1 {
			t.Fatalf("Enter made %d tries, want one", got-tries)
		}
		f.set(func() { f.fail, f.server.Started, f.server.Version = nil, noon, "v0.1.1" })
		p.pass(6 * time.Second)
		p.unseen("OFFLINE")
		p.see("back after 2", "s, server restarted (v0.1.1)")
		if p.chosen() != id {
			t.Fatal("the cursor moved")
		}
		if len(f.watchers) != 1 {
			t.Fatalf("%d watchers, want one again", len(f.watchers))
		}
	})
}

func TestBackSaysHowLong(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.set(func() { f.fail = errGone })
		p.pass(10 * time.Second)
		f.set(func() { f.fail = nil })
		p.press("enter")
		p.see("back after 10s")
	})
}

func TestTriesGetRarer(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.set(func() { f.fail = errGone })
		p.pass(time.Minute)
		if n := f.count("Overview"); n < 12 || n > 20 {
			t.Fatalf("%d tries in a minute, want one about every 5 s", n)
		}
		if n := f.count("Watch"); n > 20 {
			t.Fatalf("%d tries to watch in a minute", n)
		}
	})
}

func TestFirstContactFails(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {40, 10}, {19, 4}} {
		f := newFake()
		f.fail = errGone
		fly(t, f, size[0], size[1], nil, func(p *pilot) {
			p.pass(3 * time.Second)
			p.see("OFFLINE")
			if size[0] >= 80 {
				p.see("connection refused", "until the server answers")
			}
			f.set(func() { f.fail = nil })
			p.pass(6 * time.Second)
			p.unseen("OFFLINE")
			if size[0] >= 40 {
				p.see("crm-prod")
			}
		})
	}
}

func TestWatchClosesAlone(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2")
		f.set(func() { f.watchErr = errGone })
		f.unwatch(nil)
		p.pass(2 * time.Second)
		p.unseen("OFFLINE")
		before := f.count("Calls")
		p.pass(5 * time.Second)
		if n := f.count("Calls") - before; n < 4 {
			t.Fatalf("%d reads in 5 s without a watch, want one a second", n)
		}
		f.set(func() { f.watchErr = nil })
		p.pass(6 * time.Second)
		if len(f.watchers) != 1 {
			t.Fatalf("%d watchers, want one again", len(f.watchers))
		}
	})
}

func TestAnotherServer(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 space enter")
		f.set(func() { f.fail = errGone })
		p.pass(3 * time.Second)
		f.set(func() { f.fail, f.server.ID = nil, "OTHER" })
		p.pass(6 * time.Second)
		p.see("another server: data folder OTHER, was 5F0C6A1B")
		p.press("2")
		p.unseen("marked")
	})
}

func TestStalledServiceBlocksNoKey(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.set(func() { f.stall = make(chan struct{}) })
		p.press("j j")
		p.see("sms-portal ─")
		p.press("2")
		p.see("loading ...")
		p.pass(4 * time.Second)
		p.see("OFFLINE")
		p.press("1 ?")
		p.see("Keys")
		p.press("esc q")
		if !p.quit {
			t.Fatal("q does not leave")
		}
	})
}

// A server that stalls for some seconds, and not a moment more, is met again.
func TestStalledServiceIsMetAgain(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		stall := make(chan struct{})
		f.set(func() { f.stall = stall })
		p.pass(4 * time.Second) // several ticks, each of which asks
		p.see("OFFLINE")
		f.set(func() { f.stall = nil })
		close(stall)
		p.pass(10 * time.Second)
		p.unseen("OFFLINE")
		p.see("back after")
	})
}

func TestFailedPagesAreTriedAgainSlowly(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.m.desk.ask.svc = failingCalls{f}
		p.press("2")
		p.pass(30 * time.Second)
		p.see("the disk is on fire; trying again")
		n := f.count("failed Calls")
		if n < 5 || n > 20 {
			t.Fatalf("%d tries in 30 s", n)
		}
		for range 20 {
			p.press("j g")
		}
		if more := f.count("failed Calls") - n; more > 1 {
			t.Fatalf("keys made %d tries", more)
		}
		p.m.desk.ask.svc = f
		p.pass(6 * time.Second)
		p.see("bank-otp-ack")
	})
}

// failingCalls answers everything but Calls.
type failingCalls struct{ *fake }

func (f failingCalls) Calls(_ context.Context, q callback.ListQuery) (callback.CallList, error) {
	_ = f.enter("failed Calls")
	return callback.CallList{}, errors.New("the disk is on fire")
}

func TestPausedNothingMoves(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("p")
		p.pass(11 * time.Second) // until the note on it is gone
		before, asked := p.text(), f.count("Overview")
		f.changed()
		p.pass(20 * time.Second)
		if p.text() != before {
			t.Fatalf("something moved:\n%s\n%s", before, p.text())
		}
		if n := f.count("Overview") - asked; n > 0 {
			t.Fatalf("%d questions while paused", n)
		}
		p.see("PAUSED 14:03:27 AEST")
		p.press("p")
		p.unseen("PAUSED")
		p.see("14:03:58 AEST")
	})
}

func TestWhatWasAskedBeforeThePauseIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		stall := make(chan struct{})
		f.set(func() { f.stall = stall })
		p.pass(time.Second + time.Millisecond) // the tick asks
		p.press("p")
		f.set(func() { f.health("crm-prod").Name, f.stall = "renamed", nil })
		close(stall)
		p.settle()
		p.unseen("renamed")
		p.press("p")
		p.see("renamed")
	})
}

func TestAnAnswerForAnotherCallIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 enter")
		stall := make(chan struct{})
		f.set(func() { f.stall = stall })
		p.press("]")
		f.set(func() { f.calls, f.stall = nil, nil }) // so that every answer is an error
		p.press("[")
		close(stall)
		p.m.top().Data(callMsg{to: p.m.top().(*callPage), id: 1, err: errGone})
		if err := p.m.top().(*callPage).err; err == errGone.Error() {
			t.Fatal("the error of another call is shown")
		}
	})
}

func TestBlurredAsksRarely(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.send(tea.BlurMsg{})
		asked := f.count("Overview")
		p.pass(30 * time.Second)
		if n := f.count("Overview") - asked; n < 5 || n > 7 {
			t.Fatalf("%d questions in 30 s, want 6", n)
		}
		p.send(tea.FocusMsg{})
		asked = f.count("Overview")
		p.pass(10 * time.Second)
		if n := f.count("Overview") - asked; n < 9 || n > 12 {
			t.Fatalf("%d questions in 10 s, want 10", n)
		}
	})
}

func TestClockOfTheServerCounts(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.overview.Now = noon.Add(-time.Hour) // it is behind ours
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.see("13:03:27 AEST", "in 1h02m")
	})
}

func TestPanicsComeBack(t *testing.T) {
	t.Parallel()
	for name, breaks := range map[string]func(p *pilot){
		"in Update":      func(p *pilot) { p.m.stack = append(p.m.stack, nil); p.press("j") },
		"in View":        func(p *pilot) { p.m.roots[0] = nil; p.m.stack = []page{badPage{}}; p.send(tea.FocusMsg{}) },
		"in the service": func(p *pilot) { p.m.desk.ask.svc = badService{p.fake}; p.press("ctrl+r") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fly(t, newFake(), 80, 24, nil, func(p *pilot) {
				breaks(p)
				p.settle()
				fault := p.m.fault()
				if fault == nil || !strings.Contains(fault.Error(), "the screen broke") {
					t.Fatalf("got %v", fault)
				}
				if p.m.desk.ask.ctx.Err() == nil {
					t.Fatal("the program is not stopped")
				}
				p.m.crash.Store(nil) // as expected
			})
		})
	}
}

// badPage cannot be drawn.
type badPage struct{ page }

func (badPage) Refresh() tea.Cmd { return nil }
func (badPage) scope() scope     { return onOverview }
func (badPage) Trail() string    { return "" }
func (badPage) Draw(*Canvas)     { panic("out of ink") }

// badService breaks when it is asked who it is.
type badService struct{ *fake }

func (badService) Server(context.Context) (callback.Server, error) { panic("no idea") }

// A key that the server takes no longer is no outage: it is said in plain words,
// and the dead key is not sent again and again.
func TestKeyIsNoLongerAccepted(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.set(func() {
			f.fail = callback.Errorf(callback.CodeForbidden, "the key is not known here; it may have been removed")
		})
		f.unwatch(nil)
		p.pass(time.Second)
		p.see("NO ACCESS", "This key is no longer accepted", "--key-file", "the key is not known here", "keys add NAME --role read", "billing-eu")
		for _, wrong := range []string{"OFFLINE", "not answering", "systemctl"} {
			p.unseen(wrong)
		}
		p.press("z")
		p.see("z: no access")
		asked := func() int { return f.count("Overview") + f.count("Watch") + f.count("Server") }
		before := asked()
		p.pass(2 * time.Minute)
		if n := asked() - before; n < 3 || n > 4 {
			t.Fatalf("%d questions in two minutes, want one in 30 s at most", n)
		}
		// Who sends too many wrong keys is answered so; the key is no better.
		f.set(func() {
			f.fail = callback.Errorf(callback.CodeUnavailable, "too many wrong keys came from this address")
		})
		p.pass(time.Minute)
		p.see("NO ACCESS")
		f.set(func() { f.fail = errGone })
		p.pass(time.Minute)
		p.see("OFFLINE", "not answering")
		f.set(func() { f.fail = callback.Errorf(callback.CodeForbidden, "a key is needed") })
		p.press("enter")
		p.see("NO ACCESS")
		f.set(func() { f.fail = nil })
		p.press("enter")
		p.unseen("NO ACCESS")
		p.see("back after")
		if len(f.watchers) != 1 {
			t.Fatalf("%d watchers, want one again", len(f.watchers))
		}
	})
}

func TestFirstContactIsDenied(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{80, 24}, {40, 10}, {19, 4}} {
		f := newFake()
		f.fail = callback.Errorf(callback.CodeForbidden, "a key is needed")
		fly(t, f, size[0], size[1], nil, func(p *pilot) {
			p.see("NO ACCESS")
			p.unseen("OFFLINE")
			if size[0] >= 80 {
				p.see("This key is no longer accepted, or one is needed: q, then tui --key-file FILE", "a key is needed", "ringback tui --key-file FILE")
			}
		})
	}
}

// TestFilterWhileOffline selects among the calls that are loaded, says so, and
// asks for all when the service is back.
func TestFilterWhileOffline(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2")
		n := len(p.m.top().(*callsPage).calls.list.rows)
		f.set(func() { f.fail = errors.New("connection refused") })
		p.pass(5 * time.Second)
		p.see("filter, scroll and copy still work; changes are off")
		p.press("/")
		p.types("tan")
		p.press("enter")
		p.see("Mei Tan", "Show: \"tan\"", fmt.Sprintf("1 of the %d calls that are loaded; changes are off", n))
		p.unseen("Jonas")
		p.press("/ ctrl+u")
		p.types("code:refused status:held cb:crm-prod")
		p.press("enter")
		p.see(fmt.Sprintf(" of the %d calls that are loaded", n), "refused")
		p.unseen("success")
		page := p.m.top().(*callsPage)
		kept := len(page.calls.kept)
		if kept <= page.calls.list.height {
			t.Fatalf("%d calls fit the screen: this proves little", kept)
		}
		p.press("G") // all that were kept are there
		if id := p.chosen(); id != page.calls.kept[kept-1].ID {
			t.Fatalf("the last is %s, want %s", id, page.calls.kept[kept-1].ID)
		}
		for range kept {
			p.press("k")
		}
		if id := p.chosen(); id != page.calls.kept[0].ID {
			t.Fatalf("the first is %s, want %s", id, page.calls.kept[0].ID)
		}
		p.unseen("loading ...")
		p.press("/ ctrl+u")
		p.types("nobody")
		p.press("enter")
		p.see(fmt.Sprintf("none of the %d calls that are loaded matches the filter", n))
		p.press("esc")
		p.see("all callbacks, all statuses", "Mei Tan")
		p.press("f")
		p.see("Show: status:failed")
		f.set(func() { f.fail = nil })
		p.pass(20 * time.Second)
		p.see("Show: status:failed", "63 calls")
		p.press("1 enter")
		f.set(func() { f.fail = errors.New("connection refused") })
		p.pass(5 * time.Second)
		p.press("o")
		p.see("Fred Waters", "calls that are loaded")
	})
}
