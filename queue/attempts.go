package queue

import (
	"cmp"
	"container/heap"
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// attempts is one query on attempts at work.
type attempts struct {
	merge
	e     *Engine
	q     callback.AttemptQuery
	now   moment // where a state is asked for
	total uint64
}

// Attempts implements callback.Ledger.
func (e *Engine) Attempts(ctx context.Context, q callback.AttemptQuery) (page callback.AttemptPage, err error) {
	q = q.Bounded()
	var now moment
	if q.State != "" {
		now = e.moment(q.Num)
	}
	err = e.view(func(t *badger.Txn) error {
		l := &attempts{merge: merge{t: t, oldest: q.Oldest, most: q.Scan, turns: turns{oldest: q.Oldest}}, e: e, q: q, now: now}
		defer l.close()
		if err := l.plan(ctx); err != nil {
			return err
		}
		var next place
		page.Total = l.total
		page.Attempts, page.Skipped, next, err = collect(ctx, &l.merge, q.Limit, q.Offset, q.Plain() && q.Status == 0, l.attempt)
		if page.More = next != (place{}); page.More {
			page.Next = callback.AttemptKey{At: fromMS(next.at), ID: callback.CallID(next.id), Number: int(next.n)}
		}
		return err
	})
	return page, err
}

// plan adds the sources: the attempts of the calls with a message id where they
// are few, else those of each callback by time.
func (l *attempts) plan(ctx context.Context) error {
	if l.q.MessageID != "" {
		few, err := l.addMessages(ctx)
		l.most += l.work // it has a bound of its own, and leaves the rows theirs
		if few || err != nil {
			return err
		}
	}
	l.expand = l.addHouse
	l.e.mu.RLock()
	defer l.e.mu.RUnlock()
	for _, h := range l.e.of(l.q.Num) {
		if h != nil {
			l.total += h.live.AttemptsIn(l.q.Status)
			l.turns.add(h, h.marks.spans[spanAttempts], l.after().at)
		}
	}
	heap.Init(&l.turns)
	return nil
}

// addHouse adds the attempts of one callback.
func (l *attempts) addHouse(h *house) error {
	l.e.mu.RLock()
	span := h.marks.spans[spanAttempts]
	l.e.mu.RUnlock()
	if !l.q.From.IsZero() {
		span.low = max(span.low, sinceEpoch(l.q.From.Add(time.Millisecond-1))) // attempts began at whole milliseconds
	}
	if !l.q.To.IsZero() {
		span.top = min(span.top, sinceEpoch(l.q.To.Add(-1)))
	}
	s := &source{h: h, kind: kindAttempt, prefix: attemptPrefix(h.slot, h.num), layout: &byTime}
	first, last := place{at: span.low}, place{at: span.top, id: math.MaxUint64, n: math.MaxUint32}
	if s.end = first; l.q.Oldest {
		s.end = last
	}
	l.add(s, first, last, l.after())
	return nil
}

// sinceEpoch is ms for a time that somebody asked for, however long ago.
func sinceEpoch(t time.Time) uint64 { return uint64(max(t.UnixMilli(), 0)) }

func (l *attempts) after() place {
	k := l.q.After
	return place{at: ms(k.At), id: uint64(k.ID), n: uint32(k.Number)}
}

// maxOfMessage is how many calls, and attempts of them, there may be with one
// message id to be sorted in memory; of more, all attempts are looked at.
const maxOfMessage = 1000

// addMessages adds the attempts of the calls with the message id asked for, and
// reports whether they were few.
func (l *attempts) addMessages(ctx context.Context) (few bool, err error) {
	crowd := crowd{mentionHash(l.q.MessageID), l.q.Num}
	if l.e.crowds.has(crowd) {
		return false, nil
	}
	found, err := l.mentioned(ctx)
	if err != nil {
		return false, err
	}
	lists, n := map[*house]*source{}, len(found)
	for i := 0; i < len(found) && n <= maxOfMessage; i++ {
		h, err := l.e.find(found[i].num)
		if err != nil {
			continue // it was removed
		}
		l.work += entryWork
		if lists[h] == nil {
			lists[h] = &source{h: h, kind: kindAttempt, prefix: attemptPrefix(h.slot, h.num)}
		}
		count, err := l.chain(lists[h], found[i].id)
		if n += count; cmp.Or(err, ctx.Err()) != nil {
			return false, cmp.Or(err, ctx.Err())
		}
	}
	if n > maxOfMessage {
		l.e.crowds.add(crowd)
		return false, nil
	}
	for _, s := range lists {
		l.addList(s)
	}
	return true, nil
}

// mentioned returns the calls that may have the message id asked for, one more
// than may be sorted at most.
func (l *attempts) mentioned(ctx context.Context) (found []mention, err error) {
	err = eachMention(ctx, l.t, l.q.MessageID, l.e.passOver, func(m mention) (bool, error) {
		if l.q.Num == 0 || l.q.Num == m.num {
			found = append(found, m)
		}
		return len(found) <= maxOfMessage, ctx.Err()
	})
	return found, err
}

// chain adds the attempts of a call to s, and returns how many it has.
func (l *attempts) chain(s *source, id callback.CallID) (int, error) {
	e, err := readEntry(l.t, s.h.slot, s.h.num, id)
	if callback.ErrorCode(err) == callback.CodeNotFound {
		return 0, nil // not there any more
	}
	if err != nil {
		return 0, l.e.passOver(err)
	}
	after := l.after()
	for n, at := min(e.Attempts, maxOfMessage+1), e.LastAt; n > 0; n-- {
		p := place{at: ms(at), id: uint64(id), n: uint32(n)}
		if after == (place{}) || l.oldest == (p.compare(after) > 0) && p != after {
			s.list = append(s.list, p)
		}
		l.work += attemptWork
		if _, at, err = readAttempt(l.t, attemptKey(s.h.slot, e.Num, at, id, n), n); err != nil {
			return e.Attempts, l.e.passOver(fmt.Errorf("read attempt %d of call %s: %w", n, id, err))
		}
	}
	return e.Attempts, nil
}

// attempt reads the attempt that a source stands at, if it is wanted.
func (l *attempts) attempt(s *source, count bool) (row callback.CallAttempt, ok bool, err error) {
	id, n, v := callback.CallID(s.head.id), int(s.head.n), s.value
	if s.layout == nil {
		l.work += attemptWork
		row.Attempt, _, err = readAttempt(l.t, byTime.put(s.prefix[:len(s.prefix):len(s.prefix)], s.head), n)
	} else {
		row.Attempt, _, err = decodeAttempt(v, n)
	}
	if err != nil {
		return row, false, l.e.passOver(fmt.Errorf("read attempt %d of call %s: %w", n, id, err))
	}
	row.Num, row.ID = s.h.num, id
	if !l.q.MatchesAttempt(&row.Attempt) {
		return row, false, nil
	}
	if ok, err := l.inState(s, id); !ok || err != nil {
		return row, false, err
	}
	if count && l.q.MessageID == "" && l.q.Text == "" {
		return row, true, nil
	}
	l.work += payloadWork
	response, _, err := l.e.response(l.t, s.h.slot, id)
	if err != nil || !l.q.MatchesResponse(&response) {
		return row, false, err
	}
	row.MessageID = strings.Clone(response.MessageID) // the whole response would be kept with it
	if !row.OK && !count {
		l.work += attemptWork
		row.Excerpt, err = readExcerpt(l.t, s.h.slot, id, n)
	}
	return row, true, l.e.passOver(err)
}

// inState reports whether a call is in the state asked for.
func (l *attempts) inState(s *source, id callback.CallID) (bool, error) {
	if l.q.State == "" {
		return true, nil
	}
	l.work += entryWork
	e, err := readEntry(l.t, s.h.slot, s.h.num, id)
	if err != nil {
		return false, l.e.passOver(err)
	}
	l.now.running[id].show(&e)
	f := callback.Filter{State: l.q.State}
	return f.MatchesEntry(&e, l.e.holds(s.h)), nil
}
