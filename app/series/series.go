// Package series keeps how the attempts of each callback went over the last
// hour, in rings of fixed size, in memory.
package series

import (
	"math/bits"
	"sync"
	"time"

	"ringback/callback"
)

// Window is how far back a series reaches.
const Window = time.Hour

const (
	minutes = 60
	buckets = 64 // of latency, four to each power of two milliseconds
	slices  = 6  // of the hour, for latencies
	seconds = 16
)

// Series counts attempts. Its zero value is ready. Its methods may be called by
// several goroutines at once.
type Series struct {
	mu       sync.Mutex
	byNum    map[callback.Num]*ring
	accepted second
	sent     second
}

// ring is one callback's hour.
type ring struct {
	minute [minutes]struct {
		at   int64 // which minute since 1970 the cell is of
		cell callback.Cell
	}
	answers [slices]struct {
		at   int64 // which ten minutes
		hist [buckets]uint32
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

// Accepted counts n responses.
func (s *Series) Accepted(now time.Time, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accepted.add(now, n)
}

// Attempt counts one attempt.
func (s *Series) Attempt(now time.Time, num callback.Num, a *callback.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.add(now, 1)
	s.add(now, num, a)
}

// Recall counts an attempt that an earlier process made, of the last 50 minutes.
func (s *Series) Recall(num callback.Num, a *callback.Attempt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(a.Started.Add(a.Duration), num, a)
}

func (s *Series) add(now time.Time, num callback.Num, a *callback.Attempt) {
	if s.byNum == nil {
		s.byNum = map[callback.Num]*ring{}
	}
	r := s.byNum[num]
	if r == nil {
		r = &ring{}
		s.byNum[num] = r
	}
	at := now.Unix() / 60
	m := &r.minute[at%minutes]
	if m.at > at {
		return // older than what is there
	}
	if m.at != at {
		m.at, m.cell = at, callback.Cell{}
	}
	if a.OK {
		m.cell.OK++
	} else {
		m.cell.Bad++
	}
	if a.Code == 0 {
		return // no answer, no latency
	}
	at = now.Unix() / 600
	h := &r.answers[at%slices]
	if h.at != at {
		h.at, h.hist = at, [buckets]uint32{}
	}
	h.hist[bucket(a.Duration)]++
}

// Forget drops the callbacks that made no attempt within the last hour, and
// those that retention removed with them.
func (s *Series) Forget(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for num, r := range s.byNum {
		last := int64(0)
		for i := range r.minute {
			last = max(last, r.minute[i].at)
		}
		if now.Unix()/60-last >= minutes {
			delete(s.byNum, num)
		}
	}
}

// bucket sorts a latency: four buckets to each power of two milliseconds.
func bucket(d time.Duration) int {
	n := uint64(max(d.Milliseconds(), 0)) * 4
	if n < 4 {
		return 0
	}
	exp := bits.Len64(n) - 3 // n>>exp is 4 to 7
	return min(exp*4+int(n>>exp)-3, buckets-1)
}

// latency returns the upper bound of a bucket.
func latency(b int) time.Duration {
	if b == 0 {
		return time.Millisecond
	}
	exp, m := (b-1)/4, (b-1)%4
	return time.Duration(uint64(m+5)<<exp) * time.Millisecond / 4
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
	this := now.Unix() / 60
	for _, m := range r.minute {
		age := this - m.at
		if age < 0 || age >= minutes {
			continue
		}
		h.OK += uint64(m.cell.OK)
		h.Bad += uint64(m.cell.Bad)
		if n > 0 {
			c := &h.Cells[int(minutes-1-age)*n/minutes]
			c.OK += m.cell.OK
			c.Bad += m.cell.Bad
		}
	}
	var sum [buckets]uint64
	var total uint64
	for _, a := range r.answers {
		if age := now.Unix()/600 - a.at; age < 0 || age >= slices {
			continue
		}
		for b, c := range a.hist {
			sum[b] += uint64(c)
			total += uint64(c)
		}
	}
	h.P50, h.P95 = quantile(&sum, total, 0.50), quantile(&sum, total, 0.95)
	return h
}

func quantile(hist *[buckets]uint64, total uint64, q float64) time.Duration {
	if total == 0 {
		return 0
	}
	rank, seen := uint64(q*float64(total-1))+1, uint64(0)
	for b, n := range hist {
		if seen += n; seen >= rank {
			return latency(b)
		}
	}
	return latency(buckets - 1)
}

// Rates returns how many responses were accepted and how many attempts ended a
// second, over the last ten seconds.
func (s *Series) Rates(now time.Time) (accepted, sent float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accepted.rate(now), s.sent.rate(now)
}
