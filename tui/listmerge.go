package tui

import "slices"

// Apply takes the answer to f, and reports whether it still counted.
func (l *List[K, R]) Apply(f Fetch[K], page Page[K, R]) bool {
	if f.Gen != l.pages.gen {
		return false
	}
	l.pages.underWay[direction(f)] = false
	page.Rows = l.sound(f, page.Rows)
	if len(page.Rows) == 0 && !page.HasTo {
		page.More = false
	}
	if f.aim <= seekKey {
		l.land(f, page)
	} else {
		l.add(f, page)
	}
	l.trim()
	l.look()
	return true
}

// sound returns a copy of a page's rows without those that are out of order
// or not where they were asked for; the rest of List relies on the order.
func (l *List[K, R]) sound(f Fetch[K], rows []R) []R {
	out := make([]R, 0, len(rows))
	for _, r := range rows {
		k := l.key(r)
		if len(out) > 0 && l.order(l.key(out[len(out)-1]), k) >= 0 {
			continue
		}
		if f.HasKey {
			side := l.order(k, f.Key)
			if side == 0 && !f.Inclusive || side != 0 && (side < 0) != f.Backward {
				continue
			}
		}
		out = append(out, r)
	}
	return out
}

// land shows the page of a jump.
func (l *List[K, R]) land(f Fetch[K], page Page[K, R]) {
	p := &l.pages
	if len(page.Rows) == 0 && !page.More && f.aim == seekKey {
		p.jump = seekEnd // nothing at or below the key: the last row is the nearest
		return
	}
	again := p.again
	p.seeking = false
	l.drop()
	l.unpin()
	l.rows, l.known = page.Rows, true
	l.atTop = f.aim == seekTop || f.aim == seekEnd && !page.More
	l.atEnd = f.aim == seekEnd || !page.More
	l.lo, l.hi = f.Key, f.Key
	if n := len(l.rows); n > 0 {
		l.lo, l.hi = l.key(l.rows[0]), l.key(l.rows[n-1])
		if f.aim == seekEnd {
			l.settle(n-1, l.height-1, false)
		} else {
			l.settle(0, 0, l.follow && f.aim == seekTop)
		}
	}
	if page.HasTo && page.More {
		if f.Backward {
			l.lo = page.To
		} else {
			l.hi = page.To
		}
		if len(l.rows) == 0 {
			l.lo, l.hi = page.To, page.To
		}
	}
	if again {
		l.Refresh()
	}
}

// add merges a page into what is held and counts what is new.
func (l *List[K, R]) add(f Fetch[K], page Page[K, R]) {
	below := l.below()
	merged := l.merge(f, page)
	switch f.aim {
	case reread:
		l.reread(merged, f, page)
	case probe:
		l.news.n += len(page.Rows)
		l.news.more = page.More
		if len(page.Rows) > 0 {
			l.news.newest = l.key(page.Rows[0])
		}
	}
	// The cursor keeps its line, but no lines go to waste where rows vanished.
	i, ok := l.index()
	if !ok {
		return
	}
	if l.atTop {
		l.line = min(l.line, i)
	}
	if waste := l.below() - below; waste > 0 {
		l.line = min(l.line+min(waste, max(l.first(), 0)), l.height-1)
	}
}

// below returns how many lines of the screen are below the list's end.
func (l *List[K, R]) below() int {
	if !l.atEnd {
		return 0
	}
	return max(l.first()+l.height-len(l.rows), 0)
}

// reread goes on to the next part of what is held, or ends.
func (l *List[K, R]) reread(merged bool, f Fetch[K], page Page[K, R]) {
	p := &l.pages
	to, all := l.reach(f, page)
	switch {
	case !merged:
		p.partly = false // it was scrolled away; what is held now is to be read
	case !all && l.order(to, l.hi) < 0:
		p.partly, p.from = true, to
	default:
		p.rereads, p.partly = p.again, false
		p.again = false
	}
}

// reach returns the key up to which a page is complete; all means up to the
// list's edge.
func (l *List[K, R]) reach(f Fetch[K], page Page[K, R]) (to K, all bool) {
	n := len(page.Rows)
	switch {
	case !page.More:
		return to, true
	case page.HasTo:
		return page.To, false
	case f.Backward:
		return l.key(page.Rows[0]), false
	}
	return l.key(page.Rows[n-1]), false
}

// merge puts a page in place of what is held between its ends. It reports
// false, and does nothing, where the page does not touch what is held: that
// was scrolled away meanwhile.
func (l *List[K, R]) merge(f Fetch[K], page Page[K, R]) bool {
	if !l.known || l.order(f.Key, l.lo) < 0 || l.order(f.Key, l.hi) > 0 {
		return false
	}
	to, all := l.reach(f, page)
	from, past := 0, len(l.rows) // the rows replaced
	if f.Backward {
		past, _ = l.find(f.Key)
		if !all {
			from, _ = l.find(to)
		}
	} else {
		from = l.after(f.Key, f.Inclusive)
		if !all {
			past = l.after(to, false)
		}
	}
	rows := page.Rows
	if i, ok := l.index(); ok && from <= i && i < past {
		at, found := slices.BinarySearchFunc(rows, l.cursor, func(r R, k K) int { return l.order(l.key(r), k) })
		if l.gone = !found; l.gone {
			rows = slices.Insert(rows, at, l.rows[i])
		}
	}
	l.rows = slices.Replace(l.rows, from, max(from, past), rows...)
	l.cover(f.Backward, to, all)
	return true
}

// after returns the index of the first row below key k, or at it.
func (l *List[K, R]) after(k K, inclusive bool) int {
	i, found := l.find(k)
	if found && !inclusive {
		i++
	}
	return i
}

// cover widens what is known to be held, up to a key or to the list's edge.
func (l *List[K, R]) cover(backward bool, to K, all bool) {
	n := len(l.rows)
	switch {
	case backward && all:
		l.atTop = true
		if n > 0 && l.order(l.key(l.rows[0]), l.lo) < 0 {
			l.lo = l.key(l.rows[0])
		}
	case backward:
		l.atTop = false // even if to is not above lo: what is above to was not read
		if l.order(to, l.lo) < 0 {
			l.lo = to
		}
	case all:
		l.atEnd = true
		if n > 0 && l.order(l.key(l.rows[n-1]), l.hi) > 0 {
			l.hi = l.key(l.rows[n-1])
		}
	default:
		if l.order(to, l.hi) >= 0 {
			l.hi, l.atEnd = to, false
		}
	}
}

// trim drops rows more than two screens away from the screen.
func (l *List[K, R]) trim() {
	if !l.known {
		return
	}
	if n := l.first() - 2*l.span(); n > 0 {
		l.rows = slices.Delete(l.rows, 0, n)
		l.lo, l.atTop = l.key(l.rows[0]), false
	}
	if n := l.first() + l.height + 2*l.span(); n < len(l.rows) {
		l.rows = slices.Delete(l.rows, n, len(l.rows))
		l.hi, l.atEnd = l.key(l.rows[n-1]), false
	}
}

// look takes what came above for seen while the list's beginning is shown, and
// begins to count at the first beginning that is read. While the beginning is
// held, that is from where new rows are looked for: also where the newest one
// counted vanished, or is not held itself.
func (l *List[K, R]) look() {
	n := &l.news
	switch {
	case !l.known || !l.atTop || len(l.rows) == 0:
		return
	case l.first() <= 0 || !n.known:
		*n = news[K]{known: true}
	case l.order(l.lo, n.newest) < 0:
		above, _ := l.find(n.newest)
		n.n += above
		n.more = n.more || l.order(n.newest, l.hi) > 0
	}
	n.newest = l.lo
}
