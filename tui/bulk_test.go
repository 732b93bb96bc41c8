package tui

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// begun is the one operation that was begun.
func (f *fake) begunOne(t *testing.T) callback.NewOperation {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ops.begun) != 1 {
		t.Fatalf("%d operations were begun, want 1", len(f.ops.begun))
	}
	return f.ops.begun[0]
}

func (f *fake) noneBegun(t *testing.T) {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.ops.begun) > 0 {
		t.Fatalf("%+v was begun", f.ops.begun)
	}
}

// TestRetryAllWithoutRetries promises nothing that retries would do, and says
// what becomes of calls that go while the endpoint is down.
func TestRetryAllWithoutRetries(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.health("crm-prod").Retries = false
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("enter R up")
		p.see("Its retries are off: one goes every 5 min until one succeeds, and", "each before it has failed for good.", "Then 20/s: all let go", "Each is tried once, for retries are off")
		p.unseen("One call goes first")
		p.unseen("new window if")
		p.unseen("Up/Down") // no call gets a window
		p.press("right right right")
		p.see("they go one by one, a second apart, and each", "that fails has failed for good.")
		p.unseen("let go in about")
		p.unseen("as fast as")
		p.press("1 enter")
		p.see("the number of calls is typed to go on")
		p.press("esc")
		f.set(func() { f.health("crm-prod").Live.Gate.State = callback.Closed })
		p.pass(time.Second)
		p.press("R")
		p.see("20/s: all let go in about", "Each is tried once, for retries are off")
		p.unseen("Then 20/s")
		p.unseen("for good")
	})
}

// What the box names is begun, no more: bounded by the preview, since the outage
// began, at the rate that was chosen; and it is followed to its end everywhere.
func TestRetryAll(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter R")
		p.see("Send again now: 1,284 failed calls of crm-prod", "since 09:12:04 (outage #40)", "1,271  connection refused", "11  503", "2  no answer in time",
			"still down: it last failed 2m10s ago", "One call goes first", "Then 20/s: all let go in about 1m04s", "(1284)")
		p.press("enter 1 2 8 enter right")
		p.see("100/s")
		p.press("up tab")
		p.see("a new window if this fails", "Tab number", "Up/Down old window")
		p.types("see ticket 4471")
		p.m.paste(", by \x1b[2Jhand")
		p.press("backspace down left left right")
		f.noneBegun(t)
		p.press("tab 5 backspace 4 right enter")
		n := f.begunOne(t)
		if n.Kind != callback.OperationRetry || n.Ref != callbackIDOf("crm-prod").String() || n.Rate != 100 || n.Extend || n.By != "ana" || n.Remark != "see ticket 4471, by [2Jhan" ||
			n.Upto != idOf(0, 0) || n.Filter.Status != callback.ListFailed || len(n.ID) != 16 {
			t.Fatalf("begun: %+v", n)
		}
		if from := n.Filter.From; from.After(clockAt(0, 9, 11, 4)) || from.Before(clockAt(0, 9, 10, 0)) {
			t.Fatalf("calls since %v", from)
		}
		p.see("retry crm-prod", "0 let go  1,284 to come")
		f.set(func() { o := &f.ops.list[0]; o.Matched, o.Changed = 600, 598 })
		p.press("1 j")
		p.pass(time.Second)
		p.see("░░░░░░░░ 598 let go  684 to come  ", "probe in 2m0", "u stops")
		f.set(func() { f.health("crm-prod").Live.Gate.State = callback.Closed })
		p.pass(time.Second)
		p.see("100/s  6s")
		p.press("u")
		want(t, f.did(), []string{"stop " + n.ID})
		p.see("stopped: let 598 calls of crm-prod go again; 2 unchanged")
	})
}

// A resolve says why, and can be taken back.
func TestResolveAll(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.preview.Matched, f.ops.preview.Changed = 20, 19
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter X")
		p.see("20 failed calls of crm-prod to count as SUCCESS", "1 skipped: success already")
		p.types("ticket 4471, by han\x1bd")
		p.press("enter")
		n := f.begunOne(t)
		if n.Kind != callback.OperationResolve || n.Rate != 0 || n.Remark != "ticket 4471, by hand" || n.Filter.Status != callback.ListFailed {
			t.Fatalf("begun: %+v", n)
		}
		f.set(func() {
			o := &f.ops.list[0]
			o.State, o.Matched, o.Changed, o.Finished, o.UndoUntil = callback.OperationDone, 20, 19, noon, noon.Add(24*time.Hour)
		})
		p.pass(time.Second)
		p.see("resolved 19 calls of crm-prod; 1 unchanged; u takes it back")
		p.press("2 u")
		p.see("Take back: 19 calls of crm-prod", "ticket 4471, by hand")
		p.press("enter")
		p.see("undo", "0 of 19")
		p.press("t") // what is said of a key gives way
		p.see("times: local")
		p.pass(3 * time.Second)
		p.see("undo", "0 of 19")
		f.set(func() { o := &f.ops.list[0]; o.State, o.Undone, o.Missed = callback.OperationUndone, 17, 2 })
		p.pass(time.Second)
		p.see("took back 17 calls of crm-prod; 2 changed since and stay")
		want(t, f.did(), []string{"undo " + n.ID})
		p.press("u")
		p.see("u: nothing runs")
	})
}

// What is typed wrongly into a box is emptied at once, the number and the note each.
func TestBoxIsEmptied(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.preview.Matched, f.ops.preview.Changed = 1284, 1284
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("enter R")
		p.types("28")
		p.press("tab")
		p.types("fixd")
		p.press("ctrl+u")
		p.types("fixed")
		p.press("tab ctrl+u")
		p.types("1284")
		p.press("enter")
		if len(f.ops.begun) != 1 || f.ops.begun[0].Remark != "fixed" {
			t.Fatalf("begun: %+v", f.ops.begun)
		}
	})
}

// A start that was not answered is asked after, until it is known.
func TestStartIsAskedAfter(t *testing.T) {
	t.Parallel()
	for _, began := range []bool{true, false} {
		t.Run(fmt.Sprint(began), func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.ops.preview.Matched = 3
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press("enter R")
				p.m.desk.ask.svc = cut{f, began}
				p.press("enter")
				p.see("may have run; checking", "unknown: op ")
				p.pass(3 * time.Second)
				p.see("may have run; checking")
				p.m.desk.ask.svc = f
				p.pass(time.Second)
				p.unseen("may have run")
				if began {
					p.see("did begin")
					if len(f.ops.begun) != 1 {
						t.Fatalf("%d operations", len(f.ops.begun))
					}
				} else {
					p.see("did not begin, nothing was changed: connection reset")
					f.noneBegun(t)
				}
			})
		})
	}
}

// Calls stay marked until it is known that the service has them.
func TestMarksOfAStartThatWasNotAnswered(t *testing.T) {
	t.Parallel()
	for _, began := range []bool{true, false} {
		t.Run(fmt.Sprint(began), func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 80, 24, nil, func(p *pilot) {
				marked := func(want int) {
					t.Helper()
					if n := p.m.top().(*callsPage).calls.list.MarkCount(); n != want {
						t.Fatalf("%d calls are marked, want %d", n, want)
					}
				}
				p.press("2 space j space x")
				n := p.m.top().(*callsPage).calls.list.MarkCount()
				p.m.desk.ask.svc = cut{f, began}
				p.press("enter")
				p.see("may have run; checking")
				marked(n)
				p.m.desk.ask.svc = f
				p.pass(time.Second)
				p.unseen("may have run")
				if began {
					n -= len(f.ops.begun)
				}
				marked(n)
			})
		})
	}
}

// cut is a service whose connection ends with a start, and stays away.
type cut struct {
	*fake
	begins bool
}

func (c cut) StartOperation(ctx context.Context, n callback.NewOperation) (v callback.OperationView, fresh bool, err error) {
	if c.begins {
		_, _, _ = c.fake.StartOperation(ctx, n) // its answer is what is lost
	}
	return v, false, errors.New("connection reset")
}

func (cut) Operation(context.Context, string) (v callback.OperationView, err error) {
	return v, errors.New("connection reset")
}

// What others do is shown, and not stopped by one key.
func TestOperationsOfOthers(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.list = []callback.OperationView{runningOp("bob")}
	fly(t, f, 80, 24, nil, func(p *pilot) {
		for _, k := range []string{"1", "2", "3", "1 enter"} {
			p.press(k)
			p.see("retry crm-prod", "579 let go  703 to come", "by bob")
		}
		p.press("u")
		p.see("begun by bob", "581 of at most 1,284")
		p.press("esc")
		want(t, f.did(), nil)
		p.press("u enter")
		want(t, f.did(), []string{"stop 5F0C6A1BB384FD38"})
		p.see("stopped: let 579 calls of crm-prod go again", "by bob")
	})
}

// R and X are for what the list shows of one callback; where that cannot be,
// they say why.
func TestWhatIsSelected(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		keys, typed, then string
		says              string
		status            callback.CallStatus
		code              int
		since             bool
	}{
		{keys: "2", then: "R", says: "R: it is for the calls of one callback: add cb:NAME"},
		{keys: "2 /", typed: "cb:crm-prod", then: "enter R", status: callback.ListFailed},
		{keys: "2 /", typed: "cb:crm-prod code:503", then: "enter X", status: callback.ListFailed, code: 503},
		{keys: "2 /", typed: "cb:crm-prod status:pending", then: "enter R", says: "R: only failed calls"},
		{keys: "2 /", typed: "cb:crm-prod status:pending", then: "enter X", status: callback.ListPending},
		{keys: "2 /", typed: "cb:crm-prod status:success", then: "enter X", says: "X: these calls count as success already"},
		{keys: "enter o", then: "R", says: "R: only failed calls"},
		{keys: "enter o", then: "X", status: callback.ListFailed | callback.ListPending},
		{keys: "enter /", typed: "code:5xx", then: "enter R", says: "R: the server cannot select by code:5xx"},
		{keys: "enter f", then: "X", status: callback.ListFailed, since: true},
		{keys: "enter /", typed: "status:failed", then: "enter R", status: callback.ListFailed},
		{keys: "j j j enter", then: "R", status: callback.ListFailed},
	} {
		t.Run(tc.keys+tc.typed+tc.then, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press(tc.keys)
				p.types(tc.typed)
				p.press(tc.then)
				if tc.says != "" {
					p.see(tc.says)
					if len(f.ops.wanted) > 0 {
						t.Fatalf("previewed %+v", f.ops.wanted)
					}
					return
				}
				if len(f.ops.wanted) != 1 {
					t.Fatalf("previewed %+v:\n%s", f.ops.wanted, p.text())
				}
				got := f.ops.wanted[0].Filter
				if got.Status != tc.status || got.Code != tc.code || got.From.IsZero() == tc.since {
					t.Fatalf("previewed %+v", got)
				}
			})
		})
	}
}

func TestPreviewThatChangesNothing(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		f.set(func() { f.ops.preview = callback.Preview{} })
		p.press("enter R")
		p.see("R: no call of crm-prod is selected since 09:12:04")
		f.set(func() { f.ops.preview = callback.Preview{Matched: 3} })
		p.press("R")
		p.see("none can be changed now")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeUnavailable, "2 other previews are being counted") })
		p.press("X")
		p.see("X: 2 other previews are being counted")
		if p.m.box != nil {
			t.Fatal("a box is open")
		}
	})
}

func TestGoToTime(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 @")
		p.types("13:50x")
		p.see("09:12, 09:12:04")
		p.press("enter backspace enter")
		p.see("calls up to 13:50:00", "13:49:27")
		if at := p.chosen().Time(); at.After(clockAt(0, 13, 50, 0)) || at.Before(clockAt(0, 13, 49, 0)) {
			t.Fatalf("on a call of %v", at)
		}
		for s, want := range map[string]time.Time{
			"15:00": clockAt(1, 15, 0, 0), "2h": clockAt(0, 12, 3, 27), "2d": clockAt(2, 14, 3, 27),
			"2026-03-01": clockAt(2, 0, 0, 0), "2026-03-01 09:12": clockAt(2, 9, 12, 0),
		} {
			if got, ok := p.m.desk.parseTime(s); !ok || !got.Equal(want) {
				t.Errorf("%q is %v, want %v", s, got, want)
			}
		}
		for _, s := range []string{"", "-2h", "25:00", "yesterday"} {
			if got, ok := p.m.desk.parseTime(s); ok {
				t.Errorf("%q is %v", s, got)
			}
		}
	})
}

func TestFollowAndPane(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 140, 40, nil, func(p *pilot) {
		p.press("2 F")
		p.see("follow off", "── call ")
		p.press("d F g")
		p.unseen("── call ")
		p.see("follows the newest")
		p.press("d")
		p.see("no call chosen")
	})
}

func TestCopyAsCurl(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.calls[0].Response.Message.Content = "it's $(reboot)"
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j k enter Y")
		if len(p.copied) != 1 || !strings.HasPrefix(p.copied[0], "curl -X POST") ||
			!strings.Contains(p.copied[0], `it'\''s $(reboot)`) || !strings.HasSuffix(p.copied[0], "'https://crm.example.com/in/whispir'") {
			t.Fatalf("copied %q", p.copied)
		}
	})
}

func TestOutageKeys(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.outages[0].Alerts[0].Key = "k1"
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("3 a")
		p.see("ana knows of outage #9 of billing-eu")
		p.press("esc a enter")
		p.see("acknowledged outage #9")
		p.press("E")
		p.see("noc@example.eu", "250 2.0.0 Ok")
		f.set(func() { f.refuse = callback.Errorf(callback.CodeConflict, "no mail server is configured") })
		p.press("enter")
		p.see("e-mail to noc@example.eu: no mail server is configured")
		p.press("j a")
		p.see("a: this outage is over")
		want(t, f.did(), []string{fmt.Sprintf("acknowledge %s 9 by ana", callbackIDOf("billing-eu")), "send k1"})
	})
}

// An undo that ends between two looks is told of as well.
func TestUndoThatEndsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFake()
	done := runningOp("bob")
	done.Kind, done.State, done.Rate, done.UndoUntil = callback.OperationResolve, callback.OperationDone, 0, noon.Add(time.Hour)
	f.ops.list = []callback.OperationView{done}
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.unseen("resolved")
		f.set(func() {
			o := &f.ops.list[0]
			o.State, o.Undone, o.UndoUntil = callback.OperationUndone, 579, time.Time{}
		})
		p.pass(time.Second)
		p.see("took back 579 calls of crm-prod (by bob)")
	})
}

func TestOverviewSorts(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		page := p.m.roots[0].(*overviewPage)
		for _, tc := range []struct{ keys, says, first, last string }{
			{"s", "by name", "airport-ops", "uni-alerts"},
			{"S", "by name, reversed", "uni-alerts", "airport-ops"},
			{"S s", "most waiting first", "crm-prod", "uni-alerts"},
			{"s", "least OK first", "crm-prod", "staging-echo"},
			{"S", "most OK first", "staging-echo", "crm-prod"},
			{"S s", "most given up first", "billing-eu", "uni-alerts"},
			{"S", "fewest given up first", "uni-alerts", "billing-eu"},
			{"S s", "worst first", "crm-prod", "staging-echo"},
			{"S", "best first", "staging-echo", "crm-prod"},
		} {
			at := page.cursor
			p.press(tc.keys)
			head, col := p.line("CALLBACK"), overviewSorts[page.by].column
			title := overviewTable(80, 0).cols[col].title
			if sign := map[bool]string{true: "▲", false: "▼"}[page.reverse]; !strings.Contains(strings.Replace(head, " "+sign, sign, 1), title+sign) {
				t.Errorf("%s: the head is %q, want a sign at %s", tc.says, head, title)
			}
			p.see("12 of 12 shown, " + tc.says)
			if page.order[0] != callbackIDOf(tc.first) || page.order[11] != callbackIDOf(tc.last) {
				t.Errorf("%s: %v", tc.says, page.order)
			}
			if page.cursor != at {
				t.Errorf("%s: the cursor went", tc.says)
			}
		}
		p.pass(12 * time.Second) // the order that was chosen stays
		p.see("best first")
		if page.order[0] != callbackIDOf("staging-echo") {
			t.Errorf("after a while: %v", page.order)
		}
	})
}

func TestCopyExport(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types(`cb:crm-prod status:failed code:503 it's`)
		p.press("enter E 1 enter o E f E")
		p.see("(OSC 52): ringback calls export")
		want(t, p.copied, []string{
			`ringback calls export --callback 'crm-prod' --status 'failed' --code '503' --text 'it'\''s' -o calls.ndjson`,
			"ringback calls export --callback '" + callbackIDOf("crm-prod").String() + "' --status 'failed,pending' --state 'scheduled,held,delivering,retrying' -o calls.ndjson",
			"ringback calls export --callback '" + callbackIDOf("crm-prod").String() + "' --status 'failed' -o calls.ndjson",
		})
	})
	q := callback.ListQuery{Filter: callback.Filter{Status: allCalls, State: callback.StateGaveUp, Code: callback.NoAnswer, From: noon}}
	if got, want := exportCommand(&q), "ringback calls export --state 'gaveUp' --code '0' --from '2026-03-03T04:03:27Z' -o calls.ndjson"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
