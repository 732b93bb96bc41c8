package tui

import (
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

func TestChoresAskFirst(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("5")
		for _, tt := range []struct{ key, title, begun string }{
			{"m", "Test mail", "test mail begun"}, {"G", "Free disk space", "gc begun"}, {"B", "Back up", "backup begun"},
		} {
			before := len(f.did())
			p.press(tt.key)
			p.see(tt.title)
			p.press("x esc")
			if len(f.did()) != before {
				t.Fatalf("%s did something before it was confirmed: %v", tt.key, f.did())
			}
			p.press(tt.key + " enter")
			p.see(tt.begun)
		}
		want(t, f.did(), []string{"mail by ana", "garbage by ana", "backup by ana"})
		f.set(func() { f.refuse = callback.Errorf(callback.CodeConflict, "a backup is being written") })
		p.press("B enter")
		p.see("backup: a backup is being written")
	})
}

func TestChoresOfAReader(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleRead
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("5")
		for key, need := range map[string]string{"m": "operator or admin", "G": "admin", "B": "admin"} {
			p.press(key)
			p.see(key + ": this needs a key of role " + need + "; yours has role read")
			p.press("enter")
		}
		want(t, f.did(), nil)
	})
}

func TestSystemTellsWhatCameOfAChore(t *testing.T) {
	t.Parallel()
	f := newFake()
	run := func(change func(*callback.ChoreRun)) {
		f.set(func() { change(&f.inside.system.Chores[1]) })
	}
	run(func(r *callback.ChoreRun) { r.Started, r.Ended = noon, time.Time{} })
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("5")
		p.pass(3 * time.Second)
		p.see("backup runs since 14:03:27")
		p.unseen("backup:")
		run(func(r *callback.ChoreRun) {
			r.Ended, r.OK, r.Said = noon.Add(time.Second), false, "no space left on device"
		})
		p.pass(3 * time.Second)
		p.see("backup 14:03 ✗ no space left on device", " backup: no space left on device")
		p.press("j") // takes the note away
		p.pass(5 * time.Second)
		p.unseen(" backup: no space") // told once
		run(func(r *callback.ChoreRun) { r.Started, r.OK, r.Said = noon.Add(9*time.Second), true, "quick" })
		p.pass(3 * time.Second)
		p.see(" backup: quick") // it was never seen to run
		run(func(r *callback.ChoreRun) { r.Started, r.By, r.Said = noon.Add(12*time.Second), "", "by itself" })
		p.pass(3 * time.Second)
		p.see("✓ by itself")
		p.unseen(" backup: by itself")
	})
}

// TestSystemOfNothing shows a dash for what is not known, and no figure that
// nobody measured.
func TestSystemOfNothing(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.inside.system = callback.System{Now: noon, Process: callback.Process{CPU: -1}}
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("5")
		for _, label := range []string{"disk", "lsm", "value log", "tables", "gc", "backup", "test mail", "oldest", "last clean-up", "cpu", "rss", "heap", "open files", "gc pause p99", "starts"} {
			if !strings.Contains(strings.Join(strings.Fields(p.text()), " "), label+" -") {
				t.Errorf("%s is not told as unknown", label)
			}
		}
		p.see("no mail server is set", "no request in the last minute", "nobody follows")
		if got := strings.Fields(p.line("endpoint answer")); strings.Join(got[2:], "") != "----" {
			t.Errorf("latencies of nothing: %v", got)
		}
		if t.Failed() {
			t.Log(p.text())
		}
	})
}

// Too few files are told of where there is room for little else.
func TestSystemLacksFiles(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.inside.system.Process.FewFiles = true
	for _, size := range [][2]int{{80, 24}, {140, 40}} {
		fly(t, f, size[0], size[1], nil, func(p *pilot) {
			p.press("5")
			p.see("! few for the store")
		})
	}
}

func TestSystemScrolls(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 60, 15, nil, func(p *pilot) {
		p.press("5")
		p.see("accepted over HTTP", "j: more below")
		p.unseen("whispir-in")
		var all strings.Builder
		for range 40 {
			p.press("j")
			all.WriteString(p.text())
		}
		for _, has := range []string{"starts", "after a kill", "whispir-in", "10.0.0.9"} {
			if !strings.Contains(all.String(), has) {
				t.Errorf("%q is never shown", has)
			}
		}
		p.see("10.0.0.9")     // it stops at the end
		resized(t, p, 60, 60) // all has room
		p.see("accepted over HTTP")
		resized(t, p, 60, 15)
		p.press("pgdown pgup pgup pgup pgup")
		p.see("accepted over HTTP")
	})
}

func TestHourIn(t *testing.T) {
	t.Parallel()
	var hour []float64
	for i := range 60 {
		hour = append(hour, float64(i))
	}
	if got := hourIn(hour, 6); got[0] != 4.5 || got[5] != 54.5 {
		t.Errorf("an hour in six parts: %v", got)
	}
	got := hourIn(hour[:10], 12) // the last ten minutes only
	if !(got[9] != got[9]) || got[10] != 2 || got[11] != 7 {
		t.Errorf("ten minutes in twelve parts: %v", got)
	}
}

// TestHourBeforeTheStart tells what is not known from nothing.
func TestHourBeforeTheStart(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.inside.system.Process.Started = ago(150 * time.Second)
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("5")
		if got := strings.Count(p.line("delivered /s"), "·"); got != callback.QueueMinutes-3 {
			t.Fatalf("two and a half minutes after the start %d minutes are not known: %s", got, p.line("delivered /s"))
		}
	})
}
