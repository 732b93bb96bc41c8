package queue

import "context"

// collect collects a page: all of it, or what the work that is allowed came to.
// It returns how many of the offset were passed, and the place behind which there
// may be more; zero: there is no more. read reads the row that a source stands
// at, if it is wanted: completely, or as far as is needed to count it. all says
// that every row is wanted.
func collect[R any](ctx context.Context, m *merge, limit, offset int, all bool, read func(s *source, count bool) (R, bool, error)) (rows []R, skipped int, next place, err error) {
	var last, shown place // looked at, collected
	seen := 0             // how many were looked at up to shown
	for first := true; ; first = false {
		s, err := m.next()
		switch {
		case err != nil || s == nil && !m.cut:
			return rows, skipped, place{}, err
		case s == nil:
			return rows, skipped, m.reached(last), ctx.Err()
		case !first && m.work > m.most || ctx.Err() != nil:
			return rows, skipped, last, ctx.Err()
		}
		last = s.head
		m.looked++
		if all && skipped < offset {
			skipped++
			m.work -= skipped & 1 // it need not be decoded, and costs half
			continue
		}
		row, ok, err := read(s, skipped < offset)
		switch {
		case err != nil:
			return rows, skipped, place{}, err
		case !ok:
		case skipped < offset:
			skipped++
		case len(rows) == limit || len(rows) > 0 && m.bytes > m.room:
			m.looked = seen
			return rows, skipped, shown, nil
		default:
			rows, shown, seen = append(rows, row), last, m.looked
		}
	}
}

// reached returns behind which place a list that was cut goes on: the last one
// looked at, or where a source is that passed over what it need not give.
func (m *merge) reached(last place) place {
	at := m.sources[0].head
	if m.oldest {
		at.id--
	} else {
		at.id++
	}
	at.n = 0
	if last != (place{}) && m.oldest == (at.compare(last) < 0) {
		return last
	}
	return at
}
