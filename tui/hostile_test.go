package tui

import (
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"ringback/callback"
)

// poison puts texts, in turn, wherever the service has text of others.
func poison(f *fake, texts []string) {
	next := 0
	bad := func(s *string) {
		*s = texts[next%len(texts)] + strings.TrimSpace(*s) + texts[(next*7+3)%len(texts)]
		next++
	}
	for _, s := range []*string{&f.server.Name, &f.server.DataDir, &f.server.MailServer, &f.server.Version, &f.server.KeyHeader, &f.overview.MailNote} {
		bad(s)
	}
	for i := range f.overview.Callbacks {
		h := &f.overview.Callbacks[i]
		for _, s := range []*string{&h.Name, &h.URL, &h.Email, &h.Description, &h.Live.LastError, &h.Live.SuspendedBy, &h.Live.Outage.FirstText, &h.Live.Outage.Acked} {
			bad(s)
		}
		own := callback.Param{Key: "X-Own", Value: "1"}
		bad(&own.Key)
		bad(&own.Value)
		h.Headers = append(h.Headers, own)
		if h.Alert != nil {
			a := *h.Alert
			bad(&a.Reply)
			bad(&a.To)
			h.Alert = &a
		}
	}
	for i := range f.overview.Events {
		bad(&f.overview.Events[i].Callback)
		bad(&f.overview.Events[i].Text)
	}
	for i := range f.outages {
		o := &f.outages[i]
		bad(&o.Callback)
		bad(&o.FirstText)
		bad(&o.Acked)
		for j := range o.Alerts {
			bad(&o.Alerts[j].Reply)
			bad(&o.Alerts[j].To)
		}
	}
	for i := range f.calls {
		v := &f.calls[i]
		r := &v.Response
		r.Params = []callback.Param{{Key: hostile[i%len(hostile)], Value: hostile[(i+1)%len(hostile)]}}
		for _, s := range []*string{&v.Callback, &v.URL, &v.ResolvedBy, &r.MessageID, &r.From.Name, &r.From.Mobile, &r.Message.Channel, &r.Message.Content} {
			bad(s)
		}
		for j := range v.Attempts {
			a := &v.Attempts[j]
			bad(&a.Reason)
			bad(&a.Error)
			bad(&a.Excerpt)
			bad(&a.Peer)
		}
	}
	poisonInside(f, bad)
	f.overview.MailOK = false
}

// poisonInside does so with what the service tells of itself.
func poisonInside(f *fake, bad func(*string)) {
	q, s := &f.inside.queue, &f.inside.system
	for i := range q.Callbacks {
		bad(&q.Callbacks[i].Callback)
	}
	for i := range q.InFlight {
		bad(&q.InFlight[i].Callback)
		bad(&q.InFlight[i].To)
	}
	for _, s := range []*string{&s.Storage.Dir, &s.Process.Version, &s.Mail.Server, &s.Mail.Note, &s.API.Listen} {
		bad(s)
	}
	for i := range s.API.Keys {
		bad(&s.API.Keys[i])
	}
	for i := range s.Viewers {
		bad(&s.Viewers[i].By)
		bad(&s.Viewers[i].From)
	}
	for i := range s.Chores {
		bad(&s.Chores[i].Said)
	}
	for i := range f.inside.lines {
		l := &f.inside.lines[i]
		bad(&l.Text)
		bad(&l.Part)
		bad(&l.Callback)
		bad(&l.Operation)
	}
}

// TestAnySize draws every scene, with hostile text, at any size: h rows of w
// cells each, nothing that steers a terminal, and no panic.
func TestAnySize(t *testing.T) {
	t.Parallel()
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			if s.first {
				f.overview.Callbacks = nil
			}
			f.late = s.late
			poison(f, hostile)
			fly(t, f, 100, 30, s.over, func(p *pilot) {
				p.press(s.keys)
				if s.gone {
					f.set(func() { f.fail = errors.New(strings.Join(hostile, " ")) })
					p.pass(3e9)
				}
				sizes := [][2]int{{1, 1}, {20, 5}, {19, 5}, {20, 4}, {59, 15}, {60, 15}, {60, 14}, {250, 80}, {0, 0}}
				for _, size := range sizes {
					resized(t, p, size[0], size[1])
				}
				if testing.Short() {
					return
				}
				for w := range fullW + 2 { // narrow ones, low and high
					for _, h := range []int{1, smallH - 1, smallH, fullH - 1, fullH, 24, 80} {
						resized(t, p, 1+w, h)
					}
				}
				rapid.Check(t, func(rt *rapid.T) {
					p.m.canvas.SetGraphemes(rapid.Bool().Draw(rt, "graphemes"))
					resized(t, p, rapid.IntRange(20, 250).Draw(rt, "w"), rapid.IntRange(5, 80).Draw(rt, "h"))
				})
			})
		})
	}
}

// FuzzScreen does so with any text, in any theme.
func FuzzScreen(f *testing.F) {
	for i, s := range hostile {
		f.Add(uint8(i), uint8(i*11), uint8(i*7), uint8(i), i%2 == 0, s)
	}
	f.Fuzz(func(t *testing.T, which, w, h, theme uint8, ascii bool, text string) {
		s, fake := scenes[int(which)%len(scenes)], newFake()
		if s.first {
			fake.overview.Callbacks = nil
		}
		fake.late = s.late
		poison(fake, []string{text, "", text + text})
		fly(t, fake, 100, 30, s.over, func(p *pilot) {
			p.m.canvas.SetPalette(NewPalette(themes[int(theme)%len(themes)], ascii))
			p.press(s.keys)
			resized(t, p, 20+int(w)%231, 5+int(h)%76)
		})
	})
}

func resized(t *testing.T, p *pilot, w, h int) {
	t.Helper()
	p.send(tea.WindowSizeMsg{Width: w, Height: h})
	p.settle()
	if err := p.m.fault(); err != nil {
		t.Fatalf("at %dx%d: %v", w, h, err)
	}
	if w == 0 || h == 0 {
		return
	}
	p.m.View()
	checkFrame(t, p.m.canvas, p.m.canvas.String())
	if c := p.m.manner.cursor; c.on && (c.x < 0 || c.x >= w || c.y < 0 || c.y >= h) {
		t.Fatalf("at %dx%d the cursor is at %d,%d", w, h, c.x, c.y)
	}
}

// TestRandomKeys presses keys at random: no panic, no frame out of shape, and
// nothing is changed without a box.
func TestRandomKeys(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes 100 runs")
	}
	var keys []string
	for i := range bindings {
		keys = append(keys, bindings[i].Keys()...)
	}
	rapid.Check(t, func(rt *rapid.T) {
		presses := rapid.SliceOfN(rapid.SampledFrom(keys), 1, 60).Draw(rt, "keys")
		f := newFake()
		poison(f, hostile)
		fly(t, f, rapid.IntRange(20, 160).Draw(rt, "w"), rapid.IntRange(5, 50).Draw(rt, "h"), embedded, func(p *pilot) {
			for _, k := range presses {
				was := p.m.box
				before := len(f.did())
				p.press(k)
				_, editing := p.m.top().(*editPage)
				if saves := k == "ctrl+s" && editing; len(f.did()) > before && !saves && (was == nil || k != "enter" && k != "o") {
					t.Fatalf("%q changed something without a box: %v", k, f.did())
				}
				p.m.View()
				checkFrame(t, p.m.canvas, p.m.canvas.String())
				if p.quit {
					return
				}
			}
		})
	})
}

// TestCopiedTextIsClean keeps what goes to the clipboard from steering it.
func TestCopiedTextIsClean(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.overview.Callbacks = nil
	f.server.Listen = "127.0.0.1:8480\x07\x1b]0;owned\x07"
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("y")
		if len(p.copied) != 1 || ansi.Strip(p.copied[0]) != p.copied[0] || callback.Sanitize(p.copied[0], 4096) != p.copied[0] {
			t.Fatalf("copied %q", p.copied)
		}
	})
}
