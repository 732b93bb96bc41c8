package queue

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// What garbage collection brings back of calls that are gone is removed again,
// and nothing that belongs to a call is, wherever that stands.
func TestPurgeStray(t *testing.T) {
	t.Parallel()
	e, num, ids := failures(t, 5)
	fill(t, e, num, 2*strayScan)
	_, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: num, Response: callback.Response{DeliverAt: queuetest.Start.Add(time.Hour)}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Resolve(t.Context(), queuetest.Start, num, ids[:1], "ana"); err != nil {
		t.Fatal(err)
	}
	before := payloads(t, e)
	later, none := queuetest.Start.Add(time.Hour), queuetest.Start
	if n, err := e.PurgeStray(t.Context(), later, later); n != 0 || err != nil {
		t.Fatalf("removed %d of calls that are there: %v", n, err)
	}
	r := kilobyte()
	err = e.db.Update(func(txn *badger.Txn) error {
		for i := range 3000 {
			id := callback.FirstCallID(queuetest.Start) + callback.CallID(1<<19+i)
			if err := txn.Set(payloadKey(slotOf(1), id), encodePayload(&r, num, queuetest.Start)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	damage(t, e, payloadKey(slotOf(1)+1, 7), encodePayload(&r, num, queuetest.Start)) // where no callback is
	young := callback.FirstCallID(later)
	damage(t, e, payloadKey(slotOf(1), young), encodePayload(&r, num, later))
	if n, err := e.PurgeStray(t.Context(), later, none); n != 1 || err != nil {
		t.Fatalf("removed %d before %v: %v", n, none, err)
	}
	if n, err := e.PurgeStray(t.Context(), later, later); n != 3000 || err != nil {
		t.Fatalf("removed %d: %v", n, err)
	}
	if after := payloads(t, e); after != before+1 {
		t.Errorf("%d responses are left of %d, and a young one", after, before)
	}
}

// When much was removed its space is given back, also where that is all there ever
// was: long responses, and too few calls for Badger to compact anything by itself.
func TestGarbageIsCollected(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	long := callback.NewCall{Num: cb.Num, Response: callback.Response{Message: callback.Message{Content: strings.Repeat("x", 400<<10)}}}
	for range 200 {
		out, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{long})
		if err != nil {
			t.Fatal(err)
		}
		failAll(t, e, cb.Num, queuetest.Start, callback.Attempt{OK: true, Code: 200}, out[0].ID)
	}
	later := queuetest.Start.Add(time.Hour)
	tidy := func(limit int) int64 {
		t.Helper()
		if _, err := e.Purge(t.Context(), later, later, later, limit); err != nil {
			t.Fatal(err)
		}
		if err := e.CollectGarbage(t.Context(), later, false); err != nil {
			t.Fatal(err)
		}
		n, err := diskUse(e.opt.Dir)
		if err != nil {
			t.Fatal(err)
		}
		return n >> 20
	}
	if n := tidy(10); n < 78 || e.removed.Load() == 0 {
		t.Errorf("%d MB are left of 80, of which 4 were removed: not worth while", n)
	}
	if n := tidy(1000); n > 60 {
		t.Errorf("%d MB are left when all was removed", n)
	}
}

// payloads returns how many responses are stored.
func payloads(t *testing.T, e *Engine) (n int) {
	t.Helper()
	err := e.db.View(func(txn *badger.Txn) error {
		for slot := range 256 {
			err := eachKey(txn, key(byte(slot), kindPayload), nil, func([]byte) (bool, error) { n++; return true, nil })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return n
}

// A damaged table is told of, in words, by who looks, also where Badger panics; it
// ends nothing.
func TestVerify(t *testing.T) {
	t.Parallel()
	for name, flip := range map[string]func(b []byte){
		"a value":                     func(b []byte) { b[bytes.Index(b, []byte("format"))+10] ^= 1 },
		"the length of a block's sum": func(b []byte) { b[endOfBlock(b)-4] ^= 0x10 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := filled(t)
			e, err := openDir(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(e.Verify(), e.Close()); err != nil {
				t.Fatal(err)
			}
			tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
			if err != nil || len(tables) == 0 {
				t.Fatal(tables, err)
			}
			b, err := os.ReadFile(tables[0])
			if err != nil {
				t.Fatal(err)
			}
			flip(b)
			if err := os.WriteFile(tables[0], b, 0o600); err != nil {
				t.Fatal(err)
			}
			if e, err = openDir(dir); err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if err := e.Verify(); err == nil || !strings.Contains(err.Error(), "damaged") || e.Err() != nil {
				t.Errorf("got %v, engine: %v", err, e.Err())
			}
		})
	}
}

// endOfBlock returns where the first block of a table ends: with its checksum, a
// field with tag 0x10, and the length of that in four bytes.
func endOfBlock(b []byte) int {
	for at := 8; ; at++ {
		if n := int(b[at+3]); be32(b[at:]) < 8 && n > 1 && b[at-n] == 0x10 {
			return at + 4
		}
	}
}
