package tui

import (
	"slices"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// slow makes a service that looks at 100 calls in a second, and answers with
// what it found after two, as one with a long history does.
func slow(f *fake) *fake {
	f.look = 200
	return f
}

// longPast is many calls a second apart, of which every so manieth is of kim.
func longPast(n, every int) []callback.CallView {
	var out []callback.CallView
	for i := range n {
		v := fixtureCall(callSeed{back: time.Duration(i) * time.Second, name: "crm-prod", state: callback.StateGaveUp, tries: 1, class: callback.ClassRefused, from: "Ana"}, i)
		if i%every == every-1 {
			v.Response.From.Name = "Kim Lee"
		}
		out = append(out, v)
	}
	return out
}

func TestSearchRestsUntilAsked(t *testing.T) {
	t.Parallel()
	f := slow(newFake())
	f.calls = longPast(6000, 5000)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("kim")
		p.send(keyPress("enter"))
		p.pass(time.Second)
		p.see("searching ~272,102 ...")
		p.pass(2 * time.Second)
		p.see("searching, back to 14:0", "Esc stops", "searching ...")
		p.pass(7 * time.Second)
		p.see("searched back to 13:5", "Enter goes on, Esc stops", "nothing found so far")
		asked := f.count("Calls")
		for range 20 {
			f.changed()
			p.pass(10 * time.Second)
		}
		if n := f.count("Calls"); n != asked {
			t.Fatalf("a search that rests asked %d times more", n-asked)
		}
		p.send(keyPress("enter"))
		p.pass(3 * time.Second)
		p.see("searching, back to 13:")
		p.press("esc")
		p.see("searched back to 13:", "g begins anew")
		p.unseen("Enter goes on")
		p.pass(3 * time.Second) // the last answer comes
		asked = f.count("Calls")
		p.pass(time.Minute)
		if n := f.count("Calls"); n != asked {
			t.Fatalf("a search that was stopped asked %d times more", n-asked)
		}
		p.see("kim") // the filter is still there
		p.press("esc")
		p.see("all callbacks, all statuses")
	})
}

// TestSearchFindsInTheEnd goes on until a call is found that is far back, while
// the service tells of changes all the time.
func TestSearchFindsInTheEnd(t *testing.T) {
	t.Parallel()
	f := slow(newFake())
	f.calls = longPast(6000, 5000)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("kim")
		p.send(keyPress("enter"))
		for i := 0; i < 100 && !strings.Contains(p.text(), "✗ FAILED"); i++ {
			p.pass(time.Second)
			f.changed()
			if strings.Contains(p.text(), "Enter goes on") {
				p.send(keyPress("enter"))
			}
		}
		p.see("12:40:08.000")
		if got := p.chosen(); got != f.calls[4999].ID {
			t.Fatalf("the cursor is on %s", got)
		}
		for i := 0; i < 20 && !strings.Contains(p.text(), "Enter goes on"); i++ {
			p.pass(time.Second)
		}
		p.press("k enter") // what was found can be opened
		if page, ok := p.m.top().(*callPage); !ok || page.view.ID != f.calls[4999].ID {
			t.Fatalf("Enter leads to %T", p.m.top())
		}
		p.press("esc")
		p.pass(time.Second)
		p.press("j") // the last one found: it goes on to the end
		p.pass(20 * time.Second)
		p.unseen("searched back")
		p.unseen("searching")
	})
}

// TestSearchCountsWhatItLooksAt says how much there is, be it the service that
// selects or this screen, while it goes on and when it rests.
func TestSearchCountsWhatItLooksAt(t *testing.T) {
	t.Parallel()
	for _, typed := range []string{"tries:>5 cb:crm-prod status:failed", "kim cb:crm-prod status:failed"} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			f := slow(newFake())
			f.calls = longPast(6000, 5000)
			h := f.health("crm-prod")
			h.Live.Counts = callback.Counts{Failed: 1_250_000}
			fly(t, f, 80, 24, nil, func(p *pilot) {
				p.press("2 /")
				p.types(typed)
				p.send(keyPress("enter"))
				p.pass(5 * time.Second)
				p.see("searching, back to 1", " of ~1.25M ...; Esc stops")
				p.pass(7 * time.Second)
				p.see("searched back to 13:", " of ~1.25M; Enter goes on, Esc stops")
				n := int(p.m.top().(*callsPage).calls.search.looked)
				if n < 500 || n > 3000 {
					t.Fatalf("it says that it looked at %d calls", n)
				}
			})
		})
	}
}

// TestRareListsAreReadRarely leaves a list alone for longer the longer it takes
// to find its rows.
func TestRareListsAreReadRarely(t *testing.T) {
	t.Parallel()
	f := slow(newFake())
	f.calls = longPast(400, 100)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("kim")
		p.send(keyPress("enter"))
		p.pass(6 * time.Second)
		if n := strings.Count(p.text(), "✗ FAILED"); n != 4 {
			t.Fatalf("%d calls found", n)
		}
		asked := f.count("Calls")
		for range 100 {
			f.changed()
			p.pass(time.Second)
		}
		if n := f.count("Calls") - asked; n < 2 || n > 20 {
			t.Fatalf("in 100 s of changes it asked %d times", n)
		}
	})
}

// TestCostlyListsAreReadRarely also leaves a list alone that selects many, for
// longer the longer a page of it takes the service: it reads two each time.
func TestCostlyListsAreReadRarely(t *testing.T) {
	t.Parallel()
	for lag, want := range map[time.Duration]int{0: 20, 100 * time.Millisecond: 10, time.Second: 4} {
		f := newFake()
		f.lag = lag
		fly(t, f, 80, 24, nil, func(p *pilot) {
			p.press("2")
			p.pass(5 * time.Second)
			asked := f.count("Calls")
			for range 100 {
				f.changed()
				p.pass(100 * time.Millisecond)
			}
			if n := f.count("Calls") - asked; n != want {
				t.Errorf("where a page takes %v it asked %d times in 10 s of changes, want %d", lag, n, want)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	t.Parallel()
	d := filterDesk()
	d.overview.Callbacks = slices.Clone(d.overview.Callbacks)
	d.overview.Callbacks[0].Name = "air port"
	for _, tc := range []struct{ typed, want, hint string }{
		{"", "|", "status cb since until code id msg channel tries"},
		{"st|", "status:|", ""},
		{"c", "c|", "cb code channel"},
		{"status:r", "status:re|", "retrying resolved"},
		{"status:RES", "status:resolved |", ""},
		{"status:x", "status:x|", "nothing begins so"},
		{"cb:crm| kim", "cb:crm-prod| kim", ""},
		{"cb:ai", `cb:"air port" |`, ""},
		{`cb:"air p`, `cb:"air port" |`, ""},
		{"cb:b", "cb:b|", "bank-otp-ack billing-eu"},
		{"kim c|x", "kim c|x", "cb code channel"},
		{"level:w", "level:w|", "no such key: level"},
		{"id:", "id:|", "nothing begins so"},
	} {
		typed, after, _ := strings.Cut(tc.typed, "|")
		out, at, hint := callLanguage.complete(d, []rune(typed+after), len([]rune(typed)))
		if got := string(out[:at]) + "|" + string(out[at:]); got != tc.want || hint != tc.hint {
			t.Errorf("%q: Tab makes %q and says %q, want %q and %q", tc.typed, got, hint, tc.want, tc.hint)
		}
	}
}

func TestTabAndEarlierFilters(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.see("Enter apply  Tab complete  Up earlier  Ctrl+U clear  Esc cancel")
		p.types("cb:cr")
		p.press("tab")
		p.types("status:f")
		p.press("tab enter")
		p.see("Show: cb:crm-prod  status:failed")
		p.press("/ ctrl+u")
		p.types("kim")
		p.press("enter / ctrl+u")
		p.types("draft")
		p.press("up up")
		p.see("/ cb:crm-prod status:failed")
		p.press("up") // there is none before
		p.see("/ cb:crm-prod status:failed")
		p.press("down")
		p.see("/ kim")
		p.press("down down")
		p.see("/ draft")
		p.press("up up enter")
		p.see("Show: cb:crm-prod  status:failed")
		p.press("6 / up") // the log's are others
		p.unseen("cb:crm-prod")
		p.press("esc 1 enter / up") // a callback's calls are calls
		p.see("/ cb:crm-prod status:failed")
	})
	d := filterDesk()
	for i := range 60 {
		d.keepLine(callLanguage, strings.Repeat("x", i+1))
	}
	d.keepLine(callLanguage, "xxxxxxxxxxxxxxxxxxxx")
	d.keepLine(callLanguage, " ")
	if got := d.past[callLanguage]; len(got) != maxPast || got[maxPast-1] != "xxxxxxxxxxxxxxxxxxxx" || got[0] != strings.Repeat("x", 11) {
		t.Fatalf("%d lines are kept, from %q to %q", len(got), got[0], got[len(got)-1])
	}
}

// TestCursorGoesToTheFault shows where there is something to mend.
func TestCursorGoesToTheFault(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 /")
		p.types("code:5 kim")
		p.press("enter")
		p.types("03")
		p.see("/ code:503 kim")
		p.press("enter")
		p.see(`Show: code:503  "kim"`)
	})
}

func TestOutageFilter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typed string
		want  []uint32
	}{
		{"cb:crm*", []uint32{40, 39}},
		{"status:open code:timeout", []uint32{2}},
		{"code:503 code:404", []uint32{9, 39, 1}},
		{"since:09:00 until:10:00", []uint32{40}},
		{"id:#40 id:2", []uint32{40, 2}},
		{"greylisted", []uint32{1}},
		{"status:over cb:crm-prod", []uint32{39}},
		{"user unknown", []uint32{2}},
	} {
		fly(t, newFake(), 80, 24, nil, func(p *pilot) {
			p.press("3 j j /")
			p.types(tc.typed)
			p.press("enter")
			var got []uint32
			page := p.m.top().(*outagesPage)
			for i := range page.rows {
				got = append(got, page.rows[i].N)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: outages %v, want %v", tc.typed, got, tc.want)
			}
			p.see("of all 6 shown: " + tc.typed)
			p.press("j j j j j j j esc")
			p.see("2 open, 1 suspended, 3 closed")
		})
	}
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("3 /")
		p.types("status:down")
		p.see("status: open recovering over")
		p.press("ctrl+u")
		p.types("nothing like it")
		p.press("enter")
		p.see("No outage is like that; Esc shows all.")
		p.press("enter")
		p.see("there is no outage")
	})
}

func TestLogFilter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		typed string
		want  []string
	}{
		{"level:warn", []string{"W", "E"}},
		{"level:error part:del*", []string{"E"}},
		{"part:mail part:api", []string{"A", "M"}},
		{"cb:crm*", []string{"E", "M"}},
		{"since:2h until:30m", []string{"W"}},
		{"op:4F2", []string{"A"}},
		{"id:02d5", []string{"E"}},
		{`"says m" level:info`, []string{"M"}},
	} {
		f := newFake()
		f.inside = inside{}
		f.logs(noon.Add(-5*time.Minute), callback.LevelInfo, "api", "", 0, "says A")
		f.logs(noon.Add(-time.Hour), callback.LevelWarn, "store", "", 0, "says W")
		f.logs(noon, callback.LevelError, "delivery", "crm-prod", f.calls[0].ID, "says E")
		f.logs(noon, callback.LevelInfo, "mail", "crm-prod", 0, "says M")
		f.inside.lines[0].Operation = "4F2C11"
		fly(t, f, 80, 24, nil, func(p *pilot) {
			p.press("6 /")
			p.types(tc.typed)
			p.press("enter")
			var got []string
			page := p.m.top().(*logPage)
			for _, seq := range page.shown {
				got = append(got, page.line(seq).Text[5:])
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("%s: lines %v, want %v", tc.typed, got, tc.want)
			}
			p.press("esc")
			p.see("4 lines")
		})
	}
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("6 /")
		p.types("part:")
		p.press("tab")
		p.see("delivery", "mail")
		p.types("mail level:bad")
		p.see("level: info warn error")
	})
}
