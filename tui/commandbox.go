package tui

import (
	tea "charm.land/bubbletea/v2"
)

// commandBox is the palette: commands by their names.
type commandBox struct {
	m     *model
	line  *typing
	all   []command
	found []command
	at    int
	top   int
}

func (m *model) newCommandBox() *commandBox {
	b := &commandBox{m: m, line: newTyping("", func(string) *filterError { return nil }, nil), all: m.commands()}
	b.line.sign = ":"
	b.look()
	return b
}

// look finds what matches the line.
func (b *commandBox) look() {
	b.found, b.at, b.top = b.m.found(b.all, string(b.line.text)), 0, 0
}

// chosen returns the command that Enter runs, or nil.
func (b *commandBox) chosen() *command {
	if b.at >= len(b.found) {
		return nil
	}
	return &b.found[b.at]
}

// Key implements box.
func (b *commandBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onPalette) {
	case actCancel:
		return nil, true
	case actApply:
		return b.apply(), false
	case actComplete:
		if c := b.chosen(); c != nil {
			b.put(c.fill)
			if c.fill == "" {
				b.put(c.name)
			}
		}
	case actDown:
		b.at = max(min(b.at+1, len(b.found)-1), 0)
	case actUp:
		b.at = max(b.at-1, 0)
	case actClear:
		b.put("")
	default:
		b.line.edit(k)
		b.look()
	}
	return nil, false
}

// Paste puts text into the line.
func (b *commandBox) Paste(text string) {
	b.line.insert(text)
	b.look()
}

func (b *commandBox) put(text string) {
	b.line.text = []rune(text)
	b.line.at = len(b.line.text)
	b.look()
}

// apply runs what is chosen, with the palette gone: it may open a box itself.
func (b *commandBox) apply() tea.Cmd {
	c, d := b.chosen(), &b.m.desk
	switch {
	case c == nil:
		return nil
	case c.fill != "":
		b.put(c.fill)
		return nil
	}
	b.m.box = nil
	if c.why != "" {
		d.say(RoleError, c.name+": "+c.why)
		return nil
	}
	return c.run()
}

// Draw implements box.
func (b *commandBox) Draw(c *Canvas) {
	const most, keyW, onW = 92, 9, 20
	w, h := c.Size()
	bw := min(w-4, most)
	rows := min(max(h-16, 2), 12)
	x, y := (w-bw)/2, max((h-rows-9)/2, 1)
	c.Box(x, y, bw, rows+9, "Commands")
	left, inner := x+2, bw-4
	b.m.desk.cursor = place{}
	b.drawLine(c, left, y+2, inner)
	b.top = shift(b.top, b.at, len(b.found), rows)
	nameW := inner - 2 - keyW - onW
	for i := b.top; i < min(b.top+rows, len(b.found)); i++ {
		f, row := &b.found[i], y+4+i-b.top
		name, key, on, tone := RoleText, RoleKey, f.on, RoleText
		if f.why != "" {
			name, key, on, tone = RoleDim, RoleDim, f.why, RoleDim
		}
		if i == b.at {
			c.Put(left, row, RoleKey, ">")
			if name == RoleText {
				name = RoleTitle
			}
		}
		c.PutIn(left+2, row, nameW-1, name, f.name, Left)
		c.PutIn(left+2+nameW, row, keyW-1, key, f.key, Left)
		c.PutIn(left+2+nameW+keyW, row, onW, tone, on, Left)
	}
	if len(b.found) == 0 {
		c.PutIn(left+2, y+4, inner-2, RoleDim, "no command has these words", Left)
	}
	row := y + 5 + rows
	if f := b.chosen(); f != nil && f.twin != "" {
		at := c.Put(left, row, RoleDim, "shell: ")
		c.PutIn(at, row, inner-7, RoleText, f.twin, Left)
	}
	at := left
	for _, k := range []boxKey{{"Enter", "runs"}, {"Tab", "completes"}, {"Esc", "closes"}, {"", "words in any order"}} {
		if k.key != "" {
			at = c.Put(at, row+2, RoleKey, k.key) + 1
		}
		if at+c.Width(k.does) < x+bw-1 {
			at = c.Put(at, row+2, RoleText, k.does) + 3
		}
	}
}

// drawLine draws what is typed.
func (b *commandBox) drawLine(c *Canvas, x, y, w int) {
	x = c.Put(x, y, RoleKey, b.line.sign) + 1
	text := b.line.text
	from := 0
	for from < b.line.at && c.Width(string(text[from:b.line.at])) > w-4 {
		from++
	}
	c.PutIn(x, y, w-3, RoleInput, string(text[from:]), Left)
	b.m.desk.cursor = place{x + c.Width(string(text[from:b.line.at])), y, true}
}
