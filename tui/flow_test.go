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
		p.see("Resolve", "1 call of billing-eu to count as SUCCESS", "503 Service Unavai", "Enter resolve 1 call")
		p.press("esc")
		p.unseen("Resolve ─")
		f.noneBegun(t)
		p.press("x j q enter") // j and q are no keys of the box, but of its note
		n := f.begunOne(t)
		if n.Kind != callback.OperationResolve || n.Ref != callbackIDOf("billing-eu").String() || !slices.Equal(n.IDs, []callback.CallID{id}) ||
			n.Remark != "jq" || n.By != "ana" || n.Filter != (callback.Filter{}) {
			t.Fatalf("begun: %+v", n)
		}
		f.opsEnd(1)
		p.pass(time.Second)
		p.see("resolved 1 call of billing-eu; u takes it back")
	})
}

// What is typed into the box of few calls, of one callback or of marked ones, is its
// note: also what were keys in others.
func TestNoteOfARetry(t *testing.T) {
	t.Parallel()
	for _, keys := range []string{"r", "enter R", "enter f space space r"} {
		f := newFake()
		f.ops.preview.Matched, f.ops.preview.Changed = 2, 2
		fly(t, f, 80, 24, nil, func(p *pilot) {
			p.press(keys)
			p.types("e 20 rejected")
			p.see("Note (optional): e 20 rejected", "Left/Right speed", "Up/Down new window")
			p.unseen("Tab n")
			p.press("up enter")
			if n := f.begunOne(t); n.Remark != "e 20 rejected" || !n.Extend || n.Rate != 20 {
				t.Fatalf("%s: begun %+v", keys, n)
			}
		})
	}
}

// Of marked calls that are not there any more the first are named.
func TestMissingCallsAreNamed(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter f space space space space space r")
		p.unseen("any more")
		ids := p.m.top().(*callbackPage).calls.list.Marks()
		purge := func(n int) {
			f.set(func() {
				f.calls = slices.DeleteFunc(f.calls, func(v callback.CallView) bool { return slices.Contains(ids[:n], v.ID) })
			})
		}
		purge(2)
		p.press("esc r")
		p.see("2 calls not there any more: "+ids[0].String()+",", ids[1].String()+".")
		purge(4)
		p.press("esc r")
		p.see("4 calls not there any more: "+ids[0].String()+", "+ids[1].String()+",", ids[2].String()+" and 1 more.")
		purge(5)
		p.press("esc x")
		p.see("x: 5 calls of crm-prod not there any more")
	})
}

// opsEnd ends all operations that run; each changed n calls.
func (f *fake) opsEnd(n uint64) {
	f.set(func() {
		for i := range f.ops.list {
			if o := &f.ops.list[i]; o.State == callback.OperationRunning {
				o.State, o.Matched, o.Changed, o.Finished = callback.OperationDone, n, n, noon
				if o.Kind == callback.OperationResolve {
					o.UndoUntil = noon.Add(24 * time.Hour)
				}
			}
		}
	})
}

// Marked calls of several callbacks are one thing to whoever marked them: asked
// about, begun, told of, and taken back as one.
func TestResolveMarked(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		// One of crm-prod and one of billing-eu, and three that are skipped.
		p.press("2 space j space j space j j j j space space x")
		p.see("2 marked calls of 2 callbacks", "already success", "being sent now", "Skipped: ", f.calls[2].ID.String()+"  billing-eu")
		p.press("esc G g") // the box holds its own copy; marks stay
		p.see("5 marked")
		p.press("x enter")
		if len(f.ops.begun) != 2 {
			t.Fatalf("begun: %+v", f.ops.begun)
		}
		slices.SortFunc(f.ops.begun, func(a, b callback.NewOperation) int { return strings.Compare(a.ID, b.ID) })
		for i, at := range []int{2, 9} {
			n := f.ops.begun[i]
			if n.Ref != f.calls[at].CallbackID.String() || !slices.Equal(n.IDs, []callback.CallID{f.calls[at].ID}) || n.Upto != idOf(0, 0) || family(n.ID) == n.ID {
				t.Fatalf("begun: %+v", n)
			}
		}
		if n := p.m.top().(*callsPage).calls.list.MarkCount(); n != 3 {
			t.Fatalf("%d calls are marked, want the 3 that were skipped", n)
		}
		f.opsEnd(1)
		p.pass(time.Second)
		p.see("resolved 2 calls of 2 callbacks; u takes it back")
		p.press("u")
		p.see("Take back: 2 calls of 2 callbacks")
		p.press("enter")
		if got := f.did(); len(got) != 2 || !strings.HasPrefix(got[0], "undo ") || !strings.HasPrefix(got[1], "undo ") {
			t.Fatalf("did %v", got)
		}
		f.set(func() {
			for i := range f.ops.list {
				f.ops.list[i].State, f.ops.list[i].Undone = callback.OperationUndone, 1
			}
		})
		p.pass(time.Second)
		p.see("took back 2 calls of 2 callbacks")
	})
}

// Of those begun together u stops all.
func TestStopOfMarked(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j space j j j j j j space x enter")
		p.see("+1 more")
		p.press("u")
		if got := f.did(); len(got) != 2 || !strings.HasPrefix(got[0], "stop ") || !strings.HasPrefix(got[1], "stop ") {
			t.Fatalf("did %v", got)
		}
		p.pass(time.Second)
		p.see("stopped: resolved 0 calls of 2 callbacks")
	})
}

// Many marked calls are one operation: by cause, with a rate, and their number is
// typed.
func TestRetryMarked(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 60, nil, func(p *pilot) {
		p.press("enter f * r")
		b := p.m.box.(*bulkBox)
		n := len(b.named.calls)
		if n <= enterMax {
			t.Fatalf("%d calls are not many", n)
		}
		p.see(fmt.Sprintf("Send again now: %d marked calls of crm-prod:", n), fmt.Sprintf("(%d)", n), "connection refused", "20/s: all let go",
			fmt.Sprintf("%s, %s, %s and %d more", b.named.calls[0].ID, b.named.calls[1].ID, b.named.calls[2].ID, n-3))
		p.press("enter 1 enter")
		f.noneBegun(t)
		p.see(fmt.Sprintf("the number of calls is typed to go on: %d", n))
		p.press("backspace right up")
		for _, digit := range fmt.Sprint(n) {
			p.press(string(digit))
		}
		p.press("enter")
		o := f.begunOne(t)
		if len(o.IDs) != n || o.Kind != callback.OperationRetry || o.Rate != 100 || !o.Extend || len(o.ID) != 16 {
			t.Fatalf("begun: %+v", o)
		}
		p.see(fmt.Sprintf("0 let go  %d to come", n))
		p.unseen("marked")
	})
}

func TestExtendIsForThoseGivenUp(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.health("sms-portal").Live.Suspended, f.health("sms-portal").Shown = false, callback.Down
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j j j j j j r")
		p.see("It was given up before: no more tries")
		p.press("up")
		p.see("retried for a new window", "Up/Down old window")
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

// What the service refuses stays marked, to be tried again.
func TestRefusedMarksStay(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter f j space space r")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeConflict, "call is being sent") })
		p.press("enter")
		p.see("retry: call is being sent")
		if n := p.m.top().(*callbackPage).calls.list.MarkCount(); n != 2 {
			t.Fatalf("%d calls are marked, want 2 to try again", n)
		}
	})
}

// One call that is sent again and not answered for is looked at, not repeated.
func TestRetryWithoutAnswer(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter f j r")
		f.set(func() { f.fail = errors.New("connection reset") })
		p.press("enter")
		p.see("retry: connection reset; look before you repeat it")
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
		p.see("copied, if the terminal lets us (OSC 52): " + id)
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
		p.see("/ code:refused x?")
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
