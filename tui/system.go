package tui

import (
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// systemPage is how the appliance itself does.
type systemPage struct {
	d      *desk
	system callback.System
	loaded bool
	err    string
	pace   pace
	top    int // the first line shown
	lines  int // how many there are
	height int // how many are shown
}

// systemEvery is how often the service is asked how it does.
const systemEvery = 2 * time.Second

func newSystemPage(d *desk) *systemPage { return &systemPage{d: d, height: 1} }

func (*systemPage) scope() scope { return onSystem }

// Trail implements page.
func (*systemPage) Trail() string { return tabs[4] }

// Refresh implements page.
func (p *systemPage) Refresh() tea.Cmd {
	return p.pace.ask(p.d.opt.Now(), systemEvery, p.d.ask.system(p))
}

// overdue makes it ask with every other tick: no revision tells of this.
func (p *systemPage) overdue() bool { return true }

// Data implements page.
func (p *systemPage) Data(msg tea.Msg) tea.Cmd {
	got, ok := msg.(reply[callback.System])
	if !ok || !p.pace.take(p.d, p.loaded) {
		return nil
	}
	if got.err != nil {
		p.err = inWords(got.err)
		return nil
	}
	was, known := p.system.Chores, p.loaded
	p.system, p.loaded, p.err = got.got, true, ""
	if known {
		p.ended(was)
	}
	return nil
}

// ended tells of what somebody asked for and was not over when it was last
// looked at.
func (p *systemPage) ended(was []callback.ChoreRun) {
	for i := range p.system.Chores {
		r := &p.system.Chores[i]
		old := slices.ContainsFunc(was, func(w callback.ChoreRun) bool {
			return w.Chore == r.Chore && w.Started.Equal(r.Started) && !w.Runs()
		})
		if old || r.Runs() || r.By == "" {
			continue
		}
		role := RoleOK
		if !r.OK {
			role = RoleError
		}
		p.d.say(role, choreNames[r.Chore]+": "+said(r))
	}
}

// Status implements page.
func (p *systemPage) Status() string {
	switch {
	case p.err != "":
		return p.err + "; trying again"
	case p.lines > p.height && p.top+p.height < p.lines:
		return "every 2 s while this screen is open   j: more below"
	}
	return "every 2 s while this screen is open"
}

// Key implements page.
func (p *systemPage) Key(a action) (tea.Cmd, bool) {
	switch a {
	case actDown, actUp, actHalfDown, actHalfUp, actPageDown, actPageUp:
		p.top = moved(a, p.top, max(p.lines-p.height+1, 1), p.height)
	case actMailTest:
		p.d.askChore("m", callback.ChoreMail)
	case actGarbage:
		p.d.askChore("G", callback.ChoreGarbage)
	case actBackup:
		p.d.askChore("B", callback.ChoreBackup)
	case actCopy:
		if !p.loaded {
			p.d.say(RoleDim, "y: nothing came yet")
			return nil, true
		}
		return p.d.copies(p.system.Storage.Dir), true
	default:
		return nil, false
	}
	return nil, true
}

// choreNames are what chores are called.
var choreNames = map[callback.Chore]string{
	callback.ChoreGarbage: "gc", callback.ChoreBackup: "backup", callback.ChoreMail: "test mail",
}

// said returns what came of a chore that is over.
func said(r *callback.ChoreRun) string {
	switch {
	case r.Said != "":
		return r.Said
	case r.OK && r.Bytes > 0:
		return Bytes(uint64(r.Bytes))
	case r.OK:
		return "done"
	}
	return "failed"
}

// choreBox asks before upkeep is done.
type choreBox struct {
	d     *desk
	key   string
	chore callback.Chore
}

// choreRole returns the role that a chore takes: the disk is an admin's.
func choreRole(c callback.Chore) callback.Role {
	if c == callback.ChoreMail {
		return callback.RoleOperator
	}
	return callback.RoleAdmin
}

// askChore opens the box for a chore.
func (d *desk) askChore(key string, c callback.Chore) {
	if !d.refuseTo(key, choreRole(c)) {
		d.box = &choreBox{d, key, c}
	}
}

// Key implements box.
func (b *choreBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onConfirm) {
	case actConfirm:
		if b.d.refuseTo(b.key, choreRole(b.chore)) {
			return nil, true
		}
		return b.d.ask.chore(b.chore, b.d.opt.User), true
	case actCancel:
		return nil, true
	}
	return nil, false
}

// Draw implements box.
func (b *choreBox) Draw(c *Canvas) {
	title, head, text, does := "Test mail", "Send one mail to the administrator.", "", "send"
	switch b.chore {
	case callback.ChoreMail:
		text = "It goes to the address of the configuration (alerts.admin_email), over the mail server that alerts take."
	case callback.ChoreGarbage:
		title, head, does = "Free disk space", "Rewrite parts of the value log that hold little.", "begin"
		text = "This happens by itself, too. It reads and writes the disk for a while; deliveries go on."
	case callback.ChoreBackup:
		title, head, does = "Back up", "Write a backup into the folder backups of the data folder.", "begin"
		text = "Deliveries go on meanwhile. Move it to another machine: it holds what is to be lost with this one."
	}
	drawBox(c, title, []boxLine{{role: RoleTitle, text: head, keep: true}, {}, {text: text}},
		[]boxKey{{"Enter", does}, {"Esc", "do nothing"}})
}

// choreBegun takes the answer to asking for a chore.
func (d *desk) choreBegun(msg choreMsg) {
	name := choreNames[msg.chore]
	if msg.err != nil {
		d.say(RoleError, name+": "+inWords(msg.err))
		return
	}
	d.say(RoleOK, name+" begun")
}
