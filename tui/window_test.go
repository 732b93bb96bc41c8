package tui

import (
	"testing"
	"time"
)

// TestWindow turns through all windows, in both directions, on both screens
// that have one.
func TestWindow(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("w")
		p.see("window: the last 7d")
		p.press("w w")
		p.see("window: the last 1h")
		p.press("enter W") // it is one for all screens
		p.see("window: the last 30d")
		p.press("W")
		if got := p.m.desk.window; got != 7*24*time.Hour {
			t.Fatalf("the window is %v", got)
		}
	})
}
