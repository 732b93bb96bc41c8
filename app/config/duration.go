package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

var (
	_ encoding.TextMarshaler   = Duration(0)
	_ encoding.TextUnmarshaler = (*Duration)(nil)
)

// Duration is a span of time that is never negative. Its text is Go's ("5m",
// "1h30m", "100ms") with whole days in front ("30d", "1d12h"); zero may be
// written "0".
type Duration time.Duration

// day is 24 hours: the configuration knows no calendar.
const day = Duration(24 * time.Hour)

// String returns the shortest text that reads back as d; days appear from 48
// hours on, so that "24h" stays what it was.
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	var days string
	if d >= 2*day {
		days = strconv.FormatInt(int64(d/day), 10) + "d"
		if d %= day; d == 0 {
			return days
		}
	}
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return days + s
}

// MarshalText implements encoding.TextMarshaler; a negative span is an error.
func (d Duration) MarshalText() ([]byte, error) {
	if d < 0 {
		return nil, fmt.Errorf("duration %s is negative", time.Duration(d))
	}
	return []byte(d.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := parseDuration(string(text))
	if err != nil {
		return fmt.Errorf("duration %s %w", quote(string(text)), err)
	}
	*d = v
	return nil
}

var (
	errEmpty    = errors.New("is empty")
	errNegative = errors.New("is negative")
	errLarge    = errors.New("is too large")
)

// parseDuration returns an error that goes on a sentence begun with the value.
func parseDuration(s string) (Duration, error) {
	switch {
	case s == "":
		return 0, errEmpty
	case s == "0":
		return 0, nil
	case s[0] == '-':
		return 0, errNegative
	}
	var sum time.Duration
	for rest := s; rest != ""; {
		number, unit, tail := term(rest)
		d, err := span(number, unit)
		if err != nil {
			return 0, err
		}
		if unit == "d" && rest != s {
			return 0, errors.New("has its days not in front")
		}
		if sum > math.MaxInt64-d {
			return 0, errLarge
		}
		sum += d
		rest = tail
	}
	return Duration(sum), nil
}

// term cuts the first number and its unit off s.
func term(s string) (number, unit, tail string) {
	n := strings.IndexFunc(s, func(r rune) bool { return !numeric(r) })
	if n < 0 {
		return s, "", ""
	}
	end := strings.IndexFunc(s[n:], numeric)
	if end < 0 {
		return s[:n], s[n:], ""
	}
	return s[:n], s[n : n+end], s[n+end:]
}

func numeric(r rune) bool { return r >= '0' && r <= '9' || r == '.' }

func span(number, unit string) (time.Duration, error) {
	switch {
	case number == "" || strings.Count(number, ".") > 1 || number == ".":
		return 0, errors.New("is not a duration")
	case unit == "":
		return 0, errors.New("has a number without a unit")
	case unit == "d":
		days, err := strconv.ParseUint(number, 10, 64)
		if strings.Contains(number, ".") {
			return 0, errors.New("has a fraction of a day")
		}
		if err != nil || days > math.MaxInt64/uint64(day) {
			return 0, errLarge
		}
		return time.Duration(days) * time.Duration(day), nil
	}
	switch unit {
	case "ns", "us", "µs", "ms", "s", "m", "h":
	default:
		return 0, fmt.Errorf("has the unknown unit %s (known are ms, s, m, h, d)", quote(unit))
	}
	d, err := time.ParseDuration(number + unit)
	if err != nil {
		return 0, errLarge
	}
	return d, nil
}
