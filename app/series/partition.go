package series

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/nakabonne/tstorage"

	"ringback/callback"
)

// The metrics of a partition: one point a minute and metric, the callback being
// the label. What a value of them means, minute.pack says.
const (
	metricAttempts = "attempts"
	metricCalls    = "calls"
)

// partition is a tstorage that is read.
//
// tstorage 0.3.6 writes a full partition in a goroutine that it tells nobody of,
// and that writes the same files once more when it is late: beside Close, or
// beside the one of the next partition. So one of ours has one partition, that
// is never full; Close writes it before it returns, and what is closed is read.
type partition struct {
	span
	db tstorage.Storage
}

// span is the time of a partition, in Unix seconds, of its first and of its last
// point.
type span struct {
	Min int64 `json:"minTimestamp"`
	Max int64 `json:"maxTimestamp"`
}

// folder is where tstorage puts the partition.
func (s span) folder() string { return fmt.Sprintf("p-%d-%d", s.Min, s.Max) }

// openPartitions opens all that are in a folder as one.
func openPartitions(dir string) (*partition, error) {
	db, err := newStorage(dir)
	if err != nil {
		return nil, err
	}
	return &partition{span{0, math.MaxInt64}, db}, nil
}

func newStorage(dir string) (tstorage.Storage, error) {
	return tstorage.NewStorage(
		tstorage.WithDataPath(dir), tstorage.WithTimestampPrecision(tstorage.Seconds), tstorage.WithPartitionDuration(math.MaxInt64),
		tstorage.WithRetention(Retention), tstorage.WithWALBufferedSize(-1),
	)
}

// writing is the folder in which a partition is written. It gets its own name
// when it is whole and on disk for good.
const writing = "writing"

// writePartition writes minutes, of which there is one at least, as a partition
// of their own.
func writePartition(dir string, minutes []figures) (_ *partition, err error) {
	tmp := filepath.Join(dir, writing)
	if err := os.RemoveAll(tmp); err != nil { // of a try that failed
		return nil, err
	}
	db, err := newStorage(tmp)
	if err != nil {
		return nil, err
	}
	p := &partition{span{60 * int64(minutes[0].at), 60 * int64(minutes[len(minutes)-1].at)}, db}
	defer func() {
		if err != nil {
			_ = empty(filepath.Join(tmp, p.folder())) // it may not have come to be
		}
	}()
	n := 0
	for i := range minutes {
		rows := points(&minutes[i])
		if err := db.InsertRows(rows); err != nil {
			return nil, errors.Join(err, db.Close())
		}
		n += len(rows)
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	if err := whole(filepath.Join(tmp, p.folder()), n); err != nil {
		return nil, err
	}
	if err := syncPartition(tmp, p.folder()); err != nil {
		return nil, err
	}
	to := filepath.Join(dir, p.folder())
	if err := errors.Join(os.RemoveAll(to), os.Rename(filepath.Join(tmp, p.folder()), to), syncFile(dir)); err != nil {
		return nil, errors.Join(err, empty(to), os.RemoveAll(to)) // the next try has one minute more, and another name
	}
	return p, nil
}

// empty gives back the space of a partition that is to be removed: tstorage leaves it
// mapped, and what is mapped stays on disk although no name leads there.
func empty(dir string) error { return os.Truncate(filepath.Join(dir, "data"), 0) }

// points returns the points of a minute.
func points(m *figures) []tstorage.Row {
	rows := make([]tstorage.Row, 0, 2*len(m.rows))
	for i := range m.rows {
		attempts, calls := m.rows[i].pack()
		for _, p := range []struct {
			metric string
			bits   uint64
		}{{metricAttempts, attempts}, {metricCalls, calls}} {
			if p.bits == 0 {
				continue
			}
			rows = append(rows, tstorage.Row{
				Metric: p.metric, Labels: labelsOf(m.rows[i].id),
				DataPoint: tstorage.DataPoint{Timestamp: 60 * int64(m.at), Value: math.Float64frombits(p.bits)},
			})
		}
	}
	return rows
}

func labelsOf(id callback.CallbackID) []tstorage.Label {
	return []tstorage.Label{{Name: "cb", Value: id.String()}}
}

// read calls f with the minutes from one up to another, since 1970, of a
// callback, once for each metric.
func (p *partition) read(id callback.CallbackID, from, to uint32, f func(min uint32, m *minute)) error {
	first, end := 60*int64(from), 60*int64(to)
	if end <= p.Min || first > p.Max {
		return nil
	}
	for _, metric := range []string{metricAttempts, metricCalls} {
		points, err := p.selectPoints(metric, labelsOf(id), first, end)
		if err != nil && !errors.Is(err, tstorage.ErrNoDataPoints) {
			return err
		}
		for _, point := range points {
			var m minute
			if bits := math.Float64bits(point.Value); metric == metricAttempts {
				m.unpackAttempts(bits)
			} else {
				m.unpackCalls(bits)
			}
			f(uint32(point.Timestamp/60), &m)
		}
	}
	return nil
}

// selectPoints is tstorage's Select. A partition is mapped, and a file that
// somebody cut faults where it is read: that is an error, and no end of the
// process.
func (p *partition) selectPoints(metric string, labels []tstorage.Label, from, to int64) (points []*tstorage.DataPoint, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("%s: %v", p.folder(), fault)
		}
	}()
	return p.db.Select(metric, labels, from, to)
}

// meta is what tstorage notes of a partition.
type meta struct {
	span
	Metrics map[string]struct {
		Offset int64 `json:"offset"`
		Points int   `json:"numDataPoints"`
	} `json:"metrics"`
}

func readMeta(dir string) (m meta, err error) {
	b, err := os.ReadFile(filepath.Join(dir, "meta.json"))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("read %s: %w", filepath.Join(dir, "meta.json"), err)
	}
	return m, nil
}

// whole returns an error unless a partition that was closed has so many points: where
// the disk is full tstorage leaves series out, and reports no error.
func whole(dir string, points int) error {
	m, err := readMeta(dir)
	if err != nil {
		return err
	}
	n := 0
	for _, of := range m.Metrics {
		n += of.Points
	}
	if n != points {
		return fmt.Errorf("of %d points %d were written to %s", points, n, dir)
	}
	return nil
}

// readSpan returns the span of a partition on disk whose data reach as far as its
// meta.json says.
func readSpan(dir string) (span, error) {
	got, err := readMeta(dir)
	if err != nil {
		return span{}, err
	}
	data, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		return span{}, err
	}
	for _, m := range got.Metrics {
		if m.Offset >= data.Size() {
			return span{}, fmt.Errorf("%s is cut short", filepath.Join(dir, "data"))
		}
	}
	return got.span, nil
}

// brokenPrefix begins the names of what was put aside, so that tstorage does not
// open it.
const brokenPrefix = "broken-"

// tidy makes a folder one that tstorage opens, and returns up to when its
// partitions reach. One that cannot be opened is put aside, and one of the future,
// which comes from a clock that was wrong.
func tidy(dir string, now int64) (last int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), "p-") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		s, err := readSpan(path)
		switch {
		case e.Name() == span{}.folder(): // it is of nothing: a process was killed in archive.close
			err = os.RemoveAll(path)
		case err != nil || s.Max > now+int64(time.Hour/time.Second):
			err = putAside(dir, e.Name())
		default:
			last = max(last, s.Max)
		}
		if err != nil {
			return 0, err
		}
	}
	return last, nil
}

// putAside renames a partition that cannot be opened, in place of one that was
// put aside under that name before.
func putAside(dir, name string) error {
	to := filepath.Join(dir, brokenPrefix+name)
	return errors.Join(os.RemoveAll(to), os.Rename(filepath.Join(dir, name), to))
}

// syncPartition puts a partition on disk for good, which tstorage leaves to the
// system.
func syncPartition(dir, name string) error {
	path := filepath.Join(dir, name)
	return errors.Join(syncFile(filepath.Join(path, "data")), syncFile(filepath.Join(path, "meta.json")), syncFile(path), syncFile(dir))
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
