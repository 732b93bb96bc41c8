package api

import (
	"context"
	"slices"
	"time"

	"ringback/callback"
)

func (f *fake) QueueShape(context.Context) (callback.QueueShape, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := callback.QueueShape{Now: time.Now(), Counted: time.Now(), MaxInFlight: 4}
	for _, c := range f.cbs {
		n := c.live.Counts.Waiting()
		if c.live.Deleted || n == 0 {
			continue
		}
		row := callback.QueueRow{CallbackID: c.cb.ID, Callback: c.cb.Name, State: c.live.State, Held: c.live.Holds(), Waiting: n}
		row.Ages[0] = n
		s.Waiting += n
		if row.Held {
			s.Held += n
		}
		s.Callbacks = append(s.Callbacks, row)
	}
	return s, nil
}

func (f *fake) System(context.Context) (callback.System, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0.0
	for _, c := range f.cbs {
		n += float64(c.live.Counts.Accepted)
	}
	cells := make([]float64, callback.QueueMinutes)
	return callback.System{
		Now: time.Now(), Accepted: callback.Throughput{Peak: n, Cells: cells}, Delivered: callback.Throughput{Cells: cells}, Failed: callback.Throughput{Cells: cells},
		Storage: callback.Storage{Calls: uint64(len(f.calls))}, Process: callback.Process{PID: 1, Goroutines: 1, Cores: 1},
	}, nil
}

// logged adds a line to the fake's log.
func (f *fake) logged(l callback.LogLine) {
	l.Seq, l.At, l.Level = uint64(len(f.log)+1), time.Now(), callback.LevelInfo
	f.log = append(f.log, l)
}

func (f *fake) Log(_ context.Context, after uint64, max int) ([]callback.LogLine, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if max <= 0 {
		max = callback.KeptLines
	}
	if after == 0 {
		return slices.Clone(f.log[len(f.log)-min(max, len(f.log)):]), nil
	}
	rest := f.log[min(int(after), len(f.log)):]
	return slices.Clone(rest[:min(max, len(rest))]), nil
}

func (f *fake) Do(_ context.Context, c callback.Chore, _ string) error {
	if !slices.Contains(callback.Chores, c) {
		return callback.NoChore(c)
	}
	return callback.Errorf(callback.CodeConflict, "that cannot be done here")
}

func (f failing) QueueShape(context.Context) (callback.QueueShape, error) {
	return callback.QueueShape{}, f.err
}

func (f failing) System(context.Context) (callback.System, error) { return callback.System{}, f.err }

func (f failing) Log(context.Context, uint64, int) ([]callback.LogLine, error) { return nil, f.err }

func (f failing) Do(context.Context, callback.Chore, string) error { return f.err }
