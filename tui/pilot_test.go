package tui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
)

// pilot drives a model the way Bubble Tea does, in a synctest bubble: commands
// run in goroutines, their messages go to Update one by one, and time stands
// still until the test sleeps.
type pilot struct {
	t      *testing.T
	m      *model
	fake   *fake
	msgs   chan tea.Msg
	cancel context.CancelFunc
	copied []string
	quit   bool
	began  time.Time
}

// fly runs a test with a pilot in a bubble of time of its own.
func fly(t *testing.T, f *fake, w, h int, change func(*Options), test func(p *pilot)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		p := &pilot{t: t, fake: f, msgs: make(chan tea.Msg), cancel: cancel, began: time.Now()}
		o := Options{
			Service: f, Out: nil, Environ: []string{"TERM=xterm-256color", "LANG=C.UTF-8"}, Theme: "dark", User: "ana", Zone: aest,
			Now: func() time.Time { return noon.Add(time.Since(p.began)) },
		}
		if change != nil {
			change(&o)
		}
		m, err := newModel(ctx, cancel, o)
		if err != nil {
			t.Fatal(err)
		}
		p.m = m
		defer p.land()
		p.run(m.Init())
		p.send(tea.WindowSizeMsg{Width: w, Height: h})
		p.settle()
		test(p)
		if f := m.fault(); f != nil {
			t.Errorf("the screen broke: %v", f)
		}
	})
}

// land lets everything that still runs end by itself.
func (p *pilot) land() {
	p.cancel()
	go func() {
		for range p.msgs {
		}
	}()
	p.fake.set(func() {
		if p.fake.stall != nil {
			close(p.fake.stall)
			p.fake.stall = nil
		}
	})
	time.Sleep(time.Minute)
	synctest.Wait()
	close(p.msgs)
}

// run starts a command.
func (p *pilot) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	go func() { p.msgs <- cmd() }()
}

// send hands a message to the model.
func (p *pilot) send(msg tea.Msg) {
	switch msg := msg.(type) {
	case nil:
		return
	case tea.BatchMsg:
		for _, cmd := range msg {
			p.run(cmd)
		}
		return
	case tea.QuitMsg:
		p.quit = true
		return
	}
	if text, ok := msg.(clipMsg); ok {
		p.copied = append(p.copied, string(text))
	}
	_, cmd := p.m.Update(msg)
	p.m.View()
	if n := p.m.desk.note.text; p.m.w == 80 && p.m.canvas.Width(n) > p.m.w-2 && !strings.HasPrefix(n, "copied, ") {
		p.t.Errorf("what is said is cut at %d columns: %q", p.m.w, n)
	}
	p.run(cmd)
}

// settle handles messages until none is left.
func (p *pilot) settle() {
	p.t.Helper()
	for range 10_000 {
		synctest.Wait()
		select {
		case msg := <-p.msgs:
			p.send(msg)
		default:
			return
		}
	}
	p.t.Fatal("the model never comes to rest")
}

// pass lets time go by.
func (p *pilot) pass(d time.Duration) {
	p.t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(min(50*time.Millisecond, time.Until(end)))
		p.settle()
	}
}

// named are keys that are not characters.
var named = map[string]tea.Key{
	"enter": {Code: tea.KeyEnter}, "esc": {Code: tea.KeyEscape}, "tab": {Code: tea.KeyTab},
	"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "left": {Code: tea.KeyLeft}, "right": {Code: tea.KeyRight},
	"home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd}, "pgup": {Code: tea.KeyPgUp}, "pgdown": {Code: tea.KeyPgDown},
	"shift+tab": {Code: tea.KeyTab, Mod: tea.ModShift},
	"space":     {Code: tea.KeySpace, Text: " "}, "backspace": {Code: tea.KeyBackspace}, "delete": {Code: tea.KeyDelete},
}

func keyPress(s string) tea.KeyPressMsg {
	if k, ok := named[s]; ok {
		return tea.KeyPressMsg(k)
	}
	if c, ok := strings.CutPrefix(s, "ctrl+"); ok {
		return tea.KeyPressMsg{Code: rune(c[0]), Mod: tea.ModCtrl}
	}
	r := []rune(s)[0]
	return tea.KeyPressMsg{Code: r, Text: string(r)}
}

// press presses keys: names and characters, apart by blanks.
func (p *pilot) press(keys string) {
	p.t.Helper()
	for _, k := range strings.Fields(keys) {
		p.send(keyPress(k))
		p.settle()
	}
}

// types types text, character by character.
func (p *pilot) types(text string) {
	p.t.Helper()
	for _, r := range text {
		k := string(r)
		if r == ' ' {
			k = "space"
		}
		p.send(keyPress(k))
	}
	p.settle()
}

// text is the frame without colours.
func (p *pilot) text() string { return p.m.canvas.Text() }

// line returns the row that holds a text.
func (p *pilot) line(has string) string {
	for row := range strings.Lines(p.text()) {
		if strings.Contains(row, has) {
			return strings.TrimRight(row, "\n")
		}
	}
	return ""
}

// see fails where the frame does not hold a text.
func (p *pilot) see(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		if !strings.Contains(p.text(), text) {
			p.t.Fatalf("the frame does not say %q:\n%s", text, p.text())
		}
	}
}

// unseen fails where the frame holds a text.
func (p *pilot) unseen(text string) {
	p.t.Helper()
	if strings.Contains(p.text(), text) {
		p.t.Fatalf("the frame says %q:\n%s", text, p.text())
	}
}
