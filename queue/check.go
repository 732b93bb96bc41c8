package queue

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// checkHouse verifies what is on disk of one callback.
func checkHouse(t *badger.Txn, h *house, running map[callback.CallID]*run) (faults []error) {
	more := 0
	fault := func(format string, args ...any) {
		if len(faults) == maxFaults {
			more++
			return
		}
		faults = append(faults, fmt.Errorf("callback %d: "+format, append([]any{h.cb.Num}, args...)...))
	}
	defer func() {
		if more > 0 {
			faults = append(faults, fmt.Errorf("callback %d: %d more faults", h.cb.Num, more))
		}
	}()
	var counts callback.Counts
	var xor, attempts, good, again uint64
	places, messages := tally{}, newFinder(t)
	defer messages.close()
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		err := eachItem(t, duePrefix(h.slot, h.cb.Num, class), nil, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(be64(k[len(k)-8:]))
			e, err := decodeEntry(v, h.cb.Num, id)
			if err != nil {
				return false, err
			}
			if running[id] == nil && placeOf(&e).before(h.marks.heads[class]) {
				fault("call %s waits before the head of its class", id)
			}
			xor ^= uint64(id)
			if e.Status != callback.Ready || e.DueClass() != class || string(dueKey(h.slot, &e)) != string(k) {
				fault("due entry of call %s does not agree with its key", id)
			} else if class == callback.Tried || late(&e) {
				checkPlace(t, h, &e, fault)
			}
			if class == callback.Fresh {
				counts.Pending++
				places.add(t, h, &e, messages, fault)
			}
			if _, _, _, err := readPayload(t, h.slot, id); err != nil {
				fault("call %s waits without a readable response: %v", id, err)
			}
			return true, nil
		})
		if err != nil {
			fault("due index: %v", err)
		}
	}
	for _, status := range []byte{rowSuccess, rowFailed} {
		err := eachItem(t, rowPrefix(h.slot, h.cb.Num, status), nil, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(^be64(k[len(k)-8:]))
			e, err := decodeEntry(v, h.cb.Num, id)
			if err != nil {
				return false, err
			}
			countRow(&counts, &e)
			if _, err := t.Get(freshKey(h.slot, h.cb.Num, id)); !errors.Is(err, badger.ErrKeyNotFound) {
				fault("call %s has a due entry that is not its own: %v", id, err)
			}
			if e.Status == callback.Ready {
				if _, err := t.Get(dueKey(h.slot, &e)); err != nil {
					fault("call %s is to be tried again and has no due entry: %v", id, err)
				}
			}
			if string(rowOf(h, &e)) != string(k) {
				fault("row of call %s does not agree with its key", id)
			}
			places.add(t, h, &e, messages, fault)
			attempts += uint64(e.Attempts)
			if e.Requeued {
				again++
			}
			good += checkAttempts(t, h, &e, fault)
			return true, nil
		})
		if err != nil {
			fault("rows: %v", err)
		}
	}
	places.compare(t, h, fault)
	if attempts != h.live.Attempts || good != h.live.Good {
		fault("counted %d attempts of which %d succeeded, the counters say %d and %d", attempts, good, h.live.Attempts, h.live.Good)
	}
	if again != h.live.Requeued.Waiting() {
		fault("%d calls were let go again and wait, the counters say %d", again, h.live.Requeued.Waiting())
	}
	counts.Accepted, counts.Purged, counts.Skipped = h.live.Counts.Accepted, h.live.Counts.Purged, h.live.Counts.Skipped
	if counts != h.live.Counts {
		fault("counted %+v, the counters say %+v", counts, h.live.Counts)
	}
	if counts.Accepted != counts.Sum()+counts.Purged {
		fault("accepted %d, stored %d, purged %d", counts.Accepted, counts.Sum(), counts.Purged)
	}
	if xor != h.marks.xor {
		fault("the ids of waiting calls xor to %x, not %x", xor, h.marks.xor)
	}
	return faults
}

// maxFaults bounds what is told of one callback.
const maxFaults = 100

// checkPlace verifies that a call waits where its own state says: so it has no
// second due entry, and none that it should not have. Where one never tried usually
// waits the entry is that state, and those that have a row are looked up there.
func checkPlace(t *badger.Txn, h *house, e *callback.Entry, fault func(string, ...any)) {
	state, err := readEntry(t, h.slot, h.cb.Num, e.ID)
	switch {
	case err != nil:
		fault("a due entry is left: %v", err)
	case state.Status != callback.Ready || state.DueClass() != e.DueClass() || state.DueKey() != e.DueKey():
		fault("call %s has a due entry that is not its own", e.ID)
	}
}

// checkOwners verifies that nothing is left of a callback that was removed.
func checkOwners(t *badger.Txn, houses []*house) (faults []error) {
	it := t.NewIterator(badger.IteratorOptions{})
	defer it.Close()
	for slot := range 256 {
		for _, kind := range []byte{
			kindCallback, kindLive, kindDue, kindRow, kindLate, kindCode, kindAttempt, kindAlert, kindOutage, kindOperation, kindCauses,
		} {
			prefix := key(byte(slot), kind)
			for it.Seek(prefix); it.ValidForPrefix(prefix); {
				num := be32(it.Item().Key()[2:])
				if num == 0 || int(num) > len(houses) || houses[num-1] == nil {
					faults = append(faults, fmt.Errorf("there are records %q of callback %d, which does not exist", kind, num))
				}
				it.Seek(put32(prefix[:len(prefix):len(prefix)], num+1))
			}
		}
	}
	return faults
}

func countRow(c *callback.Counts, e *callback.Entry) {
	switch {
	case e.Status == callback.Ready:
		c.Retrying++
	case e.Status == callback.Failed:
		c.Failed++
	case e.Reason == callback.Resolved:
		c.Resolved++
	default:
		c.Delivered++
	}
}

// checkAttempts returns how many of the attempts of a call succeeded.
func checkAttempts(t *badger.Txn, h *house, e *callback.Entry, fault func(string, ...any)) (good uint64) {
	list, err := readAttempts(t, h.slot, e, e.Attempts)
	if err != nil {
		fault("attempts of call %s: %v", e.ID, err)
		return 0
	}
	for i := range list {
		if list[i].OK {
			good++
		}
	}
	if n := len(list); n > 0 {
		if a := list[n-1]; !a.Started.Equal(e.LastAt) || a.Code != e.LastCode || a.Class != e.LastClass {
			fault("call %s says other things of its last attempt than that does", e.ID)
		}
	}
	return good
}

// tally counts what the indexes of a callback must hold, by kind.
type tally map[byte]int

// add counts one call, and looks it up in the index of messages.
func (n tally) add(t *badger.Txn, h *house, e *callback.Entry, messages *finder, fault func(string, ...any)) {
	places := placesOf(h, e)
	if places[placeLate] != nil {
		n[kindLate]++
	}
	if k := places[placeCode]; k != nil {
		n[kindCode]++
		if _, err := t.Get(k); err != nil {
			fault("call %s is not in the index of codes: %v", e.ID, err)
		}
	}
	n[kindAttempt] += e.Attempts
	r, _, _, err := readPayload(t, h.slot, e.ID)
	if err != nil || r.MessageID == "" {
		return // of damage others tell
	}
	if err := messages.find(mention{mentionHash(r.MessageID), e.ID, h.cb.Num}); err != nil {
		fault("call %s is not in the index of messages: %v", e.ID, err)
	}
}

// compare reports what is in an index without a call, or outside of its span.
func (n tally) compare(t *badger.Txn, h *house, fault func(string, ...any)) {
	for kind, in := range map[byte]struct {
		span
		at int // where what it bounds stands in a key, from the end
	}{
		kindLate: {h.marks.spans[spanFresh], 8}, kindCode: {h.marks.spans[spanCode], 8}, kindAttempt: {h.marks.spans[spanAttempts], 20},
	} {
		got := 0
		err := eachKey(t, put32(key(h.slot, kind), uint32(h.cb.Num)), nil, func(k []byte) (bool, error) {
			got++
			if at := ^be64(k[len(k)-in.at:]); at < in.low || at > in.top {
				fault("index %q has %d, outside of %d to %d", kind, at, in.low, in.top)
			}
			return true, nil
		})
		if err != nil || got != n[kind] {
			fault("index %q has %d records, not %d: %v", kind, got, n[kind], err)
		}
	}
}
