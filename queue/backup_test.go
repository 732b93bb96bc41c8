package queue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"ringback/callback"
	"ringback/queue/queuetest"
)

var testHead = BackupHead{Made: queuetest.Start, Key: bytes.Repeat([]byte{7}, backupKeySize)}

// restored restores a backup into a new folder, opens it, and closes it when the
// test ends.
func restored(t *testing.T, r io.Reader) *Engine {
	t.Helper()
	opt := Options{Dir: filepath.Join(t.TempDir(), "queue"), Now: queuetest.Start.Add(time.Hour), Policy: queuetest.Policy(), Free: plenty}
	head, err := Restore(t.Context(), opt, r)
	if err != nil {
		t.Fatal(err)
	}
	if !head.Made.Equal(testHead.Made) || !bytes.Equal(head.Key, testHead.Key) {
		t.Errorf("head %+v", head)
	}
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// load works on an engine: it enqueues, and records results, until stop.
type load struct {
	e    *Engine
	num  callback.Num
	end  atomic.Bool
	file bytes.Buffer
	wg   sync.WaitGroup

	progress chan struct{} // told of what was accepted, as far as somebody listens

	mu       sync.Mutex
	accepted map[callback.CallID]bool // true: its success was recorded, too
}

func startLoad(t *testing.T, e *Engine) *load {
	t.Helper()
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a", Retries: true, MaxInFlight: 64})
	if err != nil {
		t.Fatal(err)
	}
	l := &load{e: e, num: cb.Num, accepted: map[callback.CallID]bool{}, progress: make(chan struct{})}
	calls := make([]callback.NewCall, 500)
	for i := range calls {
		calls[i] = callback.NewCall{Num: cb.Num, Response: kilobyte()}
	}
	for range 6 { // so that a backup has some chunks
		out, err := e.Enqueue(t.Context(), queuetest.Start, calls)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range out {
			l.accepted[o.ID] = false
		}
	}
	starts := make(chan callback.Claim, 64)
	e.SetDispatcher(direct{starts})
	var enqueuing sync.WaitGroup
	for range 8 {
		enqueuing.Go(func() { l.enqueue(t) })
	}
	for range 8 {
		l.wg.Go(func() {
			for c := range starts {
				l.record(t, c)
			}
		})
	}
	l.wg.Go(func() { enqueuing.Wait(); close(starts) })
	return l
}

func (l *load) enqueue(t *testing.T) {
	for !l.end.Load() {
		out, err := l.e.Enqueue(context.Background(), queuetest.Start, []callback.NewCall{{Num: l.num, Response: kilobyte()}})
		if err != nil {
			t.Error(err)
			return
		}
		l.mu.Lock()
		if !l.accepted[out[0].ID] { // it may have been delivered by now
			l.accepted[out[0].ID] = false
		}
		l.mu.Unlock()
		select {
		case l.progress <- struct{}{}:
		default:
		}
	}
}

func (l *load) record(t *testing.T, c callback.Claim) {
	a := answer()
	a.Started = queuetest.Start
	if _, err := l.e.Record(context.Background(), queuetest.Start, l.num, c.Entry.ID, []callback.Attempt{a}); err != nil {
		t.Error(err)
		return
	}
	l.mu.Lock()
	l.accepted[c.Entry.ID] = true
	l.mu.Unlock()
}

// known returns what was acknowledged by now.
func (l *load) known() map[callback.CallID]bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make(map[callback.CallID]bool, len(l.accepted))
	for id, done := range l.accepted {
		out[id] = done
	}
	return out
}

// Write is a disk for a backup: it takes each part once something more was
// accepted, so that much is written between the first and the last.
func (l *load) Write(p []byte) (int, error) {
	<-l.progress
	return l.file.Write(p)
}

func (l *load) stop() {
	l.end.Store(true)
	l.wg.Wait()
}

// A backup taken under load restores to a state that Check finds right, with all
// that was acknowledged before it began, and nothing that came after it ended.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	l := startLoad(t, e)
	defer l.stop()
	for range 3 {
		before := l.known()
		l.file.Reset()
		if err := e.Backup(t.Context(), testHead, l); err != nil {
			t.Fatal(err)
		}
		after := l.known()
		if len(after) < len(before)+5 {
			t.Errorf("%d calls came while %d bytes were written", len(after)-len(before), l.file.Len())
		}
		r := restored(t, &l.file)
		if err := r.Check(t.Context()); err != nil {
			t.Fatalf("what was restored: %.2000v", err)
		}
		there := 0
		for id, done := range before {
			c, err := r.Call(t.Context(), l.num, id)
			if err != nil {
				t.Fatalf("call %v was acknowledged before, and is lost: %v", id, err)
			}
			if done && c.Status != callback.Success {
				t.Errorf("call %v was delivered before, and is %+v", id, c.Entry)
			}
			if c.Response.Message.Content != kilobyte().Message.Content {
				t.Errorf("call %v has content %q", id, c.Response.Message.Content)
			}
			there++
		}
		h, err := r.Callback(l.num)
		if err != nil || h.Live.Counts.Sum() < uint64(there) || h.Live.Counts.Sum() > uint64(len(after)+8) {
			t.Errorf("%d calls were restored, of %d before and %d after: %v", h.Live.Counts.Sum(), there, len(after), err)
		}
	}
}

// What ran when the backup was taken is interrupted, and waits to be sent again.
func TestBackupInterruptsWhatRuns(t *testing.T) {
	t.Parallel()
	e := openTemp(t)
	cb, err := e.Create(t.Context(), queuetest.Start, callback.Callback{ID: 1, Name: "a"})
	if err != nil {
		t.Fatal(err)
	}
	ids := fill(t, e, cb.Num, 2)
	if _, err := e.ClaimManual(t.Context(), queuetest.Start, cb.Num, ids[0], false); err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := e.Backup(t.Context(), testHead, &file); err != nil {
		t.Fatal(err)
	}
	r := restored(t, &file)
	c, err := r.Call(t.Context(), cb.Num, ids[0])
	if err != nil || len(c.Attempts) != 1 || c.Attempts[0].Class != callback.ClassInterrupted || c.Status != callback.Ready {
		t.Errorf("the call that ran: %+v, %v", c, err)
	}
	if c, err := r.Call(t.Context(), cb.Num, ids[1]); err != nil || len(c.Attempts) != 0 {
		t.Errorf("the call that waited: %+v, %v", c, err)
	}
	if err := r.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// Responses that cannot be read any more do not keep the others from being backed
// up, and are not taken for good ones: neither what is damaged while the engine is
// open, nor where Badger cut a file at the damage when it was opened.
func TestBackupOfDamagedResponses(t *testing.T) {
	t.Parallel()
	for _, open := range []bool{true, false} {
		dir, ids := filled(t)
		if !open {
			flip(t, dir, "aho", 1)
		}
		e, err := openDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if open {
			flip(t, dir, "aho", 1)
		}
		var file bytes.Buffer
		if err := e.Backup(t.Context(), testHead, &file); err != nil {
			t.Fatal(err)
		}
		r := restored(t, &file)
		damaged := 0
		for _, id := range ids {
			want, err := e.Call(t.Context(), 1, id)
			if err != nil {
				t.Fatal(err)
			}
			got, err := r.Call(t.Context(), 1, id)
			if err != nil || got.Damaged != want.Damaged || !got.Damaged && got.Response.Message != want.Response.Message {
				t.Errorf("call %v: damaged %v, it was %v: %v", id, got.Damaged, want.Damaged, err)
			}
			if got.Damaged {
				damaged++
			}
		}
		if damaged == 0 || damaged == len(ids) {
			t.Errorf("flipped while open %v: %d of %d calls are damaged", open, damaged, len(ids))
		}
	}
}

// smallBackup is a backup of a few records, no end of which is a multiple of
// anything.
func smallBackup(t testing.TB) []byte {
	t.Helper()
	var file bytes.Buffer
	b, err := newBackupWriter(&file, testHead)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range []string{"", "one", strings.Repeat("long", 200)} {
		if b.add([]byte{byte(i), kindPayload, 'k'}, []byte(v)) {
			t.Fatal("the chunk is full")
		}
		if i == 1 {
			err = errors.Join(err, b.flush())
		}
	}
	if err := errors.Join(err, b.flush(), b.end()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// Every end but the right one, and every byte that is another, is noticed.
func TestDamagedBackups(t *testing.T) {
	t.Parallel()
	good := smallBackup(t)
	if head, err := VerifyBackup(iotest.OneByteReader(bytes.NewReader(good))); err != nil || !head.Made.Equal(testHead.Made) {
		t.Fatalf("a good one: %+v, %v", head, err)
	}
	for n := range good {
		_, err := VerifyBackup(bytes.NewReader(good[:n]))
		if err == nil || n >= len(backupMagic) && !strings.Contains(err.Error(), "cut short: it ends after") {
			t.Errorf("cut to %d of %d bytes: %v", n, len(good), err)
		}
		for _, bit := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(good)
			bad[n] ^= bit
			if head, err := VerifyBackup(bytes.NewReader(bad)); err == nil || head.Key != nil {
				t.Errorf("byte %d of %d is %x, not %x: %v, head %+v", n, len(good), bad[n], good[n], err, head)
			}
		}
	}
	if _, err := VerifyBackup(bytes.NewReader(append(bytes.Clone(good), 0))); err == nil || !strings.Contains(err.Error(), "behind its end") {
		t.Errorf("a byte more: %v", err)
	}
	if _, err := VerifyBackup(iotest.ErrReader(errors.New("the tape broke"))); err == nil || !strings.Contains(err.Error(), "the tape broke") {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

func TestBackupsOfOtherVersions(t *testing.T) {
	t.Parallel()
	good := smallBackup(t)
	line := len(backupMagic) + 2
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"newer file":    {append([]byte("ringback backup 12\n"), good[line:]...), "has format 12, this ringback reads 1"},
		"newer store":   {append(put32(bytes.Clone(good[:line]), format+1), good[line+4:]...), fmt.Sprintf("a store of format %d, this ringback knows %d", format+1, format)},
		"older store":   {append(put32(bytes.Clone(good[:line]), format-1), good[line+4:]...), fmt.Sprintf("a store of format %d, this ringback knows %d", format-1, format)},
		"another thing": {[]byte("PGDMP and so on"), "no backup of ringback"},
		"nothing":       {nil, "no backup of ringback"},
		"no number":     {[]byte("ringback backup one\n"), "damaged"},
		"no line":       {[]byte("ringback backup 11111111111111"), "damaged"},
	} {
		dir := filepath.Join(t.TempDir(), "queue")
		_, err := Restore(t.Context(), Options{Dir: dir}, bytes.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: something was made: %v", name, err)
		}
	}
}

// TestBackupEndsEarly: with an error, and never with what could be taken for the
// whole.
func TestBackupEndsEarly(t *testing.T) {
	t.Parallel()
	e, _, _ := failures(t, 3)
	done, cancel := context.WithCancel(t.Context())
	cancel()
	var whole bytes.Buffer
	if err := e.Backup(t.Context(), testHead, &whole); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		head BackupHead
		room int
	}{
		"ended":             {done, testHead, 1 << 20},
		"a full disk":       {t.Context(), testHead, 200},
		"room but the sum":  {t.Context(), testHead, whole.Len() - 1},
		"not even the head": {t.Context(), testHead, 3},
		"a short key":       {t.Context(), BackupHead{Key: []byte("short")}, 1 << 20},
	} {
		w := &bounded{room: c.room}
		if err := e.Backup(c.ctx, c.head, w); err == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := VerifyBackup(&w.Buffer); err == nil {
			t.Errorf("%s: what was written is taken for a backup", name)
		}
	}
}

// bounded is a disk with little room.
type bounded struct {
	bytes.Buffer
	room int
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.room {
		n, _ := b.Buffer.Write(p[:b.room-b.Len()]) // it never fails
		return n, errors.New("no space left on device")
	}
	return b.Buffer.Write(p)
}

// closing closes an engine once something was written.
type closing struct {
	e *Engine
	t *testing.T
}

func (c closing) Write(p []byte) (int, error) {
	if err := c.e.Close(); err != nil {
		c.t.Error(err)
	}
	return len(p), nil
}

// An engine may be closed while a backup waits for its reader.
func TestCloseDuringABackup(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Backup(t.Context(), testHead, closing{e, t}); callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if err := e.Backup(t.Context(), testHead, io.Discard); callback.ErrorCode(err) != callback.CodeUnavailable {
		t.Errorf("of a closed one: %v, want unavailable", err)
	}
}

// TestRestoreRefuses: a folder with something in it, one in use, and a disk that
// would be full.
func TestRestoreRefuses(t *testing.T) {
	t.Parallel()
	dir, _ := filled(t)
	good := smallBackup(t)
	if _, err := Restore(t.Context(), Options{Dir: dir}, bytes.NewReader(good)); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("into a store: %v", err)
	}
	e, err := openDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), Options{Dir: dir}, bytes.NewReader(good)); !errors.As(err, new(*LockedError)) {
		t.Errorf("into a store in use: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	full := func() (uint64, error) { return restoreFree - 1, nil }
	if _, err := Restore(t.Context(), Options{Dir: t.TempDir(), Free: full}, bytes.NewReader(good)); err == nil || !strings.Contains(err.Error(), "127 MiB free") {
		t.Errorf("onto a full disk: %v", err)
	}
}

// FuzzBackup holds that a reader ends, and takes nothing but what a writer wrote.
func FuzzBackup(f *testing.F) {
	good := smallBackup(f)
	f.Add(good)
	f.Add(good[:len(good)-33])
	f.Add([]byte("ringback backup 1\n\x00\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := newBackupReader(bytes.NewReader(b))
		if err != nil {
			return
		}
		var again bytes.Buffer
		w, err := newBackupWriter(&again, r.head)
		if err != nil {
			t.Fatal(err)
		}
		for {
			list, err := r.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			for _, r := range list {
				if len(r.key) < 2 || r.key[1] != kindPayload && len(r.value) > maxInline {
					t.Fatalf("record %q with %d bytes", r.key, len(r.value))
				}
				w.add(r.key, r.value)
			}
			if err := w.flush(); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := VerifyBackup(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
		if err := w.end(); err != nil {
			t.Fatal(err)
		}
		if _, err := VerifyBackup(&again); err != nil {
			t.Fatalf("what was written again: %v", err)
		}
	})
}
