package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/dgraph-io/badger/v4"

	"ringback/app"
	"ringback/app/post"
	"ringback/callback"
	"ringback/queue/queuetest"
)

// soakFailed is the share of calls that fail, one in so many: they are kept
// longer than those that were delivered.
const soakFailed = 10

// soak drives an engine under the appliance that uses it: responses come in,
// are delivered or fail, and retention removes them.
type soak struct {
	e     *Engine
	opt   Options // it was opened with
	a     *app.App
	free  chan struct{} // a place for each call that is on its way
	made  atomic.Int64
	total int64 // to be made
	began time.Time

	samples []sample
}

// Post answers at once, and one call in soakFailed fails.
func (s *soak) Post(_ context.Context, _ *callback.Callback, c *callback.Claim, number int) []callback.Attempt {
	a := answer()
	a.Number, a.Started = number, time.Now().UTC().Truncate(time.Millisecond)
	if s.fails() {
		a.OK, a.Code, a.Class, a.Reason, a.Excerpt = false, 500, callback.ClassStatus, "Internal Server Error", "no room"
	}
	return []callback.Attempt{a}
}

// fails counts an attempt, and reports whether it is to fail.
func (s *soak) fails() bool {
	<-s.free
	return s.made.Add(1)%soakFailed == 0
}

// TestSoak takes responses through enqueue, delivery and retention, and looks
// whether the disk stays within bounds of what is kept. RINGBACK_SOAK says how
// many, RINGBACK_SOAK_KEEP how long they are kept, RINGBACK_SOAK_DIR where; with
// RINGBACK_SOAK_HTTP they go over HTTP. What it prints then is for a reader; what
// it asserts does not depend on the clock.
func TestSoak(t *testing.T) {
	t.Parallel()
	total, keep, window := 80_000, time.Second, time.Duration(0)
	if v := os.Getenv("RINGBACK_SOAK"); v != "" {
		var err error
		if total, err = strconv.Atoi(v); err != nil || total%soakBatch != 0 {
			t.Fatal("RINGBACK_SOAK: ", total, err)
		}
		keep, window = time.Minute, 20*time.Second
		if v, err := time.ParseDuration(os.Getenv("RINGBACK_SOAK_KEEP")); err == nil {
			keep, window = v, v/3
		}
		debug.SetMemoryLimit(256 << 20) // the configuration's default
	} else if testing.Short() {
		total = 40_000
	}
	s := newSoak(t, keep)
	s.total = int64(total)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.a.Run(ctx) }()
	var watched sync.WaitGroup
	if window > 0 {
		watched.Go(func() { s.watch(ctx, t, window) })
	}
	s.feed(t)
	took := time.Since(s.began)
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	s.say("%d calls in %v: %.0f/s, processor time of one %.1f µs", total, took.Round(time.Second), float64(total)/took.Seconds(),
		float64(u.Utime.Nano()+u.Stime.Nano())/1e3/float64(total))
	cancel()
	watched.Wait()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	s.slope(2 * keep)
	s.conserved(t)
	s.bounded(t)
}

// conserved checks that every call was tried once, and is there or was removed
// with all that belonged to it.
func (s *soak) conserved(t *testing.T) {
	t.Helper()
	if err := s.e.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := s.e.Callbacks()[0].Live.Counts
	if n := s.made.Load(); n != s.total || int64(c.Accepted) != s.total || c.Accepted != c.Sum()+c.Purged {
		t.Errorf("%d enqueued, %d accepted, %d tried, %d stored, %d removed", s.total, c.Accepted, n, c.Sum(), c.Purged)
	}
	if n := payloads(t, s.e); n != int(c.Sum()) { // collection brings none back
		t.Errorf("%d responses are stored for %d calls", n, c.Sum())
	}
}

// bounded removes what was delivered and checks what the rest takes on disk.
func (s *soak) bounded(t *testing.T) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	if _, err := s.e.Purge(t.Context(), now, now, time.Time{}, 1<<30); err != nil {
		t.Fatal(err)
	}
	if err := s.e.CollectGarbage(t.Context(), now, true); err != nil {
		t.Fatal(err)
	}
	s.conserved(t)
	live, _ := s.live(t)
	s.reopen(t)
	disk, _, _ := diskParts(t, s.opt.Dir)
	s.say("only what failed is left, all compacted and collected: disk %d MB, live %d MB", disk>>20, live>>20)
	if most := live*16/10 + soakFixed; disk > most {
		t.Errorf("%d MB on disk for %d MB of live data, want at most %d", disk>>20, live>>20, most>>20)
	}
}

// soakFixed is what an engine takes on disk however little is in it: two value logs,
// for nothing is collected of the one that is written to, and each Open begins
// another, and Badger's statistics.
const soakFixed = 34 << 20

func (s *soak) reopen(t *testing.T) {
	t.Helper()
	if err := s.e.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.e, err = Open(s.opt); err != nil {
		t.Fatal(err)
	}
}

func (s *soak) say(format string, args ...any) {
	if os.Getenv("RINGBACK_SOAK") != "" {
		fmt.Printf(format+"\n", args...)
	}
}

func newSoak(t *testing.T, keep time.Duration) *soak {
	t.Helper()
	dir := os.Getenv("RINGBACK_SOAK_DIR")
	if dir == "" {
		dir = t.TempDir()
	}
	opt := Options{Dir: dir, Now: time.Now().UTC().Truncate(time.Millisecond), Policy: queuetest.Policy(), Log: silent}
	if opt.noSync = true; os.Getenv("RINGBACK_SOAK") != "" {
		opt.noSync, opt.Log = false, slog.Default()
	}
	e, err := Open(opt)
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{e: e, opt: opt, free: make(chan struct{}, 4096), began: time.Now()}
	o := app.Options{
		Store: e, Poster: s, Policy: queuetest.Policy(), Drain: time.Minute,
		Delivered: keep, Failed: 2 * keep, RetainEvery: keep / 10, Log: opt.Log,
	}
	url := "http://127.0.0.1:1/"
	if os.Getenv("RINGBACK_SOAK_HTTP") != "" {
		url, o.Poster = s.endpoint(t)
	}
	s.a = app.New(o)
	t.Cleanup(func() {
		if err := s.e.Close(); err != nil {
			t.Error(err)
		}
	})
	name, limit, no := "sink", 256, false
	if _, err := s.a.Create(t.Context(), callback.Draft{Name: &name, URL: &url, MaxInFlight: &limit, Retries: &no}); err != nil {
		t.Fatal(err)
	}
	return s
}

// endpoint is a receiver on this machine, and what posts to it.
func (s *soak) endpoint(t *testing.T) (url string, p *post.Poster) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // its answer is what counts
		if s.fails() {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(srv.Close)
	p = post.New(post.Options{AllowPrivate: true, MaxIdle: 256})
	t.Cleanup(p.Close)
	return srv.URL, p
}

// soakBatch is how many responses are enqueued together.
const soakBatch = 10

// feed enqueues the responses and returns when each had its attempt.
func (s *soak) feed(t *testing.T) {
	t.Helper()
	r := kilobyte()
	var left atomic.Int64
	left.Store(s.total)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for left.Add(-soakBatch) >= 0 {
				items := make([]callback.NewResponse, soakBatch)
				for i := range items {
					items[i] = callback.NewResponse{Ref: "sink", Response: r}
					s.free <- struct{}{}
				}
				out, err := s.a.Enqueue(t.Context(), items)
				for i := range out {
					if err == nil {
						err = out[i].Err
					}
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for range cap(s.free) { // each attempt gave its place back
		s.free <- struct{}{}
	}
}

// sample is how things were at one time.
type sample struct {
	at         time.Duration
	made       int64
	anon, heap int64
	ratio      float64
	sync       time.Duration // what a synced write takes, while all goes on
}

// watch prints how things are, each window.
func (s *soak) watch(ctx context.Context, t *testing.T, window time.Duration) {
	tick := time.NewTicker(window)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.look(t)
		}
	}
}

func (s *soak) look(t *testing.T) {
	live, _ := s.live(t)
	disk, tables, logs := diskParts(t, s.opt.Dir)
	c := s.e.Callbacks()[0].Live.Counts
	now := sample{at: time.Since(s.began), made: s.made.Load(), anon: rssAnon(t), ratio: float64(disk) / float64(live), sync: s.sync(t)}
	var before sample
	if n := len(s.samples); n > 0 {
		before = s.samples[n-1]
	}
	var mem runtime.MemStats
	runtime.GC() // what is left is used
	runtime.ReadMemStats(&mem)
	now.heap = int64(mem.HeapAlloc)
	s.samples = append(s.samples, now)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Error(err)
	}
	levels := ""
	for _, l := range s.e.db.Levels() {
		if l.NumTables > 0 {
			levels += fmt.Sprintf(" L%d %d", l.Level, l.NumTables)
		}
	}
	load, _ := os.ReadFile("/proc/loadavg") // for a reader
	s.say("%4.0f s: %5.0f/s, stored %d, removed %d, disk %d MB (tables %d, values %d), live %d MB, ratio %.2f; anonymous %d MB, heap in use %d MB, goroutines %d, files %d; tables:%s; a sync %.1f ms, load %.4s",
		now.at.Seconds(), float64(now.made-before.made)/(now.at-before.at).Seconds(), c.Sum(), c.Purged, disk>>20, tables>>20, logs>>20, live>>20, now.ratio,
		now.anon>>20, now.heap>>20, runtime.NumGoroutine(), len(fds), levels, milliseconds(now.sync), load)
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// sync returns the median time of a synced write of 4 KiB beside the store: on a
// disk whose speed is shared out or bought by the minute, the rates follow it.
func (s *soak) sync(t *testing.T) time.Duration {
	t.Helper()
	f, err := os.CreateTemp(filepath.Dir(s.opt.Dir), "probe") // on the same disk as the store
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) }() // a probe
	took := make([]time.Duration, 21)
	for i := range took {
		start := time.Now()
		_, err := f.WriteAt(make([]byte, 4<<10), int64(i)<<12)
		if err == nil {
			err = f.Sync()
		}
		if err != nil {
			t.Error(err)
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	return took[len(took)/2]
}

// slope compares the last third of a run with the first, from when on retention
// is at work.
func (s *soak) slope(from time.Duration) {
	all := s.samples
	for len(all) > 0 && all[0].at < from {
		all = all[1:]
	}
	n := len(all) / 3
	if n < 2 {
		return
	}
	first, last := all[:n], all[len(all)-n:]
	mean := func(list []sample, of func(sample) float64) (sum float64) {
		for _, x := range list {
			sum += of(x) / float64(len(list))
		}
		return sum
	}
	rate := func(list []sample) float64 {
		a, b := list[0], list[len(list)-1]
		return float64(b.made-a.made) / (b.at - a.at).Seconds()
	}
	most := 0.0
	for _, x := range all {
		most = max(most, x.ratio)
	}
	megabytes := func(of func(sample) int64) func(sample) float64 {
		return func(x sample) float64 { return float64(of(x)) / (1 << 20) }
	}
	s.say("first third and last of %d s: %.0f/s and %.0f/s", int((all[len(all)-1].at - all[0].at).Seconds()), rate(first), rate(last))
	for _, of := range []struct {
		what string
		of   func(sample) float64
	}{
		{"disk to live", func(x sample) float64 { return x.ratio }},
		{"anonymous MB", megabytes(func(x sample) int64 { return x.anon })},
		{"heap in use MB", megabytes(func(x sample) int64 { return x.heap })},
		{"a sync, ms", func(x sample) float64 { return milliseconds(x.sync) }},
	} {
		s.say("%s: %.2f and %.2f", of.what, mean(first, of.of), mean(last, of.of))
	}
	s.say("disk to live at most: %.2f", most)
}

// live returns how many bytes of keys and values there are, and how many keys.
func (s *soak) live(t *testing.T) (size int64, n int) {
	t.Helper()
	err := s.e.db.View(func(txn *badger.Txn) error {
		it := txn.NewIterator(badger.IteratorOptions{})
		defer it.Close()
		for it.Rewind(); it.Valid(); it.Next() {
			size += it.Item().KeySize() + it.Item().ValueSize()
			n++
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return size, n
}

// diskParts returns the bytes that a folder takes on disk: all, tables, value logs.
func diskParts(t *testing.T, dir string) (all, tables, logs int64) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Error(err)
	}
	for _, f := range files {
		var st syscall.Stat_t
		if err := syscall.Stat(filepath.Join(dir, f.Name()), &st); err != nil {
			continue // removed since
		}
		n := st.Blocks * 512
		all += n
		switch filepath.Ext(f.Name()) {
		case ".sst":
			tables += n
		case ".vlog":
			logs += n
		}
	}
	return all, tables, logs
}

// rssAnon returns the process's memory that is no file's.
func rssAnon(t *testing.T) (size int64) {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	for line := range strings.Lines(string(b)) {
		if v, ok := strings.CutPrefix(line, "RssAnon:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}
