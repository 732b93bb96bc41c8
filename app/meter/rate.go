package meter

import (
	"sync/atomic"
	"time"

	"ringback/callback"
)

// cell counts what fell into one period: which one stands in its upper half, how
// many in its lower. So it moves on to another period and counts in one step.
type cell struct{ v atomic.Uint64 }

// add counts n of a period, unless the cell is of a later one, and returns how
// many there are now.
func (c *cell) add(period int64, n int) uint32 {
	for {
		old := c.v.Load()
		at, now := int64(old>>32), uint64(period)<<32|uint64(n)
		switch {
		case at > period:
			return 0
		case at == period:
			now = old + uint64(n)
		}
		if c.v.CompareAndSwap(old, now) {
			return uint32(now)
		}
	}
}

// of returns how many a period had.
func (c *cell) of(period int64) uint32 {
	if v := c.v.Load(); int64(v>>32) == period {
		return uint32(v)
	}
	return 0
}

// seconds counts second by second for a minute.
type seconds [64]cell

func (s *seconds) add(now time.Time, n int) uint32 {
	return s[now.Unix()%int64(len(s))].add(now.Unix(), n)
}

// sum returns how many the last n full seconds had, at most 60.
func (s *seconds) sum(now time.Time, n int64) (sum uint64) {
	for at := now.Unix() - n; at < now.Unix(); at++ {
		sum += uint64(s[at%int64(len(s))].of(at))
	}
	return sum
}

// Rate counts how many a second. Its zero value is ready; its methods may be
// called by several goroutines at once, and take no lock.
type Rate struct {
	seconds seconds
	minutes [callback.QueueMinutes]cell
	peaks   [24]cell          // of hours, the best second
	peakAt  [24]atomic.Uint64 // when it was; may be off by a moment, not by more
}

// Add counts n at a time.
func (r *Rate) Add(now time.Time, n int) {
	in := r.seconds.add(now, n)
	r.minutes[now.Unix()/60%callback.QueueMinutes].add(now.Unix()/60, n)
	hour := now.Unix() / 3600
	peak := &r.peaks[hour%24]
	if best := peak.of(hour); in > best {
		peak.add(hour, int(in-best)) // two at once make it too high by what one of them added
		r.peakAt[hour%24].Store(uint64(now.Unix()))
	}
}

// Minute returns how many the minute of at had, which is within the last hour.
func (r *Rate) Minute(at time.Time) uint64 {
	minute := at.Unix() / 60
	return uint64(r.minutes[minute%callback.QueueMinutes].of(minute))
}

// Throughput sums up what was counted since a time.
func (r *Rate) Throughput(now, since time.Time) (t callback.Throughput) {
	up := now.Sub(since).Seconds()
	over := func(sum uint64, span float64) float64 {
		return float64(sum) / max(min(span, up), 1)
	}
	t.Now, t.Minute = over(r.seconds.sum(now, 10), 10), over(r.seconds.sum(now, 60), 60)
	minute, hour := now.Unix()/60, uint64(0)
	t.Cells = make([]float64, callback.QueueMinutes)
	for i := range t.Cells {
		at := minute - callback.QueueMinutes + 1 + int64(i)
		n := uint64(r.minutes[at%callback.QueueMinutes].of(at))
		hour += n
		span := 60.0
		if at == minute {
			span = float64(now.Unix()%60 + 1)
		}
		t.Cells[i] = float64(n) / span
	}
	t.Hour = over(hour, float64((callback.QueueMinutes-1)*60+now.Unix()%60+1))
	for at := now.Unix()/3600 - 23; at <= now.Unix()/3600; at++ {
		if n := float64(r.peaks[at%24].of(at)); n > t.Peak {
			t.Peak, t.PeakAt = n, time.Unix(int64(r.peakAt[at%24].Load()), 0).UTC()
		}
	}
	return t
}
