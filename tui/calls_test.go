package tui

import (
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
