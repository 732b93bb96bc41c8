package dispatch

import (
	"context"

	"ringback/callback"
)

// heads returns at most limit calls that may start now, in the order in which
// they should: those never tried first. It notes when the first one behind them
// may start.
func (f *filler) heads(ctx context.Context, st *callback.Step, limit int) ([]callback.Entry, error) {
	var out []callback.Entry
	for _, class := range f.classes(st) {
		page, err := f.opt.Store.Due(ctx, f.lane.num, class, callback.DueKey{}, limit-len(out)+1)
		if err == nil && st.Policy.Ordered && class == callback.Tried {
			page, err = f.oldest(ctx, page)
		}
		if err != nil {
			return nil, err
		}
		for i := range page {
			at, ok := st.StartAt(&page[i])
			if ok && at.After(f.now) {
				f.sooner(at)
				break
			}
			if !ok || len(out) == limit {
				break
			}
			out = append(out, page[i])
		}
		if st.Policy.Ordered && len(page) > 0 {
			break // the head blocks all behind it
		}
	}
	return out, nil
}

// latest bounds how many tried calls of an ordered lane are looked at that are
// not due yet: its head, and what somebody reopened.
const latest = 64

// oldest returns the call that stands first in an ordered lane: that with the
// lowest id of those that were tried. A retry by filter makes calls due that
// stand behind a head which failed and waits; they must not overtake it. page
// begins with what is due first.
func (f *filler) oldest(ctx context.Context, page []callback.Entry) ([]callback.Entry, error) {
	if len(page) == 0 {
		return page, nil
	}
	first := page[0]
	look := func(from callback.DueKey, limit int) (n int, last callback.DueKey, err error) {
		page, err := f.opt.Store.Due(ctx, f.lane.num, callback.Tried, from, limit)
		for _, e := range page {
			if last = e.DueKey(); e.ID < first.ID {
				first = e
			}
		}
		return len(page), last, err
	}
	var err error
	if f.lane.head == (callback.DueKey{}) {
		// Nothing is known after a start: the time of the head may have come
		// meanwhile, and then it stands anywhere among the others.
		for n, from := callback.MaxPage, (callback.DueKey{}); n == callback.MaxPage && err == nil; from.ID++ {
			n, from, err = look(from, callback.MaxPage)
		}
	} else if _, _, err = look(callback.DueKey{Due: f.now}, latest); err == nil {
		_, _, err = look(f.lane.head, 1)
	}
	if err != nil {
		return nil, err
	}
	f.lane.head = first.DueKey()
	return []callback.Entry{first}, nil
}

// classes returns the order in which a lane takes its classes. In an ordered
// lane what failed stands before all that came later, also while a person has it
// tried, so that Due does not tell of it.
func (f *filler) classes(st *callback.Step) []callback.DueClass {
	switch {
	case st.Policy.Ordered && st.Live.Counts.Retrying > 0:
		return []callback.DueClass{callback.Tried}
	case st.Policy.Ordered:
		return []callback.DueClass{callback.Fresh}
	}
	return []callback.DueClass{callback.Fresh, callback.Tried}
}
