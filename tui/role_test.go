package tui

import (
	"strings"
	"testing"

	"ringback/callback"
)

// lastRow is the row of keys.
func (p *pilot) lastRow() string {
	rows := strings.Split(strings.TrimRight(p.text(), "\n"), "\n")
	return rows[len(rows)-1]
}

// The last row, the panel and the help name no key that the role of the one who
// looks has not, and all those that it has.
func TestKeysAreThoseOfTheRole(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		role      callback.Role
		sees, not []string
		says      string // in the bar
	}{
		{callback.RoleRead, []string{"Enter open", "/ filter", "y copy"}, []string{"r retry", "x resolve", "T test", "z suspend", "n new", "e edit"}, "read-only"},
		{callback.RoleOperator, []string{"Enter open", "r retry", "x resolve", "T test", "z suspend"}, []string{"n new", "e edit"}, "operator"},
		{callback.RoleAdmin, []string{"r retry", "T test", "z suspend", "n new", "e edit"}, nil, ""},
	} {
		f := newFake()
		f.server.Role = tc.role
		fly(t, f, 160, 45, nil, func(p *pilot) {
			for _, key := range tc.sees {
				if !strings.Contains(p.lastRow(), key) {
					t.Errorf("%s: the last row lacks %q: %s", tc.role, key, p.lastRow())
				}
			}
			for _, key := range tc.not {
				if strings.Contains(p.lastRow(), key) {
					t.Errorf("%s: the last row has %q: %s", tc.role, key, p.lastRow())
				}
			}
			if bar := p.line("1 Overview"); !strings.Contains(bar, tc.says) || tc.says == "" && strings.Contains(bar, "admin") {
				t.Errorf("%s: the bar is %s", tc.role, bar)
			}
			if do := p.line(" Do "); strings.Contains(do, "send a test") != tc.role.May(callback.RoleOperator) || !strings.Contains(do, "its calls and outages") {
				t.Errorf("%s: %s", tc.role, do)
			}
			p.press("?")
			for i := range bindings {
				b := &bindings[i]
				if b.group == groupBoxes {
					continue
				}
				may := tc.role.May(b.act.needs()) && (b.on != onLog || tc.role.May(callback.RoleOperator))
				if got, want := strings.Contains(p.text(), saidOf(b)), may; got != want {
					t.Errorf("%s: help has %s (%s): %v, want %v", tc.role, b.Help().Key, b.Help().Desc, got, want)
				}
			}
		})
	}
}

// A key that the role has not says which has, and opens nothing: also not a form
// that could not be saved.
func TestKeysOfAnotherRole(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		role callback.Role
		keys map[string]string // and the roles that may
		can  []string
	}{
		{callback.RoleRead, map[string]string{"2 E": "operator or admin", "2 *": "operator or admin", "2 v": "operator or admin", "2 c": "operator or admin", "r": "operator or admin", "x": "operator or admin", "T": "operator or admin", "z": "operator or admin", "u": "operator or admin", "n": "admin", "e": "admin", "delete": "admin"}, nil},
		{callback.RoleOperator, map[string]string{"n": "admin", "e": "admin", "delete": "admin", "5 G": "admin", "5 B": "admin"}, []string{"T", "z", "5 m"}},
		{callback.RoleAdmin, nil, []string{"T", "z", "delete", "5 m", "5 G", "5 B"}},
	} {
		f := newFake()
		f.server.Role = tc.role
		fly(t, f, 80, 24, nil, func(p *pilot) {
			for keys, roles := range tc.keys {
				p.press(keys)
				label := strings.Replace(keys[strings.LastIndex(keys, " ")+1:], "delete", "Del", 1)
				p.see(label + ": this needs a key of role " + roles + "; yours has role " + string(tc.role))
				if p.m.box != nil || len(p.m.stack) > 0 {
					t.Fatalf("%s: %s opened something", tc.role, keys)
				}
				p.press("1")
			}
			for _, keys := range tc.can {
				p.press(keys)
				if p.m.box == nil {
					t.Errorf("%s: %s opens nothing:\n%s", tc.role, keys, p.text())
				}
				p.press("esc 1")
			}
			want(t, f.did(), nil)
			p.press(":")
			p.types("make a new one")
			if row := p.line("Make a new one"); strings.Contains(row, "needs role admin") != (tc.role != callback.RoleAdmin) {
				t.Errorf("%s: the palette has %s", tc.role, row)
			}
			p.press("enter")
			if _, form := p.m.top().(*editPage); form != (tc.role == callback.RoleAdmin) {
				t.Errorf("%s: by the palette the form is open: %v", tc.role, form)
			}
		})
	}
}

func TestReadOnlyAsStarted(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleAdmin
	fly(t, f, 140, 40, func(o *Options) { o.ReadOnly = true }, func(p *pilot) {
		p.see("read-only")
		p.unseen("z suspend")
		p.press("?")
		p.see("(role read)")
		p.press("esc")
		for _, k := range []string{"z", "2 j j x", "r"} {
			p.press(k)
			p.see(k[len(k)-1:] + ": read-only, as this screen was started")
			if p.m.box != nil {
				t.Fatalf("%s opened a box", k)
			}
		}
		want(t, f.did(), nil)
	})
}

// The palette says of a command of another screen, too, that the role has it not.
func TestCommandsElsewhereOfAnotherRole(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleRead
	fly(t, f, 80, 24, nil, func(p *pilot) {
		p.press("5 :")
		p.types("suspend")
		if row := p.line("Suspend / resume"); !strings.Contains(row, "needs role operator") {
			t.Errorf("the palette has %q", row)
		}
	})
}

// A key is named as it stands where it was pressed.
func TestRefusedKeyIsTheOnePressed(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleRead
	fly(t, f, 80, 24, nil, func(p *pilot) {
		for _, tc := range []struct{ keys, says string }{
			{"r", "r: this needs"}, {"x", "x: this needs"}, {"4 r", "r: this needs"}, {"3 x", "x: this needs"}, {"2 R", "R: this needs"}, {"1 enter X", "X: this needs"},
		} {
			p.press(tc.keys)
			if says := p.m.desk.note.text; !strings.HasPrefix(says, tc.says) {
				t.Errorf("%s: %s", tc.keys, says)
			}
		}
	})
}

func TestTimeToGoToIsExplained(t *testing.T) {
	t.Parallel()
	fly(t, newFake(), 80, 24, nil, func(p *pilot) {
		p.press("2 @")
		p.see("@ ", timeForms)
		p.types("2h")
		p.unseen(timeForms)
		p.press("ctrl+u")
		p.see(timeForms)
	})
}

// Who may only look is offered no marks, which are for what changes calls, and no
// export; nor the log, which their key may not read.
func TestKeysOfAReaderDoSomething(t *testing.T) {
	t.Parallel()
	for _, role := range []callback.Role{callback.RoleRead, callback.RoleOperator} {
		f := newFake()
		f.server.Role = role
		may := role.May(callback.RoleOperator)
		if !may {
			f.inside.denied = callback.Errorf(callback.CodeForbidden, "this needs the role operator")
		}
		fly(t, f, 160, 45, nil, func(p *pilot) {
			for _, keys := range []string{"2", "1 enter"} {
				p.press(keys)
				for _, key := range []string{"Space mark", "v range", "* mark all", "c clear", "E export"} {
					if strings.Contains(p.lastRow(), key) && !may {
						t.Errorf("%s: %s offers %q", role, keys, p.lastRow())
					}
				}
				p.press("space")
				if says := p.m.desk.note.text; strings.HasPrefix(says, "Space: this needs a key of role") == may {
					t.Errorf("%s: %s Space says %q", role, keys, says)
				}
				if may != strings.Contains(p.lastRow(), "Space mark") {
					t.Errorf("%s: %s has %q", role, keys, p.lastRow())
				}
				p.press("esc")
			}
			if bar := p.line("1 Overview"); strings.Contains(bar, "6 Log") != may {
				t.Errorf("%s: the bar is %s", role, bar)
			}
			p.press("6")
			if open := p.m.top().scope() == onLog; open != may || may != (p.m.desk.note.text == "") {
				t.Errorf("%s: the log is open: %v; 6 says %q", role, open, p.m.desk.note.text)
			}
			if !may {
				p.see("6: this needs a key of role operator or admin; yours has role read")
			}
			p.press("? /")
			p.types("screens")
			if strings.Contains(p.text(), "1-6 ") != may || strings.Contains(p.text(), "1-5 ") == may {
				t.Errorf("%s: help has\n%s", role, p.text())
			}
			p.press("esc esc :")
			p.types("log: the screen")
			if row := p.line("Log: the screen"); strings.Contains(row, "needs role operator") == may {
				t.Errorf("%s: the palette has %q", role, row)
			}
		})
	}
}

// Without the tab of the log the others have room for their names earlier.
func TestTabsOfAReader(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleRead
	fly(t, f, 84, 24, nil, func(p *pilot) {
		p.see(" 1 Overview  2 Calls  3 Outages  4 Queue  5 System  ", "read-only")
	})
}

// A log that the service refuses all the same has no keys for its lines.
func TestKeysOfALogThatIsRefused(t *testing.T) {
	t.Parallel()
	for _, denied := range []bool{false, true} {
		f := newFake()
		if denied {
			f.inside.denied = callback.Errorf(callback.CodeForbidden, "this needs the role operator")
		}
		fly(t, f, 160, 45, nil, func(p *pilot) {
			p.press("6")
			for _, key := range []string{"/ search", "l level", "F follow", "w wrap", "f from", "y copy"} {
				if strings.Contains(p.lastRow(), key) == denied {
					t.Errorf("denied %v: the log's keys are %q", denied, p.lastRow())
				}
			}
			p.press("/ l w")
			if open := p.m.desk.typing != nil; open == denied {
				t.Errorf("denied %v: a filter is typed: %v", denied, open)
			}
		})
	}
}

// Whoever starts the screen to look only reads the log where the key may.
func TestLogOfAScreenToLook(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.server.Role = callback.RoleOperator
	fly(t, f, 80, 24, func(o *Options) { o.ReadOnly = true }, func(p *pilot) {
		p.see("6 Log")
		p.press("6")
		p.see("Level: ")
	})
}
