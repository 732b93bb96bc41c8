package series

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"ringback/callback"
)

// Retention is how long the archive keeps what it has.
const Retention = 90 * 24 * time.Hour

const (
	// full is how many minutes a partition is made of.
	full = 6 * 60
	// mostUnwritten bounds how many minutes wait for a partition that cannot be
	// written: about as many as the journal has of them.
	mostUnwritten = int(journalFor / time.Minute)
)

// archive keeps minutes in partitions of tstorage on disk. Those of which no
// partition is full yet are in memory, and in the journal.
//
// One goroutine inserts; any may read.
type archive struct {
	dir string

	mu         sync.Mutex
	partitions []*partition // oldest first; nil when it is closed
	unwritten  []figures    // oldest first
	last       int64        // when the newest minute was, in Unix seconds
	onDisk     int64        // up to when everything is on disk for good, in Unix seconds; 0: this process has written nothing
}

// figures are the rows of one minute.
type figures struct {
	at   uint32 // minutes since 1970
	rows []row
}

// openArchive opens the archive in a folder, and takes from the journal what is
// not on disk and ended before now.
func openArchive(dir string, journal []callback.Minute, now time.Time) (a *archive, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	a = &archive{dir: dir}
	if a.last, err = tidy(dir, now.Unix()); err != nil {
		return nil, err
	}
	for _, m := range journal {
		if !m.At.Before(now.Truncate(time.Minute)) {
			continue
		}
		rows, err := decode(m.Figures)
		if err != nil {
			return nil, fmt.Errorf("minute %v: %w", m.At, err)
		}
		a.add(m.At, rows)
	}
	old, err := openPartitions(dir)
	if err != nil {
		return nil, err
	}
	a.partitions = []*partition{old}
	return a, nil
}

// insert adds a minute, and writes those before it when they fill a partition. An
// error says that it was not written: its minutes stay, and it is tried again with
// the next.
func (a *archive) insert(at time.Time, rows []row) error {
	var err error
	if len(a.unwritten) > 0 && int(minuteOf(at))-int(a.unwritten[0].at) >= full {
		err = a.write()
	}
	a.add(at, rows)
	return err
}

// add adds a minute. One that is not later than the last is left out: a second
// point of the same time would hide in tstorage.
func (a *archive) add(at time.Time, rows []row) {
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.idle() })
	if len(rows) == 0 || at.Unix() <= a.last {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.unwritten = append(a.unwritten, figures{minuteOf(at), rows})
	a.unwritten = a.unwritten[max(0, len(a.unwritten)-mostUnwritten):]
	a.last = at.Unix()
}

// write makes a partition of all that is not on disk, which is read from memory
// until it is there, and drops those that are too old.
func (a *archive) write() error {
	p, err := writePartition(a.dir, a.unwritten)
	if err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.partitions, a.unwritten, a.onDisk = append(a.partitions, p), nil, p.Max
	// The first are those that were there before; tstorage itself drops of them.
	for len(a.partitions) > 1 && err == nil && a.partitions[1].Max < p.Max-int64(Retention/time.Second) {
		old := filepath.Join(a.dir, a.partitions[1].folder())
		_ = empty(old) // where somebody has removed it there is nothing to give back
		err = os.RemoveAll(old)
		a.partitions = slices.Delete(a.partitions, 1, 2)
	}
	return err
}

// day is how many minutes are read at once.
const day = 24 * 60

// read calls f with the minutes from one up to another, since 1970, of a
// callback: several times with one of them, each time with other figures of it.
func (a *archive) read(ctx context.Context, id callback.CallbackID, from, to uint32, f func(min uint32, m *minute)) error {
	a.mu.Lock()
	partitions, unwritten := slices.Clone(a.partitions), a.unwritten
	a.mu.Unlock()
	if partitions == nil {
		return nil // it is closed
	}
	for at := from; at < to; at = (at/day + 1) * day {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, p := range partitions {
			if err := p.read(id, at, min(to, (at/day+1)*day), f); err != nil {
				return fmt.Errorf("read the archive of figures: %w", err)
			}
		}
	}
	for _, m := range unwritten {
		if i := slices.IndexFunc(m.rows, func(r row) bool { return r.id == id }); i >= 0 && m.at >= from && m.at < to {
			f(m.at, &m.rows[i].minute)
		}
	}
	return nil
}

// close writes what is in memory. It may be called once.
func (a *archive) close() error {
	var err error
	if len(a.unwritten) > 0 {
		err = a.write()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old := a.partitions[0]
	a.partitions = nil
	// Its goroutine ends by that. It has no points that are not on disk, and tstorage writes a partition of none.
	return errors.Join(err, old.db.Close(), os.RemoveAll(filepath.Join(a.dir, span{}.folder())))
}
