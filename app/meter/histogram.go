package meter

import (
	"math/bits"
	"sync/atomic"
	"time"

	"ringback/callback"
)

// A histogram's buckets: 8 to each power of two microseconds, so that a bucket
// is no wider than an eighth of its lower bound, up to some 19 hours.
const (
	buckets = 8 * 34
	parts   = 6 // of the hour
)

// Histogram tells how long something took over the last hour, in parts of ten
// minutes. Its zero value is ready; its methods may be called by several
// goroutines at once, and take no lock.
type Histogram struct{ parts [parts]atomic.Pointer[part] }

// part is what ten minutes had.
type part struct {
	at      int64 // which ten minutes
	counts  [buckets]atomic.Uint32
	longest atomic.Int64
}

// bucketOf sorts a time.
func bucketOf(d time.Duration) int {
	n := uint64(max(d.Microseconds(), 0))
	if n < 8 {
		return int(n)
	}
	exp := bits.Len64(n) - 4 // n>>exp is 8 to 15
	return min(8*exp+int(n>>exp), buckets-1)
}

// bound returns the upper bound of a bucket.
func bound(b int) time.Duration {
	if b < 8 {
		return time.Duration(b+1) * time.Microsecond
	}
	exp, n := b/8-1, b%8+8
	return time.Duration(uint64(n+1)<<exp) * time.Microsecond
}

// Observe counts one that ended at a time.
func (h *Histogram) Observe(now time.Time, d time.Duration) {
	at := now.Unix() / 600
	slot := &h.parts[at%parts]
	p := slot.Load()
	for p == nil || p.at < at {
		fresh := &part{at: at}
		if slot.CompareAndSwap(p, fresh) {
			p = fresh
		} else {
			p = slot.Load()
		}
	}
	if p.at > at {
		return // older than what is there
	}
	p.counts[bucketOf(d)].Add(1)
	for was := p.longest.Load(); int64(d) > was && !p.longest.CompareAndSwap(was, int64(d)); {
		was = p.longest.Load()
	}
}

// Digest sums up the last hour.
func (h *Histogram) Digest(now time.Time) (d callback.Digest) {
	var sum [buckets]uint64
	for i := range h.parts {
		p := h.parts[i].Load()
		if p == nil || now.Unix()/600-p.at >= parts {
			continue
		}
		for b := range p.counts {
			n := uint64(p.counts[b].Load())
			sum[b] += n
			d.Count += n
		}
		d.Max = max(d.Max, time.Duration(p.longest.Load()))
	}
	quantile := func(q float64) time.Duration {
		rank, seen := uint64(q*float64(d.Count-1))+1, uint64(0)
		for b, n := range sum {
			if seen += n; seen >= rank {
				return min(bound(b), d.Max)
			}
		}
		return d.Max
	}
	if d.Count > 0 {
		d.P50, d.P90, d.P99 = quantile(.50), quantile(.90), quantile(.99)
	}
	return d
}
