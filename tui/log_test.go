package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringback/callback"
)

// shownLog is the lines of the log on the screen, without what is before their
// text.
func (p *pilot) shownLog() []string {
	p.t.Helper()
	var out []string
	rows := strings.Split(p.text(), "\n")
	for _, row := range rows[3 : len(rows)-2] {
		if row = strings.TrimSpace(row); row != "" {
			out = append(out, row)
		}
	}
	return out
}

func TestLogLeads(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.logs(clockAt(4, 3, 10, 44), callback.LevelInfo, "mail", "crm-prod", 0, "of an earlier outage")
	f.logs(noon, callback.LevelInfo, "delivery", "billing-eu", f.calls[2].ID, "to a call")
	f.logs(noon, callback.LevelInfo, "outage", "gone-since", 0, "of a callback that was deleted")
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6 enter")
		p.see("this callback is not there any more")
		p.press("j enter")
		if page, ok := p.m.top().(*callPage); !ok || page.view.ID != f.calls[2].ID || !page.whole {
			t.Fatalf("Enter on a line of a call leads to %T", p.m.top())
		}
		p.press("]") // it comes from no list
		p.see("it was not opened from a list of calls")
		p.press("esc j enter")
		p.see("outage #39 of crm-prod")
		p.press("esc j j enter")
		if page, ok := p.m.top().(*callbackPage); !ok || page.name != "crm-prod" {
			t.Fatalf("Enter on a line of a callback leads to %T", p.m.top())
		}
		p.press("esc G k enter") // crm-prod went down at 09:12
		if page, ok := p.m.top().(*outagesPage); !ok || page.cursor != (outageKey{callbackIDOf("crm-prod"), 40}) {
			t.Fatalf("Enter on a line of an outage leads to %T", p.m.top())
		}
		p.see("Log > Outages", "outage #40 of crm-prod")
		p.press("esc G enter")
		p.see("the line is about no callback and no call")
	})
}

func TestLogFollows(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6")
		f.logs(noon, callback.LevelInfo, "api", "", 0, "line A")
		p.pass(time.Second)
		if got := p.shownLog()[0]; !strings.Contains(got, "line A") || !strings.HasPrefix(got, ">") {
			t.Fatalf("following, the newest line is not on top: %s", got)
		}
		p.press("j j k") // a key leaves it
		cursor := p.shownLog()[1]
		for i := range 30 {
			f.logs(noon, callback.LevelInfo, "api", "", 0, fmt.Sprint("line ", i))
		}
		p.pass(time.Second)
		if got := p.shownLog(); got[1] != cursor || !strings.Contains(got[0], "line A") {
			t.Fatalf("new lines moved those on the screen:\n%s", p.text())
		}
		p.see("follow off, 30 newer above")
		p.press("F")
		p.pass(10 * time.Second)
		p.see("line 29", "follow on")
		p.press("G") // to the oldest, and back
		p.see(">03:10:41")
		p.press("g")
		p.see("follow on", ">14:03:27.000 I api       line 29")
	})
}

func TestLogFilters(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		count := func(want int) {
			t.Helper()
			if got := p.shownLog(); len(got) != want {
				t.Fatalf("%d lines are shown, want %d:\n%s", len(got), want, p.text())
			}
		}
		p.press("6")
		count(10)
		p.press("l")
		count(4)
		p.see("Level: warn", "4 of 10 lines")
		p.press("l")
		count(3)
		p.press("l")
		count(10)
		p.press("/")
		p.types("CRM-prod")
		p.press("enter")
		count(3)
		p.press("f f f f") // api, delivery, mail, operation
		p.see("From: operation")
		count(1)
		p.press("l")
		p.see("No line is like that; Esc shows all.")
		p.press("enter y j G g F") // nothing to act on
		p.press("esc")
		count(10)
		p.see("Level: info   From: all   / to search")
	})
}

// A filter of what no line is of says so, and where, before it hides all lines: also
// of a callback, unless it is a live one, or lines of one that was deleted are there.
func TestLogFilterNamesWhatThereIs(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.logs(noon, callback.LevelInfo, "outage", "gone-since", 0, "of a callback that was deleted")
	fly(t, f, 140, 40, nil, func(p *pilot) {
		p.press("6")
		for _, tc := range []struct{ typed, says string }{
			{"level:warn part:mial", "part: no line is of it; there are api delivery mail"},
			{"part:m*l", ""},
			{"part:MAIL", ""},
			{"cb:nobody", "cb: no callback has this name"},
			{"cb:gone-since", ""},
			{"cb:airport-ops", ""},
			{"cb:gone-*", ""},
		} {
			p.press("/")
			p.types(tc.typed)
			if fault := p.m.desk.typing.fault; (fault == nil) != (tc.says == "") || fault != nil && fault.at != strings.LastIndex(tc.typed, ":")+1 {
				t.Errorf("%s: the fault is %+v", tc.typed, fault)
			}
			p.see(tc.says)
			p.press("enter")
			if open := p.m.desk.typing != nil; open != (tc.says != "") {
				t.Errorf("%s: Enter leaves the line open: %v", tc.typed, open)
			}
			p.press("esc esc")
		}
	})
}

func TestLogOfAnotherLife(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6 j")
		f.set(func() { f.fail = fmt.Errorf("gone") })
		p.pass(3 * time.Second)
		f.set(func() {
			f.fail, f.inside.lines = nil, nil
			f.server.Started = noon
		})
		f.logs(noon, callback.LevelInfo, "api", "", 0, "started") // number 1 again
		p.pass(8 * time.Second)
		if got := p.shownLog(); len(got) != 1 || !strings.Contains(got[0], "started") {
			t.Fatalf("after a restart the log shows:\n%s", p.text())
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	f := newFake()
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6")
		for i := range callback.KeptLines + 50 {
			f.logs(noon, callback.LevelInfo, "api", "", 0, fmt.Sprint("line ", i))
		}
		p.pass(time.Second)
		page := p.m.top().(*logPage)
		if len(page.lines) != callback.KeptLines || len(page.shown) != callback.KeptLines {
			t.Fatalf("it holds %d lines and shows %d", len(page.lines), len(page.shown))
		}
		p.press("G")
		p.see(">14:03:27.000 I api       line 50")
		p.press("w k k g")
		p.see("line 10049")
	})
}

func TestLogOfAReader(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.inside.denied = callback.Errorf(callback.CodeForbidden, "this needs the role operator")
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6")
		p.see("this needs the role operator")
		p.pass(10 * time.Second)
		if n := f.count("Log"); n > 3 {
			t.Errorf("refused, it asked %d times in 10 s", n)
		}
		p.unseen("OFFLINE")
	})
}

func TestLogWraps(t *testing.T) {
	t.Parallel()
	f := newFake()
	long := strings.Repeat("words and ", 50) + "the end"
	f.logs(noon, callback.LevelWarn, "delivery", "crm-prod", 0, long)
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("6")
		p.unseen("the end")
		p.press("w")
		p.see("the end")
		for range 11 {
			p.press("j")
			cursors := strings.Count(p.text(), "\n>")
			if cursors != 1 {
				t.Fatalf("%d cursors are on the screen:\n%s", cursors, p.text())
			}
		}
		p.see(">03:10:41")
		p.press("y")
		if len(p.copied) != 1 || !strings.Contains(p.copied[0], "clean-up removed") {
			t.Errorf("copied %q", p.copied)
		}
	})
}

// E copies the command that writes the lines to a file; the server selects them by
// their words, and by nothing else.
func TestExportOfTheLog(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 140, 40, nil, func(p *pilot) {
		p.press("6 E")
		p.see("copied, if the terminal lets us (OSC 52): ringback log export -o log.ndjson")
		p.press("/")
		p.types("it's refused")
		p.press("enter E")
		p.see(`ringback log export --text 'it'\''s refused' -o log.ndjson`)
		for keys, says := range map[string]string{"l": "level (l)", "f": "part (f)"} {
			p.press("esc " + keys + " E")
			p.see("E: the server cannot select by " + says + ": take it out")
			p.press("esc")
		}
		p.press("/")
		p.types("cb:crm-prod since:1h refused")
		p.press("enter E")
		p.see("E: the server cannot select by cb since: take it out")
	})
}
