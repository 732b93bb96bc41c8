package tui

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// row is a row of the tests' store; n is its key, the largest on top, and rev
// tells one state of it from another.
type row struct{ n, rev int }

func newTestList() *List[int, row] {
	return NewList(func(r row) int { return r.n }, func(a, b int) int { return cmp.Compare(b, a) })
}

// store answers fetches from a sorted slice, the way a key-value store would.
type store struct{ rows []row }

func (s *store) has(n int) bool { _, ok := s.find(n); return ok }

func (s *store) find(n int) (int, bool) {
	return slices.BinarySearchFunc(s.rows, n, func(r row, n int) int { return cmp.Compare(n, r.n) })
}

func (s *store) put(r row) {
	i, ok := s.find(r.n)
	if ok {
		s.rows[i] = r
		return
	}
	s.rows = slices.Insert(s.rows, i, r)
}

func (s *store) remove(n int) {
	if i, ok := s.find(n); ok {
		s.rows = slices.Delete(s.rows, i, i+1)
	}
}

func (s *store) page(f Fetch[int]) Page[int, row] {
	at, found := 0, false
	if f.HasKey {
		at, found = s.find(f.Key)
	} else if f.Backward {
		at = len(s.rows)
	}
	if f.Backward {
		if found && f.Inclusive {
			at++
		}
		from := max(at-f.Limit, 0)
		return Page[int, row]{Rows: slices.Clone(s.rows[from:at]), More: from > 0}
	}
	if found && !f.Inclusive {
		at++
	}
	to := min(at+f.Limit, len(s.rows))
	return Page[int, row]{Rows: slices.Clone(s.rows[at:to]), More: to < len(s.rows)}
}

// settleAll answers every fetch until there is none.
func settleAll(t interface{ Fatalf(string, ...any) }, l *List[int, row], s *store) {
	for range 1000 {
		f, ok := l.Next()
		if !ok {
			return
		}
		l.Apply(f, s.page(f))
	}
	t.Fatalf("the list still asks for pages after 1000 answers")
}

func numbered(n int) *store {
	s := new(store)
	for i := n; i > 0; i-- {
		s.rows = append(s.rows, row{n: i})
	}
	return s
}

// shown draws the lines as numbers: . is a line that is not read, > the
// cursor, * a mark, ! a row that is gone.
func shown(l *List[int, row]) string {
	var out []string
	for _, line := range l.Lines() {
		s := "."
		if line.Loaded {
			s = itoa(line.Row.n)
		}
		if line.Marked {
			s = "*" + s
		}
		if line.Cursor {
			s = ">" + s
		}
		if line.Gone {
			s += "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func itoa(n int) string { return strings.ReplaceAll(Count(uint64(n)), ",", "") }

func TestListWalk(t *testing.T) {
	t.Parallel()
	s, l := numbered(1000), newTestList()
	l.Resize(5)
	step := func(what, want string) {
		t.Helper()
		if got := shown(l); got != want {
			t.Fatalf("%s:\n got %s\nwant %s", what, got, want)
		}
	}
	step("before the first page", ". . . . .")
	settleAll(t, l, s)
	step("first page", "1000 999 998 997 996")
	l.Move(1)
	step("the first step chooses a row", ">1000 999 998 997 996")
	l.Move(2)
	step("down", "1000 999 >998 997 996")
	l.Move(3)
	settleAll(t, l, s)
	step("past the last line", "999 998 997 996 >995")
	l.Scroll(5)
	settleAll(t, l, s)
	step("a page", "994 993 992 991 >990")
	l.Bottom()
	step("waiting for the end", "994 993 992 991 >990")
	if !l.Seeking() {
		t.Fatalf("no jump is under way")
	}
	settleAll(t, l, s)
	step("the end", "5 4 3 2 >1")
	l.Move(1)
	step("no further", "5 4 3 2 >1")
	l.Go(500)
	settleAll(t, l, s)
	step("a key", ">500 499 498 497 496")
	l.Move(-1)
	step("up from there", ">501 500 499 498 497")
	l.Go(-7)
	settleAll(t, l, s)
	step("a key below all", "5 4 3 2 >1")
	l.Top()
	settleAll(t, l, s)
	step("the top, following", "1000 999 998 997 996")
	s.put(row{n: 1001})
	l.Refresh()
	settleAll(t, l, s)
	step("following", "1001 1000 999 998 997")
	l.SetFollow(false)
	step("no more following", ">1001 1000 999 998 997")
}

func TestListNewRowsAbove(t *testing.T) {
	t.Parallel()
	s, l := numbered(100), newTestList()
	l.Resize(4)
	settleAll(t, l, s)
	l.Move(2)
	for i := range 37 {
		s.put(row{n: 101 + i})
		if i%5 == 0 {
			l.Refresh()
			settleAll(t, l, s)
		}
	}
	l.Refresh()
	settleAll(t, l, s)
	if got, want := shown(l), "100 >99 98 97"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if n, more := l.News(); n != 37 || more {
		t.Fatalf("news: got %d %v, want 37 false", n, more)
	}
	l.Top()
	settleAll(t, l, s)
	if got, want := shown(l), "137 136 135 134"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	if n, _ := l.News(); n != 0 {
		t.Fatalf("news at the top: got %d", n)
	}
}

func TestListRowsVanish(t *testing.T) {
	t.Parallel()
	s, l := numbered(6), newTestList()
	l.Resize(4)
	settleAll(t, l, s)
	l.Move(3)
	s.remove(4)
	s.remove(5)
	l.Refresh()
	settleAll(t, l, s)
	if got, want := shown(l), "6 >4! 3 2"; got != want {
		t.Fatalf("the cursor's row vanished: got %s, want %s", got, want)
	}
	if r, ok := l.Cursor(); !ok || r.n != 4 {
		t.Fatalf("cursor: got %v %v, want 4", r, ok)
	}
	l.Move(1)
	if got, want := shown(l), "6 >3 2 1"; got != want {
		t.Fatalf("after leaving it: got %s, want %s", got, want)
	}
	for n := range 7 {
		s.remove(n)
	}
	l.Refresh()
	settleAll(t, l, s)
	if got, want := shown(l), ">3!"; got != want {
		t.Fatalf("all vanished: got %s, want %s", got, want)
	}
	l.Top()
	settleAll(t, l, s)
	if !l.Empty() || shown(l) != "" {
		t.Fatalf("the list is not empty: %q", shown(l))
	}
	s.put(row{n: 9})
	l.Refresh()
	settleAll(t, l, s)
	if got, want := shown(l), "9"; got != want {
		t.Fatalf("first row of an empty list: got %s, want %s", got, want)
	}
}

func TestListLoading(t *testing.T) {
	t.Parallel()
	s, l := numbered(1000), newTestList()
	l.Resize(6)
	settleAll(t, l, s)
	for range 20 {
		l.Scroll(6) // no page comes
	}
	lines := strings.Fields(shown(l))
	if len(lines) != 6 || lines[5] != "." || !strings.HasPrefix(lines[0], ">") {
		t.Fatalf("faster than pages: got %v", lines)
	}
	before, _ := l.Cursor()
	settleAll(t, l, s)
	if after, _ := l.Cursor(); after != before {
		t.Fatalf("a page moved the cursor from %v to %v", before, after)
	}
	if strings.Contains(shown(l), ".") {
		t.Fatalf("still loading: %s", shown(l))
	}
}

func TestListGenerations(t *testing.T) {
	t.Parallel()
	s, l := numbered(100), newTestList()
	l.Resize(4)
	old, ok := l.Next()
	if !ok {
		t.Fatalf("a new list asks for nothing")
	}
	if _, ok := l.Next(); ok {
		t.Fatalf("a second page of the same direction is asked for")
	}
	l.Reset()
	if l.Apply(old, s.page(old)) {
		t.Fatalf("a page of the query before was taken")
	}
	l.Failed(old)
	f, ok := l.Next()
	if !ok || f.Gen == old.Gen {
		t.Fatalf("the new query asks %+v, %v", f, ok)
	}
	l.Failed(f)
	again, ok := l.Next()
	if !ok || again != f {
		t.Fatalf("after a failure: got %+v %v, want %+v", again, ok, f)
	}
	if !l.Apply(again, s.page(again)) {
		t.Fatalf("the page was not taken")
	}
}

func TestListSearchStops(t *testing.T) {
	t.Parallel()
	l := newTestList()
	l.Resize(4)
	f, _ := l.Next()
	l.Apply(f, Page[int, row]{Rows: []row{{n: 90}}, More: true, To: 50, HasTo: true})
	l.Choose()
	f, ok := l.Next()
	if !ok || f.Key != 50 || f.Inclusive || f.Backward {
		t.Fatalf("the search goes on with %+v %v, want after 50", f, ok)
	}
	l.Apply(f, Page[int, row]{More: true, To: 20, HasTo: true})
	if f, ok = l.Next(); !ok || f.Key != 20 {
		t.Fatalf("the search goes on with %+v %v, want after 20", f, ok)
	}
	l.Apply(f, Page[int, row]{Rows: []row{{n: 3}}})
	if got, want := shown(l), ">90 3"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestListMarks(t *testing.T) {
	t.Parallel()
	s, l := numbered(50), newTestList()
	l.Resize(5)
	settleAll(t, l, s)
	l.Toggle()
	l.Toggle()
	if got, want := shown(l), "*50 *49 >48 47 46"; got != want {
		t.Fatalf("Space marks and steps: got %s, want %s", got, want)
	}
	l.SetRange(true)
	l.Move(2)
	if !l.Range() {
		t.Fatalf("no range is being marked")
	}
	l.SetRange(false)
	l.Move(1)
	settleAll(t, l, s)
	if got, want := l.Marks(), []int{50, 49, 48, 47, 46}; !slices.Equal(got, want) {
		t.Fatalf("a range: got %v, want %v", got, want)
	}
	l.Reset()
	if l.MarkCount() != 5 {
		t.Fatalf("marks after another query: got %d, want 5", l.MarkCount())
	}
	l.ClearMarks()
	settleAll(t, l, s)
	if !l.MarkShown() || shown(l) != "*50 *49 *48 *47 *46" {
		t.Fatalf("all shown: got %s", shown(l))
	}
	l.ClearMarks()
	for i := range MaxMarks {
		l.Mark(i, true)
	}
	if l.Mark(MaxMarks, true) || !l.Mark(0, true) || !l.Mark(0, false) || !l.Mark(MaxMarks, true) {
		t.Fatalf("the limit of marks does not hold")
	}
}

// A page out of order would break every search in the rows.
func TestListUnsoundPage(t *testing.T) {
	t.Parallel()
	l := newTestList()
	l.Resize(4)
	f, _ := l.Next()
	l.Apply(f, Page[int, row]{Rows: []row{{n: 5}, {n: 9}, {n: 5}, {n: 4}}, More: true})
	f, _ = l.Next()
	l.Apply(f, Page[int, row]{Rows: []row{{n: 6}, {n: 4}, {n: 3}}})
	if got, want := shown(l), "5 4 3"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

// TestListProperties drives a list and a changing store by chance, with pages
// that come late, in any order, or never.
func TestListProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s, l := numbered(rapid.SampledFrom([]int{0, 3, 40, 300, 300}).Draw(t, "rows")), newTestList()
		heights := rapid.SampledFrom([]int{1, 5, 12, 20, 30}) // even odds; IntRange prefers small ones
		keys := rapid.SampledFrom(slices.Collect(func(yield func(int) bool) {
			for n := -1; n < 320 && yield(n); n++ {
			}
		}))
		l.Resize(heights.Draw(t, "height"))
		top := 10_000
		var way []Fetch[int]
		var late []Page[int, row] // what the store held when it was asked
		small := rapid.IntRange(-8, 8)
		// quiet runs what must leave the cursor where it is.
		quiet := func(f func()) {
			before, had := l.Cursor()
			f()
			after, has := l.Cursor()
			if had && (!has || after.n != before.n) {
				t.Fatalf("the cursor went from %v to %v %v", before, after, has)
			}
		}
		jumping := false
		take := func(i int, answer bool) {
			f, p := way[i], late[i]
			way, late = slices.Delete(way, i, i+1), slices.Delete(late, i, i+1)
			apply := func() {
				if answer {
					l.Apply(f, p)
				} else {
					l.Failed(f)
				}
			}
			if jumping {
				apply()
			} else {
				quiet(apply)
			}
			jumping = jumping && l.Seeking()
		}
		changes := func(f func()) { f(); quiet(l.Refresh) }
		actions := []func(){
			func() { changes(func() { s.put(row{n: top}); top++ }) },
			func() { changes(func() { s.put(row{n: keys.Draw(t, "change"), rev: top}) }) },
			func() { changes(func() { s.remove(keys.Draw(t, "vanish")) }) },
			func() {
				changes(func() {
					from := keys.Draw(t, "vanish from")
					for i := range 40 {
						s.remove(from + i)
					}
				})
			},
			func() {
				changes(func() {
					from := keys.Draw(t, "appear from")
					for i := range 60 {
						s.put(row{n: from - i, rev: top})
					}
				})
			},
			func() { quiet(l.Reconnect) },
			func() { quiet(func() { l.Resize(heights.Draw(t, "height")) }) },
			func() { l.Move(small.Draw(t, "move")); jumping = l.Seeking() },
			func() { l.Scroll(4 * small.Draw(t, "scroll")); jumping = l.Seeking() },
			func() { l.Scroll(20); jumping = l.Seeking() },
			func() { l.Scroll(-20); jumping = l.Seeking() },
			func() { l.Toggle(); jumping = l.Seeking() },
			func() { l.Top(); jumping = true },
			func() { l.Bottom(); jumping = l.Seeking() },
			func() { l.Go(keys.Draw(t, "go")); jumping = true },
			func() { l.SetFollow(rapid.Bool().Draw(t, "follow")); jumping = l.Seeking() },
		}
		whats := rapid.SampledFrom(slices.Collect(func(yield func(int) bool) {
			for i := 0; i < 2*len(actions)+1 && yield(i); i++ {
			}
		}))
		for range rapid.SampledFrom([]int{5, 30, 150}).Draw(t, "steps") {
			for f, ok := l.Next(); ok; f, ok = l.Next() {
				way, late = append(way, f), append(late, s.page(f))
			}
			what := whats.Draw(t, "what")
			switch {
			case what < len(actions):
				actions[what]()
			case len(way) > 0:
				take(rapid.IntRange(0, len(way)-1).Draw(t, "page"), what < 2*len(actions))
			}
			checkList(t, l)
		}
		// When all is answered, the screen is what the store has.
		for len(way) > 0 {
			take(0, true)
		}
		settleAll(t, l, s)
		checkList(t, l)
		checkAgainst(t, l, s)
		checkWalk(t, l, s)
	})
}

// checkWalk checks that going up, and then down row by row, comes by every row
// of the store.
func checkWalk(t *rapid.T, l *List[int, row], s *store) {
	for range 400 {
		l.Move(-1)
		settleAll(t, l, s)
	}
	if len(s.rows) == 0 {
		return
	}
	if r, _ := l.Cursor(); !s.has(r.n) {
		l.Move(1) // off a row that is gone
		settleAll(t, l, s)
	}
	for i := range s.rows {
		if got, _ := l.Cursor(); got != s.rows[i] {
			t.Fatalf("row %d of the store is %v, the walk came to %v", i, s.rows[i], got)
		}
		checkAgainst(t, l, s)
		l.Move(1)
		settleAll(t, l, s)
	}
	if got, _ := l.Cursor(); got != s.rows[len(s.rows)-1] {
		t.Fatalf("below the last row the walk came to %v", got)
	}
}

// checkList checks what holds at any time.
func checkList(t *rapid.T, l *List[int, row]) {
	if got, most := len(l.rows), 5*max(l.height, 16)+1; got > most {
		t.Fatalf("%d rows are held, more than %d", got, most)
	}
	if !slices.IsSortedFunc(l.rows, func(a, b row) int { return cmp.Compare(b.n, a.n) }) {
		t.Fatalf("rows out of order: %v", l.rows)
	}
	cursors, lines := 0, 0
	for y, line := range l.Lines() {
		if y >= l.height {
			t.Fatalf("line %d of %d", y, l.height)
		}
		lines++
		if line.Cursor {
			cursors++
		}
	}
	if _, ok := l.Cursor(); ok != (cursors == 1) {
		t.Fatalf("%d lines show the cursor, there is one: %v", cursors, ok)
	}
	if l.known && len(l.rows) > 0 && lines == 0 {
		t.Fatalf("rows, but none on the screen")
	}
}

// checkAgainst checks that the lines are the store's rows, with none between
// them left out, but for one that is gone.
func checkAgainst(t *rapid.T, l *List[int, row], s *store) {
	at, lines := -1, 0
	for y, line := range l.Lines() {
		lines++
		if !line.Loaded {
			t.Fatalf("line %d is still loading: %s", y, shown(l))
		}
		i, ok := s.find(line.Row.n)
		if line.Gone {
			if ok {
				t.Fatalf("row %d is not gone", line.Row.n)
			}
			continue
		}
		if !ok || s.rows[i] != line.Row {
			t.Fatalf("row %v is not the store's", line.Row)
		}
		if at >= 0 && i != at+1 {
			t.Fatalf("row %d comes after row %d of the store: %s", i, at, shown(l))
		}
		at = i
	}
	if len(s.rows) > 0 && lines == 0 {
		t.Fatalf("nothing is shown of %d rows", len(s.rows))
	}
	if l.Following() && len(s.rows) > 0 {
		for _, line := range l.Lines() {
			if line.Row != s.rows[0] {
				t.Fatalf("following, the first line is %v, not %v", line.Row, s.rows[0])
			}
			break
		}
	}
}
