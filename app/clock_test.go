package app

import (
	"testing"
	"time"
)

func TestClock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 3, 1, 12, 0, 0, 999, time.UTC)
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name     string
		readings [][2]time.Duration // wall and monotonic clock, since start
		want     time.Duration      // engine time of the last, since start, whole milliseconds
		doubtful bool
	}{
		{"in step", [][2]time.Duration{{0, 0}, {time.Hour, time.Hour}}, time.Hour, false},
		{"a day without a look", [][2]time.Duration{{0, 0}, {24 * time.Hour, 24 * time.Hour}}, 24 * time.Hour, false},
		{"back an hour: it goes on, slower", [][2]time.Duration{{0, 0}, {time.Second, time.Second}, {-time.Hour, time.Second}, {100*time.Second - time.Hour, 101 * time.Second}}, 91 * time.Second, false},
		{"back an hour, and met again", [][2]time.Duration{{0, 0}, {-time.Hour, 0}, {10 * time.Hour, 11 * time.Hour}}, 10 * time.Hour, false},
		{"ahead by less than an hour: followed", [][2]time.Duration{{0, 0}, {50 * time.Minute, time.Second}}, 50 * time.Minute, false},
		{"ahead by a year: not followed", [][2]time.Duration{{0, 0}, {year, time.Second}}, time.Second, true},
		{"and still not half an hour later", [][2]time.Duration{{0, 0}, {year, 0}, {year + 30*time.Minute, 30 * time.Minute}}, 30 * time.Minute, true},
		{"but an hour later", [][2]time.Duration{{0, 0}, {year, 0}, {year + time.Hour, time.Hour}}, year + time.Hour, false},
		{"ahead and back again", [][2]time.Duration{{0, 0}, {year, time.Second}, {2 * time.Second, 2 * time.Second}}, 2 * time.Second, false},
		{"ahead twice", [][2]time.Duration{{0, 0}, {year, 0}, {2 * year, 30 * time.Minute}, {2*year + 31*time.Minute, 61 * time.Minute}}, 61 * time.Minute, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var k clock
			var got time.Time
			for _, r := range c.readings {
				now := k.read(start.Add(r[0]), r[1])
				if now.Before(got) {
					t.Fatalf("time went back from %v to %v", got, now)
				}
				got = now
			}
			if d := got.Sub(start.Truncate(time.Millisecond)); d != c.want {
				t.Errorf("engine time %v, want %v", d, c.want)
			}
			if k.Doubtful() != c.doubtful {
				t.Errorf("doubtful %v, want %v", k.Doubtful(), c.doubtful)
			}
		})
	}
}
