package callback

import (
	"testing"
	"time"
)

func TestDueBucket(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		wait time.Duration
		want int
	}{
		{-time.Hour, DueLate},
		{-LateAfter - 1, DueLate},
		{-LateAfter, DueNow},
		{0, DueNow},
		{1, DueMinute},
		{time.Minute, DueMinute},
		{time.Minute + 1, DueMinute + 1},
		{5 * time.Minute, DueLater - 1},
		{5*time.Minute + 1, DueLater},
		{24 * time.Hour, DueLater},
	} {
		if got := DueBucket(now, now.Add(c.wait)); got != c.want {
			t.Errorf("due in %v: part %d, want %d", c.wait, got, c.want)
		}
	}
}

func TestAgeBucket(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		age  time.Duration
		want int
	}{
		{-time.Second, 0},
		{0, 0},
		{5*time.Minute - 1, 0},
		{5 * time.Minute, 1},
		{time.Hour, 3},
		{24*time.Hour - 1, 5},
		{24 * time.Hour, 6},
		{400 * time.Hour, AgeBuckets - 1},
	} {
		if got := AgeBucket(c.age); got != c.want {
			t.Errorf("%v old: part %d, want %d", c.age, got, c.want)
		}
	}
}

func TestFewFiles(t *testing.T) {
	t.Parallel()
	for of, want := range map[[2]int]bool{{2, 1}: true, {48, 96}: false, {49, 96}: true, {1000, 59000}: false} {
		if got := FewFiles(of[0], of[1]); got != want {
			t.Errorf("%d open, %d left: got %v", of[0], of[1], got)
		}
	}
}
