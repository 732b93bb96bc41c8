package tui

import "time"

// ClockMode is how instants are written; a key goes through the modes.
type ClockMode uint8

// The modes: as near to now as it takes (the clock today, the weekday this
// week, the date before), always date and clock, and the same in UTC.
const (
	ClockToday ClockMode = iota
	ClockLocal
	ClockUTC
	clockModes
)

// Next returns the mode after m, round and round.
func (m ClockMode) Next() ClockMode { return (m + 1) % clockModes }

// String returns the mode as the status line names it.
func (m ClockMode) String() string {
	return [...]string{"today", "local", "UTC"}[m%clockModes]
}

// Clock writes instants. The zero value writes ClockToday in UTC.
type Clock struct {
	Mode ClockMode
	Zone *time.Location // of the operator; nil is UTC
}

func (c Clock) in(t time.Time) time.Time {
	if c.Mode == ClockUTC || c.Zone == nil {
		return t.UTC()
	}
	return t.In(c.Zone)
}

// Head returns the time for the first row, with the zone in use: 14:03:27 AEST.
func (c Clock) Head(now time.Time) string {
	var room figure
	return string(c.in(now).AppendFormat(room[:0], "15:04:05 MST"))
}

// When returns t, past or to come, for a column: 14:03:27 on the day of now,
// Sun 11:20 less than a week from it, Feb 27 03:10 in its year, else
// 2025-12-03; "-" for the zero time. The other modes write
// 03-03 14:03:27 in the year of now, else 2025-12-03 14:03:27.
func (c Clock) When(t, now time.Time) string {
	var room figure
	return string(c.appendWhen(room[:0], t, now, "15:04:05"))
}

// WhenMillis is When with milliseconds wherever it has seconds.
func (c Clock) WhenMillis(t, now time.Time) string {
	var room figure
	return string(c.appendWhen(room[:0], t, now, "15:04:05.000"))
}

// WhenShort is When in at most 12 cells and without seconds, whatever the
// mode: 14:03, Sun 11:20, 03-03 14:03.
func (c Clock) WhenShort(t, now time.Time) string {
	var room figure
	return string(c.appendWhen(room[:0], t, now, "15:04"))
}

func (c Clock) appendWhen(b []byte, t, now time.Time, clock string) []byte {
	if t.IsZero() {
		return append(b, absent...)
	}
	t, now = c.in(t), c.in(now)
	days := days(t, now)
	switch {
	case c.Mode == ClockToday && days == 0:
		return t.AppendFormat(b, clock)
	case c.Mode == ClockToday && days < 7:
		return t.AppendFormat(b, "Mon 15:04")
	case c.Mode == ClockToday && t.Year() == now.Year():
		return t.AppendFormat(b, "Jan 02 15:04")
	case c.Mode != ClockToday && t.Year() == now.Year():
		return t.AppendFormat(b, "01-02 "+clock)
	case c.Mode != ClockToday && clock != "15:04":
		return t.AppendFormat(b, "2006-01-02 "+clock)
	}
	return t.AppendFormat(b, "2006-01-02")
}

// days counts midnights between two times of one zone.
func days(a, b time.Time) int {
	day := func(t time.Time) int64 {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
	}
	return int(max(day(a)-day(b), day(b)-day(a)))
}

// Exact returns t as details show it: RFC 3339 with milliseconds.
func (c Clock) Exact(t time.Time) string {
	if t.IsZero() {
		return absent
	}
	return c.in(t).Format("2006-01-02T15:04:05.000Z07:00")
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
