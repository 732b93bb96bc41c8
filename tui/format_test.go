package tui

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "0.0s"},
		{0, "0.0s"},
		{99 * time.Millisecond, "0.0s"},
		{200 * time.Millisecond, "0.2s"},
		{999 * time.Millisecond, "0.9s"},
		{time.Second, "1s"},
		{12 * time.Second, "12s"},
		{time.Minute - 1, "59s"},
		{time.Minute, "1m00s"},
		{4*time.Minute + 10*time.Second, "4m10s"},
		{6*time.Minute + 2*time.Second, "6m02s"},
		{time.Hour - 1, "59m59s"},
		{4*time.Hour + 51*time.Minute + 59*time.Second, "4h51m"},
		{24*time.Hour - 1, "23h59m"},
		{51 * time.Hour, "2d03h"},
		{12*24*time.Hour + 4*time.Hour, "12d04h"},
		{400 * 24 * time.Hour, "400d00h"},
	} {
		if got := Duration(tt.d); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestCountdown(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 3, 14, 3, 27, 0, time.UTC)
	for _, tt := range []struct {
		left time.Duration
		want string
		late bool
	}{
		{2*time.Minute + 10*time.Second, "in 2m10s", false},
		{41 * time.Second, "in 0m41s", false},
		{time.Second, "in 0m01s", false},
		{300 * time.Millisecond, "in 0.3s", false},
		{50 * time.Millisecond, "now", false},
		{0, "now", false},
		{-999 * time.Millisecond, "now", false},
		{-time.Second, "late 1s", true},
		{-12 * time.Second, "late 12s", true},
		{-26 * time.Hour, "late 1d02h", true},
		{26 * time.Hour, "in 1d02h", false},
	} {
		got, late := Countdown(now.Add(tt.left), now)
		if got != tt.want || late != tt.late {
			t.Errorf("%v: got %s %v, want %s %v", tt.left, got, late, tt.want, tt.late)
		}
	}
	if got, late := Countdown(time.Time{}, now); got != "-" || late {
		t.Errorf("no time: got %s %v", got, late)
	}
	if got := Age(now.Add(-291*time.Minute), now); got != "4h51m" {
		t.Errorf("age: got %s", got)
	}
	if got := Age(time.Time{}, now); got != "-" {
		t.Errorf("no age: got %s", got)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n           uint64
		long, short string
	}{
		{0, "0", "0"},
		{999, "999", "999"},
		{1284, "1,284", "1,284"},
		{201334, "201,334", "201,334"},
		{999999, "999,999", "999,999"},
		{1204000, "1,204,000", "1.20M"},
		{1209999, "1,209,999", "1.20M"},
		{31204118, "31,204,118", "31.2M"},
		{312041180, "312,041,180", "312M"},
		{999999999, "999,999,999", "999M"},
		{4070000000, "4,070,000,000", "4.07G"},
		{math.MaxUint64, "18,446,744,073,709,551,615", "18,446,744,073G"},
	} {
		if got := Count(tt.n); got != tt.long {
			t.Errorf("%d: got %s, want %s", tt.n, got, tt.long)
		}
		if got := CountShort(tt.n); got != tt.short {
			t.Errorf("%d, short: got %s, want %s", tt.n, got, tt.short)
		}
	}
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		ok, failed uint64
		want       string
	}{
		{0, 0, "-"},
		{1, 0, "100"},
		{0, 1, "0.0"},
		{9996, 4, "99.96"},
		{99999, 1, "99.99"},
		{math.MaxUint64 - 1, 1, "99.99"},
		{974, 26, "97.4"},
		{9749, 251, "97.4"},
		{999, 1, "99.9"},
		{9991, 9, "99.91"},
		{9990, 10, "99.9"},
		{9989, 11, "99.8"},
		{1, 2, "33.3"},
		{1, 1 << 60, "0.0"},
		{math.MaxUint64, 1, "99.99"},
	} {
		if got := Success(tt.ok, tt.failed); got != tt.want {
			t.Errorf("%d ok, %d failed: got %s, want %s", tt.ok, tt.failed, got, tt.want)
		}
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		r    float64
		want string
	}{{0, "0"}, {-1, "0"}, {math.NaN(), "0"}, {0.04, "0.0"}, {0.49, "0.4"}, {9.99, "9.9"}, {10, "10"}, {142.9, "142"}, {10611, "10,611"}} {
		if got := Rate(tt.r); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.r, got, tt.want)
		}
	}
}

func TestLatency(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-1, "-"},
		{0, "<1ms"},
		{999 * time.Microsecond, "<1ms"},
		{time.Millisecond, "1ms"},
		{84*time.Millisecond + 999*time.Microsecond, "84ms"},
		{time.Second - 1, "999ms"},
		{time.Second, "1.0s"},
		{1999 * time.Millisecond, "1.9s"},
		{time.Minute, "60.0s"},
		{100 * time.Second, "1m40s"},
	} {
		if got := Latency(tt.d); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.d, got, tt.want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n    uint64
		want string
	}{
		{0, "0 B"},
		{190, "190 B"},
		{1023, "1023 B"},
		{1024, "1.0 KiB"},
		{1536, "1.5 KiB"},
		{1<<20 - 1, "1023 KiB"},
		{1 << 20, "1.0 MiB"},
		{412 << 20, "412 MiB"},
		{18<<30 + 205<<20, "18.2 GiB"},
		{100 << 30, "100 GiB"},
		{3 << 40, "3.0 TiB"},
		{1 << 50, "1.0 PiB"},
		{math.MaxUint64, "15.9 EiB"},
	} {
		if got := Bytes(tt.n); got != tt.want {
			t.Errorf("%d: got %s, want %s", tt.n, got, tt.want)
		}
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("AEST", 10*3600)
	now := time.Date(2026, 3, 3, 14, 3, 27, 0, zone) // a Tuesday
	at := func(y int, m time.Month, d, h, min, s, ms int) time.Time {
		return time.Date(y, m, d, h, min, s, ms*1e6, zone).UTC()
	}
	for _, tt := range []struct {
		name                                   string
		t                                      time.Time
		today, millis, short, local, utc, full string
	}{
		{"now", now, "14:03:27", "14:03:27.000", "14:03", "03-03 14:03:27", "03-03 04:03:27", "2026-03-03T14:03:27.000+10:00"},
		{"this morning, yesterday in UTC", at(2026, 3, 3, 9, 12, 4, 31), "09:12:04", "09:12:04.031", "09:12", "03-03 09:12:04", "03-02 23:12:04", "2026-03-03T09:12:04.031+10:00"},
		{"just before midnight", at(2026, 3, 2, 23, 59, 59, 999), "Mon 23:59", "Mon 23:59", "Mon 23:59", "03-02 23:59:59", "03-02 13:59:59", "2026-03-02T23:59:59.999+10:00"},
		{"two days ago", at(2026, 3, 1, 11, 20, 0, 0), "Sun 11:20", "Sun 11:20", "Sun 11:20", "03-01 11:20:00", "03-01 01:20:00", "2026-03-01T11:20:00.000+10:00"},
		{"tomorrow", at(2026, 3, 4, 14, 1, 0, 0), "Wed 14:01", "Wed 14:01", "Wed 14:01", "03-04 14:01:00", "03-04 04:01:00", "2026-03-04T14:01:00.000+10:00"},
		{"the same weekday, less than seven days of 24 h ago", at(2026, 2, 24, 23, 0, 0, 0), "Feb 24 23:00", "Feb 24 23:00", "Feb 24 23:00", "02-24 23:00:00", "02-24 13:00:00", "2026-02-24T23:00:00.000+10:00"},
		{"this year", at(2026, 2, 1, 3, 10, 44, 0), "Feb 01 03:10", "Feb 01 03:10", "Feb 01 03:10", "02-01 03:10:44", "01-31 17:10:44", "2026-02-01T03:10:44.000+10:00"},
		{"another year", at(2025, 12, 3, 10, 20, 0, 0), "2025-12-03", "2025-12-03", "2025-12-03", "2025-12-03 10:20:00", "2025-12-03 00:20:00", "2025-12-03T10:20:00.000+10:00"},
		{"never", time.Time{}, "-", "-", "-", "-", "-", "-"},
	} {
		c := Clock{Zone: zone}
		local, utc := Clock{Mode: ClockLocal, Zone: zone}, Clock{Mode: ClockUTC, Zone: zone}
		for _, got := range [][2]string{
			{c.When(tt.t, now), tt.today},
			{c.WhenMillis(tt.t, now), tt.millis},
			{c.WhenShort(tt.t, now), tt.short},
			{local.When(tt.t, now), tt.local},
			{utc.When(tt.t, now), tt.utc},
			{c.Exact(tt.t), tt.full},
		} {
			if got[0] != got[1] {
				t.Errorf("%s: got %s, want %s", tt.name, got[0], got[1])
			}
		}
		if n := len(utc.WhenShort(tt.t, now)); n > 12 {
			t.Errorf("%s: short takes %d cells", tt.name, n)
		}
	}
	newYear := time.Date(2026, 1, 1, 0, 0, 10, 0, zone)
	if got := (Clock{Zone: zone}).When(newYear.Add(-time.Minute), newYear); got != "Wed 23:59" {
		t.Errorf("over new year: got %s", got)
	}
	if got := (Clock{Zone: zone}).Head(now); got != "14:03:27 AEST" {
		t.Errorf("head: got %s", got)
	}
	if got := (Clock{Mode: ClockUTC, Zone: zone}).Head(now); got != "04:03:27 UTC" {
		t.Errorf("head in UTC: got %s", got)
	}
	if m := ClockToday.Next().Next().Next(); m != ClockToday || ClockUTC.String() != "UTC" {
		t.Errorf("modes: got %v", m)
	}
}
