package queue

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/callback"
	"ringback/queue/queuetest"
)

// older makes the live states of all callbacks what a ringback wrote that did
// not count attempts, and closes the engine.
func older(tb testing.TB, e *Engine) {
	tb.Helper()
	for _, h := range e.houses {
		b := encodeLive(&h.live, &h.marks)
		since := []uint64{h.live.Attempts, h.live.Good} // what is written of them, and behind them
		for _, head := range h.marks.heads {
			since = append(since, head.due, head.id)
		}
		r := &h.live.Requeued
		since = append(since, ms(r.Began), ms(r.Last), r.Calls, r.Delivered, r.Failed, r.Resolved, r.Once)
		for _, n := range since {
			b = b[:len(b)-len(binary.AppendUvarint(nil, n))]
		}
		w := &writer{b: b}
		if _, _, counted, err := decodeLive(w.seal()); counted || err != nil {
			tb.Fatalf("this is no older record: %v", err)
		}
		err := e.submit(tb.Context(), queuetest.Start, 8, 4096, func(g *group) error {
			return g.putSplit(liveKey(h.slot, h.num), w.seal())
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		tb.Fatal(err)
	}
}

// The attempts in a folder that was written before they were counted are counted
// at its first opening, and stored: not at the next.
func TestAttemptsOfOlderFolderAreCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reopen := func(opened int) *Engine {
		now := queuetest.Start.Add(time.Duration(opened) * time.Hour)
		e, err := Open(Options{Dir: dir, Now: now, Policy: queuetest.Policy(), Free: plenty, noSync: true})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := reopen(0)
	for i, name := range []string{"a", "idle", "b"} {
		if _, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	for _, num := range []callback.Num{1, 3} {
		ids := fill(t, e, num, 4)
		failAll(t, e, num, queuetest.Start, callback.Attempt{Code: 500, Class: callback.ClassStatus}, ids[0], ids[1], ids[0])
		failAll(t, e, num, queuetest.Start, callback.Attempt{Code: 200, OK: true}, ids[0], ids[2])
		if num == 1 { // the end of the process interrupts an attempt
			if _, err := e.ClaimManual(t.Context(), queuetest.Start, num, ids[1], false); err != nil {
				t.Fatal(err)
			}
		}
	}
	older(t, e)
	for opened := 1; opened <= 2; opened++ {
		e = reopen(opened)
		for num, want := range map[callback.Num][2]uint64{1: {6, 2}, 2: {0, 0}, 3: {5, 2}} {
			if l := &e.houses[num-1].live; l.Attempts != want[0] || l.Good != want[1] {
				t.Errorf("callback %d: %d attempts, %d of them good; want %d", num, l.Attempts, l.Good, want)
			}
		}
		if err := e.Check(t.Context()); err != nil {
			t.Error(err)
		}
		stored(t, e)
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// stored fails unless the live state on disk has the counts in it.
func stored(t *testing.T, e *Engine) {
	t.Helper()
	err := e.db.View(func(txn *badger.Txn) error {
		h, err := e.loadHouse(txn, e.houses[2].slot, callbackKey(e.houses[2].slot, 3))
		if err == nil && !h.counted {
			t.Error("the counts were not stored")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkCountAttempts opens a folder with 930,000 attempts of ten callbacks
// that were not counted when it was written, and opens it again.
func BenchmarkCountAttempts(b *testing.B) {
	dir := b.TempDir()
	reopen := func() *Engine {
		e, err := Open(Options{Dir: dir, Now: queuetest.Start.AddDate(1, 0, 0), Policy: queuetest.Policy(), Free: plenty, noSync: true})
		if err != nil {
			b.Fatal(err)
		}
		return e
	}
	e := reopen()
	h := stock{b: b, e: e}
	h.callbacks(10)
	h.fill(1_000_000)
	for b.Loop() {
		older(b, e)
		began := time.Now()
		e = reopen()
		first := time.Since(began)
		if err := e.Close(); err != nil {
			b.Fatal(err)
		}
		began = time.Now()
		e = reopen()
		b.ReportMetric(float64(first.Milliseconds()), "first-ms")
		b.ReportMetric(float64(time.Since(began).Milliseconds()), "next-ms")
	}
	if err := e.Close(); err != nil {
		b.Fatal(err)
	}
}
