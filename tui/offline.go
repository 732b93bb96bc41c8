package tui

import (
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"ringback/callback"
)

// This file is the service of a list of calls while there is none: a filter selects
// among the calls that were loaded.

// setLoaded begins a new query that only those calls answer.
func (l *callList) setLoaded(f filter) tea.Cmd {
	if l.loaded == nil {
		l.loaded = slices.Clone(l.list.rows)
	}
	l.filter, l.err, l.exact, l.total = f, "", false, 0
	l.search = search{}
	l.kept = nil
	for i := range l.loaded {
		if l.keeps(&l.loaded[i]) {
			l.kept = append(l.kept, l.loaded[i])
		}
	}
	l.end()
	l.list.Reset()
	l.serve()
	l.list.Choose()
	return nil
}

// keeps reports whether the filter selects a call, as the service would say.
func (l *callList) keeps(v *callback.CallView) bool {
	f, q := &l.filter, &l.filter.query
	live := callback.Live{}
	if h := l.d.health(v.CallbackID); h != nil {
		live = h.Live
	}
	rest := q.Filter
	rest.State = "" // the view tells it
	return (q.Ref == "" || q.Ref == v.Callback || q.Ref == v.CallbackID.String()) &&
		(q.State == "" || q.State.Has(v.State)) && rest.Matches(&v.Call, &live) &&
		(f.keep == nil || f.keep(v)) && v.ID >= f.low && (f.high == 0 || v.ID <= f.high)
}

// serve answers what the list wants.
func (l *callList) serve() {
	for f, ok := l.list.Next(); ok; f, ok = l.list.Next() {
		l.list.Apply(f, partOf(l.kept, f))
	}
}

// partOf returns the part of rows, newest first, that a fetch asks for.
func partOf(rows []callback.CallView, f Fetch[callback.CallID]) callPageOf {
	from, to := 0, len(rows)
	if f.HasKey {
		at, found := slices.BinarySearchFunc(rows, f.Key, func(v callback.CallView, k callback.CallID) int {
			switch {
			case v.ID > k:
				return -1
			case v.ID < k:
				return 1
			}
			return 0
		})
		from, to = at, at
		if found && !f.Inclusive {
			from++
		}
		if found && f.Inclusive {
			to++
		}
		if f.Backward {
			from = 0
		} else {
			to = len(rows)
		}
	}
	more := to-from > f.Limit
	if more && f.Backward {
		from = to - f.Limit
	} else if more {
		to = from + f.Limit
	}
	return callPageOf{Rows: slices.Clone(rows[from:to]), More: more}
}

// ofLoaded says that a filter selects among what was loaded only, or "".
func (l *callList) ofLoaded() string {
	if l.loaded == nil {
		return ""
	}
	return fmt.Sprintf("%s of the %s that are loaded", Count(uint64(len(l.kept))), plural(uint64(len(l.loaded)), "call"))
}
