package tui

// Fetch says which rows to read: up to Limit of them from Key on, with Key's
// own row where Inclusive, or from the list's edge where HasKey is false.
// Backward reads upwards: the rows just above Key, or the list's last ones.
//
// Gen goes up where earlier pages count no more: the requests of an earlier
// Gen can be cancelled.
type Fetch[K comparable] struct {
	Gen                         uint64
	Key                         K
	HasKey, Inclusive, Backward bool
	Limit                       int

	aim aim
}

// Page is the answer to a Fetch. Rows are in the list's order, top first, also
// of one that read backward; More says that there are further rows in the
// direction it read.
//
// To, where HasTo, is how far it read where that is beyond its last row: a
// search that stopped in between. A page without rows and without To counts as
// the list's end.
type Page[K comparable, R any] struct {
	Rows  []R
	More  bool
	To    K
	HasTo bool
}

// aim is what a page is for.
type aim uint8

const (
	seekTop aim = iota // jumps
	seekEnd
	seekKey
	extend // the rows next to what is held
	reread // what is held, again
	probe  // what came above since
)

// pages is what is wanted and what is under way: one read in each direction.
type pages[K comparable] struct {
	gen      uint64
	seeking  bool
	jump     aim
	target   K
	rereads  bool // what is held is to be read again
	partly   bool // that is done down to the key from
	from     K
	again    bool // and then once more, for the store changed meanwhile
	probes   bool
	underWay [2]bool // forward, backward
}

// begin makes every page under way count no more.
func (p *pages[K]) begin() {
	p.gen++
	p.underWay = [2]bool{}
}

// news counts what came above the list's beginning while it was not shown.
type news[K comparable] struct {
	newest K // the topmost key that is counted
	known  bool
	n      int
	more   bool
}

// News returns how many rows came above those shown since the list's
// beginning was last on the screen; more says that there are others, uncounted
// yet.
func (l *List[K, R]) News() (n int, more bool) { return l.news.n, l.news.more }

// Seeking reports a jump that waits for its page; until then the rows of
// before are shown.
func (l *List[K, R]) Seeking() bool { return l.pages.seeking }

// Short reports that fewer rows are known than the screen holds although there
// may be more: they are being looked for.
func (l *List[K, R]) Short() bool { return l.known && !l.atEnd && len(l.rows) < l.height }

// Refresh says that the store changed: what is held is to be read again.
func (l *List[K, R]) Refresh() {
	p := &l.pages
	switch {
	case p.seeking || p.rereads:
		p.again = true
	case len(l.rows) == 0 || l.Following():
		l.seek(seekTop, l.cursor)
		return
	default:
		p.rereads, p.partly = true, false
	}
	p.probes = true
}

// Reconnect says that answers under way are lost, and what is held may be old.
func (l *List[K, R]) Reconnect() {
	l.pages.begin()
	l.pages.rereads, l.pages.again = false, false
	l.Refresh()
}

// span is how many rows a screen counts for in what is held: those of very low
// screens are too few to page by.
func (l *List[K, R]) span() int { return max(l.height, 16) }

// Next returns a page to fetch now, and takes it for under way until it is
// handed to Apply or Failed. It is to be called until it returns false, after
// every call that changes the list.
func (l *List[K, R]) Next() (Fetch[K], bool) {
	p := &l.pages
	f := Fetch[K]{Gen: p.gen, HasKey: true, Limit: l.span()}
	first := l.first()
	switch {
	case p.seeking:
		if p.underWay != [2]bool{} {
			return Fetch[K]{}, false
		}
		f.aim, f.Key, f.Inclusive = p.jump, p.target, true
		f.HasKey, f.Backward, f.Limit = p.jump == seekKey, p.jump == seekEnd, 2*l.span()
	case !l.known:
		return Fetch[K]{}, false
	case !p.underWay[0] && !l.atEnd && !l.hold && first+l.height+l.span() > len(l.rows):
		f.aim, f.Key = extend, l.hi
	case !p.underWay[1] && !l.atTop && first < l.span():
		f.aim, f.Key, f.Backward = extend, l.lo, true
	case p.underWay == [2]bool{} && p.rereads: // alone, so that no older page comes after it
		if !p.partly {
			p.from = l.lo
		}
		f.aim, f.Key, f.Inclusive, f.Limit = reread, p.from, true, len(l.rows)+l.span()
	case !p.underWay[1] && p.probes && l.news.known:
		f.aim, f.Key, f.Backward = probe, l.news.newest, true
		p.probes = false
	default:
		return Fetch[K]{}, false
	}
	p.underWay[direction(f)] = true
	return f, true
}

func direction[K comparable](f Fetch[K]) int {
	if f.Backward {
		return 1
	}
	return 0
}

// Failed says that a fetch was not answered; Next will ask for it again.
func (l *List[K, R]) Failed(f Fetch[K]) {
	if f.Gen != l.pages.gen {
		return
	}
	l.pages.underWay[direction(f)] = false
	if f.aim == probe {
		l.pages.probes = true
	}
}

// seek wants the page of a jump.
func (l *List[K, R]) seek(to aim, k K) {
	l.pages.begin()
	l.pages.seeking, l.pages.jump, l.pages.target = true, to, k
	l.pages.rereads, l.pages.again, l.pages.probes = false, false, false
}

// drop forgets the rows.
func (l *List[K, R]) drop() {
	clear(l.rows)
	l.rows, l.known, l.atTop, l.atEnd = l.rows[:0], false, false, false
	l.pages.rereads, l.pages.again, l.pages.probes = false, false, false
}
