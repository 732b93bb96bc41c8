// Package meter counts what the appliance does and how long it takes, for those
// who look at it from inside: rates of the last hour and latencies, in arrays of
// fixed size, in memory. Counting takes no lock, so that it holds nothing up.
package meter

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ringback/callback"
)

// Meter is all that is counted. Its zero value is ready; its methods may be
// called by several goroutines at once.
type Meter struct {
	Accepted, Delivered, Failed Rate

	Accept, Commit, Lag, Answer Histogram

	answers [600]atomic.Pointer[seconds] // by status
	keys    sync.Map                     // name of a key: *atomic.Int64, the second of its last use
}

// Answered counts an answer of the HTTP interface to a request that came with a
// key of that name; "": with none. enqueues: it was one to enqueue, and took so
// long.
func (m *Meter) Answered(now time.Time, status int, key string, enqueues bool, took time.Duration) {
	if status < 100 || status >= len(m.answers) {
		return
	}
	slot := &m.answers[status]
	s := slot.Load()
	if s == nil {
		slot.CompareAndSwap(nil, new(seconds))
		s = slot.Load()
	}
	s.add(now, 1)
	if enqueues && status < 300 {
		m.Accept.Observe(now, took)
	}
	if key == "" {
		return
	}
	last, ok := m.keys.Load(key)
	if !ok {
		last, _ = m.keys.LoadOrStore(key, new(atomic.Int64))
	}
	if at := last.(*atomic.Int64); at.Load() != now.Unix() { // so that they share it without writing
		at.Store(now.Unix())
	}
}

// Answers returns how often each status was answered within the last minute, and
// the names of the keys that were used within the last hour.
func (m *Meter) Answers(now time.Time) (answers []callback.AnswerCount, keys []string) {
	for status := range m.answers {
		if s := m.answers[status].Load(); s != nil {
			answers = append(answers, callback.AnswerCount{Status: status, Count: s.sum(now, 60)})
		}
	}
	m.keys.Range(func(name, last any) bool {
		if now.Unix()-last.(*atomic.Int64).Load() < 3600 {
			keys = append(keys, name.(string))
		} else {
			m.keys.CompareAndDelete(name, last)
		}
		return true
	})
	slices.SortFunc(answers, func(a, b callback.AnswerCount) int { return cmp.Compare(b.Count, a.Count) })
	slices.Sort(keys)
	return answers, keys
}

// Attempt counts one attempt. due is when its call was to be sent; zero: that
// says nothing of how quick we are.
func (m *Meter) Attempt(now, due time.Time, a *callback.Attempt) {
	if a.OK {
		m.Delivered.Add(now, 1)
	} else {
		m.Failed.Add(now, 1)
	}
	if a.Code != 0 {
		m.Answer.Observe(now, a.Duration)
	}
	if !due.IsZero() {
		m.Lag.Observe(now, max(a.Started.Sub(due), 0))
	}
}

// Committing takes note that the store begins a commit. What it returns is to
// be called when the commit is done.
func (m *Meter) Committing(int) (done func()) {
	began := time.Now()
	return func() {
		now := time.Now()
		m.Commit.Observe(now, now.Sub(began))
	}
}
