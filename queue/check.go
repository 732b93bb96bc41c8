package queue

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// Check verifies the invariants that can be seen on disk: that the counters are
// right, that every waiting call has exactly one due entry, that attempts are
// numbered without gaps, that the indexes tell of all calls and of no others, that no
// alert is owed twice, and that the API keys are those in memory. It reads
// everything, and nothing may be written meanwhile.
func (e *Engine) Check(ctx context.Context) error {
	e.mu.RLock()
	houses := slices.Clone(e.houses)
	running, keys := maps.Clone(e.runs), e.keys
	var operations []operation
	for _, o := range e.operations {
		operations = append(operations, *o)
	}
	e.mu.RUnlock()
	var faults []error
	err := e.view(func(t *badger.Txn) error {
		for _, h := range houses {
			if h != nil && ctx.Err() == nil {
				faults = append(faults, checkHouse(t, h, running)...)
			}
		}
		faults = append(faults, checkMessages(ctx, t, houses)...)
		faults = append(faults, checkOwners(t, houses)...)
		faults = append(faults, checkKeys(t, keys)...)
		faults = append(faults, checkOperations(t, operations)...)
		return ctx.Err()
	})
	return errors.Join(append(faults, err)...)
}

// audit counts again what is on disk of one callback, and notes what is wrong.
type audit struct {
	t       *badger.Txn
	h       *house
	running map[callback.CallID]*run

	places   tally
	messages *finder
	counts   callback.Counts
	xor      uint64 // of the ids of calls that wait
	attempts uint64
	good     uint64 // of these, those that succeeded
	again    uint64 // calls that were let go again and wait
	once     uint64 // of these, those that get one attempt

	faults []error // at most maxFaults
	more   int     // beyond those
}

// checkHouse verifies what is on disk of one callback.
func checkHouse(t *badger.Txn, h *house, running map[callback.CallID]*run) []error {
	a := &audit{t: t, h: h, running: running, places: tally{}, messages: newFinder(t)}
	defer a.messages.close()
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		err := eachItem(t, duePrefix(h.slot, h.cb.Num, class), nil, true, func(k, v []byte) (bool, error) {
			return true, a.due(class, k, v)
		})
		if err != nil {
			a.fault("due index: %v", err)
		}
	}
	for _, status := range []byte{rowSuccess, rowFailed} {
		err := eachItem(t, rowPrefix(h.slot, h.cb.Num, status), nil, true, func(k, v []byte) (bool, error) {
			return true, a.row(k, v)
		})
		if err != nil {
			a.fault("rows: %v", err)
		}
	}
	a.places.compare(t, h, a.fault)
	a.counters()
	if a.more > 0 {
		a.faults = append(a.faults, fmt.Errorf("callback %d: %d more faults", h.cb.Num, a.more))
	}
	return a.faults
}

func (a *audit) fault(format string, args ...any) {
	if len(a.faults) == maxFaults {
		a.more++
		return
	}
	a.faults = append(a.faults, fmt.Errorf("callback %d: "+format, append([]any{a.h.cb.Num}, args...)...))
}

// due looks at a call that waits.
func (a *audit) due(class callback.DueClass, k, v []byte) error {
	id := callback.CallID(be64(k[len(k)-8:]))
	e, err := decodeEntry(v, a.h.cb.Num, id)
	if err != nil {
		return err
	}
	if a.running[id] == nil && placeOf(&e).before(a.h.marks.heads[class]) {
		a.fault("call %s waits before the head of its class", id)
	}
	a.xor ^= uint64(id)
	if e.Status != callback.Ready || e.DueClass() != class || string(dueKey(a.h.slot, &e)) != string(k) {
		a.fault("due entry of call %s does not agree with its key", id)
	} else if class == callback.Tried || late(&e) {
		checkPlace(a.t, a.h, &e, a.fault)
	}
	if class == callback.Fresh {
		a.counts.Pending++
		a.places.add(a.t, a.h, &e, a.messages, a.fault)
	}
	if _, _, _, err := readPayload(a.t, a.h.slot, id); err != nil {
		a.fault("call %s waits without a readable response: %v", id, err)
	}
	return nil
}

// row looks at a call that was tried, resolved or given up.
func (a *audit) row(k, v []byte) error {
	id := callback.CallID(^be64(k[len(k)-8:]))
	e, err := decodeEntry(v, a.h.cb.Num, id)
	if err != nil {
		return err
	}
	countRow(&a.counts, &e)
	if _, err := a.t.Get(freshKey(a.h.slot, a.h.cb.Num, id)); !errors.Is(err, badger.ErrKeyNotFound) {
		a.fault("call %s has a due entry that is not its own: %v", id, err)
	}
	if e.Status == callback.Ready {
		if _, err := a.t.Get(dueKey(a.h.slot, &e)); err != nil {
			a.fault("call %s is to be tried again and has no due entry: %v", id, err)
		}
	}
	if string(rowOf(a.h, &e)) != string(k) {
		a.fault("row of call %s does not agree with its key", id)
	}
	a.places.add(a.t, a.h, &e, a.messages, a.fault)
	a.attempts += uint64(e.Attempts)
	if e.Requeued {
		a.again++
	}
	if e.Was != callback.NoReason && !e.Renew {
		a.once++
	}
	a.good += checkAttempts(a.t, a.h, &e, a.fault)
	return nil
}

// counters compares what was counted with what the live state says.
func (a *audit) counters() {
	live, n := &a.h.live, a.counts
	if a.attempts != live.Attempts || a.good != live.Good {
		a.fault("counted %d attempts of which %d succeeded, the counters say %d and %d", a.attempts, a.good, live.Attempts, live.Good)
	}
	if a.again != live.Requeued.Waiting() {
		a.fault("%d calls were let go again and wait, the counters say %d", a.again, live.Requeued.Waiting())
	}
	if a.once < live.Requeued.Once { // calls that were let go before those were counted are beside them
		a.fault("%d calls get one attempt, the counters say %d", a.once, live.Requeued.Once)
	}
	n.Accepted, n.Purged, n.Skipped = live.Counts.Accepted, live.Counts.Purged, live.Counts.Skipped
	if n != live.Counts {
		a.fault("counted %+v, the counters say %+v", n, live.Counts)
	}
	if n.Accepted != n.Sum()+n.Purged {
		a.fault("accepted %d, stored %d, purged %d", n.Accepted, n.Sum(), n.Purged)
	}
	if a.xor != a.h.marks.xor {
		a.fault("the ids of waiting calls xor to %x, not %x", a.xor, a.h.marks.xor)
	}
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
