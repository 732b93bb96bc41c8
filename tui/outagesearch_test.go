package tui

import (
	"fmt"
	"testing"
	"time"

	"ringback/callback"
)

// longAgo is a past of n outages, an hour apart, of which the last is of kim.
func longAgo(f *fake, n int) {
	first := f.outages[len(f.outages)-1]
	f.outages = nil
	for i := range n {
		o := first
		o.N, o.Acked, o.Phase = uint32(n-i), "ana", callback.NoOutage
		o.OutageState.Started = noon.Add(-time.Duration(i+1) * time.Hour)
		o.Ended = o.OutageState.Started.Add(time.Minute)
		if i == n-1 {
			o.Acked = "kim"
		}
		f.outages = append(f.outages, o)
	}
}

// A filter finds what lies far back: it pages on from the store, says how far it
// is, and ends at the end.
func TestOutagesAreSearchedFor(t *testing.T) {
	t.Parallel()
	f := newFake()
	longAgo(f, 1250)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("3 /")
		p.types("kim")
		p.press("enter")
		p.see("#1 ", "1 of all 1250 shown: kim")
		if n := f.count("Outages"); n < 7 || n > 9 {
			t.Fatalf("asked %d times for 1,250 outages", n)
		}
		p.pass(3 * time.Second) // what is refreshed is the beginning; the rest stays
		p.see("#1 ", "1 of all 1250 shown: kim")
		p.press("esc")
		p.unseen("shown: kim")
		p.see("1250 closed")
	})
}

// A long search rests until somebody wants it to go on, and can be stopped.
func TestOutageSearchRests(t *testing.T) {
	t.Parallel()
	f := newFake()
	longAgo(f, 3000)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("3 /")
		p.types("kim")
		f.set(func() { f.far = time.Second })
		p.send(keyPress("enter"))
		p.pass(2 * time.Second)
		p.see("searching, back to ", " of 3,000 ...; Esc stops", "searching ...")
		p.pass(8 * time.Second)
		p.see("searched back to ", "; Enter goes on, Esc stops", "nothing found so far")
		asked := f.count("Outages")
		p.pass(10 * time.Second)
		rows := len(p.m.top().(*outagesPage).all)
		p.send(keyPress("enter"))
		p.pass(2 * time.Second)
		p.see("searching, back to ")
		p.press("esc")
		p.see("searched back to ")
		p.unseen("Enter goes on")
		p.pass(20 * time.Second)
		if now := len(p.m.top().(*outagesPage).all); now <= rows || now == 3000 {
			t.Fatalf("%d outages were read, %d before, after %d questions", now, rows, asked)
		}
		p.see("kim") // the filter is still there
		p.press("esc")
		p.unseen("kim")
	})
}

// Without a filter, too, the list goes on behind what is loaded.
func TestOutagesGoOn(t *testing.T) {
	t.Parallel()
	f := newFake()
	longAgo(f, 450)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("3")
		f.set(func() { // one more begins while it is paged: nothing is lost, nothing comes twice
			o := f.outages[0]
			o.N, o.OutageState.Started = 451, noon
			f.outages = append([]callback.OutageView{o}, f.outages...)
		})
		for _, want := range []int{251, 52, 1} {
			p.press("G")
			p.see(fmt.Sprintf(">✓ #%d ", want))
		}
		f.changed()
		p.pass(2 * time.Second)
		page := p.m.top().(*outagesPage)
		seen := map[uint32]bool{}
		for i := range page.all {
			seen[page.all[i].N] = true
		}
		if len(seen) != 451 || len(page.all) != 451 {
			t.Fatalf("%d rows of %d outages, want 451", len(page.all), len(seen))
		}
		p.see(">✓ #1 ")
	})
}
