package tui

import "slices"

// MaxMarks is how many rows can be marked by hand; more than that is asked for
// by a filter.
const MaxMarks = 10_000

// Mark marks the row of key k or takes its mark away. It reports false where
// MaxMarks was reached and nothing was done. Marks stay when the query
// changes and when their rows are far off the screen.
func (l *List[K, R]) Mark(k K, on bool) bool {
	switch {
	case !on:
		delete(l.marks, k)
	case len(l.marks) < MaxMarks || l.Marked(k):
		l.marks[k] = l.held(k)
	default:
		return false
	}
	return true
}

// Marked tells whether the row of key k is marked.
func (l *List[K, R]) Marked(k K) bool {
	_, ok := l.marks[k]
	return ok
}

// MarkCount returns how many rows are marked, shown or not.
func (l *List[K, R]) MarkCount() int { return len(l.marks) }

// Marks returns a copy of the marked keys in the list's order: what an action
// is to hold on to while it is confirmed.
func (l *List[K, R]) Marks() []K {
	keys := make([]K, 0, len(l.marks))
	for k := range l.marks {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, l.order)
	return keys
}

// MarkedRows returns the marked rows in the list's order, each as it was last
// held. A row that was never held is left out.
func (l *List[K, R]) MarkedRows() []R {
	rows := make([]R, 0, len(l.marks))
	for _, k := range l.Marks() {
		if r := l.held(k); l.key(r) == k {
			rows = append(rows, r)
		}
	}
	return rows
}

// held returns the row of key k, or as it was when it was marked.
func (l *List[K, R]) held(k K) R {
	if i, ok := l.find(k); ok {
		return l.rows[i]
	}
	return l.marks[k]
}

// ClearMarks takes all marks away.
func (l *List[K, R]) ClearMarks() { clear(l.marks) }

// Toggle marks the cursor's row, or takes its mark away, and steps down. It
// reports false where MaxMarks was reached or there is no row.
func (l *List[K, R]) Toggle() bool {
	if !l.Choose() {
		return false
	}
	if !l.Mark(l.cursor, !l.Marked(l.cursor)) {
		return false
	}
	l.Move(1)
	return true
}

// MarkShown marks every row on the screen, and reports false where MaxMarks
// was reached first.
func (l *List[K, R]) MarkShown() bool {
	for _, line := range l.Lines() {
		if line.Loaded && !line.Gone && !l.Mark(l.key(line.Row), true) {
			return false
		}
	}
	return true
}

// SetRange begins marking every row the cursor is on or passes, or ends it.
func (l *List[K, R]) SetRange(on bool) {
	l.ranging = on && l.Choose()
	if l.ranging {
		l.Mark(l.cursor, true)
	}
}

// Range reports whether the cursor marks what it passes.
func (l *List[K, R]) Range() bool { return l.ranging }

// pass marks the rows from one to another while a range is marked.
func (l *List[K, R]) pass(from, to int) {
	if !l.ranging {
		return
	}
	for i := min(from, to); i <= max(from, to); i++ {
		l.Mark(l.key(l.rows[i]), true)
	}
}
