package tui

import (
	"slices"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// helpBox shows every key.
type helpBox struct {
	d     *desk
	on    scope // where help was asked for: keys of other places are dim
	top   int
	room  int     // lines that are shown
	below int     // that are not, behind them
	query *typing // what keys are searched for, or nil
}

// Key implements box.
func (b *helpBox) Key(k tea.KeyPressMsg) (tea.Cmd, bool) {
	if b.query != nil {
		switch lookup(k, onFilter) {
		case actCancel:
			b.query = nil
		case actApply:
			return nil, true
		case actClear:
			b.query.text, b.query.at = nil, 0
		default:
			b.query.edit(k)
		}
		b.top = 0
		return nil, false
	}
	switch lookup(k, onHelp) {
	case actCancel:
		return nil, true
	case actFilter:
		b.query = newTyping("", func(string) *filterError { return nil }, nil)
	case actDown:
		b.top += min(1, b.below)
	case actUp:
		b.top = max(b.top-1, 0)
	case actPageDown:
		b.top += min(b.room, b.below)
	case actPageUp:
		b.top = max(b.top-b.room, 0)
	}
	return nil, false
}

// helpLine is a line of the help: a group's head, or a key, or two; neither is
// blank.
type helpLine struct {
	head        string
	key         *binding
	label, says string
}

// lineOf returns the line of a key; false where that of another has it, too.
func lineOf(b *binding) (helpLine, bool) {
	for _, p := range pairs {
		first, ok := keyOf(p.first, b.on)
		second, both := keyOf(p.second, b.on)
		switch {
		case !ok || !both || first.on != second.on || first.group != b.group:
		case b.act == p.first:
			return helpLine{key: b, label: p.label, says: p.help}, true
		case b.act == p.second:
			return helpLine{}, false
		}
	}
	return helpLine{key: b, label: b.Help().Key, says: b.Help().Desc}, true
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
			if bindings[j].group != g {
				continue
			}
			if l, ok := lineOf(&bindings[j]); ok {
				out = append(out, l)
			}
		}
	}
	return out
}

// search leaves out the keys that our role may not press, those that do not have
// all the words, and the groups that have none then.
func (b *helpBox) search(all []helpLine, words []string) []helpLine {
	var out, head []helpLine
	for _, l := range all {
		if l.key == nil {
			if l.head != "" {
				head = []helpLine{l}
			}
			continue
		}
		if l.key.act == actTab && b.d.lacksLog() != "" {
			l.label = "1-" + strconv.Itoa(logTab) // the log is the last
		}
		text := strings.ToLower(l.label + " " + l.says + " " + l.key.Help().Desc + " " + l.key.foot + " " + l.key.group)
		if !b.d.offers(l.key) || slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
			continue
		}
		if len(out) > 0 && head != nil {
			out = append(out, helpLine{})
		}
		out, head = append(append(out, head...), l), nil
	}
	return out
}

// Paste puts text into what is looked for.
func (b *helpBox) Paste(text string) {
	if b.query != nil {
		b.query.insert(text)
		b.top = 0
	}
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
	var words []string
	if b.query != nil {
		words = strings.Fields(strings.ToLower(string(b.query.text)))
	}
	for i, col := range columns {
		long = max(long, len(b.search(col, nil))) // the box keeps its size
		columns[i] = b.search(col, words)
	}
	bw := min(len(columns)*columnW+4, w)
	bh := min(long+2, h)
	room := bh - 2
	b.top = max(min(b.top, long-room), 0)
	b.room, b.below = room, max(long-room-b.top, 0)
	says := "Keys   / searches here   Esc closes"
	if room < long {
		says = "Keys   / searches here   j k scroll   Esc closes"
	}
	if b.query != nil {
		says = "Keys   / " + string(b.query.text) + "   Esc shows all"
	} else if role := b.d.role(); role != callback.RoleAdmin && w >= 72 {
		says += "   (role " + string(role) + ")"
	}
	x, y := (w-bw)/2, (h-bh)/2
	c.Box(x, y, bw, bh, says)
	if b.query != nil {
		b.d.cursor = place{x + 12 + c.Width(string(b.query.text[:b.query.at])), y, true}
	}
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
		if l.key.on&b.on == 0 || l.key.act.changes() && b.d.link.down {
			role, text = RoleDim, RoleDim
		}
		c.PutIn(x, y, keyW, role, l.label, Left)
		c.PutIn(x+keyW, y, w-keyW-1, text, l.says, Left)
	}
}
