package series

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"ringback/callback"
)

// history is what an archive must have: rows by minute.
type history map[uint32][]row

// random returns the rows of a minute in which about half of the callbacks were
// idle.
func (h history) random(at uint32) []row {
	rng := rand.New(rand.NewPCG(uint64(at), 1))
	var rows []row
	for id := range callback.CallbackID(5) {
		if rng.IntN(2) == 0 {
			continue
		}
		r := row{id, minute{ok: rng.Uint32N(1 << 24), failed: rng.Uint32N(3), accepted: rng.Uint32N(1 << 30), waiting: rng.Uint32()}}
		r.p50 = uint8(1 + rng.IntN(buckets-1))
		r.p95 = r.p50 + 1
		rows = append(rows, r)
	}
	if at%7 == 0 {
		rows = append(rows, row{7, minute{waiting: math.MaxUint32}}) // nothing but calls that wait
	}
	h[at] = rows
	return rows
}

func (h history) journal(from uint32) (out []callback.Minute) {
	for _, at := range slices.Sorted(maps.Keys(h)) {
		if at >= from {
			out = append(out, callback.Minute{At: timeOf(at), Figures: encode(h[at])})
		}
	}
	return out
}

// compare holds what an archive tells of the minutes from one up to another
// against what it must.
func (h history) compare(t *testing.T, a *archive, from, to uint32) {
	t.Helper()
	for id := range callback.CallbackID(9) {
		got := map[uint32]minute{}
		err := a.read(t.Context(), id, from, to, func(at uint32, m *minute) {
			sum := got[at]
			sum.add(m)
			got[at] = sum
		})
		if err != nil {
			t.Fatal(err)
		}
		want := map[uint32]minute{}
		for at, rows := range h {
			for _, r := range rows {
				if r.id == id && at >= from && at < to && !r.idle() {
					want[at] = r.minute
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("callback %d from %d to %d: %d minutes, want %d", id, from, to, len(got), len(want))
		}
	}
}

const first = uint32(29_000_000) // a minute of 2025

func open(t *testing.T, dir string, journal []callback.Minute, now uint32) *archive {
	t.Helper()
	a, err := openArchive(dir, journal, timeOf(now))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Through minutes in memory and partitions on disk, an end and another start, the
// archive has what was put there, once.
func TestArchive(t *testing.T) {
	t.Parallel()
	dir, h := t.TempDir(), history{}
	a := open(t, dir, nil, first)
	at := first
	fill := func(n uint32) {
		for end := at + n; at < end; at++ {
			if at%50 == 3 {
				continue // nobody did anything
			}
			if err := a.insert(timeOf(at), h.random(at)); err != nil {
				t.Fatal(err)
			}
		}
	}
	fill(100)
	h.compare(t, a, first, at)
	fill(1900)
	if got := uint32(a.onDisk / 60); len(a.partitions) != 1+5 || got != first+5*full-1 || a.unwritten[0].at != got+1 {
		t.Errorf("%d partitions, on disk up to %d, in memory from %d", len(a.partitions), got-first, a.unwritten[0].at-first)
	}
	for _, b := range [][2]uint32{{first, at}, {first + 1, first + 2}, {at - 100, at}, {first + 359, first + 1081}, {first - 500, first}, {at, at + 500}} {
		h.compare(t, a, b[0], b[1])
	}
	if err := a.insert(timeOf(at-1), []row{{1, minute{ok: 1}}}); err != nil { // once more
		t.Fatal(err)
	}
	h.compare(t, a, first, at)
	shut(t, a)
	a = open(t, dir, nil, at) // the journal was removed
	h.compare(t, a, first, at)
	fill(10)
	h.compare(t, a, first, at)
	shut(t, a)
	a = open(t, dir, h.journal(at-200), at) // and once more what is there already
	h.compare(t, a, first, at)
	shut(t, a)
}

func shut(t *testing.T, a *archive) {
	t.Helper()
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

// Whatever a crash leaves of a partition, the journal makes good, and it is not
// counted twice.
func TestArchiveAfterACrash(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"nothing":  func(string) error { return nil },
		"no meta":  func(path string) error { return os.Remove(filepath.Join(path, "meta.json")) },
		"torn":     func(path string) error { return os.Truncate(filepath.Join(path, "meta.json"), 100) },
		"empty":    func(path string) error { return os.Truncate(filepath.Join(path, "meta.json"), 0) },
		"no data":  func(path string) error { return os.Remove(filepath.Join(path, "data")) },
		"cut data": func(path string) error { return os.Truncate(filepath.Join(path, "data"), 10) },
		"gone":     os.RemoveAll,
		"unnamed": func(path string) error {
			dir, name := filepath.Split(path)
			return os.Rename(path, filepath.Join(dir, writing, name))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, h := t.TempDir(), history{}
			a := open(t, dir, nil, first)
			at := first
			for ; at < first+1200; at++ {
				if err := a.insert(timeOf(at), h.random(at)); err != nil {
					t.Fatal(err)
				}
			}
			last := a.partitions[len(a.partitions)-1]
			if err := spoil(filepath.Join(dir, last.folder())); err != nil {
				t.Fatal(err)
			}
			// The process is gone without a word: a is not closed before another opens,
			// and the minutes of the last partition have not left the journal.
			b := open(t, dir, h.journal(uint32(last.Min/60)), at)
			h.compare(t, b, first, at)
			for end := at + full; at < end; at++ { // it is written once more
				if err := b.insert(timeOf(at), h.random(at)); err != nil {
					t.Fatal(err)
				}
			}
			h.compare(t, b, first, at)
			shut(t, b)
			b = open(t, dir, nil, at)
			h.compare(t, b, first, at)
			shut(t, b)
			if err := a.partitions[0].db.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// What cannot be written stays where it is read, and is written later.
func TestPartitionIsTriedAgain(t *testing.T) {
	t.Parallel()
	dir, h := filepath.Join(t.TempDir(), "series"), history{}
	a := open(t, dir, nil, first)
	insert := func(at uint32) error { return a.insert(timeOf(at), h.random(at)) }
	for at := first; at < first+full; at++ {
		if err := insert(at); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Rename(dir, dir+"-away"), os.WriteFile(dir, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	for at := first + full; at < first+full+3; at++ {
		if err := insert(at); err == nil || a.onDisk != 0 {
			t.Fatalf("a partition was written into nothing: %v", err)
		}
		h.compare(t, a, first, at+1)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+"-away", dir)); err != nil {
		t.Fatal(err)
	}
	if err := insert(first + full + 3); err != nil || a.onDisk != 60*int64(first+full+2) {
		t.Fatalf("on disk up to %d: %v", a.onDisk/60-int64(first), err)
	}
	h.compare(t, a, first, first+full+4)
	shut(t, a)
}

// A partition that a full disk left without some of its series is none: tstorage
// reports no error.
func TestPartitionThatIsNotWholeIsTriedAgain(t *testing.T) { // alone, for its limit is the process's
	h, dir := history{}, t.TempDir()
	a := open(t, dir, nil, first)
	for at := first; at < first+full; at++ {
		if err := a.insert(timeOf(at), h.random(at)); err != nil {
			t.Fatal(err)
		}
	}
	var was syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	small := was
	small.Cur = 6 << 10 // enough for what tstorage writes last
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &small); err != nil {
		t.Fatal(err)
	}
	err := a.insert(timeOf(first+full), h.random(first+full))
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err == nil || !strings.Contains(err.Error(), "points") {
		t.Fatalf("it was taken for whole: %v", err)
	}
	h.compare(t, a, first, first+full+1)
	if err := a.insert(timeOf(first+full+1), h.random(first+full+1)); err != nil || len(a.unwritten) != 1 {
		t.Fatalf("%d minutes are not written: %v", len(a.unwritten), err)
	}
	h.compare(t, a, first, first+full+2)
	shut(t, a)
}

// What is older than the retention is removed.
func TestRetention(t *testing.T) {
	t.Parallel()
	dir, h := t.TempDir(), history{}
	a := open(t, dir, nil, first)
	const days = 100
	for at := first; at < first+days*day; at += 2 * day {
		if err := a.insert(timeOf(at), h.random(at)); err != nil {
			t.Fatal(err)
		}
	}
	oldest := first + (days-94)*day
	maps.DeleteFunc(h, func(at uint32, rows []row) bool { return at < oldest || len(rows) == 0 })
	h.compare(t, a, first, first+days*day)
	onDisk, err := filepath.Glob(filepath.Join(dir, "p-*"))
	if err != nil || len(onDisk) != len(h)-1 {
		t.Errorf("%d partitions on disk, want %d: %v", len(onDisk), len(h)-1, err)
	}
	shut(t, a)
}

// A partition that cannot be opened costs its own time, and no more.
func TestBrokenPartitionIsPutAside(t *testing.T) {
	t.Parallel()
	dir, h := t.TempDir(), history{}
	for i := range uint32(3) {
		a := open(t, dir, nil, first+10*i)
		for at := first + 10*i; at < first+10*i+10; at++ {
			if err := a.insert(timeOf(at), h.random(at)); err != nil {
				t.Fatal(err)
			}
		}
		if err := a.close(); err != nil {
			t.Fatal(err)
		}
	}
	middle := span{60 * int64(first+10), 60 * int64(first+19)}
	if err := os.WriteFile(filepath.Join(dir, middle.folder(), "meta.json"), []byte(`{"minTi`), 0o600); err != nil {
		t.Fatal(err)
	}
	for at := first + 10; at < first+20; at++ {
		delete(h, at)
	}
	for range 2 {
		a := open(t, dir, nil, first+30)
		h.compare(t, a, first, first+30)
		if err := a.close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, brokenPrefix+middle.folder())); err != nil {
		t.Error(err)
	}
	a := open(t, dir, nil, first-100) // the clock was wrong before
	h = history{}
	h.compare(t, a, first, first+30)
	if err := a.insert(timeOf(first-100), h.random(first-100)); err != nil {
		t.Fatal(err)
	}
	h.compare(t, a, first-100, first+30)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

// Nobody reads what is half there.
func TestArchiveIsReadWhileItIsWritten(t *testing.T) {
	t.Parallel()
	a, h := open(t, t.TempDir(), nil, first), history{}
	var wg sync.WaitGroup
	done := make(chan struct{})
	for id := range callback.CallbackID(3) {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				last := uint32(0)
				err := a.read(t.Context(), id, first, first+1500, func(at uint32, _ *minute) { last = max(last, at) })
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for at := first; at < first+1500; at++ {
		if err := a.insert(timeOf(at), h.random(at)); err != nil {
			t.Fatal(err)
		}
	}
	close(done)
	wg.Wait()
	h.compare(t, a, first, first+1500)
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
}

func TestRowsAreKeptWhole(t *testing.T) {
	t.Parallel()
	rows := history{}.random(first)
	rows = append(rows, row{1<<64 - 1, minute{1<<24 - 1, 1<<24 - 1, 1<<30 - 1, math.MaxUint32, buckets, buckets}}, row{})
	got, err := decode(encode(rows))
	if err != nil || !slices.Equal(got, rows) {
		t.Errorf("%v, %v", got, err)
	}
	much := []row{{1, minute{ok: math.MaxUint32, failed: math.MaxUint32, accepted: math.MaxUint32}}}
	if got, err := decode(encode(much)); err != nil || got[0].minute != (minute{ok: most24, failed: most24, accepted: most30}) {
		t.Errorf("%+v, %v", got, err)
	}
	for i := range rows {
		for _, bits := range func() []uint64 { a, b := rows[i].pack(); return []uint64{a, b} }() {
			if f := math.Float64frombits(bits); math.IsNaN(f) || math.IsInf(f, 0) || f < 0 {
				t.Errorf("%x is %v", bits, f)
			}
		}
	}
	if _, err := decode(encode(rows)[1:]); err == nil {
		t.Error("a row that is not whole is read")
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(history{}.random(first)))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, err := decode(b)
		if err != nil {
			return
		}
		for i := range rows {
			var s sum
			s.add(&rows[i].minute)
			_ = fmt.Sprint(s.cell())
		}
		if again, err := decode(encode(rows)); err != nil || !slices.Equal(again, rows) {
			t.Errorf("%v, %v", again, err)
		}
	})
}
