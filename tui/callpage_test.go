package tui

import (
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// Where there is no room for all of a call, Tab goes from what is sent to what was
// answered and to what happened, and each can be scrolled.
func TestSidesOfCall(t *testing.T) {
	t.Parallel()
	f := newFake()
	v := &f.calls[2]
	v.Attempts[0].Excerpt = strings.Repeat("busy now ", 100) + "LASTWORD"
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 j j enter")
		p.see("── request ", "Tab: answer", "POST https://")
		p.press("tab")
		p.see("── answer ", "Tab: what happened", "503 Service Unavailable", "busy now")
		p.unseen("POST https://")
		p.unseen("LASTWORD")
		p.press("pgdown pgdown")
		p.see("LASTWORD", "PgUp")
		p.press("tab")
		p.see("── what happened to this call ", "Tab: request", "received", "attempt 1 fails: 503")
		p.press("tab")
		p.see("── request ")
		p.press("esc")
	})
}

// An attempt that runs is shown with when it began and how far it is.
func TestRunningAttempt(t *testing.T) {
	t.Parallel()
	for _, w := range []int{80, 140} {
		f := newFake()
		v := &f.calls[4] // in flight
		v.Entry.Attempts = 0
		v.Attempts = nil
		v.Run = &callback.InFlight{Call: v.ID, Since: noon.Add(-12400 * time.Millisecond), Stage: callback.StageAnswer, To: "192.0.2.44:443"}
		fly(t, f, w, 40, nil, func(p *pilot) {
			p.press("2 j j j j enter")
			p.see("14:03:14", "waiting for answer", "12.4s")
			if w >= 110 {
				p.see("192.0.2.44:443", "attempt 1 begins")
			}
		})
	}
}
