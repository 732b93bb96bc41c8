// Package journal keeps the last lines of the log in memory, for a screen or a
// client that asks for them.
package journal

import (
	"sync"
	"time"

	"ringback/callback"
)

// maxBytes bounds the text of all lines together.
const maxBytes = 4 << 20

// Journal is the last lines of the log. Its zero value is ready; its methods may
// be called by several goroutines at once.
type Journal struct {
	mu    sync.Mutex
	lines []callback.LogLine // a ring, once it is full
	first int                // index of the oldest, in lines
	kept  int                // how many there are
	bytes int                // of their texts
	seq   uint64             // of the last one
	last  time.Time          // when that was
}

// lateness is how much later than it happened something may be told of.
const lateness = 2 * time.Second

// Add adds a line, and gives it its number. Its text is sanitised here. A line that
// comes a little late bears the time of the one before: whoever reads them down has
// them in order.
func (j *Journal) Add(l callback.LogLine) {
	l.Text = callback.Sanitize(l.Text, callback.MaxLineText)
	l.Part = callback.Sanitize(l.Part, 20)
	l.Callback = callback.Sanitize(l.Callback, 4*callback.MaxName)
	l.Operation = callback.Sanitize(l.Operation, 80)
	j.mu.Lock()
	defer j.mu.Unlock()
	if late := j.last.Sub(l.At); late > 0 && late < lateness { // more is a clock that was set back
		l.At = j.last
	}
	j.last = l.At
	j.seq++
	l.Seq = j.seq
	if j.lines == nil {
		j.lines = make([]callback.LogLine, callback.KeptLines)
	}
	for j.kept == len(j.lines) || j.kept > 0 && j.bytes+size(&l) > maxBytes {
		j.drop()
	}
	j.lines[(j.first+j.kept)%len(j.lines)] = l
	j.kept++
	j.bytes += size(&l)
}

func (j *Journal) drop() {
	oldest := &j.lines[j.first]
	j.bytes -= size(oldest)
	*oldest = callback.LogLine{}
	j.first = (j.first + 1) % len(j.lines)
	j.kept--
}

func size(l *callback.LogLine) int {
	return len(l.Text) + len(l.Part) + len(l.Callback) + len(l.Operation)
}

// After returns lines behind that number, oldest first: the first most of them,
// or for 0 the last. most 0: all that are kept.
func (j *Journal) After(after uint64, most int) []callback.LogLine {
	j.mu.Lock()
	defer j.mu.Unlock()
	if most <= 0 {
		most = j.kept
	}
	from := 0
	switch oldest := j.seq - uint64(j.kept) + 1; {
	case after == 0:
		from = max(j.kept-most, 0)
	case after >= j.seq:
		return nil
	case after >= oldest:
		from = int(after - oldest + 1)
	}
	out := make([]callback.LogLine, 0, min(most, j.kept-from))
	for i := from; i < j.kept && len(out) < most; i++ {
		out = append(out, j.lines[(j.first+i)%len(j.lines)])
	}
	return out
}
