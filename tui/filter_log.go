package tui

import (
	"slices"
	"strings"
	"time"

	"ringback/callback"
)

// logLanguage is the language of the log.
var logLanguage = &language{[]filterKey{
	{"level", true, offered("info", "warn", "error")},
	{"part", false, partNames},
	{"cb", false, callbackNames},
	{"since", true, offered("5m", "15m", "1h", "6h", "24h")},
	{"until", true, offered("5m", "15m", "1h", "6h", "24h")},
	{"id", false, offered()},
	{"op", false, offered()},
}}

// partNames are offered after part:, those whose lines are in memory.
func partNames(d *desk) []string { return d.logParts }

// parse reads a filter of the log: nil lets every line through.
func (p *logPage) parse(s string) (test[callback.LogLine], *filterError) {
	return testOf(p.d, logLanguage, s,
		func(l *callback.LogLine) time.Time { return l.At },
		func(l *callback.LogLine) string { return l.Part + " " + says(l, true) }, p.test)
}

// test returns the condition of a clause; nil: it is read elsewhere.
func (p *logPage) test(c *clause) (test[callback.LogLine], *filterError) {
	value := c.value
	switch c.key {
	case "level":
		least := slices.Index(logLevels, callback.LogLevel(value))
		if least < 0 {
			return nil, c.wrong("info warn error")
		}
		return func(l *callback.LogLine) bool { return slices.Index(logLevels, l.Level) >= least }, nil
	case "id":
		low, high, fault := idsOf(c)
		return func(l *callback.LogLine) bool { return l.Call != 0 && l.Call >= low && l.Call <= high }, fault
	case "since", "until":
		return nil, nil
	}
	if value == "" {
		return nil, c.wrong(map[string]string{"part": "delivery, mail, store, api, ...", "cb": "the name of a callback; * is any text", "op": "the beginning of an operation's id"}[c.key])
	}
	switch c.key {
	case "part":
		of := func(l *callback.LogLine) bool { return like(value, l.Part) }
		if len(p.lines) > 0 && !p.has(of) {
			return nil, c.wrong("no line is of it; there are " + strings.Join(p.parts(), " "))
		}
		return of, nil
	case "cb":
		of := func(l *callback.LogLine) bool { return like(value, l.Callback) }
		if _, fault := p.d.called(c); fault != nil && !p.has(of) { // one that was deleted may have lines yet
			return nil, fault
		}
		return of, nil
	}
	return func(l *callback.LogLine) bool {
		return len(l.Operation) >= len(value) && strings.EqualFold(l.Operation[:len(value)], value)
	}, nil
}

// has reports whether a line in memory is like that, shown or not.
func (p *logPage) has(like test[callback.LogLine]) bool {
	return slices.ContainsFunc(p.lines, func(l callback.LogLine) bool { return like(&l) })
}
