// Package series keeps how the attempts of each callback went: of the last hour
// by the minute in rings of fixed size, in memory, and of the last 90 days in an
// archive on disk.
package series

import (
	"sync"
	"time"

	"ringback/callback"
)

// Window is how far back the rings reach.
const Window = time.Hour

const (
	minutes = 60
	seconds = 16
)

// Series counts attempts. Its zero value is ready, and has the last hour; Run
// gives it a journal and an archive. Its methods may be called by several goroutines at
// once.
type Series struct {
	mu       sync.Mutex
	byNum    map[callback.Num]*ring // idle callbacks have none
	all      ring
	accepted second
	sent     second
	archive  *archive // nil: there is none
}

// ring is one callback's hour.
type ring struct {
	cells [minutes]struct {
		at uint32 // which minute since 1970 the cell is of
		minute
	}
	answered uint32 // which minute answers is of
	answers  histogram
}

// at returns a minute to count in, nil when it is no longer in the ring.
func (r *ring) at(min uint32) *minute {
	c := &r.cells[min%minutes]
	if c.at > min {
		return nil
	}
	if c.at != min {
		c.at, c.minute = min, minute{}
	}
	return &c.minute
}

func (r *ring) attempt(min uint32, a *callback.Attempt) {
	m := r.at(min)
	if m == nil {
		return
	}
	if a.OK {
		m.ok++
	} else {
		m.failed++
	}
	if a.Code == 0 || min < r.answered {
		return // no answer, no latency
	}
	if min > r.answered {
		r.settle()
		r.answered, r.answers = min, histogram{}
	}
	r.answers[bucket(a.Duration)]++
}

// settle brings the quantiles of the minute that is being counted up to date.
func (r *ring) settle() {
	c := &r.cells[r.answered%minutes]
	if q := r.answers.quantile(0.50); q > 0 && c.at == r.answered {
		c.p50, c.p95 = q, r.answers.quantile(0.95)
	}
}

// minute returns a minute with how many calls wait, nil where there is nothing
// to tell of it.
func (r *ring) minute(min uint32, waiting uint64) *minute {
	r.settle()
	if r.cells[min%minutes].at != min && waiting == 0 {
		return nil
	}
	m := r.at(min)
	if m != nil {
		m.waiting = max(m.waiting, clamp(waiting))
	}
	return m
}

// each calls f with the minutes from one up to another that the ring has.
func (r *ring) each(from, to uint32, f func(min uint32, m *minute)) {
	r.settle()
	for i := range r.cells {
		if c := &r.cells[i]; c.at >= from && c.at < to {
			f(c.at, &c.minute)
		}
	}
}

// second counts by the second.
type second [seconds]struct {
	at int64
	n  uint64
}

func (s *second) add(now time.Time, n int) {
	c := &s[now.Unix()%seconds]
	if c.at != now.Unix() {
		c.at, c.n = now.Unix(), 0
	}
	c.n += uint64(n)
}

// rate returns the mean of the ten full seconds before now.
func (s *second) rate(now time.Time) float64 {
	var sum uint64
	for _, c := range s {
		if age := now.Unix() - c.at; age >= 1 && age <= 10 {
			sum += c.n
		}
	}
	return float64(sum) / 10
}

func minuteOf(t time.Time) uint32 { return uint32(max(t.Unix(), 0) / 60) }

func timeOf(min uint32) time.Time { return time.Unix(60*int64(min), 0).UTC() }

// ring returns the ring of a callback, which is made where there is none.
func (s *Series) ring(num callback.Num) *ring {
	if s.byNum == nil {
		s.byNum = map[callback.Num]*ring{}
	}
	r := s.byNum[num]
	if r == nil {
		r = &ring{}
		s.byNum[num] = r
	}
	return r
}

// Accepted counts n responses for a callback.
func (s *Series) Accepted(now time.Time, num callback.Num, n int) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted.add(now, n)
	for _, r := range []*ring{s.ring(num), &s.all} {
		if m := r.at(minuteOf(now)); m != nil {
			m.accepted += uint32(n)
		}
	}
}

// Attempt counts one attempt.
func (s *Series) Attempt(now time.Time, num callback.Num, a *callback.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.add(now, 1)
	s.ring(num).attempt(minuteOf(now), a)
	s.all.attempt(minuteOf(now), a)
}

// Forget drops the callbacks of which nothing was counted within the last hour,
// and those that retention removed with them.
func (s *Series) Forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for num, r := range s.byNum {
		last := uint32(0)
		for i := range r.cells {
			last = max(last, r.cells[i].at)
		}
		if last+minutes <= minuteOf(now) {
			delete(s.byNum, num)
		}
	}
}

// Hour is what is known of one callback's last hour.
type Hour struct {
	OK, Bad  uint64
	Cells    []callback.Cell // oldest first
	P50, P95 time.Duration   // of answers, rounded up to a bucket; 0: there were none
}

// Hour returns the last hour of a callback in n cells.
func (s *Series) Hour(now time.Time, num callback.Num, n int) Hour {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := Hour{Cells: make([]callback.Cell, n)}
	r := s.byNum[num]
	if r == nil {
		return h
	}
	var all sum
	to := minuteOf(now) + 1
	r.each(to-minutes, to, func(min uint32, m *minute) {
		all.add(m)
		if n > 0 {
			c := &h.Cells[int(min+minutes-to)*n/minutes]
			c.OK += m.ok
			c.Bad += m.failed
		}
	})
	cell := all.cell()
	h.OK, h.Bad, h.P50, h.P95 = cell.OK, cell.Failed, cell.P50, cell.P95
	return h
}

// Rates returns how many responses were accepted and how many attempts ended a
// second, over the last ten seconds.
func (s *Series) Rates(now time.Time) (accepted, sent float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted.rate(now), s.sent.rate(now)
}
