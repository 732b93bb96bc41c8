package series

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/nakabonne/tstorage"

	"ringback/callback"
)

// Retention is how long the archive keeps what it has.
const Retention = 90 * 24 * time.Hour

const partition = 6 * time.Hour

// The metrics of the archive. What a value of them means, minute.pack says.
const (
	metricAttempts = "attempts"
	metricCalls    = "calls"
)

// archive keeps minutes in tstorage, one point a minute and metric, the callback
// being the label. It knows what tstorage has in memory, and asks for nothing
// else there: tstorage makes each series that it is asked for.
//
// One goroutine inserts; any may read.
type archive struct {
	dir string

	mu     sync.Mutex // tstorage's Select races with its InsertRows
	db     tstorage.Storage
	last   int64    // when the last point was, in Unix seconds
	memory []loaded // the partitions that are not on disk, oldest first
}

// loaded is a partition that tstorage has in memory.
type loaded struct {
	span
	has map[name]struct{} // series
}

// name is that of a series in tstorage.
type name struct {
	metric string
	id     callback.CallbackID
}

// openArchive opens the archive in a folder, and inserts again what of the
// journal is not on disk: what ended before now.
func openArchive(dir string, journal []callback.Minute, now time.Time) (a *archive, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// In an empty folder tstorage does not begin to remove what is too old.
	f, err := os.OpenFile(filepath.Join(dir, "LOCK"), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	if err := f.Close(); err != nil {
		return nil, err
	}
	first := int64(math.MaxInt64)
	if len(journal) > 0 {
		first = journal[0].At.Unix()
	}
	a = &archive{dir: dir}
	if a.last, err = tidy(dir, first, now.Unix()); err != nil {
		return nil, err
	}
	a.db, err = tstorage.NewStorage(
		tstorage.WithDataPath(dir), tstorage.WithTimestampPrecision(tstorage.Seconds), tstorage.WithPartitionDuration(partition),
		tstorage.WithRetention(Retention), tstorage.WithWALBufferedSize(-1),
	)
	if err != nil {
		return nil, err
	}
	if err := a.replay(journal, now); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

// replay inserts the minutes of the journal that are over and not on disk, all
// at once: so they go into one partition, however long they reach, and tstorage
// writes none while the next is being filled.
func (a *archive) replay(journal []callback.Minute, now time.Time) error {
	var rows []tstorage.Row
	whose := loaded{span: span{Min: math.MaxInt64}, has: map[name]struct{}{}}
	for _, m := range journal {
		at := m.At.Unix()
		if at <= a.last || !m.At.Before(now.Truncate(time.Minute)) {
			continue
		}
		of, err := decode(m.Figures)
		if err != nil {
			return fmt.Errorf("minute %v: %w", m.At, err)
		}
		rows = append(rows, whose.rows(at, of)...)
	}
	if len(rows) == 0 {
		return nil
	}
	a.memory, a.last = append(a.memory, whose), whose.Max
	return a.db.InsertRows(rows)
}

// rows returns the points of one minute, and notes of which series they are.
func (l *loaded) rows(at int64, of []row) []tstorage.Row {
	var rows []tstorage.Row
	for i := range of {
		labels := labelsOf(of[i].id)
		attempts, calls := of[i].pack()
		for _, p := range []struct {
			metric string
			bits   uint64
		}{{metricAttempts, attempts}, {metricCalls, calls}} {
			if p.bits != 0 {
				rows = append(rows, tstorage.Row{
					Metric: p.metric, Labels: labels, DataPoint: tstorage.DataPoint{Timestamp: at, Value: math.Float64frombits(p.bits)},
				})
				l.has[name{p.metric, of[i].id}] = struct{}{}
			}
		}
	}
	if len(rows) > 0 {
		l.Min, l.Max = min(l.Min, at), max(l.Max, at)
	}
	return rows
}

func labelsOf(id callback.CallbackID) []tstorage.Label {
	return []tstorage.Label{{Name: "cb", Value: id.String()}}
}

// insert adds a minute. One that is not later than the last is left out: a
// second point of the same time would hide in tstorage.
func (a *archive) insert(at time.Time, of []row) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	ts := at.Unix()
	if ts <= a.last {
		return nil
	}
	next := loaded{span: span{Min: math.MaxInt64}, has: map[name]struct{}{}}
	n := len(a.memory)
	begins := n == 0 || a.memory[n-1].Max-a.memory[n-1].Min+1 >= int64(partition/time.Second) // as tstorage has it
	if !begins {
		next = a.memory[n-1]
	}
	rows := next.rows(ts, of)
	if len(rows) == 0 {
		return nil
	}
	if begins {
		a.memory = append(a.memory, next)
	} else {
		a.memory[n-1] = next
	}
	a.last = ts
	return a.db.InsertRows(rows)
}

// writable is how many partitions tstorage keeps in memory; it writes older ones
// in a goroutine of its own, which tells nobody.
const writable = 2

// onDisk reports up to when everything is on disk for good, in Unix seconds, as
// far as that is new; 0: nothing is.
func (a *archive) onDisk() (last int64, err error) {
	for {
		a.mu.Lock()
		if len(a.memory) <= writable {
			a.mu.Unlock()
			return last, nil
		}
		oldest, done := a.memory[0].span, a.written(&a.memory[0])
		a.mu.Unlock()
		if !done {
			return last, nil
		}
		if s, err := readSpan(filepath.Join(a.dir, oldest.folder())); err != nil || s != oldest {
			return last, nil // not yet
		}
		if err := syncPartition(a.dir, oldest.folder()); err != nil {
			return last, err
		}
		a.mu.Lock()
		a.memory = a.memory[1:]
		a.mu.Unlock()
		last = oldest.Max
	}
}

// written reports whether tstorage has done with writing a partition: of one in
// memory it gives out the points themselves, of one on disk a copy each time.
func (a *archive) written(l *loaded) bool {
	for n := range l.has {
		x, err := a.points(n.metric, labelsOf(n.id), l.Min, l.Max+1)
		y, again := a.points(n.metric, labelsOf(n.id), l.Min, l.Max+1)
		return err == nil && again == nil && len(x) > 0 && len(y) > 0 && x[0] != y[0]
	}
	return false
}

// points is tstorage's Select. A partition is mapped, and a file that tstorage
// writes a second time, or that somebody cut, faults where it is read: that is
// an error, and no end of the process.
func (a *archive) points(metric string, labels []tstorage.Label, from, to int64) (points []*tstorage.DataPoint, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("read the archive of series: %v", p)
		}
	}()
	return a.db.Select(metric, labels, from, to)
}

// day is how much is read at once.
const day = 24 * 60

// read calls f with the minutes from one up to another, since 1970, of a
// callback: several times with one of them, each time with other figures of it.
func (a *archive) read(ctx context.Context, id callback.CallbackID, from, to uint32, f func(min uint32, m *minute)) error {
	for from < to {
		if err := ctx.Err(); err != nil {
			return err
		}
		end := min(to, (from/day+1)*day)
		for _, metric := range []string{metricAttempts, metricCalls} {
			points, err := a.selectPoints(metric, id, 60*int64(from), 60*int64(end))
			if err != nil {
				return fmt.Errorf("read the archive of figures: %w", err)
			}
			for _, p := range points {
				var m minute
				if bits := math.Float64bits(p.Value); metric == metricAttempts {
					m.unpackAttempts(bits)
				} else {
					m.unpackCalls(bits)
				}
				f(uint32(p.Timestamp/60), &m)
			}
		}
		from = end
	}
	return nil
}

// selectPoints returns copies of the points from one time up to another, in
// order, one a time.
func (a *archive) selectPoints(metric string, id callback.CallbackID, from, to int64) (out []tstorage.DataPoint, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.db == nil {
		return nil, nil // it is closed
	}
	disk := to
	if len(a.memory) > 0 {
		disk = min(to, a.memory[0].Min-1)
	}
	parts := []span{{from, disk}}
	for _, l := range a.memory {
		if _, ok := l.has[name{metric, id}]; ok {
			parts = append(parts, span{max(from, l.Min), min(to, l.Max+1)})
		}
	}
	for _, s := range parts {
		if s.Min >= s.Max {
			continue
		}
		points, err := a.points(metric, labelsOf(id), s.Min, s.Max)
		if err != nil && !errors.Is(err, tstorage.ErrNoDataPoints) {
			return nil, err
		}
		for _, p := range points {
			if p.Timestamp >= s.Min && p.Timestamp < s.Max {
				out = append(out, *p)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y tstorage.DataPoint) int { return cmp.Compare(x.Timestamp, y.Timestamp) })
	return slices.CompactFunc(out, func(x, y tstorage.DataPoint) bool { return x.Timestamp == y.Timestamp }), nil
}

// settling bounds how long close waits for tstorage to write a partition.
const settling = 10 * time.Second

// close writes what is in memory. It waits for a partition that tstorage is
// writing: it would write the same file twice.
func (a *archive) close() error {
	for end := time.Now().Add(settling); len(a.memory) > writable && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if _, err := a.onDisk(); err != nil {
			break
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.db.Close()
	for _, l := range a.memory {
		if err == nil {
			err = syncPartition(a.dir, l.folder())
		}
	}
	a.db = nil
	return err
}
