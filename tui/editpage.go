package tui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// editPage is a callback that is made or changed. It takes all keys: most of
// them are text.
type editPage struct {
	d      *desk
	id     callback.CallbackID // 0: it is to be made
	form   *form
	loaded bool // form holds what is stored
	asking once
	saving bool
	stale  bool // the save came too late: what is stored now is asked for
	gone   bool // it was deleted meanwhile
	left   bool // the page was left: answers count no more
	err    string
	newer  bool // somebody else changed it meanwhile
}

// newEditPage returns the page that changes a callback, or for id 0 makes one.
func newEditPage(d *desk, id callback.CallbackID) *editPage {
	return &editPage{d: d, id: id, form: newForm(d), loaded: id == 0}
}

func (*editPage) scope() scope { return onEdit }

// Trail implements page.
func (p *editPage) Trail() string {
	if p.id == 0 {
		return "new"
	}
	return "edit"
}

// Refresh implements page: what is stored may have changed.
func (p *editPage) Refresh() tea.Cmd {
	if p.id == 0 || p.gone {
		return nil
	}
	return p.asking.ask(p.ask())
}

func (p *editPage) ask() tea.Cmd { return p.d.ask.stored(p, p.id) }

func (p *editPage) reconnect() { p.asking = once{} }

// overdue reports whether what is stored has to be asked for again.
func (p *editPage) overdue() bool { return !p.loaded && !p.asking.busy }

func (p *editPage) end() { p.left = true }

// Data implements page.
func (p *editPage) Data(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case reply[callback.Health]:
		again := p.asking.answered(p.ask())
		if p.left {
			return nil
		}
		p.took(msg.got, msg.err)
		return again
	case savedMsg:
		return p.saved(msg)
	case lookedMsg:
		p.form.looked(msg)
	}
	return nil
}

// took takes in what is stored. Where something was changed here and there,
// nothing is lost: saving asks which counts.
func (p *editPage) took(h callback.Health, err error) {
	d := p.d
	switch {
	case callback.ErrorCode(err) == callback.CodeNotFound:
		p.gone = true
	case err != nil:
		p.err = inWords(err)
		if p.stale {
			d.say(RoleError, "not saved: it was changed meanwhile, and how is not known: "+p.err)
		}
		p.stale = false
	case !p.loaded:
		p.loaded, p.err = true, ""
		p.form.load(h)
	case p.saving:
	case h.Version == p.form.base.Version:
		p.form.base = h
	case p.form.agrees(&h.Callback):
		p.form.load(h)
		p.newer, p.stale = false, false
		d.say(RoleDim, "this is what is stored now")
	case p.stale:
		p.stale = false
		d.box = &conflictBox{p: p, theirs: h}
	default:
		p.newer = true
	}
}

// Status implements page.
func (p *editPage) Status() string {
	f := p.form
	switch {
	case p.gone:
		return "it was deleted meanwhile"
	case !p.loaded:
		return p.err
	case p.saving:
		return "saving ..."
	}
	s := "nothing is changed yet"
	if p.dirty() {
		s = "nothing is saved yet"
	}
	if p.newer {
		s = "somebody else changed it meanwhile: Ctrl+S shows how"
	}
	if n := f.warnings(); n > 0 {
		s = plural(n, "warning") + "  " + s
	}
	return s
}

func (p *editPage) dirty() bool { return len(p.form.changes()) > 0 }

// Key implements page. Keys come by Write.
func (*editPage) Key(action) (tea.Cmd, bool) { return nil, false }

// Write takes a key as it was pressed.
func (p *editPage) Write(k tea.KeyPressMsg) tea.Cmd {
	was := p.form.fields[p.form.at]
	cmd := p.write(k)
	if p.form.fields[p.form.at] == was {
		return cmd
	}
	return tea.Batch(cmd, p.look(was))
}

func (p *editPage) write(k tea.KeyPressMsg) tea.Cmd {
	f := p.form
	switch a := lookup(k, onEdit); {
	case a == actCancel:
		p.cancel()
	case !p.loaded || p.saving:
	case a == actSave:
		return p.save()
	case a == actTest:
		p.test()
	case a == actNextField && k.String() == "tab":
		f.move(1)
	case a == actNextField:
		f.step(1)
	case a == actPrevField && k.String() == "up":
		f.step(-1)
	case a == actPrevField:
		f.move(-1)
	case a == actClear:
		f.clear()
	default:
		f.edit(k)
	}
	return nil
}

// Paste takes text that was pasted.
func (p *editPage) Paste(text string) {
	if !p.loaded || p.saving {
		return
	}
	says, err := p.form.paste(text)
	switch {
	case err != nil:
		p.d.say(RoleError, err.Error())
	case says != "":
		p.d.say(RoleDim, says)
	}
}

// cancel leaves the page; what would be lost is asked for first.
func (p *editPage) cancel() {
	d := p.d
	switch {
	case p.saving:
		d.say(RoleDim, "Esc: wait, it is being saved")
	case p.dirty():
		d.box = &discardBox{p}
	default:
		d.shut = p
	}
}

// test sends a sample: to what is stored, or to what it would be once it is
// saved.
func (p *editPage) test() {
	d, f := p.d, p.form
	if p.id != 0 && !p.dirty() {
		d.askTest(d.health(p.id))
		return
	}
	f.forgive()
	f.check()
	switch n := f.wrong(!f.new()); {
	case d.refuseTo("Ctrl+T", callback.RoleAdmin):
	case p.gone:
		d.say(RoleError, "Ctrl+T: it was deleted meanwhile")
	case n > 0:
		d.say(RoleError, "Ctrl+T: "+plural(uint64(n), "field")+" to mend first")
	default:
		d.box = f.trial()
	}
}

// save checks what can be checked here, and hands it to the service.
func (p *editPage) save() tea.Cmd {
	d, f := p.d, p.form
	if d.refuseTo("Ctrl+S", callback.RoleAdmin) {
		return nil
	}
	draft, _ := f.draft()
	f.forgive()
	f.check()
	switch n := f.wrong(true); {
	case p.gone:
		d.say(RoleError, "Ctrl+S: it was deleted meanwhile")
	case p.id != 0 && !p.dirty():
		d.say(RoleDim, "Ctrl+S: nothing is changed")
	case n > 0:
		d.say(RoleError, "Ctrl+S: "+plural(uint64(n), "field")+" to mend first")
	default:
		p.saving = true
		return d.ask.save(p, draft, f.base.Version)
	}
	return nil
}

// saved takes the answer to that.
func (p *editPage) saved(msg savedMsg) tea.Cmd {
	d := p.d
	p.saving = false
	if msg.err == nil {
		d.shut = p
		d.say(RoleOK, p.outcome(&msg.health))
		return nil
	}
	e, _ := errors.AsType[*callback.Error](msg.err)
	switch {
	case e != nil && e.Code == callback.CodeStale:
		p.stale = true
		return p.Refresh()
	case e != nil && e.Code == callback.CodeNotFound:
		p.gone = true
		d.say(RoleError, "Ctrl+S: it was deleted meanwhile")
	case e != nil && len(e.Fields) > 0:
		rest := p.form.refuse(e.Fields)
		says := e.Message
		if p.form.wrong(true) == 0 || len(rest) > 0 {
			says += ": " + strings.Join(rest, "; ")
		}
		d.say(RoleError, "not saved: "+says)
	case refused(msg.err):
		d.say(RoleError, "not saved: "+inWords(msg.err))
	default:
		d.say(RoleError, "save: "+inWords(msg.err)+"; look before you repeat it")
	}
	return nil
}

// outcome says what happens now that it is saved.
func (p *editPage) outcome(h *callback.Health) string {
	if p.id == 0 {
		return "made " + h.Name + "; T sends it a sample"
	}
	says := "saved " + h.Name
	switch n := h.Live.Counts.Waiting(); {
	case h.Live.Suspended:
		says += "; suspended: what waits is held until z resumes it"
	case h.Live.Gate.State == callback.Open && n > 0:
		says += "; one of " + plural(n, "waiting call") + " goes out now, to see if it is up"
	case h.Live.Gate.State == callback.Open:
		says += "; it is down: the next call shows whether it is up"
	case n > 0:
		says += "; " + plural(n, "waiting call") + " go out so on their next try"
	}
	return says
}
