package queue

import (
	"math"
	"slices"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// head bounds the calls of one class that wait and do not run: none stands before
// it in the schedule. What was taken from the head of a queue leaves a tombstone
// each until Badger compacts it, and a seek from the beginning walks over them
// all. The writer lowers the bound when a call begins to wait, and raises it now
// and then; it is written with the live state, and the zero value, the very
// beginning, is always true.
type head struct {
	due, id uint64
	gone    int // how many calls left the class since the bound was raised
}

// headStep is how many calls may leave a class before its bound is raised: as
// many tombstones a look at its head walks over at most, beside those of calls
// that were taken from further behind.
const headStep = 256

func placeOf(e *callback.Entry) head { return head{due: ms(e.Due), id: uint64(e.ID)} }

func (a head) before(b head) bool { return a.due < b.due || a.due == b.due && a.id < b.id }

// waits lowers the bound to where a call waits.
func (a *head) waits(e *callback.Entry) {
	if p := placeOf(e); p.before(*a) {
		a.due, a.id = p.due, p.id
	}
}

// key is the place of a, or that of from if it is later, in the schedule.
func (a head) key(prefix []byte, from callback.DueKey) []byte {
	if f := (head{due: ms(from.Due), id: uint64(from.ID)}); a.before(f) {
		a = f
	}
	return put64(put64(prefix[:len(prefix):len(prefix)], a.due), a.id)
}

// from returns the id before which no call waits that is not late: those are due at
// the time in their ids.
func (a head) from() uint64 {
	if a.due > math.MaxInt64 {
		return math.MaxUint64 // none waits
	}
	return uint64(callback.FirstCallID(fromMS(a.due)))
}

// beyond is the bound where none waits that does not run.
var beyond = head{due: math.MaxUint64, id: math.MaxUint64}

// lift raises the bounds of callbacks all of whose waiting calls run: where an endpoint
// keeps up that is so nearly always, and nothing need be read, for which the writer
// would wait for what is being committed. That has only what reads nothing: so who
// looks at the disk as it was before misses no call that was never tried. It left its
// class with an attempt, of which memory tells until the result is to be seen.
func (e *Engine) lift() {
	e.stale = slices.DeleteFunc(e.stale, func(h *house) bool {
		for class := range h.marks.heads {
			if h.marks.heads[class].gone < e.opt.headStep {
				continue
			}
			if !e.allRun(h, callback.DueClass(class)) {
				return false
			}
			e.mu.Lock()
			h.marks.heads[class] = beyond
			e.mu.Unlock()
		}
		return true
	})
}

// allRun reports whether every call of a class that waits runs.
func (e *Engine) allRun(h *house, class callback.DueClass) bool {
	waits := h.live.Counts.InClass(class)
	if waits > uint64(h.live.Running+h.live.Manual) {
		return false // most often: the rest is not looked at
	}
	for _, r := range e.runs {
		if c := &r.entry; c.Num == h.num && c.Status == callback.Ready && c.DueClass() == class {
			waits--
		}
	}
	return waits == 0
}

// raise moves the bounds of callbacks from which many calls went. The writer
// does that between two commits, when the disk has all it knows of.
func (e *Engine) raise() error {
	for _, h := range e.stale {
		for class := range h.marks.heads {
			if h.marks.heads[class].gone < e.opt.headStep {
				continue
			}
			to, err := e.first(h, callback.DueClass(class))
			if err != nil {
				return err
			}
			e.mu.Lock()
			h.marks.heads[class] = to
			e.mu.Unlock()
		}
	}
	e.stale = e.stale[:0]
	return nil
}

// first finds the first call of a class that waits and does not run: behind it
// the bound would be wrong, behind one that runs it is not, for what ends an
// attempt lowers it again. Where there is none it is behind all.
func (e *Engine) first(h *house, class callback.DueClass) (to head, err error) {
	to = beyond
	prefix := duePrefix(h.slot, h.num, class)
	err = e.view(func(t *badger.Txn) error {
		from := h.marks.heads[class].key(prefix, callback.DueKey{})
		return eachKey(t, prefix, from, func(k []byte) (bool, error) {
			due, id := be64(k[len(prefix):]), be64(k[len(prefix)+8:])
			if e.runs[callback.CallID(id)] != nil {
				return true, nil
			}
			to.due, to.id = due, id
			return false, nil
		})
	})
	return to, err
}
