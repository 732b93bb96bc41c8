package tui

import (
	tea "charm.land/bubbletea/v2"
)

// helpBox shows every key.
type helpBox struct {
	d    *desk
	on   scope // where help was asked for: keys of other places are dim
	top  int
	more bool
}

// Key implements box.
func (b *helpBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	switch lookup(k, onHelp) {
	case actCancel:
		return nil, true
	case actDown:
		if b.more {
			b.top++
		}
	case actUp:
		b.top = max(b.top-1, 0)
	}
	return nil, false
}

// helpLine is a line of the help: a group's head, or a key; neither is blank.
type helpLine struct {
	head string
	key  *binding
}

// helpGroups returns the lines of some groups.
func helpGroups(groups ...string) []helpLine {
	var out []helpLine
	for i, g := range groups {
		if i > 0 {
			out = append(out, helpLine{})
		}
		out = append(out, helpLine{head: g})
		for j := range bindings {
			if bindings[j].group == g {
				out = append(out, helpLine{key: &bindings[j]})
			}
		}
	}
	return out
}

// Draw implements box.
func (b *helpBox) Draw(c *Canvas) {
	w, h := c.Size()
	var columns [][]helpLine
	switch {
	case w >= 130:
		columns = [][]helpLine{helpGroups(groupAnywhere), helpGroups(groupLists), helpGroups(groupCalls), helpGroups(groupCallbacks, groupInside)}
	case w >= 72:
		columns = [][]helpLine{helpGroups(groupAnywhere, groupCalls), helpGroups(groupLists, groupCallbacks, groupInside)}
	default:
		columns = [][]helpLine{helpGroups(groupAnywhere, groupLists, groupCalls, groupCallbacks, groupInside)}
	}
	const columnW = 35
	long := 0
	for _, col := range columns {
		long = max(long, len(col))
	}
	bw := min(len(columns)*columnW+4, w)
	bh := min(long+2, h)
	room := bh - 2
	b.top = max(min(b.top, long-room), 0)
	b.more = b.top+room < long
	says := "Keys   Esc closes"
	if room < long {
		says = "Keys   j k scroll   Esc closes"
	}
	if b.d.readOnly() {
		says += "   read-only: what changes something is dim"
	}
	x, y := (w-bw)/2, (h-bh)/2
	c.Box(x, y, bw, bh, says)
	for i, col := range columns {
		at := x + 2 + i*columnW
		wide := min(columnW, x+bw-1-at)
		for row := range room {
			if n := b.top + row; n < len(col) {
				b.line(c, at, y+1+row, wide, col[n])
			}
		}
	}
}

func (b *helpBox) line(c *Canvas, x, y, w int, l helpLine) {
	const keyW = 9
	switch {
	case l.head != "":
		c.PutIn(x, y, w, RoleTitle, l.head, Left)
	case l.key != nil:
		role, text := RoleKey, RoleText
		if l.key.on&b.on == 0 || l.key.act.changes() && (b.d.readOnly() || b.d.link.down) {
			role, text = RoleDim, RoleDim
		}
		help := l.key.Help()
		c.PutIn(x, y, keyW, role, help.Key, Left)
		c.PutIn(x+keyW, y, w-keyW-1, text, help.Desc, Left)
	}
}
