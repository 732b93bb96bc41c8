package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// thumb returns the rows in which the scroll bar says one is, from the first
// row of calls on; nil: there is no bar.
func (p *pilot) thumb() (rows []int, high int) {
	w, _ := p.m.canvas.Size()
	for y, row := range strings.Split(p.text(), "\n") {
		cells := []rune(row)
		if y < 4 || len(cells) < w || cells[w-1] != '█' && cells[w-1] != '│' {
			continue
		}
		if cells[w-1] == '█' {
			rows = append(rows, high)
		}
		high++
	}
	return rows, high
}

func TestScrollBar(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.calls = nil
	const n = 1000
	for i := range n { // one a minute
		f.calls = append(f.calls, fixtureCall(callSeed{
			time.Duration(i) * time.Minute, "crm-prod", callback.StateDelivered, 1, 200, 0, time.Millisecond, "Kim", 0,
		}, 15))
	}
	few := newFake()
	few.calls = few.calls[:18] // as many as there are lines
	fly(t, few, 80, 24, nil, func(p *pilot) {
		p.press("2")
		if _, high := p.thumb(); high != 0 {
			t.Errorf("a bar although all is on the screen:\n%s", p.text())
		}
	})
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2")
		at := func(keys string, from, to int) {
			t.Helper()
			p.press(keys)
			rows, high := p.thumb()
			if high != 18 || len(rows) != 1 || rows[0] < from || rows[0] > to {
				t.Errorf("after %q the thumb is at %v of %d, want %d to %d:\n%s", keys, rows, high, from, to, p.text())
			}
		}
		at("j", 0, 0)
		at("G", 17, 17)
		at("pgup pgup", 16, 17)
		p.press("@")
		p.types(p.m.desk.clock.in(ago(n * 30 * time.Second)).Format("15:04"))
		at("enter", 8, 9)
		at("g", 0, 0)
		p.press("/")
		p.types("id:" + f.calls[3].ID.String())
		p.press("enter")
		if _, high := p.thumb(); high != 0 {
			t.Errorf("a bar for what is on the screen:\n%s", p.text())
		}
	})
}

// A call that its filter selects no more stays under the cursor, as what became of it:
// it is what keys act on.
func TestWhatBecameOfAGoneCall(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("status:failed cb:crm-prod")
		p.press("enter j j space k")
		id := p.chosen()
		i := slices.IndexFunc(f.calls, func(v callback.CallView) bool { return v.ID == id })
		was := f.calls[i]
		becomes := func(v callback.CallView, row, says string) {
			t.Helper()
			f.set(func() { f.calls[i] = v })
			f.changed()
			p.pass(2 * time.Second)
			if p.chosen() != id || !strings.Contains(p.line(">"), row) {
				t.Fatalf("the chosen row is %q, want %q of %s:\n%s", p.line(">"), row, id, p.text())
			}
			p.see(says)
		}
		resolved, delivered := was, was
		resolved.State, resolved.Entry.Status, resolved.ResolvedBy = callback.StateResolved, callback.Success, "bob"
		delivered.State, delivered.Entry.Status = callback.StateDelivered, callback.Success
		becomes(resolved, "✓ resolved", "1 marked   the chosen call is not in this list any more")
		becomes(delivered, "✓ success", "the chosen call is not in this list any more")
		p.press("x") // the mark, as it is now
		p.see("x: already success")
		p.pass(noteTime)
		becomes(was, "held", "1 marked   ")
		p.unseen("any more")
		other := was
		other.ID++
		becomes(other, "held", "the chosen call is not there any more")
		p.press("j")
		p.unseen("any more")
	})
}

// Of a marked call that is on no page that is held it is not known what became of it:
// the server says what can be done with it.
func TestMarkOfAGoneCall(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("status:success")
		p.press("enter space")
		id := p.m.top().(*callsPage).calls.list.Marks()[0]
		p.press("x")
		p.see("x: already success")
		f.set(func() {
			i := slices.IndexFunc(f.calls, func(v callback.CallView) bool { return v.ID == id })
			f.calls[i].State, f.calls[i].Entry.Status = callback.StateRetrying, callback.Ready
			f.calls[i].Attempts[0].OK = false
		})
		f.changed()
		p.pass(2 * time.Second)
		p.press("x")
		p.see("1 call of", "to count as SUCCESS", id.String())
	})
}
