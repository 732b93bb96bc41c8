package tui

import (
	"slices"
	"strings"
)

// maxPast is how many filters of a language are kept, to be typed again.
const maxPast = 50

// keepLine keeps a filter that was applied, as the last one.
func (d *desk) keepLine(g *language, s string) {
	s = strings.TrimSpace(s)
	if s == "" {
		return
	}
	if d.past == nil {
		d.past = map[*language][]string{}
	}
	lines := slices.DeleteFunc(d.past[g], func(old string) bool { return old == s })
	lines = append(lines, s)
	d.past[g] = lines[max(len(lines)-maxPast, 0):]
}

// recall shows an earlier filter, or goes back to a later one and at last to
// what was typed.
func (t *typing) recall(a action) {
	lines := t.d.past[t.language]
	to := t.back + 1
	if a == actLater {
		to = t.back - 1
	}
	if to < 0 || to > len(lines) {
		return
	}
	if t.back == 0 {
		t.draft = slices.Clone(t.text)
	}
	if t.back = to; to == 0 {
		t.text = t.draft
	} else {
		t.text = []rune(lines[len(lines)-to])
	}
	t.at = len(t.text)
}
