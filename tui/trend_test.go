package tui

import (
	"errors"
	"slices"
	"testing"
	"time"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

const day = 24 * time.Hour

func TestFitCells(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		window time.Duration
		room   int
		cells  int
		step   string
	}{
		{time.Hour, 129, 60, "m"},
		{time.Hour, 60, 60, "m"},
		{time.Hour, 59, 30, "2m"},
		{6 * time.Hour, 129, 120, "3m"},
		{day, 129, 120, "12m"},
		{day, 119, 96, "15m"},
		{day, 60, 48, "30m"},
		{7 * day, 129, 112, "90m"},
		{7 * day, 60, 56, "3h"},
		{30 * day, 129, 120, "6h"},
		{30 * day, 31, 30, "1d"},
		{30 * day, 7, 1, "30d"},
		{day, 2000, 480, "3m"},
		{day, 0, 1, "1d"},
	} {
		got := fitCells(tt.window, tt.room)
		if got != tt.cells || stepWord(tt.window, got) != tt.step {
			t.Errorf("%v in %d: %d cells of %s, want %d of %s", tt.window, tt.room, got, stepWord(tt.window, got), tt.cells, tt.step)
		}
	}
	for _, w := range callback.SeriesWindows {
		for room := range 1000 {
			q := callback.SeriesQuery{Window: w.Span, Cells: fitCells(w.Span, room)}
			if err := q.Validate(); err != nil || room > 0 && q.Cells > room {
				t.Fatalf("%s in %d: %d cells: %v", w.Word, room, q.Cells, err)
			}
		}
	}
	for i, want := range []string{"last hour", "last 6 h", "last 24 h", "last 7 d", "last 30 d"} {
		if got := lastWords(callback.SeriesWindows[i].Span); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestTrendIsAskedForAsItIsShown counts the questions: none while it has no
// room, one at once where it has, then one in 30 s.
func TestTrendIsAskedForAsItIsShown(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.pass(3 * time.Second)
		if n := f.count("Series"); n != 0 {
			t.Fatalf("asked %d times for what is not shown", n)
		}
		p.press("enter")
		want := callback.SeriesQuery{Ref: callbackIDOf("crm-prod").String(), Window: day, Cells: 48}
		if got := f.history.asked; !slices.Equal(got, []callback.SeriesQuery{want}) {
			t.Fatalf("asked %+v, want %+v", got, want)
		}
		p.pass(29 * time.Second)
		for range 20 {
			f.changed()
			p.settle()
		}
		if n := f.count("Series"); n != 1 {
			t.Fatalf("asked %d times within 29 s", n)
		}
		p.pass(3 * time.Second)
		if n := f.count("Series"); n != 2 {
			t.Fatalf("asked %d times within 32 s", n)
		}
		p.send(tea.BlurMsg{})
		p.pass(time.Minute)
		if n := f.count("Series"); n != 2 {
			t.Fatal("asked for what nobody looks at")
		}
		p.send(tea.FocusMsg{})
		p.settle()
		if n := f.count("Series"); n != 3 {
			t.Fatalf("asked %d times with the focus back", n)
		}
		p.press("p")
		p.pass(time.Minute)
		if n := f.count("Series"); n != 3 {
			t.Fatal("asked while paused")
		}
	})
}

func TestTrendFollowsTheWindow(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.see("all callbacks: calls per second, last 24 h; busiest 12 min ", "[24h]")
		p.press("enter")
		p.see("tries/15m", "failures by cause, last 24 h", "1,271 connection refused", "11 503 Service Unavailable", "2 other causes")
		p.m.desk.window = time.Hour
		p.pass(time.Second)
		p.see("last hour", "[1h]", "tries/m", "failures by cause, last hour")
		n := f.count("Series")
		p.pass(6 * time.Second)
		if got := f.count("Series"); got != n+1 {
			t.Fatalf("the last hour was asked for %d times in 6 s", got-n)
		}
	})
}

// An answer for a window that was left meanwhile is not shown as another's.
func TestTrendOfAnotherWindowIsLeftOut(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("enter")
		f.set(func() { f.stall = make(chan struct{}) })
		p.m.desk.window = 7 * day
		p.pass(time.Second)
		p.unseen("tries/15m")
		p.see("last 7 d", "loading ...")
		p.m.desk.window = time.Hour
		p.pass(500 * time.Millisecond)
		f.set(func() {
			close(f.stall)
			f.stall = nil
		})
		p.pass(3 * time.Second)
		p.see("last hour", "tries/m")
	})
}

func TestTrendThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.history.fail = errors.New("the archive cannot be read")
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.see("the archive cannot be read; trying again")
		f.set(func() { f.history.fail = nil })
		p.pass(2 * time.Second)
		p.see("calls per second")
	})
}

// TestFailureWords proves that each way to fail has words in the sizes that
// there is room for: a cell of 14, a line of 26, and what to check.
func TestFailureWords(t *testing.T) {
	t.Parallel()
	seen := map[string]callback.Class{}
	check := func(class callback.Class, code int) {
		a := callback.Attempt{Class: class, Code: code}
		long := failureWords(class, code)
		if n := utf8.RuneCountInString(a.Short()); n < 1 || n > 14 {
			t.Errorf("%v %d: %q has %d cells", class, code, a.Short(), n)
		}
		if long == "" || code == 0 && utf8.RuneCountInString(long) > 26 {
			t.Errorf("%v %d: %q is no line", class, code, long)
		}
		if a.Advice() == "" {
			t.Errorf("%v %d: nothing to check", class, code)
		}
		if failedAt(&a) == absent && class != callback.ClassInterrupted {
			t.Errorf("%v %d failed at no stage", class, code)
		}
		if code == 0 {
			if other, ok := seen[long]; ok {
				t.Errorf("%v and %v both read %q", other, class, long)
			}
			seen[long] = class
		}
	}
	n := 0
	for class := callback.ClassDNS; class.String() != "unknown"; class++ {
		check(class, 0)
		n++
	}
	if n < 13 {
		t.Fatalf("%d classes", n)
	}
	for code := 201; code < 600; code++ {
		check(callback.ClassStatus, code)
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		check(callback.ClassRedirect, code)
	}
}

func TestStages(t *testing.T) {
	t.Parallel()
	ms := time.Millisecond
	for _, tt := range []struct {
		a    callback.Attempt
		want string
	}{
		{callback.Attempt{OK: true, Code: 200, Duration: 84 * ms, Timing: callback.Timing{DNS: ms, Connect: 9 * ms, TLS: 21 * ms, FirstByte: 53 * ms}, Peer: "203.0.113.9:443", TLS: "TLS 1.3"}, "dns 1ms   connect 9ms   tls 21ms   first byte 53ms   all 84ms   to 203.0.113.9:443   TLS 1.3"},
		{callback.Attempt{Class: callback.ClassRefused, Duration: 3 * ms, Timing: callback.Timing{DNS: ms, Connect: 2 * ms}}, "dns 1ms   connect failed after 2ms   tls -   first byte -   all 3ms"},
		{callback.Attempt{Class: callback.ClassAnswerTimeout, Duration: time.Minute + 30*ms, Timing: callback.Timing{DNS: 10 * ms, Connect: 20 * ms}}, "dns 10ms   connect 20ms   tls -   first byte failed after 60.0s   all 60.0s"},
		{callback.Attempt{Class: callback.ClassDNS, Duration: 5 * time.Second}, "dns failed after 5.0s   connect -   tls -   first byte -   all 5.0s"},
		{callback.Attempt{Class: callback.ClassTLS, Duration: 40 * ms, Timing: callback.Timing{Connect: 10 * ms, TLS: 30 * ms}, Reused: true}, "dns -   connect 10ms   tls failed after 30ms   first byte -   all 40ms   on a kept connection"},
	} {
		if got := stages(&tt.a); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// A demo has no yesterday.
func TestDemoBeginsWithTheLastHour(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Demo = true
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.pass(2 * time.Second)
		p.see("calls per second, last hour", "[1h]")
	})
}
