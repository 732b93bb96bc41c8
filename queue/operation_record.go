package queue

import (
	"fmt"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

func encodeOperation(o *operation) []byte {
	w := newWriter(256)
	w.string(o.ID)
	w.uint(uint64(o.Num))
	w.string(string(o.Kind))
	w.string(string(o.State))
	f := &o.Filter
	w.uint(uint64(f.Status))
	w.span(time.Duration(f.Code)) // may be negative
	for _, s := range []string{string(f.State), f.MessageID, f.Reason, f.Class, f.Text, o.By, o.Note} {
		w.string(s)
	}
	for _, t := range []time.Time{f.From, f.To, o.Created, o.Finished} {
		w.time(t)
	}
	w.bool(o.Extend)
	for _, n := range []uint64{uint64(o.Upto), uint64(o.After), o.Total, o.Matched, o.Changed, o.Undone, o.Missed, o.Kept} {
		w.uint(n)
	}
	w.uint(uint64(o.Rate))
	w.string(o.Remark)
	w.int(o.Named)
	w.string(string(o.Names[:]))
	return w.seal()
}

func decodeOperation(b []byte) (callback.Operation, error) {
	r := open(b)
	o := callback.Operation{
		ID: r.string(), Num: callback.Num(r.uint()),
		Kind: callback.OperationKind(r.string()), State: callback.OperationState(r.string()),
	}
	f := &o.Filter
	f.Status, f.Code = callback.CallStatus(r.uint()), int(r.span())
	f.State, f.MessageID, f.Reason, f.Class, f.Text = callback.CallState(r.string()), r.string(), r.string(), r.string(), r.string()
	o.By, o.Note = r.string(), r.string()
	for _, t := range []*time.Time{&f.From, &f.To, &o.Created, &o.Finished} {
		*t = r.time()
	}
	r.bool(&o.Extend)
	o.Upto, o.After = callback.CallID(r.uint()), callback.CallID(r.uint())
	for _, n := range []*uint64{&o.Total, &o.Matched, &o.Changed, &o.Undone, &o.Missed, &o.Kept} {
		*n = r.uint()
	}
	o.Rate, o.Remark, o.Named = int(r.uint()), r.string(), r.int()
	copy(o.Names[:], r.string())
	return o, r.err
}

// checkOperations verifies that every operation keeps as many earlier states of
// calls as it says, and that none is kept for nobody.
func checkOperations(t *badger.Txn, all []operation) (faults []error) {
	kept := map[[9]byte]uint64{}
	for slot := range 256 {
		err := eachKey(t, key(byte(slot), kindUndo), nil, func(k []byte) (bool, error) {
			kept[[9]byte(append([]byte{k[0]}, k[2:10]...))]++
			return true, nil
		})
		if err != nil {
			return []error{err}
		}
	}
	for _, o := range all {
		k := [9]byte(put64([]byte{o.slot}, o.seq))
		if kept[k] != o.Kept {
			faults = append(faults, fmt.Errorf("operation %s keeps %d earlier states, %d are there", o.ID, o.Kept, kept[k]))
		}
		if o.Changed > o.Matched || o.Kind == callback.OperationResolve && o.Undone+o.Missed+o.Kept > o.Changed {
			faults = append(faults, fmt.Errorf("operation %s counts %d matched, %d changed, %d undone, %d missed, %d kept",
				o.ID, o.Matched, o.Changed, o.Undone, o.Missed, o.Kept))
		}
		delete(kept, k)
	}
	if len(kept) > 0 {
		faults = append(faults, fmt.Errorf("earlier states of calls are kept for %d operations that do not exist", len(kept)))
	}
	return append(faults, checkNamed(t, all)...)
}
