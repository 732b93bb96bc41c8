package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

func openDir(dir string) (*Engine, error) {
	return Open(Options{Dir: dir, Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty})
}

// filled makes a folder with some calls in it and returns it closed.
func filled(t *testing.T) (dir string, ids []callback.CallID) {
	t.Helper()
	dir = t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		out, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: cb.Num, Response: kilobyte()}})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, out[0].ID)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, ids
}

func TestFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = openDir(dir)
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || locked.PID == "" || !strings.Contains(err.Error(), "ringback tui") {
		t.Errorf("second open: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// On a full disk Badger would be ended by a SIGBUS.
func TestNoRoomToOpen(t *testing.T) {
	t.Parallel()
	dir, ids := filled(t)
	if err := os.WriteFile(filepath.Join(dir, "000099.vlog"), nil, 0o600); err != nil { // what inspect removes
		t.Fatal(err)
	}
	before := listing(t, dir)
	free := uint64(openRoom - 1)
	opt := Options{Dir: dir, Now: queuetest.Start, Policy: queuetest.Policy(), Free: func() (uint64, error) { return free, nil }}
	if _, err := Open(opt); err == nil || !strings.Contains(err.Error(), "KiB free") || listing(t, dir) != before {
		t.Fatalf("opened: %v, and the folder has\n%s", err, listing(t, dir))
	}
	// What a kill leaves has to become a table.
	if err := os.WriteFile(filepath.Join(dir, "00099.mem"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	free = openRoom + 1<<20 - 1
	if _, err := Open(opt); err == nil || !strings.Contains(err.Error(), "KiB free") {
		t.Fatalf("opened with a log: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, "00099.mem")); err != nil {
		t.Fatal(err)
	}
	reopens(t, dir, ids)
}

func TestEmptyFilesOfAKillAreRemoved(t *testing.T) {
	t.Parallel()
	dir, ids := filled(t)
	for _, name := range []string{"00099.mem", "000099.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Call(t.Context(), 1, ids[19]); err != nil {
		t.Error(err)
	}
}

func TestMissingManifestIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	if err := os.Remove(filepath.Join(dir, "MANIFEST")); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(dir); err == nil || !strings.Contains(err.Error(), "MANIFEST") {
		t.Fatalf("opened without a MANIFEST: %v", err)
	}
	after, err := os.ReadDir(dir)
	if err != nil || len(after) != len(before) {
		t.Errorf("%d files before, %d after: %v", len(before), len(after), err)
	}
}

// A byte flipped in the middle of the log must not cost accepted calls without a
// word; a torn last commit, which nobody was told of, must not stop the start.
func TestDamagedLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		fill(t, e, cb.Num, 1)
	}
	// What a kill leaves: a close would turn the log into tables.
	crashed := t.TempDir()
	if err := os.CopyFS(crashed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(crashed, "*.mem"))
	if err != nil || len(logs) != 1 {
		t.Fatal(logs, err)
	}
	whole, err := os.ReadFile(logs[0])
	if err != nil {
		t.Fatal(err)
	}
	used := len(bytes.TrimRight(whole, "\x00"))
	for _, c := range []struct {
		name   string
		damage func(b []byte)
		opens  bool
	}{
		{"whole", func([]byte) {}, true},
		{"flipped early", func(b []byte) { b[100] ^= 1 }, false},
		{"flipped in the middle", func(b []byte) { b[used/2] ^= 1 }, false},
		{"zeros in the middle", func(b []byte) { clear(b[used/2 : used/2+4096]) }, false},
		{"torn at the end", func(b []byte) { clear(b[used-40 : used]) }, true},
		{"hole in the last commit", func(b []byte) { clear(b[used-120 : used-90]) }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			if err := os.CopyFS(folder, os.DirFS(crashed)); err != nil {
				t.Fatal(err)
			}
			b := slices.Clone(whole)
			c.damage(b)
			if err := os.WriteFile(filepath.Join(folder, filepath.Base(logs[0])), b, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := openDir(folder)
			if (err == nil) != c.opens {
				t.Fatalf("Open: %v", err)
			}
			if err != nil {
				if !strings.Contains(err.Error(), "commits behind it would be lost") {
					t.Errorf("says %v", err)
				}
				return
			}
			defer e.Close()
			h, err := e.Callback(1)
			if err != nil || h.Live.Counts.Pending < 199 {
				t.Errorf("%+v %v", h.Live.Counts, err)
			}
		})
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = e.submit(t.Context(), queuetest.Start, 1, 0, func(g *group) error {
		w := newWriter(4)
		w.uint(format + 1)
		return g.set(append(key(0, kindMeta), "format"...), w.seal())
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("format %d", format+1)) {
		t.Errorf("opened a newer format: %v", err)
	}
}

func TestFolderIsAFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(file); err == nil || !strings.Contains(err.Error(), "data folder") {
		t.Errorf("opened a file: %v", err)
	}
}

// A response that was damaged on disk is never sent, and never lost silently.
func TestDamagedResponse(t *testing.T) {
	t.Parallel()
	dir, ids := filled(t)
	flip(t, dir, "aho", 5) // part of the content
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	due, err := e.Due(t.Context(), 1, callback.Fresh, callback.DueKey{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	claims, damaged := 0, 0
	for _, d := range due { // one at a time, so that the callback's limit is no matter
		c, err := e.Claim(t.Context(), queuetest.Start, 1, []callback.Entry{d}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range c {
			if c.Response.Message.Content != kilobyte().Message.Content {
				t.Fatalf("would send %q", c.Response.Message.Content)
			}
			if _, err := e.Record(t.Context(), queuetest.Start, 1, c.Entry.ID, []callback.Attempt{answer()}); err != nil {
				t.Fatal(err)
			}
			claims++
		}
	}
	for _, id := range ids {
		c, err := e.Call(t.Context(), 1, id)
		if err != nil {
			t.Fatalf("call %v: %v", id, err)
		}
		h, _ := e.Callback(1)
		if c.State(&h.Live) == callback.StateDamaged {
			damaged++
		}
	}
	if damaged == 0 || claims+damaged != len(ids) {
		t.Errorf("%d sent and %d damaged of %d", claims, damaged, len(ids))
	}
}

// flip changes a byte in up to n places of the value log where text stands.
func flip(t *testing.T, dir, text string, n int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.vlog"))
	if err != nil || len(files) == 0 {
		t.Fatal("no value log", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for from := len(b) / 4; n > 0; n-- {
			i := bytes.Index(b[from:], []byte(text))
			if i < 0 {
				break
			}
			b[from+i] ^= 0x20
			from += i + 3000
		}
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// After a failed commit nothing is acknowledged any more.
func TestFailedCommitStopsTheEngine(t *testing.T) {
	t.Parallel()
	e, err := openDir(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.db.Close(); err != nil { // from here on every commit fails
		t.Fatal(err)
	}
	for range 3 {
		if out, err := e.Enqueue(t.Context(), queuetest.Start, []callback.NewCall{{Num: cb.Num, Response: kilobyte()}}); err == nil {
			t.Fatalf("acknowledged: %+v", out)
		}
	}
	<-e.Failed()
	if e.Err() == nil {
		t.Error("no reason given")
	}
	e.opt.Log = silent
	_ = e.Close() // Badger is closed already
}

func TestDiskNearlyFull(t *testing.T) {
	t.Parallel()
	var free atomic.Uint64
	free.Store(1 << 30)
	e, err := Open(Options{
		Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), LowWater: 100,
		Free: func() (uint64, error) { return free.Load(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx := context.Background()
	cb, err := e.Create(ctx, queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true})
	if err != nil {
		t.Fatal(err)
	}
	add := func() error {
		out, err := e.Enqueue(ctx, queuetest.Start, []callback.NewCall{{Num: cb.Num, Response: kilobyte()}})
		if err != nil {
			return err
		}
		return out[0].Err
	}
	if err := add(); err != nil {
		t.Fatal(err)
	}
	free.Store(99)
	if err := add(); callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("below the mark: %v", err)
	}
	due, err := e.Due(ctx, cb.Num, callback.Fresh, callback.DueKey{}, 10)
	if err != nil || len(due) != 1 {
		t.Fatal(due, err)
	}
	free.Store(49)
	if c, err := e.Claim(ctx, queuetest.Start, cb.Num, due, nil); err != nil || len(c) != 0 {
		t.Errorf("an attempt starts below half the mark: %v %v", c, err)
	}
	free.Store(50)
	c, err := e.Claim(ctx, queuetest.Start, cb.Num, due, nil)
	if err != nil || len(c) != 1 {
		t.Fatalf("delivery stops above half the mark: %v %v", c, err)
	}
	free.Store(0)
	if _, err := e.Record(ctx, queuetest.Start.Add(time.Second), cb.Num, c[0].Entry.ID, []callback.Attempt{answer()}); err != nil {
		t.Errorf("a result is refused: %v", err)
	}
	free.Store(1000)
	if err := add(); err != nil {
		t.Errorf("after space returned: %v", err)
	}
}

func FuzzRecords(f *testing.F) {
	r := kilobyte()
	a := answer()
	f.Add(encodePayload(&r, 1, queuetest.Start))
	f.Add(encodeAttempt(&a, queuetest.Start))
	f.Add(encodeEntry(&callback.Entry{ID: 1, Attempts: 3, ResolvedBy: "ana"}))
	f.Add(asEnqueued)
	f.Add(encodeLive(&callback.Live{Num: 1, LastError: "x"}, &marks{xor: 7, skew: 8}))
	f.Add(encodeCallback(&callback.Callback{Name: "a", Headers: r.Params}))
	f.Add(encodeKept(&callback.Kept{Entry: callback.Entry{ID: 1, Attempts: 3}, At: queuetest.Start}))
	f.Add(encodeClaims([]claimed{{1, 2, 3, true}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > recordHead { // a right checksum over wrong fields
			w := writer{b: append([]byte(nil), b...)}
			w.b[0] = recordVersion
			b = w.seal()
		}
		_, _, _, _ = decodePayload(b)
		_, _, _ = decodeAttempt(b, 1)
		_, _ = decodeEntry(b, 1, 1)
		_, _, _, _ = decodeLive(b)
		_, _ = decodeCallback(b, func(s string) callback.Secret { return callback.NewSecret(s, nil) })
		_, _ = decodeAlert(b)
		_, _ = decodeOutage(b)
		_, _ = decodeClaims(b)
		_, _ = decodeKept(b, 1, 1)
		if r, num, at, err := decodePayload(b); err == nil && !at.After(queuetest.Start.AddDate(9, 0, 0)) && at.Unix() > 0 {
			again, num2, _, err := decodePayload(encodePayload(&r, num, at))
			if err != nil || num2 != num || callback.Fingerprint(&again) != callback.Fingerprint(&r) {
				t.Fatalf("encoded again: %v", err)
			}
		}
	})
}

func TestFolderInUseIsNotTouched(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	file := filepath.Join(dir, "00099.mem") // as Badger makes one just before it fills it
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := openDir(dir); err == nil {
		t.Fatal("opened twice")
	}
	if _, err := os.Stat(file); err != nil {
		t.Errorf("a second process removed a file of the first: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// quick is an engine that does not wait for the disk.
func quick(t *testing.T) *Engine {
	t.Helper()
	e, err := Open(Options{Dir: t.TempDir(), Now: queuetest.Start, Policy: queuetest.Policy(), Free: plenty, noSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Check(context.Background()); err != nil {
			t.Errorf("Check: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return e
}

func fill(t *testing.T, e *Engine, num callback.Num, n int) []callback.CallID {
	t.Helper()
	calls := make([]callback.NewCall, n)
	for i := range calls {
		calls[i] = callback.NewCall{Num: num, Response: callback.Response{MessageID: "m"}}
	}
	out, err := e.Enqueue(t.Context(), queuetest.Start, calls)
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]callback.CallID, n)
	for i, o := range out {
		if o.Err != nil {
			t.Fatal(o.Err)
		}
		ids[i] = o.ID
	}
	return ids
}

// Many sweeps at once, and a purge of calls with many attempts, fit the commits
// they are folded into.
func TestLargeCommits(t *testing.T) {
	t.Parallel()
	e := openTemp(t) // with fsync: what waits meanwhile is folded together
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for i := range 48 {
		cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: callback.CallbackID(i + 1), Name: strconv.Itoa(i)})
		if err != nil {
			t.Fatal(err)
		}
		fill(t, e, cb.Num, 600)
		if err := e.Delete(t.Context(), queuetest.Start, cb.Num); err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			<-begin
			if err := e.Sweep(t.Context(), queuetest.Start, cb.Num); err != nil {
				t.Errorf("Sweep: %v", err)
			}
		})
	}
	close(begin)
	wg.Wait()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 99, Name: "many"})
	if err != nil {
		t.Fatal(err)
	}
	failed := callback.Attempt{Class: callback.ClassStatus, Code: 500, Error: "500", Excerpt: strings.Repeat("x", callback.MaxExcerpt)}
	ids := fill(t, e, cb.Num, 60)
	for _, id := range ids {
		wg.Go(func() {
			for range 200 {
				if _, err := e.ClaimManual(t.Context(), queuetest.Start, cb.Num, id, false); err != nil {
					t.Errorf("ClaimManual: %v", err)
					return
				}
				if _, err := e.Record(t.Context(), queuetest.Start, cb.Num, id, []callback.Attempt{failed}); err != nil {
					t.Errorf("Record: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	later := queuetest.Start.Add(time.Hour)
	n, err := e.Purge(t.Context(), later, later, later, 1_000_000)
	if err != nil || n != 48*600+60 {
		t.Errorf("purged %d: %v", n, err)
	}
}

func TestTooMuchForOneCommit(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, 3000)
	if _, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids, "ana"); callback.ErrorCode(err) != callback.CodeInvalid {
		t.Errorf("3,000 calls in one commit: %v", err)
	}
	if n, err := e.Resolve(t.Context(), queuetest.Start, cb.Num, ids[:1000], "ana"); err != nil || n != 1000 {
		t.Errorf("1,000 calls: %d %v", n, err)
	}
}

// One damaged due entry does not hold up the others.
func TestDamagedDueEntry(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, 3)
	err = e.submit(t.Context(), queuetest.Start, 1, 0, func(g *group) error {
		h, err := e.house(cb.Num)
		if err != nil {
			return err
		}
		return g.set(dueKey(h.slot, &callback.Entry{ID: ids[1], Num: cb.Num, Due: queuetest.Start}), []byte("not what was written"))
	})
	if err != nil {
		t.Fatal(err)
	}
	due, err := e.Due(t.Context(), cb.Num, callback.Fresh, callback.DueKey{}, 10)
	if err != nil || len(due) != 2 || due[0].ID != ids[0] || due[1].ID != ids[2] {
		t.Errorf("due %+v: %v", due, err)
	}
	if err := e.Check(t.Context()); err == nil {
		t.Error("Check does not notice")
	}
}

// The newest page of many calls that wait is found without reading them all.
func TestPendingPageOfMany(t *testing.T) {
	t.Parallel()
	e := quick(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	var ids []callback.CallID
	for i := range 50 {
		now := queuetest.Start.Add(time.Duration(i) * time.Second)
		calls := make([]callback.NewCall, 20)
		for j := range calls {
			calls[j] = callback.NewCall{Num: cb.Num, Response: callback.Response{MessageID: "m"}}
		}
		calls[3].Response.DeliverAt = queuetest.Start.Add(time.Duration(40-i) * time.Hour) // out of the order of ids
		out, err := e.Enqueue(t.Context(), now, calls)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			ids = append(ids, o.ID)
		}
	}
	slices.Reverse(ids)
	q := callback.CallQuery{Num: cb.Num, Limit: 30, Filter: callback.Filter{Status: callback.ListPending}}
	for at := 0; at < 300; at += 30 {
		page, err := e.Calls(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range page.Calls {
			if c.ID != ids[at+i] {
				t.Fatalf("row %d is %v, want %v", at+i, c.ID, ids[at+i])
			}
		}
		q.After = page.Next
	}
}
