package tui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

// chosen is the id that the cursor of the calls on top is on.
func (p *pilot) chosen() callback.CallID {
	p.t.Helper()
	var l *callList
	switch top := p.m.top().(type) {
	case *callsPage:
		l = top.calls
	case *callbackPage:
		l = top.calls
	default:
		p.t.Fatalf("%T has no calls", top)
	}
	v, ok := l.cursor()
	if !ok {
		p.t.Fatal("no call is chosen")
	}
	return v.ID
}

func want(t *testing.T, got, want []string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("what the service was asked to do (-want +got):\n%s", diff)
	}
}

func TestResolveOnlyWhatIsConfirmed(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		id := f.calls[2].ID
		p.press("2 j j x")
		p.see("Resolve", "1 call to count as SUCCESS")
		p.press("esc")
		p.unseen("Resolve ─")
		want(t, f.did(), nil)
		p.press("x j q enter") // j and q are no keys of the box
		want(t, f.did(), []string{fmt.Sprintf("resolve %s [%s] true by ana", callbackIDOf("billing-eu"), id)})
		p.see("resolved 1 call")
	})
}

func TestResolveMarked(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		// Two of crm-prod and one of billing-eu, and two that are skipped.
		p.press("2 space j space j space j j j j space space x")
		p.see("already success", "being sent now")
		var ids []string
		for _, i := range []int{2, 9} {
			ids = append(ids, f.calls[i].ID.String())
		}
		p.press("esc G g") // the box holds its own copy; marks stay
		p.see("5 marked")
		p.press("x enter")
		got := f.did()
		slices.Sort(got)
		w := []string{
			fmt.Sprintf("resolve %s [%s] true by ana", callbackIDOf("billing-eu"), ids[0]),
			fmt.Sprintf("resolve %s [%s] true by ana", callbackIDOf("crm-prod"), ids[1]),
		}
		slices.Sort(w)
		want(t, got, w[:len(got)])
		p.unseen("marked")
	})
}

func TestLargeJobsAskForTheNumber(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 60, nil, func(p *pilot) {
		p.press("enter f * r")
		p.see("Type the number of calls to go on: _____  (")
		n := len(p.m.box.(*confirmBox).calls)
		if n <= enterMax {
			t.Fatalf("%d calls are not many", n)
		}
		p.press("enter 1 enter")
		want(t, f.did(), nil)
		p.see(fmt.Sprintf("the number of calls is typed to go on: %d", n))
		p.press("backspace")
		for _, digit := range fmt.Sprint(n) {
			p.press(string(digit))
		}
		p.press("enter")
		got := f.did()
		if len(got) != n {
			t.Fatalf("%d retries, want %d", len(got), n)
		}
		if w := fmt.Sprintf("retry %s %s false", callbackIDOf("crm-prod"), f.calls[9].ID); got[0] != w {
			t.Fatalf("got %q, want %q", got[0], w)
		}
		p.see(fmt.Sprintf("%d calls are being sent again", n))
	})
}

func TestResolveGoesInParts(t *testing.T) {
	t.Parallel()
	var calls []callback.CallView
	for i := range 250 {
		v := callback.CallView{CallbackID: callbackIDOf(seeds[i%2].name), Callback: seeds[i%2].name}
		v.ID = callback.CallID(i + 1)
		calls = append(calls, v)
	}
	j := newJob(jobResolve, false, calls, nil)
	sizes := map[string][]int{}
	for _, s := range j.steps {
		sizes[s.ref] = append(sizes[s.ref], len(s.ids))
	}
	got := map[string][]int{callbackIDOf(seeds[0].name).String(): {100, 25}, callbackIDOf(seeds[1].name).String(): {100, 25}}
	if diff := cmp.Diff(got, sizes); diff != "" {
		t.Fatal(diff)
	}
}

func TestExtendIsForEachByItself(t *testing.T) {
	t.Parallel()
	j := newJob(jobRetry, true, []callback.CallView{{State: callback.StateGaveUp}, {State: callback.StateRetrying}}, nil)
	if len(j.steps) != 2 || !j.steps[0].extend || j.steps[1].extend {
		t.Fatalf("got %+v", j.steps)
	}
}

func TestExtendIsForThoseGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.health("sms-portal").Live.Suspended, f.health("sms-portal").Shown = false, callback.Down
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j j j j j j r")
		p.see("1 call given up before: no more tries")
		p.press("tab")
		p.see("retried for a new window")
		p.press("enter")
		want(t, f.did(), []string{fmt.Sprintf("retry %s %s true", callbackIDOf("sms-portal"), f.calls[7].ID)})
	})
}

func TestKeysThatCannotActSayWhy(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, keys, says string }{
		{"success", "2 x", "x: already success"},
		{"in flight", "2 j j j j r", "r: being sent now"},
		{"suspended", "2 j j j j j j j r", "r: callback suspended"},
		{"none fits", "2 space space x", "x: none of the 2 marked: 2 already success"},
		{"following", "2 g x", "x: no call is chosen"},
		{"following, open", "2 g enter", "Enter: no call is chosen"},
		{"no further call", "2 enter [", "there is no further call"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press(tc.keys)
				p.see(tc.says)
				want(t, f.did(), nil)
			})
		})
	}
}

func TestSuspendAndResume(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("z esc z enter")
		p.see("suspended crm-prod")
		p.press("j j z")
		p.see("Resume", "310 calls held")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeForbidden, "this key may not") })
		p.press("enter")
		p.see("resume sms-portal: this key may not")
		want(t, f.did(), []string{
			fmt.Sprintf("suspend %s by ana", callbackIDOf("crm-prod")), fmt.Sprintf("resume %s", callbackIDOf("sms-portal")),
		})
	})
}

func TestRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.refuse = callback.Errorf(callback.CodeConflict, "call is being sent")
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter f j space space r enter")
		p.see("2 calls refused: call is being sent")
		if n := p.m.top().(*callbackPage).calls.list.MarkCount(); n != 2 {
			t.Fatalf("%d calls are marked, want 2 to try again", n)
		}
	})
}

func TestJobStopsWhereTheServiceIsSilent(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter f j space space space r")
		f.set(func() { f.fail = errors.New("connection reset") })
		p.press("enter")
		p.see("retry 0 of 3: stopped after 0 calls: connection reset")
		if p.m.desk.job != nil {
			t.Fatal("the job goes on")
		}
	})
}

func TestCursorStaysWhereItIs(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j")
		id, row := p.chosen(), p.line("billing-eu        1")
		for i := range 9 {
			f.set(func() {
				f.calls = slices.Insert(f.calls, 0, fixtureCall(callSeed{-time.Duration(i) * time.Second, "fleet-xml", callback.StateDelivered, 1, 200, 0, 1e6, "New", 0}, i))
			})
			f.changed()
			p.settle()
		}
		p.pass(3 * time.Second)
		if p.chosen() != id || p.line("billing-eu        1") != strings.Replace(row, "4m59s", "4m56s", 1) {
			t.Fatalf("the cursor went from %s to %s:\n%s", id, p.chosen(), p.text())
		}
		p.see("9 new, g shows them")
		f.set(func() { f.calls = slices.DeleteFunc(f.calls, func(v callback.CallView) bool { return v.ID == id }) })
		f.changed()
		p.pass(2 * time.Second)
		if p.chosen() != id {
			t.Fatalf("the cursor left a row that is gone")
		}
		p.press("g")
		p.see("follows the newest", "New")
	})
}

func TestOverviewOrder(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		page := p.m.roots[0].(*overviewPage)
		p.press("j j j")
		id := page.cursor
		f.set(func() {
			f.health("uni-alerts").Shown = callback.Down
			f.health("uni-alerts").Live.Counts.Pending = 9999
		})
		p.pass(3 * time.Second)
		if page.order[0] != callbackIDOf("crm-prod") {
			t.Fatal("the rows moved while a key was just pressed")
		}
		p.pass(9 * time.Second)
		if page.order[0] != callbackIDOf("uni-alerts") || page.cursor != id {
			t.Fatalf("order %v, cursor %v, want %v", page.order[:2], page.cursor, id)
		}
		f.set(func() {
			f.overview.Callbacks = slices.DeleteFunc(f.overview.Callbacks, func(h callback.HealthView) bool { return h.ID == id })
		})
		p.pass(2 * time.Second)
		if page.selected() == nil {
			t.Fatal("no row is chosen after the chosen one went")
		}
	})
}

// A screen that is left alone shows what is worst, until a person picks a row.
func TestOverviewKeepsToTheWorst(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		page := p.m.roots[0].(*overviewPage)
		worst := func(name string, waiting uint64) {
			f.set(func() {
				f.health(name).Shown = callback.Down
				f.health(name).Live.Counts.Pending = waiting
			})
		}
		worst("uni-alerts", 9999)
		p.pass(2 * time.Second)
		if page.cursor != callbackIDOf("uni-alerts") {
			t.Fatalf("on %v", page.cursor)
		}
		p.press("j k")
		worst("rail-disrupt", 99999)
		p.pass(20 * time.Second)
		if page.cursor != callbackIDOf("uni-alerts") {
			t.Fatalf("a picked row was left for %v", page.cursor)
		}
		p.press("g")
		p.pass(12 * time.Second)
		if page.cursor != callbackIDOf("rail-disrupt") {
			t.Fatalf("after g on %v", page.cursor)
		}
	})
}

func TestMarksSurvive(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 j j space j j j j space 1 2 f f f G g 3 2")
		p.see("2 marked")
		p.press("x") // both of them are not on the screen
		p.see("billing-eu", "sms-portal")
		p.press("esc esc") // the box, then the filter
		p.see("2 marked", "all statuses")
		p.press("esc")
		p.unseen("marked")
	})
}

func TestCopy(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("y 2 j y enter y")
		id := f.calls[1].ID.String()
		want(t, p.copied, []string{callbackIDOf("crm-prod").String(), id, id})
		p.see("copied " + id)
	})
}

func TestLeave(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, keys string
		embedded   bool
		quit       bool
		leave      Leave
	}{
		{"attached", "q", false, true, Detach},
		{"attached, deep, q goes back", "2 enter q", false, false, Detach},
		{"attached, deep, q q", "2 enter q q", false, true, Detach},
		{"attached, deep, Ctrl+C", "2 enter ctrl+c", false, false, Detach},
		{"attached, deep, Ctrl+C twice", "enter j enter ctrl+c ctrl+c", false, true, Detach},
		{"attached, Ctrl+C", "4 ctrl+c", false, true, Detach},
		{"attached, over a box", "z ctrl+c", false, false, Detach},
		{"attached, over a box, twice", "z ctrl+c ctrl+c", false, true, Detach},
		{"attached, in a line", "2 / q ctrl+c", false, false, Detach},
		{"attached, in a form", "e x ctrl+c", false, false, Detach},
		{"attached, in a form, twice", "e x ctrl+c ctrl+c", false, true, Detach},
		{"here, deep", "enter j enter ctrl+c ctrl+c ctrl+c", true, false, Detach},
		{"here, asks", "q", true, false, Detach},
		{"here, asks twice", "ctrl+c ctrl+c", true, false, Detach},
		{"here, stay", "q esc", true, false, Detach},
		{"here, no other key", "q y enter q", true, false, Detach},
		{"here, hide", "q h", true, true, Hide},
		{"here, stop", "2 enter q s", true, true, Stop},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			fly(t, newFake(), 80, 24, func(o *Options) { o.Embedded = tc.embedded }, func(p *pilot) {
				p.press(tc.keys)
				if p.quit != tc.quit || p.m.leave != tc.leave {
					t.Fatalf("quit %v as %v, want %v as %v", p.quit, p.m.leave, tc.quit, tc.leave)
				}
			})
		})
	}
}

// TestEscapeOrder leaves one thing after the other: the box, the line, the
// filter, the marks, the page.
func TestEscapeOrder(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("enter /")
		p.types("code:refused")
		p.press("enter space space / x ?") // the question mark is typed
		p.see("/ code:refusedx?")
		p.press("esc")
		p.see("code:refused", "2 marked")
		p.press("x")
		p.see("Resolve ─")
		p.press("esc")
		p.unseen("Resolve ─")
		p.see("code:refused", "2 marked")
		p.press("esc")
		p.unseen("code:refused")
		p.see("2 marked")
		p.press("esc")
		p.unseen("marked")
		p.see("Overview > crm-prod")
		p.press("esc")
		p.unseen("Overview >")
		p.press("esc") // there is nothing left
		p.see("worst first")
		if p.quit {
			t.Fatal("Esc left the program")
		}
	})
}

// TestSlowCtrlC are two first ones.
func TestSlowCtrlC(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 enter / ctrl+c")
		p.press("enter 2 enter")
		p.pass(2 * time.Second)
		p.press("2 / ctrl+c")
		p.see("Ctrl+C again leaves")
		p.pass(1100 * time.Millisecond)
		p.press("enter ctrl+c")
		if p.quit {
			t.Fatal("two Ctrl+C a second apart leave")
		}
		p.press("ctrl+c")
		if !p.quit {
			t.Fatal("two Ctrl+C at once do not leave")
		}
	})
}

// TestCopyInWords copies a row as one would tell it.
func TestCopyInWords(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("Y 2 j j Y 3 j j Y 1 enter j Y")
		got := p.copied
		if len(got) != 4 {
			t.Fatalf("copied %q", got)
		}
		for i, has := range [][]string{
			{"crm-prod: DOWN since 09:12:04", "1,284"},
			{"call " + f.calls[2].ID.String() + " to billing-eu of 2026-03-03T14:03:26.870+10:00: retrying, attempt 1: 503", "from Jonas Weber"},
			{"outage #40 of crm-prod: from 2026-03-03T09:12:04.000+10:00, 4h51m, 1,284 calls; Connection refused"},
			{" to crm-prod of "},
		} {
			for _, text := range has {
				if !strings.Contains(got[i], text) {
					t.Errorf("copied %q, which lacks %q", got[i], text)
				}
			}
		}
	})
}
