package tui

import (
	"iter"
	"slices"
)

// List holds the rows of a list that is too long to hold: about three screens
// of them, at most five and a page, around what is shown. It does no I/O. Its
// owner asks Next which page is wanted, fetches it, hands it to Apply, and
// draws Lines.
//
//	for f, ok := l.Next(); ok; f, ok = l.Next() { fetch f in a tea.Cmd }
//	case pageMsg: l.Apply(msg.fetch, msg.page)    // or l.Failed(msg.fetch)
//	for y, line := range l.Lines() { … }
//
// The cursor and the marks are keys, never row numbers. No page moves the
// cursor to another key, except one that a Top, Bottom or Go asked for; new
// rows above it change nothing on the screen; and a row that leaves the store
// while the cursor is on it stays where it was, as Gone; its owner may ask what
// became of it.
//
// K orders the rows: it is a row's place in the list, unique and never
// changing. The list's beginning is its top.
type List[K comparable, R any] struct {
	key   func(R) K
	order func(a, b K) int

	// What is held: rows, in order, are all that the store has between the
	// keys lo and hi, both included, which need not exist any more. atTop and
	// atEnd say that nothing lies beyond.
	rows         []R
	lo, hi       K
	atTop, atEnd bool
	known        bool // lo and hi hold

	height  int // lines on the screen
	cursor  K
	pinned  bool // the cursor is on a key; else it has no row yet, or floats
	gone    bool // the cursor's row is held here only
	line    int  // the cursor's line on the screen; 0 while it has no row
	follow  bool
	hold    bool // no rows below are looked for
	pages   pages[K]
	marks   map[K]R // the rows as they were last held
	ranging bool    // the cursor marks what it passes
	news    news[K]
}

// Line is one line of the screen. While Loaded is false, its row was not read
// yet, and "loading" is drawn.
type Line[R any] struct {
	Row                          R
	Loaded, Cursor, Marked, Gone bool
}

// NewList returns an empty list in which key gives a row's key and order is
// negative where a stands above b. It follows its top until SetFollow.
func NewList[K comparable, R any](key func(R) K, order func(a, b K) int) *List[K, R] {
	l := &List[K, R]{key: key, order: order, height: 1, follow: true, marks: map[K]R{}}
	l.Reset()
	return l
}

// Resize says how many lines the list has on the screen.
func (l *List[K, R]) Resize(lines int) {
	l.height = max(lines, 1)
	l.line = min(l.line, l.height-1)
	l.fill()
	l.trim()
}

// Reset begins a new query at its top: the rows go, pages under way count no
// more, the marks stay.
func (l *List[K, R]) Reset() {
	l.drop()
	l.unpin()
	l.news, l.ranging = news[K]{}, false
	l.seek(seekTop, l.cursor)
}

// Lines yields the screen's lines from the top that have a row or wait for
// one; the lines after the list's end are left out.
func (l *List[K, R]) Lines() iter.Seq2[int, Line[R]] {
	return func(yield func(int, Line[R]) bool) {
		first := l.first()
		for y := range l.height {
			i := first + y
			var line Line[R]
			if i >= len(l.rows) && l.known && l.atEnd {
				return
			}
			if i >= 0 && i < len(l.rows) {
				k := l.key(l.rows[i])
				line = Line[R]{Row: l.rows[i], Loaded: true, Marked: l.Marked(k)}
				line.Cursor = l.pinned && k == l.cursor
				line.Gone = line.Cursor && l.gone
			}
			if !yield(y, line) {
				return
			}
		}
	}
}

// Cursor returns the row the cursor is on; false where there is none, or where
// the list follows its top and no row was chosen.
func (l *List[K, R]) Cursor() (R, bool) {
	if i, ok := l.index(); ok {
		return l.rows[i], true
	}
	var none R
	return none, false
}

// Gone returns the key of the row that the store has no more and the cursor is on;
// false: there is none.
func (l *List[K, R]) Gone() (K, bool) { return l.cursor, l.pinned && l.gone }

// Became shows what became of the row that is Gone, while it is.
func (l *List[K, R]) Became(r R) {
	k := l.key(r)
	if i, ok := l.index(); ok && l.gone && k == l.cursor {
		l.rows[i] = r
		if l.Marked(k) {
			l.marks[k] = r
		}
	}
}

// Hold sets whether looking for rows below those that are read rests.
func (l *List[K, R]) Hold(on bool) { l.hold = on }

// Last reports whether k is the key of the last row that is read.
func (l *List[K, R]) Last(k K) bool {
	n := len(l.rows)
	return n > 0 && l.key(l.rows[n-1]) == k
}

// All reports that every row the store has for the query is held.
func (l *List[K, R]) All() bool { return l.known && l.atTop && l.atEnd }

// Empty reports that the store has no rows for the query.
func (l *List[K, R]) Empty() bool { return l.All() && len(l.rows) == 0 }

// Move moves the cursor by n rows, down or up, and the screen as far as it
// takes to show it. It stops at the last row that is read. While the list
// follows its top, the first step down only chooses the first row.
func (l *List[K, R]) Move(n int) {
	i, ok := l.choose(&n)
	if !ok {
		return
	}
	to := min(max(i+n, 0), len(l.rows)-1)
	line := l.line + to - i
	l.goTo(to, min(max(line, 0), l.height-1))
}

// Scroll moves the cursor and the screen under it by n rows: a page, or half.
func (l *List[K, R]) Scroll(n int) {
	i, ok := l.choose(&n)
	if !ok {
		return
	}
	to := min(max(i+n, 0), len(l.rows)-1)
	l.goTo(to, l.line)
}

// choose ends waiting for a jump and returns the cursor's row. A cursor that
// has none is put on the first line; that is one of n's steps down.
func (l *List[K, R]) choose(n *int) (int, bool) {
	had := l.pinned
	if !l.Choose() {
		return 0, false
	}
	if !had && *n > 0 {
		*n--
	}
	return l.index()
}

// Choose puts a cursor that has no row on the first line, which ends
// following, and calls off a jump that was not answered yet. It reports
// whether the cursor is on a row.
func (l *List[K, R]) Choose() bool {
	if len(l.rows) == 0 {
		return false
	}
	if !l.pinned {
		l.pin(l.key(l.rows[0]), 0)
	}
	if l.pages.seeking && l.known {
		l.pages.seeking = false
		l.pages.begin()
		l.Refresh()
	}
	return true
}

// Top goes to the list's beginning, and on following it where that is set.
func (l *List[K, R]) Top() {
	if l.known && l.atTop && len(l.rows) > 0 {
		l.settle(0, 0, l.follow)
	}
	l.seek(seekTop, l.cursor)
}

// Bottom goes to the last row: by one read from the end, however far.
func (l *List[K, R]) Bottom() {
	if l.known && l.atEnd && l.Choose() {
		l.goTo(len(l.rows)-1, l.height-1)
		return
	}
	l.seek(seekEnd, l.cursor)
}

// Go goes to the row of key k or, where there is none, the first one below
// its place.
func (l *List[K, R]) Go(k K) { l.seek(seekKey, k) }

// SetFollow sets whether the newest rows stay on top while no row is chosen.
// Turned on, it goes to the top; turned off, it chooses the first row.
func (l *List[K, R]) SetFollow(on bool) {
	l.follow = on
	if on {
		l.Top()
		return
	}
	l.Choose()
}

// Follow returns what SetFollow set.
func (l *List[K, R]) Follow() bool { return l.follow }

// Following tells whether the newest rows are on top now: following is set, and
// rests from the moment a row is chosen until Top.
func (l *List[K, R]) Following() bool { return l.follow && !l.pinned }

// first returns the index of the row on the first line, negative while rows
// above are not read.
func (l *List[K, R]) first() int {
	if i, ok := l.index(); ok {
		return i - l.line
	}
	return 0
}

// index returns the cursor's row.
func (l *List[K, R]) index() (int, bool) {
	if !l.pinned {
		return 0, false
	}
	return l.find(l.cursor)
}

// find returns where key k is among the rows, or belongs.
func (l *List[K, R]) find(k K) (int, bool) {
	return slices.BinarySearchFunc(l.rows, k, func(r R, k K) int { return l.order(l.key(r), k) })
}

// goTo puts the cursor on row i, shown at a line, as a key of the user's asks.
func (l *List[K, R]) goTo(i, line int) {
	if old, ok := l.index(); ok {
		l.pass(old, i)
	}
	l.settle(i, line, false)
	l.trim()
}

// settle puts the cursor on row i, shown at a line, or lets it float, and lets
// go of a row that was kept for it alone.
func (l *List[K, R]) settle(i, line int, float bool) {
	k := l.key(l.rows[i])
	if l.gone && (float || k != l.cursor) {
		if old, ok := l.index(); ok {
			l.rows = slices.Delete(l.rows, old, old+1)
		}
		l.gone = false
	}
	if float {
		l.unpin()
	} else {
		l.pin(k, line)
		l.fill()
	}
	l.look()
}

func (l *List[K, R]) pin(k K, line int) { l.cursor, l.pinned, l.line = k, true, line }

func (l *List[K, R]) unpin() { l.pinned, l.gone, l.line = false, false, 0 }

// fill moves the screen so that it has no lines above the list's beginning,
// and none below its end while there are rows to fill them.
func (l *List[K, R]) fill() {
	i, ok := l.index()
	if !ok {
		return
	}
	first := i - l.line
	if l.atEnd {
		first = min(first, len(l.rows)-l.height)
	}
	if l.atTop {
		first = max(first, 0)
	}
	l.line = min(max(i-first, 0), l.height-1)
}
