package meter

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ringback/callback"
)

var start = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func TestThroughput(t *testing.T) {
	t.Parallel()
	var r Rate
	for second := range 3 * 3600 { // one a second, and a burst of 50 an hour ago
		now := start.Add(time.Duration(second) * time.Second)
		r.Add(now, 1)
		if second == 2*3600+1 {
			r.Add(now, 50)
		}
	}
	now := start.Add(3*time.Hour - time.Second)
	got := r.Throughput(now, start)
	if got.Now != 1 || got.Minute != 1 || got.Peak != 51 || !got.PeakAt.Equal(start.Add(2*time.Hour+time.Second)) {
		t.Errorf("got %+v", got)
	}
	if want := (3600. + 50) / 3600; got.Hour != want {
		t.Errorf("an hour: %v, want %v", got.Hour, want)
	}
	if len(got.Cells) != callback.QueueMinutes || got.Cells[0] != (60.+50)/60 || got.Cells[59] != 1 {
		t.Errorf("cells: %v", got.Cells)
	}
	later := r.Throughput(now.Add(25*time.Hour), start)
	if later.Now != 0 || later.Minute != 0 || later.Hour != 0 || later.Peak != 0 || slices.Max(later.Cells) != 0 {
		t.Errorf("a day later: %+v", later)
	}
	var young Rate
	young.Add(start, 10)
	if got := young.Throughput(start.Add(5*time.Second), start); got.Now != 2 || got.Hour != 2 {
		t.Errorf("after 5 s: %+v, want 10 calls over 5 s", got)
	}
	if young.Minute(start) != 10 || young.Minute(start.Add(time.Hour)) != 0 {
		t.Errorf("its minute: %d, that an hour later: %d", young.Minute(start), young.Minute(start.Add(time.Hour)))
	}
}

// What several count at once is all counted, also as the minute changes.
func TestCountsAtOnce(t *testing.T) {
	t.Parallel()
	var m Meter
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				now := start.Add(time.Duration(i/100) * 10 * time.Second)
				m.Accepted.Add(now, 1)
				m.Answered(now, 200+g%2, "key", true, time.Millisecond)
			}
		})
	}
	wg.Wait()
	var sum uint64
	for minute := range 4 {
		sum += m.Accepted.Minute(start.Add(time.Duration(minute) * time.Minute))
	}
	if count := m.Accept.Digest(start.Add(5 * time.Minute)).Count; sum != 16000 || count != 16000 {
		t.Errorf("counted %d and %d, want 16000", sum, count)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	var h Histogram
	if got := h.Digest(start); got != (callback.Digest{}) {
		t.Errorf("of nothing: %+v", got)
	}
	random := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for range 5000 {
		d := time.Duration(random.ExpFloat64() * float64(20*time.Millisecond)).Truncate(time.Microsecond)
		all = append(all, d)
		h.Observe(start.Add(time.Duration(random.IntN(3000))*time.Second), d)
	}
	slices.Sort(all)
	now := start.Add(3000 * time.Second)
	got := h.Digest(now)
	if got.Count != 5000 || got.Max != all[4999] {
		t.Errorf("got %+v, want 5000, the longest %v", got, all[4999])
	}
	for _, c := range []struct {
		q   float64
		got time.Duration
	}{{.5, got.P50}, {.9, got.P90}, {.99, got.P99}} {
		want := all[int(c.q*4999)]
		if c.got < want || c.got > want+want/8+time.Microsecond {
			t.Errorf("the %v quantile is %v, want %v and at most an eighth more", c.q, c.got, want)
		}
	}
	if got := h.Digest(now.Add(2 * time.Hour)); got.Count != 0 {
		t.Errorf("two hours later: %+v", got)
	}
	h.Observe(now.Add(2*time.Hour), 30*24*time.Hour)
	if got := h.Digest(now.Add(2 * time.Hour)); got.Count != 1 || got.P50 > got.Max || got.Max != 30*24*time.Hour {
		t.Errorf("what is longer than any bucket: %+v", got)
	}
}

// Each bucket begins where the one before ends.
func TestBuckets(t *testing.T) {
	t.Parallel()
	for b := range buckets - 1 {
		if bucketOf(bound(b)-1) != b || bucketOf(bound(b)) != b+1 {
			t.Fatalf("bucket %d ends at %v: %d, %d", b, bound(b), bucketOf(bound(b)-1), bucketOf(bound(b)))
		}
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	var m Meter
	m.Answered(start, 202, "portal", true, time.Millisecond)
	m.Answered(start, 202, "", true, 3*time.Millisecond)
	m.Answered(start, 401, "", true, time.Hour)     // refused: how long that took says nothing
	m.Answered(start, 200, "ops", false, time.Hour) // no enqueue
	m.Answered(start, 9999, "x", true, time.Hour)   // no status
	m.Answered(start.Add(-time.Hour), 200, "old", false, 0)
	now := start.Add(30 * time.Second)
	answers, keys := m.Answers(now)
	want := []callback.AnswerCount{{Status: 202, Count: 2}, {Status: 200, Count: 1}, {Status: 401, Count: 1}}
	if diff := cmp.Diff(want, answers); diff != "" {
		t.Errorf("answers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"ops", "portal"}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if d := m.Accept.Digest(now); d.Count != 2 || d.Max != 3*time.Millisecond {
		t.Errorf("accepted: %+v", d)
	}
	if answers, keys = m.Answers(start.Add(2 * time.Hour)); len(keys) != 0 || answers[0].Count != 0 {
		t.Errorf("two hours later: %v, %v", answers, keys)
	}
}

func TestAttempt(t *testing.T) {
	t.Parallel()
	var m Meter
	m.Attempt(start, start.Add(-2*time.Second), &callback.Attempt{Started: start.Add(-time.Second), OK: true, Code: 200, Duration: time.Second})
	m.Attempt(start, time.Time{}, &callback.Attempt{Started: start, Class: callback.ClassRefused, Duration: time.Hour})
	if m.Delivered.Minute(start) != 1 || m.Failed.Minute(start) != 1 {
		t.Errorf("delivered %d, failed %d", m.Delivered.Minute(start), m.Failed.Minute(start))
	}
	if d := m.Answer.Digest(start); d.Count != 1 || d.Max != time.Second {
		t.Errorf("answers: %+v", d)
	}
	if d := m.Lag.Digest(start); d.Count != 1 || d.Max != time.Second {
		t.Errorf("lag: %+v", d)
	}
}
