package queue

import (
	"slices"
	"testing"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
)

// A folder opens whatever number of claim records a kill left in it: one for
// each commit that a call of another callback began in.
func TestManyClaimRecords(t *testing.T) {
	t.Parallel()
	dir, ids := filled(t)
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	one := encodeClaims([]claimed{{num: 1, id: ids[0], attempt: 1}})
	seqs := make([]uint64, groupWeight+1)
	for i := range seqs {
		seqs[i] = uint64(i + 1)
	}
	for page := range slices.Chunk(seqs, 1000) {
		err := e.db.Update(func(t *badger.Txn) error {
			for _, seq := range page {
				if err := t.Set(claimKey(byte(seq), seq), one); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = openDir(dir); err != nil {
		t.Fatal("open:", err)
	}
	defer func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}()
	if c, err := e.Call(t.Context(), 1, ids[0]); err != nil || c.Entry.Attempts != 1 || c.LastClass != callback.ClassInterrupted {
		t.Errorf("the call whose claim was left: %+v, %v; want interrupted once", c.Entry, err)
	}
	if _, refs, err := e.openClaims(); err != nil || len(refs) != 0 {
		t.Errorf("%d claim records are left: %v", len(refs), err)
	}
}
