package tui

import (
	"context"
	"fmt"
	"image/color"
	"runtime/debug"
	"slices"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

// page is one screen. Its rows are those between the health strip and the
// status line.
type page interface {
	// Refresh asks for what is shown. It is called when the page comes up, and
	// after each change in the service.
	Refresh() tea.Cmd
	// Key does what a key asks for, and reports whether it knows that key.
	Key(a action) (tea.Cmd, bool)
	// Data takes an answer of the service that is for this page.
	Data(msg tea.Msg) tea.Cmd
	Draw(c *Canvas)
	// Status is the line below the page while there is nothing else to say.
	Status() string
	// Trail names the page in the way that led to it.
	Trail() string
	scope() scope
}

// model is the one Bubble Tea model. It routes: keys to the box, the line that
// is typed, or the page on top; answers to whoever asked.
type model struct {
	desk  desk
	stop  context.CancelFunc
	leave Leave
	crash atomic.Pointer[crash]

	background color.Color
	profile    colorprofile.Profile
	ascii      bool
	canvas     *Canvas
	w, h       int
	painter    *painter // nil: nobody looks
	manner     manner
	dirty      bool

	roots   [len(tabs)]page
	tab     int
	stack   []page // above the root
	box     box
	focused bool
	stale   bool // something changed while nothing was asked for
	mouse   bool
	ticks   int // generation of the tick
	polling once
}

// crash is a fault of the screen itself.
type crash struct {
	what  any
	stack []byte
}

func (c *crash) Error() string { return fmt.Sprintf("the screen broke: %v\n%s", c.what, c.stack) }

func newModel(ctx context.Context, stop context.CancelFunc, o Options) (*model, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		o.Zone = time.Local
	}
	theme, err := DetectTheme(o.Theme, o.getenv, nil)
	if err != nil {
		return nil, err
	}
	m := &model{stop: stop, focused: true, mouse: o.Mouse, dirty: true, profile: colorprofile.TrueColor}
	m.ascii = o.ASCII || DetectASCII(o.getenv)
	m.canvas = NewCanvas(0, 0, NewPalette(theme, m.ascii))
	d := &m.desk
	d.opt, d.clock, d.window = &o, Clock{Zone: o.Zone}, defaultWindow
	d.ask = &asker{ctx: ctx, svc: o.Service, panic: m.crashed}
	m.roots = newRoots(d)
	return m, nil
}

// newRoots returns the pages of the tabs.
func newRoots(d *desk) [len(tabs)]page {
	return [...]page{newOverviewPage(d), newCallsPage(d), newOutagesPage(d), newQueuePage(d), newSystemPage(d), newLogPage(d)}
}

func (m *model) crashed(what any) {
	m.crash.CompareAndSwap(nil, &crash{what, debug.Stack()})
	m.stop()
}

// fault returns what broke the screen, or nil.
func (m *model) fault() error {
	if c := m.crash.Load(); c != nil {
		return c
	}
	return nil
}

// guard keeps a panic from Bubble Tea, which would print it into the terminal.
func (m *model) guard() {
	if r := recover(); r != nil {
		m.crashed(r)
	}
}

// Init implements tea.Model.
func (m *model) Init() tea.Cmd {
	defer m.guard()
	return tea.Batch(
		m.desk.ask.server(), m.polling.ask(m.desk.ask.overview()), m.desk.askOperations(), m.desk.ask.watch(),
		m.tick(), m.top().Refresh(),
	)
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (same tea.Model, cmd tea.Cmd) {
	defer m.guard()
	same, m.dirty = m, true // after a panic, too: Bubble Tea asks what it gets back for its view
	return same, tea.Batch(m.update(msg), m.follow())
}

// View implements tea.Model. Bubble Tea gets nothing to show: the painter does.
func (m *model) View() (none tea.View) {
	defer m.guard()
	if m.dirty {
		m.draw()
		m.dirty = false
		if m.painter != nil {
			m.painter.show(m.canvas, m.manner)
		}
	}
	return none
}

func (m *model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.KeyPressMsg:
		return m.press(msg)
	case tea.PasteMsg:
		return m.paste(msg.Content)
	case tea.MouseWheelMsg:
		return m.wheel(msg)
	case tea.WindowSizeMsg:
		if msg.Width <= 0 || msg.Height <= 0 {
			return nil // Bubble Tea has no terminal, and tells of that once, whenever it gets to it
		}
		m.w, m.h = msg.Width, msg.Height
		m.manner.redraw++ // it may have been another one meanwhile, and cut off what was shown
		m.draw()          // so that lists know their height before they ask for rows
		return m.top().Refresh()
	case tea.FocusMsg:
		return m.focus(true)
	case tea.BlurMsg:
		return m.focus(false)
	case tea.BackgroundColorMsg:
		m.background = msg.Color
		m.restyle()
	case tea.ColorProfileMsg:
		m.profile = msg.Profile
		m.restyle()
	case tea.ModeReportMsg:
		m.reported(msg)
	case clipMsg:
		if m.painter != nil {
			m.painter.copies(string(msg))
		}
	default:
		return m.answer(msg)
	}
	return nil
}

// reported takes what the terminal says of a mode that the painter asked for: it
// knows those that it has set or reset.
func (m *model) reported(msg tea.ModeReportMsg) {
	switch {
	case msg.Mode == ansi.ModeSynchronizedOutput:
		m.manner.sync = msg.Value == ansi.ModeReset
	case msg.Mode != ansi.ModeUnicodeCore:
	case msg.Value == ansi.ModeSet, msg.Value == ansi.ModeReset, msg.Value == ansi.ModePermanentlySet:
		m.canvas.SetGraphemes(true)
	}
}

// answer takes what a command came back with.
func (m *model) answer(msg tea.Msg) tea.Cmd {
	d := &m.desk
	switch msg := msg.(type) {
	case tickMsg:
		return m.ticked(msg)
	case serverMsg:
		return m.met(msg)
	case overviewMsg:
		return m.polled(msg)
	case watchMsg:
		return m.watching(msg)
	case revMsg:
		return m.changed(msg)
	case retryMsg:
		return m.retry(msg)
	case sentAgainMsg:
		d.sentAgain(msg)
	case followedMsg:
		d.tookFollowed(msg)
	case previewMsg:
		d.previewed(msg)
	case begunMsg:
		return d.begun(msg)
	case operationsMsg:
		return d.tookOperations(msg)
	case foundMsg:
		d.found(msg)
	case soughtMsg:
		d.sought(msg)
	case doneMsg:
		return tea.Batch(d.did(msg), m.refresh())
	case suspendMsg:
		d.suspended(msg)
		return m.poll()
	case pageMsg:
		return msg.to.Data(msg)
	case goneMsg:
		return msg.to.became(msg)
	case holdMsg:
		return msg.list.resume()
	case callMsg:
		return msg.to.Data(msg)
	case outagesMsg:
		return msg.to.Data(msg)
	case savedMsg:
		return m.saved(msg)
	case trialMsg:
		d.tried(msg)
	case addressed:
		return msg.addressee().Data(msg)
	case choreMsg:
		d.choreBegun(msg)
		return m.top().Refresh()
	}
	return nil
}

// saved takes the answer to a save. A callback that was made is the chosen one.
func (m *model) saved(msg savedMsg) tea.Cmd {
	if p, ok := m.roots[0].(*overviewPage); ok && msg.err == nil && msg.to.id == 0 {
		p.cursor, p.chosen, p.picked = msg.health.ID, true, true
	}
	return tea.Batch(msg.to.Data(msg), m.poll())
}

// follow does what a page asked for by way of the desk.
func (m *model) follow() (cmd tea.Cmd) {
	d := &m.desk
	if at := slices.Index(m.stack, d.shut); at >= 0 {
		m.drop(at)
		m.draw()
		cmd = m.top().Refresh()
	}
	d.shut = nil
	if d.open != nil {
		m.stack = append(m.stack, d.open)
		d.open = nil
		m.draw()
		cmd = m.top().Refresh()
	}
	if d.box != nil {
		m.box, d.box = d.box, nil
	}
	return cmd
}

// top returns the page that is shown.
func (m *model) top() page {
	if n := len(m.stack); n > 0 {
		return m.stack[n-1]
	}
	return m.roots[m.tab]
}

// restyle makes the palette of what is known of the terminal.
func (m *model) restyle() {
	o := m.desk.opt
	theme, err := DetectTheme(o.Theme, o.getenv, m.background)
	if err != nil {
		return // refused by newModel
	}
	switch {
	case m.profile <= colorprofile.ASCII && m.profile != colorprofile.Unknown:
		theme = ThemeNone
	case m.profile == colorprofile.ANSI && theme == ThemeDark:
		theme = ThemeANSI
	case m.profile == colorprofile.ANSI && theme == ThemeLight:
		theme = ThemeANSILight
	}
	if p := m.canvas.palette; p.Theme != theme || p.profile != m.profile {
		m.canvas.SetPalette(NewPalette(theme, m.ascii).in(m.profile))
	}
}
