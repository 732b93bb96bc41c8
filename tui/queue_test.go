package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func TestQueueLeadsToItsCalls(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("4")
		p.see("1,279 scheduled + 17 in flight + 310 held = 1,606", "< 5 m", "in flight 17 of 512", "slowest 12.4s council-flood")
		p.press("j j enter")
		page, ok := p.m.top().(*callbackPage)
		if !ok || page.name != "billing-eu" || page.show != actUnfinished {
			t.Fatalf("Enter leads to %T %+v", p.m.top(), page)
		}
		p.see("Queue > billing-eu")
		if strings.Contains(p.text(), "✓ success") {
			t.Fatalf("it shows calls that are finished:\n%s", p.text())
		}
		p.press("esc")
		p.see("workers")
	})
}

func TestQueueSorts(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		order := func() string {
			var out []string
			for row := range strings.Lines(p.text()) {
				if f := strings.Fields(strings.TrimPrefix(row, ">")); len(f) > 8 && strings.ContainsAny(f[0], "-") && f[0] != "──" {
					out = append(out, f[0])
				}
			}
			return strings.Join(out, " ")
		}
		p.press("4 j")
		for _, want := range []string{
			"crm-prod sms-portal billing-eu", // most waiting
			"billing-eu crm-prod sms-portal", // first to give up; held never does
			"billing-eu crm-prod sms-portal", // by name
		} {
			if got := order(); got != want {
				t.Fatalf("shown are %q, want %q:\n%s", got, want, p.text())
			}
			if !strings.HasPrefix(p.line(">sms-portal"), ">") {
				t.Fatalf("sorting moved the cursor off its callback:\n%s", p.text())
			}
			p.press("s")
		}
	})
}

// What is done to all failed calls of a callback is done with the same keys on each
// screen that has callbacks, in the same words.
func TestAllFailedOfACallback(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		for _, keys := range []string{"1", "1 enter", "3 j j", "4"} {
			for key, says := range map[string]string{"R": "Send again now: 1,284 failed calls of", "X": "1,284 failed calls of"} {
				p.press(keys)
				p.press(key)
				p.see(says, "Note (optional): ", "(1284)")
				p.press("esc esc")
			}
		}
	})
	none := newFake()
	none.outages, none.inside.queue.Callbacks = nil, nil
	fly(t, none, 80, 24, nil, func(p *pilot) {
		p.press("/")
		p.types("no such name")
		p.press("enter")
		for keys, says := range map[string]string{
			"1 r": "r: there is no callback", "1 x": "x: there is no callback", "1 enter": "Enter: there is no callback", "1 y": "y: there is no callback",
			"3 r": "r: there is no outage", "3 x": "x: there is no outage", "4 r": "r: no call waits", "4 x": "x: no call waits",
		} {
			p.press(keys)
			p.see(says)
		}
	})
}

func TestQueueSuspends(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("4 z")
		p.see("Suspend", "crm-prod")
		p.press("enter j z")
		p.see("Resume", "sms-portal")
		p.press("enter")
		want(t, f.did(), []string{
			"suspend " + callbackIDOf("crm-prod").String() + " by ana",
			"resume " + callbackIDOf("sms-portal").String(),
		})
	})
}

// TestQueueRetries asks what a retry would do, for the callback that is chosen.
func TestQueueRetries(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("4 j j r")
		if n := f.ops.wanted; len(n) != 1 || n[0].Kind != callback.OperationRetry ||
			n[0].Ref != callbackIDOf("billing-eu").String() || n[0].Filter.Status != callback.ListFailed {
			t.Fatalf("asked was %+v", n)
		}
		p.see("Retry")
		want(t, f.did(), nil)
	})
}

// TestInsideIsAskedOnlyWhileOpen keeps what costs the service something from
// being asked often, or for nobody.
func TestInsideIsAskedOnlyWhileOpen(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		for range 40 { // 10 s of changes
			f.changed()
			p.pass(250 * time.Millisecond)
		}
		for _, tt := range []struct {
			key, method string
			least, most int // in 10 s
		}{{"4", "QueueShape", 9, 11}, {"5", "System", 4, 6}, {"6", "Log", 35, 45}} {
			if n := f.count(tt.method); n != 0 {
				t.Errorf("%s was asked %d times before anybody looked", tt.method, n)
			}
			p.press(tt.key)
			for range 40 {
				f.changed()
				p.pass(250 * time.Millisecond)
			}
			n := f.count(tt.method)
			if n < tt.least || n > tt.most {
				t.Errorf("%s was asked %d times in 10 s, want %d to %d", tt.method, n, tt.least, tt.most)
			}
			p.press("p")
			p.pass(5 * time.Second)
			p.press("p 1")
			if more := f.count(tt.method) - n; more > 1 {
				t.Errorf("%s was asked %d times while paused", tt.method, more)
			}
			n = f.count(tt.method)
			p.pass(10 * time.Second)
			if more := f.count(tt.method) - n; more != 0 {
				t.Errorf("%s was asked %d times after its screen was left", tt.method, more)
			}
		}
		p.press("4")
		n := f.count("QueueShape")
		p.pass(10 * time.Second) // nothing changes that a revision tells of
		if more := f.count("QueueShape") - n; more < 9 || more > 11 {
			t.Errorf("with the tick alone the queue was asked for %d times in 10 s", more)
		}
	})
}

func TestQueueKeepsItsCursor(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("4 j j")
		f.set(func() { f.inside.queue.Callbacks[2].Waiting = 2000 })
		p.pass(2 * time.Second)
		if got := p.line("billing-eu "); !strings.HasPrefix(got, ">billing-eu") || strings.Index(p.text(), "billing-eu") > strings.Index(p.text(), "crm-prod") {
			t.Fatalf("the cursor did not go with its callback to the top:\n%s", p.text())
		}
		f.set(func() { f.inside.queue.Callbacks = f.inside.queue.Callbacks[:2] })
		p.pass(2 * time.Second)
		if got := p.line("crm-prod "); !strings.HasPrefix(got, ">crm-prod") {
			t.Fatalf("its callback went, and the cursor is not on the one in its place:\n%s", p.text())
		}
		f.set(func() { f.inside.queue.Callbacks = nil })
		p.pass(2 * time.Second)
		p.see("No call waits.")
		p.press("enter")
		p.see("Enter: no call waits")
	})
}

// TestPauseHoldsBackAnswers keeps an answer that was on its way from changing
// what somebody who paused reads.
func TestPauseHoldsBackAnswers(t *testing.T) {
	t.Parallel()
	for key, say := range map[string]string{"4": "9,999", "5": "pid 9999", "6": "line 9999"} {
		f := newFake()
		fly(t, f, 140, 40, nil, func(p *pilot) {
			p.press(key)
			stall := make(chan struct{})
			f.set(func() {
				f.stall = stall
				f.inside.queue.Callbacks[0].Waiting, f.inside.system.Process.PID = 9999, 9999
			})
			f.logs(noon, callback.LevelInfo, "api", "", 0, "line 9999")
			p.pass(1900 * time.Millisecond) // the next question is on its way
			p.press("p")
			f.set(func() { f.stall = nil })
			close(stall)
			p.pass(5 * time.Second)
			p.unseen(say)
			p.press("p")
			p.pass(3 * time.Second)
			p.see(say)
		})
	}
}

func TestQueueSaysWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	f := newFake()
	q := &f.inside.queue
	q.Partial, q.Counted, q.More = true, noon.Add(-12*time.Second), 7
	q.Callbacks[0].Partial, q.Callbacks[0].Held = true, true // for a probe: its time runs on
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("4")
		p.see("late  0\n", "< 1 m ███████████████████████ 214+", "812+", "+ means at least; counted 12s ago", "1 to 3 of 10 callbacks", "Wed 09:12")
		if strings.Contains(p.line("billing-eu"), "+") {
			t.Errorf("what was counted is told as a part: %s", p.line("billing-eu"))
		}
		f.set(func() { f.fail = errors.New("boom") })
		p.pass(1500 * time.Millisecond)
		p.see("OFFLINE")
	})
}

func TestCountTight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n    uint64
		more bool
		want string
	}{
		{0, false, "0"},
		{0, true, "0"},
		{999, true, "999+"},
		{1000, false, "1,000"},
		{9999, true, "9999+"},
		{9999, false, "9,999"},
		{10_000, true, "10k+"},
		{999_999, true, "999k+"},
		{999_999, false, "999k"},
		{1_000_000, true, "1M+"},
		{31_204_118, false, "31M"},
		{4_070_000_000, true, "4G+"},
	} {
		if got := CountTight(tt.n, tt.more); got != tt.want || len(got) > 5 {
			t.Errorf("CountTight(%d, %v) = %q, want %q", tt.n, tt.more, got, tt.want)
		}
	}
}

// TestBar holds the first row to say, whatever its width, which screen is open
// and that what it shows is old.
func TestBar(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"gw1", "a-very-long-host-name"} {
		f := newFake()
		f.server.Name = name
		f.server.ReadOnly = true
		fly(t, f, 80, 24, nil, func(p *pilot) {
			for w := fullW; w <= 160; w += 7 {
				resized(t, p, w, 24)
				for i, tab := range []string{"Over", "Calls", "Out", "Queue", "Sys", "Log"} {
					p.press(string(rune('1' + i)))
					bar, _, _ := strings.Cut(p.text(), "\n")
					if !strings.Contains(bar, tab) {
						t.Errorf("at %d the bar does not name the open screen: %s", w, bar)
					}
					for n := range tabs {
						if !strings.Contains(bar, " "+string(rune('1'+n))+" ") {
							t.Errorf("at %d the bar has no key %d: %s", w, n+1, bar)
						}
					}
				}
				p.press("p")
				if bar, _, _ := strings.Cut(p.text(), "\n"); !strings.Contains(bar, "PAUSED") {
					t.Errorf("at %d the bar does not say PAUSED: %s", w, bar)
				}
				p.press("p")
			}
		})
	}
	if len(shortTabs) != len(tabs) || callback.DueBuckets != len(dueLabels) {
		t.Error("labels are missing")
	}
}
