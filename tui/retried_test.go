package tui

import (
	"testing"
	"time"

	"ringback/callback"
)

// What became of a retry is told on the first screen, without a key: while it
// goes on, when it is over, and for a while after that.
func TestRetryIsToldOnTheFirstScreen(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 140} {
		f := newFake()
		fly(t, f, w, 40, nil, func(p *pilot) {
			p.unseen("Retry of")
			r := &callback.Requeued{Began: noon.Add(-5 * time.Second), Last: noon, Calls: 12, Failed: 1}
			told := func() {
				f.set(func() { f.health("crm-prod").Live.Requeued = *r })
				p.pass(time.Second)
			}
			told()
			p.see("Retry of crm-prod, 14:03: 1 failed, 11 waiting, probe in 2m09s")
			p.press("2")
			p.unseen("Retry of")
			r.Delivered, r.Last = 11, noon.Add(3*time.Second)
			told()
			p.see("Retry of crm-prod, 14:03: 11 delivered, 1 failed") // it has come to its end: anywhere
			p.pass(noteTime + time.Second)
			p.unseen("Retry of")
			p.press("1")
			p.see("Retry of crm-prod, 14:03: 11 delivered, 1 failed")
			if w == 140 {
				p.see("Sent again   12 calls 14:03:22: 11 delivered, 1 failed")
			}
			p.press("j enter") // another callback
			p.unseen("Retry of")
			p.press("esc k enter")
			p.see("Retry of crm-prod")
			p.press("esc")
			p.pass(retriedFor)
			p.unseen("Retry of")
			*r = callback.Requeued{Began: noon.Add(retriedFor), Last: noon.Add(retriedFor), Calls: 1, Delivered: 1}
			told()
			p.see("Retry of crm-prod, 14:13: delivered")
			r.Calls, r.Delivered = 2, 2
			told()
			p.see("Retry of crm-prod, 14:13: all 2 delivered")
			f.set(func() {
				f.ops.list = []callback.OperationView{runningOp("")}
				f.health("crm-prod").Live.Gate.State = callback.Closed
			})
			r.Last = r.Last.Add(time.Second)
			told()
			p.see("2 ok 0 failed", "u stops")
			r.Calls = 3
			told()
			r.Delivered = 3
			told() // of what the operation has let go so far: there is more to come
			p.see("3 ok 0 failed", "u stops")
			if w == 140 {
				p.see(": so far 3 delivered")
			}
		})
	}
}

// A call that is sent again by itself is asked after until its attempt has
// ended, and what came of it is told.
func TestSingleRetryIsFollowed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		state callback.CallState
		says  string
	}{
		{callback.StateDelivered, "Retry of billing-eu, 14:03: delivered; attempt 1: 200"},
		{callback.StateRetrying, "Retry of billing-eu, 14:03: failed; attempt 2: 503 Service Unavailable after 84ms; next try"},
	} {
		t.Run(string(tc.state), func(t *testing.T) {
			t.Parallel()
			f := newFake()
			id := f.calls[2].ID
			set := func(s callSeed) {
				f.set(func() {
					v := fixtureCall(s, 2)
					v.ID = id
					f.calls[2] = v
				})
			}
			fly(t, f, 140, 40, nil, func(p *pilot) {
				p.press("2 j j r enter")
				p.see("1 call is being sent again")
				p.pass(2 * time.Second)
				p.unseen("Retry of")
				seed := callSeeds[2]
				seed.tries, seed.state = 1, callback.StateDelivering
				set(seed)
				p.pass(2 * time.Second)
				p.unseen("Retry of")
				seed.tries, seed.state = 2, tc.state
				if tc.state == callback.StateDelivered {
					seed.tries, seed.code, seed.class = 1, 200, callback.ClassOK
				}
				set(seed)
				p.pass(time.Second)
				p.see(tc.says)
				asked := f.count("Call")
				p.pass(noteTime + time.Second)
				p.unseen("Retry of")
				p.press("1")
				p.see(tc.says)
				if n := f.count("Call"); n != asked {
					t.Errorf("asked %d times more for a call that is known", n-asked)
				}
			})
		})
	}
}

// A call that is not decided is not asked after for ever.
func TestFollowingEnds(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j r enter 1")
		p.pass(noteTime + time.Second)
		p.see("Retry of billing-eu, 14:03: waiting")
		p.pass(followFor + 2*time.Second)
		p.unseen("Retry of")
		n := f.count("Call")
		if n < 100 {
			t.Errorf("asked %d times", n)
		}
		p.pass(10 * time.Second)
		if more := f.count("Call") - n; more > 0 {
			t.Errorf("asked %d times more", more)
		}
	})
}

// An endpoint may come back while an operation waits for it: what it would have
// let go was delivered by itself then, and counts as well.
func TestRetryThatWasOvertaken(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.preview.Matched, f.ops.preview.Changed = 8, 8
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("r enter")
		f.set(func() {
			o := &f.ops.list[0]
			o.Matched, o.Changed = 2, 2
			f.health("crm-prod").Live.Requeued = callback.Requeued{Began: noon, Last: noon, Calls: 2, Failed: 1}
			f.health("crm-prod").Live.Gate.State = callback.Closed
		})
		p.pass(time.Second)
		p.see("0 ok 1 failed  1 let go  6 to come")
		f.set(func() {
			o := &f.ops.list[0]
			o.State, o.Finished = callback.OperationDone, noon.Add(time.Second)
			f.health("crm-prod").Live.Requeued = callback.Requeued{Began: noon, Last: noon.Add(time.Second), Calls: 2, Delivered: 2}
		})
		p.pass(2 * time.Second)
		p.see("Retry of crm-prod, 14:03: 2 delivered, 6 had succeeded before")
		p.unseen("go again")
		p.pass(noteTime + time.Second)
		p.see("Retry of crm-prod, 14:03: 2 delivered, 6 had succeeded before")
	})
}

// A retry of calls of several callbacks is told of as one, and which of them failed.
func TestRetryOfSeveral(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		account := func(name string, r callback.Requeued) {
			f.health(name).Live.Requeued = r
			f.health(name).Live.Gate.State = callback.Closed
		}
		f.set(func() {
			for i, name := range []string{"crm-prod", "billing-eu", "sms-portal"} {
				o := runningOp("")
				o.ID, o.Callback, o.CallbackID = "5F0C6A1BB384FD38"+familySep+string(rune('1'+i)), name, callbackIDOf(name)
				o.Created, o.Matched, o.Changed = noon, 4, 4
				o.State, o.Finished = callback.OperationDone, noon
				f.ops.list = append(f.ops.list, o)
			}
			account("crm-prod", callback.Requeued{Began: noon, Last: noon, Calls: 4, Delivered: 1})
			account("billing-eu", callback.Requeued{Began: noon, Last: noon, Calls: 4, Delivered: 4})
		})
		p.pass(2 * time.Second)
		p.see("Retry of 2 callbacks, 14:03: 5 delivered, 3 waiting")
		f.set(func() {
			account("crm-prod", callback.Requeued{Began: noon, Last: noon.Add(time.Second), Calls: 4, Delivered: 1, Failed: 3})
		})
		p.press("2")
		p.pass(2 * time.Second)
		p.see("Retry of 2 callbacks, 14:03: 5 delivered, 3 failed (crm-prod)") // it has come to its end
		p.press("1 enter")
		p.see("Retry of crm-prod, 14:03: 1 delivered, 3 failed")
	})
}

// A retry that was stopped is not told of as if it had sent all.
func TestRetryThatWasStopped(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.preview.Matched, f.ops.preview.Changed = 8, 8
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("r enter")
		p.pass(time.Second)
		f.set(func() {
			o := &f.ops.list[0]
			o.Matched, o.Changed = 3, 3
			f.health("crm-prod").Live.Requeued = callback.Requeued{Began: noon, Last: noon.Add(time.Second), Calls: 3, Delivered: 3}
			f.health("crm-prod").Live.Gate.State = callback.Closed
		})
		p.pass(2 * time.Second)
		p.see("███░░░░░ 3 ok 0 failed  5 to come")
		f.set(func() { o := &f.ops.list[0]; o.State, o.Finished = callback.OperationStopped, noon.Add(time.Second) })
		p.pass(2 * time.Second)
		p.see("Retry of crm-prod, 14:03: 3 delivered, 5 not sent: stopped")
		p.pass(noteTime + time.Second)
		p.see("Retry of crm-prod, 14:03: 3 delivered, 5 not sent: stopped")
		p.m.desk.ops.counts = nil // somebody else's
		p.pass(time.Second)
		p.see("3 delivered; stopped before the rest")
		p.m.desk.ops.counts = map[string]uint64{f.ops.list[0].ID: 3} // all had been let go
		p.pass(time.Second)
		p.see("Retry of crm-prod, 14:03: all 3 delivered")
		f.set(func() { f.health("crm-prod").Live.Requeued.Began = noon.Add(-5 * time.Minute) })
		p.pass(2 * time.Second)
		p.see("Retries of crm-prod since 13:58: all 3 delivered") // an earlier one had not come to its end
	})
}

// To stop a retry that had let all go says so, although nothing was left to stop.
func TestRetryStoppedWhenAllWasLetGo(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.ops.preview.Matched, f.ops.preview.Changed = 3, 3
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("r enter")
		p.pass(time.Second)
		f.set(func() {
			o := &f.ops.list[0]
			o.Matched, o.Changed = 3, 3
			f.health("crm-prod").Live.Requeued = callback.Requeued{Began: noon, Last: noon.Add(time.Second), Calls: 3, Delivered: 1}
		})
		p.pass(2 * time.Second)
		f.set(func() { o := &f.ops.list[0]; o.State, o.Finished = callback.OperationStopped, noon.Add(time.Second) })
		p.pass(2 * time.Second)
		p.see("Stopped. Retry of crm-prod, 14:03: 1 delivered, 2 waiting")
		p.press("ctrl+z")
		p.see("Ctrl+Z does not put the screen aside")
	})
}
