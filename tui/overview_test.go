package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// TestWorstFirst proves the order of the overview: by state, then by how many
// wait, then by name.
func TestWorstFirst(t *testing.T) {
	t.Parallel()
	row := func(name string, shown callback.State, waiting, ok uint64) *callback.HealthView {
		h := &callback.HealthView{Shown: shown, OK: ok}
		h.Name, h.Live.Counts.Pending = name, waiting
		return h
	}
	want := []*callback.HealthView{
		row("down, more", callback.Down, 9, 0),
		row("down, fewer", callback.Down, 8, 0),
		row("failing", callback.Failing, 99, 1),
		row("suspended", callback.Suspended, 999, 0),
		row("healthy, one waits", callback.Healthy, 1, 0),
		row("healthy a", callback.Healthy, 0, 5),
		row("healthy b", callback.Healthy, 0, 7),
		row("no calls", callback.Healthy, 0, 0),
	}
	got := slices.Clone(want)
	for range 3 {
		slices.Reverse(got)
		got[1], got[4] = got[4], got[1]
		slices.SortFunc(got, worst)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("row %d is %s, want %s", i, got[i].Name, want[i].Name)
			}
		}
	}
	for i, want := range map[int]string{0: "DOWN", 2: "failing", 3: "suspended", 4: "healthy", 7: "no calls"} {
		if word := standingOf(got[i]).word(); word != want {
			t.Errorf("%s is shown as %s", got[i].Name, word)
		}
	}
}

// TestOverviewTellsWhatCameOfIt shows a callback after its outage, and who was
// told of those that last.
func TestOverviewTellsWhatCameOfIt(t *testing.T) {
	t.Parallel()
	f := newFake()
	o := &f.health("rail-disrupt").Live.Outage
	o.Delivered, o.GivenUp = 1902, 3
	f.overview.Events = append(f.overview.Events, callback.Event{At: clockAt(1, 13, 57, 25), Callback: "billing-eu", State: callback.Down, Text: "failing: the time before"})
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.see("billing-eu       failing: 503 Service Unavailable. E-mail ✓ sent to noc@example.eu 13:57:27")
		if row := p.line("the time before"); row == "" || strings.Contains(row, "E-mail") {
			t.Errorf("an outage that is over says %q", row)
		}
		p.press("/")
		p.types("rail")
		p.press("enter")
		p.see("Outage #4, 10:48:11, is over: 902 calls failed, 1,902 delivered, 3 had been given up.")
		p.press("esc")
		f.set(func() { f.health("rail-disrupt").Live.Outage.Closed = ago(recentOutage) })
		p.press("/")
		p.types("rail")
		p.press("enter")
		p.pass(2 * time.Second)
		p.see("Answers well")
		p.unseen("is over")
	})
}

// TestOverviewTellsWhatIsLeftToDo shows calls that were given up, and an attempt
// that runs longer than its time was due.
func TestOverviewTellsWhatIsLeftToDo(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 140} {
		f := newFake()
		h := f.health("crm-prod")
		h.Live.Counts.Failed = 308
		h.NextTry = ago(3 * time.Second)
		fly(t, f, w, 40, nil, func(p *pilot) {
			p.see("308 given up. 1,284 calls wait", "late 3s")
			f.set(func() { f.health("crm-prod").Live.Running = 1 })
			p.pass(2 * time.Second)
			if w == 140 { // where it is not wrapped
				p.see("1,284 calls wait behind one probe under way")
			}
			if row := p.line("✗ DOWN"); !strings.Contains(row, "trying") || strings.Contains(row, "late") {
				t.Errorf("while an attempt runs: %q", row)
			}
			f.set(func() { f.health("crm-prod").Live.Counts = callback.Counts{Accepted: 308, Failed: 308} })
			p.pass(2 * time.Second)
			p.see("No call is left to try it. 308 given up: r sends")
		})
	}
}

// Calls that were given up stand in the bar of every screen and in a column, and
// what r sends again is what is said of it.
func TestGivenUpIsSeen(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 140} {
		f := newFake()
		crm := f.health("crm-prod")
		crm.Live.Counts.Failed, crm.Live.Outage.N = 14, 1
		crm.Live.Counts.Retrying = 1
		fly(t, f, w, 40, nil, func(p *pilot) {
			p.see("gave up 17", "GAVE UP", "14 given up. 1 call waits")
			p.press("2")
			p.see("gave up 17")
			p.press("1")
			do := func(says string) {
				p.pass(2 * time.Second)
				if w == 140 {
					p.see(says)
				}
			}
			do("r send its 15 that failed again")
			f.set(func() {
				f.health("crm-prod").Live.Requeued = callback.Requeued{Calls: 5, Once: 5, Began: noon, Last: noon}
			})
			do("r send its 10 that failed again")
			f.set(func() { f.health("crm-prod").Live.Outage.N = 40 }) // it leaves out those of outages before
			do("r send what failed in this outage again")
			f.set(func() { f.health("crm-prod").Live.Outage.Phase = callback.NoOutage })
			do("r send its 10 that failed again")
		})
	}
}

// Calls that get one attempt are not said to be tried on and on.
func TestOneAttemptIsSaid(t *testing.T) {
	t.Parallel()
	f := newFake()
	h := f.health("crm-prod")
	for _, tc := range []struct {
		waiting, once uint64
		last          bool
		says          string
	}{
		{12, 0, false, "12 calls wait behind one probe in 2m10s, then every 5 min for 24 h each; oldest"},
		{12, 12, true, "12 calls wait behind one probe in 2m10s, for one attempt each: they had been given up; oldest"},
		{12, 5, true, "then every 5 min for 24 h each (5 that had been given up: once); oldest"},
		{12, 0, true, "12 calls wait behind one probe in 2m10s; those whose 24 h are over get one attempt each; oldest"},
		{1, 0, true, "next in 2m10s; its 24 h are over: one attempt"},
		{1, 1, true, "1 call waits, 4h51m old; last try 2m10s ago, next in 2m10s, for one attempt: it had been given up."},
	} {
		f.set(func() {
			h.Live.Counts.Retrying, h.Live.Requeued.Once, h.LastTry = tc.waiting, tc.once, tc.last
		})
		fly(t, f, 160, 40, nil, func(p *pilot) { p.see(tc.says) })
	}
}

// One that was suspended while it was down says so, and is down since its outage
// began when it is resumed.
func TestDownSinceItsOutage(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, nil, func(p *pilot) {
		f.set(func() {
			h := f.health("crm-prod")
			h.Shown, h.Live.State, h.Live.Since = callback.Suspended, callback.Suspended, ago(time.Minute)
			h.Live.Suspended, h.Live.SuspendedBy, h.Live.SuspendedAt = true, "ana", ago(time.Minute)
		})
		p.press("g")
		p.pass(settleTime + 2*time.Second)
		p.press("/")
		p.types("crm")
		p.press("enter")
		p.see("suspended since 14:02:27", "Suspended by ana. It had been failing since 09:12:04: Connection refused")
		f.set(func() {
			h := f.health("crm-prod")
			h.Shown, h.Live.State, h.Live.Since, h.Live.Suspended = callback.Down, callback.Down, noon, false
		})
		p.pass(2 * time.Second)
		p.see("down since 09:12:04")
		p.press("enter")
		p.see("DOWN since 09:12:04")
	})
}

// TestTheCellThatIsNotOver counts the last cell by the part of it that is over.
func TestTheCellThatIsNotOver(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 140, 40, func(o *Options) {
		now := o.Now
		o.Now = func() time.Time { return now().Add(3 * time.Second) } // 14:03:30, half a minute
	}, func(p *pilot) {
		page := p.m.roots[0].(*overviewPage)
		p.m.desk.window = time.Hour
		p.pass(time.Second)
		s := &page.trend.got.series
		for i := range s.Cells {
			s.Cells[i].Accepted = 60
		}
		s.Cells[len(s.Cells)-1].Accepted = 300
		p.m.draw()
		if row := p.line("last hour; busiest"); !strings.Contains(row, "busiest minute 9.") || !strings.Contains(row, "on average, 14:03 - 14:04") {
			t.Fatalf("%q; 300 in 31 s are 9.6 a second", row)
		}
	})
}

// The first screen of all says what is ready, and that the clock is not where it
// is not followed.
func TestFirstRunTellsOfTheClock(t *testing.T) {
	t.Parallel()
	for _, doubtful := range []bool{false, true} {
		f := newFake()
		f.overview.Callbacks, f.server.ClockDoubtful = nil, doubtful
		fly(t, f, 80, 24, nil, func(p *pilot) {
			p.see("Ready: ✓ store /var/lib/ringback   ✓ API on 127.0.0.1:8480")
			if doubtful {
				p.see("! the clock jumped, and is not followed")
				p.unseen("✓ clock")
			} else {
				p.see("✓ clock")
			}
		})
	}
}
