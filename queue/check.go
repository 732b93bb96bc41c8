package queue

import (
	"fmt"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// checkHouse verifies what is on disk of one callback.
func checkHouse(t *badger.Txn, h *house, running map[callback.CallID]*run) (faults []error) {
	fault := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("callback %d: "+format, append([]any{h.cb.Num}, args...)...))
	}
	var counts callback.Counts
	var xor uint64
	due := map[callback.CallID]int{}
	for _, class := range []callback.DueClass{callback.Fresh, callback.Tried} {
		err := eachItem(t, duePrefix(h.slot, h.cb.Num, class), nil, true, func(k, v []byte) (bool, error) {
			id := callback.CallID(be64(k[len(k)-8:]))
			e, err := decodeEntry(v, h.cb.Num, id)
			if err != nil {
				return false, err
			}
			due[id]++
			xor ^= uint64(id)
			if e.Status != callback.Ready || e.DueClass() != class || string(dueKey(h.slot, &e)) != string(k) {
				fault("due entry of call %s does not agree with its key", id)
			}
			if class == callback.Fresh {
				counts.Pending++
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
			if (e.Status == callback.Ready) != (due[id] == 1) || due[id] > 1 {
				fault("call %s is %d with %d due entries", id, e.Status, due[id])
			}
			if string(rowOf(h, &e)) != string(k) {
				fault("row of call %s does not agree with its key", id)
			}
			return true, checkAttempts(t, h, &e, fault)
		})
		if err != nil {
			fault("rows: %v", err)
		}
	}
	counts.Accepted, counts.Purged, counts.Skipped = h.live.Counts.Accepted, h.live.Counts.Purged, h.live.Counts.Skipped
	if counts != h.live.Counts {
		fault("counted %+v, the counters say %+v", counts, h.live.Counts)
	}
	if counts.Accepted != counts.Sum()+counts.Purged {
		fault("accepted %d, stored %d, purged %d", counts.Accepted, counts.Sum(), counts.Purged)
	}
	if xor != h.xor {
		fault("the ids of waiting calls xor to %x, not %x", xor, h.xor)
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

func checkAttempts(t *badger.Txn, h *house, e *callback.Entry, fault func(string, ...any)) error {
	n := 0
	err := eachKey(t, put64(key(h.slot, kindAttempt), uint64(e.ID)), nil, func(k []byte) (bool, error) {
		n++
		if got := int(be32(k[len(k)-4:])); got != n {
			fault("call %s has attempt %d where %d should be", e.ID, got, n)
		}
		return true, nil
	})
	if n != e.Attempts {
		fault("call %s has %d attempts and %d records", e.ID, e.Attempts, n)
	}
	return err
}
