package series

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"time"

	"ringback/callback"
)

// minute is what is known of one minute of a callback, or of all together.
type minute struct {
	ok, failed, accepted, waiting uint32
	p50, p95                      uint8 // one more than the bucket; 0: there was no answer
}

// idle reports whether there is nothing to tell.
func (m *minute) idle() bool { return m.ok|m.failed|m.accepted|m.waiting == 0 }

// add adds what another process counted of the same minute.
func (m *minute) add(o *minute) {
	m.ok, m.failed, m.accepted, m.waiting = m.ok+o.ok, m.failed+o.failed, m.accepted+o.accepted, max(m.waiting, o.waiting)
	if m.p50 == 0 {
		m.p50, m.p95 = o.p50, o.p95
	}
}

// A minute stands in the archive as two values, each 62 bits that are taken for
// those of a float: no such float is NaN or infinite, and tstorage keeps bits.
//
//	attempts  ok:24 failed:24 p50:7 p95:7
//	calls     accepted:30 waiting:32
const (
	most24 = 1<<24 - 1
	most30 = 1<<30 - 1
	most7  = 1<<7 - 1
)

func (m *minute) pack() (attempts, calls uint64) {
	attempts = uint64(min(m.ok, most24))<<38 | uint64(min(m.failed, most24))<<14 | uint64(m.p50&most7)<<7 | uint64(m.p95&most7)
	return attempts, uint64(min(m.accepted, most30))<<32 | uint64(m.waiting)
}

func (m *minute) unpackAttempts(v uint64) {
	m.ok, m.failed = uint32(v>>38)&most24, uint32(v>>14)&most24
	m.p50, m.p95 = min(uint8(v>>7)&most7, buckets), min(uint8(v)&most7, buckets)
}

func (m *minute) unpackCalls(v uint64) { m.accepted, m.waiting = uint32(v>>32)&most30, uint32(v) }

// row is the minute of one callback, by its id; 0: of all together.
type row struct {
	id callback.CallbackID
	minute
}

// rowSize is how many bytes a row has in the journal.
const rowSize = 24

// encode returns rows as they are journalled.
func encode(rows []row) []byte {
	b := make([]byte, 0, rowSize*len(rows))
	for i := range rows {
		attempts, calls := rows[i].pack()
		b = binary.BigEndian.AppendUint64(b, uint64(rows[i].id))
		b = binary.BigEndian.AppendUint64(b, attempts)
		b = binary.BigEndian.AppendUint64(b, calls)
	}
	return b
}

var errRows = errors.New("the figures of a minute are not whole")

func decode(b []byte) ([]row, error) {
	if len(b)%rowSize != 0 {
		return nil, errRows
	}
	rows := make([]row, len(b)/rowSize)
	for i := range rows {
		at := b[i*rowSize:]
		rows[i].id = callback.CallbackID(binary.BigEndian.Uint64(at))
		rows[i].unpackAttempts(binary.BigEndian.Uint64(at[8:]))
		rows[i].unpackCalls(binary.BigEndian.Uint64(at[16:]))
	}
	return rows, nil
}

const buckets = 64 // of latency, four to each power of two milliseconds

// histogram counts latencies.
type histogram [buckets]uint32

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

// quantile returns one more than the bucket of a quantile, 0 where nothing was
// counted.
func (h *histogram) quantile(q float64) uint8 {
	total, seen := uint64(0), uint64(0)
	for _, n := range h {
		total += uint64(n)
	}
	if total == 0 {
		return 0
	}
	rank := uint64(q*float64(total-1)) + 1
	for b, n := range h {
		if seen += uint64(n); seen >= rank {
			return uint8(b + 1)
		}
	}
	return buckets
}

// sum is what several minutes come to.
type sum struct {
	callback.SeriesCell
	p50, p95 histogram
}

// add adds a minute. Of latencies each minute has two quantiles only: those of
// the sum are the same quantiles of them, a minute counting as often as it had
// attempts.
func (s *sum) add(m *minute) {
	s.OK += uint64(m.ok)
	s.Failed += uint64(m.failed)
	s.Accepted += uint64(m.accepted)
	s.Waiting = max(s.Waiting, uint64(m.waiting))
	if m.p50 > 0 && m.p95 > 0 {
		weigh(&s.p50[m.p50-1], m.ok+m.failed)
		weigh(&s.p95[m.p95-1], m.ok+m.failed)
	}
}

func weigh(n *uint32, by uint32) { *n = clamp(uint64(*n) + uint64(by)) }

func clamp(n uint64) uint32 { return uint32(min(n, math.MaxUint32)) }

// cell returns the sum with its quantiles.
func (s *sum) cell() callback.SeriesCell {
	if q := s.p50.quantile(0.50); q > 0 {
		s.P50 = latency(int(q) - 1)
	}
	if q := s.p95.quantile(0.95); q > 0 {
		s.P95 = latency(int(q) - 1)
	}
	return s.SeriesCell
}
