package series

import (
	"testing"
	"time"
	"unsafe"

	"ringback/callback"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestHour(t *testing.T) {
	t.Parallel()
	var s Series
	ok, bad := callback.Attempt{OK: true, Code: 200, Duration: 10 * time.Millisecond}, callback.Attempt{}
	for i := range 120 { // an hour that is over, and one that is not
		now := start.Add(time.Duration(i) * time.Minute)
		s.Attempt(now, 1, &ok)
		if i >= 110 {
			s.Attempt(now, 1, &bad)
		}
	}
	now := start.Add(119 * time.Minute)
	h := s.Hour(now, 1, 12)
	if h.OK != 60 || h.Bad != 10 {
		t.Errorf("hour has %d ok and %d bad, want 60 and 10", h.OK, h.Bad)
	}
	for i, c := range h.Cells {
		if want := (callback.Cell{OK: 5}); i < 10 && c != want {
			t.Errorf("cell %d is %+v, want %+v", i, c, want)
		}
		if want := (callback.Cell{OK: 5, Bad: 5}); i >= 10 && c != want {
			t.Errorf("cell %d is %+v, want %+v", i, c, want)
		}
	}
	if h.P50 < 10*time.Millisecond || h.P50 > 12500*time.Microsecond {
		t.Errorf("p50 %v of answers that took 10 ms", h.P50)
	}
	if h := s.Hour(now.Add(2*time.Hour), 1, 4); h.OK+h.Bad != 0 || h.P95 != 0 {
		t.Errorf("two hours later: %+v", h)
	}
	if h := s.Hour(now, 9, 3); len(h.Cells) != 3 || h.OK != 0 {
		t.Errorf("of a callback without attempts: %+v", h)
	}
}

// A callback without attempts for an hour costs nothing, and the others keep
// what they have.
func TestForget(t *testing.T) {
	t.Parallel()
	var s Series
	ok := callback.Attempt{OK: true, Code: 200}
	s.Attempt(start, 1, &ok)
	s.Attempt(start.Add(time.Minute), 2, &ok)
	now := start.Add(59 * time.Minute)
	for i, left := range []int{2, 1, 0} {
		s.Forget(now.Add(time.Duration(i) * time.Minute))
		if len(s.byNum) != left {
			t.Errorf("%d callbacks are left after %d minutes, want %d", len(s.byNum), 59+i, left)
		}
	}
	if s.Forget(now); s.Hour(now, 2, 1).OK != 0 {
		t.Error("what was forgotten is told")
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	last := -1
	for ms := range 200_000 {
		d := time.Duration(ms) * time.Millisecond
		b := bucket(d)
		if b < last || b >= buckets {
			t.Fatalf("%v in bucket %d after %d", d, b, last)
		}
		last = b
		if up := latency(b); b < buckets-1 && (up < d || ms > 8 && float64(up) > 1.26*float64(d)) {
			t.Fatalf("%v in a bucket up to %v", d, up)
		}
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	var s Series
	for i := range 30 {
		s.Accepted(start.Add(time.Duration(i)*time.Second), 1, 50)
	}
	if got, _ := s.Rates(start.Add(30 * time.Second)); got != 50 {
		t.Errorf("%v a second, want 50", got)
	}
	if got, _ := s.Rates(start.Add(35 * time.Second)); got != 25 {
		t.Errorf("%v a second after 5 s of silence, want 25", got)
	}
}

// Of more callbacks than can be archived those that did most are, and all are in
// the sum of all.
func TestBusiestAreArchived(t *testing.T) {
	t.Parallel()
	var s Series
	var live []callback.Health
	ok := callback.Attempt{OK: true, Code: 200}
	for i := range 2 * mostRows {
		num := callback.Num(i + 1)
		h := callback.Health{Callback: callback.Callback{ID: callback.CallbackID(num), Num: num}}
		h.Live.Counts.Pending = 3
		live = append(live, h)
		if i%2 == 1 {
			s.Attempt(start, num, &ok)
		}
	}
	rows := s.rows(minuteOf(start), live, true)
	if len(rows) != mostRows+1 || rows[0].id != 0 || rows[0].ok != mostRows || rows[0].waiting != 6*mostRows {
		t.Fatalf("%d rows, first %+v", len(rows), rows[0])
	}
	for _, r := range rows[1:] {
		if r.ok != 1 || r.waiting != 3 || r.id%2 == 1 {
			t.Fatalf("%+v", r)
		}
	}
	if rows := s.rows(minuteOf(start)+1, live, false); len(rows) != 0 {
		t.Errorf("a minute in which nothing happened has %d rows", len(rows))
	}
	if len(encode(rows)) > callback.MaxMinute {
		t.Errorf("%d bytes are too many for the journal", len(encode(rows)))
	}
}

// Those that do nothing are told nothing of, and cost nothing.
func TestIdleCostNothing(t *testing.T) {
	t.Parallel()
	var s Series
	live := make([]callback.Health, 10_000)
	for i := range live {
		live[i].Num = callback.Num(i + 1)
	}
	if rows := s.rows(minuteOf(start), live, true); len(rows) != 0 || len(s.byNum) != 0 {
		t.Errorf("%d rows and %d rings of 10,000 idle callbacks", len(rows), len(s.byNum))
	}
	if size := unsafe.Sizeof(ring{}); size > 1800 {
		t.Errorf("a ring has %d bytes", size)
	}
}

// What a window ends with is not within.
func TestWindowEnds(t *testing.T) {
	t.Parallel()
	var s Series
	ok, now := callback.Attempt{OK: true, Code: 200}, start.Add(10*time.Minute)
	s.Attempt(start, 1, &ok)
	s.Attempt(now, 1, &ok)
	cells, err := s.Cells(t.Context(), now, Subject{Num: 1, ID: 1}, start.Add(-50*time.Minute), now, 60)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cells {
		if want := i == 50; (c.OK == 1) != want || c.OK > 1 {
			t.Errorf("cell %d is %+v", i, c)
		}
	}
}
