package tui

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ringback/callback"
)

// offered returns what Tab offers after a key that takes a few words.
func offered(words ...string) func(*desk) []string {
	return func(*desk) []string { return words }
}

// callbackNames are offered after cb:.
func callbackNames(d *desk) []string {
	names := make([]string, 0, len(d.overview.Callbacks))
	for i := range d.overview.Callbacks {
		names = append(names, d.overview.Callbacks[i].Name)
	}
	slices.Sort(names)
	return names
}

// like reports whether s is pattern, any case; a * in it is any text.
func like(pattern, s string) bool {
	parts := strings.Split(strings.ToLower(pattern), "*")
	s = strings.ToLower(s)
	last := len(parts) - 1
	rest, ok := strings.CutPrefix(s, parts[0])
	if !ok || last == 0 {
		return ok && rest == ""
	}
	for _, part := range parts[1:last] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, parts[last])
}

// called returns the callbacks that a value after cb: names: by name, by id, or
// by a pattern.
func (d *desk) called(c *clause) ([]*callback.HealthView, *filterError) {
	var out []*callback.HealthView
	for i := range d.overview.Callbacks {
		h := &d.overview.Callbacks[i]
		if h.Name == c.value || h.ID.String() == c.value {
			return []*callback.HealthView{h}, nil
		}
		if like(c.value, h.Name) {
			out = append(out, h)
		}
	}
	if len(out) == 0 {
		return nil, c.wrong("no callback has this name")
	}
	return out, nil
}

// instant reads what stands after since: and until:.
func (d *desk) instant(c *clause) (time.Time, *filterError) {
	at, ok := d.parseTime(c.value)
	if !ok {
		return at, c.wrong("09:12, 2h (ago), 3d, 2026-03-01 or 2026-03-01T09:12")
	}
	return at.Truncate(time.Millisecond), nil
}

// between reads the bounds of a time: since: is within, until: is not.
func (d *desk) between(all [][]clause) (since, until time.Time, fault *filterError) {
	for _, cs := range all {
		c := &cs[0]
		switch c.key {
		case "since":
			since, fault = d.instant(c)
		case "until":
			until, fault = d.instant(c)
		default:
			continue
		}
		if fault == nil && !since.IsZero() && !until.IsZero() && !since.Before(until) {
			fault = c.wrong(map[string]string{"since": "is not before until:", "until": "is not after since:"}[c.key])
		}
		if fault != nil {
			return since, until, fault
		}
	}
	return since, until, nil
}

// within reports whether t is between two bounds, where they are set.
func within(t, since, until time.Time) bool {
	return (since.IsZero() || !t.Before(since)) && (until.IsZero() || t.Before(until))
}

// causeTerm is what a value after code: selects: status codes, or classes of what
// went wrong.
type causeTerm struct {
	low, high int
	classes   []callback.Class
}

// codeWords are the words after code:, and timeout, which is two of them.
var codeWords = []string{
	"5xx", "4xx", "timeout", "refused", "dns", "tls", "reset", "unreachable", "connect-timeout", "answer-timeout", "protocol", "redirect",
	"denied", "interrupted", "internal", "none",
}

// causeOf reads a value after code:.
func causeOf(c *clause) (causeTerm, *filterError) {
	word := strings.ToLower(c.value)
	switch word {
	case "timeout":
		return causeTerm{classes: []callback.Class{callback.ClassConnectTimeout, callback.ClassAnswerTimeout}}, nil
	case "none", "0":
		return causeTerm{low: 0, high: 0}, nil
	}
	digits, hundred := strings.CutSuffix(word, "xx")
	if n, err := strconv.Atoi(digits); err == nil {
		switch {
		case !hundred && len(digits) == 3 && n >= 100:
			return causeTerm{low: n, high: n}, nil
		case hundred && len(digits) == 1 && n >= 1:
			return causeTerm{low: 100 * n, high: 100*n + 99}, nil
		}
		return causeTerm{}, c.wrong("3 digits or 5xx")
	}
	class, ok := callback.ParseClass(strings.ReplaceAll(word, "-", " "))
	switch {
	case !ok || class == callback.ClassOK && word != "":
		return causeTerm{}, c.wrong("3 digits, 5xx, or dns refused timeout reset tls ...")
	case word == "":
		return causeTerm{}, c.wrong("3 digits or 5xx")
	}
	return causeTerm{classes: []callback.Class{class}}, nil
}

// holds reports whether an attempt went so.
func (t *causeTerm) holds(code int, class callback.Class) bool {
	if t.classes != nil {
		return slices.Contains(t.classes, class)
	}
	return code >= t.low && code <= t.high
}

// triesOf reads a value after tries:, a number with or without a sign before it.
func triesOf(c *clause) (low, high int, fault *filterError) {
	const most = 1 << 30
	rest, sign := c.value, ""
	for _, s := range []string{">=", "<=", ">", "<", "="} {
		if r, ok := strings.CutPrefix(rest, s); ok {
			rest, sign = r, s
			break
		}
	}
	n, err := strconv.ParseUint(rest, 10, 24)
	if err != nil {
		return 0, 0, c.wrong("a number, as in tries:3 tries:>10 tries:<=2")
	}
	at := int(n)
	switch sign {
	case ">":
		return at + 1, most, nil
	case ">=":
		return at, most, nil
	case "<":
		return 0, at - 1, nil
	case "<=":
		return 0, at, nil
	}
	return at, at, nil
}

// idsOf reads a value after id:, the beginning of a call's id or all of it.
func idsOf(c *clause) (low, high callback.CallID, fault *filterError) {
	says := "hex digits, up to 16: the beginning of an id, or all of it"
	if n := len(c.value); n == 0 || n > 16 || strings.Trim(c.value, "0123456789abcdefABCDEF") != "" {
		return 0, 0, c.wrong(says)
	}
	n, err := strconv.ParseUint(c.value+strings.Repeat("0", 16-len(c.value)), 16, 64)
	if err != nil {
		return 0, 0, c.wrong(says)
	}
	return callback.CallID(n), callback.CallID(n | (1<<(4*(16-len(c.value))) - 1)), nil
}
